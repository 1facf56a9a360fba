//! `cron … for D`: from each firing on for so long.

use super::civil::DAY;
use super::cron::Cron;
use super::set::NextEdge;
use super::zone::{END, Table};

/// The times that are not longer after a firing than `seconds`.
#[derive(Clone, Debug)]
pub(super) struct Lasting {
    cron: Cron,
    seconds: i64,
    table: &'static Table,
    /// The firings of a day, in minutes, after which the next one of the day comes too late to go on; and the last one.
    ends: Vec<i64>,
    /// Whether a day's last firing lasts until the first one of the next day, if that is a day of firings.
    overnight: bool,
}

impl Lasting {
    pub fn new(cron: Cron, seconds: i64, table: &'static Table) -> Lasting {
        let times: Vec<i64> = (0..1_440).filter(|time| cron.time_fits(*time)).collect();
        let reaches = |from: i64, to: i64| (to - from) * 60 <= seconds;
        let mut ends: Vec<i64> = times
            .iter()
            .zip(times.iter().skip(1))
            .filter(|(time, next)| !reaches(**time, **next))
            .map(|(time, _)| *time)
            .collect();
        ends.extend(times.last());
        let overnight = match (times.first(), times.last()) {
            (Some(first), Some(last)) => reaches(*last, first + 1_440),
            _ => false,
        };
        Lasting { cron, seconds, table, ends, overnight }
    }

    pub fn is_empty(&self) -> bool {
        self.seconds <= 0 || self.cron.never_fires()
    }

    /// The first firing that still lasts at an instant.
    fn lasting(&self, t: i64) -> Option<i64> {
        self.cron.next_in(self.table, t.saturating_sub(self.seconds)).filter(|at| *at <= t)
    }

    pub fn contains(&self, t: i64) -> bool {
        self.lasting(t).is_some()
    }

    pub fn next_edge(&self, t: i64, fuel: &mut u64) -> NextEdge {
        let Some(mut firing) = self.lasting(t) else {
            return self.cron.next_in(self.table, t).map_or(NextEdge::Never, NextEdge::At);
        };
        loop {
            if *fuel == 0 {
                return NextEdge::SearchedTo(firing.saturating_add(self.seconds).clamp(t + 1, END));
            }
            *fuel -= 1;
            firing = self.ahead(firing, fuel);
            let end = firing.saturating_add(self.seconds);
            if end >= END {
                return NextEdge::Never;
            }
            match self.cron.next_in(self.table, firing) {
                Some(next) if next <= end => firing = next,
                _ => return NextEdge::At(end),
            }
        }
    }

    /// A firing from which on it goes on to the one that is returned, without an end between. Looks only as far as the
    /// clock is not changed, where firings lie apart as their local times do.
    fn ahead(&self, firing: i64, fuel: &mut u64) -> i64 {
        let (_, period) = self.table.at(firing);
        let local = firing + period.offset;
        let (mut day, of_day) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        // After a gap a firing may stand at a time that is not its own.
        if of_day % 60 != 0 || !self.cron.time_fits(of_day / 60) || !self.cron.day_fits(day) {
            return firing;
        }
        let end = self.ends.get(self.ends.partition_point(|end| *end < of_day / 60));
        let Some(&time) = end else { return firing };
        let last_local = period.end.min(END) - 1 + period.offset;
        // One run all day long, from day to day.
        if self.overnight && self.ends.len() == 1 {
            let last_day = last_local.div_euclid(DAY);
            if self.cron.fits_all_days() {
                day = day.max(last_day);
            } else {
                while day < last_day && *fuel > 0 && self.cron.day_fits(day + 1) {
                    day += 1;
                    *fuel -= u64::from(day % 16 == 0);
                }
            }
        }
        let mut ahead = day * DAY + time * 60;
        if ahead > last_local {
            // The last time before the change of the clock.
            let before = self.cron.last_time(last_local.rem_euclid(DAY) / 60);
            ahead = last_local.div_euclid(DAY) * DAY + before.unwrap_or(0) * 60;
            if before.is_none() || ahead < local {
                return firing;
            }
        }
        firing.max(ahead - period.offset)
    }
}
