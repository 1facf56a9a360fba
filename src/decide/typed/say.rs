//! What may stand in a field of a struct.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::into::Said;
use super::{OutOfTheOrdinary, PLACES, Place, SayInto, SayKind};
use crate::facts::{Action, Approval, Request, Run, RunStatus, TriggerFact, Value};

/// A type that can stand in a field of a [`Facts`](super::Facts).
///
/// Texts, bools, numbers, instants, [`RunStatus`], lists and maps of them, and [`TriggerFact`], [`Action`], lists of
/// [`Run`] and of [`Approval`]. An [`Option`] that is `None` says nothing: the fact was not supplied.
pub trait Say {
    /// What it can say.
    const KIND: SayKind;
    /// Whether all that it can say is in order, so that it need not be looked at where nobody asks for it.
    const SURE: bool = false;
    /// Whether what this value says is in order, whoever reads it: a number that is finite, a text that is not empty.
    fn in_order(&self) -> bool {
        Self::SURE
    }
    /// Says it.
    ///
    /// # Errors
    /// When it is out of the ordinary.
    fn say(&self, into: &mut SayInto<'_, '_>) -> Result<(), OutOfTheOrdinary>;
    /// Says several, one after the other.
    ///
    /// # Errors
    /// When one of them is out of the ordinary.
    fn say_all(items: &[Self], into: &mut SayInto<'_, '_>) -> Result<(), OutOfTheOrdinary>
    where
        Self: Sized,
    {
        items.iter().try_for_each(|item| item.say(into))
    }
    /// As the value of a fact; `None` when it says nothing.
    fn value(&self) -> Option<Value>;
    /// As a text, if it is one.
    fn as_text(&self) -> Option<&str> {
        None
    }
    /// As a status, if it is one.
    #[inline]
    fn as_status(&self) -> Option<RunStatus> {
        None
    }
    /// Says it in a request.
    fn tell(&self, name: &str, request: &mut Request) {
        if let Some(value) = self.value() {
            tell(name, value, request);
        }
    }
}

fn tell(name: &str, value: Value, request: &mut Request) {
    let build = &mut request.build;
    let place = PLACES.iter().find(|(known, ..)| *known == name).map(|(_, place, _)| *place);
    if matches!(
        place,
        Some(
            Place::CurrentId | Place::CurrentDigest | Place::CurrentVersion | Place::CurrentCreated | Place::CurrentAt
        )
    ) && !matches!(request.current, crate::Current::Build(_))
    {
        request.current = crate::Current::Build(Box::default());
    }
    let mut nobody = crate::Occupant::default();
    let occupant = match &mut request.current {
        crate::Current::Build(occupant) => &mut **occupant,
        _ => &mut nobody,
    };
    let texts = |items: Vec<Value>| {
        items.into_iter().filter_map(|item| if let Value::String(text) = item { Some(text) } else { None }).collect()
    };
    match (place, value) {
        (Some(Place::Stage), Value::String(text)) => request.stage = text,
        (Some(Place::Requester), Value::String(text)) => request.requester = Some(text),
        (Some(Place::Id), Value::String(text)) => build.id = text,
        (Some(Place::Digest), Value::String(text)) => build.digest = Some(text),
        (Some(Place::Version), Value::String(text)) => build.version = Some(text),
        (Some(Place::Branch), Value::String(text)) => build.branch = Some(text),
        (Some(Place::Commit), Value::String(text)) => build.commit = Some(text),
        (Some(Place::Author), Value::String(text)) => build.author = Some(text),
        (Some(Place::Contributors), Value::List(items)) => build.contributors = Some(texts(items)),
        (Some(Place::Labels), Value::List(items)) => build.labels = Some(texts(items)),
        (Some(Place::Created), Value::Time(at)) => build.created = Some(at),
        (Some(Place::Now), Value::Time(at)) => request.now = Some(at),
        (Some(Place::CurrentId), Value::String(text)) => occupant.id = Some(text),
        (Some(Place::CurrentDigest), Value::String(text)) => occupant.digest = Some(text),
        (Some(Place::CurrentVersion), Value::String(text)) => occupant.version = Some(text),
        (Some(Place::CurrentCreated), Value::Time(at)) => occupant.created = Some(at),
        (Some(Place::CurrentAt), Value::Time(at)) => occupant.at = Some(at),
        (Some(Place::Deploying), Value::String(text)) => request.deploying = crate::Deploying::Build(text),
        (Some(_), _) => {}
        (None, value) => {
            request.facts.insert(name.to_string(), value);
        }
    }
}

macro_rules! texts {
    ($($ty:ty),*) => {$(
        impl Say for $ty {
            const KIND: SayKind = SayKind::Text;
            #[inline]
            fn in_order(&self) -> bool {
                !self.is_empty()
            }
            #[inline]
            fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
                into.text(self)
            }
            fn value(&self) -> Option<Value> {
                Some(Value::String(self.to_string()))
            }
            fn as_text(&self) -> Option<&str> {
                Some(self)
            }
        }
    )*};
}
texts!(str, String, Box<str>, std::sync::Arc<str>, std::borrow::Cow<'_, str>);

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl Say for $ty {
            const KIND: SayKind = SayKind::Number;
            #[inline]
            fn in_order(&self) -> bool {
                (*self as f64).is_finite()
            }
            #[inline]
            fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
                into.number(*self as f64)
            }
            fn value(&self) -> Option<Value> {
                Some(Value::Number(*self as f64))
            }
        }
    )*};
}
numbers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f64);

