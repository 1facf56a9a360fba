//! An embedder's own struct as a request: its fields are matched with the policy once, and then filled in place.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use chrono::{DateTime, Utc};

use super::decision::{Decision, Verdict};
use super::verdict::compact::{Cell, FactPlan, NONE};
use super::verdict::filling::{Filled, Filling, List, Refused, Room, filled};
use crate::diagnostic::did_you_mean;
use crate::facts::prepare::expected;
use crate::facts::slots::RunAt;
use crate::facts::{
    Action, Approval, ProblemKind, Request, RequestError, RequestProblem, Run, RunStatus, TriggerFact, Value, time,
};
use crate::policy::Policy;
use crate::program::Type;

/// A struct that is a request: derive it with the feature `derive`.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use stagegate::{Facts, Policy, Verdict};
/// # let now = "2026-03-04T10:00:00Z".parse().unwrap();
///
/// #[derive(Facts)]
/// struct Change<'a> {
///     #[facts("build.id")]
///     id: &'a str,
///     #[facts("build.branch")]
///     branch: Option<String>,
///     now: chrono::DateTime<chrono::Utc>,
///     coverage: f64,
///     #[facts(skip)]
///     comment: String,
/// }
///
/// let policy = Policy::parse("p.gate", "fact coverage : number stage Dev { require covered: coverage >= 80 }")?;
/// let changes = policy.bind_to::<Change<'_>>("Dev")?;
/// let change = Change { id: "7", branch: None, now, coverage: 91.0, comment: String::new() };
/// assert_eq!(changes.verdict(&change)?, Verdict::Allow);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Facts {
    /// What its fields say.
    const FIELDS: &'static [FactsField];
    /// Gives what the fields hold, by their place in [`Facts::FIELDS`].
    ///
    /// # Errors
    /// When a value is out of the ordinary; [`Facts::tell`] is asked then.
    fn fill(&self, into: &mut FactsInto<'_, '_>) -> Result<(), OutOfTheOrdinary>;
    /// The same as a request.
    fn tell(&self, request: &mut Request);
}

/// A field of a [`Facts`].
#[derive(Clone, Copy, Debug)]
pub struct FactsField {
    /// `build.id`, `now`, or the name of a fact that the policy declares.
    pub name: &'static str,
    /// What its type can say.
    pub kind: SayKind,
}

/// What a Rust type can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SayKind {
    /// A text: also a version, a user, a duration, a value of an enumeration.
    Text,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// An instant.
    Time,
    /// How a run or a check stands.
    Status,
    /// A list of it.
    List(&'static SayKind),
    /// A map of it.
    Map(&'static SayKind),
    /// What set the promotion off.
    Trigger,
    /// What is to be done.
    Action,
    /// A run of the build in a stage.
    Run,
    /// A word of an approver.
    Approval,
}

impl SayKind {
    fn words(self) -> &'static str {
        match self {
            SayKind::Text => "a text",
            SayKind::Bool => "a bool",
            SayKind::Number => "a number",
            SayKind::Time => "a time",
            SayKind::Status => "a status",
            SayKind::List(_) => "a list",
            SayKind::Map(_) => "a map",
            SayKind::Trigger => "a trigger",
            SayKind::Action => "an action",
            SayKind::Run => "a run",
            SayKind::Approval => "an approval",
        }
    }

    fn fits(self, ty: &Type) -> bool {
        match (ty, self) {
            (Type::Bool, SayKind::Bool) | (Type::Number, SayKind::Number) => true,
            (Type::String | Type::User | Type::Duration | Type::Version | Type::Time, SayKind::Text) => true,
            (Type::Time, SayKind::Time) => true,
            (Type::Enum(_), SayKind::Text) => true,
            (Type::Enum(values), SayKind::Status) => values.builtin == Some("status"),
            (Type::Set(of), SayKind::List(kind)) | (Type::Map(of), SayKind::Map(kind)) => kind.fits(of),
            _ => false,
        }
    }
}

/// A value that goes the long way, by a [`Request`].
#[derive(Clone, Copy, Debug)]
pub struct OutOfTheOrdinary(());

impl From<Refused> for OutOfTheOrdinary {
    fn from(_: Refused) -> OutOfTheOrdinary {
        OutOfTheOrdinary(())
    }
}

