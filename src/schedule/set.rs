//! Sets of instants: unions of parts without other parts.

use std::collections::HashMap;
use std::sync::Arc;

use super::civil::DAY;
use super::days::Yearly;
use super::lasting::Lasting;
use super::leaf::Leaf;
use super::pieces::{Edge, Piece, local};
use super::weekly::Weekly;
use super::zone::{END, Table, Zone, table};

/// A set of instants, as half-open intervals.
#[derive(Clone, Debug)]
pub(crate) struct TimeSet {
    root: Arc<Node>,
}

/// Where a search for an edge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextEdge {
    /// The first instant after the one asked about at which *inside* becomes another.
    At(i64),
    /// There is none until the end of 2200.
    Never,
    /// The fuel ran out: there is none before this instant.
    SearchedTo(i64),
}

/// The union of `include` without the union of `except`.
#[derive(Debug)]
struct Node {
    include: Parts,
    except: Parts,
}

/// A union of leaves and of other sets, which are shared.
#[derive(Clone, Debug, Default)]
struct Parts {
    leaves: Vec<Arc<Leaf>>,
    nodes: Vec<Arc<Node>>,
}

/// Sets of no more intervals than this are taken over into those that name them; larger ones are shared, lest a policy
/// of many calendars grow out of all proportion.
const TAKEN_OVER: usize = 256;
/// How many leaves are asked without an allocation.
const FEW: usize = 8;
/// Steps that one leaf of several searches at a time.
const STEPS: u64 = 16;
/// Bound on searches that only serve warnings.
const WARNING_STEPS: u64 = 100_000;

impl TimeSet {
    /// The union of `include` without the union of `except`, each piece in its zone.
    pub fn new(include: Vec<(Piece, Zone)>, except: Vec<(Piece, Zone)>) -> TimeSet {
        let (mut include, except) = (Builder::of(include), Builder::of(except));
        include.leave_out(&except);
        let include = include.finish();
        let except = if include.is_empty() { Parts::default() } else { except.finish() };
        if let ([], [only], true) = (include.leaves.as_slice(), include.nodes.as_slice(), except.is_empty()) {
            return TimeSet { root: only.clone() };
        }
        TimeSet { root: Arc::new(Node { include, except }) }
    }

    /// Whether an instant lies inside.
    pub fn contains(&self, t: i64) -> bool {
        let node = &*self.root;
        if node.is_flat() {
            return node.include.leaves.iter().any(|leaf| leaf.contains(t))
                && !node.except.leaves.iter().any(|leaf| leaf.contains(t));
        }
        nested_contains(node, t, &mut HashMap::new())
    }

    /// The next edge after an instant. Each step of the search takes one of `fuel`.
    pub fn next_edge(&self, t: i64, fuel: &mut u64) -> NextEdge {
        let node = &*self.root;
        let t = t.max(-1);
        if let ([leaf], true, true) = (node.include.leaves.as_slice(), node.is_flat(), node.except.is_empty()) {
            return leaf.next_edge(t, fuel);
        }
        if !node.is_flat() {
            let mut known = HashMap::new();
            return walk(t, fuel, |t, fuel| nested_status(node, t, &mut known, fuel));
        }
        let count = node.include.leaves.len() + node.except.leaves.len();
        let mut few = [STALE; FEW];
        let mut many = Vec::new();
        let known = match few.get_mut(..count) {
            Some(known) => known,
            None => {
                many.resize(count, STALE);
                many.as_mut_slice()
            }
        };
        let (include, except) = known.split_at_mut(node.include.leaves.len());
        walk(t, fuel, |t, fuel| {
            let inside = union(node.include.leaves.iter().zip(include.iter_mut()).map(|(l, k)| k.leaf(l, t, fuel)));
            if inside.until == i64::MAX && !inside.inside {
                return inside;
            }
            inside.without(union(node.except.leaves.iter().zip(except.iter_mut()).map(|(l, k)| k.leaf(l, t, fuel))))
        })
    }

    /// Whether its times come again and again until the end of 2200 (in some interval of at most a few years both an
    /// instant inside and one outside).
    pub fn recurs(&self) -> bool {
        const YEARS: i64 = 9 * 366 * DAY;
        if self.root.is_finite() {
            return false;
        }
        // Over nine years every yearly date comes.
        (1..=3).all(|stretch| {
            let mut fuel = WARNING_STEPS;
            let start = END - stretch * YEARS;
            matches!(self.next_edge(start, &mut fuel), NextEdge::At(edge) if edge < start + YEARS)
        })
    }

    /// Whether it is made of spans, and outside when the year 2200 ends.
    pub fn is_over_in_the_end(&self) -> bool {
        self.root.is_finite() && !self.contains(END - 1)
    }

