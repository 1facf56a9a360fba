//! Where the elements of a collection go, and what the words of enumerations stand for.

use std::sync::Arc;

use super::compact::{Cell, is_mask};
use super::filling::{Filled, Refused};
use super::given::Given;
use crate::decide::conditions::status_index;
use crate::facts::RunStatus;
use crate::program::{EnumType, Type};

/// A value of an enumeration by its name.
pub(crate) fn enum_value(values: &Arc<EnumType>, text: &str) -> Option<Cell> {
    if values.builtin == Some("status") {
        return run_status(text).map(|status| Cell::Status(status_index(status)));
    }
    Some(Cell::Enum(u16::try_from(values.values.iter().position(|v| v == text)?).ok()?))
}

/// A run's status by name.
pub(crate) fn run_status(name: &str) -> Option<RunStatus> {
    Some(match name {
        "succeeded" | "passed" => RunStatus::Succeeded,
        "failed" => RunStatus::Failed,
        "skipped" => RunStatus::Skipped,
        "cancelled" => RunStatus::Cancelled,
        "pending" => RunStatus::Pending,
        _ => return None,
    })
}

/// The elements from one place on.
pub(crate) fn elements_from(from: usize, given: &Given) -> Filled<Cell> {
    match (u32::try_from(from), u32::try_from(given.elements.len())) {
        (Ok(from), Ok(to)) => Ok(Cell::Set(from, to)),
        _ => Err(Refused),
    }
}

/// What a collection of a type is filled into.
pub(crate) enum Room {
    /// A mask; whether of statuses.
    Bits { status: bool, bits: u64 },
    /// Elements from here on.
    Elements(usize),
}

impl Room {
    pub fn new(of: &Type, given: &Given) -> Room {
        match is_mask(of) {
            Some(status) => Room::Bits { status, bits: 0 },
            None => Room::Elements(given.elements.len()),
        }
    }

    pub fn add(&mut self, cell: Cell, given: &mut Given) {
        match self {
            Room::Bits { bits, .. } => {
                if let Cell::Enum(i) | Cell::Status(i) = cell {
                    *bits |= 1u64.checked_shl(u32::from(i)).unwrap_or(0);
                }
            }
            Room::Elements(_) => given.elements.push(cell),
        }
    }

    pub fn cell(&self, given: &Given) -> Filled<Cell> {
        match self {
            Room::Bits { status, bits } => Ok(Cell::Bits { status: *status, bits: *bits }),
            Room::Elements(from) => elements_from(*from, given),
        }
    }
}
