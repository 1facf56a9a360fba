//! Whole days that come every year.

use super::civil::{self, DAY};
use super::leaf::LocalRuns;

/// From one (month, day) to another, the last one too. If the last comes first in the year, it is one of the next year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Yearly {
    pub first: (u32, u32),
    pub last: (u32, u32),
}

/// Years within which every date comes at least once.
const YEARS: i64 = 9;

impl Yearly {
    /// The days of the range that begins in a year, as local seconds. February 29 is no day of other years.
    fn run(&self, year: i64) -> Option<(i64, i64)> {
        // The 29th of a February of 28 days is counted as March 1: right for a beginning.
        let start = civil::days(year, self.first.0, i64::from(self.first.1));
        let year = if self.last < self.first { year + 1 } else { year };
        let length = civil::month_length(year, self.last.0);
        let end = civil::days(year, self.last.0, i64::from(self.last.1.min(length))) + 1;
        (start < end).then_some((start * DAY, end * DAY))
    }
}

impl LocalRuns for Yearly {
    fn last_from(&self, local: i64) -> Option<(i64, i64)> {
        let (year, ..) = civil::date(local.div_euclid(DAY));
        (year - YEARS..=year).rev().filter_map(|year| self.run(year)).find(|(start, _)| *start <= local)
    }

    fn next_from(&self, local: i64) -> Option<(i64, i64)> {
        let (year, ..) = civil::date(local.div_euclid(DAY));
        (year..=year + YEARS).filter_map(|year| self.run(year)).find(|(start, _)| *start > local)
    }
}
