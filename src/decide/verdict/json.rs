//! A request in JSON, read straight into cells: no request and no tree of values in between.
//!
//! It reads what ordinary requests look like, and refuses everything else, right or wrong; then the long way over
//! [`Request::from_json_with`](crate::Request::from_json_with) tells what is wrong, or decides all the same.

use super::compact::{Cell, FactPlan, NONE};
use super::filling::{Filled, Filling, List, Occupant, Refused};
use super::room::{Room, run_status};
use super::scan::Scan;
use crate::decide::names::Names;
use crate::facts::slots::RunAt;
use crate::facts::{RunStatus, Word};
use crate::program::{ACTION, TRIGGER, Type};

/// Reads a request.
pub(crate) fn read(filling: &mut Filling<'_>, json: &[u8]) -> Filled {
    if json.len() > filling.inner.limits.request_bytes {
        return Err(Refused);
    }
    let text = std::str::from_utf8(json).map_err(|_| Refused)?;
    let mut scan = Scan::new(text.strip_prefix('\u{feff}').unwrap_or(text));
    request(filling, &mut scan)?;
    scan.end()
}

/// Marks a field as seen, which it may be once.
#[inline]
fn once(seen: &mut u32, field: u32) -> Filled {
    let bit = 1 << field;
    if *seen & bit != 0 {
        return Err(Refused);
    }
    *seen |= bit;
    Ok(())
}

fn maybe_instant(scan: &mut Scan<'_>) -> Filled<Option<i64>> {
    if scan.null() { Ok(None) } else { scan.instant().map(Some) }
}

fn request(filling: &mut Filling<'_>, scan: &mut Scan<'_>) -> Filled {
    let mut seen = 0;
    scan.object(|scan, key| {
        let field = match key {
            "stage" => 0,
            "now" => 1,
            "trigger" => 2,
            "action" => 3,
            "requester" => 4,
            "build" => 5,
            "current" => 6,
            "deploying" => 7,
            "history" => 8,
            "approvals" => 9,
            "groups" => 10,
            "facts" => 11,
            // Overrides, and what is no field.
            _ => return Err(Refused),
        };
        once(&mut seen, field)?;
        match field {
            0 => return filling.stage(scan.text()?),
            5 => return build(filling, scan),
            6 => return current(filling, scan),
            7 => return deploying(filling, scan),
            // `null` stands for what is left out.
            _ if scan.null() => return Ok(()),
            _ => {}
        }
        match field {
            1 => filling.now(scan.instant()?)?,
            2 => trigger(filling, scan)?,
            3 => {
                let action = scan.text()?;
                filling.action(ACTION.iter().position(|known| *known == action).ok_or(Refused)? as u16);
            }
            4 => filling.requester(scan.text()?)?,
            8 => scan.list(|scan| run(filling, scan))?,
            9 => scan.list(|scan| approval(filling, scan))?,
            10 => groups(filling, scan)?,
            _ => facts(filling, scan)?,
        }
        Ok(())
    })?;
    // The stage and the build must be there.
    if seen & 0b10_0001 == 0b10_0001 { Ok(()) } else { Err(Refused) }
}

fn deploying(filling: &mut Filling<'_>, scan: &mut Scan<'_>) -> Filled {
    let id = scan.maybe_text()?;
    if filling.given.deploying.is_some() {
        return Err(Refused);
    }
    filling.deploying(id)
}

fn trigger(filling: &mut Filling<'_>, scan: &mut Scan<'_>) -> Filled {
    let (mut seen, mut kind, mut text) = (0, None, None);
    scan.object(|scan, key| {
        let field = match key {
            "branch" => 0,
            "at" => 2,
            "by" => 3,
            "of" => 4,
            "name" => 5,
            "kind" => 6,
            _ => return Err(Refused),
        };
        once(&mut seen, field)?;
        match field {
            6 => kind = Some(trigger_kind(scan.text()?)?),
            2 => _ = maybe_instant(scan)?,
            _ => text = scan.maybe_text()?,
        }
        Ok(())
    })?;
    let kind = kind.ok_or(Refused)?;
    // The field that belongs to the kind: of both that take a branch it is the same.
    let own = 1 << if kind == 1 { 0 } else { kind };
    if seen & !(1 << 6) & !own != 0 {
        return Err(Refused);
    }
    filling.trigger(kind, text)
}

