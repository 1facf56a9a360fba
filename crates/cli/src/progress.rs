//! A line on the terminal about work that takes longer than a second.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::output::Output;

/// Tells how far the work is, on standard error, if that is a terminal and the work is slow.
#[derive(Debug)]
pub struct Progress {
    doing: &'static str,
    total: usize,
    done: usize,
    /// When to say something next; `None` for never.
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    pub fn new(doing: &'static str, total: usize, output: &Output) -> Progress {
        let wanted = !output.quiet && std::io::stderr().is_terminal();
        let next = wanted.then(|| Instant::now().checked_add(Duration::from_secs(1))).flatten();
        Progress { doing, total, done: 0, next, shown: false }
    }

    /// One more of `total` is done.
    pub fn step(&mut self) {
        self.done += 1;
        let now = Instant::now();
        if self.next.is_some_and(|next| now >= next) {
            self.next = now.checked_add(Duration::from_millis(100));
            self.shown = true;
            let _ = write!(std::io::stderr(), "\r{} {} of {}\x1b[K", self.doing, self.done, self.total);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
