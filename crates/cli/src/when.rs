//! Times on the command line, and times as they are printed.

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeDelta, Timelike, Utc,
};
use chrono_tz::Tz;
use stagegate::Policy;
use stagegate::schedule::Zone;

use crate::failure::{Failure, Kind};
use crate::output::plain;

/// The engine reckons with the years 1970 to 2200.
const END: i64 = 7_289_654_400;

/// The zone that a policy prints its times in.
pub fn zone(policy: &Policy) -> Zone {
    Zone::parse(policy.zone().name()).unwrap_or(Zone::UTC)
}

/// The present, to the millisecond. Only the command line looks at the clock; the library never does.
pub fn now() -> DateTime<Utc> {
    let now = Utc::now();
    DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
}

/// Reads a time: RFC 3339, a local time in the zone, a day (when it begins there), or `now`.
pub fn parse(option: &str, text: &str, zone: Zone) -> Result<DateTime<Utc>, Failure> {
    let text = text.trim();
    let failure = |message: String| Failure::new(Kind::Time, format!("{option}: {message}"));
    let shown = format!("`{}`", plain(text));
    let time = if text == "now" {
        now()
    } else if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        time.to_utc()
    } else if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M %:z") {
        time.to_utc()
    } else if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        in_years(day).map_err(&failure)?;
        first_of(day.and_time(NaiveTime::MIN), zone).ok_or_else(|| failure(format!("{shown} has no beginning")))?
    } else {
        let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
        let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        let Some(local) = local else {
            return Err(failure(format!("{shown} is no time"))
                .help("write `2026-03-04T10:00:00Z`, `2026-03-04 10:00` or `2026-03-04`"));
        };
        in_years(local.date()).map_err(&failure)?;
        let name = zone.tz().name();
        match instants(local, zone).as_slice() {
            [one] => *one,
            [first, .., last] => {
                return Err(failure(format!("{shown} comes twice in {name}: the clocks go back")).help(format!(
                    "write `{}` or `{}`",
                    rfc3339(*first, zone),
                    rfc3339(*last, zone)
                )));
            }
            [] => {
                let failure = failure(format!("{shown} does not exist in {name}: the clocks go forward"));
                return Err(match first_of(local, zone) {
                    Some(after) => failure.help(format!("the first time after is `{}`", rfc3339(after, zone))),
                    None => failure,
                });
            }
        }
    };
    if !(0..END).contains(&time.timestamp()) {
        return Err(failure(OUTSIDE.to_string()));
    }
    // A leap second is the second before it here.
    let nanos = time.timestamp_subsec_nanos().min(999_999_999);
    Ok(DateTime::from_timestamp(time.timestamp(), nanos).unwrap_or(time))
}

const OUTSIDE: &str = "it lies outside the years 1970 to 2200";

/// Far from those years chrono's local times leave its calendar.
fn in_years(day: NaiveDate) -> Result<(), String> {
    if (1969..=2201).contains(&day.year()) { Ok(()) } else { Err(OUTSIDE.to_string()) }
}

/// An instant as the clock on the wall shows it.
fn local(at: DateTime<Utc>, zone: Zone) -> DateTime<Tz> {
    zone.at(at)
}

