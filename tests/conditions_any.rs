//! Whatever stands in a condition or in times: no panic, an error or a program, and the same words each time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use stagegate::{Build, Policy, Request};

const FACTS: &str =
    "fact flag : bool fact coverage : number fact title : string fact started : time fact took : duration
fact release : version fact owner : user fact lint : status fact risk : { low, medium } fact tags : set of string
fact checks : map of status group ops = [tim] group staff from directory define covered = coverage >= 80
calendar days = daily 09:00..17:00
";

fn words(words: &'static [&'static str], max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(words), 1..max).prop_map(|words| words.join(" "))
}

const OPERANDS: &[&str] = &[
    "flag",
    "coverage",
    "title",
    "started",
    "took",
    "release",
    "owner",
    "lint",
    "risk",
    "tags",
    "checks",
    "checks.unit",
    "ops",
    "staff",
    "covered",
    "Dev",
    "Dev.age",
    "Dev.status",
    "now",
    "build.labels",
    "build.author",
    "requester",
    "trigger",
    "nothing",
    "low",
    "passed",
    "80",
    "\"80\"",
    "2h",
    "2026-03-04",
    "true",
    "[1, \"a\"]",
    "[low]",
    "[passed, failed]",
    "\"1.0.0\"",
];
const OPERATORS: &[&str] = &["==", "!=", "<", ">=", "in", "not in", "contains", "starts with", "ends with"];

/// A test of one thing by another, whether they fit or not.
fn one_test() -> impl Strategy<Value = String> {
    let side = prop::sample::select(OPERANDS);
    let each = prop::sample::select(&["", "", "every ", "any ", "no ", "not "][..]);
    (each, side.clone(), prop::sample::select(OPERATORS), side)
        .prop_map(|(each, a, op, b)| format!("{each}{a} {op} {b}"))
}

fn compile(text: &str) -> Result<Policy, String> {
    let first = Policy::parse("p.gate", text).map_err(|error| error.render(false));
    let again = Policy::parse("p.gate", text).map_err(|error| error.render(false));
    assert_eq!(first.as_ref().err(), again.as_ref().err());
    first
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_test_of_anything_by_anything(tests in prop::collection::vec(one_test(), 1..4)) {
        let text = format!("policy p {FACTS} stage Dev {{ require r: {} }}", tests.join(" and "));
        if let Ok(policy) = compile(&text) {
            let request = Request::to("Dev").build(Build::new("1")).at("2026-03-04T18:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
            // Not one declared fact is known: only what asks for absence or for the clock can be true.
            let decision = policy.decide(&request).unwrap();
            prop_assert_eq!(decision.verdict(), policy.verdict(&request).unwrap());
        }
    }

    #[test]
    fn any_words_for_a_condition(soup in words(&[
        "flag", "coverage", "(", ")", "not", "and", "or", "every", "tags", "in", "[", "]", ",", "==", "80", "\"a", "a\"", "/a/",
        "matches", "is", "set", "missing", "build", ".", "no", "contains", "\"[\"", "covered", "2h", "<",
    ], 24)) {
        let _ = compile(&format!("policy p {FACTS} stage Dev {{ require r: {soup} }}"));
    }

    #[test]
    fn any_words_for_times(soup in words(&[
        "mon", "..", "fri", "09:00", "17:00", "24:00", "daily", "2026-12-24", "2027-01-02", "yearly", "dec 24", "feb 29", "cron",
        "\"0 9 * * *\"", "\"0 9 31 2 1\"", "for", "8h", ",", "except", "in", "\"Europe/Berlin\"", "\"Mars\"", "days", "Z",
    ], 16)) {
        let _ = compile(&format!("policy p {FACTS} stage Dev {{ window w: {soup} }}"));
    }

    #[test]
    fn any_glob_is_read_or_refused(glob in "[a-c*?\\[\\]{},!/^\\\\-]{0,16}", text in "[a-c/]{0,6}") {
        let policy = compile(&format!("policy p stage Dev {{ require r: build.branch matches \"{}\" }}", glob.replace('\\', "\\\\")));
        if let Ok(policy) = policy {
            let request = Request::to("Dev").build(Build::new("1").branch(text)).at("2026-03-04T18:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
            policy.verdict(&request).unwrap();
        }
    }

    #[test]
    fn a_glob_without_signs_matches_itself_alone(glob in "[a-z0-9./ ()+$|#&~-]{1,12}", other in "[a-z0-9./ ()+$|#&~-]{1,12}") {
        let policy = compile(&format!("policy p stage Dev {{ require r: build.branch matches \"{glob}\" }}")).unwrap();
        for text in [&glob, &other] {
            let request = Request::to("Dev").build(Build::new("1").branch(text)).at("2026-03-04T18:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
            prop_assert_eq!(policy.verdict(&request).unwrap().is_allow(), *text == glob);
        }
    }
}

#[test]
fn a_policy_full_of_mistakes_is_answered_in_time() {
    let facts: String = (0..12_000).map(|i| format!("fact f{i} : bool\n")).collect();
    let rules: String = (0..12_000).map(|i| format!("require r{i}: g{i} == h{i}\n")).collect();
    // Some seconds without optimization; minutes if every name were compared with every other.
    let error = Policy::parse("p.gate", format!("policy p {facts} stage Dev {{ {rules} }}")).unwrap_err();
    assert_eq!(error.errors().count(), 200);
}

#[test]
fn an_enumeration_has_an_end() {
    let values = |n: usize| (0..n).map(|i| format!("v{i}")).collect::<Vec<_>>().join(", ");
    let text = |n: usize| format!("policy p fact f : {{ {} }} stage Dev {{ require r: f == v7 }}", values(n));
    compile(&text(1_000)).unwrap();
    assert!(compile(&text(1_001)).unwrap_err().contains("E0714"));
}
