//! The `stagegate` command line.
fn main() {}
