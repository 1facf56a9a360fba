use cel::{Context, Env, Program, Value};
use std::sync::Arc;

use crate::plain::Plain;
use crate::{Reads, Stage};

const DEV: &str = r#"trigger == "push" && (branch == "release" || branch.startsWith("release/"))
    && "unit" in checks && checks["unit"] == "passed""#;

const TEST: &str = r#"dev == "passed" && trigger == "manual" && by in ["tim", "andy", "mara", "lee@tailspin.example"]
    && size(checks) > 0 && checks.all(name, checks[name] == "passed")
    && (coverage >= 80 || "hotfix" in labels)"#;

const STAGING: &str = r#"test == "passed" && test_age >= 120 && trigger == "manual"
    && minute >= 360 && minute < 6840
    && approvals.exists(a, a.age < test_age && a.by != author && a.by in ["amita"])
    && size(approvals.filter(a, a.age < 1440 && a.by != author
        && a.by in ["tim", "andy", "mara", "lee@tailspin.example"])) >= 2"#;

pub struct Engine {
    env: Arc<Env>,
    stages: [Program; 3],
}

impl Engine {
    fn context(&self, input: &Plain) -> Context<'static, 'static> {
        let mut context = Context::with_env(self.env.clone());
        context.add_variable_from_value("trigger", input.trigger.as_str());
        context.add_variable_from_value("by", input.by.as_str());
        context.add_variable_from_value("branch", input.branch.as_str());
        context.add_variable_from_value("author", input.author.as_str());
        context.add_variable_from_value("labels", cel::to_value(&input.labels).expect("a value"));
        context.add_variable_from_value("coverage", i64::from(input.coverage));
        context.add_variable_from_value("checks", cel::to_value(&input.checks).expect("a value"));
        context.add_variable_from_value("dev", input.dev.as_str());
        context.add_variable_from_value("test", input.test.as_str());
        context.add_variable_from_value("test_age", i64::from(input.test_age));
        context.add_variable_from_value("minute", i64::from(input.minute));
        context.add_variable_from_value("approvals", cel::to_value(&input.approvals).expect("a value"));
        context
    }

    fn ask(&self, stage: Stage, context: &Context) -> bool {
        self.stages[stage as usize].execute(context).expect("evaluates") == Value::Bool(true)
    }
}

impl crate::Engine for Engine {
    const NAME: &'static str = "cel";
    const READS: Reads = Reads::Plain;
    type Value = Plain;
    type Prepared = (Stage, Context<'static, 'static>);

    fn compile() -> Engine {
        let env = Env::stdlib();
        let stages = [DEV, TEST, STAGING].map(|text| env.compile(text).expect("the expression compiles"));
        Engine { env: Arc::new(env), stages }
    }

    fn read(&mut self, text: &str) -> Plain {
        serde_json::from_str(text).expect("a request")
    }

    fn prepare(&mut self, input: &Plain) -> (Stage, Context<'static, 'static>) {
        (Stage::named(&input.stage), self.context(input))
    }

    fn prepared(&mut self, (stage, context): &mut (Stage, Context<'static, 'static>)) -> bool {
        self.ask(*stage, context)
    }

    fn value(&mut self, input: &Plain) -> bool {
        self.ask(Stage::named(&input.stage), &self.context(input))
    }

    fn text(&mut self, text: &str) -> bool {
        let input = self.read(text);
        self.value(&input)
    }
}
