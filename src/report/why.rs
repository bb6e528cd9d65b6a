//! An answer to *why*, for people.

use std::fmt::Write as _;

use super::document::{Block, Document, Section, cited, line, link};
use super::{csv, html, markdown, moment};
use crate::analyse::cause::{Answer, Cause, Verdict};
use crate::error::{Context as _, Error, Result};
use crate::receipt::ReceiptId;

/// Suspects that are explained in full.
const EXPLAINED_MAX: usize = 1;
/// Suspects that are listed.
const LISTED_MAX: usize = 5;
/// Receipts cited in a line of text.
const CITED_MAX: usize = 3;
const INFALLIBLE: &str = "writing to a String cannot fail";

/// The answer as `application/json`, `text/plain`, `text/markdown`, `text/html` or `text/csv`.
///
/// # Errors
/// `Invalid` for any other media type.
pub fn render(answer: &Answer, media_type: &str) -> Result<String> {
    match media_type {
        "application/json" => serde_json::to_string(answer).internal("cannot write the answer"),
        "text/plain" => Ok(plain(answer)),
        "text/markdown" => Ok(markdown::render(&document(answer), "")),
        "text/html" => Ok(html::render(&document(answer), "")),
        "text/csv" => terms_csv(answer),
        other => Err(Error::invalid(format!("an answer has no form \"{other}\""))),
    }
}

/// The verdict in one sentence.
pub(super) fn verdict(answer: &Answer) -> String {
    let symptom = &answer.question.component;
    let Some(first) = answer.ranked.first() else {
        return format!("Nothing is known that could have broken {symptom}.");
    };
    let whom = if first.component == *symptom { "itself" } else { symptom };
    match answer.verdict {
        Verdict::Confirmed => format!("{} broke {whom}: confirmed.", first.component),
        Verdict::Likely => format!("{} likely broke {whom}.", first.component),
        Verdict::Inconclusive => format!(
            "Inconclusive: {} is the first suspect for {symptom}, but the evidence does not carry it.",
            first.component
        ),
    }
}

fn plain(answer: &Answer) -> String {
    let mut out = String::new();
    let mut say = |text: String| writeln!(out, "{text}").expect(INFALLIBLE);
    let question = &answer.question;
    say(format!("WHY   {} as of {}", question.summary.as_deref().unwrap_or(&question.component), moment(question.at)));
    if let Some(onset) = question.onset {
        say(format!("      onset {}", moment(onset)));
    }
    say(String::new());
    say(verdict(answer));
    for cause in answer.ranked.iter().take(EXPLAINED_MAX) {
        say(format!("  {}", cause.summary));
        say(String::new());
        say(format!("BECAUSE (log-odds, sum {:+.1})", cause.score));
        for term in &cause.terms {
            say(format!("  {:+5.1}  {:<10} {}", term.log_odds, term.name, term.statement));
            say(format!("         {:<10} receipts {}  {}", "", short(&term.receipts), term.query.path()));
        }
    }
    if answer.ranked.len() > 1 {
        say("\nOTHER SUSPECTS".to_owned());
        for cause in answer.ranked.iter().skip(1).take(LISTED_MAX - 1) {
            say(format!("  {:+5.1}  {}", cause.score, cause.component));
        }
    }
    if !answer.why_not.is_empty() {
        say("\nWHY NOT".to_owned());
        for other in &answer.why_not {
            say(format!(
                "  {} ({:.1} behind): {}  receipts {}",
                other.component,
                other.against,
                other.statement,
                short(&other.receipts)
            ));
        }
    }
    if !answer.chain.is_empty() {
        say("\nFIVE WHYS".to_owned());
        for step in &answer.chain {
            say(format!(
                "  {}. {}\n     {}  receipts {}",
                step.number,
                step.question,
                step.because,
                short(&step.receipts)
            ));
        }
    }
    if !answer.missing.is_empty() {
        say("\nMISSING".to_owned());
        for missing in &answer.missing {
            say(format!("  {}\n     next: {}", missing.what, missing.next));
        }
    }
    printable(&out)
}

/// Evidence text must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() && character != '\n' { '\u{FFFD}' } else { character })
        .collect()
}

fn short(receipts: &[ReceiptId]) -> String {
    let cited: Vec<String> = receipts.iter().take(CITED_MAX).map(|id| id.to_string()[..12].to_owned()).collect();
    let more = if receipts.len() > CITED_MAX { format!(" +{}", receipts.len() - CITED_MAX) } else { String::new() };
    format!("{}{more}", cited.join(" "))
}

fn document(answer: &Answer) -> Document {
    let question = &answer.question;
    let title = format!("Why: {}", question.summary.as_deref().unwrap_or(&question.component));
    let mut sections = vec![Section::new("Answer", vec![Block::Paragraph(line(verdict(answer)))])];
    sections.extend(sections_of(answer));
    Document { title, sections }
}

/// The parts of an answer below its verdict; a post-mortem has them, too.
pub(super) fn sections_of(answer: &Answer) -> Vec<Section> {
    let mut sections = Vec::new();
    if let Some(first) = answer.ranked.first() {
        sections.push(Section::new("Root cause", vec![Block::Paragraph(line(&*first.summary)), terms(first)]));
    }
    let whys =
        answer.chain.iter().map(|step| cited(format!("{} {}", step.question, step.because), &step.receipts)).collect();
    sections.push(Section::new("Five whys", vec![Block::List(whys)]));
    let why_not = answer.why_not.iter();
    let why_not = why_not.map(|other| {
        cited(format!("{} ({:.1} behind): {}", other.component, other.against, other.statement), &other.receipts)
    });
    sections.push(Section::new("Why not the others", vec![Block::List(why_not.collect())]));
    let missing =
        answer.missing.iter().map(|missing| line(format!("{}. Next: {}", missing.what, missing.next))).collect();
    sections.push(Section::new("Open questions", vec![Block::List(missing)]));
    sections
}

fn terms(cause: &Cause) -> Block {
    let head = ["Term", "Log-odds", "Reason", "Ask again"].map(str::to_owned).to_vec();
    let row = |term: &crate::analyse::cause::Term| {
        vec![
            line(term.name),
            line(format!("{:+.2}", term.log_odds)),
            cited(&*term.statement, &term.receipts),
            vec![link(&term.query.path())],
        ]
    };
    Block::Table { head, rows: cause.terms.iter().map(row).collect() }
}

fn terms_csv(answer: &Answer) -> Result<String> {
    let rows = answer.ranked.iter().zip(1..).flat_map(|(cause, rank): (&Cause, usize)| {
        cause.terms.iter().map(move |term| {
            let receipts: Vec<String> = term.receipts.iter().map(ToString::to_string).collect();
            [
                rank.to_string(),
                cause.component.clone(),
                format!("{:.4}", cause.score),
                term.name.to_owned(),
                format!("{:.4}", term.log_odds),
                term.statement.clone(),
                receipts.join(" "),
                term.query.path(),
            ]
        })
    });
    csv(&["rank", "component", "score", "term", "logOdds", "statement", "receipts", "query"], rows)
}
