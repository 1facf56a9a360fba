//! Lines of an export, as they are read from a stranger.
#![allow(clippy::unwrap_used, clippy::panic)]

use chrono::Utc;
use stagegate_audit::{Entry, Id, Line, LineReader, PolicyLine, PolicyText, Review};

fn review() -> Entry {
    Entry::Review(Review { id: Id::new(), recorded: Utc::now(), of: Id::new(), by: "lee".into(), note: "seen".into() })
}

fn policy() -> PolicyLine {
    PolicyLine::new(PolicyText::new("p", 1, "UTC", vec![("p.gate".into(), "stage Dev {}\n".into())]))
}

fn read(bytes: &[u8]) -> (Vec<Line>, Option<String>) {
    let (mut lines, mut wrong) = (Vec::new(), None);
    for line in LineReader::new(bytes, "log.jsonl").limit(1_000) {
        match line {
            Ok(line) => lines.push(line),
            Err(error) => wrong = Some(error.to_string()),
        }
    }
    (lines, wrong)
}

#[test]
fn lines_are_read_with_their_bytes() {
    let (entry, policy) = (review(), policy());
    let text = format!("{}\r\n{}\n{}", policy.to_json(), entry.to_json(), entry.to_json());
    let (lines, wrong) = read(text.as_bytes());
    assert_eq!(wrong, None);
    let line = Line::Entry { json: entry.to_json(), entry: Box::new(entry) };
    assert_eq!(lines, [Line::Policy(policy), line.clone(), line]);
}

#[test]
fn the_first_wrong_line_is_named_and_ends_it() {
    let good = review().to_json();
    let policy = policy().to_json();
    let long = format!("{{\"kind\":\"review\",\"note\":\"{}\"}}", "x".repeat(2_000));
    for (wrong, why) in [
        ("", "it is empty"),
        ("{", "it is no entry of a decision log"),
        (&good[..good.len() - 3], "it is no entry of a decision log"),
        ("{\"kind\":\"gossip\",\"v\":1}", "there is no kind gossip"),
        (&policy.replace("Dev", "Live"), "its sources have sha256:"),
        (&policy.replace("\"v\":1", "\"v\":2"), "its version is 2"),
        (&long, "it is longer than 1000 bytes"),
    ] {
        let (lines, told) = read(format!("{good}\n{wrong}\n{good}\n").as_bytes());
        let told = told.unwrap();
        assert_eq!(lines.len(), 1, "{wrong}");
        assert!(told.starts_with("log.jsonl, line 2: ") && told.contains(why), "{told}");
    }
    let (lines, told) = read(b"\xff\n");
    assert!(lines.is_empty() && told.unwrap().contains("line 1: it is not UTF-8"));
    assert_eq!(read(b""), (vec![], None));
}
