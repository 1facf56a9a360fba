//! `stagegate timeline`

use crate::common::{Folder, REQUEST};

const ARGS: [&str; 5] = ["timeline", "--policy", "ship.gate", "--request", "request.json"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    ARGS.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn it_begins_with_the_request_and_lasts_a_week() {
    let folder = Folder::ship();
    folder.run(&ARGS).code(0).golden("timeline.txt");
    let (code, json) = folder.json(&ARGS);
    assert_eq!(code, 0);
    assert_eq!(
        (&json["from"], &json["to"]),
        (&"2026-03-04T10:00:00-08:00".into(), &"2026-03-11T11:00:00-07:00".into())
    );
    let stretches = json["stretches"].as_array().unwrap();
    assert_eq!(json["complete"], true);
    assert_eq!(stretches[0]["verdict"], "allow");
    assert_eq!(stretches[0]["to"], "2026-03-05T09:30:00-08:00");
    for pair in stretches.windows(2) {
        assert_eq!(pair[0]["to"], pair[1]["from"]);
        assert_ne!(pair[0]["verdict"], pair[1]["verdict"]);
    }
}

#[test]
fn from_and_to_are_local_times_of_the_policy() {
    let (_, json) = Folder::ship().json(&with(&["--from", "2026-03-05", "--to", "2026-03-05 12:00"]));
    assert_eq!(
        (&json["from"], &json["to"]),
        (&"2026-03-05T00:00:00-08:00".into(), &"2026-03-05T12:00:00-08:00".into())
    );
}

#[test]
fn a_long_time_is_asked_in_pieces_that_do_not_show() {
    let policy = "policy p\nstage Dev { window office: mon..fri 09:00..17:00 trigger push }";
    let request = r#"{"stage":"Dev","build":{"id":"1"},"trigger":{"kind":"push"},"now":"2026-01-01T00:00:00Z"}"#;
    let folder = Folder::new().with("ship.gate", policy).with("request.json", request);
    let (_, json) = folder.json(&with(&["--to", "2027-01-01"]));
    let stretches = json["stretches"].as_array().unwrap();
    // 261 working days in 2026, and the time before, between and after them.
    assert_eq!(stretches.iter().filter(|s| s["verdict"] == "allow").count(), 261);
    assert_eq!(stretches.len(), 2 * 261 + 1);
}

#[test]
fn times_that_make_no_timeline_are_errors() {
    let folder = Folder::ship();
    for more in [
        &["--to", "2026-03-01"][..],
        &["--to", "2100-01-01"],
        &["--from", "x"],
        &["--from", "2027-01-01", "--to", "2026-01-01"],
    ] {
        let (code, json) = folder.json(&with(more));
        assert_eq!((code, &json["error"]["kind"]), (2, &"time".into()), "{more:?}");
    }
}

#[test]
fn the_last_day_of_the_engine_is_the_end() {
    let request = REQUEST.replace("2026-03-04T18:00:00Z", "2200-12-30T00:00:00Z");
    let folder = Folder::ship().with("request.json", request);
    let (code, json) = folder.json(&with(&["--to", "2200-12-31T23:59:59Z"]));
    assert_eq!(code, 0, "{json}");
    // Seven days later is beyond it.
    let (code, json) = folder.json(&ARGS);
    assert_eq!(code, 0, "{json}");
}
