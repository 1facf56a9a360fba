//! The columns of a batch, and the program run down them.

use crate::decide::Verdict;
use crate::decide::truth::Truth;
use crate::decide::verdict::compact::{Ahead, Cell, CompactStage, NONE, Step, Unit};
use crate::decide::verdict::given::{Given, Newest, Seat};
use crate::decide::verdict::{Outcome, Reader};
use crate::facts::RunStatus;
use crate::policy::Inner;
use crate::program::Comparison;

const SECOND: i64 = 1_000_000_000;

/// A value of an enumeration that is not there.
const ABSENT: u8 = u8::MAX;

/// Bits of all requests, a word for sixty-four; see [`bit_of`].
type Bits = Vec<u64>;

/// The bit of a row in the word of its block. Rows that lie eight apart are neighbours in a byte: eight bytes of 0 or 1
/// become a word when it is shifted and joined with the next ones, and a word becomes bytes again in the same way.
#[inline]
fn bit_of(row: usize) -> u64 {
    1 << (row % 8 * 8 + row / 8 % 8)
}

/// The lowest bit of each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// What a column of a test holds.
#[derive(Clone, Debug)]
enum Column {
    /// NaN: not there.
    Numbers(Vec<f64>),
    /// The number of a text in the policy; [`UNKNOWN`]: not there.
    Words(Vec<u32>),
    /// Values of an enumeration.
    Values(Vec<u8>),
    /// Which values of an enumeration a collection holds; none: empty or not there.
    Sets(Vec<u64>),
    /// Answered when the request was added.
    Answers { yes: Bits, no: Bits },
    /// A gate, or an entry that no column needs.
    Nothing,
}

/// A text that is not there; [`NONE`] is one that the policy does not know.
const UNKNOWN: u32 = NONE - 1;

/// How one unit of the stage is judged.
#[derive(Clone, Debug)]
enum Judge {
    /// Down the columns.
    Columns,
    /// Judged when the request was added.
    Answers { passes: Bits, denies: Bits },
}

/// How long ago something was, in whole seconds; a policy tells no shorter times. What is longer than 68 years makes a
/// request out of the ordinary.
type Ago = i32;

/// It never was.
const NEVER: Ago = i32::MAX;

/// The seconds from an instant to a later one.
fn ago(at: i64, now: i64) -> Option<Ago> {
    Ago::try_from(now.checked_sub(at)?.div_euclid(SECOND)).ok().filter(|ago| (0..NEVER).contains(ago))
}

/// A length of time of the policy, to be compared with [`Ago`]; longer than all that is ordinary if it is too long.
fn length(nanos: i64) -> Ago {
    Ago::try_from(nanos / SECOND).unwrap_or(NEVER)
}

/// What people said for an `approve` rule.
#[derive(Clone, Debug)]
struct Said {
    /// The stage since whose success they must have said it, or [`NONE`].
    since: u32,
    /// Of those who may count and approve, how long ago the last of as many as it takes did so, the latest first;
    /// [`NEVER`] if there are not so many.
    enough: Vec<Ago>,
    /// Someone who may count rejects.
    rejected: Bits,
}

/// The newest run of a stage of the policy.
#[derive(Clone, Debug)]
struct Runs {
    stage: u32,
    /// How long ago it was.
    ago: Vec<Ago>,
    /// How it ended, by [`RunStatus`].
    ended: [Bits; 5],
}

/// All requests of a batch.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    stage: usize,
    len: usize,
    /// By entry of the program.
    steps: Vec<Column>,
    /// By unit.
    judges: Vec<Judge>,
    /// Of those stages that a rule asks for.
    runs: Vec<Runs>,
    /// By `approve` rule.
    said: Vec<Said>,
    /// Requests that are out of the ordinary: judged when they were added.
    odd: Bits,
    odd_allow: Bits,
    odd_deny: Bits,
}

/// Room that blocks share.
#[derive(Default)]
pub(super) struct Scratch {
    values: Vec<(u64, u64)>,
}

fn put(bits: &mut Bits, row: usize, bit: bool) {
    if bits.len() <= row / 64 {
        bits.resize(row / 64 + 1, 0);
    }
    if let (Some(word), true) = (bits.get_mut(row / 64), bit) {
        *word |= bit_of(row);
    }
}

fn word(bits: &Bits, block: usize) -> u64 {
    bits.get(block).copied().unwrap_or(0)
}