impl Say for bool {
    const KIND: SayKind = SayKind::Bool;
    const SURE: bool = true;
    #[inline]
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.bool(*self)
    }
    fn value(&self) -> Option<Value> {
        Some(Value::Bool(*self))
    }
}

impl Say for DateTime<Utc> {
    const KIND: SayKind = SayKind::Time;
    #[inline]
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.time(*self)
    }
    fn value(&self) -> Option<Value> {
        Some(Value::Time(*self))
    }
}

impl Say for RunStatus {
    const KIND: SayKind = SayKind::Status;
    const SURE: bool = true;
    #[inline]
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.status(*self)
    }
    #[inline]
    fn as_status(&self) -> Option<RunStatus> {
        Some(*self)
    }
    fn value(&self) -> Option<Value> {
        Some(Value::from(*self))
    }
}

impl<T: Say + ?Sized> Say for &T {
    const KIND: SayKind = T::KIND;
    const SURE: bool = T::SURE;
    #[inline]
    fn in_order(&self) -> bool {
        (**self).in_order()
    }
    #[inline]
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        (**self).say(into)
    }
    fn value(&self) -> Option<Value> {
        (**self).value()
    }
    fn as_text(&self) -> Option<&str> {
        (**self).as_text()
    }
    #[inline]
    fn as_status(&self) -> Option<RunStatus> {
        (**self).as_status()
    }
    fn tell(&self, name: &str, request: &mut Request) {
        (**self).tell(name, request);
    }
}

impl<T: Say> Say for Option<T> {
    const KIND: SayKind = T::KIND;
    #[inline]
    fn in_order(&self) -> bool {
        self.as_ref().is_none_or(Say::in_order)
    }
    #[inline]
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        self.as_ref().map_or(Ok(()), |value| value.say(into))
    }
    fn value(&self) -> Option<Value> {
        self.as_ref().and_then(Say::value)
    }
    fn as_text(&self) -> Option<&str> {
        self.as_ref().and_then(Say::as_text)
    }
    #[inline]
    fn as_status(&self) -> Option<RunStatus> {
        self.as_ref().and_then(Say::as_status)
    }
    fn tell(&self, name: &str, request: &mut Request) {
        if let Some(value) = self {
            value.tell(name, request);
        }
    }
}

impl<T: Say> Say for [T] {
    const KIND: SayKind = SayKind::List(&T::KIND);
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.list(self)
    }
    fn value(&self) -> Option<Value> {
        Some(Value::List(self.iter().filter_map(Say::value).collect()))
    }
    fn tell(&self, name: &str, request: &mut Request) {
        match T::KIND {
            SayKind::Run | SayKind::Approval => self.iter().for_each(|item| item.tell(name, request)),
            _ => tell(name, Value::List(self.iter().filter_map(Say::value).collect()), request),
        }
    }
}

impl<T: Say> Say for Vec<T> {
    const KIND: SayKind = SayKind::List(&T::KIND);
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.list(self)
    }
    fn value(&self) -> Option<Value> {
        self.as_slice().value()
    }
    fn tell(&self, name: &str, request: &mut Request) {
        self.as_slice().tell(name, request);
    }
}

impl<K: AsRef<str>, T: Say> Say for BTreeMap<K, T> {
    const KIND: SayKind = SayKind::Map(&T::KIND);
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.map(self.iter().map(|(key, value)| (key.as_ref(), value)))
    }
    fn value(&self) -> Option<Value> {
        let items = self.iter().filter_map(|(key, value)| Some((key.as_ref().to_string(), value.value()?)));
        Some(Value::Map(items.collect()))
    }
}

impl<K: AsRef<str>, T: Say, S> Say for HashMap<K, T, S> {
    const KIND: SayKind = SayKind::Map(&T::KIND);
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.map(self.iter().map(|(key, value)| (key.as_ref(), value)))
    }
    fn value(&self) -> Option<Value> {
        let items = self.iter().filter_map(|(key, value)| Some((key.as_ref().to_string(), value.value()?)));
        Some(Value::Map(items.collect()))
    }
}

impl Say for TriggerFact {
    const KIND: SayKind = SayKind::Trigger;
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.trigger(self)
    }
    fn value(&self) -> Option<Value> {
        None
    }
    fn tell(&self, _: &str, request: &mut Request) {
        request.trigger = Some(self.clone());
    }
}

impl Say for Action {
    const KIND: SayKind = SayKind::Action;
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.action(*self);
        Ok(())
    }
    fn value(&self) -> Option<Value> {
        None
    }
    fn tell(&self, _: &str, request: &mut Request) {
        request.action = Some(*self);
    }
}

impl Say for Run {
    const KIND: SayKind = SayKind::Run;
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.runs(std::slice::from_ref(self))
    }
    fn say_all(items: &[Run], into: &mut SayInto<'_, '_>) -> Said {
        into.runs(items)
    }
    fn value(&self) -> Option<Value> {
        None
    }
    fn tell(&self, _: &str, request: &mut Request) {
        request.history.push(self.clone());
    }
}

impl Say for Approval {
    const KIND: SayKind = SayKind::Approval;
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.approvals(std::slice::from_ref(self))
    }
    fn say_all(items: &[Approval], into: &mut SayInto<'_, '_>) -> Said {
        into.approvals(items)
    }
    fn value(&self) -> Option<Value> {
        None
    }
    fn tell(&self, _: &str, request: &mut Request) {
        request.approvals.push(self.clone());
    }
}
