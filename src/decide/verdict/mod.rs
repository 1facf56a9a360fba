//! The verdict alone: another reader of the flat program, which stops at the first answer that settles it, keeps no
//! reasons, and allocates nothing.
//!
//! It reads a [`Given`], not the slots of the explained decision, and the program as [`Compact`] lays it out. A rule that
//! is false now is *deny* if time alone does not mend it and *hold* if it does; for the rules of ordinary policies that is
//! worked out here without a search. Where it is not (an override that was invoked, runs that lie in the future, calendars
//! within calendars that are shut, people assigned to rules in large numbers) the answer is `None`, and the caller
//! searches as the explained decision does.

mod ahead;
mod ask;
pub(crate) mod compact;
pub(crate) mod filling;
pub(crate) mod given;
pub(crate) mod json;
mod quorum;
pub(crate) mod reads;
pub(crate) mod room;
pub(crate) mod scan;

use super::decision::Verdict;
use super::plan::StagePlan;
use super::truth::Truth;
use crate::facts::RunStatus;
use crate::facts::slots::Occupied;
use crate::policy::Inner;
use crate::program::{AfterStage, Body, Branches, Kind, ManualBy, Rule, RuleId, ScheduleTrigger, Soak, Trigger};
use crate::schedule::TimeSet;
use ask::Reading;
use compact::{Ahead, Cell, CompactStage, NONE, RuleFacts, Unit, comes_after};
use given::{Came, Given};

/// So many entries of a program have their values kept on the stack; for a larger one they lie in a vector of the thread.
const SMALL: usize = 64;
const LARGE: usize = 1024;
/// So many steps a search for one edge takes at most.
const ONE_EDGE: u64 = 1 << 16;

/// Everything that the verdict on one request reads.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub inner: &'a Inner,
    pub flat: &'a CompactStage,
    pub given: &'a Given,
    /// Slots are read as they will be at this later instant.
    pub later: Option<i64>,
}

/// How a rule, or several that are alternatives of one another, stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passes,
    /// It blocks, but something other than the policy's *no* may mend it.
    Holds,
    Denies,
    /// It blocks, and whether time alone mends it has to be searched for.
    Search,
}

thread_local! {
    static VALUES: std::cell::RefCell<Vec<Truth>> = const { std::cell::RefCell::new(Vec::new()) };
}

