//! Recorded requests under another policy: what becomes of them?

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use stagegate::{Decision, Policy, PolicyRef, Request, Status, Verdict};

use super::line::{self, Recorded, Rules};
use super::secrets::{Secrets, declared};
use super::{Lines, NotDecided, Options, in_pieces};
use crate::{Id, LogError};

/// What another policy makes of a log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The other policy.
    pub policy: PolicyRef,
    /// Records that were to be decided again.
    pub records: u64,
    /// The first instant that one of them was decided for.
    pub first: Option<DateTime<Utc>>,
    /// The last.
    pub last: Option<DateTime<Utc>>,
    /// Records with the same verdict.
    pub same: u64,
    /// Records with another verdict.
    pub changed: u64,
    /// Those of them that are allowed now, and were not.
    pub newly_allowed: u64,
    /// Those of them that are on hold now, and were not.
    pub newly_held: u64,
    /// Those of them that are denied now, and were not.
    pub newly_denied: u64,
    /// By stage, in the order of their names.
    pub stages: Vec<StageTally>,
    /// By rule: those that made a difference, the most frequent first.
    pub rules: Vec<RuleTally>,
    /// The records with another verdict: those of one stage to which the same happened for the same reasons.
    pub changes: Vec<Change>,
    /// Records that the other policy cannot decide. They count as neither allowed nor the same.
    pub undecided: Vec<NotDecided>,
    /// Records that could not be decided because the value of a secret is not known.
    pub withheld: Vec<NotDecided>,
}

/// The records of one stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StageTally {
    /// The stage.
    pub stage: String,
    /// Decided again.
    pub decided: u64,
    /// With the same verdict.
    pub same: u64,
    /// Allowed now, and not then.
    pub newly_allowed: u64,
    /// On hold now, and not then.
    pub newly_held: u64,
    /// Denied now, and not then.
    pub newly_denied: u64,
}

/// How often a rule made a difference, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleTally {
    /// The stage.
    pub stage: String,
    /// The rule, and how it stood and stands.
    #[serde(flatten)]
    pub change: RuleChange,
    /// The verdict that the record has now.
    pub newly: Verdict,
    /// Records.
    pub count: u64,
}

/// A rule that stood in the way in one of both decisions and not in the other, or in another way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RuleChange {
    /// The rule.
    pub rule: String,
    /// How it stood; `None` when the policy that decided had no such rule.
    pub was: Option<Status>,
    /// How it stands; `None` when the other policy has no such rule.
    pub is: Option<Status>,
}

/// Records of one stage to which the same happened for the same reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The stage.
    pub stage: String,
    /// The verdict that was recorded.
    pub was: Verdict,
    /// The verdict of the other policy.
    pub is: Verdict,
    /// The rules that made the difference.
    pub rules: Vec<RuleChange>,
    /// The records, in the order of their recording.
    pub ids: Vec<Id>,
}

impl Comparison {
    /// How many records were not decided again.
    pub fn not_decided(&self) -> u64 {
        count(&self.undecided) + count(&self.withheld)
    }
}

fn count(not: &[NotDecided]) -> u64 {
    not.iter().map(|one| one.ids.len() as u64).sum()
}

type Key = (String, Verdict, Verdict, Vec<RuleChange>);

/// What became of some of the records.
#[derive(Default)]
pub(super) struct Partial {
    records: u64,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    /// Decided again, and of these the same, by stage.
    stages: BTreeMap<String, (u64, u64)>,
    changes: BTreeMap<Key, Vec<Id>>,
    undecided: BTreeMap<String, Vec<Id>>,
    withheld: BTreeMap<String, Vec<Id>>,
}

/// Reasons that are told apart; what is beyond is gathered under one.
const REASONS: usize = 1_000;
const OTHER: &str = "for other reasons";

fn put(reasons: &mut BTreeMap<String, Vec<Id>>, reason: String, ids: impl IntoIterator<Item = Id>) {
    let reason = if reasons.len() >= REASONS && !reasons.contains_key(&reason) { OTHER.to_string() } else { reason };
    reasons.entry(reason).or_default().extend(ids);
}

