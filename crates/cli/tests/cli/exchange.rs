//! A log is taken elsewhere: export, import, backup, rotate, Parquet.

use std::path::Path;

use crate::audit::week;
use crate::common::{Folder, Value};

const DECIDE: [&str; 7] = ["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "log.db"];

fn root(folder: &Folder, log: &str) -> String {
    let (code, found) = folder.json(&["audit", "verify", log]);
    assert_eq!(code, 0, "{found}");
    found["root"].as_str().unwrap().to_string()
}

/// The week, and a review in it.
fn reviewed() -> Folder {
    let folder = week();
    let (_, rows) = folder.json(&["audit", "query", "log.db", "overridden by any"]);
    let id = rows[0]["id"].as_str().unwrap();
    folder.run(&["audit", "review", "log.db", id, "--by", "lee", "--note", "seen"]).code(0);
    folder
}

fn names(folder: &Folder) -> Vec<String> {
    let names = std::fs::read_dir(folder.dir.path()).unwrap();
    let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.contains("log") || name.contains("partial") || name.contains("export"));
    names.sort();
    names
}

#[test]
fn lines_go_out_and_in_without_loss() {
    let folder = reviewed();
    let lines = folder.run(&["audit", "export", "log.db"]).code(0);
    assert_eq!((lines.stdout.lines().count(), lines.stderr.as_str()), (7, "6 records and 1 policy\n"));
    let first: Value = serde_json::from_str(lines.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&first["kind"], &first["sources"][0][0]), (&"policy".into(), &"ship.gate".into()));
    let ran = folder.run(&["audit", "export", "log.db", "--out", "log.jsonl"]).code(0);
    assert_eq!(ran.stdout, "6 records and 1 policy in log.jsonl\n");
    assert_eq!(folder.read("log.jsonl"), lines.stdout);
    assert_eq!(folder.run(&["audit", "export", "log.db", "-q"]).code(0).stderr, "");

    let ran = folder.run(&["audit", "import", "copy.db", "log.jsonl"]).code(0);
    assert_eq!(ran.stdout, "new in copy.db: 6; there already: 0; policies: 1\n");
    assert_eq!(folder.run(&["audit", "export", "copy.db"]).code(0).stdout, lines.stdout);
    assert_eq!(root(&folder, "copy.db"), root(&folder, "log.db"));
    let (code, again) = folder.json(&["replay", "copy.db", "--self"]);
    assert_eq!((code, &again["same"]), (0, &5.into()));
    // Through a pipe, into a log that has a part of it; and once more.
    let part: String = lines.stdout.lines().take(4).map(|line| format!("{line}\n")).collect();
    for (input, says) in [
        (part.as_str(), "new in part.db: 3; there already: 0; policies: 1\n"),
        (&lines.stdout, "new in part.db: 3; there already: 3; policies: 1\n"),
        (&lines.stdout, "new in part.db: 0; there already: 6; policies: 1\n"),
    ] {
        assert_eq!(folder.run_with(&["audit", "import", "part.db"], input).code(0).stdout, says);
    }
    assert_eq!(root(&folder, "part.db"), root(&folder, "log.db"));
    // In two files, of which the second needs the first.
    let rest: String = lines.stdout.lines().skip(4).map(|line| format!("{line}\n")).collect();
    let folder = folder.with("a.jsonl", part).with("b.jsonl", rest);
    let (code, json) = folder.json(&["audit", "import", "two.db", "a.jsonl", "b.jsonl"]);
    assert_eq!((code, &json["entries"], &json["policies"], &json["log"]), (0, &6.into(), &1.into(), &"two.db".into()));
    let ran = folder.run(&["audit", "import", "three.db", "b.jsonl", "a.jsonl"]).code(2);
    assert!(ran.stderr.starts_with("error: b.jsonl, line 1: its policy sha256:"), "{}", ran.stderr);
    assert!(!folder.path("three.db").exists() && !folder.path("three.db.partial").exists());
}

