//! `stagegate fmt`

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use stagegate::Limits;
use stagegate::diagnostic::Sources;

use crate::args::{Fmt, Global};
use crate::failure::{ErrorJson, Failure, Kind, count};
use crate::files;
use crate::output::{Output, Paint, plain};
use crate::progress::Progress;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Unchanged,
    Changed,
    WouldChange,
    Error,
}

/// What became of one file.
#[derive(Debug, Serialize)]
struct Done {
    file: String,
    status: Status,
    /// The new text, when there is no file to write it to.
    text: Option<String>,
    diff: Option<String>,
    error: Option<ErrorJson>,
    #[serde(skip)]
    told: String,
}

pub fn run(args: &Fmt, global: &Global, output: &Output) -> Result<u8, Failure> {
    let stdin = Path::new("-");
    if args.files.iter().any(|f| f == stdin) && args.files.len() > 1 {
        return Err(Failure::new(Kind::Usage, "- (standard input) cannot be laid out together with files"));
    }
    let found = files::find(&args.files, global)?;
    let progress = Progress::new("laying out", found.len(), output);
    let mut all = Vec::new();
    for file in &found {
        all.push(one(&file.path, args.check, output).unwrap_or_else(|failure| Done {
            file: file.path.display().to_string(),
            status: Status::Error,
            text: None,
            diff: None,
            told: failure.text(output.error_colour),
            error: Some(failure.json()),
        }));
        progress.step();
    }
    drop(progress);
    let has = |status| all.iter().filter(|done| done.status == status).count();
    let (changed, would, errors) = (has(Status::Changed), has(Status::WouldChange), has(Status::Error));
    if output.is_json() {
        output.json(&all)?;
    } else {
        for done in all.iter().filter(|done| done.status == Status::Error) {
            output.stderr(&done.told);
        }
        match all.as_slice() {
            [Done { text: Some(text), .. }] => output.raw(text)?,
            _ => output
                .text(&all.iter().filter(|d| d.status != Status::Error).map(|d| d.told.as_str()).collect::<String>())?,
        }
        if args.check && would > 0 {
            output.note(&format!("{} would change\n", count(would, "file")));
        } else if changed > 0 && all.iter().all(|done| done.text.is_none()) {
            output.note(&format!("{} changed\n", count(changed, "file")));
        }
    }
    Ok(match (errors, would) {
        (1.., _) => 2,
        (0, 1..) => 1,
        (0, 0) => 0,
    })
}

fn one(path: &Path, check: bool, output: &Output) -> Result<Done, Failure> {
    let stdin = path == Path::new("-");
    let name = if stdin { "standard input".to_string() } else { path.display().to_string() };
    let failure = |why: String| Failure::new(Kind::File, format!("{name}: {why}"));
    let limits = Limits::default();
    let bytes = files::read(path, limits.source_bytes).map_err(|error| failure(files::why(&error)))?;
    if bytes.len() > limits.source_bytes {
        return Err(failure(format!("it is larger than {} bytes", limits.source_bytes)));
    }
    let old = String::from_utf8(bytes).map_err(|_| failure("it is not UTF-8".to_string()))?;
    let new = stagegate::format(&name, &old, &limits)
        .map_err(|error| Failure::policy(&error, renamed_as(&name, error.sources())))?;
    let mut done = Done {
        file: name.clone(),
        status: Status::Unchanged,
        text: None,
        diff: None,
        error: None,
        told: String::new(),
    };
    if check && new != old {
        let diff = diff(&name, &old, &new);
        done.told = painted(&diff, output.colour);
        done.diff = Some(diff);
        done.status = Status::WouldChange;
    } else if !check && stdin {
        done.status = if new == old { Status::Unchanged } else { Status::Changed };
        done.text = Some(new);
    } else if new != old {
        write(path, &new).map_err(|error| failure(format!("it cannot be written: {}", files::why(&error))))?;
        done.status = Status::Changed;
    }
    Ok(done)
}

fn renamed_as(name: &str, sources: &Sources) -> Sources {
    crate::failure::renamed(sources, |_| name.to_string())
}

/// Puts a new file in the place of an old one: whoever looks sees the old or the new, never half of one.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    // What a link points to is what changes; the link stays.
    let path = path.canonicalize()?;
    let permissions = std::fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let folder = path.parent().ok_or(std::io::ErrorKind::NotFound)?;
    let mut file = tempfile::Builder::new().prefix(".stagegate-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

fn diff(name: &str, old: &str, new: &str) -> String {
    // A rough diff in time is better than the smallest one some day.
    let diff = similar::TextDiff::configure().timeout(Duration::from_secs(1)).diff_lines(old, new);
    diff.unified_diff().context_radius(2).header(name, &format!("{name} (laid out)")).to_string()
}

fn painted(diff: &str, colour: bool) -> String {
    let line = |line: &str| {
        let paint = match line.as_bytes().first() {
            _ if line.starts_with("---") || line.starts_with("+++") => Paint::Bold,
            Some(b'-') => Paint::Red,
            Some(b'+') => Paint::Green,
            Some(b'@') => Paint::Cyan,
            _ => return line.to_string() + "\n",
        };
        paint.on(line, colour) + "\n"
    };
    diff.lines().map(|text| line(&plain(text))).collect()
}
