//! Where results and remarks go: results to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::args::{Colour, Format, Global};
use crate::failure::{Failure, Kind};

/// How to print.
#[derive(Clone, Debug)]
pub struct Output {
    pub format: Format,
    pub quiet: bool,
    /// Whether standard output is coloured.
    pub colour: bool,
    /// Whether standard error is coloured.
    pub error_colour: bool,
}

impl Output {
    pub fn new(global: &Global) -> Output {
        // anstream knows NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM=dumb and terminals.
        let auto = |choice| choice != ColorChoice::Never;
        let (colour, error_colour) = match global.color {
            Colour::Always => (true, true),
            Colour::Never => (false, false),
            Colour::Auto => {
                (auto(AutoStream::choice(&std::io::stdout())), auto(AutoStream::choice(&std::io::stderr())))
            }
        };
        Output { format: global.format, quiet: global.quiet, colour, error_colour }
    }

    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints a result in text.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let choice = if self.colour { ColorChoice::Always } else { ColorChoice::Never };
        write(AutoStream::new(std::io::stdout().lock(), choice), text)
    }

    /// Prints text as it is, whatever is in it: scripts, man pages, policies.
    pub fn raw(&self, text: &str) -> Result<(), Failure> {
        write(std::io::stdout().lock(), text)
    }

    /// Prints the one JSON value.
    pub fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::new(Kind::File, format!("the result cannot be written as JSON: {error}")))?;
        self.raw(&(text + "\n"))
    }

    /// Says something that is not the result, in text only.
    pub fn note(&self, text: &str) {
        if !self.quiet && !self.is_json() {
            self.stderr(text);
        }
    }

    /// Says what went wrong.
    pub fn failure(&self, failure: &Failure) {
        #[derive(Serialize)]
        struct Json {
            error: crate::failure::ErrorJson,
        }
        if self.is_json() {
            // If even this cannot be printed there is nobody to tell.
            let _ = self.json(&Json { error: failure.json() });
        } else {
            self.stderr(&failure.text(self.error_colour));
        }
    }

    pub fn stderr(&self, text: &str) {
        let choice = if self.error_colour { ColorChoice::Always } else { ColorChoice::Never };
        let _ = AutoStream::new(std::io::stderr().lock(), choice).write_all(text.as_bytes());
    }

    /// Characters a line may have.
    pub fn width(&self) -> usize {
        let terminal = std::io::stdout().is_terminal();
        let width = terminal.then(terminal_size::terminal_size).flatten();
        width.map_or(100, |(width, _)| usize::from(width.0).clamp(40, 120))
    }
}

/// A reader that has gone away (`| head`) has had enough: that is no error.
fn write(mut to: impl Write, text: &str) -> Result<(), Failure> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Kind::File, format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Colours and weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
    Cyan,
}

impl Paint {
    pub fn on(self, text: &str, colour: bool) -> String {
        let code = match self {
            Paint::Bold => "1",
            Paint::Dim => "2",
            Paint::Green => "1;32",
            Paint::Yellow => "1;33",
            Paint::Red => "1;31",
            Paint::Cyan => "36",
        };
        if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// Text of strangers without what could move a cursor or forge a line.
pub fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}
