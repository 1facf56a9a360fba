//! `stagegate replay`: what would another policy have decided, and does the old one decide the same?

use crate::audit::week;
use crate::common::{Folder, Ran, SHIP, Value};

/// The week of `audit.rs` with candidates beside it.
fn candidates() -> Folder {
    let stricter = SHIP.replace("approve operations: 2 of ops", "approve operations: 3 of ops");
    let laxer = SHIP.replace("  approve qa: 1 of testers since Test\n", "");
    let laxer = laxer.replace("  approve operations: 2 of ops valid 24h\n", "");
    let unmet = SHIP.replace("require unit:", "require ticketed: build.branch == \"main\"\n  require unit:");
    let renamed = SHIP.replace("stage Staging", "stage Stage").replace("Staging", "Stage");
    let typed = SHIP
        .replace("fact coverage : number", "fact coverage : { low, high }")
        .replace("coverage >= 80", "coverage == high");
    week()
        .with("stricter.gate", stricter)
        .with("laxer.gate", laxer)
        .with("unmet.gate", unmet)
        .with("renamed.gate", renamed)
        .with("typed.gate", typed)
}

fn replay(folder: &Folder, policy: &str, more: &[&str]) -> Ran {
    folder.run(&[&["replay", "log.db", "--policy", policy], more].concat())
}

/// The ids in the text are those of each run: they are put in order.
fn masked(folder: &Folder, text: &str) -> String {
    let (_, rows) = folder.json(&["audit", "query", "log.db"]);
    let mut text = text.to_string();
    for (place, row) in rows.as_array().unwrap().iter().enumerate() {
        text = text.replace(row["id"].as_str().unwrap(), &format!("ID-{place}"));
    }
    text
}

fn ids(folder: &Folder) -> Vec<Value> {
    let (_, rows) = folder.json(&["audit", "query", "log.db"]);
    rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
}

#[test]
fn the_summary_tells_what_changes_by_stage_and_by_rule() {
    let folder = candidates();
    for (policy, golden) in [("stricter.gate", "replay-stricter.txt"), ("laxer.gate", "replay-laxer.txt")] {
        let ran = replay(&folder, policy, &[]).code(0);
        assert_eq!(ran.stderr, "");
        Ran { stdout: masked(&folder, &ran.stdout), ..ran }.golden(golden);
    }
    // By itself nothing changes.
    let same = replay(&folder, "ship.gate", &["--fail-on", "changed"]).code(0);
    assert!(same.stdout.ends_with("\nall         5              0           0             0\n"), "{}", same.stdout);
}

#[test]
fn in_json_each_record_is_named() {
    let folder = candidates();
    let all = ids(&folder);
    let (code, json) = folder.json(&["replay", "log.db", "--policy", "stricter.gate"]);
    assert_eq!((code, &json["records"], &json["same"], &json["changed"]), (0, &5.into(), &3.into(), &2.into()));
    assert_eq!((&json["newly_allowed"], &json["newly_held"], &json["newly_denied"]), (&0.into(), &2.into(), &0.into()));
    assert_eq!((&json["first"], &json["last"]), (&"2026-03-03T16:00:00Z".into(), &"2026-03-07T18:00:00Z".into()));
    let change = &json["changes"][0];
    assert_eq!((&change["stage"], &change["was"], &change["is"]), (&"Staging".into(), &"allow".into(), &"hold".into()));
    // Both allows of Staging, in the order of their recording.
    assert_eq!(change["ids"], Value::from(vec![all[1].clone(), all[4].clone()]));
    let rule = &json["rules"][0];
    assert_eq!((&rule["rule"], &rule["was"], &rule["is"]), (&"operations".into(), &"met".into(), &"awaiting".into()));
    assert_eq!((&rule["newly"], &rule["count"]), (&"hold".into(), &2.into()));
    assert_eq!(json["policy"]["name"], "ship");
    assert!(json["policy"]["digest"].as_str().unwrap().starts_with("sha256:"));
    // However many threads there are.
    for jobs in ["1", "2", "7"] {
        let with = folder.json(&["replay", "log.db", "--policy", "stricter.gate", "--jobs", jobs]);
        assert_eq!(with, (0, json.clone()));
    }
}

