//! Sets of instants by their definition: an instant is in a set when one of the intervals that begin on a day near it
//! holds it. No search for edges, no arithmetic on weeks.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use stagegate::syntax::tree::{DateTime, Times, TimesItem, TimesKind, ZoneSpec};

use crate::zones::{DAY, Instant, Reading, SECOND, clock, end, later, local, reading, start, zone};

// ---------------------------------------------------------------- cron

struct Field {
    text: String,
    values: BTreeSet<u32>,
}

pub struct Cron {
    fields: Vec<Field>,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

fn number(text: &str, field: usize) -> u32 {
    let lower = text.to_lowercase();
    let names: &[&str] = match field {
        3 => &MONTHS,
        4 => &DAYS,
        _ => &[],
    };
    match names.iter().position(|name| *name == lower) {
        Some(index) if field == 3 => index as u32 + 1,
        Some(index) => index as u32,
        None => text.parse().unwrap_or_else(|_| panic!("cron: {text}")),
    }
}

impl Cron {
    pub fn new(expr: &str) -> Cron {
        let expr = match expr.trim() {
            "@hourly" => "0 * * * *",
            "@daily" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" => "0 0 1 1 *",
            other => other,
        };
        let bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
        let fields: Vec<Field> =
            expr.split_whitespace().enumerate().map(|(i, text)| Self::field(i, text, bounds[i])).collect();
        assert_eq!(fields.len(), 5, "{expr}");
        Cron { fields }
    }

    fn field(index: usize, text: &str, (low, high): (u32, u32)) -> Field {
        let mut values = BTreeSet::new();
        for element in text.split(',') {
            let (range, step) = match element.split_once('/') {
                Some((range, step)) => (range, step.parse().unwrap()),
                None => (element, 1),
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (low, if index == 4 { 6 } else { high }),
                Some((from, to)) => {
                    let (from, to) = (number(from, index), number(to, index));
                    // A range may end in Sunday.
                    (from, if index == 4 && to == 0 { 7 } else { to })
                }
                None => (number(range, index), number(range, index)),
            };
            values.extend((from..=to).step_by(step).map(|v| if index == 4 { v % 7 } else { v }));
        }
        Field { text: text.to_string(), values }
    }

    fn has(&self, field: usize, value: u32) -> bool {
        self.fields[field].values.contains(&value)
    }

    fn fits_day(&self, date: Date) -> bool {
        let month = self.has(3, date.month() as u32);
        let day_of_month = self.has(2, date.day() as u32);
        let day_of_week = self.has(4, date.weekday().to_sunday_zero_offset() as u32);
        let both_restricted = self.fields[2].text != "*" && self.fields[4].text != "*";
        month && if both_restricted { day_of_month || day_of_week } else { day_of_month && day_of_week }
    }

    /// Its firings that belong to a local day, by trying every minute of it.
    pub fn firings(&self, zone: &TimeZone, date: Date) -> BTreeSet<Instant> {
        let mut firings = BTreeSet::new();
        if !self.fits_day(date) {
            return firings;
        }
        let with_the_wall = self.fields[0].text.starts_with('*') || self.fields[1].text.starts_with('*');
        for minute in 0..1440 {
            if !self.has(0, minute % 60) || !self.has(1, minute / 60) {
                continue;
            }
            match reading(zone, clock(date, minute)) {
                Reading::Once(t) => drop(firings.insert(t)),
                Reading::Never(_) if with_the_wall => {}
                Reading::Never(after) => drop(firings.insert(after)),
                Reading::Twice(first, second) => {
                    firings.insert(first);
                    if with_the_wall {
                        firings.insert(second);
                    }
                }
            }
        }
        firings
    }
}

// ---------------------------------------------------------------- times

pub type Interval = (Instant, Instant);

fn civil(date: stagegate::syntax::tree::Date) -> Date {
    Date::new(date.year as i16, date.month as i8, date.day as i8).unwrap()
}

/// A date-time without a zone is read in `home`; `as_end` matters only when it comes twice.
pub fn instant(at: &DateTime, home: &TimeZone, as_end: bool) -> Instant {
    let wall = civil(at.date).at((at.second / 3600) as i8, (at.second / 60 % 60) as i8, (at.second % 60) as i8, 0);
    let named;
    let home = match at.zone.as_ref().map(|spec| &spec.value) {
        Some(ZoneSpec::Offset(offset)) => {
            named = TimeZone::fixed(jiff::tz::Offset::from_seconds(*offset).unwrap());
            &named
        }
        Some(ZoneSpec::Named(name)) => {
            named = zone(name);
            &named
        }
        None => home,
    };
    if as_end { end(home, wall) } else { start(home, wall) }
}

/// The instant at which a day begins.
pub fn midnight(date: stagegate::syntax::tree::Date, home: &TimeZone) -> Instant {
    start(home, clock(civil(date), 0))
}

/// An item with the zone that it is read in.
struct Placed<'a> {
    item: &'a TimesItem,
    zone: TimeZone,
}

