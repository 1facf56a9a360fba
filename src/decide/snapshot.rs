//! All rules of a stage at one instant: how each stands, and until when that is certain.

use std::collections::BTreeMap;

use super::conditions;
use super::plan::StagePlan;
use super::truth::{NEVER, Timed, Truth};
use crate::facts::RunStatus;
use crate::facts::slots::{Occupied, Slots, TriggerSlot};
use crate::people::matching::{Demand, assign, assign_first};
use crate::people::{Asked, Counted, LastWords, count};
use crate::program::{
    After, AfterStage, Approve, Body, Branches, ManualBy, OpId, Program, Rule, RuleId, ScheduleTrigger, Soak, Stage,
    Trigger,
};
use crate::schedule::{NextEdge, TimeSet};

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// How a rule stands at one instant, before overrides, and without looking ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    Met,
    /// Its guard is false, or another alternative holds.
    NotApplicable,
    False,
    Unknown,
    /// Approvals are missing.
    Short,
    /// Someone who could count says no.
    Rejected,
    /// An override in force skips it.
    Overridden,
}

impl Raw {
    pub fn blocks(self) -> bool {
        matches!(self, Raw::False | Raw::Unknown | Raw::Short | Raw::Rejected)
    }
}

/// A [`Raw`] that is the same in `[t, until)`, or does not block as long, if it does not block at `t`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub raw: Raw,
    pub until: i64,
    /// For an alternative: its own truth, whatever the others are.
    pub own: Truth,
}

/// How an override stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct InForce {
    pub yes: bool,
    /// Whether it is so by what was invoked, not by assumption alone.
    pub invoked: bool,
    /// Whether its guard is surely true.
    pub guard: bool,
    pub counted: Counted,
    pub until: i64,
}

/// All rules of a stage at one instant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub t: i64,
    /// By entry of the program.
    pub ops: Vec<Timed>,
    /// By `RuleId`.
    pub rules: Vec<Standing>,
    /// What people have said last, if the stage asks for approvals.
    pub last: LastWords,
    /// By `RuleId`; `None` for rules that are no `approve`.
    pub counted: Vec<Option<Counted>>,
    /// With `distinct approvers` in force, by `RuleId`: who is assigned.
    pub assigned: Option<Vec<Vec<u32>>>,
    /// An override lets people count twice: not all rules with enough approvals would have them if nobody did.
    pub doubled: bool,
    pub overrides: Vec<InForce>,
    /// The search for an edge of a schedule gave up.
    pub gave_up: bool,
}

/// Everything that does not change from one instant to another.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub program: &'a Program,
    pub stage: &'a Stage,
    pub plan: &'a StagePlan,
    pub slots: &'a Slots,
    /// Overrides that are taken to be invoked: what if?
    pub assume: Assumed,
}

/// So many overrides are combined at most.
pub(crate) const MAX_ASSUMED: usize = 6;
/// Overrides of the stage, by their numbers.
pub(crate) type Assumed = [Option<u32>; MAX_ASSUMED];

/// So many steps are given to the search for one edge: enough for a day in every year, hardly for every day.
const ONE_EDGE: u64 = 1 << 16;

/// An edge that took more steps than this to find is kept for good.
const DEAR: u64 = 256;

/// Steps that a search in time may still take, and the edges that it knows already.
#[derive(Debug)]
pub(crate) struct Fuel {
    pub left: u64,
    /// By rule: the place of its set, from when the edge found last is the next one, and that edge.
    edges: Vec<Option<(usize, i64, NextEdge)>>,
    /// The same of those that were dear, by their place and since when.
    dear: BTreeMap<(usize, i64), NextEdge>,
}

impl Fuel {
    pub fn new(steps: u64) -> Fuel {
        Fuel { left: steps, edges: Vec::new(), dear: BTreeMap::new() }
    }

