//! Fills a [`Given`] with what a caller has at hand, without a request in between.
//!
//! Whatever is out of the ordinary is refused here without a word: the caller then takes the long way, over a
//! [`Request`](crate::Request), which tells what is wrong or decides all the same.

use super::compact::{Cell, Compact, CompactStage, NONE};
use super::given::{Came, Given, Moving};
use super::reads::Reads;
use super::room::{elements_from, enum_value};
use crate::facts::Word;
use crate::facts::slots::{Occupied, RunAt, Said};
use crate::policy::Inner;
use crate::program::{Builtin, Program, Type};

/// Refused: take the long way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused;

pub(crate) type Filled<T = ()> = Result<T, Refused>;

/// More people whom the policy does not name than this take the long way.
const STRANGERS: usize = 32;

/// Where a text stands in [`Given::text`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Place {
    at: u32,
    len: u32,
}

/// What was said or run, until it is known whether it was this build, stage and digest.
#[derive(Clone, Copy, Debug)]
struct About {
    stage: u32,
    build: Option<Place>,
    digest: Option<Place>,
}

/// What is kept from one request to the next only for its room.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    runs: Vec<(About, RunAt)>,
    said: Vec<(About, Said)>,
    /// By fact: whether it was given, as bits.
    facts: Vec<u64>,
    members: Vec<u32>,
}

/// A list of texts of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Labels,
    Contributors,
}

/// A request that is being filled in.
pub(crate) struct Filling<'f> {
    pub program: &'f Program,
    pub compact: &'f Compact,
    pub given: &'f mut Given,
    notes: &'f mut Notes,
    pub inner: &'f Inner,
    /// Entries so far, as the limits count them.
    entries: usize,
    stage: Option<u32>,
    /// What that stage reads.
    pub reads: Reads,
    /// By stage: which fields of an own struct it reads, as bits.
    fields: &'f [u64],
    /// Those of the stage that is asked for; all while it is not known.
    pub asked: u64,
    /// The type of the elements of the collection that is being filled, and the last one of them.
    pub element: (Option<&'f Type>, Cell),
    now: Option<i64>,
    build: Option<Place>,
    digest: Option<Place>,
    created: Option<i64>,
    version: Option<Cell>,
    requester: Option<u32>,
    said_requester: bool,
    by: Option<u32>,
    pub current: Option<Occupant>,
    /// What a push went to, if it says so.
    branch: Cell,
    push_to: Option<Cell>,
}

/// The build that occupies the stage; `None` in [`Filling::current`] when it is not known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Occupant {
    nothing: bool,
    id: Option<Place>,
    digest: Option<Place>,
    version: Option<Cell>,
    created: Option<i64>,
    at: Option<i64>,
}

impl Occupant {
    /// The stage is empty.
    pub const NOTHING: Occupant =
        Occupant { nothing: true, id: None, digest: None, version: None, created: None, at: None };
}

thread_local! {
    static ROOM: std::cell::RefCell<(Given, Notes)> = std::cell::RefCell::default();
}

/// More bytes than this are given back after a request.
const KEPT: usize = 1 << 20;