/// Another engine may write the same entries in another way: what it wrote is kept, and is what counts.
#[test]
fn a_line_of_another_version_stays_as_it_is() {
    let folder = reviewed();
    folder.run(&["audit", "export", "log.db", "--out", "log.jsonl"]).code(0);
    let mut lines: Vec<String> = folder.read("log.jsonl").lines().map(str::to_string).collect();
    lines[1] = lines[1].replacen("{\"kind\":", "{ \"region\": \"eu\",\t\"kind\" : ", 1);
    lines[2] = lines[2].replacen("\"decision\":{", "\"decision\":{ \"risk\":0.30,", 1);
    let strange = lines.join("\n") + "\n";
    let folder = folder.with("strange.jsonl", &strange);
    folder.run(&["audit", "import", "copy.db", "strange.jsonl"]).code(0);
    assert_eq!(folder.run(&["audit", "export", "copy.db"]).code(0).stdout, strange);
    assert_ne!(root(&folder, "copy.db"), root(&folder, "log.db"));
    let id = serde_json::from_str::<Value>(&lines[1]).unwrap()["id"].as_str().unwrap().to_string();
    assert!(folder.run(&["audit", "show", "copy.db", &id, "--format", "json"]).stdout.contains("\"region\""));
    // The one whose decision is written otherwise is told, and no other.
    let (code, again) = folder.json(&["replay", "copy.db", "--self"]);
    assert_eq!((code, &again["same"], again["differ"].as_array().unwrap().len()), (1, &4.into(), 1));
    assert_eq!(again["differ"][0]["differences"], serde_json::json!([{ "path": "risk", "was": 0.3, "is": null }]));
}

#[test]
fn a_time_and_a_policy_are_exported_alone() {
    let folder = reviewed();
    let count = |args: &[&str]| {
        let ran = folder.run(&[&["audit", "export", "log.db"], args].concat()).code(0);
        ran.stderr.trim().to_string()
    };
    assert_eq!(count(&["--since", "2026-03-05", "--until", "2026-03-05"]), "2 records and 1 policy");
    // The evening of the 7th in Tokyo is over when the decision of 18:00 UTC was made; its review goes with it.
    assert_eq!(count(&["--since", "2026-03-08", "--zone", "Asia/Tokyo"]), "2 records and 1 policy");
    assert_eq!(count(&["--since", "2026-03-08"]), "0 records and 0 policies");
    assert_eq!(count(&["--of", "ship"]), "6 records and 1 policy");
    assert_eq!(count(&["--of", "other"]), "0 records and 0 policies");
    let (code, json) = folder.json(&["audit", "export", "log.db", "--until", "2026-03-04", "--out", "part.jsonl"]);
    assert_eq!((code, json["entries"].as_u64(), json["out"].as_str()), (0, Some(2), Some("part.jsonl")));
    folder.run(&["audit", "import", "part.db", "part.jsonl"]).code(0);
}

#[test]
fn a_wrong_line_is_named_and_nothing_is_appended() {
    let folder = reviewed();
    folder.run(&["audit", "export", "log.db", "--out", "log.jsonl"]).code(0);
    let text = folder.read("log.jsonl");
    let lines: Vec<&str> = text.lines().collect();
    let changed = lines[5].replacen("\"asked_by\":\"bot\"", "\"asked_by\":\"eve\"", 1);
    let other = lines[5].replacen("\"id\":\"0", "\"id\":\"f", 1);
    let no_policy = other.replace("\"digest\":\"sha256:", "\"digest\":\"sha256:0");
    for (line, says) in [
        ("", "it is empty"),
        ("{", "it is no entry of a decision log"),
        ("[]", "it is no entry of a decision log"),
        ("{\"kind\":\"decision\",\"v\":9}", "its version is 9, and 1 is what is read here"),
        ("{\"kind\":\"verdict\",\"v\":1}", "there is no kind verdict"),
        (changed.as_str(), "and it says something else"),
        (no_policy.as_str(), "is neither in the log nor in a line before it"),
        (&lines[0].replace("stage Dev", "stage Prod"), "and its sources have sha256:"),
        (&lines[0].replace("\"name\":\"ship\"", "\"name\":\"boat\""), "is not what its text says"),
        (&lines[1].replace("\"request\":{", "\"request\":{\"why\":1,"), "line 7: "),
        (&lines[1].replace("\"id\":\"0", "\"id\":\"g"), "line 7: "),
        (&"[".repeat(200_000), "line 7: "),
    ] {
        let wrong = lines[..6].join("\n") + "\n" + line + "\n" + lines[6] + "\n";
        std::fs::write(folder.path("wrong.jsonl"), wrong).unwrap();
        for log in ["new.db", "log.db"] {
            let before = folder.run(&["audit", "info", "log.db"]).stdout;
            let ran = folder.run(&["audit", "import", log, "wrong.jsonl"]).code(2);
            assert!(ran.stderr.starts_with("error: wrong.jsonl, line 7: "), "{line}\n{}", ran.stderr);
            assert!(ran.stderr.contains(says), "{line}\n{}", ran.stderr);
            assert_eq!(folder.run(&["audit", "info", "log.db"]).stdout, before);
        }
        let (code, json) = folder.json(&["audit", "import", "log.db", "wrong.jsonl"]);
        assert_eq!((code, &json["error"]["kind"]), (2, &"log".into()));
    }
    assert_eq!(names(&folder), ["log.db", "log.jsonl"]);
    let utf8 = folder.with("utf8.jsonl", b"\xff\xfe{\n");
    let ran = utf8.run(&["audit", "import", "new.db", "utf8.jsonl"]).code(2);
    assert_eq!(ran.stderr, "error: utf8.jsonl, line 1: it is not UTF-8\n");
}

