//! One linear look at a source before it is parsed: its size, its brackets, its strings, its comments, and where
//! declarations and rules seem to begin (for when it does not parse as a whole).

use super::parse::{ITEMS, MAX_ERRORS, RULES};
use super::tree::Comment;
use crate::Limits;
use crate::diagnostic::codes::{BRACKET, EMPTY_SOURCE, STRING, SYNTAX, TOO_DEEP, TOO_LARGE, TOO_MANY};
use crate::diagnostic::{Diagnostic, SourceId, Span};

/// What the scan found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub comments: Vec<Comment>,
    /// Words that a declaration, a rule or a step may begin with, in order.
    pub heads: Vec<Head>,
    /// Outermost pairs of braces, in order.
    pub blocks: Vec<(usize, usize)>,
    pub diagnostics: Vec<Diagnostic>,
    /// Whether a limit was crossed, there is nothing to parse, or more is wrong than will be told.
    pub stopped: bool,
}

/// The first word of a line, or further on in it a keyword that a name stands behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub start: usize,
    pub end: usize,
    /// Braces around it.
    pub depth: usize,
}

/// Words that begin a declaration and nothing else, so that one at the very start of a line is taken for one even when
/// a brace before it has not been closed.
const OUTER: [&str; 8] = ["policy", "timezone", "include", "define", "calendar", "stage", "scenario", "test"];

pub(super) fn scan(text: &str, source: SourceId, limits: &Limits) -> Scanned {
    let found = scan_once(text, source, limits, false);
    let unclosed = |d: &Diagnostic| text.as_bytes().get(d.span().start as usize) == Some(&b'{');
    if !found.stopped && found.diagnostics.iter().any(|d| d.code == BRACKET && unclosed(d)) {
        // A brace that is never closed makes one block of all that follows: look where it should have been.
        return scan_once(text, source, limits, true);
    }
    found
}

/// A bracket that is open.
struct Open {
    byte: u8,
    start: usize,
    /// How many `not` stand before it and wait for its end.
    nots: usize,
}

