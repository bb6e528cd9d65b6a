//! How a body gets to a tool: by HTTP, as a message to a mail server, or into a file.

use super::super::destination::{Export, Route};
use super::super::email;
use super::append::Append;
use super::mail::Mail;
use super::post::{Outcome, Post};
use crate::clock::Clock;
use crate::error::Result;

/// One of the three.
pub(super) enum Way {
    Http(Box<Post>),
    Mail(Box<Mail>),
    File(Append),
}

impl Way {
    /// Must not be called where async code runs.
    pub(super) fn new<W>(export: &Export, route: &Route<W>, clock: Clock) -> Result<Self> {
        if export.is_file() {
            return Ok(Self::File(Append::new(export.path.clone().unwrap_or_default())));
        }
        Ok(if export.kind.name == email::DESTINATION.name {
            Self::Mail(Box::new(Mail::new(export)?))
        } else {
            Self::Http(Box::new(Post::new(export, route, clock)?))
        })
    }

    pub(super) fn send(&self, body: &[u8]) -> Outcome {
        match self {
            Self::Http(post) => post.send(body),
            Self::Mail(mail) => mail.send(body),
            Self::File(file) => file.send(body),
        }
    }
}
