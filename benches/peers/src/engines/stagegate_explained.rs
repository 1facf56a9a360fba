//! stagegate's decision: once as it is given, with no reason worked out, and once with every reason read. From JSON text the
//! latter ends in the decision as JSON text.

use std::hint::black_box;

use stagegate::{Decision, Policy, Prepared, Request};

use crate::Reads;
use crate::engines::stagegate::Engine as Alone;

/// The decision, of which nobody asks the reasons.
pub struct Unread(Alone);

/// The decision, and every reason of it.
pub struct Read(Alone);

fn unread(decision: &Decision) -> bool {
    black_box(decision).verdict().is_allow()
}

fn read(decision: &Decision) -> bool {
    black_box(black_box(decision).rules());
    decision.verdict().is_allow()
}

macro_rules! engine {
    ($engine:ident, $name:literal, $asked:ident, $text:expr) => {
        impl crate::Engine for $engine {
            const NAME: &'static str = $name;
            const READS: Reads = Reads::Request;
            type Value = Request;
            type Prepared = Prepared;

            fn compile() -> $engine {
                $engine(Alone::compile())
            }

            fn read(&mut self, text: &str) -> Request {
                self.0.read(text)
            }

            fn prepare(&mut self, request: &Request) -> Prepared {
                self.0.prepare(request)
            }

            fn prepared(&mut self, prepared: &mut Prepared) -> bool {
                $asked(&prepared.decide().expect("a request of the policy"))
            }

            fn value(&mut self, request: &Request) -> bool {
                $asked(&self.0.policy.decide(request).expect("a request of the policy"))
            }

            fn text(&mut self, text: &str) -> bool {
                $text(&self.0.policy, text.as_bytes())
            }
        }
    };
}

engine!(Unread, "stagegate, decision unread", unread, |policy: &Policy, text: &[u8]| {
    let request = Request::from_json(text).expect("a request");
    unread(&policy.decide(&request).expect("a request of the policy"))
});
engine!(Read, "stagegate, decision with its reasons read", read, |policy: &Policy, text: &[u8]| {
    black_box(policy.decide_json(text).expect("a request of the policy")).0.is_allow()
});
