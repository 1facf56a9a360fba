//! Sets of times: examples, then an oracle that lists intervals with another library.

use std::sync::{Arc, LazyLock};

use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan, civil};
use proptest::prelude::*;

use super::zone::END;
use super::{Cron, Edge, NextEdge, Piece, TimeSet, Zone, local};

const DAY: i64 = 86_400;

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

fn t(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()
}

fn set(include: Vec<(Piece, Zone)>) -> TimeSet {
    TimeSet::new(include, Vec::new())
}

fn weekly(days: (u8, u8), start: u32, end: u32) -> Piece {
    Piece::Weekly { days, start, end }
}

fn daily(start: u32, end: u32) -> Piece {
    weekly((0, 6), start, end)
}

fn cron(expr: &str, seconds: i64) -> Piece {
    Piece::Cron { cron: Cron::parse(expr).unwrap(), seconds }
}

fn date(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

/// The edges after an instant, as local times of a zone.
fn edges(set: &TimeSet, zone: Zone, after: &str, count: usize) -> Vec<String> {
    let mut at = t(after);
    let mut edges = Vec::new();
    let mut inside = set.contains(at);
    while edges.len() < count {
        let NextEdge::At(edge) = set.next_edge(at, &mut 1_000_000) else { break };
        assert!(edge > at);
        assert_ne!(set.contains(edge), inside);
        assert_eq!(set.contains(edge - 1), inside);
        inside = !inside;
        let wall = zone.at(chrono::DateTime::from_timestamp(edge, 0).unwrap());
        edges.push(wall.format(if inside { "in %a %d %H:%M%:z" } else { "out %a %d %H:%M%:z" }).to_string());
        at = edge;
    }
    edges
}

#[test]
fn weekly_windows() {
    let berlin = zone("Europe/Berlin");
    let office = set(vec![(weekly((0, 4), 9 * 60, 17 * 60), berlin)]);
    assert_eq!(
        edges(&office, berlin, "2026-03-05T12:00:00Z", 4),
        ["out Thu 05 17:00+01:00", "in Fri 06 09:00+01:00", "out Fri 06 17:00+01:00", "in Mon 09 09:00+01:00"]
    );
    // Over midnight: the day it starts on.
    let night = set(vec![(weekly((4, 4), 22 * 60, 4 * 60), berlin)]);
    assert_eq!(edges(&night, berlin, "2026-03-05T12:00:00Z", 2), ["in Fri 06 22:00+01:00", "out Sat 07 04:00+01:00"]);
    // Over the week's end.
    let weekend = set(vec![(Piece::WeekSpan { start: (4, 18 * 60), end: (0, 6 * 60) }, berlin)]);
    assert_eq!(edges(&weekend, berlin, "2026-03-05T12:00:00Z", 2), ["in Fri 06 18:00+01:00", "out Mon 09 06:00+01:00"]);
    let days = set(vec![(weekly((5, 0), 0, 1_440), berlin)]);
    assert_eq!(edges(&days, berlin, "2026-03-05T12:00:00Z", 2), ["in Sat 07 00:00+01:00", "out Tue 10 00:00+01:00"]);
    // Half open.
    assert!(office.contains(t("2026-03-05T08:00:00Z")) && !office.contains(t("2026-03-05T07:59:59Z")));
    assert!(!office.contains(t("2026-03-05T16:00:00Z")) && office.contains(t("2026-03-05T15:59:59Z")));
}

#[test]
fn edges_at_changes_of_the_clock() {
    let ny = zone("America/New_York");
    // In the gap: its end.
    let a = set(vec![(daily(150, 240), ny)]);
    assert_eq!(edges(&a, ny, "2026-03-08T05:00:00Z", 2), ["in Sun 08 03:00-04:00", "out Sun 08 04:00-04:00"]);
    let b = set(vec![(daily(60, 150), ny)]);
    assert_eq!(edges(&b, ny, "2026-03-08T05:00:00Z", 2), ["in Sun 08 01:00-05:00", "out Sun 08 03:00-04:00"]);
    // Both in the gap: nothing that day.
    let c = set(vec![(daily(130, 150), ny)]);
    assert_eq!(edges(&c, ny, "2026-03-08T05:00:00Z", 1), ["in Mon 09 02:10-04:00"]);
    // In the hour that comes twice: from the first to the second.
    let d = set(vec![(daily(90, 105), ny)]);
    assert_eq!(edges(&d, ny, "2026-11-01T04:00:00Z", 2), ["in Sun 01 01:30-04:00", "out Sun 01 01:45-05:00"]);
    let e = set(vec![(daily(30, 60), ny)]);
    assert_eq!(edges(&e, ny, "2026-11-01T04:00:00Z", 2), ["in Sun 01 00:30-04:00", "out Sun 01 01:00-05:00"]);
    // The space between two windows lies in the repeated hour: it closes.
    let f = set(vec![(daily(0, 75), ny), (daily(105, 180), ny)]);
    assert_eq!(edges(&f, ny, "2026-11-01T03:00:00Z", 2), ["in Sun 01 00:00-04:00", "out Sun 01 03:00-05:00"]);
    // A day that never was.
    let apia = zone("Pacific/Apia");
    let g = set(vec![(daily(540, 1_020), apia)]);
    assert_eq!(
        edges(&g, apia, "2011-12-29T12:00:00Z", 4),
        ["in Thu 29 09:00-10:00", "out Thu 29 17:00-10:00", "in Sat 31 09:00+14:00", "out Sat 31 17:00+14:00"]
    );
    let h = set(vec![(Piece::Dates { first: date("2011-12-30"), last: date("2011-12-30") }, apia)]);
    assert!(h.is_empty());
    // Elapsed time for cron.
    let i = set(vec![(cron("0 22 * * *", 8 * 3_600), ny)]);
    assert_eq!(edges(&i, ny, "2026-03-07T12:00:00Z", 2), ["in Sat 07 22:00-05:00", "out Sun 08 07:00-04:00"]);
    assert_eq!(edges(&i, ny, "2026-10-31T12:00:00Z", 2), ["in Sat 31 22:00-04:00", "out Sun 01 05:00-05:00"]);
}

#[test]
fn the_instant_of_a_local_time() {
    let ny = zone("America/New_York");
    for (day, second, start, end) in [
        ("2026-03-08", 9_000, "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"),
        ("2026-11-01", 5_400, "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
        ("2026-11-01", 3_600, "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"),
        ("2026-11-01", 7_200, "2026-11-01T07:00:00Z", "2026-11-01T07:00:00Z"),
        ("2026-10-31", 86_400 + 5_400, "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
        ("2150-07-01", 0, "2150-07-01T04:00:00Z", "2150-07-01T04:00:00Z"),
    ] {
        assert_eq!(local(ny, date(day), second, Edge::Start), t(start), "{day} {second}");
        assert_eq!(local(ny, date(day), second, Edge::End), t(end), "{day} {second}");
    }
}

#[test]
fn windows_that_touch_have_no_seam() {
    let utc = Zone::UTC;
    let a = set(vec![(daily(540, 720), utc), (daily(720, 1_020), utc)]);
    assert_eq!(edges(&a, utc, "2026-03-04T08:00:00Z", 2), ["in Wed 04 09:00+00:00", "out Wed 04 17:00+00:00"]);
    let b = set(vec![(daily(540, 720), utc), (cron("0 12 * * *", 5 * 3_600), utc)]);
    assert_eq!(edges(&b, utc, "2026-03-04T08:00:00Z", 2), ["in Wed 04 09:00+00:00", "out Wed 04 17:00+00:00"]);
    let c = set(vec![
        (Piece::Dates { first: date("2026-03-04"), last: date("2026-03-05") }, utc),
        (Piece::Dates { first: date("2026-03-06"), last: date("2026-03-06") }, utc),
    ]);
    assert_eq!(edges(&c, utc, "2026-03-01T00:00:00Z", 3), ["in Wed 04 00:00+00:00", "out Sat 07 00:00+00:00"]);
    let d = set(vec![(cron("0 9-16 * * *", 3_600), utc)]);
    assert_eq!(edges(&d, utc, "2026-03-04T08:00:00Z", 2), ["in Wed 04 09:00+00:00", "out Wed 04 17:00+00:00"]);
}

#[test]
fn yearly_days() {
    let utc = Zone::UTC;
    let yearly = |first, last| set(vec![(Piece::Yearly { first, last }, utc)]);
    let holidays = yearly((12, 20), (1, 2));
    assert_eq!(edges(&holidays, utc, "2026-12-01T00:00:00Z", 2), ["in Sun 20 00:00+00:00", "out Sun 03 00:00+00:00"]);
    let leap = yearly((2, 29), (2, 29));
    assert_eq!(edges(&leap, utc, "2096-03-01T00:00:00Z", 2), ["in Fri 29 00:00+00:00", "out Sat 01 00:00+00:00"]);
    assert!(!leap.contains(t("2026-03-01T12:00:00Z")));
    let from_leap = yearly((2, 29), (3, 2));
    assert_eq!(edges(&from_leap, utc, "2026-02-01T00:00:00Z", 2), ["in Sun 01 00:00+00:00", "out Tue 03 00:00+00:00"]);
    let to_leap = yearly((2, 20), (2, 29));
    assert_eq!(edges(&to_leap, utc, "2026-02-01T00:00:00Z", 2), ["in Fri 20 00:00+00:00", "out Sun 01 00:00+00:00"]);
    assert_eq!(yearly((1, 1), (12, 31)).next_edge(0, &mut 1_000), NextEdge::Never);
    assert_eq!(yearly((3, 1), (2, 29)).next_edge(0, &mut 1_000), NextEdge::Never);
    assert_eq!(
        yearly((3, 1), (2, 28)).next_edge(t("2026-01-01T00:00:00Z"), &mut 9),
        NextEdge::At(t("2028-02-29T00:00:00Z"))
    );
}

/// Steps of a search that must end in `Never`.
fn steps_to_never(set: &TimeSet, from: i64) -> u64 {
    let mut fuel = 1_000_000;
    assert_eq!(set.next_edge(from, &mut fuel), NextEdge::Never, "{set:?}");
    1_000_000 - fuel
}

#[test]
fn never_is_found_soon() {
    let ny = zone("America/New_York");
    for (piece, most) in [
        (daily(0, 1_440), 0),
        (daily(540, 540), 0),
        (Piece::WeekSpan { start: (2, 30), end: (2, 30) }, 0),
        (Piece::Yearly { first: (7, 1), last: (6, 30) }, 300),
        (cron("* * * * *", 60), 2_000),
        (cron("*/5 * * * *", 300), 2_000),
        (cron("0 * * * *", 3_600), 2_000),
        (cron("0-59 0-23 * * *", 7_200), 2_000),
        (cron("0 0 * * *", 25 * 3_600), 2_000),
        (cron("0 0 * * *", 10_000 * 3_600), 2_000),
        (cron("0 0 1 * *", 45 * DAY), 10_000),
        (cron("* * * * 1-5", 73 * 3_600), 100_000),
        (cron("* 0 * * *", 25 * 3_600), 50_000),
    ] {
        let steps = steps_to_never(&set(vec![(piece.clone(), ny)]), t("1971-01-01T00:00:00Z"));
        assert!(steps <= most, "{piece:?} takes {steps} steps");
    }
    let nothing = [
        TimeSet::new(vec![], vec![(daily(0, 60), ny)]),
        set(vec![(cron("0 0 31 2 *", 3_600), ny)]),
        set(vec![(Piece::Span { start: 50, end: 50 }, ny)]),
        set(vec![(Piece::Span { start: 50, end: 40 }, ny)]),
        TimeSet::new(vec![(daily(540, 1_020), ny)], vec![(daily(0, 1_440), Zone::UTC)]),
        TimeSet::new(vec![(daily(540, 1_020), ny)], vec![(daily(480, 1_080), ny)]),
        TimeSet::new(
            vec![(Piece::Dates { first: date("2026-01-01"), last: date("2026-01-31") }, ny)],
            vec![(Piece::Dates { first: date("2025-12-01"), last: date("2026-02-01") }, ny)],
        ),
    ];
    for set in nothing {
        assert!(steps_to_never(&set, 0) < 100 && set.is_empty(), "{set:?}");
    }
    // Also the last edge is followed by none.
    let last = set(vec![(daily(0, 60), Zone::UTC)]);
    assert_eq!(last.next_edge(t("2200-12-31T00:30:00Z"), &mut 9), NextEdge::At(t("2200-12-31T01:00:00Z")));
    assert_eq!(last.next_edge(t("2200-12-31T01:00:00Z"), &mut 9), NextEdge::Never);
    assert_eq!(last.next_edge(i64::MAX / 8, &mut 9), NextEdge::Never);
    assert_eq!(last.next_edge(i64::MIN / 8, &mut 9), NextEdge::At(0));
}

#[test]
fn the_end_of_a_long_run_is_found_soon() {
    let ny = zone("America/New_York");
    for (piece, from, edge) in [
        (cron("* * * * 1-5", 60), "2026-03-02T06:00:00Z", "2026-03-07T05:00:00Z"),
        (cron("* * * 1-11 *", 60), "2026-01-01T06:00:00Z", "2026-12-01T05:00:00Z"),
        (cron("* 0-22 * * *", 60), "2026-03-02T06:00:00Z", "2026-03-03T04:00:00Z"),
        (cron("*/7 9-16 * * 1-5", 600), "2026-03-02T15:00:00Z", "2026-03-02T22:06:00Z"),
    ] {
        let mut fuel = 100;
        assert_eq!(set(vec![(piece.clone(), ny)]).next_edge(t(from), &mut fuel), NextEdge::At(t(edge)), "{piece:?}");
    }
}

#[test]
fn out_of_fuel_says_how_far_it_looked() {
    let utc = Zone::UTC;
    let tiles = set(vec![(daily(0, 720), utc), (daily(720, 0), zone("Africa/Abidjan"))]);
    let mut fuel = 100;
    let NextEdge::SearchedTo(at) = tiles.next_edge(0, &mut fuel) else { panic!("a seam") };
    assert!(fuel == 0 && at > 10 * DAY && at < 1_000 * DAY);
    for set in [tiles, set(vec![(daily(0, 60), utc)]), set(vec![(cron("0 0 * * *", 60), utc)])] {
        match set.next_edge(30, &mut 0) {
            NextEdge::SearchedTo(at) => assert!(at > 30 && at <= 720 * 60),
            NextEdge::At(at) => assert!(!set.contains(at)),
            NextEdge::Never => panic!("there are edges"),
        }
    }
}

#[test]
fn calendars_that_name_one_another_cost_no_more_than_they_are() {
    let utc = Zone::UTC;
    let lunch = (daily(720, 780), utc);
    let mut a = Arc::new(TimeSet::new(vec![(daily(540, 1_020), utc)], vec![lunch.clone()]));
    let mut b = Arc::new(TimeSet::new(vec![(daily(600, 1_080), utc)], vec![lunch.clone()]));
    for _ in 0..60 {
        let both =
            |x: &Arc<TimeSet>, y: &Arc<TimeSet>| vec![(Piece::Set(x.clone()), utc), (Piece::Set(y.clone()), utc)];
        let next = Arc::new(TimeSet::new(both(&a, &b), vec![lunch.clone()]));
        b = Arc::new(TimeSet::new(both(&b, &a), vec![(daily(725, 730), utc)]));
        a = next;
    }
    assert!(a.contains(t("2026-03-04T09:30:00Z")) && !a.contains(t("2026-03-04T12:30:00Z")));
    assert_eq!(
        edges(&a, utc, "2026-03-04T00:00:00Z", 3),
        ["in Wed 04 09:00+00:00", "out Wed 04 12:00+00:00", "in Wed 04 13:00+00:00"]
    );
}

#[test]
fn what_recurs() {
    let utc = Zone::UTC;
    for (piece, recurs) in [
        (daily(540, 1_020), true),
        (Piece::Yearly { first: (2, 29), last: (2, 29) }, true),
        (cron("0 0 29 2 *", 60), true),
        (cron("0 0 31 2 *", 60), false),
        (cron("* * * * *", 60), false),
        (daily(0, 1_440), false),
        (Piece::Dates { first: date("2195-01-01"), last: date("2195-02-01") }, false),
        (Piece::Set(Arc::new(set(vec![(daily(540, 1_020), utc)]))), true),
    ] {
        assert_eq!(set(vec![(piece.clone(), utc)]).recurs(), recurs, "{piece:?}");
    }
    assert!(TimeSet::new(vec![(daily(0, 1_440), utc)], vec![(daily(540, 1_020), utc)]).recurs());
    let until = Piece::Span { start: t("2030-01-01T00:00:00Z"), end: END };
    assert!(!TimeSet::new(vec![(daily(540, 1_020), utc)], vec![(until, utc)]).recurs());
}

#[test]
fn what_is_covered() {
    let (utc, ny) = (Zone::UTC, zone("America/New_York"));
    let one = |piece: Piece, zone| set(vec![(piece, zone)]);
    let office = one(weekly((0, 4), 540, 1_020), ny);
    let workdays = one(weekly((0, 4), 0, 1_440), ny);
    let sunday = one(weekly((6, 6), 600, 720), ny);
    let weekend = one(Piece::WeekSpan { start: (4, 1_080), end: (0, 360) }, ny);
    let christmas = one(Piece::Dates { first: date("2026-12-24"), last: date("2026-12-26") }, ny);
    let december = one(Piece::Dates { first: date("2026-12-01"), last: date("2026-12-31") }, ny);
    let yearly = one(Piece::Yearly { first: (12, 1), last: (12, 31) }, ny);
    let early = one(daily(540, 780), ny);
    let late = one(daily(780, 1_020), ny);
    let nothing = set(vec![]);
    let yes: [(&TimeSet, &[&TimeSet]); 9] = [
        (&office, &[&workdays]),
        (&office, &[&office]),
        (&sunday, &[&weekend]),
        (&office, &[&early, &late]),
        (&christmas, &[&december]),
        (&christmas, &[&yearly]),
        (&yearly, &[&set(vec![(daily(0, 1_440), utc)])]),
        (&nothing, &[]),
        (&office, &[&sunday, &workdays]),
    ];
    for (inner, outer) in yes {
        assert!(inner.is_covered_by(outer), "{inner:?} in {outer:?}");
    }
    let but_noon = TimeSet::new(vec![(weekly((0, 4), 0, 1_440), ny)], vec![(daily(720, 721), ny)]);
    let no: [(&TimeSet, &[&TimeSet]); 7] = [
        (&workdays, &[&office]),
        (&office, &[]),
        (&office, &[&weekend]),
        (&office, &[&early]),
        (&office, &[&one(weekly((0, 4), 540, 1_020), utc)]),
        (&december, &[&christmas]),
        (&office, &[&but_noon]),
    ];
    for (inner, outer) in no {
        assert!(!inner.is_covered_by(outer), "{inner:?} in {outer:?}");
    }
}

// ---------------------------------------------------------------- the oracle

const ZONES: [&str; 16] = [
    "UTC",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "Europe/Dublin",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
];

/// Those of the zones for which both libraries carry the same history: their databases may be of different years.
fn zones() -> &'static [&'static str] {
    static SAME: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let same = |name: &&&str| {
            let (tz, zone) = (TimeZone::get(name).unwrap(), Zone::parse(name).unwrap().tz());
            let changes = tz.following(Timestamp::UNIX_EPOCH).map(|change| change.timestamp().as_second());
            changes.take_while(|t| *t < 4_102_444_800).flat_map(|t| [t - 1, t]).all(|t| {
                let chrono = chrono::DateTime::from_timestamp(t, 0).unwrap().with_timezone(&zone);
                let ours = chrono::Offset::fix(chrono.offset()).local_minus_utc();
                ours == tz.to_offset(Timestamp::from_second(t).unwrap()).seconds()
            })
        };
        let zones: Vec<_> = ZONES.iter().filter(same).copied().collect();
        assert!(zones.len() * 2 > ZONES.len(), "only {zones:?} can be compared");
        zones
    });
    &SAME
}

