//! Keys, checkpoints, proofs and attestations, as an auditor meets them.

use stagegate_audit::{Checkpoint, InclusionProof, Trust, VerifierKey};

use crate::common::{Folder, REQUEST, Value};

fn digest() -> String {
    format!("sha256:{}", "ab".repeat(32))
}

/// A log of an allow and a hold, with a key and a file of its verifier key; the ids of the records.
fn folder() -> (Folder, Vec<String>) {
    let build = format!("\"id\": \"2026.3.1\", \"digest\": \"{}\"", digest());
    let allow = REQUEST.replace("\"id\": \"2026.3.1\"", &build);
    let hold = allow.replace("\"by\": \"andy\"", "\"by\": \"mara\"");
    let plain = REQUEST.replace("2026.3.1", "2026.3.2");
    let folder = Folder::ship().with("allow.json", allow).with("hold.json", hold).with("plain.json", plain);
    for (request, code) in [("allow.json", 0), ("hold.json", 3), ("plain.json", 0)] {
        folder.run(&["decide", "--policy", "ship.gate", "--request", request, "--log", "log"]).code(code);
    }
    let key = folder.run(&["audit", "key", "new", "key", "--name", "example.com/ship"]).code(0);
    std::fs::write(folder.path("verifiers"), &key.stdout).unwrap();
    let log = stagegate_audit::Log::read(folder.path("log")).unwrap();
    let ids = log.entries(0..9).map(|stored| stored.unwrap().id.to_string()).collect();
    (folder, ids)
}

#[test]
fn a_key_is_made_once() {
    let (folder, _) = folder();
    let verifier = folder.read("verifiers");
    assert!(verifier.starts_with("example.com/ship+"), "{verifier}");
    assert_eq!(folder.run(&["audit", "key", "show", "key"]).code(0).stdout, verifier);
    let before = folder.read("key");
    folder.run(&["audit", "key", "new", "key", "--name", "other"]).code(2);
    assert_eq!(folder.read("key"), before);
    folder.run(&["audit", "key", "new", "other", "--name", "with space"]).code(2);
    assert!(!folder.path("other").exists());
}

#[test]
fn a_checkpoint_is_signed_unless_asked_otherwise() {
    let (folder, _) = folder();
    folder.run(&["audit", "checkpoint", "log"]).code(2);
    let unsigned = folder.run(&["audit", "checkpoint", "log", "--unsigned"]).code(0).stdout;
    assert_eq!(unsigned.lines().count(), 3);
    assert_eq!(unsigned.lines().nth(1), Some("3"));
    let signed = folder.run(&["audit", "checkpoint", "log", "--key", "key"]).code(0).stdout;
    assert!(signed.starts_with(&format!("{unsigned}\n— example.com/ship ")), "{signed}");
    let args = ["audit", "checkpoint", "log", "--key", "key", "--out", "point"];
    folder.run(&args).code(0);
    assert_eq!(folder.read("point"), signed);
    assert!(folder.run(&args).code(2).stderr.contains("it exists, and is not overwritten"));
    let (code, json) = folder.json(&["audit", "checkpoint", "log", "--key", "key"]);
    assert_eq!((code, json["size"].as_u64(), json["checkpoint"].as_str()), (0, Some(3), Some(signed.as_str())));
}

