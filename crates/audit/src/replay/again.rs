//! Recorded requests under the very policy that decided them: is each decision the same, to the last byte?

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde_json::Value;
use stagegate::Policy;

use super::compare::{is_withheld, reasons};
use super::line::Recorded;
use super::secrets::Secrets;
use super::{Lines, NotDecided, Options, in_pieces};
use crate::{Id, LogError};

/// Whether a log can be decided again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Again {
    /// Records that were to be decided again.
    pub records: u64,
    /// Decided again, and every byte of the decision is the same.
    pub same: u64,
    /// Records of which that is not so.
    pub differ: Vec<Deviation>,
    /// Records that could not be decided because the value of a secret is not known.
    pub withheld: Vec<NotDecided>,
    /// The engine that decided again.
    pub engine: String,
    /// The time zone data that it decided with.
    pub tzdb: String,
}

/// A decision that comes out differently.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deviation {
    /// The record.
    pub id: Id,
    /// Its place in the log.
    pub seq: u64,
    /// The engine that had decided.
    pub engine: String,
    /// The time zone data that it had decided with.
    pub tzdb: String,
    /// Why there is no decision now, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where the decisions differ; of the first hundred records, and of each at most twenty places.
    pub differences: Vec<Difference>,
}

/// A place at which two decisions differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The place, as in `rules[2].detail`.
    pub path: String,
    /// What is recorded; null for nothing.
    pub was: Value,
    /// What is decided now; null for nothing.
    pub is: Value,
}

/// Records whose differences are told.
const TOLD: usize = 100;
/// Differences of one record that are told.
const PLACES: usize = 20;

#[derive(Default)]
struct Partial {
    records: u64,
    same: u64,
    differ: Vec<Deviation>,
    withheld: BTreeMap<String, Vec<Id>>,
}

/// Where policies come from: by their digest, as the log has kept them.
type Kept<'a> = &'a (dyn Fn(&str) -> Result<Policy, String> + Sync);
type Compiled = Mutex<HashMap<String, Arc<Result<Policy, String>>>>;

/// Decides every recorded request again under the policy that decided it, and compares all of the decisions.
/// `policies` gives the policy of a digest, or says why it cannot ([`Log::kept`](crate::Log::kept)); each is asked for once, or a few times when threads want it at the same
/// moment.
///
/// # Errors
/// When the log cannot be read or is damaged.
pub fn again(
    lines: &(impl Lines + ?Sized),
    policies: Kept<'_>,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Again, LogError> {
    let compiled = Compiled::default();
    let mut all = Partial::default();
    let each = |partial: &mut Partial, seq, line: &str| one(partial, seq, line, options, policies, &compiled);
    in_pieces(lines, options, progress, each, |mut partial: Partial| {
        all.records += partial.records;
        all.same += partial.same;
        let room = TOLD.saturating_sub(all.differ.len());
        for deviation in partial.differ.iter_mut().skip(room) {
            deviation.differences = Vec::new();
        }
        all.differ.extend(partial.differ);
        for (reason, ids) in partial.withheld {
            all.withheld.entry(reason).or_default().extend(ids);
        }
    })?;
    Ok(Again {
        records: all.records,
        same: all.same,
        differ: all.differ,
        withheld: reasons(all.withheld),
        engine: stagegate::VERSION.to_string(),
        tzdb: chrono_tz::IANA_TZDB_VERSION.to_string(),
    })
}

fn one(
    partial: &mut Partial,
    seq: u64,
    line: &str,
    options: &Options,
    policies: Kept<'_>,
    compiled: &Compiled,
) -> Result<(), LogError> {
    let Some(recorded) = Recorded::read(seq, line)?.filter(|recorded| options.wanted(recorded)) else {
        return Ok(());
    };
    partial.records += 1;
    let mut request = recorded.request()?;
    let left = Secrets::restore(options.secrets.as_ref(), &recorded.withheld, &mut request);
    if !left.is_empty() {
        partial.withheld.entry(is_withheld(&left)).or_default().push(recorded.id);
        return Ok(());
    }
    let policy = policy(&recorded.digest, policies, compiled);
    let decided = match &*policy {
        Ok(policy) => policy.decide(&request).map(|decision| decision.to_json()).map_err(|error| error.to_string()),
        Err(why) => Err(why.clone()),
    };
    let (error, differences) = match decided {
        Ok(json) if json == recorded.decision => {
            partial.same += 1;
            return Ok(());
        }
        Ok(_) if partial.differ.len() >= TOLD => (None, Vec::new()),
        Ok(json) => (None, differences(recorded.decision, &json)),
        Err(why) => (Some(why), Vec::new()),
    };
    partial.differ.push(Deviation {
        id: recorded.id,
        seq,
        engine: recorded.engine.to_string(),
        tzdb: recorded.tzdb.to_string(),
        error,
        differences,
    });
    Ok(())
}

fn policy(digest: &str, policies: Kept<'_>, compiled: &Compiled) -> Arc<Result<Policy, String>> {
    let known = |compiled: &Compiled| compiled.lock().ok().and_then(|known| known.get(digest).cloned());
    if let Some(policy) = known(compiled) {
        return policy;
    }
    let policy = match policies(digest) {
        Ok(policy) if policy.digest() != digest => {
            Err(format!("the policy kept under {digest} is {}", policy.digest()))
        }
        other => other,
    };
    let policy = Arc::new(policy);
    if let Ok(mut known) = compiled.lock() {
        known.insert(digest.to_string(), policy.clone());
    }
    policy
}

/// Where two decisions differ. If they are the same values, written in another way, that is told too.
fn differences(was: &str, is: &str) -> Vec<Difference> {
    let read = |json: &str| serde_json::from_str::<Value>(json).unwrap_or_else(|_| Value::String(json.to_string()));
    let mut found = Vec::new();
    walk(String::new(), &read(was), &read(is), &mut found);
    if found.is_empty() {
        let (was, is) = (Value::String(was.to_string()), Value::String(is.to_string()));
        found.push(Difference { path: "the bytes alone".into(), was, is });
    }
    found
}

/// Decisions nest a handful of levels; what is read was checked for depth when it was parsed.
fn walk(path: String, was: &Value, is: &Value, found: &mut Vec<Difference>) {
    if was == is || found.len() >= PLACES {
        return;
    }
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            for name in names {
                let dot = if path.is_empty() { "" } else { "." };
                let (was, is) = (was.get(name).unwrap_or(&Value::Null), is.get(name).unwrap_or(&Value::Null));
                walk(format!("{path}{dot}{name}"), was, is, found);
            }
        }
        (Value::Array(was), Value::Array(is)) => {
            for index in 0..was.len().max(is.len()) {
                let (was, is) = (was.get(index).unwrap_or(&Value::Null), is.get(index).unwrap_or(&Value::Null));
                walk(format!("{path}[{index}]"), was, is, found);
            }
        }
        (was, is) => found.push(Difference { path, was: was.clone(), is: is.clone() }),
    }
}
