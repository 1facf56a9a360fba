//! placeholder until branch check2
use std::sync::Arc;
/// A compiled policy.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) inner: Arc<Inner>,
}
#[derive(Debug)]
pub(crate) struct Inner {
    pub program: crate::program::Program,
    pub plan: crate::decide::plan::Plan,
    pub limits: crate::Limits,
}
