//! Requests as JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::request::{Approval, Build, Current, Deploying, Invocation, Occupant, Request, Run, TriggerFact, Value};
use super::time::text;

impl Request {
    /// The request as JSON on one line. [`Request::from_json`] makes the same request of it, with these exceptions: a
    /// [`Value::Time`] is written as text, and so is a number that is not finite (`"NaN"`), since JSON has neither.
    pub fn to_json(&self) -> String {
        // Writing to a string cannot fail, and neither can the implementations below.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Writes the entry when there is something to write.
fn some<M: SerializeMap, T: Serialize>(map: &mut M, key: &'static str, value: &Option<T>) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(key, value),
        None => Ok(()),
    }
}

fn time<M: SerializeMap>(map: &mut M, key: &'static str, value: Option<DateTime<Utc>>) -> Result<(), M::Error> {
    some(map, key, &value.map(text))
}

fn list<M: SerializeMap, T: Serialize>(map: &mut M, key: &'static str, values: &[T]) -> Result<(), M::Error> {
    if values.is_empty() { Ok(()) } else { map.serialize_entry(key, values) }
}

fn dict<M: SerializeMap, T: Serialize>(
    map: &mut M,
    key: &'static str,
    values: &BTreeMap<String, T>,
) -> Result<(), M::Error> {
    if values.is_empty() { Ok(()) } else { map.serialize_entry(key, values) }
}

fn deploying<M: SerializeMap>(map: &mut M, value: &Deploying) -> Result<(), M::Error> {
    match value {
        Deploying::Unknown => Ok(()),
        Deploying::Nothing => map.serialize_entry("deploying", &()),
        Deploying::Build(id) => map.serialize_entry("deploying", id),
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("stage", &self.stage)?;
        time(&mut map, "now", self.now)?;
        some(&mut map, "trigger", &self.trigger)?;
        some(&mut map, "action", &self.action)?;
        some(&mut map, "requester", &self.requester)?;
        map.serialize_entry("build", &self.build)?;
        match &self.current {
            Current::Unknown => {}
            Current::Nothing => map.serialize_entry("current", &())?,
            Current::Build(occupant) => map.serialize_entry("current", &CurrentOut(occupant, &self.deploying))?,
        }
        // What is being deployed stands in `current`, unless there is none to stand in.
        if !matches!(self.current, Current::Build(_)) {
            deploying(&mut map, &self.deploying)?;
        }
        list(&mut map, "history", &self.history)?;
        list(&mut map, "approvals", &self.approvals)?;
        list(&mut map, "overrides", &self.overrides)?;
        dict(&mut map, "groups", &self.groups)?;
        dict(&mut map, "facts", &self.facts)?;
        map.end()
    }
}

struct CurrentOut<'a>(&'a Occupant, &'a Deploying);

impl Serialize for CurrentOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let CurrentOut(occupant, being_deployed) = self;
        let mut map = serializer.serialize_map(None)?;
        some(&mut map, "id", &occupant.id)?;
        some(&mut map, "digest", &occupant.digest)?;
        some(&mut map, "version", &occupant.version)?;
        time(&mut map, "created", occupant.created)?;
        time(&mut map, "at", occupant.at)?;
        deploying(&mut map, being_deployed)?;
        map.end()
    }
}

impl Serialize for Build {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        some(&mut map, "digest", &self.digest)?;
        some(&mut map, "version", &self.version)?;
        some(&mut map, "branch", &self.branch)?;
        some(&mut map, "commit", &self.commit)?;
        some(&mut map, "author", &self.author)?;
        some(&mut map, "contributors", &self.contributors)?;
        some(&mut map, "labels", &self.labels)?;
        time(&mut map, "created", self.created)?;
        map.end()
    }
}

impl TriggerFact {
    /// As in JSON and in the language: `push`, `pull-request`, `schedule`, `manual`, `completion`, `event`.
    pub fn kind(&self) -> &'static str {
        match self {
            TriggerFact::Push { .. } => "push",
            TriggerFact::PullRequest { .. } => "pull-request",
            TriggerFact::Manual { .. } => "manual",
            TriggerFact::Completion { .. } => "completion",
            TriggerFact::Event { .. } => "event",
            TriggerFact::Schedule { .. } => "schedule",
        }
    }
}

impl Serialize for TriggerFact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.kind())?;
        match self {
            TriggerFact::Push { branch } | TriggerFact::PullRequest { branch } => some(&mut map, "branch", branch)?,
            TriggerFact::Manual { by } => some(&mut map, "by", by)?,
            TriggerFact::Completion { of } => some(&mut map, "of", of)?,
            TriggerFact::Event { name } => some(&mut map, "name", name)?,
            TriggerFact::Schedule { at } => time(&mut map, "at", *at)?,
        }
        map.end()
    }
}

impl Serialize for Run {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("stage", &self.stage)?;
        map.serialize_entry("status", &self.status)?;
        time(&mut map, "at", Some(self.at))?;
        some(&mut map, "digest", &self.digest)?;
        some(&mut map, "build", &self.build)?;
        map.end()
    }
}

impl Serialize for Approval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("by", &self.by)?;
        map.serialize_entry("decision", &self.decision)?;
        time(&mut map, "at", Some(self.at))?;
        some(&mut map, "stage", &self.stage)?;
        some(&mut map, "build", &self.build)?;
        some(&mut map, "digest", &self.digest)?;
        some(&mut map, "comment", &self.comment)?;
        map.end()
    }
}

impl Serialize for Invocation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("by", &self.by)?;
        time(&mut map, "at", Some(self.at))?;
        some(&mut map, "reason", &self.reason)?;
        some(&mut map, "stage", &self.stage)?;
        some(&mut map, "build", &self.build)?;
        some(&mut map, "digest", &self.digest)?;
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Up to here every whole number is a double of its own.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            // serde_json would write `null`, which says that the fact is known to be absent.
            Value::Number(value) if !value.is_finite() => serializer.collect_str(value),
            Value::Number(value) if value.fract() == 0.0 && value.abs() < EXACT && !negative_zero(*value) => {
                serializer.serialize_i64(*value as i64)
            }
            Value::Number(value) => serializer.serialize_f64(*value),
            Value::String(value) => serializer.serialize_str(value),
            Value::Time(value) => serializer.serialize_str(&text(*value)),
            Value::List(values) => serializer.collect_seq(values),
            Value::Map(values) => serializer.collect_map(values),
        }
    }
}

fn negative_zero(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}
