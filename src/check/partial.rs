//! A policy of which a part could not be read: what may be missing only for that reason is not told.

use foldhash::{HashSet, HashSetExt};

use crate::diagnostic::codes::{
    INCOMPLETE_TEST, NO_STAGE, SOAK, UNKNOWN_CALENDAR, UNKNOWN_FACT, UNKNOWN_GROUP, UNKNOWN_RULE, UNKNOWN_SCENARIO,
    UNKNOWN_STAGE,
};
use crate::diagnostic::{Code, Diagnostic, Sources};
use crate::syntax::tree::File;

/// What says that something is not there.
const MISSING: [Code; 8] =
    [UNKNOWN_FACT, UNKNOWN_GROUP, UNKNOWN_STAGE, UNKNOWN_RULE, UNKNOWN_CALENDAR, UNKNOWN_SCENARIO, NO_STAGE, SOAK];

/// Keeps the diagnostics that hold whatever stands in the parts that could not be read.
pub(super) fn keep_sure(found: &mut Vec<Diagnostic>, files: &[File], sources: &Sources, incomplete: bool) {
    let declared = looks_declared(sources);
    let nothing_read = files.iter().all(|file| file.items.is_empty());
    found.retain(|diagnostic| {
        if diagnostic.code == INCOMPLETE_TEST {
            return false;
        }
        if !MISSING.contains(&diagnostic.code) {
            return true;
        }
        if incomplete || nothing_read {
            return false;
        }
        if diagnostic.code == NO_STAGE || diagnostic.code == SOAK {
            return !declared.contains("stage");
        }
        let text = sources.text(diagnostic.span());
        let name = text.split('.').next().unwrap_or(text);
        !declared.contains(name)
    });
}

/// Words after a keyword that declares something, and words before a colon; and `stage` if that word is there at all.
fn looks_declared(sources: &Sources) -> HashSet<&str> {
    let mut declared = HashSet::new();
    for source in sources.iter() {
        let mut last = "";
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        for word in source.text.split_inclusive(|c: char| !is_part(c)) {
            let name = word.trim_end_matches(|c: char| !is_part(c));
            if name.is_empty() {
                continue;
            }
            if matches!(last, "fact" | "group" | "define" | "calendar" | "stage" | "scenario") || word.ends_with(':') {
                declared.insert(name);
            }
            if name == "stage" {
                declared.insert(name);
            }
            last = name;
        }
    }
    declared
}
