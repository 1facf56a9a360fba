//! `stagegate decide`: verdicts, exit codes, the present moment.

use crate::common::{Folder, REQUEST};

const ARGS: [&str; 5] = ["decide", "--policy", "ship.gate", "--request", "request.json"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    ARGS.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn allow_is_0() {
    Folder::ship().run(&ARGS).code(0).golden("decide-allow.txt");
}

#[test]
fn hold_is_3() {
    let request = REQUEST.replace("\"by\": \"andy\"", "\"by\": \"mara\"");
    Folder::ship().with("request.json", request).run(&ARGS).code(3).golden("decide-hold.txt");
}

#[test]
fn deny_is_1() {
    let request = REQUEST
        .replace("\"stage\": \"Test\", \"status\": \"succeeded\"", "\"stage\": \"Test\", \"status\": \"failed\"");
    Folder::ship().with("request.json", request).run(&ARGS).code(1).golden("decide-deny.txt");
}

#[test]
fn json_is_the_decision() {
    let (code, decision) = Folder::ship().json(&ARGS);
    assert_eq!(code, 0);
    assert_eq!(decision["verdict"], "allow");
    assert_eq!(decision["at"], "2026-03-04T18:00:00Z");
    assert_eq!(decision["rules"].as_array().unwrap().len(), 6);
    assert_eq!(decision["policy"]["name"], "ship");
}

#[test]
fn the_request_may_come_from_standard_input() {
    let folder = Folder::ship();
    let ran = folder.run_with(&["decide", "--policy", "ship.gate", "--request", "-", "--quiet"], REQUEST);
    assert_eq!(ran.code(0).stdout, "allow\n");
}

#[test]
fn at_asks_for_another_time_in_the_zone_of_the_policy() {
    let folder = Folder::ship();
    // Friday evening: the weekend has begun.
    let ran = folder.run(&with(&["--at", "2026-03-04 18:30", "-q"]));
    assert_eq!(ran.code(0).stdout, "allow\n");
    let (code, decision) = folder.json(&with(&["--at", "2026-03-06 18:00"]));
    assert_eq!((code, &decision["at"]), (3, &"2026-03-07T02:00:00Z".into()));
    assert_eq!(decision["blocking"], serde_json::json!(["weekend", "operations"]));
    let ran = folder.run(&with(&["--at", "2026-03-08 02:30"])).code(2);
    assert!(ran.stderr.contains("does not exist in America/Los_Angeles"), "{}", ran.stderr);
}

#[test]
fn a_request_without_now_is_decided_for_the_present() {
    let request = REQUEST.replace("\"now\": \"2026-03-04T18:00:00Z\", ", "");
    assert!(!request.contains("now"));
    let before = chrono::Utc::now();
    let (_, decision) = Folder::ship().with("request.json", request).json(&ARGS);
    let at: chrono::DateTime<chrono::Utc> = decision["at"].as_str().unwrap().parse().unwrap();
    let slack = chrono::TimeDelta::milliseconds(2);
    assert!(before - slack <= at && at <= chrono::Utc::now(), "{at}");
}

#[test]
fn quiet_says_the_verdict_alone() {
    assert_eq!(Folder::ship().run(&with(&["--quiet"])).code(0).stdout, "allow\n");
}

#[test]
fn includes_are_found_below_the_root() {
    let folder = Folder::new()
        .with("base.gate", "stage * { require id: build.id is set }")
        .with("teams/web.gate", "policy web\ninclude \"../base.gate\"\nstage Dev { trigger push }")
        .with("request.json", r#"{"stage":"Dev","build":{"id":"1"},"trigger":{"kind":"push"}}"#);
    let args = ["decide", "--policy", "teams/web.gate", "--request", "request.json", "-q"];
    let ran = folder.run(&args).code(2);
    assert!(ran.stderr.contains("E0702"), "{}", ran.stderr);
    let ran = folder.run(&[&args[..], &["--root", "."]].concat());
    assert_eq!(ran.code(0).stdout, "allow\n");
}

#[cfg(unix)]
#[test]
fn the_policy_may_come_through_a_pipe() {
    let folder = Folder::ship();
    let args = ["decide", "--policy", "/dev/stdin", "--request", "request.json", "-q"];
    assert_eq!(folder.run_with(&args, crate::common::SHIP).code(0).stdout, "allow\n");
    let ran = folder.run_with(&args, "policy p stage {").code(2);
    assert!(ran.stderr.contains("/dev/stdin:1:"), "{}", ran.stderr);
}
