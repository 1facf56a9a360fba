//! Requests in JSON: what is read, and what is refused with which words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use stagegate::{
    Action, Approval, Build, Current, Deploying, Invocation, Limits, Occupant, ProblemKind, Request, RequestError, Run,
    RunStatus, TriggerFact, Value, Word,
};

/// The request of the interfaces page, its elided texts filled in.
const EXAMPLE: &str = r#"
{ "stage": "Staging",
  "now": "2026-03-04T18:00:00Z",
  "trigger": { "kind": "manual", "by": "tim" },
  "action": "promote",
  "build": { "id": "2026.3.1", "digest": "sha256:ab", "version": "2026.3.1", "branch": "release", "commit": "c0ffee",
             "author": "mara", "contributors": ["mara", "andy"], "labels": [], "created": "2026-03-03T16:40:00Z" },
  "current": { "id": "2026.2.9", "digest": "sha256:cd", "version": "2026.2.9", "created": "2026-02-27T10:00:00Z",
               "at": "2026-02-28T09:00:00Z", "deploying": null },
  "history": [ { "stage": "Dev",  "status": "succeeded", "at": "2026-03-03T17:00:00Z", "digest": "sha256:ab" },
               { "stage": "Test", "status": "succeeded", "at": "2026-03-04T11:00:00Z" } ],
  "approvals": [ { "by": "amita", "decision": "approve", "at": "2026-03-04T17:30:00Z", "stage": "Staging",
                   "build": "2026.3.1", "comment": "tested" } ],
  "overrides": [ { "name": "break-glass", "by": "tim", "at": "2026-03-04T17:45:00Z", "reason": "INC-123" } ],
  "groups": { "release-managers": ["lee"] },
  "facts": { "coverage": 91.5, "checks": { "unit": "passed", "lint": "passed" } } }
"#;

