//! Conditions: what a fact's value is, and whether a test of it is true.

use std::collections::BTreeMap;

use semver::Version;
use stagegate::facts::{Action, Current, RunStatus, TriggerFact, Value};
use stagegate::syntax::tree::{Comparison, Cond, CondKind, Guard, Literal, Operand, Part, Quantifier, Tail, Type};

use crate::ask::{Ask, nanos};
use crate::model::element;
use crate::times::{instant, midnight};
use crate::truth::Truth;
use crate::zones::{Instant, SECOND};

#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    Bool(bool),
    Number(f64),
    /// A string or a user.
    Text(String),
    Time(Instant),
    Duration(Instant),
    Version(Version),
    /// A value of an enumeration (statuses, triggers and actions too), with its place in the order.
    Word(String, usize),
    Set(Vec<Val>),
    Map(BTreeMap<String, Val>),
}

/// What a path may be compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Tree(Type),
    Trigger,
    Action,
}

/// A fact: what kind of value it has, and its value if it was supplied.
pub struct Seen {
    pub kind: Kind,
    pub val: Option<Val>,
}

const STATUSES: [&str; 5] = ["passed", "failed", "pending", "skipped", "cancelled"];
const TRIGGERS: [&str; 6] = ["push", "pull-request", "schedule", "manual", "completion", "event"];
const ACTIONS: [&str; 3] = ["promote", "redeploy", "rollback"];

fn word(words: &[&str], text: &str) -> Option<Val> {
    words.iter().position(|w| *w == text).map(|index| Val::Word(text.into(), index))
}

pub fn status_word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Succeeded => "passed",
        RunStatus::Failed => "failed",
        RunStatus::Pending => "pending",
        RunStatus::Skipped => "skipped",
        RunStatus::Cancelled => "cancelled",
    }
}

pub fn seconds(text: &str) -> u64 {
    let mut total = 0;
    let mut digits = String::new();
    for c in text.chars() {
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            digit => {
                digits.push(digit);
                continue;
            }
        };
        total += digits.parse::<u64>().unwrap() * unit;
        digits.clear();
    }
    total
}

/// The value that a request gives, as a value of a type. `null` is no value.
pub fn supplied(value: &Value, ty: &Type) -> Option<Val> {
    Some(match (ty, value) {
        (_, Value::Null) => return None,
        (Type::Bool, Value::Bool(b)) => Val::Bool(*b),
        (Type::Number, Value::Number(n)) => Val::Number(*n),
        (Type::String | Type::User, Value::String(s)) => Val::Text(s.clone()),
        (Type::Time, Value::Time(t)) => Val::Time(nanos(*t)),
        (Type::Time, Value::String(s)) => Val::Time(nanos(s.parse().unwrap())),
        (Type::Duration, Value::String(s)) => Val::Duration(Instant::from(seconds(s)) * SECOND),
        (Type::Version, Value::String(s)) => Val::Version(Version::parse(s).unwrap()),
        (Type::Status, Value::String(s)) => word(&STATUSES, if s == "succeeded" { "passed" } else { s })?,
        (Type::Enum(values), Value::String(s)) => {
            let names: Vec<&str> = values.iter().map(|w| w.value.as_str()).collect();
            word(&names, s)?
        }
        (Type::Set(inner), Value::List(items)) => {
            Val::Set(items.iter().map(|item| supplied(item, inner).unwrap()).collect())
        }
        (Type::Map(inner), Value::Map(items)) => {
            Val::Map(items.iter().map(|(k, v)| (k.clone(), supplied(v, inner).unwrap())).collect())
        }
        (ty, value) => panic!("{value:?} is no {ty:?}"),
    })
}

fn text(value: &Option<String>) -> Option<Val> {
    value.clone().map(Val::Text)
}

fn version(value: &Option<String>) -> Option<Val> {
    value.as_ref().map(|text| Val::Version(Version::parse(text).unwrap()))
}

fn texts(value: &Option<Vec<String>>) -> Option<Val> {
    value.as_ref().map(|list| Val::Set(list.iter().cloned().map(Val::Text).collect()))
}

