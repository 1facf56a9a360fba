//! A custom deployment protection rule of GitHub Actions: an event comes in, a review goes out.
//!
//! ```text
//! cargo run --example webhook_github
//! ```
//!
//! GitHub sends `deployment_protection_rule` to the app and holds the job until the app reviews it with
//! `POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule`. `state` is `approved` or `rejected`;
//! a body without `state` is a status report: it leaves the job waiting and shows a comment (1,024 characters at most,
//! ten times at most). That is what a hold becomes.
//!
//! There is no network here. A real app first checks `X-Hub-Signature-256` over the raw body.

use std::error::Error;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use stagegate::{Build, Decision, Policy, Request, Verdict};

/// The event, without the many fields that are not needed here.
const EVENT: &str = r#"{
  "action": "requested",
  "environment": "staging",
  "event": "workflow_dispatch",
  "sha": "4f2d9ab0c3a1c5b7e9d8f60718293a4b5c6d7e8f",
  "ref": "refs/heads/release",
  "deployment_callback_url":
    "https://api.github.com/repos/tailspin/space-game/actions/runs/7731/deployment_protection_rule",
  "deployment": {
    "id": 90210,
    "sha": "4f2d9ab0c3a1c5b7e9d8f60718293a4b5c6d7e8f",
    "ref": "release",
    "task": "deploy",
    "environment": "staging",
    "creator": { "login": "tim", "id": 21 },
    "created_at": "2026-03-04T17:58:12Z"
  },
  "pull_requests": [],
  "repository": { "id": 5, "full_name": "tailspin/space-game", "owner": { "login": "tailspin" }, "name": "space-game" },
  "installation": { "id": 1003 },
  "sender": { "login": "tim", "id": 21 }
}"#;

fn text<'j>(json: &'j Json, pointer: &str) -> Result<&'j str, String> {
    json.pointer(pointer).and_then(Json::as_str).ok_or_else(|| format!("the event has no {pointer}"))
}

/// What the event says. What it does not say (runs, approvals, facts) comes from the app's own records.
fn request(event: &Json, now: DateTime<Utc>) -> Result<Request, Box<dyn Error>> {
    if text(event, "/action")? != "requested" {
        return Err("not a request for a deployment".into());
    }
    let stage = match text(event, "/environment")? {
        "staging" => "Staging",
        other => return Err(format!("no stage for the environment {other:?}").into()),
    };
    let sha = text(event, "/deployment/sha")?;
    let branch = text(event, "/deployment/ref")?;
    let person = text(event, "/deployment/creator/login")?;
    let known = records(sha);
    let request = Request::to(stage).build(known.build.branch(branch).commit(sha)).at(now).requester(person);
    let mut request = match text(event, "/event")? {
        "push" => request.push(branch),
        "pull_request" => request.pull_request(branch),
        "schedule" => request.scheduled(),
        "workflow_dispatch" => request.manual(person),
        other => request.event(other),
    };
    for (stage, at) in known.succeeded {
        request = request.succeeded(stage, at);
    }
    for (person, at) in known.approved {
        request = request.approved(person, at);
    }
    Ok(request)
}

/// What this app has noted about a commit: from `workflow_run` events, from its own approval page.
struct Known {
    build: Build,
    succeeded: Vec<(&'static str, DateTime<Utc>)>,
    approved: Vec<(&'static str, DateTime<Utc>)>,
}

fn records(_sha: &str) -> Known {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap_or_default();
    Known {
        build: Build::new("2026.3.1").author("mara"),
        succeeded: vec![("Dev", at("2026-03-03T17:00:00Z")), ("Test", at("2026-03-04T11:00:00Z"))],
        approved: vec![("amita", at("2026-03-04T17:30:00Z")), ("tim", at("2026-03-04T17:30:00Z"))],
    }
}

/// Where the review goes. The URL of the event is used only if it is the one it must be.
fn review_url(event: &Json) -> Result<String, Box<dyn Error>> {
    let url = text(event, "/deployment_callback_url")?;
    let repository = text(event, "/repository/full_name")?;
    let run = url
        .strip_prefix(&format!("https://api.github.com/repos/{repository}/actions/runs/"))
        .and_then(|rest| rest.strip_suffix("/deployment_protection_rule"))
        .filter(|run| !run.is_empty() && run.bytes().all(|b| b.is_ascii_digit()))
        .ok_or("the callback does not belong to the repository")?;
    Ok(format!("https://api.github.com/repos/{repository}/actions/runs/{run}/deployment_protection_rule"))
}

fn review(environment: &str, decision: &Decision) -> Json {
    // The text of a decision is safe to print: what strangers wrote is escaped in it.
    let comment: String = decision.to_string().chars().take(1024).collect();
    match decision.verdict() {
        Verdict::Allow => json!({ "environment_name": environment, "state": "approved", "comment": comment }),
        Verdict::Deny => json!({ "environment_name": environment, "state": "rejected", "comment": comment }),
        Verdict::Hold => json!({ "environment_name": environment, "comment": comment }),
    }
}

fn answer(policy: &Policy, body: &str, now: DateTime<Utc>) -> Result<(), Box<dyn Error>> {
    let event: Json = serde_json::from_str(body)?;
    let url = review_url(&event)?;
    let decision = policy.decide(&request(&event, now)?)?;
    let review = review(text(&event, "/environment")?, &decision);
    println!("POST {url}\n{}\n", serde_json::to_string_pretty(&review)?);
    // A hold is asked about again: when time has done its part, or when someone approves.
    match (decision.verdict(), decision.allowed_at(), decision.valid_until()) {
        (Verdict::Hold, Some(at), _) => println!("to be asked again at {at}"),
        (Verdict::Hold, None, Some(at)) => println!("to be asked again when someone approves, and by {at}"),
        (Verdict::Hold, None, None) => println!("to be asked again when someone approves"),
        _ => {}
    }
    Ok(())
}

/// Runs the example; public so that a test can, too.
pub fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy::from_file(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/space-game.gate"))?;
    println!("X-GitHub-Event: deployment_protection_rule\n{EVENT}\n");
    answer(&policy, EVENT, "2026-03-04T18:00:00Z".parse()?)
}