#[test]
fn a_record_is_proven_without_the_log() {
    let (folder, ids) = folder();
    folder.run(&["audit", "prove", "log", &ids[1], "--key", "key", "--out", "proof"]).code(0);
    std::fs::remove_file(folder.path("log")).unwrap();
    let check = ["audit", "check-proof", "proof", "--key", "verifiers"];
    let ran = folder.run(&check).code(0);
    assert!(ran.stdout.starts_with("proven: record 1 of the first 3 of stagegate-log/"), "{}", ran.stdout);
    assert!(ran.stdout.contains("  hold: build 2026.3.1 for Staging at 2026-03-04T18:00:00+00:00\n"), "{}", ran.stdout);
    let verifier = folder.read("verifiers");
    let (code, json) = folder.json(&["audit", "check-proof", "proof", "--key", verifier.trim()]);
    assert_eq!((code, &json["proven"], &json["kind"]), (0, &Value::from(true), &Value::from("inclusion")));
    assert_eq!(json["record"]["id"], ids[1].as_str());
    // Each of its bytes counts. Most are looked at in this process, and signatures only where there are some, for the time
    // that it takes.
    let (proof, keys) = (folder.read("proof"), [verifier.trim().parse::<VerifierKey>().unwrap()]);
    let signed = proof.find("\n\n").unwrap();
    let kept = Checkpoint::verified(&proof[signed + 2..], &keys).unwrap();
    for at in 0..proof.len() {
        let mut changed = proof.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let text = std::str::from_utf8(&changed).ok().and_then(|text| InclusionProof::parse(text).ok());
        let trust = if at < signed { Trust::Kept(&kept) } else { Trust::Keys(&keys) };
        assert!(text.is_none_or(|proof| proof.verify(trust).is_err()), "byte {at}");
        if at % 97 == 0 {
            std::fs::write(folder.path("changed"), changed).unwrap();
            let ran = folder.run(&["audit", "check-proof", "changed", "--key", "verifiers"]);
            assert!(ran.code == 1 || ran.code == 2, "byte {at}: {}", ran.stdout);
        }
    }
    let other = folder.run(&["audit", "key", "new", "other", "--name", "example.com/ship"]).code(0).stdout;
    let ran = folder.run(&["audit", "check-proof", "proof", "--key", other.trim()]).code(1);
    assert!(ran.stdout.starts_with("not proven: none of the keys given has signed it"), "{}", ran.stdout);
    folder.run(&["audit", "check-proof", "ship.gate", "--key", "verifiers"]).code(2);
    folder.run(&["audit", "check-proof", "none", "--key", "verifiers"]).code(2);
}

