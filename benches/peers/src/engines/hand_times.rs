//! By hand over the request that stagegate reads: instants instead of ages, runs and approvals as they were reported.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

use super::by_hand::{ByHand, OPS, TESTERS};
use crate::{Reads, Stage};

#[derive(Clone, Deserialize)]
pub struct Input {
    stage: String,
    now: DateTime<Utc>,
    trigger: Trigger,
    build: Build,
    #[serde(default)]
    history: Vec<Run>,
    #[serde(default)]
    approvals: Vec<Approval>,
    facts: Facts,
}

#[derive(Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Trigger {
    Push {
        #[serde(rename = "branch")]
        _branch: Option<String>,
    },
    Manual {
        by: Option<String>,
    },
}

#[derive(Clone, Deserialize)]
struct Build {
    id: String,
    branch: String,
    author: String,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Run {
    stage: String,
    status: RunStatus,
    at: DateTime<Utc>,
    build: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum RunStatus {
    Succeeded,
    Failed,
    Skipped,
    Cancelled,
    Pending,
}

#[derive(Clone, Deserialize)]
struct Approval {
    by: String,
    decision: Word,
    at: DateTime<Utc>,
    stage: Option<String>,
    build: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Word {
    Approve,
    Withdraw,
    Reject,
}

#[derive(Clone, Deserialize)]
struct Facts {
    coverage: f64,
    checks: BTreeMap<String, Status>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Passed,
    Failed,
    Pending,
    Skipped,
    Cancelled,
}

/// When the newest run of this build in a stage succeeded; `None` if it did not.
fn succeeded(input: &Input, stage: &str) -> Option<DateTime<Utc>> {
    let of_build = |run: &&Run| run.build.as_ref().is_none_or(|build| *build == input.build.id);
    let newest = (input.history.iter())
        .filter(|run| run.stage == stage && run.at <= input.now)
        .filter(of_build)
        .max_by_key(|run| run.at)?;
    (newest.status == RunStatus::Succeeded).then_some(newest.at)
}

/// How many of these people approve, by the last word of each; `None` if one of them rejects.
fn approvals(input: &Input, people: &[&str], valid: impl Fn(DateTime<Utc>) -> bool) -> Option<usize> {
    let mut count = 0;
    for person in people.iter().filter(|person| **person != input.build.author) {
        let last = (input.approvals.iter())
            .filter(|a| a.by == *person && a.at <= input.now)
            .filter(|a| a.stage.as_ref().is_none_or(|stage| *stage == input.stage))
            .filter(|a| a.build.as_ref().is_none_or(|build| *build == input.build.id))
            .max_by_key(|a| a.at);
        match last {
            Some(a) if a.decision == Word::Reject => return None,
            Some(a) if a.decision == Word::Approve && valid(a.at) => count += 1,
            _ => {}
        }
    }
    Some(count)
}

fn allowed(input: &Input) -> bool {
    match Stage::named(&input.stage) {
        Stage::Dev => {
            let branch = input.build.branch.as_str();
            matches!(input.trigger, Trigger::Push { .. })
                && (branch == "release" || branch.starts_with("release/"))
                && input.facts.checks.get("unit") == Some(&Status::Passed)
        }
        Stage::Test => {
            succeeded(input, "Dev").is_some()
                && matches!(&input.trigger, Trigger::Manual { by: Some(by) } if OPS.contains(&by.as_str()))
                && !input.facts.checks.is_empty()
                && input.facts.checks.values().all(|status| *status == Status::Passed)
                && (input.facts.coverage >= 80.0 || input.build.labels.iter().any(|label| label == "hotfix"))
        }
        Stage::Staging => {
            let Some(tested) = succeeded(input, "Test") else { return false };
            if input.now - tested < TimeDelta::hours(2) || !matches!(input.trigger, Trigger::Manual { .. }) {
                return false;
            }
            let local = input.now.with_timezone(&chrono_tz::America::Los_Angeles);
            let minute = local.weekday().num_days_from_monday() * 1440 + local.hour() * 60 + local.minute();
            (360..4 * 1440 + 1080).contains(&minute)
                && approvals(input, &TESTERS, |at| at > tested).is_some_and(|count| count >= 1)
                && approvals(input, &OPS, |at| input.now - at < TimeDelta::hours(24)).is_some_and(|count| count >= 2)
        }
    }
}

pub type Engine = ByHand<Input>;

impl super::by_hand::Input for Input {
    const NAME: &'static str = "hand-written, instants";
    const READS: Reads = Reads::Request;

    fn allowed(&self) -> bool {
        allowed(self)
    }
}
