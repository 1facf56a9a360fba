//! `stagegate next`

use crate::common::Folder;

fn cron(args: &[&str]) -> (i32, serde_json::Value) {
    Folder::new().json(&[&["next", "--cron"], args].concat())
}

#[test]
fn cron_prints_instants_with_the_offset_of_the_zone() {
    let args = ["0 3 * * 1-5", "--zone", "America/Los_Angeles", "--after", "2026-03-06T00:00:00Z", "--count", "3"];
    let (code, json) = cron(&args);
    assert_eq!(code, 0);
    let expected = ["2026-03-06T03:00:00-08:00", "2026-03-09T03:00:00-07:00", "2026-03-10T03:00:00-07:00"];
    assert_eq!(json, serde_json::json!(expected));
    let ran = Folder::new().run(&[&["next", "--cron"], &args[..]].concat()).code(0);
    assert_eq!(ran.stdout, "Fri 2026-03-06 03:00 -08:00\nMon 2026-03-09 03:00 -07:00\nTue 2026-03-10 03:00 -07:00\n");
}

#[test]
fn without_a_zone_it_is_utc_and_five_are_printed() {
    let (code, json) = cron(&["*/15 * * * *", "--after", "2026-03-04 10:00"]);
    assert_eq!(code, 0);
    assert_eq!(json.as_array().unwrap().len(), 5);
    assert_eq!(json[0], "2026-03-04T10:15:00+00:00");
}

#[test]
fn without_after_it_is_the_present() {
    let now = chrono::Utc::now();
    let (_, json) = cron(&["* * * * *", "--count", "1"]);
    let at: chrono::DateTime<chrono::Utc> = json[0].as_str().unwrap().parse().unwrap();
    assert!(now < at && at <= now + chrono::TimeDelta::seconds(120), "{at}");
}

#[test]
fn after_may_be_a_local_time_a_day_or_an_instant() {
    for (after, first) in [
        ("2026-03-04", "2026-03-04T03:00:00+01:00"),
        ("2026-03-04 03:00", "2026-03-05T03:00:00+01:00"),
        ("2026-03-04T02:59:59", "2026-03-04T03:00:00+01:00"),
        ("2026-03-04T01:00:00Z", "2026-03-04T03:00:00+01:00"),
        ("2026-03-04T02:00:00Z", "2026-03-05T03:00:00+01:00"),
    ] {
        let (code, json) = cron(&["0 3 * * *", "--zone", "Europe/Berlin", "--after", after, "--count", "1"]);
        assert_eq!((code, &json[0]), (0, &first.into()), "{after}");
    }
}

#[test]
fn a_local_time_that_comes_twice_must_be_told_more_exactly() {
    let (code, json) = cron(&["0 3 * * *", "--zone", "Europe/Berlin", "--after", "2026-10-25 02:30"]);
    assert_eq!(code, 2);
    assert_eq!(json["error"]["kind"], "time");
    let help = json["error"]["help"][0].as_str().unwrap();
    assert!(help.contains("2026-10-25T02:30:00+02:00") && help.contains("2026-10-25T02:30:00+01:00"), "{help}");
    for after in ["soon", "2026-13-01", "2201-01-01", "-1", ""] {
        let (code, json) = cron(&["0 3 * * *", "--after", after]);
        assert_eq!((code, &json["error"]["kind"]), (2, &"time".into()), "{after}");
    }
}

#[test]
fn never_is_an_answer() {
    assert_eq!(cron(&["0 0 31 2 *"]), (0, serde_json::json!([])));
    assert_eq!(Folder::new().run(&["next", "--cron", "0 0 31 2 *"]).code(0).stdout, "never\n");
    let ran = Folder::new().run(&["next", "--cron", "0 0 1 1 *", "--after", "2200-06-01"]).code(0);
    assert_eq!(ran.stdout, "never again until the end of the year 2200\n");
}

#[test]
fn a_wrong_field_is_pointed_at() {
    let folder = Folder::new();
    folder.run(&["next", "--cron", "0 25 * * *"]).code(2).golden_error("next-cron-wrong.txt");
    let (code, json) = cron(&["0 3 * * 5-1"]);
    assert_eq!((code, &json["error"]["kind"]), (2, &"cron".into()));
    let diagnostic = &json["error"]["diagnostics"][0];
    assert_eq!((&diagnostic["code"], &diagnostic["column"]), (&"E0401".into(), &9.into()));
    for expression in ["", "* * *", "0 3 * * * *", "-1 * * * *", "- - - - -", "* * * * é", "0 3 ? * *"] {
        let (code, json) = cron(&[expression]);
        assert_eq!((code, &json["error"]["kind"]), (2, &"cron".into()), "{expression}");
    }
}

