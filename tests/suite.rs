//! Tests of policies, as their authors run them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use stagegate::Policy;
use stagegate::suite::{self, Options, Outcome, Report, Suite};

const POLICY: &str = r#"
policy shop
timezone "America/Los_Angeles"
fact coverage : number
group testers = [amita]
group ops = [tim, andy, mara]
stage Dev { trigger push }
stage Test after Dev {
  trigger nightly: schedule "0 3 * * *"
  trigger manual
  require covered: coverage >= 80
}
stage Staging after Test for 2h {
  trigger manual
  freeze weekend: fri 18:00 .. mon 06:00
  approve qa: 1 of testers
  approve operations: 2 of ops valid 24h
  override break-glass: 1 of ops may skip weekend, soak reason required
}
scenario tested {
  build { id: "1", branch: "main", author: lee }
  succeeded Dev at 2026-03-03 09:00, Test at 2026-03-04 03:00
  fact coverage = 91
  manual by tim
}
scenario approved {
  given tested
  approved by amita, tim, andy at 2026-03-04 04:00
}
"#;

fn suite(tests: &str) -> Suite {
    let policy = Policy::parse("shop.gate", POLICY).unwrap_or_else(|e| panic!("{e}"));
    Suite::without_tests(&policy).with_tests("shop_test.gate", tests).unwrap_or_else(|e| panic!("{e}"))
}

fn run(tests: &str) -> Report {
    suite::run(&[suite(tests)], &Options::default())
}

/// All pass.
fn pass(tests: &str) {
    let report = run(tests);
    assert!(report.passed() && !report.results.is_empty(), "{}", suite::text(&report, &Default::default(), true));
}

