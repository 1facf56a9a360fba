//! Tests and gates: the flat program of a stage at one instant.

use std::cmp::Ordering;

use super::truth::{NEVER, Timed, Truth};
use crate::facts::RunStatus;
use crate::facts::slots::{SlotValue, Slots};
use crate::program::{Check, Comparison, Constant, Group, Op, PENDING, Program, Right, SlotId, Stage, Test};

/// A value as a test sees it at one instant, with the next instant at which it is another one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seen<'a> {
    Missing,
    Null,
    Bool(bool),
    Number(f64),
    String(&'a str),
    Time(i64),
    Duration(i64),
    Version(&'a semver::Version),
    Enum(u16),
    Status(u16),
    Set(&'a [SlotValue]),
    Map(&'a [(Box<str>, SlotValue)]),
    /// An instant that moves with the clock (`now`).
    MovingTime(i64),
    /// A duration that grows with the clock (an age).
    MovingDuration(i64),
}

/// What a slot holds at instant `t`, and the instant at which it holds another kind of thing (not: a moving clock).
pub(crate) fn see<'a>(value: &'a SlotValue, slots: &Slots, t: i64) -> (Seen<'a>, i64) {
    let fixed = match value {
        SlotValue::Missing => Seen::Missing,
        SlotValue::Null => Seen::Null,
        SlotValue::Bool(b) => Seen::Bool(*b),
        SlotValue::Number(n) => Seen::Number(*n),
        SlotValue::String(s) => Seen::String(s),
        SlotValue::Time(at) => Seen::Time(*at),
        SlotValue::Duration(d) => Seen::Duration(*d),
        SlotValue::Version(v) => Seen::Version(v),
        SlotValue::Enum(i) => Seen::Enum(*i),
        SlotValue::Status(i) => Seen::Status(*i),
        SlotValue::Set(items) => Seen::Set(items),
        SlotValue::Map(items) => Seen::Map(items),
        SlotValue::Now => Seen::MovingTime(t),
        SlotValue::Age(since) => Seen::MovingDuration(t.saturating_sub(*since)),
        SlotValue::RunStatus(stage) => {
            let (run, next) = slots.newest(*stage, t);
            return (run.map_or(Seen::Missing, |run| Seen::Status(status_index(run.status))), next);
        }
        SlotValue::RunAt(stage) | SlotValue::RunAge(stage) => {
            let (at, next) = slots.last_end(*stage, t);
            let seen = match (at, value) {
                (Some(at), SlotValue::RunAt(_)) => Seen::Time(at),
                (Some(at), _) => Seen::MovingDuration(t.saturating_sub(at)),
                (None, _) => Seen::Missing,
            };
            return (seen, next);
        }
    };
    (fixed, NEVER)
}

/// Where a run's status stands in [`crate::program::STATUS`].
pub(crate) fn status_index(status: RunStatus) -> u16 {
    match status {
        RunStatus::Succeeded => 0,
        RunStatus::Failed => 1,
        RunStatus::Pending => PENDING,
        RunStatus::Skipped => 3,
        RunStatus::Cancelled => 4,
    }
}

/// Runs the flat program of a stage for instant `t`; `out` then holds one value for each entry.
pub(crate) fn run(program: &Program, stage: &Stage, slots: &Slots, t: i64, out: &mut Vec<Timed>) {
    out.clear();
    out.reserve_exact(stage.ops.len());
    let at = |out: &[Timed], id: crate::program::OpId| out.get(id.0 as usize).copied().unwrap_or(Timed::UNKNOWN);
    for op in &stage.ops {
        let value = match op {
            Op::Constant(b) => Timed::of(*b),
            Op::Test(test) => self::test(program, test, slots, t),
            Op::Not(id) => at(out, *id).not(),
            Op::And(from, to) => {
                let args = stage.args.get(*from as usize..*to as usize).unwrap_or_default();
                Timed::all(args.iter().map(|id| at(out, *id)))
            }
            Op::Or(from, to) => {
                let args = stage.args.get(*from as usize..*to as usize).unwrap_or_default();
                Timed::any(args.iter().map(|id| at(out, *id)))
            }
        };
        out.push(value);
    }
}

/// One test at instant `t`.
pub(crate) fn test(program: &Program, test: &Test, slots: &Slots, t: i64) -> Timed {
    let asking = Asking { program, slots, t };
    let (left, until) = asking.slot(test.left);
    asking.check(left, &test.check).by(until)
}

pub(crate) struct Asking<'a> {
    program: &'a Program,
    slots: &'a Slots,
    t: i64,
}

impl<'a> Asking<'a> {
    pub fn new(program: &'a Program, slots: &'a Slots, t: i64) -> Asking<'a> {
        Asking { program, slots, t }
    }

    fn slot(&self, id: SlotId) -> (Seen<'a>, i64) {
        self.slots.values.get(id.0 as usize).map_or((Seen::Missing, NEVER), |value| see(value, self.slots, self.t))
    }

    fn right(&self, right: &'a Right) -> (Seen<'a>, i64) {
        match right {
            Right::Slot(id) => self.slot(*id),
            Right::Constant(constant) => (
                match constant {
                    Constant::Bool(b) => Seen::Bool(*b),
                    Constant::Number(n) => Seen::Number(*n),
                    Constant::String(s) => Seen::String(s),
                    Constant::Time(at) => Seen::Time(*at),
                    Constant::Duration(d) => Seen::Duration(*d),
                    Constant::Version(v) => Seen::Version(v),
                    Constant::Enum(i) => Seen::Enum(*i),
                },
                NEVER,
            ),
        }
    }

    pub fn check(&self, left: Seen<'a>, check: &'a Check) -> Timed {
        match check {
            Check::IsSet => return Timed::of(!matches!(left, Seen::Missing | Seen::Null)),
            Check::IsMissing => return Timed::of(matches!(left, Seen::Missing | Seen::Null)),
            _ => {}
        }
        if matches!(left, Seen::Missing | Seen::Null) {
            return Timed::UNKNOWN;
        }
        match check {
            Check::IsSet | Check::IsMissing => Timed::UNKNOWN,
            Check::IsTrue => match left {
                Seen::Bool(b) => Timed::of(b),
                _ => Timed::UNKNOWN,
            },
            Check::Compare(comparison, right) => {
                let (right, until) = self.right(right);
                compare(self.t, *comparison, left, right).by(until)
            }
            Check::InList(items) => Timed::any(items.iter().map(|item| {
                let (right, until) = self.right(item);
                compare(self.t, Comparison::Eq, left, right).by(until)
            })),
            Check::InSet(id) => {
                let (set, until) = self.slot(*id);
                self.element_of(left, set).by(until)
            }
            Check::InGroup(id) => self.in_group(left, *id),
            Check::Contains(right) => {
                let (right, until) = self.right(right);
                let found = match (left, right) {
                    (_, Seen::Missing | Seen::Null) => Timed::UNKNOWN,
                    (Seen::String(text), Seen::String(part)) => Timed::of(text.contains(part)),
                    (Seen::Set(_), element) => self.element_of(element, left),
                    _ => Timed::UNKNOWN,
                };
                found.by(until)
            }
            Check::StartsWith(right) => self.text(left, right, |text, part| text.starts_with(part)),
            Check::EndsWith(right) => self.text(left, right, |text, part| text.ends_with(part)),
            Check::Matches(regex) => match left {
                Seen::String(text) => Timed::of(regex.is_match(text)),
                _ => Timed::UNKNOWN,
            },
            Check::Not(check) => self.check(left, check).not(),
            Check::Every(check) => self.each(left, check, Timed::UNKNOWN, Timed::and),
            Check::Any(check) => self.each(left, check, Timed::FALSE, Timed::or),
        }
    }

    fn text(&self, left: Seen<'a>, right: &'a Right, holds: impl Fn(&str, &str) -> bool) -> Timed {
        let (right, until) = self.right(right);
        match (left, right) {
            (Seen::String(text), Seen::String(part)) => Timed::of(holds(text, part)).by(until),
            _ => Timed::UNKNOWN.by(until),
        }
    }

    fn element_of(&self, element: Seen<'a>, set: Seen<'a>) -> Timed {
        match set {
            Seen::Set(items) => Timed::any(items.iter().map(|item| {
                let (item, _) = see(item, self.slots, self.t);
                compare(self.t, Comparison::Eq, element, item)
            })),
            _ => Timed::UNKNOWN,
        }
    }

    fn in_group(&self, person: Seen<'a>, id: crate::program::GroupId) -> Timed {
        let Seen::String(name) = person else { return Timed::UNKNOWN };
        let members = match self.program.groups.get(id.0 as usize) {
            Some(Group { members: Some(members), .. }) => {
                return Timed::of(
                    members.iter().any(|m| self.program.people.get(m.0 as usize).is_some_and(|p| p == name)),
                );
            }
            Some(Group { members: None, .. }) => self.slots.directory(id),
            None => None,
        };
        match members {
            Some(members) => Timed::of(members.iter().any(|m| self.name(*m) == Some(name))),
            None => Timed::UNKNOWN,
        }
    }

    fn name(&self, person: u32) -> Option<&str> {
        super::person_name(self.program, self.slots, person)
    }

    /// Over the elements of a set or the values of a map. An empty `every` is unknown: nothing has reported.
    fn each(&self, left: Seen<'a>, check: &'a Check, empty: Timed, join: fn(Timed, Timed) -> Timed) -> Timed {
        let one = |value: &'a SlotValue| self.check(see(value, self.slots, self.t).0, check);
        let joined = match left {
            Seen::Set(items) => items.iter().map(one).reduce(join),
            Seen::Map(items) => items.iter().map(|(_, value)| one(value)).reduce(join),
            _ => return Timed::UNKNOWN,
        };
        joined.unwrap_or(empty)
    }
}