fn rows<T>(column: &[T], block: usize) -> &[T] {
    let from = (block * 64).min(column.len());
    column.get(from..(from + 64).min(column.len())).unwrap_or_default()
}

/// One bit for each of up to sixty-four rows.
#[inline]
fn each<T: Copy>(rows: &[T], test: impl Fn(T) -> bool) -> u64 {
    let mut bytes = [0u8; 64];
    match rows.first_chunk::<64>() {
        // As many as are known beforehand are done with wide instructions.
        Some(rows) => bytes.iter_mut().zip(rows).for_each(|(byte, row)| *byte = u8::from(test(*row))),
        None => bytes.iter_mut().zip(rows).for_each(|(byte, row)| *byte = u8::from(test(*row))),
    }
    pack(&bytes)
}

/// The same of two columns of seconds, which are as wide as the bits that are joined.
#[inline]
fn both(left: &[Ago], right: &[Ago], test: impl Fn(Ago, Ago) -> bool) -> u64 {
    let mut bytes = [0u32; 8];
    match (left.first_chunk::<64>(), right.first_chunk::<64>()) {
        // As many as are known beforehand are done with wide instructions.
        (Some(left), Some(right)) => {
            let rows = left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0);
            for (index, (left, right)) in rows.enumerate() {
                for ((byte, left), right) in bytes.iter_mut().zip(left).zip(right) {
                    *byte |= u32::from(test(*left, *right)) << index;
                }
            }
        }
        _ => {
            for (index, (left, right)) in left.chunks(8).zip(right.chunks(8)).enumerate() {
                for ((byte, left), right) in bytes.iter_mut().zip(left).zip(right) {
                    *byte |= u32::from(test(*left, *right)) << index;
                }
            }
        }
    }
    u64::from_le_bytes(bytes.map(|byte| byte as u8))
}

/// Sixty-four bytes of 0 or 1 as bits.
#[inline]
fn pack(bytes: &[u8; 64]) -> u64 {
    let (chunks, _) = bytes.as_chunks::<8>();
    chunks.iter().enumerate().fold(0, |word, (index, chunk)| word | u64::from_le_bytes(*chunk) << index)
}