impl<'a> Reader<'a> {
    #[inline]
    pub fn new(inner: &'a Inner, given: &'a Given) -> Option<Reader<'a>> {
        Some(Reader { inner, flat: inner.compact.stages.get(given.stage as usize)?, given, later: None })
    }

    /// The rules of the stage.
    #[inline]
    pub fn rules(&self) -> &'a [Rule] {
        self.inner.program.stages.get(self.given.stage as usize).map_or(&[], |stage| &stage.rules)
    }

    pub fn plan(&self) -> Option<&'a StagePlan> {
        self.inner.plan.by_stage.get(self.given.stage as usize)
    }

    /// `None`: it has to be searched for.
    #[inline]
    pub fn verdict(&self) -> Option<Verdict> {
        if self.given.invoked {
            return None;
        }
        if self.flat.steps.len() <= SMALL { self.run(&mut [Truth::False; SMALL]) } else { self.verdict_of_many() }
    }

    /// The same with room for more values.
    #[inline(never)]
    fn verdict_of_many(&self) -> Option<Verdict> {
        match self.flat.steps.len() {
            more if more <= LARGE => self.run(&mut [Truth::False; LARGE]),
            many => VALUES.with_borrow_mut(|values| {
                values.resize(many.max(values.len()), Truth::False);
                self.run(values)
            }),
        }
    }

    /// How those units stand that are `wanted`, by their places; the others hold.
    pub fn judge(&self, wanted: impl Fn(usize) -> bool) -> Vec<Outcome> {
        let mut values = vec![Truth::False; self.flat.steps.len()];
        let mut reading = Reading { reader: self, values: &mut values, done: 0 };
        let units = self.flat.units.iter().enumerate();
        units.map(|(index, unit)| if wanted(index) { self.unit(unit, &mut reading) } else { Outcome::Holds }).collect()
    }

    #[inline]
    fn run(&self, values: &mut [Truth]) -> Option<Verdict> {
        let mut reading = Reading { reader: self, values, done: 0 };
        let mut blocked = false;
        let mut searched = false;
        for unit in &self.flat.units {
            let outcome = self.unit(unit, &mut reading);
            match outcome {
                Outcome::Passes => {}
                Outcome::Denies => return Some(Verdict::Deny),
                Outcome::Holds => blocked = true,
                Outcome::Search => searched = true,
            }
        }
        if self.flat.entangled {
            match self.entangled(&mut reading) {
                Outcome::Passes => {}
                Outcome::Denies => return Some(Verdict::Deny),
                Outcome::Holds => blocked = true,
                Outcome::Search => searched = true,
            }
        }
        match (searched, blocked) {
            (true, _) => None,
            (false, true) => Some(Verdict::Hold),
            (false, false) => Some(Verdict::Allow),
        }
    }

    fn second(&self) -> i64 {
        self.given.second
    }

    #[inline]
    fn unit(&self, unit: &Unit, reading: &mut Reading<'_>) -> Outcome {
        let guard = |guard: u32, reading: &mut Reading<'_>| match guard {
            NONE => Truth::True,
            op => reading.op(op),
        };
        let (rule, truth, guard) = match unit {
            Unit::Condition { rule, op, guard: when, forbid, test } => {
                let guard = guard(*when, reading);
                if guard == Truth::False {
                    return Outcome::Passes;
                }
                let truth = if *test { self.test(*op) } else { reading.op(*op) };
                (*rule, if *forbid { not(truth) } else { truth }, guard)
            }
            Unit::After { rule, stage, outcomes } => (*rule, self.newest_is(*stage, *outcomes).0, Truth::True),
            Unit::Soak { rule, stage, outcomes, length } => {
                let (ended, at) = self.newest_is(*stage, *outcomes);
                let truth = match ended {
                    Truth::True => Truth::of(self.given.now >= at.saturating_add(*length)),
                    other => other,
                };
                (*rule, truth, Truth::True)
            }
            Unit::Freeze { rule, guard: when, set, clock } => {
                let guard = guard(*when, reading);
                if guard == Truth::False {
                    return Outcome::Passes;
                }
                (*rule, Truth::of(!self.inside(set, *clock)), guard)
            }
            Unit::Approve { .. } if self.flat.entangled => return Outcome::Passes,
            Unit::Approve { rule, guard: when, seat, since, valid } => {
                let guard = guard(*when, reading);
                if guard == Truth::False {
                    return Outcome::Passes;
                }
                return self.seated(*rule, *seat, guard, *since, *valid);
            }
            Unit::Triggers { kinds, by, group } => {
                let kind = match self.given.trigger {
                    Came::Unknown => return Outcome::Holds,
                    Came::Push(_) => 0,
                    Came::PullRequest(_) => 1,
                    Came::Schedule => 2,
                    Came::Manual(Some(person)) if by.contains(person) => return Outcome::Passes,
                    Came::Manual(_) => 3,
                    Came::Completion(_) => 4,
                    Came::Event(_) => 5,
                };
                if kinds >> kind & 1 == 1 {
                    return Outcome::Passes;
                }
                return self.group(group, reading);
            }
            Unit::Windows { open, clock, group, alone } => {
                return match alone {
                    _ if self.inside(open, *clock) => Outcome::Passes,
                    Some(facts) => self.times(open, facts),
                    None => self.group(group, reading),
                };
            }
            Unit::Rule(index) => return self.rule(*index as usize, reading),
            Unit::Group(members) => return self.group(members, reading),
        };
        match (truth, guard) {
            (Truth::True, _) => Outcome::Passes,
            (Truth::False, Truth::True) => match self.rules().get(rule as usize) {
                Some(of) => self.ahead(rule as usize, of, reading),
                None => Outcome::Search,
            },
            _ => Outcome::Holds,
        }
    }

    /// Whether now lies in a set of instants of the stage.
    #[inline]
    fn inside(&self, set: &TimeSet, clock: u32) -> bool {
        self.given.is_inside(clock).unwrap_or_else(|| set.contains(self.given.second))
    }

    #[inline]
    fn test(&self, op: u32) -> Truth {
        self.flat.steps.get(op as usize).map_or(Truth::Unknown, |step| self.step(self.flat, step, &[]))
    }

    /// Whether the newest run of a stage ended in one of some ways, and when.
    #[inline]
    fn newest_is(&self, stage: u32, outcomes: u8) -> (Truth, i64) {
        match self.given.newest.get(stage as usize) {
            Some(Some(run)) if run.status == RunStatus::Pending => (Truth::Unknown, run.at),
            Some(Some(run)) => (Truth::of(outcomes >> run.status as u8 & 1 == 1), run.at),
            _ => (Truth::False, 0),
        }
    }

    fn rule(&self, index: usize, reading: &mut Reading<'_>) -> Outcome {
        let Some(rule) = self.rules().get(index) else { return Outcome::Holds };
        if rule.kind == Kind::Advise {
            return Outcome::Passes;
        }
        let guard = match rule.guard {
            None => Truth::True,
            Some(id) => reading.op(id.0),
        };
        if guard == Truth::False {
            return Outcome::Passes;
        }
        let truth = match &rule.body {
            Body::Require(op) => reading.op(op.0),
            Body::Forbid(op) => not(reading.op(op.0)),
            Body::After(clauses) => all(clauses.iter().map(|clause| {
                let branches = clause.stages.iter().map(|branch| self.ended(branch));
                if clause.any { any(branches) } else { all(branches) }
            })),
            Body::Soak(clauses) => self.soaked(clauses, self.given.now),
            Body::Freeze(set) => Truth::of(!set.contains(self.second())),
            // Counted by the unit, or together with others afterwards.
            Body::Approve(_) => return Outcome::Passes,
            Body::Exclusive => self.given.free.map_or(Truth::Unknown, Truth::of),
            Body::ForwardOnly => match (self.given.occupied, self.given.older) {
                (Occupied::Nothing | Occupied::Same, _) => Truth::True,
                (_, Some(older)) => Truth::of(!older),
                (_, None) => Truth::Unknown,
            },
            Body::Advise(_) | Body::DistinctApprovers => Truth::True,
            // These are always alternatives.
            Body::Window(set) => Truth::of(set.contains(self.second())),
            Body::Trigger(trigger) => self.trigger(trigger),
        };
        match (truth, guard) {
            (Truth::True, _) => Outcome::Passes,
            (Truth::False, Truth::True) => self.ahead(index, rule, reading),
            _ => Outcome::Holds,
        }
    }

    /// Whether time alone mends a rule that is false now.
    fn ahead(&self, index: usize, rule: &Rule, reading: &mut Reading<'_>) -> Outcome {
        let Some(facts) = self.flat.rules.get(index).copied() else { return Outcome::Search };
        match facts.ahead {
            Ahead::Nothing => Outcome::Denies,
            Ahead::Times => match &rule.body {
                Body::Freeze(set) | Body::Window(set) => self.times(set, &facts),
                _ => Outcome::Search,
            },
            _ if !self.frugal() => Outcome::Search,
            Ahead::Runs if self.given.last_run > self.given.now => Outcome::Search,
            Ahead::Runs => match &rule.body {
                // At the end of all times every soak is over.
                Body::Soak(clauses) if self.soaked(clauses, i64::MAX) == Truth::True => Outcome::Holds,
                _ => Outcome::Denies,
            },
            Ahead::Clock if self.given.last_run > self.given.now => Outcome::Search,
            Ahead::Clock => ahead::clock(rule, reading),
            Ahead::Other => Outcome::Search,
        }
    }

    /// Whether time alone mends what one set of times alone decides.
    fn times(&self, set: &TimeSet, facts: &RuleFacts) -> Outcome {
        match facts.ahead {
            Ahead::Times if self.is_cheap() => settle(self.edge_after(set, facts)),
            _ => Outcome::Search,
        }
    }

    /// Whether a set of times has an edge after now; `None` when that has to be searched for.
    fn edge_after(&self, set: &TimeSet, facts: &RuleFacts) -> Option<bool> {
        if comes_after(facts, self.second()) {
            return Some(true);
        }
        if !facts.plain {
            return None;
        }
        let mut fuel = self.inner.program.search_steps.min(ONE_EDGE);
        match set.next_edge(self.second(), &mut fuel) {
            crate::schedule::NextEdge::At(_) => Some(true),
            crate::schedule::NextEdge::Never => Some(false),
            crate::schedule::NextEdge::SearchedTo(_) => None,
        }
    }

    /// Alternatives: triggers of a file, windows of a file.
    fn group(&self, members: &[RuleId], reading: &mut Reading<'_>) -> Outcome {
        let (mut blocks, mut falls, mut unknown, mut hope) = (false, false, false, Some(false));
        for id in members {
            let index = id.0 as usize;
            let (Some(rule), Some(facts)) = (self.rules().get(index), self.flat.rules.get(index)) else { continue };
            let guard = match rule.guard {
                None => Truth::True,
                Some(id) => reading.op(id.0),
            };
            // Whether time alone may yet make it true, if it is false now.
            let (truth, times) = match &rule.body {
                Body::Window(set) => (Truth::of(set.contains(self.second())), Some(set)),
                Body::Trigger(Trigger::Schedule(schedule)) => self.scheduled(schedule),
                Body::Trigger(trigger) => (self.trigger(trigger), None),
                _ => (Truth::Unknown, None),
            };
            match (truth, guard) {
                (Truth::True, Truth::True) => return Outcome::Passes,
                (_, Truth::False) => {}
                // It is met if it applies.
                (Truth::True, Truth::Unknown) => unknown = true,
                (Truth::False, Truth::True) => (blocks, falls) = (true, true),
                (Truth::False, Truth::Unknown) => blocks = true,
                (Truth::Unknown, _) => (blocks, unknown) = (true, true),
            }
            let here = match times {
                // A guard that is not true, and never changes, leaves nothing to hope for.
                _ if facts.ahead == Ahead::Other => None,
                Some(_) if guard != Truth::True => Some(false),
                Some(set) => self.edge_after(set, facts),
                None => Some(false),
            };
            hope = match (hope, here) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), here) => here,
                (None, _) => None,
            };
        }
        match (blocks, falls) {
            (false, _) => Outcome::Passes,
            (true, false) => Outcome::Holds,
            // While one may hold, the others are as unknown as it is.
            _ if unknown => Outcome::Holds,
            _ if !self.frugal() => Outcome::Search,
            (true, true) => settle(hope),
        }
    }

    /// Whether a search would not run out of steps where this reader spares itself the search.
    pub fn frugal(&self) -> bool {
        self.looks_cost(self.flat.looks)
    }

    /// The same where a search looks at all rules once, and then at one set of times.
    fn is_cheap(&self) -> bool {
        self.looks_cost(1)
    }

    /// Whether so many looks at all rules take a small part of the steps that a search may take.
    fn looks_cost(&self, looks: u64) -> bool {
        let words = (self.given.said.len() + self.given.heard) as u64;
        let quorums = self.plan().map_or(0, |plan| plan.approve_order.len() as u64);
        let words = quorums.saturating_mul(words) / 8;
        let cost = self.flat.cost.saturating_add(words);
        self.flat.steady && cost.saturating_mul(looks) < self.inner.program.search_steps / 16
    }

    /// A schedule, and its times if they alone can still make it true.
    fn scheduled<'s>(&self, schedule: &'s ScheduleTrigger) -> (Truth, Option<&'s TimeSet>) {
        match self.given.trigger {
            Came::Unknown => return (Truth::Unknown, None),
            Came::Schedule => {}
            _ => return (Truth::False, None),
        }
        let changed = match (schedule.if_changed, self.given.occupied) {
            (false, _) | (true, Occupied::Nothing | Occupied::Other) => Truth::True,
            (true, Occupied::Same) => return (Truth::False, None),
            (true, Occupied::Unknown) => Truth::Unknown,
        };
        let inside = Truth::of(schedule.met.contains(self.second()));
        (inside.min(changed), (changed == Truth::True).then_some(&schedule.met))
    }

    fn trigger(&self, trigger: &Trigger) -> Truth {
        let to = |to: &Option<Branches>, branch: Cell| match (to, branch) {
            (None, _) => Truth::True,
            (Some(_), Cell::Missing) => Truth::Unknown,
            (Some(branches), branch) => {
                self.text(branch).map_or(Truth::Unknown, |b| Truth::of(branches.matcher.is_match(b)))
            }
        };
        match (trigger, self.given.trigger) {
            (_, Came::Unknown) => Truth::Unknown,
            (Trigger::Push { to: glob }, Came::Push(branch))
            | (Trigger::PullRequest { to: glob }, Came::PullRequest(branch)) => to(glob, branch),
            (Trigger::Manual { by: None }, Came::Manual(_)) => Truth::True,
            (Trigger::Manual { by: Some(people) }, Came::Manual(by)) => self.manual(people, by),
            (Trigger::Completion { of: None }, Came::Completion(_)) => Truth::True,
            (Trigger::Completion { of: Some(stage) }, Came::Completion(of)) => {
                of.map_or(Truth::Unknown, |of| Truth::of(of == stage.0 && of != NONE))
            }
            (Trigger::Event { name }, Came::Event(event)) => match self.text(event) {
                None => Truth::Unknown,
                Some(event) => Truth::of(event == name),
            },
            (Trigger::Schedule(schedule), Came::Schedule) => self.scheduled(schedule).0,
            _ => Truth::False,
        }
    }

    fn manual(&self, people: &ManualBy, by: Option<u32>) -> Truth {
        let Some(by) = by else { return Truth::Unknown };
        if people.people.iter().any(|p| p.0 == by) {
            return Truth::True;
        }
        any(people.directories.iter().map(|group| match self.given.directory(*group) {
            Some(members) => Truth::of(members.binary_search(&by).is_ok()),
            None => Truth::Unknown,
        }))
    }

    /// Whether the newest run of a stage ended as it should.
    fn ended(&self, branch: &AfterStage) -> Truth {
        let Some(run) = self.given.newest.get(branch.stage.0 as usize).copied().flatten() else { return Truth::False };
        match run.status {
            RunStatus::Pending => Truth::Unknown,
            RunStatus::Succeeded => Truth::of(branch.outcomes.succeeded),
            RunStatus::Failed => Truth::of(branch.outcomes.failed),
            RunStatus::Skipped => Truth::of(branch.outcomes.skipped),
            RunStatus::Cancelled => Truth::of(branch.outcomes.cancelled),
        }
    }

    /// Whether the soaks are over at `t`, if no run comes between now and then.
    fn soaked(&self, clauses: &[Soak], t: i64) -> Truth {
        all(clauses.iter().map(|clause| {
            let branches = clause.after.stages.iter().map(|branch| {
                let at = self.given.newest.get(branch.stage.0 as usize).copied().flatten().map_or(0, |run| run.at);
                match self.ended(branch) {
                    Truth::True => Truth::of(t >= at.saturating_add(clause.length)),
                    other => other,
                }
            });
            if clause.after.any { any(branches) } else { all(branches) }
        }))
    }
}

fn settle(hope: Option<bool>) -> Outcome {
    match hope {
        Some(true) => Outcome::Holds,
        Some(false) => Outcome::Denies,
        None => Outcome::Search,
    }
}

fn not(truth: Truth) -> Truth {
    match truth {
        Truth::False => Truth::True,
        Truth::Unknown => Truth::Unknown,
        Truth::True => Truth::False,
    }
}

fn all(truths: impl Iterator<Item = Truth>) -> Truth {
    truths.fold(Truth::True, Truth::min)
}

fn any(truths: impl Iterator<Item = Truth>) -> Truth {
    truths.fold(Truth::False, Truth::max)
}
