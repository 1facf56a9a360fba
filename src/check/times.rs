//! Times: windows, freezes, calendars.

use super::names::Ctx;
use crate::schedule::{TimeSet, Zone};
use crate::syntax::tree;

/// The set of instants that is written there; local times are in `zone` unless they say otherwise.
pub(super) fn set(_ctx: &mut Ctx<'_>, _times: &tree::Times, _zone: Zone) -> Option<TimeSet> {
    Some(TimeSet::new(Vec::new(), Vec::new()))
}

/// All calendars, used or not.
pub(super) fn check_calendars(_ctx: &mut Ctx<'_>) {}
