//! `stagegate check`

use std::collections::HashSet;

use stagegate::diagnostic::{Diagnostic, Severity, Sources, render};
use stagegate::{Compiler, FileLoader};

use crate::args::{Check, Global};
use crate::failure::{DiagnosticJson, Failure, count, renamed};
use crate::files::{self, Found, WithStdin};
use crate::output::{Output, Paint, plain};
use crate::progress::Progress;

/// Numbers of what cannot be read at all: the exit code is 2, not 1.
const UNREADABLE: &str = "E0716";

pub fn run(args: &Check, global: &Global, output: &Output) -> Result<u8, Failure> {
    let found = files::find(&args.files, global)?;
    let mut told = Told::default();
    let progress = Progress::new("checking", found.len(), output);
    for file in &found {
        let (diagnostics, sources) = check(file)?;
        let name = |name: &str| if output.is_json() { file.shown(name) } else { plain(&file.shown(name)) };
        told.take(&diagnostics, &renamed(&sources, name), output);
        progress.step();
    }
    drop(progress);
    if output.is_json() {
        output.json(&told.json)?;
    } else {
        let mut text = told.rendered.join("\n\n");
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        if output.quiet {
            text.truncate(text.trim_end().len());
            text.push_str(if text.is_empty() { "" } else { "\n" });
        } else {
            text.push_str(&told.summary(found.len(), output.colour));
        }
        output.text(&text)?;
    }
    Ok(match (told.unreadable, told.errors) {
        (true, _) => 2,
        (false, 0) => 0,
        (false, _) => 1,
    })
}

fn check(file: &Found) -> Result<(Vec<Diagnostic>, Sources), Failure> {
    let name = file.name()?;
    let report = if files::is_stdin(&file.path) {
        Compiler::new().loader(&WithStdin::read(&file.root)?).check(&name)
    } else {
        Compiler::new().loader(&FileLoader::new(&file.root)).check(&name)
    };
    Ok((report.diagnostics().to_vec(), report.sources().clone()))
}

/// What has been told: a file that several others include is told of once.
#[derive(Default)]
struct Told {
    rendered: Vec<String>,
    json: Vec<DiagnosticJson>,
    seen: HashSet<DiagnosticJson>,
    errors: usize,
    warnings: usize,
    unreadable: bool,
}

impl Told {
    fn take(&mut self, diagnostics: &[Diagnostic], sources: &Sources, output: &Output) {
        for diagnostic in diagnostics {
            let json = DiagnosticJson::new(diagnostic, sources);
            if !self.seen.insert(json.clone()) {
                continue;
            }
            self.json.push(json);
            match diagnostic.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
            }
            self.unreadable |= diagnostic.code.as_str() == UNREADABLE;
            let silent = output.is_json() || output.quiet && diagnostic.severity == Severity::Warning;
            if !silent {
                self.rendered.push(render(diagnostic, sources, output.colour).trim_end().to_string());
            }
        }
    }

    /// `1 error, 2 warnings in 3 files`
    fn summary(&self, files: usize, colour: bool) -> String {
        let paint = |n: usize, word: &str, paint: Paint| match n {
            0 => count(n, word),
            n => paint.on(&count(n, word), colour),
        };
        let (errors, warnings) =
            (paint(self.errors, "error", Paint::Red), paint(self.warnings, "warning", Paint::Yellow));
        format!("{errors}, {warnings} in {}\n", count(files, "file"))
    }
}
