//! Policy text, a NUL, a request in JSON. Nothing panics, the explained verdict is the fast one, no rule blocks what is
//! allowed, and from JSON to JSON the decision is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagegate::{Policy, Request, Verdict};

fuzz_target!(|input: &str| {
    let (text, json) = input.split_once('\0').unwrap_or((input, SAMPLE));
    let Ok(policy) = Policy::parse("fuzz.gate", text) else { return };
    let Ok(request) = Request::from_json(json.as_bytes()) else { return };
    match (policy.verdict(&request), policy.decide(&request)) {
        (Ok(fast), Ok(decision)) => {
            assert_eq!(fast, decision.verdict(), "two verdicts:\n{decision}");
            let blocked = !decision.blocking().is_empty();
            assert_eq!(fast == Verdict::Allow, !blocked, "allowed and blocked:\n{decision}");
            let written = serde_json::to_string(&decision).expect("a decision can be written");
            assert_eq!(policy.decide_json(json.as_bytes()), Ok((fast, written)), "two decisions");
        }
        (Err(_), Err(_)) => {}
        (fast, decision) => panic!("one of them is an error: {fast:?}, {decision:?}"),
    }
});

/// Asked when the input holds no request.
const SAMPLE: &str = r#"{ "stage": "Staging", "now": "2026-03-04T18:00:00Z", "trigger": { "kind": "manual", "by": "tim" },
  "build": { "id": "2026.3.1", "branch": "release", "author": "mara" },
  "history": [ { "stage": "Dev", "status": "succeeded", "at": "2026-03-03T17:00:00Z" },
               { "stage": "Test", "status": "succeeded", "at": "2026-03-04T11:00:00Z" } ],
  "approvals": [ { "by": "amita", "decision": "approve", "at": "2026-03-04T17:30:00Z" } ],
  "facts": { "coverage": 91.5, "checks": { "unit": "passed", "lint": "passed" } } }"#;
