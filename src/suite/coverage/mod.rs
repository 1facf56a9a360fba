//! What the tests of a policy exercise, and what they do not.
//!
//! Coverage is counted by the structure of the policy, never by its lines: laying the file out anew changes no number.
//! There is a *point* for each status that a rule of a stage can reach, for each truth value that a test of a condition
//! can have, for each way an override can go, and for both sides of each edge of a window or freeze.

mod html;
mod lcov;
pub(crate) mod reach;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::decide::snapshot::{Fuel, SECOND};
use crate::decide::truth::Truth;
use crate::decide::{Decision, Prepared, Status};
use crate::diagnostic::{Place, Span};
use crate::policy::Policy;
use crate::program::{Body, Op, Program, Stage};
use crate::schedule::{NextEdge, TimeSet};

/// Seconds on either side of an edge within which a test exercises it.
const NEAR: i64 = 3_600;

/// What the tests of one policy exercise.
#[derive(Clone, Debug, Serialize)]
pub struct Coverage {
    /// The file of the policy.
    pub policy: String,
    /// Everything that there is to exercise, in the order of the stages and their rules.
    pub points: Vec<Point>,
    #[serde(skip)]
    source: Policy,
}

/// Something to exercise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Of what kind it is.
    pub kind: PointKind,
    /// The stage; `None` for a test of a condition, which may stand in a definition that many stages use.
    pub stage: Option<String>,
    /// The rule, the override, or the test as written.
    pub subject: String,
    /// What it is to do: `unmet`, `false`, `in force`, `just before it opens`.
    pub outcome: String,
    /// How often it did.
    pub hits: u64,
    /// Where it is written.
    pub at: Place,
    #[serde(skip)]
    pub(crate) span: Span,
}

/// The kinds of [`Point`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointKind {
    /// A rule reached a status.
    Status,
    /// A test of a condition was true, false or unknown.
    Test,
    /// An override was in force, was invoked in vain, was not invoked.
    Override,
    /// A window or freeze was asked for on one side of an edge.
    Edge,
}

impl PointKind {
    /// In the plural, for a summary.
    fn plural(self) -> &'static str {
        match self {
            PointKind::Status => "statuses of rules",
            PointKind::Test => "outcomes of tests",
            PointKind::Override => "outcomes of overrides",
            PointKind::Edge => "sides of edges in time",
        }
    }
}

const OVERRIDE_OUTCOMES: [&str; 3] = ["in force", "invoked in vain", "not invoked"];
const EDGE_SIDES: [&str; 4] =
    ["just before it begins", "just after it begins", "just before it ends", "just after it ends"];

/// What one thread has seen of one policy.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    stages: Vec<SeenStage>,
}

#[derive(Clone, Debug, Default)]
struct SeenStage {
    /// By rule, by index into [`Status::ALL`].
    rules: Vec<[u64; 7]>,
    /// By entry: false, unknown, true.
    ops: Vec<[u64; 3]>,
    overrides: Vec<[u64; 3]>,
    /// By rule: as [`EDGE_SIDES`].
    edges: Vec<[u64; 4]>,
}

impl Seen {
    pub fn new(policy: &Policy) -> Seen {
        let stage = |stage: &Stage| SeenStage {
            rules: vec![[0; 7]; stage.rules.len()],
            ops: vec![[0; 3]; stage.ops.len()],
            overrides: vec![[0; 3]; stage.overrides.len()],
            edges: vec![[0; 4]; stage.rules.len()],
        };
        Seen { stages: policy.inner.program.stages.iter().map(stage).collect() }
    }

    pub fn add(&mut self, other: &Seen) {
        fn sum<const N: usize>(mine: &mut [[u64; N]], other: &[[u64; N]]) {
            for (mine, other) in mine.iter_mut().flatten().zip(other.iter().flatten()) {
                *mine += other;
            }
        }
        for (mine, other) in self.stages.iter_mut().zip(&other.stages) {
            sum(&mut mine.rules, &other.rules);
            sum(&mut mine.ops, &other.ops);
            sum(&mut mine.overrides, &other.overrides);
            sum(&mut mine.edges, &other.edges);
        }
    }

