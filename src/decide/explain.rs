//! The explained decision: the same evaluation as the verdict, told rule by rule.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::decision::{InvokedBy, NotCounted, OverrideReport, Status, Verdict};
use super::search::{Found, Search};
use super::snapshot::{Case, InForce, SECOND, Snapshot, approve_of};
use super::telling::{RuleTelling, Telling, once};
use super::truth::Truth;
use super::words::{Sentences, condition, duration, joined, when};
use crate::facts::RunStatus;
use crate::facts::prepare::instant;
use crate::facts::slots::{Occupied, Person, Said, TriggerSlot};
use crate::people::matching::Demand;
use crate::people::{Asked, Bar};
use crate::plain::escape;
use crate::program::{After, AfterStage, Body, Rule, RuleId, StageId, Trigger};

/// How far ahead a search that is cut short is far enough: 90 days.
const FAR: i64 = 90 * 86_400 * SECOND;

/// Decides a case, with every reason.
pub(crate) fn decide(case: Case<'_>) -> Telling<'_> {
    let mut search = Search::new(case);
    let now = case.slots.now;
    let snapshot = search.at(now);
    let verdict = search.verdict(&snapshot);
    let statuses = search.statuses(&snapshot);
    let explaining = Explaining::new(case, &snapshot, &statuses);
    let mut details = String::with_capacity(96 * statuses.len());
    let mut rules = Vec::with_capacity(statuses.len());
    for (index, (status, until)) in statuses.iter().enumerate() {
        rules.extend(explaining.rule(index, *status, *until, &mut details));
    }
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
    Telling {
        case,
        verdict,
        rules,
        details,
        unblock,
        allowed_at: allowed_at.instant(),
        valid_until: match valid_until {
            Found::At(t) | Found::NotBefore(t) => Some(t),
            Found::Never => None,
        },
        overrides: (0..case.stage.overrides.len()).filter_map(|i| explaining.override_report(i)).collect(),
        cut_short: !settled || search.cut_short,
    }
}

/// The first of some alternatives that is met.
fn first_met(group: &[RuleId], statuses: &[(Status, Option<i64>)]) -> Option<usize> {
    let met = |rule: &usize| statuses.get(*rule).is_some_and(|(status, _)| *status == Status::Met);
    group.iter().map(|id| id.0 as usize).find(met)
}

pub(crate) struct Explaining<'a, 's> {
    pub case: Case<'a>,
    pub snapshot: &'s Snapshot,
    /// By `RuleId`, once they are known.
    statuses: &'s [(Status, Option<i64>)],
    /// Of each group of alternatives the first that is met. This and the rest is worked out when first asked for.
    met: OnceCell<Vec<Option<usize>>>,
    pub(super) outsiders: OnceCell<Vec<Said>>,
    pub(super) demands: OnceCell<Vec<Demand>>,
}

impl<'a, 's> Explaining<'a, 's> {
    pub fn new(case: Case<'a>, snapshot: &'s Snapshot, statuses: &'s [(Status, Option<i64>)]) -> Explaining<'a, 's> {
        let (met, outsiders, demands) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Explaining { case, snapshot, statuses, met, outsiders, demands }
    }

    fn rule(&self, index: usize, status: Status, until: Option<i64>, out: &mut String) -> Option<RuleTelling<'a>> {
        let rule = self.case.stage.rules.get(index)?;
        let from = out.len();
        let mut telling = RuleTelling {
            index,
            rule,
            status,
            until,
            detail: from..from,
            facts: Vec::new(),
            approvals: None,
            overridden_by: self.overridden_by(index, status),
        };
        self.detail(&mut telling, out);
        telling.detail.end = out.len();
        if status != Status::Unknown {
            telling.facts.clear();
        }
        telling.facts.dedup();
        Some(telling)
    }

    fn detail(&self, telling: &mut RuleTelling<'a>, out: &mut String) {
        let (index, rule, status) = (telling.index, telling.rule, telling.status);
        let guard = rule.guard.map(|id| (id, self.snapshot.ops.get(id.0 as usize).map_or(Truth::Unknown, |g| g.truth)));
        if let (Status::NotApplicable, Some((id, Truth::False))) = (status, guard) {
            out.push_str("does not apply: ");
            return condition(&self.case, self.snapshot, id, false, out, &mut telling.facts);
        }
        if status == Status::NotApplicable {
            return self.excused(index, out);
        }
        let own = self.snapshot.rules.get(index).map_or(Truth::Unknown, |s| s.own);
        if let (Status::Unknown, Truth::False, None | Some((_, Truth::True))) = (status, own, guard) {
            return self.may_be_excused(index, telling, out);
        }
        let from = out.len();
        self.body(rule, index, telling, out);
        if let (Status::Unknown, Some((id, Truth::Unknown))) = (status, guard) {
            out.truncate(from);
            out.push_str("whether it applies is not known: ");
            condition(&self.case, self.snapshot, id, true, out, &mut telling.facts);
        }
    }

    /// The facts that a rule which is unknown asks for.
    pub fn unknown_facts(&self, index: usize) -> Vec<Cow<'a, str>> {
        let telling = self.rule(index, Status::Unknown, None, &mut String::new());
        telling.map(|telling| telling.facts).unwrap_or_default()
    }

    /// An alternative that does not hold, while it is not known whether another one does.
    fn may_be_excused(&self, index: usize, telling: &mut RuleTelling<'a>, out: &mut String) {
        let unsure = |other: &usize| self.snapshot.rules.get(*other).is_some_and(|s| s.own == Truth::Unknown);
        let others: Vec<usize> = self.alternatives(index).filter(unsure).collect();
        out.push_str("whether ");
        joined(others.iter().filter_map(|other| self.case.name(*other)), "and", out);
        out.push_str(" holds instead is not known");
        telling.facts.extend(others.into_iter().flat_map(|other| self.unknown_facts(other)));
        telling.facts = once(telling.facts.drain(..));
    }

    /// The other rules of which one is enough.
    fn alternatives(&self, index: usize) -> impl Iterator<Item = usize> + use<'a> {
        let group = self.case.plan.alternative_of.get(index).copied().flatten();
        let group = group.and_then(|g| self.case.plan.alternatives.get(g)).map(Vec::as_slice).unwrap_or_default();
        group.iter().map(|id| id.0 as usize).filter(move |other| *other != index)
    }

    /// The override in force that skips a rule.
    fn overridden_by(&self, index: usize, status: Status) -> Option<&'a str> {
        if status != Status::Overridden {
            return None;
        }
        let id = RuleId(index as u32);
        let mut overrides = self.case.stage.overrides.iter().zip(&self.snapshot.overrides);
        overrides.find(|(o, s)| s.yes && o.skips.contains(&id)).map(|(o, _)| o.name.as_str())
    }

    /// Why an alternative is not asked for: another one holds.
    fn excused(&self, index: usize, out: &mut String) {
        let groups = self.case.plan.alternatives.iter();
        let met = self.met.get_or_init(|| groups.map(|group| first_met(group, self.statuses)).collect());
        let group = self.case.plan.alternative_of.get(index).copied().flatten();
        match group.and_then(|group| met.get(group).copied().flatten()).and_then(|other| self.case.name(other)) {
            Some(name) => out.extend([name, " is met"]),
            None => out.push_str("does not apply"),
        }
    }

    fn body(&self, rule: &'a Rule, index: usize, telling: &mut RuleTelling<'a>, out: &mut String) {
        let case = &self.case;
        let facts = &mut telling.facts;
        // Only a rule that is unknown asks for facts.
        let asks = telling.status == Status::Unknown;
        match &rule.body {
            Body::Require(op) | Body::Advise(op) => condition(case, self.snapshot, *op, true, out, facts),
            Body::Forbid(op) => condition(case, self.snapshot, *op, false, out, facts),
            Body::Window(set) => {
                let inside = set.contains(self.snapshot.t.div_euclid(SECOND));
                when(case.program, self.snapshot.t, out);
                out.push_str(if inside { " is inside" } else { " is outside" });
            }
            Body::Freeze(set) => {
                let frozen = set.contains(self.snapshot.t.div_euclid(SECOND));
                when(case.program, self.snapshot.t, out);
                out.push_str(if frozen { " is frozen" } else { " is not frozen" });
            }
            Body::After(clauses) => {
                let mut sentences = Sentences::new(out);
                for stage in clauses.iter().flat_map(|c| &c.stages) {
                    sentences.begin();
                    self.ended(stage.stage, sentences.out);
                    sentences.end();
                }
                facts.extend(clauses.iter().flat_map(|c| self.pending(c)));
            }
            Body::Soak(clauses) => {
                let mut sentences = Sentences::new(out);
                for clause in clauses {
                    for branch in &clause.after.stages {
                        sentences.begin();
                        self.soaked(branch, clause.length, sentences.out);
                    }
                }
                facts.extend(clauses.iter().flat_map(|c| self.pending(&c.after)));
            }
            Body::Approve(approve) => self.approve(approve, index, telling, out),
            Body::Trigger(trigger) => self.trigger(trigger, telling, out),
            Body::Exclusive => {
                match &case.slots.deploying {
                    None => out.push_str(
                        "whether another build is being deployed was not supplied: send `deploying`, in `current` or \
                         beside it, null when none is",
                    ),
                    Some(None) => out.push_str("nothing is being deployed to the stage"),
                    Some(Some(id)) if *id == case.slots.build => out.push_str("this build is being deployed"),
                    Some(Some(id)) => out.extend(["build ", &*escape(id), " is being deployed to the stage"]),
                }
                if asks {
                    facts.push("current.deploying".into());
                }
            }
            Body::ForwardOnly => {
                out.push_str(match (case.slots.occupied, case.slots.older) {
                    (Occupied::Nothing, _) => "the stage runs nothing yet",
                    (Occupied::Same, _) => "the stage runs this build",
                    (_, Some(true)) => "the build is older than what the stage runs",
                    (_, Some(false)) => "the build is not older than what the stage runs",
                    (Occupied::Unknown, None) => "what the stage runs was not supplied",
                    (Occupied::Other, None) => {
                        "the build and what the stage runs have no `created` or `version` to compare"
                    }
                });
                match case.slots.occupied {
                    _ if !asks => {}
                    Occupied::Unknown => facts.push("current".into()),
                    _ => facts.extend(["build.created".into(), "current.created".into()]),
                }
            }
            Body::DistinctApprovers => self.distinct(out),
        }
    }

    fn ended(&self, stage: StageId, out: &mut String) {
        out.push_str(self.stage_name(stage));
        let Some(run) = self.case.slots.newest(stage, self.snapshot.t).0 else {
            return out.push_str(" has not run for this build");
        };
        out.push_str(match run.status {
            RunStatus::Succeeded => " succeeded ",
            RunStatus::Failed => " failed ",
            RunStatus::Skipped => " was skipped ",
            RunStatus::Cancelled => " was cancelled ",
            RunStatus::Pending => " is still running (since ",
        });
        when(self.case.program, run.at, out);
        if run.status == RunStatus::Pending {
            out.push(')');
        }
    }

    /// The status facts of stages that still run.
    fn pending(&self, clause: &'a After) -> impl Iterator<Item = Cow<'a, str>> {
        let running = clause.stages.iter().filter(|branch| {
            let run = self.case.slots.newest(branch.stage, self.snapshot.t).0;
            run.is_some_and(|run| run.status == RunStatus::Pending)
        });
        running.map(|branch| format!("{}.status", self.stage_name(branch.stage)).into())
    }

    fn soaked(&self, branch: &AfterStage, length: i64, out: &mut String) {
        let (ended, at) = self.case.ended(branch, self.snapshot.t);
        let Some(at) = at.filter(|_| ended.truth == Truth::True) else { return self.ended(branch.stage, out) };
        duration(length, out);
        out.extend([" since ", self.stage_name(branch.stage), ", of which "]);
        duration(self.snapshot.t.saturating_sub(at).min(length), out);
        out.push_str(" have passed");
    }

    pub(super) fn stage_name(&self, id: StageId) -> &'a str {
        self.case.program.stages.get(id.0 as usize).map_or("?", |s| s.name.as_str())
    }

    /// What set the promotion off.
    fn came(&self, out: &mut String) {
        let case = &self.case;
        let mut two = |what: &str, name: &str| out.extend([what, &*escape(name)]);
        match &case.slots.trigger {
            TriggerSlot::Unknown => two("what set the promotion off was not supplied", ""),
            TriggerSlot::Push { branch: Some(branch) } => two("a push to ", branch),
            TriggerSlot::Push { branch: None } => two("a push to a branch that was not supplied", ""),
            TriggerSlot::PullRequest { branch: Some(branch) } => two("a pull request to ", branch),
            TriggerSlot::PullRequest { branch: None } => two("a pull request to a branch that was not supplied", ""),
            TriggerSlot::Manual { by: Some(by) } => {
                two("", case.person(*by));
                out.push_str(" asked for it");
            }
            TriggerSlot::Manual { by: None } => two("someone asked for it, who was not supplied", ""),
            TriggerSlot::Completion { of: Some(Ok(stage)) } => out.extend(["the end of ", self.stage_name(*stage)]),
            TriggerSlot::Completion { of: Some(Err(name)) } => two("the end of ", name),
            TriggerSlot::Completion { of: None } => two("the end of a stage that was not supplied", ""),
            TriggerSlot::Event { name: Some(name) } => two("the event ", name),
            TriggerSlot::Event { name: None } => two("an event whose name was not supplied", ""),
            TriggerSlot::Schedule => two("the schedule", ""),
        }
    }

    fn trigger(&self, trigger: &'a Trigger, telling: &mut RuleTelling<'a>, out: &mut String) {
        let case = &self.case;
        let slot = &case.slots.trigger;
        if let (Trigger::Schedule(schedule), TriggerSlot::Schedule) = (trigger, slot) {
            match case.changed(schedule).truth {
                Truth::False => return out.push_str("the stage runs this build already: nothing has changed"),
                Truth::Unknown => {
                    telling.facts.push("current.id".into());
                    return out.push_str("what the stage runs was not supplied, so it may not have changed");
                }
                Truth::True => {}
            }
            if let Status::Unmet | Status::Waiting = telling.status {
                let expr = escape(&schedule.expr);
                return out.extend(["came by the schedule, but no firing of `", &*expr, "` is due"]);
            }
        }
        match telling.status {
            Status::Met => return self.came(out),
            Status::Unknown => {
                self.came(out);
                return self.trigger_facts(trigger, telling);
            }
            _ if matches!(slot, TriggerSlot::Manual { .. }) => {}
            _ => out.push_str("came by "),
        }
        self.came(out);
        out.push_str("; wants ");
        self.wants(trigger, out);
    }

    /// What a trigger that is unknown asks for.
    fn trigger_facts(&self, trigger: &'a Trigger, telling: &mut RuleTelling<'a>) {
        let case = &self.case;
        let missing = match (trigger, &case.slots.trigger) {
            (_, TriggerSlot::Unknown) => "trigger",
            (Trigger::Push { to: Some(_) }, _) => "build.branch",
            (Trigger::PullRequest { to: Some(_) }, _) => "trigger.branch",
            (Trigger::Manual { by: Some(people) }, came) => {
                let missing = people.directories.iter().find(|group| case.slots.directory(**group).is_none());
                match missing.and_then(|id| case.program.groups.get(id.0 as usize)) {
                    Some(group) if matches!(came, TriggerSlot::Manual { by: Some(_) }) => {
                        return telling.facts.push(format!("group {}", group.name).into());
                    }
                    _ => "trigger.by",
                }
            }
            (Trigger::Completion { of: Some(_) }, _) => "trigger.of",
            (Trigger::Event { .. }, _) => "trigger.name",
            _ => return,
        };
        telling.facts.push(missing.into());
    }

    fn wants(&self, trigger: &Trigger, out: &mut String) {
        let case = &self.case;
        match trigger {
            Trigger::Push { to: None } => out.push_str("a push"),
            Trigger::Push { to: Some(to) } => out.extend(["a push to ", &*escape(&to.glob)]),
            Trigger::PullRequest { to: None } => out.push_str("a pull request"),
            Trigger::PullRequest { to: Some(to) } => out.extend(["a pull request to ", &*escape(&to.glob)]),
            Trigger::Manual { by: None } => out.push_str("a person to ask"),
            Trigger::Manual { by: Some(by) } => {
                let groups = by.directories.iter().filter_map(|group| case.program.groups.get(group.0 as usize));
                let groups: Vec<String> = groups.map(|group| format!("someone of {}", group.name)).collect();
                let people = by.people.iter().map(|person| case.person(person.0));
                joined(people.chain(groups.iter().map(String::as_str)), "or", out);
                out.push_str(" to ask");
            }
            Trigger::Completion { of: None } => out.push_str("the end of a stage"),
            Trigger::Completion { of: Some(stage) } => out.extend(["the end of ", self.stage_name(*stage)]),
            Trigger::Event { name } => out.extend(["the event ", &*escape(name)]),
            Trigger::Schedule(schedule) => out.extend(["a firing of `", &*escape(&schedule.expr), "`"]),
        }
    }

    fn distinct(&self, out: &mut String) {
        let Some(assigned) = &self.snapshot.assigned else { return };
        let from = out.len();
        let mut sentences = Sentences::new(out);
        for (rule, people) in self.case.stage.rules.iter().zip(assigned) {
            if approve_of(rule).is_some() && !people.is_empty() {
                sentences.begin();
                self.sentence(people, sentences.out);
                sentences.out.extend([" for ", rule.name.as_str()]);
            }
        }
        if out.len() == from {
            out.push_str("nobody counts yet");
        }
    }

    /// Names as in a sentence.
    pub(super) fn sentence(&self, people: &[Person], out: &mut String) {
        joined(people.iter().map(|person| self.case.person(*person)), "and", out);
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
            .map(|i| InvokedBy { by: case.person(i.person).to_string(), at: instant(i.at), reason: i.reason.clone() })
            .collect();
        let skipped = match state.yes {
            true => {
                let skips = rule.skips.iter().map(|id| id.0 as usize);
                let skips = skips
                    .filter(|i| self.snapshot.rules.get(*i).is_some_and(|s| s.raw == super::snapshot::Raw::Overridden));
                skips.filter_map(|i| case.name(i)).map(String::from).collect()
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
                _ if entry.at > t => self.and_when("invokes it in the future, ", entry.at).into_owned(),
                Some(Bar::NotListed) => "is not among the people of this override".into(),
                Some(Bar::Author) => "is the author and does not count".into(),
                Some(Bar::Contributor) => "contributed to the build and does not count".into(),
                Some(Bar::Requester) => "asked for the promotion and does not count".into(),
                Some(Bar::Excepted) => "is excepted by this override".into(),
                None => match rule.valid.map(|valid| entry.at.saturating_add(valid)).filter(|expires| t >= *expires) {
                    Some(expires) => self.and_when("invoked it, but that expired at ", expires).into_owned(),
                    None if rule.reason_required && entry.reason.as_deref().is_none_or(|r| r.trim().is_empty()) => {
                        "gave no reason, and one is required".into()
                    }
                    None => "is excepted by this override".into(),
                },
            };
            told.push(NotCounted { by: case.person(entry.person).to_string(), reason });
        }
        let unsure = self.unsure(&state.counted.unsure);
        if !state.yes && !unsure.is_empty() {
            let mut names = String::new();
            joined(unsure.iter().map(|name| &**name), "and", &mut names);
            let valid = invoked.iter().filter(|i| i.at <= t && state.counted.valid.binary_search(&i.person).is_ok());
            told.extend(valid.map(|i| NotCounted {
                by: case.person(i.person).to_string(),
                reason: format!("invoked it, but {names} was not supplied"),
            }));
        }
        if !state.guard {
            let mut reason = String::from("invoked it, but it does not apply: ");
            if let Some(id) = rule.guard {
                condition(case, self.snapshot, id, true, &mut reason, &mut Vec::new());
            }
            told.extend(
                invoked.iter().map(|i| NotCounted { by: case.person(i.person).to_string(), reason: reason.clone() }),
            );
        }
        told
    }
}