    /// The next edge of a set. What was found once holds until then; and times that never begin or end must not cost all
    /// the fuel at once.
    pub fn edge(&mut self, rule: usize, set: &TimeSet, t: i64) -> NextEdge {
        let place = std::ptr::from_ref(set).addr();
        let last = self.edges.get(rule).copied().flatten();
        let last = last.filter(|(of, ..)| *of == place).map(|(_, from, edge)| (from, edge));
        let dear = || self.dear.range((place, i64::MIN)..=(place, t)).next_back();
        let dear = || dear().map(|((_, from), edge)| (*from, *edge));
        let holds = |(from, edge): &(i64, NextEdge)| {
            *from <= t
                && match edge {
                    NextEdge::At(until) | NextEdge::SearchedTo(until) => t < *until,
                    NextEdge::Never => true,
                }
        };
        if let Some((_, edge)) = last.filter(holds).or_else(|| dear().filter(holds)) {
            return edge;
        }
        let given = self.left.min(ONE_EDGE);
        let mut left = given;
        let edge = set.next_edge(t, &mut left);
        let spent = given.saturating_sub(left);
        self.left = self.left.saturating_sub(spent);
        if self.edges.len() <= rule {
            self.edges.resize(rule + 1, None);
        }
        if let Some(last) = self.edges.get_mut(rule) {
            *last = Some((place, t, edge));
        }
        if spent > DEAR {
            self.dear.insert((place, t), edge);
        }
        edge
    }
}

impl<'a> Case<'a> {
    /// How every rule stands at `t`.
    pub fn at(&self, t: i64, fuel: &mut Fuel) -> Snapshot {
        let mut snapshot = Snapshot { t, ..Snapshot::default() };
        conditions::run(self.program, self.stage, self.slots, t, &mut snapshot.ops);
        // Each quorum looks through all that people said.
        let words = (self.plan.approve_order.len() as u64).saturating_mul(self.slots.said.len() as u64) / 8;
        let invoked: usize = self.slots.invoked.iter().map(Vec::len).sum();
        let ops = self.stage.ops.len() as u64 / 8;
        fuel.left = fuel.left.saturating_sub(1 + ops + self.stage.rules.len() as u64 + words + invoked as u64 / 8);
        self.quorums(&mut snapshot);
        self.invocations(&mut snapshot);
        self.assign(&mut snapshot);
        snapshot.rules.reserve_exact(self.stage.rules.len());
        for index in 0..self.stage.rules.len() {
            let standing = self.rule(index, &mut snapshot, fuel);
            snapshot.rules.push(standing);
        }
        for (group, open) in self.plan.alternatives.iter().zip(&self.plan.open) {
            let skipped = |id: RuleId| self.skipped(id, &snapshot.overrides);
            let until = self.skipping_until(group, &snapshot.overrides);
            excuse(group, skipped, until, &mut snapshot.rules);
            if open.as_ref().is_some_and(TimeSet::is_always) {
                // One of them is always open: none of them ever blocks.
                for id in group {
                    if let Some(standing) = snapshot.rules.get_mut(id.0 as usize) {
                        standing.until = NEVER;
                    }
                }
            }
        }
        self.overrides(&mut snapshot);
        snapshot
    }

    /// Whether an override in force skips a rule.
    fn skipped(&self, id: RuleId, overrides: &[InForce]) -> bool {
        self.stage.overrides.iter().zip(overrides).any(|(rule, state)| state.yes && rule.skips.contains(&id))
    }

    /// Until when it is certain which of some rules are skipped.
    fn skipping_until(&self, ids: &[RuleId], overrides: &[InForce]) -> i64 {
        let all = self.stage.overrides.iter().zip(overrides);
        let of_these = all.filter(|(rule, _)| rule.skips.iter().any(|id| ids.contains(id)));
        of_these.map(|(_, state)| state.until).min().unwrap_or(NEVER)
    }

    fn guard(&self, guard: Option<OpId>, snapshot: &Snapshot) -> Timed {
        match guard {
            None => Timed::TRUE,
            Some(id) => snapshot.ops.get(id.0 as usize).copied().unwrap_or(Timed::UNKNOWN),
        }
    }

