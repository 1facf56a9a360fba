//! The exact filter: a question asked of one record that is in hand. What SQL answers has to agree with it.

use std::cmp::Ordering;

use stagegate::Value;
use stagegate::diagnostic::{SourceId, Span};
use stagegate::syntax::tree::{Comparison, Literal, Quantifier};

use super::check::{Check, Head, Names, RuleIs, Side, Test};
use super::fields::{Row, Val, approvers, nanos};
use super::parse::Tree;

/// True, false, or unknown.
pub(crate) type Truth = Option<bool>;

fn and(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Truth, b: Truth) -> Truth {
    not(and(not(a), not(b)))
}

fn not(a: Truth) -> Truth {
    a.map(|a| !a)
}

/// Whether a record is what the question asks for. Unknown is never true.
pub(crate) fn matches(tree: &Tree<Test>, row: Row<'_>) -> Truth {
    match tree {
        Tree::And(items) => items.iter().map(|item| matches(item, row)).fold(Some(true), and),
        Tree::Or(items) => items.iter().map(|item| matches(item, row)).fold(Some(false), or),
        Tree::Not(item) => not(matches(item, row)),
        Tree::Leaf(test) => self::test(test, row),
    }
}

fn test(test: &Test, row: Row<'_>) -> Truth {
    let decision = &row.record.decision;
    match test {
        Test::Field(field, check) => self::check(row.value(field), check, row),
        Test::Rule(names, is) => {
            let mut rules = decision.rules().iter().filter(|rule| names.has(&rule.rule));
            match is {
                RuleIs::Set => Some(rules.next().is_some()),
                // Of a rule that the record does not have, nothing is known.
                RuleIs::Status(status) => rules.map(|rule| rule.status == *status).reduce(|a, b| a || b),
            }
        }
        Test::By(head, names) => Some(match head {
            Head::Blocked => decision.blocking().iter().any(|rule| names.has(rule)),
            Head::Overridden => decision.overrides().iter().any(|one| one.in_force && names.has(&one.name)),
            Head::Approved => approvers(row.record).iter().any(|who| names.has(who)),
            Head::Rejected => decision.rules().iter().flat_map(|rule| &rule.rejected_by).any(|who| names.has(who)),
            Head::Reviewed => match names {
                Names::Any => !row.reviewers.is_empty(),
                Names::These(_) => row.reviewers.iter().any(|who| names.has(who)),
            },
        }),
    }
}

fn side<'r>(side: &'r Side, row: Row<'r>) -> Val<'r> {
    match side {
        Side::Bool(value) => Val::Bool(*value),
        Side::Number(value) => Val::Number(*value),
        Side::Text(text) => Val::Text(text),
        Side::Word(word) => Val::Word(word),
        Side::Version(version) => Val::Version(version.clone()),
        Side::Time(at) => Val::Time(*at),
        Side::Duration(length) => Val::Duration(*length),
        Side::Field(field) => row.value(field),
    }
}

fn check(left: Val<'_>, check: &Check, row: Row<'_>) -> Truth {
    match (&left, check) {
        (Val::Missing, Check::IsSet) => return Some(false),
        (_, Check::IsSet) => return Some(true),
        (left, Check::Not(check)) => return not(self::check(left.clone(), check, row)),
        (Val::Missing | Val::Withheld, _) => return None,
        _ => {}
    }
    match check {
        Check::IsSet | Check::Not(_) => None,
        Check::IsTrue => match left {
            Val::Bool(value) => Some(value),
            Val::Fact(Value::Bool(value)) => Some(*value),
            _ => None,
        },
        Check::Compare(comparison, right) => compare(&left, *comparison, &side(right, row)),
        Check::In(items) => {
            items.iter().map(|item| compare(&left, Comparison::Eq, &side(item, row))).fold(Some(false), or)
        }
        Check::InSet(field) => contains(&row.value(field), &left),
        Check::Within(from, to) => as_time(&left).map(|at| (*from..*to).contains(&at)),
        Check::Contains(right) => contains(&left, &side(right, row)),
        Check::StartsWith(right) => texts(&left, &side(right, row), |text, part| text.starts_with(part)),
        Check::EndsWith(right) => texts(&left, &side(right, row), |text, part| text.ends_with(part)),
        Check::Matches(regex) => as_text(&left).map(|text| regex.is_match(text)),
        Check::Each(quantifier, check) => {
            let one = |value: Val<'_>| self::check(value, check, row);
            let elements: Vec<Truth> = match &left {
                Val::Set(items) => items.iter().map(|item| one(Val::Text(item))).collect(),
                Val::Fact(Value::List(items)) => items.iter().map(|item| one(element(item))).collect(),
                Val::Fact(Value::Map(items)) => items.values().map(|item| one(element(item))).collect(),
                _ => return None,
            };
            match quantifier {
                // As in a policy: where nothing has reported, nothing is known.
                Quantifier::Every if elements.is_empty() => None,
                Quantifier::Every => elements.into_iter().fold(Some(true), and),
                Quantifier::Any => elements.into_iter().fold(Some(false), or),
                Quantifier::No => not(elements.into_iter().fold(Some(false), or)),
            }
        }
    }
}

