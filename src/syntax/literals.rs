//! Literals: strings, numbers, durations, dates, instants.

use super::build::{Builder, Pair};
use super::grammar::Rule;
use super::tree::{At, Date, DateTime, Duration, Literal, TimeOfDay, Weekday, Word, ZoneSpec};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::{DATE_TIME, DURATION, NUMBER, STRING};

/// 220 years of seconds: longer than the engine reckons.
const LONGEST: u64 = 220 * 366 * 86_400;

impl Builder<'_> {
    pub fn word(&self, pair: &Pair<'_>) -> Word {
        At::new(pair.as_str().to_string(), self.span(pair))
    }

    /// A name or a string.
    pub fn word_or_string(&mut self, pair: &Pair<'_>) -> Word {
        match pair.as_rule() {
            Rule::string => self.string(pair),
            _ => self.word(pair),
        }
    }

    pub fn string(&mut self, pair: &Pair<'_>) -> Word {
        let raw = pair.as_str();
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
        let start = pair.as_span().start() + 1;
        let mut text = String::with_capacity(inner.len());
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                text.push(c);
                continue;
            }
            let rest = inner.get(at + 1..).unwrap_or("");
            let (value, length) = escape(rest);
            match value {
                Some(value) => text.push(value),
                None => {
                    let span = self.span_at(start + at, start + at + 1 + length);
                    self.push(
                        Diagnostic::new(STRING, span, "this escape is not known")
                            .help("there are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\u{1F600}`"),
                    );
                }
            }
            let until = at + 1 + length;
            while chars.clone().next().is_some_and(|(next, _)| next < until) {
                chars.next();
            }
        }
        At::new(text, self.span(pair))
    }

    pub fn regex(&self, pair: &Pair<'_>) -> Word {
        let raw = pair.as_str();
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
        At::new(inner.replace("\\/", "/"), self.span(pair))
    }

    pub fn literal(&mut self, pair: Pair<'_>) -> At<Literal> {
        let span = self.span(&pair);
        let value = match pair.into_inner().next() {
            Some(inner) => match inner.as_rule() {
                Rule::string => Literal::String(self.string(&inner).value),
                Rule::datetime => Literal::DateTime(self.datetime(inner).value),
                Rule::date => Literal::Date(self.date(&inner).value),
                Rule::duration => Literal::Duration(self.duration(&inner).value),
                Rule::boolean => Literal::Bool(inner.as_str() == "true"),
                _ => self.number(&inner),
            },
            None => Literal::Bool(false),
        };
        At::new(value, span)
    }

    fn number(&mut self, pair: &Pair<'_>) -> Literal {
        let text = pair.as_str();
        let value = text.parse::<f64>().ok().filter(|v| v.is_finite());
        if value.is_none() {
            let span = self.span(pair);
            self.push(
                Diagnostic::new(NUMBER, span, "this number is too large")
                    .help("numbers are doubles, up to about 1.8e308"),
            );
        }
        Literal::Number { value: value.unwrap_or(0.0), text: text.to_string() }
    }

    /// A count of people.
    pub fn integer(&mut self, pair: &Pair<'_>) -> u32 {
        pair.as_str().parse::<u32>().ok().filter(|n| *n <= 1_000_000).unwrap_or_else(|| {
            let span = self.span(pair);
            self.push(Diagnostic::new(NUMBER, span, "this count is too large").help("a count is at most 1000000"));
            1
        })
    }

    pub fn duration(&mut self, pair: &Pair<'_>) -> At<Duration> {
        let text = pair.as_str();
        let span = self.span(pair);
        let seconds = match seconds(text) {
            Ok(seconds) => seconds,
            Err((message, help)) => {
                self.push(Diagnostic::new(DURATION, span, message).help(help));
                1
            }
        };
        At::new(Duration { seconds, text: text.to_string() }, span)
    }

    pub fn date(&mut self, pair: &Pair<'_>) -> At<Date> {
        let span = self.span(pair);
        let mut parts = pair.as_str().splitn(3, '-').map(|part| part.parse::<u32>().unwrap_or(0));
        let (year, month, day) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        let year = year as i32;
        if (1..=12).contains(&month) && (1..=month_length(year, month)).contains(&day) {
            return At::new(Date { year, month, day }, span);
        }
        let help = match (1..=12).contains(&month) {
            true => format!("month {month} of {year} has {} days", month_length(year, month)),
            false => "dates are year-month-day, such as `2026-03-04`".into(),
        };
        self.push(Diagnostic::new(DATE_TIME, span, "there is no such day").help(help));
        At::new(Date { year: 2000, month: 1, day: 1 }, span)
    }

    pub fn datetime(&mut self, pair: Pair<'_>) -> At<DateTime> {
        let span = self.span(&pair);
        let mut date = Date { year: 2000, month: 1, day: 1 };
        let mut second = 0;
        let mut zone = None;
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::day => date = self.date(&part).value,
                Rule::clock => second = self.clock(&part, false).unwrap_or(0),
                Rule::offset => zone = self.offset(&part).map(|offset| At::new(ZoneSpec::Offset(offset), at)),
                Rule::string => zone = Some(At::new(ZoneSpec::Named(self.string(&part).value), at)),
                _ => zone = Some(At::new(ZoneSpec::Named(part.as_str().to_string()), at)),
            }
        }
        At::new(DateTime { date, second, zone }, span)
    }

    fn offset(&mut self, pair: &Pair<'_>) -> Option<i32> {
        let text = pair.as_str();
        if text == "Z" {
            return Some(0);
        }
        let hours: i32 = text.get(1..3)?.parse().ok()?;
        let minutes: i32 = text.get(4..6)?.parse().ok()?;
        if hours > 18 || minutes > 59 {
            let span = self.span(pair);
            self.push(
                Diagnostic::new(DATE_TIME, span, "this offset does not exist")
                    .help("offsets are at most 18 hours: `+01:00`, `-08:00`, or `Z` for UTC"),
            );
            return None;
        }
        let seconds = hours * 3600 + minutes * 60;
        Some(if text.starts_with('-') { -seconds } else { seconds })
    }

    /// Seconds of the day. `24:00` only where an end may be.
    fn clock(&mut self, pair: &Pair<'_>, end: bool) -> Option<u32> {
        let mut parts = pair.as_str().split(':').map(|part| part.parse::<u32>().unwrap_or(99));
        let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next().unwrap_or(0));
        let whole_day = hour == 24 && minute == 0 && second == 0;
        if hour < 24 && minute < 60 && second < 60 || whole_day && end {
            return Some(hour * 3600 + minute * 60 + second);
        }
        let span = self.span(pair);
        let help = match whole_day {
            true => "`24:00` can only be an end; a day begins at `00:00`",
            false => "times of day run from `00:00` to `24:00`",
        };
        self.push(Diagnostic::new(DATE_TIME, span, "there is no such time of day").help(help));
        None
    }

    /// A time of day in whole minutes.
    pub fn time_of_day(&mut self, pair: &Pair<'_>, end: bool) -> At<TimeOfDay> {
        let span = self.span(pair);
        let seconds = self.clock(pair, end).unwrap_or(0);
        if !seconds.is_multiple_of(60) {
            self.push(
                Diagnostic::new(DATE_TIME, span, "times of day are whole minutes here").help("leave the seconds out"),
            );
        }
        At::new(TimeOfDay(seconds / 60), span)
    }

    pub fn weekday(&self, pair: &Pair<'_>) -> At<Weekday> {
        let index = Weekday::NAMES.iter().position(|name| *name == pair.as_str()).unwrap_or(0);
        At::new(Weekday(index as u8), self.span(pair))
    }
}

