//! `stagegate audit verify`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::{Checkpoint, Fault, Head, LogError, VerifierKey, verify, verify_predecessor};

use crate::failure::{Failure, count};
use crate::output::{Output, plain};
use crate::progress;

/// Find out whether a log is what was recorded
///
/// Compares everything in it with what follows from its records, and with checkpoints that somebody has kept. Without one,
/// nobody can see that the end was cut off with all that belongs to it, or that the log was written anew from end to end.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  stagegate audit verify decisions.log
  stagegate audit verify decisions.log --checkpoint march.note --key example.com/releases+1f2e3d4c+AeB…
  stagegate audit verify decisions.log --predecessor decisions-2026.log\n
JSON: {sound, origin, size, root, decisions, reviews, dropped, policies, checkpoints, predecessors,
faults: [{seq, id, what}], more, remarks};
root in hex, seq counted from 0.
Exit: 0 sound, 1 something was changed, 2 it cannot be read.")]
pub struct Verify {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// A checkpoint that you have kept; may be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// The verifier key that the checkpoints are signed with, or a file of them, one a line; without it their signatures are
    /// not checked, and it is up to you that nobody has changed them
    #[arg(long, value_name = "KEY|FILE", requires = "checkpoint")]
    key: Option<String>,
    /// The log that this one goes on from (`audit rotate`): verify that one too, and that it is what it was when it was
    /// closed; may be given several times, each the one before the one before it
    #[arg(long, value_name = "LOG")]
    predecessor: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Shown<'a> {
    sound: bool,
    origin: &'a str,
    size: u64,
    root: String,
    decisions: u64,
    reviews: u64,
    dropped: u64,
    policies: u64,
    checkpoints: usize,
    predecessors: usize,
    faults: &'a [Fault],
    more: u64,
    remarks: &'a [String],
}

pub fn run(args: &Verify, output: &Output) -> Result<u8, Failure> {
    let heads = heads(args)?;
    let mut found =
        verify(&args.log, &heads, &progress::of("verifying", output)).map_err(|error| Failure::log(&error))?;
    found.faults.extend(before(args, output)?);
    let code = u8::from(!found.is_sound());
    let root: String = found.head.root.iter().map(|byte| format!("{byte:02x}")).collect();
    if output.is_json() {
        output.json(&Shown {
            sound: found.is_sound(),
            origin: &found.head.origin,
            size: found.head.size,
            root,
            decisions: found.decisions,
            reviews: found.reviews,
            dropped: found.dropped,
            policies: found.policies,
            checkpoints: heads.len(),
            predecessors: args.predecessor.len(),
            faults: &found.faults,
            more: found.more,
            remarks: &found.remarks,
        })?;
        return Ok(code);
    }
    let mut text = String::new();
    let records = count(usize::try_from(found.head.size).unwrap_or(usize::MAX), "record");
    match (found.is_sound(), heads.len()) {
        (true, 0) => text.push_str(&format!(
            "sound: {records}, root {root}\n  no checkpoint was given: a log that was cut off at its end or written anew would look like this too\n"
        )),
        (true, checkpoints) => {
            let say = if checkpoints == 1 { "says" } else { "say" };
            text.push_str(&format!("sound: {records}, root {root}, as {} {say}\n", count(checkpoints, "checkpoint")));
        }
        (false, _) => text.push_str(&format!("NOT what was recorded: {}\n", plain(&args.log.display().to_string()))),
    }
    if found.is_sound() && !args.predecessor.is_empty() {
        let logs = count(args.predecessor.len(), "log");
        text.push_str(&format!("  {logs} before it: sound, and as when it was closed\n"));
    }
    for fault in &found.faults {
        text.push_str(&format!("  {}\n", plain(&fault.to_string())));
    }
    if found.more > 0 {
        text.push_str(&format!("  and {} more\n", found.more));
    }
    for remark in &found.remarks {
        text.push_str(&format!("  note: {}\n", plain(remark)));
    }
    output.text(&text)?;
    Ok(code)
}

/// What is wrong with the logs before it.
fn before(args: &Verify, output: &Output) -> Result<Vec<Fault>, Failure> {
    let mut faults = Vec::new();
    let mut log = &args.log;
    for old in &args.predecessor {
        let wrong =
            verify_predecessor(log, old, &progress::of("verifying", output)).map_err(|error| Failure::log(&error))?;
        faults.extend(wrong.into_iter().map(|fault| {
            let mut told = fault.clone();
            (told.seq, told.id) = (None, None);
            told.what = format!("the log before it, {}: {fault}", old.display());
            told
        }));
        log = old;
    }
    Ok(faults)
}

fn heads(args: &Verify) -> Result<Vec<Head>, Failure> {
    let keys = args.key.as_deref().map(VerifierKey::given).transpose().map_err(|error| Failure::log(&error))?;
    let mut heads = Vec::new();
    for path in &args.checkpoint {
        let text = super::file::read(path)?;
        let read = match &keys {
            Some(keys) => Checkpoint::verified(&text, keys),
            None => Checkpoint::parse_unsigned(&text),
        };
        let head = read.and_then(|point| point.head());
        heads.push(head.map_err(|error| {
            Failure::log(&LogError::Invalid(format!("the checkpoint {}: {error}", path.display())))
        })?);
    }
    Ok(heads)
}
