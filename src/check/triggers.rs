//! Triggers.

use super::names::Ctx;
use crate::diagnostic::SourceId;
use crate::program;
use crate::syntax::tree;

/// The trigger that is written there, in a rule of that file.
pub(super) fn trigger(_ctx: &mut Ctx<'_>, _trigger: &tree::Trigger, _source: SourceId) -> Option<program::Trigger> {
    None
}
