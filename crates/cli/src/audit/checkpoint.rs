//! `stagegate audit checkpoint`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::{Checkpoint as Point, Log, LogError, SignerKey};

use crate::failure::Failure;
use crate::output::Output;

/// What a log is now, in three signed lines to keep elsewhere
///
/// Whoever has a checkpoint finds out later if a record that was in the log then was changed, removed or moved, or if the end of
/// the log was cut off. Keep it where nobody who can write the log can write.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Example:\n  stagegate audit checkpoint decisions.log --key release.key --out 2026-03-31.checkpoint\n
JSON: {origin, size, root, signed_by, checkpoint}; root in base64, checkpoint the text."
)]
pub struct Checkpoint {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The private key that signs it
    #[arg(long, value_name = "FILE", required_unless_present = "unsigned")]
    key: Option<PathBuf>,
    /// Do not sign it: it then is worth what the place is worth where it is kept
    #[arg(long, conflicts_with = "key")]
    unsigned: bool,
    /// Write it to this file, which must not exist, and not to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Shown {
    origin: String,
    size: u64,
    root: String,
    signed_by: Option<String>,
    checkpoint: String,
}

pub fn run(args: &Checkpoint, output: &Output) -> Result<u8, Failure> {
    let made = Log::read(&args.log).and_then(|log| log.checkpoint(None));
    let made = made.and_then(|point| text(&point, args.key.as_deref()).map(|text| (point, text)));
    let (point, (text, signed_by)) = made.map_err(|error| Failure::log(&error))?;
    super::file::deliver(args.out.as_deref(), &text, output)?;
    if output.is_json() {
        let root = point.to_string().lines().nth(2).unwrap_or_default().to_string();
        let Point { origin, size, .. } = point;
        output.json(&Shown { origin, size, root, signed_by, checkpoint: text })?;
    }
    Ok(0)
}

/// A checkpoint's text, signed if there is a key, and by whom.
pub fn text(point: &Point, key: Option<&std::path::Path>) -> Result<(String, Option<String>), LogError> {
    let Some(file) = key else { return Ok((point.to_string(), None)) };
    let key = SignerKey::read(file)?;
    Ok((point.signed(&key)?.to_string(), Some(key.name().to_string())))
}
