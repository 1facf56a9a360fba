//! `stagegate audit backup`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::Log;

use crate::failure::{Failure, count};
use crate::output::{Output, plain};

/// Copy a log as it is at one instant, while others append to it
///
/// The copy is a log itself, in one file that is on the disk when this ends. To restore one, put the copy in the log's place
/// while nobody has it open, and no file beside it whose name ends in -wal or -shm.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  stagegate audit backup decisions.log /backups/decisions-2026-03-31.log\n
JSON: {file, origin, records, bytes}.")]
pub struct Backup {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The copy, which must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Serialize)]
struct Shown {
    file: String,
    origin: String,
    records: u64,
    bytes: u64,
}

pub fn run(args: &Backup, output: &Output) -> Result<u8, Failure> {
    let copied =
        Log::read(&args.log).and_then(|log| log.backup(&args.file).and_then(|records| Ok((records, log.origin()?))));
    let (records, origin) = copied.map_err(|error| Failure::log(&error))?;
    let file = args.file.display().to_string();
    let bytes = std::fs::metadata(&args.file).map_or(0, |file| file.len());
    if output.is_json() {
        output.json(&Shown { file, origin, records, bytes })?;
    } else if !output.quiet {
        let records = count(usize::try_from(records).unwrap_or(usize::MAX), "record");
        output.text(&format!("{records}, {bytes} bytes in {}\n", plain(&file)))?;
    }
    Ok(0)
}
