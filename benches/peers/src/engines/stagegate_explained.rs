//! stagegate with every reason; from JSON text, the decision as JSON text too.

use stagegate::{Decision, Prepared, Request};

use crate::Reads;
use crate::engines::stagegate::Engine as Alone;

pub struct Engine(Alone);

fn allows(decision: &Decision) -> bool {
    std::hint::black_box(decision).verdict().is_allow()
}

impl crate::Engine for Engine {
    const NAME: &'static str = "stagegate, explained";
    const READS: Reads = Reads::Request;
    type Value = Request;
    type Prepared = Prepared;

    fn compile() -> Engine {
        Engine(Alone::compile())
    }

    fn read(&mut self, text: &str) -> Request {
        self.0.read(text)
    }

    fn prepare(&mut self, request: &Request) -> Prepared {
        self.0.prepare(request)
    }

    fn prepared(&mut self, prepared: &mut Prepared) -> bool {
        allows(&prepared.decide().expect("a request of the policy"))
    }

    fn value(&mut self, request: &Request) -> bool {
        allows(&self.0.policy.decide(request).expect("a request of the policy"))
    }

    fn text(&mut self, text: &str) -> bool {
        let request = Request::from_json(text.as_bytes()).expect("a request");
        let decision = self.0.policy.decide(&request).expect("a request of the policy");
        std::hint::black_box(decision.to_json());
        allows(&decision)
    }
}
