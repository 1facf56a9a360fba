//! Many named policies, replaced while others decide.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::policy::Policy;

/// Many policies by name. Cheap to clone; all clones are one set. A reader gets the policies as they stood at one
/// moment, and goes on with those while others replace them.
///
/// ```
/// use stagegate::{Policy, PolicySet};
/// let policies = PolicySet::new();
/// policies.insert("web", Policy::parse("web.gate", "policy web stage Dev { require id: build.id is set }")?);
/// assert!(policies.get("web").is_some());
/// assert_eq!(policies.names(), ["web"]);
///
/// // Everything at once: nobody ever sees half of it.
/// policies.replace_all([("api", Policy::parse("api.gate", "policy api stage Dev { require id: build.id is set }")?)]);
/// assert!(policies.get("web").is_none());
/// # Ok::<(), stagegate::CompileError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    /// The lock is held for the copying of one pointer only.
    current: Arc<RwLock<Arc<BTreeMap<String, Policy>>>>,
}

impl PolicySet {
    /// An empty set.
    pub fn new() -> PolicySet {
        PolicySet::default()
    }

    /// The policies as they stand at this moment.
    pub fn snapshot(&self) -> Arc<BTreeMap<String, Policy>> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The policy with that name.
    pub fn get(&self, name: &str) -> Option<Policy> {
        self.snapshot().get(name).cloned()
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<String> {
        self.snapshot().keys().cloned().collect()
    }

    /// Adds a policy, or replaces the one of that name, which is returned.
    pub fn insert(&self, name: impl Into<String>, policy: Policy) -> Option<Policy> {
        self.change(|policies| policies.insert(name.into(), policy))
    }

    /// Takes a policy out.
    pub fn remove(&self, name: &str) -> Option<Policy> {
        self.change(|policies| policies.remove(name))
    }

    /// Replaces everything at once.
    pub fn replace_all<N: Into<String>>(&self, policies: impl IntoIterator<Item = (N, Policy)>) {
        let policies: BTreeMap<String, Policy> = policies.into_iter().map(|(name, p)| (name.into(), p)).collect();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policies);
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Policy>) -> T) -> T {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_can_be_shared_between_threads() {
        fn shared<T: Send + Sync + Clone>() {}
        shared::<PolicySet>();
        shared::<Policy>();
        shared::<crate::Prepared>();
    }
}