impl Partial {
    /// So many records, decided for these instants and ones in between.
    pub(super) fn seen(&mut self, first: DateTime<Utc>, last: DateTime<Utc>, records: u64) {
        self.records += records;
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        self.last = Some(self.last.map_or(last, |known| known.max(last)));
    }

    fn decided(&mut self, stage: &str, same: bool) {
        let add = |(decided, kept): &mut (u64, u64)| {
            *decided += 1;
            *kept += u64::from(same);
        };
        match self.stages.get_mut(stage) {
            Some(tally) => add(tally),
            None => add(self.stages.entry(stage.to_string()).or_default()),
        }
    }

    pub(super) fn gather(&mut self, other: Partial) {
        self.records += other.records;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = [self.last, other.last].into_iter().flatten().max();
        for (stage, (decided, same)) in other.stages {
            let tally = self.stages.entry(stage).or_default();
            *tally = (tally.0 + decided, tally.1 + same);
        }
        for (key, ids) in other.changes {
            self.changes.entry(key).or_default().extend(ids);
        }
        for (reason, ids) in other.undecided {
            put(&mut self.undecided, reason, ids);
        }
        for (reason, ids) in other.withheld {
            put(&mut self.withheld, reason, ids);
        }
    }
}

/// Decides every recorded request again under another policy, each at its own instant. `progress` is told how many lines
/// of how many have been read.
///
/// # Errors
/// When the log cannot be read or is damaged. A request that the policy cannot decide is no error of this function; it
/// is in [`Comparison::undecided`].
pub fn compare(
    lines: &(impl Lines + ?Sized),
    policy: &Policy,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Comparison, LogError> {
    let comparing = Comparing::new(policy, options);
    let mut all = Partial::default();
    let each = |partial: &mut Partial, seq, line: &str| comparing.line(partial, seq, line);
    in_pieces(lines, options, progress, each, |partial| all.gather(partial))?;
    Ok(told(all, policy))
}

pub(super) struct Comparing<'a> {
    policy: &'a Policy,
    declared: BTreeSet<String>,
    options: &'a Options,
}

impl<'a> Comparing<'a> {
    pub(super) fn new(policy: &'a Policy, options: &'a Options) -> Comparing<'a> {
        Comparing { policy, declared: declared(policy), options }
    }

    fn line(&self, partial: &mut Partial, seq: u64, line: &str) -> Result<(), LogError> {
        let Some(recorded) = Recorded::read(seq, line)?.filter(|recorded| self.options.wanted(recorded)) else {
            return Ok(());
        };
        partial.seen(recorded.at, recorded.at, 1);
        let Recorded { id, verdict, request, ref stage, ref withheld, .. } = recorded;
        self.one(partial, &Asked { seq, id, stage, verdict, withheld, request }, || recorded.rules().map(Cow::Owned))
    }

    /// The verdict is asked for first; reasons are worked out where it is another one, for there alone they are told.
    pub(super) fn one<'r>(
        &self,
        partial: &mut Partial,
        asked: &Asked<'_>,
        rules: impl FnOnce() -> Result<Cow<'r, Rules>, LogError>,
    ) -> Result<(), LogError> {
        let mut restored = None;
        // What is withheld and not read by this policy does not matter to it.
        if asked.withheld.iter().any(|name| self.declared.contains(name)) {
            let withheld: Vec<String> =
                asked.withheld.iter().filter(|name| self.declared.contains(*name)).cloned().collect();
            let mut request = asked.request()?;
            let left = Secrets::restore(self.options.secrets.as_ref(), &withheld, &mut request);
            if !left.is_empty() {
                put(&mut partial.withheld, is_withheld(&left), [asked.id]);
                return Ok(());
            }
            restored = Some(request);
        }
        let verdict = match &restored {
            Some(request) => self.policy.verdict(request),
            None => self.policy.verdict_json(asked.request.as_bytes()),
        };
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error) => {
                line::is_json(asked.seq, asked.request)?;
                put(&mut partial.undecided, error.to_string(), [asked.id]);
                return Ok(());
            }
        };
        partial.decided(asked.stage, verdict == asked.verdict);
        if verdict != asked.verdict {
            let request = restored.map_or_else(|| asked.request(), Ok)?;
            let because = match self.policy.decide(&request) {
                Ok(decision) => differences(&*rules()?, &decision),
                // The verdict was given a moment ago.
                Err(_) => Vec::new(),
            };
            let key = (asked.stage.to_string(), asked.verdict, verdict, because);
            partial.changes.entry(key).or_default().push(asked.id);
        }
        Ok(())
    }
}

