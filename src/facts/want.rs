//! Reading values of a certain kind: a problem is noted with its path, and the reading goes on to find the others.
//!
//! A [`Want`] says what a place takes; a [`Reader`] is a want at a place. Whatever is read after a problem was noted
//! never leaves [`super::read`], so that a want may return nothing at all.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::check::{MAX_PROBLEMS, too_deep, too_many};
use super::error::{ProblemKind, RequestProblem};
use super::path::Path;
use super::request::Value;
use super::time;
use crate::Limits;
use crate::diagnostic::{list_words, nearest};
use crate::plain::quote;

/// What is shared by everything that is read of one request.
pub(super) struct Context<'l> {
    limits: &'l Limits,
    problems: RefCell<Vec<RequestProblem>>,
    entries: Cell<usize>,
}

impl<'l> Context<'l> {
    pub(super) fn new(limits: &'l Limits) -> Context<'l> {
        Context { limits, problems: RefCell::default(), entries: Cell::new(0) }
    }

    pub(super) fn into_problems(self) -> Vec<RequestProblem> {
        self.problems.into_inner()
    }

    fn note(&self, problem: RequestProblem) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MAX_PROBLEMS {
            problems.push(problem);
        }
    }

    /// Ends the reading when there are problems enough: each costs more time than the value it is about.
    fn go_on<E: Error>(&self) -> Result<(), E> {
        if self.problems.borrow().len() < MAX_PROBLEMS { Ok(()) } else { Err(E::custom("too many problems")) }
    }

    /// Counts one entry of a list or of a map; the one too many ends the reading.
    fn count<E: Error>(&self) -> Result<(), E> {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() <= self.limits.request_entries {
            return Ok(());
        }
        // It must be told, however much else there is to tell.
        self.problems.borrow_mut().push(too_many(self.limits));
        Err(E::custom("too many entries"))
    }
}

/// What a place takes. A method that is not overridden refuses what it is given.
pub(super) trait Want<'de>: Copy {
    type Out;

    /// In words, for `expected …`.
    fn expected(&self) -> String;

    fn null(self) -> Option<Self::Out> {
        None
    }

    fn boolean(self, value: bool) -> Option<Self::Out> {
        let _ = value;
        None
    }

    fn number(self, value: f64) -> Option<Self::Out> {
        let _ = value;
        None
    }

    /// Notes its own problems: what is wrong with a text depends on it.
    fn text(reader: &Reader<'_, Self>, text: &str) -> Option<Self::Out> {
        reader.refuse(format!("the text {}", quote(text)));
        None
    }

    fn list<A: SeqAccess<'de>>(reader: Reader<'_, Self>, mut list: A) -> Result<Option<Self::Out>, A::Error> {
        reader.refuse("a list");
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn map<A: MapAccess<'de>>(reader: Reader<'_, Self>, mut map: A) -> Result<Option<Self::Out>, A::Error> {
        reader.refuse("an object");
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A want at a place.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a, W> {
    context: &'a Context<'a>,
    path: Path<'a>,
    want: W,
    /// Whether `null` stands for a field that is left out.
    optional: bool,
    /// How many lists and maps of a fact are around it.
    depth: usize,
}

impl<'a, W> Reader<'a, W> {
    pub(super) fn root(context: &'a Context<'a>, want: W) -> Reader<'a, W> {
        Reader { context, path: Path::Root, want, optional: false, depth: 0 }
    }

    /// The same place with another want.
    pub(super) fn instead<V>(self, want: V) -> Reader<'a, V> {
        Reader { context: self.context, path: self.path, want, optional: self.optional, depth: self.depth }
    }

    /// A place in this one.
    fn inside<'b, V>(&'b self, path: Path<'b>, want: V) -> Reader<'b, V> {
        Reader { context: self.context, path, want, optional: false, depth: self.depth + 1 }
    }

    /// Notes a problem of a field of the object that is read.
    pub(super) fn note_field(&self, field: &str, problem: impl FnOnce(String) -> RequestProblem) {
        self.context.note(problem(self.path.field(field).to_string()));
    }
}

impl<'de, W: Want<'de>> Reader<'_, W> {
    pub(super) fn read<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<W::Out>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn refuse(&self, got: impl Into<String>) {
        let expected = self.want.expected();
        self.context.note(RequestProblem::expected(ProblemKind::Type, self.path.to_string(), expected, got));
    }
}

impl<'de, W: Want<'de>> serde::de::DeserializeSeed<'de> for Reader<'_, W> {
    type Value = Option<W::Out>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<W::Out>, D::Error> {
        self.read(deserializer)
    }
}

