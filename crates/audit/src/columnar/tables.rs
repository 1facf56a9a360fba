//! What stands in which column of which table.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use stagegate::{Action, Current, TriggerFact, Value, Word};

use super::columns::{Cell, Column, Scalar, Shape};
use super::facts::FactColumns;
use crate::{Dropped, Record, Review};

const TEXT: Shape = Shape::Always(Scalar::Text);
const TIME: Shape = Shape::Always(Scalar::Time);
const WHOLE: Shape = Shape::Always(Scalar::Whole);
const BOOL: Shape = Shape::Always(Scalar::Bool);
const SOME_TEXT: Shape = Shape::One(Scalar::Text);
const SOME_TIME: Shape = Shape::One(Scalar::Time);
const SOME_WHOLE: Shape = Shape::One(Scalar::Whole);
const TEXTS: Shape = Shape::List(Scalar::Text);

/// Names and shapes; rows are put together in this order.
const DECISIONS: &[(&str, Shape)] = &[
    ("seq", WHOLE),
    ("at", TIME),
    ("id", TEXT),
    ("recorded", TIME),
    ("verdict", TEXT),
    ("stage", TEXT),
    ("build", TEXT),
    ("policy", TEXT),
    ("policy_digest", TEXT),
    ("language", WHOLE),
    ("engine", TEXT),
    ("tzdb", TEXT),
    ("action", TEXT),
    ("trigger", SOME_TEXT),
    ("trigger_what", SOME_TEXT),
    ("requester", SOME_TEXT),
    ("asked_by", SOME_TEXT),
    ("author", SOME_TEXT),
    ("contributors", TEXTS),
    ("branch", SOME_TEXT),
    ("commit", SOME_TEXT),
    ("version", SOME_TEXT),
    ("digest", SOME_TEXT),
    ("labels", TEXTS),
    ("created", SOME_TIME),
    ("current_build", SOME_TEXT),
    ("blocking", TEXTS),
    ("overridden_by", TEXTS),
    ("allowed_at", SOME_TIME),
    ("valid_until", SOME_TIME),
    ("withheld", Shape::Map(Scalar::Text)),
    ("other_facts", Shape::One(Scalar::Json)),
];

const RULES: &[(&str, Shape)] = &[
    ("seq", WHOLE),
    ("at", TIME),
    ("stage", TEXT),
    ("rule", TEXT),
    ("kind", TEXT),
    ("status", TEXT),
    ("blocking", BOOL),
    ("until", SOME_TIME),
    ("missing", SOME_WHOLE),
    ("overridden_by", SOME_TEXT),
];

const APPROVALS: &[(&str, Shape)] = &[
    ("seq", WHOLE),
    ("at", TIME),
    ("stage", TEXT),
    ("by", TEXT),
    ("word", TEXT),
    ("said_at", TIME),
    ("for_stage", SOME_TEXT),
    ("for_build", SOME_TEXT),
    ("for_digest", SOME_TEXT),
    ("comment", SOME_TEXT),
    ("counted_for", TEXTS),
];

const OVERRIDES: &[(&str, Shape)] = &[
    ("seq", WHOLE),
    ("at", TIME),
    ("stage", TEXT),
    ("override", TEXT),
    ("by", TEXT),
    ("invoked_at", TIME),
    ("reason", SOME_TEXT),
    ("counted", BOOL),
    ("in_force", BOOL),
    ("skipped", TEXTS),
];

const REVIEWS: &[(&str, Shape)] =
    &[("seq", WHOLE), ("recorded", TIME), ("id", TEXT), ("of", TEXT), ("by", TEXT), ("note", TEXT)];

const DROPPED: &[(&str, Shape)] = &[
    ("seq", WHOLE),
    ("recorded", TIME),
    ("id", TEXT),
    ("count", WHOLE),
    ("since", TIME),
    ("until", TIME),
    ("why", TEXT),
];

/// The tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Decisions,
    Rules,
    Approvals,
    Overrides,
    Reviews,
    Dropped,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Decisions => "decisions",
            Kind::Rules => "rules",
            Kind::Approvals => "approvals",
            Kind::Overrides => "overrides",
            Kind::Reviews => "reviews",
            Kind::Dropped => "dropped",
        }
    }

    pub fn columns(self, facts: &FactColumns) -> Vec<Column> {
        let columns = match self {
            Kind::Decisions => DECISIONS,
            Kind::Rules => RULES,
            Kind::Approvals => APPROVALS,
            Kind::Overrides => OVERRIDES,
            Kind::Reviews => REVIEWS,
            Kind::Dropped => DROPPED,
        };
        let mut columns: Vec<Column> = columns.iter().map(|(name, shape)| Column::new(*name, *shape)).collect();
        if self == Kind::Decisions {
            columns.extend(facts.columns());
        }
        columns
    }
}