/// The instant of a local time, from the words of the page.
fn edge(zone: &TimeZone, day: civil::Date, minute: u32, edge: Edge) -> i64 {
    let at = day.at(0, 0, 0, 0).checked_add((minute as i64).minutes()).unwrap();
    let ambiguous = zone.to_ambiguous_timestamp(at);
    let instant = match (ambiguous.offset(), edge) {
        (AmbiguousOffset::Gap { after, .. }, _) => {
            zone.following(after.to_timestamp(at).unwrap() - 1.nanosecond()).next().unwrap().timestamp()
        }
        (_, Edge::Start) => ambiguous.earlier().unwrap(),
        (_, Edge::End) => ambiguous.later().unwrap(),
    };
    instant.as_second()
}

/// The intervals of a piece that may touch some days around an instant.
fn intervals(piece: &Piece, zone: &str, around: i64) -> Vec<(i64, i64)> {
    let tz = TimeZone::get(zone).unwrap();
    let today = tz.to_datetime(Timestamp::from_second(around).unwrap()).date();
    let days: Vec<civil::Date> = (-13..=13).map(|n| today.checked_add(n.days()).unwrap()).collect();
    let whole =
        |first: civil::Date, last: civil::Date| (edge(&tz, first, 0, Edge::Start), edge(&tz, last, 1_440, Edge::End));
    let weekday = |day: &civil::Date| u32::try_from(day.weekday().to_monday_zero_offset()).unwrap();
    let civil_date = |d: &chrono::NaiveDate| d.to_string().parse::<civil::Date>().unwrap();
    match piece {
        Piece::Weekly { days: (first, last), start, end } => days
            .iter()
            .filter(|day| {
                (0..7)
                    .take(7)
                    .map(|n| (u32::from(*first) + n) % 7)
                    .take_while_inclusive(u32::from(*last))
                    .contains(&weekday(day))
            })
            .map(|day| {
                let end = if end <= start { end + 1_440 } else { *end };
                (edge(&tz, *day, *start, Edge::Start), edge(&tz, *day, end, Edge::End))
            })
            .collect(),
        Piece::WeekSpan { start, end } => days
            .iter()
            .filter(|day| weekday(day) == u32::from(start.0))
            .map(|day| {
                let ahead = (end.0 + 7 - start.0) % 7;
                let ahead = if ahead == 0 && end.1 <= start.1 { 7 } else { ahead };
                let to = day.checked_add(i64::from(ahead).days()).unwrap();
                (edge(&tz, *day, start.1, Edge::Start), edge(&tz, to, end.1, Edge::End))
            })
            .collect(),
        Piece::Dates { first, last } => vec![whole(civil_date(first), civil_date(last))],
        Piece::Span { start, end } => vec![(*start, *end)],
        Piece::Yearly { first, last } => days
            .iter()
            .filter(|day| {
                let this = (day.month() as u32, day.day() as u32);
                if first <= last { *first <= this && this <= *last } else { *first <= this || this <= *last }
            })
            .map(|day| whole(*day, *day))
            .collect(),
        Piece::Cron { cron, seconds } => {
            let after = chrono::DateTime::from_timestamp(around - 9 * DAY, 0).unwrap();
            let firings = cron.after(Zone::parse(zone).unwrap(), after).map(|at| at.timestamp());
            let mut all: Vec<(i64, i64)> = Vec::new();
            for at in firings.take_while(|at| *at < around + 6 * DAY) {
                match all.last_mut() {
                    Some(last) if at <= last.1 => last.1 = at + seconds,
                    _ => all.push((at, at + seconds)),
                }
            }
            all
        }
        Piece::Set(_) => unreachable!("the oracle nests by itself"),
    }
}