#[test]
fn what_cannot_be_read_or_written_is_told() {
    let folder = week().with("x.jsonl.gz", [0x1f, 0x8b, 8, 0]).with("here.jsonl", "mine").with("half.db.partial", "");
    let folder = folder.with("dir/file", "");
    for (args, says) in [
        (&["audit", "export", "none.db"][..], "none.db: there is no such log"),
        (&["audit", "export", "ship.gate"], "ship.gate: it is not a decision log"),
        (&["audit", "export", "log.db", "--out", "here.jsonl"], "here.jsonl: it exists, and is not overwritten"),
        (&["audit", "export", "log.db", "--out", "none/x.jsonl"], "none/x.jsonl: its folder does not exist"),
        (&["audit", "export", "log.db", "--since", "soon"], "is no time"),
        (&["audit", "export", "log.db", "--zone", "Mars"], "there is no time zone"),
        (&["audit", "export", "log.db", "--parquet", "x", "--out", "y"], "cannot be used with"),
        (&["audit", "import", "new.db", "none.jsonl"], "none.jsonl: there is no such file"),
        (&["audit", "import", "new.db", "dir"], "dir: it is a folder"),
        (&["audit", "import", "new.db", "x.jsonl.gz"], "x.jsonl.gz: it is compressed with gzip"),
        (&["audit", "import", "new.db", "-", "-"], "standard input can be read once"),
        (&["audit", "import", "ship.gate"], "ship.gate: it is not a decision log"),
        (&["audit", "import", "half.db"], "half.db.partial: there is such a file already"),
        (&["audit", "import", "log.db", "--origin", "other"], "log.db: the log is called stagegate-log/"),
        (&["audit", "backup", "none.db", "new.db"], "none.db: there is no such log"),
        (&["audit", "backup", "log.db", "here.jsonl"], "here.jsonl: there is such a file already"),
        (&["audit", "backup", "log.db", "none/new.db"], "none/new.db"),
        (&["audit", "rotate", "none.db", "--archive", "old.db"], "none.db: there is no such log"),
        (&["audit", "rotate", "ship.gate", "--archive", "old.db"], "ship.gate: it is not a decision log"),
        (&["audit", "rotate", "log.db", "--archive", "here.jsonl"], "here.jsonl: there is such a file already"),
        (&["audit", "rotate", "log.db", "--archive", "log.db"], "log.db: there is such a file already"),
        (&["audit", "rotate", "log.db"], "--archive"),
    ] {
        let ran = folder.run(args).code(2);
        assert!(ran.stderr.contains(says), "{args:?}\n{}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args:?}");
        let (code, json) = folder.json(args);
        assert!(code == 2 && json["error"]["message"].is_string(), "{args:?}");
    }
    assert_eq!(folder.read("here.jsonl"), "mine");
    assert_eq!(names(&folder), ["half.db.partial", "log.db"]);
    #[cfg(target_os = "linux")]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut export = folder.command(&["audit", "export", "log.db"]);
        let done = export.stdout(full).output().unwrap();
        let says = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(2) && says.starts_with("error: the export: No space left"), "{says}");
    }
    // One value on standard output, or the lines: not both.
    let (code, json) = folder.json(&["audit", "export", "log.db"]);
    assert_eq!((code, &json["error"]["kind"]), (2, &"usage".into()));
}