/// Fills a row from its first column on.
struct Row<'c> {
    columns: std::slice::IterMut<'c, Column>,
}

impl<'c> Row<'c> {
    fn of(columns: &'c mut [Column]) -> Row<'c> {
        Row { columns: columns.iter_mut() }
    }

    fn text(&mut self, text: &str) {
        self.some(Some(text));
    }

    fn some(&mut self, text: Option<&str>) {
        if let Some(column) = self.columns.next() {
            column.text(text);
        }
    }

    fn whole(&mut self, value: impl TryInto<i64>) {
        self.cell(Some(Cell::Whole(value.try_into().unwrap_or(i64::MAX))));
    }

    fn time(&mut self, at: DateTime<Utc>) {
        self.some_time(Some(at));
    }

    /// Microseconds; what is finer is cut off.
    fn some_time(&mut self, at: Option<DateTime<Utc>>) {
        self.cell(at.map(|at| Cell::Whole(at.timestamp_micros())));
    }

    fn bool(&mut self, value: bool) {
        self.cell(Some(Cell::Bool(value)));
    }

    fn cell(&mut self, cell: Option<Cell>) {
        if let Some(column) = self.columns.next() {
            column.one(cell);
        }
    }

    fn texts<'t>(&mut self, texts: Option<impl IntoIterator<Item = &'t str>>) {
        if let Some(column) = self.columns.next() {
            match texts {
                Some(texts) => column.texts(texts),
                None => {
                    column.one(None);
                }
            }
        }
    }
}

fn strings(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().map(String::as_str)
}

/// The row of a decision.
pub(super) fn decision(columns: &mut [Column], seq: u64, record: &Record, facts: &FactColumns) {
    let Record { id, recorded, asked_by, engine, tzdb, withheld, request, decision } = record;
    let build = &request.build;
    let (trigger, what) = request.trigger.as_ref().map_or((None, None), trigger);
    let own = DECISIONS.len().min(columns.len());
    let (columns, of_facts) = columns.split_at_mut(own);
    let mut row = Row::of(columns);
    row.whole(seq);
    row.time(decision.at());
    row.text(&id.to_string());
    row.time(*recorded);
    row.text(decision.verdict().as_str());
    row.text(decision.stage());
    row.text(decision.build());
    row.text(&decision.policy().name);
    row.text(&decision.policy().digest);
    row.whole(decision.policy().language);
    row.text(engine);
    row.text(tzdb);
    row.text(match request.action.unwrap_or_default() {
        Action::Promote => "promote",
        Action::Redeploy => "redeploy",
        Action::Rollback => "rollback",
    });
    row.some(trigger);
    row.some(what.as_deref());
    row.some(request.requester.as_deref());
    row.some(asked_by.as_deref());
    row.some(build.author.as_deref());
    row.texts(build.contributors.as_deref().map(strings));
    row.some(build.branch.as_deref());
    row.some(build.commit.as_deref());
    row.some(build.version.as_deref());
    row.some(build.digest.as_deref());
    row.texts(build.labels.as_deref().map(strings));
    row.some_time(build.created);
    row.some(match &request.current {
        Current::Build(occupant) => occupant.id.as_deref(),
        Current::Nothing | Current::Unknown => None,
    });
    row.texts(Some(strings(decision.blocking())));
    row.texts(Some(decision.overrides().iter().filter(|one| one.in_force).map(|one| one.name.as_str())));
    row.some_time(decision.allowed_at());
    row.some_time(decision.valid_until());
    let (secret, open): (Vec<_>, Vec<_>) = request.facts.iter().partition(|(name, _)| withheld.contains(name));
    if let Some(column) = row.columns.next() {
        let digests = secret.iter().map(|(name, value)| {
            let digest = match value {
                Value::Map(map) => map.get("withheld"),
                _ => None,
            };
            let digest = match digest {
                Some(Value::String(digest)) => Some(Cell::Text(digest.clone())),
                _ => None,
            };
            ((*name).clone(), digest)
        });
        column.map(digests);
    }
    let rest = facts.put(&decision.policy().digest, open, of_facts);
    row.cell((!rest.is_empty()).then(|| Cell::Text(serde_json::to_string(&rest).unwrap_or_default())));
}

