//! The door of the room: a source becomes a tree and all that is wrong with it.
//!
//! A source that does not parse as a whole is parsed piece by piece: each declaration, inside a stage each rule, inside
//! a test each step. So one broken rule costs one diagnostic, and its neighbours are still in the tree.

use pest::Parser;

use super::build::{Builder, Pair};
use super::expected;
use super::grammar::{Gate, Rule};
use super::scan::{Head, scan};
use super::tree::{At, File, Item};
use crate::Limits;
use crate::diagnostic::{Diagnostic, Severity, SourceId, Sources};

/// A tree with what is wrong with it. The tree holds what could be read; it stands for the file only if there is no
/// error among the diagnostics.
#[derive(Debug)]
pub struct Parsed {
    /// What could be read.
    pub file: File,
    /// Everything that is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Words that begin a declaration.
pub(super) const ITEMS: [&str; 11] =
    ["policy", "timezone", "include", "fact", "group", "define", "calendar", "stage", "test", "scenario", "invariant"];
/// Words that begin a rule.
pub(super) const RULES: [&str; 12] = [
    "require",
    "forbid",
    "advise",
    "window",
    "freeze",
    "approve",
    "trigger",
    "exclusive",
    "forward",
    "distinct",
    "override",
    "sealed",
];
/// Words that begin a step of a test.
pub(super) const STEPS: [&str; 25] = [
    "given",
    "at",
    "build",
    "current",
    "succeeded",
    "passed",
    "failed",
    "skipped",
    "cancelled",
    "pending",
    "approved",
    "rejected",
    "withdrawn",
    "override",
    "fact",
    "group",
    "push",
    "pull-request",
    "manual",
    "completion",
    "event",
    "schedule",
    "action",
    "requester",
    "expect",
];
/// So many errors of one file are told.
const MAX_ERRORS: usize = 100;

/// Reads one source. Time and memory are linear in its length; nothing recurses.
pub fn parse(sources: &Sources, id: SourceId, limits: &Limits) -> Parsed {
    let text = sources.get(id).map_or("", |source| source.text.as_str());
    let scanned = scan(text, id, limits);
    let mut parsed = Parsed {
        file: File { source: id, items: Vec::new(), comments: scanned.comments },
        diagnostics: scanned.diagnostics,
    };
    if parsed.diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return parsed;
    }
    match Gate::parse(Rule::file, text) {
        Ok(mut pairs) => {
            let mut builder = Builder { source: id, base: 0, limits, diagnostics: Vec::new() };
            let items = pairs.next().into_iter().flat_map(Pair::into_inner).filter(|pair| pair.as_rule() == Rule::item);
            parsed.file.items.extend(items.filter_map(|item| builder.item(item)));
            parsed.diagnostics.append(&mut builder.diagnostics);
        }
        Err(error) => {
            let mut pieces = Pieces { text, id, limits, heads: &scanned.heads, parsed: &mut parsed };
            pieces.items();
            if parsed.diagnostics.is_empty() {
                // Every piece is well, but the whole is not.
                parsed.diagnostics.push(expected::explain(text, id, 0, text.len(), &error));
            }
        }
    }
    parsed.diagnostics.truncate(MAX_ERRORS);
    parsed
}

struct Pieces<'a> {
    text: &'a str,
    id: SourceId,
    limits: &'a Limits,
    heads: &'a [Head],
    parsed: &'a mut Parsed,
}

