//! stagegate asked with an embedder's own struct, by `#[derive(Facts)]`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use stagegate::{Approval, Bound, Facts, Request, Run, RunStatus, TriggerFact, Value};

use crate::{Reads, Way};

/// What a deployment tool knows.
#[derive(Facts)]
pub struct Change {
    stage: String,
    now: DateTime<Utc>,
    trigger: Option<TriggerFact>,
    #[facts("build.id")]
    id: String,
    #[facts("build.branch")]
    branch: Option<String>,
    #[facts("build.author")]
    author: Option<String>,
    #[facts("build.labels")]
    labels: Option<Vec<String>>,
    history: Vec<Run>,
    approvals: Vec<Approval>,
    coverage: f64,
    checks: BTreeMap<String, RunStatus>,
}

pub struct Engine(Bound<Change>);

impl crate::Engine for Engine {
    const NAME: &'static str = "stagegate, own struct";
    const READS: Reads = Reads::Request;
    const WAYS: &'static [Way] = &[Way::Value];
    type Value = Change;
    type Prepared = ();

    fn compile() -> Engine {
        let alone = <super::stagegate::Engine as crate::Engine>::compile();
        Engine(alone.policy.bind().expect("its fields are the policy's"))
    }

    fn read(&mut self, text: &str) -> Change {
        let request = Request::from_json(text.as_bytes()).expect("a request");
        let status = |value: &Value| match value {
            Value::String(word) if word == "passed" => RunStatus::Succeeded,
            Value::String(word) if word == "failed" => RunStatus::Failed,
            Value::String(word) if word == "pending" => RunStatus::Pending,
            Value::String(word) if word == "skipped" => RunStatus::Skipped,
            _ => RunStatus::Cancelled,
        };
        let (coverage, checks) = match (&request.facts["coverage"], &request.facts["checks"]) {
            (Value::Number(coverage), Value::Map(checks)) => (*coverage, checks),
            _ => panic!("the facts of the policy"),
        };
        Change {
            now: request.now.expect("an instant"),
            trigger: request.trigger,
            id: request.build.id,
            branch: request.build.branch,
            author: request.build.author,
            labels: request.build.labels,
            history: request.history,
            approvals: request.approvals,
            coverage,
            checks: checks.iter().map(|(name, value)| (name.clone(), status(value))).collect(),
            stage: request.stage,
        }
    }

    fn prepare(&mut self, _: &Change) {}

    fn prepared(&mut self, (): &mut ()) -> bool {
        unreachable!("it is asked with values alone")
    }

    fn value(&mut self, change: &Change) -> bool {
        self.0.verdict(change).expect("a request of the policy").is_allow()
    }

    fn text(&mut self, _: &str) -> bool {
        unreachable!("it is asked with values alone")
    }
}