#[test]
fn a_backup_is_a_log_while_another_appends() {
    let folder = week();
    std::thread::scope(|threads| {
        let appending = threads.spawn(|| (0..8).for_each(|_| drop(folder.run(&DECIDE).code(0))));
        for n in 0..4 {
            let copy = format!("copy-{n}.db");
            let (code, json) = folder.json(&["audit", "backup", "log.db", &copy]);
            assert_eq!(code, 0, "{json}");
            let records = json["records"].as_u64().unwrap();
            let (code, found) = folder.json(&["audit", "verify", &copy]);
            assert_eq!(
                (code, found["size"].as_u64(), &found["origin"]),
                (0, Some(records), &json["origin"]),
                "{found}"
            );
        }
        appending.join().unwrap();
    });
    // What a checkpoint of the copy says holds for the log.
    folder.run(&["audit", "checkpoint", "copy-3.db", "--unsigned", "--out", "point"]).code(0);
    folder.run(&["audit", "verify", "log.db", "--checkpoint", "point"]).code(0);
    let ran = folder.run(&["audit", "backup", "log.db", "last.db"]).code(0);
    assert!(ran.stdout.starts_with("13 records, ") && ran.stdout.ends_with(" bytes in last.db\n"), "{}", ran.stdout);
}

#[test]
fn a_year_is_closed_and_the_next_begins() {
    let folder = week();
    let (before, info) = (root(&folder, "log.db"), folder.json(&["audit", "info", "log.db"]).1);
    assert_eq!(info["predecessor"], Value::Null);
    let ran = folder.run(&["audit", "rotate", "log.db", "--archive", "log-2026.db"]).code(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "closed: log-2026.db, 5 records");
    assert!(lines[1].starts_with("begun:  log.db, stagegate-log/") && lines[1].contains("/after/"), "{}", ran.stdout);
    assert!(ran.stderr.contains("nobody has reviewed 1 override of the closed log"), "{}", ran.stderr);
    assert_eq!(names(&folder), ["log-2026.db", "log.db"]);

    // It goes on as before, and with the next year too.
    folder.run(&DECIDE).code(0);
    let info_of = |log: &str| folder.json(&["audit", "info", log]).1;
    let now = info_of("log.db");
    assert_eq!((&now["records"], &now["policies"]), (&1.into(), &info["policies"]));
    assert_eq!(now["predecessor"], serde_json::json!({ "origin": info["origin"], "size": 5, "root": before }));
    let shown = folder.run(&["audit", "info", "log.db"]).code(0).stdout;
    assert!(
        shown.contains(&format!("after     {}, 5 records, root {before}\n", info["origin"].as_str().unwrap())),
        "{shown}"
    );
    let (code, json) = folder.json(&["audit", "rotate", "log.db", "--archive", "log-2027.db"]);
    assert_eq!((code, &json["rotated"], &json["unreviewed"]), (0, &true.into(), &0.into()));
    assert_eq!((&json["predecessor"]["origin"], &json["predecessor"]["size"]), (&now["origin"], &1.into()));
    let verify = ["audit", "verify", "log.db", "--predecessor", "log-2027.db", "--predecessor", "log-2026.db"];
    let ran = folder.run(&verify).code(0);
    assert!(ran.stdout.ends_with("  2 logs before it: sound, and as when it was closed\n"), "{}", ran.stdout);
    let (code, json) = folder.json(&["audit", "verify", "log.db", "--predecessor", "log-2026.db"]);
    assert_eq!((code, &json["sound"], &json["predecessors"]), (1, &false.into(), &1.into()));
    assert!(json["faults"][0]["what"].as_str().unwrap().starts_with("the log before it, log-2026.db: "), "{json}");
    // The name of the new log is the hash of the last checkpoint of the old one.
    let point = folder.run(&["audit", "checkpoint", "log-2027.db", "--unsigned"]).code(0).stdout;
    let hash = stagegate_audit::Log::read(folder.path("log.db")).unwrap().origin().unwrap();
    let sha256: String = sha(&point);
    assert_eq!(hash.rsplit('/').next(), Some(sha256.as_str()));
    // A year that is over is read, and asked, and takes nothing more.
    assert_eq!(folder.run(&["audit", "query", "log-2026.db", "--count"]).code(0).stdout, "5\n");
    let args = [&DECIDE[..6], &["log-2026.db"]].concat();
    if !may_write_anything(&folder) {
        assert!(folder.run(&args).code(2).stderr.contains("the file may not be written"));
    }
}

