//! Conditions: from a flat chain of tests with brackets and joiners to a tree. `and` binds tighter than `or`.

use super::build::{Builder, Pair};
use super::grammar::Rule;
use super::tree::{At, Comparison, Cond, CondKind, Operand, Part, Path, Quantifier, Tail};
use crate::diagnostic::codes::BRACKET;
use crate::diagnostic::{Diagnostic, Span};

/// An open bracket or `not`, with what has been read since.
struct Level {
    /// Where the bracket is.
    open: Span,
    /// `or` of `and`s: the last list is the one being filled.
    ors: Vec<Vec<Cond>>,
    /// Places of `not` before the next condition of this level, the outermost first.
    nots: Vec<Span>,
}

impl Level {
    fn new(open: Span) -> Level {
        Level { open, ors: vec![Vec::new()], nots: Vec::new() }
    }

    fn push(&mut self, mut cond: Cond) {
        while let Some(not) = self.nots.pop() {
            let span = not.to(cond.span);
            cond = Cond { kind: CondKind::Not(Box::new(cond)), span };
        }
        if let Some(ands) = self.ors.last_mut() {
            ands.push(cond);
        }
    }

    fn finish(self) -> Option<Cond> {
        let ands = self.ors.into_iter().filter_map(|ands| join(ands, CondKind::And));
        join(ands.collect(), CondKind::Or)
    }
}

/// One condition is itself; several are a gate. A gate in a gate of the same kind is one.
fn join(mut items: Vec<Cond>, gate: fn(Vec<Cond>) -> CondKind) -> Option<Cond> {
    if items.len() < 2 {
        return items.pop();
    }
    let span = items.iter().skip(1).fold(items.first()?.span, |span, item| span.to(item.span));
    let is_or = matches!(gate(Vec::new()), CondKind::Or(_));
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match item.kind {
            CondKind::And(inner) if !is_or => flat.extend(inner),
            CondKind::Or(inner) if is_or => flat.extend(inner),
            kind => flat.push(Cond { kind, span: item.span }),
        }
    }
    Some(Cond { kind: gate(flat), span })
}

