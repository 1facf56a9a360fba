//! A request in JSON, read straight into cells: no request and no tree of values in between.
//!
//! It reads what ordinary requests look like, and refuses everything else, right or wrong; then the long way over
//! [`Request::from_json_with`](crate::Request::from_json_with) tells what is wrong, or decides all the same.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::compact::{Cell, FactPlan, NONE};
use super::filling::{Filled, Filling, Occupant, Refused, Room, run_status};
use crate::facts::slots::RunAt;
use crate::facts::{RunStatus, Word, time};
use crate::program::Type;

/// Reads a request.
pub(crate) fn read(filling: &mut Filling<'_>, json: &[u8]) -> Filled {
    if json.len() > filling.inner.limits.request_bytes {
        return Err(Refused);
    }
    let text = std::str::from_utf8(json).map_err(|_| Refused)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(Whole(filling)).map_err(|_| Refused)?;
    deserializer.end().map_err(|_| Refused)
}

fn refuse<E: Error>(_: Refused) -> E {
    E::custom("")
}

/// A visitor of objects alone, each key of which is given once.
macro_rules! object {
    ($name:ident) => {
        impl<'de> DeserializeSeed<'de> for $name<'_, '_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_map(self)
            }
        }
    };
}

fn an_object(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("an object")
}

/// Marks a field as seen; `false` if it was.
fn once(seen: &mut u32, field: u32) -> bool {
    let bit = 1 << field;
    let first = *seen & bit == 0;
    *seen |= bit;
    first
}

struct Whole<'x, 'f>(&'x mut Filling<'f>);

impl<'de> Visitor<'de> for Whole<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        an_object(f)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let filling = self.0;
        let mut seen = 0;
        while let Some(key) = map.next_key::<&'de str>()? {
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
                "groups" => 11,
                "facts" => 12,
                // Overrides, and what is no field.
                _ => return Err(refuse(Refused)),
            };
            if !once(&mut seen, field) {
                return Err(refuse(Refused));
            }
            match field {
                0 => filling.stage(map.next_value::<&'de str>()?).map_err(refuse)?,
                1 => {
                    if let Some(Instant(now)) = map.next_value()? {
                        filling.now(now);
                    }
                }
                2 => map.next_value_seed(Maybe(Trigger(filling)))?,
                3 => {
                    if let Some(action) = map.next_value::<Option<&'de str>>()? {
                        let index = crate::program::ACTION.iter().position(|a| *a == action);
                        filling.action(index.ok_or_else(|| refuse(Refused))? as u16);
                    }
                }
                4 => {
                    if let Some(name) = map.next_value::<Option<&'de str>>()? {
                        filling.requester(name).map_err(refuse)?;
                    }
                }
                5 => map.next_value_seed(Build(filling))?,
                6 => map.next_value_seed(Current(filling))?,
                7 => {
                    let id = map.next_value::<Option<&'de str>>()?;
                    if filling.given.deploying.is_some() {
                        return Err(refuse(Refused));
                    }
                    filling.deploying(id).map_err(refuse)?;
                }
                8 => map.next_value_seed(Maybe(Each(filling, Entry::Run)))?,
                9 => map.next_value_seed(Maybe(Each(filling, Entry::Approval)))?,
                11 => map.next_value_seed(Maybe(Groups(filling)))?,
                _ => map.next_value_seed(Maybe(Facts(filling)))?,
            }
        }
        // The stage and the build must be there.
        if seen & 0b10_0001 == 0b10_0001 { Ok(()) } else { Err(refuse(Refused)) }
    }
}

/// `null` stands for what is left out.
struct Maybe<S>(S);

impl<'de, S: DeserializeSeed<'de, Value = ()>> DeserializeSeed<'de> for Maybe<S> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> Visitor<'de> for Maybe<S> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something or null")
    }
    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.deserialize(deserializer)
    }
}

/// An instant in nanoseconds, within the years of the engine.
struct Instant(i64);

impl<'de> serde::Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Instant;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Instant, E> {
                time::quick(text).map(Instant).ok_or_else(|| refuse(Refused))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A text that nobody reads, or null.
struct Unread;

