//! The pages in a real Chromium, driven over `WebDriver` as a reader would use them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value as Json, json};

use super::access::PAGES;
use crate::common::{LOOPBACK, Naze};

/// Name under which `WebDriver` returns an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const PAGE_WITHIN: Duration = Duration::from_secs(20);

/// A Chromium that ends with the test.
pub(super) struct Browser {
    driver: Child,
    client: reqwest::blocking::Client,
    session: String,
}

impl Browser {
    /// `None`, loudly, when Debian's chromium and chromium-driver are not installed.
    pub(super) fn start() -> Option<Self> {
        let driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut driver) = driver else {
            println!("SKIPPED: chromedriver is not installed; scripts/setup test installs it");
            return None;
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            line.split("successfully on port ").nth(1).and_then(|rest| rest.trim_end_matches('.').parse::<u16>().ok())
        });
        let port = port.expect("chromedriver says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        let client = reqwest::blocking::Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1600"];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": arguments}}}});
        let root = format!("http://127.0.0.1:{port}/session");
        let created = send(client.post(&root).body(capabilities.to_string()));
        let session = format!("{root}/{}", created["sessionId"].as_str().unwrap_or_else(|| panic!("{created}")));
        Some(Self { driver, client, session })
    }

    #[track_caller]
    fn post(&self, command: &str, body: &Json) -> Json {
        send(self.client.post(format!("{}/{command}", self.session)).body(body.to_string()))
    }

    pub(super) fn open(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    pub(super) fn run(&self, script: &str) -> Json {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    #[track_caller]
    pub(super) fn find(&self, css: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": css}));
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("{css}: {found}")).to_owned()
    }

    #[track_caller]
    pub(super) fn click(&self, css: &str) {
        let element = self.find(css);
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    pub(super) fn type_into(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.post(&format!("element/{element}/value"), &json!({"text": text}));
    }

    /// Runs a script that calls its last argument when it is done.
    pub(super) fn run_async(&self, script: &str) -> Json {
        self.post("execute/async", &json!({"script": script, "args": []}))
    }

    /// A command of the browser's own protocol.
    pub(super) fn cdp(&self, command: &str, parameters: &Json) {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    /// As a reader with a light or dark screen sees it.
    pub(super) fn prefer(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.cdp("Emulation.setEmulatedMedia", &features);
    }

    /// Presses a key, by its code in `WebDriver`.
    pub(super) fn press(&self, key: &str) {
        let actions = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        self.post("actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// Waits until a condition holds.
    #[track_caller]
    pub(super) fn wait(&self, condition: &str) {
        let until = Instant::now() + PAGE_WITHIN;
        while self.run(&format!("return {condition}")) != true {
            let live = || self.run("return document.querySelector('#live').textContent");
            assert!(Instant::now() < until, "{condition} does not hold; #live says {}", live());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the title of the page contains `text`.
    #[track_caller]
    pub(super) fn arrive(&self, text: &str) {
        let until = Instant::now() + PAGE_WITHIN;
        loop {
            let title = self.run("return document.readyState === 'complete' ? document.title : ''");
            if title.as_str().is_some_and(|title| title.contains(text)) {
                return;
            }
            assert!(Instant::now() < until, "still at {title}, not at {text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The text of a dialog that is open.
    pub(super) fn dialog(&self) -> Option<String> {
        let found = send(self.client.get(format!("{}/alert/text", self.session)));
        found.as_str().map(str::to_owned)
    }

    /// What the browser complained about since the last time: errors of scripts, refused by policy, not found.
    pub(super) fn complaints(&self) -> Vec<Json> {
        self.post("se/log", &json!({"type": "browser"})).as_array().cloned().unwrap_or_default()
    }

    /// Keeps a picture in the folder `NAZE_SCREENSHOTS`, if there is one.
    pub(super) fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("NAZE_SCREENSHOTS") else { return };
        let shot = send(self.client.get(format!("{}/screenshot", self.session)));
        let bytes = base64::engine::general_purpose::STANDARD.decode(shot.as_str().unwrap()).unwrap();
        std::fs::write(std::path::Path::new(&folder).join(name).with_extension("png"), bytes).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.client.delete(&self.session).send());
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

#[track_caller]
fn send(request: reqwest::blocking::RequestBuilder) -> Json {
    let reply = request.header("content-type", "application/json").send().unwrap();
    let answer: Json = serde_json::from_str(&reply.text().unwrap()).unwrap();
    answer["value"].clone()
}

/// Serves a naze for as long as the tests run; the address.
pub(super) fn served(naze: &Naze) -> String {
    let engine = Arc::clone(&naze.engine);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(LOOPBACK).await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            naze::http::serve(engine, listener, std::future::pending()).await.unwrap();
        });
    });
    format!("http://{}", told.recv().unwrap())
}

/// A world with an open incident, and series of which one is beyond its limits.
pub(super) fn world() -> Naze {
    let naze = Naze::in_world("bad_deploy");
    let incident = json!({"component": "web", "summary": "web answers 502", "reference": "inc-web", "severity": "critical",
        "metric": "tps_kanban_queue_depth", "detectedAt": "2026-03-10T10:09:00Z"});
    assert!(naze.post("/v1/incidents", "application/json", incident.to_string()).status.is_success());
    let metrics =
        [("tps_kanban_queue_depth", 900.0), ("tps_quality_gate_pass_rate", 0.9), ("tps_andon_error_rate", 0.001)];
    let samples: Json = (0..240)
        .flat_map(|minute| {
            let at = format!("2026-03-10T{:02}:{:02}:00Z", 8 + minute / 60, minute % 60);
            metrics
                .map(|(metric, value)| json!({"metric": metric, "component": "web", "occurredAt": at, "value": value}))
        })
        .collect();
    assert!(naze.post("/v1/measurements", "application/json", samples.to_string()).status.is_success());
    naze
}

/// That world, for tests that change nothing.
pub(super) fn shared_world() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| served(&world()));
    &ADDRESS
}

#[test]
fn a_reader_goes_from_the_overview_to_the_cause_confirms_it_and_asks_a_query() {
    let Some(browser) = Browser::start() else { return };
    let url = served(&world());

    browser.open(&url);
    browser.arrive("Overview");
    browser.picture("overview");
    browser.click("p.first a[href='/incidents/inc-web']");
    browser.arrive("web answers 502");
    browser.picture("incident");
    let first = "ol.causes > li:first-child ";
    let suspect = browser.run("return document.querySelector('ol.causes h3 a').textContent");
    assert_eq!(suspect, "checkout");
    browser.type_into(&format!("{first}input[name=message]"), "rolled back, and it was over <b>at once</b>");
    browser.click(&format!("{first}button[value=confirmed]"));
    // The page before has the same title.
    browser.wait("document.querySelector('#cause + p')?.firstChild.textContent === 'checkout broke web: confirmed.'");
    let noted = browser
        .run("return [...document.querySelectorAll('td')].some(cell => cell.textContent.includes('<b>at once</b>'))");
    assert_eq!(noted, true);

    browser.click("select[name=kind] option[value=deployment]");
    browser.click("form[action$='#timeline'] button");
    // Empty fields are left out.
    browser.wait("location.search === '?kind=deployment'");
    browser.arrive("web answers 502");

    browser.click(&format!("{first}td a[href^='/receipts/']"));
    browser.arrive(" · naze");
    assert_eq!(browser.run("return document.querySelector('#proof').textContent"), "Proof");
    browser.picture("receipt");

    browser.open(&format!("{url}/queries/changes_before"));
    browser.type_into("input[name=at]", "2026-03-10T10:09:00Z");
    browser.type_into("input[name=lookback]", "24h");
    browser.click("main form button");
    browser.wait("document.querySelectorAll('tbody tr').length >= 3");
    browser.picture("query");
    assert_eq!(browser.complaints(), Vec::<Json>::new());
}

#[test]
fn every_kind_of_page_loads_without_a_complaint_and_fits_a_narrow_screen() {
    let Some(browser) = Browser::start() else { return };
    let url = shared_world();
    browser.post("window/rect", &json!({"width": 500, "height": 900}));
    for path in PAGES {
        browser.open(&format!("{url}{path}"));
        browser.arrive("naze");
        assert_eq!(
            browser.run("return getComputedStyle(document.querySelector('nav')).display"),
            "flex",
            "{path} has its style"
        );
        let overflow =
            browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(overflow, 0, "{path} is wider than the screen");
        let unnamed = browser.run(
            "return [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea, [role=region], [role=img]')]
                .filter(one => !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.[0]?.textContent.trim()))
                .map(one => one.outerHTML.slice(0, 200))",
        );
        assert_eq!(unnamed, json!([]), "{path}: a screen reader has no name for these");
    }
    // That a page is not there is a complaint of the network, not of the page.
    let complaints = browser.complaints();
    let is_expected = |one: &Json| one["message"].as_str().unwrap().contains("/incidents/none");
    assert!(complaints.iter().all(is_expected), "{complaints:?}");
}

#[test]
fn a_page_follows_what_comes_in_and_says_when_it_cannot() {
    let Some(browser) = Browser::start() else { return };
    let naze = world();
    let url = served(&naze);
    browser.open(&url);
    browser.arrive("Overview");
    browser.wait("document.querySelector('#live').textContent.startsWith('Live.')");
    let alert = |name: &str| {
        json!([{"kind": "alert", "occurredAt": "2026-03-10T11:59:00Z", "component": "web", "name": name, "status": "firing",
            "severity": "warning"}])
    };
    naze.record(&alert("DiskFull"));
    browser.wait("document.querySelector('main').textContent.includes('DiskFull')");
    // Somebody who is at work in the page is not disturbed.
    browser.run("document.querySelector('.range a').focus()");
    naze.record(&alert("DiskOnFire"));
    browser.wait("document.querySelector('#live a').textContent === '1 new receipt: show'");
    assert_eq!(browser.run("return document.querySelector('main').textContent.includes('DiskOnFire')"), false);
    browser.click("#live a");
    browser.wait("document.querySelector('main').textContent.includes('DiskOnFire')");
    browser.wait("document.querySelector('#live').textContent.startsWith('Live.')");
    naze.engine.live().close();
    browser.wait(
        "document.querySelector('#live').textContent.startsWith('Not connected: this page is less than a minute old.')",
    );
    let complaints = browser.complaints();
    assert!(complaints.iter().all(|one| one["message"].as_str().unwrap().contains("/live")), "{complaints:?}");
}

#[test]
fn without_script_every_page_has_its_content() {
    let Some(browser) = Browser::start() else { return };
    let url = shared_world();
    browser.cdp("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    for (path, css) in [
        ("/", ".cards .value"),
        ("/incidents/inc-web", "ol.causes form"),
        ("/trends?metric=tps_kanban_queue_depth", "figure svg path.line"),
    ] {
        browser.open(&format!("{url}{path}"));
        browser.find(css);
    }
}
