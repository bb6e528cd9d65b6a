//! What a broken rule means in plain words, and what to do about it.

use oxrdf::vocab::rdf;
use oxrdf::{Graph, Literal, NamedNode, NamedNodeRef, NamedOrBlankNodeRef, TermRef};

use super::expected::one_of;
use super::names::{field_name, human, local_name, prefixed, property, rule_name, shorten, unquoted};
use super::report::{Finding, Violation};
use super::{SHACL, as_subject};
use crate::vocab::{Vocabulary, nearest};

/// Rules whose breach says most come first, so that a wrong type is not reported as a wrong size.
const RANKS: &[&str] = &["closed", "minCount", "maxCount", "nodeKind", "datatype", "class", "in", "hasValue"];

/// Turns findings into words, looking up the rules in the shapes and the circumstances in the data.
pub(super) struct Words<'a> {
    data: &'a Graph,
    pub(super) shapes: &'a Graph,
}

/// The rules around one finding.
struct Case<'a> {
    /// `count`, or `the receipt`.
    name: String,
    /// The value as the sender wrote it.
    value: Option<String>,
    /// `minInclusive`, `closed` …
    rule: String,
    focus: Option<NamedOrBlankNodeRef<'a>>,
    shape: Option<NamedOrBlankNodeRef<'a>>,
    path: Option<&'a str>,
    said: Option<&'a str>,
}

impl<'a> Words<'a> {
    pub(super) fn new(data: &'a Graph, shapes: &'a Graph) -> Self {
        Self { data, shapes }
    }

    /// Where a rule stands among those the same value breaks.
    pub(super) fn rank(component: &NamedNode) -> usize {
        let rule = rule_name(component);
        RANKS.iter().position(|&known| known == rule).unwrap_or(RANKS.len())
    }

    /// What one finding means; several things when a node was sent on to another shape.
    pub(super) fn violations(&self, finding: &Finding) -> Vec<Violation> {
        if finding.path.is_none() && !finding.details.is_empty() {
            return finding.details.iter().map(|detail| self.violation(detail)).collect();
        }
        vec![self.violation(finding)]
    }

    /// `sh:resultMessage`: what the shape says, in every language it says it, else our own words.
    pub(super) fn messages(&self, finding: &Finding, found: &[Violation]) -> Vec<Literal> {
        let shape = finding.source.as_ref().and_then(|source| as_subject(source.as_ref()));
        let said = shape.map(|shape| self.literals(shape, sh!("message"))).unwrap_or_default();
        if said.is_empty() {
            return found.iter().map(|violation| Literal::from(violation.message.as_str())).collect();
        }
        said
    }

    fn violation(&self, finding: &Finding) -> Violation {
        let field = finding.path.as_ref().map(field_name);
        let itself = finding.path.is_none() && finding.value.as_ref() == Some(&finding.focus);
        let rule = rule_name(&finding.component);
        let shape = finding.source.as_ref().and_then(|source| as_subject(source.as_ref()));
        let mut case = Case {
            name: field.clone().unwrap_or_else(|| "the receipt".to_owned()),
            value: finding.value.as_ref().filter(|_| !itself).map(|value| human(value.as_ref())),
            focus: as_subject(finding.focus.as_ref()),
            path: finding.path.as_ref().and_then(property),
            said: finding.said.as_deref(),
            shape,
            rule,
        };
        if case.rule == "maxCount" {
            case.value = Some(shorten(&self.values(&case).join(", "))).filter(|values| !values.is_empty());
        }
        let (message, fix) = self.say(&case);
        Violation {
            field,
            message: self.shape_message(&case).unwrap_or(message),
            fix,
            rule: shorten(&self.rule(&case)),
            value: case.value,
        }
    }

    /// `sh:minInclusive 1`: the rule with what it was set to.
    fn rule(&self, case: &Case<'_>) -> String {
        let Some(shape) = case.shape.filter(|_| case.rule != "closed") else { return format!("sh:{}", case.rule) };
        let parameter = NamedNode::new_unchecked(format!("{SHACL}{}", case.rule));
        let mut set = self.shapes.objects_for_subject_predicate(shape, parameter.as_ref());
        let (Some(first), None) = (set.next(), set.next()) else { return format!("sh:{}", case.rule) };
        match first {
            TermRef::BlankNode(_) => match self.allowed(shape) {
                allowed if case.rule == "in" => format!("sh:in {}", allowed.join(", ")),
                _ => format!("sh:{}", case.rule),
            },
            TermRef::NamedNode(iri) => format!("sh:{} {}", case.rule, prefixed(iri)),
            other => format!("sh:{} {}", case.rule, human(other)),
        }
    }