/// A list of times, ready to be asked.
pub struct Set<'a> {
    include: Vec<Leaf<'a>>,
    except: Vec<Leaf<'a>>,
}

enum Leaf<'a> {
    Item(Placed<'a>, Option<Cron>, RefCell<HashMap<Date, Rc<Vec<Interval>>>>),
    Calendar(Box<Set<'a>>),
}

impl<'a> Set<'a> {
    /// `calendar` finds a calendar by its name, with the zone of its file.
    pub fn new(times: &'a Times, home: &TimeZone, calendar: &dyn Fn(&str) -> (&'a Times, TimeZone)) -> Set<'a> {
        let all: Vec<&TimesItem> = times.include.iter().chain(&times.except).collect();
        let mut leaves: Vec<Leaf<'a>> = Vec::new();
        for (index, item) in all.iter().enumerate() {
            // The zone written next at or after an item covers it.
            let written = all[index..].iter().find_map(|later| later.zone.as_ref());
            let zone = written.map_or_else(|| home.clone(), |name| zone(name));
            leaves.push(match &item.kind {
                TimesKind::Calendar(name) => {
                    let (times, home) = calendar(name);
                    Leaf::Calendar(Box::new(Set::new(times, &home, calendar)))
                }
                TimesKind::Cron { expr, .. } => {
                    Leaf::Item(Placed { item, zone }, Some(Cron::new(expr)), RefCell::default())
                }
                _ => Leaf::Item(Placed { item, zone }, None, RefCell::default()),
            });
        }
        let except = leaves.split_off(times.include.len());
        Set { include: leaves, except }
    }

    pub fn schedule(cron: &str, home: &TimeZone, within: Instant) -> Firings {
        Firings { cron: Cron::new(cron), zone: home.clone(), within, days: RefCell::default() }
    }

    pub fn contains(&self, t: Instant) -> bool {
        self.include.iter().any(|leaf| leaf.contains(t)) && !self.except.iter().any(|leaf| leaf.contains(t))
    }

    /// Every instant in a stretch at which it may begin or end.
    pub fn edges(&self, from: Instant, to: Instant, out: &mut BTreeSet<Instant>) {
        for leaf in self.include.iter().chain(&self.except) {
            match leaf {
                Leaf::Calendar(set) => set.edges(from, to, out),
                Leaf::Item(placed, cron, days) => {
                    for day in days_of(&placed.zone, from, to, longest(&placed.item.kind)) {
                        out.extend(intervals(placed, cron.as_ref(), days, day).iter().flat_map(|(a, b)| [*a, *b]));
                    }
                }
            }
        }
    }

    /// Whether it is made of dates alone, so that its edges are few; they are told.
    pub fn finite(&self, out: &mut BTreeSet<Instant>) -> bool {
        let mut finite = true;
        for leaf in self.include.iter().chain(&self.except) {
            match leaf {
                Leaf::Calendar(set) => finite &= set.finite(out),
                Leaf::Item(placed, ..) => match whole(placed) {
                    Some((a, b)) => out.extend([a, b]),
                    None => finite = false,
                },
            }
        }
        finite
    }
}

impl Leaf<'_> {
    fn contains(&self, t: Instant) -> bool {
        match self {
            Leaf::Calendar(set) => set.contains(t),
            Leaf::Item(placed, cron, days) => match whole(placed) {
                Some((a, b)) => a <= t && t < b,
                None => days_of(&placed.zone, t, t, longest(&placed.item.kind))
                    .any(|day| intervals(placed, cron.as_ref(), days, day).iter().any(|(a, b)| *a <= t && t < *b)),
            },
        }
    }
}

/// How many days one interval lasts at most.
fn longest(kind: &TimesKind) -> i64 {
    match kind {
        TimesKind::Cron { length, .. } => (length.seconds / 86_400) as i64 + 2,
        TimesKind::WeekSpan { .. } => 9,
        _ => 2,
    }
}

fn days_of(zone: &TimeZone, from: Instant, to: Instant, longest: i64) -> impl Iterator<Item = Date> + use<> {
    // A zone may leave out a whole day.
    let first = later(local(zone, from).date(), -longest - 1);
    let last = later(local(zone, to).date(), 1);
    std::iter::successors(Some(first), |day| Some(later(*day, 1))).take_while(move |day| *day <= last)
}

