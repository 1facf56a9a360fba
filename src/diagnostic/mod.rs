//! Diagnostics: what is wrong with a policy, where, and what to do about it.
//!
//! A diagnostic has a number that never changes its meaning, a severity, a message in the author's words, labelled
//! places in the source, and help. [`docs/diagnostics.md`](https://docs.rs/stagegate) lists them all.

pub(crate) mod codes;
mod render;
mod suggest;

pub use codes::{ALL_CODES, Code, CodeInfo};
pub use render::render;
pub use suggest::{did_you_mean, list_words, nearest};

/// Which source file of a policy a place is in: an index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceId(pub u32);

/// A place in a source: bytes `start..end` of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end` of `source`.
    pub fn new(source: SourceId, start: usize, end: usize) -> Span {
        Span { source, start: start as u32, end: end as u32 }
    }

    /// The smallest span that holds both; `other` must be in the same file.
    pub fn to(self, other: Span) -> Span {
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One source file.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name it was loaded under, as an author would write it.
    pub name: String,
    /// Its whole text.
    pub text: String,
    /// Where each line starts, in bytes.
    lines: Vec<u32>,
}

/// All the source files of one policy: the root first, then what it includes.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a file and returns its number.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let text = text.into();
        let mut lines = vec![0];
        lines.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1));
        self.files.push(Source { name: name.into(), text, lines });
        SourceId(self.files.len() as u32 - 1)
    }

    /// The file with that number.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.files.get(id.0 as usize)
    }

    /// All files, the root first.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }

    /// The text of a place.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source).and_then(|s| s.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// File name, line and column (both from 1, the column in characters) of the start of a place.
    pub fn place(&self, span: Span) -> Place {
        let (file, line, column) = self.seen_at(span);
        Place { file: file.to_string(), line, column }
    }

    /// The same without a copy of the name.
    pub(crate) fn seen_at(&self, span: Span) -> (&str, u32, u32) {
        let Some(source) = self.get(span.source) else {
            return ("", 0, 0);
        };
        let line = source.lines.partition_point(|start| *start <= span.start).max(1);
        let start = source.lines.get(line - 1).copied().unwrap_or(0) as usize;
        let before = source.text.get(start..span.start as usize).unwrap_or("");
        (&source.name, line as u32, before.chars().count() as u32 + 1)
    }
}

/// A place as a person reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Compiles, but is surely not meant.
    Warning,
    /// The policy does not compile.
    Error,
}

/// A labelled place of a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said of it; may be empty.
    pub text: String,
    /// Whether this is the place the diagnostic is about (the first label is).
    pub primary: bool,
}

/// One thing to tell the author of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its number, such as `E0203`.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// One line, lower case, in the author's words.
    pub message: String,
    /// Places: the first is what it is about.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A new diagnostic about a place. Its severity follows from its number (`E…` or `W…`).
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            labels: vec![Label { span, text: String::new(), primary: true }],
            help: Vec::new(),
        }
    }

    /// Says something at the place it is about.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Adds another labelled place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(text.into());
        self
    }

    /// Adds a line of help if there is one.
    #[must_use]
    pub fn maybe_help(mut self, text: Option<String>) -> Diagnostic {
        self.help.extend(text);
        self
    }

    /// The place it is about.
    pub fn span(&self) -> Span {
        self.labels.first().map(|l| l.span).unwrap_or_default()
    }
}