/// `take_while` that keeps the first one that fails.
trait TakeWhileInclusive: Iterator<Item = u32> + Sized {
    fn take_while_inclusive(self, last: u32) -> Vec<u32> {
        let mut all = Vec::new();
        for n in self {
            all.push(n);
            if n == last {
                break;
            }
        }
        all
    }
}

impl<I: Iterator<Item = u32>> TakeWhileInclusive for I {}

/// Pieces, others that are taken out, and the zones of both.
type Made = (Vec<(Piece, &'static str)>, Vec<(Piece, &'static str)>);

fn piece(around: i64) -> impl Strategy<Value = Piece> {
    let minute =
        || prop_oneof![Just(0u32), Just(60), Just(90), Just(105), Just(120), Just(150), Just(180), 0u32..1_440];
    let end = || prop_oneof![3 => minute(), 1 => Just(1_440u32)];
    let today = chrono::DateTime::from_timestamp(around, 0).unwrap().date_naive();
    let month_day = move |n: i64| {
        let day = today + chrono::Duration::days(n);
        (chrono::Datelike::month(&day), chrono::Datelike::day(&day))
    };
    let expr = prop::sample::select(vec![
        "0 * * * *",
        "*/20 1 * * *",
        "30 2 * * *",
        "0 0 * * *",
        "0 9 * * 1-5",
        "15 1-3 * * *",
        "* * * * *",
        "45 23 * * sun",
        "* 0-22 * * *",
        "0,30 * 1-15 * *",
    ]);
    let length = prop::sample::select(vec![60i64, 600, 1_800, 3_600, 7_200, 8 * 3_600, DAY, 3 * DAY]);
    prop_oneof![
        4 => ((0u8..7, 0u8..7), minute(), end()).prop_map(|(days, start, end)| Piece::Weekly { days, start, end }),
        2 => ((0u8..7, minute()), (0u8..7, end())).prop_map(|(start, end)| Piece::WeekSpan { start, end }),
        1 => (-5i64..5, 0i64..4).prop_map(move |(n, more)| Piece::Dates {
            first: today + chrono::Duration::days(n),
            last: today + chrono::Duration::days(n + more),
        }),
        1 => (-5 * DAY..5 * DAY, 0..3 * DAY).prop_map(move |(n, more)| Piece::Span { start: around + n, end: around + n + more }),
        1 => (-5i64..5, 0i64..4).prop_map(move |(n, more)| Piece::Yearly { first: month_day(n), last: month_day(n + more) }),
        3 => (expr, length).prop_map(|(expr, seconds)| cron(expr, seconds)),
    ]
}

