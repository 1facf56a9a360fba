//! The explained decision: the same evaluation as the verdict, told rule by rule.

use std::collections::HashSet;
use std::fmt::Write;

use super::decision::{
    ApprovalNeed, InvokedBy, Needs, NotCounted, OverrideReport, PolicyRef, RuleReport, Status, Told, Verdict,
};
use super::search::{Found, Search};
use super::snapshot::{Case, InForce, SECOND, Snapshot, approve_of};
use super::truth::Truth;
use super::words::{self, Seeing, condition, duration, joined, sentence, when, why_not};
use crate::facts::prepare::instant;
use crate::facts::slots::{Occupied, OtherWhy, Person, TriggerSlot};
use crate::facts::{RunStatus, Word};
use crate::people::matching::{Demand, assign_first, helped_by};
use crate::people::{Asked, Bar, Counted, Unsure, last_words, since};
use crate::plain::escape;
use crate::program::{After, Approve, Body, Count, Quorum, Rule, RuleId, Trigger};

/// How far ahead a search that is cut short is far enough: 90 days.
const FAR: i64 = 90 * 86_400 * SECOND;

/// Decides a case, with every reason.
pub(crate) fn decide(case: Case<'_>) -> Told {
    let mut search = Search::new(case);
    let now = case.slots.now;
    let snapshot = search.at(now);
    let verdict = search.verdict(&snapshot);
    let statuses = search.statuses(&snapshot);
    let explaining = Explaining { case, snapshot: &snapshot };
    let rules: Vec<RuleReport> = (statuses.iter().enumerate())
        .filter_map(|(index, (status, until))| explaining.rule(index, *status, *until, &statuses))
        .collect();
    let blocking: Vec<String> = search.blocking(&snapshot).into_iter().filter_map(|i| case.name(i)).collect();
    let needs = needs(&rules);
    let allowed_at = match verdict {
        Verdict::Allow => Found::At(now),
        _ => search.clear_at(now, &[]),
    };
    let settled = !search.cut_short && !snapshot.gave_up && !matches!(allowed_at, Found::NotBefore(_));
    let valid_until = search.changes_at(&snapshot);
    if let (true, Found::NotBefore(t)) = (settled, valid_until) {
        // Who is to ask again in a quarter need not wonder why.
        search.cut_short = t.saturating_sub(now) <= FAR;
    }
    let settled = settled && !search.cut_short;
    let unblock = match verdict {
        Verdict::Allow => Vec::new(),
        _ => super::unblock::unblock(&mut search, &snapshot, allowed_at),
    };
    let mut warnings = case.slots.warnings.clone();
    if !settled || search.cut_short {
        warnings.push("the search ahead in time was cut short: ask again by the time this answer stands until".into());
    }
    let overrides = (0..case.stage.overrides.len()).filter_map(|i| explaining.override_report(i)).collect();
    Told {
        verdict,
        policy: PolicyRef {
            name: case.program.name.clone(),
            digest: case.program.digest().to_string(),
            language: crate::LANGUAGE,
        },
        stage: case.stage.name.clone(),
        build: case.slots.build.clone(),
        at: instant(now),
        rules,
        blocking,
        needs,
        unblock,
        allowed_at: allowed_at.instant().map(instant),
        valid_until: match valid_until {
            Found::At(t) | Found::NotBefore(t) => Some(instant(t)),
            Found::Never => None,
        },
        overrides,
        warnings,
        ignored_facts: case.slots.ignored_facts.clone(),
        zone: case.program.zone,
    }
}

fn needs(rules: &[RuleReport]) -> Needs {
    let mut needs = Needs::default();
    for report in rules.iter().filter(|r| r.status.blocks() && r.kind != crate::program::Kind::Advise) {
        for fact in &report.facts {
            if !needs.facts.contains(fact) {
                needs.facts.push(fact.clone());
            }
        }
        if let (Status::Awaiting, Some(count), Some(from)) = (report.status, report.missing, &report.from) {
            needs.approvals.push(ApprovalNeed { rule: report.rule.clone(), count, from: from.clone() });
        }
    }
    needs
}

impl Case<'_> {
    /// The name of a person.
    pub fn person(&self, person: Person) -> String {
        super::person_name(self.program, self.slots, person).unwrap_or("?").to_string()
    }

    fn people(&self, people: &[Person]) -> Vec<String> {
        people.iter().map(|p| self.person(*p)).collect()
    }

    /// The name of a rule.
    pub fn name(&self, rule: usize) -> Option<String> {
        self.stage.rules.get(rule).map(|r| r.name.clone())
    }

    fn stage_name(&self, id: crate::program::StageId) -> &str {
        self.program.stages.get(id.0 as usize).map_or("?", |s| s.name.as_str())
    }
}

