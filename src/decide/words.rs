//! What a condition saw, in words: which facts it read, their values, and which of them decided.
//!
//! Everything here writes to the end of a text, since the details of all rules lie in one.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;

use super::conditions::{Seen, see};
use super::snapshot::{Case, SECOND, Snapshot};
use super::truth::Truth;
use crate::facts::prepare::instant;
use crate::facts::slots::SlotValue;
use crate::plain::{escape, push_number, push_two};
use crate::program::{ACTION, Builtin, Check, Op, OpId, PENDING, Program, STATUS, Slot, SlotId, TRIGGER, Test, Type};
use crate::schedule::civil;

/// So many tests are told of one condition.
const MAX_TESTS: usize = 6;
/// So many elements are told of one collection.
const MAX_ELEMENTS: usize = 5;
/// So many characters of a text.
const MAX_TEXT: usize = 80;

/// Sentences that are told one after the other, each once.
pub(crate) struct Sentences<'o> {
    pub out: &'o mut String,
    from: usize,
    /// Where those end that another one follows.
    ends: Vec<usize>,
    /// Where the last one begins; before the first one there is none.
    last: Option<usize>,
    /// Those that have ended, once they are many.
    known: BTreeSet<String>,
}

/// Up to so many sentences are looked through.
const FEW: usize = 16;

const BETWEEN: &str = "; ";

impl Sentences<'_> {
    pub fn new(out: &mut String) -> Sentences<'_> {
        Sentences { from: out.len(), out, ends: Vec::new(), last: None, known: BTreeSet::new() }
    }

    /// Begins one; what is written from here on belongs to it.
    pub fn begin(&mut self) {
        if self.last.is_some() {
            self.ends.push(self.out.len());
            self.out.push_str(BETWEEN);
        }
        self.last = Some(self.out.len());
    }

    /// Ends one: if it was told before, it is taken back.
    pub fn end(&mut self) {
        let Some(last) = self.last else { return };
        let own = self.out.get(last..).unwrap_or_default();
        let begins = std::iter::once(self.from).chain(self.ends.iter().map(|end| end + BETWEEN.len()));
        let mut told = begins.zip(&self.ends).map(|(from, end)| self.out.get(from..*end).unwrap_or_default());
        let known = if self.ends.len() <= FEW {
            told.any(|sentence| sentence == own)
        } else {
            if self.known.is_empty() {
                self.known.extend(told.map(String::from));
            }
            !self.known.insert(own.to_string())
        };
        if known && let Some(end) = self.ends.pop() {
            self.out.truncate(end);
            self.last = Some(self.ends.last().map_or(self.from, |end| end + BETWEEN.len()));
        }
    }
}

/// What the condition at `root` saw: the tests that made it what it is. `wanted` is what it should be. The names of
/// facts that are not known go to `facts`.
pub(crate) fn condition<'a>(
    case: &Case<'a>,
    snapshot: &Snapshot,
    root: OpId,
    wanted: bool,
    out: &mut String,
    facts: &mut Vec<Cow<'a, str>>,
) {
    let truth = |id: OpId| snapshot.ops.get(id.0 as usize).map_or(Truth::Unknown, |t| t.truth);
    let ok = truth(root) == Truth::of(wanted);
    if let Some(Op::Test(test)) = case.stage.ops.get(root.0 as usize) {
        return tell(case, snapshot.t, test, truth(root), ok, out, facts);
    }
    let mut sentences = Sentences::new(out);
    let mut visited = vec![false; case.stage.ops.len()];
    let mut stack = vec![root];
    let (mut told, mut more) = (0, 0);
    while let Some(id) = stack.pop() {
        let (Some(op), Some(mark)) = (case.stage.ops.get(id.0 as usize), visited.get_mut(id.0 as usize)) else {
            continue;
        };
        if std::mem::replace(mark, true) {
            continue;
        }
        match op {
            Op::Constant(value) => {
                told += 1;
                sentences.begin();
                let _ = write!(sentences.out, "the policy says `{value}`");
                sentences.end();
            }
            Op::Not(arg) => stack.push(*arg),
            Op::And(from, to) | Op::Or(from, to) => {
                let args = case.stage.args.get(*from as usize..*to as usize).unwrap_or_default();
                let own = truth(id);
                // A gate is what it is because of those arguments that are the same.
                let decisive = args.iter().rev().filter(|arg| truth(**arg) == own);
                stack.extend(decisive);
            }
            Op::Test(_) if told >= MAX_TESTS => more += 1,
            Op::Test(test) => {
                told += 1;
                // One fact that was not supplied may stand in many tests.
                sentences.begin();
                tell(case, snapshot.t, test, truth(id), ok, sentences.out, facts);
                sentences.end();
            }
        }
    }
    if more > 0 {
        sentences.begin();
        let _ = write!(sentences.out, "and {more} more");
    }
}

