//! A scheduler around a policy that keeps no timer: it asks which firings are due and makes one request for each.
//! No firing is lost and none runs twice, though the process dies twice on the way.
//!
//! ```text
//! cargo run --example scheduler
//! ```
//!
//! The clock is simulated. It runs over the night of 29 March 2026, when half past two does not exist in Berlin.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use stagegate::{Build, Firing, Occupant, Policy, Request, Value, Verdict};

/// What survives a restart: a row in a database, a file. Both parts are written together with the work they speak of.
struct Store {
    /// Firings up to this instant have been asked for.
    asked_until: DateTime<Utc>,
    /// Firings for which a request has been made: stage, trigger, instant. It only has to reach back as far as
    /// `asked_until` may be behind.
    begun: BTreeSet<(String, String, DateTime<Utc>)>,
}

/// Where the process dies in this run, to show that it may.
#[derive(Clone, Copy, PartialEq)]
enum Crash {
    No,
    /// After the work, before `asked_until` is written.
    Late,
    /// Before anything is written.
    Early,
}

/// One waking of the timer. True if it came to its end.
fn wake(policy: &Policy, store: &mut Store, now: DateTime<Utc>, crash: Crash) -> Result<bool, Box<dyn Error>> {
    if crash == Crash::Early {
        println!("{now}  dies before it has done anything");
        return Ok(false);
    }
    // Half open, (asked_until, now]: intervals that touch have neither a gap nor an overlap.
    for firing in policy.due("Nightly", store.asked_until, now)? {
        let key = (firing.stage.clone(), firing.trigger.clone(), firing.at);
        if !store.begun.insert(key) {
            println!("{now}  {} was begun before the restart", firing.at);
            continue;
        }
        run(policy, &firing, now)?;
    }
    if crash == Crash::Late {
        println!("{now}  dies before it has noted how far it came");
        return Ok(false);
    }
    store.asked_until = now;
    Ok(true)
}

/// One request for one firing.
fn run(policy: &Policy, firing: &Firing, now: DateTime<Utc>) -> Result<(), Box<dyn Error>> {
    let build = Build::new("wh-1907")
        .digest("sha256:77e0")
        .commit("4d5e6f7")
        .author("jannik")
        .labels([""; 0])
        .created(firing.at - TimeDelta::hours(12));
    let request = Request::to(&firing.stage)
        .build(build)
        .at(now)
        .scheduled_at(firing.at)
        .succeeded("Shadow", firing.at - TimeDelta::hours(10))
        .current(Occupant::new("wh-1899"))
        .deploying_nothing()
        .fact("signature", "passed")
        .fact("critical-vulnerabilities", 0)
        .fact("recalled", Value::empty_list())
        .fact("sources", ["shop.orders"])
        .fact("freshness", [("shop.orders", "2h")])
        .fact("loaded-at", firing.at - TimeDelta::hours(1))
        .fact("rows-lost", 0.1);
    let decision = policy.decide(&request)?;
    let local = firing.at.with_timezone(&policy.zone());
    match decision.verdict() {
        Verdict::Allow => println!("{now}  {} of {local}: runs", firing.trigger),
        verdict => {
            println!("{now}  {} of {local}: {verdict} because of {}", firing.trigger, decision.blocking().join(", "))
        }
    }
    Ok(())
}

/// Runs the example; public so that a test can, too.
pub fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/data-platform.gate");
    let policy = Policy::from_file(path)?;
    let start: DateTime<Utc> = "2026-03-27T20:00:00Z".parse()?;
    let end: DateTime<Utc> = "2026-03-31T20:00:00Z".parse()?;

    let mut store = Store { asked_until: start, begun: BTreeSet::new() };
    let (mut now, mut wakings) = (start, 0);
    while now < end {
        now += TimeDelta::minutes(20);
        wakings += 1;
        // The 17th waking finds the firing of the 28th (01:30 UTC), the 87th that of the 29th (01:00 UTC).
        let crash = match wakings {
            17 => Crash::Late,
            87..=88 => Crash::Early,
            _ => Crash::No,
        };
        wake(&policy, &mut store, now, crash)?;
    }

    let wanted: Vec<DateTime<Utc>> = policy.due("Nightly", start, end)?.map(|firing| firing.at).collect();
    let begun: Vec<DateTime<Utc>> = store.begun.iter().map(|(_, _, at)| *at).collect();
    println!("{} firings, {} requests", wanted.len(), begun.len());
    if wanted != begun {
        return Err("a firing was lost or doubled".into());
    }
    if let Some(next) = policy.next_firing("Nightly", end)? {
        println!("the timer may sleep until {}", next.at);
    }
    Ok(())
}
