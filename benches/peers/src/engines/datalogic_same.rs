//! datalogic-rs over the very text that stagegate reads. It cannot reckon with instants, but compares their texts; what it
//! would have to reckon (the minute of the local week, two hours and a day ago, when Test ended) stands among the facts.

use datalogic_rs::bumpalo::Bump;
use datalogic_rs::datavalue::OwnedDataValue;
use datalogic_rs::{DataValue, Engine as DataLogic, Logic, ParsedData};
use serde_json::{Value, json};

use crate::{Reads, Stage};

pub struct Engine {
    engine: DataLogic,
    stages: [Logic; 3],
    arena: Bump,
}

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

impl crate::Engine for Engine {
    const NAME: &'static str = "datalogic-rs, same text";
    const READS: Reads = Reads::Request;
    type Value = OwnedDataValue;
    type Prepared = (Stage, ParsedData);

    fn compile() -> Engine {
        let engine = DataLogic::new();
        let stages = rules().map(|rule| engine.compile(&rule).expect("the rule compiles"));
        Engine { engine, stages, arena: Bump::new() }
    }

    fn read(&mut self, text: &str) -> OwnedDataValue {
        OwnedDataValue::from_json(text).expect("JSON")
    }

    fn prepare(&mut self, value: &OwnedDataValue) -> (Stage, ParsedData) {
        (Stage::named(value["stage"].as_str().unwrap_or_default()), ParsedData::from_owned(value))
    }

    fn prepared(&mut self, (stage, data): &mut (Stage, ParsedData)) -> bool {
        self.arena.reset();
        let allowed = self.engine.evaluate(&self.stages[*stage as usize], &*data, &self.arena);
        allowed.expect("evaluates").as_bool() == Some(true)
    }

    fn value(&mut self, value: &OwnedDataValue) -> bool {
        self.arena.reset();
        let stage = Stage::named(value["stage"].as_str().unwrap_or_default());
        let allowed = self.engine.evaluate(&self.stages[stage as usize], value, &self.arena);
        allowed.expect("evaluates").as_bool() == Some(true)
    }

    fn text(&mut self, text: &str) -> bool {
        self.arena.reset();
        let data = DataValue::from_str(text, &self.arena).expect("JSON");
        let data = self.arena.alloc(data);
        let stage = Stage::named(data["stage"].as_str().unwrap_or_default());
        let allowed = self.engine.evaluate(&self.stages[stage as usize], &*data, &self.arena);
        allowed.expect("evaluates").as_bool() == Some(true)
    }
}
