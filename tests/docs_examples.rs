//! The programs in `examples/` run to their end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../examples/promotion_bot.rs"]
mod promotion_bot;
#[path = "../examples/scheduler.rs"]
mod scheduler;
#[path = "../examples/webhook_azure.rs"]
mod webhook_azure;
#[path = "../examples/webhook_github.rs"]
mod webhook_github;

#[test]
fn the_bot_acts_on_each_verdict() {
    promotion_bot::main().unwrap();
}

/// It fails by itself when a firing is lost or doubled.
#[test]
fn the_scheduler_neither_loses_nor_doubles_a_firing() {
    scheduler::main().unwrap();
}

#[test]
fn the_webhooks_answer() {
    webhook_github::main().unwrap();
    webhook_azure::main().unwrap();
}
