//! A request as the verdict reads it: one cell a slot, people as numbers, and everything that depends on the instant
//! looked up for the instant that is asked about. It is filled again and again without an allocation.

use super::Reader;
use super::compact::{Cell, NONE, Unit, bit, is_mask};
use crate::decide::conditions::status_index;
use crate::decide::names::Names;
use crate::facts::prepare::badness;
use crate::facts::slots::{Occupied, RunAt, Said, SlotValue, Slots, TriggerSlot};
use crate::facts::{RunStatus, Word};
use crate::policy::Inner;
use crate::program::{Program, Slot, StageId, Type};

/// A cell that changes as time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moving {
    Now,
    /// The time since an instant.
    Age(i64),
    RunStatus(StageId),
    RunAt(StageId),
    RunAge(StageId),
}

/// What set the promotion off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Came {
    #[default]
    Unknown,
    /// A text of the request, or `Missing`.
    Push(Cell),
    PullRequest(Cell),
    Manual(Option<u32>),
    /// [`NONE`]: a stage that the policy does not have.
    Completion(Option<u32>),
    Event(Cell),
    Schedule,
}

/// The newest run of a stage by now.
pub(crate) type Newest = Option<RunAt>;

/// Who of those who have spoken may count for a rule, whatever they say and whenever: bits by place among the speakers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seat {
    pub eligible: u64,
    /// Those who are not known to be among the people of the rule.
    pub strangers: u64,
    /// Something that bars people is not known.
    pub unsure: bool,
    /// The members of a directory are not known.
    pub missing: bool,
    /// How many it takes; [`NONE`] when that is not known.
    pub needed: u32,
    /// It takes more than this reader works out.
    pub search: bool,
}

/// A request in cells. What each verdict reads comes first, side by side.
#[derive(Clone, Default)]
#[repr(C)]
pub(crate) struct Given {
    pub stage: u32,
    /// An override of the stage was invoked.
    pub invoked: bool,
    pub trigger: Came,
    /// Nanoseconds since the epoch.
    pub now: i64,
    /// Seconds since the epoch.
    pub second: i64,
    /// So many sets of instants of the stage have been asked about `second`, from the first on: in which of the first 64 it
    /// lies, as bits by their numbers; those of more are further down.
    pub clocks: u32,
    pub inside: u64,
    /// By slot.
    pub cells: Vec<Cell>,
    /// By stage.
    pub newest: Vec<Newest>,
    /// So many people have a place each, by their numbers; 0: those have one who speak, in their order.
    pub places: usize,
    /// Whose last word by now is yes, and whose is no: bits by the first 64 places.
    pub approves: u64,
    pub rejects: u64,
    /// The earliest of the last words that say yes.
    pub first_yes: i64,
    pub author: Option<u32>,
    pub requester: Option<u32>,
    /// Sorted.
    pub contributors: Vec<u32>,
    /// When the last words were said, by place.
    pub spoke: Vec<i64>,
    /// By `approve` rule of the stage; where all people have a place, they need not be worked out beforehand.
    pub seats: Vec<Seat>,
    /// The texts of the request, one after the other.
    pub text: String,
    /// What sets and maps hold.
    pub elements: Vec<Cell>,
    pub versions: Vec<semver::Version>,
    pub occupied: Occupied,
    pub older: Option<bool>,
    /// `exclusive`: nothing else is being deployed to the stage.
    pub free: Option<bool>,
    /// The latest instant of any run.
    pub last_run: i64,
    /// The slots that change as time passes.
    pub moving: Vec<(u32, Moving)>,
    /// The people whom only the request names: where their names stand.
    pub strangers: Vec<(u32, u32)>,
    /// Sorted by person, then time, then word; in any order where all people have a place.
    pub said: Vec<Said>,
    /// Words that were heard at once, and are not among these.
    pub heard: usize,
    /// The last word of each person by now, ascending by person.
    pub words: Vec<Said>,
    /// Everyone who has said anything at any time, ascending; empty where all people have a place.
    pub speakers: Vec<u32>,
    /// In any order.
    pub runs: Vec<(u32, RunAt)>,
    /// The first so many have been looked at.
    heard_runs: usize,
    /// By stage: when it last ended, whatever began since.
    pub ended: Vec<Option<i64>>,
    /// By group; `None` for a directory that was not supplied, and for groups that are listed.
    pub directories: Vec<Option<Vec<u32>>>,
    /// What is being deployed to the stage; where the text of its id stands.
    pub deploying: Option<Option<(u32, u32)>>,
    /// As [`Given::inside`], from the 65th set on.
    inside_more: Vec<u64>,
    /// The texts and elements that there were at first.
    laid_out: usize,
}

