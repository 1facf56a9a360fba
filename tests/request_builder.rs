//! A request built in Rust, and the values of facts from what a caller has at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, FixedOffset, TimeZone, Utc};
use stagegate::{
    Action, Approval, Build, Current, Deploying, Invocation, Limits, Occupant, ProblemKind, Request, Run, RunStatus,
    TriggerFact, Value, Word,
};

fn t(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn the_request_of_the_front_page() {
    let now = t("2026-03-04T18:00:00Z");
    let request = Request::to("Staging")
        .build(Build::new("2026.3.1").branch("release").author("mara"))
        .at(now)
        .manual("tim")
        .succeeded("Dev", t("2026-03-03T17:00:00Z"))
        .succeeded("Test", t("2026-03-04T11:00:00Z"))
        .approved("amita", t("2026-03-04T17:30:00Z"))
        .fact("coverage", 91)
        .fact("checks", [("unit", "passed"), ("lint", "passed")]);
    assert_eq!(request.stage, "Staging");
    assert_eq!(request.now, Some(now));
    assert_eq!(request.trigger, Some(TriggerFact::Manual { by: Some("tim".into()) }));
    assert_eq!(request.history.len(), 2);
    assert_eq!(request.approvals[0].decision, Word::Approve);
    assert_eq!(request.facts["coverage"], Value::Number(91.0));
    let checks = BTreeMap::from([("unit".to_string(), "passed".into()), ("lint".to_string(), "passed".into())]);
    assert_eq!(request.facts["checks"], Value::Map(checks));
    assert_eq!(request.check(&Limits::default()), Ok(()));
    assert_eq!(
        request.to_json(),
        concat!(
            r#"{"stage":"Staging","now":"2026-03-04T18:00:00Z","trigger":{"kind":"manual","by":"tim"},"#,
            r#""build":{"id":"2026.3.1","branch":"release","author":"mara"},"#,
            r#""history":[{"stage":"Dev","status":"succeeded","at":"2026-03-03T17:00:00Z"},"#,
            r#"{"stage":"Test","status":"succeeded","at":"2026-03-04T11:00:00Z"}],"#,
            r#""approvals":[{"by":"amita","decision":"approve","at":"2026-03-04T17:30:00Z"}],"#,
            r#""facts":{"checks":{"lint":"passed","unit":"passed"},"coverage":91}}"#
        )
    );
}

#[test]
fn everything_that_can_be_said_survives_json() {
    let at = t("2026-03-04T10:00:00.25Z");
    let triggers = [
        TriggerFact::Push { branch: None },
        TriggerFact::PullRequest { branch: Some("main".into()) },
        TriggerFact::Completion { of: None },
        TriggerFact::Event { name: None },
        TriggerFact::Schedule { at: None },
        TriggerFact::Manual { by: None },
    ];
    let full = Request::to("Prod")
        .build(
            Build::new("7")
                .digest("sha256:ab")
                .version("1.2.3")
                .branch("main")
                .commit("abc")
                .author("mara")
                .contributors(["mara", "andy"])
                .labels([""; 0])
                .created(at),
        )
        .at(at)
        .action(Action::Rollback)
        .requester("lee")
        .current(Occupant::new("6").digest("sha256:cd").version("1.2.2").created(at).at(at))
        .failed("A", at)
        .skipped("B", at)
        .cancelled("C", at)
        .pending("D", at)
        .run(Run::new("E", RunStatus::Succeeded, at).digest("sha256:ab").build("6"))
        .rejected("tim", at)
        .withdrew("tim", at)
        .approval(Approval::new("z", Word::Approve, at).stage("S").build("b").digest("d").comment("line\nline"))
        .override_invoked("break-glass", "tim", at, "INC-1")
        .invocation(Invocation::new("x", "y", at).stage("S").build("b").digest("d"))
        .group("ops", ["tim", "andy"])
        .group("nobody", [""; 0])
        .fact("none", None::<i32>)
        .fact("list", vec![Value::from(1), Value::from(true), Value::Null])
        .fact("nested", [("a", [("b", [1.5, -0.0])])]);
    let with = |request: Request| {
        let again = Request::from_json(request.to_json().as_bytes()).unwrap();
        assert_eq!(again, request, "{}", request.to_json());
        assert_eq!(again.to_json(), request.to_json());
    };
    with(full.clone());
    for trigger in triggers {
        with(full.clone().trigger(trigger));
    }
    for request in [
        full.clone().push("main"),
        full.clone().pull_request("main"),
        full.clone().scheduled(),
        full.clone().scheduled_at(at),
        full.clone().completion_of("Test"),
        full.clone().event("nightly"),
    ] {
        with(request);
    }
    for current in [Current::Unknown, Current::Nothing, full.current.clone()] {
        for deploying in [Deploying::Unknown, Deploying::Nothing, Deploying::Build("9".into())] {
            with(clone_with(&full, current.clone(), deploying));
        }
    }
}

fn clone_with(request: &Request, current: Current, deploying: Deploying) -> Request {
    let mut request = request.clone();
    request.current = current;
    request.deploying = deploying;
    request
}

#[test]
fn nothing_there_is_not_the_same_as_not_said() {
    let request = Request::to("S").build(Build::new("1"));
    assert_eq!(request.current, Current::Unknown);
    assert_eq!(request.clone().current_nothing().current, Current::Nothing);
    assert_eq!(request.deploying, Deploying::Unknown);
    assert_eq!(request.clone().deploying_nothing().deploying, Deploying::Nothing);
    assert_eq!(request.deploying("2").deploying, Deploying::Build("2".into()));
}

#[test]
fn types_tell_maps_from_lists() {
    let map = |value: Value| assert!(matches!(value, Value::Map(_)), "{value:?}");
    let list = |value: Value| assert!(matches!(value, Value::List(_)), "{value:?}");
    map([("a", "b")].into());
    map([("a".to_string(), 1)].into());
    map(vec![("a", true)].into());
    map(BTreeMap::from([("a", 1)]).into());
    map(HashMap::from([("a", 1)]).into());
    map([("a", [("b", 1)])].into());
    map(Value::empty_map());
    list(["a", "b"].into());
    list([["a", "b"], ["c", "d"]].into());
    list(vec![1, 2].into());
    list((&["a"][..]).into());
    list(BTreeSet::from(["a"]).into());
    list([Some(1), None].into());
    list(Value::empty_list());
}

#[test]
fn scalars_become_what_a_policy_would_read() {
    assert_eq!(Value::from(true), Value::Bool(true));
    assert_eq!(Value::from(3_u8), Value::Number(3.0));
    assert_eq!(Value::from(-3_i64), Value::Number(-3.0));
    assert_eq!(Value::from(0.1_f32), Value::Number(0.1));
    assert_eq!(Value::from(91.5), Value::Number(91.5));
    assert_eq!(Value::from("a"), Value::String("a".into()));
    assert_eq!(Value::from(Some("a")), Value::String("a".into()));
    assert_eq!(Value::from(None::<&str>), Value::Null);
    assert_eq!(Value::from(RunStatus::Succeeded), Value::String("passed".into()));
    let zone = FixedOffset::east_opt(3600).unwrap();
    assert_eq!(
        Value::from(zone.with_ymd_and_hms(2026, 3, 4, 11, 0, 0).unwrap()),
        Value::Time(t("2026-03-04T10:00:00Z"))
    );
}

#[test]
fn a_number_that_is_not_finite_is_kept_and_refused() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let request = Request::to("S").build(Build::new("1")).fact("n", [("deep", number)]);
        let error = request.check(&Limits::default()).unwrap_err();
        assert_eq!(error.problems()[0].kind, ProblemKind::OutOfRange);
        assert_eq!(error.to_string(), format!("`facts.n.deep`: expected a finite number, got {number}"));
        // JSON has no such number; `null` would say that the fact is known to be absent.
        let again = Request::from_json(request.to_json().as_bytes()).unwrap();
        assert_eq!(again.facts["n"], [("deep", number.to_string())].into());
    }
}

