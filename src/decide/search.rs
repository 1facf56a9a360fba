//! Looking ahead: what time alone will change, and when.
//!
//! Every standing of a rule says until when it is certain. The search leaps from one such instant to the next and looks
//! again, so it visits only instants at which something can change, and it is bounded by fuel.

use std::rc::Rc;

use super::decision::{Status, Verdict};
use super::snapshot::{Assumed, Case, Fuel, InForce, Raw, SECOND, Snapshot};
use super::truth::{NEVER, Truth};
use crate::facts::slots::TriggerSlot;
use crate::program::{Body, Kind, Override, Rule, RuleId, Trigger};
use crate::schedule::{NextEdge, TimeSet};

/// An instant found by looking ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    At(i64),
    Never,
    /// Out of fuel: nothing happens before this instant, and beyond it was not looked.
    NotBefore(i64),
}

impl Found {
    pub fn instant(self) -> Option<i64> {
        match self {
            Found::At(t) => Some(t),
            Found::Never | Found::NotBefore(_) => None,
        }
    }
}

/// Looks ahead of one case. Snapshots are kept, since rules ask for the same instants.
pub(crate) struct Search<'a> {
    pub case: Case<'a>,
    pub fuel: Fuel,
    /// Whether a search gave up.
    pub cut_short: bool,
    /// One of so many parts of the fuel is for the end of an allow.
    part: u64,
    /// In no order.
    snapshots: Vec<Rc<Snapshot>>,
}

/// One of so many parts of the fuel is for one look ahead at one rule.
const ONE_RULE: u64 = 16;
/// And at all rules together.
const ALL_RULES: u64 = 4;
/// And for the end of an allow, of which a decision says no more than by when to ask again.
const END_OF_ALLOW: u64 = 64;
/// So many snapshots are kept at most.
const KEPT: usize = 64;

impl<'a> Search<'a> {
    pub fn new(case: Case<'a>) -> Search<'a> {
        let fuel = Fuel::new(case.program.search_steps);
        Search { case, fuel, cut_short: false, part: END_OF_ALLOW, snapshots: Vec::new() }
    }

    /// One that looks as far ahead for the end of an allow as for anything else.
    pub fn far(case: Case<'a>) -> Search<'a> {
        Search { part: ALL_RULES, ..Search::new(case) }
    }

    /// The same case, if these overrides had been invoked; with the fuel of this search, to be given back.
    pub fn suppose(&mut self, assume: Assumed) -> Search<'a> {
        let fuel = std::mem::replace(&mut self.fuel, Fuel::new(0));
        let case = Case { assume, ..self.case };
        Search { case, fuel, cut_short: false, part: self.part, snapshots: Vec::new() }
    }

    pub fn at(&mut self, t: i64) -> Rc<Snapshot> {
        if let Some(known) = self.snapshots.iter().rev().find(|known| known.t == t) {
            return Rc::clone(known);
        }
        let snapshot = Rc::new(self.case.at(t, &mut self.fuel));
        if self.snapshots.len() < KEPT {
            self.snapshots.push(Rc::clone(&snapshot));
        }
        snapshot
    }

    /// What is left when a part of all the fuel is spent: one question that never ends must not cost the others theirs.
    fn floor(&self, part: u64) -> u64 {
        self.fuel.left.saturating_sub(self.case.program.search_steps / part)
    }

    fn exhausted(&mut self, floor: u64) -> bool {
        let exhausted = self.fuel.left <= floor;
        self.cut_short |= exhausted;
        exhausted
    }

    fn rules(&self) -> &'a [Rule] {
        &self.case.stage.rules
    }

    /// The first instant after `from` at which a rule does not block, following that rule alone.
    fn follow(&mut self, rule: usize, from: i64) -> Found {
        let floor = self.floor(ONE_RULE);
        let mut t = from;
        loop {
            let snapshot = self.at(t);
            let Some(standing) = snapshot.rules.get(rule) else { return Found::Never };
            if t > from && !standing.raw.blocks() {
                return Found::At(t);
            }
            if standing.until == NEVER {
                return Found::Never;
            }
            // So far it is certain.
            t = standing.until.max(t.saturating_add(1));
            if self.exhausted(floor) {
                return Found::NotBefore(t);
            }
        }
    }