fn scan_once(text: &str, source: SourceId, limits: &Limits, recover: bool) -> Scanned {
    let span = |start: usize, end: usize| Span::new(source, start, end);
    let mut found = Scanned::default();
    if text.len() > limits.source_bytes {
        let message = format!("the file has {} bytes; the limit is {}", text.len(), limits.source_bytes);
        return found.stop(Diagnostic::new(TOO_LARGE, span(0, 0), message).help("split it with `include`"));
    }
    let bytes = text.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    // `depth` counts brackets and the `not`s before them; `nots` those since the last bracket or test.
    let (mut at, mut tokens, mut nots, mut depth, mut braces) = (0, 0usize, 0usize, 0usize, 0usize);
    let (mut line_is_fresh, mut last, mut outermost) = (true, "", 0);
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
                found.diagnostics.extend(hiding(&comment.text, at, source));
                found.comments.push(comment);
                at = end;
                continue;
            }
            b'"' => match string_end(bytes, at) {
                Ok(end) => {
                    found.diagnostics.extend(hiding(text.get(start..end).unwrap_or(""), start, source));
                    at = end;
                }
                Err(end) => {
                    let shown = text.get(start..end).unwrap_or("").trim_end().len();
                    found.diagnostics.push(
                        Diagnostic::new(STRING, span(start, start + shown), "this string has no end")
                            .label("it begins here and is still open at the end of the line")
                            .help("write `\"` after it; a line break inside a string is `\\n`"),
                    );
                    at = end;
                }
            },
            b'{' | b'[' | b'(' => {
                at += 1;
                depth += 1 + nots;
                if byte == b'{' {
                    outermost = if braces == 0 { start } else { outermost };
                    braces += 1;
                }
                open.push(Open { byte, start, nots: std::mem::take(&mut nots) });
            }
            b'}' | b']' | b')' => {
                at += 1;
                let closed = close(&mut open, byte, start, source, &mut found.diagnostics);
                for bracket in closed {
                    depth = depth.saturating_sub(1 + bracket.nots);
                    if bracket.byte == b'{' {
                        braces = braces.saturating_sub(1);
                        if braces == 0 {
                            found.blocks.push((outermost, start));
                        }
                    }
                }
            }
            b if b.is_ascii_alphanumeric() => {
                at = word_end(text, at);
                let word = text.get(start..at).unwrap_or("");
                if let Some(bad) = word.find(|c: char| !c.is_ascii()) {
                    found.diagnostics.push(foreign(word, span(start, at), bad));
                }
            }
            0xEF if text.get(at..).is_some_and(|t| t.starts_with('\u{FEFF}')) => {
                at += 3;
                continue;
            }
            b'/' => at = regex_end(text, at, last),
            0 => {
                let told = Diagnostic::new(SYNTAX, span(start, start + 1), "`\\u{0}` is not part of the language");
                return found.stop(told.help("save the file as UTF-8; this may be UTF-16"));
            }
            b if b < 0x20 || b == 0x7f => {
                at += 1;
                found.diagnostics.push(foreign(text.get(start..at).unwrap_or(""), span(start, at), 0));
            }
            b if b < 0x80 => at += 1,
            _ => {
                at = word_end(text, at)
                    .max(at + text.get(at..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8));
                found.diagnostics.push(foreign(text.get(start..at).unwrap_or(""), span(start, at), 0));
            }
        }
        let word = text.get(start..at).unwrap_or("");
        let begins_line = std::mem::replace(&mut line_is_fresh, false);
        if byte.is_ascii_alphabetic() {
            let is_outer = recover && braces > 0 && OUTER.contains(&word) && at_line_start(bytes, start);
            if is_outer && begins_line && names_something(text, at) {
                for bracket in open.drain(..) {
                    let unclosed = never_closed(&bracket, source);
                    found.diagnostics.push(unclosed.also(span(start, at), "this declaration would be inside it"));
                }
                (depth, braces, nots) = (0, 0, 0);
            }
            let is_rule = braces > 0 && last != "sealed" && RULES.contains(&word) && has_colon(text, at);
            let is_item = braces == 0 && ITEMS.contains(&word) && !ITEMS.contains(&last) && names_something(text, at);
            if begins_line || is_rule || is_item {
                found.heads.push(Head { start, end: at, depth: braces });
            }
        }
        match word {
            "not" => nots += 1,
            "(" => {}
            _ => nots = 0,
        }
        tokens += 1;
        if depth + nots > limits.depth {
            let message = format!("brackets and `not` are nested deeper than {}", limits.depth);
            let help = "give parts of the condition names with `define`; two `not` undo each other";
            return found.stop(Diagnostic::new(TOO_DEEP, span(start, at), message).help(help));
        }
        if found.diagnostics.len() >= MAX_ERRORS {
            found.stopped = true;
            return found;
        }
        if tokens > limits.tokens {
            let message = format!("the file has more than {} words and signs", limits.tokens);
            return found.stop(Diagnostic::new(TOO_MANY, span(start, at), message).help("split it with `include`"));
        }
        last = word;
    }
    found.diagnostics.extend(open.iter().map(|bracket| never_closed(bracket, source)));
    if tokens == 0 {
        let message = match found.comments.is_empty() {
            true => "the file is empty",
            false => "the file holds nothing but comments",
        };
        return found.stop(
            Diagnostic::new(EMPTY_SOURCE, span(0, 0), message)
                .help("a policy begins with `policy NAME` and has at least one `stage NAME { … }`"),
        );
    }
    found
}

impl Scanned {
    fn stop(mut self, diagnostic: Diagnostic) -> Scanned {
        self.diagnostics.push(diagnostic);
        self.stopped = true;
        self
    }
}

fn never_closed(bracket: &Open, source: SourceId) -> Diagnostic {
    let span = Span::new(source, bracket.start, bracket.start + 1);
    Diagnostic::new(BRACKET, span, format!("`{}` is never closed", char::from(bracket.byte)))
        .label("opened here")
        .help(format!("write `{}` where it should end", partner(bracket.byte)))
}

/// A word or a sign with something in it that only strings and comments may hold.
fn foreign(word: &str, span: Span, bad: usize) -> Diagnostic {
    let first = word.get(bad..).and_then(|t| t.chars().next()).unwrap_or(' ');
    let shown = crate::plain::escape(word.get(bad..bad + first.len_utf8()).unwrap_or("")).into_owned();
    let help = match first {
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201b}' => {
            "texts stand in plain double quotes: `\"…\"`"
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "write a plain `-`, or `..` between the ends of a range",
        '\u{2026}' => "write two dots, `..`, between the ends of a range",
        '\u{2260}' => "write `!=`",
        '\u{2264}' => "write `<=`",
        '\u{2265}' => "write `>=`",
        '\u{a0}' | '\u{2000}'..='\u{200b}' | '\u{3000}' => "write a plain blank; this one only looks like one",
        c if c.is_alphabetic() => "names are letters a to z, digits, `_` and `-`; put anything else into quotes",
        _ => "only strings and comments may hold it",
    };
    Diagnostic::new(SYNTAX, span, format!("`{shown}` is not part of the language")).help(help)
}