    /// Whether it is asked for its next edge without an allocation.
    pub fn is_plain(&self) -> bool {
        self.root.is_flat() && self.root.include.leaves.len() + self.root.except.leaves.len() <= FEW
    }

    /// Whether every instant lies inside, as far as that is seen at once.
    pub fn is_always(&self) -> bool {
        self.root.is_flat() && self.root.except.is_empty() && self.root.include.leaves.iter().any(|l| l.is_always())
    }

    /// Whether it is one part alone.
    pub fn is_single(&self) -> bool {
        self.root.is_flat() && self.root.include.leaves.len() == 1 && self.root.except.is_empty()
    }

    /// Whether there surely is an edge after any instant before this one.
    pub fn comes_after(&self, t: i64) -> bool {
        matches!(self.next_edge(t, &mut 2_000), NextEdge::At(_))
    }

    /// About how many steps a search for its next edge takes, if it comes again and again.
    pub fn steps(&self) -> u64 {
        let leaves = self.root.include.leaves.iter().chain(&self.root.except.leaves);
        let nodes = self.root.include.nodes.iter().chain(&self.root.except.nodes);
        let leaf = |leaf: &Arc<Leaf>| if matches!(**leaf, Leaf::Lasting(_)) { 600 } else { 8 };
        // What lies within others is looked at again and again.
        leaves.map(leaf).sum::<u64>() + 4_096 * nodes.count() as u64
    }

    /// Whether no instant lies inside.
    pub fn is_empty(&self) -> bool {
        let mut fuel = WARNING_STEPS;
        !self.contains(0) && self.next_edge(0, &mut fuel) == NextEdge::Never
    }

    /// Whether every instant of `self` also lies in one of `others` (for a warning: `false` when in doubt).
    pub fn is_covered_by(&self, others: &[&TimeSet]) -> bool {
        let mut covering: Vec<(Weekly, &'static Table)> = Vec::new();
        for leaf in others.iter().filter(|other| other.root.except.is_empty()).flat_map(|o| &o.root.include.leaves) {
            match &**leaf {
                Leaf::Always => return true,
                Leaf::Weekly(runs, table) => match covering.iter_mut().find(|(_, zone)| std::ptr::eq(*zone, *table)) {
                    Some((all, _)) => *all = Weekly::new(all.intervals().chain(runs.intervals())),
                    None => covering.push((runs.clone(), table)),
                },
                _ => {}
            }
        }
        let covered = |leaf: &Leaf| match leaf {
            Leaf::Weekly(runs, table) => {
                covering.iter().any(|(all, zone)| std::ptr::eq(*zone, *table) && (all.is_full() || runs.is_within(all)))
            }
            _ => false,
        };
        if self.root.is_flat() && self.root.include.leaves.iter().all(|leaf| covered(leaf)) {
            return true;
        }
        self.is_covered_in_time_by(others)
    }

    /// As [`TimeSet::is_covered_by`], looked up instant by instant.
    fn is_covered_in_time_by(&self, others: &[&TimeSet]) -> bool {
        let mut fuel = WARNING_STEPS;
        let mut t = 0;
        let mut inside = self.contains(t);
        while t < END {
            let mut until = match self.next_edge(t, &mut fuel) {
                NextEdge::At(at) => at,
                NextEdge::Never => END,
                NextEdge::SearchedTo(_) => return false,
            };
            if inside {
                // As far as one of the others reaches.
                let Some(other) = others.iter().find(|other| other.contains(t)) else { return false };
                let reaches = match other.next_edge(t, &mut fuel) {
                    NextEdge::At(at) => at,
                    NextEdge::Never => END,
                    NextEdge::SearchedTo(_) => return false,
                };
                if reaches < until {
                    until = reaches;
                } else {
                    inside = false;
                }
            } else {
                inside = true;
            }
            t = until;
        }
        true
    }
}

/// Whether an instant lies inside, and up to which instant that surely stays so.
#[derive(Clone, Copy)]
struct Status {
    inside: bool,
    until: i64,
}

/// What is not known yet.
const STALE: Status = Status { inside: false, until: i64::MIN };

impl Status {
    /// The status of a leaf at an instant not before the one of the last call.
    fn leaf(&mut self, leaf: &Leaf, t: i64, fuel: &mut u64) -> Status {
        if t >= self.until {
            // A few steps only: another part may have an edge long before this one has been searched to its end.
            let given = (*fuel).min(STEPS);
            let mut left = given;
            let until = match leaf.next_edge(t, &mut left) {
                NextEdge::At(at) | NextEdge::SearchedTo(at) => at,
                NextEdge::Never => i64::MAX,
            };
            *fuel = fuel.saturating_sub(1 + given - left);
            *self = Status { inside: leaf.contains(t), until };
        }
        *self
    }