impl<'de, W: Want<'de>> Visitor<'de> for Reader<'_, W> {
    type Value = Option<W::Out>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.want.expected())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<W::Out>, E> {
        let out = self.want.boolean(value);
        if out.is_none() {
            self.refuse(format!("`{value}`"));
        }
        Ok(out)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<W::Out>, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<W::Out>, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<W::Out>, E> {
        let out = self.want.number(value);
        if out.is_none() {
            self.refuse(format!("the number {value}"));
        }
        Ok(out)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<W::Out>, E> {
        Ok(W::text(&self, text))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<W::Out>, E> {
        let out = self.want.null();
        if out.is_none() && !self.optional {
            self.refuse("null");
        }
        Ok(out)
    }

    fn visit_none<E: Error>(self) -> Result<Option<W::Out>, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<W::Out>, D::Error> {
        self.read(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Option<W::Out>, A::Error> {
        W::list(self, list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<W::Out>, A::Error> {
        W::map(self, map)
    }
}

// ---------------------------------------------------------------- text, times, words

#[derive(Clone, Copy)]
pub(super) struct Text;

impl Want<'_> for Text {
    type Out = String;
    fn expected(&self) -> String {
        "text".to_string()
    }
    fn text(_: &Reader<'_, Self>, text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

#[derive(Clone, Copy)]
pub(super) struct Time;

impl Want<'_> for Time {
    type Out = DateTime<Utc>;
    fn expected(&self) -> String {
        "a time such as `2026-03-04T18:00:00Z`".to_string()
    }
    fn text(reader: &Reader<'_, Self>, text: &str) -> Option<DateTime<Utc>> {
        time::parse(text).map_err(|bad| reader.context.note(time::problem(reader.path.to_string(), text, bad))).ok()
    }
}

/// One of a few words.
#[derive(Clone, Copy)]
pub(super) struct Words<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Copy> Want<'_> for Words<T> {
    type Out = T;
    fn expected(&self) -> String {
        let words: Vec<&str> = self.0.iter().map(|(word, _)| *word).collect();
        format!("one of {}", list_words(&words, 10).replace(" and ", " or "))
    }
    fn text(reader: &Reader<'_, Self>, text: &str) -> Option<T> {
        let words = reader.want.0;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let (path, expected) = (reader.path.to_string(), reader.want.expected());
            let problem = RequestProblem::expected(ProblemKind::Type, path, expected, quote(text));
            reader.context.note(guess(problem, text, words.iter().map(|(word, _)| *word)));
        }
        found
    }
}

/// Adds "did you mean". A slip of the hand is short, and comparing takes the square of the length.
fn guess<'a>(problem: RequestProblem, word: &str, candidates: impl Iterator<Item = &'a str>) -> RequestProblem {
    match (word.len() <= 64).then(|| nearest(word, candidates)).flatten() {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

// ---------------------------------------------------------------- lists and maps

/// A list of them.
#[derive(Clone, Copy)]
pub(super) struct Each<W>(pub(super) W);

impl<'de, W: Want<'de>> Want<'de> for Each<W> {
    type Out = Vec<W::Out>;
    fn expected(&self) -> String {
        "a list".to_string()
    }
    fn list<A: SeqAccess<'de>>(reader: Reader<'_, Self>, mut list: A) -> Result<Option<Self::Out>, A::Error> {
        let mut out = Vec::new();
        for index in 0.. {
            let Some(item) = list.next_element_seed(reader.inside(reader.path.index(index), reader.want.0))? else {
                break;
            };
            reader.context.go_on()?;
            reader.context.count()?;
            out.extend(item);
        }
        Ok(Some(out))
    }
}

/// A map of them.
#[derive(Clone, Copy)]
pub(super) struct Dict<W>(pub(super) W);

impl<'de, W: Want<'de>> Want<'de> for Dict<W> {
    type Out = BTreeMap<String, W::Out>;
    fn expected(&self) -> String {
        "an object".to_string()
    }
    fn map<A: MapAccess<'de>>(reader: Reader<'_, Self>, mut map: A) -> Result<Option<Self::Out>, A::Error> {
        let mut out = BTreeMap::new();
        while let Some(Key(key)) = map.next_key()? {
            reader.context.go_on()?;
            reader.context.count()?;
            let path = reader.path.field(&key);
            if out.contains_key(key.as_ref()) {
                reader.context.note(twice(path.to_string()));
                map.next_value::<IgnoredAny>()?;
            } else if let Some(value) = map.next_value_seed(reader.inside(path, reader.want.0))? {
                out.insert(key.into_owned(), value);
            }
        }
        Ok(Some(out))
    }
}

fn twice(path: String) -> RequestProblem {
    RequestProblem::new(ProblemKind::Duplicate, path, "is given twice")
}

/// The value of a fact.
#[derive(Clone, Copy)]
pub(super) struct Anything;

impl<'de> Want<'de> for Anything {
    type Out = Value;
    fn expected(&self) -> String {
        "the value of a fact".to_string()
    }
    fn null(self) -> Option<Value> {
        Some(Value::Null)
    }
    fn boolean(self, value: bool) -> Option<Value> {
        Some(Value::Bool(value))
    }
    fn number(self, value: f64) -> Option<Value> {
        Some(Value::Number(value))
    }
    fn text(_: &Reader<'_, Self>, text: &str) -> Option<Value> {
        Some(Value::String(text.to_owned()))
    }
    fn list<A: SeqAccess<'de>>(reader: Reader<'_, Self>, mut list: A) -> Result<Option<Value>, A::Error> {
        if reader.too_deep() {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(None);
        }
        Ok(Each::list(reader.instead(Each(Anything)), list)?.map(Value::List))
    }
    fn map<A: MapAccess<'de>>(reader: Reader<'_, Self>, mut map: A) -> Result<Option<Value>, A::Error> {
        if reader.too_deep() {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(None);
        }
        Ok(Dict::map(reader.instead(Dict(Anything)), map)?.map(Value::Map))
    }
}

