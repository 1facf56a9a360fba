//! Decisions of each kind, as JSON and as text: `tests/decisions/<case>.json` and `.txt`.
//!
//! `STAGEGATE_BLESS=1 cargo test --test decision_json` rewrites the texts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use stagegate::schedule::Zone;
use stagegate::{Decision, Status, Step, Style, Verdict};

#[derive(serde::Deserialize)]
struct Case {
    zone: String,
    decision: serde_json::Value,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decisions")
}

fn cases() -> Vec<(PathBuf, Decision, serde_json::Value)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let case: Case = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let decision: Decision = serde_json::from_value(case.decision.clone()).unwrap();
        (path, decision.print_in(Zone::parse(&case.zone).unwrap()), case.decision)
    };
    paths.into_iter().map(read).collect()
}

fn case(name: &str) -> Decision {
    let wanted = folder().join(name).with_extension("json");
    cases().into_iter().find(|(path, ..)| *path == wanted).unwrap().1
}

/// Without the blanks between tokens.
fn compact(json: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for c in json.chars() {
        if quoted || !c.is_whitespace() {
            out.push(c);
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    out
}

/// The decision of the interfaces page, its elided texts filled in.
const EXAMPLE: &str = r#"
{ "verdict": "hold",
  "policy": { "name": "space-game", "digest": "sha256:ab", "language": 1 },
  "stage": "Staging", "build": "2026.3.1", "at": "2026-03-04T18:00:00Z",
  "rules": [ { "rule": "operations", "kind": "approve", "status": "awaiting", "because": null,
               "detail": "1 of 2: tim approved; mara is the author and does not count",
               "missing": 1, "from": ["andy", "lee@tailspin.example"], "counted": ["tim"],
               "at": { "file": "space-game.gate", "line": 31, "column": 3 } } ],
  "blocking": ["operations"],
  "needs": { "facts": [], "approvals": [ { "rule": "operations", "count": 1, "from": ["andy", "lee@tailspin.example"] } ] },
  "unblock": [ [ { "approve": "operations", "count": 1, "from": ["andy", "lee@tailspin.example"] } ] ],
  "allowed_at": null, "valid_until": "2026-03-05T17:30:00Z",
  "overrides": [], "warnings": [], "ignored_facts": [] }
"#;

#[test]
fn the_example_of_the_interfaces_page_to_the_letter() {
    let decision: Decision = serde_json::from_str(EXAMPLE).unwrap();
    assert_eq!(decision.to_json(), compact(EXAMPLE));
    assert_eq!(compact(&decision.to_json_pretty()), compact(EXAMPLE));
    assert_eq!(decision.verdict(), Verdict::Hold);
    assert_eq!(decision.rule("operations").unwrap().status, Status::Awaiting);
    assert_eq!(decision.needs().approvals[0].count, 1);
    assert!(matches!(&decision.unblock()[0][0], Step::Approve { approve, .. } if approve == "operations"));
    assert!(serde_json::from_str::<Decision>(&EXAMPLE.replace("\"hold\"", "\"maybe\"")).is_err());
    assert!(serde_json::from_str::<Decision>(&EXAMPLE.replace("\"awaiting\"", "\"patient\"")).is_err());
}

#[test]
fn json_and_back_changes_nothing() {
    for (path, decision, tree) in cases() {
        let again: Decision = serde_json::from_str(&decision.to_json()).unwrap();
        assert_eq!(again.to_json(), decision.to_json(), "{}", path.display());
        assert_eq!(serde_json::to_value(&decision).unwrap(), tree, "{}", path.display());
    }
}

#[test]
fn texts_are_as_they_are_kept() {
    let bless = std::env::var_os("STAGEGATE_BLESS").is_some();
    for (path, decision, _) in cases() {
        let text_path = path.with_extension("txt");
        let text = format!("{decision}\n");
        if bless {
            std::fs::write(&text_path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&text_path).unwrap_or_default();
        assert_eq!(text, kept, "{} (STAGEGATE_BLESS=1 rewrites it)", text_path.display());
    }
    assert_eq!(cases().len(), 8);
}

#[test]
fn a_strangers_text_neither_moves_the_cursor_nor_forges_a_line() {
    let text = case("hostile").to_string();
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert!(!text.contains(['\u{202e}', '\u{2028}']), "{text}");
    assert!(text.lines().all(|line| !line.trim_start().starts_with("ALLOW")), "{text}");
}

#[test]
fn colour_is_only_added_and_only_when_it_is_asked_for() {
    for (path, decision, _) in cases() {
        let plain = decision.render(&Style::default());
        assert!(!plain.contains('\x1b'));
        let coloured = decision.render(&Style { colour: true, ..Style::default() });
        assert!(coloured.contains('\x1b'));
        assert_eq!(without_colour(&coloured), plain, "{}", path.display());
    }
}

fn without_colour(text: &str) -> String {
    let mut out = String::new();
    for (index, piece) in text.split("\x1b[").enumerate() {
        out.push_str(if index == 0 { piece } else { piece.split_once('m').unwrap().1 });
    }
    out
}

#[test]
fn lines_are_as_wide_as_asked_and_no_word_is_lost() {
    for (path, decision, _) in cases() {
        let unbroken = decision.render(&Style { width: 0, ..Style::default() });
        for width in [1, 60, 100] {
            let text = decision.render(&Style { width, ..Style::default() });
            let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
            assert_eq!(words(&text), words(&unbroken), "{}", path.display());
            let too_wide = |line: &&str| line.chars().count() > width.max(100) && line.split_whitespace().count() > 1;
            assert_eq!(text.lines().find(too_wide), None, "{}", path.display());
        }
    }
}

#[test]
fn the_answer_is_in_the_first_line_and_the_zone_is_the_policys() {
    let hold = case("hold");
    let first = hold.to_string().lines().next().unwrap().to_string();
    assert_eq!(
        first,
        "HOLD: build 2026.3.1 may not yet enter Staging, at Wed 2026-03-04 10:00 -08:00 (America/Los_Angeles)"
    );
    let berlin = hold.print_in(Zone::parse("Europe/Berlin").unwrap()).to_string();
    assert!(berlin.lines().next().unwrap().ends_with("Wed 2026-03-04 19:00 +01:00 (Europe/Berlin)"), "{berlin}");
}

#[test]
fn approvals_meant_for_other_rules_are_told_in_a_line() {
    let policy =
        stagegate::Policy::parse("p.gate", "policy p group ops = [tim] stage S { approve ops: 1 of ops }").unwrap();
    let at: chrono::DateTime<chrono::Utc> = "2026-03-04T18:00:00Z".parse().unwrap();
    let mut request = stagegate::Request::to("S").build(stagegate::Build::new("42").author("mara")).at(at);
    for number in 0..3_000 {
        request = request.approved(format!("stranger-{number}"), at);
    }
    let decision = policy.decide(&request).unwrap();
    let rule = decision.rule("ops").unwrap();
    // Tools get them all; a person reads ten seconds.
    assert_eq!(rule.not_counted.len(), 3_000);
    assert!(
        rule.detail.ends_with("stranger-5 and 2994 more are not among the people of this rule"),
        "{} bytes",
        rule.detail.len()
    );
    assert!(decision.to_string().lines().count() < 15, "{decision}");
}