impl<'a> Pieces<'a> {
    fn word(&self, head: &Head) -> &'a str {
        self.text.get(head.start..head.end).unwrap_or("")
    }

    /// Starts of the pieces in `from..to`: lines at `depth` that begin with one of the words, and whatever is first.
    fn starts(&self, from: usize, to: usize, depth: usize, words: &[&str]) -> Vec<usize> {
        let first = self.text.get(from..to).map_or(from, |piece| from + blanks(piece));
        let mut starts = vec![first];
        for head in self.heads.iter().filter(|h| h.start > first && h.start < to && h.depth == depth) {
            if words.contains(&self.word(head)) || self.looks_misspelt(head, words) {
                starts.push(head.start);
            }
        }
        starts
    }

    /// A line that begins with something close to one of the words, followed by a name: `requier unit: …`.
    fn looks_misspelt(&self, head: &Head, words: &[&str]) -> bool {
        let rest = self.text.get(head.end..).unwrap_or("");
        let follows = rest.trim_start_matches([' ', '\t']);
        follows.len() < rest.len()
            && follows.starts_with(|c: char| c.is_ascii_alphabetic() || c == '"')
            && crate::diagnostic::nearest(self.word(head), words.iter().copied()).is_some()
    }

    fn items(&mut self) {
        let starts = self.starts(0, self.text.len(), 0, &ITEMS);
        for (index, start) in starts.iter().copied().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(self.text.len());
            self.item(start, end);
        }
    }

    fn item(&mut self, start: usize, end: usize) {
        let piece = self.text.get(start..end).unwrap_or("");
        if piece.trim().is_empty() {
            return;
        }
        let error = match Gate::parse(Rule::one_item, piece) {
            Ok(pairs) => {
                let item = self.build(start, pairs, |builder, pair| builder.item(pair));
                self.parsed.file.items.extend(item);
                return;
            }
            Err(error) => error,
        };
        let word = piece.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').next().unwrap_or("");
        let inside = match word {
            "stage" => Some((Rule::one_rule, &RULES[..])),
            "test" | "scenario" => Some((Rule::one_step, &STEPS[..])),
            _ => None,
        };
        let brace = self.opening(start, end);
        if let (Some((rule, words)), Some((open, close))) = (inside, brace)
            && error_at(&error) + start > open
        {
            let before = self.parsed.diagnostics.len();
            let rules = self.inside(open + 1, close, rule, words);
            // The declaration itself, with the rules that could be read.
            let shell: String = format!("{}}}", self.text.get(start..open + 1).unwrap_or(""));
            if let Ok(pairs) = Gate::parse(Rule::one_item, &shell) {
                let item = self.build(start, pairs, |builder, pair| builder.item(pair));
                self.parsed.file.items.extend(item.map(|item| fill(item, rules)));
            }
            if self.parsed.diagnostics.len() > before {
                return;
            }
        }
        self.parsed.diagnostics.push(expected::explain(self.text, self.id, start, end, &error));
    }

    /// The braces of a declaration.
    fn opening(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let bytes = self.text.as_bytes();
        let mut at = start;
        let mut open = None;
        let mut depth = 0usize;
        while at < end {
            match bytes.get(at)? {
                b'"' => {
                    at += 1;
                    while bytes.get(at).is_some_and(|b| *b != b'"' && *b != b'\n') {
                        at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                    }
                }
                b'#' => {
                    while bytes.get(at).is_some_and(|b| *b != b'\n') {
                        at += 1;
                    }
                }
                b'{' => {
                    depth += 1;
                    open = open.or(Some(at));
                }
                b'}' => {
                    depth = depth.saturating_sub(1);
                    if let (Some(open), 0) = (open, depth) {
                        return Some((open, at));
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// The rules or steps between two braces.
    fn inside(&mut self, from: usize, to: usize, rule: Rule, words: &[&str]) -> Vec<Inner> {
        let mut read = Vec::new();
        let starts = self.starts(from, to, 1, words);
        for (index, start) in starts.iter().copied().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(to);
            let piece = self.text.get(start..end).unwrap_or("");
            if piece.trim().is_empty() {
                continue;
            }
            match Gate::parse(rule, piece) {
                Ok(pairs) => read.extend(self.build(start, pairs, |builder, pair| match pair.as_rule() {
                    Rule::stage_rule => builder.rule(pair).map(Inner::Rule),
                    _ => builder.step(pair).map(Inner::Step),
                })),
                Err(error) => {
                    // Several may share a line: then the rest of the pieces cannot be told apart.
                    let explained = expected::explain(self.text, self.id, start, end, &error);
                    self.parsed.diagnostics.push(explained);
                }
            }
        }
        read
    }

    fn build<T>(
        &mut self,
        base: usize,
        mut pairs: pest::iterators::Pairs<'_, Rule>,
        make: impl FnOnce(&mut Builder<'_>, Pair<'_>) -> Option<T>,
    ) -> Option<T> {
        let mut builder = Builder { source: self.id, base, limits: self.limits, diagnostics: Vec::new() };
        let inner = pairs.next()?.into_inner().next()?;
        let made = make(&mut builder, inner);
        self.parsed.diagnostics.append(&mut builder.diagnostics);
        made
    }
}

enum Inner {
    Rule(super::tree::Rule),
    Step(At<super::tree::Step>),
}

fn fill(mut item: At<Item>, inner: Vec<Inner>) -> At<Item> {
    for inner in inner {
        match (&mut item.value, inner) {
            (Item::Stage(stage), Inner::Rule(rule)) => stage.rules.push(rule),
            (Item::Test(test), Inner::Step(step)) => test.steps.push(step),
            (Item::Scenario(scenario), Inner::Step(step)) => scenario.steps.push(step),
            _ => {}
        }
    }
    item
}

/// Length of the blanks and comments at the start of a text.
fn blanks(text: &str) -> usize {
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{FEFF}']);
        match trimmed.strip_prefix('#') {
            Some(comment) => rest = comment.find('\n').and_then(|end| comment.get(end..)).unwrap_or(""),
            None => return text.len() - trimmed.len(),
        }
    }
}

/// Where a parse failed, in bytes.
pub(super) fn error_at(error: &pest::error::Error<Rule>) -> usize {
    match error.location {
        pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
    }
}
