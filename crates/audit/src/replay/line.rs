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
#[derive(Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Rules {
    pub rules: Vec<Rule>,
    pub blocking: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Rule {
    pub rule: String,
    pub status: Status,
}

impl<'a> Recorded<'a> {
    /// Reads a line; `None` for what is no decision. Of a line as this version writes it no more is looked at than is
    /// wanted here: whether the rest of it is what was recorded is for [`verify`](crate::verify()) to tell.
    pub fn read(seq: u64, json: &'a str) -> Result<Option<Recorded<'a>>, LogError> {
        match quick(seq, json) {
            Some(recorded) => Ok(Some(recorded)),
            None => Recorded::parse(seq, json),
        }
    }

    /// The same of a line that is written in another way.
    fn parse(seq: u64, json: &'a str) -> Result<Option<Recorded<'a>>, LogError> {
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

    /// The request.
    pub fn request(&self) -> Result<Request, LogError> {
        request(self.seq, self.request)
    }

    /// How the rules stood.
    pub fn rules(&self) -> Result<Rules, LogError> {
        serde_json::from_str(self.decision).map_err(|error| LogError::Damaged { seq: self.seq, why: error.to_string() })
    }
}

/// A recorded request. It was decided once, so it is not too large now.
pub(super) fn request(seq: u64, json: &str) -> Result<Request, LogError> {
    let unlimited = Limits { request_bytes: usize::MAX, request_entries: usize::MAX, ..Limits::default() };
    Request::from_json_with(json.as_bytes(), &unlimited)
        .map_err(|error| LogError::Damaged { seq, why: error.to_string() })
}

/// What is no JSON at all was not recorded.
pub(super) fn is_json(seq: u64, request: &str) -> Result<(), LogError> {
    let read = serde_json::from_str::<serde::de::IgnoredAny>(request);
    read.map(drop).map_err(|error| LogError::Damaged { seq, why: error.to_string() })
}

/// Reads a line that has what is wanted where this version writes it; anything else, right or wrong, is refused.
fn quick(seq: u64, json: &str) -> Option<Recorded<'_>> {
    const _: () = assert!(ENTRY_VERSION == 1);
    let mut rest = Rest(json);
    rest.eat("{\"kind\":\"decision\",\"v\":1,\"id\":")?;
    let id = rest.text()?.parse().ok()?;
    rest.eat(",\"recorded\":")?;
    rest.text()?;
    if rest.eat(",\"asked_by\":").is_some() {
        rest.text()?;
    }
    rest.eat(",\"engine\":")?;
    let engine = rest.text()?.into();
    rest.eat(",\"tzdb\":")?;
    let tzdb = rest.text()?.into();
    let mut withheld = Vec::new();
    if rest.eat(",\"withheld\":[").is_some() {
        withheld.push(rest.text()?.to_string());
        while rest.eat(",").is_some() {
            withheld.push(rest.text()?.to_string());
        }
        rest.eat("]")?;
    }
    rest.eat(",\"request\":")?;
    let request = rest.object()?;
    rest.eat(",\"decision\":")?;
    let decision = rest.0.strip_suffix('}').filter(|decision| decision.ends_with('}'))?;
    rest.eat("{\"verdict\":")?;
    let verdict = match rest.text()? {
        "allow" => Verdict::Allow,
        "hold" => Verdict::Hold,
        "deny" => Verdict::Deny,
        _ => return None,
    };
    rest.eat(",\"policy\":{\"name\":")?;
    let policy = rest.text()?.into();
    rest.eat(",\"digest\":")?;
    let digest = rest.text()?.into();
    rest.eat(",\"language\":")?;
    rest.0 = rest.0.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.eat("},\"stage\":")?;
    let stage = rest.text()?.into();
    rest.eat(",\"build\":")?;
    rest.text()?;
    rest.eat(",\"at\":")?;
    let at = rest.text()?.parse().ok()?;
    rest.eat(",\"rules\":[")?;
    Some(Recorded { seq, id, engine, tzdb, withheld, request, decision, verdict, policy, digest, stage, at })
}

/// What of a line is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn eat(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// A text in quotes that has no escapes.
    fn text(&mut self) -> Option<&'a str> {
        let inside = self.0.strip_prefix('"')?;
        let end = stop(inside.as_bytes())?;
        let (text, rest) = inside.split_at_checked(end)?;
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    /// An object, up to the bracket that closes it.
    fn object(&mut self) -> Option<&'a str> {
        let bytes = self.0.as_bytes();
        let mut depth = 0_usize;
        let mut at = 0;
        loop {
            match bytes.get(at)? {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        break;
                    }
                }
                b'"' => loop {
                    at += 1;
                    at += stop(bytes.get(at..)?)?;
                    if bytes.get(at) == Some(&b'"') {
                        break;
                    }
                    at += 1;
                },
                _ if depth == 0 => return None,
                _ => {}
            }
            at += 1;
        }
        let (object, rest) = self.0.split_at_checked(at + 1)?;
        self.0 = rest;
        object.starts_with('{').then_some(object)
    }
}

