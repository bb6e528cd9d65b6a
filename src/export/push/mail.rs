//! One message to a mail server, and what its answer means.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::{Error as SmtpError, SmtpTransport};
use lettre::{Address, Transport as _};
use reqwest::Url;

use super::super::destination::Export;
use super::super::email::mailbox;
use super::post::Outcome;
use crate::error::{Context as _, Error, Result};
use crate::report::one_line;

/// Where mail servers take messages, with TLS once it is agreed on and from the first byte on.
const PORT: u16 = 587;
const PORT_TLS: u16 = 465;
/// So much of an answer is told.
const ANSWER_CHARACTERS_MAX: usize = 200;

/// Hands messages to one mail server.
pub(super) struct Mail {
    server: SmtpTransport,
    envelope: Envelope,
    secret: String,
}

impl Mail {
    pub(super) fn new(export: &Export) -> Result<Self> {
        let wrong = || Error::invalid("the url of a mail server is none").hint("write smtp://mail.example.com:587");
        let url = export.url.as_deref().and_then(|url| Url::parse(url).ok()).ok_or_else(wrong)?;
        let host = url.host_str().ok_or_else(wrong)?;
        let is_here = host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        let failed = "cannot set up TLS for the mail server";
        // Nobody listens on the way to this machine; on all others there is TLS or no mail.
        let (server, port) = match url.scheme() {
            "smtps" => (SmtpTransport::relay(host).internal(failed)?, PORT_TLS),
            _ if is_here => (SmtpTransport::builder_dangerous(host), PORT),
            _ => (SmtpTransport::starttls_relay(host).internal(failed)?, PORT),
        };
        let timeout = Duration::from_secs(export.timeout_seconds);
        let mut server = server.port(url.port().unwrap_or(port)).timeout(Some(timeout));
        if let Some(user) = &export.user {
            server = server.credentials(Credentials::new(user.clone(), export.token()));
        }
        let from = mailbox("from", export.from.as_deref().unwrap_or_default())?.email;
        let to: Result<Vec<Address>> = export.to.iter().map(|to| Ok(mailbox("to", to)?.email)).collect();
        let envelope = Envelope::new(Some(from), to?).invalid("a message needs somebody to go to")?;
        Ok(Self { server: server.build(), envelope, secret: export.token() })
    }

    /// Hands over one message.
    pub(super) fn send(&self, message: &[u8]) -> Outcome {
        match self.server.send_raw(&self.envelope, message) {
            Ok(_) => Outcome::Taken(0, String::new()),
            Err(error) => self.judge(&error),
        }
    }

    fn judge(&self, error: &SmtpError) -> Outcome {
        let why = self.told(error);
        let code: Option<u16> = error.status().map(Into::into);
        match code {
            // It wants to know who we are, or does not know us.
            Some(530 | 534 | 535 | 538) => Outcome::Unauthorized(why),
            Some(500..) => Outcome::Refused(why),
            _ => Outcome::Later(None, why),
        }
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
