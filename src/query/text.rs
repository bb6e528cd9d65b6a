//! SPARQL as text: just enough of its words to see where code is and where data.

use std::collections::BTreeMap;
use std::ops::Range;

use spargebra::term::GroundTerm;

/// What a stretch of a query's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A string literal, quotes included.
    Text,
    /// Something between `<` and `>` that may be an IRI, or else a comparison with all of that in it.
    Iri,
    /// A run of letters, digits and underscores, with the `?`, `$`, `:` or `@` that stands before it.
    Word,
    /// Any other character but white space.
    Sign(char),
}

/// The tokens of a query, without comments and white space.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = (Token, Range<usize>)> {
    let mut place = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &text[place..];
            let first = rest.chars().next()?;
            let start = place;
            let (token, length) = match first {
                '#' => {
                    place += rest.find(['\n', '\r']).unwrap_or(rest.len());
                    continue;
                }
                space if space.is_whitespace() => {
                    place += space.len_utf8();
                    continue;
                }
                '"' | '\'' => (Token::Text, string_length(rest, first)),
                '<' => match iri_length(rest) {
                    Some(length) => (Token::Iri, length),
                    None => (Token::Sign('<'), 1),
                },
                '?' | '$' | ':' | '@' => match word_length(&rest[1..]) {
                    0 => (Token::Sign(first), 1),
                    length => (Token::Word, 1 + length),
                },
                _ => match word_length(rest) {
                    0 => (Token::Sign(first), first.len_utf8()),
                    length => (Token::Word, length),
                },
            };
            place += length;
            return Some((token, start..place));
        }
    })
}

fn word_length(text: &str) -> usize {
    text.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(text.len())
}

/// Length of the string literal at the start, quotes included; all of the rest when it does not end.
fn string_length(text: &str, quote: char) -> usize {
    let long: String = [quote; 3].iter().collect();
    let end = if text.starts_with(&long) { long.as_str() } else { &long[..1] };
    let mut place = end.len();
    while let Some(rest) = text.get(place..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(end) {
            return place + end.len();
        }
        let step = if rest.starts_with('\\') { rest.chars().take(2) } else { rest.chars().take(1) };
        place += step.map(char::len_utf8).sum::<usize>();
    }
    text.len()
}

/// Length of the IRI at the start, if it can be one and not only a comparison.
fn iri_length(text: &str) -> Option<usize> {
    let end = text[1..].find(|c: char| c.is_whitespace() || c <= ' ' || "<>\"{}|^`\\".contains(c))? + 1;
    text[end..].starts_with('>').then_some(end + 1)
}

/// The query with its places for parameters filled in, and its own LIMIT set to `rows_max`: SPARQL to copy and run
/// anywhere. What has no value is left out.
pub(super) fn filled(text: &str, terms: &BTreeMap<String, GroundTerm>, rows_max: usize) -> String {
    let tokens: Vec<(Token, Range<usize>)> = tokens(text).collect();
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        match values_place(text, &tokens[place..]) {
            Some((length, names)) => {
                let range = tokens[place].1.start..tokens[place + length - 1].1.end;
                edits.push((range, values(&names, terms)));
                place += length;
            }
            None => place += 1,
        }
    }
    if let [.., (_, limit), (_, number)] = tokens.as_slice()
        && text[limit.clone()].eq_ignore_ascii_case("LIMIT")
    {
        edits.push((number.clone(), rows_max.to_string()));
    }
    let mut out = text.to_owned();
    for (range, new) in edits.into_iter().rev() {
        out.replace_range(if new.is_empty() { whole_line(text, range) } else { range }, &new);
    }
    out
}

/// `VALUES ?name { UNDEF }` or `VALUES (?one ?two) { (UNDEF UNDEF) }` at the start: how many tokens, and the names.
fn values_place<'a>(text: &'a str, tokens: &[(Token, Range<usize>)]) -> Option<(usize, Vec<&'a str>)> {
    let mut words = tokens.iter().map(|(_, range)| &text[range.clone()]);
    let mut length = 0;
    let mut next = || {
        length += 1;
        words.next()
    };
    next().filter(|word| word.eq_ignore_ascii_case("VALUES"))?;
    let mut names = Vec::new();
    let first = next()?;
    if first == "(" {
        loop {
            match next()? {
                ")" => break,
                name => names.push(name.strip_prefix(['?', '$'])?),
            }
        }
    } else {
        names.push(first.strip_prefix(['?', '$'])?);
    }
    next().filter(|word| *word == "{")?;
    if first == "(" {
        next().filter(|word| *word == "(")?;
    }
    for _ in &names {
        next().filter(|word| word.eq_ignore_ascii_case("UNDEF"))?;
    }
    if first == "(" {
        next().filter(|word| *word == ")")?;
    }
    next().filter(|word| *word == "}")?;
    Some((length, names))
}

fn values(names: &[&str], terms: &BTreeMap<String, GroundTerm>) -> String {
    let bound: Vec<(&str, &GroundTerm)> = names.iter().filter_map(|name| Some((*name, terms.get(*name)?))).collect();
    match bound.as_slice() {
        [] => String::new(),
        [(name, term)] => format!("VALUES ?{name} {{ {term} }}"),
        many => {
            let names: Vec<String> = many.iter().map(|(name, _)| format!("?{name}")).collect();
            let row: Vec<String> = many.iter().map(|(_, term)| term.to_string()).collect();
            format!("VALUES ({}) {{ ({}) }}", names.join(" "), row.join(" "))
        }
    }
}

/// `range`, with the rest of its line when nothing else is on it.
fn whole_line(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text[..range.start].rfind('\n').map_or(0, |place| place + 1);
    let end = text[range.end..].find('\n').map_or(text.len(), |place| range.end + place + 1);
    let is_alone = text[start..range.start].trim().is_empty() && text[range.end..end].trim().is_empty();
    if is_alone { start..end } else { range }
}