    /// What the shape's author wrote, with what was got instead.
    fn shape_message(&self, case: &Case<'_>) -> Option<String> {
        let mut messages = self.literals(case.shape?, sh!("message"));
        // English first, then what carries no language, so that fixes and messages are in one language.
        messages.sort_by_key(|message| match message.language() {
            Some(language) if language.starts_with("en") => 0,
            None => 1,
            Some(_) => 2,
        });
        let written = messages.first()?.value();
        if case.rule == "closed" || case.rule == "sparql" {
            return None;
        }
        Some(format!("{}{}", written.trim_end().trim_end_matches('.'), self.got(case)))
    }

    fn got(&self, case: &Case<'_>) -> String {
        match (case.rule.as_str(), &case.value) {
            ("minCount" | "maxCount", _) => {
                let quoted: Vec<String> = self.values(case).iter().map(|value| format!("\"{value}\"")).collect();
                if quoted.is_empty() {
                    return if case.rule == "minCount" { ", but it is missing".to_owned() } else { String::new() };
                }
                format!(", got {}", shorten(&quoted.join(" and ")))
            }
            (_, Some(value)) => format!(", got \"{value}\""),
            (_, None) => String::new(),
        }
    }

    /// Message and fix, when the shape itself is silent.
    fn say(&self, case: &Case<'_>) -> (String, String) {
        let name = &case.name;
        let got = self.got(case);
        let expected = case.shape.and_then(|shape| self.expectation(shape));
        let other = self.parameter(case).map(|other| local_name(&other).to_owned()).unwrap_or_default();
        let send = || expected.as_deref().map_or_else(|| format!("correct {name}"), |e| self.send(case, e));
        match case.rule.as_str() {
            "closed" => self.say_closed(case),
            "minCount" => {
                let what = expected.as_deref().map(|e| format!(": {e}")).unwrap_or_default();
                let missing = match self.parameter(case) {
                    Some(count) if count != "1" => format!("{name} needs at least {count} values{got}"),
                    _ => format!("{name} is missing"),
                };
                (missing, format!("add {name}{what}"))
            }
            "maxCount" => match self.parameter(case) {
                Some(count) if count == "0" => (format!("{name} must be left out{got}"), format!("leave {name} out")),
                Some(count) if count != "1" => (
                    format!("{name} may have at most {count} values{got}"),
                    format!("send at most {count} values for {name}"),
                ),
                _ => (format!("{name} may be given only once{got}"), format!("send {name} once")),
            },
            "in" => (format!("{name} must be {}{got}", expected.as_deref().unwrap_or("another")), self.choose(case)),
            "hasValue" => {
                let wanted = self.parameter(case).unwrap_or_default();
                (format!("{name} must be \"{wanted}\"{got}"), format!("send \"{wanted}\" for {name}"))
            }
            "lessThanOrEquals" => self.say_order(case, &other, "not be later than", "not be greater than"),
            "lessThan" => self.say_order(case, &other, "be earlier than", "be less than"),
            "equals" => {
                (format!("{name} must be the same as {other}{got}"), format!("send the same for {name} and {other}"))
            }
            "disjoint" => {
                (format!("{name} must differ from {other}{got}"), format!("send another value for {name} or {other}"))
            }
            "sparql" => {
                let said = case.said.map_or_else(|| format!("{name} breaks a rule{got}"), unquoted);
                (said, format!("correct {name}"))
            }
            _ => match &expected {
                Some(expected) => (format!("{name} must be {expected}{got}"), send()),
                None => (format!("{name} breaks the rule sh:{}{got}", case.rule), send()),
            },
        }
    }

