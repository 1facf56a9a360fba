//! From the text of a question to a tree, with errors that show their place.

use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};
use stagegate::diagnostic::{Diagnostic, SourceId, Span, did_you_mean};
use stagegate::syntax::tree::{At, Comparison, Literal, Operand, Part, Path, Quantifier, Word};
use stagegate::{Limits, shared};

use super::error::code;
use super::{MAX_BYTES, limits};
use grammar::Rule;

/// The grammar bound to pest.
mod grammar {
    #![allow(missing_docs)]

    /// Made by pest from `grammar/query.pest`.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/query.pest"]
    pub(super) struct Questions;
}

type Pair<'t> = pest::iterators::Pair<'t, Rule>;

/// Tests joined with `and`, `or` and `not`. Its depth is that of the brackets and the `not`s, which is bounded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree<T> {
    /// All of them.
    And(Vec<Tree<T>>),
    /// Any of them.
    Or(Vec<Tree<T>>),
    /// The opposite.
    Not(Box<Tree<T>>),
    /// A test.
    Leaf(T),
}

impl<T> Tree<T> {
    /// The same tree over other tests.
    pub fn map<U>(self, each: &mut impl FnMut(T) -> U) -> Tree<U> {
        match self {
            Tree::And(items) => Tree::And(items.into_iter().map(|item| item.map(each)).collect()),
            Tree::Or(items) => Tree::Or(items.into_iter().map(|item| item.map(each)).collect()),
            Tree::Not(item) => Tree::Not(Box::new(item.map(each))),
            Tree::Leaf(test) => Tree::Leaf(each(test)),
        }
    }
}

/// A test as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Raw {
    pub span: Span,
    pub kind: RawKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RawKind {
    /// `reviewed`
    Bare(Operand),
    /// `stage == Staging`
    Test(Operand, RawTail),
    /// `any build.labels == hotfix`
    Each(Quantifier, Path, RawTail),
    /// `rule soak is not waiting`
    Rule { who: Who, negated: bool, status: Word },
    /// `approved by amita`
    By { head: Word, who: Who },
}

/// What is asked of the left side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RawTail {
    Compare(At<Comparison>, Operand),
    In { negated: bool, of: Operand },
    Within { negated: bool, from: At<Literal>, to: At<Literal> },
    Contains(Operand),
    StartsWith(Operand),
    EndsWith(Operand),
    Glob(Word),
    Regex(Word),
    IsSet,
    IsMissing,
}

/// Names behind `by` or `rule`; `any` without quotes stands for all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Who {
    Any,
    These(Vec<Word>),
}

/// Reads a question. Time and memory are linear in its length.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(text: &str, id: SourceId) -> Result<Tree<Raw>, Vec<Diagnostic>> {
    if text.len() > MAX_BYTES {
        let message = format!("the query has {} bytes; the limit is {MAX_BYTES}", text.len());
        return Err(vec![Diagnostic::new(code("E0711"), Span::new(id, 0, 0), message)]);
    }
    let limits = limits();
    let scanned = shared::scan(text, id, &limits);
    if !scanned.is_empty() {
        return Err(scanned);
    }
    let mut pairs = grammar::Questions::parse(Rule::query, text).map_err(|error| vec![explain(text, id, &error)])?;
    let mut builder = Builder { text, id, limits, wrong: Vec::new() };
    let cond = pairs.next().and_then(|query| query.into_inner().find(|pair| pair.as_rule() == Rule::cond));
    let tree = cond.and_then(|cond| builder.cond(cond));
    match tree {
        Some(tree) if builder.wrong.is_empty() => Ok(tree),
        _ => Err(builder.wrong),
    }
}

/// Reads the name of a field.
///
/// # Errors
/// When it is something else.
pub(crate) fn path(text: &str, id: SourceId) -> Result<Path, Vec<Diagnostic>> {
    let no_name = || {
        let span = Span::new(id, 0, text.len());
        vec![
            Diagnostic::new(code("E0101"), span, "this is not the name of a field")
                .help("write `stage` or `fact.ticket`"),
        ]
    };
    let pair = grammar::Questions::parse(Rule::path, text).ok().and_then(|mut pairs| pairs.next());
    let pair = pair.filter(|pair| pair.as_str().len() == text.len()).ok_or_else(no_name)?;
    let mut builder = Builder { text, id, limits: limits(), wrong: Vec::new() };
    let path = builder.path(pair);
    if builder.wrong.is_empty() { Ok(path) } else { Err(builder.wrong) }
}

struct Builder<'t> {
    text: &'t str,
    id: SourceId,
    limits: Limits,
    wrong: Vec<Diagnostic>,
}

