//! `stagegate audit prove`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::{Id, Log, LogError};

use crate::failure::Failure;
use crate::output::Output;

/// Prove that a record is in a log, or that a log only grew
///
/// With ID, a file that proves one record to somebody who has no log: the record, its place, a few hashes, and the checkpoint that
/// they lead to. With --from, that the log still has all that it had at an earlier checkpoint. `audit check-proof` checks either.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  stagegate audit prove decisions.log 0199b4e2-55d0-7c4e-8f0a-2b6f2f0d4c11 --key release.key --out qa.tlog-proof
  stagegate audit prove decisions.log --from march.checkpoint --to april.checkpoint --out april.proof\n
The proof of a record is in the format c2sp.org/tlog-proof@v1, that of growth is JSON.
JSON: {kind, origin, size, proof}; kind inclusion or consistency, proof the text.
Exit: 0 proven, 1 the log is not the one of the checkpoint, 2 it cannot be read.")]
pub struct Prove {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The record to prove
    #[arg(value_name = "ID", required_unless_present = "from", conflicts_with = "from")]
    id: Option<Id>,
    /// The earlier checkpoint: prove that the log only grew since
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Sign a checkpoint of the log as it is now with this private key, and prove for that
    #[arg(long, value_name = "FILE", required_unless_present_any = ["checkpoint", "unsigned"])]
    key: Option<PathBuf>,
    /// Prove for this checkpoint, made earlier; it goes into the proof with its signatures
    #[arg(long, visible_alias = "to", value_name = "FILE", conflicts_with = "key")]
    checkpoint: Option<PathBuf>,
    /// Prove for the log as it is now, with a checkpoint that nobody has signed: it convinces who has kept that one
    #[arg(long, conflicts_with_all = ["key", "checkpoint"])]
    unsigned: bool,
    /// Write the proof to this file, which must not exist, and not to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Shown {
    kind: &'static str,
    origin: String,
    size: u64,
    proof: String,
}

pub fn run(args: &Prove, output: &Output) -> Result<u8, Failure> {
    let to = args.checkpoint.as_deref().map(super::file::read).transpose()?;
    let from = args.from.as_deref().map(super::file::read).transpose()?;
    let shown = match prove(args, from.as_deref(), to) {
        Ok(shown) => shown,
        Err(error @ LogError::NotProven(_)) => return super::check_proof::not_proven(&error, output),
        Err(error) => return Err(Failure::log(&error)),
    };
    super::file::deliver(args.out.as_deref(), &shown.proof, output)?;
    if output.is_json() {
        output.json(&shown)?;
    }
    Ok(0)
}

fn prove(args: &Prove, from: Option<&str>, to: Option<String>) -> Result<Shown, LogError> {
    let log = Log::read(&args.log)?;
    let to = match to {
        Some(to) => to,
        None => super::checkpoint::text(&log.checkpoint(None)?, args.key.as_deref())?.0,
    };
    let point = stagegate_audit::Checkpoint::parse_unsigned(&to)?;
    let (kind, proof) = match (args.id, from) {
        (Some(id), _) => ("inclusion", log.prove(id, &to)?.to_string()),
        (None, Some(from)) => ("consistency", log.prove_growth(from, &to)?.to_string()),
        (None, None) => return Err(LogError::Invalid("a record or an earlier checkpoint is missing".into())),
    };
    Ok(Shown { kind, origin: point.origin, size: point.size, proof })
}