impl<'a> Ask<'a> {
    /// A fact by its path; `None` when there is none of that name.
    pub fn fact(&self, parts: &[Part], t: Instant) -> Option<Seen> {
        let names: Vec<&str> = parts.iter().map(|part| part.word.value.as_str()).collect();
        let build = &self.request.build;
        let set = |ty: Type, at: &Part| Type::Set(Box::new(stagegate::syntax::tree::At::new(ty, at.word.span)));
        let time = |at: Option<Instant>| at.map(Val::Time);
        let age = |at: Option<Instant>| at.map(|at| Val::Duration(t - at));
        let (ty, val) = match names.as_slice() {
            ["now"] => (Type::Time, Some(Val::Time(t))),
            ["requester"] => (Type::User, self.requester().map(|name| Val::Text(name.to_string()))),
            ["trigger"] => {
                let val = self.request.trigger.as_ref().and_then(|trigger| word(&TRIGGERS, trigger_word(trigger)));
                return Some(Seen { kind: Kind::Trigger, val });
            }
            ["action"] => {
                let action = match self.request.action.unwrap_or_default() {
                    Action::Promote => "promote",
                    Action::Redeploy => "redeploy",
                    Action::Rollback => "rollback",
                };
                return Some(Seen { kind: Kind::Action, val: word(&ACTIONS, action) });
            }
            ["build", part] => match *part {
                "id" => (Type::String, Some(Val::Text(build.id.clone()))),
                "digest" => (Type::String, text(&build.digest)),
                "version" => (Type::Version, version(&build.version)),
                "branch" => (Type::String, text(&build.branch)),
                "commit" => (Type::String, text(&build.commit)),
                "author" => (Type::User, text(&build.author)),
                "contributors" => (set(Type::User, &parts[0]), texts(&build.contributors)),
                "labels" => (set(Type::String, &parts[0]), texts(&build.labels)),
                "created" => (Type::Time, time(build.created.map(nanos))),
                "age" => (Type::Duration, age(build.created.map(nanos))),
                _ => return None,
            },
            ["current", part] => {
                let nobody = stagegate::facts::Occupant::default();
                let current = match &self.request.current {
                    Current::Build(occupant) => occupant,
                    _ => &nobody,
                };
                match *part {
                    "id" => (Type::String, text(&current.id)),
                    "digest" => (Type::String, text(&current.digest)),
                    "version" => (Type::Version, version(&current.version)),
                    "created" => (Type::Time, time(current.created.map(nanos))),
                    "at" => (Type::Time, time(current.at.map(nanos))),
                    "age" => (Type::Duration, age(current.at.map(nanos))),
                    _ => return None,
                }
            }
            [stage, part] if self.model.stages.iter().any(|s| s.name == *stage) => match *part {
                "status" => {
                    let status = self.newest(stage, t).map(|run| run.status);
                    (Type::Status, status.and_then(|status| word(&STATUSES, status_word(status))))
                }
                "at" => (Type::Time, time(self.ended(stage, t))),
                "age" => (Type::Duration, age(self.ended(stage, t))),
                _ => return None,
            },
            [name, rest @ ..] => {
                let fact = self.model.facts.get(name)?;
                let val = self.request.facts.get(*name).and_then(|value| supplied(value, &fact.ty));
                match rest {
                    [] => (fact.ty.value.clone(), val),
                    [key] => {
                        let Type::Map(inner) = &fact.ty.value else { return None };
                        let at_key = match &val {
                            Some(Val::Map(map)) => map.get(*key).cloned(),
                            _ => None,
                        };
                        (inner.value.clone(), at_key)
                    }
                    _ => return None,
                }
            }
            [] => return None,
        };
        Some(Seen { kind: Kind::Tree(ty), val })
    }

    fn path_of(&self, operand: &'a Operand, t: Instant) -> Option<Seen> {
        match operand {
            Operand::Path(path) => self.fact(&path.parts, t),
            _ => None,
        }
    }

    /// The value of a side that stands beside something of that kind.
    fn value(&self, operand: &'a Operand, beside: &Kind, t: Instant) -> Option<Val> {
        if let Some(seen) = self.path_of(operand, t) {
            return seen.val;
        }
        let spelt = match operand {
            Operand::Path(path) => path.parts[0].word.value.as_str(),
            Operand::Literal(literal) => match &literal.value {
                Literal::Bool(b) => return Some(Val::Bool(*b)),
                Literal::Number { value, .. } => return Some(Val::Number(*value)),
                Literal::Duration(d) => return Some(Val::Duration(Instant::from(d.seconds) * SECOND)),
                Literal::Date(date) => return Some(Val::Time(midnight(*date, self.home(literal.span.source)))),
                Literal::DateTime(at) => return Some(Val::Time(instant(at, self.home(literal.span.source), false))),
                Literal::String(text) => text,
            },
            Operand::List(_) => panic!("a list is no value"),
        };
        match beside {
            Kind::Trigger => word(&TRIGGERS, spelt),
            Kind::Action => word(&ACTIONS, spelt),
            Kind::Tree(ty) => supplied(&Value::String(spelt.to_string()), ty),
        }
    }

