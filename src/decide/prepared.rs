//! A request that was read once, to be asked often.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::ask::in_range;
use super::decision::{Decision, Verdict};
use super::search::Search;
use super::snapshot::Case;
use super::verdict::given::Given;
use crate::facts::draft::About;
use crate::facts::prepare::{self, instant, nanos};
use crate::facts::slots::{Said, Slots};
use crate::facts::{Approval, Request, RequestError, Value};
use crate::policy::Policy;
use crate::program::Slot;

/// A request that has been read for one policy: ask it for any instant, as often as you like. What changes from one
/// question to the next is changed in place.
///
/// ```
/// # use stagegate::{Build, Policy, Request, Verdict};
/// # use chrono::{Duration, TimeZone, Utc};
/// let policy = Policy::parse("soak.gate", "policy p stage Dev { advise any: build.id is set } stage Test after Dev for 2h {}")?;
/// let ended = Utc.with_ymd_and_hms(2026, 3, 4, 10, 0, 0).unwrap();
/// let request = Request::to("Test").build(Build::new("1")).at(ended).succeeded("Dev", ended);
/// let mut prepared = policy.prepare(&request)?;
/// assert_eq!(prepared.verdict(), Verdict::Hold);
/// prepared.set_now(ended + Duration::hours(2))?;
/// assert_eq!(prepared.verdict(), Verdict::Allow);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Prepared {
    policy: Policy,
    slots: Arc<Slots>,
    given: Given,
}

/// Texts and elements that updates have left behind, in bytes and numbers, before everything is laid out anew.
const LEFT_BEHIND: usize = 1 << 12;

impl Prepared {
    pub(super) fn new(policy: Policy, slots: Slots) -> Prepared {
        let given = Given::of(&slots, &policy.inner);
        Prepared { policy, slots: Arc::new(slots), given }
    }

    /// The case that it makes, for readers of the flat program.
    pub(crate) fn case(&self) -> Option<Case<'_>> {
        self.policy.case(&self.slots)
    }

    /// The request as the verdict reads it.
    pub(crate) fn given(&self) -> &Given {
        &self.given
    }

    /// The instant that it asks for.
    pub fn now(&self) -> DateTime<Utc> {
        instant(self.slots.now)
    }

    /// Asks for another instant. Nothing is allocated for it.
    ///
    /// # Errors
    /// When it lies outside the years 1970 to 2200.
    pub fn set_now(&mut self, now: DateTime<Utc>) -> Result<(), RequestError> {
        in_range("now", now)?;
        self.given.now = nanos(now);
        Arc::make_mut(&mut self.slots).now = self.given.now;
        self.given.settle();
        self.given.take_clocks(&self.policy.inner);
        Ok(())
    }

    /// One more word of an approver: an approval, a reject or a withdrawal.
    ///
    /// ```
    /// # use stagegate::{Approval, Build, Policy, Request, Verdict, Word};
    /// # let now = "2026-03-04T10:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    /// let policy = Policy::parse("qa.gate", "group qa = [amita] stage Test { approve tested: 1 of qa }")?;
    /// let request = Request::to("Test").build(Build::new("1").author("tim")).at(now);
    /// let mut prepared = policy.prepare(&request)?;
    /// assert_eq!(prepared.verdict(), Verdict::Hold);
    /// prepared.approval(&Approval::new("amita", Word::Approve, now))?;
    /// assert_eq!(prepared.verdict(), Verdict::Allow);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When [`Request::check`] would refuse it.
    pub fn approval(&mut self, approval: &Approval) -> Result<(), RequestError> {
        let policy = self.policy.clone();
        let inner = &*policy.inner;
        Request::to("?").build(crate::Build::new("?")).approval(approval.clone()).check(&inner.limits)?;
        let people = inner.program.people.len();
        let slots = Arc::make_mut(&mut self.slots);
        let person = match inner.plan.person(&approval.by) {
            Some(person) => person,
            None => {
                let known = slots.strangers.iter().position(|name| *name == approval.by);
                let index = known.unwrap_or(slots.strangers.len());
                if known.is_none() {
                    slots.strangers.push(approval.by.clone());
                    self.given.add_stranger(&approval.by, &inner.plan.words);
                }
                (people + index) as u32
            }
        };
        let said = Said { person, at: nanos(approval.at), word: approval.decision };
        let (stage, digest) = (inner.program.stages.get(slots.stage.0 as usize), slots.digest.as_deref());
        match prepare::said_about(About::of_approval(approval), stage.map_or("", |s| &s.name), &slots.build, digest) {
            Some(why) => slots.others.push(crate::facts::slots::Other { said, why }),
            None => {
                let place = slots.said.partition_point(|s| (s.person, s.at, s.word) <= (person, said.at, said.word));
                slots.said.insert(place, said);
                self.given.say(said);
                self.given.settle();
                self.given.take_seats(inner);
            }
        }
        Ok(())
    }

    /// Gives a fact, or gives it another value.
    ///
    /// # Errors
    /// When its value is not of the type that the policy declares. A fact that the policy does not declare is ignored.
    pub fn set_fact(&mut self, name: &str, value: impl Into<Value>) -> Result<(), RequestError> {
        let policy = self.policy.clone();
        let program = &policy.inner.program;
        let value = value.into();
        let Some(index) = program.facts.iter().position(|fact| fact.name == name) else { return Ok(()) };
        let Some(decl) = program.facts.get(index) else { return Ok(()) };
        let alone = Request::to("?").build(crate::Build::new("?")).fact(name, value.clone());
        alone.check(&policy.inner.limits)?;
        let converted = prepare::one_fact(decl, &value)?;
        let read = program.stages.get(self.slots.stage.0 as usize).map(|s| s.slots.as_slice()).unwrap_or_default();
        for slot in read {
            let value = match program.slots.get(slot.0 as usize) {
                Some(Slot::Fact(fact)) if *fact as usize == index => converted.clone(),
                Some(Slot::FactKey(fact, key)) if *fact as usize == index => prepare::under_key(&converted, key),
                _ => continue,
            };
            self.given.value(slot.0, &value, program, &policy.inner.plan.words);
            if let Some(place) = Arc::make_mut(&mut self.slots).values.get_mut(slot.0 as usize) {
                *place = value;
            }
        }
        if self.given.left_behind() > LEFT_BEHIND {
            self.given = Given::of(&self.slots, &policy.inner);
        }
        Ok(())
    }

    /// The verdict, without its reasons: nothing is allocated for it. (Where an override has been invoked, and in a few
    /// other cases in which a rule is false and only a search ahead in time tells whether that lasts, it searches as
    /// [`Prepared::decide`] does.)
    pub fn verdict(&self) -> Verdict {
        self.policy.read(&self.given).unwrap_or_else(|| self.policy.searched(&self.slots))
    }

    /// The decision, with every reason.
    ///
    /// # Errors
    /// None that [`Policy::prepare`] has not told already.
    pub fn decide(&self) -> Result<Decision, RequestError> {
        match self.policy.case(&self.slots) {
            Some(_) => Ok(Decision::new(self.verdict(), self.policy.clone(), self.slots.clone())),
            None => Err(RequestError::missing("stage")),
        }
    }
}

impl Policy {
    /// The verdict as the explained decision comes by it.
    pub(super) fn searched(&self, slots: &Slots) -> Verdict {
        match self.case(slots) {
            Some(case) => {
                let mut search = Search::new(case);
                let snapshot = search.at(slots.now);
                search.verdict(&snapshot)
            }
            None => Verdict::Deny,
        }
    }
}