impl<'de> serde::Deserialize<'de> for Unread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unread, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Unread;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Unread, E> {
                Ok(Unread)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

struct Trigger<'x, 'f>(&'x mut Filling<'f>);
object!(Trigger);

impl<'de> Visitor<'de> for Trigger<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        an_object(f)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = 0;
        let (mut kind, mut text) = (None, None);
        while let Some(key) = map.next_key::<&'de str>()? {
            let field = match key {
                "kind" => 6,
                "branch" => 0,
                "at" => 2,
                "by" => 3,
                "of" => 4,
                "name" => 5,
                _ => return Err(refuse(Refused)),
            };
            if !once(&mut seen, field) {
                return Err(refuse(Refused));
            }
            match field {
                6 => kind = Some(map.next_value::<&'de str>()?),
                2 => {
                    map.next_value::<Option<Instant>>()?;
                }
                _ => text = map.next_value::<Option<&'de str>>()?,
            }
        }
        let kind = crate::program::TRIGGER.iter().position(|k| Some(*k) == kind).ok_or_else(|| refuse(Refused))?;
        // The field that belongs to the kind: of both that take a branch it is the same.
        let own = 1 << if kind == 1 { 0 } else { kind };
        if seen & !(1 << 6) & !own != 0 {
            return Err(refuse(Refused));
        }
        self.0.trigger(kind as u16, text).map_err(refuse)
    }
}

struct Build<'x, 'f>(&'x mut Filling<'f>);
object!(Build);

impl<'de> Visitor<'de> for Build<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        an_object(f)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let filling = self.0;
        let mut seen = 0;
        while let Some(key) = map.next_key::<&'de str>()? {
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
                _ => return Err(refuse(Refused)),
            };
            if !once(&mut seen, field) {
                return Err(refuse(Refused));
            }
            match field {
                0 => filling.build_id(map.next_value::<&'de str>()?).map_err(refuse)?,
                6 => map.next_value_seed(Maybe(Names(filling, true)))?,
                7 => map.next_value_seed(Maybe(Names(filling, false)))?,
                8 => {
                    if let Some(Instant(at)) = map.next_value()? {
                        filling.created(at);
                    }
                }
                field => {
                    if let Some(text) = map.next_value::<Option<&'de str>>()? {
                        let done = match field {
                            1 => filling.build_digest(text),
                            2 => filling.version(text),
                            3 => filling.branch(text),
                            4 => filling.commit(text),
                            _ => filling.author(text),
                        };
                        done.map_err(refuse)?;
                    }
                }
            }
        }
        if seen & 1 == 1 { Ok(()) } else { Err(refuse(Refused)) }
    }
}

/// Lists of texts longer than this take the long way.
const NAMES: usize = 32;

/// Texts of a list, without an allocation.
struct FewTexts<'de> {
    texts: [&'de str; NAMES],
    count: usize,
}

impl<'de> FewTexts<'de> {
    fn read<A: SeqAccess<'de>>(mut list: A) -> Result<FewTexts<'de>, A::Error> {
        let mut few = FewTexts { texts: [""; NAMES], count: 0 };
        while let Some(text) = list.next_element::<&'de str>()? {
            *few.texts.get_mut(few.count).ok_or_else(|| refuse(Refused))? = text;
            few.count += 1;
        }
        Ok(few)
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = &'de str> + Clone {
        self.texts.get(..self.count).unwrap_or_default().iter().copied()
    }
}

/// Contributors if so, else labels.
struct Names<'x, 'f>(&'x mut Filling<'f>, bool);

impl<'de> DeserializeSeed<'de> for Names<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Names<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        let few = FewTexts::read(list)?;
        match self.1 {
            true => self.0.contributors(few.iter()),
            false => self.0.labels(few.iter()),
        }
        .map_err(refuse)
    }
}

struct Current<'x, 'f>(&'x mut Filling<'f>);

impl<'de> DeserializeSeed<'de> for Current<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Current<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        an_object(f)
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.current = Some(Occupant::NOTHING);
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let filling = self.0;
        filling.current = Some(Occupant::default());
        let mut seen = 0;
        while let Some(key) = map.next_key::<&'de str>()? {
            let field = match key {
                "id" => 0,
                "digest" => 1,
                "version" => 2,
                "created" => 3,
                "at" => 4,
                "deploying" => 5,
                _ => return Err(refuse(Refused)),
            };
            if !once(&mut seen, field) {
                return Err(refuse(Refused));
            }
            match field {
                3 | 4 => {
                    if let Some(Instant(at)) = map.next_value()? {
                        if field == 3 { filling.occupant_created(at) } else { filling.occupant_at(at) }
                    }
                }
                5 => {
                    let id = map.next_value::<Option<&'de str>>()?;
                    if filling.given.deploying.is_some() {
                        return Err(refuse(Refused));
                    }
                    filling.deploying(id).map_err(refuse)?;
                }
                field => {
                    if let Some(text) = map.next_value::<Option<&'de str>>()? {
                        let done = match field {
                            0 => filling.occupant_id(text),
                            1 => filling.occupant_digest(text),
                            _ => filling.occupant_version(text),
                        };
                        done.map_err(refuse)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Entry {
    Run,
    Approval,
}

struct Each<'x, 'f>(&'x mut Filling<'f>, Entry);

impl<'de> DeserializeSeed<'de> for Each<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Each<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let more = match self.1 {
                Entry::Run => list.next_element_seed(Ran(&mut *self.0))?,
                Entry::Approval => list.next_element_seed(Approved(&mut *self.0))?,
            };
            if more.is_none() {
                return Ok(());
            }
        }
    }
}

