//! One message to a mail server, and what its answers mean.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use reqwest::Url;

use super::super::destination::Export;
use super::super::email::mailbox;
use super::post::Outcome;
use crate::error::{Context as _, Error, Result};
use crate::report::one_line;

/// Where mail servers take messages, with TLS once it is agreed on and from the first byte on.
const PORT: u16 = 587;
const PORT_TLS: u16 = 465;
/// How long the others wait for a recipient who is not to be had now.
const PATIENCE: Duration = Duration::from_mins(10);
/// Who was not to be had so long ago, and was not asked since, is waited for anew.
const ANOTHER_TIME: Duration = Duration::from_mins(30);
/// So much of an answer is told.
const ANSWER_CHARACTERS_MAX: usize = 200;

/// Hands messages to one mail server, to each recipient by itself: nobody loses one because of another.
pub(super) struct Mail {
    host: String,
    port: u16,
    tls: Tls,
    timeout: Duration,
    credentials: Option<Credentials>,
    recipients: Vec<(Address, Envelope)>,
    settled: RefCell<Settled>,
    patience: Duration,
    /// Since when a recipient has not been to be had, and when that was so last.
    put_off: RefCell<BTreeMap<Address, (Instant, Instant)>>,
    secret: String,
}

enum Tls {
    Never,
    Agreed(TlsParameters),
    Always(TlsParameters),
}

/// To whom the message under way need not be sent again.
#[derive(Default)]
struct Settled {
    message: Vec<u8>,
    /// Why some did not get it, by recipient.
    recipients: BTreeMap<Address, Option<String>>,
}

impl Mail {
    pub(super) fn new(export: &Export) -> Result<Self> {
        let wrong = || Error::invalid("the url of a mail server is none").hint("write smtp://mail.example.com:587");
        let url = export.url.as_deref().and_then(|url| Url::parse(url).ok()).ok_or_else(wrong)?;
        let host = url.host_str().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
        let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let parameters = || TlsParameters::new(host.clone()).internal("cannot set up TLS for the mail server");
        // Nobody listens on the way to this machine; on all others there is TLS or no mail.
        let (tls, port) = match url.scheme() {
            "smtps" => (Tls::Always(parameters()?), PORT_TLS),
            _ if is_here => (Tls::Never, PORT),
            _ => (Tls::Agreed(parameters()?), PORT),
        };
        let from = mailbox("from", export.from.as_deref().unwrap_or_default())?.email;
        let recipient = |to: &String| {
            let to = mailbox("to", to)?.email;
            let envelope = Envelope::new(Some(from.clone()), vec![to.clone()]);
            Ok((to, envelope.invalid("a message needs somebody to go to")?))
        };
        Ok(Self {
            port: url.port().unwrap_or(port),
            host,
            tls,
            timeout: Duration::from_secs(export.timeout_seconds),
            credentials: export.user.clone().map(|user| Credentials::new(user, export.token())),
            recipients: export.to.iter().map(recipient).collect::<Result<_>>()?,
            settled: RefCell::default(),
            patience: export.patience.and_then(|patience| patience.to_std().ok()).unwrap_or(PATIENCE),
            put_off: RefCell::default(),
            secret: export.token(),
        })
    }

    /// Hands over one message. It is refused when everybody's is, and sent again to those whose may be taken later: when
    /// somebody has it, for as long as the others can wait for the next one.
    pub(super) fn send(&self, message: &[u8]) -> Outcome {
        let (mut settled, mut put_off) = (self.settled.borrow_mut(), self.put_off.borrow_mut());
        let id = id_of(message);
        if settled.message != id {
            *settled = Settled { message: id.to_vec(), recipients: BTreeMap::new() };
        }
        let mut connection = None;
        let mut later = BTreeMap::new();
        for (to, envelope) in &self.recipients {
            if settled.recipients.contains_key(to) {
                continue;
            }
            // Whoever refuses one message is greeted again for the next.
            let mut connected = match connection.take().filter(|connected: &SmtpConnection| !connected.has_broken()) {
                Some(connected) => connected,
                None => match self.connect() {
                    Ok(connected) => connected,
                    Err(error) => return self.unheard(&error),
                },
            };
            let answer = connected.send(envelope, message).map(drop);
            let why = answer.as_ref().err().map(|error| format!("{to}: {}", self.told(error)));
            match answer {
                Err(error) if is_login(&error) => return Outcome::Unauthorized(self.told(&error)),
                Err(error) if error.status().is_none() => return Outcome::Later(None, self.told(&error)),
                Err(error) if !error.is_permanent() => {
                    let now = Instant::now();
                    let (since, last) = put_off.entry(to.clone()).or_insert((now, now));
                    if now.duration_since(*last) > self.patience.max(ANOTHER_TIME) {
                        *since = now;
                    }
                    *last = now;
                    later.insert(to.clone(), why);
                }
                _ => {
                    put_off.remove(to);
                    settled.recipients.insert(to.clone(), why);
                }
            }
            connection = Some(connected);
        }
        if let Some(mut connected) = connection {
            connected.abort();
        }
        if settled.recipients.values().any(Option::is_none) {
            let is_over = |to: &Address| put_off.get(to).is_some_and(|(since, _)| since.elapsed() >= self.patience);
            settled.recipients.extend(later.extract_if(.., |to, _| is_over(to)));
        }
        if let Some(why) = later.into_values().flatten().next() {
            return Outcome::Later(None, why);
        }
        let settled = std::mem::take(&mut *settled);
        let refused: Vec<&str> = settled.recipients.values().flatten().map(String::as_str).collect();
        let why = refused.join("; ");
        if refused.len() == settled.recipients.len() { Outcome::Refused(why) } else { Outcome::Taken(0, why) }
    }

    fn connect(&self) -> std::result::Result<SmtpConnection, SmtpError> {
        let (server, hello) = ((&*self.host, self.port), ClientId::default());
        let from_the_beginning = if let Tls::Always(parameters) = &self.tls { Some(parameters) } else { None };
        let mut connection = SmtpConnection::connect(server, Some(self.timeout), &hello, from_the_beginning, None)?;
        if let Tls::Agreed(parameters) = &self.tls {
            connection.starttls(parameters, &hello)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials)?;
        }
        Ok(connection)
    }

    /// Before it heard of a message, a server refuses none.
    fn unheard(&self, error: &SmtpError) -> Outcome {
        let why = self.told(error);
        if is_login(error) { Outcome::Unauthorized(why) } else { Outcome::Later(None, why) }
    }

    /// What went wrong, at the bottom.
    fn told(&self, error: &SmtpError) -> String {
        use std::error::Error as _;
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let why = match error.status() {
            Some(code) => format!("it answered {code}: {cause}"),
            None => cause,
        };
        let why = if self.secret.is_empty() { why } else { why.replace(&self.secret, "…") };
        one_line(&why).chars().take(ANSWER_CHARACTERS_MAX).collect()
    }
}

/// It wants to know who we are, or does not know us.
fn is_login(error: &SmtpError) -> bool {
    error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538))
}

/// The same message is written with other boundaries each time, and with the same id.
fn id_of(message: &[u8]) -> &[u8] {
    let is_id = |line: &&[u8]| line.starts_with(b"Message-ID: ");
    message.split(|byte| *byte == b'\n').find(is_id).unwrap_or(message)
}
