//! A line on the terminal about work that takes longer than a second.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use crate::output::Output;

const OF_SOME: &str = "{msg} [{bar:24}] {human_pos} of {human_len}, {eta} left";
const OF_UNKNOWN: &str = "{msg} {human_pos}";

/// Tells how far the work is, on standard error, if that is a terminal, the work is slow, and nothing else was asked for
/// (`--quiet`, `--format json`). The line is gone when this is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    wanted: bool,
    began: Instant,
    shown: AtomicBool,
}

impl Progress {
    /// A `total` of 0 is not known.
    pub fn new(doing: &'static str, total: usize, output: &Output) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
        let bar = bar.with_message(doing).with_finish(ProgressFinish::AndClear);
        let wanted = !output.quiet && !output.is_json() && std::io::stderr().is_terminal();
        Progress { bar, wanted, began: Instant::now(), shown: AtomicBool::new(false) }
    }

    /// One more of `total` is done.
    pub fn step(&self) {
        if self.wanted {
            self.tell(self.bar.position() + 1, self.bar.length().unwrap_or(0));
        }
    }

    /// So many of so many are done.
    pub fn tell(&self, done: u64, total: u64) {
        if !self.wanted {
            return;
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
        if self.began.elapsed() >= Duration::from_secs(1) && !self.shown.swap(true, Ordering::Relaxed) {
            if let Ok(style) = ProgressStyle::with_template(if total == 0 { OF_UNKNOWN } else { OF_SOME }) {
                self.bar.set_style(style.progress_chars("=> "));
            }
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

/// For work of the library that tells how much of how much is done. Where it is the argument of that work, the line is gone
/// before anything else is printed: `compare(…, &mut progress::of("deciding again", output))`.
pub fn of(doing: &'static str, output: &Output) -> impl Fn(u64, u64) + Send + Sync + use<> {
    let progress = Progress::new(doing, 0, output);
    move |done, total| progress.tell(done, total)
}
