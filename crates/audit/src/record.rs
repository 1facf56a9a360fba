//! What the log holds: decisions, reviews of overrides, and what a sink had to drop. Each is one line of JSON, and it is
//! these bytes that the log hashes, exports and reads back.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stagegate::{Decided, Decision, PolicyRef, Request, Value};

use crate::LogError;
use crate::secret::SecretKey;

/// The name of an entry: a UUID of version 7, so that ids sort by the time of recording (to the millisecond).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(uuid::Uuid);

impl Id {
    /// A new one, later than all that this process has made before.
    pub fn new() -> Id {
        Id(uuid::Uuid::now_v7())
    }

    /// From its 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Id {
        Id(uuid::Uuid::from_bytes(bytes))
    }

    /// Its 16 bytes, which sort as it does.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl Default for Id {
    fn default() -> Id {
        Id::new()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

impl FromStr for Id {
    type Err = LogError;
    fn from_str(text: &str) -> Result<Id, LogError> {
        let wrong = |_| LogError::Invalid(format!("`{text}` is not the id of a record, such as {}", uuid::Uuid::nil()));
        text.parse().map(Id).map_err(wrong)
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The version of the shape of an entry in JSON.
pub const ENTRY_VERSION: u32 = 1;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Entry {
    /// A decision.
    Decision(Box<Record>),
    /// Somebody has looked at a decision, most often at its override.
    Review(Review),
    /// Decisions that a best-effort sink could not record.
    Dropped(Dropped),
}

/// A decision as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name.
    pub id: Id,
    /// When it was recorded, by the clock of the machine; the decision's own `at` is the instant decided for.
    pub recorded: DateTime<Utc>,
    /// Who asked, if the tool said so.
    pub asked_by: Option<String>,
    /// The version of the engine that decided.
    pub engine: String,
    /// The version of the time zone data that it decided with, such as `2025b`.
    pub tzdb: String,
    /// The facts of the request whose values are withheld: the policy calls them secret. In the request, each stands
    /// as `{"withheld": "hmac-sha256:…"}`.
    pub withheld: Vec<String>,
    /// What was asked.
    pub request: Request,
    /// What was answered. The policy's name, digest and language version are in it.
    pub decision: Decision,
}

impl Record {
    /// The policy that decided.
    pub fn policy(&self) -> &PolicyRef {
        self.decision.policy()
    }

    /// Of what was decided just now. The values of secret facts are replaced by digests under the key.
    pub fn new(decided: &Decided<'_>, recorded: DateTime<Utc>, key: &SecretKey) -> Record {
        let mut request = decided.request.clone();
        let mut withheld = Vec::new();
        for name in decided.policy.secret_facts() {
            if let Some(value) = request.facts.get_mut(name)
                && *value != Value::Null
            {
                let digest = key.digest(name, value);
                *value = Value::Map([("withheld".to_string(), Value::String(digest))].into());
                withheld.push(name.to_string());
            }
        }
        Record {
            id: Id::new(),
            recorded,
            asked_by: decided.asked_by.map(str::to_string),
            engine: stagegate::VERSION.to_string(),
            tzdb: chrono_tz::IANA_TZDB_VERSION.to_string(),
            withheld,
            request,
            decision: decided.decision.clone(),
        }
    }
}

/// Somebody has looked at a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// Its name.
    pub id: Id,
    /// When it was recorded.
    pub recorded: DateTime<Utc>,
    /// The decision looked at.
    pub of: Id,
    /// Who looked.
    pub by: String,
    /// What they have to say.
    pub note: String,
}

/// Decisions that a best-effort sink could not record: how many, between which instants, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// Its name.
    pub id: Id,
    /// When it was recorded.
    pub recorded: DateTime<Utc>,
    /// How many.
    pub count: u64,
    /// When the first was dropped.
    pub since: DateTime<Utc>,
    /// When the last was dropped.
    pub until: DateTime<Utc>,
    /// Why the last was dropped.
    pub why: String,
}

impl Entry {
    /// Its name.
    pub fn id(&self) -> Id {
        match self {
            Entry::Decision(record) => record.id,
            Entry::Review(review) => review.id,
            Entry::Dropped(dropped) => dropped.id,
        }
    }

    /// When it was recorded.
    pub fn recorded(&self) -> DateTime<Utc> {
        match self {
            Entry::Decision(record) => record.recorded,
            Entry::Review(review) => review.recorded,
            Entry::Dropped(dropped) => dropped.recorded,
        }
    }

