//! Attributes of the request in the matcher, as casbin's ABAC models have them; the groups as roles. Counting has no
//! form in a matcher, so that part is a function of the embedder's, as casbin foresees.

use casbin::function_map::OperatorFunction;
use casbin::prelude::*;
use rhai::{Dynamic, Map};

use crate::plain::Plain;
use crate::{Reads, Stage};

const DEV: &str = r#"r.q.trigger == "push" && (r.q.branch == "release" || keyMatch(r.q.branch, "release/*")) && r.q.checks.unit == "passed""#;

const TEST: &str = r#"r.q.dev == "passed" && r.q.trigger == "manual" && g(r.q.by, "ops") && all_passed(r.q.checks) && (r.q.coverage >= 80 || "hotfix" in r.q.labels)"#;

const STAGING: &str = r#"r.q.test == "passed" && r.q.test_age >= 120 && r.q.trigger == "manual" && r.q.minute >= 360 && r.q.minute < 6840 && approved(r.q.approvals, ["amita"], r.q.author, r.q.test_age) >= 1 && approved(r.q.approvals, ["tim", "andy", "mara", "lee@tailspin.example"], r.q.author, 1440) >= 2"#;

fn all_passed(checks: Dynamic) -> Dynamic {
    let passed = checks.read_lock::<Map>().is_some_and(|checks| {
        !checks.is_empty()
            && checks.values().all(|status| status.read_lock::<rhai::ImmutableString>().is_some_and(|s| *s == "passed"))
    });
    passed.into()
}

fn approved(approvals: Dynamic, people: Dynamic, author: Dynamic, younger_than: Dynamic) -> Dynamic {
    let (Ok(approvals), Ok(people), Ok(author)) = (
        approvals.into_typed_array::<Map>(),
        people.into_typed_array::<rhai::ImmutableString>(),
        author.into_immutable_string(),
    ) else {
        return Dynamic::from(0_i32);
    };
    let younger_than = younger_than.as_int().unwrap_or(0);
    let counts = |a: &&Map| {
        let by = a.get("by").and_then(|by| by.read_lock::<rhai::ImmutableString>());
        let age = a.get("age").and_then(|age| age.as_int().ok());
        age.is_some_and(|age| age < younger_than) && by.is_some_and(|by| *by != author && people.contains(&by))
    };
    Dynamic::from(approvals.iter().filter(counts).count() as i32)
}

pub struct Engine {
    stages: [Enforcer; 3],
}

impl crate::Engine for Engine {
    const NAME: &'static str = "casbin";
    const READS: Reads = Reads::Plain;
    type Value = Plain;
    type Prepared = (Stage, Dynamic);

    fn compile() -> Engine {
        let stages = [DEV, TEST, STAGING].map(|matcher| {
            let model = format!(
                "[request_definition]\nr = q\n[policy_definition]\np = sub\n[role_definition]\ng = _, _\n\
                 [policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = {matcher}\n"
            );
            pollster::block_on(async {
                let model = DefaultModel::from_str(&model).await.expect("the model is read");
                let mut enforcer = Enforcer::new(model, ()).await.expect("the model compiles");
                enforcer.add_function("all_passed", OperatorFunction::Arg1(all_passed));
                enforcer.add_function("approved", OperatorFunction::Arg4(approved));
                for person in ["tim", "andy", "mara", "lee@tailspin.example"] {
                    enforcer.add_role_for_user(person, "ops", None).await.expect("a role");
                }
                enforcer
            })
        });
        Engine { stages }
    }

    fn read(&mut self, text: &str) -> Plain {
        serde_json::from_str(text).expect("a request")
    }

    fn prepare(&mut self, input: &Plain) -> (Stage, Dynamic) {
        (Stage::named(&input.stage), rhai::serde::to_dynamic(input).expect("a value"))
    }

    fn prepared(&mut self, (stage, input): &mut (Stage, Dynamic)) -> bool {
        self.stages[*stage as usize].enforce(vec![input.clone()]).expect("evaluates")
    }

    fn value(&mut self, input: &Plain) -> bool {
        self.stages[Stage::named(&input.stage) as usize].enforce((input,)).expect("evaluates")
    }

    fn text(&mut self, text: &str) -> bool {
        let input = self.read(text);
        self.value(&input)
    }
}