/// Where a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Stage,
    Now,
    Trigger,
    Action,
    Requester,
    History,
    Approvals,
    Id,
    Digest,
    Version,
    Branch,
    Commit,
    Author,
    Contributors,
    Labels,
    Created,
    CurrentId,
    CurrentDigest,
    CurrentVersion,
    CurrentCreated,
    CurrentAt,
    Deploying,
    /// A declared fact, by its place among the policy's.
    Fact(u32),
}

/// Names of what every request has, and what they take.
const PLACES: [(&str, Place, &[SayKind]); 22] = [
    ("stage", Place::Stage, &[SayKind::Text]),
    ("now", Place::Now, &[SayKind::Time]),
    ("trigger", Place::Trigger, &[SayKind::Trigger]),
    ("action", Place::Action, &[SayKind::Action]),
    ("requester", Place::Requester, &[SayKind::Text]),
    ("history", Place::History, &[SayKind::List(&SayKind::Run)]),
    ("approvals", Place::Approvals, &[SayKind::List(&SayKind::Approval)]),
    ("build.id", Place::Id, &[SayKind::Text]),
    ("build.digest", Place::Digest, &[SayKind::Text]),
    ("build.version", Place::Version, &[SayKind::Text]),
    ("build.branch", Place::Branch, &[SayKind::Text]),
    ("build.commit", Place::Commit, &[SayKind::Text]),
    ("build.author", Place::Author, &[SayKind::Text]),
    ("build.contributors", Place::Contributors, &[SayKind::List(&SayKind::Text)]),
    ("build.labels", Place::Labels, &[SayKind::List(&SayKind::Text)]),
    ("build.created", Place::Created, &[SayKind::Time]),
    ("current.id", Place::CurrentId, &[SayKind::Text]),
    ("current.digest", Place::CurrentDigest, &[SayKind::Text]),
    ("current.version", Place::CurrentVersion, &[SayKind::Text]),
    ("current.created", Place::CurrentCreated, &[SayKind::Time]),
    ("current.at", Place::CurrentAt, &[SayKind::Time]),
    ("current.deploying", Place::Deploying, &[SayKind::Text]),
];

/// A [`Facts`] whose fields have been matched with a policy.
pub struct Bound<T> {
    policy: Policy,
    /// `None`: a field says it.
    stage: Option<u32>,
    places: Vec<Place>,
    of: PhantomData<fn(&T)>,
}

impl<T> std::fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bound").field("policy", &self.policy.name()).field("places", &self.places).finish()
    }
}

impl<T> Clone for Bound<T> {
    fn clone(&self) -> Bound<T> {
        Bound { policy: self.policy.clone(), stage: self.stage, places: self.places.clone(), of: PhantomData }
    }
}

impl Policy {
    /// Matches the fields of a struct with the policy; one of them must say the `stage`.
    ///
    /// # Errors
    /// When a field says what neither every request has nor the policy declares, or its type does not fit.
    pub fn bind<T: Facts>(&self) -> Result<Bound<T>, RequestError> {
        let bound = self.matched(None)?;
        if bound.places.contains(&Place::Stage) { Ok(bound) } else { Err(RequestError::missing("stage")) }
    }

    /// Matches the fields of a struct with the policy, for one stage.
    ///
    /// # Errors
    /// As [`Policy::bind`], and when the policy has no such stage.
    pub fn bind_to<T: Facts>(&self, stage: &str) -> Result<Bound<T>, RequestError> {
        match self.inner.plan.stage(stage) {
            Some(id) => self.matched(Some(id.0)),
            None => {
                let stages: Vec<&str> = self.stages().collect();
                Err(RequestError::unknown_stage(stage, &stages))
            }
        }
    }

    fn matched<T: Facts>(&self, stage: Option<u32>) -> Result<Bound<T>, RequestError> {
        let (mut places, mut problems) = (Vec::new(), Vec::new());
        for field in T::FIELDS {
            match self.place(field) {
                Ok(place) if places.contains(&place) => {
                    problems.push(RequestProblem::new(ProblemKind::Duplicate, field.name, "is given twice"));
                }
                Ok(place) => places.push(place),
                Err(problem) => problems.push(*problem),
            }
        }
        for (name, place) in [("build.id", Place::Id), ("now", Place::Now)] {
            if !places.contains(&place) {
                problems.push(RequestProblem::missing(name.to_string()));
            }
        }
        let bound = Bound { policy: self.clone(), stage, places, of: PhantomData };
        RequestError::from_problems(problems).map_or(Ok(bound), Err)
    }

