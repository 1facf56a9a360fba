//! From JSON to JSON in one go: the same requests, decisions and errors as by the long way over serde.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use stagegate::{Policy, Request, Verdict};

#[path = "../benches/common/bank.rs"]
mod bank;
#[path = "../benches/common/chance.rs"]
mod chance;
#[path = "../benches/common/mixed.rs"]
mod mixed;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn policy(name: &str) -> Policy {
    Policy::from_file(root().join("policies").join(name).with_extension("gate")).unwrap()
}

/// Decides in both ways, and answers with the verdict.
fn both_ways(policy: &Policy, json: &[u8]) -> Verdict {
    let decision = policy.decide(&serde_json::from_slice::<Request>(json).unwrap()).unwrap();
    let slow = serde_json::to_string(&decision).unwrap();
    assert_eq!(policy.decide_json(json).unwrap(), (decision.verdict(), slow.clone()));
    assert_eq!(decision.to_json(), slow);
    let prepared = policy.prepare(&Request::from_json(json).unwrap()).unwrap();
    assert_eq!(prepared.decide().unwrap().to_json(), slow);
    decision.verdict()
}

#[test]
fn a_decision_in_json_is_what_serde_makes_of_it() {
    let space_game = policy("space-game");
    let verdicts = mixed::promotions(7, 400).into_iter().map(|p| both_ways(&space_game, p.json().as_bytes()));
    let allowed = verdicts.filter(|verdict| verdict.is_allow()).count();
    assert!((100..300).contains(&allowed), "{allowed} of 400 are allowed");
    let bank = policy("bank");
    for json in bank::requests(7, 100) {
        both_ways(&bank, json.as_bytes());
    }
}

#[test]
fn so_it_is_for_the_requests_beside_the_policies() {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(root().join("policies/requests")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let mut names = stem.match_indices('-').map(|(end, _)| &stem[..end]);
        let name = names.rfind(|name| root().join(format!("policies/{name}.gate")).exists()).unwrap();
        both_ways(&policy(name), &std::fs::read(&path).unwrap());
    }
}

#[test]
fn texts_of_strangers_are_escaped_as_serde_escapes_them() {
    let hostile: String = (0..0x80u8).map(char::from).chain("é\u{7f}\u{85}\u{2028}\u{202e}🚀\"\\".chars()).collect();
    let policy = Policy::parse(
        "p.gate",
        "fact note : string group qa from directory stage Dev {
           require plain: note == \"x\" because \"\\\"quotes\\\" and \\\\ in it\"
           approve tested: 2 of qa
           override hurry: 1 of qa may skip plain
           trigger push to \"main\"
           exclusive
         }",
    )
    .unwrap();
    // Wherever the special one stands, before, in and after the first eight bytes.
    for c in hostile.chars() {
        for text in [format!("{c}"), format!("abc{c}"), format!("abcdefgh{c}ijklmnopqrs{c}"), hostile.clone()] {
            let json = serde_json::json!({
                "stage": "Dev", "now": "2026-03-04T18:00:00.25Z", "build": { "id": text, "author": text },
                "trigger": { "kind": "push", "branch": text },
                "current": { "id": text, "deploying": format!("{text}2") },
                "approvals": [
                    { "by": text, "decision": "approve", "at": "2026-03-04T17:00:00Z" },
                    { "by": "b", "decision": "approve", "at": "2026-03-04T17:00:00Z", "build": format!("{text}3") },
                    { "by": "c", "decision": "reject", "at": "2026-03-04T17:00:00Z" },
                ],
                "overrides": [{ "name": "hurry", "by": "b", "at": "2026-03-04T17:00:00.000000001Z", "reason": text }],
                "groups": { "qa": [text, "b", "c", format!("{text}4")] },
                "facts": { "note": text, text.clone(): 1 },
            });
            both_ways(&policy, json.to_string().as_bytes());
        }
    }
}

#[test]
fn what_is_wrong_is_told_as_it_always_was() {
    let policy = policy("space-game");
    let good = mixed::promotions(7, 6).iter().find(|p| p.stage == "Staging").unwrap().json();
    for (from, to) in [
        ("\"Staging\"", "\"Stagin\""),
        ("\"now\":", "\"when\":"),
        ("\"approve\"", "\"aprove\""),
        ("\"coverage\":", "\"coverage\":\"high\",\"coverages\":"),
        ("{", "{\"stage\":\"Dev\","),
        ("}", ""),
        ("\"build\":{", "\"build\":{\"author\":\"\","),
        (":", ";"),
    ] {
        let json = good.replacen(from, to, 1);
        assert_ne!(json, good);
        let long_way = Request::from_json(json.as_bytes()).and_then(|request| policy.decide(&request)).unwrap_err();
        assert_eq!(policy.decide_json(json.as_bytes()).unwrap_err(), long_way, "{json}");
    }
}

