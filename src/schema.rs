//! JSON Schemas (2020-12) of a request and of a decision, generated from the types. They are kept in `docs/`.

use chrono::{DateTime, Utc};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::{Decision, Request};

/// The JSON Schema of what [`Request::from_json`] reads, as JSON text.
///
/// Some of what is refused cannot be said in a schema: keys given twice, instants outside the years 1970 to 2200,
/// limits.
pub fn request() -> String {
    text(SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Request>(), "A stagegate request")
}

/// The JSON Schema of what a [`Decision`] is written as, as JSON text. A later version may write more fields.
pub fn decision() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    text(settings.into_generator().into_root_schema_for::<Decision>(), "A stagegate decision")
}

fn text(mut schema: Schema, title: &str) -> String {
    RecursiveTransform(plain_words).transform(&mut schema);
    schema.insert("title".to_string(), title.into());
    format!("{:#}\n", schema.to_value())
}

/// Doc comments are written for Rust: takes out their line breaks and the targets of their links.
fn plain_words(schema: &mut Schema) {
    if let Some(Value::String(words)) = schema.get_mut("description") {
        let joined = words.replace("\n\n", "\u{0}").replace('\n', " ").replace('\u{0}', "\n\n");
        *words = without_links(&joined);
    }
}

/// `[text](target)` becomes `text`.
fn without_links(words: &str) -> String {
    let mut out = String::new();
    let mut rest = words;
    while let Some((before, link)) = rest.split_once('[') {
        let parts = link.split_once("](").and_then(|(text, tail)| Some((text, tail.split_once(')')?.1)));
        out.push_str(before);
        match parts {
            Some((text, after)) if !text.contains(['[', ']']) => {
                out.push_str(text);
                rest = after;
            }
            _ => {
                out.push('[');
                rest = link;
            }
        }
    }
    out + rest
}

/// A run that ended well is written `succeeded`, and `passed` is read too.
pub(crate) fn also_passed(schema: &mut Schema) {
    if let Some(Value::Array(words)) = schema.get_mut("oneOf") {
        words.push(json!({ "type": "string", "const": "passed", "description": "The same as `succeeded`." }));
    }
}

/// The build that the stage runs now. What is left out or null is not known.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct Current {
    /// Its id.
    id: Option<String>,
    /// Its digest.
    digest: Option<String>,
    /// Its version (semantic versioning).
    version: Option<String>,
    /// When it was built.
    created: Option<DateTime<Utc>>,
    /// Since when it occupies the stage.
    at: Option<DateTime<Utc>>,
    /// The id of the build that is being deployed to the stage at this moment; null for none.
    deploying: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lose_their_targets_and_brackets_stay() {
        assert_eq!(without_links("by [`A::b`](crate::A::b), or [c](d)."), "by `A::b`, or c.");
        assert_eq!(without_links("history[1] and [x] (y)"), "history[1] and [x] (y)");
    }
}