    fn place(&self, field: &FactsField) -> Result<Place, Box<RequestProblem>> {
        let wrong = |expected: String| {
            RequestProblem::expected(ProblemKind::FactType, field.name.to_string(), expected, field.kind.words())
        };
        if let Some((_, place, kinds)) = PLACES.iter().find(|(name, ..)| *name == field.name) {
            return match kinds.contains(&field.kind) {
                true => Ok(*place),
                false => Err(Box::new(wrong(kinds.first().map_or("?", |kind| kind.words()).to_string()))),
            };
        }
        match self.inner.compact.fact(field.name) {
            Some(plan) if field.kind.fits(&plan.ty) => Ok(Place::Fact(plan.fact)),
            Some(plan) => Err(Box::new(wrong(expected(&plan.ty)))),
            None => {
                let problem = RequestProblem::new(ProblemKind::UnknownField, field.name, "the policy has no such fact");
                let declared = self.inner.program.facts.iter().map(|fact| fact.name.as_str());
                let names = declared.chain(PLACES.iter().map(|(name, ..)| *name));
                Err(Box::new(match did_you_mean(field.name, names) {
                    Some(help) => problem.help(help),
                    None => problem,
                }))
            }
        }
    }
}

impl<T: Facts> Bound<T> {
    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The verdict. An ordinary value goes straight to the slots that the policy reads, and nothing is allocated; what is
    /// out of the ordinary, or wrong, goes by way of a [`Request`].
    ///
    /// # Errors
    /// As [`Policy::decide`].
    pub fn verdict(&self, value: &T) -> Result<Verdict, RequestError> {
        let fill = |filling: &mut Filling<'_>| {
            if let Some(stage) = self.stage {
                filling.stage_number(stage)?;
            }
            value.fill(&mut FactsInto { filling, places: &self.places }).map_err(|_| Refused)
        };
        match filled(&self.policy.inner, fill, |given| self.policy.read(given)) {
            Some(verdict) => Ok(verdict),
            None => self.policy.verdict(&self.request(value)),
        }
    }

    /// The decision, with every reason.
    ///
    /// # Errors
    /// As [`Policy::decide`].
    pub fn decide(&self, value: &T) -> Result<Decision, RequestError> {
        self.policy.decide(&self.request(value))
    }

    /// The value as a request.
    pub fn request(&self, value: &T) -> Request {
        let stage = self.stage.and_then(|stage| self.policy.inner.program.stages.get(stage as usize));
        let mut request = Request::to(stage.map_or("", |stage| stage.name.as_str()));
        value.tell(&mut request);
        request
    }
}

/// What a [`Facts`] fills.
pub struct FactsInto<'a, 'f> {
    filling: &'a mut Filling<'f>,
    places: &'a [Place],
}

impl<'f> FactsInto<'_, 'f> {
    /// The field at that place in [`Facts::FIELDS`].
    pub fn field(&mut self, index: usize) -> SayInto<'_, 'f> {
        let to = match self.places.get(index) {
            Some(place) => To::Place(*place),
            None => To::Nowhere,
        };
        SayInto { filling: &mut *self.filling, to }
    }
}

/// Where one value goes.
pub struct SayInto<'a, 'f> {
    filling: &'a mut Filling<'f>,
    to: To<'a>,
}

enum To<'a> {
    Nowhere,
    Place(Place),
    /// An element of a collection of that type; it goes there.
    Element(&'a Type, &'a mut Cell),
}

type Said = Result<(), OutOfTheOrdinary>;