/// What would make a comment or a string look to a reader like something else than it is: a line that seems to end in
/// it, or text in another order.
fn hiding(text: &str, start: usize, source: SourceId) -> Option<Diagnostic> {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let (at, found) = text.char_indices().find(|(at, c)| match c {
        // CR LF ends a line; a comment that ends at one does not hold it.
        '\r' => text.get(at + 1..).is_some_and(|rest| !rest.starts_with('\n')),
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => true,
        c => turns(*c),
    })?;
    let span = Span::new(source, start + at, start + at + found.len_utf8());
    let shown = crate::plain::escape(text.get(at..at + found.len_utf8()).unwrap_or("")).into_owned();
    let (message, help) = match found {
        '\r' => ("ends no line here, but looks as if it did", "save the file with LF or CR LF at the ends of lines"),
        c if turns(c) => ("shows text in another order than it is read", "remove it; in a string write it as `\\u{…}`"),
        _ => ("ends no line here, but looks as if it did", "remove it; in a string write it as `\\u{…}`"),
    };
    Some(Diagnostic::new(SYNTAX, span, format!("`{shown}` {message}")).help(help))
}

fn at_line_start(bytes: &[u8], start: usize) -> bool {
    start.checked_sub(1).and_then(|before| bytes.get(before)).is_none_or(|b| *b == b'\n')
}

/// Whether a name, a text or a star stands behind a word.
pub(super) fn names_something(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or("");
    let follows = rest.trim_start_matches([' ', '\t']);
    follows.len() < rest.len() && follows.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '"' | '*'))
}

/// Whether `name:` stands behind a word.
fn has_colon(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or("");
    let name = rest.trim_start_matches([' ', '\t']);
    let length = word_end(name, 0);
    name.len() < rest.len() && length > 0 && name.get(length..).is_some_and(|t| t.starts_with(':'))
}

fn partner(open: u8) -> char {
    match open {
        b'{' => '}',
        b'[' => ']',
        _ => ')',
    }
}

/// What a closing bracket closes. A brace closes brackets inside it that were forgotten; they are told.
fn close(open: &mut Vec<Open>, byte: u8, at: usize, source: SourceId, diagnostics: &mut Vec<Diagnostic>) -> Vec<Open> {
    let here = Span::new(source, at, at + 1);
    let shown = char::from(byte);
    let top = open.last().map(|bracket| bracket.byte);
    let mut closed = Vec::new();
    if top.map(partner) == Some(shown) {
        closed.extend(open.pop());
    } else if shown == '}' && open.iter().any(|bracket| bracket.byte == b'{') {
        while let Some(bracket) = open.pop() {
            let done = bracket.byte == b'{';
            if !done {
                diagnostics.push(never_closed(&bracket, source).also(here, "something around it ends here"));
            }
            closed.push(bracket);
            if done {
                break;
            }
        }
    } else if let (Some(opener @ (b'(' | b'[')), true) = (top, shown != '}') {
        let start = open.last().map_or(at, |bracket| bracket.start);
        closed.extend(open.pop());
        diagnostics.push(
            Diagnostic::new(BRACKET, here, format!("`{}` is closed by `{shown}`", char::from(opener)))
                .label(format!("`{}` was expected", partner(opener)))
                .also(Span::new(source, start, start + 1), "opened here"),
        );
    } else {
        diagnostics.push(
            Diagnostic::new(BRACKET, here, format!("`{shown}` closes nothing"))
                .label("no such bracket is open here")
                .help("remove it, or look for a bracket that was closed too early"),
        );
    }
    closed
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

/// One past a word; letters of other alphabets are in it, so that they are told once a word.
fn word_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or("");
    start + rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(rest.len())
}

/// A regex, or a lone slash, as in a zone's name.
fn regex_end(text: &str, start: usize, last: &str) -> usize {
    let bytes = text.as_bytes();
    let touches = start.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(|b| b.is_ascii_alphanumeric());
    if touches && last != "matches" {
        return start + 1;
    }
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