    fn op(&self, id: OpId, snapshot: &Snapshot) -> Timed {
        snapshot.ops.get(id.0 as usize).copied().unwrap_or(Timed::UNKNOWN)
    }

    fn rule(&self, index: usize, snapshot: &mut Snapshot, fuel: &mut Fuel) -> Standing {
        let Some(rule) = self.stage.rules.get(index) else {
            return Standing { raw: Raw::Unknown, until: NEVER, own: Truth::Unknown };
        };
        let guard = self.guard(rule.guard, snapshot);
        if guard.truth == Truth::False {
            return Standing { raw: Raw::NotApplicable, until: guard.until, own: Truth::False };
        }
        let truth = match &rule.body {
            Body::Approve(_) => return self.approve(index, guard, snapshot),
            Body::DistinctApprovers => {
                let until = self.all_quorums_until(snapshot);
                let id = RuleId(index as u32);
                Timed::of(!(snapshot.doubled && self.skipped(id, &snapshot.overrides))).by(until)
            }
            Body::Require(op) => self.op(*op, snapshot),
            Body::Forbid(op) => self.op(*op, snapshot).not(),
            Body::Advise(op) => self.op(*op, snapshot),
            Body::Window(set) => inside(index, set, snapshot, fuel),
            Body::Freeze(set) => inside(index, set, snapshot, fuel).not(),
            Body::After(clauses) => Timed::all(clauses.iter().map(|clause| self.after(clause, snapshot.t))),
            Body::Soak(clauses) => Timed::all(clauses.iter().map(|clause| self.soak(clause, snapshot.t))),
            Body::Trigger(trigger) => self.trigger(index, trigger, snapshot, fuel),
            Body::Exclusive => match &self.slots.deploying {
                None => Timed::UNKNOWN,
                Some(None) => Timed::TRUE,
                Some(Some(id)) => Timed::of(*id == self.slots.build),
            },
            Body::ForwardOnly => match (self.slots.occupied, self.slots.older) {
                (Occupied::Nothing | Occupied::Same, _) => Timed::TRUE,
                (Occupied::Unknown | Occupied::Other, Some(older)) => Timed::of(!older),
                (Occupied::Unknown | Occupied::Other, None) => Timed::UNKNOWN,
            },
        };
        under(guard, truth)
    }

    /// `after` one clause at `t`.
    pub fn after(&self, clause: &After, t: i64) -> Timed {
        let mut branches = clause.stages.iter().map(|branch| self.ended(branch, t).0);
        if clause.any {
            branches.fold(Timed::FALSE, Timed::or)
        } else {
            branches.by_ref().fold(Timed::TRUE, Timed::and)
        }
    }

    /// `after … for D` one clause at `t`.
    pub fn soak(&self, clause: &Soak, t: i64) -> Timed {
        let branches = clause.after.stages.iter().map(|branch| {
            let (ended, at) = self.ended(branch, t);
            match at {
                Some(at) if ended.truth == Truth::True => {
                    let done = at.saturating_add(clause.length);
                    if t >= done { ended } else { Timed::FALSE.by(done).by(ended.until) }
                }
                _ => ended,
            }
        });
        if clause.after.any { Timed::any(branches) } else { Timed::all(branches) }
    }

    /// Whether the newest run of a stage ended as it should, and when.
    pub fn ended(&self, branch: &AfterStage, t: i64) -> (Timed, Option<i64>) {
        let (run, next) = self.slots.newest(branch.stage, t);
        let Some(run) = run else { return (Timed::FALSE.by(next), None) };
        let truth = match run.status {
            RunStatus::Pending => Truth::Unknown,
            RunStatus::Succeeded => Truth::of(branch.outcomes.succeeded),
            RunStatus::Failed => Truth::of(branch.outcomes.failed),
            RunStatus::Skipped => Truth::of(branch.outcomes.skipped),
            RunStatus::Cancelled => Truth::of(branch.outcomes.cancelled),
        };
        (Timed::new(truth, next), Some(run.at))
    }

