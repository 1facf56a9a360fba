//! Text to tree and back. The tree is the only one there is.

pub mod tree;
