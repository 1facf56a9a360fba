//! A bot that asks the policy about each build that waits, and acts on the answer.
//!
//! ```text
//! cargo run --example promotion_bot
//! ```
//!
//! It reads `policies/space-game.gate` and the requests beside it. What it would do is printed; a real bot would call
//! its pipeline, its timer and its chat there.

use std::error::Error;
use std::path::Path;

use chrono::{DateTime, Utc};
use stagegate::{Decision, Policy, Request, Step, Verdict};

/// What the bot does about one answer.
enum Act {
    /// Deploy now. After `before` the answer no longer holds: ask again.
    Promote { before: Option<DateTime<Utc>> },
    /// Nothing but time is missing: ask again then.
    Retry { at: DateTime<Utc> },
    /// People or facts are missing.
    Ask { whom: Vec<String>, facts: Vec<String>, again: Option<DateTime<Utc>> },
    /// Not this build, not like this.
    Refuse { reasons: Vec<String> },
}

fn act(decision: &Decision) -> Act {
    match decision.verdict() {
        Verdict::Allow => Act::Promote { before: decision.valid_until() },
        Verdict::Deny => Act::Refuse { reasons: reasons(decision) },
        Verdict::Hold => match decision.allowed_at() {
            Some(at) => Act::Retry { at },
            None => Act::Ask {
                whom: decision.needs().approvals.iter().flat_map(|need| need.from.clone()).collect(),
                facts: decision.needs().facts.clone(),
                again: decision.valid_until(),
            },
        },
    }
}

fn reasons(decision: &Decision) -> Vec<String> {
    let blocking = decision.blocking().iter().filter_map(|name| decision.rule(name));
    blocking
        .map(|rule| match &rule.because {
            Some(because) => format!("{}: {} ({because})", rule.rule, rule.detail),
            None => format!("{}: {}", rule.rule, rule.detail),
        })
        .collect()
}

/// The shortest way out, for a message to people.
fn way_out(steps: &[Step]) -> String {
    let steps: Vec<String> = steps
        .iter()
        .map(|step| match step {
            Step::Approve { approve, count, from } => format!("{count} of {} approve {approve}", from.join(", ")),
            Step::Fact { fact } => format!("supply {fact}"),
            Step::Wait { wait_until } => format!("wait until {wait_until}"),
            Step::Override { name, count, from } => format!("{count} of {} invoke {name}", from.join(", ")),
        })
        .collect();
    steps.join(", and ")
}

/// Runs the example; public so that a test can, too.
pub fn main() -> Result<(), Box<dyn Error>> {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    // Compiled once. A bot that serves many teams keeps its policies in a `PolicySet`.
    let policy = Policy::from_file(policies.join("space-game.gate"))?;

    for case in ["allow", "soak", "staging", "weekend", "deny"] {
        let case = format!("space-game-{case}");
        let request = Request::from_json(&std::fs::read(policies.join("requests").join(format!("{case}.json")))?)?;
        println!("{} wants to enter {}", request.build.id, request.stage);
        // An error is an answer too: it is never a yes.
        let decision = match policy.decide(&request) {
            Ok(decision) => decision,
            Err(error) => {
                println!("  cannot be decided, so it stays where it is: {error}");
                continue;
            }
        };
        match act(&decision) {
            Act::Promote { before: Some(before) } => println!("  deploy now, and begin before {before}"),
            Act::Promote { before: None } => println!("  deploy now"),
            Act::Retry { at } => println!("  nothing to do but wait: asking again at {at}"),
            Act::Ask { whom, facts, again } => {
                if !whom.is_empty() {
                    println!("  asking {} to approve", whom.join(", "));
                }
                if !facts.is_empty() {
                    println!("  asking the pipeline for {}", facts.join(", "));
                }
                if whom.is_empty() && facts.is_empty() {
                    println!("  in the way: {}", reasons(&decision).join("; "));
                }
                if let Some(steps) = decision.unblock().first() {
                    println!("  the shortest way: {}", way_out(steps));
                }
                if let Some(again) = again {
                    println!("  and asking again by {again}");
                }
            }
            Act::Refuse { reasons } => {
                for reason in reasons {
                    println!("  refused: {reason}");
                }
            }
        }
    }
    Ok(())
}
