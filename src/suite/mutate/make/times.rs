//! Wrong versions of windows, freezes, calendars and schedules.

use super::super::edits::find_word;
use super::Maker;
use crate::diagnostic::Span;
use crate::syntax::tree::{At, Date, DateTime, TimeOfDay, Times, TimesItem, TimesKind, Weekday, Word};

const HOUR: i64 = 60;

impl Maker<'_> {
    pub(super) fn times(&mut self, times: &Times) {
        for item in times.include.iter().chain(&times.except) {
            self.item(item);
        }
        if times.include.len() > 1 {
            let spans: Vec<Span> = times.include.iter().map(item_span).collect();
            self.drop_each(&spans, "times were taken out");
        }
        match times.except.as_slice() {
            [] => {}
            [only] => {
                let (from, to) = (times.span.start as usize, only.span.start as usize);
                if let Some(at) = find_word(self.text, from, to, "except", true) {
                    self.remove("`except` was taken out", at, only.span.end as usize);
                }
            }
            several => {
                let spans: Vec<Span> = several.iter().map(item_span).collect();
                self.drop_each(&spans, "an exception was taken out");
            }
        }
    }

    fn item(&mut self, item: &TimesItem) {
        if let Some(zone) = &item.zone {
            self.zone(zone);
        }
        match &item.kind {
            TimesKind::Weekly { days, start, end } => {
                self.clock(start);
                self.clock(end);
                self.last_day(days);
            }
            TimesKind::Daily { start, end } => {
                self.clock(start);
                self.clock(end);
            }
            TimesKind::WeekSpan { start, end } => {
                self.clock(&start.1);
                self.clock(&end.1);
            }
            TimesKind::Dates { first, last } => {
                self.day(first, -1);
                self.day(last.as_ref().unwrap_or(first), 1);
                if last.is_some() {
                    self.day(first, 1);
                }
            }
            TimesKind::Span { start, end } => {
                for at in [start, end] {
                    self.instant(at, 60 * HOUR);
                    self.instant(at, -60 * HOUR);
                }
            }
            TimesKind::Yearly { first, last } => {
                self.month_day(first, -1);
                if let Some(last) = last {
                    self.month_day(last, 1);
                }
            }
            TimesKind::Cron { expr, length } => {
                self.cron(expr);
                self.length(length);
            }
            TimesKind::Calendar(_) => {}
        }
    }

    /// A time of day, an hour later and an hour earlier.
    fn clock(&mut self, at: &At<TimeOfDay>) {
        for by in [HOUR, -HOUR] {
            let minutes = i64::from(at.value.0) + by;
            if (0..=1440).contains(&minutes) {
                self.replace(at.span, &format!("{:02}:{:02}", minutes / 60, minutes % 60));
            }
        }
    }

    /// `mon..fri` becomes `mon..sat`.
    fn last_day(&mut self, days: &(At<Weekday>, At<Weekday>)) {
        let (first, last) = (days.0.value.0, days.1.value.0);
        let next = (last + 1) % 7;
        let Some(name) = Weekday::NAMES.get(next as usize) else { return };
        if next == first {
            return;
        }
        match days.0.span == days.1.span {
            true => self.insert("a window is a day longer", days.1.span.end as usize, &format!("..{name}")),
            false => self.replace(days.1.span, name),
        }
    }

    fn day(&mut self, at: &At<Date>, by: i64) {
        let date = chrono::NaiveDate::from_ymd_opt(at.value.year, at.value.month, at.value.day);
        let other = date.and_then(|date| date.checked_add_signed(chrono::TimeDelta::days(by)));
        let Some(other) = other else { return };
        let other = other.format("%Y-%m-%d").to_string();
        // One day alone becomes two.
        if by > 0 && self.of(at.span).len() == 10 && !self.has_range(at.span) {
            return self.insert("a day longer", at.span.end as usize, &format!(" .. {other}"));
        }
        if by < 0 && !self.has_range(at.span) {
            return self.insert("a day longer", at.span.start as usize, &format!("{other} .. "));
        }
        self.replace(at.span, &other);
    }

    /// Whether `..` stands on either side.
    fn has_range(&self, span: Span) -> bool {
        let before = self.text.get(..span.start as usize).unwrap_or("").trim_end();
        let after = self.text.get(span.end as usize..).unwrap_or("").trim_start();
        before.ends_with("..") || after.starts_with("..")
    }

    fn instant(&mut self, at: &At<DateTime>, by: i64) {
        let DateTime { date, second, zone } = &at.value;
        let day = chrono::NaiveDate::from_ymd_opt(date.year, date.month, date.day);
        let moved = day.and_then(|day| {
            day.and_time(chrono::NaiveTime::MIN).checked_add_signed(chrono::TimeDelta::seconds(i64::from(*second) + by))
        });
        let Some(moved) = moved else { return };
        let mut text = moved.format("%Y-%m-%d %H:%M:%S").to_string();
        if let Some(stripped) = text.strip_suffix(":00") {
            text = stripped.to_string();
        }
        if let Some(zone) = zone {
            text.push(' ');
            text.push_str(self.of(zone.span));
        }
        self.replace(at.span, &text);
    }

    fn month_day(&mut self, at: &At<(u32, u32)>, by: i64) {
        const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let (month, day) = at.value;
        let other = i64::from(day) + by;
        let name = MONTHS.get((month as usize).wrapping_sub(1));
        if let (Some(name), 1..=28) = (name, other) {
            self.replace(at.span, &format!("{name} {other}"));
        }
    }

    /// The hour of a cron expression, or its minute, moves on by one; a named one becomes another.
    pub(super) fn cron(&mut self, expr: &Word) {
        let named = match expr.value.trim() {
            "@hourly" => Some("@daily"),
            "@daily" | "@midnight" => Some("@weekly"),
            "@weekly" | "@monthly" | "@yearly" | "@annually" => Some("@daily"),
            _ => None,
        };
        if let Some(other) = named {
            return self.replace(expr.span, &format!("\"{other}\""));
        }
        let fields: Vec<&str> = expr.value.split_whitespace().collect();
        for (index, limit) in [(1, 24), (0, 60)] {
            let Some(number) = fields.get(index).and_then(|field| field.parse::<u32>().ok()) else { continue };
            let mut other: Vec<String> = fields.iter().map(|field| field.to_string()).collect();
            if let Some(field) = other.get_mut(index) {
                *field = ((number + 1) % limit).to_string();
            }
            return self.replace(expr.span, &format!("\"{}\"", other.join(" ")));
        }
        // Neither is a plain number: at every hour instead.
        let mut other: Vec<&str> = fields;
        match other.get_mut(1) {
            Some(field) if *field != "*" => *field = "*",
            _ => match other.get_mut(0) {
                Some(field) => *field = "7",
                None => return,
            },
        }
        self.replace(expr.span, &format!("\"{}\"", other.join(" ")));
    }
}

/// An item with its zone.
fn item_span(item: &TimesItem) -> Span {
    item.zone.as_ref().map_or(item.span, |zone| item.span.to(zone.span))
}
