//! YAML as JSON values, within bounds: an alias copies what it stands for, so a few lines could become a billion values.

use std::collections::HashMap;

use serde_json::{Map, Number, Value as Json};
use yaml_rust2::Yaml;
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::{Marker, ScanError, TScalarStyle};

use crate::error::{Error, Result};

/// Size of all values, with what aliases stand for.
const BYTES_MAX: usize = 64 << 20;
/// Size of a value besides its text.
const VALUE_BYTES: usize = 32;
const DEPTH_MAX: usize = 64;
/// Takes the members of another mapping that are not there already.
const MERGE: &str = "<<";

/// The documents of a stream.
///
/// # Errors
/// `Invalid` with line and column.
pub(crate) fn documents(text: &str) -> Result<Vec<Json>> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    loop {
        let (event, place) = parser.next_token().map_err(|error| not_yaml(&error))?;
        match event {
            Event::StreamEnd => return Ok(builder.documents),
            event => builder.take(event).map_err(|fault| fault.at(place))?,
        }
    }
}

fn not_yaml(error: &ScanError) -> Error {
    let place = place(*error.marker());
    Error::invalid(format!("the body is not YAML: {} at {place}", error.info()))
        .hint("mend the YAML there and send it again")
}

fn place(marker: Marker) -> String {
    format!("line {} column {}", marker.line(), marker.col() + 1)
}

/// What is wrong, and what to do; where is for the caller to say.
struct Fault(String, &'static str);

impl Fault {
    fn at(self, marker: Marker) -> Error {
        Error::invalid(format!("{} at {}", self.0, place(marker))).hint(self.1)
    }
}

/// A list or mapping that is being read.
struct Open {
    anchor: usize,
    /// Size of what came before it.
    bytes_before: usize,
    so_far: Collection,
}

enum Collection {
    List(Vec<Json>),
    /// Its members, and the name of the next one once that is read.
    Mapping(Map<String, Json>, Option<String>),
}

#[derive(Default)]
struct Builder {
    documents: Vec<Json>,
    open: Vec<Open>,
    /// Values with an anchor, and the size of each.
    anchors: HashMap<usize, (Json, usize)>,
    bytes: usize,
}

impl Builder {
    fn take(&mut self, event: Event) -> std::result::Result<(), Fault> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart => {
                self.anchors.clear();
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let size = VALUE_BYTES + text.len();
                self.count(size)?;
                if self.is_name_next() {
                    return self.name(text);
                }
                let value = scalar(text, style, tag.as_ref());
                self.remember(anchor, &value, size)?;
                self.add(value)
            }
            Event::Alias(anchor) => {
                let unknown = || Fault("an alias stands for what is still being read".to_owned(), "write it out");
                let size = self.anchors.get(&anchor).map(|(_, size)| *size).ok_or_else(unknown)?;
                self.count(size)?;
                let value = self.anchors.get(&anchor).map(|(value, _)| value.clone()).ok_or_else(unknown)?;
                self.add(value)
            }
            Event::SequenceStart(anchor, _) => self.begin(anchor, Collection::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(anchor, Collection::Mapping(Map::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn count(&mut self, bytes: usize) -> std::result::Result<(), Fault> {
        self.bytes += bytes;
        if self.bytes > BYTES_MAX {
            let told = format!("the YAML is larger than {BYTES_MAX} bytes when its aliases are written out");
            return Err(Fault(told, "use fewer aliases, or send it in several requests"));
        }
        Ok(())
    }

    fn begin(&mut self, anchor: usize, so_far: Collection) -> std::result::Result<(), Fault> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Fault(format!("the YAML is nested deeper than {DEPTH_MAX} levels"), "write it flatter"));
        }
        if self.is_name_next() {
            return Err(Fault("a list or mapping is used as a name".to_owned(), "use a text as name"));
        }
        let bytes_before = self.bytes;
        self.count(VALUE_BYTES)?;
        self.open.push(Open { anchor, bytes_before, so_far });
        Ok(())
    }

    fn end(&mut self) -> std::result::Result<(), Fault> {
        let Some(ended) = self.open.pop() else { return Ok(()) };
        let value = match ended.so_far {
            Collection::List(list) => Json::Array(list),
            Collection::Mapping(members, _) => Json::Object(merged(members)),
        };
        self.remember(ended.anchor, &value, self.bytes - ended.bytes_before)?;
        self.add(value)
    }

    /// An anchor of zero is none.
    fn remember(&mut self, anchor: usize, value: &Json, size: usize) -> std::result::Result<(), Fault> {
        if anchor > 0 {
            self.count(size)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(())
    }

    fn is_name_next(&self) -> bool {
        matches!(self.open.last(), Some(Open { so_far: Collection::Mapping(_, None), .. }))
    }

    fn name(&mut self, text: String) -> std::result::Result<(), Fault> {
        let Some(Open { so_far: Collection::Mapping(members, name), .. }) = self.open.last_mut() else { return Ok(()) };
        if members.contains_key(&text) {
            return Err(Fault(format!("\"{text}\" is there twice"), "remove one of the two"));
        }
        *name = Some(text);
        Ok(())
    }

    fn add(&mut self, value: Json) -> std::result::Result<(), Fault> {
        match self.open.last_mut().map(|open| &mut open.so_far) {
            None => self.documents.push(value),
            Some(Collection::List(list)) => list.push(value),
            Some(Collection::Mapping(members, name)) => {
                let name = name.take().ok_or_else(|| Fault("an alias is used as a name".to_owned(), "write it out"))?;
                members.insert(name, value);
            }
        }
        Ok(())
    }
}

fn merged(mut members: Map<String, Json>) -> Map<String, Json> {
    let others = match members.shift_remove(MERGE) {
        None => return members,
        Some(Json::Array(others)) => others,
        Some(other) => vec![other],
    };
    let others = others.into_iter().filter_map(|other| match other {
        Json::Object(other) => Some(other),
        _ => None,
    });
    for (name, value) in others.flatten() {
        members.entry(name).or_insert(value);
    }
    members
}

/// What is quoted is a text, whatever it looks like.
fn scalar(text: String, style: TScalarStyle, tag: Option<&Tag>) -> Json {
    let is_text = tag.is_some_and(|tag| tag.handle == "tag:yaml.org,2002:" && tag.suffix == "str");
    if style != TScalarStyle::Plain || is_text {
        return Json::String(text);
    }
    match Yaml::from_str(&text) {
        Yaml::Null => Json::Null,
        Yaml::Boolean(truth) => truth.into(),
        Yaml::Integer(number) => number.into(),
        Yaml::Real(_) => text.parse().ok().and_then(Number::from_f64).map_or(Json::String(text), Json::Number),
        _ => Json::String(text),
    }
}
