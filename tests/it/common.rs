//! A real naze over a real store, asked the way a client would ask.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use naze::clock::{Clock, Timestamp};
use naze::config::Config;
use naze::engine::Engine;
use serde_json::Value as Json;
use tower::ServiceExt as _;

/// When tests take place.
pub(crate) const NOW: &str = "2026-03-10T12:00:00Z";

pub(crate) struct Naze {
    pub(crate) engine: Arc<Engine>,
    router: axum::Router,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Naze {
    pub(crate) fn in_memory() -> Self {
        Self::with(Config::in_memory())
    }

    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::with(Config { data: Some(folder.to_owned()), ..Config::in_memory() })
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::of(Engine::open(config, Clock::Fixed(NOW.parse::<Timestamp>().unwrap())).unwrap())
    }

    pub(crate) fn of(engine: Arc<Engine>) -> Self {
        let router = naze::http::router(Arc::clone(&engine));
        Self { engine, router }
    }

    /// A naze that knows one of the worlds in `tests/worlds`.
    pub(crate) fn in_world(name: &str) -> Self {
        Self::in_world_with(name, Config::in_memory())
    }

    pub(crate) fn in_world_with(name: &str, config: Config) -> Self {
        let naze = Self::with(config);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/worlds").join(name).with_extension("ttl");
        let reply = naze.post("/v1/receipts", "text/turtle", std::fs::read(path).unwrap());
        assert_eq!(reply.status, StatusCode::CREATED, "world {name}: {}", reply.text());
        naze
    }

    pub(crate) fn router(&self) -> axum::Router {
        self.router.clone()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap())
    }

    pub(crate) fn get_as(&self, path: &str, accept: &str) -> Reply {
        self.send(Request::get(path).header("accept", accept).body(Body::empty()).unwrap())
    }

    pub(crate) fn post(&self, path: &str, media_type: &str, body: impl Into<Body>) -> Reply {
        self.send(Request::post(path).header("content-type", media_type).body(body.into()).unwrap())
    }

    #[track_caller]
    pub(crate) fn record(&self, receipts: &Json) -> Json {
        let reply = self.post("/v1/receipts", "application/json", receipts.to_string());
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        reply.json()
    }

    pub(crate) fn send(&self, request: Request<Body>) -> Reply {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            Reply { status: parts.status, headers: parts.headers, body }
        })
    }
}

/// A folder under `../shared`, or a loud note that it is absent.
pub(crate) fn shared(path: &str) -> Option<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if folder.exists() {
        return Some(folder);
    }
    println!("SKIPPED: ../shared/{path} is not here");
    None
}

/// Can `program` be run here? Says so loudly where it cannot.
pub(crate) fn is_installed(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !is_there {
        eprintln!("SKIPPED: {program} is not installed; `scripts/setup test` installs it");
    }
    is_there
}

/// Any free port.
pub(crate) const LOOPBACK: &str = "127.0.0.1:0";

/// A program that ends with the test.
pub(crate) struct Program(pub(crate) Child);

impl Program {
    /// SIGKILL, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A real `naze serve` with its data and its `naze.toml`, if there is one, in `folder`; and its address.
pub(crate) fn serve(folder: &Path, listen: &str) -> (Program, String) {
    let config = folder.join("naze.toml");
    let configured = config.exists().then(|| [OsStr::new("--config"), config.as_os_str()]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_naze"))
        .args(["serve", "--listen", listen, "--data"])
        .arg(folder.join("naze"))
        .args(configured.into_iter().flatten())
        .env("NAZE_LOG", "naze=info")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let program = Program(child);
    let address = lines
        .find_map(|line| line.unwrap().split("address=").nth(1).map(str::to_owned))
        .expect("naze says where it listens");
    std::thread::spawn(move || lines.for_each(drop));
    (program, format!("http://{}", address.trim()))
}
