//! Local time and instants, by jiff and its own bundled tables.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};

/// Nanoseconds since the epoch.
pub type Instant = i128;

pub const SECOND: Instant = 1_000_000_000;
pub const MINUTE: Instant = 60 * SECOND;
pub const HOUR: Instant = 60 * MINUTE;
pub const DAY: Instant = 24 * HOUR;

pub fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub fn stamp(t: Instant) -> Timestamp {
    Timestamp::from_nanosecond(t).unwrap()
}

/// What the clock on the wall shows.
pub fn local(zone: &TimeZone, t: Instant) -> DateTime {
    zone.to_datetime(stamp(t))
}

/// When the clock on the wall shows this.
pub enum Reading {
    Once(Instant),
    /// It is skipped: the first instant after the gap.
    Never(Instant),
    Twice(Instant, Instant),
}

pub fn reading(zone: &TimeZone, clock: DateTime) -> Reading {
    let at = |offset: jiff::tz::Offset| offset.to_timestamp(clock).unwrap().as_nanosecond();
    match zone.to_ambiguous_timestamp(clock).offset() {
        AmbiguousOffset::Unambiguous { offset } => Reading::Once(at(offset)),
        AmbiguousOffset::Fold { before, after } => Reading::Twice(at(before), at(after)),
        AmbiguousOffset::Gap { before, .. } => {
            // Read with the old offset it lies in the time right after the clock was put forward.
            let shortly_after = stamp(at(before) + 1);
            let change = zone.preceding(shortly_after).next().expect("a gap begins with a change of the clock");
            Reading::Never(change.timestamp().as_nanosecond())
        }
    }
}

/// The instant of a start that is written in clock time.
pub fn start(zone: &TimeZone, clock: DateTime) -> Instant {
    match reading(zone, clock) {
        Reading::Once(t) | Reading::Never(t) | Reading::Twice(t, _) => t,
    }
}

/// The instant of an end that is written in clock time.
pub fn end(zone: &TimeZone, clock: DateTime) -> Instant {
    match reading(zone, clock) {
        Reading::Once(t) | Reading::Never(t) | Reading::Twice(_, t) => t,
    }
}

pub fn later(date: Date, days: i64) -> Date {
    date.checked_add(Span::new().days(days)).unwrap()
}

/// So many minutes into a day; 1440 is the next midnight.
pub fn clock(date: Date, minutes: u32) -> DateTime {
    let date = if minutes >= 1440 { later(date, 1) } else { date };
    let minutes = minutes % 1440;
    date.at((minutes / 60) as i8, (minutes % 60) as i8, 0, 0)
}