    /// When a rule that blocks in a snapshot no longer does.
    pub fn free_at(&mut self, rule: usize, here: &Snapshot) -> Found {
        if self.in_vain(rule, here) {
            return Found::Never;
        }
        match self.times_of(rule, here) {
            Some((number, set)) => self.edge(number, set, here.t),
            None => self.follow(rule, here.t),
        }
    }

    /// The set of times that alone decides when a rule is free that blocks in a snapshot, under a number of its own.
    fn times_of(&self, rule: usize, here: &Snapshot) -> Option<(usize, &'a TimeSet)> {
        let Case { plan, stage, .. } = self.case;
        let of = stage.rules.get(rule)?;
        let (number, set) = match (&of.body, plan.alternative_of.get(rule).copied().flatten()) {
            (Body::Freeze(set), _) => (rule, set),
            (Body::Window(_), Some(group)) if plan.is_alone(group) => {
                (stage.rules.len() + group, plan.open.get(group)?.as_ref()?)
            }
            _ => return None,
        };
        let surely = |id: crate::program::OpId| {
            here.ops.get(id.0 as usize).is_some_and(|g| g.truth == Truth::True && g.until == NEVER)
        };
        (of.guard.is_none_or(surely) && !self.may_be_skipped(rule, here)).then_some((number, set))
    }

    /// Whether an override skips a rule, or one of its alternatives, or may do so later.
    fn may_be_skipped(&self, rule: usize, here: &Snapshot) -> bool {
        let Case { plan, stage, .. } = self.case;
        let group = plan.alternative_of.get(rule).copied().flatten().and_then(|group| plan.alternatives.get(group));
        let of_these = |id: &RuleId| id.0 as usize == rule || group.is_some_and(|group| group.contains(id));
        let skips = |(over, state): (&Override, &InForce)| {
            (state.yes || state.until != NEVER) && over.skips.iter().any(of_these)
        };
        stage.overrides.iter().zip(&here.overrides).any(skips)
    }

    /// The first edge of a set of times after an instant.
    fn edge(&mut self, number: usize, set: &TimeSet, from: i64) -> Found {
        let floor = self.floor(ONE_RULE);
        let mut second = from.div_euclid(SECOND);
        let inside = set.contains(second);
        loop {
            match self.fuel.edge(number, set, second) {
                NextEdge::At(edge) => return Found::At(edge.saturating_mul(SECOND)),
                NextEdge::Never => return Found::Never,
                NextEdge::SearchedTo(edge) => second = edge.max(second + 1),
            }
            if set.contains(second) != inside {
                return Found::At(second.saturating_mul(SECOND));
            }
            if self.exhausted(floor) {
                return Found::NotBefore(second.saturating_mul(SECOND));
            }
        }
    }

    /// Whether a trigger that blocks does so for ever, however often the clock comes round: a schedule `if changed` is no
    /// better than unknown when it fires, if what the stage runs is not known, and its alternatives do not hang on time.
    fn in_vain(&self, rule: usize, here: &Snapshot) -> bool {
        let Case { plan, stage, slots, .. } = self.case;
        let group = plan.alternative_of.get(rule).copied().flatten().and_then(|group| plan.alternatives.get(group));
        let Some(group) = group else { return false };
        let hopeless = |id: &RuleId| match stage.rules.get(id.0 as usize) {
            Some(Rule { body: Body::Trigger(Trigger::Schedule(schedule)), guard: None, .. }) => {
                self.case.changed(schedule).truth != Truth::True
            }
            Some(Rule { body: Body::Trigger(_), guard: None, .. }) => true,
            _ => false,
        };
        matches!(slots.trigger, TriggerSlot::Schedule) && group.iter().all(hopeless) && !self.may_be_skipped(rule, here)
    }

    /// How a rule stands, looking ahead: false now is waiting if time alone mends it.
    pub fn status(&mut self, rule: usize, snapshot: &Snapshot) -> (Status, Option<i64>) {
        let Some(standing) = snapshot.rules.get(rule) else { return (Status::Unknown, None) };
        let status = match standing.raw {
            Raw::Met => Status::Met,
            Raw::NotApplicable => Status::NotApplicable,
            Raw::Overridden => Status::Overridden,
            Raw::Unknown => Status::Unknown,
            Raw::Short => Status::Awaiting,
            Raw::Rejected => Status::Unmet,
            Raw::False => return self.false_now(rule, snapshot),
        };
        (status, None)
    }

