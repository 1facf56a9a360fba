//! Wrong versions of conditions.

use super::super::edits::find_word;
use super::Maker;
use crate::diagnostic::Span;
use crate::syntax::tree::{Comparison, Cond, CondKind, Literal, Operand, Quantifier, Tail};

impl Maker<'_> {
    /// Everything in a condition, without recursion.
    pub(super) fn condition(&mut self, cond: &Cond) {
        let mut stack = vec![cond];
        while let Some(cond) = stack.pop() {
            match &cond.kind {
                CondKind::And(parts) => {
                    self.joiners(parts, "and", "or");
                    stack.extend(parts);
                }
                CondKind::Or(parts) => {
                    self.joiners(parts, "or", "and");
                    stack.extend(parts);
                }
                CondKind::Not(inner) => {
                    let start = cond.span.start as usize;
                    if self.text.get(start..start + 3) == Some("not") {
                        self.remove("`not` was taken out", start, start + 3);
                    }
                    stack.push(inner);
                }
                CondKind::Test(left, tail) => {
                    self.operand(left);
                    self.tail(cond.span, left, tail, true);
                }
                CondKind::Each(quantifier, of, tail) => {
                    let (word, other) = match quantifier {
                        Quantifier::Every => ("every", "any"),
                        Quantifier::Any => ("any", "every"),
                        Quantifier::No => ("no", "any"),
                    };
                    let start = cond.span.start as usize;
                    if self.text.get(start..start + word.len()) == Some(word) {
                        self.replace(Span::new(self.source, start, start + word.len()), other);
                    }
                    self.tail(cond.span, of, tail, false);
                }
                CondKind::Bare(Operand::Literal(literal)) => {
                    if let Literal::Bool(value) = literal.value {
                        self.replace(literal.span, if value { "false" } else { "true" });
                    }
                }
                CondKind::Bare(operand) => {
                    self.insert("a condition is negated", operand.span().start as usize, "not ");
                }
            }
        }
    }

    fn joiners(&mut self, parts: &[Cond], word: &str, other: &str) {
        for pair in parts.windows(2) {
            let [left, right] = pair else { continue };
            let (from, to) = (left.span.end as usize, right.span.start as usize);
            if let Some(at) = find_word(self.text, from, to, word, false) {
                self.replace(Span::new(self.source, at, at + word.len()), other);
            }
        }
    }

    fn tail(&mut self, whole: Span, left: &Operand, tail: &Tail, negatable: bool) {
        let after_left = left.span().end as usize;
        let negate = |maker: &mut Self| {
            if negatable {
                maker.insert("a test is negated", whole.start as usize, "not ");
            }
        };
        match tail {
            Tail::Compare(comparison, right) => {
                let other = match comparison.value {
                    Comparison::Eq => "!=",
                    Comparison::Ne => "==",
                    Comparison::Lt => "<=",
                    Comparison::Le => "<",
                    Comparison::Gt => ">=",
                    Comparison::Ge => ">",
                };
                self.replace(comparison.span, other);
                self.operand(right);
            }
            Tail::In { negated, of } => {
                let to = of.span().start as usize;
                let found = find_word(self.text, after_left, to, if *negated { "not" } else { "in" }, false);
                if let Some(at) = found {
                    let end = find_word(self.text, at, to, "in", true).map_or(at, |at| at + 2);
                    self.replace(Span::new(self.source, at, end), if *negated { "in" } else { "not in" });
                }
                if let Operand::List(list) = of
                    && list.value.len() > 1
                {
                    let spans: Vec<Span> = list.value.iter().map(Operand::span).collect();
                    self.drop_each(&spans, "a value was taken out");
                }
            }
            Tail::IsSet | Tail::IsMissing => {
                let word = if matches!(tail, Tail::IsSet) { "set" } else { "missing" };
                let other = if matches!(tail, Tail::IsSet) { "missing" } else { "set" };
                if let Some(at) = find_word(self.text, after_left, whole.end as usize, word, true) {
                    self.replace(Span::new(self.source, at, at + word.len()), other);
                }
            }
            Tail::Contains(right) | Tail::StartsWith(right) | Tail::EndsWith(right) => {
                negate(self);
                self.operand(right);
            }
            Tail::Glob(_) | Tail::Regex(_) => negate(self),
        }
    }

    /// A threshold, off by one in its last place.
    fn operand(&mut self, operand: &Operand) {
        let Operand::Literal(literal) = operand else { return };
        match &literal.value {
            Literal::Number { value, text } => {
                let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                if text.contains(['e', 'E']) || decimals > 15 {
                    return;
                }
                let step = 10f64.powi(-(decimals as i32));
                for other in [value + step, value - step] {
                    self.replace(literal.span, &format!("{other:.decimals$}"));
                }
            }
            Literal::Duration(duration) => {
                let at = crate::syntax::tree::At::new(duration.clone(), literal.span);
                self.length(&at);
            }
            _ => {}
        }
    }
}