    pub fn condition(&self, cond: &'a Cond, t: Instant) -> Truth {
        match &cond.kind {
            CondKind::And(items) => Truth::all(items.iter().map(|item| self.condition(item, t))),
            CondKind::Or(items) => Truth::any(items.iter().map(|item| self.condition(item, t))),
            CondKind::Not(inner) => !self.condition(inner, t),
            CondKind::Bare(Operand::Literal(literal)) => Truth::of(literal.value == Literal::Bool(true)),
            CondKind::Bare(operand) => {
                if let Operand::Path(path) = operand
                    && let [only] = path.parts.as_slice()
                    && let Some(cond) = self.model.defines.get(only.word.value.as_str())
                {
                    return self.condition(cond, t);
                }
                match self.path_of(operand, t).expect("a bool fact").val {
                    Some(Val::Bool(b)) => Truth::of(b),
                    Some(other) => panic!("{other:?} is no bool"),
                    None => Truth::Unknown,
                }
            }
            CondKind::Test(left, tail) => {
                // A literal may stand on the left; then the other side says what it is.
                let seen = self.path_of(left, t).unwrap_or_else(|| {
                    let Tail::Compare(_, right) = tail else { panic!("a literal on the left of {tail:?}") };
                    let kind = self.path_of(right, t).expect("a fact on either side").kind;
                    let val = self.value(left, &kind, t);
                    Seen { kind, val }
                });
                self.test(&seen, tail, t)
            }
            CondKind::Each(quantifier, operand, tail) => {
                let seen = self.path_of(operand, t).expect("a collection");
                let Kind::Tree(ty) = &seen.kind else { panic!("no collection") };
                let kind = Kind::Tree(element(ty).clone());
                let items: Vec<Val> = match seen.val {
                    None => return Truth::Unknown,
                    Some(Val::Set(items)) => items,
                    Some(Val::Map(items)) => items.into_values().collect(),
                    Some(other) => panic!("{other:?} is no collection"),
                };
                let empty = items.is_empty();
                let truths: Vec<Truth> = items
                    .into_iter()
                    .map(|val| self.test(&Seen { kind: kind.clone(), val: Some(val) }, tail, t))
                    .collect();
                match quantifier {
                    Quantifier::Every if empty => Truth::Unknown,
                    Quantifier::Every => Truth::all(truths),
                    Quantifier::Any => Truth::any(truths),
                    Quantifier::No => !Truth::any(truths),
                }
            }
        }
    }

    /// All of them: `when` true, `unless` false.
    pub fn guard(&self, guards: &'a [Guard], t: Instant) -> Truth {
        Truth::all(guards.iter().map(|guard| {
            let truth = self.condition(&guard.cond, t);
            if guard.unless { !truth } else { truth }
        }))
    }

    fn test(&self, left: &Seen, tail: &'a Tail, t: Instant) -> Truth {
        match tail {
            Tail::IsSet => return Truth::of(left.val.is_some()),
            Tail::IsMissing => return Truth::of(left.val.is_none()),
            _ => {}
        }
        let Some(val) = &left.val else { return Truth::Unknown };
        let inner = match &left.kind {
            Kind::Tree(ty) => Kind::Tree(element(ty).clone()),
            other => other.clone(),
        };
        let right = |operand: &'a Operand| self.value(operand, &inner, t);
        let two_texts = |operand: &'a Operand, test: fn(&str, &str) -> bool| match (val, right(operand)) {
            (Val::Text(a), Some(Val::Text(b))) => Truth::of(test(a, &b)),
            (_, None) => Truth::Unknown,
            (a, b) => panic!("{a:?} and {b:?} are no texts"),
        };
        match tail {
            Tail::IsSet | Tail::IsMissing => unreachable!(),
            Tail::Compare(how, operand) => match right(operand) {
                // Whichever side is pending, it is compared with something else; but `== pending` as written asks what
                // is known.
                Some(right) if is_pending(&right) && !is_pending(val) && self.path_of(operand, t).is_some() => {
                    Truth::Unknown
                }
                Some(right) => compare(val, how.value, &right),
                None => Truth::Unknown,
            },
            Tail::In { negated, of } => {
                let found = self.found(val, &left.kind, of, t);
                if *negated { !found } else { found }
            }
            Tail::Contains(operand) => match val {
                Val::Set(items) => match right(operand) {
                    Some(right) => Truth::any(items.iter().map(|item| compare(item, Comparison::Eq, &right))),
                    None => Truth::Unknown,
                },
                _ => two_texts(operand, |a, b| a.contains(b)),
            },
            Tail::StartsWith(operand) => two_texts(operand, |a, b| a.starts_with(b)),
            Tail::EndsWith(operand) => two_texts(operand, |a, b| a.ends_with(b)),
            Tail::Glob(pattern) => match val {
                Val::Text(text) => Truth::of(glob(&pattern.value, text)),
                other => panic!("{other:?} is no text"),
            },
            Tail::Regex(pattern) => match val {
                Val::Text(text) => {
                    Truth::of(regex::Regex::new(&format!("^(?:{})$", pattern.value)).unwrap().is_match(text))
                }
                other => panic!("{other:?} is no text"),
            },
        }
    }

    fn found(&self, val: &Val, kind: &Kind, of: &'a Operand, t: Instant) -> Truth {
        match of {
            Operand::List(list) => Truth::any(list.value.iter().map(|item| match self.value(item, kind, t) {
                Some(item) => compare(val, Comparison::Eq, &item),
                None => Truth::Unknown,
            })),
            Operand::Path(path) => {
                let name = path.parts[0].word.value.as_str();
                if path.parts.len() == 1 && self.model.groups.contains_key(name) {
                    let Val::Text(person) = val else { panic!("{val:?} is no person") };
                    return Truth::maybe(self.members(name).map(|members| members.contains(&person.as_str())));
                }
                match self.fact(&path.parts, t).expect("a set").val {
                    Some(Val::Set(items)) => Truth::any(items.iter().map(|item| compare(val, Comparison::Eq, item))),
                    Some(other) => panic!("{other:?} is no set"),
                    None => Truth::Unknown,
                }
            }
            Operand::Literal(_) => panic!("in a literal"),
        }
    }
}

