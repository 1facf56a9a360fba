//! Takes what the fields of a struct say to where the verdict looks for it.
//!
//! What is generic is made in the crate of the struct, and calls functions that are not: those take a place, which fits in
//! a register.

use chrono::{DateTime, Utc};

use super::{OutOfTheOrdinary, Place, Say};
use crate::decide::conditions::status_index;
use crate::decide::verdict::compact::{Cell, FactPlan, NONE};
use crate::decide::verdict::filling::{Filled, Filling, List, Refused};
use crate::decide::verdict::room::Room;
use crate::facts::slots::RunAt;
use crate::facts::{Action, Approval, Run, RunStatus, TriggerFact, Word, time};
use crate::program::{Builtin, Type};

/// What a [`Facts`](super::Facts) fills.
pub struct FactsInto<'a, 'f> {
    filling: &'a mut Filling<'f>,
    places: &'a [Place],
}

impl<'a, 'f> FactsInto<'a, 'f> {
    pub(super) fn new(filling: &'a mut Filling<'f>, places: &'a [Place]) -> FactsInto<'a, 'f> {
        FactsInto { filling, places }
    }

    /// Whether the stage that is asked for reads the field at that place, or may refuse what it says; always while it is
    /// not known which stage that is.
    #[inline]
    pub fn asks(&self, index: usize) -> bool {
        index >= 64 || self.filling.asked >> index & 1 == 1
    }

    /// The field at that place in [`Facts::FIELDS`](super::Facts::FIELDS).
    #[inline]
    pub fn field(&mut self, index: usize) -> SayInto<'_, 'f> {
        SayInto { filling: &mut *self.filling, to: self.places.get(index).copied().unwrap_or(Place::Nowhere) }
    }
}

/// Where one value goes.
pub struct SayInto<'a, 'f> {
    filling: &'a mut Filling<'f>,
    to: Place,
}

pub(super) type Said = Result<(), OutOfTheOrdinary>;

impl<'f> SayInto<'_, 'f> {
    #[inline]
    pub(super) fn text(&mut self, text: &str) -> Said {
        say_text(self.filling, self.to, text)
    }

    #[inline]
    pub(super) fn bool(&mut self, bool: bool) -> Said {
        say_bool(self.filling, self.to, bool)
    }

    #[inline]
    pub(super) fn number(&mut self, number: f64) -> Said {
        say_number(self.filling, self.to, number)
    }

    #[inline]
    pub(super) fn time(&mut self, at: DateTime<Utc>) -> Said {
        say_time(self.filling, self.to, at)
    }

    #[inline]
    pub(super) fn trigger(&mut self, trigger: &TriggerFact) -> Said {
        say_trigger(self.filling, trigger)
    }

    pub(super) fn action(&mut self, action: Action) {
        self.filling.action(action as u16);
    }

    #[inline]
    pub(super) fn runs(&mut self, runs: &[Run]) -> Said {
        say_runs(self.filling, runs)
    }

    #[inline]
    pub(super) fn approvals(&mut self, approvals: &[Approval]) -> Said {
        say_approvals(self.filling, approvals)
    }

    #[inline]
    pub(super) fn status(&mut self, status: RunStatus) -> Said {
        say_status(self.filling, self.to, status)
    }

    #[inline]
    pub(super) fn list<T: Say>(&mut self, items: &[T]) -> Said {
        match self.to {
            Place::History | Place::Approvals => T::say_all(items, self),
            Place::Fact(fact) => {
                let plan = plan(self.filling, fact)?;
                let Type::Set(of) = &plan.ty else { return Err(Refused.into()) };
                let cell = self.collection(of, items.iter().map(|item| (None, item)), plan)?;
                put(self.filling, plan, cell);
                Ok(())
            }
            Place::Labels if !self.filling.reads(Builtin::BuildLabels) => {
                // Any text will do.
                self.filling.count(items.len());
                if items.iter().all(|item| item.as_text().is_some()) { Ok(()) } else { Err(Refused.into()) }
            }
            Place::Labels | Place::Contributors => {
                // Texts alone come here.
                let list = if self.to == Place::Labels { List::Labels } else { List::Contributors };
                let from = self.filling.list();
                for item in items {
                    self.filling.listed(list, item.as_text().ok_or(Refused)?)?;
                }
                Ok(self.filling.list_ends(list, from)?)
            }
            _ => Err(Refused.into()),
        }
    }

    #[inline]
    pub(super) fn map<'m, T: Say + 'm>(&mut self, items: impl ExactSizeIterator<Item = (&'m str, &'m T)>) -> Said {
        let Place::Fact(fact) = self.to else { return Err(Refused.into()) };
        let plan = plan(self.filling, fact)?;
        if T::SURE && !self.filling.reads.fact(plan) {
            self.filling.count(items.len());
            return Ok(());
        }
        let Type::Map(of) = &plan.ty else { return Err(Refused.into()) };
        let cell = self.collection(of, items.map(|(key, item)| (Some(key), item)), plan)?;
        self.filling.fact(plan.whole, cell);
        Ok(())
    }

    fn collection<'m, T: Say + 'm>(
        &mut self,
        of: &'f Type,
        items: impl Iterator<Item = (Option<&'m str>, &'m T)>,
        plan: &FactPlan,
    ) -> Result<Cell, OutOfTheOrdinary> {
        let filling = &mut *self.filling;
        let mut room = Room::new(of, filling.given);
        filling.element.0 = Some(of);
        for (key, item) in items {
            filling.count(1);
            let cell = match item.as_status() {
                Some(status) => Cell::Status(status_index(status)),
                None => {
                    filling.element.1 = Cell::Missing;
                    item.say(&mut SayInto { filling: &mut *filling, to: Place::Element })?;
                    filling.element.1
                }
            };
            if matches!(cell, Cell::Missing) {
                return Err(Refused.into());
            }
            if let Some((_, slot)) = plan.keys.iter().find(|(known, _)| Some(&**known) == key) {
                filling.fact(*slot, cell);
            }
            if plan.whole != NONE {
                room.add(cell, filling.given);
            }
        }
        Ok(room.cell(filling.given)?)
    }
}