/// The character that an escape stands for, and its length after the backslash.
fn escape(rest: &str) -> (Option<char>, usize) {
    match rest.chars().next() {
        Some('"') => (Some('"'), 1),
        Some('\\') => (Some('\\'), 1),
        Some('n') => (Some('\n'), 1),
        Some('t') => (Some('\t'), 1),
        Some('u') => match rest.strip_prefix("u{").and_then(|hex| hex.split_once('}')) {
            Some((hex, _)) => {
                let digits = (1..=6).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
                let value = u32::from_str_radix(hex, 16).ok().filter(|_| digits).and_then(char::from_u32);
                (value, hex.len() + 3)
            }
            None => (None, 1),
        },
        Some(other) => (None, other.len_utf8()),
        None => (None, 0),
    }
}

fn seconds(text: &str) -> Result<u64, (String, String)> {
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at_checked(digits).unwrap_or((rest, ""));
        let unit: u64 = match tail.as_bytes().first() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => 86_400,
            _ => 604_800,
        };
        if unit >= last {
            return Err((
                "the units of this duration are not in order".into(),
                "write each unit once, the longest first: `1w2d3h4m5s`".into(),
            ));
        }
        last = unit;
        let number: u64 = number.parse().unwrap_or(u64::MAX);
        total = total.saturating_add(number.saturating_mul(unit));
        rest = tail.get(1..).unwrap_or("");
    }
    match total {
        0 => Err(("this duration is zero".into(), "a duration is at least `1s`; leave the clause out for none".into())),
        total if total > LONGEST => Err((
            "this duration is longer than 220 years".into(),
            "the engine reckons with the years 1970 to 2200".into(),
        )),
        total => Ok(total),
    }
}

pub(super) fn month_length(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if chrono::NaiveDate::from_ymd_opt(year, 2, 29).is_some() => 29,
        2 => 28,
        _ => 31,
    }
}