    fn trigger(&self, rule: usize, trigger: &Trigger, snapshot: &mut Snapshot, fuel: &mut Fuel) -> Timed {
        let slot = &self.slots.trigger;
        let to = |to: &Option<Branches>, branch: &Option<String>| match (to, branch) {
            (None, _) => Timed::TRUE,
            (Some(branches), Some(branch)) => Timed::of(branches.matcher.is_match(branch)),
            (Some(_), None) => Timed::UNKNOWN,
        };
        match (trigger, slot) {
            (_, TriggerSlot::Unknown) => Timed::UNKNOWN,
            (Trigger::Push { to: glob }, TriggerSlot::Push { branch })
            | (Trigger::PullRequest { to: glob }, TriggerSlot::PullRequest { branch }) => to(glob, branch),
            (Trigger::Manual { by: None }, TriggerSlot::Manual { .. }) => Timed::TRUE,
            (Trigger::Manual { by: Some(people) }, TriggerSlot::Manual { by }) => self.manual(people, *by),
            (Trigger::Completion { of: None }, TriggerSlot::Completion { .. }) => Timed::TRUE,
            (Trigger::Completion { of: Some(stage) }, TriggerSlot::Completion { of }) => match of {
                None => Timed::UNKNOWN,
                Some(Ok(ended)) => Timed::of(ended == stage),
                Some(Err(_)) => Timed::FALSE,
            },
            (Trigger::Event { name }, TriggerSlot::Event { name: event }) => match event {
                None => Timed::UNKNOWN,
                Some(event) => Timed::of(event == name),
            },
            (Trigger::Schedule(schedule), TriggerSlot::Schedule) => {
                inside(rule, &schedule.met, snapshot, fuel).and(self.changed(schedule))
            }
            _ => Timed::FALSE,
        }
    }

    /// `if changed`: the stage does not run this build.
    pub fn changed(&self, schedule: &ScheduleTrigger) -> Timed {
        match (schedule.if_changed, self.slots.occupied) {
            (false, _) | (true, Occupied::Nothing | Occupied::Other) => Timed::TRUE,
            (true, Occupied::Same) => Timed::FALSE,
            (true, Occupied::Unknown) => Timed::UNKNOWN,
        }
    }

    fn manual(&self, people: &ManualBy, by: Option<u32>) -> Timed {
        let Some(by) = by else { return Timed::UNKNOWN };
        if people.people.iter().any(|p| p.0 == by) {
            return Timed::TRUE;
        }
        Timed::any(people.directories.iter().map(|group| match self.slots.directory(*group) {
            Some(members) => Timed::of(members.binary_search(&by).is_ok()),
            None => Timed::UNKNOWN,
        }))
    }

    /// Counts all quorums, dependencies first, then assigns people if they must be distinct.
    fn quorums(&self, snapshot: &mut Snapshot) {
        let rules = &self.stage.rules;
        snapshot.counted = rules.iter().map(|_| None).collect();
        if !self.plan.approve_order.is_empty() {
            snapshot.last = LastWords::new(&self.slots.said, snapshot.t);
        }
        for id in &self.plan.approve_order {
            let index = id.0 as usize;
            let (Some(Rule { body: Body::Approve(approve), .. }), Some(sets)) =
                (rules.get(index), self.plan.quorums.get(index))
            else {
                continue;
            };
            let asked = Asked { slots: self.slots, quorum: &approve.quorum, sets };
            let mut counted = {
                let applies = |other: RuleId| {
                    rules.get(other.0 as usize).is_some_and(|r| self.guard(r.guard, snapshot).truth != Truth::False)
                };
                let nobody = Counted { until: NEVER, ..Counted::default() };
                count(asked, approve, snapshot.t, &snapshot.last, |other| match applies(other) {
                    true => snapshot.counted.get(other.0 as usize).and_then(Option::as_ref),
                    false => Some(&nobody),
                })
            };
            for other in &approve.quorum.except.approvers_of {
                if let Some(rule) = rules.get(other.0 as usize) {
                    counted.until = counted.until.min(self.guard(rule.guard, snapshot).until);
                }
            }
            if let Some(slot) = snapshot.counted.get_mut(index) {
                *slot = Some(counted);
            }
        }
    }

