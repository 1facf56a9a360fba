//! `stagegate audit checkpoint`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::{Checkpoint as Point, Log, LogError, Note, SignerKey, VerifierKey};

use crate::failure::Failure;
use crate::output::Output;

/// What a log is now, in three signed lines to keep elsewhere
///
/// Whoever has a checkpoint finds out later if a record that was in the log then was changed, removed or moved, or if the end of
/// the log was cut off. Keep it where nobody who can write the log can write.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  stagegate audit checkpoint decisions.log --key release.key --out 2026-03-31.checkpoint
  stagegate audit checkpoint decisions.log --key release.key --extends 2026-03-31.checkpoint --out 2026-04-30.checkpoint\n
JSON: {origin, size, root, file, signed_by, checkpoint}; root in base64, file null or {sha256, bytes}, checkpoint the text. If the
log does not extend the earlier one: {proven: false, why}.
Exit: 0 made, 1 the log does not extend the earlier one, 2 it cannot be made.")]
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
    /// Sign only if the log still has all that it had at this earlier checkpoint, and more
    #[arg(long, value_name = "FILE")]
    extends: Option<PathBuf>,
    /// Put the SHA-256 of the log's whole file into it: as long as nothing is appended, `verify` then finds any changed byte.
    /// Nobody may have the log open to append; what a killed process left beside it (-wal) is taken over into the file first
    #[arg(long)]
    file_hash: bool,
    /// Write it to this file, which must not exist, and not to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Shown {
    origin: String,
    size: u64,
    root: String,
    file: Option<File>,
    signed_by: Option<String>,
    checkpoint: String,
}

#[derive(Serialize)]
struct File {
    sha256: String,
    bytes: u64,
}

/// As long the log may be locked.
const BUSY: Duration = Duration::from_secs(10);

pub fn run(args: &Checkpoint, output: &Output) -> Result<u8, Failure> {
    let earlier = args.extends.as_deref().map(super::file::read).transpose()?;
    let (point, (text, signed_by)) = match make(args, earlier.as_deref()) {
        Ok(made) => made,
        Err(error @ LogError::NotProven(_)) => return super::check_proof::not_proven(&error, output),
        Err(error) => return Err(Failure::log(&error)),
    };
    super::file::deliver(args.out.as_deref(), &text, output)?;
    if output.is_json() {
        let root = point.to_string().lines().nth(2).unwrap_or_default().to_string();
        let file = point.file_hash().map_err(|error| Failure::log(&error))?.map(|file| File {
            sha256: file.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes: file.bytes,
        });
        let Point { origin, size, .. } = point;
        output.json(&Shown { origin, size, root, file, signed_by, checkpoint: text })?;
    }
    Ok(0)
}

fn make(args: &Checkpoint, earlier: Option<&str>) -> Result<(Point, Signed), LogError> {
    let point = match args.file_hash {
        true => Log::checkpoint_of_file(&args.log, BUSY)?,
        false => Log::read(&args.log)?.checkpoint(None)?,
    };
    if let Some(text) = earlier {
        let earlier = match args.key.as_deref().map(SignerKey::read).transpose()? {
            Some(key) => of_key(text, &key.verifier())?,
            None => Point::parse_unsigned(text)?,
        };
        Log::read(&args.log)?.continues(&earlier, &point)?;
    }
    let signed = text(&point, args.key.as_deref())?;
    Ok((point, signed))
}

/// An earlier checkpoint. If it bears a signature of the key, that has to be right; another key may have signed it, before
/// this one was made.
fn of_key(text: &str, key: &VerifierKey) -> Result<Point, LogError> {
    let point = Point::parse_unsigned(text)?;
    let ours = Note::parse(text).is_ok_and(|note| note.signatures().iter().any(|by| by.is_of(key)));
    if ours { Point::verified(text, std::slice::from_ref(key)) } else { Ok(point) }
}

/// The text, and who signed it.
type Signed = (String, Option<String>);

/// A checkpoint's text, signed if there is a key, and by whom.
pub fn text(point: &Point, key: Option<&std::path::Path>) -> Result<Signed, LogError> {
    let Some(file) = key else { return Ok((point.to_string(), None)) };
    let key = SignerKey::read(file)?;
    Ok((point.signed(&key)?.to_string(), Some(key.name().to_string())))
}
