//! What can go wrong, as text and as JSON.

use serde::Serialize;
use stagegate::diagnostic::{ALL_CODES, Diagnostic, Severity, SourceId, Sources, Span, render};
use stagegate::{CompileError, RequestError, RequestProblem};
use stagegate_audit::query::QueryError;

use crate::output::{Paint, plain};

/// Why a command cannot give its result. The exit code is 2.
#[derive(Debug)]
pub struct Failure(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: Kind,
    message: String,
    help: Vec<String>,
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
    problems: Vec<RequestProblem>,
}

/// What sort of failure; part of the JSON, so the words are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The command line is not one of ours.
    Usage,
    /// The policy does not compile or cannot be read.
    Policy,
    /// The request cannot be read, or does not fit the policy.
    Request,
    /// Not a cron expression.
    Cron,
    /// Not a time zone.
    Zone,
    /// Not a time, or one out of range.
    Time,
    /// The policy has no such stage.
    Stage,
    /// A file or a stream cannot be read or written.
    File,
    /// The decision log cannot be opened, read or written, or is not as it was recorded.
    Log,
    /// Not a question to a log, or not SQL that may be asked of it.
    Query,
}

/// A diagnostic as tools read it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct DiagnosticJson {
    code: &'static str,
    severity: Severity,
    message: String,
    file: String,
    line: u32,
    column: u32,
    labels: Vec<LabelJson>,
    help: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct LabelJson {
    file: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: String,
    primary: bool,
}

impl DiagnosticJson {
    pub fn new(diagnostic: &Diagnostic, sources: &Sources) -> DiagnosticJson {
        let place = sources.place(diagnostic.span());
        let labels = diagnostic.labels.iter().map(|label| {
            let start = sources.place(label.span);
            let end = sources.place(Span { start: label.span.end, ..label.span });
            LabelJson {
                file: start.file,
                line: start.line,
                column: start.column,
                end_line: end.line,
                end_column: end.column,
                text: label.text.clone(),
                primary: label.primary,
            }
        });
        DiagnosticJson {
            code: diagnostic.code.as_str(),
            severity: diagnostic.severity,
            message: diagnostic.message.clone(),
            file: place.file,
            line: place.line,
            column: place.column,
            labels: labels.collect(),
            help: diagnostic.help.clone(),
        }
    }
}

/// The shape of an error in JSON.
#[derive(Debug, Serialize)]
pub struct ErrorJson {
    kind: Kind,
    message: String,
    help: Vec<String>,
    diagnostics: Vec<DiagnosticJson>,
    problems: Vec<RequestProblem>,
}

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure(Box::new(Parts {
            kind,
            message: message.into(),
            help: Vec::new(),
            diagnostics: Vec::new(),
            sources: Sources::default(),
            problems: Vec::new(),
        }))
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.0.help.push(help.into());
        self
    }

    /// A policy that does not compile; its files are called what the person called them.
    pub fn policy(error: &CompileError, sources: Sources) -> Failure {
        let first = error.errors().next().map_or("it does not compile", |d| d.message.as_str());
        let message = match error.errors().count() {
            0 | 1 => first.to_string(),
            errors => format!("{first} (and {} more)", count(errors - 1, "error")),
        };
        let mut failure = Failure::new(Kind::Policy, message);
        failure.0.diagnostics = error.diagnostics().to_vec();
        failure.0.sources = sources;
        failure
    }

    /// A question that cannot be asked of a log.
    pub fn query(error: &QueryError) -> Failure {
        let first = error.diagnostics().first().map_or("it cannot be asked", |told| told.message.as_str());
        let message = match error.diagnostics().len() {
            0 | 1 => first.to_string(),
            errors => format!("{first} (and {} more)", count(errors - 1, "error")),
        };
        let mut failure = Failure::new(Kind::Query, message);
        failure.0.diagnostics = error.diagnostics().to_vec();
        failure.0.sources = error.sources().clone();
        failure
    }

    /// A request that cannot be decided.
    pub fn request(name: &str, error: &RequestError) -> Failure {
        let problems = error.problems().to_vec();
        let message = match problems.as_slice() {
            [one] => format!("{name}: {one}"),
            many => format!("{name}: {} in the request", count(many.len(), "problem")),
        };
        let mut failure = Failure::new(Kind::Request, message);
        failure.0.problems = problems;
        failure
    }

    /// An argument of which a part is wrong: shown with that part underlined.
    pub fn pointed(kind: Kind, code: &str, argument: (&str, &str), range: std::ops::Range<usize>) -> Pointed {
        let mut sources = Sources::default();
        let source = sources.add(argument.0, argument.1);
        let span = Span::new(source, range.start, range.end);
        Pointed { kind, code: code.to_string(), sources, span }
    }

    /// A decision log that cannot be opened, read or written.
    pub fn log(error: &stagegate_audit::LogError) -> Failure {
        Failure::new(Kind::Log, error.to_string())
    }

    pub fn json(&self) -> ErrorJson {
        ErrorJson {
            kind: self.0.kind,
            message: self.0.message.clone(),
            help: self.0.help.clone(),
            diagnostics: self.0.diagnostics.iter().map(|d| DiagnosticJson::new(d, &self.0.sources)).collect(),
            problems: self.0.problems.clone(),
        }
    }

    /// As printed on standard error, with its line end.
    pub fn text(&self, colour: bool) -> String {
        if !self.0.diagnostics.is_empty() {
            let sources = renamed(&self.0.sources, plain);
            let rendered: Vec<String> =
                self.0.diagnostics.iter().map(|d| render(d, &sources, colour).trim_end().to_string()).collect();
            return rendered.join("\n\n") + "\n";
        }
        let error = Paint::Red.on("error", colour);
        let mut text = format!("{error}: {}\n", lines(&self.0.message));
        if self.0.problems.len() > 1 {
            for problem in &self.0.problems {
                text.push_str(&format!("  {}\n", lines(&problem.to_string())));
            }
        }
        for help in &self.0.help {
            text.push_str(&format!("{}: {}\n", Paint::Bold.on("help", colour), lines(help)));
        }
        text
    }
}

/// Text with the name of a file or what else others chose in it: line by line without what could move a cursor.
fn lines(text: &str) -> String {
    text.trim_end().split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// A [`Failure::pointed`] on its way.
#[derive(Debug)]
pub struct Pointed {
    kind: Kind,
    code: String,
    sources: Sources,
    span: Span,
}

impl Pointed {
    pub fn says(self, message: impl Into<String>, help: impl IntoIterator<Item = String>) -> Failure {
        let message = message.into();
        let mut failure = Failure::new(self.kind, message.clone());
        failure.0.help = help.into_iter().collect();
        // A number that does not exist would be a slip of ours: the message is printed without its place then.
        if let Some(info) = ALL_CODES.iter().find(|info| info.code.as_str() == self.code) {
            let mut diagnostic = Diagnostic::new(info.code, self.span, message);
            diagnostic.help = failure.0.help.clone();
            failure.0.diagnostics.push(diagnostic);
            failure.0.sources = self.sources;
        }
        failure
    }
}

/// The same sources under the names that a person would type: those given, with a folder before them.
pub fn renamed(sources: &Sources, name: impl Fn(&str) -> String) -> Sources {
    let mut out = Sources::default();
    for source in sources.iter() {
        let _: SourceId = out.add(name(&source.name), source.text.clone());
    }
    out
}

/// `1 error`, `2 errors`
pub fn count(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}