    /// The assignment under `distinct approvers`, unless those rules are absent, off, or skipped.
    fn assign(&self, snapshot: &mut Snapshot) {
        let on = self.plan.distinct.iter().filter(|id| {
            let guard = self.stage.rules.get(id.0 as usize).map_or(Timed::UNKNOWN, |r| self.guard(r.guard, snapshot));
            guard.truth != Truth::False
        });
        let on: Vec<RuleId> = on.copied().collect();
        if on.is_empty() {
            return;
        }
        let skipped = |rule: usize| self.skipped(RuleId(rule as u32), &snapshot.overrides);
        let mut demands = self.demands(snapshot);
        if on.iter().all(|id| skipped(id.0 as usize)) {
            // Of the rules that apply and have enough approvals: would they, if nobody counted twice?
            for (demand, counted) in demands.iter_mut().zip(&snapshot.counted) {
                if !counted.as_ref().is_some_and(Counted::reached) {
                    *demand = Demand::default();
                }
            }
            let assigned = assign(&demands);
            snapshot.doubled = demands.iter().zip(&assigned).any(|(demand, people)| people.len() < demand.count);
        } else {
            snapshot.assigned = Some(assign_first(&demands, skipped));
        }
    }

    /// What the `approve` rules that apply demand, by `RuleId`.
    pub fn demands(&self, snapshot: &Snapshot) -> Vec<Demand> {
        let rules = self.stage.rules.iter().zip(&snapshot.counted);
        rules
            .map(|(rule, counted)| match counted {
                Some(counted) if self.guard(rule.guard, snapshot).truth != Truth::False => {
                    let count = counted.needed.unwrap_or(counted.valid.len() + 1);
                    Demand { count, people: counted.valid.clone() }
                }
                _ => Demand::default(),
            })
            .collect()
    }

    fn approve(&self, index: usize, guard: Timed, snapshot: &Snapshot) -> Standing {
        let unknown = Standing { raw: Raw::Unknown, until: NEVER, own: Truth::Unknown };
        let Some(counted) = snapshot.counted.get(index).and_then(Option::as_ref) else { return unknown };
        let mut until = counted.until.min(guard.until);
        if !self.plan.distinct.is_empty() {
            // One rule's people hang on all the others'.
            until = until.min(self.all_quorums_until(snapshot));
        }
        let enough = match &snapshot.assigned {
            None => counted.reached(),
            Some(assigned) => {
                let here = assigned.get(index).map_or(0, Vec::len);
                counted.reached() && counted.needed.is_some_and(|needed| here >= needed)
            }
        };
        let raw = if !counted.rejected.is_empty() {
            if guard.truth == Truth::True { Raw::Rejected } else { Raw::Unknown }
        } else if enough {
            Raw::Met
        } else if !counted.unsure.is_empty() || guard.truth == Truth::Unknown {
            Raw::Unknown
        } else {
            Raw::Short
        };
        Standing { raw, until, own: Truth::Unknown }
    }

    fn all_quorums_until(&self, snapshot: &Snapshot) -> i64 {
        let distinct = self.plan.distinct.iter().filter_map(|id| self.stage.rules.get(id.0 as usize));
        let own = distinct.map(|rule| self.guard(rule.guard, snapshot).until).min().unwrap_or(NEVER);
        let own = own.min(self.skipping_until(&self.plan.distinct, &snapshot.overrides));
        let own = own.min(self.skipping_until(&self.plan.approve_order, &snapshot.overrides));
        let rules = self.stage.rules.iter().zip(&snapshot.counted);
        rules
            .filter_map(|(rule, counted)| Some(counted.as_ref()?.until.min(self.guard(rule.guard, snapshot).until)))
            .fold(own, i64::min)
    }