/// `left comparison right` at instant `t`. A status that is pending is not comparable with anything but pending.
pub(crate) fn compare(t: i64, comparison: Comparison, left: Seen<'_>, right: Seen<'_>) -> Timed {
    use Seen::*;
    let order = match (left, right) {
        (Bool(a), Bool(b)) => a.cmp(&b),
        (Number(a), Number(b)) => match a.partial_cmp(&b) {
            Some(order) => order,
            None => return Timed::UNKNOWN,
        },
        (String(a), String(b)) => a.cmp(b),
        (Time(a), Time(b)) | (Duration(a), Duration(b)) => a.cmp(&b),
        (MovingTime(a), MovingTime(b)) | (MovingDuration(a), MovingDuration(b)) => a.cmp(&b),
        (MovingTime(a), Time(b)) | (MovingDuration(a), Duration(b)) => return moving(t, comparison, a, b),
        (Time(a), MovingTime(b)) | (Duration(a), MovingDuration(b)) => return moving(t, mirrored(comparison), b, a),
        (Version(a), Version(b)) => a.cmp_precedence(b),
        (Enum(a), Enum(b)) => a.cmp(&b),
        // Two statuses that were supplied: either may be pending.
        (Status(a), Status(b)) => {
            if (a == PENDING) != (b == PENDING) {
                return Timed::UNKNOWN;
            }
            a.cmp(&b)
        }
        // A status against a word of the policy.
        (Status(a), Enum(b)) | (Enum(b), Status(a)) => {
            if a == PENDING && b != PENDING {
                return Timed::UNKNOWN;
            }
            a.cmp(&b)
        }
        _ => return Timed::UNKNOWN,
    };
    Timed::of(holds(comparison, order))
}

fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Ne => order.is_ne(),
        Comparison::Lt => order.is_lt(),
        Comparison::Le => order.is_le(),
        Comparison::Gt => order.is_gt(),
        Comparison::Ge => order.is_ge(),
    }
}

fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}

/// A clock that shows `a` at instant `t` and moves on, against `b` that stands still. Nothing changes before it shows
/// `b`, nor between the nanosecond after and the end of time.
fn moving(t: i64, comparison: Comparison, a: i64, b: i64) -> Timed {
    let truth = Truth::of(holds(comparison, a.cmp(&b)));
    let reaches = t.saturating_add(b.saturating_sub(a));
    let until = match a.cmp(&b) {
        Ordering::Less => reaches,
        Ordering::Equal => t.saturating_add(1),
        Ordering::Greater => NEVER,
    };
    Timed { truth, until }
}
