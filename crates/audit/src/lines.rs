//! Lines of JSON from a stranger: bounded in length, and every complaint says which line.

use std::io::{BufRead, Read};

use serde::{Deserialize, Serialize};
use stagegate::Policy;

use crate::{Entry, LogError, PolicyText};

/// Bytes that one line may have: as many as a log records.
pub const MAX_LINE: usize = crate::log::body::LONGEST;

/// One line of an export.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Line {
    /// The sources of a policy. It stands before the first decision of that policy.
    Policy(PolicyLine),
    /// An entry, with the bytes it was written in.
    Entry {
        /// What it says.
        entry: Box<Entry>,
        /// The line, without its end.
        json: String,
    },
}

/// The sources of a policy, as an export carries them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyLine {
    kind: String,
    v: u32,
    /// Its digest; reading has checked that the sources have it.
    pub digest: String,
    /// Its name.
    pub name: String,
    /// The version of the language.
    pub language: u32,
    /// Its time zone.
    pub zone: String,
    /// Name and text of each of its files, the root first.
    pub sources: Vec<(String, String)>,
}

const POLICY: &str = "policy";
/// The version of the shape of a policy's line.
const POLICY_VERSION: u32 = 1;

impl PolicyLine {
    /// Of a policy as the log keeps it.
    pub fn new(policy: PolicyText) -> PolicyLine {
        let PolicyText { digest, name, language, zone, sources } = policy;
        PolicyLine { kind: POLICY.into(), v: POLICY_VERSION, digest, name, language, zone, sources }
    }

    /// As a log keeps it.
    pub fn text(&self) -> PolicyText {
        PolicyText::new(&self.name, self.language, &self.zone, self.sources.clone())
    }

    /// As one line, without its end.
    pub fn to_json(&self) -> String {
        // Texts and a number: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn digest_of(sources: &[(String, String)]) -> String {
    Policy::digest_of(sources.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

impl Line {
    /// Reads one line, without its end.
    ///
    /// # Errors
    /// When it is neither an entry nor a policy of a version known here, or a policy whose sources have another digest.
    pub fn from_json(json: &str) -> Result<Line, LogError> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow)]
            kind: std::borrow::Cow<'a, str>,
        }
        let is_policy = serde_json::from_str::<Head<'_>>(json).is_ok_and(|head| head.kind == POLICY);
        if !is_policy {
            let entry = Box::new(Entry::from_json(json)?);
            return Ok(Line::Entry { entry, json: json.to_string() });
        }
        let policy: PolicyLine = serde_json::from_str(json)
            .map_err(|error| LogError::Invalid(format!("it is no policy of a decision log: {error}")))?;
        if policy.v != POLICY_VERSION {
            let message = format!("its version is {}, and {POLICY_VERSION} is what is read here", policy.v);
            return Err(LogError::Invalid(message));
        }
        let digest = digest_of(&policy.sources);
        if digest != policy.digest {
            let message = format!("the policy's digest is given as {}, and its sources have {digest}", policy.digest);
            return Err(LogError::Invalid(message));
        }
        Ok(Line::Policy(policy))
    }
}

/// Reads the lines of an export one after the other.
#[derive(Debug)]
pub struct LineReader<R> {
    from: R,
    /// What to call it in messages.
    name: String,
    number: u64,
    limit: usize,
    buffer: Vec<u8>,
}

impl<R: BufRead> LineReader<R> {
    /// Reads from here; messages call it by that name.
    pub fn new(from: R, name: impl Into<String>) -> LineReader<R> {
        LineReader { from, name: name.into(), number: 0, limit: MAX_LINE, buffer: Vec::new() }
    }

    /// Bytes that a line may have.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> LineReader<R> {
        self.limit = bytes;
        self
    }

    /// The number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// An error about the line that was read last.
    pub fn wrong(&self, why: impl std::fmt::Display) -> LogError {
        LogError::Invalid(format!("{}, line {}: {why}", self.name, self.number))
    }

    fn read(&mut self) -> Result<Option<Line>, LogError> {
        self.buffer.clear();
        self.number += 1;
        let most = (self.limit as u64).saturating_add(1);
        let read = self.from.by_ref().take(most).read_until(b'\n', &mut self.buffer);
        match read {
            Err(error) => return Err(self.wrong(format!("it cannot be read: {error}"))),
            Ok(0) => return Ok(None),
            Ok(_) => {}
        }
        match self.buffer.strip_suffix(b"\n") {
            // A file that has been through Windows; no line of a log ends so.
            Some(line) => self.buffer.truncate(line.strip_suffix(b"\r").unwrap_or(line).len()),
            None if self.buffer.len() > self.limit => {
                return Err(self.wrong(format!("it is longer than {} bytes", self.limit)));
            }
            None => {}
        }
        let Ok(json) = std::str::from_utf8(&self.buffer) else { return Err(self.wrong("it is not UTF-8")) };
        if json.is_empty() {
            return Err(self.wrong("it is empty"));
        }
        Line::from_json(json).map(Some).map_err(|error| self.wrong(error))
    }
}

impl<R: BufRead> Iterator for LineReader<R> {
    type Item = Result<Line, LogError>;

    /// The next line; none after the first that is wrong.
    fn next(&mut self) -> Option<Self::Item> {
        if self.limit == 0 {
            return None;
        }
        let line = self.read().transpose();
        if matches!(line, Some(Err(_))) {
            self.limit = 0;
        }
        line
    }
}
