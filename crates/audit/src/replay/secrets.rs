//! Values of secrets, put back where the log has digests of them.

use std::collections::{BTreeMap, BTreeSet};

use stagegate::syntax::tree::Item;
use stagegate::{Policy, Request, Value};

use crate::LogError;
use crate::SecretKey;

/// Values that secret facts may have had, and the key under which the log has digested them.
#[derive(Clone)]
pub struct Secrets {
    key: SecretKey,
    candidates: BTreeMap<String, Vec<Value>>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// With the candidates for each fact.
    pub fn new(key: SecretKey, candidates: BTreeMap<String, Vec<Value>>) -> Secrets {
        Secrets { key, candidates }
    }

    /// From a JSON object that has a list of candidates for each fact: `{"deploy-key": ["…", "…"]}`.
    ///
    /// # Errors
    /// When it is not such an object. No value is in the message.
    pub fn from_json(key: SecretKey, json: &[u8]) -> Result<Secrets, LogError> {
        let wrong =
            || LogError::Invalid("the values of secrets are a JSON object with a list for each fact".to_string());
        let lists: BTreeMap<String, Vec<serde_json::Value>> = serde_json::from_slice(json).map_err(|_| wrong())?;
        let lists = lists.into_iter().map(|(name, values)| (name, values.into_iter().map(value).collect()));
        Ok(Secrets { key, candidates: lists.collect() })
    }

    /// The candidate of which this is the digest.
    fn find(&self, name: &str, digest: &str) -> Option<&Value> {
        self.candidates.get(name)?.iter().find(|candidate| self.key.digest(name, candidate) == digest)
    }

    /// Puts values back; gives the names of those facts whose value is not known, or is none of the candidates.
    pub(super) fn restore(secrets: Option<&Secrets>, withheld: &[String], request: &mut Request) -> Vec<String> {
        let mut left = Vec::new();
        for name in withheld {
            let Some(fact) = request.facts.get_mut(name) else { continue };
            let digest = match &*fact {
                Value::Map(map) => map.get("withheld"),
                _ => None,
            };
            let value = match digest {
                Some(Value::String(digest)) => secrets.and_then(|secrets| secrets.find(name, digest)),
                _ => None,
            };
            match value {
                Some(value) => *fact = value.clone(),
                None => left.push(name.clone()),
            }
        }
        left
    }
}

fn value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(value) => value.as_f64().map_or(Value::Null, Value::Number),
        serde_json::Value::String(value) => Value::String(value),
        serde_json::Value::Array(values) => Value::List(values.into_iter().map(value).collect()),
        serde_json::Value::Object(values) => Value::Map(values.into_iter().map(|(key, of)| (key, value(of))).collect()),
    }
}

/// The names of the facts that a policy declares. What it does not declare it does not read.
pub(super) fn declared(policy: &Policy) -> BTreeSet<String> {
    let items = policy.files().iter().flat_map(|file| &file.items);
    items
        .filter_map(|item| match &item.value {
            Item::Fact(fact) => Some(fact.name.value.clone()),
            _ => None,
        })
        .collect()
}