fn change_in(zone: &str, nth: usize) -> i64 {
    let tz = TimeZone::get(zone).unwrap();
    let changes: Vec<i64> = tz
        .following(Timestamp::from_second(100 * DAY).unwrap())
        .map(|change| change.timestamp().as_second())
        .take_while(|t| *t < 7_200_000_000)
        .collect();
    if changes.is_empty() { 1_772_600_400 } else { changes[nth % changes.len()] }
}

fn made() -> impl Strategy<Value = (i64, Made)> {
    (0..zones().len(), 0usize..500).prop_flat_map(|(index, nth)| {
        let around = change_in(zones()[index], nth);
        let zone = prop_oneof![3 => Just(zones()[index]), 1 => prop::sample::select(zones())];
        let list = |most| prop::collection::vec((piece(around), zone.clone()), 0..most);
        (Just(around), (list(4), list(3)))
    })
}

fn build((include, except): &Made) -> TimeSet {
    let zoned = |list: &[(Piece, &str)]| list.iter().map(|(piece, name)| (piece.clone(), zone(name))).collect();
    TimeSet::new(zoned(include), zoned(except))
}

/// Whether an instant lies inside, and the instants at which that may change.
fn listed(made: &Made, around: i64) -> (impl Fn(i64) -> bool, Vec<i64>) {
    let all = |list: &[(Piece, &str)]| {
        list.iter().flat_map(|(piece, zone)| intervals(piece, zone, around)).collect::<Vec<_>>()
    };
    let (include, except) = (all(&made.0), all(&made.1));
    let points = include.iter().chain(&except).flat_map(|(start, end)| [*start, *end]).collect();
    let inside = move |t: i64| {
        let any = |list: &[(i64, i64)]| list.iter().any(|(start, end)| *start <= t && t < *end);
        any(&include) && !any(&except)
    };
    (inside, points)
}