#[test]
fn an_expression_may_begin_with_a_star() {
    assert_eq!(
        cron(&["* * * * *", "--after", "2026-03-04T10:00:00Z", "--count", "1"]).1[0],
        "2026-03-04T10:01:00+00:00"
    );
}

#[test]
fn an_unknown_zone_is_guessed() {
    for (zone, guess) in [
        ("Europe/Berln", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("tokyo", "Asia/Tokyo"),
    ] {
        let (code, json) = cron(&["0 3 * * *", "--zone", zone]);
        assert_eq!((code, &json["error"]["kind"]), (2, &"zone".into()));
        assert_eq!(json["error"]["help"][0], format!("did you mean `{guess}`?"));
    }
    Folder::new().run(&["next", "--cron", "0 3 * * *", "--zone", "Europe/Berln"]).code(2).golden_error("next-zone.txt");
}

#[test]
fn both_day_fields_earn_a_warning() {
    let folder = Folder::new();
    let args = ["next", "--cron", "0 0 1 * mon", "--count", "1", "--after", "2026-03-01"];
    let ran = folder.run(&args).code(0);
    assert_eq!(ran.stdout, "Mon 2026-03-02 00:00 +00:00\n");
    assert_eq!(ran.stderr, "warning: both day fields are restricted: a day that fits either one fires\n");
    assert_eq!(folder.run(&[&args[..], &["-q"]].concat()).code(0).stderr, "");
}

#[test]
fn the_count_is_bounded() {
    assert_eq!(cron(&["* * * * *", "--count", "1000"]).1.as_array().unwrap().len(), 1000);
    for count in ["0", "1001", "-1", "many"] {
        let (code, json) = cron(&["* * * * *", "--count", count]);
        assert_eq!((code, &json["error"]["kind"]), (2, &"usage".into()), "{count}");
    }
}

#[test]
fn a_policy_tells_firings_windows_and_freezes() {
    let folder = Folder::ship();
    folder
        .run(&["next", "--policy", "ship.gate", "--after", "2026-03-05 12:00", "--count", "9"])
        .code(0)
        .golden("next-policy.txt");
    let (code, json) =
        folder.json(&["next", "--policy", "ship.gate", "--stage", "Staging", "--after", "2026-03-05", "--count", "2"]);
    assert_eq!(code, 0);
    let expected = serde_json::json!([
        { "at": "2026-03-06T18:00:00-08:00", "stage": "Staging", "rule": "weekend", "what": "freezes" },
        { "at": "2026-03-09T06:00:00-07:00", "stage": "Staging", "rule": "weekend", "what": "thaws" },
    ]);
    assert_eq!(json, expected);
    assert_eq!(folder.json(&["next", "--policy", "ship.gate", "--stage", "Dev"]), (0, serde_json::json!([])));
    let ran = folder.run(&["next", "--policy", "ship.gate", "--stage", "Dev"]).code(0);
    assert_eq!(ran.stdout, "never: there is no schedule, window or freeze to come\n");
}

#[test]
fn an_unknown_stage_is_guessed() {
    let (code, json) = Folder::ship().json(&["next", "--policy", "ship.gate", "--stage", "Stagng"]);
    assert_eq!((code, &json["error"]["kind"]), (2, &"stage".into()));
    assert_eq!(json["error"]["help"][0], "did you mean `Staging`?");
}

#[test]
fn a_policy_or_an_expression_is_needed_and_not_both() {
    let folder = Folder::ship();
    for args in [
        &["next"][..],
        &["next", "--policy", "ship.gate", "--cron", "* * * * *"],
        &["next", "--cron", "* * * * *", "--stage", "Dev"],
        &["next", "--policy", "ship.gate", "--zone", "UTC"],
    ] {
        let (code, json) = folder.json(args);
        assert_eq!((code, &json["error"]["kind"]), (2, &"usage".into()), "{args:?}");
    }
}
