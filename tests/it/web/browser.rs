//! The pages in a real Chromium, driven over `WebDriver` as a reader would use them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value as Json, json};

use crate::common::{LOOPBACK, serve};

/// Name under which `WebDriver` returns an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const PAGE_WITHIN: Duration = Duration::from_secs(20);

/// A Chromium that ends with the test.
struct Browser {
    driver: Child,
    client: reqwest::blocking::Client,
    session: String,
}

impl Browser {
    /// `None`, loudly, when Debian's chromium and chromium-driver are not installed.
    fn start() -> Option<Self> {
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

    fn open(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    fn run(&self, script: &str) -> Json {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    #[track_caller]
    fn find(&self, css: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": css}));
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("{css}: {found}")).to_owned()
    }

    #[track_caller]
    fn click(&self, css: &str) {
        let element = self.find(css);
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    fn type_into(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.post(&format!("element/{element}/value"), &json!({"text": text}));
    }

    /// Waits until the title of the page contains `text`.
    #[track_caller]
    fn arrive(&self, text: &str) {
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

    /// What the browser complained about since the last time: errors of scripts, refused by policy, not found.
    fn complaints(&self) -> Vec<Json> {
        self.post("se/log", &json!({"type": "browser"})).as_array().cloned().unwrap_or_default()
    }

    /// Keeps a picture in the folder `NAZE_SCREENSHOTS`, if there is one.
    fn picture(&self, name: &str) {
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

/// A served naze that knows a world, and an open incident in it.
fn world(folder: &std::path::Path) -> (crate::common::Program, String) {
    let (program, url) = serve(folder, LOOPBACK);
    let client = reqwest::blocking::Client::new();
    let post = |path: &str, media_type: &str, body: String| {
        let reply = client.post(format!("{url}{path}")).header("content-type", media_type).body(body).send().unwrap();
        assert_eq!(reply.status().as_u16(), 201, "{path}");
    };
    post("/v1/receipts", "text/turtle", include_str!("../../worlds/bad_deploy.ttl").to_owned());
    let incident = json!({"component": "web", "summary": "web answers 502", "reference": "inc-web",
        "detectedAt": "2026-03-10T10:09:00Z"});
    post("/v1/incidents", "application/json", incident.to_string());
    (program, url)
}

#[test]
fn a_reader_goes_from_the_overview_to_the_cause_confirms_it_and_asks_a_query() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_program, url) = world(folder.path());

    browser.open(&url);
    browser.arrive("Overview");
    browser.picture("overview");
    browser.click("p.lead a[href='/incidents/inc-web']");
    browser.arrive("web answers 502");
    browser.picture("incident");
    let first = "ol.causes > li:first-child ";
    let suspect = browser.run("return document.querySelector('ol.causes h3 a').textContent");
    assert_eq!(suspect, "checkout");
    browser.type_into(&format!("{first}input[name=message]"), "rolled back, and it was over <b>at once</b>");
    browser.click(&format!("{first}button[value=confirmed]"));
    browser.arrive("web answers 502");
    let verdict = browser.run("return document.querySelector('#cause + p').textContent");
    assert_eq!(verdict, "confirmed checkout broke web: confirmed.");
    let noted = browser
        .run("return [...document.querySelectorAll('td')].some(cell => cell.textContent.includes('<b>at once</b>'))");
    assert_eq!(noted, true);

    browser.click("select[name=kind] option[value=deployment]");
    browser.click("form[action$='#timeline'] button");
    browser.arrive("web answers 502");
    assert_eq!(browser.run("return new URL(location).search"), "?kind=deployment", "empty fields are left out");

    browser.click(&format!("{first}td a[href^='/receipts/']"));
    browser.arrive(" · naze");
    assert_eq!(browser.run("return document.querySelector('#proof').textContent"), "Proof");
    browser.picture("receipt");

    browser.open(&format!("{url}/queries/changes_before"));
    browser.type_into("input[name=at]", "2026-03-10T10:09:00Z");
    browser.type_into("input[name=lookback]", "24h");
    browser.click("main form button");
    browser.arrive("naze");
    assert!(browser.run("return document.querySelectorAll('tbody tr').length").as_u64().unwrap() >= 3);
    browser.picture("query");
    assert_eq!(browser.complaints(), Vec::<Json>::new());
}

#[test]
fn every_kind_of_page_loads_without_a_complaint_and_fits_a_narrow_screen() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_program, url) = world(folder.path());
    let pages = [
        "/",
        "/incidents",
        "/incidents/inc-web",
        "/component?name=checkout",
        "/why?component=web&at=2026-03-10T10:09:00Z",
        "/queries",
        "/queries/changes_before",
        "/explore",
        "/trends",
        "/ledger?verify=now",
    ];
    browser.post("window/rect", &json!({"width": 500, "height": 900}));
    for path in pages {
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
    assert_eq!(browser.complaints(), Vec::<Json>::new());
}