fn tell<'a>(
    case: &Case<'a>,
    t: i64,
    test: &Test,
    truth: Truth,
    ok: bool,
    out: &mut String,
    facts: &mut Vec<Cow<'a, str>>,
) {
    let seen_of =
        |id: SlotId| see(case.slots.values.get(id.0 as usize).unwrap_or(&SlotValue::Missing), case.slots, t).0;
    let seen = seen_of(test.left);
    let right = test.check.right_slots();
    let sides = || std::iter::once(test.left).chain(right.iter().copied());
    if truth == Truth::Unknown {
        let before = facts.len();
        let missing = sides().filter(|id| matches!(seen_of(*id), Seen::Missing));
        facts.extend(missing.map(|id| Cow::Borrowed(name_of(case.program, id))));
        facts.extend(missing_group(case, &test.check).map(|name| Cow::Owned(format!("group {name}"))));
        if facts.len() == before {
            facts.push(Cow::Borrowed(name_of(case.program, test.left)));
        }
    }
    if let (Seen::Set(_) | Seen::Map(_), Check::Every(_) | Check::Any(_)) = (seen, &test.check) {
        return elements(case, t, test, seen, truth, out);
    }
    for (index, id) in sides().enumerate() {
        if index > 0 {
            out.push_str(" and ");
        }
        out.push_str(name_of(case.program, id));
        match seen_of(id) {
            Seen::Missing if matches!(test.check, Check::IsSet | Check::IsMissing) => out.push_str(" is missing"),
            Seen::Missing => out.push_str(" was not supplied"),
            Seen::Null => out.push_str(" is missing"),
            _ if is_secret(case.program, id) => out.push_str(" is secret"),
            seen => {
                out.push_str(" is ");
                value(case, Words::of(case.program, id), seen, out);
            }
        }
    }
    match (truth, missing_group(case, &test.check)) {
        (Truth::Unknown, Some(group)) => {
            out.extend([", and the members of group ", group, " were not supplied"]);
        }
        (Truth::True, _) if !ok => is_so(case.program, test, " is true)", out),
        (Truth::False, _) if !ok => is_so(case.program, test, " is false)", out),
        _ => {}
    }
}

fn is_so(program: &Program, test: &Test, how: &str, out: &mut String) {
    out.push_str(" (");
    source(program, test, out);
    out.push_str(how);
}

fn elements(case: &Case<'_>, t: i64, test: &Test, seen: Seen<'_>, truth: Truth, out: &mut String) {
    let (Check::Every(check) | Check::Any(check)) = &test.check else { return };
    let name = name_of(case.program, test.left);
    let secret = is_secret(case.program, test.left);
    let words = Words::of(case.program, test.left).inside();
    let len = match seen {
        Seen::Set(items) => items.len(),
        Seen::Map(items) => items.len(),
        _ => 0,
    };
    if len == 0 {
        out.push_str(name);
        return out.push_str(match truth {
            Truth::Unknown => " is empty: nothing has been reported",
            _ => " is empty",
        });
    }
    let settled_by_all = matches!((&test.check, truth), (Check::Every(_), Truth::True) | (Check::Any(_), Truth::False));
    if settled_by_all {
        source(case.program, test, out);
        out.push_str(match truth {
            Truth::True => " is true of all ",
            _ => " is true of none of the ",
        });
        push_number(out, len as u64);
        return out.extend([" of ", name]);
    }
    let asking = super::conditions::Asking::new(case.program, case.slots, t);
    let mut decisive = 0;
    let mut one = |key: Option<&str>, item: &SlotValue| {
        let seen = see(item, case.slots, t).0;
        if asking.check(seen, check).truth != truth {
            return;
        }
        decisive += 1;
        if decisive > MAX_ELEMENTS {
            return;
        }
        if decisive > 1 {
            out.push_str(", ");
        }
        out.push_str(name);
        match key {
            // The keys of a secret are a part of it.
            Some(key) if !secret => out.extend([".", &*escape(key), " is "]),
            _ => out.push_str(" holds "),
        }
        match secret {
            true => out.push_str("secret"),
            false => value(case, words, seen, out),
        }
    };
    match seen {
        Seen::Set(items) => items.iter().for_each(|item| one(None, item)),
        Seen::Map(items) => items.iter().for_each(|(key, item)| one(Some(key), item)),
        _ => {}
    }
    if decisive > MAX_ELEMENTS {
        let _ = write!(out, " and {} more", decisive - MAX_ELEMENTS);
    }
}