impl Reader<'_, Anything> {
    /// Notes it when this list or map has too many around it.
    fn too_deep(&self) -> bool {
        // A fact itself is one field deep in `facts`, which is one field deep in the request.
        let deep = self.depth > self.context.limits.request_depth + 1;
        if deep {
            self.context.note(too_deep(self.path, self.context.limits));
        }
        deep
    }
}

/// A key, without a copy where the JSON has no escapes in it.
struct Key<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key<'de>, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key (text)")
            }
            fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E: Error>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

// ---------------------------------------------------------------- objects

/// An object with fields of its own. `field` is called for the names in `FIELDS` alone, and once for each.
pub(super) trait Shape<'de>: Sized {
    /// In words, for `expected …`.
    const WHAT: &'static str;
    /// At most 32.
    const FIELDS: &'static [&'static str];
    const REQUIRED: &'static [&'static str];

    fn blank() -> Self;

    fn field<A: MapAccess<'de>>(&mut self, name: &str, slot: Slot<'_, A>) -> Result<(), A::Error>;

    /// After the last field: what only all of them together show. `seen` tells which were given.
    fn complete(self, reader: &Reader<'_, Object<Self>>, seen: &dyn Fn(&str) -> bool) -> Self {
        let _ = (reader, seen);
        self
    }
}

pub(super) struct Object<S>(PhantomData<S>);

impl<S> Object<S> {
    pub(super) fn new() -> Object<S> {
        Object(PhantomData)
    }
}

impl<S> Clone for Object<S> {
    fn clone(&self) -> Object<S> {
        *self
    }
}

impl<S> Copy for Object<S> {}

impl<'de, S: Shape<'de>> Want<'de> for Object<S> {
    type Out = S;
    fn expected(&self) -> String {
        S::WHAT.to_string()
    }
    fn map<A: MapAccess<'de>>(reader: Reader<'_, Self>, mut map: A) -> Result<Option<S>, A::Error> {
        let mut out = S::blank();
        let mut seen = 0_u32;
        let bit = |name: &str| S::FIELDS.iter().position(|field| *field == name).map_or(0, |index| 1_u32 << index);
        while let Some(Key(key)) = map.next_key()? {
            reader.context.go_on()?;
            let path = reader.path.field(&key);
            match bit(&key) {
                0 => {
                    reader.context.note(unknown_field(path.to_string(), &key, S::FIELDS));
                    map.next_value::<IgnoredAny>()?;
                }
                bit if seen & bit != 0 => {
                    reader.context.note(twice(path.to_string()));
                    map.next_value::<IgnoredAny>()?;
                }
                bit => {
                    seen |= bit;
                    let place = reader.inside(path, ());
                    out.field(&key, Slot { map: &mut map, place })?;
                }
            }
        }
        for field in S::REQUIRED.iter().filter(|field| seen & bit(field) == 0) {
            reader.note_field(field, RequestProblem::missing);
        }
        Ok(Some(out.complete(&reader, &|name| seen & bit(name) != 0)))
    }
}

fn unknown_field(path: String, key: &str, fields: &[&str]) -> RequestProblem {
    let problem = RequestProblem::new(ProblemKind::UnknownField, path, "there is no such field");
    let problem = guess(problem, key, fields.iter().copied());
    match problem.help {
        Some(_) => problem,
        None => problem.help(format!("the fields here are {}", list_words(fields, 20))),
    }
}

/// The value of a field, still to be read.
pub(super) struct Slot<'a, A> {
    map: &'a mut A,
    place: Reader<'a, ()>,
}

impl<'de, A: MapAccess<'de>> Slot<'_, A> {
    /// Reads a value that must be there.
    pub(super) fn need<W: Want<'de>>(self, want: W) -> Result<Option<W::Out>, A::Error> {
        self.map.next_value_seed(self.place.instead(want))
    }

    /// Reads a value for which `null` says that it is left out.
    pub(super) fn maybe<W: Want<'de>>(self, want: W) -> Result<Option<W::Out>, A::Error> {
        self.map.next_value_seed(Reader { optional: true, ..self.place.instead(want) })
    }
}
