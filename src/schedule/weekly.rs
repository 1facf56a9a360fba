//! Sets of local times that come every week.

use super::civil::DAY;
use super::leaf::LocalRuns;

const MINUTE: i64 = 60;
const WEEK: i64 = 7 * 1_440;
/// The local epoch is a Thursday.
const EPOCH: i64 = 3 * 1_440;

/// Runs of minutes of the week, from Monday on: sorted, apart from one another; the last may run over the week's end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weekly {
    runs: Vec<(i64, i64)>,
}

impl Weekly {
    /// The union of intervals of minutes of the week; they may run over its end, and more than once.
    pub fn new(intervals: impl IntoIterator<Item = (i64, i64)>) -> Weekly {
        let mut parts = Vec::new();
        for (start, end) in intervals {
            let length = (end - start).clamp(0, WEEK);
            let start = start.rem_euclid(WEEK);
            parts.push((start, (start + length).min(WEEK)));
            parts.push((0, start + length - WEEK));
        }
        parts.retain(|(start, end)| start < end);
        parts.sort_unstable();
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for (start, end) in parts {
            match runs.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => runs.push((start, end)),
            }
        }
        // What goes on over the week's end is one run.
        if let ([(0, first), _, ..], Some((_, WEEK))) = (runs.as_slice(), runs.last()) {
            let first = *first;
            runs.remove(0);
            if let Some(last) = runs.last_mut() {
                last.1 += first;
            }
        }
        Weekly { runs }
    }

    /// On each of some days from one minute to another, or to that of the next day.
    pub fn daily((first, last): (u8, u8), start: u32, end: u32) -> impl Iterator<Item = (i64, i64)> {
        let (first, last) = (i64::from(first) % 7, i64::from(last) % 7);
        let (start, end) = (i64::from(start), i64::from(end));
        let end = if end <= start { end + 1_440 } else { end };
        let days = (last - first).rem_euclid(7);
        (first..=first + days).map(move |day| (day * 1_440 + start, day * 1_440 + end))
    }

    /// From one minute of a day to another minute of another day.
    pub fn once(start: (u8, u32), end: (u8, u32)) -> (i64, i64) {
        let minute = |(day, minute): (u8, u32)| (i64::from(day) % 7) * 1_440 + i64::from(minute);
        let (start, end) = (minute(start), minute(end));
        // A Sunday's 24:00 is the week's end.
        (start, if end <= start { end + WEEK } else { end })
    }

    /// The intervals as [`Weekly::new`] takes them.
    pub fn intervals(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.runs.iter().copied()
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether it is the whole week.
    pub fn is_full(&self) -> bool {
        self.runs.first().is_some_and(|(start, end)| end - start >= WEEK)
    }

    /// Whether all its times are among those of another.
    pub fn is_within(&self, other: &Weekly) -> bool {
        Weekly::new(self.intervals().chain(other.intervals())) == *other
    }
}

impl LocalRuns for Weekly {
    fn last_from(&self, local: i64) -> Option<(i64, i64)> {
        let minute = local.div_euclid(MINUTE) + EPOCH;
        let of_week = minute.rem_euclid(WEEK);
        let week = minute - of_week - EPOCH;
        let before = self.runs.partition_point(|(start, _)| *start <= of_week);
        let (run, week) = match before.checked_sub(1) {
            Some(index) => (self.runs.get(index)?, week),
            None => (self.runs.last()?, week - WEEK),
        };
        Some(((week + run.0) * MINUTE, (week + run.1) * MINUTE))
    }

    fn next_from(&self, local: i64) -> Option<(i64, i64)> {
        let minute = local.div_euclid(MINUTE) + EPOCH;
        let of_week = minute.rem_euclid(WEEK);
        let week = minute - of_week - EPOCH;
        let before = self.runs.partition_point(|(start, _)| *start <= of_week);
        let (run, week) = match self.runs.get(before) {
            Some(run) => (run, week),
            None => (self.runs.first()?, week + WEEK),
        };
        Some(((week + run.0) * MINUTE, (week + run.1) * MINUTE))
    }
}

const _: () = assert!(DAY == 1_440 * MINUTE);
