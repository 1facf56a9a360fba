//! What a condition saw, in words: which facts it read, their values, and which of them decided.

use std::fmt::Write;

use chrono::Offset;

use super::conditions::{Seen, see};
use super::decision::NotCounted;
use super::snapshot::{Case, SECOND, Snapshot};
use super::truth::Truth;
use crate::facts::prepare::instant;
use crate::facts::slots::SlotValue;
use crate::plain::escape;
use crate::program::{ACTION, Builtin, Check, Op, OpId, PENDING, Program, STATUS, Slot, SlotId, TRIGGER, Test, Type};
use crate::schedule::civil;

/// So many tests are told of one condition.
const MAX_TESTS: usize = 6;
/// So many elements are told of one collection.
const MAX_ELEMENTS: usize = 5;
/// So many characters of a text.
const MAX_TEXT: usize = 80;

/// What a condition saw.
#[derive(Debug, Default)]
pub(crate) struct Seeing {
    /// One for each test that decided.
    pub told: Vec<String>,
    /// Names of facts that are not known.
    pub facts: Vec<String>,
}

impl Seeing {
    pub fn text(&self) -> String {
        self.told.join("; ")
    }
}

/// What the condition at `root` saw: the tests that made it what it is. `wanted` is what it should be.
pub(crate) fn condition(case: &Case<'_>, snapshot: &Snapshot, root: OpId, wanted: bool) -> Seeing {
    let mut seeing = Seeing::default();
    let mut visited = vec![false; case.stage.ops.len()];
    let mut stack = vec![root];
    let truth = |id: OpId| snapshot.ops.get(id.0 as usize).map_or(Truth::Unknown, |t| t.truth);
    let ok = truth(root) == Truth::of(wanted);
    let mut more = 0;
    while let Some(id) = stack.pop() {
        let (Some(op), Some(mark)) = (case.stage.ops.get(id.0 as usize), visited.get_mut(id.0 as usize)) else {
            continue;
        };
        if std::mem::replace(mark, true) {
            continue;
        }
        match op {
            Op::Constant(value) => seeing.told.push(format!("the policy says `{value}`")),
            Op::Not(arg) => stack.push(*arg),
            Op::And(from, to) | Op::Or(from, to) => {
                let args = case.stage.args.get(*from as usize..*to as usize).unwrap_or_default();
                let own = truth(id);
                // A gate is what it is because of those arguments that are the same.
                let decisive = args.iter().rev().filter(|arg| truth(**arg) == own);
                stack.extend(decisive);
            }
            Op::Test(test) => {
                if seeing.told.len() >= MAX_TESTS {
                    more += 1;
                    continue;
                }
                tell(case, snapshot.t, test, truth(id), ok, &mut seeing);
            }
        }
    }
    // One fact that was not supplied may stand in many tests.
    let mut told: Vec<String> = Vec::with_capacity(seeing.told.len());
    for text in std::mem::take(&mut seeing.told) {
        if !told.contains(&text) {
            told.push(text);
        }
    }
    seeing.told = told;
    if more > 0 {
        seeing.told.push(format!("and {more} more"));
    }
    seeing.facts.dedup();
    seeing
}

fn tell(case: &Case<'_>, t: i64, test: &Test, truth: Truth, ok: bool, seeing: &mut Seeing) {
    let secret = is_secret(case.program, test.left);
    let value = case.slots.values.get(test.left.0 as usize).unwrap_or(&SlotValue::Missing);
    let seen = see(value, case.slots, t).0;
    let source = || source(case.program, test);
    let mut sides = vec![(slot_name(case.program, test.left), side(case, test.left, seen, t))];
    for id in test.check.right_slots() {
        let value = case.slots.values.get(id.0 as usize).unwrap_or(&SlotValue::Missing);
        let seen = see(value, case.slots, t).0;
        sides.push((slot_name(case.program, id), side(case, id, seen, t)));
    }
    if truth == Truth::Unknown {
        let before = seeing.facts.len();
        for (name, text) in &sides {
            if text.is_none() {
                seeing.facts.push(name.clone());
            }
        }
        if let Some(group) = missing_group(case, &test.check) {
            seeing.facts.push(group);
        }
        if seeing.facts.len() == before {
            seeing.facts.push(slot_name(case.program, test.left));
        }
    }
    if let (Seen::Set(_) | Seen::Map(_), Check::Every(_) | Check::Any(_)) = (seen, &test.check) {
        seeing.told.push(elements(case, t, test, seen, truth, secret));
        return;
    }
    let mut said = String::new();
    for (name, text) in sides {
        let and = if said.is_empty() { "" } else { " and " };
        let _ = match text {
            Some(text) => write!(said, "{and}{name} is {text}"),
            None if matches!(test.check, Check::IsSet | Check::IsMissing) => write!(said, "{and}{name} is missing"),
            None => write!(said, "{and}{name} was not supplied"),
        };
    }
    let _ = match (truth, missing_group(case, &test.check)) {
        (Truth::Unknown, Some(group)) => write!(said, ", and the members of {group} were not supplied"),
        (Truth::True, _) if !ok => write!(said, " (`{}` is true)", source()),
        (Truth::False, _) if !ok => write!(said, " (`{}` is false)", source()),
        _ => Ok(()),
    };
    seeing.told.push(said);
}

