//! `stagegate audit key`

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use serde::Serialize;
use stagegate_audit::{LogError, SignerKey, VerifierKey};

use crate::failure::Failure;
use crate::output::Output;

/// Keys that sign checkpoints and attestations
#[derive(Debug, ClapArgs)]
pub struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(New),
    Show(Show),
}

/// Make a key, and print the verifier key that belongs to it
///
/// The file is the private key: only its owner may read it, and a file that exists is never overwritten. The verifier key that
/// is printed is for everybody who checks what the key signs.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  stagegate audit key new release.key --name example.com/releases\n
JSON: {name, verifier}.")]
struct New {
    /// Where the private key goes
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What signatures call it, without spaces and plus signs; best a name under a domain of yours
    #[arg(long, value_name = "NAME")]
    name: String,
}

/// Print the verifier key of a private key
#[derive(Debug, ClapArgs)]
#[command(after_help = "JSON: {name, verifier}.")]
struct Show {
    /// The private key
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    verifier: String,
}

pub fn run(args: &Key, output: &Output) -> Result<u8, Failure> {
    let key = match &args.command {
        Command::New(args) => new(args),
        Command::Show(args) => SignerKey::read(&args.file).map(|key| key.verifier()),
    };
    let key = key.map_err(|error| Failure::log(&error))?;
    let shown = Shown { name: key.name().to_string(), verifier: key.to_string() };
    match output.is_json() {
        true => output.json(&shown)?,
        false => output.raw(&(shown.verifier + "\n"))?,
    }
    Ok(0)
}

fn new(args: &New) -> Result<VerifierKey, LogError> {
    let key = SignerKey::generate(&args.name)?;
    key.make(&args.file)?;
    Ok(key.verifier())
}
