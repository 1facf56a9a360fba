//! `stagegate decide --log` and `stagegate audit info`: the record is there before the verdict.

use crate::common::{Folder, REQUEST};

const ARGS: [&str; 7] = ["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "decisions.log"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    ARGS.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn each_decision_is_in_the_log() {
    let hold = REQUEST.replace("\"by\": \"andy\"", "\"by\": \"mara\"");
    let folder = Folder::ship().with("hold.json", hold);
    let without_log = folder.run(&["decide", "--policy", "ship.gate", "--request", "request.json"]).code(0);
    assert_eq!(folder.run(&with(&["--asked-by", "deploy-bot"])).code(0).stdout, without_log.stdout);
    folder.run(&["decide", "--policy", "ship.gate", "--request", "hold.json", "--log", "decisions.log"]).code(3);
    // What could not be decided is no decision.
    folder.run(&["decide", "--policy", "ship.gate", "--request", "none.json", "--log", "decisions.log"]).code(2);
    let (code, info) = folder.json(&["audit", "info", "decisions.log"]);
    assert_eq!((code, &info["records"]), (0, &2.into()));
    assert_eq!(info["policies"][0]["name"], "ship");
    assert_eq!(info["policies"].as_array().unwrap().len(), 1);
    assert!(info["origin"].as_str().unwrap().starts_with("stagegate-log/"));
    let ran = folder.run(&["audit", "info", "decisions.log"]).code(0);
    assert!(ran.stdout.contains("records   2\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("policy    ship {}", info["policies"][0]["digest"].as_str().unwrap())));
}

/// However it fails, no verdict is printed, and the exit code is not that of an allow.
#[test]
fn what_cannot_be_recorded_is_not_decided() {
    let folder = Folder::ship().with("text.log", "not a log");
    for (log, says) in [
        ("text.log", "text.log: it is not a decision log: it does not begin as a SQLite database does"),
        (".", ".: it is not a decision log: it is a folder"),
        ("none/decisions.log", "none/decisions.log: its folder does not exist"),
    ] {
        let args = ["decide", "--policy", "ship.gate", "--request", "request.json", "--log", log];
        let ran = folder.run(&args).code(2);
        assert_eq!((ran.stdout.as_str(), ran.stderr), ("", format!("error: {says}\n")));
        let quiet = folder.run(&[&args[..], &["-q"]].concat()).code(2);
        assert_eq!(quiet.stdout, "");
        let (code, json) = folder.json(&args);
        assert_eq!((code, &json["error"]["kind"], &json["error"]["message"]), (2, &"log".into(), &says.into()));
        assert!(json.get("verdict").is_none());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_others_keep_locked_holds_the_verdict_back() {
    let folder = Folder::ship();
    folder.run(&ARGS).code(0);
    let lock = rusqlite::Connection::open(folder.path("decisions.log")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ran = folder.run(&ARGS).code(2);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("another process kept it locked for too long; try again"), "{}", ran.stderr);
}

#[test]
fn secrets_stay_out_of_the_log() {
    let policy = "policy keys\nfact token : string secret\nstage Live { require key: token == \"hunter2\" }";
    let request = r#"{"stage":"Live","build":{"id":"7"},"facts":{"token":"hunter2"}}"#;
    let folder = Folder::new().with("ship.gate", policy).with("request.json", request);
    folder.run(&ARGS).code(0);
    let key = folder.read("decisions.log.secret-key");
    assert_eq!(key.trim().len(), 64);
    for file in ["decisions.log", "decisions.log.secret-key"] {
        let bytes = std::fs::read(folder.path(file)).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "{file}");
    }
    // The same key again, the key by its name, and no key.
    folder.run(&ARGS).code(0);
    assert_eq!(folder.read("decisions.log.secret-key"), key);
    folder.run(&with(&["--secret-key", "decisions.log.secret-key"])).code(0);
    let ran = folder.run(&with(&["--secret-key", "none"])).code(2);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "error: none: there is no such file\n"));
    let (_, info) = folder.json(&["audit", "info", "decisions.log"]);
    assert_eq!(info["records"], 3);
}

#[test]
fn only_a_log_is_told_of() {
    let folder = Folder::ship();
    for (args, says) in [
        (&["audit", "info", "none"][..], "error: none: there is no such log\n"),
        (
            &["audit", "info", "ship.gate"],
            "error: ship.gate: it is not a decision log: it does not begin as a SQLite database does\n",
        ),
    ] {
        let ran = folder.run(args).code(2);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", says));
    }
    let ran =
        folder.run(&["decide", "--policy", "ship.gate", "--request", "request.json", "--asked-by", "tim"]).code(2);
    assert!(ran.stderr.contains("--log"), "{}", ran.stderr);
}
