//! Boundary cases from the policy alone: requests one step on either side of each edge, with what the engine decides.

use std::collections::BTreeSet;
use std::fmt::Write;

use chrono::{DateTime, Offset, TimeDelta, Utc};

use super::block;
use super::vary::{self, Variation, edges};
use crate::decide::{Decision, Verdict};
use crate::facts::{Request, RequestError};
use crate::policy::Policy;
use crate::program::{Body, Trigger};
use crate::syntax::tree::Item;

/// Boundary cases of one stage.
#[derive(Clone, Debug)]
pub struct Boundaries {
    /// The stage.
    pub stage: String,
    /// A request that the stage lets in, which the cases depart from; if there is none that was found, one that comes
    /// near.
    pub usual: Request,
    /// The decision on it.
    pub decision: Decision,
    /// The cases, in the order of the rules.
    pub cases: Vec<BoundaryCase>,
    scenario: Option<String>,
    policy: Policy,
}

/// A request at an edge of a policy.
#[derive(Clone, Debug)]
pub struct BoundaryCase {
    /// In what it departs from the usual request: `coverage is 79`.
    pub name: String,
    /// The rule that it is near an edge of, where that is known.
    pub rule: Option<String>,
    /// The request.
    pub request: Request,
    /// What the engine decides.
    pub decision: Decision,
    /// The same as a test block.
    pub block: String,
}

/// So many days around a change of the clocks.
const AROUND: i64 = 2 * 86_400;

/// Requests one step on either side of each edge of a stage: of thresholds, windows (to the second), soaks, expiries and
/// quorums, and of windows on the days when clocks change. The policy alone is looked at, and the same policy gives the
/// same cases.
///
/// # Errors
/// When the policy has no such stage.
pub fn boundaries(policy: &Policy, stage: &str) -> Result<Boundaries, RequestError> {
    let stages: Vec<&str> = policy.stages().collect();
    if !stages.contains(&stage) {
        return Err(RequestError::unknown_stage(stage, &stages));
    }
    let usual = vary::let_in(policy, stage).ok_or_else(|| RequestError::unknown_stage(stage, &stages))?;
    let decision = policy.decide(&usual)?;
    let mut boundaries = Boundaries {
        stage: stage.to_string(),
        scenario: block::steps(&usual, policy).map(|_| scenario_name(policy, stage)),
        usual,
        decision,
        cases: Vec::new(),
        policy: policy.clone(),
    };
    let mut all = vary::variations(policy, &boundaries.usual);
    all.retain(|v| !v.what.contains("half an hour") && !v.what.contains("a day longer"));
    all.extend(clock_changes(policy, &boundaries.usual));
    boundaries.add_all(all);
    Ok(boundaries)
}

impl Boundaries {
    /// The usual request as a scenario, if it can be written as one, and every case as a test block that takes it in.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if let (Some(name), Some(steps)) = (&self.scenario, block::steps(&self.usual, &self.policy)) {
            let _ = write!(out, "scenario {name} {{\n{steps}}}\n\n");
        }
        let zone = self.policy.zone();
        if let Some(name) = &self.scenario {
            let title = block::quoted(&format!("{}: as usual", self.stage));
            let expect = block::expect_verdict(&self.decision, zone);
            let _ = write!(out, "test {title} {{\n  given {name}\n  {expect}\n}}\n\n");
        }
        for case in &self.cases {
            out.push_str(&case.block);
            out.push('\n');
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    fn add_all(&mut self, variations: Vec<Variation>) {
        let mut decided: Vec<(Variation, Decision)> = Vec::new();
        for variation in variations {
            let Ok(decision) = self.policy.decide(&variation.request) else { continue };
            decided.push((variation, decision));
        }
        // Moving now alone reads better than moving everything, where it comes to the same.
        let mut skip: BTreeSet<usize> = BTreeSet::new();
        for (index, pair) in decided.windows(2).enumerate() {
            let [(moved, a), (alone, b)] = pair else { continue };
            let Some(name) = alone.what.strip_suffix(", nothing else later") else { continue };
            if name != moved.what {
                continue;
            }
            let same = a.rules().iter().map(|r| r.status).eq(b.rules().iter().map(|r| r.status));
            skip.insert(if same { index } else { index + 1 });
        }
        let mut names: BTreeSet<String> = BTreeSet::new();
        let zone = self.policy.zone();
        for (index, (variation, decision)) in decided.into_iter().enumerate() {
            if skip.contains(&index) {
                continue;
            }
            let what = variation.what.trim_end_matches(", nothing else later").to_string();
            let mut expects = vec![block::expect_verdict(&decision, zone)];
            if let (Some(opens), true) = (decision.allowed_at(), decision.verdict() != Verdict::Allow)
                && decision.valid_until() != Some(opens)
            {
                expects.push(block::expect_opens(decision.stage(), opens, zone));
            }
            let mut title = format!("{}: {what}", self.stage);
            for n in 2.. {
                if names.insert(title.clone()) {
                    break;
                }
                title = format!("{}: {what} ({n})", self.stage);
            }
            let block = match self.block(&title, &variation.request, &expects) {
                Some(block) => block,
                None => continue,
            };
            self.cases.push(BoundaryCase {
                name: title,
                rule: variation.rule,
                request: variation.request,
                decision,
                block,
            });
        }
    }

    fn block(&self, title: &str, request: &Request, expects: &[String]) -> Option<String> {
        let short = self.scenario.as_ref().zip(block::added(&self.usual, request, &self.policy));
        let Some((scenario, steps)) = short else {
            return block::test(title, request, expects, &self.policy);
        };
        let mut out = format!("test {} {{\n  given {scenario}\n{steps}", block::quoted(title));
        for expect in expects {
            let _ = writeln!(out, "  {expect}");
        }
        out.push_str("}\n");
        Some(out)
    }
}

