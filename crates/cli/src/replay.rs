//! `stagegate replay`

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use serde::Serialize;
use stagegate::Verdict;
use stagegate::schedule::Zone;
use stagegate_audit::replay::{self, Again, Change, Comparison, NotDecided, Options, Secrets};
use stagegate_audit::{Id, Log, SecretKey};

use crate::args::Global;
use crate::audit::query::Range;
use crate::failure::{Failure, Kind, count};
use crate::output::{Output, plain};
use crate::{files, progress, when};

/// Decide every recorded request again: by another policy, or by the one that decided it
///
/// Each is decided for its own instant. Exits with 0, with 1 when something of --fail-on was found or a decision is not
/// the same under --self, with 2 for an error. Under --fail-on and --self a record that could not be decided again is a
/// reason to exit with 1, too.
#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("by").required(true).args(["policy", "own"]))]
#[command(after_help = "Examples:\n  stagegate replay decisions.log --policy new.gate --fail-on newly-allowed
  stagegate replay decisions.log --self --since 2026-01-01")]
pub struct Replay {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// Decide by this policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Decide by the recorded policies, and demand the same decisions to the last byte
    #[arg(long = "self")]
    own: bool,
    #[command(flatten)]
    range: Range,
    /// Only what a policy of this name decided
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// Exit with 1 if there is any of these; may be given several times
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',', conflicts_with = "own")]
    fail_on: Vec<FailOn>,
    /// Values to try for secrets: a JSON object with a list for each fact
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// The key of the log's secrets [default: the log's name with .secret-key]
    #[arg(long, value_name = "FILE", requires = "secrets")]
    secret_key: Option<PathBuf>,
    /// That the value of a secret is not known is no reason to exit with 1
    #[arg(long)]
    allow_withheld: bool,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    NewlyAllowed,
    NewlyHeld,
    NewlyDenied,
    Changed,
}

pub fn run(args: &Replay, global: &Global, output: &Output) -> Result<u8, Failure> {
    let wrong = |error| Failure::log(&error);
    let policy = args.policy.as_ref().map(|file| files::policy(file, global)).transpose()?;
    let zone = args.range.zone()?;
    let (since, until) = args.range.ends(zone)?;
    let options = Options::new().since(since).until(until).of(args.of.clone()).jobs(args.jobs).secrets(secrets(args)?);
    let log = Log::read(&args.log).map_err(wrong)?;
    let Some(policy) = policy else {
        let kept = |digest: &str| log.kept(digest);
        let again = replay::again(&log, &kept, &options, &mut progress::of("deciding again", output)).map_err(wrong)?;
        show(output, &again, || text_of_again(&again))?;
        let withheld = !args.allow_withheld && !again.withheld.is_empty();
        return Ok(u8::from(withheld || !again.differ.is_empty()));
    };
    let found = replay::compare(&log, &policy, &options, &mut progress::of("deciding again", output)).map_err(wrong)?;
    show(output, &found, || text_of_comparison(&found, zone))?;
    let fails = args.fail_on.iter().any(|what| match what {
        FailOn::NewlyAllowed => found.newly_allowed > 0,
        FailOn::NewlyHeld => found.newly_held > 0,
        FailOn::NewlyDenied => found.newly_denied > 0,
        FailOn::Changed => found.changed > 0,
    });
    let unknown = !found.undecided.is_empty() || !args.allow_withheld && !found.withheld.is_empty();
    Ok(u8::from(fails || unknown && !args.fail_on.is_empty()))
}

fn secrets(args: &Replay) -> Result<Option<Secrets>, Failure> {
    let Some(file) = &args.secrets else { return Ok(None) };
    let key = args.secret_key.clone().unwrap_or_else(|| crate::audit::record::key_beside(&args.log));
    let key = SecretKey::read(&key).map_err(|error| Failure::log(&error))?;
    let json = files::read(file, 16 << 20)
        .map_err(|error| Failure::new(Kind::File, format!("{}: {}", file.display(), files::why(&error))))?;
    Secrets::from_json(key, &json).map(Some).map_err(|error| Failure::log(&error))
}

fn show(output: &Output, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
    if output.is_json() { output.json(json) } else { output.text(&text()) }
}

