//! `stagegate decide --log`: the decision is in the log before it is printed.

use std::path::{Path, PathBuf};

use stagegate::{Decided, DecisionSink, Value};
use stagegate_audit::{Log, Options, SecretKey};

use crate::args::Decide;
use crate::failure::Failure;

/// Records, durably. What cannot be recorded is an error, and no verdict is printed.
pub fn record(log: &Path, args: &Decide, decided: &Decided<'_>) -> Result<(), Failure> {
    let decided = match &args.asked_by {
        Some(who) => decided.asked_by(who),
        None => *decided,
    };
    let mut options = Options::new().create(true);
    let facts = &decided.request.facts;
    let secrets = decided.policy.secret_facts().any(|fact| facts.get(fact).is_some_and(|value| *value != Value::Null));
    if secrets {
        let key = match &args.secret_key {
            Some(file) => SecretKey::read(file),
            None => SecretKey::read_or_make(&key_beside(log)),
        };
        options = options.secret_key(key.map_err(|error| Failure::log(&error))?);
    }
    let opened = Log::open(log, &options).map_err(|error| Failure::log(&error))?;
    opened.record(&decided).map_err(|error| Failure::new(crate::failure::Kind::Log, error.to_string()))
}

/// Where the key for secrets is, unless it was named.
pub fn key_beside(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_os_string();
    name.push(".secret-key");
    name.into()
}
