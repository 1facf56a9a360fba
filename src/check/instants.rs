//! Dates and date-times as instants.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta};

use super::names::{self, Sink};
use crate::diagnostic::codes::{DATE_TIME, RANGE};
use crate::diagnostic::{Diagnostic, Span};
use crate::facts::time::in_range;
use crate::schedule::{self, Edge, Zone};
use crate::syntax::tree::{self, ZoneSpec};

/// The instant of a date-time, in seconds. One that the clock of its zone skips is an error; of one that comes twice the
/// first is meant. `zone` is for those that name none.
pub(crate) fn point(sink: &mut Sink, written: &tree::DateTime, span: Span, zone: Zone) -> Option<i64> {
    let (zone, offset) = zone_of(sink, written, zone)?;
    if let Some(offset) = offset {
        return fixed(sink, written, span, offset);
    }
    let local = local_time(sink, written, span)?;
    let at = ranged(sink, schedule::local(zone, local.date(), written.second, Edge::Start), span)?;
    // Of a time in a gap the instant is the gap's end, at which the clock shows another time.
    let shown = zone.at(DateTime::from_timestamp(at, 0)?);
    if shown.naive_local() == local {
        return Some(at);
    }
    sink.push(
        Diagnostic::new(DATE_TIME, span, format!("this local time does not exist in {}", zone.tz().name()))
            .label("the clock skips it")
            .help(format!(
                "the clock goes forward there, to {}; write a time outside of the gap, or one with an offset such as `Z`",
                shown.format("%Y-%m-%d %H:%M")
            )),
    );
    None
}

/// The instant of an edge of a span, in seconds: one in a gap moves to the gap's end, and of one that comes twice the
/// first begins and the second ends.
pub(crate) fn edge(sink: &mut Sink, written: &tree::DateTime, span: Span, zone: Zone, edge: Edge) -> Option<i64> {
    let (zone, offset) = zone_of(sink, written, zone)?;
    if let Some(offset) = offset {
        return fixed(sink, written, span, offset);
    }
    let local = local_time(sink, written, span)?;
    ranged(sink, schedule::local(zone, local.date(), written.second, edge), span)
}

/// The instant at which a day begins, in seconds.
pub(crate) fn day(sink: &mut Sink, date: tree::Date, span: Span, zone: Zone) -> Option<i64> {
    let date = calendar_day(sink, date, span)?;
    ranged(sink, schedule::local(zone, date, 0, Edge::Start), span)
}

/// A day of the years 1970 to 2200.
pub(crate) fn calendar_day(sink: &mut Sink, date: tree::Date, span: Span) -> Option<NaiveDate> {
    if !(1970..=2200).contains(&date.year) {
        out_of_range(sink, span);
        return None;
    }
    NaiveDate::from_ymd_opt(date.year, date.month, date.day)
}

fn local_time(sink: &mut Sink, written: &tree::DateTime, span: Span) -> Option<NaiveDateTime> {
    // A day on either side: whether the instant is in range is seen when its zone has been reckoned with.
    let years = 1969..=2201;
    let date = NaiveDate::from_ymd_opt(written.date.year, written.date.month, written.date.day);
    let Some(date) = date.filter(|_| years.contains(&written.date.year)) else {
        out_of_range(sink, span);
        return None;
    };
    date.and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::seconds(i64::from(written.second)))
}

fn fixed(sink: &mut Sink, written: &tree::DateTime, span: Span, offset: i32) -> Option<i64> {
    let local = local_time(sink, written, span)?;
    ranged(sink, local.and_utc().timestamp().saturating_sub(i64::from(offset)), span)
}

fn ranged(sink: &mut Sink, at: i64, span: Span) -> Option<i64> {
    let ok = DateTime::from_timestamp(at, 0).is_some_and(in_range);
    if !ok {
        out_of_range(sink, span);
    }
    ok.then_some(at)
}

fn out_of_range(sink: &mut Sink, span: Span) {
    sink.push(
        Diagnostic::new(RANGE, span, "this lies outside the years 1970 to 2200")
            .help("the engine reckons with instants of the years 1970 to 2200 (UTC)"),
    );
}

/// The zone that a date-time is read in, or its offset in seconds east of UTC.
fn zone_of(sink: &mut Sink, written: &tree::DateTime, zone: Zone) -> Option<(Zone, Option<i32>)> {
    Some(match &written.zone {
        None => (zone, None),
        Some(at) => match &at.value {
            ZoneSpec::Offset(offset) => (Zone::UTC, Some(*offset)),
            ZoneSpec::Named(name) => (names::zone(sink, &tree::At::new(name.clone(), at.span))?, None),
        },
    })
}
