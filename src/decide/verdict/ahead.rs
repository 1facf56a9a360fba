//! What the clock does to a rule whose condition reads it: the instants at which a test can change, and the rule there.

use super::ask::Reading;
use super::compact::{Ask, Cell, Side, Step};
use super::given::Moving;
use super::{Outcome, Reader, not};
use crate::decide::truth::Truth;
use crate::program::{Body, Rule};

/// So many instants are looked at; more are searched for.
const INSTANTS: usize = 32;
/// Larger programs are searched.
const STEPS: usize = 256;

/// Whether a rule that is false now blocks no more at some later instant, if time alone passes and no run comes.
pub(super) fn clock(rule: &Rule, reading: &mut Reading<'_>) -> Outcome {
    let reader = reading.reader;
    let steps = &reader.flat.steps;
    let body = match &rule.body {
        Body::Require(op) => Some((op.0, false)),
        Body::Forbid(op) => Some((op.0, true)),
        _ => None,
    };
    let guard = rule.guard.map(|id| id.0);
    let last = body.map(|(op, _)| op).max(guard).unwrap_or(0) as usize;
    if last >= STEPS {
        return Outcome::Search;
    }
    let mut instants = Instants { at: [0; INSTANTS], count: 0, more: false };
    for step in steps.iter().take(last + 1) {
        match step {
            Step::Ask(index) => {
                if let Some((slot, ask)) = reader.flat.asks.get(*index as usize) {
                    reader.instants(*slot, ask, &mut instants);
                }
            }
            Step::Fixed(_)
            | Step::Number { .. }
            | Step::Word { .. }
            | Step::Mask { .. }
            | Step::EveryMask { .. }
            | Step::And(..)
            | Step::Or(..)
            | Step::Not(_) => {}
        }
    }
    if instants.more {
        return Outcome::Search;
    }
    let mut values = [Truth::False; STEPS];
    for t in instants.at.iter().take(instants.count).copied() {
        reader.at(t, last, &mut values);
        let value = |id: u32| values.get(id as usize).copied().unwrap_or(Truth::Unknown);
        let free = guard.is_some_and(|guard| value(guard) == Truth::False)
            || body.is_some_and(|(op, forbid)| (if forbid { not(value(op)) } else { value(op) }) == Truth::True);
        if free {
            return Outcome::Holds;
        }
    }
    Outcome::Denies
}

struct Instants {
    at: [i64; INSTANTS],
    count: usize,
    more: bool,
}

impl Instants {
    /// A clock that shows `a` at `now` and goes on, against `b` that stands still.
    fn add(&mut self, now: i64, a: i64, b: i64) {
        let ahead = b.saturating_sub(a);
        if ahead < 0 {
            return;
        }
        let reached = now.saturating_add(ahead);
        for t in [reached, reached.saturating_add(1)] {
            if t <= now || t == i64::MAX {
                continue;
            }
            match self.at.get_mut(self.count) {
                Some(place) => {
                    *place = t;
                    self.count += 1;
                }
                None => self.more = true,
            }
        }
    }
}

impl Reader<'_> {
    /// Whether a slot moves with the clock. Until another run comes, how and when the last one ended does not.
    fn moves(&self, slot: u32) -> bool {
        let runs = |moving: &Moving| matches!(moving, Moving::Now | Moving::Age(_) | Moving::RunAge(_));
        self.given.moving.iter().any(|(moving, how)| *moving == slot && runs(how))
    }

    /// The instants at which a test of a slot may change.
    fn instants(&self, slot: u32, ask: &Ask, out: &mut Instants) {
        let mut right = |side: &Side| match side {
            Side::Fixed(cell) => self.pairs((self.slot(slot), self.moves(slot)), (*cell, false), out),
            Side::Slot(other) => {
                self.pairs((self.slot(slot), self.moves(slot)), (self.slot(*other), self.moves(*other)), out)
            }
        };
        match ask {
            Ask::Compare(_, side) | Ask::Contains(side) | Ask::StartsWith(side) | Ask::EndsWith(side) => right(side),
            Ask::InList(items) => items.iter().for_each(right),
            Ask::InSet(other) => right(&Side::Slot(*other)),
            Ask::Not(ask) | Ask::Every(ask) | Ask::Any(ask) => self.instants(slot, ask, out),
            Ask::InGroup(_) | Ask::Matches(_) | Ask::IsSet | Ask::IsMissing | Ask::IsTrue | Ask::Mask { .. } => {}
        }
    }

    fn pairs(&self, left: (Cell, bool), right: (Cell, bool), out: &mut Instants) {
        let now = self.given.now;
        if left.1 == right.1 {
            return;
        }
        let (moving, still) = if left.1 { (left.0, right.0) } else { (right.0, left.0) };
        let mut one = |still: Cell| match (moving, still) {
            (Cell::Time(a), Cell::Time(b)) | (Cell::Duration(a), Cell::Duration(b)) => out.add(now, a, b),
            _ => {}
        };
        match still {
            Cell::Set(from, to) => {
                let elements = self.given.elements.get(from as usize..to as usize).unwrap_or_default();
                elements.iter().for_each(|cell| one(*cell));
            }
            still => one(still),
        }
    }

    /// The values of the entries up to `last` at a later instant.
    fn at(&self, t: i64, last: usize, values: &mut [Truth]) {
        let later = Reader { later: Some(t), ..*self };
        for (index, step) in self.flat.steps.iter().enumerate().take(last + 1) {
            let value = later.step(later.flat, step, values);
            if let Some(place) = values.get_mut(index) {
                *place = value;
            }
        }
    }
}
