//! `stagegate replay`

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use serde::Serialize;
use stagegate::schedule::Zone;
use stagegate_audit::replay::{self, Again, Comparison, NotDecided, Options, Secrets};
use stagegate_audit::{Id, Log, SecretKey};

use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{Output, plain};
use crate::{files, when};

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
    /// Only what was decided for this time or later
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only what was decided for a time before this
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
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
    let zone = policy.as_ref().map_or(Zone::UTC, when::zone);
    let time = |name, text: &Option<String>| text.as_ref().map(|text| when::parse(name, text, zone)).transpose();
    let options = Options::new()
        .since(time("--since", &args.since)?)
        .until(time("--until", &args.until)?)
        .of(args.of.clone())
        .jobs(args.jobs)
        .secrets(secrets(args)?);
    let log = Log::read(&args.log).map_err(wrong)?;
    let Some(policy) = policy else {
        let again = replay::again(&log, &|digest| log.kept(digest), &options, &mut |_, _| {}).map_err(wrong)?;
        show(output, &again, || text_of_again(&again))?;
        let withheld = !args.allow_withheld && !again.withheld.is_empty();
        return Ok(u8::from(withheld || !again.differ.is_empty()));
    };
    let found = replay::compare(&log, &policy, &options, &mut |_, _| {}).map_err(wrong)?;
    show(output, &found, || text_of_comparison(&found))?;
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

fn text_of_comparison(found: &Comparison) -> String {
    let mut text = format!(
        "{} decided again by {}\n  newly allowed  {}\n  newly held     {}\n  newly denied   {}\n  the same       {}\n",
        found.records,
        plain(&found.policy.name),
        found.newly_allowed,
        found.newly_held,
        found.newly_denied,
        found.same
    );
    for change in &found.changes {
        let head = format!("\n{}: {} to {}, {}\n", plain(&change.stage), change.was, change.is, change.ids.len());
        text.push_str(&head);
        for rule in &change.rules {
            let word = |status: Option<stagegate::Status>| status.map_or("not there", |status| status.as_str());
            text.push_str(&format!("  {} was {}, is {}\n", plain(&rule.rule), word(rule.was), word(rule.is)));
        }
        text.push_str(&format!("  {}\n", few(&change.ids)));
    }
    not_decided(&mut text, &found.undecided);
    not_decided(&mut text, &found.withheld);
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
