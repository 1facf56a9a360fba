//! What a set of instants is built from.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use super::civil::DAY;
use super::cron::Cron;
use super::set::TimeSet;
use super::zone::{Zone, table};

/// A building block of a [`TimeSet`]. Days of the week: 0 is Monday. Times of day: minutes, 0 to 1440.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// On each of the days `days.0..=days.1` (the range may run over the end of the week) from `start` to `end`; on
    /// the next day if `end` is not later than `start`.
    Weekly { days: (u8, u8), start: u32, end: u32 },
    /// Once a week, from a day and time to a day and time.
    WeekSpan { start: (u8, u32), end: (u8, u32) },
    /// Whole days, the last one too.
    Dates { first: NaiveDate, last: NaiveDate },
    /// From one instant to another, seconds since the epoch, half open.
    Span { start: i64, end: i64 },
    /// Every year whole days, (month, day) to (month, day), the last one too; may run over the new year.
    Yearly { first: (u32, u32), last: (u32, u32) },
    /// From each firing on, so many seconds.
    Cron { cron: Cron, seconds: i64 },
    /// Another set, whatever zones it is in.
    Set(Arc<TimeSet>),
}

/// Which of two readings of a local time that a change of the clock makes doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// In the gap: its end. Twice: the first.
    Start,
    /// In the gap: its end. Twice: the second.
    End,
}

/// The number of a date: 0 is 1970-01-01.
pub(super) fn day_number(date: NaiveDate) -> i64 {
    i64::from(date.num_days_from_ce()) - 719_163
}

/// The instant of a local time (`second` of the day may be 86,400 and more).
pub(crate) fn local(zone: Zone, date: NaiveDate, second: u32, edge: Edge) -> i64 {
    let table = table(zone);
    let local = day_number(date) * DAY + i64::from(second);
    let (_, near) = table.at(local);
    match edge {
        Edge::Start => table.first_of(local, &near),
        Edge::End => table.last_of(local, &near),
    }
}