/// Fills in a request and asks for its answer; all in room that is used again and again.
pub(crate) fn filled<T>(
    inner: &Inner,
    fields: &[u64],
    fill: impl FnOnce(&mut Filling<'_>) -> Filled,
    ask: impl FnOnce(&Given) -> Option<T>,
) -> Option<T> {
    ROOM.with(|room| {
        // A caller's own code may be asked for facts, and may ask for another verdict.
        let mut room = room.try_borrow_mut().ok()?;
        let (given, notes) = &mut *room;
        given.clear(inner);
        notes.runs.clear();
        notes.said.clear();
        notes.facts.clear();
        notes.members.clear();
        let mut filling = Filling {
            program: &inner.program,
            compact: &inner.compact,
            given,
            notes,
            inner,
            entries: 0,
            stage: None,
            reads: Reads::default(),
            fields,
            asked: u64::MAX,
            element: (None, Cell::Missing),
            now: None,
            build: None,
            digest: None,
            created: None,
            version: None,
            requester: None,
            said_requester: false,
            by: None,
            current: None,
            branch: Cell::Missing,
            push_to: None,
        };
        let done = fill(&mut filling).and_then(|()| filling.finish());
        let answer = done.ok().and_then(|()| ask(given));
        if given.text.capacity() > KEPT || given.elements.capacity() > KEPT / 16 || given.said.capacity() > KEPT / 32 {
            *room = Default::default();
        }
        answer
    })
}

impl Filling<'_> {
    /// Counts entries of lists and maps; in the end they must not be too many.
    #[inline]
    pub fn count(&mut self, entries: usize) {
        self.entries = self.entries.saturating_add(entries);
    }

    fn keep(&mut self, text: &str) -> Filled<Place> {
        let (Ok(at), Ok(len)) = (u32::try_from(self.given.text.len()), u32::try_from(text.len())) else {
            return Err(Refused);
        };
        self.given.text.push_str(text);
        Ok(Place { at, len })
    }

    fn kept(&self, place: Place) -> &str {
        self.given.text.get(place.at as usize..(place.at + place.len) as usize).unwrap_or_default()
    }

    fn kept_text(&mut self, text: &str) -> Filled<Cell> {
        let Place { at, len } = self.keep(text)?;
        Ok(Cell::Text { id: self.inner.plan.words.get(text).unwrap_or(NONE), at, len })
    }

    fn name(&mut self, name: &str) -> Filled<Place> {
        if name.is_empty() { Err(Refused) } else { self.keep(name) }
    }

    fn text_at(&self, place: Place) -> Cell {
        let id = self.inner.plan.words.get(self.kept(place)).unwrap_or(NONE);
        Cell::Text { id, at: place.at, len: place.len }
    }

    fn set(&mut self, slot: u32, cell: Cell) {
        if slot != NONE {
            self.given.set(slot, cell);
        }
    }

    fn builtin(&mut self, builtin: Builtin, cell: Cell) {
        self.set(self.compact.builtins.of(builtin), cell);
    }

    #[inline]
    pub fn reads(&self, builtin: Builtin) -> bool {
        self.reads.slot(self.compact.builtins.of(builtin))
    }

    /// A text for a slot, if it is read.
    fn builtin_text(&mut self, builtin: Builtin, text: &str) -> Filled {
        if self.reads(builtin) {
            let cell = self.kept_text(text)?;
            self.builtin(builtin, cell);
        }
        Ok(())
    }

    /// A person by name.
    pub fn person(&mut self, name: &str) -> Filled<u32> {
        if name.is_empty() {
            return Err(Refused);
        }
        let people = self.program.people.len();
        if let Some(id) = self.inner.plan.person(name) {
            return Ok(id);
        }
        if !self.compact.directories {
            // Nobody asks who it is, only that it is none of the policy's.
            return Ok(people as u32);
        }
        let known = self.given.strangers.iter().position(|(at, len)| self.kept(Place { at: *at, len: *len }) == name);
        let index = match known {
            Some(index) => index,
            None if self.given.strangers.len() >= STRANGERS => return Err(Refused),
            None => {
                let Place { at, len } = self.keep(name)?;
                self.given.strangers.push((at, len));
                self.given.strangers.len() - 1
            }
        };
        Ok((people + index) as u32)
    }

    pub fn stage(&mut self, name: &str) -> Filled {
        self.stage_number(self.inner.plan.stage(name).ok_or(Refused)?.0)
    }

    /// By its number in the policy; once, since what it does not read is passed over from then on.
    pub fn stage_number(&mut self, stage: u32) -> Filled {
        if self.stage.replace(stage).is_some() {
            return Err(Refused);
        }
        self.reads = self.compact.stages.get(stage as usize).ok_or(Refused)?.reads;
        self.asked = self.fields.get(stage as usize).copied().unwrap_or(u64::MAX);
        Ok(())
    }

    /// An instant in nanoseconds, within the years of the engine; once, since what follows counts for it.
    pub fn now(&mut self, now: i64) -> Filled {
        if self.now.replace(now).is_some() { Err(Refused) } else { Ok(()) }
    }

    pub fn build_id(&mut self, id: &str) -> Filled {
        let place = self.name(id)?;
        self.build = Some(place);
        if self.reads(Builtin::BuildId) {
            self.builtin(Builtin::BuildId, self.text_at(place));
        }
        Ok(())
    }

    pub fn build_digest(&mut self, digest: &str) -> Filled {
        let place = self.name(digest)?;
        self.digest = Some(place);
        if self.reads(Builtin::BuildDigest) {
            self.builtin(Builtin::BuildDigest, self.text_at(place));
        }
        Ok(())
    }

    pub fn branch(&mut self, branch: &str) -> Filled {
        if self.reads(Builtin::BuildBranch) || self.compact.pushes && self.reads.trigger {
            self.branch = self.kept_text(branch)?;
            self.builtin(Builtin::BuildBranch, self.branch);
        }
        Ok(())
    }

    pub fn commit(&mut self, commit: &str) -> Filled {
        self.builtin_text(Builtin::BuildCommit, commit)
    }

    pub fn author(&mut self, author: &str) -> Filled {
        if author.is_empty() {
            return Err(Refused);
        }
        if self.reads.author {
            self.given.author = Some(self.person(author)?);
        }
        self.builtin_text(Builtin::BuildAuthor, author)
    }

    /// Begins a list of texts; its elements lie from here on.
    pub fn list(&self) -> usize {
        self.given.elements.len()
    }

    /// One more text of a list.
    pub fn listed(&mut self, list: List, text: &str) -> Filled {
        self.count(1);
        if list == List::Contributors {
            if text.is_empty() {
                return Err(Refused);
            }
            if self.reads.author {
                let person = self.person(text)?;
                self.given.contributors.push(person);
            }
        }
        if self.reads(list.builtin()) {
            let cell = self.kept_text(text)?;
            self.given.elements.push(cell);
        }
        Ok(())
    }

    pub fn list_ends(&mut self, list: List, from: usize) -> Filled {
        if list == List::Contributors {
            self.given.contributors.sort_unstable();
            self.given.contributors.dedup();
        }
        if self.reads(list.builtin()) {
            let cell = elements_from(from, self.given)?;
            self.builtin(list.builtin(), cell);
        }
        Ok(())
    }

    pub fn created(&mut self, at: i64) {
        self.created = Some(at);
        self.builtin(Builtin::BuildCreated, Cell::Time(at));
    }

    pub fn version(&mut self, version: &str) -> Filled {
        self.version = self.parsed(version)?;
        self.builtin(Builtin::BuildVersion, self.version.unwrap_or(Cell::Missing));
        Ok(())
    }

    /// A version, if any stage asks for one.
    fn parsed(&mut self, version: &str) -> Filled<Option<Cell>> {
        if !self.compact.asks_versions {
            return Ok(None);
        }
        Ok(Some(self.given.version(semver::Version::parse(version).map_err(|_| Refused)?)))
    }

    pub fn action(&mut self, index: u16) {
        self.builtin(Builtin::Action, Cell::Enum(index));
    }

    pub fn requester(&mut self, name: &str) -> Filled {
        if name.is_empty() {
            return Err(Refused);
        }
        if self.reads.asker {
            self.requester = Some(self.person(name)?);
        }
        self.said_requester = true;
        self.builtin_text(Builtin::Requester, name)
    }

    /// A trigger by the number of its kind among the program's, with the text that belongs to it.
    pub fn trigger(&mut self, kind: u16, text: Option<&str>) -> Filled {
        self.builtin(Builtin::Trigger, Cell::Enum(kind));
        // People, stages and events have names.
        if kind >= 3 && text == Some("") {
            return Err(Refused);
        }
        let cell = match (kind, text) {
            (0 | 1, Some(text)) if self.compact.pushes && self.reads.trigger => self.kept_text(text)?,
            (5, Some(text)) if self.reads.trigger => self.kept_text(text)?,
            _ => Cell::Missing,
        };
        self.given.trigger = match kind {
            0 => {
                self.push_to = Some(cell);
                Came::Push(cell)
            }
            1 => Came::PullRequest(cell),
            2 => Came::Schedule,
            3 => {
                if let Some(name) = text {
                    if self.reads.asker {
                        self.by = Some(self.person(name)?);
                    }
                    if !self.said_requester {
                        self.builtin_text(Builtin::Requester, name)?;
                    }
                }
                Came::Manual(None)
            }
            4 => Came::Completion(text.map(|name| self.stage_or_none(name))),
            _ => Came::Event(cell),
        };
        Ok(())
    }

    /// The id of what is being deployed; `None`: nothing is.
    pub fn deploying(&mut self, id: Option<&str>) -> Filled {
        self.given.deploying = match id {
            None => Some(None),
            Some(id) => {
                let Place { at, len } = self.name(id)?;
                Some(Some((at, len)))
            }
        };
        Ok(())
    }

    /// A stage by name; [`NONE`] is another than all of the policy.
    #[inline(always)]
    fn stage_or_none(&self, name: &str) -> u32 {
        self.inner.plan.stage(name).map_or(NONE, |stage| stage.0)
    }

    fn about(&mut self, stage: u32, build: Option<&str>, digest: Option<&str>) -> Filled<About> {
        let build = build.map(|b| self.name(b)).transpose()?;
        let digest = digest.map(|d| self.name(d)).transpose()?;
        Ok(About { stage, build, digest })
    }

    /// A run of the build, with its digest. A stage that the policy does not have is passed over.
    #[inline(always)]
    pub fn own_run(&mut self, stage: &str, run: RunAt) -> Filled {
        self.count(1);
        if stage.is_empty() {
            return Err(Refused);
        }
        if self.reads.runs {
            let stage = self.stage_or_none(stage);
            if self.reads.run_of(stage) {
                match self.now {
                    Some(now) if self.given.all_runs_heard() => self.given.hear_run(stage, run, now),
                    _ => self.given.runs.push((stage, run)),
                }
            }
        }
        Ok(())
    }

    /// A run, perhaps of another build or digest.
    pub fn run(&mut self, stage: &str, run: RunAt, digest: Option<&str>, build: Option<&str>) -> Filled {
        if digest.is_none() && build.is_none() {
            return self.own_run(stage, run);
        }
        self.count(1);
        if stage.is_empty() || digest.is_some_and(str::is_empty) || build.is_some_and(str::is_empty) {
            return Err(Refused);
        }
        let stage = self.stage_or_none(stage);
        if self.reads.run_of(stage) {
            let about = self.about(stage, build, digest)?;
            self.notes.runs.push((about, run));
        }
        Ok(())
    }

    /// Who approves, by name; `None`: nobody who may count.
    #[inline(always)]
    fn approver(&mut self, name: &str) -> Filled<Option<u32>> {
        match self.inner.plan.person(name) {
            Some(person) => Ok(Some(person)),
            None if !self.compact.directories => Ok(None),
            None => self.person(name).map(Some),
        }
    }

    /// What an approver said of this stage and build, with its digest.
    #[inline(always)]
    pub fn own_approval(&mut self, (by, word, at): (&str, Word, i64)) -> Filled {
        self.count(1);
        if by.is_empty() {
            return Err(Refused);
        }
        if self.reads.approvals
            && let Some(person) = self.approver(by)?
        {
            let said = Said { person, at, word };
            match self.now {
                Some(now) if self.given.places != 0 => self.given.hear(said, now),
                _ => self.given.said.push(said),
            }
        }
        Ok(())
    }

    /// What an approver said, perhaps of another stage, build or digest.
    pub fn approval(
        &mut self,
        (by, word, at): (&str, Word, i64),
        stage: Option<&str>,
        build: Option<&str>,
        digest: Option<&str>,
    ) -> Filled {
        if stage.is_none() && build.is_none() && digest.is_none() {
            return self.own_approval((by, word, at));
        }
        self.count(1);
        let empty = |text: Option<&str>| text.is_some_and(str::is_empty);
        if by.is_empty() || empty(stage) || empty(digest) || empty(build) {
            return Err(Refused);
        }
        if self.reads.approvals
            && let Some(person) = self.approver(by)?
        {
            // What says nothing is about the stage that is asked for.
            let stage = stage.map_or(NONE - 1, |name| self.stage_or_none(name));
            let about = self.about(stage, build, digest)?;
            self.notes.said.push((about, Said { person, at, word }));
        }
        Ok(())
    }

    /// One more member of a group, which is named when all have been told.
    pub fn member(&mut self, name: &str) -> Filled {
        self.count(1);
        let person = self.person(name)?;
        self.notes.members.push(person);
        Ok(())
    }

    /// The members told so far are those of a group.
    pub fn group(&mut self, name: &str) -> Filled {
        self.count(1);
        let mut people = std::mem::take(&mut self.notes.members);
        people.sort_unstable();
        people.dedup();
        let index = self.program.groups.iter().position(|g| g.name == name && g.members.is_none());
        if let Some(place) = index.and_then(|index| self.given.directories.get_mut(index)) {
            *place = Some(people);
        }
        Ok(())
    }

    pub fn occupant_id(&mut self, id: &str) -> Filled {
        let place = self.name(id)?;
        self.current.get_or_insert_default().id = Some(place);
        if self.reads(Builtin::CurrentId) {
            self.builtin(Builtin::CurrentId, self.text_at(place));
        }
        Ok(())
    }

    pub fn occupant_digest(&mut self, digest: &str) -> Filled {
        let place = self.name(digest)?;
        self.current.get_or_insert_default().digest = Some(place);
        if self.reads(Builtin::CurrentDigest) {
            self.builtin(Builtin::CurrentDigest, self.text_at(place));
        }
        Ok(())
    }

    pub fn occupant_version(&mut self, version: &str) -> Filled {
        let version = self.parsed(version)?;
        self.current.get_or_insert_default().version = version;
        self.builtin(Builtin::CurrentVersion, version.unwrap_or(Cell::Missing));
        Ok(())
    }

    pub fn occupant_created(&mut self, at: i64) {
        self.current.get_or_insert_default().created = Some(at);
        self.builtin(Builtin::CurrentCreated, Cell::Time(at));
    }

    pub fn occupant_at(&mut self, at: i64) {
        self.current.get_or_insert_default().at = Some(at);
        self.builtin(Builtin::CurrentAt, Cell::Time(at));
    }

    /// Marks a declared fact as given, which it may be once.
    pub fn once(&mut self, fact: u32) -> Filled {
        let (at, bit) = (fact as usize / 64, 1u64 << (fact % 64));
        if self.notes.facts.len() <= at {
            self.notes.facts.resize(at + 1, 0);
        }
        let word = self.notes.facts.get_mut(at).ok_or(Refused)?;
        if *word & bit != 0 {
            return Err(Refused);
        }
        *word |= bit;
        Ok(())
    }

    /// The value of a declared fact, and of what is under keys of it, is given slot by slot.
    #[inline]
    pub fn fact(&mut self, slot: u32, cell: Cell) {
        self.set(slot, cell);
    }

    /// A text as a scalar type wants it.
    pub fn scalar_text(&mut self, ty: &Type, text: &str) -> Filled<Cell> {
        match ty {
            Type::String | Type::User => self.kept_text(text),
            Type::Enum(values) => enum_value(values, text).ok_or(Refused),
            Type::Time => match crate::facts::time::quick(text) {
                Some(t) => Ok(Cell::Time(t)),
                None => Err(Refused),
            },
            Type::Duration => crate::facts::prepare::duration(text).map(Cell::Duration).ok_or(Refused),
            Type::Version => Ok(self.given.version(semver::Version::parse(text).map_err(|_| Refused)?)),
            Type::Bool | Type::Number | Type::Set(_) | Type::Map(_) => Err(Refused),
        }
    }

    /// Puts what has been collected where the verdict looks for it.
    fn finish(&mut self) -> Filled {
        let stage = self.stage.ok_or(Refused)?;
        let build = self.build.ok_or(Refused)?;
        if self.entries > self.inner.limits.request_entries {
            return Err(Refused);
        }
        self.given.stage = stage;
        self.given.now = self.now.ok_or(Refused)?;
        self.given.requester = self.requester.or(self.by);
        match self.given.trigger {
            // A push goes to the build's branch if it does not say so.
            Came::Push(Cell::Missing) if self.push_to == Some(Cell::Missing) => {
                self.given.trigger = Came::Push(self.branch);
            }
            // Who asks stands in for who set it off.
            Came::Manual(_) => self.given.trigger = Came::Manual(self.by.or(self.given.requester)),
            _ => {}
        }
        if self.given.cells.get(self.compact.builtins.of(Builtin::Action) as usize) == Some(&Cell::Missing) {
            self.action(0);
        }
        self.given.free = self.given.deploying.map(|id| match id {
            None => true,
            Some((at, len)) => self.kept(Place { at, len }) == self.kept(build),
        });
        let Some(flat) = self.compact.stages.get(stage as usize) else { return Err(Refused) };
        if !self.notes.said.is_empty() || self.given.places == 0 {
            self.words(stage, build);
        }
        if !self.notes.runs.is_empty() {
            self.runs(build);
        }
        if self.reads.occupant {
            self.occupied(build);
        }
        self.moving(flat);
        self.given.settle_what_is_left();
        if self.given.places == 0 {
            self.given.take_seats(self.inner);
        }
        Ok(())
    }

    fn own(&self, about: &About, build: Place) -> bool {
        about.build.is_none_or(|b| self.kept(b) == self.kept(build)) && self.same_digest(about.digest)
    }

    fn same_digest(&self, digest: Option<Place>) -> bool {
        match (digest, self.digest) {
            (Some(a), Some(b)) => self.kept(a) == self.kept(b),
            _ => true,
        }
    }

    fn words(&mut self, stage: u32, build: Place) {
        for index in 0..self.notes.said.len() {
            let Some((about, said)) = self.notes.said.get(index).copied() else { continue };
            if (about.stage != NONE - 1 && about.stage != stage) || !self.own(&about, build) {
                continue;
            }
            self.given.said.push(said);
        }
        let key = |s: &Said| (s.person, s.at, s.word);
        if self.given.places == 0 && !self.given.said.is_sorted_by_key(key) {
            self.given.said.sort_unstable_by_key(key);
        }
    }

    fn runs(&mut self, build: Place) {
        for index in 0..self.notes.runs.len() {
            let Some((about, run)) = self.notes.runs.get(index).copied() else { continue };
            if self.own(&about, build) {
                self.given.runs.push((about.stage, run));
            }
        }
    }

    fn occupied(&mut self, build: Place) {
        let Some(occupant) = self.current else { return };
        if occupant.nothing {
            self.given.occupied = Occupied::Nothing;
            return;
        }
        self.given.occupied = match occupant.id {
            None => Occupied::Unknown,
            Some(id) if self.kept(id) == self.kept(build) && self.same_digest(occupant.digest) => Occupied::Same,
            Some(_) => Occupied::Other,
        };
        let version = |cell: Option<Cell>| match cell {
            Some(Cell::Version(index)) => self.given.versions.get(index as usize),
            _ => None,
        };
        self.given.older = match (self.created, occupant.created, version(self.version), version(occupant.version)) {
            (Some(a), Some(b), ..) => Some(a < b),
            (.., Some(a), Some(b)) => Some(a.cmp_precedence(b).is_lt()),
            _ => None,
        };
    }

    fn moving(&mut self, flat: &CompactStage) {
        for (slot, builtin) in &flat.moving {
            let moving = match builtin {
                Builtin::Now => Some(Moving::Now),
                Builtin::BuildAge => self.created.map(Moving::Age),
                Builtin::CurrentAge => self.current.and_then(|c| c.at).map(Moving::Age),
                Builtin::StageStatus(stage) => Some(Moving::RunStatus(*stage)),
                Builtin::StageAt(stage) => Some(Moving::RunAt(*stage)),
                Builtin::StageAge(stage) => Some(Moving::RunAge(*stage)),
                _ => None,
            };
            if let Some(moving) = moving {
                self.given.moving.push((*slot, moving));
            }
        }
    }
}

impl List {
    fn builtin(self) -> Builtin {
        match self {
            List::Labels => Builtin::BuildLabels,
            List::Contributors => Builtin::BuildContributors,
        }
    }
}