    fn without(self, except: Status) -> Status {
        let inside = self.inside && !except.inside;
        let until = match (self.inside, except.inside) {
            (true, false) => self.until.min(except.until),
            (false, true) => self.until.max(except.until),
            (true, true) => except.until,
            (false, false) => self.until,
        };
        Status { inside, until }
    }
}

fn union(parts: impl Iterator<Item = Status>) -> Status {
    let mut all = Status { inside: false, until: i64::MAX };
    for part in parts {
        all = match (all.inside, part.inside) {
            (true, false) => all,
            (false, true) => part,
            (true, true) => Status { inside: true, until: all.until.max(part.until) },
            (false, false) => Status { inside: false, until: all.until.min(part.until) },
        };
    }
    all
}

/// Goes from one instant at which something may change to the next, until it does.
fn walk(t: i64, fuel: &mut u64, mut status: impl FnMut(i64, &mut u64) -> Status) -> NextEdge {
    let Status { inside, until: mut at } = status(t, fuel);
    loop {
        if at >= END {
            return NextEdge::Never;
        }
        if *fuel == 0 {
            return NextEdge::SearchedTo(at.max(t + 1));
        }
        *fuel -= 1;
        let here = status(at, fuel);
        if here.inside != inside {
            return NextEdge::At(at);
        }
        at = here.until;
    }
}

/// Asks every set once, however often it is named. The depth is bounded by the one of calendars.
fn nested_contains(node: &Node, t: i64, known: &mut HashMap<*const Node, bool>) -> bool {
    if let Some(inside) = known.get(&std::ptr::from_ref(node)) {
        return *inside;
    }
    let mut any = |parts: &Parts| {
        parts.leaves.iter().any(|leaf| leaf.contains(t))
            || parts.nodes.iter().any(|node| nested_contains(node, t, known))
    };
    let inside = any(&node.include) && !any(&node.except);
    known.insert(node, inside);
    inside
}

/// What is known of nodes and of leaves, by their addresses.
type Known = HashMap<*const (), Status>;

fn nested_status(node: &Node, t: i64, known: &mut Known, fuel: &mut u64) -> Status {
    let key = std::ptr::from_ref(node).cast();
    if let Some(status) = known.get(&key)
        && t < status.until
    {
        return *status;
    }
    *fuel = fuel.saturating_sub(1);
    let mut parts = |parts: &Parts| {
        let leaves = union(
            parts.leaves.iter().map(|leaf| known.entry(Arc::as_ptr(leaf).cast()).or_insert(STALE).leaf(leaf, t, fuel)),
        );
        let nodes = union(parts.nodes.iter().map(|node| nested_status(node, t, known, fuel)));
        union([leaves, nodes].into_iter())
    };
    let include = parts(&node.include);
    let status = include.without(parts(&node.except));
    known.insert(key, status);
    status
}

impl Node {
    /// Whether it is made of leaves alone.
    fn is_flat(&self) -> bool {
        self.include.nodes.is_empty() && self.except.nodes.is_empty()
    }

    /// Whether it is made of spans alone.
    fn is_finite(&self) -> bool {
        self.include.nodes.is_empty() && self.include.leaves.iter().all(|leaf| matches!(**leaf, Leaf::Spans(_)))
    }
}

impl Parts {
    fn is_empty(&self) -> bool {
        self.leaves.is_empty() && self.nodes.is_empty()
    }

    /// How many intervals are kept for it.
    fn size(&self) -> usize {
        let leaves = self.leaves.iter().map(|leaf| match &**leaf {
            Leaf::Weekly(runs, _) => runs.intervals().count(),
            Leaf::Spans(spans) => spans.len(),
            Leaf::Always | Leaf::Yearly(..) | Leaf::Lasting(_) => 1,
        });
        leaves.sum::<usize>() + self.nodes.len()
    }
}

/// A union that is being put together.
#[derive(Default)]
struct Builder {
    always: bool,
    /// Of each zone.
    weekly: Vec<(Vec<(i64, i64)>, &'static Table)>,
    spans: Vec<(i64, i64)>,
    /// Leaves that stay as they are.
    others: Vec<Arc<Leaf>>,
    nodes: Vec<Arc<Node>>,
}

impl Builder {
    fn of(pieces: Vec<(Piece, Zone)>) -> Builder {
        let mut builder = Builder::default();
        for (piece, zone) in pieces {
            builder.add(piece, zone);
        }
        builder.tidy();
        builder
    }