/// The name of a group whose members were not supplied.
fn missing_group<'a>(case: &Case<'a>, check: &Check) -> Option<&'a str> {
    match check {
        Check::InGroup(id) => {
            let group = case.program.groups.get(id.0 as usize)?;
            (group.members.is_none() && case.slots.directory(*id).is_none()).then_some(&group.name)
        }
        Check::Every(check) | Check::Any(check) | Check::Not(check) => missing_group(case, check),
        _ => None,
    }
}

/// The test as the author wrote it, on one line, in backticks.
fn source(program: &Program, test: &Test, out: &mut String) {
    let text = program.sources.text(test.span);
    out.push('`');
    let plain = |(before, byte): (u8, u8)| byte.is_ascii_graphic() || byte == b' ' && before != b' ';
    let before = std::iter::once(b' ').chain(text.bytes());
    if text.len() <= MAX_TEXT && !text.ends_with(' ') && before.zip(text.bytes()).all(plain) {
        out.push_str(text);
    } else {
        cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), out);
    }
    out.push('`');
}

fn cut(text: &str, out: &mut String) {
    let end = if text.len() > MAX_TEXT { text.char_indices().nth(MAX_TEXT) } else { None };
    match end {
        Some((end, _)) => out.extend([&*escape(text.get(..end).unwrap_or_default()), "…"]),
        None => out.push_str(&escape(text)),
    }
}

/// How an author writes a slot.
pub(crate) fn name_of(program: &Program, id: SlotId) -> &str {
    let names = program.slot_names.get_or_init(|| program.slots.iter().map(|slot| slot_name(program, slot)).collect());
    names.get(id.0 as usize).map_or("?", String::as_str)
}

fn slot_name(program: &Program, slot: &Slot) -> String {
    let fact = |index: u32| program.facts.get(index as usize).map_or("?", |f| f.name.as_str());
    match slot {
        Slot::Fact(index) => fact(*index).into(),
        Slot::FactKey(index, key) => {
            let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
                && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            match plain {
                true => format!("{}.{key}", fact(*index)),
                false => format!("{}.\"{}\"", fact(*index), escape(key)),
            }
        }
        Slot::Builtin(builtin) => builtin_name(program, *builtin),
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

/// How the values of a slot are told.
#[derive(Clone, Copy)]
enum Words<'a> {
    /// By the type that the policy declares.
    Of(&'a Type),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Values tell their types.
    Plain,
}

impl<'a> Words<'a> {
    fn of(program: &'a Program, id: SlotId) -> Words<'a> {
        let declared = |index: u32| program.facts.get(index as usize).map(|fact| &fact.ty);
        match program.slots.get(id.0 as usize) {
            Some(Slot::Fact(index)) => declared(*index).map_or(Words::Plain, Words::Of),
            Some(Slot::FactKey(index, _)) => declared(*index).map_or(Words::Plain, Words::Of).inside(),
            Some(Slot::Builtin(Builtin::Trigger)) => Words::OneOf(&TRIGGER),
            Some(Slot::Builtin(Builtin::Action)) => Words::OneOf(&ACTION),
            Some(Slot::Builtin(_)) | None => Words::Plain,
        }
    }

    /// Those of the elements of a set or map.
    fn inside(self) -> Words<'a> {
        match self {
            Words::Of(Type::Set(of) | Type::Map(of)) => Words::Of(of),
            _ => Words::Plain,
        }
    }

    fn word(self, index: u16) -> &'a str {
        let index = usize::from(index);
        match self {
            Words::Of(Type::Enum(values)) => values.values.get(index).map_or("", String::as_str),
            Words::OneOf(words) => words.get(index).copied().unwrap_or_default(),
            Words::Of(_) | Words::Plain => "",
        }
    }
}

/// A value in words.
fn value(case: &Case<'_>, words: Words<'_>, seen: Seen<'_>, out: &mut String) {
    let _ = match seen {
        Seen::Missing | Seen::Null => return out.push_str("missing"),
        Seen::Bool(b) => return out.push_str(if b { "true" } else { "false" }),
        // A double may have 309 digits before its point.
        Seen::Number(n) if n.abs() >= 1e21 => write!(out, "{n:e}"),
        Seen::Number(n) => write!(out, "{n}"),
        Seen::String(s) => return cut(s, out),
        Seen::Time(t) | Seen::MovingTime(t) => return when(case.program, t, out),
        Seen::Duration(d) | Seen::MovingDuration(d) => return duration(d, out),
        Seen::Version(v) => write!(out, "{v}"),
        Seen::Enum(index) => return out.push_str(words.word(index)),
        Seen::Status(index) => {
            return out.push_str(STATUS.get(index as usize).copied().unwrap_or(STATUS[PENDING as usize]));
        }
        Seen::Set(items) => {
            out.push('[');
            for (index, item) in items.iter().take(MAX_ELEMENTS).enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                value(case, words.inside(), see(item, case.slots, 0).0, out);
            }
            let _ = match items.len().saturating_sub(MAX_ELEMENTS) {
                0 => Ok(()),
                more => write!(out, ", and {more} more"),
            };
            return out.push(']');
        }
        Seen::Map(items) => write!(out, "a map of {}", items.len()),
    };
}

