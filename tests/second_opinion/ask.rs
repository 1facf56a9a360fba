//! One request put to one stage: who said what, what ran where, who counts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use jiff::tz::TimeZone;
use stagegate::diagnostic::SourceId;
use stagegate::facts::{Approval, Invocation, Request, Run, RunStatus, TriggerFact, Word};
use stagegate::syntax::tree::{Approve, Count, Except, Including, People, RuleKind, Trigger};

use crate::model::{Asked, Body, Model, OverrideModel, StageModel};
use crate::times::{Firings, Set};
use crate::truth::Truth;
use crate::zones::{HOUR, Instant, SECOND, zone};

pub fn nanos(t: DateTime<Utc>) -> Instant {
    Instant::from(t.timestamp_nanos_opt().unwrap())
}

pub struct Ask<'a> {
    pub model: &'a Model<'a>,
    pub request: &'a Request,
    pub stage: &'a StageModel<'a>,
    /// For each rule: its times, if it is a window or a freeze.
    pub sets: Vec<Option<Set<'a>>>,
    /// For each rule: its firings, if it is a schedule.
    pub firings: Vec<Option<Firings>>,
}

impl<'a> Ask<'a> {
    pub fn new(model: &'a Model<'a>, request: &'a Request) -> Ask<'a> {
        let stage = model.stages.iter().find(|stage| stage.name == request.stage).expect("a stage of the policy");
        let mut ask = Ask { model, request, stage, sets: Vec::new(), firings: Vec::new() };
        let calendar = |name: &str| {
            let times = model.calendars[name];
            (times, model.homes[&times.span.source].clone())
        };
        for rule in &stage.rules {
            let Body::Rule(kind) = rule.body else {
                ask.sets.push(None);
                ask.firings.push(None);
                continue;
            };
            ask.sets.push(match kind {
                RuleKind::Window(times) | RuleKind::Freeze(times) => {
                    Some(Set::new(times, ask.home(times.span.source), &calendar))
                }
                _ => None,
            });
            ask.firings.push(match kind {
                RuleKind::Trigger(Trigger::Schedule { cron, zone: written, within, .. }) => {
                    let home = written.as_ref().map_or_else(|| ask.home(cron.span.source).clone(), |name| zone(name));
                    let within = within.as_ref().map_or(HOUR, |d| Instant::from(d.seconds) * SECOND);
                    Some(Set::schedule(cron, &home, within))
                }
                _ => None,
            });
        }
        ask
    }

    pub fn home(&self, source: SourceId) -> &TimeZone {
        &self.model.homes[&source]
    }

    pub fn requester(&self) -> Option<&'a str> {
        match (&self.request.requester, &self.request.trigger) {
            (Some(name), _) => Some(name),
            (None, Some(TriggerFact::Manual { by })) => by.as_deref(),
            _ => None,
        }
    }

