//! Instants of a request: RFC 3339 with a zone, in the years 1970 to 2200.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};

use super::error::{ProblemKind, RequestProblem};
use crate::plain::quote;
use crate::schedule::civil;

/// The first second that is too late: 2201-01-01T00:00:00Z.
const END: i64 = 7_289_654_400;

/// Why a text is no instant.
pub(crate) enum BadTime {
    /// Without a zone one cannot know which instant is meant.
    NoZone,
    /// A day is not an instant.
    OnlyDate,
    /// Before 1970 or after 2200.
    OutOfRange,
    /// Anything else.
    NotRfc3339,
}

/// Reads an instant. A leap second is the second after it.
pub(crate) fn parse(text: &str) -> Result<DateTime<Utc>, BadTime> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Some(utc(time)).filter(|t| in_range(*t)).ok_or(BadTime::OutOfRange),
        Err(_) if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() => Err(BadTime::OnlyDate),
        Err(_) => {
            let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
            match local.iter().any(|format| NaiveDateTime::parse_from_str(text, format).is_ok()) {
                true => Err(BadTime::NoZone),
                false => Err(BadTime::NotRfc3339),
            }
        }
    }
}

/// Reads an instant, in nanoseconds since the epoch; what most tools write (`2026-03-04T18:00:00Z`) fast.
pub(crate) fn quick(text: &str) -> Option<i64> {
    const SECOND: i64 = 1_000_000_000;
    let parsed = || {
        let time = parse(text).ok()?;
        time.timestamp_nanos_opt()
    };
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2, b'Z'] = text.as_bytes()
    else {
        return parsed();
    };
    let mut digits = true;
    let mut number = |tens: u8, ones: u8| {
        digits &= tens.is_ascii_digit() && ones.is_ascii_digit();
        u32::from(tens.wrapping_sub(b'0')) * 10 + u32::from(ones.wrapping_sub(b'0'))
    };
    let year = i64::from(number(y1, y2)) * 100 + i64::from(number(y3, y4));
    let (month, day) = (number(m1, m2), number(d1, d2));
    let (hour, minute, second) = (number(h1, h2), number(i1, i2), number(s1, s2));
    let whole = digits
        && (1970..=2200).contains(&year)
        && (1..=12).contains(&month)
        && (1..=civil::month_length(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !whole {
        return parsed();
    }
    let days = civil::days(year, month, i64::from(day));
    Some((days * civil::DAY + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second)) * SECOND)
}

/// What to tell who wrote it.
pub(crate) fn problem(path: String, text: &str, bad: BadTime) -> RequestProblem {
    let got = quote(text);
    let expected = "a time such as `2026-03-04T18:00:00Z`";
    let mut problem = match bad {
        BadTime::NoZone => RequestProblem::new(ProblemKind::Time, path, format!("{got} has no time zone"))
            .help("write `…Z` or an offset such as `+01:00`"),
        BadTime::OnlyDate => RequestProblem::new(ProblemKind::Time, path, format!("{got} is a day, not an instant"))
            .help("write a time and its zone too, such as `2026-03-04T18:00:00Z`"),
        BadTime::OutOfRange => out_of_range(path, &got),
        BadTime::NotRfc3339 => return RequestProblem::expected(ProblemKind::Time, path, expected, got),
    };
    problem.expected.get_or_insert_with(|| expected.to_string());
    problem.got = Some(got);
    problem
}

/// An instant outside the years 1970 to 2200.
pub(crate) fn out_of_range(path: impl Into<String>, got: &str) -> RequestProblem {
    RequestProblem::new(ProblemKind::OutOfRange, path, format!("{got} lies outside the years 1970 to 2200"))
}

/// Whether the engine reckons with that instant.
pub(crate) fn in_range(time: DateTime<Utc>) -> bool {
    (0..END).contains(&time.timestamp())
}

/// An instant in nanoseconds since the epoch, if the engine reckons with it.
#[inline]
pub(crate) fn nanos_in_range(time: DateTime<Utc>) -> Option<i64> {
    const SECOND: i64 = 1_000_000_000;
    // In a leap second chrono counts on, past a whole second: here that is the next one, as in `utc`.
    let nanos = time.timestamp().checked_mul(SECOND)?.checked_add(i64::from(time.timestamp_subsec_nanos()))?;
    (0..END * SECOND).contains(&nanos).then_some(nanos)
}

/// The instant in UTC. chrono keeps a leap second as a second of two; here it is the first second of the next minute.
pub(crate) fn utc<Z: TimeZone>(time: DateTime<Z>) -> DateTime<Utc> {
    const SECOND: u32 = 1_000_000_000;
    let time = time.to_utc();
    match time.timestamp_subsec_nanos().checked_sub(SECOND) {
        None => time,
        Some(nanos) => DateTime::from_timestamp(time.timestamp().saturating_add(1), nanos).unwrap_or(time),
    }
}

/// As it is written in JSON: RFC 3339 in UTC with `Z`, a fraction only where there is one.
pub(crate) fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