/// The one interval of an item that is written in dates.
fn whole(placed: &Placed<'_>) -> Option<Interval> {
    let home = &placed.zone;
    match &placed.item.kind {
        TimesKind::Dates { first, last } => {
            let last = last.as_ref().unwrap_or(first);
            Some((start(home, clock(civil(first.value), 0)), end(home, clock(civil(last.value), 1440))))
        }
        TimesKind::Span { start, end } => Some((instant(start, home, false), instant(end, home, true))),
        _ => None,
    }
}

fn intervals(
    placed: &Placed<'_>,
    cron: Option<&Cron>,
    days: &RefCell<HashMap<Date, Rc<Vec<Interval>>>>,
    day: Date,
) -> Rc<Vec<Interval>> {
    if let Some(known) = days.borrow().get(&day) {
        return known.clone();
    }
    let found: Vec<Interval> = begin_on(placed, cron, day).into_iter().filter(|(a, b)| a < b).collect();
    days.borrow_mut().entry(day).or_insert(Rc::new(found)).clone()
}

/// The intervals of an item that begin on a local day.
fn begin_on(placed: &Placed<'_>, cron: Option<&Cron>, day: Date) -> Vec<Interval> {
    let home = &placed.zone;
    let weekday = day.weekday().to_monday_zero_offset() as u8;
    let hours = |from: u32, to: u32| {
        let next = if to > from { day } else { later(day, 1) };
        vec![(start(home, clock(day, from)), end(home, clock(next, to)))]
    };
    match &placed.item.kind {
        TimesKind::Daily { start, end } => hours(start.0, end.0),
        TimesKind::Weekly { days: (first, last), start, end } => {
            let listed = (0..7).map(|i| (first.0 + i) % 7).take_while(|d| *d != last.0).any(|d| d == weekday);
            if listed || weekday == last.0 { hours(start.0, end.0) } else { Vec::new() }
        }
        TimesKind::WeekSpan { start: (from_day, from), end: (to_day, to) } => {
            if weekday != from_day.0 {
                return Vec::new();
            }
            let mut days = i64::from((to_day.0 + 7 - from_day.0) % 7);
            if days == 0 && to.0 <= from.0 {
                days = 7;
            }
            vec![(start(home, clock(day, from.0)), end(home, clock(later(day, days), to.0)))]
        }
        TimesKind::Yearly { first, last } => {
            let (first, last) = (first.value, last.as_ref().map_or(first.value, |last| last.value));
            let this = (day.month() as u32, day.day() as u32);
            let fits = if first <= last { first <= this && this <= last } else { first <= this || this <= last };
            if fits { vec![(start(home, clock(day, 0)), end(home, clock(day, 1440)))] } else { Vec::new() }
        }
        TimesKind::Cron { length, .. } => {
            let length = Instant::from(length.seconds) * SECOND;
            let cron = cron.expect("a cron item has its cron");
            cron.firings(home, day).into_iter().map(|t| (t, t + length)).collect()
        }
        TimesKind::Dates { .. } | TimesKind::Span { .. } | TimesKind::Calendar(_) => Vec::new(),
    }
}

/// The firings of a schedule.
pub struct Firings {
    cron: Cron,
    zone: TimeZone,
    within: Instant,
    days: RefCell<HashMap<Date, Rc<Vec<Instant>>>>,
}

impl Firings {
    fn on(&self, day: Date) -> Rc<Vec<Instant>> {
        if let Some(known) = self.days.borrow().get(&day) {
            return known.clone();
        }
        let found = Rc::new(self.cron.firings(&self.zone, day).into_iter().collect());
        self.days.borrow_mut().insert(day, Rc::clone(&found));
        found
    }

    fn days(&self, from: Instant, to: Instant) -> impl Iterator<Item = Date> + use<> {
        days_of(&self.zone, from, to, (self.within / DAY) as i64 + 2)
    }

    /// Whether a firing lies in `(t - within, t]`.
    pub fn due(&self, t: Instant) -> bool {
        self.days(t, t).any(|day| self.on(day).iter().any(|firing| t - self.within < *firing && *firing <= t))
    }

    pub fn edges(&self, from: Instant, to: Instant, out: &mut BTreeSet<Instant>) {
        for day in self.days(from, to) {
            out.extend(self.on(day).iter().flat_map(|firing| [*firing, *firing + self.within]));
        }
    }

    /// All firings in `(after, until]`.
    pub fn between(&self, after: Instant, until: Instant) -> BTreeSet<Instant> {
        let days = self.days(after, until);
        days.flat_map(|day| self.on(day).to_vec()).filter(|firing| after < *firing && *firing <= until).collect()
    }
}
