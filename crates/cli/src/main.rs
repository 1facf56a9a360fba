//! The command line of stagegate.

fn main() {}