/// An open bracket, with what has been read since.
struct Level {
    open: Span,
    /// `or` of `and`s: the last list is the one being filled.
    ors: Vec<Vec<Tree<Raw>>>,
    /// How many `not`s stand before the next test of this level.
    nots: usize,
}

impl Level {
    fn new(open: Span) -> Level {
        Level { open, ors: vec![Vec::new()], nots: 0 }
    }

    fn push(&mut self, mut tree: Tree<Raw>) {
        for _ in 0..std::mem::take(&mut self.nots) {
            tree = Tree::Not(Box::new(tree));
        }
        if let Some(ands) = self.ors.last_mut() {
            ands.push(tree);
        }
    }

    fn finish(self) -> Option<Tree<Raw>> {
        let ands = self.ors.into_iter().filter_map(|ands| join(ands, Tree::And));
        join(ands.collect(), Tree::Or)
    }
}

fn join(mut items: Vec<Tree<Raw>>, gate: fn(Vec<Tree<Raw>>) -> Tree<Raw>) -> Option<Tree<Raw>> {
    if items.len() < 2 { items.pop() } else { Some(gate(items)) }
}

impl Builder<'_> {
    /// A place without the blanks behind it.
    fn span(&self, pair: &Pair<'_>) -> Span {
        let start = pair.as_span().start();
        Span::new(self.id, start, start + pair.as_str().trim_end().len())
    }

    fn word(&mut self, pair: &Pair<'_>) -> Word {
        let span = self.span(pair);
        match pair.as_rule() {
            Rule::string => match self.literal(span).value {
                Literal::String(text) => At::new(text, span),
                _ => At::new(String::new(), span),
            },
            _ => At::new(pair.as_str().to_string(), span),
        }
    }

    fn literal(&mut self, span: Span) -> At<Literal> {
        shared::literal(self.text, span, &self.limits).unwrap_or_else(|wrong| {
            self.wrong.extend(wrong);
            At::new(Literal::Bool(false), span)
        })
    }

    fn cond(&mut self, pair: Pair<'_>) -> Option<Tree<Raw>> {
        let mut levels = vec![Level::new(self.span(&pair))];
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::joiner => {
                    if let (Some(level), true) = (levels.last_mut(), part.as_str().trim_end() == "or") {
                        level.ors.push(Vec::new());
                    }
                }
                _ => self.guarded(part, &mut levels),
            }
        }
        while levels.len() > 1 {
            let Some(level) = levels.pop() else { break };
            self.wrong.push(
                Diagnostic::new(code("E0106"), level.open, "`(` is not closed")
                    .help("write `)` where the bracketed part ends"),
            );
        }
        levels.pop().and_then(Level::finish)
    }

    fn guarded(&mut self, pair: Pair<'_>, levels: &mut Vec<Level>) {
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::prefix if part.as_str().starts_with('(') => levels.push(Level::new(span)),
                Rule::prefix => {
                    if let Some(level) = levels.last_mut() {
                        level.nots += 1;
                    }
                }
                Rule::close if levels.len() > 1 => {
                    let closed = levels.pop().and_then(Level::finish);
                    if let (Some(tree), Some(outer)) = (closed, levels.last_mut()) {
                        outer.push(tree);
                    }
                }
                Rule::close => {
                    let told = Diagnostic::new(code("E0106"), span, "`)` closes nothing here");
                    self.wrong.push(told.help("remove it"));
                }
                _ => {
                    let test = self.one_test(part);
                    if let (Some(test), Some(level)) = (test, levels.last_mut()) {
                        level.push(Tree::Leaf(test));
                    }
                }
            }
        }
    }

    fn one_test(&mut self, pair: Pair<'_>) -> Option<Raw> {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let first = parts.next()?;
        let kind = match first.as_rule() {
            Rule::quantified => {
                let mut parts = first.into_inner();
                let quantifier = match parts.next()?.as_str() {
                    "every" => Quantifier::Every,
                    "any" => Quantifier::Any,
                    _ => Quantifier::No,
                };
                let path = self.path(parts.next()?);
                RawKind::Each(quantifier, path, self.tail(parts.next()?)?)
            }
            Rule::rule_test => {
                let (mut who, mut negated, mut status) = (Who::Any, false, None);
                for part in first.into_inner() {
                    match part.as_rule() {
                        Rule::who => who = self.who(part),
                        Rule::k_not => negated = true,
                        Rule::status => status = Some(self.word(&part)),
                        _ => {}
                    }
                }
                RawKind::Rule { who, negated, status: status? }
            }
            Rule::by_test => {
                let mut parts = first.into_inner();
                let head = parts.next()?;
                let head = self.word(&head);
                let who = parts.find(|part| part.as_rule() == Rule::who)?;
                RawKind::By { head, who: self.who(who) }
            }
            _ => {
                let operand = self.operand(first)?;
                match parts.next() {
                    Some(tail) => RawKind::Test(operand, self.tail(tail)?),
                    None => RawKind::Bare(operand),
                }
            }
        };
        Some(Raw { span, kind })
    }

    fn who(&mut self, pair: Pair<'_>) -> Who {
        let Some(inner) = pair.into_inner().next() else { return Who::Any };
        match inner.as_rule() {
            Rule::people => {
                let ones = inner.into_inner().filter_map(|one| one.into_inner().next());
                Who::These(ones.map(|one| self.word(&one)).collect())
            }
            Rule::name if inner.as_str() == "any" => Who::Any,
            _ => Who::These(vec![self.word(&inner)]),
        }
    }

    fn tail(&mut self, pair: Pair<'_>) -> Option<RawTail> {
        let mut parts = pair.into_inner();
        let head = parts.next()?;
        let last = parts.next_back();
        Some(match (head.as_rule(), last) {
            (Rule::compare, Some(last)) => {
                let comparison = At::new(comparison(head.as_str()), self.span(&head));
                RawTail::Compare(comparison, self.operand(last)?)
            }
            (Rule::not_in | Rule::k_in, Some(last)) => self.inside(head.as_rule() == Rule::not_in, last)?,
            (Rule::k_contains, Some(last)) => RawTail::Contains(self.operand(last)?),
            (Rule::k_starts, Some(last)) => RawTail::StartsWith(self.operand(last)?),
            (Rule::k_ends, Some(last)) => RawTail::EndsWith(self.operand(last)?),
            (Rule::k_matches, Some(last)) if last.as_rule() == Rule::regex => {
                let raw = last.as_str();
                let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
                RawTail::Regex(At::new(inner.replace("\\/", "/"), self.span(&last)))
            }
            (Rule::k_matches, Some(last)) => RawTail::Glob(self.word(&last)),
            (_, Some(last)) if last.as_rule() == Rule::k_missing => RawTail::IsMissing,
            _ => RawTail::IsSet,
        })
    }

    fn inside(&mut self, negated: bool, pair: Pair<'_>) -> Option<RawTail> {
        let inner = pair.into_inner().next()?;
        if inner.as_rule() != Rule::span {
            return Some(RawTail::In { negated, of: self.operand(inner)? });
        }
        let places = inner.into_inner().filter(|part| part.as_rule() == Rule::instant);
        let spans: Vec<Span> = places.map(|place| self.span(&place)).collect();
        let (first, last) = (*spans.first()?, *spans.last()?);
        let (from, to) = (self.literal(first), self.literal(last));
        match (&from.value, &to.value) {
            (Literal::DateTime(_), Literal::DateTime(_)) if spans.len() == 1 => {
                let told = Diagnostic::new(code("E0105"), first, "an instant has no inside");
                self.wrong.push(told.help("write a day, such as `2026-03-04`, or two times with `..` between them"));
            }
            (Literal::Date(_), Literal::DateTime(_)) | (Literal::DateTime(_), Literal::Date(_)) => {
                let told = Diagnostic::new(code("E0105"), first.to(last), "only one end has a time of day");
                self.wrong.push(told.help("write both ends as dates, or both with a time of day"));
            }
            _ => {}
        }
        Some(RawTail::Within { negated, from, to })
    }

    fn operand(&mut self, pair: Pair<'_>) -> Option<Operand> {
        let inner = pair.into_inner().next()?;
        let span = self.span(&inner);
        Some(match inner.as_rule() {
            Rule::literal => Operand::Literal(self.literal(span)),
            Rule::list => {
                let elements = inner.into_inner().filter_map(|element| self.operand(element));
                Operand::List(At::new(elements.collect(), span))
            }
            _ => Operand::Path(self.path(inner)),
        })
    }

    fn path(&mut self, pair: Pair<'_>) -> Path {
        let span = self.span(&pair);
        let parts = pair.into_inner().map(|part| {
            let quoted = part.as_rule() == Rule::string;
            Part { word: self.word(&part), quoted }
        });
        Path { parts: parts.collect(), span }
    }
}

