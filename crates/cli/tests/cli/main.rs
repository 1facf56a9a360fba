//! The command line as a person or a tool meets it: the real binary, over folders made for the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod audit;
mod bad;
mod check;
mod common;
mod decide;
mod describe;
mod exchange;
mod fmt;
mod log;
mod next;
mod pages;
mod prove;
mod replay;
mod repository;
mod terminal;
mod timeline;
mod usage;
mod verify;