/// The superuser may write a file that nobody may write.
fn may_write_anything(folder: &Folder) -> bool {
    std::fs::OpenOptions::new().append(true).open(folder.path("log-2026.db")).is_ok()
}

/// By the tool that everyone has.
fn sha(text: &str) -> String {
    let mut command = std::process::Command::new("sha256sum");
    command.arg("-");
    crate::common::run(command, text).stdout.split(' ').next().unwrap().to_string()
}

#[test]
fn a_log_that_is_open_or_was_changed_is_not_closed() {
    let folder = week();
    let file = rusqlite::Connection::open(folder.path("log.db")).unwrap();
    file.execute_batch("DROP TRIGGER no_delete_person; DELETE FROM person").unwrap();
    drop(file);
    let rotate = ["audit", "rotate", "log.db", "--archive", "old.db"];
    let ran = folder.run(&rotate).code(1);
    assert!(ran.stdout.starts_with("not rotated: log.db: it is not what was recorded, "), "{}", ran.stdout);
    let (code, json) = folder.json(&rotate);
    assert_eq!((code, &json["rotated"]), (1, &false.into()));
    assert_eq!(names(&folder), ["log.db"]);

    let folder = week();
    let open = stagegate_audit::Log::open(folder.path("log.db"), &stagegate_audit::Options::new()).unwrap();
    let ran = folder.run(&rotate).code(2);
    assert!(ran.stderr.contains("help: stop what has the log open to append"), "{}", ran.stderr);
    drop(open);
    assert_eq!(names(&folder), ["log.db"]);
    folder.run(&DECIDE).code(0);
    folder.run(&rotate).code(0);
}

