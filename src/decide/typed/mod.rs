//! An embedder's own struct as a request: its fields are matched with the policy once, and then filled in place.

mod into;
mod say;

use std::marker::PhantomData;

use super::decision::{Decision, Verdict};
use super::verdict::compact::CompactStage;
use super::verdict::filling::{Filling, Refused, filled};
use crate::diagnostic::did_you_mean;
use crate::facts::prepare::expected;
use crate::facts::{ProblemKind, Request, RequestError, RequestProblem};
use crate::policy::Policy;
use crate::program::{Builtin, Type};
pub use into::{FactsInto, SayInto};
pub use say::Say;

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
    /// Gives what the fields hold, by their place in [`Facts::FIELDS`]: the stage and the instant first, if they are among
    /// them. Those may be left out that are [not asked](FactsInto::asks) and [in order](Say::in_order).
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
    /// An element of a collection.
    Element,
    Nowhere,
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
    /// By stage: which fields it reads, as bits by their places; those that may be wrong in ways that their types do not
    /// show are always read.
    asked: Vec<u64>,
    of: PhantomData<fn(&T)>,
}

impl<T> std::fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bound").field("policy", &self.policy.name()).field("places", &self.places).finish()
    }
}

impl<T> Clone for Bound<T> {
    fn clone(&self) -> Bound<T> {
        let (policy, places, asked) = (self.policy.clone(), self.places.clone(), self.asked.clone());
        Bound { policy, stage: self.stage, places, asked, of: PhantomData }
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
        let asked = self.inner.compact.stages.iter().map(|flat| self.asked(flat, &places, T::FIELDS)).collect();
        let bound = Bound { policy: self.clone(), stage, places, asked, of: PhantomData };
        RequestError::from_problems(problems).map_or(Ok(bound), Err)
    }

    /// Which of some fields a stage reads, as bits.
    fn asked(&self, flat: &CompactStage, places: &[Place], fields: &[FactsField]) -> u64 {
        let compact = &self.inner.compact;
        let reads = flat.reads;
        let slot = |builtin: Builtin| reads.slot(compact.builtins.of(builtin));
        let mut asked = u64::MAX;
        for (index, (place, field)) in places.iter().zip(fields).enumerate().take(64) {
            let read = match place {
                Place::Requester => slot(Builtin::Requester) || reads.asker,
                Place::Branch => slot(Builtin::BuildBranch) || compact.pushes && reads.trigger,
                Place::Commit => slot(Builtin::BuildCommit),
                Place::Author => slot(Builtin::BuildAuthor) || reads.author,
                Place::CurrentId => slot(Builtin::CurrentId) || reads.occupant,
                Place::CurrentDigest => slot(Builtin::CurrentDigest) || reads.occupant,
                // Of these types no value is wrong that its type lets through.
                Place::Fact(fact) => match (compact.fact_plans.get(*fact as usize), field.kind) {
                    (Some(plan), SayKind::Bool | SayKind::Number | SayKind::Status) => reads.fact(plan),
                    (Some(plan), SayKind::Text) => !matches!(plan.ty, Type::String | Type::User) || reads.fact(plan),
                    _ => true,
                },
                _ => true,
            };
            if !read {
                asked &= !(1 << index);
            }
        }
        asked
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
            value.fill(&mut FactsInto::new(filling, &self.places)).map_err(|_| Refused)
        };
        match filled(&self.policy.inner, &self.asked, fill, |given| self.policy.read(given)) {
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
