//! The page that says why there is no page.

use maud::html;

use super::{Place, page};

/// What is wrong, and what to do next.
pub fn render(status: u16, reason: &str, detail: &str, hints: &[String]) -> String {
    let main = html! {
        h1 { (status) " " (reason) }
        p.problem role="alert" { (detail) }
        @if !hints.is_empty() { ul { @for hint in hints { li { (hint) } } } }
        p { a href="/" { "Back to the overview" } }
    };
    page(reason, Place::Elsewhere, &main)
}