    fn false_now(&mut self, rule: usize, snapshot: &Snapshot) -> (Status, Option<i64>) {
        match self.free_at(rule, snapshot) {
            Found::At(until) => (Status::Waiting, Some(until)),
            Found::Never | Found::NotBefore(_) => (Status::Unmet, None),
        }
    }

    /// The statuses of all rules, looking ahead only where one is false.
    pub fn statuses(&mut self, snapshot: &Snapshot) -> Vec<(Status, Option<i64>)> {
        (0..self.rules().len()).map(|rule| self.status(rule, snapshot)).collect()
    }

    /// The verdict at the instant of a snapshot.
    pub fn verdict(&mut self, snapshot: &Snapshot) -> Verdict {
        let mut verdict = Verdict::Allow;
        for (index, standing) in snapshot.rules.iter().enumerate() {
            if !standing.raw.blocks() || self.advice(index) {
                continue;
            }
            verdict = Verdict::Hold;
            let unmet = match standing.raw {
                Raw::Rejected => true,
                Raw::False => self.false_now(index, snapshot).0 == Status::Unmet,
                _ => false,
            };
            if unmet {
                return Verdict::Deny;
            }
        }
        verdict
    }

    /// Whether a rule only advises.
    pub fn advice(&self, rule: usize) -> bool {
        self.rules().get(rule).is_some_and(|r| r.kind == Kind::Advise)
    }

    /// The rules that stand in the way in a snapshot.
    pub fn blocking(&self, snapshot: &Snapshot) -> Vec<usize> {
        let rules = snapshot.rules.iter().enumerate();
        rules.filter(|(index, s)| s.raw.blocks() && !self.advice(*index)).map(|(index, _)| index).collect()
    }

    /// The first instant from `from` on at which no rule blocks but those that `ignored` names, in order.
    pub fn clear_at(&mut self, from: i64, ignored: &[usize]) -> Found {
        let floor = self.floor(ALL_RULES);
        let mut t = from;
        loop {
            let snapshot = self.at(t);
            // Each of them blocks at least that long, so nothing before the last of these can be clear.
            let mut until = None;
            for index in self.blocking(&snapshot) {
                if ignored.binary_search(&index).is_err() {
                    if self.in_vain(index, &snapshot) {
                        return Found::Never;
                    }
                    let standing = snapshot.rules.get(index).map_or(NEVER, |s| s.until);
                    until = until.max(Some(standing));
                }
            }
            match until {
                None => return Found::At(t),
                Some(NEVER) => return Found::Never,
                Some(until) => t = until.max(t.saturating_add(1)),
            }
            if self.exhausted(floor) {
                return Found::NotBefore(t);
            }
        }
    }

    /// The first instant after a snapshot at which time alone changes its verdict.
    pub fn changes_at(&mut self, snapshot: &Snapshot) -> Found {
        let floor = self.floor(ALL_RULES);
        let verdict = self.verdict(snapshot);
        let mut here = self.at(snapshot.t);
        loop {
            let next = match verdict {
                Verdict::Allow => self.first_block(&here),
                Verdict::Deny => self.last_unmet(&here),
                Verdict::Hold => self.hold_ends(&here),
            };
            let next = match next {
                Found::At(t) => t,
                end => return end,
            };
            here = self.at(next);
            if self.verdict(&here) != verdict {
                return Found::At(next);
            }
            if self.exhausted(floor) {
                return Found::NotBefore(next);
            }
        }
    }

    /// Allowed now: until the first rule blocks. All rules are followed together, so the nearest end is found first.
    fn first_block(&mut self, here: &Snapshot) -> Found {
        let floor = self.floor(self.part);
        let mut t = here.t;
        loop {
            let snapshot = self.at(t);
            if t > here.t && !self.blocking(&snapshot).is_empty() {
                return Found::At(t);
            }
            let rules = snapshot.rules.iter().enumerate();
            let next = rules.filter(|(rule, _)| !self.advice(*rule)).map(|(_, s)| s.until).min().unwrap_or(NEVER);
            if next == NEVER {
                return Found::Never;
            }
            // So far it is certain.
            t = next.max(t.saturating_add(1));
            if self.exhausted(floor) {
                return Found::NotBefore(t);
            }
        }
    }