impl std::fmt::Debug for Given {
    /// Without the values: some may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").field("stage", &self.stage).field("now", &self.now).finish_non_exhaustive()
    }
}

impl Given {
    /// Empty, for a policy.
    pub fn new(inner: &Inner) -> Given {
        let mut given = Given::default();
        given.clear(inner);
        given
    }

    /// Empties it for another request of a policy.
    pub fn clear(&mut self, Inner { program, compact, .. }: &Inner) {
        self.stage = 0;
        self.now = 0;
        if self.cells.len() != program.slots.len() {
            self.cells.resize(program.slots.len(), Cell::Missing);
        }
        self.cells.fill(Cell::Missing);
        self.moving.clear();
        self.text.clear();
        self.elements.clear();
        self.versions.clear();
        self.strangers.clear();
        self.author = None;
        self.contributors.clear();
        self.requester = None;
        self.said.clear();
        self.heard = 0;
        (self.clocks, self.inside) = (0, 0);
        self.seats.clear();
        self.places = if compact.few { program.people.len() } else { 0 };
        self.hear_nothing();
        self.forget_runs();
        self.runs.clear();
        self.heard_runs = 0;
        self.last_run = i64::MIN;
        if self.newest.len() != program.stages.len() {
            self.newest.resize(program.stages.len(), None);
            self.ended.resize(program.stages.len(), None);
        }
        self.directories.clear();
        if compact.directories {
            self.directories.resize(program.groups.len(), None);
        }
        self.trigger = Came::Unknown;
        self.occupied = Occupied::Unknown;
        self.older = None;
        self.deploying = None;
        self.free = None;
        self.invoked = false;
    }

    /// From slots that have been prepared.
    pub fn of(slots: &Slots, inner: &Inner) -> Given {
        let (program, words) = (&inner.program, &inner.plan.words);
        let mut given = Given::new(inner);
        given.stage = slots.stage.0;
        given.now = slots.now;
        for (index, value) in slots.values.iter().enumerate() {
            given.value(index as u32, value, program, words);
        }
        for name in &slots.strangers {
            given.add_stranger(name, words);
        }
        given.author = slots.author;
        given.contributors.extend_from_slice(&slots.contributors);
        given.requester = slots.requester;
        given.said.extend_from_slice(&slots.said);
        for (stage, runs) in slots.runs.iter().enumerate() {
            given.runs.extend(runs.iter().map(|run| (stage as u32, *run)));
        }
        given.directories.clone_from(&slots.directories);
        given.occupied = slots.occupied;
        given.older = slots.older;
        given.free = slots.deploying.as_ref().map(|id| id.as_ref().is_none_or(|id| *id == slots.build));
        given.invoked = slots.invoked.iter().any(|of| !of.is_empty());
        given.trigger = match &slots.trigger {
            TriggerSlot::Unknown => Came::Unknown,
            TriggerSlot::Push { branch } => Came::Push(given.maybe_text(branch.as_deref(), words)),
            TriggerSlot::PullRequest { branch } => Came::PullRequest(given.maybe_text(branch.as_deref(), words)),
            TriggerSlot::Manual { by } => Came::Manual(*by),
            TriggerSlot::Completion { of } => {
                Came::Completion(of.as_ref().map(|of| of.as_ref().map_or(NONE, |stage| stage.0)))
            }
            TriggerSlot::Event { name } => Came::Event(given.maybe_text(name.as_deref(), words)),
            TriggerSlot::Schedule => Came::Schedule,
        };
        given.settle();
        given.take_seats(inner);
        given.take_clocks(inner);
        given.laid_out = given.text.len() + given.elements.len();
        given
    }

    /// One slot, from its value.
    pub fn value(&mut self, slot: u32, value: &SlotValue, program: &Program, words: &Names) {
        let moving = match value {
            SlotValue::Now => Some(Moving::Now),
            SlotValue::Age(since) => Some(Moving::Age(*since)),
            SlotValue::RunStatus(stage) => Some(Moving::RunStatus(*stage)),
            SlotValue::RunAt(stage) => Some(Moving::RunAt(*stage)),
            SlotValue::RunAge(stage) => Some(Moving::RunAge(*stage)),
            _ => None,
        };
        if let Some(moving) = moving {
            return self.moving.push((slot, moving));
        }
        let cell = self.cell(value, slot_type(program, slot), words);
        self.set(slot, cell);
    }