    /// Notes what one decision exercised.
    pub fn note(&mut self, prepared: &Prepared, decision: &Decision) {
        let Some(case) = prepared.case() else { return };
        let Some(seen) = self.stages.get_mut(case.slots.stage.0 as usize) else { return };
        let mut fuel = Fuel::new(case.program.search_steps);
        let snapshot = case.at(case.slots.now, &mut fuel);
        for (truth, hits) in snapshot.ops.iter().zip(&mut seen.ops) {
            let index = match truth.truth {
                Truth::False => 0,
                Truth::Unknown => 1,
                Truth::True => 2,
            };
            bump(hits, index);
        }
        for (report, hits) in decision.rules().iter().zip(&mut seen.rules) {
            bump(hits, Status::ALL.iter().position(|s| *s == report.status).unwrap_or(0));
        }
        for (index, (state, hits)) in snapshot.overrides.iter().zip(&mut seen.overrides).enumerate() {
            let invoked = case.slots.invoked.get(index).is_some_and(|invoked| !invoked.is_empty());
            bump(
                hits,
                if state.yes {
                    0
                } else if invoked {
                    1
                } else {
                    2
                },
            );
        }
        for (rule, hits) in case.stage.rules.iter().zip(&mut seen.edges) {
            if let Body::Window(set) | Body::Freeze(set) = &rule.body {
                near_edges(set, case.slots.now.div_euclid(SECOND), hits);
            }
        }
    }
}

fn bump<const N: usize>(hits: &mut [u64; N], index: usize) {
    if let Some(hit) = hits.get_mut(index) {
        *hit += 1;
    }
}

/// Which sides of which edges an instant is near.
fn near_edges(set: &TimeSet, t: i64, hits: &mut [u64; 4]) {
    let mut fuel = 10_000;
    let mut from = t.saturating_sub(NEAR);
    // An hour holds few edges, unless the set is made of single minutes.
    for _ in 0..16 {
        let NextEdge::At(edge) = set.next_edge(from, &mut fuel) else { return };
        if edge > t.saturating_add(NEAR) {
            return;
        }
        let begins = set.contains(edge);
        let index = match (begins, t < edge) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        bump(hits, index);
        from = edge;
    }
}

impl Coverage {
    pub(crate) fn new(policy: &Policy, file: &str, seen: &Seen) -> Coverage {
        let program = &policy.inner.program;
        let mut points = Vec::new();
        // A test of a definition stands in the program of each stage that uses it; it is one place.
        let mut tests: BTreeMap<Span, ([u64; 3], [bool; 3])> = BTreeMap::new();
        for (index, stage) in program.stages.iter().enumerate() {
            let blank = SeenStage::default();
            let seen = seen.stages.get(index).unwrap_or(&blank);
            stage_points(program, stage, seen, &mut points);
            for (op, hits) in stage.ops.iter().zip(&seen.ops) {
                let Op::Test(test) = op else { continue };
                let (sum, can) = tests.entry(test.span).or_default();
                sum.iter_mut().zip(hits).for_each(|(sum, hits)| *sum += hits);
                *can = [true, can[1] || reach::can_be_unknown(program, test), true];
            }
        }
        for (span, (hits, can)) in tests {
            for (index, outcome) in [(2, "true"), (0, "false"), (1, "unknown")] {
                let (Some(hits), Some(can)) = (hits.get(index), can.get(index)) else { continue };
                if !can && *hits == 0 {
                    continue;
                }
                let text = program.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
                points.push(Point {
                    kind: PointKind::Test,
                    stage: None,
                    subject: text,
                    outcome: outcome.into(),
                    hits: *hits,
                    at: program.sources.place(span),
                    span,
                });
            }
        }
        Coverage { policy: file.to_string(), points, source: policy.clone() }
    }

    /// Points that were exercised, and all points.
    pub fn counts(&self) -> (usize, usize) {
        (self.points.iter().filter(|p| p.hits > 0).count(), self.points.len())
    }