/// The value of a slot in words; `None` when there is none.
fn side(case: &Case<'_>, id: SlotId, seen: Seen<'_>, _t: i64) -> Option<String> {
    match seen {
        Seen::Missing => None,
        Seen::Null => Some("missing".into()),
        _ if is_secret(case.program, id) => Some("secret".into()),
        seen => Some(value(case, slot_type(case.program, id).as_ref(), seen)),
    }
}

fn elements(case: &Case<'_>, t: i64, test: &Test, seen: Seen<'_>, truth: Truth, secret: bool) -> String {
    let name = &slot_name(case.program, test.left);
    let (Check::Every(check) | Check::Any(check)) = &test.check else { return String::new() };
    let ty = match slot_type(case.program, test.left) {
        Some(Type::Set(of) | Type::Map(of)) => Some(*of),
        _ => None,
    };
    let all: Vec<(Option<&str>, &SlotValue)> = match seen {
        Seen::Set(items) => items.iter().map(|v| (None, v)).collect(),
        Seen::Map(items) => items.iter().map(|(k, v)| (Some(&**k), v)).collect(),
        _ => Vec::new(),
    };
    if all.is_empty() {
        return match truth {
            Truth::Unknown => format!("{name} is empty: nothing has been reported"),
            _ => format!("{name} is empty"),
        };
    }
    let settled_by_all = matches!((&test.check, truth), (Check::Every(_), Truth::True) | (Check::Any(_), Truth::False));
    if settled_by_all {
        let source = source(case.program, test);
        return match truth {
            Truth::True => format!("`{source}` is true of all {} of {name}", all.len()),
            _ => format!("`{source}` is true of none of the {} of {name}", all.len()),
        };
    }
    let asking = super::conditions::Asking::new(case.program, case.slots, t);
    let decisive: Vec<String> = all
        .iter()
        .filter(|(_, v)| asking.check(see(v, case.slots, t).0, check).truth == truth)
        .map(|(key, v)| {
            let text = if secret { "secret".to_string() } else { value(case, ty.as_ref(), see(v, case.slots, t).0) };
            match key {
                // The keys of a secret are a part of it.
                Some(key) if !secret => format!("{name}.{} is {text}", escape(key)),
                _ => format!("{name} holds {text}"),
            }
        })
        .collect();
    let more = decisive.len().saturating_sub(MAX_ELEMENTS);
    let mut said = decisive.into_iter().take(MAX_ELEMENTS).collect::<Vec<_>>().join(", ");
    if more > 0 {
        said.push_str(&format!(" and {more} more"));
    }
    said
}

fn missing_group(case: &Case<'_>, check: &Check) -> Option<String> {
    match check {
        Check::InGroup(id) => {
            let group = case.program.groups.get(id.0 as usize)?;
            (group.members.is_none() && case.slots.directory(*id).is_none()).then(|| format!("group {}", group.name))
        }
        Check::Every(check) | Check::Any(check) | Check::Not(check) => missing_group(case, check),
        _ => None,
    }
}

/// The test as the author wrote it, on one line.
fn source(program: &Program, test: &Test) -> String {
    cut(&program.sources.text(test.span).split_whitespace().collect::<Vec<_>>().join(" "))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", escape(text.get(..end).unwrap_or_default())),
        None => escape(text).into_owned(),
    }
}

