//! An `Invoke REST API` check of Azure Pipelines, in both of its modes.
//!
//! ```text
//! cargo run --example webhook_azure
//! ```
//!
//! The check stands on an environment, so its settings name the stage. Its headers are the ones that Azure proposes:
//!
//! ```text
//! { "Content-Type": "application/json", "PlanUrl": "$(system.CollectionUri)", "ProjectId": "$(system.TeamProjectId)",
//!   "HubName": "$(system.HostType)", "PlanId": "$(system.PlanId)", "JobId": "$(system.JobId)",
//!   "TimelineId": "$(system.TimelineId)", "TaskInstanceId": "$(system.TaskInstanceId)",
//!   "AuthToken": "$(system.AccessToken)" }
//! ```
//!
//! - Completion event *API response*: the answer is read on the spot. With the success criteria
//!   `eq(root['verdict'], 'allow')` and a time between evaluations, Azure asks again until it is allowed or the check
//!   times out. A hold and a deny look alike to it.
//! - Completion event *Callback*: acknowledge within three seconds, decide when you like, then say `succeeded` or
//!   `failed` once, with a POST of `TaskCompleted` to the plan's events. A hold is simply not said yet.
//!
//! There is no network here, and no token is printed.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use stagegate::{Build, Decision, Policy, Request, Verdict};

/// The body as the check's settings write it, with its variables filled in: `"build": "$(Build.BuildNumber)"` …
const BODY: &str = r#"{
  "stage": "Staging",
  "build": "2026.3.1",
  "branch": "refs/heads/release",
  "commit": "4f2d9ab0c3a1c5b7e9d8f60718293a4b5c6d7e8f",
  "reason": "Manual",
  "requestedFor": "tim"
}"#;

const HEADERS: [(&str, &str); 7] = [
    ("PlanUrl", "https://dev.azure.com/tailspin/"),
    ("ProjectId", "5c2ad3f0-3d3f-4a8e-9c40-9d0d3f6f0a11"),
    ("HubName", "build"),
    ("PlanId", "8b5a0c52-66d5-4d0f-9a1b-6a1f62c0f0de"),
    ("JobId", "2f6b2a3c-9c61-5b64-8a0e-1f0c7f6f3b20"),
    ("TimelineId", "8b5a0c52-66d5-4d0f-9a1b-6a1f62c0f0de"),
    ("TaskInstanceId", "b6c7d8e9-0f1a-52b3-94c5-d6e7f8091a2b"),
];

fn request(body: &Json, now: DateTime<Utc>) -> Result<Request, Box<dyn Error>> {
    let text = |name: &str| body.get(name).and_then(Json::as_str).ok_or_else(|| format!("the body has no {name}"));
    let branch = text("branch")?;
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    let person = text("requestedFor")?;
    let at = |text: &str| text.parse::<DateTime<Utc>>();
    let mut request = Request::to(text("stage")?)
        .build(Build::new(text("build")?).branch(branch).commit(text("commit")?).author("mara"))
        .at(now)
        .requester(person)
        // From this service's own records.
        .succeeded("Dev", at("2026-03-03T17:00:00Z")?)
        .succeeded("Test", at("2026-03-04T11:00:00Z")?);
    for (by, approved) in [
        ("amita", at("2026-03-04T17:30:00Z")?),
        ("tim", at("2026-03-04T17:30:00Z")?),
        ("andy", at("2026-03-04T18:20:00Z")?),
    ] {
        // The simulated clock: what has not happened yet is not in the records.
        if approved <= now {
            request = request.approved(by, approved);
        }
    }
    // Values of Build.Reason.
    Ok(match text("reason")? {
        "Manual" => request.manual(person),
        "IndividualCI" | "BatchedCI" => request.push(branch),
        "PullRequest" => request.pull_request(branch),
        "Schedule" => request.scheduled(),
        "BuildCompletion" => request.trigger(stagegate::TriggerFact::Completion { of: None }),
        other => request.event(other),
    })
}

/// The body of the answer in the mode *API response*.
fn api_response(decision: &Decision) -> Json {
    json!({
        "verdict": decision.verdict().as_str(),
        "blocking": decision.blocking(),
        "allowed_at": decision.allowed_at(),
        "text": decision.to_string(),
    })
}

/// The callback that ends the check in the mode *Callback*; none while it holds.
fn callback(headers: &BTreeMap<&str, &str>, decision: &Decision) -> Result<Option<(String, Json)>, Box<dyn Error>> {
    let result = match decision.verdict() {
        Verdict::Allow => "succeeded",
        Verdict::Deny => "failed",
        Verdict::Hold => return Ok(None),
    };
    let header = |name: &str| headers.get(name).copied().ok_or_else(|| format!("no header {name}"));
    // The token of the headers is sent to this address: only ever to one's own organisation.
    let plan_url = header("PlanUrl")?;
    if plan_url != "https://dev.azure.com/tailspin/" {
        return Err("the plan belongs to another organisation".into());
    }
    let url = format!(
        "{plan_url}{}/_apis/distributedtask/hubs/{}/plans/{}/events?api-version=2.0-preview.1",
        header("ProjectId")?,
        header("HubName")?,
        header("PlanId")?
    );
    let body = json!({
        "name": "TaskCompleted",
        "taskId": header("TaskInstanceId")?,
        "jobId": header("JobId")?,
        "result": result,
    });
    Ok(Some((url, body)))
}

/// Runs the example; public so that a test can, too.
pub fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy::from_file(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/space-game.gate"))?;
    let headers = BTreeMap::from(HEADERS);
    let body: Json = serde_json::from_str(BODY)?;
    println!("{BODY}\n");

    // Asked twice: once before andy has approved, once after.
    for now in ["2026-03-04T18:00:00Z", "2026-03-04T18:30:00Z"] {
        let decision = policy.decide(&request(&body, now.parse()?)?)?;
        println!("at {now}, API response\n{}\n", serde_json::to_string_pretty(&api_response(&decision))?);
        match callback(&headers, &decision)? {
            Some((url, body)) => println!("at {now}, callback\nPOST {url}\n{}\n", serde_json::to_string_pretty(&body)?),
            None => println!("at {now}, callback\nnothing yet: it holds\n"),
        }
    }
    Ok(())
}
