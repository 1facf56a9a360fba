//! One policy in stagegate and in other engines. See README.md for what is compared and what is not.

pub mod engines;
#[cfg(any(feature = "casbin", feature = "rhai", feature = "cel", feature = "cedar"))]
pub mod plain;
#[cfg(feature = "bench")]
pub mod requests;
#[cfg(feature = "bench")]
pub mod suite;

/// A way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Prepared,
    Value,
    Text,
}

/// An engine with the policy compiled, and the three ways to ask it.
pub trait Engine: Sized {
    /// As the tables show it.
    const NAME: &'static str;
    /// Which of the two texts of a request it reads.
    const READS: Reads;
    /// In which of the ways it is asked.
    const WAYS: &'static [Way] = &[Way::Prepared, Way::Value, Way::Text];
    /// What a caller has in memory, in the form that this engine takes fastest.
    type Value;
    /// What the engine evaluates, with all that can be done before evaluating done.
    type Prepared;

    /// Compiles the policy.
    fn compile() -> Self;
    fn read(&mut self, text: &str) -> Self::Value;
    fn prepare(&mut self, value: &Self::Value) -> Self::Prepared;

    /// Prepared input → allowed?
    fn prepared(&mut self, input: &mut Self::Prepared) -> bool;
    /// A value in memory → allowed?
    fn value(&mut self, value: &Self::Value) -> bool;
    /// JSON text → allowed?
    fn text(&mut self, text: &str) -> bool;
}

/// The form of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Plain values: ages in minutes, the minute of the local week.
    Plain,
    /// The request of stagegate: history, approvals and `now` as instants; with what an engine without instants asks for.
    Request,
    /// The request of stagegate alone.
    Bare,
}

/// Engines without stages of their own have one compiled expression for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Dev,
    Test,
    Staging,
}

impl Stage {
    pub fn named(name: &str) -> Stage {
        match name {
            "Dev" => Stage::Dev,
            "Test" => Stage::Test,
            "Staging" => Stage::Staging,
            other => panic!("no stage {other}"),
        }
    }
}