/// Where the next quote or backslash is.
fn stop(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The highest bit of each byte that is this one; above the first of them there may be others that are not.
    let is = |word: u64, byte: u8| {
        let word = word ^ (ONES * u64::from(byte));
        word.wrapping_sub(ONES) & !word & (ONES << 7)
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (place, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let found = is(word, b'"') | is(word, b'\\');
        if found != 0 {
            return Some(place * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(chunks.len() * 8 + found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::{Entry, Record, SecretKey};
    use proptest::prelude::*;
    use stagegate::{Build, Decided, Policy, Value};

    /// A line with a bit of everything.
    fn line(text: &str, asked_by: Option<&str>, secret: bool) -> String {
        let policy = Policy::parse(
            "p.gate",
            "policy p fact key : string secret fact pin : number secret stage Dev { require a: key == \"x\" }",
        );
        let policy = policy.unwrap();
        let now = "2026-03-04T18:00:00.125Z".parse().unwrap();
        let map = Value::Map([("decision".to_string(), Value::from("}]{")), (text.to_string(), Value::Null)].into());
        let mut request = Request::to("Dev").build(Build::new(text).labels([text, "b"])).at(now).fact("decision", map);
        if secret {
            request = request.fact("key", "y").fact("pin", 4);
        }
        let decision = policy.decide(&request).unwrap();
        let mut decided = Decided::new(&policy, &request, &decision);
        if let Some(by) = asked_by {
            decided = decided.asked_by(by);
        }
        Entry::Decision(Box::new(Record::new(&decided, now, &SecretKey::from_bytes([7; 32])))).to_json()
    }

    #[test]
    fn lines_as_they_are_written_are_read_quickly() {
        for (by, secret) in [(None, false), (Some("deploy-bot"), false), (Some("é"), true), (None, true)] {
            let line = line("2026.3.1", by, secret);
            let quick = quick(7, &line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(Some(&quick), Recorded::parse(7, &line).unwrap().as_ref());
            assert_eq!(quick.withheld.len(), if secret { 2 } else { 0 });
        }
    }

    proptest! {
        #[test]
        fn both_ways_read_the_same(
            text in "[a-z\"\\\\{}\\[\\],:é\u{1}]{1,12}",
            by in proptest::option::of("[a-z\"\\\\]{1,9}"),
            secret in any::<bool>(),
            changed in proptest::option::of((0..4_000_usize, any::<u8>())),
        ) {
            let mut line = line(&text, by.as_deref(), secret).into_bytes();
            if let Some((place, byte)) = changed {
                let place = place % line.len();
                line[place] = byte & 0x7f;
            }
            let Ok(line) = String::from_utf8(line) else { return Ok(()) };
            match (quick(7, &line), Recorded::parse(7, &line)) {
                (Some(quick), Ok(Some(slow))) => prop_assert_eq!(quick, slow),
                // Something is wrong in what is not looked at; if it is in the request, it is found when that is read.
                (Some(_), Err(_)) => {}
                (Some(_), Ok(None)) => prop_assert!(false, "{line}"),
                (None, _) => {}
            }
        }
    }
}
