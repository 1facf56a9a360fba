//! Conditions: their types, and the entries that they become.

use super::names::{Ctx, Gates};
use crate::program::{Op, OpId};
use crate::syntax::tree;

/// Compiles a condition. On an error that is told, and the entry is `false`.
pub(super) fn gate(_ctx: &mut Ctx<'_>, gates: &mut Gates, _cond: &tree::Cond) -> OpId {
    gates.push(Op::Constant(false))
}

/// Types and circles of all definitions, used or not.
pub(super) fn check_defines(_ctx: &mut Ctx<'_>) {}
