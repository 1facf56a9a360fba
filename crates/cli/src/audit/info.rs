//! `stagegate audit info`

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::{Head, Log};

use crate::failure::{Failure, count};
use crate::output::{Output, plain};

/// What a log is: its name, how much is in it, since when
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  stagegate audit info decisions.log\n
JSON: {path, origin, created, predecessor, records, bytes, first, last, policies: [{digest, name, language, zone}]};
first and last are when they were recorded, null in an empty log; predecessor is the log that this one goes on
from, {origin, size, root} with root in hex, or null.")]
pub struct Info {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
}

#[derive(Serialize)]
struct Shown {
    path: String,
    origin: String,
    created: DateTime<Utc>,
    predecessor: Option<Predecessor>,
    records: u64,
    bytes: u64,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    policies: Vec<Policy>,
}

/// The log that one goes on from, as it stood when it was closed.
#[derive(Serialize)]
pub struct Predecessor {
    origin: String,
    size: u64,
    root: String,
}

impl From<&Head> for Predecessor {
    fn from(head: &Head) -> Predecessor {
        let root = head.root.iter().map(|byte| format!("{byte:02x}")).collect();
        Predecessor { origin: head.origin.clone(), size: head.size, root }
    }
}

#[derive(Serialize)]
struct Policy {
    digest: String,
    name: String,
    language: u32,
    zone: String,
}

pub fn run(args: &Info, output: &Output) -> Result<u8, Failure> {
    let shown = shown(args).map_err(|error| Failure::log(&error))?;
    if output.is_json() {
        output.json(&shown)?;
        return Ok(0);
    }
    let mut text = format!("{}\n", plain(&shown.path));
    let mut line = |what: &str, value: &str| text.push_str(&format!("  {what:<9} {}\n", plain(value)));
    line("origin", &shown.origin);
    line("created", &shown.created.to_rfc3339());
    if let Some(before) = &shown.predecessor {
        let records = count(usize::try_from(before.size).unwrap_or(usize::MAX), "record");
        line("after", &format!("{}, {records}, root {}", before.origin, before.root));
    }
    line("records", &shown.records.to_string());
    line("size", &count(usize::try_from(shown.bytes).unwrap_or(usize::MAX), "byte"));
    if let (Some(first), Some(last)) = (shown.first, shown.last) {
        line("first", &first.to_rfc3339());
        line("last", &last.to_rfc3339());
    }
    for policy in &shown.policies {
        line("policy", &format!("{} {}", policy.name, policy.digest));
    }
    output.text(&text)?;
    Ok(0)
}

fn shown(args: &Info) -> Result<Shown, stagegate_audit::LogError> {
    let log = Log::read(&args.log)?;
    let records = log.len()?;
    let recorded = |seq: Option<u64>| match seq {
        None => Ok(None),
        Some(seq) => log.entry(seq)?.map(|stored| stored.entry().map(|entry| entry.recorded())).transpose(),
    };
    let mut policies = Vec::new();
    for digest in log.policies()? {
        if let Some(text) = log.policy_text(&digest)? {
            policies.push(Policy { digest, name: text.name, language: text.language, zone: text.zone });
        }
    }
    Ok(Shown {
        path: args.log.display().to_string(),
        origin: log.origin()?,
        created: log.created()?,
        predecessor: log.predecessor()?.as_ref().map(Predecessor::from),
        records,
        bytes: std::fs::metadata(&args.log).map_or(0, |file| file.len()),
        first: recorded((records > 0).then_some(0))?,
        last: recorded(records.checked_sub(1))?,
        policies,
    })
}
