//! How often and how much each engine allocates for a decision. A program of its own: counting costs time.

use stagegate_peers::requests::requests;
use stagegate_peers::suite::{WAYS, engines};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let cases = requests();
    let mut engines = engines(&cases);
    println!("Allocations (bytes) a decision, the mean of {} requests, after one pass to warm up.\n", cases.len());
    println!("| engine | {} |", WAYS.map(|way| way.title()).join(" | "));
    println!("| --- | ---: | ---: | ---: |");
    for engine in &mut engines {
        let counted = WAYS.map(|way| {
            if !engine.has(way) {
                return String::new();
            }
            engine.pass(way);
            let region = Region::new(COUNTED);
            engine.pass(way);
            let change = region.change();
            let each = |count: usize| count as f64 / cases.len() as f64;
            // A reallocation may be a new block and a copy; its growth counts as allocated.
            let bytes = change.bytes_allocated + usize::try_from(change.bytes_reallocated).unwrap_or(0);
            format!("{:.1} ({:.0})", each(change.allocations + change.reallocations), each(bytes))
        });
        println!("| {} | {} |", engine.name(), counted.join(" | "));
    }
}