/// The number of a kind of trigger among the program's.
fn trigger_kind(name: &str) -> Filled<u16> {
    TRIGGER
        .iter()
        .zip(0..)
        .find(|(known, _)| known.len() == name.len() && **known == name)
        .map(|(_, kind)| kind)
        .ok_or(Refused)
}

fn build(filling: &mut Filling<'_>, scan: &mut Scan<'_>) -> Filled {
    let mut seen = 0;
    scan.object(|scan, key| {
        let field = match key {
            "id" => 0,
            "digest" => 1,
            "version" => 2,
            "branch" => 3,
            "commit" => 4,
            "author" => 5,
            "contributors" => 6,
            "labels" => 7,
            "created" => 8,
            _ => return Err(Refused),
        };
        once(&mut seen, field)?;
        if field != 0 && scan.null() {
            return Ok(());
        }
        match field {
            0 => filling.build_id(scan.text()?),
            1 => filling.build_digest(scan.text()?),
            2 => filling.version(scan.text()?),
            3 => filling.branch(scan.text()?),
            4 => filling.commit(scan.text()?),
            5 => filling.author(scan.text()?),
            6 => texts(filling, scan, List::Contributors),
            7 => texts(filling, scan, List::Labels),
            _ => {
                filling.created(scan.instant()?);
                Ok(())
            }
        }
    })?;
    if seen & 1 == 1 { Ok(()) } else { Err(Refused) }
}

fn texts(filling: &mut Filling<'_>, scan: &mut Scan<'_>, list: List) -> Filled {
    let from = filling.list();
    scan.list(|scan| filling.listed(list, scan.text()?))?;
    filling.list_ends(list, from)
}

fn current(filling: &mut Filling<'_>, scan: &mut Scan<'_>) -> Filled {
    if scan.null() {
        filling.current = Some(Occupant::NOTHING);
        return Ok(());
    }
    filling.current = Some(Occupant::default());
    let mut seen = 0;
    scan.object(|scan, key| {
        let field = match key {
            "id" => 0,
            "digest" => 1,
            "version" => 2,
            "created" => 3,
            "at" => 4,
            "deploying" => 5,
            _ => return Err(Refused),
        };
        once(&mut seen, field)?;
        if field == 5 {
            return deploying(filling, scan);
        }
        if scan.null() {
            return Ok(());
        }
        match field {
            0 => filling.occupant_id(scan.text()?)?,
            1 => filling.occupant_digest(scan.text()?)?,
            2 => filling.occupant_version(scan.text()?)?,
            3 => filling.occupant_created(scan.instant()?),
            _ => filling.occupant_at(scan.instant()?),
        }
        Ok(())
    })
}

fn run(filling: &mut Filling<'_>, scan: &mut Scan<'_>) -> Filled {
    let mut seen = 0;
    let (mut stage, mut run, mut digest, mut build) = ("", RunAt { at: 0, status: RunStatus::Pending }, None, None);
    scan.object(|scan, key| {
        let field = match key {
            "stage" => 0,
            "status" => 1,
            "at" => 2,
            "digest" => 3,
            "build" => 4,
            _ => return Err(Refused),
        };
        once(&mut seen, field)?;
        match field {
            0 => stage = scan.text()?,
            1 => run.status = run_status(scan.text()?).ok_or(Refused)?,
            2 => run.at = scan.instant()?,
            3 => digest = scan.maybe_text()?,
            _ => build = scan.maybe_text()?,
        }
        Ok(())
    })?;
    if seen & 0b111 != 0b111 {
        return Err(Refused);
    }
    filling.run(stage, run, digest, build)
}

fn approval(filling: &mut Filling<'_>, scan: &mut Scan<'_>) -> Filled {
    let mut seen = 0;
    let (mut by, mut word, mut at) = ("", Word::Withdraw, 0);
    let (mut stage, mut build, mut digest) = (None, None, None);
    scan.object(|scan, key| {
        let field = match key {
            "by" => 0,
            "decision" => 1,
            "at" => 2,
            "stage" => 3,
            "build" => 4,
            "digest" => 5,
            "comment" => 6,
            _ => return Err(Refused),
        };
        once(&mut seen, field)?;
        match field {
            0 => by = scan.text()?,
            1 => {
                word = match scan.text()? {
                    "approve" => Word::Approve,
                    "reject" => Word::Reject,
                    "withdraw" => Word::Withdraw,
                    _ => return Err(Refused),
                }
            }
            2 => at = scan.instant()?,
            3 => stage = scan.maybe_text()?,
            4 => build = scan.maybe_text()?,
            5 => digest = scan.maybe_text()?,
            _ => _ = scan.maybe_text()?,
        }
        Ok(())
    })?;
    if seen & 0b111 != 0b111 {
        return Err(Refused);
    }
    filling.approval((by, word, at), stage, build, digest)
}

