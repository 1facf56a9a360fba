//! datalogic-rs over the very text that stagegate reads. It cannot reckon with instants, but compares their texts; what it
//! would have to reckon (the minute of the local week, two hours and a day ago, when Test ended) stands among the facts.

use serde_json::{Value, json};

use super::datalogic::{By, Rules};
use crate::Reads;

/// Over the request.
pub struct Request;

pub type Engine = By<Request>;

impl Rules for Request {
    const NAME: &'static str = "datalogic-rs, same text";
    const READS: Reads = Reads::Request;

    fn rules() -> [Value; 3] {
        let var = |name: &str| json!({"var": name});
        let is = |name: &str, text: &str| json!({"===": [{"var": name}, text]});
        let ops = json!(["tim", "andy", "mara", "lee@tailspin.example"]);
        let succeeded = |stage: &str| json!({"and": [is("stage", stage), is("status", "succeeded")]});
        let counts = |people: &Value, after: Value| {
            json!({"and": [
                {">": [var("at"), after]},
                {"!==": [var("by"), {"val": [[1], "build", "author"]}]},
                is("decision", "approve"),
                {"in": [var("by"), people]},
            ]})
        };
        let dev = json!({"and": [
            is("trigger.kind", "push"),
            {"or": [is("build.branch", "release"), {"starts_with": [var("build.branch"), "release/"]}]},
            is("facts.checks.unit", "passed"),
        ]});
        let test = json!({"and": [
            {"some": [var("history"), succeeded("Dev")]},
            is("trigger.kind", "manual"),
            {"in": [var("trigger.by"), ops]},
            {"all": [var("facts.checks"), is("", "passed")]},
            {"or": [{">=": [var("facts.coverage"), 80]}, {"in": ["hotfix", var("build.labels")]}]},
        ]});
        let staging = json!({"and": [
            {"some": [var("history"), succeeded("Test")]},
            {"<=": [var("facts.tested"), var("facts.two-hours-ago")]},
            is("trigger.kind", "manual"),
            {">=": [var("facts.minute"), 360]},
            {"<": [var("facts.minute"), 6840]},
            {"some": [var("approvals"), counts(&json!(["amita"]), json!({"val": [[1], "facts", "tested"]}))]},
            {">=": [{"length": {"filter": [var("approvals"), counts(&ops, json!({"val": [[1], "facts", "day-ago"]}))]}}, 2]},
        ]});
        [dev, test, staging]
    }
}
