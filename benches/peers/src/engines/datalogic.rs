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
    // Inside a filter, `var` reads the approval, and level 1 is the request.
    let counts = |people: &Value, younger_than: Value| {
        json!({"and": [
            {"<": [var("age"), younger_than]},
            {"!==": [var("by"), {"val": [[1], "author"]}]},
            {"in": [var("by"), people]},
        ]})
    };
    let dev = json!({"and": [
        is("trigger", "push"),
        {"or": [is("branch", "release"), {"starts_with": [var("branch"), "release/"]}]},
        is("checks.unit", "passed"),
    ]});
    let test = json!({"and": [
        is("dev", "passed"),
        is("trigger", "manual"),
        {"in": [var("by"), ops]},
        {"all": [var("checks"), is("", "passed")]},
        {"or": [{">=": [var("coverage"), 80]}, {"in": ["hotfix", var("labels")]}]},
    ]});
    let staging = json!({"and": [
        is("test", "passed"),
        {">=": [var("test_age"), 120]},
        is("trigger", "manual"),
        {">=": [var("minute"), 360]},
        {"<": [var("minute"), 6840]},
        {"some": [var("approvals"), counts(&json!(["amita"]), json!({"val": [[1], "test_age"]}))]},
        {">=": [{"length": {"filter": [var("approvals"), counts(&ops, json!(1440))]}}, 2]},
    ]});
    [dev, test, staging]
}

impl crate::Engine for Engine {
    const NAME: &'static str = "datalogic-rs";
    const READS: Reads = Reads::Plain;
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
