//! Approvals as a decision tells of them: who counts, who does not and why, whose would help.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;

use super::decision::Status;
use super::explain::Explaining;
use super::snapshot::approve_of;
use super::telling::{Approvals, RuleTelling};
use super::words::{when, why_not};
use crate::facts::Word;
use crate::facts::slots::{OtherWhy, Person, Said};
use crate::people::matching::{Demand, assign_first, helped_by};
use crate::people::{Asked, Bar, Counted, Unsure, since};
use crate::plain::{escape, push_number};
use crate::program::{Approve, Count, Quorum, RuleId};

impl<'a, 's> Explaining<'a, 's> {
    pub(super) fn asked(&self, index: usize, quorum: &'a Quorum) -> Option<Asked<'a>> {
        let sets = self.case.plan.quorums.get(index)?;
        Some(Asked { slots: self.case.slots, quorum, sets })
    }

    /// Who is counted for a rule: with distinct approvers those who are assigned to it.
    pub fn counted_people(&self, index: usize) -> &'s [Person] {
        let people = match &self.snapshot.assigned {
            Some(assigned) => assigned.get(index),
            None => self.snapshot.counted.get(index).and_then(Option::as_ref).map(|counted| &counted.valid),
        };
        people.map(Vec::as_slice).unwrap_or_default()
    }

    /// What the `approve` rules demand.
    fn demands(&self) -> &[Demand] {
        self.demands.get_or_init(|| self.case.demands(self.snapshot))
    }

    /// How many approvals an `approve` rule misses, and whose would help.
    pub fn lacking(&self, index: usize) -> Option<(u32, Vec<Person>)> {
        let counted = self.snapshot.counted.get(index)?.as_ref()?;
        let have = self.counted_people(index).len();
        let missing = counted.needed?.saturating_sub(have);
        let from = match &self.snapshot.assigned {
            None => self.could_still(index),
            Some(assigned) => {
                let mut seen = HashSet::new();
                let rules = helped_by(self.demands(), assigned, index);
                rules
                    .into_iter()
                    .flat_map(|rule| self.could_still(rule))
                    .filter(|person| seen.insert(*person))
                    .collect()
            }
        };
        Some((missing as u32, from))
    }