impl<'f> SayInto<'_, 'f> {
    fn plan(&self, fact: u32) -> Option<&'f FactPlan> {
        let compact = self.filling.compact;
        compact.fact_plans.get(fact as usize)
    }

    fn put(&mut self, plan: &FactPlan, cell: Cell) {
        self.filling.fact(plan.whole, cell);
        for (_, slot) in &plan.keys {
            self.filling.fact(*slot, cell);
        }
    }

    fn scalar(&mut self, make: impl FnOnce(&mut Filling<'f>, &Type) -> Filled<Cell>) -> Said {
        match &mut self.to {
            To::Element(ty, cell) => **cell = make(self.filling, ty)?,
            To::Place(Place::Fact(fact)) => {
                let fact = *fact;
                let plan = self.plan(fact).ok_or(Refused)?;
                let cell = make(self.filling, &plan.ty)?;
                self.put(plan, cell);
            }
            To::Place(_) | To::Nowhere => return Err(Refused.into()),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Said {
        let filling = &mut *self.filling;
        let To::Place(place) = &self.to else { return self.scalar(|filling, ty| filling.scalar_text(ty, text)) };
        Ok(match place {
            Place::Stage => filling.stage(text),
            Place::Requester => filling.requester(text),
            Place::Id => filling.build_id(text),
            Place::Digest => filling.build_digest(text),
            Place::Version => filling.version(text),
            Place::Branch => filling.branch(text),
            Place::Commit => filling.commit(text),
            Place::Author => filling.author(text),
            Place::CurrentId => filling.occupant_id(text),
            Place::CurrentDigest => filling.occupant_digest(text),
            Place::CurrentVersion => filling.occupant_version(text),
            Place::Deploying => filling.deploying(Some(text)),
            _ => return self.scalar(|filling, ty| filling.scalar_text(ty, text)),
        }?)
    }

    fn time(&mut self, at: DateTime<Utc>) -> Said {
        let at = instant(at)?;
        match self.to {
            To::Place(Place::Now) => self.filling.now(at),
            To::Place(Place::Created) => self.filling.created(at),
            To::Place(Place::CurrentCreated) => self.filling.occupant_created(at),
            To::Place(Place::CurrentAt) => self.filling.occupant_at(at),
            _ => return self.scalar(|_, ty| if *ty == Type::Time { Ok(Cell::Time(at)) } else { Err(Refused) }),
        }
        Ok(())
    }

    fn list<T: Say>(&mut self, items: &[T]) -> Said {
        match self.to {
            To::Place(Place::Fact(fact)) => {
                let plan = self.plan(fact).ok_or(Refused)?;
                let Type::Set(of) = &plan.ty else { return Err(Refused.into()) };
                let cell = self.collection(of, items.iter().map(|item| (None, item)), plan)?;
                self.put(plan, cell);
                Ok(())
            }
            To::Place(place @ (Place::Labels | Place::Contributors)) => {
                // Texts alone come here.
                let list = if place == Place::Labels { List::Labels } else { List::Contributors };
                let from = self.filling.list();
                for item in items {
                    self.filling.listed(list, item.as_text().ok_or(Refused)?)?;
                }
                Ok(self.filling.list_ends(list, from)?)
            }
            To::Place(place @ (Place::History | Place::Approvals)) => {
                for item in items {
                    item.say(&mut SayInto { filling: &mut *self.filling, to: To::Place(place) })?;
                }
                Ok(())
            }
            _ => Err(Refused.into()),
        }
    }

    fn map<'m, T: Say + 'm>(&mut self, items: impl ExactSizeIterator<Item = (&'m str, &'m T)>) -> Said {
        let To::Place(Place::Fact(fact)) = self.to else { return Err(Refused.into()) };
        let plan = self.plan(fact).ok_or(Refused)?;
        if T::SURE && !self.filling.reads_fact(plan) {
            return Ok(self.filling.count(items.len())?);
        }
        let Type::Map(of) = &plan.ty else { return Err(Refused.into()) };
        let cell = self.collection(of, items.map(|(key, item)| (Some(key), item)), plan)?;
        self.filling.fact(plan.whole, cell);
        Ok(())
    }

    fn collection<'m, T: Say + 'm>(
        &mut self,
        of: &Type,
        items: impl Iterator<Item = (Option<&'m str>, &'m T)>,
        plan: &FactPlan,
    ) -> Result<Cell, OutOfTheOrdinary> {
        let mut room = Room::new(of, self.filling.given);
        for (key, item) in items {
            self.filling.count(1)?;
            let mut cell = Cell::Missing;
            item.say(&mut SayInto { filling: &mut *self.filling, to: To::Element(of, &mut cell) })?;
            if cell == Cell::Missing {
                return Err(Refused.into());
            }
            if let Some((_, slot)) = plan.keys.iter().find(|(known, _)| Some(&**known) == key) {
                self.filling.fact(*slot, cell);
            }
            if plan.whole != NONE {
                room.add(cell, self.filling.given);
            }
        }
        Ok(room.cell(self.filling.given)?)
    }
}

fn instant(at: DateTime<Utc>) -> Result<i64, OutOfTheOrdinary> {
    Ok(time::nanos_in_range(at).ok_or(Refused)?)
}

/// A type that can stand in a field of a [`Facts`].
///
/// Texts, bools, numbers, instants, [`RunStatus`], lists and maps of them, and [`TriggerFact`], [`Action`], lists of
/// [`Run`] and of [`Approval`]. An [`Option`] that is `None` says nothing: the fact was not supplied.
pub trait Say {
    /// What it can say.
    const KIND: SayKind;
    /// Whether all that it can say is in order, so that it need not be looked at where nobody asks for it.
    const SURE: bool = false;
    /// Says it.
    ///
    /// # Errors
    /// When it is out of the ordinary.
    fn say(&self, into: &mut SayInto<'_, '_>) -> Result<(), OutOfTheOrdinary>;
    /// As the value of a fact; `None` when it says nothing.
    fn value(&self) -> Option<Value>;
    /// As a text, if it is one.
    fn as_text(&self) -> Option<&str> {
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
            fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
                let number = *self as f64;
                into.scalar(|_, ty| match ty {
                    Type::Number if number.is_finite() => Ok(Cell::Number(number)),
                    _ => Err(Refused),
                })
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
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        into.scalar(|_, ty| if *ty == Type::Bool { Ok(Cell::Bool(*self)) } else { Err(Refused) })
    }
    fn value(&self) -> Option<Value> {
        Some(Value::Bool(*self))
    }
}

impl Say for DateTime<Utc> {
    const KIND: SayKind = SayKind::Time;
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
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        let index = super::conditions::status_index(*self);
        into.scalar(|_, _| Ok(Cell::Status(index)))
    }
    fn value(&self) -> Option<Value> {
        Some(Value::from(*self))
    }
}

impl<T: Say + ?Sized> Say for &T {
    const KIND: SayKind = T::KIND;
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        (**self).say(into)
    }
    fn value(&self) -> Option<Value> {
        (**self).value()
    }
    fn as_text(&self) -> Option<&str> {
        (**self).as_text()
    }
    fn tell(&self, name: &str, request: &mut Request) {
        (**self).tell(name, request);
    }
}

