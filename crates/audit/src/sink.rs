//! The log as the place where an engine records.

use chrono::Utc;
use stagegate::{Decided, DecisionSink, SinkError, Value};

use crate::{Entry, Log, LogError, Record, SecretKey};

/// What [`Decided`] is as an entry. Without a key, secrets make that impossible.
pub(crate) fn entry(decided: &Decided<'_>, key: Option<&SecretKey>) -> Result<Entry, LogError> {
    let facts = &decided.request.facts;
    let secret = decided.policy.secret_facts().find(|fact| facts.get(*fact).is_some_and(|value| *value != Value::Null));
    let key = match (key, secret) {
        (Some(key), _) => key.clone(),
        // It will not be used.
        (None, None) => SecretKey::from_bytes([0; 32]),
        (None, Some(fact)) => {
            let why = format!("the fact {fact} is secret, and there is no key to keep a digest of it under");
            return Err(LogError::Invalid(why));
        }
    };
    Ok(Entry::Decision(Box::new(Record::new(decided, Utc::now(), &key))))
}

/// It promises what the log's [`Mode`](crate::Mode) says.
impl DecisionSink for Log {
    fn record(&self, decided: &Decided<'_>) -> Result<(), SinkError> {
        self.record_all(std::slice::from_ref(decided))
    }

    /// All of them or none, in one transaction.
    fn record_all(&self, decided: &[Decided<'_>]) -> Result<(), SinkError> {
        let entries = decided.iter().map(|one| entry(one, self.secret_key()));
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(SinkError::from_error)?;
        let mut policies: Vec<&stagegate::Policy> = decided.iter().map(|one| one.policy).collect();
        policies.sort_by_key(|policy| policy.digest());
        policies.dedup_by_key(|policy| policy.digest());
        self.record_entries(&entries, &policies).map_err(SinkError::from_error)
    }
}
