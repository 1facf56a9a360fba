//! The interpreter against the examples of the page: it must be right before it may judge.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use stagegate::facts::{Build, Occupant, Request};

use crate::answer::{Answer, Found, Future, Status};
use crate::ask::{Ask, nanos};
use crate::conditions::glob;
use crate::model::Policy;
use crate::times::Cron;
use crate::zones::{Instant, zone};

const SPACE_GAME: &str = include_str!("../../policies/space-game.gate");

fn t(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn n(text: &str) -> Instant {
    nanos(t(text))
}

fn ask<R>(text: &str, request: &Request, look: impl FnOnce(&Future<'_>) -> R) -> R {
    let policy = Policy::new(&vec![("p.gate".into(), text.into())]);
    let model = policy.model();
    look(&Future::new(Ask::new(&model, request)))
}

fn answer(text: &str, request: &Request) -> Answer {
    ask(text, request, |future| future.answer(future.now))
}

fn staging() -> Request {
    Request::to("Staging")
        .build(Build::new("2026.3.1").branch("release").author("mara"))
        .at(t("2026-03-04T18:00:00Z"))
        .manual("tim")
        .succeeded("Dev", t("2026-03-03T17:00:00Z"))
        .succeeded("Test", t("2026-03-04T11:00:00Z"))
        .approved("amita", t("2026-03-04T17:30:00Z"))
        .approved("tim", t("2026-03-04T17:30:00Z"))
        .fact("coverage", 91)
        .fact("checks", [("unit", "passed"), ("lint", "passed")])
}

#[test]
fn the_page() {
    ask(SPACE_GAME, &staging(), |future| {
        assert_eq!(future.answer(future.now), Answer::Hold);
        let names: Vec<&str> =
            future.blocking(future.now).iter().map(|rule| future.ask.stage.rules[*rule].name.as_str()).collect();
        assert_eq!(names, ["operations"]);
        assert_eq!(future.allowed_at(), Found::Never);
    });
    let request = staging().approved("andy", t("2026-03-04T17:30:00Z"));
    ask(SPACE_GAME, &request, |future| {
        assert_eq!(future.answer(future.now), Answer::Allow);
        // Both approvals of operations are valid for a day.
        assert_eq!(future.valid_until(), Some(Found::At(n("2026-03-05T17:30:00Z"))));
    });
    // On Saturday the freeze of the weekend holds until Monday 06:00 in Los Angeles, after daylight saving began.
    let request = request.at(t("2026-03-07T20:00:00Z")).approved("tim", t("2026-03-07T19:00:00Z"));
    let request = request.approved("andy", t("2026-03-07T19:00:00Z"));
    ask(SPACE_GAME, &request, |future| {
        let freeze = future.ask.stage.rules.iter().position(|rule| rule.name == "weekend").unwrap();
        assert_eq!(future.status(freeze, future.now), Status::Waiting(n("2026-03-09T13:00:00Z")));
        assert_eq!(future.answer(future.now), Answer::Hold);
    });
    assert_eq!(answer(SPACE_GAME, &staging().rejected("amita", t("2026-03-04T17:40:00Z"))), Answer::Deny);
}

#[test]
fn a_soak_ends_and_an_after_is_needed() {
    let text = "stage A { require ok: build.id is set } stage B after A for 2h { trigger manual }";
    let request = Request::to("B").build(Build::new("1")).at(t("2026-03-04T18:00:00Z")).manual("tim");
    assert_eq!(answer(text, &request), Answer::Deny);
    assert_eq!(answer(text, &request.clone().pending("A", t("2026-03-04T15:00:00Z"))), Answer::Hold);
    assert_eq!(answer(text, &request.clone().failed("A", t("2026-03-04T15:00:00Z"))), Answer::Deny);
    ask(text, &request.succeeded("A", t("2026-03-04T17:00:00Z")), |future| {
        assert_eq!(future.answer(future.now), Answer::Hold);
        assert_eq!(future.allowed_at(), Found::At(n("2026-03-04T19:00:00Z")));
        assert_eq!(future.valid_until(), Some(Found::At(n("2026-03-04T19:00:00Z"))));
    });
}

#[test]
fn globs() {
    for (pattern, text, fits) in [
        ("release/*", "release/1", true),
        ("release/*", "release/1/2", false),
        ("release/**", "release/1/2", true),
        ("v?.[0-9]", "v1.7", true),
        ("{main,release*}", "release-3", true),
        ("{main,release*}", "mainly", false),
    ] {
        assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
    }
}

fn firings(expr: &str, home: &str, days: [&str; 2]) -> Vec<String> {
    let days: Vec<jiff::civil::Date> = days.iter().map(|day| day.parse().unwrap()).collect();
    let found: BTreeSet<Instant> = days.iter().flat_map(|day| Cron::new(expr).firings(&zone(home), *day)).collect();
    found.into_iter().map(|t| crate::zones::stamp(t).to_string()).collect()
}

#[test]
fn cron_over_daylight_saving() {
    // The clock goes from 02:00 to 03:00 on 2026-03-08.
    let spring = ["2026-03-08", "2026-03-09"];
    assert_eq!(
        firings("30 2 * * *", "America/New_York", spring),
        ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"],
        "after the gap"
    );
    assert_eq!(firings("30 * 8 * *", "America/New_York", spring).len(), 23, "the wall skips an hour");
    // And from 02:00 to 01:00 on 2026-11-01.
    let autumn = ["2026-11-01", "2026-11-02"];
    assert_eq!(firings("30 1 1 * *", "America/New_York", autumn), ["2026-11-01T05:30:00Z"], "the first of the two");
    assert_eq!(firings("30 * 1 * *", "America/New_York", autumn).len(), 25);
    assert_eq!(firings("0 9 * * fri-sun", "UTC", autumn), ["2026-11-01T09:00:00Z"]);
    // A day that Samoa left out.
    assert_eq!(firings("0 12 30 12 *", "Pacific/Apia", ["2011-12-30", "2011-12-31"]), ["2011-12-30T10:00:00Z"]);
}

#[test]
fn windows_over_daylight_saving() {
    let open = |times: &str, home: &str, at: &str| {
        let text = format!("timezone \"{home}\" stage A {{ window w: {times} }}");
        answer(&text, &Request::to("A").build(Build::new("1")).at(t(at))) == Answer::Allow
    };
    // Lord Howe repeats half an hour: 01:30 to 02:00 on 2026-04-05, at +11 and at +10:30.
    for (at, inside) in
        [("2026-04-04T14:30:00Z", true), ("2026-04-04T15:10:00Z", true), ("2026-04-04T15:15:00Z", false)]
    {
        assert_eq!(open("daily 01:30..01:45", "Australia/Lord_Howe", at), inside, "{at}");
    }
    // An edge in the gap moves to its end.
    assert!(!open("daily 02:15..04:00", "America/New_York", "2026-03-08T06:59:00Z"));
    assert!(open("daily 02:15..04:00", "America/New_York", "2026-03-08T07:00:00Z"));
    assert!(!open("daily 02:15..02:45", "America/New_York", "2026-03-08T07:00:00Z"));
    // The day that Samoa left out is empty.
    assert!(!open("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z"));
    assert!(open("yearly dec 31 .. jan 1", "Pacific/Apia", "2011-12-30T10:00:00Z"));
}

#[test]
fn forward_and_exclusive() {
    let text = "stage A { exclusive forward only }";
    let request = Request::to("A").build(Build::new("1").version("1.2.0")).at(t("2026-03-04T18:00:00Z"));
    assert_eq!(answer(text, &request), Answer::Hold);
    let newer = request.clone().deploying_nothing().current(Occupant::new("0").version("1.2.0-rc.1"));
    assert_eq!(answer(text, &newer), Answer::Allow);
    let older = request.deploying_nothing().current(Occupant::new("2").version("1.10.0"));
    assert_eq!(answer(text, &older), Answer::Deny);
}

#[test]
fn distinct_approvers_are_a_matching() {
    let text = "group a = [x, y] group b = [x] stage A { approve one: 1 of a approve two: 1 of b distinct approvers }";
    let at = t("2026-03-04T18:00:00Z");
    let request = Request::to("A").build(Build::new("1").author("z")).at(at).approved("x", at);
    assert_eq!(answer(text, &request), Answer::Hold);
    // Greedily x would be taken for the first rule, and nobody were left for the second.
    ask(text, &request.approved("y", at), |future| {
        assert_eq!(future.answer(future.now), Answer::Allow);
        let counted = &future.moment(future.now).counted;
        assert!(counted[&0].contains("y") && counted[&1].contains("x"));
    });
}
