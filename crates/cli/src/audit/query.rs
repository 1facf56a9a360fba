//! `stagegate audit query`

use std::ops::ControlFlow;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args as ClapArgs;
use stagegate::schedule::Zone;
use stagegate_audit::Log;
use stagegate_audit::query::{self as ask, By, Found, Order};

use super::rows::{Cell, Rows};
use crate::args::Format;
use crate::failure::{Failure, Kind, count};
use crate::output::{Output, plain};
use crate::when;

/// Ask a log for decisions, in the words of a policy
///
/// The question is a condition of the policy language over the fields of a record: verdict, stage, policy, policy.digest,
/// build.*, author, requester, asked-by, trigger, action, at, recorded, id, blocking, approvers, overrides, reviewed, and
/// the facts by their names; with `rule NAME is STATUS`, `blocked by RULE`, `overridden by NAME`, `approved by PERSON`,
/// `rejected by PERSON` and `reviewed by PERSON`, where `any` stands for each. Without a question all decisions are found.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  stagegate audit query decisions.log 'stage == Staging and verdict == allow and approved by amita'
  stagegate audit query decisions.log 'rule soak is overridden' --since 2026-01-01 --until 2026-03-31
  stagegate audit query decisions.log 'blocked by weekend' --by month --format csv
  stagegate audit query decisions.log 'overridden by any and not reviewed' --count\n
JSON: an array of {id, seq, at, recorded, policy, policy_digest, stage, build, verdict, action, trigger,
requester, asked_by, blocking, approved_by, overrides, reviewed_by}; with --by an array of the values
and their count; with --count {count}. csv and jsonl have the same columns.")]
pub struct Query {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The question
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    #[command(flatten)]
    range: Range,
    /// Count by these: fields, facts, or the day, week or month decided for
    #[arg(long, value_name = "FIELD", num_args = 1.., value_delimiter = ',')]
    by: Vec<String>,
    /// Print how many there are
    #[arg(long, conflicts_with_all = ["by", "limit", "newest"])]
    count: bool,
    /// Print at most so many
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// The last recorded first
    #[arg(long, conflicts_with = "by")]
    newest: bool,
}

/// From when to when.
#[derive(Debug, ClapArgs)]
pub struct Range {
    /// Only what was decided for this time or later
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Only what was decided for a time before this; a day counts whole
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// The time zone of days and local times, and of what is printed for people [default: UTC]
    #[arg(long, value_name = "TZ")]
    zone: Option<String>,
}

/// An end that may be open.
type Time = Option<DateTime<Utc>>;

impl Range {
    pub fn zone(&self) -> Result<Zone, Failure> {
        match &self.zone {
            None => Ok(Zone::UTC),
            Some(name) => Zone::parse(name).ok_or_else(|| {
                let failure = Failure::new(Kind::Zone, format!("there is no time zone `{}`", plain(name)));
                match stagegate::diagnostic::did_you_mean(name, Zone::names()) {
                    Some(help) => failure.help(help),
                    None => failure.help("write it as in `Europe/Berlin` or `UTC`"),
                }
            }),
        }
    }

    /// Both ends, the second exclusive.
    pub fn ends(&self, zone: Zone) -> Result<(Time, Time), Failure> {
        let since = self.since.as_deref().map(|text| when::parse("--since", text, zone)).transpose()?;
        let until = self.until.as_deref().map(|text| {
            let at = when::parse("--until", text, zone)?;
            let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok();
            Ok(day.and_then(|day| stagegate::shared::day(zone, day)).map_or(at, |(_, end)| end))
        });
        let until = until.transpose()?;
        if let (Some(since), Some(until)) = (since, until)
            && until <= since
        {
            return Err(Failure::new(Kind::Time, "--until is not later than --since"));
        }
        Ok((since, until))
    }
}

