//! People: who may count for a quorum, who does, and why not.

pub(crate) mod matching;
mod quorum;
mod words;

pub(crate) use quorum::{Asked, Bar, Counted, Members, Quorums, Unsure, count, since};
pub(crate) use words::{LastWords, words_of};