impl Builder<'_> {
    /// A condition. The recursion of brackets is a stack of levels here; the scan has bounded its depth.
    pub fn cond(&mut self, pair: Pair<'_>) -> Cond {
        let whole = self.span(&pair);
        let mut levels = vec![Level::new(whole)];
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::joiner => {
                    if let (Some(level), true) = (levels.last_mut(), part.as_str() == "or") {
                        level.ors.push(Vec::new());
                    }
                }
                _ => self.guarded(part, &mut levels),
            }
        }
        while levels.len() > 1 {
            let Some(level) = levels.pop() else { break };
            self.push(
                Diagnostic::new(BRACKET, level.open, "`(` is not closed in this condition")
                    .help("write `)` where the bracketed part ends"),
            );
            if let (Some(cond), Some(outer)) = (level.finish(), levels.last_mut()) {
                outer.push(cond);
            }
        }
        let nothing = || Cond {
            kind: CondKind::Bare(Operand::Literal(At::new(super::tree::Literal::Bool(false), whole))),
            span: whole,
        };
        levels.pop().and_then(Level::finish).unwrap_or_else(nothing)
    }

    fn guarded(&mut self, pair: Pair<'_>, levels: &mut Vec<Level>) {
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::prefix => match part.as_str() {
                    "(" => levels.push(Level::new(span)),
                    _ => {
                        if let Some(level) = levels.last_mut() {
                            level.nots.push(span);
                        }
                    }
                },
                Rule::close if levels.len() > 1 => {
                    let closed = levels.pop().and_then(Level::finish);
                    if let (Some(cond), Some(outer)) = (closed, levels.last_mut()) {
                        outer.push(cond);
                    }
                }
                Rule::close => {
                    self.push(Diagnostic::new(BRACKET, span, "`)` closes nothing in this condition").help("remove it"))
                }
                _ => {
                    let test = self.one_test(part);
                    if let Some(level) = levels.last_mut() {
                        level.push(test);
                    }
                }
            }
        }
    }

    fn one_test(&mut self, pair: Pair<'_>) -> Cond {
        let span = self.span(&pair);
        let mut operand = None;
        let mut tail = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::quantified => return Cond { kind: self.quantified(part), span },
                Rule::operand => operand = Some(self.operand(part)),
                _ => tail = Some(self.tail(part)),
            }
        }
        let operand = operand.unwrap_or_else(|| Operand::List(At::new(Vec::new(), span)));
        let kind = match tail {
            Some(tail) => CondKind::Test(operand, tail),
            None => CondKind::Bare(operand),
        };
        Cond { kind, span }
    }

    fn quantified(&mut self, pair: Pair<'_>) -> CondKind {
        let span = self.span(&pair);
        let mut quantifier = Quantifier::Every;
        let mut operand = Operand::List(At::new(Vec::new(), span));
        let mut tail = Tail::IsSet;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::quantifier => {
                    quantifier = match part.as_str() {
                        "every" => Quantifier::Every,
                        "any" => Quantifier::Any,
                        _ => Quantifier::No,
                    }
                }
                Rule::operand => operand = self.operand(part),
                _ => tail = self.tail(part),
            }
        }
        CondKind::Each(quantifier, operand, tail)
    }

    fn tail(&mut self, pair: Pair<'_>) -> Tail {
        let nothing = At::new(Vec::new(), self.span(&pair));
        let mut parts = pair.into_inner();
        let Some(head) = parts.next() else { return Tail::IsSet };
        let comparison = At::new(comparison(head.as_str()), self.span(&head));
        let last = parts.next_back();
        let of = |builder: &mut Self| match last.clone() {
            Some(last) if last.as_rule() == Rule::operand => builder.operand(last),
            _ => Operand::List(nothing),
        };
        match head.as_rule() {
            Rule::compare => Tail::Compare(comparison, of(self)),
            Rule::not_in => Tail::In { negated: true, of: of(self) },
            Rule::k_in => Tail::In { negated: false, of: of(self) },
            Rule::k_contains => Tail::Contains(of(self)),
            Rule::k_starts => Tail::StartsWith(of(self)),
            Rule::k_ends => Tail::EndsWith(of(self)),
            Rule::k_matches => match last {
                Some(last) if last.as_rule() == Rule::regex => Tail::Regex(self.regex(&last)),
                Some(last) => Tail::Glob(self.string(&last)),
                None => Tail::IsSet,
            },
            _ => match last.map(|last| last.as_rule()) {
                Some(Rule::k_missing) => Tail::IsMissing,
                _ => Tail::IsSet,
            },
        }
    }

    pub fn operand(&mut self, pair: Pair<'_>) -> Operand {
        let span = self.span(&pair);
        match pair.into_inner().next() {
            Some(inner) => match inner.as_rule() {
                Rule::literal => Operand::Literal(self.literal(inner)),
                Rule::list => {
                    let span = self.span(&inner);
                    Operand::List(At::new(inner.into_inner().map(|element| self.operand(element)).collect(), span))
                }
                _ => Operand::Path(self.path(inner)),
            },
            None => Operand::List(At::new(Vec::new(), span)),
        }
    }

    fn path(&mut self, pair: Pair<'_>) -> Path {
        let span = self.span(&pair);
        let parts = pair.into_inner().map(|part| {
            let quoted = part.as_rule() == Rule::string;
            Part { word: self.word_or_string(&part), quoted }
        });
        Path { parts: parts.collect(), span }
    }
}

fn comparison(text: &str) -> Comparison {
    match text {
        "!=" => Comparison::Ne,
        "<" => Comparison::Lt,
        "<=" => Comparison::Le,
        ">" => Comparison::Gt,
        ">=" => Comparison::Ge,
        _ => Comparison::Eq,
    }
}
