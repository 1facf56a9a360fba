//! Text to tree and back. The tree is the only one there is.

mod build;
mod conditions;
mod expected;
mod layout;
mod literals;
mod parse;
mod print;
mod print_rules;
mod rules;
mod scan;
mod steps;
pub mod tree;

pub use parse::{Parsed, parse};
pub use print::print;

/// The grammar bound to pest.
mod grammar {
    #![allow(missing_docs)]

    /// Made by pest from `grammar/stagegate.pest`.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/stagegate.pest"]
    pub(super) struct Gate;
}