#[test]
fn the_exit_code_is_for_what_was_asked() {
    let folder = candidates();
    for (policy, fail_on, code) in [
        ("stricter.gate", "newly-held", 1),
        ("stricter.gate", "newly-allowed", 0),
        ("stricter.gate", "newly-denied", 0),
        ("stricter.gate", "newly-allowed,newly-held", 1),
        ("stricter.gate", "changed", 1),
        ("laxer.gate", "newly-allowed", 1),
        ("laxer.gate", "newly-held,newly-denied", 0),
        ("unmet.gate", "newly-denied", 1),
        ("unmet.gate", "newly-allowed", 0),
        ("ship.gate", "changed", 0),
        // What cannot be decided is no allow, and no all-clear either.
        ("renamed.gate", "newly-allowed", 1),
        ("typed.gate", "newly-allowed", 1),
    ] {
        let ran = replay(&folder, policy, &["--fail-on", fail_on]);
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{policy} {fail_on}: {}", ran.stdout);
    }
    // Without it, it only tells.
    replay(&folder, "renamed.gate", &[]).code(0);
    assert!(replay(&folder, "ship.gate", &["--fail-on", "newly-approved"]).code(2).stderr.contains("newly-allowed"));
    assert_eq!(folder.run(&["replay", "log.db"]).code(2).stdout, "");
    assert_eq!(folder.run(&["replay", "log.db", "--self", "--policy", "ship.gate"]).code(2).stdout, "");
    assert_eq!(folder.run(&["replay", "log.db", "--self", "--fail-on", "changed"]).code(2).stdout, "");
}

#[test]
fn what_the_policy_cannot_decide_is_told() {
    let folder = candidates();
    let ran = replay(&folder, "renamed.gate", &[]).code(0);
    Ran { stdout: masked(&folder, &ran.stdout), ..ran }.golden("replay-undecided.txt");
    let (_, json) = folder.json(&["replay", "log.db", "--policy", "renamed.gate"]);
    assert_eq!((&json["records"], &json["same"], &json["newly_allowed"]), (&5.into(), &1.into(), &0.into()));
    assert!(json["undecided"][0]["reason"].as_str().unwrap().contains("no stage `Staging`"), "{json}");
    assert_eq!(json["undecided"][0]["ids"].as_array().unwrap().len(), 4);
    let (_, json) = folder.json(&["replay", "log.db", "--policy", "typed.gate"]);
    assert_eq!((&json["same"], json["undecided"][0]["ids"].as_array().unwrap().len()), (&0.into(), 5));
    assert!(json["undecided"][0]["reason"].as_str().unwrap().contains("coverage"), "{json}");
}

#[test]
fn a_stretch_of_time_or_the_decisions_of_one_policy() {
    let folder = candidates();
    let records = |more: &[&str]| {
        let (code, json) = folder.json(&[&["replay", "log.db", "--policy", "stricter.gate"], more].concat());
        assert_eq!(code, 0, "{json}");
        json["records"].as_u64().unwrap()
    };
    assert_eq!(records(&[]), 5);
    assert_eq!(records(&["--since", "2026-03-05"]), 3);
    // A day counts whole, as it does in a query.
    assert_eq!(records(&["--until", "2026-03-05"]), 4);
    assert_eq!(records(&["--until", "2026-03-05T18:30:00Z"]), 3);
    assert_eq!(records(&["--since", "2026-03-05", "--until", "2026-03-05"]), 2);
    assert_eq!(records(&["--since", "2026-03-05 10:30", "--zone", "America/Los_Angeles"]), 2);
    assert_eq!(records(&["--of", "ship"]), 5);
    assert_eq!(records(&["--of", "shop"]), 0);
    let ran = replay(&folder, "ship.gate", &["--since", "2026-03-05", "--until", "2026-03-04"]).code(2);
    assert!(ran.stderr.contains("--until is not later than --since"), "{}", ran.stderr);
    let (code, again) = folder.json(&["replay", "log.db", "--self", "--since", "2026-03-05"]);
    assert_eq!((code, &again["records"], &again["same"]), (0, &3.into(), &3.into()));
}