/// An instant in the policy's zone: `Wed 2026-03-04 10:00 -08:00`.
pub(crate) fn when(program: &Program, t: i64, out: &mut String) {
    const DAYS: [&str; 7] = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "];
    let second = t.div_euclid(SECOND);
    let offset = program.zone.offset_at(second);
    let shown = second + offset;
    let (day, of_day) = (shown.div_euclid(civil::DAY), shown.rem_euclid(civil::DAY));
    let (year, month, of_month) = civil::date(day);
    if offset % 60 != 0 || !(1000..=9999).contains(&year) {
        let _ = write!(out, "{}", program.zone.at(instant(t)).format("%a %Y-%m-%d %H:%M:%S %:z"));
        return;
    }
    let mut two = |before: &str, number: i64| {
        out.push_str(before);
        push_two(out, number as u64);
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
}

/// A length of time as the language writes it, in at most two units: `1h 30m`.
pub(crate) fn duration(nanos: i64, out: &mut String) {
    let mut seconds = nanos.unsigned_abs() / SECOND as u64;
    let mut parts = 0;
    for (unit, length) in [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if seconds >= length && parts < 2 {
            out.push_str(if parts > 0 { " " } else { sign(nanos) });
            push_number(out, seconds / length);
            out.push_str(unit);
            seconds %= length;
            parts += 1;
        } else if parts > 0 {
            break;
        }
    }
    if parts == 0 {
        out.push_str("0s");
    }
}

fn sign(nanos: i64) -> &'static str {
    if nanos < 0 { "-" } else { "" }
}

/// Tells why what people said does not count (each with the name and the reason), a sentence each; of many only the first.
/// Those who are not asked at all are told in one: with every approval of a build in the request, most are for other rules.
pub(crate) fn why_not<'n>(not_counted: impl Iterator<Item = (&'n str, &'n str)> + Clone, mut tell: impl FnMut(&str)) {
    const MAX: usize = 12;
    const STRANGER: &str = "is not among ";
    let stranger = |(_, reason): &(&str, &str)| reason.starts_with(STRANGER);
    let together = not_counted.clone().filter(stranger).count() > 1;
    let mut sentence = String::new();
    let mut others = 0;
    for (by, reason) in not_counted.clone().filter(|one| !(together && stranger(one))) {
        others += 1;
        if others <= MAX {
            sentence.clear();
            sentence.extend([&*escape(by), " ", reason]);
            tell(&sentence);
        }
    }
    if others > MAX {
        tell(&format!("{} more do not count", others - MAX));
    }
    let first = not_counted.clone().find(stranger).filter(|_| together);
    if let Some(rest) = first.and_then(|(_, reason)| reason.strip_prefix("is ")) {
        sentence.clear();
        joined(not_counted.filter(stranger).map(|(by, _)| by), "and", &mut sentence);
        sentence.extend([" are ", rest]);
        tell(&sentence);
    }
}

/// Names as in a sentence, the last one joined by `and` or `or`: `amita, tim and andy`.
pub(crate) fn joined<'n>(names: impl Iterator<Item = &'n str> + Clone, joiner: &str, out: &mut String) {
    const MAX: usize = 6;
    let len = names.clone().count();
    if len == 0 {
        return out.push_str("nobody");
    }
    for (index, name) in names.take(MAX).enumerate() {
        match index {
            0 => {}
            _ if index + 1 == len => out.extend([" ", joiner, " "]),
            _ => out.push_str(", "),
        }
        out.push_str(&escape(name));
    }
    if len > MAX {
        let _ = write!(out, " {joiner} {} more", len - MAX);
    }
}