    /// Whether, with nobody counting twice, there are people enough for these rules and those that are met already.
    pub fn could_be_shared_out(&self, missing: &[usize]) -> bool {
        let mut demands = self.demands().to_vec();
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
    pub fn could_still(&self, index: usize) -> Vec<Person> {
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

    /// Whether a person counts for a rule that bars the approvers of this one: who approves here is lost there.
    pub fn counts_instead(&self, index: usize, person: Person) -> bool {
        let here = RuleId(index as u32);
        self.case.plan.chained.iter().any(|id| {
            let rule = self.case.stage.rules.get(id.0 as usize).and_then(approve_of);
            let counted = self.snapshot.counted.get(id.0 as usize).and_then(Option::as_ref);
            rule.is_some_and(|approve| approve.quorum.except.approvers_of.contains(&here))
                && counted.is_some_and(|counted| counted.valid.binary_search(&person).is_ok())
        })
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

    pub(super) fn approve(&self, approve: &'a Approve, index: usize, telling: &mut RuleTelling<'a>, out: &mut String) {
        let case = &self.case;
        let (Some(Some(counted)), Some(asked)) = (self.snapshot.counted.get(index), self.asked(index, &approve.quorum))
        else {
            return;
        };
        let people = self.counted_people(index);
        push_number(out, people.len() as u64);
        match (asked.quorum.count, counted.needed) {
            (Count::All, Some(needed)) => {
                out.push_str(" of all ");
                push_number(out, needed as u64);
            }
            (_, Some(needed)) => {
                out.push_str(" of ");
                push_number(out, needed as u64);
            }
            (_, None) => out.push_str(" of all"),
        }
        out.push_str(": ");
        if people.is_empty() {
            out.push_str("nobody has approved");
        } else {
            self.sentence(people, out);
            out.push_str(" approved");
        }
        if !counted.rejected.is_empty() {
            out.push_str("; ");
            self.sentence(&counted.rejected, out);
            out.push_str(" rejects it");
        }
        if telling.status == Status::Unknown {
            telling.facts = self.unsure(&counted.unsure);
            if !telling.facts.is_empty() {
                let _ = write!(out, "; {} was not supplied", telling.facts.join(", "));
            }
        }
        let mut approvals = Box::new(Approvals {
            missing: None,
            from: None,
            counted: people.to_vec(),
            not_counted: self.not_counted(approve, &asked, counted, people),
            rejected_by: counted.rejected.clone(),
        });
        if !approvals.not_counted.is_empty() {
            let told = approvals.not_counted.iter().map(|(person, reason)| (case.person(*person), &**reason));
            why_not(told, |why| out.extend(["; ", why]));
        }
        if telling.status == Status::Met || telling.status == Status::Overridden && counted.reached() {
            approvals.missing = Some(0);
        } else if let Some((missing, from)) = self.lacking(index) {
            (approvals.missing, approvals.from) = (Some(missing), Some(from));
        }
        telling.approvals = Some(approvals);
    }

    pub(super) fn unsure(&self, unsure: &[Unsure]) -> Vec<Cow<'a, str>> {
        let mut facts: Vec<Cow<'a, str>> = Vec::new();
        for unsure in unsure {
            let name = match unsure {
                Unsure::Author => "build.author".into(),
                Unsure::Requester => "requester".into(),
                Unsure::Directory(group) => {
                    let group = self.case.program.groups.get(group.0 as usize);
                    format!("group {}", group.map_or("?", |group| group.name.as_str())).into()
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
        approve: &'a Approve,
        asked: &Asked<'_>,
        counted: &Counted,
        people: &[Person],
    ) -> Vec<(Person, Cow<'a, str>)> {
        let case = &self.case;
        let mut told: Vec<(Person, Cow<'a, str>)> = Vec::new();
        let counts = |person: Person| people.binary_search(&person).is_ok();
        let mut words = self.snapshot.last.of(&approve.quorum);
        if let Cow::Owned(words) = &mut words {
            words.extend_from_slice(self.outsiders());
            words.sort_by_key(|said| said.person);
        }
        for said in words.iter() {
            if counts(said.person) || said.word == Word::Reject && counted.rejected.binary_search(&said.person).is_ok()
            {
                continue;
            }
            let reason = match (said.word, asked.bar(said.person)) {
                (_, Some(Bar::NotListed)) if self.case.plan.is_listed(said.person, case.slots) => continue,
                (Word::Withdraw, Some(_)) => continue,
                (_, Some(Bar::NotListed)) => "is not among the people of this rule".into(),
                (_, Some(Bar::Author)) => "is the author and does not count".into(),
                (_, Some(Bar::Contributor)) => "contributed to the build and does not count".into(),
                (_, Some(Bar::Requester)) => "asked for the promotion and does not count".into(),
                (_, Some(Bar::Excepted)) => "is excepted by this rule".into(),
                (Word::Withdraw, None) => self.and_when("withdrew ", said.at),
                (Word::Reject, None) => continue,
                (Word::Approve, None) => self.why_not(approve, said.person, said.at),
            };
            told.push((said.person, reason));
        }
        for said in self.snapshot.last.later.iter().filter(|s| s.word == Word::Approve) {
            if asked.listed(said.person) && !counts(said.person) {
                told.push((said.person, self.and_when("approves in the future, ", said.at)));
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
            told.push((other.said.person, reason.into()));
        }
        told.dedup();
        told
    }

    /// The last words of people whom no rule of the stage lists.
    fn outsiders(&self) -> &[Said] {
        self.outsiders.get_or_init(|| {
            let words = self.snapshot.last.words.iter().copied();
            words.filter(|said| !self.case.plan.is_listed(said.person, self.case.slots)).collect()
        })
    }

    pub(super) fn and_when(&self, words: &str, t: i64) -> Cow<'a, str> {
        let mut text = String::from(words);
        when(self.case.program, t, &mut text);
        text.into()
    }

    /// Why the approval of someone who may count does not.
    fn why_not(&self, approve: &Approve, person: Person, at: i64) -> Cow<'a, str> {
        let case = &self.case;
        let t = self.snapshot.t;
        if let Some(expires) = approve.valid.map(|valid| at.saturating_add(valid)).filter(|expires| t >= *expires) {
            return self.and_when("approved, but that expired at ", expires);
        }
        let stage = approve.since.map_or("?", |stage| self.stage_name(stage));
        match since(approve, case.slots, t).0 {
            Err(()) => return format!("approved, but {stage} has not succeeded").into(),
            Ok(Some(after)) if at <= after => {
                return self.and_when(&format!("approved before {stage} succeeded ("), after) + ")";
            }
            Ok(_) => {}
        }
        if let Some(rule) = self.approver_of(&approve.quorum, person) {
            let name = case.name(rule.0 as usize).unwrap_or_default();
            return format!("counts for {name} and not here").into();
        }
        let elsewhere = self.snapshot.assigned.as_ref().and_then(|assigned| {
            let rule = assigned.iter().position(|people| people.binary_search(&person).is_ok())?;
            case.name(rule)
        });
        match elsewhere {
            Some(name) => format!("counts for {name}, and nobody counts twice").into(),
            None => "is not needed".into(),
        }
    }
}
