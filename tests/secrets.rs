//! The value of a secret fact is in no answer: not in the decision as a person reads it, not in JSON, not in an error, nor in
//! what Rust prints for a debugger.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use stagegate::{Policy, Request};

const POLICY: &str = r#"
fact text   : string secret
fact texts  : set of string secret
fact named  : map of string secret
fact number : number secret
fact level  : { low, high } secret
fact number-of : map of number secret
fact version : version secret
fact moment : time secret
fact length : duration secret
fact person : user secret
fact plain  : string
group ops = [tim]
stage S {
  require r1: text == plain
  require r2: every named == plain
  require r3: any texts == plain
  require r4: number > 5
  require r5: level == low
  require r6: version > build.version
  require r7: length < build.age
  require r8: person in ops
  require r9: plain in texts
  require r10: named.one == plain
  require r11: text in ["a", plain]
  require r12: build.id == text
  require r13: texts contains plain
  require r14: text matches /[a-z]+/
  require r15: no number-of > 0
  forbid f1: text starts with plain or person == requester
  advise a1: every number-of < 1
  advise a2: moment < now
  trigger manual by ops
  approve q: 1 of ops when text != plain
  override o: 1 of ops may skip r1, r2 when named.one == text
}
"#;

/// Right types, values that are found nowhere else.
const RIGHT: &str = r#"{ "text": "SEKRET1", "texts": ["SEKRET2"], "named": { "one": "SEKRET3" }, "number": 4.123454321, "level": "high",
  "number-of": { "SEKRET5": 987654.25 }, "version": "0.0.1-SEKRET6", "moment": "1999-07-08T09:10:11Z", "length": "765432s",
  "person": "SEKRET7", "plain": "p" }"#;
/// Wrong types.
const WRONG: &str = r#"{ "text": ["SEKRET1"], "texts": { "SEKRET2": 1 }, "named": { "SEKRET3": 4.123454321 }, "number": "SEKRET4",
  "level": "SEKRETlow", "number-of": ["SEKRET5"], "version": "SEKRET6", "moment": "1999-07-08T09:10:11SEKRET", "length": "765432",
  "person": { "SEKRET7": 1 }, "plain": "p" }"#;
/// Times that are nearly right.
const TIMES: [&str; 3] = ["1999-07-08", "1999-07-08T09:10:11", "1969-07-08T09:10:11Z"];

fn request(facts: &str) -> Request {
    let json = format!(
        r#"{{ "stage": "S", "now": "2026-03-04T18:00:00Z",
              "build": {{ "id": "42", "author": "mara", "version": "1.0.0", "created": "2026-03-01T00:00:00Z" }},
              "trigger": {{ "kind": "manual", "by": "tim" }},
              "overrides": [ {{ "name": "o", "by": "tim", "at": "2026-03-04T17:00:00Z" }} ],
              "facts": {facts} }}"#
    );
    Request::from_json(json.as_bytes()).unwrap()
}

fn is_silent(what: &str, answer: &str) {
    for value in
        ["SEKRET", "4.123454321", "987654.25", "765432", "212h", "1999-07-08", "09:10:11", "931425011", "1969-07-08"]
    {
        assert!(!answer.contains(value), "{what} tells {value}: {answer}");
    }
}

#[test]
fn a_decision_keeps_secrets() {
    let policy = Policy::parse("p.gate", POLICY).unwrap();
    let request = request(RIGHT);
    let decision = policy.decide(&request).unwrap();
    assert!(decision.to_string().contains("text is secret"), "{decision}");
    is_silent("the decision", &decision.to_string());
    is_silent("its JSON", &serde_json::to_string(&decision).unwrap());
    is_silent("its debug form", &format!("{decision:?}"));
    let prepared = policy.prepare(&request).unwrap();
    is_silent("the prepared request", &format!("{prepared:?}"));
    let from = request.now.unwrap();
    let timeline = policy.timeline(&request, from, from + chrono::TimeDelta::days(1)).unwrap();
    is_silent("the timeline", &format!("{timeline:?}"));
}

#[test]
fn a_refusal_keeps_secrets() {
    let policy = Policy::parse("p.gate", POLICY).unwrap();
    let error = policy.decide(&request(WRONG)).unwrap_err();
    assert!(error.to_string().contains("`facts.text`"), "{error}");
    is_silent("the error", &error.to_string());
    is_silent("its debug form", &format!("{error:?}"));
    for time in TIMES {
        let error = policy.decide(&request(&format!("{{ \"moment\": \"{time}\" }}"))).unwrap_err();
        is_silent("the error", &format!("{error} {error:?}"));
    }
}