    /// Which overrides are in force.
    fn invocations(&self, snapshot: &mut Snapshot) {
        snapshot.overrides.reserve_exact(self.stage.overrides.len());
        for index in 0..self.stage.overrides.len() {
            let in_force = self.in_force(index, snapshot);
            snapshot.overrides.push(in_force);
        }
    }

    /// What the overrides skip.
    fn overrides(&self, snapshot: &mut Snapshot) {
        for (rule, in_force) in self.stage.overrides.iter().zip(&snapshot.overrides) {
            if in_force.yes {
                for id in &rule.skips {
                    let Some(standing) = snapshot.rules.get_mut(id.0 as usize) else { continue };
                    match standing.raw {
                        Raw::False | Raw::Unknown | Raw::Short => {
                            *standing = Standing {
                                raw: Raw::Overridden,
                                until: in_force.until.min(standing.until),
                                ..*standing
                            };
                        }
                        Raw::Overridden => standing.until = standing.until.min(in_force.until),
                        Raw::Met | Raw::NotApplicable | Raw::Rejected => {}
                    }
                }
            } else {
                for id in &rule.skips {
                    let Some(standing) = snapshot.rules.get_mut(id.0 as usize) else { continue };
                    if standing.raw.blocks() {
                        standing.until = standing.until.min(in_force.until);
                    }
                }
            }
        }
    }

    fn in_force(&self, index: usize, snapshot: &Snapshot) -> InForce {
        let (Some(rule), Some(sets)) = (self.stage.overrides.get(index), self.plan.override_quorums.get(index)) else {
            return InForce::default();
        };
        let t = snapshot.t;
        let guard = self.guard(rule.guard, snapshot);
        let asked = Asked { slots: self.slots, quorum: &rule.quorum, sets };
        let mut counted = Counted { unsure: asked.unsure(), until: NEVER, ..Counted::default() };
        let mut taken: Vec<&[u32]> = Vec::new();
        for other in &rule.quorum.except.approvers_of {
            match snapshot.counted.get(other.0 as usize).and_then(Option::as_ref) {
                Some(other) => {
                    counted.until = counted.until.min(other.until);
                    taken.push(&other.valid);
                    counted.unsure.extend(other.unsure.iter().copied());
                }
                None => counted.unsure.push(crate::people::Unsure::Rule(*other)),
            }
        }
        for invoked in self.slots.invoked.get(index).map(Vec::as_slice).unwrap_or_default() {
            if invoked.at > t {
                counted.until = counted.until.min(invoked.at);
                continue;
            }
            let expires = rule.valid.map_or(NEVER, |valid| invoked.at.saturating_add(valid));
            let barred =
                asked.bar(invoked.person).is_some() || taken.iter().any(|p| p.binary_search(&invoked.person).is_ok());
            let reason = !rule.reason_required || invoked.reason.as_deref().is_some_and(|r| !r.trim().is_empty());
            if !barred && reason && t < expires {
                counted.until = counted.until.min(expires);
                counted.valid.push(invoked.person);
            }
        }
        counted.valid.sort_unstable();
        counted.valid.dedup();
        counted.at_least = counted.unsure.is_empty();
        let missing: Vec<_> = asked.missing(&rule.quorum.directories).collect();
        counted.needed = match rule.quorum.count {
            crate::program::Count::Number(n) => Some(n.max(1) as usize),
            crate::program::Count::All if missing.is_empty() => {
                Some(asked.everyone().into_iter().filter(|p| asked.bar(*p).is_none()).count().max(1))
            }
            crate::program::Count::All => None,
        };
        counted.unsure.extend(missing);
        let until = counted.until.min(guard.until);
        let invoked = guard.truth == Truth::True && counted.reached();
        InForce {
            yes: invoked || guard.truth == Truth::True && self.assume.contains(&u32::try_from(index).ok()),
            invoked,
            guard: guard.truth == Truth::True,
            counted,
            until,
        }
    }
}