    /// Puts a cell in its slot.
    pub fn set(&mut self, slot: u32, cell: Cell) {
        if let Some(place) = self.cells.get_mut(slot as usize) {
            *place = cell;
        }
    }

    fn maybe_text(&mut self, text: Option<&str>, words: &Names) -> Cell {
        text.map_or(Cell::Missing, |text| self.text(text, words))
    }

    /// Keeps a text.
    pub fn text(&mut self, text: &str, words: &Names) -> Cell {
        let id = words.get(text).unwrap_or(NONE);
        let (Ok(at), Ok(len)) = (u32::try_from(self.text.len()), u32::try_from(text.len())) else {
            return Cell::Missing;
        };
        self.text.push_str(text);
        Cell::Text { id, at, len }
    }

    fn cell(&mut self, value: &SlotValue, ty: Option<&Type>, words: &Names) -> Cell {
        let inner = match ty {
            Some(Type::Set(inner) | Type::Map(inner)) => Some(&**inner),
            _ => None,
        };
        match value {
            SlotValue::Missing => Cell::Missing,
            SlotValue::Null => Cell::Null,
            SlotValue::Bool(b) => Cell::Bool(*b),
            SlotValue::Number(n) => Cell::Number(*n),
            SlotValue::String(s) => self.text(s, words),
            SlotValue::Time(t) => Cell::Time(*t),
            SlotValue::Duration(d) => Cell::Duration(*d),
            SlotValue::Version(v) => self.version((**v).clone()),
            SlotValue::Enum(i) => Cell::Enum(*i),
            SlotValue::Status(i) => Cell::Status(*i),
            SlotValue::Set(items) => self.collection(items.iter(), inner, words),
            SlotValue::Map(items) => self.collection(items.iter().map(|(_, value)| value), inner, words),
            // These never are values of a collection, and slots of them do not come here.
            SlotValue::Now
            | SlotValue::Age(_)
            | SlotValue::RunStatus(_)
            | SlotValue::RunAt(_)
            | SlotValue::RunAge(_) => Cell::Missing,
        }
    }

    /// Keeps a version.
    pub fn version(&mut self, version: semver::Version) -> Cell {
        self.versions.push(version);
        Cell::Version(u32::try_from(self.versions.len() - 1).unwrap_or(NONE))
    }