    /// Denied now: until the last rule that is unmet may be something else.
    fn last_unmet(&mut self, here: &Snapshot) -> Found {
        let mut last = None;
        for rule in self.blocking(here) {
            if self.status(rule, here).0 == Status::Unmet {
                let until = here.rules.get(rule).map_or(NEVER, |s| s.until);
                last = last.max(Some(until));
            }
        }
        match last {
            None | Some(NEVER) => Found::Never,
            Some(t) => Found::At(t),
        }
    }

    /// On hold now: until no rule blocks, or one becomes unmet.
    fn hold_ends(&mut self, here: &Snapshot) -> Found {
        let cut_short = self.cut_short;
        // Until the last of those that block now is free.
        let mut clear = None;
        let mut blocking = self.blocking(here);
        // One that nothing changes blocks for ever: no need to follow the others.
        if blocking.iter().any(|rule| here.rules.get(*rule).is_none_or(|s| s.until == NEVER)) {
            clear = Some(NEVER);
            blocking.clear();
        }
        for rule in blocking {
            let free = match self.free_at(rule, here) {
                Found::At(t) => t,
                Found::Never => NEVER,
                Found::NotBefore(t) => return Found::NotBefore(t),
            };
            clear = clear.max(Some(free));
        }
        let mut end = clear.unwrap_or(NEVER);
        let mut gave_up = None;
        for rule in 0..self.rules().len() {
            if self.advice(rule) || self.never_applies_surely(rule, here) || self.never_settles(rule, here) {
                continue;
            }
            match self.unmet_at(rule, here.t, end) {
                Found::At(t) => end = end.min(t),
                Found::NotBefore(t) if t < end => gave_up = Some(gave_up.map_or(t, |g: i64| g.min(t))),
                Found::Never | Found::NotBefore(_) => {}
            }
        }
        match (end, gave_up) {
            (end, Some(t)) if t < end => Found::NotBefore(t),
            (NEVER, _) => Found::Never,
            (end, _) => {
                // Where a search gave up only beyond that, nothing was missed.
                self.cut_short = cut_short;
                Found::At(end)
            }
        }
    }

    /// The first instant after `from` and before `bound` at which a rule is unmet.
    fn unmet_at(&mut self, rule: usize, from: i64, bound: i64) -> Found {
        let floor = self.floor(ONE_RULE);
        let mut t = from;
        loop {
            let snapshot = self.at(t);
            let Some(standing) = snapshot.rules.get(rule).copied() else { return Found::Never };
            if t > from && self.status(rule, &snapshot).0 == Status::Unmet {
                return Found::At(t);
            }
            match standing.until {
                NEVER => return Found::Never,
                until if until >= bound => return Found::NotBefore(bound),
                until => t = until.max(t.saturating_add(1)),
            }
            if self.exhausted(floor) {
                return Found::NotBefore(t);
            }
        }
    }

    /// Whether a rule can never become unmet by time alone, because it is not known whether it applies.
    fn never_applies_surely(&self, rule: usize, here: &Snapshot) -> bool {
        let guard = self.rules().get(rule).and_then(|of| of.guard);
        let guard = guard.and_then(|id| here.ops.get(id.0 as usize));
        guard.is_some_and(|g| g.truth == Truth::Unknown && g.until == NEVER)
    }

    /// Whether a rule can never become unmet by time alone, because its times come again and again, or the freeze ends.
    fn never_settles(&self, rule: usize, here: &Snapshot) -> bool {
        let group = self.case.plan.alternative_of.get(rule).copied().flatten();
        match group.and_then(|g| self.case.plan.alternatives.get(g)) {
            // Another alternative that comes again and again excuses this one.
            Some(group) => group.iter().any(|id| self.comes_again(id.0 as usize, here)),
            None => self.comes_again(rule, here),
        }
    }

    fn comes_again(&self, rule: usize, here: &Snapshot) -> bool {
        let Some(of) = self.rules().get(rule) else { return false };
        let steady = match of.guard {
            None => true,
            // Under a guard that stays unknown it is met or unknown, but never unmet.
            Some(id) => here.ops.get(id.0 as usize).is_some_and(|g| g.truth != Truth::False && g.until == NEVER),
        };
        let set = match &of.body {
            Body::Freeze(set) if set.is_over_in_the_end() => return steady,
            Body::Window(set) | Body::Freeze(set) => set,
            Body::Trigger(crate::program::Trigger::Schedule(schedule)) => &schedule.met,
            _ => return false,
        };
        steady && set.recurs()
    }
}
