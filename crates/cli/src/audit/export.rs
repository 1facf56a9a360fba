//! `stagegate audit export`

use std::io::IsTerminal;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::replay::Options;
use stagegate_audit::{Exported, Log, LogError};

use super::query::Range;
use crate::failure::{Failure, Kind, count};
use crate::output::{Output, plain};
use crate::progress;

/// A log as JSON Lines, or as Parquet files
///
/// One line for each entry, the very bytes that were hashed, and one with the text of each policy before its first decision.
/// `audit import` makes a log of them again. Of a time or a policy, a review goes with its decision.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  stagegate audit export decisions.log --out decisions.jsonl
  stagegate audit export decisions.log --since 2026-01-01 --until 2026-03-31 --zone Europe/Berlin | gzip > q1.jsonl.gz
  stagegate audit export decisions.log --parquet decisions\n
JSON, with --out: {out, entries, policies}; with --parquet: {parquet, files, rows, bytes, not_compiled}, rows and bytes by table.")]
pub struct Export {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// Write the lines to this file, which must not exist, and not to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write Parquet files below this folder, which must be empty or not exist; needs a stagegate built with the feature
    /// `parquet`
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    parquet: Option<PathBuf>,
    #[command(flatten)]
    range: Range,
    /// Only what a policy of this name decided
    #[arg(long, value_name = "POLICY")]
    of: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    out: String,
    #[serde(flatten)]
    exported: Exported,
}

pub fn run(args: &Export, output: &Output) -> Result<u8, Failure> {
    let (since, until) = args.range.ends(args.range.zone()?)?;
    let options = Options::new().since(since).until(until).of(args.of.clone());
    if let Some(folder) = &args.parquet {
        return parquet(args, folder, &options, output);
    }
    if output.is_json() && args.out.is_none() {
        let failure =
            Failure::new(Kind::Usage, "standard output has the lines; --format json tells of what is in --out FILE");
        return Err(failure.help("leave out --format json: the lines are JSON"));
    }
    let failed = |error: LogError| Failure::log(&error);
    let log = Log::read(&args.log).map_err(failed)?;
    let Some(out) = &args.out else {
        let to = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
        let mut to = Pipe { to, closed: false };
        let telling = progress::of("exporting", output);
        // Lines that run over a terminal tell themselves how far it is.
        let quiet = std::io::stdout().is_terminal();
        let done = log.export(&mut to, &options, &mut |done, total| {
            if !quiet {
                telling(done, total)
            }
        });
        drop(telling);
        return match done {
            Ok(exported) => {
                output.note(&format!("{}\n", said(exported)));
                Ok(0)
            }
            // A reader that has gone away (`| head`) has had enough: that is no error.
            Err(_) if to.closed => Ok(0),
            Err(error) => Err(failed(error)),
        };
    };
    let exported = to_file(&log, out, &options, output)?;
    if output.is_json() {
        output.json(&Shown { out: out.display().to_string(), exported })?;
    } else if !output.quiet {
        output.text(&format!("{} in {}\n", said(exported), plain(&out.display().to_string())))?;
    }
    Ok(0)
}

fn said(exported: Exported) -> String {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let policies = match exported.policies {
        1 => "1 policy".to_string(),
        many => format!("{many} policies"),
    };
    format!("{} and {policies}", count(number(exported.entries), "record"))
}

/// The file is whole when it has its name: half of an export could be taken for a smaller one.
fn to_file(log: &Log, out: &Path, options: &Options, output: &Output) -> Result<Exported, Failure> {
    let failed = |error: std::io::Error| Failure::new(Kind::File, format!("{}: {error}", out.display()));
    let exists = || {
        let why = format!("{}: it exists, and is not overwritten", out.display());
        Failure::new(Kind::File, why).help("name another file, or move that one away")
    };
    if std::fs::symlink_metadata(out).is_ok() {
        return Err(exists());
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = tempfile::Builder::new();
    beside.prefix(".export");
    // As any file that is made: what others may do with it is up to the umask.
    #[cfg(unix)]
    beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let made = beside.tempfile_in(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed(std::io::Error::other("its folder does not exist")),
        _ => failed(error),
    })?;
    let mut to = std::io::BufWriter::with_capacity(1 << 16, made);
    let exported =
        log.export(&mut to, options, &mut progress::of("exporting", output)).map_err(|error| Failure::log(&error))?;
    let made = to.into_inner().map_err(|error| failed(error.into_error()))?;
    made.as_file().sync_all().map_err(failed)?;
    made.persist_noclobber(out).map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(),
        _ => failed(error.error),
    })?;
    Ok(exported)
}

/// Knows whether nobody reads any more.
struct Pipe<W> {
    to: W,
    closed: bool,
}

impl<W: Write> Pipe<W> {
    fn tell<T>(&mut self, done: std::io::Result<T>) -> std::io::Result<T> {
        self.closed |= done.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe);
        done
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let done = self.to.write(bytes);
        self.tell(done)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let done = self.to.flush();
        self.tell(done)
    }
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &Export, _: &Path, _: &Options, _: &Output) -> Result<u8, Failure> {
    let failure = Failure::new(Kind::Usage, "this stagegate was built without Parquet");
    Err(failure.help("build it with `cargo build --release -p stagegate-cli --features parquet`"))
}

#[cfg(feature = "parquet")]
fn parquet(args: &Export, folder: &Path, options: &Options, output: &Output) -> Result<u8, Failure> {
    use stagegate_audit::columnar::{Written, to_parquet};

    #[derive(Serialize)]
    struct Shown {
        parquet: String,
        #[serde(flatten)]
        written: Written,
        not_compiled: Vec<String>,
    }
    let failed = |error: LogError| Failure::log(&error);
    let log = Log::read(&args.log).map_err(failed)?;
    let (mut policies, mut not_compiled) = (Vec::new(), Vec::new());
    for digest in log.policies().map_err(failed)? {
        match log.kept(&digest) {
            Ok(policy) => policies.push(policy),
            Err(_) => not_compiled.push(digest),
        }
    }
    let origin = log.origin().map_err(failed)?;
    let written = to_parquet(&log, &policies, &origin, folder, options, &mut progress::of("exporting", output))
        .map_err(failed)?;
    if output.is_json() {
        output.json(&Shown { parquet: folder.display().to_string(), written, not_compiled })?;
        return Ok(0);
    }
    let mut text = String::new();
    for (table, rows) in &written.rows {
        let bytes = written.bytes.get(table).copied().unwrap_or_default();
        text.push_str(&format!("{table:<10} {rows:>9} rows {bytes:>12} bytes\n"));
    }
    let files = count(usize::try_from(written.files).unwrap_or(usize::MAX), "file");
    text.push_str(&format!("{files} below {}\n", plain(&folder.display().to_string())));
    if !output.quiet {
        output.text(&text)?;
    }
    for digest in not_compiled {
        output.note(&format!(
            "note: the policy {} does not compile with this version; its facts are in other_facts\n",
            plain(&digest)
        ));
    }
    Ok(0)
}
