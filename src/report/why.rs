//! An answer to *why*, for people.

use std::fmt::Write as _;

use super::document::{Block, Document, Inline, Section, cited, line, link};
use super::{cell, csv, html, markdown, moment, one_line};
use crate::analyse::cause::{Answer, Cause, Missing, Term, Verdict};
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
pub(crate) fn verdict(answer: &Answer) -> String {
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
    // What comes from evidence stays in its line and cannot steer the terminal.
    let mut say = |indent: usize, text: &str| writeln!(out, "{}{text}", " ".repeat(indent)).expect(INFALLIBLE);
    let question = &answer.question;
    let asked = question.summary.as_deref().unwrap_or(&question.component);
    say(0, &format!("WHY   {} as of {}", one_line(asked), moment(question.at)));
    if let Some(onset) = question.onset {
        say(6, &format!("onset {}", moment(onset)));
    }
    say(0, &format!("\n{}", one_line(&verdict(answer))));
    for cause in answer.ranked.iter().take(EXPLAINED_MAX) {
        say(2, &one_line(&cause.summary));
        say(0, &format!("\nBECAUSE (log-odds, sum {:+.1})", cause.score));
        for term in &cause.terms {
            say(2, &format!("{:+5.1}  {:<10} {}", term.log_odds, term.name, one_line(&term.statement)));
            say(20, &format!("receipts {}  {}", short(&term.receipts), term.query.path()));
        }
    }
    let part = |say: &mut dyn FnMut(usize, &str), name: &str, lines: Vec<(usize, String)>| {
        if !lines.is_empty() {
            say(0, &format!("\n{name}"));
            lines.iter().for_each(|(indent, text)| say(*indent, text));
        }
    };
    let others = answer.ranked.iter().skip(EXPLAINED_MAX).take(LISTED_MAX - EXPLAINED_MAX);
    part(
        &mut say,
        "OTHER SUSPECTS",
        others.map(|cause| (2, format!("{:+5.1}  {}", cause.score, one_line(&cause.component)))).collect(),
    );
    let why_not = answer.why_not.iter().map(|other| {
        let (component, statement) = (one_line(&other.component), one_line(&other.statement));
        (2, format!("{component} ({:.1} behind): {statement}  receipts {}", other.against, short(&other.receipts)))
    });
    part(&mut say, "WHY NOT", why_not.collect());
    let whys = answer.chain.iter().flat_map(|step| {
        [
            (2, format!("{}. {}", step.number, one_line(&step.question))),
            (5, format!("{}  receipts {}", one_line(&step.because), short(&step.receipts))),
        ]
    });
    part(&mut say, "FIVE WHYS", whys.collect());
    let missing = answer
        .missing
        .iter()
        .flat_map(|missing| [(2, one_line(&missing.what)), (5, format!("next: {}", one_line(&missing.next)))]);
    part(&mut say, "MISSING", missing.collect());
    out
}

fn short(receipts: &[ReceiptId]) -> String {
    if receipts.is_empty() {
        return "none".to_owned();
    }
    let cited: Vec<String> = receipts.iter().take(CITED_MAX).map(|id| id.to_string()[..12].to_owned()).collect();
    let more = if receipts.len() > CITED_MAX { format!(" +{}", receipts.len() - CITED_MAX) } else { String::new() };
    format!("{}{more}", cited.join(" "))
}

fn document(answer: &Answer) -> Document {
    let question = &answer.question;
    let title = format!("Why: {}", question.summary.as_deref().unwrap_or(&question.component));
    let mut asked =
        vec![line(format!("Component: {}", question.component)), line(format!("As of: {}", moment(question.at)))];
    asked.extend(question.onset.map(|onset| line(format!("Onset: {}", moment(onset)))));
    let mut sections = vec![Section::new("Answer", vec![Block::Paragraph(line(verdict(answer))), Block::List(asked)])];
    if let Some(first) = answer.ranked.first() {
        sections.push(Section::new("Root cause", vec![Block::Paragraph(line(&*first.summary)), terms(first)]));
    }
    sections.push(Section::new("Suspects", vec![suspects(answer)]));
    sections.extend(reasons(answer));
    sections.push(open_questions(answer));
    Document { title, sections }
}

/// The chain of whys, and why it was not the others.
pub(super) fn reasons(answer: &Answer) -> [Section; 2] {
    let whys = answer.chain.iter().map(|step| cited(format!("{} {}", step.question, step.because), &step.receipts));
    let why_not = answer.why_not.iter().map(|other| {
        cited(format!("{} ({:.1} behind): {}", other.component, other.against, other.statement), &other.receipts)
    });
    [
        Section::new("Five whys", vec![Block::List(whys.collect())]),
        Section::new("Why not the others", vec![Block::List(why_not.collect())]),
    ]
}

/// Evidence that is missing, and how to get it.
pub(super) fn open_questions(answer: &Answer) -> Section {
    let point = |missing: &Missing| {
        let mut point = line(format!("{}. Next: ", missing.what));
        match missing.next.split_once(' ') {
            Some((path, rest)) if path.starts_with("/v1/") => {
                point.extend([link(path), Inline::Text(format!(" {rest}"))]);
            }
            _ if missing.next.starts_with("/v1/") => point.push(link(&missing.next)),
            _ => point.extend(line(&*missing.next)),
        }
        point
    };
    Section::new("Open questions", vec![Block::List(answer.missing.iter().map(point).collect())])
}

fn suspects(answer: &Answer) -> Block {
    let row = |(cause, rank): (&Cause, usize)| {
        vec![
            line(rank.to_string()),
            line(&*cause.component),
            line(format!("{:+.2}", cause.score)),
            line(&*cause.summary),
        ]
    };
    let head = ["Rank", "Component", "Log-odds", "What speaks for it"].map(str::to_owned).to_vec();
    Block::Table { head, rows: answer.ranked.iter().take(LISTED_MAX).zip(1..).map(row).collect() }
}

/// What a suspect's score is made of.
pub(super) fn terms(cause: &Cause) -> Block {
    let row = |term: &Term| {
        vec![
            line(term.name),
            line(format!("{:+.2}", term.log_odds)),
            cited(&*term.statement, &term.receipts),
            vec![link(&term.query.path())],
        ]
    };
    let head = ["Term", "Log-odds", "Reason", "Ask again"].map(str::to_owned).to_vec();
    Block::Table { head, rows: cause.terms.iter().map(row).collect() }
}

fn terms_csv(answer: &Answer) -> Result<String> {
    let rows = answer.ranked.iter().zip(1..).flat_map(|(cause, rank): (&Cause, usize)| {
        cause.terms.iter().map(move |term| {
            let receipts: Vec<String> = term.receipts.iter().map(ToString::to_string).collect();
            [
                rank.to_string(),
                cell(&cause.component),
                format!("{:.4}", cause.score),
                term.name.to_owned(),
                format!("{:.4}", term.log_odds),
                cell(&term.statement),
                receipts.join(" "),
                term.query.path(),
            ]
        })
    });
    csv(&["rank", "component", "score", "term", "logOdds", "statement", "receipts", "query"], rows)
}