/// A decision of the log, as far as comparing needs it.
pub(super) struct Asked<'a> {
    pub seq: u64,
    pub id: Id,
    pub stage: &'a str,
    pub verdict: Verdict,
    pub withheld: &'a [String],
    /// In JSON.
    pub request: &'a str,
}

impl Asked<'_> {
    fn request(&self) -> Result<Request, LogError> {
        line::request(self.seq, self.request)
    }
}

/// `deploy-key is withheld`
pub(super) fn is_withheld(names: &[String]) -> String {
    let are = if names.len() == 1 { "is" } else { "are" };
    format!("{} {are} withheld", names.join(", "))
}

/// The rules that stood in the way in one of both decisions and not in the other, or in another way.
fn differences(was: &Rules, is: &Decision) -> Vec<RuleChange> {
    let mut names: Vec<&str> = is.blocking().iter().map(String::as_str).collect();
    names.extend(was.blocking.iter().map(String::as_str).filter(|name| !is.blocking().iter().any(|b| b == name)));
    let changes = names.into_iter().map(|name| RuleChange {
        rule: name.to_string(),
        was: was.rules.iter().find(|rule| rule.rule == name).map(|rule| rule.status),
        is: is.rule(name).map(|rule| rule.status),
    });
    changes.filter(|change| change.was != change.is).collect()
}

pub(super) fn told(all: Partial, policy: &Policy) -> Comparison {
    let Partial { records, first, last, stages, changes, undecided, withheld } = all;
    let mut stages: BTreeMap<String, StageTally> = stages
        .into_iter()
        .map(|(stage, (decided, same))| (stage.clone(), StageTally { stage, decided, same, ..StageTally::default() }))
        .collect();
    let (mut newly_allowed, mut newly_held, mut newly_denied) = (0, 0, 0);
    let mut rules: BTreeMap<(String, RuleChange, Verdict), u64> = BTreeMap::new();
    let mut list = Vec::new();
    for ((stage, was, is, because), mut ids) in changes {
        ids.sort_unstable();
        let count = ids.len() as u64;
        let tally = stages.entry(stage.clone()).or_default();
        let (all, here) = match is {
            Verdict::Allow => (&mut newly_allowed, &mut tally.newly_allowed),
            Verdict::Hold => (&mut newly_held, &mut tally.newly_held),
            Verdict::Deny => (&mut newly_denied, &mut tally.newly_denied),
        };
        *all += count;
        *here += count;
        for change in &because {
            *rules.entry((stage.clone(), change.clone(), is)).or_default() += count;
        }
        list.push(Change { stage, was, is, rules: because, ids });
    }
    let mut rules: Vec<RuleTally> =
        rules.into_iter().map(|((stage, change, newly), count)| RuleTally { stage, change, newly, count }).collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.count));
    Comparison {
        policy: PolicyRef {
            name: policy.name().to_string(),
            digest: policy.digest().to_string(),
            language: stagegate::LANGUAGE,
        },
        records,
        first,
        last,
        same: stages.values().map(|stage| stage.same).sum(),
        changed: newly_allowed + newly_held + newly_denied,
        newly_allowed,
        newly_held,
        newly_denied,
        stages: stages.into_values().collect(),
        rules,
        changes: list,
        undecided: reasons(undecided),
        withheld: reasons(withheld),
    }
}

/// Reasons and records, in the order of their recording.
pub(super) fn reasons(reasons: BTreeMap<String, Vec<Id>>) -> Vec<NotDecided> {
    let sorted = reasons.into_iter().map(|(reason, mut ids)| {
        ids.sort_unstable();
        NotDecided { reason, ids }
    });
    sorted.collect()
}
