//! `stagegate audit`: one file a command, with its arguments beside it.

mod info;
pub mod record;

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
}

pub fn run(args: &Audit, _global: &Global, output: &Output) -> Result<u8, Failure> {
    match &args.command {
        Command::Info(args) => info::run(args, output),
    }
}
