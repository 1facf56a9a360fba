//! The door of the room: a source becomes a tree and all that is wrong with it.
//!
//! A source that does not parse as a whole is parsed piece by piece: each declaration, inside a stage each rule, inside
//! a test each step. So one broken rule costs one diagnostic, and its neighbours are still in the tree.

use pest::Parser;

use super::build::{Builder, Pair};
use super::expected;
use super::grammar::{Gate, Rule};
use super::scan::{Head, Scanned, names_something, scan};
use super::tree::{At, File, Item};
use crate::Limits;
use crate::diagnostic::{Diagnostic, SourceId, Sources};

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
pub(super) const STEPS: [&str; 26] = [
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
    "row",
];
/// So many errors of one file are told.
pub(super) const MAX_ERRORS: usize = 100;

/// Reads one source. Time and memory are linear in its length; nothing recurses.
pub fn parse(sources: &Sources, id: SourceId, limits: &Limits) -> Parsed {
    let text = sources.get(id).map_or("", |source| source.text.as_str());
    let scanned = scan(text, id, limits);
    let mut parsed =
        Parsed { file: File { source: id, items: Vec::new(), comments: Vec::new() }, diagnostics: Vec::new() };
    if scanned.stopped {
        parsed.diagnostics = scanned.diagnostics;
    } else {
        let whole =
            if scanned.diagnostics.is_empty() { Gate::parse(Rule::file, text).map_err(Some) } else { Err(None) };
        match whole {
            Ok(mut pairs) => {
                let comments = &scanned.comments;
                let mut builder = Builder { source: id, base: 0, text, comments, limits, diagnostics: Vec::new() };
                let items = pairs.next().into_iter().flat_map(Pair::into_inner);
                let items = items.filter(|pair| pair.as_rule() == Rule::item);
                parsed.file.items.extend(items.filter_map(|item| builder.item(item)));
                parsed.diagnostics = builder.diagnostics;
            }
            Err(error) => {
                let mut pieces = Pieces { text, id, limits, scanned: &scanned, parsed: &mut parsed };
                pieces.items();
                parsed.diagnostics.splice(0..0, scanned.diagnostics);
                if let (true, Some(error)) = (parsed.diagnostics.is_empty(), error) {
                    // Every piece is well, but the whole is not.
                    parsed.diagnostics.push(expected::explain(text, id, 0, text.len(), &error));
                }
            }
        }
    }
    parsed.file.comments = scanned.comments;
    parsed.diagnostics.sort_by_key(|d| d.span().start);
    // A bracket without its partner is told by the scan and by the condition that it is in.
    parsed.diagnostics.dedup_by_key(|d| (d.code, d.span().start));
    parsed.diagnostics.truncate(MAX_ERRORS);
    parsed
}

struct Pieces<'a> {
    text: &'a str,
    id: SourceId,
    limits: &'a Limits,
    scanned: &'a Scanned,
    parsed: &'a mut Parsed,
}

