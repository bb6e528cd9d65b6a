//! Attributes of OpenTelemetry as texts, and the conventions they follow.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::clock::Timestamp;
use crate::receipt::{Receipt, Value};
use crate::receive::{COMPONENT_UNKNOWN, ComponentMapping};

/// Attributes by name; lists and maps are left out.
#[derive(Debug, Default)]
pub(super) struct Attributes(BTreeMap<String, String>);

impl Attributes {
    pub(super) fn of(attributes: &[KeyValue]) -> Self {
        let texts = attributes.iter().filter_map(|pair| Some((pair.key.clone(), text_of(pair.value.as_ref()?)?)));
        Self(texts.collect())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// All of them, as labels.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        self.0.clone()
    }

    /// The first of several names, best first: conventions were renamed, and old ones live on.
    pub(super) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.text(name))
    }
}

/// A scalar as text.
pub(super) fn text_of(value: &AnyValue) -> Option<String> {
    Some(match value.value.as_ref()? {
        Any::StringValue(text) => text.clone(),
        Any::BoolValue(truth) => truth.to_string(),
        Any::IntValue(number) => number.to_string(),
        Any::DoubleValue(number) => number.to_string(),
        _ => return None,
    })
}

/// Who sent it.
pub(super) struct Origin {
    pub(super) attributes: Attributes,
    pub(super) component: String,
}

impl Origin {
    pub(super) fn of(resource: Option<&Resource>, mapping: &ComponentMapping) -> Self {
        let attributes = resource.map(|resource| Attributes::of(&resource.attributes)).unwrap_or_default();
        // A mapping names labels as Prometheus writes them, with underscores.
        let component = mapping.component(|label| {
            attributes
                .text(label)
                .or_else(|| attributes.text(&label.replace('_', ".")))
                .filter(|text| !text.starts_with("unknown_service"))
        });
        Self { component: component.unwrap_or_else(|| COMPONENT_UNKNOWN.to_owned()), attributes }
    }

    pub(super) fn environment(&self) -> Option<&str> {
        self.attributes.first(&["deployment.environment.name", "deployment.environment"])
    }

    /// A receipt of `kind` about this origin.
    pub(super) fn receipt(&self, kind: &str, at: Timestamp) -> Receipt {
        let attributes = &self.attributes;
        let instance = attributes.first(&["service.instance.id", "k8s.pod.name", "host.name"]);
        let mut receipt = Receipt::new(kind, at, &self.component)
            .with("source", Value::text(super::SOURCE))
            .with_text("environment", self.environment())
            .with_text("instance", instance);
        for name in ["service.version", "service.namespace", "k8s.namespace.name", "host.name"] {
            if let Some(text) = attributes.text(name) {
                receipt.label(name, text);
            }
        }
        receipt
    }
}

/// Nanoseconds since 1970; zero is no time.
pub(super) fn time(nanoseconds: u64) -> Option<Timestamp> {
    let microseconds = i64::try_from(nanoseconds / 1_000).ok().filter(|microseconds| *microseconds > 0)?;
    Timestamp::from_micros(microseconds)
}

/// An id in hexadecimal, unless it is empty or all zeros.
pub(super) fn id(bytes: &[u8]) -> Option<String> {
    bytes.iter().any(|byte| *byte != 0).then(|| hex::encode(bytes))
}
