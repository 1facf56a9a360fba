//! The verdict of a prepared request allocates nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::hint::black_box;

use chrono::Duration;
use stagegate::{Policy, Prepared, Request};

#[path = "../benches/common/chance.rs"]
mod chance;
#[path = "../benches/common/mixed.rs"]
mod mixed;

fn allocations(run: impl FnOnce()) -> u64 {
    allocation_counter::measure(run).count_total
}

fn space_game() -> (Policy, Vec<Prepared>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/space-game.gate");
    let policy = Policy::from_file(path).unwrap();
    let requests = mixed::promotions(7, 1_000);
    let prepared = requests.iter().map(|promotion| {
        let request = Request::from_json(promotion.json().as_bytes()).unwrap();
        policy.prepare(&request).unwrap()
    });
    let prepared = prepared.collect();
    (policy, prepared)
}

#[test]
fn the_count_sees_an_allocation() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1)))), 1);
}

#[test]
fn a_prepared_verdict_allocates_nothing() {
    let (_policy, prepared) = space_game();
    let mut allowed = 0;
    let count = allocations(|| {
        for request in &prepared {
            allowed += usize::from(black_box(request.verdict()).is_allow());
        }
    });
    assert_eq!(count, 0);
    // They are a mixture: about half of them are allowed.
    assert!((400..600).contains(&allowed), "{allowed} of 1,000 are allowed");
}

#[test]
fn a_prepared_request_moves_on_in_time_without_an_allocation() {
    let (_policy, mut prepared) = space_game();
    let starts: Vec<_> = prepared.iter().map(|p| p.now()).collect();
    let count = allocations(|| {
        for (request, start) in prepared.iter_mut().zip(&starts) {
            for hours in [1, 12, 72] {
                request.set_now(*start + Duration::hours(hours)).unwrap();
                black_box(request.verdict());
            }
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn a_verdict_from_json_allocates_nothing_once_there_is_room() {
    let (policy, _) = space_game();
    let jsons: Vec<String> = mixed::promotions(7, 1_000).iter().map(mixed::Promotion::json).collect();
    let all = || jsons.iter().filter(|json| policy.verdict_json(json.as_bytes()).unwrap().is_allow()).count();
    let first = all();
    let count = allocations(|| assert_eq!(all(), first));
    assert_eq!(count, 0);
}