#[test]
fn the_recorded_policy_decides_the_same() {
    let folder = candidates();
    let ran = folder.run(&["replay", "log.db", "--self"]).code(0);
    assert_eq!(ran.stdout, "5 decided again: 5 the same, 0 not\n");
    // The policy of then counts, not the file of today.
    std::fs::remove_file(folder.path("ship.gate")).unwrap();
    let (code, json) = folder.json(&["replay", "log.db", "--self", "--jobs", "2"]);
    assert_eq!((code, &json["same"], &json["differ"]), (0, &5.into(), &Value::Array(Vec::new())));
}

/// Changes the line of a record as somebody would who knows SQL: a log that SQLite reads, and `verify` does not believe.
fn forge(folder: &Folder, seq: i64, change: impl Fn(&str) -> String) {
    let log = rusqlite::Connection::open(folder.path("log.db")).unwrap();
    let body: Vec<u8> = log.query_row("SELECT body FROM entry WHERE seq = ?1", [seq], |row| row.get(0)).unwrap();
    let line = zstd::bulk::decompress(&body, 1 << 20).unwrap();
    let changed = change(std::str::from_utf8(&line).unwrap());
    assert_ne!(changed.as_bytes(), line);
    let body = zstd::bulk::compress(changed.as_bytes(), 3).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'entry'";
    let names: Vec<String> =
        log.prepare(names).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for name in names {
        log.execute_batch(&format!("DROP TRIGGER \"{name}\"")).unwrap();
    }
    log.execute("UPDATE entry SET body = ?1 WHERE seq = ?2", (body, seq)).unwrap();
}

#[test]
fn a_decision_that_was_made_friendlier_does_not_come_out_again() {
    let folder = week();
    forge(&folder, 2, |line| line.replace("\"decision\":{\"verdict\":\"hold\"", "\"decision\":{\"verdict\":\"allow\""));
    let ran = folder.run(&["replay", "log.db", "--self"]).code(1);
    assert!(ran.stdout.starts_with("5 decided again: 4 the same, 1 not\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("  verdict: was \"allow\", is \"hold\"\n"), "{}", ran.stdout);
    let (code, json) = folder.json(&["replay", "log.db", "--self"]);
    assert_eq!((code, &json["same"], &json["differ"][0]["seq"]), (1, &4.into(), &2.into()));
    assert_eq!(json["differ"][0]["differences"][0]["path"], "verdict");
    assert!(json["differ"][0]["engine"].is_string() && json["differ"][0]["tzdb"].is_string());

    // A line that is none any more is an error: nobody knows what was asked.
    forge(&folder, 1, |line| line[..line.len() / 2].to_string());
    for by in [&["--self"][..], &["--policy", "ship.gate"]] {
        let ran = folder.run(&[&["replay", "log.db"], by].concat()).code(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("record 1"), "{}", ran.stderr);
    }
}