fn is_pending(val: &Val) -> bool {
    matches!(val, Val::Word(word, _) if word == "pending")
}

fn compare(left: &Val, how: Comparison, right: &Val) -> Truth {
    use std::cmp::Ordering;
    let order = match (left, right) {
        // A status that is still pending can become any other.
        (Val::Word(..), Val::Word(..)) if is_pending(left) && !is_pending(right) => return Truth::Unknown,
        (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
        (Val::Number(a), Val::Number(b)) => a.partial_cmp(b),
        (Val::Text(a), Val::Text(b)) => Some(a.cmp(b)),
        (Val::Time(a), Val::Time(b)) | (Val::Duration(a), Val::Duration(b)) => Some(a.cmp(b)),
        (Val::Version(a), Val::Version(b)) => Some(a.cmp_precedence(b)),
        (Val::Word(_, a), Val::Word(_, b)) => Some(a.cmp(b)),
        (a, b) => panic!("{a:?} is compared with {b:?}"),
    };
    let order = order.expect("finite numbers");
    Truth::of(match how {
        Comparison::Eq => order == Ordering::Equal,
        Comparison::Ne => order != Ordering::Equal,
        Comparison::Lt => order == Ordering::Less,
        Comparison::Le => order != Ordering::Greater,
        Comparison::Gt => order == Ordering::Greater,
        Comparison::Ge => order != Ordering::Less,
    })
}

pub fn trigger_word(trigger: &TriggerFact) -> &'static str {
    match trigger {
        TriggerFact::Push { .. } => "push",
        TriggerFact::PullRequest { .. } => "pull-request",
        TriggerFact::Schedule { .. } => "schedule",
        TriggerFact::Manual { .. } => "manual",
        TriggerFact::Completion { .. } => "completion",
        TriggerFact::Event { .. } => "event",
    }
}

/// Whether a glob matches a whole text, by trying everything.
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    let heads = || text.char_indices().map(|(i, _)| i).chain([text.len()]);
    match first {
        '*' if rest.starts_with('*') => heads().any(|i| glob(&rest[1..], &text[i..])),
        '*' => heads().take_while(|i| !text[..*i].contains('/')).any(|i| glob(rest, &text[i..])),
        '?' => text.chars().next().is_some_and(|c| c != '/' && glob(rest, &text[c.len_utf8()..])),
        '[' => {
            let close = rest.find(']').unwrap();
            let class: Vec<char> = rest[..close].chars().collect();
            let holds = |c: char| match class.as_slice() {
                [from, '-', to] => *from <= c && c <= *to,
                some => some.contains(&c),
            };
            text.chars().next().is_some_and(|c| holds(c) && glob(&rest[close + 1..], &text[c.len_utf8()..]))
        }
        '{' => {
            let close = rest.find('}').unwrap();
            rest[..close].split(',').any(|choice| glob(&format!("{choice}{}", &rest[close + 1..]), text))
        }
        c => text.starts_with(c) && glob(rest, &text[c.len_utf8()..]),
    }
}