/// The differences of the only test, which fails.
fn fails(test: &str) -> Vec<String> {
    let report = run(test);
    match report.results.as_slice() {
        [one] => match &one.outcome {
            Outcome::Failed { failures } => failures.iter().flat_map(|f| f.difference.clone()).collect(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_kind_of_expectation_can_pass() {
    pass(
        r#"
        test "in time" { given approved at 2026-03-04 10:00 expect Staging allow until 2026-03-05 04:00 }
        test "too early" { given approved at 2026-03-04 04:30
          expect Staging hold because soak until 2026-03-04 05:00
          expect Staging rule soak is waiting
          expect Staging opens at 2026-03-04 05:00
          expect Test allow }
        test "nightly" { given tested at 2026-03-04 10:00
          expect Test fires at 2026-03-05 03:00
          expect Test fires at 2026-03-06 03:00 }
        test "nightly at the instant itself" { given tested at 2026-03-04 03:00 expect Test fires at 2026-03-04 03:00 }
        test "nobody approved" { given tested at 2026-03-04 10:00 expect Staging hold because qa, operations }
        test "rejected" { given approved at 2026-03-04 10:00 rejected by tim at 2026-03-04 09:00
          expect Staging deny because operations }
        "#,
    );
}

#[test]
fn what_differs_is_told_in_words() {
    assert_eq!(
        fails(r#"test "t" { given tested at 2026-03-04 10:00 expect Staging allow }"#),
        ["the verdict is hold, not allow"]
    );
    let missing = fails(r#"test "t" { given tested at 2026-03-04 10:00 expect Staging hold because qa }"#);
    assert_eq!(missing.len(), 1);
    assert!(missing[0].starts_with("operations blocks too, and was not named: it is awaiting"), "{missing:?}");
    let wrong = fails(r#"test "t" { given approved at 2026-03-04 04:30 expect Staging hold because soak, qa }"#);
    assert!(wrong[0].starts_with("qa does not block: it is met"), "{wrong:?}");
    assert_eq!(
        fails(r#"test "t" { given tested at 2026-03-04 10:00 expect Test fires at 2026-03-05 04:00 }"#),
        ["the next firing is at 2026-03-05 03:00, not at 2026-03-05 04:00"]
    );
    assert_eq!(
        fails(r#"test "t" { given approved at 2026-03-04 10:00 expect Staging opens at 2026-03-05 04:00 }"#),
        ["it is open already"]
    );
    assert_eq!(
        fails(r#"test "t" { given approved at 2026-03-04 10:00 expect Staging allow until 2026-03-05 05:00 }"#),
        ["the verdict stands until 2026-03-05 04:00, not until 2026-03-05 05:00"]
    );
}

#[test]
fn a_denial_names_what_denies_and_may_name_what_also_blocks() {
    let request = "given tested at 2026-03-04 10:00 rejected by tim at 2026-03-04 09:00";
    pass(&format!(r#"test "a" {{ {request} expect Staging deny because operations }}"#));
    pass(&format!(r#"test "b" {{ {request} expect Staging deny because operations, qa }}"#));
    let wrong = fails(&format!(r#"test "c" {{ {request} expect Staging deny because qa }}"#));
    assert!(wrong[0].starts_with("operations blocks too"), "{wrong:?}");
}

#[test]
fn a_failure_shows_the_decision_and_the_place_of_the_expect() {
    let report = run("\n\ntest \"t\" {\n  given tested\n  at 2026-03-04 10:00\n  expect Staging allow\n}\n");
    let text = suite::text(&report, &Default::default(), false);
    assert!(text.contains("shop_test.gate:6:3: expect Staging allow"), "{text}");
    assert!(text.contains("HOLD: build 1 may not yet enter Staging"), "{text}");
    assert!(text.contains("0 passed, 1 failed"), "{text}");
    let junit = suite::junit(&report);
    assert!(junit.contains("<testsuite name=\"shop.gate\" tests=\"1\" failures=\"1\" errors=\"0\""), "{junit}");
    assert!(junit.contains("<failure message=\"the verdict is hold, not allow\">"), "{junit}");
    let tap = suite::tap(&report);
    assert!(tap.starts_with("TAP version 13\n1..1\nnot ok 1 - t\n"), "{tap}");
}

#[test]
fn what_a_test_says_itself_has_the_last_word() {
    pass(
        r#"
        test "own fact" { at 2026-03-04 10:00 fact coverage = 10 given tested expect Test deny because covered }
        test "own field" { given approved at 2026-03-04 10:00 build { author: tim } expect Staging hold because operations }
        "#,
    );
}

#[test]
fn results_are_the_same_with_any_number_of_threads() {
    let tests: String = (0..200)
        .map(|n| {
            format!("test \"t{n}\" {{ given tested at 2026-03-04 10:00 fact coverage = {n} expect Test allow }}\n")
        })
        .collect();
    let suite = [suite(&tests)];
    let outcomes = |jobs: usize, fail_fast: bool| {
        let report = suite::run(&suite, &Options { jobs, fail_fast, ..Options::default() });
        let outcomes = report.results.iter().map(|r| (r.test.clone(), r.outcome.clone())).collect::<Vec<_>>();
        (outcomes, report.not_run)
    };
    let one = outcomes(1, false);
    assert_eq!(one.0.iter().filter(|(_, o)| *o == Outcome::Passed).count(), 120);
    for jobs in [2, 3, 8] {
        assert_eq!(outcomes(jobs, false), one);
        let (fast, not_run) = outcomes(jobs, true);
        assert_eq!((fast.len(), not_run), (1, 199));
        assert_eq!(fast[0], one.0[0]);
    }
}

#[test]
fn a_filter_looks_at_names_and_files() {
    let suite = [suite(
        r#"test "alpha" { given tested at 2026-03-04 10:00 expect Test allow }
           test "beta" { given tested at 2026-03-04 10:00 expect Test allow }"#,
    )];
    let count =
        |filter: &str| suite::run(&suite, &Options { filter: Some(filter.into()), ..Options::default() }).results.len();
    assert_eq!((count("alpha"), count("shop_test"), count("shop.gate"), count("gamma")), (1, 2, 2, 0));
}

#[test]
fn cases_in_json_ask_for_parts_of_the_decision() {
    let policy = Policy::parse("shop.gate", POLICY).unwrap();
    let cases = r#"[
      { "name": "covered",
        "request": { "stage": "Test", "now": "2026-03-04T18:00:00Z", "build": { "id": "1" },
                     "trigger": { "kind": "manual", "by": "tim" }, "facts": { "coverage": 80 },
                     "history": [ { "stage": "Dev", "status": "succeeded", "at": "2026-03-03T17:00:00Z" } ] },
        "expect": { "verdict": "allow", "blocking": [],
                    "rules": [ { "rule": "covered", "status": "met" } ],
                    "allowed_at": "2026-03-04T10:00:00-08:00" } },
      { "name": "not covered",
        "request": { "stage": "Test", "now": "2026-03-04T18:00:00Z", "build": { "id": "1" },
                     "trigger": { "kind": "manual", "by": "tim" }, "facts": { "coverage": 79 },
                     "history": [ { "stage": "Dev", "status": "succeeded", "at": "2026-03-03T17:00:00Z" } ] },
        "expect": { "verdict": "allow", "rules": [ { "rule": "covered", "status": "met" } ] } }
    ]"#;
    let suite = Suite::without_tests(&policy).with_json("shop_test.json", cases.as_bytes()).unwrap();
    let report = suite::run(&[suite], &Options::default());
    assert_eq!(report.counts(), (1, 1, 0), "{}", suite::text(&report, &Default::default(), true));
    let Outcome::Failed { failures } = &report.results[1].outcome else { panic!("{:?}", report.results[1]) };
    assert_eq!(
        failures[0].difference,
        ["rules.covered.status is \"unmet\", not \"met\"", "verdict is \"deny\", not \"allow\""]
    );
    assert_eq!(report.results[1].at.line, 9);
}

#[test]
fn json_that_is_no_list_of_cases_is_refused_in_words() {
    let policy = Policy::parse("shop.gate", POLICY).unwrap();
    let told = |text: &str| {
        let suite = Suite::without_tests(&policy).with_json("x_test.json", text.as_bytes());
        suite.map(|s| s.cases().len()).map_err(|e| e.to_string())
    };
    assert!(told("3").unwrap_err().contains("neither a list of cases"));
    assert!(told(r#"[{"request": {}, "exepct": {}}]"#).unwrap_err().contains("no field `exepct`"));
    assert!(told(r#"{"cases": 3}"#).unwrap_err().contains("`cases` is a list"));
    assert_eq!(told("[]"), Ok(0));
    // A case that makes no sense is reported when it is run, under its name.
    let suite = Suite::without_tests(&policy)
        .with_json(
            "x_test.jsonl",
            b"{\"request\":{\"stage\":\"Dev\",\"build\":{\"id\":\"1\"}},\"expect\":{\"verdict\":\"allow\"}}\n",
        )
        .unwrap();
    let report = suite::run(&[suite], &Options::default());
    assert_eq!(report.counts(), (0, 0, 1));
    assert!(report.results[0].wrong().contains("needs `now`"), "{}", report.results[0].wrong());
}

#[test]
fn coverage_does_not_hang_on_layout() {
    let tests = r#"test "t" { given approved at 2026-03-04 10:00 expect Staging allow expect Test allow }"#;
    let numbers = |policy: &str| {
        let policy = Policy::parse("shop.gate", policy).unwrap_or_else(|e| panic!("{e}"));
        let suite = Suite::without_tests(&policy).with_tests("t.gate", tests).unwrap();
        let report = suite::run(&[suite], &Options { coverage: true, ..Options::default() });
        let coverage = report.coverage.into_iter().next().unwrap();
        let points: Vec<_> = coverage.points.iter().map(|p| (p.subject.clone(), p.outcome.clone(), p.hits)).collect();
        (coverage.counts(), points)
    };
    let one_line = POLICY.split_whitespace().collect::<Vec<_>>().join(" ");
    let (counts, points) = numbers(POLICY);
    assert_eq!(numbers(&one_line), (counts, points.clone()));
    assert!(counts.0 > 0 && counts.0 < counts.1, "{counts:?}");
    let hits = |subject: &str, outcome: &str| {
        points.iter().find(|(s, o, _)| s == subject && o == outcome).map(|(_, _, hits)| *hits)
    };
    assert_eq!(hits("covered", "met"), Some(1));
    assert_eq!(hits("covered", "unmet"), Some(0));
    assert_eq!(hits("coverage >= 80", "true"), Some(1));
    assert_eq!(hits("coverage >= 80", "unknown"), Some(0));
    assert_eq!(hits("break-glass", "not invoked"), Some(1));
    // A comparison is never waited for, and a window that comes again never denies.
    assert_eq!((hits("covered", "waiting"), hits("weekend", "unmet")), (None, None));
}

#[test]
fn coverage_is_full_when_everything_was_exercised() {
    let policy = Policy::parse(
        "p.gate",
        r#"policy p
        fact n : number
        stage A { require big: n >= 3 when build.branch == "main" }
        test "met" { at 2026-03-04 10:00 build { id: "1", branch: "main" } fact n = 3 expect A allow }
        test "unmet" { at 2026-03-04 10:00 build { id: "1", branch: "main" } fact n = 2 expect A deny because big }
        test "not known" { at 2026-03-04 10:00 build { id: "1" } expect A hold because big }
        test "another branch" { at 2026-03-04 10:00 build { id: "1", branch: "x" } fact n = 1 expect A allow }"#,
    )
    .unwrap();
    let report = suite::run(&[Suite::of(&policy)], &Options { coverage: true, ..Options::default() });
    assert!(report.passed(), "{}", suite::text(&report, &Default::default(), true));
    let coverage = &report.coverage[0];
    assert_eq!(coverage.percent(), 100.0, "{}", coverage.text());
    assert_eq!(coverage.counts(), (10, 10));
    assert!(coverage.lcov().contains("BRF:10\nBRH:10\n"), "{}", coverage.lcov());
    let html = coverage.html();
    assert!(html.contains("n &gt;= 3") && !html.contains("class=\"l miss\""), "{html}");
}

#[test]
fn a_test_is_run_once_for_each_of_its_rows() {
    let report = run(r#"test "coverage of 80 is enough" {
          given tested
          at 2026-03-04 10:00
          row "79.9" { fact coverage = 79.9  expect Test deny because covered }
          row "80"   { fact coverage = 80  expect Test allow }
          row "none at all" { expect Test allow }
        }"#);
    assert!(report.passed(), "{}", suite::text(&report, &Default::default(), true));
    let names: Vec<&str> = report.results.iter().map(|r| r.test.as_str()).collect();
    assert_eq!(
        names,
        ["coverage of 80 is enough / 79.9", "coverage of 80 is enough / 80", "coverage of 80 is enough / none at all"]
    );
    assert_eq!(report.results[1].at.line, 5);
}

#[test]
fn a_row_that_expects_nothing_is_an_error_with_its_place() {
    let policy = Policy::parse("shop.gate", POLICY).unwrap();
    let told = |text: &str| Suite::without_tests(&policy).with_tests("t.gate", text).unwrap_err().to_string();
    let error = told(r#"test "t" { given tested at 2026-03-04 10:00 row "r" { fact coverage = 1 } }"#);
    assert!(error.contains("this row expects nothing") && error.contains("t.gate:1:49"), "{error}");
    let error = told(r#"test "t" { given tested row "r" { expect Test allow } }"#);
    assert!(error.contains("this row does not say when it is"), "{error}");
    let error = told(r#"test "t" { at 2026-03-04 10:00 expect Test allow row "r" { } row "r" { } }"#);
    assert!(error.contains("two rows have the name `r`"), "{error}");
    let error = told(r#"scenario s { row "r" { } }"#);
    assert!(error.contains("row"), "{error}");
}

#[test]
fn boundary_cases_are_tests_that_pass_and_have_both_sides() {
    let policy = Policy::parse("shop.gate", POLICY).unwrap();
    let cases = suite::boundaries(&policy, "Test").unwrap();
    assert!(cases.decision.verdict().is_allow(), "{}", cases.decision);
    let verdict = |name: &str| {
        let case = cases.cases.iter().find(|c| c.name == format!("Test: {name}"));
        case.unwrap_or_else(|| panic!("{name}: {}", cases.text())).decision.verdict().as_str()
    };
    // The usual request is at the edge itself.
    assert_eq!((verdict("coverage is 81"), verdict("coverage is 79")), ("allow", "deny"));
    assert!(cases.text().contains("fact coverage = 80"), "{}", cases.text());
    assert_eq!(verdict("coverage is not known"), "hold");
    assert_eq!(suite::boundaries(&policy, "Test").unwrap().text(), cases.text());
    let text = cases.text();
    let suite = Suite::without_tests(&policy).with_tests("cases.gate", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let report = suite::run(&[suite], &Options::default());
    assert!(report.passed() && report.results.len() > 10, "{}", suite::text(&report, &Default::default(), false));
    assert!(suite::boundaries(&policy, "Nowhere").unwrap_err().to_string().contains("Nowhere"));
}

/// A policy with few wrong versions.
const SMALL: &str = r#"policy small
fact n : number
define unused = n == 7
stage A { require big: n >= 3 }
"#;

fn mutation(tests: &str) -> suite::Mutation {
    let policy = Policy::parse("small.gate", SMALL).unwrap();
    let suite = Suite::without_tests(&policy).with_tests("t.gate", tests).unwrap_or_else(|e| panic!("{e}\n{tests}"));
    suite::mutate(&suite, &Default::default()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_wrong_version_that_survives_comes_with_a_test_that_kills_it() {
    let weak = r#"test "met" { at 2026-03-04 10:00 build { id: "1" } fact n = 9 expect A allow }"#;
    let first = mutation(weak);
    let (killed, all) = first.counts();
    assert!(killed < all, "{}", first.text());
    let one = first.mutants.iter().find(|m| m.what == "`>=` became `>`").unwrap();
    assert_eq!(one.diff, "-stage A { require big: n >= 3 }\n+stage A { require big: n > 3 }\n");
    // A definition that nothing uses cannot change a decision, and does not count.
    assert!(first.mutants.iter().any(|m| m.fate == suite::Fate::Equivalent), "{}", first.text());
    let second = mutation(&format!("{weak}\n{}", first.tests()));
    assert_eq!(second.percent(), 100.0, "{}", second.text());
}

#[test]
fn a_suite_that_does_not_pass_is_not_broken_on_purpose() {
    let policy = Policy::parse("small.gate", SMALL).unwrap();
    let suite = Suite::without_tests(&policy);
    assert!(suite::mutate(&suite, &Default::default()).unwrap_err().contains("has no tests"));
    let failing = r#"test "wrong" { at 2026-03-04 10:00 build { id: "1" } fact n = 9 expect A deny }"#;
    let suite = suite.with_tests("t.gate", failing).unwrap();
    assert!(suite::mutate(&suite, &Default::default()).unwrap_err().contains("does not pass to begin with"));
}
