//! Instants near the edges of windows, freezes and schedules.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Varying, shifted};
use crate::decide::snapshot::SECOND;
use crate::program::{Body, Trigger};
use crate::schedule::{NextEdge, TimeSet};

/// So many edges of a set on each side of now.
const EDGES: usize = 6;
/// How far back edges are looked for, in seconds: a week and a day.
const BACK: i64 = 8 * 86_400;

impl Varying<'_> {
    /// Now near each edge: alone, and with everything else moved along.
    pub(super) fn times(&mut self) {
        let stage = self.stage;
        for rule in &stage.rules {
            self.rule = Some(rule.name.clone());
            let (set, begins, ends) = match &rule.body {
                Body::Window(set) => (set, "opens", "closes"),
                Body::Freeze(set) => (set, "freezes", "thaws"),
                Body::Trigger(Trigger::Schedule(schedule)) => (&schedule.met, "fires", "is over"),
                _ => continue,
            };
            for (edge, begin) in edges(set, self.now.timestamp()) {
                let what = if begin { begins } else { ends };
                for (by, words) in [
                    (-1, "a second before"),
                    (0, "at the second when"),
                    (-1_800, "half an hour before"),
                    (1_800, "half an hour after"),
                ] {
                    let Some(at) = DateTime::from_timestamp(edge.saturating_add(by), 0) else { continue };
                    let day = at.with_timezone(&self.policy.zone()).format("%Y-%m-%d").to_string();
                    let name = format!("{words} {} {what} on {day}", rule.name);
                    self.at(at, &name);
                }
            }
        }
        self.rule = None;
        if let Ok(decision) = self.policy.decide(self.base) {
            for change in [decision.valid_until(), decision.allowed_at()].into_iter().flatten() {
                if change > self.now {
                    let before = DateTime::from_timestamp_nanos(
                        change.timestamp_nanos_opt().unwrap_or(0).saturating_sub(1).div_euclid(SECOND) * SECOND,
                    );
                    self.with("a second before the verdict changes", |r| r.now = Some(before));
                    self.with("at the second when the verdict changes", |r| r.now = Some(change));
                }
            }
        }
    }

    fn at(&mut self, at: DateTime<Utc>, name: &str) {
        let by: TimeDelta = at - self.now;
        let moved = shifted(self.base, by);
        self.push(name, moved);
        self.with(format!("{name}, nothing else later"), |r| r.now = Some(at));
    }
}

/// Edges near an instant; whether each is a beginning.
pub(crate) fn edges(set: &TimeSet, t: i64) -> Vec<(i64, bool)> {
    let mut fuel = 50_000;
    let mut out = Vec::new();
    let mut from = t.saturating_sub(BACK).max(0);
    // Those before now, the last of them only; then those after it.
    let mut after = 0;
    while after < EDGES {
        let NextEdge::At(edge) = set.next_edge(from, &mut fuel) else { break };
        after += usize::from(edge > t);
        out.push((edge, set.contains(edge)));
        from = edge;
    }
    let skip = out.len().saturating_sub(2 * EDGES);
    out.split_off(skip)
}
