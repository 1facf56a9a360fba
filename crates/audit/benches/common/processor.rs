//! Time on the processor, which others on the machine do not lengthen as they do the time on the wall.
#![allow(dead_code)]

use std::sync::OnceLock;
use std::time::Instant;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};

/// Measured by one of the clocks below.
pub struct Processor(pub fn() -> f64);

/// Nanoseconds that this thread has run; where the system does not tell, those on the wall.
pub fn thread() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    told.and_then(|told| told.split(' ').next()?.parse().ok()).unwrap_or_else(wall)
}

/// Nanoseconds that all threads of this process have run, to the hundredth of a second; where the system does not tell,
/// those on the wall.
pub fn process() -> f64 {
    let ran = std::fs::read_to_string("/proc/self/stat").ok().and_then(|told| {
        let mut fields = told.rsplit_once(") ")?.1.split(' ').skip(11);
        let mut ticks = || fields.next()?.parse::<f64>().ok();
        Some((ticks()? + ticks()?) * 1e7)
    });
    ran.unwrap_or_else(wall)
}

fn wall() -> f64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_nanos() as f64
}

impl Measurement for Processor {
    type Intermediate = f64;
    type Value = f64;
    fn start(&self) -> f64 {
        (self.0)()
    }
    fn end(&self, began: f64) -> f64 {
        (self.0)() - began
    }
    fn add(&self, a: &f64, b: &f64) -> f64 {
        a + b
    }
    fn zero(&self) -> f64 {
        0.0
    }
    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}
