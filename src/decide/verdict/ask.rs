//! Tests and gates on cells.

use std::cmp::Ordering;

use super::compact::{Ask, Cell, CompactStage, NONE, Side, Step};
use super::{Reader, all, any, not};
use crate::decide::truth::Truth;
use crate::program::{Comparison, Group, GroupId, PENDING};

/// The values of the entries of a program, as far as they have been asked for.
pub(super) struct Reading<'r> {
    pub reader: &'r Reader<'r>,
    pub values: &'r mut [Truth],
    /// So many entries have a value.
    pub done: usize,
}

impl Reading<'_> {
    /// The value of an entry. Entries refer to earlier ones only, and rules ask for them about in their order.
    #[inline]
    pub fn op(&mut self, id: u32) -> Truth {
        let id = id as usize;
        if id >= self.done {
            self.up_to(id);
        }
        self.values.get(id).copied().unwrap_or(Truth::Unknown)
    }

    fn up_to(&mut self, id: usize) {
        let flat = self.reader.flat;
        let from = self.done;
        let steps = flat.steps.get(from..=id).unwrap_or_default();
        for (index, step) in steps.iter().enumerate() {
            let value = self.reader.step(flat, step, self.values);
            if let Some(place) = self.values.get_mut(from + index) {
                *place = value;
            }
        }
        self.done = id + 1;
    }
}

impl<'a> Reader<'a> {
    #[inline]
    pub fn step(&self, flat: &CompactStage, step: &Step, values: &[Truth]) -> Truth {
        let value = |id: u32| values.get(id as usize).copied().unwrap_or(Truth::Unknown);
        match step {
            Step::Fixed(truth) => *truth,
            Step::Number { slot, comparison, value } => match self.slot(*slot) {
                Cell::Number(n) => n.partial_cmp(value).map_or(Truth::Unknown, |o| holds(*comparison, o)),
                _ => Truth::Unknown,
            },
            Step::Word { slot, id, not } => match self.slot(*slot) {
                Cell::Text { id: given, .. } => Truth::of((given == *id) != *not),
                _ => Truth::Unknown,
            },
            Step::Mask { slot, mask } => {
                let (yes, unknown) = flat.masks.get(*mask as usize).copied().unwrap_or((0, u64::MAX));
                match self.slot(*slot) {
                    Cell::Enum(i) | Cell::Status(i) => of_mask(i, yes, unknown),
                    _ => Truth::Unknown,
                }
            }
            Step::EveryMask { slot, mask } => {
                let (yes, unknown) = flat.masks.get(*mask as usize).copied().unwrap_or((0, u64::MAX));
                match self.slot(*slot) {
                    Cell::Bits { bits, .. } => every(bits, yes, unknown),
                    _ => Truth::Unknown,
                }
            }
            Step::Ask(index) => match flat.asks.get(*index as usize) {
                Some((slot, ask)) => self.ask(self.slot(*slot), ask),
                None => Truth::Unknown,
            },
            Step::And(from, to) => all(args(flat, *from, *to).iter().map(|id| value(id.0))),
            Step::Or(from, to) => any(args(flat, *from, *to).iter().map(|id| value(id.0))),
            Step::Not(id) => not(value(*id)),
        }
    }

    #[inline]
    pub fn slot(&self, slot: u32) -> Cell {
        match self.later {
            None => self.given.cells.get(slot as usize).copied().unwrap_or(Cell::Missing),
            Some(t) => self.given.at(slot, t),
        }
    }

    fn side(&self, side: &Side) -> Cell {
        match side {
            Side::Fixed(cell) => *cell,
            Side::Slot(slot) => self.slot(*slot),
        }
    }

