//! Whether a wrong version comes to the same as the policy: what can be shown without asking either of them anything.

use crate::policy::Policy;
use crate::program::{Approve, Body, Program, Rule, RuleId, Stage};
use crate::schedule::{NextEdge, TimeSet};

/// Bound on the comparison of two sets of times; enough for some edges a day from 1970 to 2200.
const STEPS: u64 = 20_000_000;

/// What each stage does, in words that are the same when it does the same.
pub(super) struct Prints(Vec<Print>);

struct Print {
    /// All but the times of windows and freezes, and but the places at which it is written.
    words: String,
    /// By rule: the times of a window or freeze. Two that are written alike are the same; so may others be.
    times: Vec<Option<String>>,
}

pub(super) fn prints(policy: &Policy) -> Prints {
    let program = &policy.inner.program;
    let shared = format!("{:?}{:?}{:?}{:?}", program.facts, program.slots, program.people, program.groups);
    Prints(program.stages.iter().map(|stage| print(stage, &shared)).collect())
}

/// The stages of a policy that a wrong version writes in other words, seen at once.
pub(super) fn written_otherwise(policy: &Policy, a: &Prints, b: &Prints) -> Vec<String> {
    stages_but(policy, |index| match (a.0.get(index), b.0.get(index)) {
        (Some(a), Some(b)) => a.words == b.words && a.times == b.times,
        _ => false,
    })
}

/// The stages of a policy about which a wrong version may decide differently.
pub(super) fn changed(policy: &Policy, a: &Prints, wrong: &Policy, b: &Prints) -> Vec<String> {
    let (right, other) = (&policy.inner.program, &wrong.inner.program);
    stages_but(policy, |index| match (a.0.get(index), b.0.get(index)) {
        (Some(a), Some(b)) => a.words == b.words && times_are_the_same(right, a, other, b, index),
        _ => false,
    })
}

fn stages_but(policy: &Policy, same: impl Fn(usize) -> bool) -> Vec<String> {
    let stages = policy.inner.program.stages.iter().enumerate();
    stages.filter(|(index, _)| !same(*index)).map(|(_, stage)| stage.name.clone()).collect()
}

fn times_are_the_same(right: &Program, a: &Print, wrong: &Program, b: &Print, stage: usize) -> bool {
    let sets = |program| rules(program, stage).iter().map(times);
    let pairs = sets(right).zip(sets(wrong)).zip(a.times.iter().zip(&b.times));
    pairs.into_iter().all(|((a, b), (written, otherwise))| match (a, b) {
        (Some(a), Some(b)) => written == otherwise || are_the_same(a, b),
        (a, b) => a.is_none() && b.is_none(),
    })
}

fn rules(program: &Program, stage: usize) -> &[Rule] {
    program.stages.get(stage).map_or(&[], |stage| &stage.rules)
}

fn times(rule: &Rule) -> Option<&TimeSet> {
    match &rule.body {
        Body::Window(set) | Body::Freeze(set) => Some(set),
        _ => None,
    }
}

/// Whether two sets hold the same instants from 1970 to 2200, edge by edge: there are no others. `false` when in doubt.
fn are_the_same(a: &TimeSet, b: &TimeSet) -> bool {
    if a.contains(0) != b.contains(0) {
        return false;
    }
    let (mut fuel_a, mut fuel_b) = (STEPS, STEPS);
    let mut at = 0;
    loop {
        match (a.next_edge(at, &mut fuel_a), b.next_edge(at, &mut fuel_b)) {
            (NextEdge::Never, NextEdge::Never) => return true,
            (NextEdge::At(one), NextEdge::At(other)) if one == other && one > at => at = one,
            _ => return false,
        }
    }
}

fn print(stage: &Stage, shared: &str) -> Print {
    let mut words = format!("{}{:?}{:?}{:?}{shared}", stage.name, stage.ops, stage.args, stage.slots);
    for over in &stage.overrides {
        words += &without_places(&format!("{over:?}"));
    }
    for rule in &stage.rules {
        let Rule { name, kind, body, guard, because, alternatives, file, .. } = rule;
        words += &format!("{name}{kind:?}{guard:?}{because:?}{alternatives:?}{file:?}");
        match body {
            Body::Window(_) | Body::Freeze(_) => {}
            Body::Approve(approve) => words += &format!("{:?}", without_idle_exceptions(stage, approve)),
            body => words += &without_places(&format!("{body:?}")),
        }
    }
    let times = stage.rules.iter().map(|rule| times(rule).map(|set| format!("{set:?}"))).collect();
    Print { words: without_places(&words), times }
}

/// Without `approvers of R` where nobody whom R lists could count here anyway, and R can be unsure of nothing that this
/// rule is sure of.
fn without_idle_exceptions(stage: &Stage, approve: &Approve) -> Approve {
    let mut approve = approve.clone();
    let quorum = approve.quorum.clone();
    let is_idle = |id: &RuleId| {
        let other = match stage.rules.get(id.0 as usize).map(|rule| &rule.body) {
            Some(Body::Approve(other)) => &other.quorum,
            _ => return false,
        };
        quorum.directories.is_empty()
            && other.directories.is_empty()
            && other.except.directories.is_empty()
            && other.except.approvers_of.is_empty()
            && (other.including.is_some() || quorum.including.is_none())
            && (!other.except.requester || quorum.except.requester)
            && !other.people.iter().any(|person| quorum.people.contains(person))
    };
    approve.quorum.except.approvers_of.retain(|id| !is_idle(id));
    approve
}

/// Without the `Span { source: SourceId(0), start: 1, end: 2 }` in it.
fn without_places(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("Span {") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}
