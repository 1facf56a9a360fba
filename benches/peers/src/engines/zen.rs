use serde_json::Value;
use zen_expression::expression::Standard;
use zen_expression::vm::VM;
use zen_expression::{Expression, Variable, compile_expression};

use crate::{Reads, Stage};

const DEV: &str =
    "trigger == 'push' and (branch == 'release' or startsWith(branch, 'release/')) and checks.unit == 'passed'";

const TEST: &str = "dev == 'passed' and trigger == 'manual' \
    and by in ['tim', 'andy', 'mara', 'lee@tailspin.example'] \
    and len(keys(checks)) > 0 and all(values(checks), # == 'passed') \
    and (coverage >= 80 or 'hotfix' in labels)";

const STAGING: &str = "test == 'passed' and test_age >= 120 and trigger == 'manual' \
    and minute >= 360 and minute < 6840 \
    and some(approvals, #.age < test_age and #.by != author and #.by in ['amita']) \
    and count(approvals, #.age < 1440 and #.by != author and #.by in ['tim', 'andy', 'mara', 'lee@tailspin.example']) >= 2";

pub struct Engine {
    stages: [Expression<Standard>; 3],
    vm: VM,
}

impl Engine {
    fn ask(&mut self, stage: Stage, input: Variable) -> bool {
        let allowed = self.stages[stage as usize].evaluate_with(input, &mut self.vm);
        allowed.expect("evaluates").as_bool() == Some(true)
    }
}

impl crate::Engine for Engine {
    const NAME: &'static str = "zen-expression";
    const READS: Reads = Reads::Plain;
    type Value = Value;
    type Prepared = (Stage, Variable);

    fn compile() -> Engine {
        let stages = [DEV, TEST, STAGING].map(|text| compile_expression(text).expect("the expression compiles"));
        Engine { stages, vm: VM::new() }
    }

    fn read(&mut self, text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    fn prepare(&mut self, value: &Value) -> (Stage, Variable) {
        (Stage::named(value["stage"].as_str().unwrap_or_default()), Variable::from(value))
    }

    fn prepared(&mut self, (stage, input): &mut (Stage, Variable)) -> bool {
        // A reference counted.
        self.ask(*stage, input.shallow_clone())
    }

    fn value(&mut self, value: &Value) -> bool {
        let stage = Stage::named(value["stage"].as_str().unwrap_or_default());
        self.ask(stage, Variable::from(value))
    }

    fn text(&mut self, text: &str) -> bool {
        let input: Variable = serde_json::from_str(text).expect("JSON");
        let stage = input.dot("stage").and_then(|stage| stage.as_str().map(Stage::named)).expect("a stage");
        self.ask(stage, input)
    }
}
