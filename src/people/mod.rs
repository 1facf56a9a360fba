//! People: who may count for a quorum, who does, and why not.

pub(crate) mod matching;
mod quorum;

pub(crate) use quorum::{Asked, Bar, Counted, Members, Quorums, Unsure, count, last_words, since};
