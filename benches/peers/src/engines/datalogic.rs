use datalogic_rs::bumpalo::Bump;
use datalogic_rs::datavalue::OwnedDataValue;
use datalogic_rs::{DataValue, Engine as DataLogic, Logic, ParsedData};
use serde_json::{Value, json};
use std::marker::PhantomData;

use crate::{Reads, Stage};

/// The rules of the stages, and what they read.
pub trait Rules {
    const NAME: &'static str;
    const READS: Reads;
    fn rules() -> [Value; 3];
}

pub struct By<R> {
    engine: DataLogic,
    stages: [Logic; 3],
    arena: Bump,
    rules: PhantomData<R>,
}

/// Over plain values.
pub struct Plain;

pub type Engine = By<Plain>;

impl Rules for Plain {
    const NAME: &'static str = "datalogic-rs";
    const READS: Reads = Reads::Plain;

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
}

impl<R: Rules> crate::Engine for By<R> {
    const NAME: &'static str = R::NAME;
    const READS: Reads = R::READS;
    type Value = OwnedDataValue;
    type Prepared = (Stage, ParsedData);

    fn compile() -> By<R> {
        let engine = DataLogic::new();
        let stages = R::rules().map(|rule| engine.compile(&rule).expect("the rule compiles"));
        By { engine, stages, arena: Bump::new(), rules: PhantomData }
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
