//! Instants of a request: RFC 3339 with a zone, in the years 1970 to 2200.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};

use serde::ser::Error as _;
use serde::{Serialize, Serializer};

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
    if let Some(nanos) = text.as_bytes().try_into().ok().and_then(common) {
        return Ok(DateTime::from_timestamp_nanos(nanos));
    }
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
#[inline]
pub(crate) fn quick(text: &str) -> Option<i64> {
    match text.as_bytes().try_into().ok().and_then(common) {
        Some(nanos) => Some(nanos),
        None => parse(text).ok()?.timestamp_nanos_opt(),
    }
}

/// The nanoseconds since the epoch of `2026-03-04T18:00:00Z`; `None` if it is written in another way or not at all.
pub(crate) fn common(text: &[u8; 20]) -> Option<i64> {
    /// Digits become numbers, and what stands between them 0.
    const DAY: u64 = u64::from_le_bytes(*b"0000-00-");
    const MINUTE: u64 = u64::from_le_bytes(*b"00T00:00");
    const SECOND: u32 = u32::from_le_bytes(*b":00Z");
    /// How many days have passed before each month of a common year.
    const BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let (first, rest) = text.split_first_chunk::<8>()?;
    let (second, third) = rest.split_first_chunk::<8>()?;
    let day = u64::from_le_bytes(*first) ^ DAY;
    let minute = u64::from_le_bytes(*second) ^ MINUTE;
    let second = u64::from(u32::from_le_bytes(*third.first_chunk::<4>()?) ^ SECOND);
    // Above 9, or where there is no digit above 0.
    let wrong = |word: u64| (word | word.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080;
    let between = day & 0xff00_00ff_0000_0000 | minute & 0x0000_ff00_00ff_0000 | second & 0xff00_00ff;
    if wrong(day) | wrong(minute) | wrong(second) | between != 0 {
        return None;
    }
    // Two digits become one number, where the first of them stood.
    let pairs = |word: u64| word * 10 + (word >> 8);
    let (day, minute, second) = (pairs(day), pairs(minute), pairs(second));
    let at = |word: u64, byte: u32| (word >> (8 * byte) & 0xff) as i64;
    let year = at(day, 0) * 100 + at(day, 2);
    let (month, of_month) = (at(day, 5), at(minute, 0));
    let (hours, minutes, seconds) = (at(minute, 3), at(minute, 6), at(second, 1));
    if !(1970..=2200).contains(&year) || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let leap = year % 4 == 0 && year != 2100 && year != 2200;
    let before = *BEFORE.get(usize::try_from(month - 1).ok()?)?;
    let length = BEFORE.get(month as usize)? - before + i64::from(leap && month == 2);
    if of_month < 1 || of_month > length {
        return None;
    }
    let leap_days = (year - 1969) / 4 - i64::from(year > 2100) + i64::from(leap && month > 2);
    let days = (year - 1970) * 365 + leap_days + before + of_month - 1;
    Some((days * civil::DAY + hours * 3_600 + minutes * 60 + seconds) * 1_000_000_000)
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
    let seconds = time.timestamp();
    if !(-1..END).contains(&seconds) {
        return None;
    }
    let nanos = seconds * SECOND + i64::from(time.timestamp_subsec_nanos());
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

/// Writes it so; an instant in whole seconds fast.
pub(crate) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    let whole = if time.timestamp_subsec_nanos() == 0 { whole(time.timestamp()) } else { None };
    match whole {
        Some(text) => serializer.serialize_str(std::str::from_utf8(&text).map_err(S::Error::custom)?),
        None => time.serialize(serializer),
    }
}

/// Writes an instant of so many nanoseconds since the epoch to the end of a text.
pub(crate) fn push(nanos: i64, out: &mut String) {
    const SECOND: i64 = 1_000_000_000;
    let whole = if nanos % SECOND == 0 { whole(nanos / SECOND) } else { None };
    match whole.as_ref().and_then(|whole| std::str::from_utf8(whole).ok()) {
        Some(whole) => out.push_str(whole),
        None => out.push_str(&text(DateTime::from_timestamp_nanos(nanos))),
    }
}

/// So many seconds since the epoch, in the years 1000 to 9999.
fn whole(second: i64) -> Option<[u8; 20]> {
    let (days, of_day) = (second.div_euclid(civil::DAY), second.rem_euclid(civil::DAY));
    let (year, month, day) = civil::date(days);
    if !(1000..=9999).contains(&year) {
        return None;
    }
    let mut text = *b"0000-00-00T00:00:00Z";
    let mut two = |at: usize, number: i64| {
        if let Some(digits) = text.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<2>()) {
            *digits = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        }
    };
    two(0, year / 100);
    two(2, year % 100);
    two(5, i64::from(month));
    two(8, i64::from(day));
    two(11, of_day / 3_600);
    two(14, of_day / 60 % 60);
    two(17, of_day % 60);
    Some(text)
}

/// The same where there may be none.
pub(crate) fn serialize_maybe<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    /// Written so.
    struct Whole<'t>(&'t DateTime<Utc>);
    impl Serialize for Whole<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serialize(self.0, serializer)
        }
    }
    time.as_ref().map(Whole).serialize(serializer)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Serialize)]
    struct One {
        #[serde(serialize_with = "serialize_maybe")]
        at: Option<DateTime<Utc>>,
    }

    #[test]
    fn every_day_is_read_as_chrono_reads_it() {
        for day in -800..END / 86_400 + 800 {
            let at = DateTime::from_timestamp(day * 86_400 + 86_399, 0).unwrap();
            let text = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            assert_eq!(quick(&text), in_range(at).then(|| at.timestamp_nanos_opt().unwrap()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_fast_is_what_is_read(
            text in "(19|20|21|22)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?Z",
            place in 0usize..20,
            other in any::<char>(),
            change in 0u32..3,
        ) {
            let mut text = text;
            if change == 0 {
                text.replace_range(place..=place, &other.to_string());
            }
            let slow = DateTime::parse_from_rfc3339(&text).ok().map(utc).filter(|t| in_range(*t));
            prop_assert_eq!(quick(&text), slow.and_then(|t| t.timestamp_nanos_opt()), "{}", text);
        }

        #[test]
        fn it_is_written_as_chrono_writes_it(seconds in -62_000_000_000i64..400_000_000_000, nanos in 0u32..3) {
            let at = DateTime::from_timestamp(seconds, if nanos == 1 { 500 } else { 0 });
            let fast = serde_json::to_value(One { at }).unwrap();
            prop_assert_eq!(fast, serde_json::json!({ "at": at }));
            let Some(nanos) = at.and_then(|at| at.timestamp_nanos_opt()) else { return Ok(()) };
            let mut pushed = String::new();
            push(nanos, &mut pushed);
            prop_assert_eq!(serde_json::json!(pushed), serde_json::json!(at));
        }

        #[test]
        fn instants_in_nanoseconds_are_those_in_utc(seconds in -10i64..END + 10, nanos in 0u32..2_000_000_000) {
            let Some(time) = DateTime::from_timestamp(seconds, nanos) else { return Ok(()) };
            let slow = Some(utc(time)).filter(|t| in_range(*t)).and_then(|t| t.timestamp_nanos_opt());
            prop_assert_eq!(nanos_in_range(time), slow);
        }
    }
}