/// How an author writes a slot.
pub(crate) fn slot_name(program: &Program, id: SlotId) -> String {
    let fact = |index: u32| program.facts.get(index as usize).map_or("?", |f| f.name.as_str());
    match program.slots.get(id.0 as usize) {
        None => "?".into(),
        Some(Slot::Fact(index)) => fact(*index).into(),
        Some(Slot::FactKey(index, key)) => {
            let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
                && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            match plain {
                true => format!("{}.{key}", fact(*index)),
                false => format!("{}.\"{}\"", fact(*index), escape(key)),
            }
        }
        Some(Slot::Builtin(builtin)) => builtin_name(program, *builtin),
    }
}

fn builtin_name(program: &Program, builtin: Builtin) -> String {
    let stage = |id: crate::program::StageId| program.stages.get(id.0 as usize).map_or("?", |s| s.name.as_str());
    let fixed = match builtin {
        Builtin::BuildId => "build.id",
        Builtin::BuildDigest => "build.digest",
        Builtin::BuildVersion => "build.version",
        Builtin::BuildBranch => "build.branch",
        Builtin::BuildCommit => "build.commit",
        Builtin::BuildAuthor => "build.author",
        Builtin::BuildContributors => "build.contributors",
        Builtin::BuildLabels => "build.labels",
        Builtin::BuildCreated => "build.created",
        Builtin::BuildAge => "build.age",
        Builtin::Trigger => "trigger",
        Builtin::Action => "action",
        Builtin::Requester => "requester",
        Builtin::Now => "now",
        Builtin::CurrentId => "current.id",
        Builtin::CurrentVersion => "current.version",
        Builtin::CurrentCreated => "current.created",
        Builtin::CurrentDigest => "current.digest",
        Builtin::CurrentAt => "current.at",
        Builtin::CurrentAge => "current.age",
        Builtin::StageStatus(id) => return format!("{}.status", stage(id)),
        Builtin::StageAt(id) => return format!("{}.at", stage(id)),
        Builtin::StageAge(id) => return format!("{}.age", stage(id)),
    };
    fixed.into()
}

fn is_secret(program: &Program, id: SlotId) -> bool {
    match program.slots.get(id.0 as usize) {
        Some(Slot::Fact(index) | Slot::FactKey(index, _)) => {
            program.facts.get(*index as usize).is_some_and(|f| f.secret)
        }
        _ => false,
    }
}

/// The type of a declared fact or of what is under its key; built-in facts tell theirs by their values.
fn slot_type(program: &Program, id: SlotId) -> Option<Type> {
    match program.slots.get(id.0 as usize)? {
        Slot::Fact(index) => Some(program.facts.get(*index as usize)?.ty.clone()),
        Slot::FactKey(index, _) => match &program.facts.get(*index as usize)?.ty {
            Type::Map(of) => Some((**of).clone()),
            _ => None,
        },
        Slot::Builtin(Builtin::Trigger) => Some(builtin_enum("trigger", &TRIGGER)),
        Slot::Builtin(Builtin::Action) => Some(builtin_enum("action", &ACTION)),
        Slot::Builtin(_) => None,
    }
}

fn builtin_enum(name: &'static str, values: &[&str]) -> Type {
    let values = values.iter().map(|v| v.to_string()).collect();
    Type::Enum(std::sync::Arc::new(crate::program::EnumType { builtin: Some(name), values }))
}

/// A value in words.
fn value(case: &Case<'_>, ty: Option<&Type>, seen: Seen<'_>) -> String {
    match seen {
        Seen::Missing | Seen::Null => "missing".into(),
        Seen::Bool(b) => b.to_string(),
        // A double may have 309 digits before its point.
        Seen::Number(n) if n.abs() >= 1e21 => format!("{n:e}"),
        Seen::Number(n) => n.to_string(),
        Seen::String(s) => cut(s),
        Seen::Time(t) | Seen::MovingTime(t) => when(case.program, t),
        Seen::Duration(d) | Seen::MovingDuration(d) => duration(d),
        Seen::Version(v) => v.to_string(),
        Seen::Enum(index) => match ty {
            Some(Type::Enum(values)) => values.values.get(index as usize).cloned().unwrap_or_default(),
            _ => String::new(),
        },
        Seen::Status(index) => STATUS.get(index as usize).copied().unwrap_or(STATUS[PENDING as usize]).into(),
        Seen::Set(items) => {
            let of = match ty {
                Some(Type::Set(of)) => Some(&**of),
                _ => None,
            };
            let shown: Vec<String> =
                items.iter().take(MAX_ELEMENTS).map(|v| value(case, of, see(v, case.slots, 0).0)).collect();
            let more = items.len().saturating_sub(shown.len());
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            format!("[{}{more}]", shown.join(", "))
        }
        Seen::Map(items) => format!("a map of {}", items.len()),
    }
}

