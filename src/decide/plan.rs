//! What a decision needs of a program that can be worked out once: look-ups by name, the order in which quorums depend
//! on one another, which rules are alternatives.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::names::Names;
use super::snapshot::approve_of;
use super::write::Said;
use crate::facts::slots::{Person, Slots};
use crate::people::{Members, Quorums};
use crate::program::{Body, GroupId, Program, RuleId, StageId};
use crate::schedule::{Piece, TimeSet, Zone};

#[derive(Debug)]
pub(crate) struct Plan {
    /// The people of the policy by their own numbers, then its other texts.
    pub words: Names,
    people: usize,
    stages: Names,
    /// By `StageId`.
    pub by_stage: Vec<StagePlan>,
}

#[derive(Debug, Default)]
pub(crate) struct StagePlan {
    /// The `approve` rules, each after those that its `approvers of` names.
    pub approve_order: Vec<RuleId>,
    /// The `approve` rules that bar the approvers of others.
    pub chained: Vec<RuleId>,
    /// By `RuleId`; empty sets for rules that are no quorum.
    pub quorums: Vec<Quorums>,
    /// Everyone whom an `approve` rule lists.
    listed: Members,
    /// The groups that `approve` rules name whose members come from the request, each once.
    directories: Vec<GroupId>,
    /// By override.
    pub override_quorums: Vec<Quorums>,
    /// Rules that are alternatives of one another (triggers of a file, windows of a file).
    pub alternatives: Vec<Vec<RuleId>>,
    /// Of each of these, if they are windows: when one of those is open that have no guard.
    pub open: Vec<Option<TimeSet>>,
    /// Of each of these: whether they are windows of which none has a guard.
    alone: Vec<bool>,
    /// By `RuleId`: index into `alternatives`.
    pub alternative_of: Vec<Option<usize>>,
    /// The `distinct approvers` rules: at most one of each file.
    pub distinct: Vec<RuleId>,
    /// What every decision about the stage says, in JSON, once that has been asked for.
    pub said: OnceLock<Said>,
}

impl Plan {
    pub fn new(program: &Program) -> Plan {
        let mut words = Names::with_capacity(program.people.len() + 16);
        for person in &program.people {
            words.add(person);
        }
        let mut stages = Names::with_capacity(program.stages.len());
        for stage in &program.stages {
            stages.add(&stage.name);
        }
        let by_stage = program.stages.iter().map(StagePlan::new).collect();
        Plan { words, people: program.people.len(), stages, by_stage }
    }

    /// A person of the policy by name.
    #[inline]
    pub fn person(&self, name: &str) -> Option<u32> {
        self.words.get(name).filter(|id| (*id as usize) < self.people)
    }

    /// A stage by name.
    #[inline]
    pub fn stage(&self, name: &str) -> Option<StageId> {
        self.stages.get(name).map(StageId)
    }
}

impl StagePlan {
    fn new(stage: &crate::program::Stage) -> StagePlan {
        let mut plan = StagePlan { alternative_of: vec![None; stage.rules.len()], ..StagePlan::default() };
        let mut groups: HashMap<(u32, bool), usize> = HashMap::new();
        for (index, rule) in stage.rules.iter().enumerate() {
            let id = RuleId(index as u32);
            plan.quorums.push(match &rule.body {
                Body::Approve(approve) => Quorums::new(&approve.quorum),
                _ => Quorums::default(),
            });
            match &rule.body {
                Body::DistinctApprovers => plan.distinct.push(id),
                Body::Approve(approve) if !approve.quorum.except.approvers_of.is_empty() => plan.chained.push(id),
                _ => {}
            }
            let is_window = matches!(rule.body, Body::Window(_));
            if let (Some(number), true) = (rule.alternatives, is_window || matches!(rule.body, Body::Trigger(_))) {
                let next = plan.alternatives.len();
                let group = *groups.entry((number, is_window)).or_insert(next);
                if group == next {
                    plan.alternatives.push(Vec::new());
                }
                if let Some(members) = plan.alternatives.get_mut(group) {
                    members.push(id);
                }
                if let Some(of) = plan.alternative_of.get_mut(index) {
                    *of = Some(group);
                }
            }
        }
        let times = |id: &RuleId| {
            let rule = stage.rules.get(id.0 as usize);
            rule.is_some_and(|rule| rule.guard.is_none() && matches!(rule.body, Body::Window(_)))
        };
        plan.alone = plan.alternatives.iter().map(|group| group.iter().all(times)).collect();
        let quorums = stage.rules.iter().filter_map(approve_of).map(|approve| &approve.quorum);
        for quorum in quorums {
            plan.listed.add(&quorum.people);
            plan.directories.extend(&quorum.directories);
        }
        plan.directories.sort_unstable();
        plan.directories.dedup();
        plan.open = plan.alternatives.iter().map(|group| open(stage, group)).collect();
        plan.override_quorums = stage.overrides.iter().map(|o| Quorums::new(&o.quorum)).collect();
        plan.approve_order = approve_order(stage);
        plan
    }

    /// Whether an `approve` rule of the stage lists a person, as far as is known.
    pub fn is_listed(&self, person: Person, slots: &Slots) -> bool {
        let among = |group: &GroupId| slots.directory(*group).is_some_and(|m| m.binary_search(&person).is_ok());
        self.listed.contains(person) || self.directories.iter().any(among)
    }

    /// Whether alternatives are windows of which none has a guard, so that their times alone decide.
    pub fn is_alone(&self, group: usize) -> bool {
        self.alone.get(group).copied().unwrap_or(false)
    }
}

/// When one of the windows of a group is open that have no guard; `None` if there are none.
fn open(stage: &crate::program::Stage, group: &[RuleId]) -> Option<TimeSet> {
    let rules = group.iter().filter_map(|id| stage.rules.get(id.0 as usize)).filter(|rule| rule.guard.is_none());
    let sets = rules.filter_map(|rule| match &rule.body {
        Body::Window(set) => Some(set),
        _ => None,
    });
    let sets: Vec<&TimeSet> = sets.collect();
    match sets.as_slice() {
        [] => None,
        [only] => Some((*only).clone()),
        _ => {
            let piece = |set: &TimeSet| (Piece::Set(Arc::new(set.clone())), Zone::default());
            Some(TimeSet::new(sets.into_iter().map(piece).collect(), Vec::new()))
        }
    }
}

/// Depth first without recursion; the checker has refused circles.
fn approve_order(stage: &crate::program::Stage) -> Vec<RuleId> {
    let needs = |id: RuleId| match stage.rules.get(id.0 as usize).map(|r| &r.body) {
        Some(Body::Approve(approve)) => Some(approve.quorum.except.approvers_of.as_slice()),
        _ => None,
    };
    let mut order = Vec::new();
    let mut entered = vec![false; stage.rules.len()];
    for index in 0..stage.rules.len() {
        let mut stack = vec![(RuleId(index as u32), false)];
        while let Some((id, done)) = stack.pop() {
            let Some(others) = needs(id) else { continue };
            if done {
                order.push(id);
                continue;
            }
            let Some(mark) = entered.get_mut(id.0 as usize) else { continue };
            if std::mem::replace(mark, true) {
                continue;
            }
            stack.push((id, true));
            stack.extend(others.iter().map(|other| (*other, false)));
        }
    }
    order
}
