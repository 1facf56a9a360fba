//! Sets of instants: cron, zones, windows, calendars.

/// A zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone(chrono_tz::Tz);
/// A cron expression.
#[derive(Clone, Debug)]
pub struct Cron;
/// A set of instants.
#[derive(Clone, Debug)]
pub struct TimeSet;