/// Objects with more keys than this take the long way.
const KEYS: usize = 32;

/// Keys of an object by their hashes, to see that each is given once. Two that have the same hash take the long way too.
struct Keys<'f> {
    names: &'f Names,
    hashes: [u32; KEYS],
    count: usize,
}

impl<'f> Keys<'f> {
    fn new(filling: &Filling<'f>) -> Keys<'f> {
        Keys { names: &filling.inner.plan.words, hashes: [0; KEYS], count: 0 }
    }

    fn add(&mut self, key: &str) -> Filled {
        let hash = self.names.hash_of(key);
        if self.hashes.iter().take(self.count).any(|known| *known == hash) {
            return Err(Refused);
        }
        *self.hashes.get_mut(self.count).ok_or(Refused)? = hash;
        self.count += 1;
        Ok(())
    }
}

fn groups(filling: &mut Filling<'_>, scan: &mut Scan<'_>) -> Filled {
    let mut keys = Keys::new(filling);
    scan.object(|scan, key| {
        keys.add(key)?;
        scan.list(|scan| filling.member(scan.text()?))?;
        filling.group(key)
    })
}

fn facts(filling: &mut Filling<'_>, scan: &mut Scan<'_>) -> Filled {
    let compact = filling.compact;
    // Those that are not declared.
    let mut keys = Keys::new(filling);
    scan.object(|scan, key| {
        filling.count(1);
        match compact.fact(key) {
            Some(plan) => {
                filling.once(plan.fact)?;
                fact(filling, scan, plan)
            }
            None => {
                keys.add(key)?;
                unread(scan)
            }
        }
    })
}

/// A value that nobody reads; lists and maps take the long way.
fn unread(scan: &mut Scan<'_>) -> Filled {
    match scan.token() {
        Some(b'"') => scan.text().map(|_| ()),
        Some(b'-' | b'0'..=b'9') => scan.number().map(|_| ()),
        _ if scan.word("null") || scan.word("true") || scan.word("false") => Ok(()),
        _ => Err(Refused),
    }
}

/// A declared fact.
fn fact(filling: &mut Filling<'_>, scan: &mut Scan<'_>, plan: &FactPlan) -> Filled {
    let cell = match (&plan.ty, scan.token()) {
        (_, Some(b'n')) if plan.optional && scan.word("null") => Cell::Null,
        (Type::Set(of), _) => {
            let mut room = Room::new(of, filling.given);
            scan.list(|scan| {
                filling.count(1);
                let cell = scalar(filling, scan, of)?;
                room.add(cell, filling.given);
                Ok(())
            })?;
            room.cell(filling.given)?
        }
        (Type::Map(of), _) => return map(filling, scan, plan, of),
        (ty, _) => scalar(filling, scan, ty)?,
    };
    filling.fact(plan.whole, cell);
    for (_, slot) in &plan.keys {
        filling.fact(*slot, cell);
    }
    Ok(())
}

fn map(filling: &mut Filling<'_>, scan: &mut Scan<'_>, plan: &FactPlan, of: &Type) -> Filled {
    let mut room = Room::new(of, filling.given);
    let mut keys = Keys::new(filling);
    scan.object(|scan, key| {
        keys.add(key)?;
        filling.count(1);
        let cell = scalar(filling, scan, of)?;
        if let Some((_, slot)) = plan.keys.iter().find(|(known, _)| **known == *key) {
            filling.fact(*slot, cell);
        }
        if plan.whole != NONE {
            room.add(cell, filling.given);
        }
        Ok(())
    })?;
    let cell = room.cell(filling.given)?;
    filling.fact(plan.whole, cell);
    Ok(())
}

/// A value that is neither list nor map; lists of lists and the like take the long way.
fn scalar(filling: &mut Filling<'_>, scan: &mut Scan<'_>, ty: &Type) -> Filled<Cell> {
    match ty {
        Type::Bool if scan.word("true") => Ok(Cell::Bool(true)),
        Type::Bool if scan.word("false") => Ok(Cell::Bool(false)),
        Type::Number => scan.number().map(Cell::Number),
        Type::Bool | Type::Set(_) | Type::Map(_) => Err(Refused),
        ty => filling.scalar_text(ty, scan.text()?),
    }
}
