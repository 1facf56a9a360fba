//! Zones up to the end of 2200, against another library with its own copy of the time zone database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, Offset, Utc};
use jiff::{Timestamp, tz::TimeZone};
use stagegate::schedule::Zone;

const FIRST: i64 = 0;
const LAST: i64 = 7_289_654_399;

fn ours(zone: Zone, t: i64) -> i64 {
    let instant: DateTime<Utc> = DateTime::from_timestamp(t, 0).unwrap();
    i64::from(zone.at(instant).offset().fix().local_minus_utc())
}

fn theirs(zone: &TimeZone, t: i64) -> i64 {
    i64::from(zone.to_offset(Timestamp::from_second(t).unwrap()).seconds())
}

/// Every instant just before, at and just after a change of the clock, and in the middle between two changes.
fn telling_instants(zone: &TimeZone) -> Vec<i64> {
    let mut changes: Vec<i64> = zone
        .following(Timestamp::from_second(FIRST).unwrap())
        .map(|change| change.timestamp().as_second())
        .take_while(|t| *t <= LAST)
        .collect();
    changes.insert(0, FIRST);
    changes.push(LAST);
    let middles = changes.windows(2).map(|pair| pair[0] + (pair[1] - pair[0]) / 2).collect::<Vec<_>>();
    let near = changes.iter().flat_map(|t| [t - 1, *t, t + 1]);
    near.chain(middles).filter(|t| (FIRST..=LAST).contains(t)).collect()
}

/// What chrono-tz says itself. It knows no changes of the clock from 2100 on.
fn chrono(zone: Zone, t: i64) -> i64 {
    let instant: DateTime<Utc> = DateTime::from_timestamp(t, 0).unwrap();
    i64::from(instant.with_timezone(&zone.tz()).offset().fix().local_minus_utc())
}

const CHRONO_ENDS: i64 = 4_102_444_800;

#[test]
fn every_change_of_the_clock_until_2200_is_known() {
    let mut compared = 0;
    for name in Zone::names() {
        let (zone, Ok(other)) = (Zone::parse(name).unwrap(), TimeZone::get(name)) else { continue };
        let instants = telling_instants(&other);
        let shown = |t: i64| Timestamp::from_second(t).unwrap();
        // Where the two databases are of different years, there is nothing to compare.
        let mut same_data = true;
        for &t in instants.iter().filter(|t| **t < CHRONO_ENDS) {
            assert_eq!(ours(zone, t), chrono(zone, t), "{name} at {}", shown(t));
            same_data &= chrono(zone, t) == theirs(&other, t);
        }
        if same_data {
            compared += 1;
            for t in instants {
                assert_eq!(ours(zone, t), theirs(&other, t), "{name} at {}", shown(t));
            }
        }
    }
    assert!(compared > 500, "only {compared} zones were compared");
}

#[test]
fn summer_time_goes_on_after_2100() {
    for (name, instant, local) in [
        ("America/New_York", "2150-07-01T12:00:00Z", "2150-07-01T08:00:00-04:00"),
        ("America/New_York", "2150-12-01T12:00:00Z", "2150-12-01T07:00:00-05:00"),
        ("Europe/Berlin", "2200-07-01T12:00:00Z", "2200-07-01T14:00:00+02:00"),
        ("Australia/Lord_Howe", "2200-12-31T23:59:59Z", "2201-01-01T10:59:59+11:00"),
        ("Africa/Casablanca", "2150-07-01T12:00:00Z", "2150-07-01T13:00:00+01:00"),
    ] {
        let at = Zone::parse(name).unwrap().at(instant.parse().unwrap());
        assert_eq!(at.to_rfc3339(), local, "{name}");
    }
}

#[test]
fn names_are_exact() {
    for name in ["Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"] {
        assert!(Zone::parse(name).is_some(), "{name}");
    }
    for name in ["", "europe/berlin", "Europe/Berlin ", "Berlin", "CEST", "+01:00", "Local", "Europe/Atlantis"] {
        assert!(Zone::parse(name).is_none(), "{name}");
    }
    assert!(Zone::names().all(|name| Zone::parse(name).is_some()));
}
