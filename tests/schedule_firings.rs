//! Firings around changes of the clock: examples, then an oracle that walks minute by minute with another library.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan, civil};
use proptest::prelude::*;
use stagegate::schedule::{Cron, Zone};

fn firings(expr: &str, zone: &str, from: i64, to: i64) -> Vec<i64> {
    let cron = Cron::parse(expr).unwrap_or_else(|e| panic!("{expr}: {e}"));
    let after = chrono::DateTime::from_timestamp(from - 1, 0).unwrap();
    cron.after(Zone::parse(zone).unwrap(), after).map(|at| at.timestamp()).take_while(|t| *t < to).collect()
}

/// The firings after an instant, as the wall shows them.
fn shown(expr: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(expr).unwrap();
    let zone = Zone::parse(zone).unwrap();
    cron.after(zone, after.parse().unwrap()).take(count).map(|at| at.format("%d %H:%M%:z").to_string()).collect()
}

#[test]
fn a_time_in_the_gap_fires_at_its_end() {
    // 2026-03-08, 02:00 to 03:00.
    let zone = "America/New_York";
    assert_eq!(shown("30 2 * * *", zone, "2026-03-07T12:00:00Z", 2), ["08 03:00-04:00", "09 02:30-04:00"]);
    assert_eq!(shown("0 2 * * *", zone, "2026-03-07T12:00:00Z", 2), ["08 03:00-04:00", "09 02:00-04:00"]);
    // Several of them, and 03:00 itself, are one firing.
    assert_eq!(
        shown("0,20,40 2,3 * * *", zone, "2026-03-08T00:00:00Z", 3),
        ["08 03:00-04:00", "08 03:20-04:00", "08 03:40-04:00"]
    );
    // The day is the one that the time was meant for: a Saturday's 24:00 does not exist, Sunday's 00:30 neither.
    assert_eq!(
        shown("30 0 * * sun", "America/Sao_Paulo", "2018-11-01T00:00:00Z", 2),
        ["04 01:00-02:00", "11 00:30-02:00"]
    );
    assert_eq!(
        shown("30 23 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2),
        ["03 23:30-03:00", "04 23:30-02:00"]
    );
}

#[test]
fn a_time_that_comes_twice_fires_at_the_first() {
    // 2026-11-01, 01:00 to 02:00 comes twice.
    let zone = "America/New_York";
    assert_eq!(shown("30 1 * * *", zone, "2026-10-31T12:00:00Z", 2), ["01 01:30-04:00", "02 01:30-05:00"]);
    assert_eq!(shown("0 1 * * *", zone, "2026-11-01T05:00:00Z", 1), ["02 01:00-05:00"]);
    assert_eq!(shown("0 2 * * *", zone, "2026-11-01T00:00:00Z", 1), ["01 02:00-05:00"]);
    // Asked in the second pass, the first pass is over.
    assert_eq!(shown("30 1 * * *", zone, "2026-11-01T06:10:00Z", 1), ["02 01:30-05:00"]);
    assert_eq!(
        shown("0,30 0-23 * * *", zone, "2026-11-01T04:59:00Z", 3),
        ["01 01:00-04:00", "01 01:30-04:00", "01 02:00-05:00"]
    );
}

#[test]
fn wildcards_follow_the_wall() {
    let zone = "America/New_York";
    assert_eq!(shown("30 * * * *", zone, "2026-03-08T06:00:00Z", 2), ["08 01:30-05:00", "08 03:30-04:00"]);
    assert_eq!(shown("*/30 2 * * *", zone, "2026-03-08T06:00:00Z", 1), ["09 02:00-04:00"]);
    assert_eq!(shown("30 */2 * * *", zone, "2026-03-08T05:00:00Z", 2), ["08 00:30-05:00", "08 04:30-04:00"]);
    assert_eq!(
        shown("30 * * * *", zone, "2026-11-01T05:00:00Z", 3),
        ["01 01:30-04:00", "01 01:30-05:00", "01 02:30-05:00"]
    );
    assert_eq!(
        shown("*/30 1 * * *", zone, "2026-11-01T04:00:00Z", 4),
        ["01 01:00-04:00", "01 01:30-04:00", "01 01:00-05:00", "01 01:30-05:00"]
    );
    // Only a field that begins with `*` is a wildcard.
    assert_eq!(shown("0-59 1 * * *", zone, "2026-11-01T05:58:30Z", 2), ["01 01:59-04:00", "02 01:00-05:00"]);
    assert_eq!(shown("30 2 * * *", zone, "2026-03-08T06:00:00Z", 1), ["08 03:00-04:00"]);
    assert_eq!(
        shown("@hourly", zone, "2026-11-01T04:30:00Z", 3),
        ["01 01:00-04:00", "01 01:00-05:00", "01 02:00-05:00"]
    );
}

#[test]
fn other_clocks() {
    // Half an hour.
    assert_eq!(
        shown("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 2),
        ["04 02:30+11:00", "05 02:15+11:00"]
    );
    assert_eq!(
        shown("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z", 2),
        ["05 01:45+11:00", "06 01:45+10:30"]
    );
    assert_eq!(
        shown("45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:40:00Z", 2),
        ["05 01:45+11:00", "05 01:45+10:30"]
    );
    // A day that Samoa never had: what falls on it fires when the next day begins.
    assert_eq!(
        shown("0 9 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3),
        ["29 09:00-10:00", "31 00:00+14:00", "31 09:00+14:00"]
    );
    assert_eq!(shown("0 9 30 12 *", "Pacific/Apia", "2011-12-01T12:00:00Z", 1), ["31 00:00+14:00"]);
    assert_eq!(shown("* 9 30 12 *", "Pacific/Apia", "2011-12-01T12:00:00Z", 1), ["30 09:00+14:00"]);
    // Two hours.
    assert_eq!(shown("30 2 * * *", "Antarctica/Troll", "2026-03-29T00:00:00Z", 1), ["29 03:00+02:00"]);
    // A quarter of an hour that is no summer time.
    assert_eq!(shown("10 0 1 1 *", "Asia/Kathmandu", "1985-12-01T00:00:00Z", 1), ["01 00:15+05:45"]);
    // Midnight.
    assert_eq!(shown("@daily", "Asia/Beirut", "2026-03-28T12:00:00Z", 1), ["29 01:00+03:00"]);
    assert_eq!(shown("@daily", "America/Havana", "2026-10-31T12:00:00Z", 2), ["01 00:00-04:00", "02 00:00-05:00"]);
    // Summer time is the standard, winter time the exception.
    assert_eq!(shown("30 1 * * *", "Europe/Dublin", "2026-03-28T12:00:00Z", 1), ["29 02:00+01:00"]);
    assert_eq!(shown("30 2 * * *", "Africa/Casablanca", "2026-03-21T12:00:00Z", 1), ["22 03:00+01:00"]);
    // After 2100.
    assert_eq!(
        shown("30 2 * * *", "America/New_York", "2150-03-07T12:00:00Z", 2),
        ["08 03:00-04:00", "09 02:30-04:00"]
    );
}

// ---------------------------------------------------------------- the oracle

const ZONES: [&str; 40] = [
    "UTC",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Santiago",
    "America/Caracas",
    "America/Argentina/San_Luis",
    "America/Nuuk",
    "America/Scoresbysund",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Berlin",
    "Europe/Lisbon",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Monrovia",
    "Africa/Juba",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tokyo",
    "Asia/Dhaka",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
    "Pacific/Fakaofo",
    "Pacific/Norfolk",
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

/// A field as text and as the numbers that it holds.
#[derive(Clone, Debug)]
struct Field {
    text: String,
    values: BTreeSet<i8>,
}

fn field(min: i8, max: i8) -> impl Strategy<Value = Field> {
    let numbers = prop::collection::btree_set(min..=max, 1..4)
        .prop_map(|values| Field { text: values.iter().map(i8::to_string).collect::<Vec<_>>().join(","), values });
    let range = (min..=max, min..=max, 1..=7i8).prop_map(|(a, b, step)| {
        let (a, b) = (a.min(b), a.max(b));
        let text = if step == 1 { format!("{a}-{b}") } else { format!("{a}-{b}/{step}") };
        Field { text, values: (a..=b).step_by(step as usize).collect() }
    });
    let step = (1..=(max - min + 1).min(30)).prop_map(move |step| Field {
        text: format!("*/{step}"),
        values: (min..=max).step_by(step as usize).collect(),
    });
    prop_oneof![3 => star(min, max), 4 => numbers, 2 => range, 1 => step]
}

fn star(min: i8, max: i8) -> impl Strategy<Value = Field> + Clone {
    Just(Field { text: "*".to_owned(), values: (min..=max).collect() })
}

/// Mostly the hours in which clocks are changed.
fn hour() -> impl Strategy<Value = Field> {
    let near = prop_oneof![Just(0i8), Just(1), Just(2), Just(3), Just(23)];
    let near = prop::collection::btree_set(near, 1..3)
        .prop_map(|values| Field { text: values.iter().map(i8::to_string).collect::<Vec<_>>().join(","), values });
    prop_oneof![near, field(0, 23)]
}

#[derive(Clone, Debug)]
struct Expression([Field; 5]);

impl Expression {
    fn text(&self) -> String {
        self.0.each_ref().map(|field| field.text.as_str()).join(" ")
    }

    fn fits(&self, at: civil::DateTime) -> bool {
        let [minute, hour, day, month, weekday] = &self.0;
        let date = day.values.contains(&at.day());
        let week = weekday.values.contains(&at.weekday().to_sunday_zero_offset());
        let either = day.text != "*" && weekday.text != "*";
        at.second() == 0
            && minute.values.contains(&at.minute())
            && hour.values.contains(&at.hour())
            && month.values.contains(&at.month())
            && if either { date || week } else { date && week }
    }
}

fn expression() -> impl Strategy<Value = Expression> {
    let days = prop_oneof![4 => star(1, 31).boxed(), 1 => field(1, 31).boxed()];
    let months = prop_oneof![6 => star(1, 12).boxed(), 1 => field(1, 12).boxed()];
    let weekdays = prop_oneof![4 => star(0, 6).boxed(), 1 => field(0, 6).boxed()];
    (field(0, 59), hour(), days, months, weekdays).prop_map(|(a, b, c, d, e)| Expression([a, b, c, d, e]))
}

/// The firings in `from..to`, from the words of the page.
fn expected(expression: &Expression, zone: &TimeZone, from: i64, to: i64) -> Vec<i64> {
    let wall = expression.0[..2].iter().any(|field| field.text.starts_with('*'));
    let mut found = BTreeSet::new();
    let local = |t: i64| zone.to_datetime(Timestamp::from_second(t).unwrap());
    if wall {
        // Half minutes: an offset may have some.
        found.extend((from.div_euclid(30) * 30..to).step_by(30).filter(|t| expression.fits(local(*t))));
    } else {
        let mut at = local(from - 2 * 86_400).with().second(0).build().unwrap();
        let end = local(to + 86_400);
        while at < end {
            if expression.fits(at) {
                let ambiguous = zone.to_ambiguous_timestamp(at);
                let fires = match ambiguous.offset() {
                    AmbiguousOffset::Gap { after, .. } => {
                        // Read with the later offset it lies before the change of the clock.
                        let before = after.to_timestamp(at).unwrap() - 1.nanosecond();
                        zone.following(before).next().unwrap().timestamp()
                    }
                    _ => ambiguous.earlier().unwrap(),
                };
                found.insert(fires.as_second());
            }
            at = at.checked_add(1.minute()).unwrap();
        }
    }
    found.into_iter().filter(|t| (from..to).contains(t)).collect()
}

/// An instant near the nth change of the clock in a zone.
fn near_a_change(zone: &TimeZone, nth: usize, hours: i64) -> i64 {
    let changes: Vec<i64> = zone
        .following(Timestamp::UNIX_EPOCH)
        .map(|change| change.timestamp().as_second())
        .take_while(|t| *t < 7_200_000_000)
        .collect();
    let change = if changes.is_empty() { 1_000_000_000 } else { changes[nth % changes.len()] };
    change + hours * 3_600
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn as_the_oracle_says(
        zone in prop::sample::select(zones()),
        expression in expression(),
        nth in 0usize..500,
        hours in -40i64..8,
    ) {
        let other = TimeZone::get(zone).unwrap();
        let from = near_a_change(&other, nth, hours);
        let to = from + 2 * 86_400;
        let text = expression.text();
        prop_assert_eq!(firings(&text, zone, from, to), expected(&expression, &other, from, to), "{} in {} from {}", text, zone, from);
    }

    #[test]
    fn firings_ascend_and_asking_in_between_changes_nothing(
        zone in prop::sample::select(zones()),
        expression in expression(),
        start in 0i64..7_200_000_000,
    ) {
        let cron = Cron::parse(&expression.text()).unwrap();
        let zone = Zone::parse(zone).unwrap();
        let after = |t: i64| cron.after(zone, chrono::DateTime::from_timestamp(t, 0).unwrap()).map(|at| at.timestamp());
        let list: Vec<i64> = after(start).take(20).collect();
        let mut last = start;
        for at in list {
            prop_assert!(at > last);
            prop_assert_eq!(after((last + at) / 2).next(), Some(at));
            prop_assert_eq!(after(at - 1).next(), Some(at));
            last = at;
        }
    }
}

proptest! {
    #[test]
    fn the_next_firing_of_a_stage_is_the_first_that_comes(after in 0i64..7_000_000_000, minutes in prop::collection::vec(0u32..4, 1..5)) {
        let mut text = String::from("timezone \"America/New_York\"\nstage Live {\n  trigger by-hand: manual\n");
        for (index, minute) in minutes.iter().enumerate() {
            text.push_str(&format!("  trigger t{index}: schedule \"{minute} 1,2 * * 0-{index}\"\n"));
        }
        let policy = stagegate::Policy::parse("p.gate", text + "}\n").unwrap();
        let after = chrono::DateTime::from_timestamp(after, 0).unwrap();
        let next = policy.next_firing("Live", after).unwrap().unwrap();
        let coming: Vec<stagegate::Coming> = policy.coming(Some("Live"), after).unwrap().take(5).collect();
        // Of several at once the first in the policy.
        prop_assert_eq!((next.at, &next.stage, &next.trigger), (coming[0].at, &coming[0].stage, &coming[0].rule));
        prop_assert_eq!(policy.due("Live", after, next.at).unwrap().next(), Some(next));
    }
}

#[test]
fn a_stage_without_schedules_never_fires_and_an_unknown_one_is_an_error() {
    let policy = stagegate::Policy::parse("p.gate", "stage Live { trigger by-hand: manual }").unwrap();
    let now = "2026-03-04T10:00:00Z".parse().unwrap();
    assert_eq!(policy.next_firing("Live", now), Ok(None));
    assert!(policy.next_firing("Dead", now).unwrap_err().to_string().contains("Live"));
}