impl Columns {
    pub fn new(inner: &Inner, stage: usize) -> Columns {
        let nothing = CompactStage::default();
        let flat = inner.compact.stages.get(stage).unwrap_or(&nothing);
        let steps = flat.steps.iter().map(|step| match step {
            Step::Number { .. } => Column::Numbers(Vec::new()),
            Step::Word { .. } => Column::Words(Vec::new()),
            Step::Mask { .. } => Column::Values(Vec::new()),
            Step::EveryMask { .. } => Column::Sets(Vec::new()),
            Step::Ask(_) => Column::Answers { yes: Vec::new(), no: Vec::new() },
            Step::Fixed(_) | Step::And(..) | Step::Or(..) | Step::Not(_) => Column::Nothing,
        });
        let steady = |rule: u32| flat.rules.get(rule as usize).is_some_and(|facts| facts.ahead == Ahead::Nothing);
        let mut runs: Vec<Runs> = Vec::new();
        let mut asks_run = |stage: u32| {
            if stage != NONE && !runs.iter().any(|known| known.stage == stage) {
                runs.push(Runs { stage, ago: Vec::new(), ended: Default::default() });
            }
        };
        let judges = flat.units.iter().map(|unit| match unit {
            Unit::Condition { rule, .. } if steady(*rule) => Judge::Columns,
            Unit::After { stage, .. } | Unit::Soak { stage, .. } => {
                asks_run(*stage);
                Judge::Columns
            }
            Unit::Approve { guard: NONE, since, .. } if !flat.entangled => {
                asks_run(*since);
                Judge::Columns
            }
            _ => Judge::Answers { passes: Vec::new(), denies: Vec::new() },
        });
        let judges = judges.collect();
        let since = |seat: usize| {
            let of = |unit: &Unit| match unit {
                Unit::Approve { seat: of, since, .. } if *of as usize == seat => Some(*since),
                _ => None,
            };
            flat.units.iter().find_map(of).unwrap_or(NONE)
        };
        let said = (0..flat.seats.len()).map(since);
        Columns {
            stage,
            len: 0,
            steps: steps.collect(),
            judges,
            said: said.map(|since| Said { since, enough: Vec::new(), rejected: Vec::new() }).collect(),
            runs,
            odd: Vec::new(),
            odd_allow: Vec::new(),
            odd_deny: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds a request. `verdict` is asked when it is out of the ordinary.
    pub fn push(&mut self, inner: &Inner, given: &Given, verdict: impl Fn() -> Verdict) {
        let row = self.len;
        let Some(reader) = Reader::new(inner, given) else { return };
        self.len += 1;
        let odd = given.invoked
            || given.last_run > given.now
            || given.speakers.len() > 64
            || reader.flat.entangled
            || !reader.frugal()
            || (0..self.said.len()).any(|seat| reader.seat_at(seat).is_none_or(|seat| seat.search))
            || !self.in_seconds(given, &reader);
        let judged = if odd {
            Vec::new()
        } else {
            reader.judge(|index| matches!(self.judges.get(index), Some(Judge::Answers { .. })))
        };
        // Where only a search tells, the whole request is out of the ordinary.
        let odd = odd || judged.contains(&Outcome::Search);
        let verdict = odd.then(verdict);
        put(&mut self.odd, row, odd);
        put(&mut self.odd_allow, row, verdict == Some(Verdict::Allow));
        put(&mut self.odd_deny, row, verdict == Some(Verdict::Deny));
        for runs in &mut self.runs {
            let run = newest(given, runs.stage);
            runs.ago.push(run.and_then(|run| ago(run.at, given.now)).unwrap_or(0));
            for (status, bits) in runs.ended.iter_mut().enumerate() {
                put(bits, row, run.is_some_and(|run| run.status as usize == status));
            }
        }
        for (index, said) in self.said.iter_mut().enumerate() {
            // One of none was said to be out of the ordinary.
            let seat = reader.seat_at(index).unwrap_or(Seat { unsure: true, ..Seat::default() });
            said.enough.push(enough(given, &seat).and_then(|at| ago(at, given.now)).unwrap_or(NEVER));
            put(&mut said.rejected, row, given.rejects & seat.eligible != 0);
        }
        for (column, step) in self.steps.iter_mut().zip(&reader.flat.steps) {
            let cell = |slot: &u32| reader.slot(*slot);
            match (column, step) {
                (Column::Numbers(column), Step::Number { slot, .. }) => column.push(match cell(slot) {
                    Cell::Number(n) => n,
                    _ => f64::NAN,
                }),
                (Column::Words(column), Step::Word { slot, .. }) => column.push(match cell(slot) {
                    Cell::Text { id, .. } => id,
                    _ => UNKNOWN,
                }),
                (Column::Values(column), Step::Mask { slot, .. }) => column.push(match cell(slot) {
                    Cell::Enum(i) | Cell::Status(i) => u8::try_from(i).unwrap_or(ABSENT),
                    _ => ABSENT,
                }),
                (Column::Sets(column), Step::EveryMask { slot, .. }) => column.push(match cell(slot) {
                    Cell::Bits { bits, .. } => bits,
                    _ => 0,
                }),
                (Column::Answers { yes, no }, step) => {
                    let truth = reader.step(reader.flat, step, &[]);
                    put(yes, row, truth == Truth::True);
                    put(no, row, truth == Truth::False);
                }
                _ => {}
            }
        }
        for (index, judge) in self.judges.iter_mut().enumerate() {
            if let Judge::Answers { passes, denies } = judge {
                let outcome = judged.get(index).copied().unwrap_or(Outcome::Holds);
                put(passes, row, outcome == Outcome::Passes);
                put(denies, row, outcome == Outcome::Denies);
            }
        }
    }

    /// Whether all that is compared can be compared in whole seconds.
    fn in_seconds(&self, given: &Given, reader: &Reader<'_>) -> bool {
        let runs = self.runs.iter().filter_map(|runs| newest(given, runs.stage));
        let said = self.said.iter().enumerate().filter_map(|(index, said)| {
            Some((enough(given, &reader.seat_at(index)?)?, newest(given, said.since).map(|run| run.at)))
        });
        runs.into_iter().all(|run| ago(run.at, given.now).is_some())
            && said.into_iter().all(|(at, since)| match (ago(at, given.now), since) {
                (None, _) => false,
                // Later, but in the same second.
                (Some(ago), Some(since)) => at <= since || Some(ago) != self::ago(since, given.now),
                (Some(_), None) => true,
            })
    }

    /// The verdicts of sixty-four requests.
    pub fn block(&self, inner: &Inner, block: usize, scratch: &mut Scratch, out: &mut [Verdict]) {
        let (allow, deny) = self.words(inner, block, scratch);
        let mut bytes = [0u8; 64];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (index, chunk) in chunks.iter_mut().enumerate() {
            // No request is both.
            let (allow, deny) = (allow >> index & ONES, deny >> index & ONES);
            *chunk = (ONES ^ allow ^ deny | deny << 1).to_le_bytes();
        }
        let verdict = |byte: u8| match byte {
            0 => Verdict::Allow,
            1 => Verdict::Hold,
            _ => Verdict::Deny,
        };
        match out.first_chunk_mut::<64>() {
            Some(out) => out.iter_mut().zip(bytes).for_each(|(out, byte)| *out = verdict(byte)),
            None => out.iter_mut().zip(bytes).for_each(|(out, byte)| *out = verdict(byte)),
        }
    }

    /// Which of sixty-four requests are allowed, and which are denied.
    pub fn words(&self, inner: &Inner, block: usize, scratch: &mut Scratch) -> (u64, u64) {
        let Some(flat) = inner.compact.stages.get(self.stage) else { return (0, 0) };
        let count = self.len.saturating_sub(block * 64).min(64);
        let rows = if count == 64 { u64::MAX } else { (0..count).fold(0, |all, row| all | bit_of(row)) };
        self.entries(flat, block, &mut scratch.values);
        let (mut passes, mut denies) = (rows, 0);
        for (unit, judge) in flat.units.iter().zip(&self.judges) {
            let (yes, no) = match judge {
                Judge::Answers { passes, denies } => (word(passes, block), word(denies, block)),
                Judge::Columns => self.unit(unit, block, scratch),
            };
            passes &= yes;
            denies |= no;
        }
        let (odd, odd_allow, odd_deny) =
            (word(&self.odd, block), word(&self.odd_allow, block), word(&self.odd_deny, block));
        let deny = denies & !odd | odd_deny;
        ((passes & !denies & !odd | odd_allow) & rows, deny & rows)
    }

    /// All entries of the program: which requests they are true of, and which false.
    fn entries(&self, flat: &CompactStage, block: usize, values: &mut Vec<(u64, u64)>) {
        values.clear();
        for (step, column) in flat.steps.iter().zip(&self.steps) {
            let value = |id: u32| values.get(id as usize).copied().unwrap_or((0, 0));
            let args = |from: &u32, to: &u32| flat.args.get(*from as usize..*to as usize).unwrap_or_default();
            let pair = match (step, column) {
                (Step::Fixed(truth), _) => match truth {
                    Truth::True => (u64::MAX, 0),
                    Truth::False => (0, u64::MAX),
                    Truth::Unknown => (0, 0),
                },
                (Step::Number { comparison, value, .. }, Column::Numbers(column)) => {
                    numbers(rows(column, block), *comparison, *value)
                }
                (Step::Word { id, not, .. }, Column::Words(column)) => {
                    let rows = rows(column, block);
                    let (same, there) = (each(rows, |given| given == *id), each(rows, |given| given != UNKNOWN));
                    if *not { (there & !same, same) } else { (same, there & !same) }
                }
                (Step::Mask { mask, .. }, Column::Values(column)) => {
                    let (yes, unknown) = flat.masks.get(*mask as usize).copied().unwrap_or((0, u64::MAX));
                    let of = |bits: u64| each(rows(column, block), |v| v < 64 && bits >> (v & 63) & 1 == 1);
                    (of(yes), of(!(yes | unknown)))
                }
                (Step::EveryMask { mask, .. }, Column::Sets(column)) => {
                    let (yes, unknown) = flat.masks.get(*mask as usize).copied().unwrap_or((0, u64::MAX));
                    let rows = rows(column, block);
                    (each(rows, |set| set != 0 && set & !yes == 0), each(rows, |set| set & !(yes | unknown) != 0))
                }
                (_, Column::Answers { yes, no }) => (word(yes, block), word(no, block)),
                (Step::And(from, to), _) => args(from, to).iter().fold((u64::MAX, 0), |(yes, no), id| {
                    let (y, n) = value(id.0);
                    (yes & y, no | n)
                }),
                (Step::Or(from, to), _) => args(from, to).iter().fold((0, u64::MAX), |(yes, no), id| {
                    let (y, n) = value(id.0);
                    (yes | y, no & n)
                }),
                (Step::Not(id), _) => {
                    let (yes, no) = value(*id);
                    (no, yes)
                }
                _ => (0, 0),
            };
            values.push(pair);
        }
    }

    /// Which requests a unit lets pass, and which it denies.
    fn unit(&self, unit: &Unit, block: usize, scratch: &Scratch) -> (u64, u64) {
        let value = |id: u32| scratch.values.get(id as usize).copied().unwrap_or((0, 0));
        match unit {
            Unit::Condition { op, guard, forbid, .. } => {
                let (yes, no) = value(*op);
                let (yes, no) = if *forbid { (no, yes) } else { (yes, no) };
                let (on, off) = if *guard == NONE { (u64::MAX, 0) } else { value(*guard) };
                (yes | off, no & on)
            }
            Unit::After { stage, outcomes, .. } => {
                let (_, ended, pending) = self.ended(*stage, *outcomes, block);
                (ended, !ended & !pending)
            }
            Unit::Soak { stage, outcomes, length, .. } => {
                let (ago, ended, pending) = self.ended(*stage, *outcomes, block);
                let least = self::length(*length);
                let over = both(ago, ago, |ago, _| ago >= least);
                (ended & over, !ended & !pending)
            }
            Unit::Approve { seat, since, valid, .. } => self.approved(*seat, *since, *valid, block),
            // What depends on the clock on the wall or on the trigger was judged before.
            Unit::Freeze { .. } | Unit::Triggers { .. } | Unit::Windows { .. } | Unit::Rule(_) | Unit::Group(_) => {
                (0, 0)
            }
        }
    }

    /// How long ago the newest run of a stage was, where it ended in one of some ways, and where it runs.
    fn ended(&self, stage: u32, outcomes: u8, block: usize) -> (&[Ago], u64, u64) {
        let Some(runs) = self.runs.iter().find(|known| known.stage == stage) else { return (&[], 0, 0) };
        let [all @ .., pending] = &runs.ended;
        let wanted = all.iter().enumerate().filter(|(status, _)| outcomes >> status & 1 == 1);
        (rows(&runs.ago, block), wanted.fold(0, |all, (_, bits)| all | word(bits, block)), word(pending, block))
    }

    fn approved(&self, seat: u32, since: u32, valid: i64, block: usize) -> (u64, u64) {
        let Some(said) = self.said.get(seat as usize) else { return (0, 0) };
        let enough = rows(&said.enough, block);
        // Without `valid` this is longer than all but never.
        let less = length(valid);
        let mut passes =
            if since == NONE || less != NEVER { both(enough, enough, |ago, _| ago < less) } else { u64::MAX };
        if since != NONE {
            let (ended, succeeded, _) = self.ended(since, 1 << RunStatus::Succeeded as u8, block);
            passes &= succeeded & both(enough, ended, |ago, ended| ago < ended);
        }
        let rejected = word(&said.rejected, block);
        (passes & !rejected, rejected)
    }
}

fn newest(given: &Given, stage: u32) -> Newest {
    given.newest.get(stage as usize).copied().flatten()
}

/// When the last of as many approvals as a rule takes was given, the latest first; `None` if there are not so many.
fn enough(given: &Given, seat: &Seat) -> Option<i64> {
    let unsure = seat.unsure || (seat.missing && given.rejects & seat.strangers != 0);
    let (mut left, mut times, mut count) = (given.approves & seat.eligible, [i64::MIN; 64], 0);
    if unsure || left.count_ones() < seat.needed {
        return None;
    }
    while left != 0 {
        if let (Some(time), Some(at)) = (times.get_mut(count), given.spoke.get(left.trailing_zeros() as usize)) {
            *time = *at;
            count += 1;
        }
        left &= left - 1;
    }
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.get((seat.needed as usize).wrapping_sub(1)).copied().filter(|at| *at != i64::MIN)
}

fn numbers(rows: &[f64], comparison: Comparison, value: f64) -> (u64, u64) {
    let yes = match comparison {
        Comparison::Eq => each(rows, |n| n == value),
        Comparison::Ne => each(rows, |n| !n.is_nan() && n != value),
        Comparison::Lt => each(rows, |n| n < value),
        Comparison::Le => each(rows, |n| n <= value),
        Comparison::Gt => each(rows, |n| n > value),
        Comparison::Ge => each(rows, |n| n >= value),
    };
    (yes, each(rows, |n| !n.is_nan()) & !yes)
}
