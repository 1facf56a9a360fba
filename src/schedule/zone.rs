//! Time zones: every change of the clock from 1970 to 2200, worked out once for each zone, and the way between instants
//! and local times.

use std::sync::OnceLock;

use chrono::{DateTime, Duration, Offset, TimeZone, Utc};
use chrono_tz::{Tz, TzOffset};

use super::civil::{self, DAY};

/// The first instant after the year 2200.
pub(crate) const END: i64 = 7_289_654_400;
/// The instant from which on chrono-tz knows no changes of the clock, though there are some: 2100-01-01.
const DATA_END: i64 = 4_102_444_800;
/// No two changes that undo each other lie nearer to each other than this (the nearest are seven days apart, in Gaza).
const PROBE: i64 = 5 * DAY;
/// No zone is further from UTC, in seconds.
const WIDEST: i64 = 16 * 3_600;
/// Instants in one bucket of [`Table::buckets`], as a power of two: 97 days.
const BUCKET: u32 = 23;

/// A time zone of the IANA database.
///
/// ```
/// use stagegate::schedule::Zone;
/// assert!(Zone::parse("Europe/Berlin").is_some());
/// assert!(Zone::parse("europe/berlin").is_none());
/// assert!(Zone::names().any(|name| name == "Asia/Kathmandu"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

impl Default for Zone {
    fn default() -> Zone {
        Zone::UTC
    }
}

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

    /// The same zone for chrono. Its own arithmetic is right up to the year 2099 only; for later instants there is
    /// [`Zone::at`].
    pub fn tz(self) -> Tz {
        self.0
    }

    /// An instant as the clock on the wall shows it, up to the end of 2200.
    ///
    /// ```
    /// use stagegate::schedule::Zone;
    /// let zone = Zone::parse("America/New_York").unwrap();
    /// let summer = "2150-07-01T12:00:00Z".parse().unwrap();
    /// assert_eq!(zone.at(summer).to_rfc3339(), "2150-07-01T08:00:00-04:00");
    /// ```
    pub fn at(self, instant: DateTime<Utc>) -> DateTime<Tz> {
        let table = table(self);
        let (index, _) = table.at(instant.timestamp());
        // An offset of chrono-tz cannot be made, only be found: at the same change of the clock before 2100.
        match table.models.get(index.wrapping_sub(table.modelled_from)) {
            Some(&model) => DateTime::from_naive_utc_and_offset(instant.naive_utc(), offset_at(self.0, model)),
            None => instant.with_timezone(&self.0),
        }
    }
}

impl Zone {
    /// How far the clock on the wall is ahead of UTC at an instant up to the end of 2200, both in seconds.
    pub(crate) fn offset_at(self, second: i64) -> i64 {
        table(self).at(second).1.offset
    }
}

fn offset_at(tz: Tz, t: i64) -> TzOffset {
    tz.offset_from_utc_datetime(&(DateTime::UNIX_EPOCH.naive_utc() + Duration::seconds(t)))
}

fn seconds_at(tz: Tz, t: i64) -> i64 {
    i64::from(offset_at(tz, t).fix().local_minus_utc())
}

/// A stretch of time in which the clock is not changed. All in seconds; local times are counted since the local epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    /// The first instant.
    pub start: i64,
    /// The first instant of the next one.
    pub end: i64,
    /// Local time less UTC.
    pub offset: i64,
    /// The latest local time that any earlier period shows.
    pub peak: i64,
    /// One second before the earliest local time that any later period shows.
    pub trough: i64,
}

impl Period {
    const UTC: Period = Period { start: FAR_PAST, end: FAR_FUTURE, offset: 0, peak: FAR_PAST, trough: FAR_FUTURE };

    /// Whether an instant lies in it.
    fn has(&self, t: i64) -> bool {
        self.start <= t && t < self.end
    }
}

const FAR_PAST: i64 = i64::MIN / 4;
const FAR_FUTURE: i64 = i64::MAX / 4;

/// The periods of a zone.
#[derive(Debug)]
pub(crate) struct Table {
    periods: Vec<Period>,
    /// For each stretch of `1 << BUCKET` seconds from 1970 on, the period in which it begins.
    buckets: Vec<u16>,
    /// The first period that chrono-tz does not know.
    modelled_from: usize,
    /// For each of the periods from there on, an instant before 2100 with the same offset.
    models: Vec<i64>,
}

