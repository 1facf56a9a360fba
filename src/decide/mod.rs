//! From a program and slots to a verdict, a decision with its reasons, a timeline.

mod approvals;
mod ask;
pub(crate) mod conditions;
mod decision;
mod display;
mod explain;
pub(crate) mod names;
pub(crate) mod plan;
mod prepared;
mod search;
pub(crate) mod snapshot;
mod telling;
pub(crate) mod truth;
mod typed;
mod unblock;
pub(crate) mod verdict;
pub(crate) mod words;
mod write;

pub use ask::{Coming, Event, Firing, Timeline};
pub use decision::{
    ApprovalNeed, Decision, InvokedBy, Kind, Needs, NotCounted, OverrideReport, PolicyRef, RuleReport, Status, Step,
    Stretch, Verdict,
};
pub use display::Style;
pub use prepared::Prepared;
pub use typed::{Bound, Facts, FactsField, FactsInto, OutOfTheOrdinary, Say, SayInto, SayKind};

use crate::facts::slots::{Person, Slots};
use crate::program::Program;

/// The name of a person whom the policy or the request names.
fn person_name<'a>(program: &'a Program, slots: &'a Slots, person: Person) -> Option<&'a str> {
    let index = person as usize;
    match program.people.get(index) {
        Some(name) => Some(name),
        None => slots.strangers.get(index.checked_sub(program.people.len())?).map(String::as_str),
    }
}