#[test]
fn secrets_are_put_back_by_those_who_have_them() {
    let policy = "policy keys fact token : string secret stage Live { require key: token == \"hunter2\" }";
    let request = r#"{"stage":"Live","build":{"id":"7"},"now":"2026-03-04T18:00:00Z","facts":{"token":"hunter2"}}"#;
    let other = policy.replace("stage Live {", "stage Live { require id: build.branch == \"main\" ");
    let without = "policy keys stage Live { require id: build.id is set }";
    let folder = Folder::new().with("old.gate", policy).with("request.json", request).with("new.gate", other);
    let folder = folder.with("without.gate", without);
    folder.run(&["decide", "--policy", "old.gate", "--request", "request.json", "--log", "log"]).code(0);
    let ran = folder.run(&["replay", "log", "--self"]).code(1);
    assert!(ran.stdout.starts_with("1 decided again: 0 the same, 0 not\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("not decided again, 1: token is withheld\n"), "{}", ran.stdout);
    folder.run(&["replay", "log", "--self", "--allow-withheld"]).code(0);
    let new = ["replay", "log", "--policy", "new.gate"];
    folder.run(&new).code(0);
    folder.run(&[&new[..], &["--fail-on", "newly-allowed"]].concat()).code(1);
    folder.run(&[&new[..], &["--fail-on", "newly-allowed", "--allow-withheld"]].concat()).code(0);
    // A policy that does not read it can do without.
    let (code, json) = folder.json(&["replay", "log", "--policy", "without.gate", "--fail-on", "changed"]);
    assert_eq!((code, &json["same"]), (0, &1.into()));

    let folder = folder.with("values.json", r#"{"token": ["swordfish", "hunter2"]}"#);
    let secrets = ["--secrets", "values.json"];
    folder.run(&[&["replay", "log", "--self"], &secrets[..]].concat()).code(0);
    let (code, json) = folder.json(&[&new[..], &secrets].concat());
    assert_eq!((code, &json["newly_held"], &json["withheld"]), (0, &1.into(), &Value::Array(Vec::new())));
    // The key by its name; another one; none; and values that are no lists.
    std::fs::rename(folder.path("log.secret-key"), folder.path("elsewhere")).unwrap();
    let with = |file: &str, key: &str| folder.run(&["replay", "log", "--self", "--secrets", file, "--secret-key", key]);
    with("values.json", "elsewhere").code(0);
    assert!(with("values.json", "nowhere").code(2).stderr.contains("nowhere: there is no such file"));
    assert!(
        folder.run(&["replay", "log", "--self", "--secrets", "values.json"]).code(2).stderr.contains("log.secret-key")
    );
    let folder = folder.with("wrong.key", "ab".repeat(32)).with("wrong.json", r#"{"token": "hunter2"}"#);
    let with = |file: &str, key: &str| folder.run(&["replay", "log", "--self", "--secrets", file, "--secret-key", key]);
    with("values.json", "wrong.key").code(1);
    let ran = with("wrong.json", "elsewhere").code(2);
    assert!(ran.stderr.contains("a list for each fact") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[test]
fn what_is_no_log_or_no_policy() {
    let folder = Folder::ship().with("text", "not a log").with("broken.gate", "policy p stage Dev { require x: nope }");
    folder.run(&["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "log"]).code(0);
    for (args, says) in [
        (&["replay", "none", "--self"][..], "none: there is no such log"),
        (&["replay", "text", "--self"], "text: it is not a decision log"),
        (&["replay", "text", "--policy", "ship.gate"], "text: it is not a decision log"),
        (&["replay", "log", "--policy", "none.gate"], "`none.gate` cannot be read: there is no such file"),
        (&["replay", "log", "--policy", "broken.gate"], "broken.gate"),
    ] {
        let ran = folder.run(args).code(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
        let (code, json) = folder.json(args);
        assert!(code == 2 && json["error"]["message"].is_string(), "{json}");
    }
}

#[test]
fn an_empty_log_is_decided_again_in_no_time() {
    let folder = Folder::ship();
    let options = stagegate_audit::Options::new().create(true);
    drop(stagegate_audit::Log::open(folder.path("log"), &options).unwrap());
    assert_eq!(folder.run(&["replay", "log", "--self"]).code(0).stdout, "0 decided again: 0 the same, 0 not\n");
    let ran = folder.run(&["replay", "log", "--policy", "ship.gate", "--fail-on", "changed"]).code(0);
    assert!(ran.stdout.starts_with("0 records decided again by ship\n"), "{}", ran.stdout);
}

#[test]
fn what_is_told_of_one_record_can_be_looked_at() {
    let folder = Folder::ship();
    folder.run(&["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "log.db"]).code(0);
    let laxer = SHIP.replace("approve operations: 2 of ops", "approve operations: 4 of ops");
    let folder = folder.with("new.gate", laxer);
    let (_, json) = folder.json(&["replay", "log.db", "--policy", "new.gate"]);
    let id = json["changes"][0]["ids"][0].as_str().unwrap();
    let request = folder.run(&["audit", "show", "log.db", id, "--request"]).code(0);
    let now = folder.run_with(&["decide", "--policy", "new.gate", "--request", "-"], &request.stdout).code(3);
    assert!(now.stdout.contains("operations (approve) is awaiting"), "{}", now.stdout);
}
