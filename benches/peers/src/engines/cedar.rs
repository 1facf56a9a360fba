use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression as Expr,
};

use crate::Reads;
use crate::plain::Plain;

pub struct Engine {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    user: EntityTypeName,
    action: EntityTypeName,
    build: EntityUid,
}

impl Engine {
    fn request(&self, input: &Plain) -> Request {
        let string = |text: &String| Expr::new_string(text.clone());
        let long = |number: i32| Expr::new_long(number.into());
        let record = |pairs: Vec<(String, Expr)>| Expr::new_record(pairs).expect("no key twice");
        let context = Context::from_pairs([
            ("trigger".into(), string(&input.trigger)),
            ("branch".into(), string(&input.branch)),
            ("author".into(), string(&input.author)),
            ("labels".into(), Expr::new_set(input.labels.iter().map(string))),
            ("coverage".into(), long(input.coverage)),
            ("checks".into(), record(input.checks.iter().map(|(name, s)| (name.clone(), string(s))).collect())),
            ("statuses".into(), Expr::new_set(input.checks.values().map(string))),
            ("dev".into(), string(&input.dev)),
            ("test".into(), string(&input.test)),
            ("test_age".into(), long(input.test_age)),
            ("minute".into(), long(input.minute)),
            ("approvals".into(), record(input.approvals.iter().map(|a| (a.by.clone(), long(a.age))).collect())),
        ])
        .expect("a context");
        let principal = EntityUid::from_type_name_and_id(self.user.clone(), EntityId::new(&input.by));
        let action = EntityUid::from_type_name_and_id(self.action.clone(), EntityId::new(&input.stage));
        Request::new(principal, action, self.build.clone(), context, None).expect("a request")
    }

    fn ask(&self, request: &Request) -> bool {
        let response = self.authorizer.is_authorized(request, &self.policies, &self.entities);
        // An error in a policy would leave it out in silence.
        assert!(response.diagnostics().errors().next().is_none());
        response.decision() == Decision::Allow
    }
}

impl crate::Engine for Engine {
    const NAME: &'static str = "cedar-policy";
    const READS: Reads = Reads::Plain;
    type Value = Plain;
    type Prepared = Request;

    fn compile() -> Engine {
        let ops = ["tim", "andy", "mara", "lee@tailspin.example"];
        let member = |id: &str| {
            format!(r#"{{"uid":{{"type":"User","id":"{id}"}},"attrs":{{}},"parents":[{{"type":"Group","id":"ops"}}]}}"#)
        };
        let mut entities: Vec<String> = ops.iter().map(|id| member(id)).collect();
        entities.push(r#"{"uid":{"type":"Group","id":"ops"},"attrs":{},"parents":[]}"#.into());
        Engine {
            authorizer: Authorizer::new(),
            policies: include_str!("space_game.cedar").parse().expect("the policies are read"),
            entities: Entities::from_json_str(&format!("[{}]", entities.join(",")), None).expect("the entities"),
            user: "User".parse().expect("a type"),
            action: "Action".parse().expect("a type"),
            build: r#"Build::"this""#.parse().expect("an entity"),
        }
    }

    fn read(&mut self, text: &str) -> Plain {
        serde_json::from_str(text).expect("a request")
    }

    fn prepare(&mut self, input: &Plain) -> Request {
        self.request(input)
    }

    fn prepared(&mut self, request: &mut Request) -> bool {
        self.ask(request)
    }

    fn value(&mut self, input: &Plain) -> bool {
        self.ask(&self.request(input))
    }

    fn text(&mut self, text: &str) -> bool {
        let input = self.read(text);
        self.value(&input)
    }
}
