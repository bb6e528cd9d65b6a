//! How a body gets to a tool: by HTTP, as a message to a mail server, or into a file.

use super::super::destination::{By, Export, Route};
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
        Ok(match export.kind.by {
            By::Http => Self::Http(Box::new(Post::new(export, route, clock)?)),
            By::Mail => Self::Mail(Box::new(Mail::new(export)?)),
            By::File => Self::File(Append::new(export.path.clone().unwrap_or_default())),
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
