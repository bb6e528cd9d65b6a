//! How a body gets to a tool: by HTTP, or as a message to a mail server.

use super::super::destination::{Export, Route};
use super::super::email;
use super::mail::Mail;
use super::post::{Outcome, Post};
use crate::clock::Clock;
use crate::error::Result;

/// One of the two.
pub(super) enum Way {
    Http(Box<Post>),
    Mail(Box<Mail>),
}

impl Way {
    /// Must not be called where async code runs.
    pub(super) fn new<W>(export: &Export, route: &Route<W>, clock: Clock) -> Result<Self> {
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
        }
    }
}