impl<T: Say> Say for Option<T> {
    const KIND: SayKind = T::KIND;
    fn say(&self, into: &mut SayInto<'_, '_>) -> Said {
        self.as_ref().map_or(Ok(()), |value| value.say(into))
    }
    fn value(&self) -> Option<Value> {
        self.as_ref().and_then(Say::value)
    }
    fn as_text(&self) -> Option<&str> {
        self.as_ref().and_then(Say::as_text)
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
        let (kind, text) = match self {
            TriggerFact::Push { branch } => (0, branch.as_deref()),
            TriggerFact::PullRequest { branch } => (1, branch.as_deref()),
            TriggerFact::Schedule { at } => {
                at.map(instant).transpose()?;
                (2, None)
            }
            TriggerFact::Manual { by } => (3, by.as_deref()),
            TriggerFact::Completion { of } => (4, of.as_deref()),
            TriggerFact::Event { name } => (5, name.as_deref()),
        };
        Ok(into.filling.trigger(kind, text)?)
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
        into.filling.action(*self as u16);
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
        let run = RunAt { at: instant(self.at)?, status: self.status };
        Ok(into.filling.run(&self.stage, run, self.digest.as_deref(), self.build.as_deref())?)
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
        let said = (self.by.as_str(), self.decision, instant(self.at)?);
        let (stage, build) = (self.stage.as_deref(), self.build.as_deref());
        Ok(into.filling.approval(said, stage, build, self.digest.as_deref())?)
    }
    fn value(&self) -> Option<Value> {
        None
    }
    fn tell(&self, _: &str, request: &mut Request) {
        request.approvals.push(self.clone());
    }
}