    /// The members of a group, if they are known.
    pub fn members(&self, group: &str) -> Option<Vec<&'a str>> {
        match self.model.groups.get(group).unwrap_or_else(|| panic!("no group {group}")) {
            Some(listed) => Some(listed.clone()),
            None => self.request.groups.get(group).map(|members| members.iter().map(String::as_str).collect()),
        }
    }

    // ------------------------------------------------------------ runs

    fn same_digest(&self, digest: &Option<String>) -> bool {
        match (digest, &self.request.build.digest) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        }
    }

    fn same_build(&self, id: &Option<String>) -> bool {
        id.as_ref().is_none_or(|id| *id == self.request.build.id)
    }

    fn runs(&self, stage: &str, t: Instant) -> impl Iterator<Item = &'a Run> {
        let ours = |run: &&Run| {
            run.stage == stage && self.same_build(&run.build) && self.same_digest(&run.digest) && nanos(run.at) <= t
        };
        self.request.history.iter().filter(ours).collect::<Vec<_>>().into_iter()
    }

    /// The newest run of this build in a stage; of two at one instant the worse one.
    pub fn newest(&self, stage: &str, t: Instant) -> Option<&'a Run> {
        let worst =
            [RunStatus::Succeeded, RunStatus::Pending, RunStatus::Skipped, RunStatus::Cancelled, RunStatus::Failed];
        self.runs(stage, t).max_by_key(|run| (run.at, worst.iter().position(|status| *status == run.status)))
    }

    /// When it last ended there for this build.
    pub fn ended(&self, stage: &str, t: Instant) -> Option<Instant> {
        self.runs(stage, t).filter(|run| run.status != RunStatus::Pending).map(|run| nanos(run.at)).max()
    }

    // ------------------------------------------------------------ people

    fn in_people(&self, people: &[People], person: &str) -> Truth {
        Truth::any(people.iter().map(|term| match term {
            People::Group(word) => Truth::maybe(self.members(word).map(|members| members.contains(&person))),
            People::List(list) => Truth::of(list.iter().any(|word| word.value == person)),
        }))
    }

    /// Whether a person is surely among them.
    pub fn listed(&self, people: &[People], person: &str) -> bool {
        self.in_people(people, person) == Truth::True
    }

    pub fn may_trigger(&self, people: &[People], person: &str) -> Truth {
        self.in_people(people, person)
    }

    fn excepted(&self, terms: &[Except], person: &str) -> Truth {
        Truth::any(terms.iter().map(|term| match term {
            Except::Requester(_) => Truth::maybe(self.requester().map(|name| name == person)),
            Except::ApproversOf(_) => Truth::False,
            Except::Name(word) if self.model.groups.contains_key(word.value.as_str()) => {
                Truth::maybe(self.members(word).map(|members| members.contains(&person)))
            }
            Except::Name(word) => Truth::of(word.value == person),
            Except::People(list) => Truth::of(list.iter().any(|word| word.value == person)),
        }))
    }

    /// Whether a person wrote the build, or part of it, and does not count therefore.
    fn barred(&self, including: Option<Including>, person: &str) -> Truth {
        let build = &self.request.build;
        let author = Truth::maybe(build.author.as_ref().map(|author| author == person));
        let contributor =
            Truth::of(build.contributors.as_ref().is_some_and(|list| list.iter().any(|name| name == person)));
        match including {
            Some(Including::Contributors) => Truth::False,
            Some(Including::Author) if author == Truth::Unknown => contributor,
            Some(Including::Author) => Truth::all([contributor, !author]),
            None => Truth::any([author, contributor]),
        }
    }

    /// Whether a person could count, whatever others do.
    pub fn eligible(&self, asked: &Asked<'_>, person: &str) -> Truth {
        Truth::all([
            self.in_people(&asked.quorum.people, person),
            !self.barred(asked.including, person),
            !self.excepted(asked.except, person),
        ])
    }

    fn unsupplied(&self, group: &str) -> bool {
        self.model.groups.contains_key(group) && self.members(group).is_none()
    }

    /// Whether there may be more people than are known.
    pub fn open(&self, asked: &Asked<'_>) -> bool {
        asked.quorum.people.iter().any(|term| matches!(term, People::Group(word) if self.unsupplied(word)))
    }

    /// Whether it is not known who does not count.
    pub fn hazy(&self, asked: &Asked<'a>, t: Instant) -> bool {
        let except = asked.except.iter().any(|term| match term {
            Except::Requester(_) => self.requester().is_none(),
            Except::Name(word) => self.unsupplied(word),
            _ => false,
        });
        let contributors = self.request.build.contributors.as_ref().is_some_and(|list| !list.is_empty());
        let author = match asked.including {
            None => self.request.build.author.is_none(),
            Some(Including::Author) => self.request.build.author.is_none() && contributors,
            Some(Including::Contributors) => false,
        };
        let others = self.others(asked).filter(|other| self.applies(*other, t));
        let chained =
            others.map(|(_, other)| crate::ask::asked(other)).any(|other| self.hazy(&other, t) || self.open(&other));
        except || author || chained
    }

    /// Everyone named in the policy's groups and lists or in the request.
    pub fn everybody(&self) -> BTreeSet<&'a str> {
        let mut all = BTreeSet::new();
        for group in self.model.groups.keys() {
            all.extend(self.members(group).unwrap_or_default());
        }
        let mut quorums = Vec::new();
        for rule in &self.stage.rules {
            if let Body::Rule(RuleKind::Approve(approve)) = rule.body {
                quorums.push(&approve.quorum);
            }
        }
        quorums.extend(self.stage.overrides.iter().map(|o| &o.what.quorum));
        for term in quorums.iter().flat_map(|quorum| &quorum.people) {
            if let People::List(list) = term {
                all.extend(list.iter().map(|word| word.value.as_str()));
            }
        }
        all.extend(self.request.approvals.iter().map(|approval| approval.by.as_str()));
        all.extend(self.request.overrides.iter().map(|invocation| invocation.by.as_str()));
        all
    }

    /// How many are needed; `None` when that is not known.
    pub fn needed(&self, asked: &Asked<'a>, t: Instant) -> Option<usize> {
        match asked.count() {
            Count::Number(n) => Some(n as usize),
            Count::All if self.open(asked) => None,
            Count::All => {
                let elsewhere = |person: &str| {
                    self.others(asked).any(|other| self.applies(other, t) && self.may_count(other.1, person, t))
                };
                let all = self.everybody().into_iter();
                let all = all.filter(|p| self.eligible(asked, p) != Truth::False && !elsewhere(p)).count();
                // Of nobody, one.
                Some(all.max(1))
            }
        }
    }

    // ------------------------------------------------------------ approvals

    fn concerns(&self, approval: &Approval, t: Instant) -> bool {
        approval.stage.as_ref().is_none_or(|stage| *stage == self.request.stage)
            && self.same_build(&approval.build)
            && self.same_digest(&approval.digest)
            && nanos(approval.at) <= t
    }

    /// The last word of each person. At one instant the less willing word stands.
    pub fn last_words(&self, t: Instant) -> BTreeMap<&'a str, (Word, Instant)> {
        let mut words: BTreeMap<&str, (Instant, Word)> = BTreeMap::new();
        for approval in self.request.approvals.iter().filter(|approval| self.concerns(approval, t)) {
            let said = (nanos(approval.at), approval.decision);
            let last = words.entry(approval.by.as_str()).or_insert(said);
            *last = (*last).max(said);
        }
        words.into_iter().map(|(person, (at, word))| (person, (word, at))).collect()
    }

    /// Whether a person's approval counts for a rule, as far as others do not matter.
    pub fn counts(&self, approve: &Approve, person: &str, t: Instant) -> Truth {
        let Some((Word::Approve, at)) = self.last_words(t).get(person).copied() else { return Truth::False };
        let since = approve.since.as_ref().is_none_or(|stage| {
            self.newest(stage, t).is_some_and(|run| run.status == RunStatus::Succeeded && nanos(run.at) < at)
        });
        let valid = approve.valid.as_ref().is_none_or(|d| t < at + Instant::from(d.seconds) * SECOND);
        let asked = asked(approve);
        let elsewhere = self.others(&asked).any(|other| self.applies(other, t) && self.may_count(other.1, person, t));
        Truth::all([self.eligible(&asked, person), Truth::of(since && valid && !elsewhere)])
    }

    /// Whether a person, surely one of those asked for, counts as far as is known.
    pub fn may_count(&self, approve: &Approve, person: &str, t: Instant) -> bool {
        self.listed(&approve.quorum.people, person) && self.counts(approve, person, t) != Truth::False
    }

    /// The rules whose approvers do not count.
    pub fn others(&self, asked: &Asked<'a>) -> impl Iterator<Item = (usize, &'a Approve)> {
        let names: Vec<&str> = asked.not_of().collect();
        let all = self.stage.rules.iter().enumerate();
        let found: Vec<(usize, &'a Approve)> = all
            .filter_map(|(index, rule)| match rule.body {
                Body::Rule(RuleKind::Approve(approve)) if names.contains(&rule.name.as_str()) => Some((index, approve)),
                _ => None,
            })
            .collect();
        found.into_iter()
    }

    pub fn applies(&self, (index, _): (usize, &Approve), t: Instant) -> bool {
        self.guard(self.stage.rules[index].guards, t) != Truth::False
    }

    /// Who has a reject standing against a rule.
    pub fn rejecters(&self, approve: &Approve, t: Instant) -> Vec<&'a str> {
        let words = self.last_words(t).into_iter();
        let rejects = words.filter(|(_, (word, _))| *word == Word::Reject).map(|(person, _)| person);
        let listed = |person: &&str| self.listed(&approve.quorum.people, person);
        rejects.filter(listed).filter(|person| self.eligible(&asked(approve), person) != Truth::False).collect()
    }

    // ------------------------------------------------------------ overrides

    fn invokes(&self, over: &OverrideModel<'_>, invocation: &Invocation, t: Instant) -> Truth {
        let at = nanos(invocation.at);
        let valid = over.what.valid.as_ref().is_none_or(|d| t < at + Instant::from(d.seconds) * SECOND);
        let reason = invocation.reason.as_ref().is_some_and(|reason| !reason.trim().is_empty());
        let holds = invocation.name == over.name
            && invocation.stage.as_ref().is_none_or(|stage| *stage == self.request.stage)
            && self.same_build(&invocation.build)
            && self.same_digest(&invocation.digest)
            && at <= t
            && valid
            && (reason || !over.what.reason_required);
        Truth::all([Truth::of(holds), self.eligible(&over.asked(), &invocation.by)])
    }

    /// Whose invocations of an override count.
    pub fn invokers(&self, over: &OverrideModel<'_>, t: Instant) -> BTreeSet<&'a str> {
        let all = self.request.overrides.iter();
        all.filter(|invocation| self.invokes(over, invocation, t) == Truth::True).map(|i| i.by.as_str()).collect()
    }

    pub fn in_force(&self, over: &'a OverrideModel<'a>, t: Instant) -> bool {
        self.guard(over.guards, t) == Truth::True
            && !self.hazy(&over.asked(), t)
            && self.needed(&over.asked(), t).is_some_and(|needed| self.invokers(over, t).len() >= needed)
    }
}

pub fn asked(approve: &Approve) -> Asked<'_> {
    Asked { quorum: &approve.quorum, including: approve.including.as_ref().map(|i| i.value), except: &approve.except }
}

impl<'a> OverrideModel<'a> {
    pub fn asked(&self) -> Asked<'a> {
        let including = self.what.including.as_ref().map(|i| i.value);
        Asked { quorum: &self.what.quorum, including, except: &self.what.except }
    }
}
