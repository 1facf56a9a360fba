//! The parts of a set of instants, each in one zone.

use super::days::Yearly;
use super::lasting::Lasting;
use super::set::NextEdge;
use super::weekly::Weekly;
use super::zone::{END, Table};

/// One part.
#[derive(Clone, Debug)]
pub(super) enum Leaf {
    /// Every instant.
    Always,
    Weekly(Weekly, &'static Table),
    Yearly(Yearly, &'static Table),
    /// From one instant to another, half open: sorted, apart from one another.
    Spans(Vec<(i64, i64)>),
    Lasting(Box<Lasting>),
}

impl Leaf {
    pub fn is_always(&self) -> bool {
        matches!(self, Leaf::Always)
    }

    pub fn contains(&self, t: i64) -> bool {
        match self {
            Leaf::Always => true,
            Leaf::Weekly(runs, table) => contains(runs, table, t),
            Leaf::Yearly(runs, table) => contains(runs, table, t),
            Leaf::Spans(spans) => before(spans, t).is_some_and(|(_, end)| t < end),
            Leaf::Lasting(lasting) => lasting.contains(t),
        }
    }

    /// The first instant after `t` at which it is inside when it was outside, or the other way round.
    pub fn next_edge(&self, t: i64, fuel: &mut u64) -> NextEdge {
        let t = t.max(-1);
        if t >= END - 1 {
            return NextEdge::Never;
        }
        let edge = match self {
            Leaf::Always => NextEdge::Never,
            Leaf::Weekly(runs, table) => next_edge(runs, table, t, fuel),
            Leaf::Yearly(runs, table) => next_edge(runs, table, t, fuel),
            Leaf::Spans(spans) => match before(spans, t) {
                Some((_, end)) if t < end => NextEdge::At(end),
                _ => {
                    let next = spans.get(spans.partition_point(|(start, _)| *start <= t));
                    next.map_or(NextEdge::Never, |(start, _)| NextEdge::At(*start))
                }
            },
            Leaf::Lasting(lasting) => lasting.next_edge(t, fuel),
        };
        match edge {
            NextEdge::At(at) if at >= END => NextEdge::Never,
            edge => edge,
        }
    }
}

/// The last span that begins at an instant or before it.
fn before(spans: &[(i64, i64)], t: i64) -> Option<(i64, i64)> {
    let index = spans.partition_point(|(start, _)| *start <= t).checked_sub(1)?;
    spans.get(index).copied()
}

/// Intervals of local time in seconds, half open, in order, none over another.
pub(super) trait LocalRuns {
    /// The last one that begins at a local time or before it.
    fn last_from(&self, local: i64) -> Option<(i64, i64)>;
    /// The first one that begins after a local time.
    fn next_from(&self, local: i64) -> Option<(i64, i64)>;
}

fn contains(runs: &impl LocalRuns, table: &Table, t: i64) -> bool {
    let (_, period) = table.at(t);
    let (low, high) = table.shown(t, &period);
    runs.last_from(high).is_some_and(|(_, end)| end > low)
}

/// As [`Leaf::next_edge`]. An interval that a gap swallows, and a space between two that a change of the clock closes,
/// are stepped over.
fn next_edge(runs: &impl LocalRuns, table: &Table, t: i64, fuel: &mut u64) -> NextEdge {
    let mut at = t;
    let mut inside = None;
    loop {
        let (_, period) = table.at(at);
        let (low, high) = table.shown(at, &period);
        let here = runs.last_from(high).filter(|(_, end)| *end > low);
        if *inside.get_or_insert(here.is_some()) != here.is_some() {
            return NextEdge::At(at);
        }
        if at >= END {
            return NextEdge::Never;
        }
        if *fuel == 0 {
            return NextEdge::SearchedTo(at + 1);
        }
        *fuel -= 1;
        at = match here {
            Some((_, end)) => table.last_of(end, &period),
            None => match runs.next_from(high) {
                Some((start, _)) => table.first_of(start, &period),
                None => return NextEdge::Never,
            },
        };
    }
}