#[test]
fn a_log_that_only_grew_is_told_from_one_that_was_made_anew() {
    let (folder, ids) = folder();
    folder.run(&["audit", "checkpoint", "log", "--key", "key", "--out", "old"]).code(0);
    let decide = ["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "log"];
    folder.run(&decide).code(0);
    folder.run(&["audit", "checkpoint", "log", "--key", "key", "--out", "new"]).code(0);
    folder.run(&["audit", "prove", "log", "--from", "old", "--to", "new", "--out", "proof"]).code(0);
    let ran = folder.run(&["audit", "check-proof", "proof", "--key", "verifiers"]).code(0);
    assert!(ran.stdout.ends_with("at 3 records and at 4, only grew\n"), "{}", ran.stdout);
    folder.run(&["audit", "check-proof", "proof", "--checkpoint", "old"]).code(0);
    folder.run(&["audit", "check-proof", "proof", "--checkpoint", "new"]).code(1);
    // A record that came later is not in the old checkpoint.
    folder.run(&["audit", "prove", "log", &ids[0], "--checkpoint", "old"]).code(0);
    std::fs::remove_file(folder.path("log")).unwrap();
    folder.run(&decide).code(0);
    let (code, json) = folder.json(&["audit", "prove", "log", "--from", "old", "--unsigned"]);
    assert_eq!((code, &json["proven"]), (1, &Value::from(false)));
}

#[test]
fn a_decision_is_attested() {
    let (folder, ids) = folder();
    for (id, out, result) in [(&ids[0], "allow.jsonl", "PASSED"), (&ids[1], "hold.jsonl", "FAILED")] {
        folder.run(&["audit", "attest", "log", id, "--key", "key", "--out", out]).code(0);
        let (code, json) = folder.json(&["audit", "check-proof", out, "--key", "verifiers"]);
        assert_eq!((code, &json["kind"], &json["result"]), (0, &Value::from("attestation"), &Value::from(result)));
        assert_eq!((&json["subject"], &json["digest"]), (&Value::from("2026.3.1"), &Value::from(digest())));
        assert_eq!(json["verifier"], "https://example.com/ship");
        assert_eq!(json["resource"], "stagegate:ship/Staging/2026.3.1");
    }
    let swapped = folder.read("hold.jsonl").replacen("\"payload\":\"", "\"payload\":\"AAAA", 1);
    let folder = folder.with("swapped", swapped);
    folder.run(&["audit", "check-proof", "swapped", "--key", "verifiers"]).code(1);
    let ran = folder.run(&["audit", "attest", "log", &ids[2], "--key", "key"]).code(2);
    assert!(ran.stderr.contains("the build 2026.3.2 has no digest in the request"), "{}", ran.stderr);
    folder.run(&["audit", "attest", "log", &ids[0], "--key", "key", "--verifier", "not a uri"]).code(2);
}

#[test]
fn a_checkpoint_may_hold_the_hash_of_the_file() {
    let (folder, ids) = folder();
    let args = ["audit", "checkpoint", "log", "--key", "key", "--file-hash"];
    let (code, json) = folder.json(&args);
    let text = json["checkpoint"].as_str().unwrap();
    let bytes = std::fs::read(folder.path("log")).unwrap();
    let line = format!("stagegate-file sha256:{} {}", json["file"]["sha256"].as_str().unwrap(), bytes.len());
    assert_eq!(
        (code, text.lines().nth(3), json["file"]["bytes"].as_u64()),
        (0, Some(line.as_str()), Some(bytes.len() as u64))
    );
    let sum = std::process::Command::new("sha256sum").arg(folder.path("log")).output().unwrap().stdout;
    assert!(String::from_utf8(sum).unwrap().starts_with(json["file"]["sha256"].as_str().unwrap()));
    let folder = folder.with("point", text).with("line", text.replace(" sha256:", " sha256:0"));
    let verify = ["audit", "verify", "log", "--checkpoint", "point", "--key", "verifiers"];
    let ran = folder.run(&verify).code(0);
    assert!(
        ran.stdout.contains("note: each byte of the file is what it was at the checkpoint of 3 records"),
        "{ran:?}"
    );
    assert_eq!(folder.run(&["audit", "verify", "log", "--checkpoint", "line"]).code(2).stdout, "");
    // Any byte, whatever it means.
    for at in (0..bytes.len()).step_by(1_021) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        std::fs::write(folder.path("log"), changed).unwrap();
        assert!(folder.run(&verify).code > 0, "byte {at}");
    }
    std::fs::write(folder.path("log"), &bytes).unwrap();
    // It proves what other checkpoints prove.
    folder.run(&["audit", "prove", "log", &ids[1], "--checkpoint", "point", "--out", "proof"]).code(0);
    folder.run(&["audit", "check-proof", "proof", "--key", "verifiers"]).code(0);
    // A log that has grown has another hash, and nothing is wrong with it.
    folder.run(&["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "log"]).code(0);
    let ran = folder.run(&verify).code(0);
    assert!(ran.stdout.contains("note: the log has grown since the checkpoint of 3 records"), "{ran:?}");
    let open = stagegate_audit::Log::open(folder.path("log"), &stagegate_audit::Options::new()).unwrap();
    let ran = folder.run(&args).code(2);
    assert!(ran.stderr.contains("log: it is open to append, by this process or another; close it first"), "{ran:?}");
    drop(open);
    folder.run(&args).code(0);
}

#[test]
fn a_log_that_does_not_extend_the_earlier_one_is_not_signed() {
    let (folder, _) = folder();
    let decide = ["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "log"];
    folder.run(&["audit", "checkpoint", "log", "--key", "key", "--out", "old"]).code(0);
    folder.run(&decide).code(0);
    let args = ["audit", "checkpoint", "log", "--key", "key", "--extends", "old"];
    let ran = folder.run(&args).code(0);
    assert_eq!(ran.stdout.lines().nth(1), Some("4"));
    // By another key it may have been signed: that is nobody's fault. By this one, it has to be right.
    let old = folder.read("old");
    folder.run(&["audit", "key", "new", "next", "--name", "example.com/next"]).code(0);
    folder.run(&["audit", "checkpoint", "log", "--key", "next", "--extends", "old"]).code(0);
    let folder = folder.with("changed", old.replacen("\n3\n", "\n2\n", 1)).with("none", "none");
    let ran = folder.run(&["audit", "checkpoint", "log", "--key", "key", "--extends", "changed"]).code(1);
    assert_eq!(ran.stdout, "not proven: the signature of example.com/ship is wrong\n");
    folder.run(&["audit", "checkpoint", "log", "--key", "key", "--extends", "none"]).code(2);
    // The end was cut off; and another log is in its place.
    for _ in 0..2 {
        std::fs::remove_file(folder.path("log")).unwrap();
        folder.run(&decide).code(0);
        let out = [&args[..], &["--out", "new"]].concat();
        let ran = folder.run(&out).code(1);
        assert!(ran.stdout.starts_with("not proven: the checkpoint is of the log "), "{ran:?}");
        assert!(!folder.path("new").exists());
        let (code, json) = folder.json(&out);
        assert_eq!((code, &json["proven"]), (1, &Value::from(false)));
    }
}

/// The commands of docs/audit.md that make keys, checkpoints and proofs and check them, in their order, and what they say
/// when something was changed.
#[test]
fn what_the_documentation_says_of_proofs() {
    let (folder, ids) = folder();
    std::fs::rename(folder.path("log"), folder.path("decisions.log")).unwrap();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit.md")).unwrap();
    let begin = page.find("## What the log proves").unwrap();
    let end = begin + 3 + page[begin + 3..].find("\n## ").unwrap();
    let (mut verifier, mut ran) = (String::new(), Vec::new());
    for line in page[begin..end].lines() {
        let Some(command) = line.strip_prefix("stagegate ") else { continue };
        let (words, known) = (crate::audit::shell(command), verifier.clone());
        let words: Vec<&str> = words
            .iter()
            .map(|word| match word.as_str() {
                "0199b4e2-55d0-7c4e-8f0a-2b6f2f0d4c11" => ids[0].as_str(),
                word if word.starts_with("example.com/releases+") => known.trim(),
                word => word,
            })
            .collect();
        let made = folder.run(&words).code(0).stdout;
        if words[..3] == ["audit", "key", "new"] {
            verifier = made;
        }
        // Between two checkpoints, the log grows.
        if words[1] == "checkpoint" {
            folder
                .run(&["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "decisions.log"])
                .code(0);
        }
        ran.push(words[1].to_string());
    }
    for command in ["key", "checkpoint", "verify", "prove", "check-proof", "attest"] {
        assert!(ran.iter().any(|word| word == command), "{command} is not among {ran:?}");
    }
    let verify =
        ["audit", "verify", "decisions.log", "--checkpoint", "2026-04-30.checkpoint", "--key", verifier.trim()];
    folder.run(&verify).code(0);
    let mut bytes = std::fs::read(folder.path("decisions.log")).unwrap();
    // In a part of the header that has to be zero.
    bytes[80] = 1;
    std::fs::write(folder.path("decisions.log"), bytes).unwrap();
    folder.run(&verify).code(1);
    std::fs::remove_file(folder.path("decisions.log")).unwrap();
    folder.run(&verify).code(2);
    folder.run(&["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "decisions.log"]).code(0);
    folder.run(&["audit", "verify", "decisions.log"]).code(0);
    folder.run(&verify).code(1);
}

/// Processes come, append one record and go: each time the log is one that nobody has open, and then is not.
#[test]
fn a_log_is_verified_while_others_append() {
    let (folder, _) = folder();
    let decide = ["decide", "--policy", "ship.gate", "--request", "request.json", "--log", "log"];
    std::thread::scope(|threads| {
        let appending = threads.spawn(|| (0..12).for_each(|_| drop(folder.run(&decide).code(0))));
        while !appending.is_finished() {
            let (code, json) = folder.json(&["audit", "verify", "log"]);
            assert_eq!(code, 0, "{json}");
        }
    });
    let (code, json) = folder.json(&["audit", "verify", "log"]);
    assert_eq!((code, json["size"].as_u64()), (0, Some(15)), "{json}");
}
