//! The columns of a batch, and the program run down them.

use crate::decide::Verdict;
use crate::decide::truth::Truth;
use crate::decide::verdict::compact::{Ahead, Cell, CompactStage, NONE, Step, Unit};
use crate::decide::verdict::given::{Given, Seat};
use crate::decide::verdict::{Outcome, Reader};
use crate::facts::RunStatus;
use crate::policy::Inner;
use crate::program::Comparison;

/// A value of an enumeration that is not there.
const ABSENT: u8 = u8::MAX;

/// Bits of all requests, a word for sixty-four.
type Bits = Vec<u64>;

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

/// What people said for an `approve` rule.
#[derive(Clone, Debug, Default)]
struct Said {
    /// Of those who may count and approve, when the last of as many as it takes did so, the latest first; the beginning of
    /// time if there are not so many.
    enough: Vec<i64>,
    /// Someone who may count rejects.
    rejected: Bits,
}

/// The newest run of a stage of the policy.
#[derive(Clone, Debug)]
struct Runs {
    stage: u32,
    at: Vec<i64>,
    /// How it ended, as a bit; 0: there is none.
    status: Vec<u8>,
}

fn bit_of(status: RunStatus) -> u8 {
    1 << status as u8
}

/// All requests of a batch.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    stage: usize,
    len: usize,
    now: Vec<i64>,
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
    if let Some(word) = bits.get_mut(row / 64) {
        *word |= u64::from(bit) << (row % 64);
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
    for (byte, row) in bytes.iter_mut().zip(rows) {
        *byte = u8::from(test(*row));
    }
    pack(&bytes)
}

/// The same of two columns.
#[inline]
fn both<T: Copy, U: Copy>(left: &[T], right: &[U], test: impl Fn(T, U) -> bool) -> u64 {
    let mut bytes = [0u8; 64];
    for ((byte, left), right) in bytes.iter_mut().zip(left).zip(right) {
        *byte = u8::from(test(*left, *right));
    }
    pack(&bytes)
}

/// Sixty-four bytes of 0 or 1 as bits.
#[inline]
fn pack(bytes: &[u8; 64]) -> u64 {
    let (chunks, _) = bytes.as_chunks::<8>();
    let mut word = 0;
    for (index, chunk) in chunks.iter().enumerate() {
        // Gathers the lowest bits of eight bytes in the highest byte of the product.
        let gathered = u64::from_le_bytes(*chunk).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= gathered << (index * 8);
    }
    word
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
                runs.push(Runs { stage, at: Vec::new(), status: Vec::new() });
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
        Columns {
            stage,
            len: 0,
            now: Vec::new(),
            steps: steps.collect(),
            judges: judges.collect(),
            runs,
            said: vec![Said::default(); flat.seats.len()],
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
            || (0..self.said.len()).any(|seat| reader.seat_at(seat).is_none_or(|seat| seat.search));
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
        self.now.push(given.now);
        for runs in &mut self.runs {
            let run = given.newest.get(runs.stage as usize).copied().flatten();
            runs.at.push(run.map_or(0, |run| run.at));
            runs.status.push(run.map_or(0, |run| bit_of(run.status)));
        }
        for (index, said) in self.said.iter_mut().enumerate() {
            // One of none was said to be out of the ordinary.
            let seat = reader.seat_at(index).unwrap_or(Seat { unsure: true, ..Seat::default() });
            said.enough.push(enough(given, &seat));
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

    /// The verdicts of sixty-four requests.
    pub fn block(&self, inner: &Inner, block: usize, scratch: &mut Scratch, out: &mut [Verdict]) {
        let (allow, deny) = self.words(inner, block, scratch);
        // No request is both.
        const VERDICTS: [Verdict; 4] = [Verdict::Hold, Verdict::Allow, Verdict::Deny, Verdict::Deny];
        for (row, verdict) in out.iter_mut().enumerate() {
            let index = (allow >> row & 1 | (deny >> row & 1) << 1) as usize;
            *verdict = VERDICTS.get(index).copied().unwrap_or(Verdict::Deny);
        }
    }

    /// Which of sixty-four requests are allowed, and which are denied.
    pub fn words(&self, inner: &Inner, block: usize, scratch: &mut Scratch) -> (u64, u64) {
        let Some(flat) = inner.compact.stages.get(self.stage) else { return (0, 0) };
        let count = self.len.saturating_sub(block * 64).min(64);
        let rows = if count == 64 { u64::MAX } else { (1 << count) - 1 };
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
                let (at, ended, pending) = self.ended(*stage, *outcomes, block);
                let over = both(at, rows(&self.now, block), |at, now| now >= at.saturating_add(*length));
                (ended & over, !ended & !pending)
            }
            Unit::Approve { seat, since, valid, .. } => self.approved(*seat, *since, *valid, block),
            // What depends on the clock on the wall or on the trigger was judged before.
            Unit::Freeze { .. } | Unit::Triggers { .. } | Unit::Windows { .. } | Unit::Rule(_) | Unit::Group(_) => {
                (0, 0)
            }
        }
    }

    /// When the newest run of a stage ended, where it ended in one of some ways, and where it runs.
    fn ended(&self, stage: u32, outcomes: u8, block: usize) -> (&[i64], u64, u64) {
        let Some(runs) = self.runs.iter().find(|known| known.stage == stage) else { return (&[], 0, 0) };
        let status = rows(&runs.status, block);
        let pending = bit_of(RunStatus::Pending);
        let ended = each(status, |s| s & outcomes & !pending != 0);
        (rows(&runs.at, block), ended, each(status, |s| s == pending))
    }

    fn approved(&self, seat: u32, since: u32, valid: i64, block: usize) -> (u64, u64) {
        let Some(said) = self.said.get(seat as usize) else { return (0, 0) };
        let enough = rows(&said.enough, block);
        let mut passes = match valid {
            i64::MAX => each(enough, |at| at != i64::MIN),
            valid => both(enough, rows(&self.now, block), |at, now| at > now.saturating_sub(valid)),
        };
        if since != NONE {
            let (ended, succeeded, _) = self.ended(since, bit_of(RunStatus::Succeeded), block);
            passes &= succeeded & both(enough, ended, |at, ended| at > ended);
        }
        let rejected = word(&said.rejected, block);
        (passes & !rejected, rejected)
    }
}

/// When the last of as many approvals as a rule takes was given, the latest first.
fn enough(given: &Given, seat: &Seat) -> i64 {
    let unsure = seat.unsure || (seat.missing && given.rejects & seat.strangers != 0);
    let (mut left, mut times, mut count) = (given.approves & seat.eligible, [i64::MIN; 64], 0);
    if unsure || left.count_ones() < seat.needed {
        return i64::MIN;
    }
    while left != 0 {
        if let (Some(time), Some(at)) = (times.get_mut(count), given.spoke.get(left.trailing_zeros() as usize)) {
            *time = *at;
            count += 1;
        }
        left &= left - 1;
    }
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.get((seat.needed as usize).wrapping_sub(1)).copied().unwrap_or(i64::MIN)
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