    /// The entry as one line of JSON, without the newline. These bytes are the leaf of the log's tree.
    pub fn to_json(&self) -> String {
        let v = ENTRY_VERSION;
        // Texts and numbers: this cannot fail.
        let written = match self {
            Entry::Decision(record) => {
                let Record { id, recorded, asked_by, engine, tzdb, withheld, request, decision } = &**record;
                let asked_by = asked_by.as_deref();
                let line =
                    DecisionHead { kind: DECISION, v, id: *id, recorded: *recorded, asked_by, engine, tzdb, withheld };
                let mut bytes = Vec::with_capacity(4_096);
                let written = serde_json::to_writer(&mut bytes, &line).and_then(|()| {
                    bytes.pop();
                    bytes.extend_from_slice(b",\"request\":");
                    serde_json::to_writer(&mut bytes, request)?;
                    bytes.extend_from_slice(b",\"decision\":");
                    bytes.extend_from_slice(decision.to_json().as_bytes());
                    Ok(())
                });
                bytes.push(b'}');
                return written.ok().and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_default();
            }
            Entry::Review(review) => serde_json::to_string(&Line { kind: REVIEW.into(), v, of: review }),
            Entry::Dropped(dropped) => serde_json::to_string(&Line { kind: DROPPED.into(), v, of: dropped }),
        };
        written.unwrap_or_default()
    }

    /// Reads what [`Entry::to_json`] wrote, of this version or another that writes entries of the same version: white space,
    /// the order of the keys, and keys that are not known here are of no account. In the request every key has to be known:
    /// what it asks for is not passed over.
    ///
    /// # Errors
    /// When it is not an entry of a version known here.
    pub fn from_json(json: &str) -> Result<Entry, LogError> {
        let invalid = |why: &dyn fmt::Display| LogError::Invalid(format!("it is no entry of a decision log: {why}"));
        let head: Head = serde_json::from_str(json).map_err(|error| invalid(&error))?;
        if head.v != ENTRY_VERSION {
            return Err(invalid(&format!("its version is {}, and {ENTRY_VERSION} is what is read here", head.v)));
        }
        match head.kind.as_str() {
            DECISION => {
                let line: DecisionLine = serde_json::from_str(json).map_err(|error| invalid(&error))?;
                let DecisionLine { id, recorded, asked_by, engine, tzdb, withheld, .. } = line;
                let unlimited = stagegate::Limits {
                    request_bytes: usize::MAX,
                    request_entries: usize::MAX,
                    ..stagegate::Limits::default()
                };
                let request = Request::from_json_with(line.request.get().as_bytes(), &unlimited);
                let request = request.map_err(|error| invalid(&error))?;
                let decision = serde_json::from_str(line.decision.get()).map_err(|error| invalid(&error))?;
                let record = Record { id, recorded, asked_by, engine, tzdb, withheld, request, decision };
                Ok(Entry::Decision(Box::new(record)))
            }
            REVIEW => Ok(Entry::Review(of(json).map_err(|error| invalid(&error))?)),
            DROPPED => Ok(Entry::Dropped(of(json).map_err(|error| invalid(&error))?)),
            other => Err(invalid(&format!("there is no kind {other}"))),
        }
    }
}

const DECISION: &str = "decision";
const REVIEW: &str = "review";
const DROPPED: &str = "dropped";

/// What every line begins with.
#[derive(Deserialize)]
struct Head {
    kind: String,
    v: u32,
}

/// A decision's line up to what is JSON already; [`DecisionLine`] is the whole.
#[derive(Serialize)]
struct DecisionHead<'a> {
    kind: &'a str,
    v: u32,
    id: Id,
    recorded: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<&'a str>,
    engine: &'a str,
    tzdb: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    withheld: &'a [String],
}

#[derive(Deserialize)]
struct DecisionLine {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "v")]
    _v: u32,
    id: Id,
    recorded: DateTime<Utc>,
    #[serde(default)]
    asked_by: Option<String>,
    engine: String,
    tzdb: String,
    #[serde(default)]
    withheld: Vec<String>,
    request: Box<RawValue>,
    decision: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct Line<T> {
    kind: String,
    v: u32,
    #[serde(flatten)]
    of: T,
}

fn of<T: serde::de::DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    serde_json::from_str::<Line<T>>(json).map(|line| line.of)
}