/// The instants at which the clock shows a local time: none in a gap, two where it is turned back.
fn instants(wanted: NaiveDateTime, zone: Zone) -> Vec<DateTime<Utc>> {
    // The offsets in force a day before and a day after are all that come into question.
    let offset = |days| {
        let near = wanted.and_utc().checked_add_signed(TimeDelta::days(days))?;
        Some(TimeDelta::seconds(i64::from(local(near, zone).offset().fix().local_minus_utc())))
    };
    let mut found: Vec<DateTime<Utc>> = [-1, 0, 1]
        .into_iter()
        .filter_map(|days| wanted.and_utc().checked_sub_signed(offset(days)?))
        .filter(|at| local(*at, zone).naive_local() == wanted)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The first instant at or after a local time; gaps are at most a day long.
fn first_of(from: NaiveDateTime, zone: Zone) -> Option<DateTime<Utc>> {
    (0..=48 * 4).find_map(|quarters| {
        let at = from.checked_add_signed(TimeDelta::minutes(15 * quarters))?;
        instants(at, zone).first().copied()
    })
}

/// `2026-03-04T10:00:00-08:00`
pub fn rfc3339(at: DateTime<Utc>, zone: Zone) -> String {
    let local = local(at, zone);
    // An offset with seconds (Monrovia until 1972) cannot be written.
    if local.offset().fix().local_minus_utc() % 60 != 0 {
        return at.to_rfc3339_opts(SecondsFormat::AutoSi, false);
    }
    local.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// `Wed 2026-03-04 10:00 -08:00`; seconds only where there are some.
pub fn person(at: DateTime<Utc>, zone: Zone) -> String {
    let local = local(at, zone);
    let clock = match (local.second(), local.nanosecond()) {
        (0, 0) => "%H:%M",
        (_, 0) => "%H:%M:%S",
        _ => "%H:%M:%S%.f",
    };
    local.format(&format!("%a %Y-%m-%d {clock} %:z")).to_string()
}

/// `2h 30m`: the two largest units of a length of time.
pub fn length(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let units = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let first = units.iter().position(|(n, _)| *n > 0).unwrap_or(3);
    let words = units.iter().skip(first).take(2).enumerate().filter(|(i, (n, _))| *i == 0 || *n > 0);
    words.map(|(_, (n, unit))| format!("{n}{unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn local_times_are_in_the_zone_and_offsets_are_heeded() {
        let zone = zone("America/Los_Angeles");
        for text in ["2026-03-04 10:00", "2026-03-04T10:00", "2026-03-04 10:00:00", "2026-03-04T18:00:00Z"] {
            assert_eq!(parse("--after", text, zone).unwrap(), utc("2026-03-04T18:00:00Z"), "{text}");
        }
        assert_eq!(parse("--after", "2026-03-04 10:00 +01:00", zone).unwrap(), utc("2026-03-04T09:00:00Z"));
        assert_eq!(parse("--after", "2026-03-04", zone).unwrap(), utc("2026-03-04T08:00:00Z"));
    }

    #[test]
    fn times_that_the_clock_skips_or_repeats_are_refused() {
        let zone = zone("America/Los_Angeles");
        let told = |text| parse("--at", text, zone).unwrap_err().text(false);
        assert_eq!(
            told("2026-03-08 02:30"),
            "error: --at: `2026-03-08 02:30` does not exist in America/Los_Angeles: the clocks go forward\n\
             help: the first time after is `2026-03-08T03:00:00-07:00`\n"
        );
        assert_eq!(
            told("2026-11-01 01:30"),
            "error: --at: `2026-11-01 01:30` comes twice in America/Los_Angeles: the clocks go back\n\
             help: write `2026-11-01T01:30:00-07:00` or `2026-11-01T01:30:00-08:00`\n"
        );
        assert!(told("tomorrow").contains("is no time"));
        for far in ["2201-01-01", "1969-12-31T23:59:59Z", "+262142-12-31", "+262142-12-31 23:59", "26-03-04"] {
            assert!(told(far).contains("outside the years"), "{far}");
        }
    }

    #[test]
    fn a_day_begins_after_the_gap_when_midnight_is_in_it() {
        // Brazil's clocks went forward at midnight.
        assert_eq!(parse("--at", "2018-11-04", zone("America/Sao_Paulo")).unwrap(), utc("2018-11-04T03:00:00Z"));
    }

    #[test]
    fn offsets_are_written_and_seconds_are_left_out() {
        assert_eq!(rfc3339(utc("2026-03-04T18:00:00Z"), Zone::UTC), "2026-03-04T18:00:00+00:00");
        assert_eq!(rfc3339(utc("1970-01-01T01:00:00Z"), zone("Africa/Monrovia")), "1970-01-01T01:00:00+00:00");
        assert_eq!(person(utc("2026-03-04T18:00:00Z"), zone("America/Los_Angeles")), "Wed 2026-03-04 10:00 -08:00");
        assert_eq!(length(9_000), "2h 30m");
        assert_eq!(length(0), "0s");
    }
}
