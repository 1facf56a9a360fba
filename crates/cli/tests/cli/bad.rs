//! Bad policies and bad requests: a clear error, exit code 2, one JSON value, no panic.

use crate::common::{Folder, REQUEST};

const ARGS: [&str; 5] = ["decide", "--policy", "ship.gate", "--request", "request.json"];

#[track_caller]
fn policy(content: impl AsRef<[u8]>, code: &str) {
    let folder = Folder::ship().with("ship.gate", content);
    let (exit, json) = folder.json(&ARGS);
    assert_eq!((exit, &json["error"]["kind"]), (2, &"policy".into()), "{json}");
    assert_eq!(json["error"]["diagnostics"][0]["code"], code, "{json}");
    let ran = folder.run(&ARGS).code(2);
    assert!(ran.stdout.is_empty() && ran.stderr.contains(code), "{}", ran.stderr);
    for command in [&["next", "--policy", "ship.gate"][..], &["describe", "ship.gate"], &["fmt", "ship.gate"]] {
        if code != "E0605" && code != "E0201" || command[0] != "fmt" {
            folder.run(command).code(2);
        }
    }
    folder.run(&["check", "ship.gate"]).code(1);
}

#[test]
fn policies_that_cannot_be_read() {
    policy(b"policy p \xff", "E0712");
    policy("", "E0715");
    policy("# only a comment\n", "E0715");
    policy("#".repeat(2 << 20), "E0711");
    policy("policy p", "E0605");
    policy("policy p stage Dev { require x: nope }", "E0201");
    let deep = format!("policy p stage Dev {{ require x: {}true{} }}", "(".repeat(50_000), ")".repeat(50_000));
    policy(&deep, "E0713");
    let not = format!("policy p stage Dev {{ require x: {} true }}", "not ".repeat(50_000));
    policy(&not, "E0713");
}

#[test]
fn a_policy_that_is_missing_or_a_folder() {
    let folder = Folder::ship().with("folder/x.gate", "");
    let args = |name| ["decide", "--policy", name, "--request", "request.json"];
    let (code, json) = folder.json(&args("missing.gate"));
    assert_eq!((code, &json["error"]["kind"]), (2, &"policy".into()));
    assert!(json["error"]["message"].as_str().unwrap().contains("there is no such file"), "{json}");
    for name in ["folder", ".", "..", "folder/", ""] {
        let (code, json) = folder.json(&args(name));
        assert!(code == 2 && json["error"]["message"].is_string(), "{name}: {json}");
    }
}

#[track_caller]
fn request(content: impl AsRef<[u8]>, kind: &str, words: &str) {
    let folder = Folder::ship().with("request.json", content);
    let (exit, json) = folder.json(&ARGS);
    assert_eq!((exit, &json["error"]["kind"]), (2, &"request".into()), "{json}");
    assert_eq!(json["error"]["problems"][0]["kind"], kind, "{json}");
    let ran = folder.run(&ARGS).code(2);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    assert!(ran.stderr.starts_with("error: request.json: ") && ran.stderr.contains(words), "{}", ran.stderr);
    folder.run(&["timeline", "--policy", "ship.gate", "--request", "request.json"]).code(2);
}

#[test]
fn requests_that_cannot_be_decided() {
    request("", "syntax", "not JSON");
    request("no JSON", "syntax", "line 1, column");
    request(b"{\"stage\": \"\xff\"}", "syntax", "UTF-8");
    request("[]", "type", "object");
    request(r#"{"stage": "Staging"}"#, "missing", "`build` is missing");
    request(REQUEST.replace("\"Staging\"", "\"Stagng\""), "unknown-stage", "did you mean `Staging`?");
    request(REQUEST.replace("91.5", "\"high\""), "fact-type", "coverage");
    request(REQUEST.replace("91.5", "NaN"), "syntax", "not JSON");
    request(REQUEST.replace("91.5", "1e999"), "out-of-range", "too large");
    request(REQUEST.replace("2026-03-04T18:00:00Z", "2026-03-04T18:00:00"), "time", "has no time zone");
    request(REQUEST.replace("2026-03-04T18:00:00Z", "1969-03-04T18:00:00Z"), "out-of-range", "1970");
    request("[".repeat(100_000), "type", "request.json");
}

#[test]
fn several_problems_are_all_told() {
    let bad = REQUEST.replace("91.5", "\"high\"").replace("\"unit\": \"passed\"", "\"unit\": \"green\"");
    Folder::ship().with("request.json", bad).run(&ARGS).code(2).golden_error("decide-problems.txt");
}

#[test]
fn requests_that_are_not_there() {
    let folder = Folder::ship().with("folder/x", "");
    for name in ["missing.json", "folder"] {
        let (code, json) = folder.json(&["decide", "--policy", "ship.gate", "--request", name]);
        assert_eq!((code, &json["error"]["kind"]), (2, &"request".into()), "{name}");
    }
}

#[test]
fn a_policy_from_standard_input() {
    let folder = Folder::ship().with("base.gate", "stage * { forbid broken: \"broken\" in build.labels }");
    let policy = crate::common::SHIP;
    folder.run_with(&["decide", "--policy", "-", "--request", "request.json"], policy).code(0);
    folder.run_with(&["describe", "-"], policy).code(0);
    let checked = folder.run_with(&["check", "-"], "policy p\nstage Dev { require x: nope }").code(1);
    assert!(checked.stdout.contains("--> standard input:2:24"), "{}", checked.stdout);
    // What it includes lies in the working folder, or below the root.
    let includes = "policy p\ninclude \"base.gate\"\nstage Dev { trigger push }";
    folder.run_with(&["check", "-"], includes).code(0);
    let outside = folder.run_with(&["check", "-"], "policy p\ninclude \"../base.gate\"\nstage Dev { trigger push }");
    assert!(outside.code == 1 && outside.stdout.contains("E0702"), "{}", outside.stdout);
    // It can be read once.
    for command in ["decide", "timeline"] {
        let (code, json) = folder.json(&[command, "--policy", "-", "--request", "-"]);
        assert_eq!((code, &json["error"]["kind"]), (2, &"usage".into()), "{json}");
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_and_pipes_among_the_policies() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"odd\xff.gate");
    let folder = Folder::ship();
    std::fs::copy(folder.path("ship.gate"), folder.dir.path().join(name)).unwrap();
    for command in ["check", "describe"] {
        let mut command = folder.command(&[command, "--format", "json"]);
        command.arg(name);
        let ran = crate::common::run(command, "").code(2);
        let json: crate::common::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(json["error"]["kind"], "file", "{json}");
        assert!(json["error"]["message"].as_str().unwrap().contains("must be UTF-8"), "{json}");
    }
    std::fs::remove_file(folder.dir.path().join(name)).unwrap();

    // Nobody writes into this pipe: a walk over the folder must not wait for it.
    if std::process::Command::new("mkfifo").arg(folder.path("pipe.gate")).status().is_ok_and(|made| made.success()) {
        let ran = folder.run(&["check", "."]).code(0);
        assert!(ran.stdout.contains("in 1 file"), "{}", ran.stdout);
    }
}
