//! `stagegate audit verify`: is the log what was recorded?

use crate::audit::week;
use crate::common::{Folder, Value};

fn verify(folder: &Folder, more: &[&str]) -> (i32, String, String) {
    let ran = folder.run(&[&["audit", "verify", "log.db"], more].concat());
    (ran.code, ran.stdout, ran.stderr)
}

#[test]
fn a_good_log_is_sound() {
    let folder = week();
    let (code, text, errors) = verify(&folder, &[]);
    assert_eq!((code, errors.as_str()), (0, ""), "{text}");
    assert!(text.starts_with("sound: 5 records, root "), "{text}");
    // What nobody can see without a checkpoint is said.
    assert!(text.contains("no checkpoint was given: a log that was cut off at its end"), "{text}");
    let (code, json) = folder.json(&["audit", "verify", "log.db"]);
    assert_eq!((code, &json["sound"], &json["size"], &json["decisions"]), (0, &true.into(), &5.into(), &5.into()));
    assert_eq!((&json["policies"], &json["checkpoints"]), (&1.into(), &0.into()));
    assert_eq!((&json["faults"], &json["more"]), (&Value::Array(Vec::new()), &0.into()));
    let root = json["root"].as_str().unwrap();
    assert!(root.len() == 64 && text.contains(root), "{root}");
}

/// One byte in the middle of what record 2 says.
fn change_a_byte(folder: &Folder) {
    let log = rusqlite::Connection::open(folder.path("log.db")).unwrap();
    let body: Vec<u8> = log.query_row("SELECT body FROM entry WHERE seq = 2", [], |row| row.get(0)).unwrap();
    drop(log);
    let mut file = std::fs::read(folder.path("log.db")).unwrap();
    // A long body has its end on pages of its own.
    let part = &body[..64];
    let at = file.windows(part.len()).position(|window| window == part).unwrap();
    file[at + 32] ^= 1;
    std::fs::write(folder.path("log.db"), file).unwrap();
}

#[test]
fn the_first_changed_record_is_named() {
    let folder = week();
    let (_, rows) = folder.json(&["audit", "query", "log.db"]);
    let id = rows[2]["id"].as_str().unwrap();
    change_a_byte(&folder);
    let (code, text, errors) = verify(&folder, &[]);
    assert_eq!((code, errors.as_str()), (1, ""), "{text}");
    assert!(text.starts_with(&format!("NOT what was recorded: log.db\n  record 2 ({id}): ")), "{text}");
    let (code, json) = folder.json(&["audit", "verify", "log.db"]);
    assert_eq!((code, &json["sound"]), (1, &false.into()));
    let first = &json["faults"][0];
    assert_eq!((&first["seq"], first["id"].as_str()), (&2.into(), Some(id)), "{json}");
    assert!(first["what"].as_str().is_some_and(|what| !what.is_empty()));
}

#[test]
fn a_log_that_was_cut_off_is_told_by_a_checkpoint() {
    let folder = week();
    let key = folder.run(&["audit", "key", "new", "key", "--name", "example.com/ship"]).code(0).stdout;
    let folder = folder.with("verifiers", &key);
    let early = std::fs::read(folder.path("log.db")).unwrap();
    folder.run(&["audit", "checkpoint", "log.db", "--key", "key", "--out", "early"]).code(0);
    folder.run(&["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "log.db"]).code(0);
    folder.run(&["audit", "checkpoint", "log.db", "--key", "key", "--out", "late"]).code(0);
    let both = ["--checkpoint", "early", "--checkpoint", "late", "--key", "verifiers"];
    let (code, text, _) = verify(&folder, &both);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("as 2 checkpoints say"), "{text}");
    let (_, json) = folder.json(&[&["audit", "verify", "log.db"], &both[..]].concat());
    assert_eq!((&json["sound"], &json["checkpoints"]), (&true.into(), &2.into()));

    // The file of before: sound by itself, and not what it was.
    std::fs::write(folder.path("log.db"), early).unwrap();
    assert_eq!(verify(&folder, &[]).0, 0);
    assert_eq!(verify(&folder, &["--checkpoint", "early", "--key", "verifiers"]).0, 0);
    for key in [&["--key", "verifiers"][..], &[]] {
        let (code, text, errors) = verify(&folder, &[&["--checkpoint", "late"], key].concat());
        assert_eq!((code, errors.as_str()), (1, ""), "{text}");
        assert!(text.contains("the checkpoint speaks of 6 records, and there are 5; the end was cut off"), "{text}");
    }

    // A checkpoint that somebody has changed, or that is none, or of another key.
    let forged = folder.read("early").replacen("\n5\n", "\n4\n", 1);
    let folder = folder.with("forged", forged).with("none", "no checkpoint");
    let other = folder.run(&["audit", "key", "new", "key2", "--name", "example.com/other"]).code(0).stdout;
    for (checkpoint, key) in
        [("forged", "verifiers"), ("none", "verifiers"), ("nowhere", "verifiers"), ("early", other.trim())]
    {
        let (code, text, errors) = verify(&folder, &["--checkpoint", checkpoint, "--key", key]);
        assert_eq!((code, text.as_str()), (2, ""), "{checkpoint}");
        assert!(errors.starts_with("error: ") && errors.contains(checkpoint), "{errors}");
    }
}

#[test]
fn what_cannot_be_read_is_not_verified() {
    let folder = Folder::ship().with("empty", "");
    for (log, says) in [
        ("none", "none: there is no such log"),
        ("ship.gate", "ship.gate: it is not a decision log"),
        ("empty", "empty: it is not a decision log"),
        (".", ".: it is not a decision log: it is a folder"),
    ] {
        let ran = folder.run(&["audit", "verify", log]).code(2);
        assert_eq!(ran.stdout, "", "{log}");
        assert!(ran.stderr.starts_with(&format!("error: {says}")), "{}", ran.stderr);
        let (code, json) = folder.json(&["audit", "verify", log]);
        assert_eq!((code, &json["error"]["kind"]), (2, &"log".into()), "{json}");
        assert!(json.get("sound").is_none());
    }
    let ran = folder.run(&["audit", "verify", "none", "--key", "x"]).code(2);
    assert!(ran.stderr.contains("--checkpoint"), "{}", ran.stderr);
}

#[test]
fn an_empty_log_is_sound() {
    let folder = Folder::new();
    let options = stagegate_audit::Options::new().create(true);
    drop(stagegate_audit::Log::open(folder.path("log.db"), &options).unwrap());
    let (code, json) = folder.json(&["audit", "verify", "log.db"]);
    assert_eq!((code, &json["sound"], &json["size"]), (0, &true.into(), &0.into()));
}