    /// A text, of the request or of the policy.
    pub fn text(&self, cell: Cell) -> Option<&'a str> {
        match cell {
            Cell::Text { at, len, .. } => self.given.text.get(at as usize..(at as usize).saturating_add(len as usize)),
            Cell::Word(id) => self.inner.plan.words.text(id),
            _ => None,
        }
    }

    fn elements(&self, from: u32, to: u32) -> &'a [Cell] {
        self.given.elements.get(from as usize..to as usize).unwrap_or_default()
    }

    /// As [`Asking::check`](crate::decide::conditions::Asking::check), for the truth alone.
    pub fn ask(&self, left: Cell, ask: &Ask) -> Truth {
        let missing = matches!(left, Cell::Missing | Cell::Null);
        match ask {
            Ask::IsSet => return Truth::of(!missing),
            Ask::IsMissing => return Truth::of(missing),
            _ if missing => return Truth::Unknown,
            _ => {}
        }
        match ask {
            Ask::IsSet | Ask::IsMissing => Truth::Unknown,
            Ask::IsTrue => match left {
                Cell::Bool(b) => Truth::of(b),
                _ => Truth::Unknown,
            },
            Ask::Mask { yes, unknown } => match left {
                Cell::Enum(i) | Cell::Status(i) => of_mask(i, *yes, *unknown),
                _ => Truth::Unknown,
            },
            Ask::Compare(comparison, right) => self.compare(*comparison, left, self.side(right)),
            Ask::InList(items) => any(items.iter().map(|item| self.compare(Comparison::Eq, left, self.side(item)))),
            Ask::InSet(slot) => self.element_of(left, self.slot(*slot)),
            Ask::InGroup(group) => self.in_group(left, *group),
            Ask::Contains(right) => match (left, self.side(right)) {
                (_, Cell::Missing | Cell::Null) => Truth::Unknown,
                (Cell::Set(..) | Cell::Bits { .. }, element) => self.element_of(element, left),
                (left, right) => self.texts(left, right, |text, part| text.contains(part)),
            },
            Ask::StartsWith(right) => self.texts(left, self.side(right), |text, part| text.starts_with(part)),
            Ask::EndsWith(right) => self.texts(left, self.side(right), |text, part| text.ends_with(part)),
            Ask::Matches(regex) => self.text(left).map_or(Truth::Unknown, |text| Truth::of(regex.is_match(text))),
            Ask::Not(ask) => not(self.ask(left, ask)),
            Ask::Every(ask) => self.each(left, ask).map_or(Truth::Unknown, |(least, _)| least),
            Ask::Any(ask) => match left {
                Cell::Set(..) | Cell::Bits { .. } => self.each(left, ask).map_or(Truth::False, |(_, most)| most),
                _ => Truth::Unknown,
            },
        }
    }

    /// The least and the most true of all elements; `None` when there is none.
    fn each(&self, left: Cell, ask: &Ask) -> Option<(Truth, Truth)> {
        let join = |so_far: Option<(Truth, Truth)>, t: Truth| match so_far {
            None => Some((t, t)),
            Some((least, most)) => Some((least.min(t), most.max(t))),
        };
        match (left, ask) {
            (Cell::Bits { bits: 0, .. }, _) => None,
            (Cell::Bits { bits, .. }, Ask::Mask { yes, unknown }) => {
                Some((every(bits, *yes, *unknown), not(every(bits, !(yes | unknown), *unknown))))
            }
            (Cell::Bits { status, bits }, ask) => {
                let values = (0..64).filter(|i| bits >> i & 1 == 1);
                values.map(|i| self.ask(value_of(status, i), ask)).fold(None, join)
            }
            (Cell::Set(from, to), ask) => {
                self.elements(from, to).iter().map(|cell| self.ask(*cell, ask)).fold(None, join)
            }
            _ => None,
        }
    }

    fn texts(&self, left: Cell, right: Cell, holds: impl Fn(&str, &str) -> bool) -> Truth {
        match (self.text(left), self.text(right)) {
            (Some(text), Some(part)) => Truth::of(holds(text, part)),
            _ => Truth::Unknown,
        }
    }

    fn element_of(&self, element: Cell, set: Cell) -> Truth {
        match set {
            Cell::Set(from, to) => {
                any(self.elements(from, to).iter().map(|item| self.compare(Comparison::Eq, element, *item)))
            }
            Cell::Bits { status, bits } => {
                let values = (0..64).filter(|i| bits >> i & 1 == 1);
                any(values.map(|i| self.compare(Comparison::Eq, element, value_of(status, i))))
            }
            _ => Truth::Unknown,
        }
    }

    fn in_group(&self, person: Cell, id: GroupId) -> Truth {
        let Some(name) = self.text(person) else { return Truth::Unknown };
        let known = match person {
            Cell::Text { id, .. } | Cell::Word(id) if (id as usize) < self.inner.program.people.len() => Some(id),
            _ => None,
        };
        match self.inner.program.groups.get(id.0 as usize) {
            Some(Group { members: Some(_), .. }) => {
                let members = self.inner.compact.groups.get(id.0 as usize);
                Truth::of(known.is_some_and(|id| members.is_some_and(|m| m.contains(id))))
            }
            Some(Group { members: None, .. }) => match (self.given.directory(id), known) {
                (None, _) => Truth::Unknown,
                (Some(members), Some(known)) => Truth::of(members.binary_search(&known).is_ok()),
                (Some(members), None) => {
                    let strangers = members.iter().filter_map(|m| self.given.stranger(&self.inner.program, *m));
                    any(strangers.map(|stranger| Truth::of(stranger == name)))
                }
            },
            None => Truth::Unknown,
        }
    }

    /// `left comparison right`. A status that is pending is not comparable with anything but pending.
    fn compare(&self, comparison: Comparison, left: Cell, right: Cell) -> Truth {
        use Cell::*;
        let order = match (left, right) {
            (Text { .. } | Word(_), Text { .. } | Word(_)) => return self.compare_texts(comparison, left, right),
            (Bool(a), Bool(b)) => a.cmp(&b),
            (Number(a), Number(b)) => match a.partial_cmp(&b) {
                Some(order) => order,
                None => return Truth::Unknown,
            },
            (Time(a), Time(b)) | (Duration(a), Duration(b)) => a.cmp(&b),
            (Version(_) | FixedVersion(_), Version(_) | FixedVersion(_)) => {
                match (self.version(left), self.version(right)) {
                    (Some(a), Some(b)) => a.cmp_precedence(b),
                    _ => return Truth::Unknown,
                }
            }
            (Enum(a), Enum(b)) => a.cmp(&b),
            (Status(a), Status(b)) if (a == PENDING) != (b == PENDING) => return Truth::Unknown,
            (Status(a), Status(b)) => a.cmp(&b),
            // A status against a word of the policy.
            (Status(a), Enum(b)) | (Enum(b), Status(a)) if a == PENDING && b != PENDING => return Truth::Unknown,
            (Status(a), Enum(b)) | (Enum(b), Status(a)) => a.cmp(&b),
            _ => return Truth::Unknown,
        };
        holds(comparison, order)
    }

    fn compare_texts(&self, comparison: Comparison, left: Cell, right: Cell) -> Truth {
        let number = |cell: Cell| match cell {
            Cell::Text { id, .. } | Cell::Word(id) => id,
            _ => NONE,
        };
        let (a, b) = (number(left), number(right));
        let order = match (comparison, a == b) {
            (_, true) if a != NONE => Ordering::Equal,
            // One of them is known to the policy, so the other one is another.
            (Comparison::Eq | Comparison::Ne, false) => Ordering::Less,
            _ => match (self.text(left), self.text(right)) {
                (Some(a), Some(b)) => a.cmp(b),
                _ => return Truth::Unknown,
            },
        };
        holds(comparison, order)
    }

    fn version(&self, cell: Cell) -> Option<&'a semver::Version> {
        match cell {
            Cell::Version(index) => self.given.versions.get(index as usize),
            Cell::FixedVersion(index) => self.inner.compact.versions.get(index as usize),
            _ => None,
        }
    }
}