/// Tools decide all the while: each decision that was given is in one of both logs.
#[test]
fn what_is_decided_while_a_year_ends_is_recorded() {
    let folder = week();
    let done = std::sync::atomic::AtomicBool::new(false);
    let given: u64 = std::thread::scope(|threads| {
        let deciding: Vec<_> = (0..2)
            .map(|_| {
                threads.spawn(|| {
                    let mut given = 0;
                    while !done.load(std::sync::atomic::Ordering::Relaxed) && given < 500 {
                        let ran = folder.run(&DECIDE);
                        assert!(ran.code == 0 || ran.stdout.is_empty(), "{}", ran.stderr);
                        given += u64::from(ran.code == 0);
                        std::thread::sleep(std::time::Duration::from_millis(60));
                    }
                    given
                })
            })
            .collect();
        let ran = folder.run(&["audit", "rotate", "log.db", "--archive", "old.db"]);
        std::thread::sleep(std::time::Duration::from_millis(300));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        deciding.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    folder.run(&DECIDE).code(0);
    folder.run(&["audit", "verify", "log.db", "--predecessor", "old.db"]).code(0);
    let records = |log: &str| folder.json(&["audit", "info", log]).1["records"].as_u64().unwrap();
    assert_eq!(records("old.db") + records("log.db"), 5 + given + 1);
}

/// Killed at any instant: there is a log under the name, nothing is lost, and rotating again brings it about.
#[cfg(unix)]
#[test]
fn a_rotation_that_is_killed_is_done_again() {
    let folder = Folder::ship();
    folder.run(&DECIDE).code(0);
    let records = |log: &str| folder.json(&["audit", "info", log]).1["records"].as_u64();
    let (mut killed, mut before) = (0, String::new());
    for n in 0..24_u64 {
        let archive = format!("old-{n}.db");
        let rotate = ["audit", "rotate", "log.db", "--archive", archive.as_str()];
        let mut child = folder.command(&rotate).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(n * 2));
        let _ = child.kill();
        killed += u64::from(child.wait().unwrap().code().is_none());
        let decided = folder.run(&DECIDE);
        // It takes records, or has two names and says so.
        assert!(decided.code == 0 || decided.stderr.contains("a hard link"), "{}", decided.stderr);
        if records(&archive).is_none() || decided.code != 0 {
            folder.run(&rotate).code(0);
        }
        folder.run(&["audit", "verify", "log.db", "--predecessor", &archive]).code(0);
        if !before.is_empty() {
            folder.run(&["audit", "verify", &archive, "--predecessor", &before]).code(0);
        }
        before = archive;
    }
    assert!(killed > 4, "{killed}");
    let all: u64 = (0..24).map(|n| records(&format!("old-{n}.db")).unwrap()).sum();
    assert!(all + records("log.db").unwrap() >= 24, "{all}");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn without_parquet_it_is_said_how_to_get_it() {
    let folder = week();
    let ran = folder.run(&["audit", "export", "log.db", "--parquet", "out"]).code(2);
    assert_eq!(
        ran.stderr,
        "error: this stagegate was built without Parquet\n\
         help: build it with `cargo build --release -p stagegate-cli --features parquet`\n"
    );
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_files_agree_with_the_log() {
    let folder = reviewed();
    let (code, json) = folder.json(&["audit", "export", "log.db", "--parquet", "out"]);
    assert_eq!((code, json["files"].as_u64(), &json["not_compiled"]), (0, Some(5), &serde_json::json!([])), "{json}");
    let count = |query: &str| folder.json(&["audit", "query", "log.db", query, "--count"]).1["count"].clone();
    assert_eq!(json["rows"]["decisions"], count(""));
    assert_eq!(json["rows"]["overrides"], 2);
    assert_eq!(json["rows"]["reviews"], 1);
    for table in ["decisions", "rules", "approvals", "overrides"] {
        let file = folder.path(&format!("out/{table}/year=2026/month=03/{table}.parquet"));
        let bytes = std::fs::read(&file).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{}", file.display());
        assert_eq!(json["bytes"][table].as_u64(), Some(bytes.len() as u64));
    }
    assert!(!Path::new(&folder.path("out.partial")).exists());
    let ran = folder.run(&["audit", "export", "log.db", "--parquet", "out"]).code(2);
    assert_eq!(ran.stderr, "error: out: it is not empty\n");
    let ran = folder.run(&["audit", "export", "log.db", "--parquet", "march", "--until", "2026-03-04"]).code(0);
    assert!(ran.stdout.starts_with("approvals          3 rows "), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("3 files below march\n"), "{}", ran.stdout);
    assert!(folder.run(&["audit", "export", "none.db", "--parquet", "none"]).code(2).stderr.contains("no such log"));
    assert!(!folder.path("none").exists());
}

/// The commands of the pages for those who keep the log, as they stand there and one after the other.
#[cfg(unix)]
#[test]
fn the_commands_of_the_documentation_do_what_is_said() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md")).unwrap();
    let (_, page) = page.split_once("\n## Taking the log elsewhere\n").unwrap();
    let (page, _) = page.split_once("\n## How fast it is, and how large\n").unwrap();
    let folder = reviewed();
    std::fs::rename(folder.path("log.db"), folder.path("decisions.log")).unwrap();
    folder.run(&["audit", "key", "new", "release.key", "--name", "example.com/releases"]).code(0);
    let binary = Path::new(env!("CARGO_BIN_EXE_stagegate")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut ran = 0;
    for line in page.lines().filter(|line| line.starts_with("stagegate ")) {
        if line.contains("--parquet") && cfg!(not(feature = "parquet")) {
            continue;
        }
        let mut command = std::process::Command::new("sh");
        command.args(["-c", line]).current_dir(folder.dir.path()).env_clear().env("PATH", &path);
        let done = crate::common::run(command, "");
        assert_eq!(done.code, 0, "{line}\n{}{}", done.stdout, done.stderr);
        assert!(!done.stderr.contains("error"), "{line}\n{}", done.stderr);
        ran += 1;
    }
    assert!(ran > 20, "{ran}");
}
