//! The command line of stagegate.

mod args;
mod check;
mod decide;
mod describe;
mod failure;
mod files;
mod fmt;
mod next;
mod output;
mod progress;
mod timeline;
mod when;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command, Format};
use failure::Failure;
use output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let out = Output::new(&cli.common);
    match run(&cli, &out) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            out.failure(&failure);
            ExitCode::from(failure.code)
        }
    }
}

/// What is wrong with the command line itself. `--format json` is honoured here too, though nothing could be parsed.
fn usage(error: &clap::Error) -> ExitCode {
    let shown = error.kind() == clap::error::ErrorKind::DisplayHelp || error.kind() == clap::error::ErrorKind::DisplayVersion;
    let arguments: Vec<String> = std::env::args().collect();
    let json = arguments.iter().any(|a| a == "--format=json") || arguments.windows(2).any(|w| w == ["--format", "json"]);
    if json && !shown {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        output::print_json(&serde_json::json!({ "error": { "kind": "usage", "message": text } }));
    } else {
        // Nothing can be done about a closed pipe.
        let _ = error.print();
    }
    ExitCode::from(if shown { 0 } else { 2 })
}

fn run(cli: &Cli, out: &Output) -> Result<u8, Failure> {
    match &cli.command {
        Command::Check(args) => check::run(args, out),
        Command::Decide(args) => decide::run(args, out),
        Command::Next(args) => next::run(args, out),
        Command::Timeline(args) => timeline::run(args, out),
        Command::Describe(args) => describe::run(args, out),
        Command::Fmt(args) => fmt::run(args, out),
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "stagegate", &mut script);
            out.text(&String::from_utf8_lossy(&script));
            Ok(0)
        }
        Command::Man => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|e| Failure::new("io", format!("the man page cannot be written: {e}")))?;
            out.text(&String::from_utf8_lossy(&page));
            Ok(0)
        }
        Command::Schema(args) => {
            let schema = match args.of {
                args::SchemaOf::Request => stagegate::schema::request(),
                args::SchemaOf::Decision => stagegate::schema::decision(),
            };
            out.text(&schema);
            Ok(0)
        }
    }
}

/// Whether JSON is asked for.
pub fn is_json(format: Format) -> bool {
    format == Format::Json
}