fn t(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn read(json: &str) -> Result<Request, RequestError> {
    Request::from_json(json.as_bytes())
}

/// A small request with these fields added.
fn with(fields: &str) -> Result<Request, RequestError> {
    read(&format!(r#"{{ "stage": "S", "build": {{ "id": "1" }}, {fields} }}"#))
}

fn refused(fields: &str) -> String {
    with(fields).expect_err(fields).to_string()
}

#[test]
fn the_example_of_the_interfaces_page() {
    let expected = Request::to("Staging")
        .at(t("2026-03-04T18:00:00Z"))
        .manual("tim")
        .action(Action::Promote)
        .build(
            Build::new("2026.3.1")
                .digest("sha256:ab")
                .version("2026.3.1")
                .branch("release")
                .commit("c0ffee")
                .author("mara")
                .contributors(["mara", "andy"])
                .labels([""; 0])
                .created(t("2026-03-03T16:40:00Z")),
        )
        .current(
            Occupant::new("2026.2.9")
                .digest("sha256:cd")
                .version("2026.2.9")
                .created(t("2026-02-27T10:00:00Z"))
                .at(t("2026-02-28T09:00:00Z")),
        )
        .deploying_nothing()
        .run(Run::new("Dev", RunStatus::Succeeded, t("2026-03-03T17:00:00Z")).digest("sha256:ab"))
        .succeeded("Test", t("2026-03-04T11:00:00Z"))
        .approval(
            Approval::new("amita", Word::Approve, t("2026-03-04T17:30:00Z"))
                .stage("Staging")
                .build("2026.3.1")
                .comment("tested"),
        )
        .override_invoked("break-glass", "tim", t("2026-03-04T17:45:00Z"), "INC-123")
        .group("release-managers", ["lee"])
        .fact("coverage", 91.5)
        .fact("checks", [("unit", "passed"), ("lint", "passed")]);
    assert_eq!(read(EXAMPLE), Ok(expected.clone()));
    // Through serde too, from text and from a tree.
    assert_eq!(serde_json::from_str::<Request>(EXAMPLE).unwrap(), expected);
    let tree: serde_json::Value = serde_json::from_str(EXAMPLE).unwrap();
    assert_eq!(serde_json::from_value::<Request>(tree.clone()).unwrap(), expected);
    assert_eq!(serde_json::to_value(&expected).unwrap(), tree);
}

#[test]
fn stage_and_build_id_are_enough() {
    assert_eq!(read(r#"{"stage":"S","build":{"id":"1"}}"#), Ok(Request::to("S").build(Build::new("1"))));
    assert_eq!(read("{}").unwrap_err().to_string(), "`stage` is missing\n`build` is missing");
    assert_eq!(read(r#"{"stage":"S","build":{}}"#).unwrap_err().to_string(), "`build.id` is missing");
    assert_eq!(
        read(r#"{"stage":"","build":{"id":""}}"#).unwrap_err().to_string(),
        "`stage` is empty\n`build.id` is empty"
    );
    assert_eq!(
        read(r#"{"stage":null,"build":{"id":1}}"#).unwrap_err().to_string(),
        "`stage`: expected text, got null\n`build.id`: expected text, got the number 1"
    );
}

#[test]
fn null_stands_for_a_field_that_is_left_out() {
    let bare = Request::to("S").build(Build::new("1"));
    let nulls = r#"{ "stage": "S", "build": { "id": "1", "digest": null, "contributors": null, "created": null },
        "now": null, "trigger": null, "action": null, "requester": null, "history": null, "approvals": null,
        "overrides": null, "groups": null, "facts": null }"#;
    assert_eq!(read(nulls), Ok(bare));
    assert_eq!(with(r#""facts": { "a": null }"#).unwrap().facts["a"], Value::Null);
    assert_eq!(refused(r#""history": [null]"#), "`history[0]`: expected a run (an object), got null");
    assert_eq!(refused(r#""groups": { "g": null }"#), "`groups.g`: expected a list, got null");
    assert_eq!(
        refused(r#""history": [{ "stage": "A", "status": "failed", "at": null }]"#),
        "`history[0].at`: expected a time such as `2026-03-04T18:00:00Z`, got null"
    );
}

#[test]
fn what_the_stage_runs() {
    let current = |fields: &str| with(fields).map(|request| (request.current, request.deploying));
    assert_eq!(current(r#""facts": {}"#), Ok((Current::Unknown, Deploying::Unknown)));
    assert_eq!(current(r#""current": null"#), Ok((Current::Nothing, Deploying::Unknown)));
    assert_eq!(current(r#""current": null, "deploying": null"#), Ok((Current::Nothing, Deploying::Nothing)));
    assert_eq!(current(r#""deploying": "2""#), Ok((Current::Unknown, Deploying::Build("2".into()))));
    let empty = Current::Build(Box::default());
    assert_eq!(current(r#""current": {}"#), Ok((empty.clone(), Deploying::Unknown)));
    assert_eq!(current(r#""current": { "deploying": null }"#), Ok((empty.clone(), Deploying::Nothing)));
    assert_eq!(current(r#""deploying": "2", "current": {}"#), Ok((empty, Deploying::Build("2".into()))));
    for twice in [
        r#""current": { "deploying": null }, "deploying": "2""#,
        r#""deploying": "2", "current": { "deploying": null }"#,
        r#""deploying": null, "current": { "deploying": null }"#,
    ] {
        assert_eq!(refused(twice), "`deploying`: is given in `current` too");
    }
    assert_eq!(refused(r#""current": { "id": "" }"#), "`current.id` is empty; leave it out when it is not known");
    assert!(refused(r#""current": [] "#).starts_with("`current`: expected the build that the stage runs"));
    assert!(refused(r#""deploying": 3 "#).ends_with("expected the id of a build (text), or null, got the number 3"));
}

#[test]
fn triggers_and_the_field_that_belongs_to_each() {
    let trigger = |json: &str| with(&format!(r#""trigger": {json}"#)).map(|request| request.trigger.unwrap());
    assert_eq!(trigger(r#"{"kind":"push"}"#), Ok(TriggerFact::Push { branch: None }));
    assert_eq!(trigger(r#"{"branch":"b","kind":"push"}"#), Ok(TriggerFact::Push { branch: Some("b".into()) }));
    assert_eq!(
        trigger(r#"{"kind":"pull-request","branch":"b"}"#),
        Ok(TriggerFact::PullRequest { branch: Some("b".into()) })
    );
    assert_eq!(trigger(r#"{"kind":"manual","by":"a"}"#), Ok(TriggerFact::Manual { by: Some("a".into()) }));
    assert_eq!(trigger(r#"{"kind":"completion","of":"A"}"#), Ok(TriggerFact::Completion { of: Some("A".into()) }));
    assert_eq!(trigger(r#"{"kind":"event","name":"n"}"#), Ok(TriggerFact::Event { name: Some("n".into()) }));
    assert_eq!(
        trigger(r#"{"kind":"schedule","at":"2026-03-04T03:00:00Z"}"#),
        Ok(TriggerFact::Schedule { at: Some(t("2026-03-04T03:00:00Z")) })
    );
    assert_eq!(refused(r#""trigger": {}"#), "`trigger.kind` is missing");
    assert_eq!(
        refused(r#""trigger": { "kind": "manaul" }"#),
        "`trigger.kind`: expected one of `push`, `pull-request`, `schedule`, `manual`, `completion` or `event`, got `manaul`; did you mean `manual`?"
    );
    assert_eq!(
        refused(r#""trigger": { "by": "tim", "kind": "push" }"#),
        "`trigger.by`: does not belong to a trigger of kind `push`"
    );
    assert_eq!(refused(r#""trigger": "push""#), "`trigger`: expected a trigger (an object), got the text `push`");
}

#[test]
fn words_of_approvers_and_ends_of_runs() {
    for (word, status) in [
        ("succeeded", RunStatus::Succeeded),
        ("passed", RunStatus::Succeeded),
        ("failed", RunStatus::Failed),
        ("skipped", RunStatus::Skipped),
        ("cancelled", RunStatus::Cancelled),
        ("pending", RunStatus::Pending),
    ] {
        let json = format!(r#""history": [{{ "stage": "A", "status": "{word}", "at": "2026-03-04T03:00:00Z" }}]"#);
        assert_eq!(with(&json).unwrap().history[0].status, status);
    }
    assert!(
        refused(r#""history": [{ "stage": "A", "status": "succeded", "at": "2026-03-04T03:00:00Z" }]"#)
            .ends_with("got `succeded`; did you mean `succeeded`?")
    );
    assert_eq!(
        refused(r#""approvals": [{ "by": "a", "decision": "approved", "at": "2026-03-04T03:00:00Z" }]"#),
        "`approvals[0].decision`: expected one of `approve`, `reject` or `withdraw`, got `approved`; did you mean `approve`?"
    );
    assert_eq!(
        refused(r#""approvals": [{ "by": "", "decision": "reject", "at": "2026-03-04T03:00:00Z" }]"#),
        "`approvals[0].by` is empty"
    );
    assert_eq!(
        refused(r#""overrides": [{ "reason": "x" }]"#),
        "`overrides[0].name` is missing\n`overrides[0].by` is missing\n`overrides[0].at` is missing"
    );
}

#[test]
fn names_are_taken_as_they_are() {
    let request = with(r#""requester": " Tim ", "groups": { " g ": ["A", "a", " "] }"#).unwrap();
    assert_eq!(request.requester.as_deref(), Some(" Tim "));
    assert_eq!(request.groups[" g "], ["A", "a", " "]);
}

#[test]
fn a_field_that_does_not_exist_is_an_error() {
    assert_eq!(refused(r#""aprovals": []"#), "`aprovals`: there is no such field; did you mean `approvals`?");
    assert_eq!(
        refused(r#""history": [{ "stage": "A", "status": "failed", "at": "2026-03-04T03:00:00Z", "zzz": [[{}]] }]"#),
        "`history[0].zzz`: there is no such field; the fields here are `stage`, `status`, `at`, `digest` and `build`"
    );
    let error = read(r#"{ "stage": "S", "build": { "id": "1", "brnch": "b" }, "Now": 1 }"#).unwrap_err();
    let paths: Vec<_> = error.problems().iter().map(|p| (p.path.as_str(), p.kind)).collect();
    assert_eq!(paths, [("build.brnch", ProblemKind::UnknownField), ("Now", ProblemKind::UnknownField)]);
}

#[test]
fn a_key_that_is_given_twice_is_an_error_everywhere() {
    for (fields, path) in [
        (r#""stage": "T""#, "stage"),
        (r#""facts": {}, "facts": {}"#, "facts"),
        (r#""facts": { "a": 1, "\u0061": 1 }"#, "facts.a"),
        (r#""facts": { "a": { "b/c": 1, "b/c": 2 } }"#, "facts.a[\"b/c\"]"),
        (r#""facts": { "a": [{ "b": 1, "b": 2 }] }"#, "facts.a[0].b"),
        (r#""groups": { "g": [], "g": [] }"#, "groups.g"),
        (r#""trigger": { "kind": "push", "kind": "push" }"#, "trigger.kind"),
        (r#""current": { "id": "1", "id": "1" }"#, "current.id"),
        (r#""current": null, "current": null"#, "current"),
    ] {
        assert_eq!(refused(fields), format!("`{path}` is given twice"));
    }
}

#[test]
fn times_have_a_zone_and_a_place_on_the_calendar() {
    let now = |text: &str| with(&format!(r#""now": "{text}""#)).map(|request| request.now.unwrap());
    assert_eq!(now("2026-03-04T18:00:00Z"), Ok(t("2026-03-04T18:00:00Z")));
    assert_eq!(now("2026-03-04T18:00:00+01:00"), Ok(t("2026-03-04T17:00:00Z")));
    assert_eq!(now("2026-03-04T18:00:00.123456789-08:00"), Ok(t("2026-03-05T02:00:00.123456789Z")));
    assert_eq!(now("1970-01-01T00:00:00Z"), Ok(t("1970-01-01T00:00:00Z")));
    assert_eq!(now("1969-12-31T23:00:00-01:00"), Ok(t("1970-01-01T00:00:00Z")));
    assert_eq!(now("2200-12-31T23:59:59.999Z"), Ok(t("2200-12-31T23:59:59.999Z")));
    // A leap second is the second after it, with its fraction.
    assert_eq!(now("2016-12-31T23:59:60.5Z"), Ok(t("2017-01-01T00:00:00.5Z")));
    for (text, words) in [
        ("2026-03-04T18:00:00", "`2026-03-04T18:00:00` has no time zone; write `…Z` or an offset such as `+01:00`"),
        ("2026-03-04 18:00", "`2026-03-04 18:00` has no time zone; write `…Z` or an offset such as `+01:00`"),
        (
            "2026-03-04",
            "`2026-03-04` is a day, not an instant; write a time and its zone too, such as `2026-03-04T18:00:00Z`",
        ),
        ("2026-02-30T18:00:00Z", "expected a time such as `2026-03-04T18:00:00Z`, got `2026-02-30T18:00:00Z`"),
        ("2026-03-04T24:00:00Z", "expected a time such as `2026-03-04T18:00:00Z`, got `2026-03-04T24:00:00Z`"),
        ("", "expected a time such as `2026-03-04T18:00:00Z`, got ``"),
        ("now", "expected a time such as `2026-03-04T18:00:00Z`, got `now`"),
        ("1969-12-31T23:59:59Z", "`1969-12-31T23:59:59Z` lies outside the years 1970 to 2200"),
        ("2201-01-01T00:00:00Z", "`2201-01-01T00:00:00Z` lies outside the years 1970 to 2200"),
        ("2200-12-31T23:59:59-00:01", "`2200-12-31T23:59:59-00:01` lies outside the years 1970 to 2200"),
    ] {
        assert_eq!(now(text).unwrap_err().to_string(), format!("`now`: {words}"));
    }
    assert_eq!(
        refused(r#""now": 1772647200"#),
        "`now`: expected a time such as `2026-03-04T18:00:00Z`, got the number 1772647200"
    );
}

#[test]
fn numbers_are_the_doubles_of_their_text() {
    let number = |text: &str| with(&format!(r#""facts": {{ "n": {text} }}"#)).map(|r| r.facts["n"].clone());
    for text in
        ["0", "-3", "79.5", "0.1", "1e-320", "9007199254740993", "18446744073709551616", "1.7976931348623157e308"]
    {
        assert_eq!(number(text), Ok(Value::Number(text.parse().unwrap())), "{text}");
    }
    for text in ["1e999", "-1e999"] {
        assert_eq!(number(text).expect_err(text).problems()[0].kind, ProblemKind::OutOfRange, "{text}");
    }
    for text in ["NaN", "Infinity", "-Infinity", "1.", ".5", "01", "0x10", "+1"] {
        let error = number(text).expect_err(text);
        assert_eq!(error.problems()[0].kind, ProblemKind::Syntax, "{text}: {error}");
    }
    assert_eq!(number("1e999").unwrap_err().to_string(), "the request: a number is too large (line 1, column 61)");
}

#[test]
fn what_is_not_json_says_where() {
    for (json, words) in [
        ("", "the request is not JSON: EOF while parsing a value (line 1, column 0)"),
        ("{\n  \"stage\": 'S' }", "the request is not JSON: expected value (line 2, column 12)"),
        ("{\"stage\": \"S\",\n\n}", "the request is not JSON: trailing comma (line 3, column 1)"),
        ("{\"stage\": \"\\ud800\"}", "the request is not JSON: unexpected end of hex escape (line 1, column 18)"),
        (
            "{\"stage\": \"S\", \"build\": {\"id\": \"1\"}} x",
            "the request is not JSON: trailing characters (line 1, column 38)",
        ),
        ("[]", "the request: expected a request (an object), got a list"),
        ("\"x\"", "the request: expected a request (an object), got the text `x`"),
        ("null", "the request: expected a request (an object), got null"),
        ("7", "the request: expected a request (an object), got the number 7"),
        ("true", "the request: expected a request (an object), got `true`"),
    ] {
        assert_eq!(read(json).expect_err(json).to_string(), words);
    }
    let error = Request::from_json(b"{ \"stage\":\n \"\xff\" }").unwrap_err();
    assert_eq!(error.to_string(), "the request is not JSON: it is not UTF-8 (line 2, column 3)");
    assert_eq!(error.problems()[0].kind, ProblemKind::Syntax);
    assert!(Request::from_json(format!("\u{feff}{EXAMPLE}").as_bytes()).is_ok());
}

#[test]
fn several_problems_are_told_at_once_but_not_thousands() {
    let error = refused(r#""now": 1, "facts": { "a": 1, "a": 2 }, "history": {}, "x": 0"#);
    assert_eq!(error.lines().count(), 4, "{error}");
    let many: Vec<String> = (0..500_000).map(|i| format!("\"unknown-{i}\": 0")).collect();
    let started = std::time::Instant::now();
    assert_eq!(refused(&many.join(",")).lines().count(), 32);
    // Looking for the nearest of the fields takes far longer when it is done for every one of them.
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
    let wrong = vec!["1"; 100_000].join(",");
    assert_eq!(refused(&format!("\"approvals\": [{wrong}]")).lines().count(), 32);
}

#[test]
fn what_a_stranger_wrote_is_echoed_in_a_safe_way() {
    let error = refused("\"\\u001b[2J\\n\": 1, \"action\": \"\\u001b]0;\\u202e\"");
    assert!(!error.contains('\u{1b}') && !error.contains('\u{202e}'), "{error}");
    assert!(error.contains("`[\"\\u{1b}[2J\\n\"]`"), "{error}");
    let long = refused(&format!("\"action\": \"{0}\", \"{0}\": 1", "x".repeat(100_000)));
    assert!(long.len() < 1000, "{}", long.len());
}

#[test]
fn limits_of_a_request() {
    let limits = Limits { request_bytes: 120, request_entries: 4, request_depth: 2, ..Limits::default() };
    let read = |fields: &str| {
        let json = format!(r#"{{ "stage": "S", "build": {{ "id": "1" }}, {fields} }}"#);
        Request::from_json_with(json.as_bytes(), &limits)
    };
    let words = |fields: &str| read(fields).expect_err(fields).to_string();
    assert!(read(r#""facts": { "a": [[1]] }"#).is_ok());
    assert_eq!(words(r#""facts": { "a": [[[]]] }"#), "`facts.a[0][0]`: lists and maps are nested deeper than 2");
    assert_eq!(
        words(r#""facts": { "a": {"b":{"c":{"d":1}}} }"#),
        "`facts.a.b.c`: lists and maps are nested deeper than 2"
    );
    assert!(read(r#""facts": { "a": [1, 2, 3] }"#).is_ok());
    let many = "the request: more than 4 entries of history, approvals, overrides, groups and facts";
    assert_eq!(words(r#""facts": { "a": [1, 2, 3, 4] }"#), many);
    assert_eq!(words(r#""groups": { "a": ["x", "y", "z"], "b": [] }"#), many);
    assert_eq!(
        words(&format!(r#""facts": {{ "a": "{}" }}"#, "x".repeat(100))),
        "the request: more than 120 bytes of JSON"
    );
}

#[test]
fn deep_nesting_ends_in_an_error_on_a_small_stack() {
    let run = || {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for depth in [8, 9, 64, 100, 127, 1000, 200_000] {
                let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                for fields in [
                    format!(r#""facts": {{ "x": {value} }}"#),
                    format!(r#""nope": {value}"#),
                    format!(r#""history": {value}"#),
                    format!(r#""trigger": {value}"#),
                ] {
                    assert_eq!(with(&fields).is_ok(), depth == 8 && fields.contains("facts"), "{open} {depth}");
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9-]{0,8}", "\\PC{1,6}", Just("\u{1b}\"\\\n".to_string())]
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..7_289_654_400, prop_oneof![Just(0), Just(500_000_000), 0_u32..1_000_000_000])
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::Number),
        any::<i32>().prop_map(Value::from),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(Value::Map),
        ]
    })
}

fn trigger() -> impl Strategy<Value = TriggerFact> {
    prop_oneof![
        prop::option::of(any::<String>()).prop_map(|branch| TriggerFact::Push { branch }),
        prop::option::of(any::<String>()).prop_map(|branch| TriggerFact::PullRequest { branch }),
        prop::option::of(name()).prop_map(|by| TriggerFact::Manual { by }),
        prop::option::of(name()).prop_map(|of| TriggerFact::Completion { of }),
        prop::option::of(name()).prop_map(|name| TriggerFact::Event { name }),
        prop::option::of(instant()).prop_map(|at| TriggerFact::Schedule { at }),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let status = prop_oneof![
        Just(RunStatus::Succeeded),
        Just(RunStatus::Failed),
        Just(RunStatus::Skipped),
        Just(RunStatus::Cancelled),
        Just(RunStatus::Pending)
    ];
    let word = prop_oneof![Just(Word::Approve), Just(Word::Reject), Just(Word::Withdraw)];
    let scope = || (prop::option::of(name()), prop::option::of(name()), prop::option::of(name()));
    let run = (name(), status, instant(), prop::option::of(name()), prop::option::of(name())).prop_map(
        |(stage, status, at, digest, build)| {
            let mut run = Run::new(stage, status, at);
            (run.digest, run.build) = (digest, build);
            run
        },
    );
    let approval = (name(), word, instant(), scope(), prop::option::of(any::<String>())).prop_map(
        |(by, word, at, (stage, build, digest), comment)| {
            let mut approval = Approval::new(by, word, at);
            (approval.stage, approval.build, approval.digest, approval.comment) = (stage, build, digest, comment);
            approval
        },
    );
    let invocation = (name(), name(), instant(), scope(), prop::option::of(any::<String>())).prop_map(
        |(name, by, at, (stage, build, digest), reason)| {
            let mut invocation = Invocation::new(name, by, at);
            (invocation.stage, invocation.build, invocation.digest) = (stage, build, digest);
            invocation.reason = reason;
            invocation
        },
    );
    let build = (
        name(),
        (prop::option::of(name()), prop::option::of(any::<String>()), prop::option::of(any::<String>())),
        prop::option::of(any::<String>()),
        (
            prop::option::of(name()),
            prop::option::of(prop::collection::vec(name(), 0..3)),
            prop::option::of(prop::collection::vec(any::<String>(), 0..3)),
        ),
        prop::option::of(instant()),
    )
        .prop_map(|(id, (digest, version, branch), commit, (author, contributors, labels), created)| {
            let mut build = Build::new(id);
            (build.digest, build.version, build.branch, build.commit) = (digest, version, branch, commit);
            (build.author, build.contributors, build.labels, build.created) = (author, contributors, labels, created);
            build
        });
    let occupant = (
        prop::option::of(name()),
        prop::option::of(name()),
        prop::option::of(any::<String>()),
        prop::option::of(instant()),
        prop::option::of(instant()),
    )
        .prop_map(|(id, digest, version, created, at)| {
            let mut occupant = Occupant::default();
            (occupant.id, occupant.digest, occupant.version) = (id, digest, version);
            (occupant.created, occupant.at) = (created, at);
            Current::Build(Box::new(occupant))
        });
    let current = prop_oneof![Just(Current::Unknown), Just(Current::Nothing), occupant];
    let deploying = prop_oneof![Just(Deploying::Unknown), Just(Deploying::Nothing), name().prop_map(Deploying::Build)];
    let action = prop_oneof![Just(Action::Promote), Just(Action::Redeploy), Just(Action::Rollback)];
    (
        (name(), prop::option::of(instant()), prop::option::of(trigger()), prop::option::of(action)),
        prop::option::of(name()),
        (build, current, deploying),
        (
            prop::collection::vec(run, 0..3),
            prop::collection::vec(approval, 0..3),
            prop::collection::vec(invocation, 0..3),
        ),
        prop::collection::btree_map(any::<String>(), prop::collection::vec(name(), 0..3), 0..3),
        prop::collection::btree_map(any::<String>(), value(), 0..4),
    )
        .prop_map(
            |((stage, now, trigger, action), requester, (build, current, deploying), lists, groups, facts)| {
                let mut request = Request::to(stage).build(build);
                (request.now, request.trigger, request.action, request.requester) = (now, trigger, action, requester);
                (request.current, request.deploying) = (current, deploying);
                (request.history, request.approvals, request.overrides) = lists;
                (request.groups, request.facts) = (groups, facts);
                request
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_and_back_changes_nothing(request in request()) {
        let json = request.to_json();
        let again = read(&json);
        prop_assert_eq!(again.as_ref(), Ok(&request), "{}", json);
        prop_assert_eq!(again.unwrap().to_json(), json);
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Request::from_json(&bytes);
    }

    #[test]
    fn an_example_with_a_byte_changed_is_read_or_refused_with_words(at in 0..EXAMPLE.len(), byte in any::<u8>()) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        bytes[at] = byte;
        match Request::from_json(&bytes) {
            Ok(request) => prop_assert_eq!(read(&request.to_json()), Ok(request)),
            Err(error) => prop_assert!(!error.problems().is_empty() && !error.to_string().is_empty()),
        }
    }
}
