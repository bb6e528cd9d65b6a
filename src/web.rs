//! Pages: what naze knows, for a browser. HTML and SVG made on the server; the one script only adds comfort.
//!
//! Like [`crate::report`], this room is pure: whoever asks for a page has gathered what stands on it. Everything that
//! comes from evidence is a text node or an attribute that `maud` escapes; no page has inline style or script, so that a
//! strict Content-Security-Policy holds.

pub mod answer;
pub mod asset;
pub mod chart;
pub mod component;
pub mod explore;
pub mod graph;
pub mod incident;
pub mod ledger;
pub mod overview;
pub mod plot;
pub mod principle;
pub mod problem;
pub mod queries;
pub mod range;
pub mod receipt;
pub mod recommendations;
pub mod reports;
pub mod rows;
pub mod runbooks;
pub mod slos;
pub mod timeline;
pub mod trend;
pub mod why;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::analyse::health::Colour;
use crate::clock::Timestamp;
use crate::receipt::ReceiptId;
use crate::report::{moment, one_line};
use range::Range;

/// Characters of a text that stands in a line with others.
const BRIEF_CHARACTERS_MAX: usize = 200;
/// Longest address that a link to evidence may have.
const ADDRESS_BYTES_MAX: usize = 600;

/// Where a page belongs in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// How is it now?
    Overview,
    /// What broke?
    Incidents,
    /// Are promises kept?
    Slos,
    /// Where is it heading?
    Trends,
    /// What to do?
    Recommendations,
    /// How was it?
    Reviews,
    /// Canned questions.
    Queries,
    /// Questions of one's own.
    Explore,
    /// Is the record whole?
    Ledger,
    /// Somewhere below.
    Elsewhere,
}

const NAVIGATION: [(Place, &str, &str); 9] = [
    (Place::Overview, "/", "Overview"),
    (Place::Incidents, "/incidents", "Incidents"),
    (Place::Slos, "/slos", "SLOs"),
    (Place::Trends, "/trends", "Trends"),
    (Place::Recommendations, "/recommendations", "Advice"),
    (Place::Reviews, "/reviews", "Reviews"),
    (Place::Queries, "/queries", "Queries"),
    (Place::Explore, "/explore", "SPARQL"),
    (Place::Ledger, "/ledger", "Ledger"),
];

/// What surrounds the content of a page.
struct Frame<'a> {
    title: &'a str,
    here: Place,
    /// The time that links keep.
    range: Option<&'a Range>,
    /// When its content was true, for a page that follows what comes in.
    as_of: Option<Timestamp>,
}

/// A page about no time in particular.
fn page(title: &str, here: Place, main: &Markup) -> String {
    Frame { title, here, range: None, as_of: None }.around(main)
}

impl Frame<'_> {
    /// The whole page.
    fn around(&self, main: &Markup) -> String {
        html! {
            (DOCTYPE)
            html lang="en" {
                (self.head())
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header {
                        nav aria-label="Pages" {
                            @for (place, path, name) in NAVIGATION {
                                a href=(self.link(path)) aria-current=[(place == self.here).then_some("page")] { (name) }
                            }
                        }
                    }
                    main #main tabindex="-1" data-live=[self.as_of.map(|_| "/live")] { (main) }
                    footer {
                        p #live role="status" {}
                        p { @if let Some(as_of) = self.as_of { "As of " (time(as_of)) ". " } "Times are UTC." }
                    }
                }
            }
        }
        .into_string()
    }

    fn head(&self) -> Markup {
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (brief(self.title)) " · naze" }
                link rel="icon" href=(asset::ICON.path());
                link rel="stylesheet" href=(asset::STYLE.path());
                script src=(asset::SCRIPT.path()) defer {}
            }
        }
    }

    fn link(&self, path: &str) -> String {
        self.range.map_or_else(|| path.to_owned(), |range| range.keep(path, []))
    }
}

/// An instant, to the second; the script adds the reader's own time.
fn time(time: Timestamp) -> Markup {
    html! { time datetime=(time) { (moment(time)) } }
}

/// A colour's word, which says it to those who do not see it.
fn word(colour: Colour) -> &'static str {
    match colour {
        Colour::Green => "good",
        Colour::Yellow => "watch",
        Colour::Orange => "degraded",
        Colour::Red => "act now",
        Colour::Grey => "no data",
    }
}

/// A colour's class in the stylesheet.
fn class(colour: Colour) -> &'static str {
    match colour {
        Colour::Green => "green",
        Colour::Yellow => "yellow",
        Colour::Orange => "orange",
        Colour::Red => "red",
        Colour::Grey => "grey",
    }
}

/// A colour, always with its word.
fn chip(colour: Colour, word: &str) -> Markup {
    html! { span class={ "chip " (class(colour)) } { (word) } }
}

/// How bad something is, as a chip; nothing when nobody said.
fn severity(severity: Option<&str>) -> Markup {
    let colour = match severity {
        Some("critical") => Colour::Red,
        Some("warning") => Colour::Yellow,
        Some(_) => Colour::Grey,
        None => return html! {},
    };
    chip(colour, &brief(severity.unwrap_or_default()))
}

/// A link to a receipt, shown by its first digits.
fn receipt_link(id: ReceiptId) -> Markup {
    let text = id.to_string();
    html! { a href={ "/receipts/" (text) } title="receipt" { code { (text[..8]) } } }
}

/// Links to receipts; a long list is cut and says so.
fn receipt_links(ids: &[ReceiptId]) -> Markup {
    const SHOWN_MAX: usize = 8;
    html! {
        @for id in ids.iter().take(SHOWN_MAX) { (receipt_link(*id)) " " }
        @if ids.len() > SHOWN_MAX { "and " (ids.len() - SHOWN_MAX) " more" }
    }
}

/// A link to a component's page; a name that makes no sensible address stays text.
fn component_link(name: &str) -> Markup {
    let address = address("/component", [("name", name)]);
    html! { @if address.len() > ADDRESS_BYTES_MAX { (brief(name)) } @else { a href=(address) { (brief(name)) } } }
}

/// The path of something that has a name of its own.
fn below(path: &str, name: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("{path}/{}", encoded.replace('+', "%20"))
}

/// A path with parameters; those without a value are left out.
fn address<'a>(path: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let given = parameters.into_iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The page of a canned query instead of its interface for programs.
fn ask_again(path: &str) -> &str {
    path.strip_prefix("/v1").unwrap_or(path)
}

/// Evidence text as one line of bounded length; its receipt has it all.
fn brief(text: &str) -> String {
    cut(&one_line(text), BRIEF_CHARACTERS_MAX)
}

/// As many of `parts` as have room in `bytes_max`, but one at least, and how many these are.
fn fit(bytes_max: usize, parts: impl IntoIterator<Item = Markup>) -> (Markup, usize) {
    let mut fitting = String::new();
    let mut count = 0;
    for part in parts {
        if count > 0 && fitting.len() + part.0.len() > bytes_max {
            break;
        }
        fitting.push_str(&part.0);
        count += 1;
    }
    (PreEscaped(fitting), count)
}

/// At most so many characters, and a sign that there are more.
fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
