//! Mixed requests for the Space Game policy: the same ones for the same seed, about half of them allowed.

use std::collections::BTreeMap;

use super::chance::Chance;

/// 2026-03-02T00:00:00 in Los Angeles (a Monday, UTC-8), in seconds.
const MONDAY: i64 = 1_772_438_400;
const HOUR: i64 = 3_600;

/// One request, as a tool has it at hand.
#[derive(Clone, Debug)]
pub struct Promotion {
    pub stage: &'static str,
    /// Seconds since the epoch.
    pub now: i64,
    /// `push`, `manual` or `schedule`
    pub trigger: &'static str,
    /// Who asked for a manual one.
    pub by: Option<&'static str>,
    pub id: String,
    pub branch: String,
    pub author: &'static str,
    pub labels: Vec<String>,
    /// Stage, status, seconds.
    pub history: Vec<(&'static str, &'static str, i64)>,
    /// Who, seconds.
    pub approvals: Vec<(&'static str, i64)>,
    pub coverage: f64,
    pub checks: BTreeMap<String, String>,
    /// The build that the stage runs.
    pub current: String,
}

impl Promotion {
    /// The request in JSON, as a tool would send it.
    pub fn json(&self) -> String {
        let time = |at: i64| chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut trigger = serde_json::json!({ "kind": self.trigger });
        if let Some(by) = self.by {
            trigger["by"] = by.into();
        }
        if self.trigger == "push" {
            trigger["branch"] = self.branch.clone().into();
        }
        let history: Vec<_> = (self.history.iter())
            .map(|(stage, status, at)| serde_json::json!({ "stage": stage, "status": status, "at": time(*at) }))
            .collect();
        let approvals: Vec<_> = (self.approvals.iter())
            .map(|(by, at)| serde_json::json!({ "by": by, "decision": "approve", "at": time(*at) }))
            .collect();
        serde_json::json!({
            "stage": self.stage,
            "now": time(self.now),
            "trigger": trigger,
            "build": { "id": self.id, "branch": self.branch, "author": self.author, "labels": self.labels },
            "current": { "id": self.current },
            "history": history,
            "approvals": approvals,
            "facts": { "coverage": self.coverage, "checks": self.checks },
        })
        .to_string()
    }
}

/// So many requests.
pub fn promotions(seed: u64, count: usize) -> Vec<Promotion> {
    let mut chance = Chance::new(seed);
    (0..count).map(|_| promotion(&mut chance)).collect()
}

fn promotion(chance: &mut Chance) -> Promotion {
    let stage = *chance.one_of(&["Dev", "Test", "Test", "Staging", "Staging", "Staging"]);
    // From Monday to Thursday by day, now and then at any time of the week; weeks that do not change the clock.
    let week = MONDAY + chance.below(52) as i64 * 7 * 24 * HOUR;
    let now = match chance.percent(90) {
        true => week + chance.below(4) as i64 * 24 * HOUR + 10 * HOUR + chance.below(8 * 3_600) as i64,
        false => week + chance.below(7 * 24 * 3_600) as i64,
    };
    let number = chance.below(500);
    let author = *chance.one_of(&["mara", "tim", "andy", "kai", "rosa"]);
    let ops = ["tim", "andy", "mara", "lee@tailspin.example"];
    let (trigger, by) = match stage {
        "Dev" => (if chance.percent(95) { "push" } else { "manual" }, "kai"),
        "Test" if chance.percent(12) => ("schedule", ""),
        "Test" => ("manual", if chance.percent(93) { *chance.one_of(&ops) } else { "rosa" }),
        _ => (if chance.percent(97) { "manual" } else { "push" }, *chance.one_of(&["tim", "kai", "rosa"])),
    };
    let good = ["release", "release/2026.3", "release/2026.4"];
    let branch = if chance.percent(93) { *chance.one_of(&good) } else { *chance.one_of(&["main", "feature/x"]) };
    let mut labels = Vec::new();
    if chance.percent(10) {
        labels.push("hotfix".to_string());
    }
    if chance.percent(20) {
        labels.push("ui".to_string());
    }
    let dev = now - (20 + chance.below(40) as i64) * HOUR;
    let test = now - HOUR - chance.below(8 * 3_600) as i64;
    let mut history = Vec::new();
    if stage != "Dev" && chance.percent(97) {
        history.push(("Dev", if chance.percent(97) { "succeeded" } else { "failed" }, dev));
    }
    if stage == "Staging" && chance.percent(97) {
        history.push(("Test", if chance.percent(97) { "succeeded" } else { "failed" }, test));
    }
    let mut approvals = Vec::new();
    if stage == "Staging" {
        if chance.percent(95) {
            approvals.push(("amita", test + 1 + chance.below(3_000) as i64));
        }
        for who in ops {
            if chance.percent(50) {
                let old = chance.percent(8);
                let age = if old { 25 * HOUR } else { chance.below(20 * 3_600) as i64 };
                approvals.push((who, now - age));
            }
        }
        if chance.percent(10) {
            approvals.push(("rosa", now - HOUR));
        }
    }
    let status = |chance: &mut Chance| if chance.percent(95) { "passed" } else { "failed" }.to_string();
    let mut checks = BTreeMap::new();
    for name in ["unit", "lint", "e2e"] {
        if chance.percent(96) {
            checks.insert(name.to_string(), status(chance));
        }
    }
    let coverage = (6_000 + chance.below(40) as i64 * 100) as f64 / 100.0;
    Promotion {
        stage,
        now,
        trigger,
        by: (trigger == "manual").then_some(by),
        id: format!("2026.3.{number}"),
        branch: branch.to_string(),
        author,
        labels,
        history,
        approvals,
        coverage: if chance.percent(90) { coverage.max(80.0) } else { coverage },
        checks,
        current: format!("2026.2.{}", chance.below(500)),
    }
}