/// An instant in the policy's zone: `Wed 2026-03-04 10:00 -08:00`.
pub(crate) fn when(program: &Program, t: i64) -> String {
    const DAYS: [&str; 7] = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "];
    let local = program.zone.at(instant(t));
    let offset = i64::from(local.offset().fix().local_minus_utc());
    let shown = t.div_euclid(SECOND) + offset;
    let (day, of_day) = (shown.div_euclid(civil::DAY), shown.rem_euclid(civil::DAY));
    let (year, month, of_month) = civil::date(day);
    if offset % 60 != 0 || !(1000..=9999).contains(&year) {
        return local.format("%a %Y-%m-%d %H:%M:%S %:z").to_string();
    }
    let mut text = String::with_capacity(32);
    let mut two = |before: &str, number: i64| {
        text.push_str(before);
        for digit in [number / 10, number % 10] {
            text.push(char::from(b'0' + digit as u8));
        }
    };
    two(DAYS.get(civil::weekday(day) as usize).copied().unwrap_or("?"), year / 100);
    two("", year % 100);
    two("-", i64::from(month));
    two("-", i64::from(of_month));
    two(" ", of_day / 3_600);
    two(":", of_day / 60 % 60);
    if of_day % 60 != 0 {
        two(":", of_day % 60);
    }
    two(if offset < 0 { " -" } else { " +" }, offset.abs() / 3_600);
    two(":", offset.abs() / 60 % 60);
    text
}

/// A length of time as the language writes it, in at most two units: `1h 30m`.
pub(crate) fn duration(nanos: i64) -> String {
    let mut text = String::new();
    let mut seconds = nanos.unsigned_abs() / SECOND as u64;
    let mut parts = 0;
    for (unit, length) in [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)] {
        if seconds >= length && parts < 2 {
            let before = if parts > 0 { " " } else { sign(nanos) };
            let _ = write!(text, "{before}{}{unit}", seconds / length);
            seconds %= length;
            parts += 1;
        } else if parts > 0 {
            break;
        }
    }
    if parts == 0 { "0s".into() } else { text }
}

fn sign(nanos: i64) -> &'static str {
    if nanos < 0 { "-" } else { "" }
}

/// Why what people said does not count, a sentence each; of many only the first. Those who are not asked at all are told
/// in one: with every approval of a build in the request, most are for other rules.
pub(crate) fn why_not(not_counted: &[NotCounted]) -> Vec<String> {
    const MAX: usize = 12;
    let stranger = |n: &&NotCounted| n.reason.starts_with("is not among ");
    let (strangers, others): (Vec<&NotCounted>, Vec<&NotCounted>) = match not_counted.iter().filter(stranger).count() {
        0 | 1 => (Vec::new(), not_counted.iter().collect()),
        _ => not_counted.iter().partition(stranger),
    };
    let mut told: Vec<String> = others.iter().take(MAX).map(|n| format!("{} {}", escape(&n.by), n.reason)).collect();
    if others.len() > MAX {
        told.push(format!("{} more do not count", others.len() - MAX));
    }
    if let Some(rest) = strangers.first().and_then(|first| first.reason.strip_prefix("is ")) {
        let names: Vec<String> = strangers.iter().map(|n| n.by.clone()).collect();
        told.push(format!("{} are {rest}", sentence(&names)));
    }
    told
}

/// Names as in a sentence: `amita, tim and andy`.
pub(crate) fn sentence(names: &[String]) -> String {
    joined(names, "and")
}

/// Names as in a sentence, the last one joined by `and` or `or`.
pub(crate) fn joined(names: &[String], joiner: &str) -> String {
    const MAX: usize = 6;
    if names.is_empty() {
        return "nobody".into();
    }
    let mut text = String::new();
    for (index, name) in names.iter().take(MAX).enumerate() {
        match index {
            0 => {}
            _ if index + 1 == names.len() => text.extend([" ", joiner, " "]),
            _ => text.push_str(", "),
        }
        text.push_str(&escape(name));
    }
    if names.len() > MAX {
        let _ = write!(text, " {joiner} {} more", names.len() - MAX);
    }
    text
}
