//! `stagegate audit show`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::value::RawValue;
use stagegate::Style;
use stagegate::schedule::Zone;
use stagegate_audit::{Entry, Log, LogError, Record, Review, Stored};

use crate::failure::{Failure, Kind};
use crate::output::{Output, plain};
use crate::when;

/// One decision as it was printed that day, and who has reviewed it
///
/// Times are in the zone of the policy that decided.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  stagegate audit show decisions.log 0198c0de
  stagegate audit show decisions.log 0198c0de --request > request.json\n
JSON: {seq, entry, reviews}, where entry is the line of the log and reviews are [{id, recorded, by, note}].")]
pub struct Show {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The id of a record, or its beginning
    #[arg(value_name = "ID")]
    id: String,
    /// Print the request that was decided, in JSON, and nothing else
    #[arg(long)]
    request: bool,
}

/// The one record whose id begins so.
pub fn find(log: &Log, id: &str) -> Result<Stored, Failure> {
    let failed = |error: LogError| Failure::log(&error);
    let found = log.find_by_prefix(id.trim(), 4).map_err(failed)?;
    match found.as_slice() {
        [] => Err(Failure::log(&LogError::NoRecord(plain(id)))),
        [(seq, _)] => log.entry(*seq).map_err(failed)?.ok_or_else(|| failed(LogError::NoRecord(plain(id)))),
        several => {
            let ids: Vec<String> = several.iter().take(3).map(|(_, id)| id.to_string()).collect();
            let more = if several.len() > 3 { ", …" } else { "" };
            let message = format!("several records have ids that begin with {}", plain(id));
            Err(Failure::new(Kind::Log, message).help(format!("they are {}{more}", ids.join(", "))))
        }
    }
}

#[derive(serde::Serialize)]
struct Shown {
    seq: u64,
    entry: Box<RawValue>,
    reviews: Vec<Reviewed>,
}

#[derive(serde::Serialize)]
struct Reviewed {
    id: String,
    recorded: chrono::DateTime<chrono::Utc>,
    by: String,
    note: String,
}

pub fn run(args: &Show, output: &Output) -> Result<u8, Failure> {
    let failed = |error: LogError| Failure::log(&error);
    let log = Log::read(&args.log).map_err(failed)?;
    let stored = find(&log, &args.id)?;
    let entry = stored.entry().map_err(failed)?;
    if args.request {
        let Entry::Decision(record) = &entry else {
            return Err(Failure::new(Kind::Log, format!("{} is no decision, and has no request", entry.id())));
        };
        output.raw(&(record.request.to_json() + "\n"))?;
        return Ok(0);
    }
    let reviews = log.reviews(stored.seq).map_err(failed)?;
    if output.is_json() {
        let entry = RawValue::from_string(stored.json)
            .map_err(|error| failed(LogError::Damaged { seq: stored.seq, why: error.to_string() }))?;
        let reviews = reviews.into_iter().map(|review| Reviewed {
            id: review.id.to_string(),
            recorded: review.recorded,
            by: review.by,
            note: review.note,
        });
        output.json(&Shown { seq: stored.seq, entry, reviews: reviews.collect() })?;
        return Ok(0);
    }
    let text = match entry {
        Entry::Decision(record) => decision(&log, stored.seq, *record, &reviews, output)?,
        Entry::Review(review) => {
            let of = review.of;
            format!("A review of {of}\n{}", reviewed(&review, Zone::UTC))
        }
        Entry::Dropped(dropped) => format!(
            "{} decisions were not recorded, between {} and {}: {}\n",
            dropped.count,
            when::person(dropped.since, Zone::UTC),
            when::person(dropped.until, Zone::UTC),
            plain(&dropped.why)
        ),
        _ => plain(&stored.json) + "\n",
    };
    output.text(&text)?;
    Ok(0)
}

fn decision(log: &Log, seq: u64, record: Record, reviews: &[Review], output: &Output) -> Result<String, Failure> {
    let policy = record.policy().clone();
    let kept = log.policy_text(&policy.digest).map_err(|error| Failure::log(&error))?;
    let zone = kept.and_then(|policy| Zone::parse(&policy.zone)).unwrap_or(Zone::UTC);
    let mut text = format!("Record {}, number {seq}\n", record.id);
    let mut line = |what: &str, value: &str| text.push_str(&format!("  {what:<9} {}\n", plain(value)));
    line("recorded", &when::person(record.recorded, zone));
    if let Some(who) = &record.asked_by {
        line("asked by", who);
    }
    line("policy", &format!("{} {}", policy.name, policy.digest));
    line("engine", &format!("{}, language {}, time zones {}", record.engine, policy.language, record.tzdb));
    if !record.withheld.is_empty() {
        line("withheld", &record.withheld.join(", "));
    }
    text.push('\n');
    let style = Style { colour: output.colour, width: output.width() };
    text.push_str(&record.decision.print_in(zone).render(&style));
    for review in reviews {
        text.push('\n');
        text.push_str(&reviewed(review, zone));
    }
    Ok(text)
}

fn reviewed(review: &Review, zone: Zone) -> String {
    let note = review.note.lines().map(|line| format!("  {}\n", plain(line)));
    let head = format!("Reviewed by {} on {}\n", plain(&review.by), when::person(review.recorded, zone));
    std::iter::once(head).chain(note).collect()
}
