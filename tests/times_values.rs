//! Windows, freezes, calendars and triggers from the text of a policy to the status of a rule at an instant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, Utc};
use stagegate::{Build, Compiler, MemoryLoader, Policy, Request};

fn t(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn policy(text: &str) -> Policy {
    Policy::parse("p.gate", text).unwrap_or_else(|error| panic!("{error}"))
}

fn request(at: &str) -> Request {
    Request::to("Dev").build(Build::new("1")).at(t(at))
}

/// The instants (UTC) that lie in TIMES, of those given with what is expected of them.
#[track_caller]
fn lies(head: &str, times: &str, expected: &[(&str, bool)]) {
    let policy = policy(&format!("policy p {head} stage Dev {{ window w: {times} }}"));
    let twin = self::policy(&format!("policy p {head} stage Dev {{ freeze w: {times} }}"));
    for (at, inside) in expected {
        let window = policy.decide(&request(at)).unwrap().rule("w").unwrap().status.as_str() == "met";
        let freeze = twin.decide(&request(at)).unwrap().rule("w").unwrap().status.as_str() != "met";
        assert_eq!((window, freeze), (*inside, *inside), "{times} at {at}");
    }
}

const BERLIN: &str = "timezone \"Europe/Berlin\"";

#[test]
fn local_times_are_in_the_zone_of_the_file_unless_they_say_otherwise() {
    // 2026-03-04 is a Wednesday; Berlin is an hour ahead of UTC.
    let morning = "2026-03-04T08:30:00Z";
    lies("", "wed 09:00..17:00", &[(morning, false)]);
    lies(
        BERLIN,
        "wed 09:00..17:00",
        &[(morning, true), ("2026-03-04T08:00:00Z", true), ("2026-03-04T16:00:00Z", false)],
    );
    lies(BERLIN, "wed 09:00..17:00 in \"UTC\"", &[(morning, false), ("2026-03-04T16:30:00Z", true)]);
    // One `in` for all that stands before it.
    lies(
        BERLIN,
        "thu 09:00..10:00, wed 09:00..17:00 in \"UTC\"",
        &[(morning, false), ("2026-03-05T09:30:00Z", true), ("2026-03-05T08:30:00Z", false)],
    );
    lies(
        BERLIN,
        "daily 00:00..24:00 except wed 09:00..17:00 in \"UTC\"",
        &[(morning, true), ("2026-03-04T16:30:00Z", false)],
    );
    lies(
        BERLIN,
        "daily 09:00..17:00 in \"UTC\", daily 09:00..09:15 in \"Asia/Tokyo\"",
        &[("2026-03-04T00:05:00Z", true), ("2026-03-04T09:05:00Z", true), ("2026-03-04T08:05:00Z", false)],
    );
}

#[test]
fn every_kind_of_times() {
    lies(
        "",
        "mon..fri 22:00..04:00",
        &[("2026-03-07T03:59:59Z", true), ("2026-03-07T04:00:00Z", false), ("2026-03-07T22:00:00Z", false)],
    );
    lies("", "fri..mon 09:00..10:00", &[("2026-03-08T09:30:00Z", true), ("2026-03-04T09:30:00Z", false)]);
    lies(
        "",
        "fri 18:00 .. mon 06:00",
        &[
            ("2026-03-06T18:00:00Z", true),
            ("2026-03-09T05:59:59Z", true),
            ("2026-03-09T06:00:00Z", false),
            ("2026-03-06T17:59:59Z", false),
        ],
    );
    lies("", "daily 00:00..24:00", &[("2026-03-06T00:00:00Z", true), ("2026-03-09T23:59:59Z", true)]);
    lies(
        "",
        "2026-12-20 .. 2027-01-02",
        &[("2026-12-20T00:00:00Z", true), ("2027-01-02T23:59:59Z", true), ("2027-01-03T00:00:00Z", false)],
    );
    lies(BERLIN, "2026-12-20", &[("2026-12-19T23:00:00Z", true), ("2026-12-20T23:00:00Z", false)]);
    lies(
        BERLIN,
        "2026-12-24 12:00 .. 2026-12-27 08:00",
        &[("2026-12-24T11:00:00Z", true), ("2026-12-24T10:59:59Z", false), ("2026-12-27T07:00:00Z", false)],
    );
    lies(
        BERLIN,
        "2026-12-24 12:00 Z .. 2026-12-27 08:00 America/New_York",
        &[
            ("2026-12-24T11:59:59Z", false),
            ("2026-12-24T12:00:00Z", true),
            ("2026-12-27T12:59:59Z", true),
            ("2026-12-27T13:00:00Z", false),
        ],
    );
    lies(
        "",
        "yearly dec 20 .. jan 2",
        &[("2030-12-31T12:00:00Z", true), ("2031-01-02T23:00:00Z", true), ("2031-01-03T00:00:00Z", false)],
    );
    lies("", "yearly may 1", &[("2030-05-01T12:00:00Z", true), ("2030-05-02T00:00:00Z", false)]);
    lies(
        "",
        "cron \"0 9 * * 1-5\" for 8h",
        &[("2026-03-04T16:59:59Z", true), ("2026-03-04T17:00:00Z", false), ("2026-03-08T10:00:00Z", false)],
    );
    lies(
        "",
        "daily 09:00..17:00 except sat..sun 00:00..24:00",
        &[("2026-03-06T10:00:00Z", true), ("2026-03-07T10:00:00Z", false)],
    );
}

#[test]
fn edges_where_the_clock_is_changed() {
    // Berlin, 2026-03-29: 02:00 to 03:00 (01:00 UTC) does not exist. 2026-10-25: 02:00 to 03:00 comes twice (00:00 to 02:00 UTC).
    lies(
        BERLIN,
        "2026-03-29 02:30 .. 2026-03-29 05:00",
        &[("2026-03-29T00:59:59Z", false), ("2026-03-29T01:00:00Z", true), ("2026-03-29T03:00:00Z", false)],
    );
    lies(
        BERLIN,
        "2026-10-25 02:15 .. 2026-10-25 02:45",
        &[("2026-10-25T00:15:00Z", true), ("2026-10-25T01:44:59Z", true), ("2026-10-25T01:45:00Z", false)],
    );
}

#[test]
fn a_calendar_is_read_in_the_zone_of_the_file_that_declares_it() {
    let files = MemoryLoader::new()
        .with("p.gate", "policy p include \"base.gate\" stage Dev { window w: shop, late }")
        .with("base.gate", "timezone \"Asia/Tokyo\" calendar shop = daily 09:00..10:00 calendar late = shopping except shop calendar shopping = daily 09:00..11:00");
    let policy = Compiler::new().loader(&files).compile("p.gate").unwrap_or_else(|error| panic!("{error}"));
    let met = |at: &str| policy.verdict(&request(at)).unwrap().is_allow();
    assert!(met("2026-03-04T00:30:00Z") && met("2026-03-04T01:30:00Z"));
    assert!(!met("2026-03-04T02:30:00Z") && !met("2026-03-04T09:30:00Z"));
}

#[test]
fn a_date_in_a_condition_begins_in_the_zone_of_the_file() {
    let policy = policy("policy p timezone \"Europe/Berlin\" stage Dev { require r: build.created >= 2026-03-04 }");
    let met = |created: &str| {
        let request = Request::to("Dev").build(Build::new("1").created(t(created))).at(t("2026-04-01T00:00:00Z"));
        policy.verdict(&request).unwrap().is_allow()
    };
    assert!(met("2026-03-03T23:00:00Z"));
    assert!(!met("2026-03-03T22:59:59Z"));
}

#[test]
fn of_a_time_that_comes_twice_the_first_is_meant() {
    let policy = policy("policy p timezone \"Europe/Berlin\" stage Dev { require r: now >= 2026-10-25 02:30 }");
    assert!(policy.verdict(&request("2026-10-25T00:30:00Z")).unwrap().is_allow());
    assert!(!policy.verdict(&request("2026-10-25T00:29:59Z")).unwrap().is_allow());
}

#[test]
fn a_schedule_is_met_for_a_while_after_it_fires() {
    for (clauses, at, met) in [
        ("", "2026-03-04T02:00:00Z", true),
        ("", "2026-03-04T02:59:59Z", true),
        ("", "2026-03-04T03:00:00Z", false),
        ("", "2026-03-04T01:59:59Z", false),
        ("within 10m", "2026-03-04T02:09:59Z", true),
        ("within 10m", "2026-03-04T02:10:00Z", false),
        ("in \"UTC\"", "2026-03-04T03:00:00Z", true),
        ("in \"UTC\"", "2026-03-04T02:00:00Z", false),
    ] {
        let policy = policy(&format!("policy p {BERLIN} stage Dev {{ trigger schedule \"0 3 * * *\" {clauses} }}"));
        assert_eq!(policy.verdict(&request(at).scheduled()).unwrap().is_allow(), met, "{clauses} {at}");
        assert!(!policy.verdict(&request(at).push("main")).unwrap().is_allow());
    }
}

#[test]
fn branches_and_people_of_triggers() {
    let policy = policy(
        "policy p group ops = [tim] group staff from directory
         stage Dev { trigger push to \"release/*\" trigger pull-request to \"main\" trigger manual by ops or [zoe] or staff
                     trigger event \"ready\" trigger completion of Dev }",
    );
    let at = "2026-03-04T02:00:00Z";
    let allowed = |request: Request| policy.verdict(&request).unwrap().is_allow();
    assert!(
        allowed(request(at).push("release/1"))
            && !allowed(request(at).push("release/1/2"))
            && !allowed(request(at).push("main"))
    );
    assert!(allowed(request(at).pull_request("main")) && !allowed(request(at).pull_request("main2")));
    assert!(
        allowed(request(at).manual("tim")) && allowed(request(at).manual("zoe")) && !allowed(request(at).manual("eve"))
    );
    assert!(allowed(request(at).manual("eve").group("staff", ["eve"])));
    assert!(allowed(request(at).event("ready")) && !allowed(request(at).event("steady")));
    assert!(allowed(request(at).completion_of("Dev")) && !allowed(request(at).completion_of("Test")));
    assert!(!allowed(request(at)));
}

#[test]
fn calendars_that_double_with_each_step_are_counted() {
    let calendars: String = (1..40)
        .map(|i| {
            let j = i - 1;
            format!("calendar a{i} = a{j}, b{j} calendar b{i} = b{j}, a{j} except sat 10:00..11:00\n")
        })
        .collect();
    let text = format!(
        "policy p calendar a0 = daily 09:00..10:00 calendar b0 = daily 11:00..12:00\n{calendars} stage Dev {{ window w: a39 }}"
    );
    let error = Policy::parse("p.gate", text).unwrap_err();
    assert!(error.errors().all(|d| d.code.as_str() == "E0714"), "{error}");
    let chain: String = (1..65).map(|i| format!("calendar a{i} = a{}, sat 10:00..11:00\n", i - 1)).collect();
    let text = |n: usize| format!("policy p calendar a0 = daily 09:00..10:00\n{chain} stage Dev {{ window w: a{n} }}");
    let error = Policy::parse("p.gate", text(64)).unwrap_err();
    let codes: Vec<&str> = error.errors().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["E0713"]);
    let shorter = text(63).replace("calendar a64 = a63, sat 10:00..11:00\n", "");
    Policy::parse("p.gate", shorter).unwrap_or_else(|error| panic!("{error}"));
}
