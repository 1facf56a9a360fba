use rhai::{AST, Array, Dynamic, Engine as Rhai, Map, Scope};

use crate::plain::Plain;
use crate::{Reads, Stage};

const DEV: &str = r#"
    trigger == "push" && (branch == "release" || branch.starts_with("release/")) && checks.unit == "passed"
"#;

const TEST: &str = r#"
    if dev != "passed" || trigger != "manual" || !(by in OPS) || checks.len() == 0 { return false; }
    for status in checks.values() {
        if status != "passed" { return false; }
    }
    coverage >= 80 || "hotfix" in labels
"#;

const STAGING: &str = r#"
    if test != "passed" || test_age < 120 || trigger != "manual" || minute < 360 || minute >= 6840 { return false; }
    let testing = 0;
    let operating = 0;
    for a in approvals {
        if a.by == author { continue; }
        if a.age < test_age && a.by in TESTERS { testing += 1; }
        if a.age < 1440 && a.by in OPS { operating += 1; }
    }
    testing >= 1 && operating >= 2
"#;

pub struct Engine {
    engine: Rhai,
    stages: [AST; 3],
    constants: Scope<'static>,
}

impl Engine {
    fn scope(&self, input: &Plain) -> Scope<'static> {
        let mut scope = self.constants.clone();
        scope.push("trigger", input.trigger.clone());
        scope.push("by", input.by.clone());
        scope.push("branch", input.branch.clone());
        scope.push("author", input.author.clone());
        scope.push("labels", input.labels.iter().map(|label| Dynamic::from(label.clone())).collect::<Array>());
        scope.push("coverage", rhai::INT::from(input.coverage));
        let checks = input.checks.iter().map(|(name, status)| (name.into(), status.clone().into()));
        scope.push("checks", checks.collect::<Map>());
        scope.push("dev", input.dev.clone());
        scope.push("test", input.test.clone());
        scope.push("test_age", rhai::INT::from(input.test_age));
        scope.push("minute", rhai::INT::from(input.minute));
        let approvals = input.approvals.iter().map(|a| {
            let map: Map = [("by".into(), a.by.clone().into()), ("age".into(), rhai::INT::from(a.age).into())].into();
            Dynamic::from_map(map)
        });
        scope.push("approvals", approvals.collect::<Array>());
        scope
    }

    fn ask(&self, stage: Stage, scope: &mut Scope) -> bool {
        let before = scope.len();
        let allowed = self.engine.eval_ast_with_scope::<bool>(scope, &self.stages[stage as usize]);
        scope.rewind(before);
        allowed.expect("evaluates")
    }
}

impl crate::Engine for Engine {
    const NAME: &'static str = "rhai";
    const READS: Reads = Reads::Plain;
    type Value = Plain;
    type Prepared = (Stage, Scope<'static>);

    fn compile() -> Engine {
        let engine = Rhai::new();
        let stages = [DEV, TEST, STAGING].map(|text| engine.compile(text).expect("the script compiles"));
        let people = |names: &[&'static str]| names.iter().map(|name| Dynamic::from(*name)).collect::<Array>();
        let mut constants = Scope::new();
        constants.push_constant("TESTERS", people(&["amita"]));
        constants.push_constant("OPS", people(&["tim", "andy", "mara", "lee@tailspin.example"]));
        Engine { engine, stages, constants }
    }

    fn read(&mut self, text: &str) -> Plain {
        serde_json::from_str(text).expect("a request")
    }

    fn prepare(&mut self, input: &Plain) -> (Stage, Scope<'static>) {
        (Stage::named(&input.stage), self.scope(input))
    }

    fn prepared(&mut self, (stage, scope): &mut (Stage, Scope<'static>)) -> bool {
        self.ask(*stage, scope)
    }

    fn value(&mut self, input: &Plain) -> bool {
        self.ask(Stage::named(&input.stage), &mut self.scope(input))
    }

    fn text(&mut self, text: &str) -> bool {
        let input = self.read(text);
        self.value(&input)
    }
}
