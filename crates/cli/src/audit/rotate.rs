//! `stagegate audit rotate`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::{LogError, rotate};

use super::info::Predecessor;
use crate::failure::{Failure, count};
use crate::output::{Output, plain};
use crate::progress;

/// Close a log, put it elsewhere, and begin a new one in its place
///
/// The closed log is verified first. It gets the name of --archive and may not be written any more; nothing in it changes.
/// The new one is empty and names the closed one, its size and its root, which `audit verify --predecessor` compares. What
/// has the log open to append has to be stopped; whoever opens it next appends to the new one.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:
  stagegate audit rotate decisions.log --archive decisions-2026.log\n
JSON: {rotated: true, log, origin, archive, predecessor: {origin, size, root}, unreviewed}; or {rotated: false, why}.
root in hex; unreviewed counts the decisions of the closed log whose override nobody has reviewed.
Exit: 0 done, 1 the log is not what was recorded and is left as it is, 2 it cannot be done.")]
pub struct Rotate {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The closed log's new name, which must not exist, on the same file system
    #[arg(long, value_name = "FILE")]
    archive: PathBuf,
}

#[derive(Serialize)]
struct Shown {
    rotated: bool,
    log: String,
    origin: String,
    archive: String,
    predecessor: Predecessor,
    unreviewed: u64,
}

pub fn run(args: &Rotate, output: &Output) -> Result<u8, Failure> {
    let rotated = match rotate(&args.log, &args.archive, &progress::of("verifying", output)) {
        Ok(rotated) => rotated,
        Err(LogError::NotProven(why)) if output.is_json() => {
            output.json(&serde_json::json!({ "rotated": false, "why": why }))?;
            return Ok(1);
        }
        Err(LogError::NotProven(why)) => {
            output.text(&format!("not rotated: {}\n", plain(&why)))?;
            return Ok(1);
        }
        Err(error @ LogError::Busy(_)) => {
            return Err(Failure::log(&error).help("stop what has the log open to append, and rotate it then"));
        }
        Err(error) => return Err(Failure::log(&error)),
    };
    let (log, archive) = (args.log.display().to_string(), args.archive.display().to_string());
    let unreviewed = rotated.unreviewed;
    if output.is_json() {
        let predecessor = Predecessor::from(&rotated.closed);
        output.json(&Shown { rotated: true, log, origin: rotated.origin, archive, predecessor, unreviewed })?;
        return Ok(0);
    }
    if !output.quiet {
        let records = count(usize::try_from(rotated.closed.size).unwrap_or(usize::MAX), "record");
        output.text(&format!(
            "closed: {}, {records}\nbegun:  {}, {}\n",
            plain(&archive),
            plain(&log),
            plain(&rotated.origin)
        ))?;
    }
    if unreviewed > 0 {
        let open = count(usize::try_from(unreviewed).unwrap_or(usize::MAX), "override");
        output.note(&format!("note: nobody has reviewed {open} of the closed log, and it takes no reviews any more\n"));
    }
    Ok(0)
}