    fn add(&mut self, piece: Piece, zone: Zone) {
        match piece {
            Piece::Weekly { days, start, end } => self.weekly(Weekly::daily(days, start, end), table(zone)),
            Piece::WeekSpan { start, end } => self.weekly([Weekly::once(start, end)], table(zone)),
            Piece::Dates { first, last } => {
                self.spans.push((local(zone, first, 0, Edge::Start), local(zone, last, 86_400, Edge::End)))
            }
            Piece::Span { start, end } => self.spans.push((start, end)),
            Piece::Yearly { first, last } => self.leaf(Leaf::Yearly(Yearly { first, last }, table(zone))),
            Piece::Cron { cron, seconds } => {
                let lasting = Lasting::new(cron, seconds, table(zone));
                if !lasting.is_empty() {
                    self.leaf(Leaf::Lasting(Box::new(lasting)));
                }
            }
            Piece::Set(set) => self.set(&set.root),
        }
    }

    fn leaf(&mut self, leaf: Leaf) {
        self.others.push(Arc::new(leaf));
    }

    fn weekly(&mut self, intervals: impl IntoIterator<Item = (i64, i64)>, table: &'static Table) {
        match self.weekly.iter_mut().find(|(_, zone)| std::ptr::eq(*zone, table)) {
            Some((all, _)) => all.extend(intervals),
            None => self.weekly.push((intervals.into_iter().collect(), table)),
        }
    }

    fn set(&mut self, node: &Arc<Node>) {
        if !node.except.is_empty() || node.include.size() > TAKEN_OVER {
            self.nodes.push(node.clone());
            return;
        }
        for leaf in &node.include.leaves {
            match &**leaf {
                Leaf::Always => self.always = true,
                Leaf::Weekly(runs, table) => self.weekly(runs.intervals(), table),
                Leaf::Spans(spans) => self.spans.extend(spans),
                Leaf::Yearly(..) | Leaf::Lasting(_) => self.others.push(leaf.clone()),
            }
        }
        self.nodes.extend(node.include.nodes.iter().cloned());
    }

    /// Each part once, intervals in order.
    fn tidy(&mut self) {
        self.spans = merged(std::mem::take(&mut self.spans));
        self.others.sort_unstable_by_key(Arc::as_ptr);
        self.others.dedup_by(|a, b| Arc::ptr_eq(a, b));
        self.nodes.sort_unstable_by_key(Arc::as_ptr);
        self.nodes.dedup_by(|a, b| Arc::ptr_eq(a, b));
        for (intervals, _) in &mut self.weekly {
            let runs = Weekly::new(std::mem::take(intervals));
            self.always |= runs.is_full();
            intervals.extend(runs.intervals());
        }
    }

    /// Takes out what another one covers altogether, as far as that is seen at once.
    fn leave_out(&mut self, except: &Builder) {
        if except.always {
            *self = Builder::default();
            return;
        }
        self.weekly.retain(|(intervals, zone)| {
            let all = except.weekly.iter().find(|(_, other)| std::ptr::eq(*zone, *other));
            let runs = Weekly::new(intervals.iter().copied());
            !all.is_some_and(|(all, _)| runs.is_within(&Weekly::new(all.iter().copied())))
        });
        self.others.retain(|leaf| !except.others.iter().any(|other| Arc::ptr_eq(leaf, other)));
        self.nodes.retain(|node| !except.nodes.iter().any(|other| Arc::ptr_eq(node, other)));
        self.spans = without(&self.spans, &except.spans);
    }

    fn finish(self) -> Parts {
        if self.always {
            return Parts { leaves: vec![Arc::new(Leaf::Always)], nodes: Vec::new() };
        }
        let mut leaves = Vec::new();
        for (intervals, table) in self.weekly {
            let runs = Weekly::new(intervals);
            if !runs.is_empty() {
                leaves.push(Arc::new(Leaf::Weekly(runs, table)));
            }
        }
        if !self.spans.is_empty() {
            leaves.push(Arc::new(Leaf::Spans(self.spans)));
        }
        leaves.extend(self.others);
        Parts { leaves, nodes: self.nodes }
    }
}

/// The union of intervals, in order and apart.
fn merged(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.retain(|(start, end)| start < end);
    spans.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
    for (start, end) in spans {
        match runs.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => runs.push((start, end)),
        }
    }
    runs
}

/// Intervals without others; both in order and apart.
fn without(spans: &[(i64, i64)], except: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut left = Vec::with_capacity(spans.len());
    for &(start, end) in spans {
        let mut from = start;
        let skipped = except.partition_point(|(_, end)| *end <= start);
        for &(out, back) in except.iter().skip(skipped).take_while(|(out, _)| *out < end) {
            if from < out {
                left.push((from, out));
            }
            from = from.max(back);
        }
        if from < end {
            left.push((from, end));
        }
    }
    left
}
