//! How to check that nothing recorded was changed.

use maud::html;

use super::{Place, page};
use crate::record::ledger::Verified;

/// The page: the signed checkpoint with its key, and the outcome of a check if one was asked for.
pub fn render(checkpoint: Option<&str>, verifier_key: &str, verified: Option<&Verified>) -> String {
    let main = html! {
        h1 { "Ledger" }
        p { "Every receipt is an entry of an append-only ledger whose entries are hashed into one tree. The checkpoint signs its root: "
            "who keeps an earlier checkpoint and the key can prove that nothing was changed since." }
        @match checkpoint {
            Some(checkpoint) => { h2 { "Newest checkpoint" } pre tabindex="0" { (checkpoint) } },
            None => p.soft { "Nothing is recorded yet." },
        }
        h2 { "Verifier key" }
        pre tabindex="0" { (verifier_key) }
        h2 { "Check" }
        @if let Some(verified) = verified {
            p role="status" { (super::chip(crate::analyse::health::Colour::Green, "whole")) " "
                (verified.entries) " entries, " (verified.checkpoints) " checkpoints and " (verified.sources) " documents agree with the root." }
            pre tabindex="0" { (verified.root) }
        }
        form method="get" action="/ledger" { button name="verify" value="now" { "Check the whole ledger now" } }
        p.soft { "The same without this server: " code { "naze verify" } "." }
    };
    page("Ledger", Place::Ledger, &main)
}
