//! What the tables beside `entry` hold of an entry. Writing and verifying go through here: it follows from the entry alone.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use stagegate::{Action, Kind, Status, TriggerFact, Verdict, Word};

use crate::{Entry, Id, LogError, Record};

/// The number that stands for it in `decision.verdict`.
pub(crate) fn verdict(verdict: Verdict) -> i64 {
    match verdict {
        Verdict::Allow => 0,
        Verdict::Hold => 1,
        Verdict::Deny => 2,
    }
}

/// The number that stands for it in `rule.status`.
pub(crate) fn status(status: Status) -> i64 {
    match status {
        Status::Met => 0,
        Status::Unmet => 1,
        Status::Waiting => 2,
        Status::Awaiting => 3,
        Status::Unknown => 4,
        Status::NotApplicable => 5,
        Status::Overridden => 6,
    }
}

/// The number that stands for it in `rule.kind`.
pub(crate) fn kind(kind: Kind) -> i64 {
    match kind {
        Kind::After => 0,
        Kind::Soak => 1,
        Kind::Require => 2,
        Kind::Forbid => 3,
        Kind::Advise => 4,
        Kind::Window => 5,
        Kind::Freeze => 6,
        Kind::Approve => 7,
        Kind::Trigger => 8,
        Kind::Exclusive => 9,
        Kind::ForwardOnly => 10,
        Kind::DistinctApprovers => 11,
    }
}

/// The number that stands for it in `decision.action`.
pub(crate) fn action(action: Action) -> i64 {
    match action {
        Action::Promote => 0,
        Action::Redeploy => 1,
        Action::Rollback => 2,
    }
}

/// The number that stands for it in `decision.trigger`.
pub(crate) fn trigger(trigger: &TriggerFact) -> i64 {
    match trigger {
        TriggerFact::Push { .. } => 0,
        TriggerFact::PullRequest { .. } => 1,
        TriggerFact::Schedule { .. } => 2,
        TriggerFact::Manual { .. } => 3,
        TriggerFact::Completion { .. } => 4,
        TriggerFact::Event { .. } => 5,
    }
}

/// `person.role`: their approval counts for the rule.
pub(crate) const COUNTED: i64 = 0;
/// `person.role`: they approved this build for this stage, whether that counts or not.
pub(crate) const APPROVED: i64 = 1;
/// `person.role`: they rejected.
pub(crate) const REJECTED: i64 = 2;
/// `person.role`: they invoked the override that `rule` names.
pub(crate) const INVOKED: i64 = 3;

/// The rows of one entry, with names in place of the numbers of words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows {
    /// `entry.kind`.
    pub kind: i64,
    /// `entry.recorded`.
    pub recorded: i64,
    pub decision: Option<DecisionRow>,
    pub rules: Vec<RuleRow>,
    /// Sorted, each once.
    pub people: Vec<PersonRow>,
    pub overrides: Vec<OverrideRow>,
    pub review: Option<ReviewRow>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DecisionRow {
    pub at: i64,
    /// The digest of the policy.
    pub policy: String,
    pub stage: String,
    pub build: String,
    pub verdict: i64,
    pub action: i64,
    pub trigger: Option<i64>,
    pub requester: Option<String>,
    pub author: Option<String>,
    pub branch: Option<String>,
    pub version: Option<String>,
    pub digest: Option<String>,
    pub asked_by: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RuleRow {
    pub rule: String,
    pub status: i64,
    pub place: i64,
    pub kind: i64,
    pub blocking: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PersonRow {
    pub person: String,
    pub role: i64,
    pub rule: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OverrideRow {
    pub name: String,
    pub in_force: bool,
    pub skipped: String,
    pub invoked: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReviewRow {
    /// The decision's id; the table holds its seq.
    pub of: Id,
    pub by: String,
    pub note: String,
}

/// Nanoseconds since 1970.
pub(crate) fn nanos(at: DateTime<Utc>) -> Result<i64, LogError> {
    at.timestamp_nanos_opt().ok_or_else(|| LogError::Invalid(format!("{at} is too far from 1970 to be recorded")))
}

/// The rows of an entry.
pub(crate) fn rows(entry: &Entry) -> Result<Rows, LogError> {
    let mut rows = Rows {
        kind: 0,
        recorded: nanos(entry.recorded())?,
        decision: None,
        rules: Vec::new(),
        people: Vec::new(),
        overrides: Vec::new(),
        review: None,
    };
    match entry {
        Entry::Decision(record) => decision(record, &mut rows)?,
        Entry::Review(review) => {
            rows.kind = 1;
            rows.review = Some(ReviewRow { of: review.of, by: review.by.clone(), note: review.note.clone() });
        }
        Entry::Dropped(_) => rows.kind = 2,
    }
    Ok(rows)
}

fn decision(record: &Record, rows: &mut Rows) -> Result<(), LogError> {
    let (request, decision) = (&record.request, &record.decision);
    rows.decision = Some(DecisionRow {
        at: nanos(decision.at())?,
        policy: decision.policy().digest.clone(),
        stage: decision.stage().to_string(),
        build: decision.build().to_string(),
        verdict: verdict(decision.verdict()),
        action: action(request.action.unwrap_or_default()),
        trigger: request.trigger.as_ref().map(trigger),
        requester: crate::query::requester(record).map(str::to_string),
        author: request.build.author.clone(),
        branch: request.build.branch.clone(),
        version: request.build.version.clone(),
        digest: request.build.digest.clone(),
        asked_by: record.asked_by.clone(),
    });
    let people = &mut rows.people;
    let mut says = |person: &str, role: i64, rule: Option<&str>| {
        people.push(PersonRow { person: person.to_string(), role, rule: rule.map(str::to_string) });
    };
    let mut names = HashSet::new();
    for (place, report) in decision.rules().iter().enumerate() {
        // The engine makes no such decision; queries count on it.
        if !names.insert(report.rule.as_str()) {
            return Err(LogError::Invalid(format!("the decision has two rules called `{}`", report.rule)));
        }
        rows.rules.push(RuleRow {
            rule: report.rule.clone(),
            status: status(report.status),
            place: i64::try_from(place).unwrap_or(i64::MAX),
            kind: kind(report.kind),
            blocking: decision.blocking().contains(&report.rule),
        });
        for person in report.counted.iter().flatten() {
            says(person, COUNTED, Some(&report.rule));
        }
        for person in &report.rejected_by {
            says(person, REJECTED, Some(&report.rule));
        }
    }
    for approval in &request.approvals {
        let here = approval.stage.as_ref().is_none_or(|stage| stage == decision.stage())
            && approval.build.as_ref().is_none_or(|build| build == decision.build());
        match approval.decision {
            Word::Approve if here => says(&approval.by, APPROVED, None),
            Word::Reject if here => says(&approval.by, REJECTED, None),
            _ => {}
        }
    }
    for report in decision.overrides() {
        for invoked in &report.by {
            says(&invoked.by, INVOKED, Some(&report.name));
        }
        // Texts alone: this cannot fail.
        rows.overrides.push(OverrideRow {
            name: report.name.clone(),
            in_force: report.in_force,
            skipped: serde_json::to_string(&report.skipped).unwrap_or_default(),
            invoked: serde_json::to_string(&report.by).unwrap_or_default(),
        });
    }
    rows.people.sort();
    rows.people.dedup();
    Ok(())
}