pub(crate) struct Explaining<'a> {
    pub case: Case<'a>,
    pub snapshot: &'a Snapshot,
}

impl Explaining<'_> {
    fn rule(
        &self,
        index: usize,
        status: Status,
        until: Option<i64>,
        statuses: &[(Status, Option<i64>)],
    ) -> Option<RuleReport> {
        let rule = self.case.stage.rules.get(index)?;
        let mut report = RuleReport {
            rule: rule.name.clone(),
            kind: rule.kind,
            status,
            because: rule.because.clone(),
            detail: String::new(),
            until: until.map(instant),
            facts: Vec::new(),
            missing: None,
            from: None,
            counted: None,
            not_counted: Vec::new(),
            rejected_by: Vec::new(),
            overridden_by: self.overridden_by(index, status),
            at: self.case.program.sources.place(rule.span),
        };
        let guard = rule.guard.map(|id| (id, self.snapshot.ops.get(id.0 as usize).map_or(Truth::Unknown, |g| g.truth)));
        if let (Status::NotApplicable, Some((id, Truth::False))) = (status, guard) {
            report.detail = format!("does not apply: {}", condition(&self.case, self.snapshot, id, false).text());
            return Some(report);
        }
        if status == Status::NotApplicable {
            report.detail = self.excused(index, statuses);
            return Some(report);
        }
        let own = self.snapshot.rules.get(index).map_or(Truth::Unknown, |s| s.own);
        if let (Status::Unknown, Truth::False, None | Some((_, Truth::True))) = (status, own, guard) {
            self.may_be_excused(index, &mut report);
            return Some(report);
        }
        self.body(rule, index, &mut report);
        if let (Status::Unknown, Some((id, Truth::Unknown))) = (status, guard) {
            let seen = condition(&self.case, self.snapshot, id, true);
            report.detail = format!("whether it applies is not known: {}", seen.text());
            report.facts.extend(seen.facts);
        }
        if status != Status::Unknown {
            report.facts.clear();
        }
        report.facts.dedup();
        Some(report)
    }

    /// The facts that a rule which is unknown asks for.
    pub fn unknown_facts(&self, index: usize) -> Vec<String> {
        let statuses = vec![(Status::Unknown, None); self.case.stage.rules.len()];
        self.rule(index, Status::Unknown, None, &statuses).map(|report| report.facts).unwrap_or_default()
    }

    /// An alternative that does not hold, while it is not known whether another one does.
    fn may_be_excused(&self, index: usize, report: &mut RuleReport) {
        let unsure = |other: &usize| self.snapshot.rules.get(*other).is_some_and(|s| s.own == Truth::Unknown);
        let others: Vec<usize> = self.alternatives(index).filter(unsure).collect();
        let names: Vec<String> = others.iter().filter_map(|other| self.case.name(*other)).collect();
        report.detail = format!("whether {} holds instead is not known", sentence(&names));
        for fact in others.into_iter().flat_map(|other| self.unknown_facts(other)) {
            if !report.facts.contains(&fact) {
                report.facts.push(fact);
            }
        }
    }

    /// The other rules of which one is enough.
    fn alternatives(&self, index: usize) -> impl Iterator<Item = usize> {
        let group = self.case.plan.alternative_of.get(index).copied().flatten();
        let group = group.and_then(|g| self.case.plan.alternatives.get(g)).map(Vec::as_slice).unwrap_or_default();
        group.iter().map(|id| id.0 as usize).filter(move |other| *other != index)
    }

    /// The override in force that skips a rule.
    fn overridden_by(&self, index: usize, status: Status) -> Option<String> {
        let id = RuleId(index as u32);
        let overrides = self.case.stage.overrides.iter().zip(&self.snapshot.overrides);
        let mut by = overrides.filter(|(o, s)| s.yes && o.skips.contains(&id)).map(|(o, _)| o.name.clone());
        if status == Status::Overridden { by.next() } else { None }
    }

    /// Why an alternative is not asked for: another one holds.
    fn excused(&self, index: usize, statuses: &[(Status, Option<i64>)]) -> String {
        let met = |other: &usize| statuses.get(*other).is_some_and(|(status, _)| *status == Status::Met);
        match self.alternatives(index).find(met).and_then(|other| self.case.name(other)) {
            Some(name) => format!("{name} is met"),
            None => "does not apply".into(),
        }
    }

    fn body(&self, rule: &Rule, index: usize, report: &mut RuleReport) {
        let case = &self.case;
        let seen = |seen: Seeing, report: &mut RuleReport| {
            report.detail = seen.text();
            report.facts = seen.facts;
        };
        match &rule.body {
            Body::Require(op) | Body::Advise(op) => seen(condition(case, self.snapshot, *op, true), report),
            Body::Forbid(op) => seen(condition(case, self.snapshot, *op, false), report),
            Body::Window(set) => {
                let inside = set.contains(self.snapshot.t.div_euclid(SECOND));
                let now = when(case.program, self.snapshot.t);
                report.detail = format!("{now} is {}", if inside { "inside" } else { "outside" });
            }
            Body::Freeze(set) => {
                let frozen = set.contains(self.snapshot.t.div_euclid(SECOND));
                let now = when(case.program, self.snapshot.t);
                report.detail = format!("{now} is {}", if frozen { "frozen" } else { "not frozen" });
            }
            Body::After(clauses) => self.after(clauses, report),
            Body::Soak(clauses) => {
                let told: Vec<String> =
                    clauses.iter().map(|clause| self.soaked(&clause.after, clause.length)).collect();
                report.detail = told.join("; ");
                report.facts = clauses.iter().flat_map(|c| self.pending(&c.after)).collect();
            }
            Body::Approve(approve) => self.approve(approve, index, report),
            Body::Trigger(trigger) => self.trigger(trigger, report),
            Body::Exclusive => {
                report.detail = match &case.slots.deploying {
                    None => {
                        "whether another build is being deployed was not supplied: send `deploying`, in `current` or \
                             beside it, null when none is"
                            .into()
                    }
                    Some(None) => "nothing is being deployed to the stage".into(),
                    Some(Some(id)) if *id == case.slots.build => "this build is being deployed".into(),
                    Some(Some(id)) => format!("build {} is being deployed to the stage", escape(id)),
                };
                report.facts = vec!["current.deploying".into()];
            }
            Body::ForwardOnly => {
                report.detail = match (case.slots.occupied, case.slots.older) {
                    (Occupied::Nothing, _) => "the stage runs nothing yet".into(),
                    (Occupied::Same, _) => "the stage runs this build".into(),
                    (_, Some(true)) => "the build is older than what the stage runs".into(),
                    (_, Some(false)) => "the build is not older than what the stage runs".into(),
                    (Occupied::Unknown, None) => "what the stage runs was not supplied".into(),
                    (Occupied::Other, None) => {
                        "the build and what the stage runs have no `created` or `version` to compare".into()
                    }
                };
                report.facts = match case.slots.occupied {
                    Occupied::Unknown => vec!["current".into()],
                    _ => vec!["build.created".into(), "current.created".into()],
                };
            }
            Body::DistinctApprovers => self.distinct(report),
        }
    }

    fn ended(&self, stage: crate::program::StageId) -> String {
        let name = self.case.stage_name(stage);
        match self.case.slots.newest(stage, self.snapshot.t).0 {
            None => format!("{name} has not run for this build"),
            Some(run) => {
                let at = when(self.case.program, run.at);
                match run.status {
                    RunStatus::Succeeded => format!("{name} succeeded {at}"),
                    RunStatus::Failed => format!("{name} failed {at}"),
                    RunStatus::Skipped => format!("{name} was skipped {at}"),
                    RunStatus::Cancelled => format!("{name} was cancelled {at}"),
                    RunStatus::Pending => format!("{name} is still running (since {at})"),
                }
            }
        }
    }

    fn after(&self, clauses: &[After], report: &mut RuleReport) {
        let mut told: Vec<String> = Vec::new();
        for stage in clauses.iter().flat_map(|c| &c.stages) {
            let line = self.ended(stage.stage);
            if !told.contains(&line) {
                told.push(line);
            }
        }
        report.detail = told.join("; ");
        report.facts = clauses.iter().flat_map(|c| self.pending(c)).collect();
    }

    /// The status facts of stages that still run.
    fn pending(&self, clause: &After) -> Vec<String> {
        let running = clause.stages.iter().filter(|branch| {
            let run = self.case.slots.newest(branch.stage, self.snapshot.t).0;
            run.is_some_and(|run| run.status == RunStatus::Pending)
        });
        running.map(|branch| format!("{}.status", self.case.stage_name(branch.stage))).collect()
    }

    fn soaked(&self, clause: &After, length: i64) -> String {
        let told: Vec<String> = (clause.stages.iter())
            .map(|branch| match self.case.ended(branch, self.snapshot.t) {
                (ended, Some(at)) if ended.truth == Truth::True => format!(
                    "{} since {}, of which {} have passed",
                    duration(length),
                    self.case.stage_name(branch.stage),
                    duration(self.snapshot.t.saturating_sub(at).min(length))
                ),
                _ => self.ended(branch.stage),
            })
            .collect();
        told.join("; ")
    }

    fn trigger(&self, trigger: &Trigger, report: &mut RuleReport) {
        let case = &self.case;
        let came = match &case.slots.trigger {
            TriggerSlot::Unknown => {
                report.facts = vec!["trigger".into()];
                "what set the promotion off was not supplied".to_string()
            }
            TriggerSlot::Push { branch } => match branch {
                Some(branch) => format!("a push to {}", escape(branch)),
                None => "a push to a branch that was not supplied".into(),
            },
            TriggerSlot::PullRequest { branch } => match branch {
                Some(branch) => format!("a pull request to {}", escape(branch)),
                None => "a pull request to a branch that was not supplied".into(),
            },
            TriggerSlot::Manual { by: Some(by) } => format!("{} asked for it", escape(&case.person(*by))),
            TriggerSlot::Manual { by: None } => "someone asked for it, who was not supplied".into(),
            TriggerSlot::Completion { of: Some(Ok(stage)) } => format!("the end of {}", case.stage_name(*stage)),
            TriggerSlot::Completion { of: Some(Err(name)) } => format!("the end of {}", escape(name)),
            TriggerSlot::Completion { of: None } => "the end of a stage that was not supplied".into(),
            TriggerSlot::Event { name: Some(name) } => format!("the event {}", escape(name)),
            TriggerSlot::Event { name: None } => "an event whose name was not supplied".into(),
            TriggerSlot::Schedule => "the schedule".into(),
        };
        let (wants, missing): (String, &str) = match trigger {
            Trigger::Push { to: None } => ("a push".into(), ""),
            Trigger::Push { to: Some(to) } => (format!("a push to {}", escape(&to.glob)), "build.branch"),
            Trigger::PullRequest { to: None } => ("a pull request".into(), ""),
            Trigger::PullRequest { to: Some(to) } => {
                (format!("a pull request to {}", escape(&to.glob)), "trigger.branch")
            }
            Trigger::Manual { by: None } => ("a person to ask".into(), ""),
            Trigger::Manual { by: Some(people) } => {
                let mut names: Vec<String> = people.people.iter().map(|p| case.person(p.0)).collect();
                let group = |g: &crate::program::GroupId| case.program.groups.get(g.0 as usize).map(|g| g.name.clone());
                names.extend(people.directories.iter().filter_map(group).map(|name| format!("someone of {name}")));
                let missing = people.directories.iter().find(|g| case.slots.directory(**g).is_none());
                if let (Status::Unknown, Some(name), TriggerSlot::Manual { by: Some(_) }) =
                    (report.status, missing.and_then(group), &case.slots.trigger)
                {
                    report.facts.push(format!("group {name}"));
                }
                (format!("{} to ask", joined(&names, "or")), "trigger.by")
            }
            Trigger::Completion { of: None } => ("the end of a stage".into(), ""),
            Trigger::Completion { of: Some(stage) } => {
                (format!("the end of {}", case.stage_name(*stage)), "trigger.of")
            }
            Trigger::Event { name } => (format!("the event {}", escape(name)), "trigger.name"),
            Trigger::Schedule(schedule) => {
                let unchanged = case.changed(schedule).truth;
                if let (TriggerSlot::Schedule, Truth::False) = (&case.slots.trigger, unchanged) {
                    report.detail = "the stage runs this build already: nothing has changed".into();
                    return;
                }
                if let (TriggerSlot::Schedule, Truth::Unknown) = (&case.slots.trigger, unchanged) {
                    report.facts = vec!["current.id".into()];
                    report.detail = "what the stage runs was not supplied, so it may not have changed".into();
                    return;
                }
                let expr = escape(&schedule.expr);
                if let (TriggerSlot::Schedule, Status::Unmet | Status::Waiting) = (&case.slots.trigger, report.status) {
                    report.detail = format!("came by the schedule, but no firing of `{expr}` is due");
                    return;
                }
                (format!("a firing of `{expr}`"), "")
            }
        };
        report.detail = match report.status {
            Status::Met => came,
            Status::Unknown => came,
            _ if matches!(case.slots.trigger, TriggerSlot::Manual { .. }) => format!("{came}; wants {wants}"),
            _ => format!("came by {came}; wants {wants}"),
        };
        if report.status == Status::Unknown && report.facts.is_empty() && !missing.is_empty() {
            report.facts.push(missing.into());
        }
    }

    fn distinct(&self, report: &mut RuleReport) {
        let Some(assigned) = &self.snapshot.assigned else { return };
        let told: Vec<String> = (self.case.stage.rules.iter().zip(assigned))
            .filter(|(rule, people)| approve_of(rule).is_some() && !people.is_empty())
            .map(|(rule, people)| format!("{} for {}", sentence(&self.case.people(people)), rule.name))
            .collect();
        report.detail = match told.is_empty() {
            true => "nobody counts yet".into(),
            false => told.join("; "),
        };
    }

    // ------------------------------------------------------------ approvals

    fn asked<'q>(&'q self, index: usize, quorum: &'q Quorum) -> Option<Asked<'q>> {
        let sets = self.case.plan.quorums.get(index)?;
        Some(Asked { slots: self.case.slots, quorum, sets })
    }

    /// Who is counted for a rule: with distinct approvers those who are assigned to it.
    pub fn counted_people(&self, index: usize) -> Vec<Person> {
        match &self.snapshot.assigned {
            Some(assigned) => assigned.get(index).cloned().unwrap_or_default(),
            None => {
                let counted = self.snapshot.counted.get(index).and_then(Option::as_ref);
                counted.map(|c| c.valid.clone()).unwrap_or_default()
            }
        }
    }

    /// How many approvals an `approve` rule misses, and whose would help.
    pub fn lacking(&self, index: usize) -> Option<(u32, Vec<String>)> {
        let counted = self.snapshot.counted.get(index)?.as_ref()?;
        let have = self.counted_people(index).len();
        let missing = counted.needed?.saturating_sub(have);
        let from = match &self.snapshot.assigned {
            None => self.could_still(index),
            Some(assigned) => {
                let mut seen = HashSet::new();
                let rules = helped_by(&self.case.demands(self.snapshot), assigned, index);
                rules
                    .into_iter()
                    .flat_map(|rule| self.could_still(rule))
                    .filter(|person| seen.insert(*person))
                    .collect()
            }
        };
        Some((missing as u32, self.case.people(&from)))
    }

    /// Whether, with nobody counting twice, there are people enough for these rules and those that are met already.
    pub fn could_be_shared_out(&self, missing: &[usize]) -> bool {
        let mut demands = self.case.demands(self.snapshot);
        for (rule, demand) in demands.iter_mut().enumerate() {
            demand.people.extend(self.could_still(rule));
            demand.people.sort_unstable();
            demand.people.dedup();
        }
        let met = |rule: usize| self.snapshot.rules.get(rule).is_some_and(|s| s.raw == super::snapshot::Raw::Met);
        let wanted = |rule: usize| missing.contains(&rule) || met(rule);
        let assigned = assign_first(&demands, |rule| !wanted(rule));
        let full = |rule: usize, demand: &Demand| assigned.get(rule).is_some_and(|people| people.len() >= demand.count);
        demands.iter().enumerate().all(|(rule, demand)| !wanted(rule) || full(rule, demand))
    }

    /// People whose approval would count for a rule if they gave it now, in the order of the policy.
    fn could_still(&self, index: usize) -> Vec<Person> {
        let Some(rule) = self.case.stage.rules.get(index) else { return Vec::new() };
        let (Some(approve), Some(Some(counted))) = (approve_of(rule), self.snapshot.counted.get(index)) else {
            return Vec::new();
        };
        let Some(asked) = self.asked(index, &approve.quorum) else { return Vec::new() };
        if !self.is_late_enough(approve) {
            return Vec::new();
        }
        let mut everyone = asked.everyone();
        everyone.retain(|person| asked.bar(*person).is_none() && counted.valid.binary_search(person).is_err());
        if !approve.quorum.except.approvers_of.is_empty() {
            // Their approval would count for the other rule too, and so not for this one.
            everyone.retain(|person| self.would_count(*person).get(index).copied().unwrap_or(false));
        }
        everyone
    }

    /// Whether an approval given now comes after what `since` asks for.
    fn is_late_enough(&self, approve: &Approve) -> bool {
        let (after, _) = since(approve, self.case.slots, self.snapshot.t);
        after.is_ok_and(|after| after.is_none_or(|after| self.snapshot.t > after))
    }

    /// By `RuleId`: whether a person's approval would count, if they gave it now.
    fn would_count(&self, person: Person) -> Vec<bool> {
        let mut would = vec![false; self.case.stage.rules.len()];
        for id in &self.case.plan.approve_order {
            let index = id.0 as usize;
            let applies = self.snapshot.rules.get(index).is_some_and(|s| s.raw != super::snapshot::Raw::NotApplicable);
            let Some(approve) = self.case.stage.rules.get(index).and_then(approve_of).filter(|_| applies) else {
                continue;
            };
            let Some(asked) = self.asked(index, &approve.quorum) else { continue };
            let others = approve.quorum.except.approvers_of.iter();
            let taken = others.filter_map(|other| would.get(other.0 as usize)).any(|would| *would);
            if let Some(here) = would.get_mut(index) {
                *here = !taken && asked.bar(person).is_none() && self.is_late_enough(approve);
            }
        }
        would
    }

    /// The rule of `approvers of` that counts a person.
    fn approver_of(&self, quorum: &Quorum, person: Person) -> Option<RuleId> {
        quorum.except.approvers_of.iter().copied().find(|other| {
            let applies =
                self.snapshot.rules.get(other.0 as usize).is_some_and(|s| s.raw != super::snapshot::Raw::NotApplicable);
            let counted = self.snapshot.counted.get(other.0 as usize).and_then(Option::as_ref);
            applies && counted.is_some_and(|c| c.valid.binary_search(&person).is_ok())
        })
    }

    fn approve(&self, approve: &Approve, index: usize, report: &mut RuleReport) {
        let case = &self.case;
        let (Some(Some(counted)), Some(asked)) = (self.snapshot.counted.get(index), self.asked(index, &approve.quorum))
        else {
            return;
        };
        let people = self.counted_people(index);
        let names = case.people(&people);
        report.not_counted = self.not_counted(approve, index, &asked, counted, &people);
        report.rejected_by = case.people(&counted.rejected);
        let mut told = match (asked.quorum.count, counted.needed) {
            (Count::All, Some(needed)) => format!("{} of all {needed}: ", names.len()),
            (_, Some(needed)) => format!("{} of {needed}: ", names.len()),
            (_, None) => format!("{} of all: ", names.len()),
        };
        match names.as_slice() {
            [] => told.push_str("nobody has approved"),
            names => told.extend([sentence(names).as_str(), " approved"]),
        }
        if !counted.rejected.is_empty() {
            let _ = write!(told, "; {} rejects it", sentence(&report.rejected_by));
        }
        if report.status == Status::Unknown {
            report.facts = self.unsure(&counted.unsure);
            if !report.facts.is_empty() {
                let _ = write!(told, "; {} was not supplied", report.facts.join(", "));
            }
        }
        for why in why_not(&report.not_counted) {
            let _ = write!(told, "; {why}");
        }
        report.detail = told;
        report.counted = Some(names);
        if report.status == Status::Met || report.status == Status::Overridden && counted.reached() {
            report.missing = Some(0);
        } else if let Some((missing, from)) = self.lacking(index) {
            report.missing = Some(missing);
            report.from = Some(from);
        }
    }

    fn unsure(&self, unsure: &[Unsure]) -> Vec<String> {
        let mut facts: Vec<String> = Vec::new();
        for unsure in unsure {
            let name = match unsure {
                Unsure::Author => "build.author".to_string(),
                Unsure::Requester => "requester".into(),
                Unsure::Directory(group) => {
                    format!("group {}", self.case.program.groups.get(group.0 as usize).map_or("?", |g| g.name.as_str()))
                }
                Unsure::Rule(rule) => {
                    let counted = self.snapshot.counted.get(rule.0 as usize).and_then(Option::as_ref);
                    let own = counted.map(|c| c.unsure.as_slice()).unwrap_or_default();
                    let direct: Vec<Unsure> = own.iter().copied().filter(|u| !matches!(u, Unsure::Rule(_))).collect();
                    for name in self.unsure(&direct) {
                        if !facts.contains(&name) {
                            facts.push(name);
                        }
                    }
                    continue;
                }
            };
            if !facts.contains(&name) {
                facts.push(name);
            }
        }
        facts
    }

    /// Approvals that do not count for a rule, each with its reason.
    fn not_counted(
        &self,
        approve: &Approve,
        index: usize,
        asked: &Asked<'_>,
        counted: &Counted,
        people: &[Person],
    ) -> Vec<NotCounted> {
        let case = &self.case;
        let t = self.snapshot.t;
        let mut told: Vec<(Person, String)> = Vec::new();
        let counts = |person: Person| people.binary_search(&person).is_ok();
        let (words, _) = last_words(&case.slots.said, t);
        for said in words {
            if counts(said.person) || said.word == Word::Reject && counted.rejected.binary_search(&said.person).is_ok()
            {
                continue;
            }
            let reason = match (said.word, asked.bar(said.person)) {
                (_, Some(Bar::NotListed)) if self.listed_elsewhere(index, said.person) => continue,
                (Word::Withdraw, Some(_)) => continue,
                (_, Some(Bar::NotListed)) => "is not among the people of this rule".into(),
                (_, Some(Bar::Author)) => "is the author and does not count".into(),
                (_, Some(Bar::Contributor)) => "contributed to the build and does not count".into(),
                (_, Some(Bar::Requester)) => "asked for the promotion and does not count".into(),
                (_, Some(Bar::Excepted)) => "is excepted by this rule".into(),
                (Word::Withdraw, None) => format!("withdrew {}", when(case.program, said.at)),
                (Word::Reject, None) => continue,
                (Word::Approve, None) => self.why_not(approve, said.person, said.at),
            };
            told.push((said.person, reason));
        }
        for said in case.slots.said.iter().filter(|s| s.at > t && s.word == Word::Approve) {
            if asked.listed(said.person) && !counts(said.person) {
                told.push((said.person, format!("approves in the future, {}", when(case.program, said.at))));
            }
        }
        for other in case.slots.others.iter().filter(|o| o.said.word == Word::Approve) {
            if !asked.listed(other.said.person) || counts(other.said.person) {
                continue;
            }
            let reason = match &other.why {
                OtherWhy::Build(id) => format!("approved, but that was given for build {}", escape(id)),
                OtherWhy::Stage(stage) => {
                    format!("approved, but that was given for {}, not for this stage", escape(stage))
                }
                OtherWhy::Digest(digest) => {
                    format!("approved, but that was given for another artifact ({})", escape(digest))
                }
            };
            told.push((other.said.person, reason));
        }
        told.dedup();
        told.into_iter().map(|(person, reason)| NotCounted { by: case.person(person), reason }).collect()
    }

    /// Why the approval of someone who may count does not.
    fn why_not(&self, approve: &Approve, person: Person, at: i64) -> String {
        let case = &self.case;
        let t = self.snapshot.t;
        if let Some(expires) = approve.valid.map(|valid| at.saturating_add(valid)).filter(|expires| t >= *expires) {
            return format!("approved, but that expired at {}", when(case.program, expires));
        }
        let stage = approve.since.map_or("?", |stage| case.stage_name(stage));
        match since(approve, case.slots, t).0 {
            Err(()) => return format!("approved, but {stage} has not succeeded"),
            Ok(Some(after)) if at <= after => {
                return format!("approved before {stage} succeeded ({})", when(case.program, after));
            }
            Ok(_) => {}
        }
        if let Some(rule) = self.approver_of(&approve.quorum, person) {
            let name = case.name(rule.0 as usize).unwrap_or_default();
            return format!("counts for {name} and not here");
        }
        let elsewhere = self.snapshot.assigned.as_ref().and_then(|assigned| {
            let rule = assigned.iter().position(|people| people.binary_search(&person).is_ok())?;
            case.name(rule)
        });
        match elsewhere {
            Some(name) => format!("counts for {name}, and nobody counts twice"),
            None => "is not needed".into(),
        }
    }

    /// Whether a person whom this rule does not list is listed by another one of the stage.
    fn listed_elsewhere(&self, index: usize, person: Person) -> bool {
        let rules = self.case.stage.rules.iter().enumerate();
        rules.filter(|(other, _)| *other != index).any(|(other, rule)| {
            let asked = approve_of(rule).and_then(|approve| self.asked(other, &approve.quorum));
            asked.is_some_and(|asked| asked.listed(person))
        })
    }

    // ------------------------------------------------------------ overrides

    /// How an override stands, if anyone invoked it.
    fn override_report(&self, index: usize) -> Option<OverrideReport> {
        let case = &self.case;
        let (rule, state) = (case.stage.overrides.get(index)?, self.snapshot.overrides.get(index)?);
        let invoked = case.slots.invoked.get(index)?;
        if invoked.is_empty() {
            return None;
        }
        let by = invoked
            .iter()
            .filter(|i| i.at <= self.snapshot.t && state.counted.valid.binary_search(&i.person).is_ok())
            .map(|i| InvokedBy { by: case.person(i.person), at: instant(i.at), reason: i.reason.clone() })
            .collect();
        let skipped = match state.yes {
            true => {
                let skips = rule.skips.iter().map(|id| id.0 as usize);
                let skips = skips
                    .filter(|i| self.snapshot.rules.get(*i).is_some_and(|s| s.raw == super::snapshot::Raw::Overridden));
                skips.filter_map(|i| case.name(i)).collect()
            }
            false => Vec::new(),
        };
        let ends = state.yes.then(|| self.override_ends(index, state)).flatten();
        Some(OverrideReport {
            name: rule.name.clone(),
            because: rule.because.clone(),
            in_force: state.yes,
            by,
            skipped,
            not_counted: self.invocations_not_counted(index, state),
            until: ends.map(instant),
            at: case.program.sources.place(rule.span),
        })
    }

    /// When an override in force runs out: as soon as too few invocations are left.
    fn override_ends(&self, index: usize, state: &InForce) -> Option<i64> {
        let valid = self.case.stage.overrides.get(index)?.valid?;
        let needed = state.counted.needed?;
        let mut newest: std::collections::BTreeMap<Person, i64> = std::collections::BTreeMap::new();
        for invoked in self.case.slots.invoked.get(index)?.iter().filter(|i| i.at <= self.snapshot.t) {
            if state.counted.valid.binary_search(&invoked.person).is_ok() {
                let at = newest.entry(invoked.person).or_insert(invoked.at);
                *at = invoked.at.max(*at);
            }
        }
        let mut ends: Vec<i64> = newest.into_values().map(|at| at.saturating_add(valid)).collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        ends.get(needed.checked_sub(1)?).copied()
    }

    fn invocations_not_counted(&self, index: usize, state: &InForce) -> Vec<NotCounted> {
        let case = &self.case;
        let t = self.snapshot.t;
        let (Some(rule), Some(sets)) = (case.stage.overrides.get(index), case.plan.override_quorums.get(index)) else {
            return Vec::new();
        };
        let asked = Asked { slots: case.slots, quorum: &rule.quorum, sets };
        let invoked = case.slots.invoked.get(index).map(Vec::as_slice).unwrap_or_default();
        let mut told = Vec::new();
        for entry in invoked.iter().filter(|i| state.counted.valid.binary_search(&i.person).is_err() || i.at > t) {
            let reason = match asked.bar(entry.person) {
                _ if entry.at > t => format!("invokes it in the future, {}", when(case.program, entry.at)),
                Some(Bar::NotListed) => "is not among the people of this override".into(),
                Some(Bar::Author) => "is the author and does not count".into(),
                Some(Bar::Contributor) => "contributed to the build and does not count".into(),
                Some(Bar::Requester) => "asked for the promotion and does not count".into(),
                Some(Bar::Excepted) => "is excepted by this override".into(),
                None => match rule.valid.map(|valid| entry.at.saturating_add(valid)).filter(|expires| t >= *expires) {
                    Some(expires) => format!("invoked it, but that expired at {}", when(case.program, expires)),
                    None if rule.reason_required && entry.reason.as_deref().is_none_or(|r| r.trim().is_empty()) => {
                        "gave no reason, and one is required".into()
                    }
                    None => "is excepted by this override".into(),
                },
            };
            told.push(NotCounted { by: case.person(entry.person), reason });
        }
        let unsure = self.unsure(&state.counted.unsure);
        if !state.yes && !unsure.is_empty() {
            let valid = invoked.iter().filter(|i| i.at <= t && state.counted.valid.binary_search(&i.person).is_ok());
            told.extend(valid.map(|i| NotCounted {
                by: case.person(i.person),
                reason: format!("invoked it, but {} was not supplied", joined(&unsure, "and")),
            }));
        }
        if !state.guard {
            let guard = rule.guard.map(|id| words::condition(case, self.snapshot, id, true).text());
            told.extend(invoked.iter().map(|i| NotCounted {
                by: case.person(i.person),
                reason: format!("invoked it, but it does not apply: {}", guard.clone().unwrap_or_default()),
            }));
        }
        told
    }
}