#[test]
fn all_that_is_empty_or_out_of_range_is_told_at_once() {
    let late = t("2201-01-01T00:00:00Z");
    let early = t("1969-12-31T23:59:59Z");
    let request = Request::to("")
        .build(Build::default().contributors(["a", ""]).digest(""))
        .at(late)
        .manual("")
        .succeeded("", early)
        .approved("", late)
        .override_invoked("", "", late, "")
        .group("g", ["x", ""])
        .deploying("")
        .fact("t", late);
    let error = request.check(&Limits::default()).unwrap_err();
    let paths: Vec<&str> = error.problems().iter().map(|p| p.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "stage",
            "now",
            "trigger.by",
            "build.id",
            "build.digest",
            "build.contributors[1]",
            "current.deploying",
            "history[0].stage",
            "history[0].at",
            "approvals[0].by",
            "approvals[0].at",
            "overrides[0].name",
            "overrides[0].by",
            "overrides[0].at",
            "groups.g[1]",
            "facts.t"
        ]
    );
    assert!(error.to_string().starts_with(
        "`stage` is empty\n`now`: 2201-01-01T00:00:00Z lies outside the years 1970 to 2200\n`trigger.by` is empty; leave it out"
    ));
    // The edges themselves.
    let edges = Request::to("S")
        .build(Build::new("1"))
        .at(t("1970-01-01T00:00:00Z"))
        .fact("t", t("2200-12-31T23:59:59.999999999Z"));
    assert_eq!(edges.check(&Limits::default()), Ok(()));
}

#[test]
fn an_instant_beyond_the_calendar_of_chrono_does_not_panic() {
    let request =
        Request::to("S").build(Build::new("1")).at(DateTime::<Utc>::MAX_UTC).fact("t", DateTime::<Utc>::MIN_UTC);
    assert_eq!(request.check(&Limits::default()).unwrap_err().problems().len(), 2);
    assert!(Request::from_json(request.to_json().as_bytes()).is_err());
}

#[test]
fn entries_and_depth_are_limited() {
    let limits = Limits { request_entries: 3, request_depth: 1, ..Limits::default() };
    let at = t("2026-03-04T10:00:00Z");
    let request = Request::to("S").build(Build::new("1")).fact("a", [1]).succeeded("Dev", at);
    assert_eq!(request.check(&limits), Ok(()));
    let one_more = request.clone().approved("a", at).check(&limits).unwrap_err();
    assert_eq!(one_more.problems()[0].kind, ProblemKind::Limit);
    let deeper = request.fact("a", [[1]]).check(&limits).unwrap_err();
    assert_eq!(deeper.to_string(), "`facts.a[0]`: lists and maps are nested deeper than 1");
}
