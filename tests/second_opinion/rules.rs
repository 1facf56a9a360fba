//! How every rule of a stage stands at one instant.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use stagegate::facts::Word;
use stagegate::facts::{Current, Deploying, Occupant, RunStatus, TriggerFact};
use stagegate::syntax::tree::{After, AfterStage, Approve, Outcome, RuleKind, Trigger};

use crate::ask::{Ask, asked, nanos};
use crate::conditions::glob;
use crate::model::Body;
use crate::truth::Truth;
use crate::zones::Instant;

/// How a rule stands at one instant, with no look ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Met,
    NotApplicable,
    Overridden,
    False,
    Unknown,
    Awaiting,
    Rejected,
}

impl State {
    pub fn blocks(self) -> bool {
        !matches!(self, State::Met | State::NotApplicable | State::Overridden)
    }
}

/// Whose approvals count for which rule.
pub type Counted<'a> = BTreeMap<usize, BTreeSet<&'a str>>;

/// A stage at one instant.
pub struct Moment<'a> {
    pub states: Vec<State>,
    pub counted: Counted<'a>,
    /// Approve rules whose counting depends on one another.
    pub bound: BTreeSet<usize>,
}

impl<'a> Ask<'a> {
    pub fn moment(&self, t: Instant) -> Moment<'a> {
        let rules = &self.stage.rules;
        let forces: Vec<_> = self.stage.overrides.iter().filter(|over| self.in_force(over, t)).collect();
        let skipped: BTreeSet<usize> = forces.iter().flat_map(|over| over.skips.iter().copied()).collect();
        let guards: Vec<Truth> = rules.iter().map(|rule| self.guard(rule.guards, t)).collect();
        let (counted, bound, doubled) = self.count(&guards, &skipped, t);
        let mut states: Vec<State> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let state = match (guards[index], &rule.body) {
                (Truth::False, _) => State::NotApplicable,
                (guard, Body::Rule(RuleKind::Approve(approve))) => match self.approval(index, approve, &counted, t) {
                    State::Met => State::Met,
                    _ if guard == Truth::Unknown => State::Unknown,
                    state => state,
                },
                (guard, _) => match (self.own(index, t), guard) {
                    (Truth::True, _) => State::Met,
                    (Truth::False, Truth::True) => State::False,
                    _ => State::Unknown,
                },
            };
            let distinct = matches!(rule.body, Body::Rule(RuleKind::DistinctApprovers));
            let in_the_way = state.blocks() && state != State::Rejected || distinct && doubled && state == State::Met;
            states.push(if in_the_way && skipped.contains(&index) { State::Overridden } else { state });
        }
        self.alternatives(&guards, &skipped, t, &mut states);
        Moment { states, counted, bound }
    }

    /// Triggers, and windows, of one file: one of them is enough.
    fn alternatives(&self, guards: &[Truth], skipped: &BTreeSet<usize>, t: Instant, states: &mut [State]) {
        let mut groups: BTreeMap<(bool, usize), Vec<usize>> = BTreeMap::new();
        for (index, rule) in self.stage.rules.iter().enumerate() {
            match rule.body {
                Body::Rule(RuleKind::Trigger(_)) => groups.entry((true, rule.file)).or_default().push(index),
                Body::Rule(RuleKind::Window(_)) => groups.entry((false, rule.file)).or_default().push(index),
                _ => {}
            }
        }
        for members in groups.values() {
            let truth = |index: usize| (guards[index], self.own(index, t));
            let met = |among: &[usize]| one_of(&among.iter().map(|index| truth(*index)).collect::<Vec<_>>());
            let demanded: Vec<usize> = members.iter().copied().filter(|index| !skipped.contains(index)).collect();
            let (all, rest) = (met(members), met(&demanded));
            for index in members {
                let (guard, own) = truth(*index);
                states[*index] = match guard {
                    Truth::False => State::NotApplicable,
                    _ if own == Truth::True && (all == Truth::True || guard == Truth::True) => State::Met,
                    _ if all == Truth::True => State::NotApplicable,
                    _ if skipped.contains(index) => State::Overridden,
                    _ if rest == Truth::True && own == Truth::True => State::Met,
                    _ if rest == Truth::True => State::NotApplicable,
                    Truth::True if rest == Truth::False => State::False,
                    _ => State::Unknown,
                };
            }
        }
    }

    /// Whether a rule's own demand is satisfied.
    fn own(&self, index: usize, t: Instant) -> Truth {
        let kind = match &self.stage.rules[index].body {
            Body::After(clauses) => return Truth::all(clauses.iter().map(|clause| self.after(clause, None, t))),
            Body::Soak(soaks) => {
                return Truth::all(soaks.iter().map(|(clause, length)| self.after(clause, Some(*length), t)));
            }
            Body::Rule(kind) => kind,
        };
        match kind {
            RuleKind::Require(cond) | RuleKind::Advise(cond) => self.condition(cond, t),
            RuleKind::Forbid(cond) => !self.condition(cond, t),
            RuleKind::Window(_) => Truth::of(self.sets[index].as_ref().unwrap().contains(t)),
            RuleKind::Freeze(_) => Truth::of(!self.sets[index].as_ref().unwrap().contains(t)),
            RuleKind::Trigger(trigger) => self.trigger(index, trigger, t),
            RuleKind::Exclusive => match &self.request.deploying {
                Deploying::Unknown => Truth::Unknown,
                Deploying::Nothing => Truth::True,
                Deploying::Build(id) => Truth::of(*id == self.request.build.id),
            },
            RuleKind::ForwardOnly => self.forward(),
            // The counting itself sees to it.
            RuleKind::DistinctApprovers => Truth::True,
            RuleKind::Approve(_) | RuleKind::Override(_) => unreachable!(),
        }
    }

    fn after(&self, clause: &After, soak: Option<Instant>, t: Instant) -> Truth {
        let truths = clause.stages.iter().map(|stage| {
            let ended = self.ended_well(stage, t);
            match (ended, soak) {
                (Truth::True, Some(length)) => Truth::of(nanos(self.newest(&stage.stage, t).unwrap().at) + length <= t),
                (ended, _) => ended,
            }
        });
        if clause.any { Truth::any(truths) } else { Truth::all(truths) }
    }

    fn ended_well(&self, stage: &AfterStage, t: Instant) -> Truth {
        let Some(run) = self.newest(&stage.stage, t) else { return Truth::False };
        let wanted: Vec<Outcome> = match stage.outcomes.as_slice() {
            [] => vec![Outcome::Succeeded],
            some => some.iter().map(|outcome| outcome.value).collect(),
        };
        let outcome = match run.status {
            RunStatus::Pending => return Truth::Unknown,
            RunStatus::Succeeded => Outcome::Succeeded,
            RunStatus::Failed => Outcome::Failed,
            RunStatus::Skipped => Outcome::Skipped,
            RunStatus::Cancelled => Outcome::Cancelled,
        };
        Truth::of(wanted.contains(&outcome) || wanted.contains(&Outcome::Completed))
    }

    fn trigger(&self, index: usize, trigger: &Trigger, t: Instant) -> Truth {
        let Some(fact) = &self.request.trigger else { return Truth::Unknown };
        let to = |pattern: &Option<stagegate::syntax::tree::Word>, branch: Option<&String>| match pattern {
            None => Truth::True,
            Some(pattern) => Truth::maybe(branch.map(|branch| glob(pattern, branch))),
        };
        match (trigger, fact) {
            (Trigger::Push { to: pattern }, TriggerFact::Push { branch }) => {
                to(pattern, branch.as_ref().or(self.request.build.branch.as_ref()))
            }
            (Trigger::PullRequest { to: pattern }, TriggerFact::PullRequest { branch }) => to(pattern, branch.as_ref()),
            (Trigger::Manual { by: people }, TriggerFact::Manual { by }) => match by.as_deref().or(self.requester()) {
                _ if people.is_empty() => Truth::True,
                None => Truth::Unknown,
                Some(person) => self.may_trigger(people, person),
            },
            (Trigger::Completion { of: stage }, TriggerFact::Completion { of }) => match stage {
                None => Truth::True,
                Some(stage) => Truth::maybe(of.as_ref().map(|of| *of == stage.value)),
            },
            (Trigger::Event { name: wanted }, TriggerFact::Event { name }) => {
                Truth::maybe(name.as_ref().map(|name| *name == wanted.value))
            }
            (Trigger::Schedule { if_changed, .. }, TriggerFact::Schedule { .. }) => {
                let due = Truth::of(self.firings[index].as_ref().unwrap().due(t));
                Truth::all([due, if *if_changed { self.changed() } else { Truth::True }])
            }
            _ => Truth::False,
        }
    }

    /// Whether the stage runs another build than this one.
    fn changed(&self) -> Truth {
        let current = match &self.request.current {
            Current::Unknown => return Truth::Unknown,
            Current::Nothing => return Truth::True,
            Current::Build(current) => current,
        };
        Truth::maybe(self.same_as_current(current).map(|same| !same))
    }

    /// Whether the stage runs this build: same id and, where digests are given, same digest.
    fn same_as_current(&self, current: &Occupant) -> Option<bool> {
        let build = &self.request.build;
        let differ = current.digest.is_some() && build.digest.is_some() && current.digest != build.digest;
        current.id.as_ref().map(|id| *id == build.id && !differ)
    }

    fn forward(&self) -> Truth {
        let current = match &self.request.current {
            Current::Unknown => return Truth::Unknown,
            Current::Nothing => return Truth::True,
            Current::Build(current) => current,
        };
        let build = &self.request.build;
        if self.same_as_current(current) == Some(true) {
            return Truth::True;
        }
        match (build.created, current.created, &build.version, &current.version) {
            (Some(ours), Some(theirs), ..) => Truth::of(ours >= theirs),
            (_, _, Some(ours), Some(theirs)) => {
                let (ours, theirs) = (Version::parse(ours).unwrap(), Version::parse(theirs).unwrap());
                Truth::of(ours.cmp_precedence(&theirs).is_ge())
            }
            _ => Truth::Unknown,
        }
    }

    // ------------------------------------------------------------ approvals

    fn approval(&self, index: usize, approve: &Approve, counted: &Counted<'a>, t: Instant) -> State {
        if !self.rejecters(approve, t).is_empty() {
            return State::Rejected;
        }
        let asked = asked(approve);
        let enough = self.needed(&asked, t).is_some_and(|needed| counted[&index].len() >= needed);
        let (hazy, open) = (self.hazy(&asked, t), self.open(&asked));
        // Someone who may be among the people says no.
        let maybe_rejected = self
            .last_words(t)
            .into_iter()
            .any(|(person, (word, _))| word == Word::Reject && open && !self.listed(&approve.quorum.people, person));
        match enough && !hazy && !maybe_rejected {
            true => State::Met,
            false if hazy || open => State::Unknown,
            false => State::Awaiting,
        }
    }

    /// Whose approval counts for which rule. Where nobody may count for two rules, every way to share people out is
    /// tried, and one is taken that fills most. Also: which rules compete for people, and whether an override lets
    /// people count twice who otherwise could not.
    fn count(&self, guards: &[Truth], skipped: &BTreeSet<usize>, t: Instant) -> (Counted<'a>, BTreeSet<usize>, bool) {
        let mut approves: BTreeMap<usize, &Approve> = BTreeMap::new();
        let mut distinct = Vec::new();
        for (index, rule) in self.stage.rules.iter().enumerate().filter(|(index, _)| guards[*index] != Truth::False) {
            match rule.body {
                Body::Rule(RuleKind::Approve(approve)) => drop(approves.insert(index, approve)),
                Body::Rule(RuleKind::DistinctApprovers) => distinct.push(index),
                _ => {}
            }
        }
        let people: BTreeSet<&'a str> = self.last_words(t).into_keys().collect();
        let could = |approve: &Approve, person: &str| self.may_count(approve, person, t);
        let alone: Counted<'a> = (approves.iter())
            .map(|(index, approve)| (*index, people.iter().copied().filter(|p| could(approve, p)).collect()))
            .collect();
        if distinct.is_empty() {
            return (alone, BTreeSet::new(), false);
        }
        let wanted: BTreeMap<usize, usize> = (approves.iter())
            .map(|(index, approve)| (*index, self.needed(&asked(approve), t).unwrap_or(usize::MAX)))
            .collect();
        let open: Vec<(&'a str, Vec<usize>)> = (people.iter())
            .map(|person| (*person, approves.keys().copied().filter(|rule| alone[rule].contains(person)).collect()))
            .collect();
        if distinct.iter().all(|rule| skipped.contains(rule)) {
            let certain = |rule: &usize| !self.hazy(&asked(approves[rule]), t);
            let full = |counted: &Counted<'a>, rule: &usize| counted[rule].len() >= wanted[rule];
            // Of the rules that have enough approvals: would they all, if nobody counted twice?
            let enough: Vec<usize> =
                approves.keys().copied().filter(|rule| certain(rule) && full(&alone, rule)).collect();
            let open: Vec<(&'a str, Vec<usize>)> = (open.into_iter())
                .map(|(person, rules)| (person, rules.into_iter().filter(|rule| enough.contains(rule)).collect()))
                .collect();
            let nobody: Counted<'a> = enough.iter().map(|rule| (*rule, BTreeSet::new())).collect();
            let mut best = (Vec::new(), nobody.clone());
            share(&open, &wanted, &BTreeSet::new(), nobody, &mut best);
            let doubled = !enough.iter().all(|rule| full(&best.1, rule));
            return (alone, BTreeSet::new(), doubled);
        }
        let nobody: Counted<'a> = approves.keys().map(|rule| (*rule, BTreeSet::new())).collect();
        let mut best = (Vec::new(), nobody.clone());
        share(&open, &wanted, skipped, nobody, &mut best);
        let shared = best.1;
        (shared, approves.into_keys().collect(), false)
    }
}

/// Tries every way; the best fills most rules that nothing skips, then most places, then the earlier rules.
fn share<'a>(
    open: &[(&'a str, Vec<usize>)],
    wanted: &BTreeMap<usize, usize>,
    skipped: &BTreeSet<usize>,
    counted: Counted<'a>,
    best: &mut (Vec<usize>, Counted<'a>),
) {
    let Some(((person, rules), rest)) = open.split_first() else {
        let needed = counted.keys().filter(|rule| !skipped.contains(rule));
        let filled = needed.filter(|rule| counted[rule].len() >= wanted[rule]).count();
        let places = counted.values().map(BTreeSet::len).sum();
        let mut score = vec![filled, places];
        score.extend(counted.values().map(BTreeSet::len));
        if score > best.0 {
            *best = (score, counted);
        }
        return;
    };
    share(rest, wanted, skipped, counted.clone(), best);
    for rule in rules.iter().filter(|rule| counted[rule].len() < wanted[rule]) {
        let mut counted = counted.clone();
        counted.get_mut(rule).unwrap().insert(person);
        share(rest, wanted, skipped, counted, best);
    }
}

/// Whether one of the alternatives that apply is satisfied, or none applies. What is not known is tried both ways.
fn one_of(items: &[(Truth, Truth)]) -> Truth {
    let mut answers = BTreeSet::new();
    for case in 0..1_u32 << (2 * items.len()) {
        let (mut fits, mut applies, mut satisfied) = (true, false, false);
        for (index, (guard, own)) in items.iter().enumerate() {
            let (g, o) = (case >> (2 * index) & 1 == 1, case >> (2 * index + 1) & 1 == 1);
            fits &= (*guard == Truth::Unknown || *guard == Truth::of(g))
                && (*own == Truth::Unknown || *own == Truth::of(o));
            applies |= g;
            satisfied |= g && o;
        }
        if fits {
            answers.insert(satisfied || !applies);
        }
    }
    match (answers.contains(&true), answers.contains(&false)) {
        (true, false) => Truth::True,
        (false, true) => Truth::False,
        _ => Truth::Unknown,
    }
}
