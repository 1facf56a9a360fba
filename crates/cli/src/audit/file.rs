//! Files that `stagegate audit` reads and writes beside logs.

use std::io::{Read, Write};
use std::path::Path;

use crate::failure::{Failure, Kind};
use crate::output::Output;

/// A checkpoint, a proof or an attestation is never larger.
const LARGEST: u64 = 64 << 20;

/// The text of a checkpoint, a proof or an attestation.
pub fn read(file: &Path) -> Result<String, Failure> {
    let failed = |why: String| Failure::new(Kind::File, format!("{}: {why}", file.display()));
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| failed(error.to_string()))?;
    opened.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(failed("it is too large".into()));
    }
    Ok(text)
}

/// Writes a result to its file, which must not exist: what somebody relies on is not overwritten. Without a file, prints it,
/// unless JSON is wanted: that has it inside.
pub fn deliver(file: Option<&Path>, text: &str, output: &Output) -> Result<(), Failure> {
    let Some(file) = file else { return if output.is_json() { Ok(()) } else { output.raw(text) } };
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let why = format!("{}: it exists, and is not overwritten", file.display());
            Failure::new(Kind::File, why).help("name another file, or move that one away")
        }
        _ => Failure::new(Kind::File, format!("{}: {error}", file.display())),
    };
    let mut made = std::fs::OpenOptions::new().write(true).create_new(true).open(file).map_err(failed)?;
    made.write_all(text.as_bytes()).and_then(|()| made.sync_all()).map_err(failed)
}
