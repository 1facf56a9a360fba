//! The JSON Schemas in `docs/` are those of the types, and they take what is read and refuse what is refused.
//!
//! `STAGEGATE_BLESS=1 cargo test --features schema --test request_schema` rewrites them.
#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use serde_json::{Value, json};
use stagegate::{Request, schema};

#[test]
fn the_files_are_current() {
    for (name, text) in [("request", schema::request()), ("decision", schema::decision())] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{name}.schema.json"));
        if std::env::var_os("STAGEGATE_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default()).unwrap_or_default();
        let current: Value = serde_json::from_str(&text).unwrap();
        assert!(kept == current, "{} is not current: STAGEGATE_BLESS=1 rewrites it", path.display());
        assert!(!text.contains("](") && !text.contains("crate::"), "{name}: links of doc comments are left");
    }
}

/// Whether a value fits a schema, as far as the words go that our two schemas use; another word is a panic.
fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let schema = match schema {
        Value::Bool(all) => return *all,
        schema => schema.as_object().unwrap(),
    };
    schema.iter().all(|(word, rule)| match word.as_str() {
        "$schema" | "title" | "description" | "$defs" | "format" | "minimum" => true,
        "$ref" => fits(root, root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap(), value),
        "const" => rule == value,
        "enum" => rule.as_array().unwrap().contains(value),
        "anyOf" => rule.as_array().unwrap().iter().any(|rule| fits(root, rule, value)),
        "oneOf" => rule.as_array().unwrap().iter().filter(|rule| fits(root, rule, value)).count() == 1,
        "type" => match rule {
            Value::Array(types) => types.iter().any(|one| is(one.as_str().unwrap(), value)),
            one => is(one.as_str().unwrap(), value),
        },
        "required" => {
            let has = |name: &Value| value.get(name.as_str().unwrap()).is_some();
            !value.is_object() || rule.as_array().unwrap().iter().all(has)
        }
        "properties" => rule
            .as_object()
            .unwrap()
            .iter()
            .all(|(name, rule)| value.get(name).is_none_or(|value| fits(root, rule, value))),
        "additionalProperties" => value.as_object().is_none_or(|fields| {
            let known = |name: &str| schema.get("properties").is_some_and(|known| known.get(name).is_some());
            fields.iter().filter(|(name, _)| !known(name)).all(|(_, value)| fits(root, rule, value))
        }),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(root, rule, item))),
        word => panic!("the schema uses `{word}`, which this test does not know"),
    })
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other}"),
    }
}

fn check(schema: &str, value: &Value) -> bool {
    let schema: Value = serde_json::from_str(schema).unwrap();
    fits(&schema, &schema, value)
}

/// The request of the interfaces page, and with it everything that a request can hold.
fn full() -> Value {
    json!({
        "stage": "Staging",
        "now": "2026-03-04T18:00:00Z",
        "trigger": { "kind": "manual", "by": "tim" },
        "action": "promote",
        "requester": "tim",
        "build": { "id": "2026.3.1", "digest": "sha256:ab", "version": "2026.3.1", "branch": "release", "commit": "c0",
                   "author": "mara", "contributors": ["mara", "andy"], "labels": [], "created": "2026-03-03T16:40:00Z" },
        "current": { "id": "2026.2.9", "digest": "sha256:cd", "version": "2026.2.9", "created": "2026-02-27T10:00:00Z",
                     "at": "2026-02-28T09:00:00Z", "deploying": null },
        "history": [ { "stage": "Dev", "status": "succeeded", "at": "2026-03-03T17:00:00Z", "digest": "sha256:ab" },
                     { "stage": "Test", "status": "passed", "at": "2026-03-04T11:00:00Z", "build": "2026.3.1" } ],
        "approvals": [ { "by": "amita", "decision": "approve", "at": "2026-03-04T17:30:00Z", "stage": "Staging",
                         "build": "2026.3.1", "digest": "sha256:ab", "comment": "tested" } ],
        "overrides": [ { "name": "break-glass", "by": "tim", "at": "2026-03-04T17:45:00Z", "reason": "INC-123",
                         "stage": "Staging", "build": "2026.3.1", "digest": "sha256:ab" } ],
        "groups": { "release-managers": ["lee"] },
        "facts": { "coverage": 91.5, "checks": { "unit": "passed" }, "list": [1, null, true, ["x"]] }
    })
}

#[test]
fn the_schema_and_the_reader_agree() {
    let schema = schema::request();
    let agree = |request: Value, expected: bool| {
        let read = Request::from_json(request.to_string().as_bytes());
        assert_eq!(read.is_ok(), expected, "{request}: {read:?}");
        assert_eq!(check(&schema, &request), expected, "{request}");
    };
    agree(full(), true);
    agree(json!({ "stage": "S", "build": { "id": "1" } }), true);
    for trigger in [
        json!({ "kind": "push", "branch": "b" }),
        json!({ "kind": "pull-request", "branch": null }),
        json!({ "kind": "completion", "of": "Dev" }),
        json!({ "kind": "event", "name": "n" }),
        json!({ "kind": "schedule", "at": "2026-03-04T03:00:00Z" }),
        json!({ "kind": "manual" }),
    ] {
        agree(changed("/trigger", trigger), true);
    }
    for nulled in ["/now", "/trigger", "/action", "/current", "/history", "/facts", "/build/labels", "/current/id"] {
        agree(changed(nulled, Value::Null), true);
    }
    for (path, value) in [
        ("/stage", Value::Null),
        ("/build", json!({})),
        ("/build", json!("1")),
        ("/build/labels", json!("x")),
        ("/trigger", json!({ "kind": "psuh" })),
        ("/trigger", json!({ "kind": "push", "by": "tim" })),
        ("/action", json!("Promote")),
        ("/history/0", Value::Null),
        ("/history/0/status", json!("ok")),
        ("/history/0/at", Value::Null),
        ("/approvals/0/decision", json!("approved")),
        ("/overrides/0", json!({ "name": "x" })),
        ("/groups", json!({ "g": [1] })),
        ("/current", json!({ "ID": "1" })),
        ("/facts", json!([])),
    ] {
        agree(changed(path, value), false);
    }
    for object in ["", "/build", "/current", "/history/0", "/approvals/0", "/overrides/0", "/trigger"] {
        let mut request = full();
        request.pointer_mut(object).unwrap()["unknown"] = json!(1);
        agree(request, false);
    }
}

fn changed(path: &str, value: Value) -> Value {
    let mut request = full();
    *request.pointer_mut(path).unwrap() = value;
    request
}

#[test]
fn decisions_fit_their_schema() {
    let schema = schema::decision();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decisions");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "json") {
            let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert!(check(&schema, &case["decision"]), "{}", path.display());
            for gone in ["verdict", "rules", "allowed_at", "ignored_facts"] {
                let mut decision = case["decision"].clone();
                decision.as_object_mut().unwrap().remove(gone);
                assert!(!check(&schema, &decision), "{} without {gone}", path.display());
            }
            let mut decision = case["decision"].clone();
            decision["rules"][0]["status"] = json!("patient");
            assert!(!check(&schema, &decision), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 0);
}
