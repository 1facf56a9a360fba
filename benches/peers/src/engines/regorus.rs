//! Rego, compiled to the program of its virtual machine.

use regorus::Value;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use serde::Deserialize;

use crate::{Reads, Stage};

pub struct Engine {
    stages: [RegoVM; 3],
}

impl Engine {
    fn ask(&mut self, stage: Stage, input: Value) -> bool {
        let vm = &mut self.stages[stage as usize];
        vm.set_input(input);
        // A rule that does not hold is undefined.
        matches!(vm.execute().expect("evaluates"), Value::Bool(true))
    }
}

impl crate::Engine for Engine {
    const NAME: &'static str = "regorus";
    const READS: Reads = Reads::Plain;
    type Value = serde_json::Value;
    type Prepared = (Stage, Value);

    fn compile() -> Engine {
        let mut engine = regorus::Engine::new();
        engine
            .add_policy("space_game.rego".into(), include_str!("space_game.rego").into())
            .expect("the policy is read");
        let stages = ["data.space_game.dev", "data.space_game.test", "data.space_game.staging"].map(|rule| {
            let policy = engine.compile_with_entrypoint(&rule.into()).expect("the policy compiles");
            let program = Compiler::compile_from_policy(&policy, &[rule]).expect("the program compiles");
            let mut vm = RegoVM::new_with_policy(policy);
            vm.load_program(program);
            vm.set_data(Value::new_object()).expect("no data");
            vm
        });
        Engine { stages }
    }

    fn read(&mut self, text: &str) -> serde_json::Value {
        serde_json::from_str(text).expect("JSON")
    }

    fn prepare(&mut self, value: &serde_json::Value) -> (Stage, Value) {
        let stage = Stage::named(value["stage"].as_str().unwrap_or_default());
        (stage, Value::deserialize(value).expect("a value"))
    }

    fn prepared(&mut self, (stage, input): &mut (Stage, Value)) -> bool {
        self.ask(*stage, input.clone())
    }

    fn value(&mut self, value: &serde_json::Value) -> bool {
        let stage = Stage::named(value["stage"].as_str().unwrap_or_default());
        self.ask(stage, Value::deserialize(value).expect("a value"))
    }

    fn text(&mut self, text: &str) -> bool {
        let input = Value::from_json_str(text).expect("JSON");
        let stage = input["stage"].as_string().map(|stage| Stage::named(stage)).expect("a stage");
        self.ask(stage, input)
    }
}
