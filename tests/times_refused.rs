//! Windows, freezes, calendars, schedules: what is refused or warned of, with its place, words and help. Each has an
//! accepted twin beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod said;
use said::said;

/// What is said of `window w: TIMES` with some calendars about, with columns from the first letter and no line.
/// A text that begins with a keyword is a whole line of the stage, or a declaration.
#[track_caller]
fn says(times: &str, expected: &[&str]) {
    let text = match times.split(' ').next() {
        Some("calendar") => format!("policy p timezone \"Europe/Berlin\"\nstage Dev {{ trigger push }}\n{times}"),
        Some("trigger" | "freeze") => format!("policy p timezone \"Europe/Berlin\"\nstage Dev {{\n{times}\n}}"),
        _ => format!(
            "policy p timezone \"Europe/Berlin\" calendar holidays = yearly dec 24 .. jan 2 stage Dev {{ window w:\n\n{times}\n}}"
        ),
    };
    let told: Vec<String> = said(&text).iter().map(|told| told.replacen(" 3:", " ", 1).replace("| 3:", "| ")).collect();
    let told: Vec<String> =
        told.into_iter().filter(|told| !told.starts_with("W0108") && !told.starts_with("W0104")).collect();
    assert!(told == expected, "of\n{times}\nit says\n  {}\nnot\n  {}\n", told.join("\n  "), expected.join("\n  "));
}

#[test]
fn times_of_day_and_of_the_week() {
    says("mon..fri 09:00..17:00", &[]);
    says(
        "mon..fri 09:00..09:00",
        &[
            "E0403 10 this begins and ends at the same time of day | is it never, or the whole day? | help: for the whole day write `00:00..24:00`",
        ],
    );
    says("daily 22:00..04:00", &[]);
    says(
        "daily 22:00..22:00",
        &[
            "E0403 7 this begins and ends at the same time of day | is it never, or the whole day? | help: for the whole day write `00:00..24:00`",
        ],
    );
    says("daily 00:00..24:00", &[]);
    says("sat..sun 10:00..12:00", &[]);
    says("fri..mon 10:00..12:00", &[]);
    says("fri 18:00 .. mon 06:00", &[]);
    says(
        "fri 18:00 .. fri 18:00",
        &[
            "E0403 1 this begins and ends at the same time of the week | is it never, or always? | help: for the whole week write `daily 00:00..24:00`",
        ],
    );
    says("fri 18:00 .. fri 17:00", &[]);
    says(
        "mon..fri",
        &[
            "E0404 1 a day of the week needs its times of day | from when to when? | help: for the whole day write `mon..fri 00:00..24:00`",
        ],
    );
    says(
        "sat",
        &[
            "E0404 1 a day of the week needs its times of day | from when to when? | help: for the whole day write `sat 00:00..24:00`",
        ],
    );
    says(
        "daily 24:00..12:00",
        &["E0105 7 there is no such time of day | help: `24:00` can only be an end; a day begins at `00:00`"],
    );
    says(
        "daily 25:00..12:00",
        &["E0105 7 there is no such time of day | help: times of day run from `00:00` to `24:00`"],
    );
    says("mon 00:00 .. sun 24:00", &[]);
}