    fn collection<'v>(
        &mut self,
        items: impl ExactSizeIterator<Item = &'v SlotValue>,
        ty: Option<&Type>,
        words: &Names,
    ) -> Cell {
        if let Some(status) = ty.and_then(is_mask) {
            let bits = items.fold(0, |bits, item| match item {
                SlotValue::Enum(i) | SlotValue::Status(i) => bits | 1u64.checked_shl(u32::from(*i)).unwrap_or(0),
                _ => bits,
            });
            return Cell::Bits { status, bits };
        }
        let from = self.elements.len();
        let to = from + items.len();
        // The elements stand side by side; what they hold themselves comes after them.
        self.elements.resize(to, Cell::Missing);
        for (index, item) in items.enumerate() {
            let cell = self.cell(item, ty, words);
            if let Some(place) = self.elements.get_mut(from + index) {
                *place = cell;
            }
        }
        match (u32::try_from(from), u32::try_from(to)) {
            (Ok(from), Ok(to)) => Cell::Set(from, to),
            _ => Cell::Missing,
        }
    }

    /// Looks up everything that depends on the instant.
    pub fn settle(&mut self) {
        self.hear_nothing();
        self.forget_runs();
        self.heard_runs = 0;
        self.last_run = i64::MIN;
        self.settle_what_is_left();
    }

    /// The same where some words and runs have been heard for this instant.
    pub fn settle_what_is_left(&mut self) {
        let now = self.now;
        self.second = now.div_euclid(1_000_000_000);
        if self.places == 0 {
            self.last_words()
        } else {
            self.last_words_by_person()
        }
        while let Some((stage, run)) = self.runs.get(self.heard_runs).copied() {
            self.take_run(stage, run, now);
        }
        for index in 0..self.moving.len() {
            if let Some((slot, moving)) = self.moving.get(index).copied() {
                let cell = self.moved(moving, now);
                self.set(slot, cell);
            }
        }
    }

    /// Whether each run so far has been looked at.
    #[inline]
    pub fn all_runs_heard(&self) -> bool {
        self.heard_runs == self.runs.len()
    }

    /// Takes a run for an instant at once: afterwards only what is left may be settled.
    #[inline(always)]
    pub fn hear_run(&mut self, stage: u32, run: RunAt, now: i64) {
        self.runs.push((stage, run));
        self.take_run(stage, run, now);
    }

    #[inline(always)]
    fn take_run(&mut self, stage: u32, run: RunAt, now: i64) {
        self.heard_runs += 1;
        self.last_run = self.last_run.max(run.at);
        if run.at <= now
            && let (Some(newest), Some(ended)) =
                (self.newest.get_mut(stage as usize), self.ended.get_mut(stage as usize))
        {
            let newer =
                |known: RunAt| known.at < run.at || known.at == run.at && badness(known.status) <= badness(run.status);
            if newest.is_none_or(newer) {
                *newest = Some(run);
            }
            if run.status != RunStatus::Pending && ended.is_none_or(|at| at < run.at) {
                *ended = Some(run.at);
            }
        }
    }

    fn forget_runs(&mut self) {
        for (stage, _) in &self.runs {
            let stage = *stage as usize;
            if let (Some(newest), Some(ended)) = (self.newest.get_mut(stage), self.ended.get_mut(stage)) {
                (*newest, *ended) = (None, None);
            }
        }
    }

    /// The last words where each person of the policy has a place.
    fn last_words_by_person(&mut self) {
        for index in 0..self.said.len() {
            if let Some(said) = self.said.get(index).copied() {
                self.take_word(said, self.now);
            }
        }
        self.first_yes = i64::MAX;
        let mut yes = self.approves;
        while yes != 0 {
            let at = self.spoke.get(yes.trailing_zeros() as usize).copied().unwrap_or(i64::MAX);
            self.first_yes = self.first_yes.min(at);
            yes &= yes - 1;
        }
    }

    fn hear_nothing(&mut self) {
        (self.approves, self.rejects) = (0, 0);
        if self.spoke.len() != self.places {
            self.spoke.resize(self.places, i64::MIN);
        }
        self.spoke.fill(i64::MIN);
    }

    /// Takes a word for an instant at once, where each person of the policy has a place. It is not kept: afterwards only
    /// what is left may be settled.
    #[inline(always)]
    pub fn hear(&mut self, said: Said, now: i64) {
        self.heard += 1;
        self.take_word(said, now);
    }

    #[inline(always)]
    fn take_word(&mut self, said: Said, now: i64) {
        let place = said.person as usize;
        let (Some(spoke), Some(bit)) = (self.spoke.get_mut(place), bit(place)) else { return };
        // Of words at one instant a reject stands, then a withdrawal.
        let outdone = || self.rejects & bit != 0 || self.approves & bit == 0 && said.word == Word::Approve;
        if said.at > now || said.at < *spoke || said.at == *spoke && outdone() {
            return;
        }
        *spoke = said.at;
        let (yes, no) = (said.word == Word::Approve, said.word == Word::Reject);
        self.approves = if yes { self.approves | bit } else { self.approves & !bit };
        self.rejects = if no { self.rejects | bit } else { self.rejects & !bit };
    }

    /// The last words where those have a place who speak.
    fn last_words(&mut self) {
        let now = self.now;
        self.words.clear();
        self.speakers.clear();
        self.spoke.clear();
        (self.approves, self.rejects, self.first_yes) = (0, 0, i64::MAX);
        let mut rest = self.said.as_slice();
        while let Some((first, after)) = rest.split_first() {
            let more = after.iter().take_while(|s| s.person == first.person).count();
            let (of_one, others) = rest.split_at_checked(more + 1).unwrap_or((rest, &[]));
            rest = others;
            let last = of_one.iter().rev().find(|s| s.at <= now);
            let bit = bit(self.speakers.len()).unwrap_or(0);
            self.speakers.push(first.person);
            self.spoke.push(last.map_or(i64::MIN, |said| said.at));
            match last.map(|said| said.word) {
                Some(Word::Approve) => {
                    self.approves |= bit;
                    self.first_yes = self.first_yes.min(last.map_or(i64::MAX, |said| said.at));
                }
                Some(Word::Reject) => self.rejects |= bit,
                Some(Word::Withdraw) | None => {}
            }
            self.words.extend(last);
        }
    }

    /// What a moving slot holds at `t`, if no run comes between now and then.
    pub fn moved(&self, moving: Moving, t: i64) -> Cell {
        let newest = |stage: StageId| self.newest.get(stage.0 as usize).copied().flatten();
        let ended = |stage: StageId| self.ended.get(stage.0 as usize).copied().flatten();
        match moving {
            Moving::Now => Cell::Time(t),
            Moving::Age(since) => Cell::Duration(t.saturating_sub(since)),
            Moving::RunStatus(stage) => {
                newest(stage).map_or(Cell::Missing, |run| Cell::Status(status_index(run.status)))
            }
            Moving::RunAt(stage) => ended(stage).map_or(Cell::Missing, Cell::Time),
            Moving::RunAge(stage) => ended(stage).map_or(Cell::Missing, |at| Cell::Duration(t.saturating_sub(at))),
        }
    }

    /// Works out who may count for which rule. To be called when people have spoken, after [`Given::settle`].
    pub fn take_seats(&mut self, inner: &Inner) {
        let mut seats = std::mem::take(&mut self.seats);
        if let Some(reader) = Reader::new(inner, self) {
            reader.seats(&mut seats);
        }
        self.seats = seats;
    }

    /// Asks the sets of instants of the stage about now. To be called when the instant is another one, after
    /// [`Given::settle`].
    pub fn take_clocks(&mut self, inner: &Inner) {
        (self.clocks, self.inside) = (0, 0);
        self.inside_more.clear();
        let Some(flat) = inner.compact.stages.get(self.stage as usize) else { return };
        for set in flat.units.iter().filter_map(Unit::clock) {
            let place = self.clocks / 64;
            if place as usize > self.inside_more.len() {
                self.inside_more.push(0);
            }
            let word = match (place as usize).checked_sub(1) {
                None => Some(&mut self.inside),
                Some(more) => self.inside_more.get_mut(more),
            };
            if let (Some(word), true) = (word, set.contains(self.second)) {
                *word |= 1 << (self.clocks % 64);
            }
            self.clocks += 1;
        }
    }

    /// Whether now lies in a set of instants of the stage, by the set's number; `None` if that has not been asked.
    #[inline]
    pub fn is_inside(&self, clock: u32) -> Option<bool> {
        if clock >= self.clocks {
            return None;
        }
        let word = match (clock / 64).checked_sub(1) {
            None => self.inside,
            Some(more) => *self.inside_more.get(more as usize)?,
        };
        Some(word >> (clock % 64) & 1 == 1)
    }

    /// What a slot holds at a later instant, if no run comes between now and then.
    pub fn at(&self, slot: u32, t: i64) -> Cell {
        match self.moving.iter().find(|(moving, _)| *moving == slot) {
            Some((_, moving)) => self.moved(*moving, t),
            None => self.cells.get(slot as usize).copied().unwrap_or(Cell::Missing),
        }
    }

    /// The name of a person whom only the request names.
    pub fn stranger(&self, program: &Program, person: u32) -> Option<&str> {
        let (at, len) = *self.strangers.get((person as usize).checked_sub(program.people.len())?)?;
        self.text.get(at as usize..(at as usize).saturating_add(len as usize))
    }

    /// A person whom only the request names.
    pub fn add_stranger(&mut self, name: &str, words: &Names) {
        if let Cell::Text { at, len, .. } = self.text(name, words) {
            self.strangers.push((at, len));
        }
    }

    /// What lies here, in use or not.
    pub fn left_behind(&self) -> usize {
        (self.text.len() + self.elements.len()).saturating_sub(self.laid_out)
    }

    /// Adds a word of a person, where it belongs.
    pub fn say(&mut self, said: Said) {
        let at = self.said.partition_point(|s| (s.person, s.at, s.word) <= (said.person, said.at, said.word));
        self.said.insert(at, said);
    }

    /// The members of a directory group, if they were supplied; sorted.
    pub fn directory(&self, group: crate::program::GroupId) -> Option<&[u32]> {
        self.directories.get(group.0 as usize)?.as_deref()
    }
}

/// The type of a declared fact, or of what is under its key.
pub(crate) fn slot_type(program: &Program, slot: u32) -> Option<&Type> {
    match program.slots.get(slot as usize)? {
        Slot::Fact(index) => Some(&program.facts.get(*index as usize)?.ty),
        Slot::FactKey(index, _) => match &program.facts.get(*index as usize)?.ty {
            Type::Map(of) => Some(of),
            _ => None,
        },
        Slot::Builtin(_) => None,
    }
}