/// The first few.
fn few(ids: &[Id]) -> String {
    let shown: Vec<String> = ids.iter().take(3).map(ToString::to_string).collect();
    let more = ids.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

fn not_decided(text: &mut String, list: &[NotDecided]) {
    for one in list {
        let reason: Vec<String> = one.reason.lines().map(plain).collect();
        text.push_str(&format!("\nnot decided again, {}: {}\n  {}\n", one.ids.len(), reason.join("; "), few(&one.ids)));
    }
}

fn text_of_comparison(found: &Comparison, zone: Zone) -> String {
    let records = count(usize::try_from(found.records).unwrap_or(usize::MAX), "record");
    let mut text = format!("{records} decided again by {}", plain(&found.policy.name));
    if let (Some(first), Some(last)) = (found.first, found.last) {
        text.push_str(&format!(", of {} to {}", when::person(first, zone), when::person(last, zone)));
    }
    text.push_str("\n\n");
    let mut rows = vec![["stage", "same", "newly allowed", "newly held", "newly denied"].map(String::from).to_vec()];
    let numbers = |name: &str, numbers: [u64; 4]| {
        let mut row = vec![plain(name)];
        row.extend(numbers.iter().map(u64::to_string));
        row
    };
    for stage in &found.stages {
        let counts = [stage.same, stage.newly_allowed, stage.newly_held, stage.newly_denied];
        rows.push(numbers(&stage.stage, counts));
    }
    let all = [found.same, found.newly_allowed, found.newly_held, found.newly_denied];
    rows.push(numbers("all", all));
    text.push_str(&table(&rows, 1..5));
    if found.not_decided() > 0 {
        text.push_str(&format!("\nNOT decided again: {}\n", found.not_decided()));
    }
    let word = |status: Option<stagegate::Status>| status.map_or("not there", |status| status.as_str());
    if !found.rules.is_empty() {
        let mut rows = vec![["rule", "stage", "was", "is", "newly", "records"].map(String::from).to_vec()];
        for rule in found.rules.iter().take(MOST) {
            let newly = match rule.newly {
                Verdict::Allow => "allowed",
                Verdict::Hold => "held",
                Verdict::Deny => "denied",
            };
            let (was, is) = (word(rule.change.was), word(rule.change.is));
            let count = rule.count.to_string();
            rows.push(vec![plain(&rule.change.rule), plain(&rule.stage), was.into(), is.into(), newly.into(), count]);
        }
        text.push_str(&format!("\n{}", table(&rows, 5..6)));
        more(&mut text, found.rules.len());
    }
    let mut changes: Vec<&Change> = found.changes.iter().collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.ids.len()));
    for change in changes.iter().take(MOST) {
        let head = format!("\n{}: {} to {}, {}\n", plain(&change.stage), change.was, change.is, change.ids.len());
        text.push_str(&head);
        for rule in &change.rules {
            text.push_str(&format!("  {} was {}, is {}\n", plain(&rule.rule), word(rule.was), word(rule.is)));
        }
        text.push_str(&format!("  {}\n", few(&change.ids)));
    }
    more(&mut text, changes.len());
    not_decided(&mut text, &found.undecided);
    not_decided(&mut text, &found.withheld);
    text
}

/// Rows of a table that people are shown; tools get all.
const MOST: usize = 20;

fn more(text: &mut String, all: usize) {
    if all > MOST {
        text.push_str(&format!("\nand {} more; --format json has all\n", all - MOST));
    }
}

/// Columns with two blanks between them; those that are numbers end at one edge.
fn table(rows: &[Vec<String>], numbers: std::ops::Range<usize>) -> String {
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let pad = " ".repeat(width(at).unwrap_or(0).saturating_sub(cell.chars().count()));
            line.push_str(&if numbers.contains(&at) { format!("{pad}{cell}  ") } else { format!("{cell}{pad}  ") });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn text_of_again(again: &Again) -> String {
    let mut text = format!("{} decided again: {} the same, {} not\n", again.records, again.same, again.differ.len());
    for one in again.differ.iter().take(10) {
        text.push_str(&format!(
            "\n{} (record {}), by engine {} and zones {}; now {} and {}\n",
            one.id,
            one.seq,
            plain(&one.engine),
            plain(&one.tzdb),
            again.engine,
            again.tzdb
        ));
        if let Some(error) = &one.error {
            text.push_str(&format!("  {}\n", error.lines().map(plain).collect::<Vec<_>>().join("; ")));
        }
        for place in &one.differences {
            let (was, is) = (place.was.to_string(), place.is.to_string());
            text.push_str(&format!("  {}: was {}, is {}\n", plain(&place.path), plain(&was), plain(&is)));
        }
    }
    not_decided(&mut text, &again.withheld);
    text
}
