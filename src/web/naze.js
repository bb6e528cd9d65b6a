// Comfort only: every page works without this.
"use strict";

const $all = (css, root = document) => root.querySelectorAll(css);

// The reader's own time, as a tooltip.
function localise(root) {
  for (const time of $all("time[datetime]", root)) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) time.title = moment.toLocaleString();
  }
}
localise(document);

// Ctrl+Enter runs the query that is being written.
for (const editor of $all("textarea")) {
  editor.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) editor.form.requestSubmit();
  });
}

// Forms leave out what is empty, so that a link to share is short.
document.addEventListener("submit", ({ target: form }) => {
  if (form.method !== "get") return;
  const empty = [...form.elements].filter((field) => field.name && field.value === "");
  for (const field of empty) field.disabled = true;
  setTimeout(() => { for (const field of empty) field.disabled = false; });
});

// A page that tells of the present follows what comes in, unless somebody is at work in it.
const main = document.querySelector("main[data-live]");
if (main && "EventSource" in window) follow(main.dataset.live);

function follow(address) {
  const status = document.getElementById("live");
  let seen = Date.now(), connected = false, waiting = 0, timer = 0;
  const state = document.createElement("span");
  const reload = document.createElement("a");
  reload.href = location.href;
  status.append(state);

  const show = () => {
    const seconds = Math.round((Date.now() - seen) / 1000);
    const age = seconds < 60 ? "less than a minute" : `${Math.floor(seconds / 60)} min`;
    const text = connected ? "Live." : `Not connected: this page is ${age} old.`;
    if (state.textContent !== text) state.textContent = text;
    const news = waiting ? `${waiting} new ${waiting === 1 ? "receipt" : "receipts"}: show` : "";
    if (reload.textContent !== news) reload.textContent = news;
    if (news && !reload.isConnected) status.append(" ", reload);
    if (!news) reload.remove();
  };
  const isBusy = () => {
    const here = document.getElementById("main");
    const active = document.activeElement;
    return (active !== here && here.contains(active)) || String(getSelection()) !== "" || here.querySelector("form details[open], .range details[open]");
  };
  const refresh = () => {
    timer = 0;
    if (isBusy()) return;
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("GET", location.href);
    request.onload = () => {
      const fresh = request.status === 200 && request.response && request.response.getElementById("main");
      const here = document.getElementById("main");
      if (!fresh || isBusy()) return;
      const open = [...$all("details", here)].map((one) => one.open);
      here.replaceChildren(...fresh.childNodes);
      if ($all("details", here).length === open.length) $all("details", here).forEach((one, place) => { one.open = open[place]; });
      localise(here);
      const old = $all("footer time")[0], now = $all("footer time", request.response)[0];
      if (old && now) { old.textContent = now.textContent; old.dateTime = now.dateTime; }
      seen = Date.now();
      waiting = 0;
      show();
    };
    request.send();
  };

  const events = new EventSource(address);
  events.addEventListener("hello", () => { if (!connected && Date.now() - seen > 5000) refresh(); connected = true; show(); });
  events.addEventListener("receipts", (event) => {
    waiting += JSON.parse(event.data).new;
    show();
    timer ||= setTimeout(refresh, 1000);
  });
  events.onerror = () => { if (connected) seen = Date.now(); connected = false; show(); };
  setInterval(show, 10000);
  addEventListener("pagehide", () => events.close());
}