/// The periods of a zone; worked out when they are first asked for.
pub(crate) fn table(zone: Zone) -> &'static Table {
    static TABLES: OnceLock<Vec<OnceLock<Table>>> = OnceLock::new();
    let tables = TABLES.get_or_init(|| chrono_tz::TZ_VARIANTS.iter().map(|_| OnceLock::new()).collect());
    match tables.get(zone.0 as usize) {
        Some(cell) => cell.get_or_init(|| Table::new(zone.0)),
        // The zones are numbered from 0, so this is never reached; it would be slow, but right.
        None => Box::leak(Box::new(Table::new(zone.0))),
    }
}

/// A change of the clock: the instant, and the offsets before and after it.
#[derive(Clone, Copy, Debug)]
struct Change {
    at: i64,
    from: i64,
    to: i64,
}

impl Table {
    fn new(tz: Tz) -> Table {
        let first = seconds_at(tz, -2 * DAY);
        let mut changes = known_changes(tz, first);
        let modelled_from = changes.len() + 1;
        let mut models = Vec::new();
        if let Some(rules) = yearly_rules(&changes) {
            for year in 2100..=2201 {
                let mut this_year: Vec<(Change, i64)> = rules.iter().map(|r| (r.change(year), r.model)).collect();
                this_year.sort_by_key(|(change, _)| change.at);
                changes.extend(this_year.iter().map(|(change, _)| *change));
                models.extend(this_year.iter().map(|(_, model)| *model));
            }
        }
        let mut table = Table { periods: periods(first, &changes), buckets: Vec::new(), modelled_from, models };
        let mut index = 0;
        for bucket in 0..=END >> BUCKET {
            while table.period(index).end <= bucket << BUCKET && index + 1 < table.periods.len() {
                index += 1;
            }
            table.buckets.push(u16::try_from(index).unwrap_or(u16::MAX));
        }
        table
    }

    /// How many periods there are.
    pub fn len(&self) -> usize {
        self.periods.len()
    }

    /// A period by its index.
    pub fn period(&self, index: usize) -> Period {
        self.periods.get(index).copied().unwrap_or(Period::UTC)
    }

    /// The period in which an instant lies, and its index.
    pub fn at(&self, t: i64) -> (usize, Period) {
        let bucket = usize::try_from(t >> BUCKET).unwrap_or(0);
        let mut index = self.buckets.get(bucket).or(self.buckets.last()).copied().map_or(0, usize::from);
        if t < 0 {
            index = 0;
        }
        let mut period = self.period(index);
        while period.end <= t && index + 1 < self.len() {
            index += 1;
            period = self.period(index);
        }
        (index, period)
    }

    /// The first instant at which the clock shows a local time; if it never does, the first instant after the gap.
    /// `hint` is the period in which the answer is likely to lie.
    pub fn first_of(&self, local: i64, hint: &Period) -> i64 {
        if hint.peak < local && local - hint.offset < hint.end {
            return (local - hint.offset).max(hint.start);
        }
        let (mut index, mut period) = self.at(local - WIDEST);
        while local - period.offset >= period.end && index + 1 < self.len() {
            index += 1;
            period = self.period(index);
        }
        (local - period.offset).max(period.start)
    }

    /// The last instant at which the clock shows a local time; if it never does, the first instant after the gap.
    pub fn last_of(&self, local: i64, hint: &Period) -> i64 {
        if hint.trough >= local && hint.start.saturating_add(hint.offset) <= local {
            return (local - hint.offset).min(hint.end);
        }
        let (mut index, mut period) = self.at(local + WIDEST);
        while period.start.saturating_add(period.offset) > local && index > 0 {
            index -= 1;
            period = self.period(index);
        }
        (local - period.offset).min(period.end)
    }

    /// The local times that count for an instant when it is asked whether it lies between two edges: from the lower one
    /// (it lies before every edge that is later than this) to the upper one (it lies at or after every edge that is not
    /// later than this). They differ only near a repeated hour, where each pass is also where the other one is.
    pub fn shown(&self, t: i64, period: &Period) -> (i64, i64) {
        debug_assert!(period.has(t));
        let local = t + period.offset;
        (local.min(period.trough), local.max(period.peak))
    }
}