#[test]
fn dates_and_spans() {
    says("2026-12-20 .. 2027-01-02", &[]);
    says("2027-01-02 .. 2026-12-20", &["E0403 1 this ends before it begins | help: write the earlier day first"]);
    says("2026-12-20", &[]);
    says(
        "1969-12-31 .. 1970-01-02",
        &[
            "E0307 1 this lies outside the years 1970 to 2200 | help: the engine reckons with instants of the years 1970 to 2200 (UTC)",
        ],
    );
    says(
        "2200-12-01 .. 2201-01-02",
        &[
            "E0307 15 this lies outside the years 1970 to 2200 | help: the engine reckons with instants of the years 1970 to 2200 (UTC)",
        ],
    );
    says("2026-02-29", &["E0105 1 there is no such day | help: month 2 of 2026 has 28 days"]);
    says("2026-12-24 12:00 .. 2026-12-27 08:00", &[]);
    says(
        "2026-12-27 08:00 .. 2026-12-24 12:00",
        &["E0403 1 this ends before it begins | help: write the earlier instant first"],
    );
    says(
        "2026-12-24 12:00 .. 2026-12-24 12:00",
        &["E0403 1 this ends when it begins | help: write the earlier instant first"],
    );
    says(
        "2026-12-24 12:00 Z .. 2026-12-24 12:30 +01:00",
        &["E0403 1 this ends before it begins | help: write the earlier instant first"],
    );
    says(
        "2026-12-24 12:00 Europe/Berln .. 2026-12-27 08:00",
        &[
            "E0402 18 there is no time zone `Europe/Berln` | not in the IANA database | help: did you mean `Europe/Berlin`?",
        ],
    );
    says(
        "2026-03-29 02:15 .. 2026-03-29 02:45",
        &["E0403 1 this ends when it begins | help: write the earlier instant first"],
    );
    says("2026-03-29 02:15 .. 2026-03-29 03:15", &[]);
    says(
        "1960-01-01 00:00 .. 2026-01-01 00:00",
        &[
            "E0307 1 this lies outside the years 1970 to 2200 | help: the engine reckons with instants of the years 1970 to 2200 (UTC)",
        ],
    );
    says("yearly dec 20 .. jan 2", &[]);
    says("yearly feb 29", &[]);
    says("yearly apr 31", &["E0105 8 there is no such day | help: apr has 30 days"]);
    says("yearly feb 29 .. mar 1", &[]);
}

#[test]
fn zones() {
    says("daily 09:00..17:00 in \"Europe/Berlin\"", &[]);
    says(
        "daily 09:00..17:00 in \"Europe/Berln\"",
        &[
            "E0402 23 there is no time zone `Europe/Berln` | not in the IANA database | help: did you mean `Europe/Berlin`?",
        ],
    );
    says(
        "daily 09:00..17:00 in \"berlin\"",
        &["E0402 23 there is no time zone `berlin` | not in the IANA database | help: did you mean `Europe/Berlin`?"],
    );
    says(
        "daily 09:00..17:00 in \"UTC\", sat 10:00..12:00",
        &[
            "W0111 30 `in \"UTC\"` covers only what stands before it | this is in Europe/Berlin, the zone of the file | 23 ends here | help: write `in \"UTC\"` after the last of them, or `in \"Europe/Berlin\"` after this one",
        ],
    );
    says("daily 09:00..17:00 in \"UTC\", holidays", &[]);
    says("mon 09:00..17:00, sat 10:00..12:00 in \"UTC\"", &[]);
    says(
        "daily 09:00..17:00 in \"UTC\" except sat 10:00..12:00",
        &[
            "W0111 36 `in \"UTC\"` covers only what stands before it | this is in Europe/Berlin, the zone of the file | 23 ends here | help: write `in \"UTC\"` after the last of them, or `in \"Europe/Berlin\"` after this one",
        ],
    );
    says("daily 09:00..17:00 except holidays", &[]);
    says("daily 09:00..17:00 except sat 10:00..12:00 in \"UTC\"", &[]);
}

#[test]
fn calendars() {
    says("holidays", &[]);
    says("hollidays", &["E0205 1 there is no calendar `hollidays` | not declared | help: did you mean `holidays`?"]);
    says(
        "zzz",
        &[
            "E0205 1 there is no calendar `zzz` | not declared | help: declare it: `calendar zzz = 2026-12-20 .. 2027-01-02`",
        ],
    );
    says("holidays, holidays", &["W0112 11 the calendar `holidays` is listed twice | help: remove one of them"]);
    says(
        "holidays except holidays",
        &["W0102 1 these times never come | help: what stands after `except` takes all of it away"],
    );
    says(
        "daily 09:00..17:00 except daily 00:00..24:00",
        &["W0102 1 these times never come | help: what stands after `except` takes all of it away"],
    );
    says(
        "calendar a = b calendar b = a",
        &[
            "E0209 10 these calendars use one another in a circle: a → b → a | begins here | 25 and goes on here | help: take one of the uses out",
        ],
    );
    says("calendar a = a", &["E0209 10 the calendar `a` uses itself | begins here | help: take one of the uses out"]);
    says(
        "calendar a = b, daily 09:00..10:00 calendar b = daily 10:00..11:00 except c calendar c = a",
        &[
            "E0209 10 these calendars use one another in a circle: a → b → c → a | begins here | 45 and goes on here | 86 and goes on here | help: take one of the uses out",
        ],
    );
    says("calendar a = b calendar b = daily 09:00..10:00", &[]);
    says(
        "calendar a = b",
        &[
            "E0205 14 there is no calendar `b` | not declared | help: declare it: `calendar b = 2026-12-20 .. 2027-01-02`",
        ],
    );
    says(
        "calendar a = daily 10:00..10:00 calendar b = a",
        &[
            "E0403 20 this begins and ends at the same time of day | is it never, or the whole day? | help: for the whole day write `00:00..24:00`",
        ],
    );
    says(
        "calendar a = daily 10:00..12:00 in \"Mars\"",
        &[
            "E0402 36 there is no time zone `Mars` | not in the IANA database | help: write it as in \"Europe/Berlin\" or \"UTC\"",
        ],
    );
}