/// Its kind, and who or what.
fn trigger(trigger: &TriggerFact) -> (Option<&'static str>, Option<String>) {
    let (kind, what) = match trigger {
        TriggerFact::Push { branch } => ("push", branch.clone()),
        TriggerFact::PullRequest { branch } => ("pull-request", branch.clone()),
        TriggerFact::Manual { by } => ("manual", by.clone()),
        TriggerFact::Completion { of } => ("completion", of.clone()),
        TriggerFact::Event { name } => ("event", name.clone()),
        TriggerFact::Schedule { at } => ("schedule", at.map(|at| at.to_rfc3339())),
    };
    (Some(kind), what)
}

/// Rows of a table, and what each of them does to its columns.
pub(super) type Rows<'r> = Vec<Box<dyn Fn(&mut [Column]) + 'r>>;

/// The rows of its rules.
pub(super) fn rules(seq: u64, record: &Record) -> Rows<'_> {
    let decision = &record.decision;
    let rows = decision.rules().iter().map(move |rule| {
        Box::new(move |columns: &mut [Column]| {
            let mut row = Row::of(columns);
            row.whole(seq);
            row.time(decision.at());
            row.text(decision.stage());
            row.text(&rule.rule);
            row.text(rule.kind.as_str());
            row.text(rule.status.as_str());
            row.bool(decision.blocking().contains(&rule.rule));
            row.some_time(rule.until);
            row.cell(rule.missing.map(|missing| Cell::Whole(i64::from(missing))));
            row.some(rule.overridden_by.as_deref());
        }) as Box<dyn Fn(&mut [Column])>
    });
    rows.collect()
}

/// The rows of what approvers said.
pub(super) fn approvals(seq: u64, record: &Record) -> Rows<'_> {
    let decision = &record.decision;
    let mut counted: HashMap<&str, Vec<&str>> = HashMap::new();
    for rule in decision.rules() {
        for person in rule.counted.iter().flatten() {
            counted.entry(person).or_default().push(&rule.rule);
        }
    }
    let rows = record.request.approvals.iter().map(|approval| {
        // Only a yes counts for anything.
        let yes = approval.decision == Word::Approve;
        let counted = if yes { counted.get(approval.by.as_str()).cloned().unwrap_or_default() } else { Vec::new() };
        Box::new(move |columns: &mut [Column]| {
            let mut row = Row::of(columns);
            row.whole(seq);
            row.time(decision.at());
            row.text(decision.stage());
            row.text(&approval.by);
            row.text(match approval.decision {
                Word::Approve => "approve",
                Word::Withdraw => "withdraw",
                Word::Reject => "reject",
            });
            row.time(approval.at);
            row.some(approval.stage.as_deref());
            row.some(approval.build.as_deref());
            row.some(approval.digest.as_deref());
            row.some(approval.comment.as_deref());
            row.texts(Some(counted.iter().copied()));
        }) as Box<dyn Fn(&mut [Column])>
    });
    rows.collect()
}

/// The rows of overrides that were invoked.
pub(super) fn overrides(seq: u64, record: &Record) -> Rows<'_> {
    let decision = &record.decision;
    let rows = record.request.overrides.iter().map(move |invoked| {
        let report = decision.overrides().iter().find(|report| report.name == invoked.name);
        Box::new(move |columns: &mut [Column]| {
            let mut row = Row::of(columns);
            row.whole(seq);
            row.time(decision.at());
            row.text(decision.stage());
            row.text(&invoked.name);
            row.text(&invoked.by);
            row.time(invoked.at);
            row.some(invoked.reason.as_deref());
            row.bool(report.is_some_and(|report| {
                report.by.iter().any(|counted| counted.by == invoked.by && counted.at == invoked.at)
            }));
            row.bool(report.is_some_and(|report| report.in_force));
            row.texts(Some(report.map(|report| strings(&report.skipped)).into_iter().flatten()));
        }) as Box<dyn Fn(&mut [Column])>
    });
    rows.collect()
}

/// The row of a review.
pub(super) fn review(columns: &mut [Column], seq: u64, review: &Review) {
    let mut row = Row::of(columns);
    row.whole(seq);
    row.time(review.recorded);
    row.text(&review.id.to_string());
    row.text(&review.of.to_string());
    row.text(&review.by);
    row.text(&review.note);
}

/// The row of what was dropped.
pub(super) fn dropped(columns: &mut [Column], seq: u64, dropped: &Dropped) {
    let mut row = Row::of(columns);
    row.whole(seq);
    row.time(dropped.recorded);
    row.text(&dropped.id.to_string());
    row.whole(dropped.count);
    row.time(dropped.since);
    row.time(dropped.until);
    row.text(&dropped.why);
}
