//! `stagegate audit import`

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::{Imported, LineReader, Options, import};

use crate::failure::{Failure, Kind};
use crate::files;
use crate::output::{Output, plain};
use crate::progress;

/// Append the lines of an export to a log, or make a log of them
///
/// Each line is kept as it stands, byte for byte: the hashes are those of the log that it comes from. What is in the log
/// already is passed over. All the lines of all files are appended, or, if one of them is wrong, none.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  stagegate audit import copy.log decisions.jsonl
  zcat 2026-*.jsonl.gz | stagegate audit import all.log\n
JSON: {log, entries, skipped, policies}; entries is how many are new, skipped how many were there already.")]
pub struct Import {
    /// The log; it is made if there is none
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// JSON Lines as `audit export` writes them; - reads standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
    /// What a new log is to call itself: with the name of the log that the lines come from (`audit info` tells), that log's
    /// checkpoints hold for this one
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    log: String,
    #[serde(flatten)]
    imported: Imported,
}

pub fn run(args: &Import, output: &Output) -> Result<u8, Failure> {
    if args.files.iter().filter(|file| files::is_stdin(file)).count() > 1 {
        return Err(Failure::new(Kind::Usage, "standard input can be read once"));
    }
    // All of them, before anything is done.
    let sources = args.files.iter().map(|file| open(file)).collect::<Result<Vec<_>, _>>()?;
    let options = args.origin.iter().fold(Options::new(), |options, origin| options.origin(origin));
    let telling = progress::of("importing", output);
    let imported = import(&args.log, sources, &options, &mut move |lines| telling(lines, 0))
        .map_err(|error| Failure::log(&error))?;
    if output.is_json() {
        output.json(&Shown { log: args.log.display().to_string(), imported })?;
    } else if !output.quiet {
        let Imported { entries, skipped, policies } = imported;
        let log = plain(&args.log.display().to_string());
        output.text(&format!("new in {log}: {entries}; there already: {skipped}; policies: {policies}\n"))?;
    }
    Ok(0)
}

fn open(file: &Path) -> Result<LineReader<BufReader<Box<dyn Read>>>, Failure> {
    let (name, from): (String, Box<dyn Read>) = if files::is_stdin(file) {
        ("standard input".to_string(), Box::new(std::io::stdin()))
    } else {
        let name = file.display().to_string();
        let failed = |why: String| Failure::new(Kind::File, format!("{name}: {why}"));
        let opened = std::fs::File::open(file).map_err(|error| failed(files::why(&error)))?;
        if opened.metadata().is_ok_and(|file| file.is_dir()) {
            return Err(failed("it is a folder".into()));
        }
        (name, Box::new(opened))
    };
    let mut from = BufReader::with_capacity(1 << 16, from);
    // Two bytes that no line begins with.
    if !files::is_stdin(file) && from.fill_buf().is_ok_and(|begin| begin.starts_with(&[0x1f, 0x8b])) {
        let failure = Failure::new(Kind::File, format!("{name}: it is compressed with gzip"));
        return Err(failure.help(format!("zcat {name} | stagegate audit import LOG")));
    }
    Ok(LineReader::new(from, name))
}
