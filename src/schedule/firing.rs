//! Searching for firings. Every search ends: dates repeat within eight years, and nothing is looked for after 2200.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::civil::{self, DAY};
use super::cron::Cron;
use super::zone::{END, Period, Table, Zone, table};

const MINUTE: i64 = 60;
/// Days of the week of the local days 0 to 6, from Monday on, over the days of a month.
const WEEKS: u64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28 | 1 << 35;

impl Cron {
    /// The firings after an instant (not at it), in order; the last one is at the end of 2200.
    pub fn after(&self, zone: Zone, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Tz>> + use<> {
        let cron = self.clone();
        // Firings are at whole seconds, so a fraction that has begun changes nothing.
        let mut last = after.timestamp();
        std::iter::from_fn(move || {
            last = cron.next_after(zone, last)?;
            Some(zone.at(DateTime::from_timestamp(last, 0)?))
        })
        .fuse()
    }

    /// The first firing after an instant.
    pub(crate) fn next_after(&self, zone: Zone, t: i64) -> Option<i64> {
        self.next_in(table(zone), t)
    }

    /// The first firing after an instant, in the zone with that table.
    pub(super) fn next_in(&self, table: &Table, t: i64) -> Option<i64> {
        if t >= END || self.never_fires() {
            return None;
        }
        let from = t.max(-1) + 1;
        let (index, period) = table.at(from);
        let at = if self.wall {
            self.next_on_wall(table, index, period, from)
        } else {
            self.next_once(table, &period, from)
        };
        at.filter(|at| *at < END)
    }

    /// The first firing not before `from` of a schedule that follows the clock on the wall.
    fn next_on_wall(&self, table: &Table, mut index: usize, mut period: Period, from: i64) -> Option<i64> {
        // No local time from `searched` up to `local` fits.
        let mut searched = from + period.offset;
        let mut local = self.next_local(searched)?;
        loop {
            if local - period.offset < period.end {
                return Some(local - period.offset);
            }
            index += 1;
            if index >= table.len() || period.end >= END {
                return None;
            }
            period = table.period(index);
            let start = period.start + period.offset;
            if start < searched || start > local {
                searched = start;
                local = self.next_local(start)?;
            }
        }
    }

    /// The first firing not before `from` of a schedule that fires once for each of its local times.
    fn next_once(&self, table: &Table, period: &Period, from: i64) -> Option<i64> {
        // A local time has fired before `from` if the clock has shown it or has jumped over it.
        let mut shown = from - 1 + period.offset;
        if from == period.start {
            shown = period.peak;
        }
        let local = self.next_local(shown.max(period.peak) + 1)?;
        Some(table.first_of(local, period))
    }

    /// The first local time that fits and is not earlier, in seconds.
    pub(super) fn next_local(&self, from: i64) -> Option<i64> {
        let minute = -(-from).div_euclid(MINUTE);
        let (day, of_day) = (minute.div_euclid(DAY / MINUTE), minute.rem_euclid(DAY / MINUTE));
        if self.day_fits(day)
            && let Some(time) = self.next_time(of_day)
        {
            return Some(day * DAY + time * MINUTE);
        }
        let day = self.next_day(day + 1)?;
        Some(day * DAY + self.next_time(0)? * MINUTE)
    }

    /// The first time of day that fits and is not earlier, in minutes.
    fn next_time(&self, from: i64) -> Option<i64> {
        let (hour, minute) = (from / 60, from % 60);
        let hours = self.hours & u64::MAX << hour;
        if hours == 0 {
            return None;
        }
        let first = i64::from(hours.trailing_zeros());
        if first == hour {
            let minutes = self.minutes & u64::MAX << minute;
            if minutes != 0 {
                return Some(hour * 60 + i64::from(minutes.trailing_zeros()));
            }
        } else {
            return Some(first * 60 + i64::from(self.minutes.trailing_zeros()));
        }
        let later = hours & (hours - 1);
        (later != 0).then(|| i64::from(later.trailing_zeros()) * 60 + i64::from(self.minutes.trailing_zeros()))
    }

    /// The last time of day that fits and is not later, in minutes.
    pub(super) fn last_time(&self, until: i64) -> Option<i64> {
        (0..=until).rev().find(|time| self.time_fits(*time))
    }

    /// Whether a local time of day fits, in minutes.
    pub(super) fn time_fits(&self, time: i64) -> bool {
        self.hours >> (time / 60) & 1 == 1 && self.minutes >> (time % 60) & 1 == 1
    }

    /// Whether only the weekday of a day matters; then the weekdays that fit.
    fn by_weekday(&self) -> Option<u64> {
        (!self.days_restricted && self.months == 0x1ffe).then_some(self.weekdays)
    }

    /// Whether every day fits.
    pub(super) fn fits_all_days(&self) -> bool {
        self.by_weekday() == Some(0x7f)
    }

    /// Whether a day fits.
    pub(super) fn day_fits(&self, day: i64) -> bool {
        let weekday = self.weekdays >> civil::weekday(day) & 1 == 1;
        if self.by_weekday().is_some() {
            return weekday;
        }
        let (_, month, of_month) = civil::date(day);
        let date = self.days >> of_month & 1 == 1;
        self.months >> month & 1 == 1 && if self.restricts_both_days() { weekday || date } else { weekday && date }
    }

    /// The first day that fits and is not earlier.
    fn next_day(&self, from: i64) -> Option<i64> {
        if let Some(weekdays) = self.by_weekday() {
            let ahead = (weekdays * WEEKS) >> civil::weekday(from);
            return (ahead != 0).then(|| from + i64::from(ahead.trailing_zeros()));
        }
        let (mut year, mut month, day) = civil::date(from);
        let mut not_before = u64::MAX << day;
        while year <= 2201 {
            if self.months >> month & 1 == 1 {
                let first = civil::days(year, month, 1);
                let of_month = u64::MAX >> (63 - civil::month_length(year, month));
                let fits = self.days_of_month(first) & not_before & of_month;
                if fits != 0 {
                    return Some(first + i64::from(fits.trailing_zeros()) - 1);
                }
            }
            not_before = u64::MAX;
            let later = self.months & u64::MAX << (month + 1);
            let next = if later == 0 { self.months } else { later };
            if next == 0 {
                return None;
            }
            year += i64::from(later == 0);
            month = next.trailing_zeros();
        }
        None
    }

    /// The days that fit in the month that begins on a day: bit *n* is day *n*; also those after its end.
    fn days_of_month(&self, first: i64) -> u64 {
        let weekdays = ((self.weekdays * WEEKS) >> civil::weekday(first)) << 1;
        if self.restricts_both_days() { weekdays | self.days } else { weekdays & self.days }
    }
}
