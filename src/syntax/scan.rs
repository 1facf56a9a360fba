//! One linear look at a source before it is parsed: its size, its brackets, its strings, its comments, and where
//! declarations and rules seem to begin (for when it does not parse as a whole).

use super::tree::Comment;
use crate::Limits;
use crate::diagnostic::codes::{BRACKET, EMPTY_SOURCE, STRING, SYNTAX, TOO_DEEP, TOO_LARGE, TOO_MANY};
use crate::diagnostic::{Diagnostic, SourceId, Span};

/// What the scan found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub comments: Vec<Comment>,
    /// Starts of the first word of each line, with the number of braces around it and the word.
    pub heads: Vec<Head>,
    pub diagnostics: Vec<Diagnostic>,
}

/// The first word of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub start: usize,
    pub end: usize,
    /// Brackets of any kind around it.
    pub depth: usize,
}

pub(super) fn scan(text: &str, source: SourceId, limits: &Limits) -> Scanned {
    let span = |start: usize, end: usize| Span::new(source, start, end);
    let mut found = Scanned::default();
    if text.len() > limits.source_bytes {
        let message = format!("the file has {} bytes; the limit is {}", text.len(), limits.source_bytes);
        found.diagnostics.push(Diagnostic::new(TOO_LARGE, span(0, 0), message).help("split it with `include`"));
        return found;
    }
    let bytes = text.as_bytes();
    let mut open: Vec<(u8, usize)> = Vec::new();
    let (mut at, mut tokens, mut nots) = (0, 0usize, 0usize);
    let mut line_is_fresh = true;
    while let Some(byte) = bytes.get(at).copied() {
        let start = at;
        match byte {
            b'\n' => {
                line_is_fresh = true;
                at += 1;
                continue;
            }
            b' ' | b'\t' | b'\r' => {
                at += 1;
                continue;
            }
            b'#' => {
                let end = bytes.iter().skip(at).position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n);
                let comment = text.get(at..end).unwrap_or("").trim_end();
                let comment =
                    Comment { text: comment.to_string(), span: span(at, at + comment.len()), own_line: line_is_fresh };
                found.comments.push(comment);
                at = end;
                continue;
            }
            b'"' => match string_end(bytes, at) {
                Ok(end) => at = end,
                Err(end) => {
                    found.diagnostics.push(
                        Diagnostic::new(STRING, span(start, end), "this string has no end")
                            .label("it begins here and is still open at the end of the line")
                            .help("write `\"` after it; a line break inside a string is `\\n`"),
                    );
                    at = end;
                }
            },
            b'{' | b'[' | b'(' => {
                at += 1;
                open.push((byte, start));
                if open.len() > limits.depth {
                    let message = format!("brackets are nested deeper than {}", limits.depth);
                    found.diagnostics.push(
                        Diagnostic::new(TOO_DEEP, span(start, at), message)
                            .help("give parts of the condition names with `define`"),
                    );
                    return found;
                }
            }
            b'}' | b']' | b')' => {
                at += 1;
                close(&mut open, byte, start, source, &mut found.diagnostics);
            }
            b if b.is_ascii_alphanumeric() => {
                at = word_end(bytes, at);
            }
            0xEF if text.get(at..).is_some_and(|t| t.starts_with('\u{FEFF}')) => {
                at += 3;
                continue;
            }
            b'/' => at = regex_end(bytes, at),
            b if b < 0x80 => at += 1,
            _ => {
                at += text.get(at..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
                found.diagnostics.push(
                    Diagnostic::new(SYNTAX, span(start, at), "this character is not part of the language")
                        .label("only strings and comments may hold it")
                        .help("names are letters a to z, digits, `_` and `-`; put anything else into quotes"),
                );
            }
        }
        let word = text.get(start..at).unwrap_or("");
        if line_is_fresh {
            line_is_fresh = false;
            if byte.is_ascii_alphabetic() {
                found.heads.push(Head { start, end: at, depth: open.len() });
            }
        }
        nots = if word == "not" {
            nots + 1
        } else if word == "(" {
            nots
        } else {
            0
        };
        tokens += 1;
        if nots > limits.depth {
            let message = format!("more than {} times `not` in a row", limits.depth);
            found
                .diagnostics
                .push(Diagnostic::new(TOO_DEEP, span(start, at), message).help("two of them undo each other"));
            return found;
        }
        if tokens > limits.tokens {
            let message = format!("the file has more than {} words and signs", limits.tokens);
            found.diagnostics.push(Diagnostic::new(TOO_MANY, span(start, at), message).help("split it with `include`"));
            return found;
        }
    }
    for (byte, start) in open {
        found.diagnostics.push(
            Diagnostic::new(BRACKET, span(start, start + 1), format!("`{}` is never closed", char::from(byte)))
                .label("opened here")
                .help(format!("write `{}` where it should end", partner(byte))),
        );
    }
    if tokens == 0 {
        found.diagnostics.push(
            Diagnostic::new(EMPTY_SOURCE, span(0, 0), "the file is empty")
                .help("a policy begins with `policy NAME` and has at least one `stage NAME { … }`"),
        );
    }
    found
}

fn partner(open: u8) -> char {
    match open {
        b'{' => '}',
        b'[' => ']',
        _ => ')',
    }
}

fn close(open: &mut Vec<(u8, usize)>, byte: u8, at: usize, source: SourceId, diagnostics: &mut Vec<Diagnostic>) {
    let here = Span::new(source, at, at + 1);
    let shown = char::from(byte);
    match open.pop() {
        Some((opener, _)) if partner(opener) == shown => {}
        Some((opener, start)) => {
            let message = format!("`{}` is closed by `{shown}`", char::from(opener));
            diagnostics.push(
                Diagnostic::new(BRACKET, here, message)
                    .label(format!("`{}` was expected", partner(opener)))
                    .also(Span::new(source, start, start + 1), "opened here"),
            );
        }
        None => diagnostics.push(
            Diagnostic::new(BRACKET, here, format!("`{shown}` closes nothing"))
                .label("no bracket is open here")
                .help("remove it, or look for a bracket that was closed too early"),
        ),
    }
}

/// One past the closing quote, or the end of the line if there is none.
fn string_end(bytes: &[u8], start: usize) -> Result<usize, usize> {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            b'\n' => return Err(at),
            b'\\' if bytes.get(at + 1).is_some_and(|b| *b != b'\n') => at += 2,
            _ => at += 1,
        }
    }
    Err(bytes.len())
}

fn word_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.iter().skip(start);
    start + rest.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count()
}

/// A regex, or a lone slash.
fn regex_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'/' => return at + 1,
            b'\n' => break,
            b'\\' if bytes.get(at + 1).is_some_and(|b| *b != b'\n') => at += 2,
            _ => at += 1,
        }
    }
    start + 1
}