    /// The exercised part of all points, 0 to 100; 100 when there is nothing to exercise.
    pub fn percent(&self) -> f64 {
        percent(self.counts())
    }

    /// The points that no test exercised.
    pub fn missed(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|p| p.hits == 0)
    }

    /// A summary for a terminal: the numbers, and what was never exercised.
    pub fn text(&self) -> String {
        let mut out = format!("{}: {:.1} % covered\n", self.policy, self.percent());
        for kind in [PointKind::Status, PointKind::Test, PointKind::Override, PointKind::Edge] {
            let of_kind = || self.points.iter().filter(move |p| p.kind == kind);
            let (hit, all) = (of_kind().filter(|p| p.hits > 0).count(), of_kind().count());
            if all > 0 {
                let _ = writeln!(out, "  {hit:>4} of {all:<4} {}", kind.plural());
            }
        }
        let missed = grouped(self.missed());
        if !missed.is_empty() {
            out.push_str("  never exercised:\n");
        }
        for ((place, of), outcomes) in missed {
            let _ = writeln!(out, "    {place}: {of}: {}", outcomes.join(", "));
        }
        out
    }

    /// A page that shows the policy with what was never exercised. It needs no other file.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// The same as an lcov trace: a line for each place, a branch for each point.
    pub fn lcov(&self) -> String {
        lcov::trace(self)
    }
}

/// The part of a pair `(hit, all)`, 0 to 100.
pub(crate) fn percent((hit, all): (usize, usize)) -> f64 {
    if all == 0 { 100.0 } else { 100.0 * hit as f64 / all as f64 }
}

/// Outcomes by place and subject, in the order of the policy.
fn grouped<'a>(points: impl Iterator<Item = &'a Point>) -> Vec<((Place, String), Vec<String>)> {
    let mut groups: Vec<((Place, String), Vec<String>)> = Vec::new();
    for point in points {
        let of = match (&point.stage, point.kind) {
            (Some(stage), PointKind::Override) => format!("{stage}, override {}", point.subject),
            (Some(stage), _) => format!("{stage}, rule {}", point.subject),
            (None, _) => format!("`{}`", point.subject),
        };
        let key = (point.at.clone(), of);
        match groups.last_mut() {
            Some((last, outcomes)) if *last == key => outcomes.push(point.outcome.clone()),
            _ => groups.push((key, vec![point.outcome.clone()])),
        }
    }
    groups
}

fn stage_points(program: &Program, stage: &Stage, seen: &SeenStage, points: &mut Vec<Point>) {
    let point = |kind: PointKind, subject: &str, outcome: &str, hits: u64, span: Span| Point {
        kind,
        stage: Some(stage.name.clone()),
        subject: subject.to_string(),
        outcome: outcome.to_string(),
        hits,
        at: program.sources.place(span),
        span,
    };
    for (index, rule) in stage.rules.iter().enumerate() {
        let hits = seen.rules.get(index).copied().unwrap_or_default();
        let reachable = reach::statuses(program, stage, index);
        for (status, hits) in Status::ALL.into_iter().zip(hits) {
            if hits > 0 || reachable.contains(&status) {
                points.push(point(PointKind::Status, &rule.name, status.as_str(), hits, rule.span));
            }
        }
        if let Body::Window(set) | Body::Freeze(set) = &rule.body {
            let hits = seen.edges.get(index).copied().unwrap_or_default();
            let can = reach::edges(set);
            for ((side, hits), can) in EDGE_SIDES.into_iter().zip(hits).zip(can) {
                if hits > 0 || can {
                    points.push(point(PointKind::Edge, &rule.name, side, hits, rule.span));
                }
            }
        }
    }
    for (rule, hits) in stage.overrides.iter().zip(&seen.overrides) {
        for (outcome, hits) in OVERRIDE_OUTCOMES.into_iter().zip(hits) {
            points.push(point(PointKind::Override, &rule.name, outcome, *hits, rule.span));
        }
    }
}
