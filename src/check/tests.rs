//! Tests of a policy, and scenarios.

use super::names::Ctx;
use crate::syntax::tree::{At, Item};

/// The `test` and `scenario` blocks among the items of a file.
pub(super) fn check(_ctx: &mut Ctx<'_>, _items: &[At<Item>]) {}