/// A name that no scenario of the policy has.
fn scenario_name(policy: &Policy, stage: &str) -> String {
    let taken = |name: &str| {
        policy.files().iter().flat_map(|file| &file.items).any(|item| match &item.value {
            Item::Scenario(scenario) => scenario.name.value == name,
            _ => false,
        })
    };
    let mut name = format!("usual-{}", stage.to_lowercase());
    while taken(&name) {
        name.push_str("-2");
    }
    name
}

/// The edges of the stage's windows, freezes and schedules around the next two changes of the policy's clocks.
fn clock_changes(policy: &Policy, usual: &Request) -> Vec<Variation> {
    let mut out = Vec::new();
    let (Some(now), Some(stage)) =
        (usual.now, policy.inner.program.stages.iter().find(|stage| stage.name == usual.stage))
    else {
        return out;
    };
    for change in changes(policy.zone(), now) {
        for rule in &stage.rules {
            let (set, begins, ends) = match &rule.body {
                Body::Window(set) => (set, "opens", "closes"),
                Body::Freeze(set) => (set, "freezes", "thaws"),
                Body::Trigger(Trigger::Schedule(schedule)) => (&schedule.met, "fires", "is over"),
                _ => continue,
            };
            let near = edges(set, change).into_iter().filter(|(edge, _)| (edge - change).abs() <= AROUND);
            for (edge, begin) in near {
                for (by, words) in [(-1, "a second before"), (0, "at the second when")] {
                    let Some(at) = DateTime::from_timestamp(edge.saturating_add(by), 0) else { continue };
                    let day = at.with_timezone(&policy.zone()).format("%Y-%m-%d");
                    let what = if begin { begins } else { ends };
                    let name = format!("{words} {} {what} on {day}, when the clocks change", rule.name);
                    let moved = vary::shifted(usual, at - now);
                    let alone = Request { now: Some(at), ..usual.clone() };
                    out.push(Variation { what: name.clone(), rule: Some(rule.name.clone()), request: moved });
                    out.push(Variation {
                        what: format!("{name}, nothing else later"),
                        rule: Some(rule.name.clone()),
                        request: alone,
                    });
                }
            }
        }
    }
    out
}

/// The next two instants, in seconds, at which the offset of a zone changes within a year.
fn changes(zone: chrono_tz::Tz, from: DateTime<Utc>) -> Vec<i64> {
    let offset = |at: DateTime<Utc>| at.with_timezone(&zone).offset().fix();
    let mut out = Vec::new();
    let mut day = from;
    for _ in 0..366 {
        let next = day + TimeDelta::days(1);
        if offset(next) != offset(day) {
            let (mut low, mut high) = (day.timestamp(), next.timestamp());
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                let same = DateTime::from_timestamp(middle, 0).is_some_and(|at| offset(at) == offset(day));
                if same { low = middle } else { high = middle }
            }
            out.push(high);
        }
        day = next;
    }
    out.truncate(2);
    out
}