impl<'a> Pieces<'a> {
    fn word(&self, head: &Head) -> &'a str {
        self.text.get(head.start..head.end).unwrap_or("")
    }

    /// Starts of the pieces in `from..to`: heads at `depth` that are one of the words, and whatever is first. Words that
    /// would begin something elsewhere count if a name follows them.
    fn starts(&self, from: usize, to: usize, depth: usize, words: &[&str], elsewhere: &[&str]) -> Vec<usize> {
        let first = self.text.get(from..to).map_or(from, |piece| from + blanks(piece));
        let mut starts = vec![first];
        let heads = &self.scanned.heads;
        let heads = heads.get(heads.partition_point(|h| h.start <= first)..).unwrap_or(&[]);
        for head in heads.iter().take_while(|h| h.start < to).filter(|h| h.depth == depth) {
            let word = self.word(head);
            if words.contains(&word)
                || names_something(self.text, head.end) && {
                    elsewhere.contains(&word) || crate::diagnostic::nearest(word, words.iter().copied()).is_some()
                }
            {
                starts.push(head.start);
            }
        }
        starts
    }

    /// Whether the scan found something wrong there: it has been told, and the rest is not to be trusted.
    fn is_tainted(&self, start: usize, end: usize) -> bool {
        let mut errors = self.scanned.diagnostics.iter().map(|d| d.span().start as usize);
        errors.any(|at| (start..end).contains(&at))
    }

    fn is_full(&self) -> bool {
        self.parsed.diagnostics.len() >= MAX_ERRORS
    }

    fn explain(&mut self, start: usize, end: usize, error: &pest::error::Error<Rule>) {
        if !self.is_tainted(start, end) {
            self.parsed.diagnostics.push(expected::explain(self.text, self.id, start, end, error));
        }
    }

    fn items(&mut self) {
        let starts = self.starts(0, self.text.len(), 0, &ITEMS, &RULES);
        for (index, start) in starts.iter().copied().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(self.text.len());
            if self.is_full() {
                return;
            }
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
        let word = word_at(piece, 0);
        let inside = match word {
            "stage" => Some((RULE, &RULES[..], &ITEMS[..])),
            "test" | "scenario" => Some((STEP, &STEPS[..], &RULES[..])),
            _ => None,
        };
        let brace = self.scanned.blocks.iter().copied().find(|(open, _)| (start..end).contains(open));
        let (Some((kind, words, elsewhere)), Some((open, close))) = (inside, brace) else {
            return self.explain(start, end, &error);
        };
        let at = error_at(&error) + start;
        if at <= open || at > close {
            self.explain(start, end, &error);
        }
        let before = self.parsed.diagnostics.len();
        let rules = self.inside(open + 1, close, kind, words, elsewhere);
        // The declaration itself, with the rules that could be read.
        let shell: String = format!("{}}}", self.text.get(start..open + 1).unwrap_or(""));
        if let Ok(pairs) = Gate::parse(Rule::one_item, &shell) {
            let item = self.build(start, pairs, |builder, pair| builder.item(pair));
            self.parsed.file.items.extend(item.map(|item| fill(item, rules)));
        }
        if at > open && at <= close && self.parsed.diagnostics.len() == before {
            self.explain(start, end, &error);
        }
    }

    /// The rules or steps between two braces.
    fn inside(&mut self, from: usize, to: usize, kind: Kind, words: &[&str], elsewhere: &[&str]) -> Vec<Inner> {
        let mut read = Vec::new();
        let starts = self.starts(from, to, 1, words, elsewhere);
        for (index, start) in starts.iter().copied().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(to);
            let piece = self.text.get(start..end).unwrap_or("");
            if blanks(piece) == piece.len() || self.is_full() {
                continue;
            }
            match Gate::parse(kind.alone, piece) {
                Ok(pairs) => read.extend(self.inner(start, pairs)),
                Err(_) => self.one_by_one(start, end, kind, words, &mut read),
            }
        }
        read
    }

    /// A piece that is not one rule or step: several on one line are read one by one, up to the first that is wrong.
    fn one_by_one(&mut self, start: usize, end: usize, kind: Kind, words: &[&str], read: &mut Vec<Inner>) {
        let mut at = start;
        loop {
            let piece = self.text.get(at..end).unwrap_or("");
            let done = Gate::parse(kind.first, piece).ok().map(|pairs| {
                let length = pairs.clone().next().map_or(0, |pair| pair.as_str().trim_end().len());
                (pairs, length)
            });
            let next = done.as_ref().map(|(_, length)| at + length + blanks(piece.get(*length..).unwrap_or("")));
            match (done, next) {
                (Some((pairs, 1..)), Some(next)) if next >= end || words.contains(&word_at(self.text, next)) => {
                    read.extend(self.inner(at, pairs));
                    at = next;
                    if at >= end {
                        return;
                    }
                }
                _ => {
                    if let Err(error) = Gate::parse(kind.alone, piece) {
                        self.explain(at, end, &error);
                    }
                    return;
                }
            }
        }
    }

    fn inner(&mut self, base: usize, pairs: pest::iterators::Pairs<'_, Rule>) -> Option<Inner> {
        self.build(base, pairs, |builder, pair| match pair.as_rule() {
            Rule::stage_rule => builder.rule(pair).map(Inner::Rule),
            Rule::row => builder.row(pair).map(Inner::Row),
            _ => builder.step(pair).map(Inner::Step),
        })
    }

    fn build<T>(
        &mut self,
        base: usize,
        mut pairs: pest::iterators::Pairs<'_, Rule>,
        make: impl FnOnce(&mut Builder<'_>, Pair<'_>) -> Option<T>,
    ) -> Option<T> {
        let (text, comments) = (self.text, self.scanned.comments.as_slice());
        let mut builder =
            Builder { source: self.id, base, text, comments, limits: self.limits, diagnostics: Vec::new() };
        let inner = pairs.next()?.into_inner().next()?;
        let made = make(&mut builder, inner);
        self.parsed.diagnostics.append(&mut builder.diagnostics);
        made
    }
}

/// How a rule or a step is parsed: as the whole of a text, or as what stands first in it.
#[derive(Clone, Copy)]
struct Kind {
    alone: Rule,
    first: Rule,
}

const RULE: Kind = Kind { alone: Rule::one_rule, first: Rule::first_rule };
const STEP: Kind = Kind { alone: Rule::one_step, first: Rule::first_step };

/// The word at a place.
fn word_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').next().unwrap_or("")
}

enum Inner {
    Rule(super::tree::Rule),
    Step(At<super::tree::Step>),
    Row(super::tree::Row),
}

fn fill(mut item: At<Item>, inner: Vec<Inner>) -> At<Item> {
    for inner in inner {
        match (&mut item.value, inner) {
            (Item::Stage(stage), Inner::Rule(rule)) => stage.rules.push(rule),
            (Item::Test(test), Inner::Step(step)) => test.steps.push(step),
            (Item::Test(test), Inner::Row(row)) => test.rows.push(row),
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
