//! The command line of stagegate.

mod args;
mod audit;
mod cases;
mod check;
mod decide;
mod describe;
mod failure;
mod files;
mod fmt;
mod mutate;
mod next;
mod output;
mod pages;
mod progress;
mod replay;
mod test;
mod timeline;
mod when;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

use args::{Args, Colour, Command, Format, Global};
use failure::{Failure, Kind};
use output::Output;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let early = Output::new(&early(&words));
    let choice = if early.colour { clap::ColorChoice::Always } else { clap::ColorChoice::Never };
    let parsed = Args::command().color(choice).try_get_matches_from(&words);
    let args = match parsed.and_then(|matches| Args::from_arg_matches(&matches)) {
        Ok(args) => args,
        Err(error) => return ExitCode::from(not_parsed(&error, &early)),
    };
    let output = Output::new(&args.global);
    match run(&args, &output) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args, output: &Output) -> Result<u8, Failure> {
    let global = &args.global;
    if global.format == Format::Tap && !matches!(args.command, Command::Test(_)) {
        return Err(Failure::new(Kind::Usage, "only `test` prints the Test Anything Protocol"));
    }
    let rows = matches!(&args.command, Command::Audit(audit) if audit.prints_rows());
    if matches!(global.format, Format::Csv | Format::Jsonl) && !rows {
        return Err(Failure::new(Kind::Usage, "only `audit query` and `audit sql` print csv and jsonl"));
    }
    match &args.command {
        Command::Check(args) => check::run(args, global, output),
        Command::Decide(args) => decide::run(args, global, output),
        Command::Next(args) => next::run(args, global, output),
        Command::Timeline(args) => timeline::run(args, global, output),
        Command::Describe(args) => describe::run(args, global, output),
        Command::Fmt(args) => fmt::run(args, global, output),
        Command::Test(args) => test::run(args, global, output),
        Command::Mutate(args) => mutate::run(args, global, output),
        Command::Cases(args) => cases::run(args, global, output),
        Command::Audit(args) => audit::run(args, global, output),
        Command::Replay(args) => replay::run(args, global, output),
        Command::Completions(args) => pages::completions(args, output),
        Command::Man(_) => pages::man(output),
        Command::Schema(args) => pages::schema(args, output),
    }
}

/// How to print what clap refuses, which is before there are arguments.
fn early(words: &[OsString]) -> Global {
    let mut global = Global { format: Format::Text, color: Colour::Auto, quiet: false, root: None };
    let words: Vec<_> = words.iter().skip(1).map(|w| w.to_string_lossy()).take_while(|w| w != "--").collect();
    let value = |name: &str, at: usize| {
        let word = words.get(at)?;
        match word.strip_prefix(name)?.strip_prefix('=') {
            Some(value) => Some(value.to_string()),
            None if word == name => words.get(at + 1).map(ToString::to_string),
            None => None,
        }
    };
    for at in 0..words.len() {
        match value("--format", at).as_deref() {
            Some("json") => global.format = Format::Json,
            Some("text") => global.format = Format::Text,
            _ => {}
        }
        match value("--color", at).as_deref() {
            Some("always") => global.color = Colour::Always,
            Some("never") => global.color = Colour::Never,
            _ => {}
        }
    }
    global
}

/// Help and the version are results; everything else is wrong usage.
fn not_parsed(error: &clap::Error, output: &Output) -> u8 {
    let is_result = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if output.is_json() && is_result {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "lowercase")]
        enum Shown {
            Help(String),
            Version(String),
        }
        let text = error.render().to_string();
        let shown = match error.kind() {
            ErrorKind::DisplayVersion => Shown::Version(text.trim().replace("stagegate ", "")),
            _ => Shown::Help(text),
        };
        return output.json(&shown).map_or(2, |()| 0);
    }
    let rendered = error.render();
    if is_result {
        let text = if output.colour { rendered.ansi().to_string() } else { rendered.to_string() };
        return output.text(&text).map_or(2, |()| 0);
    }
    if output.is_json() {
        let text = rendered.to_string();
        let mut parts = text.trim().split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
        let message = parts.next().unwrap_or_default();
        let failure = Failure::new(Kind::Usage, message.strip_prefix("error: ").unwrap_or(&message));
        let useful = parts.filter(|part| !part.starts_with("For more information"));
        output.failure(&useful.fold(failure, |failure, part| failure.help(part.trim_start_matches("tip: "))));
    } else {
        let text = if output.error_colour { rendered.ansi().to_string() } else { rendered.to_string() };
        output.stderr(&text);
    }
    2
}
