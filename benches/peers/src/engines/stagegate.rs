use stagegate::{Policy, Prepared, Request};

use crate::{Reads, Way};

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

/// The same, asked with texts that have nothing which only others ask for.
pub struct Bare(Engine);

impl crate::Engine for Bare {
    const NAME: &'static str = "stagegate, text of its own";
    const READS: Reads = Reads::Bare;
    const WAYS: &'static [Way] = &[Way::Text];
    type Value = ();
    type Prepared = ();

    fn compile() -> Bare {
        Bare(<Engine as crate::Engine>::compile())
    }

    fn read(&mut self, _: &str) {}

    fn prepare(&mut self, (): &()) {}

    fn prepared(&mut self, (): &mut ()) -> bool {
        unreachable!("it is asked with texts alone")
    }

    fn value(&mut self, (): &()) -> bool {
        unreachable!("it is asked with texts alone")
    }

    fn text(&mut self, text: &str) -> bool {
        self.0.text(text)
    }
}
