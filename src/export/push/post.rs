//! One request to a tool, and what its answer means.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::blocking::{Client, Response};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::super::destination::{Destination, Export, Packing, Route};
use crate::clock::Clock;
use crate::error::{Context as _, Result};
use crate::report::one_line;

/// So much of an answer is read.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// So much of an answer is told.
const ANSWER_CHARACTERS_MAX: usize = 200;
/// A tool that wants to be left alone for longer is asked again anyway.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// What became of a request.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// Taken, but for so many items, and why those were not.
    Taken(u64, String),
    /// It will never be taken.
    Refused(String),
    /// It has to be smaller.
    TooLarge(String),
    /// Not now; perhaps after a time that the tool names.
    Later(Option<Duration>, String),
    /// Not from us: our credentials are wrong, which says nothing of the data.
    Unauthorized(String),
}

/// Sends to one address.
pub(super) struct Post {
    client: Client,
    kind: &'static Destination,
    url: String,
    headers: HeaderMap,
    packing: Packing,
    packed_bytes_max: usize,
    /// What must not be told.
    secrets: Vec<String>,
    clock: Clock,
}

impl Post {
    /// Must not be called where async code runs.
    pub(super) fn new<W>(export: &Export, route: &Route<W>, clock: Clock) -> Result<Self> {
        let client = Client::builder()
            .timeout(Duration::from_secs(export.timeout_seconds))
            // A redirect would turn the request into another one, and hand out the key.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("naze/", env!("CARGO_PKG_VERSION")))
            .build()
            .internal("cannot make an HTTP client")?;
        let encoding = match route.packing {
            Packing::Gzip => Some("gzip"),
            Packing::Snappy => Some("snappy"),
            Packing::Plain => None,
        };
        let encoding = encoding.map(|encoding| ("content-encoding", encoding.to_owned()));
        let own = route.headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let given = export
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.expose()).into_owned()));
        let credentials = (export.kind.credentials)(export);
        let told = own.chain(encoding).chain(credentials.clone()).chain(given);
        let mut headers = HeaderMap::new();
        for (name, value) in told {
            let name = HeaderName::try_from(name).internal("a header's name is none")?;
            let mut value = HeaderValue::try_from(value).internal("a header's value is none")?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let mut secrets: Vec<String> = credentials.into_iter().map(|(_, secret)| secret).collect();
        secrets.extend(export.headers.values().map(|secret| String::from_utf8_lossy(secret.expose()).into_owned()));
        secrets.push(export.token());
        secrets.retain(|secret| !secret.is_empty());
        let (packing, packed_bytes_max) = (route.packing, route.packed_bytes_max);
        Ok(Self {
            client,
            kind: export.kind,
            url: (route.url)(export),
            headers,
            packing,
            packed_bytes_max,
            secrets,
            clock,
        })
    }

    /// Sends one body.
    pub(super) fn send(&self, body: &[u8]) -> Outcome {
        let packed = match self.pack(body) {
            Ok(packed) if packed.len() > self.packed_bytes_max => {
                return Outcome::TooLarge(format!("{} bytes are more than {}", packed.len(), self.packed_bytes_max));
            }
            Ok(packed) => packed,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        match self.client.post(&self.url).headers(self.headers.clone()).body(packed).send() {
            Ok(answer) => self.judge(answer),
            Err(error) => Outcome::Later(None, crate::asked::root_of(error)),
        }
    }

    fn pack(&self, body: &[u8]) -> Result<Vec<u8>> {
        let failed = "cannot compress";
        match self.packing {
            Packing::Gzip => {
                let mut packed = GzEncoder::new(Vec::new(), Compression::default());
                packed.write_all(body).and_then(|()| packed.finish()).internal(failed)
            }
            Packing::Plain => Ok(body.to_vec()),
            Packing::Snappy => snap::raw::Encoder::new().compress_vec(body).internal(failed),
        }
    }

    fn judge(&self, answer: Response) -> Outcome {
        let status = answer.status();
        let after = self.retry_after(answer.headers());
        let mut body = Vec::new();
        // An answer that breaks off has told its status.
        drop(answer.take(ANSWER_BYTES_MAX).read_to_end(&mut body));
        if status.is_success() {
            let (count, why) = (self.kind.rejected)(&body).unwrap_or_default();
            return Outcome::Taken(count, self.told(&why));
        }
        let why = format!("it answered {status}: {}", self.told(&String::from_utf8_lossy(&body)));
        let why = why.trim_end_matches([':', ' ']).to_owned();
        match status.as_u16() {
            413 => Outcome::TooLarge(why),
            401 | 403 => Outcome::Unauthorized(why),
            passing if (self.kind.is_passing)(passing) => Outcome::Later(after, why),
            _ => Outcome::Refused(why),
        }
    }

    /// Seconds, or a date.
    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let wait = if let Ok(seconds) = text.parse() {
            Duration::from_secs(seconds)
        } else {
            let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
            (date.to_utc() - self.clock.now().utc()).to_std().unwrap_or_default()
        };
        Some(wait.min(RETRY_AFTER_MAX))
    }

    /// What a tool said, short and without what it should have kept to itself.
    fn told(&self, text: &str) -> String {
        let text = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        one_line(&text).chars().take(ANSWER_CHARACTERS_MAX).collect()
    }
}
