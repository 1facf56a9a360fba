//! The digest of a policy is the SHA-256 of its sources, names and texts, each behind its length in eight bytes, the lowest
//! first. The numbers here come from another implementation.

#![allow(clippy::unwrap_used)]

use stagegate::{Compiler, MemoryLoader, Policy};

#[test]
fn the_digest_is_that_of_other_tools() {
    let policy = Policy::parse("p.gate", "policy p stage Dev { trigger push }").unwrap();
    assert_eq!(policy.digest(), "sha256:2861cc885785581e7f7b54e3e5185b34421aa9f46c63ef7ab8f0cc5ecc0ab5e3");
}

#[test]
fn another_text_name_or_included_file_is_another_digest() {
    let digest = |name: &str, text: &str| Policy::parse(name, text).unwrap().digest().to_string();
    let one = digest("p.gate", "policy p stage Dev { trigger push }");
    assert_eq!(one, digest("p.gate", "policy p stage Dev { trigger push }"));
    assert_ne!(one, digest("q.gate", "policy p stage Dev { trigger push }"));
    assert_ne!(one, digest("p.gate", "policy p stage Dev { trigger push } "));
    let with = |base: &str| {
        let root = "include \"base.gate\" policy p stage Dev { trigger push }";
        let files = MemoryLoader::new().with("p.gate", root).with("base.gate", base);
        Compiler::new().loader(&files).compile("p.gate").unwrap().digest().to_string()
    };
    assert_ne!(with("group g = [a]"), with("stage * { trigger push }"));
}