fn element(value: &Value) -> Val<'_> {
    if *value == Value::Null { Val::Missing } else { Val::Fact(value) }
}

fn as_text<'v>(value: &'v Val<'_>) -> Option<&'v str> {
    match value {
        Val::Text(text) | Val::Word(text) => Some(text),
        Val::Own(text) => Some(text),
        Val::Fact(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn as_time(value: &Val<'_>) -> Option<i64> {
    match value {
        Val::Time(at) => Some(*at),
        Val::Fact(Value::Time(at)) => Some(nanos(*at)),
        Val::Fact(Value::String(text)) => chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| nanos(at.to_utc())),
        _ => None,
    }
}

fn as_duration(value: &Val<'_>) -> Option<i64> {
    match value {
        Val::Duration(length) => Some(*length),
        Val::Fact(Value::String(text)) => {
            let span = Span::new(SourceId(0), 0, text.len());
            match stagegate::shared::literal(text, span, &stagegate::Limits::default()).ok()?.value {
                Literal::Duration(duration) => i64::try_from(duration.seconds).ok()?.checked_mul(1_000_000_000),
                _ => None,
            }
        }
        _ => None,
    }
}

fn as_version(value: &Val<'_>) -> Option<semver::Version> {
    match value {
        Val::Version(version) => Some(version.clone()),
        Val::Text(_) | Val::Fact(Value::String(_)) => as_text(value)?.parse().ok(),
        _ => None,
    }
}

fn texts(left: &Val<'_>, right: &Val<'_>, holds: impl Fn(&str, &str) -> bool) -> Truth {
    Some(holds(as_text(left)?, as_text(right)?))
}

fn contains(whole: &Val<'_>, part: &Val<'_>) -> Truth {
    if matches!(part, Val::Missing | Val::Withheld) {
        return None;
    }
    match whole {
        Val::Set(items) => {
            items.iter().map(|item| compare(&Val::Text(item), Comparison::Eq, part)).fold(Some(false), or)
        }
        Val::Fact(Value::List(items)) => {
            items.iter().map(|item| compare(&element(item), Comparison::Eq, part)).fold(Some(false), or)
        }
        Val::Text(_) | Val::Own(_) | Val::Fact(Value::String(_)) => {
            texts(whole, part, |whole, part| whole.contains(part))
        }
        _ => None,
    }
}

/// The statuses of a check that has ended. A pending one is not to be compared with them.
const ENDED: [&str; 5] = ["passed", "succeeded", "failed", "skipped", "cancelled"];

fn compare(left: &Val<'_>, comparison: Comparison, right: &Val<'_>) -> Truth {
    let equality = matches!(comparison, Comparison::Eq | Comparison::Ne);
    let order = match (left, right) {
        (Val::Missing | Val::Withheld, _) | (_, Val::Missing | Val::Withheld) => return None,
        (Val::Fact(Value::String(text)), Val::Word(word)) | (Val::Word(word), Val::Fact(Value::String(text))) => {
            if text == "pending" && ENDED.contains(word) {
                return None;
            }
            text.as_str().cmp(word)
        }
        (Val::Time(_), _) | (_, Val::Time(_)) => as_time(left)?.cmp(&as_time(right)?),
        (Val::Duration(_), _) | (_, Val::Duration(_)) => as_duration(left)?.cmp(&as_duration(right)?),
        (Val::Version(_), _) | (_, Val::Version(_)) => as_version(left)?.cmp_precedence(&as_version(right)?),
        _ => {
            if let (Some(a), Some(b)) = (as_number(left), as_number(right)) {
                a.partial_cmp(&b)?
            } else if let (Some(a), Some(b)) = (as_bool(left), as_bool(right)) {
                a.cmp(&b)
            } else if equality {
                as_text(left)?.cmp(as_text(right)?)
            } else {
                ordered_texts(left, right)?
            }
        }
    };
    Some(match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Ne => order.is_ne(),
        Comparison::Lt => order.is_lt(),
        Comparison::Le => order.is_le(),
        Comparison::Gt => order.is_gt(),
        Comparison::Ge => order.is_ge(),
    })
}

/// Two facts that are texts have an order if both are times, durations or versions.
fn ordered_texts(left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (as_time(left), as_time(right)) {
        return Some(a.cmp(&b));
    }
    if let (Some(a), Some(b)) = (as_duration(left), as_duration(right)) {
        return Some(a.cmp(&b));
    }
    Some(as_version(left)?.cmp_precedence(&as_version(right)?))
}

fn as_number(value: &Val<'_>) -> Option<f64> {
    match value {
        Val::Number(number) | Val::Fact(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

fn as_bool(value: &Val<'_>) -> Option<bool> {
    match value {
        Val::Bool(value) | Val::Fact(Value::Bool(value)) => Some(*value),
        _ => None,
    }
}