/// A rule under its guard, which is not false: unknown, unless it is met anyway.
fn under(guard: Timed, truth: Timed) -> Standing {
    let (raw, until) = match (truth.truth, guard.truth) {
        // Met whatever the guard is; should it become false, the rule is not applicable, which is another status.
        (Truth::True, _) => (Raw::Met, truth.until.min(guard.until)),
        (Truth::False, Truth::True) => (Raw::False, truth.until.min(guard.until)),
        _ => (Raw::Unknown, truth.until.min(guard.until)),
    };
    let own = if guard.truth == Truth::True { truth.truth } else { truth.truth.min(Truth::Unknown) };
    Standing { raw, until, own }
}

/// Whether one of some alternatives holds, or none of them applies.
fn one_holds<'s>(members: impl Iterator<Item = &'s Standing> + Clone) -> Truth {
    let mut all = members.clone();
    if members.clone().any(|s| s.raw == Raw::Met && s.own == Truth::True) || all.all(|s| !s.raw.blocks()) {
        Truth::True
    } else if members.clone().any(|s| s.raw == Raw::False) && !members.clone().any(|s| s.own == Truth::Unknown) {
        Truth::False
    } else {
        Truth::Unknown
    }
}

/// One alternative that holds excuses the others; while one may hold, the others are as unknown as it is. Of alternatives
/// that an override skips nothing is asked, and they excuse nobody.
fn excuse(group: &[RuleId], skipped: impl Fn(RuleId) -> bool, skipping_until: i64, rules: &mut [Standing]) {
    let standing = |id: &RuleId| rules.get(id.0 as usize);
    let until = group.iter().filter_map(standing).map(|s| s.until).fold(skipping_until, i64::min);
    // As long as one surely holds none of them blocks, whatever the others do.
    let held = group.iter().filter_map(standing).filter(|s| s.raw == Raw::Met && s.own == Truth::True);
    let until = held.map(|s| s.until).fold(until, i64::max);
    let all = one_holds(group.iter().filter_map(standing));
    let rest = one_holds(group.iter().filter(|id| !skipped(**id)).filter_map(standing));
    for id in group {
        let Some(standing) = rules.get_mut(id.0 as usize) else { continue };
        standing.until = until;
        let surely = standing.raw == Raw::Met && standing.own == Truth::True;
        standing.raw = match standing.raw {
            Raw::NotApplicable => Raw::NotApplicable,
            raw if all == Truth::True => excused(raw),
            Raw::Met if skipped(*id) && !surely => Raw::Unknown,
            raw if skipped(*id) => raw,
            raw if rest == Truth::True => excused(raw),
            Raw::False | Raw::Met if rest == Truth::Unknown => Raw::Unknown,
            raw => raw,
        };
    }
}

fn excused(raw: Raw) -> Raw {
    if raw.blocks() { Raw::NotApplicable } else { raw }
}

/// Whether `t` lies in the set of instants of a rule, and until when.
fn inside(rule: usize, set: &TimeSet, snapshot: &mut Snapshot, fuel: &mut Fuel) -> Timed {
    let second = snapshot.t.div_euclid(SECOND);
    let truth = Truth::of(set.contains(second));
    let edge = fuel.edge(rule, set, second);
    let until = match edge {
        NextEdge::At(edge) => edge.saturating_mul(SECOND),
        NextEdge::Never => NEVER,
        NextEdge::SearchedTo(edge) => {
            snapshot.gave_up = true;
            edge.saturating_mul(SECOND).max(snapshot.t.saturating_add(SECOND))
        }
    };
    Timed { truth, until }
}

/// The `approve` of a rule.
pub(crate) fn approve_of(rule: &Rule) -> Option<&Approve> {
    match &rule.body {
        Body::Approve(approve) => Some(approve),
        _ => None,
    }
}
