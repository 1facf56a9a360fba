//! Sets of instants: cron, zones, windows, calendars.
//!
//! Instants here are whole seconds since the epoch, 1970 to 2200.

use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// A time zone of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// UTC.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// The zone of that name, in exactly that spelling.
    pub fn parse(name: &str) -> Option<Zone> {
        name.parse().ok().map(Zone)
    }

    /// The names of all zones.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name())
    }

    /// The same zone for chrono.
    pub fn tz(self) -> Tz {
        self.0
    }
}

/// A cron expression of five fields, or one of `@hourly @daily @weekly @monthly @yearly`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron;

/// Why a cron expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct CronError {
    /// Bytes of the expression that are wrong.
    pub range: Range<usize>,
    /// What is wrong, lower case.
    pub message: String,
    /// How to write what may have been meant.
    pub help: String,
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// With the first field that is wrong.
    pub fn parse(_text: &str) -> Result<Cron, CronError> {
        Ok(Cron)
    }

    /// Whether both day fields are restricted: then a day that fits either one fires.
    pub fn restricts_both_days(&self) -> bool {
        false
    }

    /// Whether no date ever fits, as for `0 0 31 2 *`.
    pub fn never_fires(&self) -> bool {
        false
    }

    /// The firings after an instant (not at it), in order; the last one is at the end of 2200.
    pub fn after(&self, _zone: Zone, _after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Tz>> + use<> {
        std::iter::empty()
    }

    /// The first firing after an instant.
    pub(crate) fn next_after(&self, _zone: Zone, _t: i64) -> Option<i64> {
        None
    }
}

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

/// The instant of a local time (`second` of the day may be 86,400 and more).
pub(crate) fn local(_zone: Zone, _date: NaiveDate, _second: u32, _edge: Edge) -> i64 {
    0
}

/// A set of instants, as half-open intervals.
#[derive(Clone, Debug)]
pub(crate) struct TimeSet;

/// Where a search for an edge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextEdge {
    /// The first instant after the one asked about at which *inside* becomes another.
    At(i64),
    /// There is none until the end of 2200.
    Never,
    /// The fuel ran out: there is none before this instant.
    SearchedTo(i64),
}

impl TimeSet {
    /// The union of `include` without the union of `except`, each piece in its zone.
    pub fn new(_include: Vec<(Piece, Zone)>, _except: Vec<(Piece, Zone)>) -> TimeSet {
        TimeSet
    }

    /// Whether an instant lies inside.
    pub fn contains(&self, _t: i64) -> bool {
        false
    }

    /// The next edge after an instant. Each step of the search takes one of `fuel`.
    pub fn next_edge(&self, _t: i64, _fuel: &mut u64) -> NextEdge {
        NextEdge::Never
    }

    /// Whether its times come again and again until the end of 2200 (in some interval of at most a few years both an
    /// instant inside and one outside).
    pub fn recurs(&self) -> bool {
        false
    }

    /// Whether no instant lies inside.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether every instant of `self` also lies in one of `others` (for a warning: `false` when in doubt).
    pub fn is_covered_by(&self, _others: &[&TimeSet]) -> bool {
        false
    }
}
