//! Sets of instants: cron, zones, windows, calendars.

/// A zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone(chrono_tz::Tz);
impl Zone {
    pub fn tz(&self) -> chrono_tz::Tz {
        self.0
    }
}
/// A cron expression.
#[derive(Clone, Debug)]
pub struct Cron;
impl Cron {
    pub fn next_after(&self, _: Zone, _: i64) -> Option<i64> {
        None
    }
}
/// A set of instants.
#[derive(Clone, Debug)]
pub struct TimeSet;
pub enum NextEdge {
    At(i64),
    Never,
    SearchedTo(i64),
}
impl TimeSet {
    pub fn contains(&self, _: i64) -> bool {
        false
    }
    pub fn next_edge(&self, _: i64, _: &mut u64) -> NextEdge {
        NextEdge::Never
    }
    pub fn recurs(&self) -> bool {
        false
    }
}
