//! `stagegate audit`: one file a command, with its arguments beside it.

mod attest;
mod backup;
mod check_proof;
mod checkpoint;
mod export;
mod file;
mod import;
mod info;
mod key;
mod prove;
pub mod query;
pub mod record;
mod report;
mod review;
mod rotate;
mod rows;
mod show;
mod sql;
mod verify;

use clap::{Args as ClapArgs, Subcommand};

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Output;

/// What a decision log holds
///
/// A log is made by `stagegate decide --log`, or by a program that embeds the engine.
#[derive(Debug, ClapArgs)]
pub struct Audit {
    #[command(subcommand)]
    command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
enum Command {
    Info(info::Info),
    Query(query::Query),
    Show(show::Show),
    Sql(sql::Sql),
    Review(review::Review),
    Report(report::Report),
    Verify(verify::Verify),
    Key(key::Key),
    Checkpoint(checkpoint::Checkpoint),
    Prove(prove::Prove),
    CheckProof(check_proof::CheckProof),
    Attest(attest::Attest),
    Export(export::Export),
    Import(import::Import),
    Backup(backup::Backup),
    Rotate(rotate::Rotate),
}

impl Audit {
    /// Whether the command prints rows, which can be had as csv and jsonl.
    pub fn prints_rows(&self) -> bool {
        matches!(self.command, Command::Query(_) | Command::Sql(_))
    }
}

pub fn run(args: &Audit, _global: &Global, output: &Output) -> Result<u8, Failure> {
    match &args.command {
        Command::Info(args) => info::run(args, output),
        Command::Query(args) => query::run(args, output),
        Command::Show(args) => show::run(args, output),
        Command::Sql(args) => sql::run(args, output),
        Command::Review(args) => review::run(args, output),
        Command::Report(args) => report::run(args, output),
        Command::Verify(args) => verify::run(args, output),
        Command::Key(args) => key::run(args, output),
        Command::Checkpoint(args) => checkpoint::run(args, output),
        Command::Prove(args) => prove::run(args, output),
        Command::CheckProof(args) => check_proof::run(args, output),
        Command::Attest(args) => attest::run(args, output),
        Command::Export(args) => export::run(args, output),
        Command::Import(args) => import::run(args, output),
        Command::Backup(args) => backup::run(args, output),
        Command::Rotate(args) => rotate::run(args, output),
    }
}
