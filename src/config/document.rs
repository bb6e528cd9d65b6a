//! What the file and the environment say together, as serde reads it.

use std::collections::BTreeMap;

use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use toml::Value;
use toml::de::Error;

/// A value, or a table of them.
#[derive(Debug)]
pub(super) enum Node {
    Table(BTreeMap<String, Self>),
    /// From the file.
    Read(Value),
    /// From a variable, which is text: the text itself where a key is one, and what it is in TOML everywhere else.
    Given {
        variable: String,
        value: Value,
        text: String,
    },
}

impl Node {
    pub(super) fn read(value: Value) -> Self {
        match value {
            Value::Table(table) => {
                Self::Table(table.into_iter().map(|(key, value)| (key, Self::read(value))).collect())
            }
            value => Self::Read(value),
        }
    }

    /// What `variable` gives as `text`, which is `value` in TOML.
    pub(super) fn given(variable: &str, value: Value, text: &str) -> Self {
        let variable = variable.to_owned();
        match value {
            Value::Table(table) => {
                let inner = |(key, value): (String, Value)| {
                    let text = value.to_string();
                    (key, Self::given(&variable, value, &text))
                };
                Self::Table(table.into_iter().map(inner).collect())
            }
            Value::String(text) => Self::Given { variable, value: Value::String(text.clone()), text },
            value => Self::Given { variable, value, text: text.to_owned() },
        }
    }
}

/// Tells what was expected, and not what was given: it may be a secret.
fn hidden<T>(variable: &str, read: Result<T, Error>) -> Result<T, Error> {
    read.map_err(|error| {
        let expected = error.message().rsplit_once(", expected ").map(|(_, expected)| format!(": expected {expected}"));
        Error::custom(format!("{variable} is nothing that its key takes{}", expected.unwrap_or_default()))
    })
}

impl<'de> Deserializer<'de> for Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Table(nodes) => visitor.visit_map(MapDeserializer::new(nodes.into_iter())),
            Self::Read(value) => value.deserialize_any(visitor),
            Self::Given { variable, value, .. } => hidden(&variable, value.deserialize_any(visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Given { variable, text, .. } => hidden(&variable, visitor.visit_string(text)),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Table(nodes) => {
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(nodes.into_iter())))
            }
            Self::Read(value) => value.deserialize_enum(name, variants, visitor),
            Self::Given { variable, text, .. } => {
                hidden(&variable, text.into_deserializer().deserialize_enum(name, variants, visitor))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
