//! As much of a line as deciding again needs, without building the decision that is in it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use stagegate::{Limits, Request, Status, Verdict};

use crate::record::ENTRY_VERSION;
use crate::{Id, LogError};

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    v: u32,
    id: Id,
    #[serde(borrow, default)]
    engine: Cow<'a, str>,
    #[serde(borrow, default)]
    tzdb: Cow<'a, str>,
    #[serde(default)]
    withheld: Vec<String>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow)]
    decision: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Head<'a> {
    verdict: Verdict,
    #[serde(borrow)]
    policy: Policy<'a>,
    #[serde(borrow)]
    stage: Cow<'a, str>,
    at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Policy<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    digest: Cow<'a, str>,
}

/// A decision of the log.
pub(super) struct Recorded<'a> {
    pub seq: u64,
    pub id: Id,
    pub engine: Cow<'a, str>,
    pub tzdb: Cow<'a, str>,
    pub withheld: Vec<String>,
    /// In JSON.
    pub request: &'a str,
    /// In JSON.
    pub decision: &'a str,
    pub verdict: Verdict,
    pub policy: Cow<'a, str>,
    pub digest: Cow<'a, str>,
    pub stage: Cow<'a, str>,
    pub at: DateTime<Utc>,
}

/// How the rules stood.
#[derive(Deserialize)]
pub(super) struct Rules {
    pub rules: Vec<Rule>,
    pub blocking: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Rule {
    pub rule: String,
    pub status: Status,
}

impl<'a> Recorded<'a> {
    /// Reads a line; `None` for what is no decision.
    pub fn read(seq: u64, json: &'a str) -> Result<Option<Recorded<'a>>, LogError> {
        let damaged = |error: serde_json::Error| LogError::Damaged { seq, why: error.to_string() };
        let Line { kind, v, id, engine, tzdb, withheld, request, decision } =
            serde_json::from_str(json).map_err(damaged)?;
        if v != ENTRY_VERSION {
            let why = format!("its version is {v}, and {ENTRY_VERSION} is what is read here");
            return Err(LogError::Damaged { seq, why });
        }
        if kind != "decision" {
            return Ok(None);
        }
        let (Some(request), Some(decision)) = (request, decision) else {
            return Err(LogError::Damaged { seq, why: "its request or its decision is missing".into() });
        };
        let (request, decision) = (request.get(), decision.get());
        let Head { verdict, policy, stage, at } = serde_json::from_str(decision).map_err(damaged)?;
        let Policy { name: policy, digest } = policy;
        Ok(Some(Recorded { seq, id, engine, tzdb, withheld, request, decision, verdict, policy, digest, stage, at }))
    }

    /// The request. It was decided once, so it is not too large now.
    pub fn request(&self) -> Result<Request, LogError> {
        let unlimited = Limits { request_bytes: usize::MAX, request_entries: usize::MAX, ..Limits::default() };
        Request::from_json_with(self.request.as_bytes(), &unlimited)
            .map_err(|error| LogError::Damaged { seq: self.seq, why: error.to_string() })
    }

    /// How the rules stood.
    pub fn rules(&self) -> Result<Rules, LogError> {
        serde_json::from_str(self.decision).map_err(|error| LogError::Damaged { seq: self.seq, why: error.to_string() })
    }
}
