//! The harness is tested by itself: these are the tests of the policy beside it.

fn main() -> std::process::ExitCode {
    stagegate_testing::run(["tests/policies"])
}
