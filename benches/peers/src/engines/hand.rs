//! What one would write by hand for exactly this policy, over plain values.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::by_hand::{ByHand, OPS, TESTERS};
use crate::{Reads, Stage};

#[derive(Clone, Deserialize)]
pub struct Input {
    #[serde(with = "StageName")]
    stage: Stage,
    trigger: Trigger,
    by: String,
    branch: String,
    author: String,
    labels: Vec<String>,
    coverage: u32,
    checks: BTreeMap<String, Status>,
    dev: Status,
    test: Status,
    test_age: u32,
    minute: u32,
    approvals: Vec<Approval>,
}

#[derive(Deserialize)]
#[serde(remote = "Stage")]
enum StageName {
    Dev,
    Test,
    Staging,
}

#[derive(Clone, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Trigger {
    Push,
    Manual,
}

#[derive(Clone, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Passed,
    Failed,
    Pending,
    Skipped,
    Cancelled,
    None,
}

#[derive(Clone, Deserialize)]
struct Approval {
    by: String,
    age: u32,
}

const DAY: u32 = 24 * 60;

fn allowed(input: &Input) -> bool {
    match input.stage {
        Stage::Dev => {
            input.trigger == Trigger::Push
                && (input.branch == "release" || input.branch.starts_with("release/"))
                && input.checks.get("unit") == Some(&Status::Passed)
        }
        Stage::Test => {
            input.dev == Status::Passed
                && input.trigger == Trigger::Manual
                && OPS.contains(&input.by.as_str())
                && !input.checks.is_empty()
                && input.checks.values().all(|status| *status == Status::Passed)
                && (input.coverage >= 80 || input.labels.iter().any(|label| label == "hotfix"))
        }
        Stage::Staging => {
            let count = |people: &[&str], younger_than: u32| {
                let counts =
                    |a: &&Approval| a.age < younger_than && a.by != input.author && people.contains(&a.by.as_str());
                input.approvals.iter().filter(counts).count()
            };
            input.test == Status::Passed
                && input.test_age >= 120
                && input.trigger == Trigger::Manual
                && input.minute >= 6 * 60
                && input.minute < 4 * DAY + 18 * 60
                && count(&TESTERS, input.test_age) >= 1
                && count(&OPS, DAY) >= 2
        }
    }
}

pub type Engine = ByHand<Input>;

impl super::by_hand::Input for Input {
    const NAME: &'static str = "hand-written";
    const READS: Reads = Reads::Plain;

    fn allowed(&self) -> bool {
        allowed(self)
    }
}