pub fn run(args: &Query, output: &Output) -> Result<u8, Failure> {
    let zone = args.range.zone()?;
    let query = ask::Query::parse(&args.query, zone).map_err(|error| Failure::query(&error))?;
    let (since, until) = args.range.ends(zone)?;
    let query = since.into_iter().fold(query, ask::Query::since);
    let query = until.into_iter().fold(query, ask::Query::until);
    let by = args.by.iter().map(|by| By::parse(by, zone)).collect::<Result<Vec<_>, _>>();
    let by = by.map_err(|error| Failure::query(&error))?;
    let log = Log::read(&args.log).map_err(|error| Failure::log(&error))?;
    if args.count {
        return counted(&log, &query, output);
    }
    if !by.is_empty() {
        return grouped(&log, &query, &by, args.limit, output);
    }
    let people = output.format == Format::Text;
    let columns: &[&str] = if people { PEOPLE } else { TOOLS };
    let mut rows = Rows::new(output, columns.iter().copied());
    let limit = args.limit.unwrap_or(u64::MAX);
    let mut failed = None;
    let mut more = false;
    let order = if args.newest { Order::Newest } else { Order::Oldest };
    let selected = log.select(&query, order, |found| {
        if rows.count() >= limit {
            more = true;
            return ControlFlow::Break(());
        }
        match rows.push(if people { for_people(&found, zone) } else { for_tools(&found) }) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Some(failure);
                ControlFlow::Break(())
            }
        }
    });
    selected.map_err(|error| Failure::log(&error))?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    let count = rows.finish()?;
    if people {
        let said = said(count);
        output.note(&if more { format!("the first {said}; there are more\n") } else { format!("{said}\n") });
    }
    Ok(0)
}

fn said(found: u64) -> String {
    count(usize::try_from(found).unwrap_or(usize::MAX), "decision")
}

fn whole(count: u64) -> Cell {
    Cell::Whole(i64::try_from(count).unwrap_or(i64::MAX))
}

fn counted(log: &Log, query: &ask::Query, output: &Output) -> Result<u8, Failure> {
    let count = log.count(query).map_err(|error| Failure::log(&error))?;
    match output.format {
        Format::Text => output.text(&format!("{count}\n"))?,
        Format::Json => output.json(&serde_json::json!({ "count": count }))?,
        _ => {
            let mut rows = Rows::new(output, ["count"]);
            rows.push(vec![whole(count)])?;
            rows.finish()?;
        }
    }
    Ok(0)
}

fn grouped(log: &Log, query: &ask::Query, by: &[By], limit: Option<u64>, output: &Output) -> Result<u8, Failure> {
    let groups = log.groups(query, by).map_err(|error| Failure::log(&error))?;
    let mut rows = Rows::new(output, by.iter().map(By::name).chain(["count".to_string()]));
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    for group in groups.iter().take(limit) {
        let mut row: Vec<Cell> = group.keys.iter().map(|key| Cell::of(key.as_deref())).collect();
        row.push(whole(group.count));
        rows.push(row)?;
    }
    rows.finish()?;
    Ok(0)
}

const PEOPLE: &[&str] = &["at", "verdict", "stage", "build", "requester", "id", "why"];

const TOOLS: &[&str] = &[
    "id",
    "seq",
    "at",
    "recorded",
    "policy",
    "policy_digest",
    "stage",
    "build",
    "verdict",
    "action",
    "trigger",
    "requester",
    "asked_by",
    "blocking",
    "approved_by",
    "overrides",
    "reviewed_by",
];

fn time(at: DateTime<Utc>) -> Cell {
    Cell::Text(at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

fn for_people(found: &Found, zone: Zone) -> Vec<Cell> {
    let decision = &found.record.decision;
    let mut why: Vec<String> = decision.blocking().to_vec();
    why.extend(found.overrides().into_iter().map(|name| format!("overridden by {name}")));
    vec![
        Cell::Text(when::person(decision.at(), zone)),
        Cell::Text(decision.verdict().to_string()),
        Cell::Text(decision.stage().to_string()),
        Cell::Text(decision.build().to_string()),
        Cell::of(found.requester()),
        Cell::Text(found.record.id.to_string()),
        Cell::List(why),
    ]
}

fn for_tools(found: &Found) -> Vec<Cell> {
    let (record, decision) = (&found.record, &found.record.decision);
    vec![
        Cell::Text(record.id.to_string()),
        whole(found.seq),
        time(decision.at()),
        time(record.recorded),
        Cell::Text(decision.policy().name.clone()),
        Cell::Text(decision.policy().digest.clone()),
        Cell::Text(decision.stage().to_string()),
        Cell::Text(decision.build().to_string()),
        Cell::Text(decision.verdict().to_string()),
        Cell::Text(found.action().to_string()),
        Cell::of(found.trigger()),
        Cell::of(found.requester()),
        Cell::of(record.asked_by.as_deref()),
        Cell::List(decision.blocking().to_vec()),
        Cell::List(found.approvers()),
        Cell::List(found.overrides()),
        Cell::List(found.reviewers.clone()),
    ]
}