fn plan<'f>(filling: &Filling<'f>, fact: u32) -> Filled<&'f FactPlan> {
    let compact = filling.compact;
    compact.fact_plans.get(fact as usize).ok_or(Refused)
}

fn put(filling: &mut Filling<'_>, plan: &FactPlan, cell: Cell) {
    filling.fact(plan.whole, cell);
    for (_, slot) in &plan.keys {
        filling.fact(*slot, cell);
    }
}

/// A value that is no collection.
#[inline]
fn say<'f>(filling: &mut Filling<'f>, to: Place, make: impl FnOnce(&mut Filling<'f>, &Type) -> Filled<Cell>) -> Said {
    match to {
        Place::Fact(fact) => {
            let plan = plan(filling, fact)?;
            let cell = make(filling, &plan.ty)?;
            put(filling, plan, cell);
        }
        Place::Element => {
            let of = filling.element.0.ok_or(Refused)?;
            filling.element.1 = make(filling, of)?;
        }
        _ => return Err(Refused.into()),
    }
    Ok(())
}

fn say_text(filling: &mut Filling<'_>, to: Place, text: &str) -> Said {
    Ok(match to {
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
        _ => return say(filling, to, |filling, ty| filling.scalar_text(ty, text)),
    }?)
}

fn say_bool(filling: &mut Filling<'_>, to: Place, bool: bool) -> Said {
    say(filling, to, |_, ty| if *ty == Type::Bool { Ok(Cell::Bool(bool)) } else { Err(Refused) })
}

fn say_number(filling: &mut Filling<'_>, to: Place, number: f64) -> Said {
    say(filling, to, |_, ty| match ty {
        Type::Number if number.is_finite() => Ok(Cell::Number(number)),
        _ => Err(Refused),
    })
}

fn say_status(filling: &mut Filling<'_>, to: Place, status: RunStatus) -> Said {
    say(filling, to, |_, _| Ok(Cell::Status(status_index(status))))
}

fn say_time(filling: &mut Filling<'_>, to: Place, at: DateTime<Utc>) -> Said {
    let at = instant(at)?;
    match to {
        Place::Now => filling.now(at)?,
        Place::Created => filling.created(at),
        Place::CurrentCreated => filling.occupant_created(at),
        Place::CurrentAt => filling.occupant_at(at),
        _ => return say(filling, to, |_, ty| if *ty == Type::Time { Ok(Cell::Time(at)) } else { Err(Refused) }),
    }
    Ok(())
}

fn say_trigger(filling: &mut Filling<'_>, trigger: &TriggerFact) -> Said {
    let (kind, text) = match trigger {
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
    Ok(filling.trigger(kind, text)?)
}

fn say_runs(filling: &mut Filling<'_>, runs: &[Run]) -> Said {
    for run in runs {
        let at = RunAt { at: instant(run.at)?, status: run.status };
        // Most say no more.
        if run.digest.is_none() && run.build.is_none() {
            filling.own_run(&run.stage, at)?;
        } else {
            run_about(filling, run, at)?;
        }
    }
    Ok(())
}

#[inline(never)]
fn run_about(filling: &mut Filling<'_>, run: &Run, at: RunAt) -> Said {
    Ok(filling.run(&run.stage, at, run.digest.as_deref(), run.build.as_deref())?)
}

fn say_approvals(filling: &mut Filling<'_>, approvals: &[Approval]) -> Said {
    for approval in approvals {
        let said = (approval.by.as_str(), approval.decision, instant(approval.at)?);
        // Most say no more.
        if approval.stage.is_none() && approval.build.is_none() && approval.digest.is_none() {
            filling.own_approval(said)?;
        } else {
            approval_about(filling, approval, said)?;
        }
    }
    Ok(())
}

#[inline(never)]
fn approval_about(filling: &mut Filling<'_>, approval: &Approval, said: (&str, Word, i64)) -> Said {
    let (stage, build) = (approval.stage.as_deref(), approval.build.as_deref());
    Ok(filling.approval(said, stage, build, approval.digest.as_deref())?)
}

#[inline]
fn instant(at: DateTime<Utc>) -> Result<i64, OutOfTheOrdinary> {
    Ok(time::nanos_in_range(at).ok_or(Refused)?)
}