/// Compares a set with the oracle over some days.
fn compare(
    set: &TimeSet,
    inside: &dyn Fn(i64) -> bool,
    mut points: Vec<i64>,
    around: i64,
) -> Result<(), TestCaseError> {
    let (from, to) = (around - 4 * DAY, around + 4 * DAY);
    points.retain(|t| (from..to).contains(t));
    points.sort_unstable();
    points.dedup();
    for at in points.iter().flat_map(|t| [t - 1, *t, t + 1]).chain((from..to).step_by(4_001)) {
        prop_assert_eq!(set.contains(at), inside(at), "contains {}", at);
        let expected = points.iter().copied().find(|t| *t > at && inside(*t) != inside(at));
        match (set.next_edge(at, &mut 1_000), expected) {
            (NextEdge::At(edge), Some(expected)) => prop_assert_eq!(edge, expected, "after {}", at),
            (NextEdge::At(edge), None) => prop_assert!(edge >= to, "an edge at {} after {}", edge, at),
            (other, Some(expected)) => prop_assert!(false, "{:?} instead of {} after {}", other, expected, at),
            (_, None) => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn as_the_oracle_says((around, made) in made()) {
        let set = build(&made);
        let (inside, points) = listed(&made, around);
        compare(&set, &inside, points, around)?;
    }

    #[test]
    fn sets_of_sets((around, a) in made(), (_, b) in made(), minus: bool) {
        let (x, y) = (Piece::Set(Arc::new(build(&a))), Piece::Set(Arc::new(build(&b))));
        let utc = Zone::UTC;
        let set = if minus { TimeSet::new(vec![(x, utc)], vec![(y, utc)]) } else { TimeSet::new(vec![(x, utc), (y, utc)], vec![]) };
        let ((in_a, points), (in_b, more)) = (listed(&a, around), listed(&b, around));
        let inside = |t: i64| if minus { in_a(t) && !in_b(t) } else { in_a(t) || in_b(t) };
        compare(&set, &inside, [points, more].concat(), around)?;
    }
}