/// A request with everything in it.
const EVERYTHING: &str = r#"{ "stage": "Staging", "now": "2026-03-04T18:00:00Z", "action": "promote", "requester": "kai",
 "trigger": { "kind": "manual", "by": "tim" },
 "build": { "id": "2026.3.1", "digest": "sha256:ab", "version": "2026.3.1", "branch": "release", "commit": "c0ffee",
            "author": "mara", "contributors": ["mara", "andy"], "labels": ["ui", ""], "created": "2026-03-03T16:40:00.5Z" },
 "current": { "id": "2026.2.9", "digest": "sha256:cd", "version": "2026.2.9", "created": "2026-02-27T10:00:00+01:00",
              "at": "2026-02-28T09:00:00Z", "deploying": null },
 "history": [ { "stage": "Dev", "status": "passed", "at": "2026-03-03T17:00:00Z", "digest": "sha256:ab", "build": "1" },
              { "stage": "Test", "status": "pending", "at": "2016-12-31T23:59:60Z" } ],
 "approvals": [ { "by": "amita", "decision": "approve", "at": "2026-03-04T17:30:00Z", "stage": "Staging", "build": "1",
                  "digest": "sha256:ab", "comment": "" }, { "by": "lee", "decision": "withdraw", "at": "2026-03-04T17:30:00Z" } ],
 "overrides": [ { "name": "break-glass", "by": "tim", "at": "2026-03-04T17:30:00Z", "reason": "", "stage": "Staging",
                  "build": "1", "digest": "sha256:ab" } ],
 "groups": { "release-managers": ["lee"], "nobody": [] },
 "facts": { "coverage": 91.5, "many": [1, [2, {"a": [[]]}], true, false, null, -0, 1e3], "checks": { "unit": "passed" }, "": {} } }"#;

/// Words that stand in requests.
const WORDS: [&str; 30] = [
    "\"stage\"",
    "\"now\"",
    "\"kind\"",
    "\"push\"",
    "\"schedule\"",
    "\"at\"",
    "\"by\"",
    "\"id\"",
    "\"deploying\"",
    "\"\"",
    "\"2026-03-04T18:00:00Z\"",
    "\"2026-03-04\"",
    "\"1969-03-04T18:00:00Z\"",
    "\"redeploy\"",
    "\"failed\"",
    "\"reject\"",
    "null",
    "true",
    "1",
    "01",
    "-",
    "1e999",
    "[]",
    "{}",
    "[",
    "{",
    ",",
    "\"\\u0041\"",
    "\"é\"",
    "\u{1}",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3_000, ..ProptestConfig::default() })]

    /// Whatever becomes of a request, it is read, or refused, as it is over serde.
    #[test]
    fn requests_are_those_of_serde(
        changes in proptest::collection::vec((0..EVERYTHING.len(), 0usize..12, 0..WORDS.len() + 6), 0..3),
        shape in 0u32..4,
    ) {
        let mut json = if shape == 0 { EVERYTHING.replace([' ', '\n'], "") } else { EVERYTHING.to_string() };
        // Tokens, so that what comes of it is JSON often enough.
        for (at, len, word) in changes {
            let starts = json.char_indices().map(|(at, _)| at).filter(|at| {
                let before = json[..*at].chars().next_back().unwrap_or(' ');
                "{}[],: \n".contains(before) || shape == 3
            });
            let starts: Vec<usize> = starts.collect();
            let from = starts[at % starts.len()];
            let rest = json[from..].find([',', ':', '}', ']', ' ']).unwrap_or(0).max(usize::from(len == 0));
            let to = from + if shape == 3 { len.min(json.len() - from) } else { rest };
            if json.is_char_boundary(to) {
                json.replace_range(from..to, WORDS.get(word).copied().unwrap_or(""));
            }
        }
        let quick = Request::from_json(json.as_bytes());
        let slow = serde_json::from_str::<Request>(&json);
        match (quick, slow) {
            (Ok(quick), Ok(slow)) => prop_assert_eq!(format!("{quick:?}"), format!("{slow:?}")),
            (Err(_), Err(_)) => {}
            (quick, slow) => prop_assert!(false, "{json}\n{quick:?}\n{slow:?}"),
        }
    }
}