fn comparison(text: &str) -> Comparison {
    match text.trim_end() {
        "!=" => Comparison::Ne,
        "<" => Comparison::Lt,
        "<=" => Comparison::Le,
        ">" => Comparison::Gt,
        ">=" => Comparison::Ge,
        _ => Comparison::Eq,
    }
}

/// What pest expected, in the words of who asks.
fn explain(text: &str, id: SourceId, error: &Error<Rule>) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let rest = text.get(at..).unwrap_or("");
    let at = at + rest.len() - rest.trim_start().len();
    let found = token(text.get(at..).unwrap_or(""));
    let before = text.get(..at).unwrap_or("").trim_end();
    // What is missing at the end is missing right behind the last word.
    let at = if found.is_empty() { before.len() } else { at };
    let span = Span::new(id, at, at + found.len());
    let expected: &[Rule] = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives,
        ErrorVariant::CustomError { .. } => &[],
    };
    let has = |rule: Rule| expected.contains(&rule);
    let last = before.rsplit(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.')).next().unwrap_or("");
    let says = |message: String, help: String| Diagnostic::new(code("E0101"), span, message).help(help);
    let slip = match (found, last) {
        ("&&", _) => Some(("`&&` is written `and` here", "write `and`")),
        ("||", _) => Some(("`||` is written `or` here", "write `or`")),
        ("!", _) => Some(("`!` is written `not` here", "write `not`")),
        ("=", _) => Some(("`=` compares nothing", "write `==` to compare")),
        ("=>", _) => Some(("`=>` is no comparison", "write `>=`")),
        ("'", _) => Some(("texts stand in double quotes", "write `\"…\"`")),
        (";", _) => Some(("`;` ends nothing here", "remove it")),
        ("not", "is") => Some(("`is not` is asked of rules alone", "write `is missing`, or `!=` with a value")),
        ("null" | "empty" | "none", "is") => {
            Some(("there are only `is set` and `is missing`", "write `is set` or `is missing`"))
        }
        ("==" | "!=" | "<" | "<=" | ">" | ">=", _) if has(Rule::joiner) => {
            Some(("comparisons cannot be chained", "write both, joined with `and`"))
        }
        ("-" | "to", _) if has(Rule::dots) => {
            Some(("a range of days has `..` in its middle", "write `2026-03-01 .. 2026-03-31`"))
        }
        ("by", _) => Some((
            "`by` follows `approved`, `rejected`, `blocked`, `overridden` or `reviewed`",
            "write `approved by amita`",
        )),
        _ => None,
    };
    if let Some((message, help)) = slip {
        return says(message.into(), help.into());
    }
    let (wanted, words): (&str, &[&str]) = if has(Rule::joiner) && (has(Rule::tail) || has(Rule::compare)) {
        ("a comparison, `and` or `or`", &["and", "or", "in", "is", "contains", "matches", "starts", "ends"])
    } else if has(Rule::joiner) {
        ("`and` or `or`", &["and", "or"])
    } else if has(Rule::status) {
        ("a status", &["met", "unmet", "waiting", "awaiting", "unknown", "not-applicable", "overridden"])
    } else if has(Rule::who) || has(Rule::one) {
        ("a name, a text in quotes or `any`", &[])
    } else if has(Rule::k_missing) {
        ("`set` or `missing`", &["set", "missing"])
    } else if has(Rule::k_with) {
        ("`with`", &["with"])
    } else if has(Rule::regex) {
        ("a pattern in quotes or a regular expression", &[])
    } else if has(Rule::tail) || has(Rule::compare) {
        ("a comparison", &["in", "is", "contains", "matches", "starts", "ends"])
    } else if has(Rule::guarded)
        || has(Rule::cond)
        || has(Rule::one_test)
        || has(Rule::prefix)
        || has(Rule::open)
        || has(Rule::quantifier)
        || has(Rule::k_rule)
    {
        ("a test, such as `stage == Staging`", &[])
    } else if has(Rule::operand) || has(Rule::element) || has(Rule::inside) {
        ("a value", &[])
    } else {
        ("a test or a value", &[])
    };
    let message = match found {
        "" => format!("expected {wanted}, but it ends here"),
        found => format!("expected {wanted}, found `{}`", shown(found)),
    };
    let told = Diagnostic::new(code("E0101"), span, message).label("not understood from here on");
    told.maybe_help(did_you_mean(found, words.iter().copied()))
}

/// The word or sign that a text begins with.
fn token(rest: &str) -> &str {
    let Some(first) = rest.chars().next() else { return "" };
    let length = if first.is_alphanumeric() {
        rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | ':')).unwrap_or(rest.len())
    } else {
        let two = rest.get(..2).unwrap_or("");
        if ["==", "!=", "<=", ">=", "&&", "||", "..", "=>"].contains(&two) { 2 } else { first.len_utf8() }
    };
    rest.get(..length).unwrap_or(rest)
}

/// Text of a stranger, harmless and cut.
pub(super) fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(60).flat_map(harmless).collect();
    if text.chars().nth(60).is_some() {
        out.push('…');
    }
    out
}

fn harmless(c: char) -> Box<dyn Iterator<Item = char>> {
    let hidden = c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}');
    if hidden { Box::new(c.escape_default()) } else { Box::new(std::iter::once(c)) }
}