fn args(flat: &CompactStage, from: u32, to: u32) -> &[crate::program::OpId] {
    flat.args.get(from as usize..to as usize).unwrap_or_default()
}

fn value_of(status: bool, index: u16) -> Cell {
    if status { Cell::Status(index) } else { Cell::Enum(index) }
}

fn of_mask(value: u16, yes: u64, unknown: u64) -> Truth {
    let bit = 1u64.checked_shl(u32::from(value)).unwrap_or(0);
    if yes & bit != 0 {
        Truth::True
    } else if unknown & bit != 0 {
        Truth::Unknown
    } else {
        Truth::False
    }
}

/// Of values that are there, of which a test is true or unknown. Nothing there: nothing has reported.
fn every(bits: u64, yes: u64, unknown: u64) -> Truth {
    if bits & !(yes | unknown) != 0 {
        Truth::False
    } else if bits & unknown != 0 || bits == 0 {
        Truth::Unknown
    } else {
        Truth::True
    }
}

fn holds(comparison: Comparison, order: Ordering) -> Truth {
    Truth::of(match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Ne => order.is_ne(),
        Comparison::Lt => order.is_lt(),
        Comparison::Le => order.is_le(),
        Comparison::Gt => order.is_gt(),
        Comparison::Ge => order.is_ge(),
    })
}
