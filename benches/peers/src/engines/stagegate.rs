use stagegate::{Policy, Prepared, Request};

use crate::Reads;

pub struct Engine {
    pub(super) policy: Policy,
}

impl crate::Engine for Engine {
    const NAME: &'static str = "stagegate";
    const READS: Reads = Reads::Request;
    type Value = Request;
    type Prepared = Prepared;

    fn compile() -> Engine {
        let text = include_str!("../../../../policies/space-game.gate");
        Engine { policy: Policy::parse("space-game.gate", text).expect("the policy compiles") }
    }

    fn read(&mut self, text: &str) -> Request {
        Request::from_json(text.as_bytes()).expect("a request")
    }

    fn prepare(&mut self, request: &Request) -> Prepared {
        self.policy.prepare(request).expect("a request of the policy")
    }

    fn prepared(&mut self, prepared: &mut Prepared) -> bool {
        prepared.verdict().is_allow()
    }

    fn value(&mut self, request: &Request) -> bool {
        self.policy.verdict(request).expect("a request of the policy").is_allow()
    }

    fn text(&mut self, text: &str) -> bool {
        self.policy.verdict_json(text.as_bytes()).expect("a request of the policy").is_allow()
    }
}