/// The changes that chrono-tz knows.
fn known_changes(tz: Tz, first: i64) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut at, mut from) = (-2 * DAY, first);
    while at < DATA_END {
        let next = (at + PROBE).min(DATA_END);
        let to = seconds_at(tz, next);
        if to == from {
            at = next;
            continue;
        }
        // Between `at` and `next`: narrow it down to the second.
        let (mut low, mut high) = (at, next);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if seconds_at(tz, middle) == from { low = middle } else { high = middle }
        }
        let to = seconds_at(tz, high);
        changes.push(Change { at: high, from, to });
        (at, from) = (high, to);
    }
    changes
}

fn periods(first: i64, changes: &[Change]) -> Vec<Period> {
    let mut periods = vec![Period { offset: first, ..Period::UTC }];
    for change in changes {
        if let Some(last) = periods.last_mut() {
            last.end = change.at;
        }
        periods.push(Period { start: change.at, offset: change.to, ..Period::UTC });
    }
    let mut peak = FAR_PAST;
    for period in &mut periods {
        period.peak = peak;
        peak = peak.max(period.end - 1 + period.offset);
    }
    let mut trough = FAR_FUTURE;
    for period in periods.iter_mut().rev() {
        period.trough = trough;
        trough = trough.min(period.start.saturating_add(period.offset) - 1);
    }
    periods
}

/// A change of the clock that comes every year: on the first such weekday of the month that is not before a day.
#[derive(Clone, Copy, Debug)]
struct YearlyRule {
    month: u32,
    weekday: i64,
    day: i64,
    /// Seconds of that day on the clock before the change (a day's last second plus one is its end, not the next day).
    second: i64,
    from: i64,
    to: i64,
    /// An instant before 2100 just after this change.
    model: i64,
}

impl YearlyRule {
    fn change(&self, year: i64) -> Change {
        let day = civil::days(year, self.month, 1) + self.day - 1;
        let day = day + (self.weekday - civil::weekday(day)).rem_euclid(7);
        Change { at: day * DAY + self.second - self.from, from: self.from, to: self.to }
    }
}

/// The rules that the changes of the years 2090 to 2099 follow; `None` when there are none or they follow no rule. In
/// ten years every date falls on every weekday, so they tell the whole rule.
fn yearly_rules(changes: &[Change]) -> Option<Vec<YearlyRule>> {
    let years: Vec<Vec<Change>> = (2090..2100)
        .map(|year| {
            let (start, end) = (civil::days(year, 1, 1) * DAY, civil::days(year + 1, 1, 1) * DAY);
            changes.iter().filter(|change| (start..end).contains(&change.at)).copied().collect()
        })
        .collect();
    let count = years.last()?.len();
    if count == 0 {
        return None;
    }
    (0..count)
        .map(|nth| {
            let nths: Vec<Change> = years.iter().map(|year| year.get(nth).copied()).collect::<Option<_>>()?;
            // A change at midnight belongs to the day that it begins or to the one that it ends.
            [0, 1].into_iter().find_map(|back| yearly_rule(&nths, back))
        })
        .collect()
}

fn yearly_rule(changes: &[Change], back: i64) -> Option<YearlyRule> {
    let mut rule: Option<YearlyRule> = None;
    for change in changes {
        let local = change.at + change.from - back;
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY) + back);
        let (_, month, of_month) = civil::date(day);
        let this = YearlyRule {
            month,
            weekday: civil::weekday(day),
            day: i64::from(of_month),
            second,
            from: change.from,
            to: change.to,
            model: change.at,
        };
        let rule = rule.get_or_insert(this);
        if (rule.month, rule.weekday, rule.second) != (this.month, this.weekday, this.second)
            || (rule.from, rule.to) != (this.from, this.to)
        {
            return None;
        }
        rule.day = rule.day.min(this.day);
    }
    let rule = rule?;
    (2090..).zip(changes).all(|(year, change)| rule.change(year).at == change.at).then_some(rule)
}