struct Ran<'x, 'f>(&'x mut Filling<'f>);
object!(Ran);

impl<'de> Visitor<'de> for Ran<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        an_object(f)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = 0;
        let (mut stage, mut status, mut at, mut digest, mut build) = ("", RunStatus::Pending, 0, None, None);
        while let Some(key) = map.next_key::<&'de str>()? {
            let field = match key {
                "stage" => 0,
                "status" => 1,
                "at" => 2,
                "digest" => 3,
                "build" => 4,
                _ => return Err(refuse(Refused)),
            };
            if !once(&mut seen, field) {
                return Err(refuse(Refused));
            }
            match field {
                0 => stage = map.next_value()?,
                1 => status = run_status(map.next_value::<&'de str>()?).ok_or_else(|| refuse(Refused))?,
                2 => at = map.next_value::<Instant>()?.0,
                3 => digest = map.next_value::<Option<&'de str>>()?,
                _ => build = map.next_value::<Option<&'de str>>()?,
            }
        }
        if seen & 0b111 != 0b111 {
            return Err(refuse(Refused));
        }
        self.0.run(stage, RunAt { at, status }, digest, build).map_err(refuse)
    }
}

struct Approved<'x, 'f>(&'x mut Filling<'f>);
object!(Approved);

impl<'de> Visitor<'de> for Approved<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        an_object(f)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = 0;
        let (mut by, mut word, mut at) = ("", Word::Withdraw, 0);
        let (mut stage, mut build, mut digest) = (None, None, None);
        while let Some(key) = map.next_key::<&'de str>()? {
            let field = match key {
                "by" => 0,
                "decision" => 1,
                "at" => 2,
                "stage" => 3,
                "build" => 4,
                "digest" => 5,
                "comment" => 6,
                _ => return Err(refuse(Refused)),
            };
            if !once(&mut seen, field) {
                return Err(refuse(Refused));
            }
            match field {
                0 => by = map.next_value()?,
                1 => {
                    word = match map.next_value::<&'de str>()? {
                        "approve" => Word::Approve,
                        "reject" => Word::Reject,
                        "withdraw" => Word::Withdraw,
                        _ => return Err(refuse(Refused)),
                    }
                }
                2 => at = map.next_value::<Instant>()?.0,
                3 => stage = map.next_value::<Option<&'de str>>()?,
                4 => build = map.next_value::<Option<&'de str>>()?,
                5 => digest = map.next_value::<Option<&'de str>>()?,
                _ => {
                    map.next_value::<Option<Unread>>()?;
                }
            }
        }
        if seen & 0b111 != 0b111 {
            return Err(refuse(Refused));
        }
        self.0.approval((by, word, at), stage, build, digest).map_err(refuse)
    }
}

/// Keys of an object, to see that each is given once; more take the long way.
struct Keys<'de> {
    keys: [&'de str; NAMES],
    count: usize,
}

impl<'de> Keys<'de> {
    fn new() -> Keys<'de> {
        Keys { keys: [""; NAMES], count: 0 }
    }

    fn add(&mut self, key: &'de str) -> Filled {
        if self.keys.iter().take(self.count).any(|known| *known == key) {
            return Err(Refused);
        }
        *self.keys.get_mut(self.count).ok_or(Refused)? = key;
        self.count += 1;
        Ok(())
    }
}

struct Groups<'x, 'f>(&'x mut Filling<'f>);
object!(Groups);

impl<'de> Visitor<'de> for Groups<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        an_object(f)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        struct Texts;
        impl<'de> DeserializeSeed<'de> for Texts {
            type Value = FewTexts<'de>;
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FewTexts<'de>, D::Error> {
                deserializer.deserialize_seq(self)
            }
        }
        impl<'de> Visitor<'de> for Texts {
            type Value = FewTexts<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<FewTexts<'de>, A::Error> {
                FewTexts::read(list)
            }
        }
        let mut keys = Keys::new();
        while let Some(key) = map.next_key::<&'de str>()? {
            keys.add(key).map_err(refuse)?;
            let members = map.next_value_seed(Texts)?;
            self.0.group(key, members.iter()).map_err(refuse)?;
        }
        Ok(())
    }
}