    fn say_closed(&self, case: &Case<'_>) -> (String, String) {
        let name = &case.name;
        let class = case.focus.and_then(|focus| self.data.object_for_subject_predicate(focus, rdf::TYPE));
        let kind = match class {
            Some(TermRef::NamedNode(class)) => match Vocabulary::builtin().kind_of_class(class) {
                Some(kind) => format!("a receipt of kind {kind}"),
                None => format!("a receipt of kind {}", local_name(class.as_str())),
            },
            _ => "this receipt".to_owned(),
        };
        let known: Vec<String> = case.shape.map(|shape| self.fields(shape)).unwrap_or_default();
        let fix = match nearest(name, known.iter()) {
            Some(near) => format!("did you mean \"{near}\"? Anything else goes under \"labels\""),
            None => "put it under \"labels\"".to_owned(),
        };
        (format!("\"{name}\" does not belong to {kind}"), fix)
    }

    fn say_order(&self, case: &Case<'_>, other: &str, times: &str, numbers: &str) -> (String, String) {
        let name = &case.name;
        let limits = match self.parameter_iri(case) {
            Some(property) => self.values_of(case.focus, property.as_str()),
            None => Vec::new(),
        };
        let is_time = limits.iter().any(|limit| limit.contains('T') && limit.contains(':'));
        let must = if is_time { times } else { numbers };
        let limit = limits.first().map(|limit| format!(" and {other} \"{limit}\"")).unwrap_or_default();
        (format!("{name} must {must} {other}{}{limit}", self.got(case)), format!("correct {name} or {other}"))
    }

    /// For a value that is none of those allowed: the one that was probably meant.
    fn choose(&self, case: &Case<'_>) -> String {
        let allowed = case.shape.map(|shape| self.allowed(shape)).unwrap_or_default();
        let send = self.send(case, &one_of(&allowed));
        match case.value.as_ref().and_then(|given| nearest(given, allowed.iter())) {
            Some(near) => format!("did you mean \"{near}\"? {}{}", send[..1].to_uppercase(), &send[1..]),
            None => send,
        }
    }

    fn send(&self, case: &Case<'_>, expected: &str) -> String {
        let required =
            case.shape.and_then(|shape| self.literal(shape, sh!("minCount"))).is_some_and(|count| count != "0");
        if required || case.path.is_none() {
            return format!("send {expected}");
        }
        format!("send {expected}, or leave {} out", case.name)
    }

    /// The values of the field in question, as their sender wrote them.
    fn values(&self, case: &Case<'_>) -> Vec<String> {
        case.path.map(|path| self.values_of(case.focus, path)).unwrap_or_default()
    }

    fn values_of(&self, focus: Option<NamedOrBlankNodeRef<'_>>, property: &str) -> Vec<String> {
        let Some(focus) = focus else { return Vec::new() };
        let property = NamedNodeRef::new_unchecked(property);
        let mut values: Vec<String> = self.data.objects_for_subject_predicate(focus, property).map(human).collect();
        values.sort();
        values
    }

    /// The fields a closed shape knows.
    fn fields(&self, shape: NamedOrBlankNodeRef<'_>) -> Vec<String> {
        let properties = self.shapes.objects_for_subject_predicate(shape, sh!("property")).filter_map(as_subject);
        let mut fields: Vec<String> = properties
            .filter_map(|property| match self.shapes.object_for_subject_predicate(property, sh!("path"))? {
                TermRef::NamedNode(path) if path != rdf::TYPE => Some(local_name(path.as_str()).to_owned()),
                _ => None,
            })
            .collect();
        fields.sort();
        fields.dedup();
        fields
    }

    fn parameter_iri(&self, case: &Case<'_>) -> Option<NamedNode> {
        let parameter = NamedNode::new_unchecked(format!("{SHACL}{}", case.rule));
        match self.shapes.object_for_subject_predicate(case.shape?, parameter.as_ref())? {
            TermRef::NamedNode(iri) => Some(iri.into_owned()),
            _ => None,
        }
    }

    /// What the broken rule was set to.
    fn parameter(&self, case: &Case<'_>) -> Option<String> {
        let parameter = NamedNode::new_unchecked(format!("{SHACL}{}", case.rule));
        self.shapes.object_for_subject_predicate(case.shape?, parameter.as_ref()).map(human)
    }
}