#[test]
fn cron() {
    says("cron \"0 9 * * 1-5\" for 8h", &[]);
    says(
        "cron \"0 9 * *\" for 8h",
        &[
            "E0401 7 a cron expression has five fields, but this one has only 4 | help: write minute, hour, day of the month, month and day of the week, as in `0 3 * * 1-5`",
        ],
    );
    says(
        "cron \"0 9 * * 5-1\" for 8h",
        &["E0401 15 the range `5-1` runs backwards | help: write the two parts: `5-6,0-1`"],
    );
    says(
        "cron \"0 9 13 * 5\" for 8h",
        &[
            "W0101 6 this comes on days that fit either day field, not both | both day fields are restricted | help: to say the same without a doubt, write two: \"0 9 13 * *\" and \"0 9 * * 5\" | help: for days that fit both, write \"0 9 13 * *\" and take the other days of the week out with `except`",
        ],
    );
    says(
        "cron \"0 0 31 2 *\" for 8h",
        &[
            "W0102 6 this schedule never comes: no such day exists | help: look at the day of the month and the month together",
        ],
    );
    says("trigger schedule \"0 3 * * *\"", &[]);
    says(
        "trigger schedule \"0 3 * * * *\"",
        &[
            "E0401 19 a cron expression has five fields, but this one has 6: there is no field for seconds | help: write the five fields `3 * * * *`, from the minute on",
        ],
    );
    says(
        "trigger schedule \"0 3 ? * 1\"",
        &["E0401 23 `?` is no day of the month | help: write `*`; a day field that is exactly `*` restricts nothing"],
    );
    says(
        "trigger schedule \"5/10 3 * * *\"",
        &[
            "E0401 19 `5/10` is read in more than one way | help: write `5-59/10` for every 10 from 5 on, or `5` for 5 alone",
        ],
    );
    says(
        "trigger schedule \"0 9 13 * fri\" if changed",
        &[
            "W0101 18 this comes on days that fit either day field, not both | both day fields are restricted | help: to say the same without a doubt, write two: \"0 9 13 * *\" and \"0 9 * * fri\" | help: for days that fit both, write \"0 9 13 * *\" and restrict the days of the week with a `window`",
        ],
    );
    says(
        "trigger schedule \"0 0 31 2 *\"",
        &[
            "W0102 18 this schedule never comes: no such day exists | help: look at the day of the month and the month together",
        ],
    );
    says(
        "trigger schedule \"0 3 * * *\" in \"Berlin\" within 2h",
        &["E0402 33 there is no time zone `Berlin` | not in the IANA database | help: did you mean `Europe/Berlin`?"],
    );
    says("trigger schedule \"0 25 * * *\"", &["E0401 21 `25` is no hour | help: write a number from 0 to 23"]);
    says(
        "trigger schedule \"@reboot\"",
        &[
            "E0401 19 `@reboot` is not a schedule | help: a policy knows no reboot; an `event` trigger may be what you want",
        ],
    );
    says("trigger schedule \"@daily\"", &[]);
    says(
        "trigger push to \"release/{a\"",
        &[
            "E0108 26 `{` is not closed in this glob | help: alternatives are `{a,b}`; for the sign itself write `\\\\{`",
        ],
    );
    says("trigger push to \"release/**\"", &[]);
    says(
        "trigger completion of Tst",
        &["E0203 23 there is no stage `Tst` | not described anywhere | help: the stages are `Dev`"],
    );
    says("trigger completion of Dev", &[]);
    says("freeze f: cron \"0 9 * * mon\" for 1h except 2026-01-01", &[]);
}