struct Facts<'x, 'f>(&'x mut Filling<'f>);
object!(Facts);

impl<'de> Visitor<'de> for Facts<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        an_object(f)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let filling = self.0;
        let compact = filling.compact;
        // Those that are not declared, by name.
        let mut keys = Keys::new();
        while let Some(key) = map.next_key::<&'de str>()? {
            filling.count(1).map_err(refuse)?;
            let Some(plan) = compact.fact(key) else {
                keys.add(key).map_err(refuse)?;
                map.next_value::<Scalar>()?;
                continue;
            };
            filling.once(plan.fact).map_err(refuse)?;
            map.next_value_seed(Fact { filling: &mut *filling, plan })?;
        }
        Ok(())
    }
}

/// A value that nobody reads; lists and maps take the long way.
struct Scalar;

impl<'de> serde::Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar)
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<Scalar, E> {
                Ok(Scalar)
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<Scalar, E> {
                Ok(Scalar)
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar)
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Scalar, E> {
                Ok(Scalar)
            }
            fn visit_unit<E: Error>(self) -> Result<Scalar, E> {
                Ok(Scalar)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A declared fact.
struct Fact<'x, 'f> {
    filling: &'x mut Filling<'f>,
    plan: &'x FactPlan,
}

impl Fact<'_, '_> {
    fn all(self, cell: Cell) {
        self.filling.fact(self.plan.whole, cell);
        for (_, slot) in &self.plan.keys {
            self.filling.fact(*slot, cell);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Fact<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fact<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a fact")
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if !self.plan.optional {
            return Err(refuse(Refused));
        }
        self.all(Cell::Null);
        Ok(())
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let cell = boolean(&self.plan.ty, value).map_err(refuse)?;
        self.all(cell);
        Ok(())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let cell = number(&self.plan.ty, value).map_err(refuse)?;
        self.all(cell);
        Ok(())
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let cell = self.filling.scalar_text(&self.plan.ty, text).map_err(refuse)?;
        self.all(cell);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Type::Set(of) = &self.plan.ty else { return Err(refuse(Refused)) };
        let mut room = Room::new(of, self.filling.given);
        while let Some(cell) = list.next_element_seed(Element { filling: &mut *self.filling, ty: of })? {
            self.filling.count(1).map_err(refuse)?;
            room.add(cell, self.filling.given);
        }
        let cell = room.cell(self.filling.given).map_err(refuse)?;
        self.all(cell);
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Type::Map(of) = &self.plan.ty else { return Err(refuse(Refused)) };
        let mut room = Room::new(of, self.filling.given);
        let mut keys = Keys::new();
        while let Some(key) = map.next_key::<&'de str>()? {
            keys.add(key).map_err(refuse)?;
            self.filling.count(1).map_err(refuse)?;
            let cell = map.next_value_seed(Element { filling: &mut *self.filling, ty: of })?;
            if let Some((_, slot)) = self.plan.keys.iter().find(|(known, _)| **known == *key) {
                self.filling.fact(*slot, cell);
            }
            if self.plan.whole != NONE {
                room.add(cell, self.filling.given);
            }
        }
        let cell = room.cell(self.filling.given).map_err(refuse)?;
        self.filling.fact(self.plan.whole, cell);
        Ok(())
    }
}

fn boolean(ty: &Type, value: bool) -> Filled<Cell> {
    if *ty == Type::Bool { Ok(Cell::Bool(value)) } else { Err(Refused) }
}

fn number(ty: &Type, value: f64) -> Filled<Cell> {
    if *ty == Type::Number && value.is_finite() { Ok(Cell::Number(value)) } else { Err(Refused) }
}

/// An element of a set, a value of a map; such of lists and maps take the long way.
struct Element<'x, 'f> {
    filling: &'x mut Filling<'f>,
    ty: &'x Type,
}

impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
    type Value = Cell;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_, '_> {
    type Value = Cell;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Cell, E> {
        boolean(self.ty, value).map_err(refuse)
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Cell, E> {
        self.visit_f64(value as f64)
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Cell, E> {
        self.visit_f64(value as f64)
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Cell, E> {
        number(self.ty, value).map_err(refuse)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
        self.filling.scalar_text(self.ty, text).map_err(refuse)
    }
}
