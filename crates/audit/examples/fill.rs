//! Fills a log with decisions of the Space Game policy, the same ones each time: `fill LOG N [SEED]`.
//!
//! A year of promotions: pushes to Dev, nights in Test, people at Staging, with checks that fail, approvals that are
//! missing or withdrawn, rejects, soaks and weekends that hold, and now and then a broken glass.
#![allow(clippy::unwrap_used)]

use std::error::Error;

use chrono::{DateTime, Duration, TimeZone, Utc};
use stagegate::{Build, Decided, Policy, Request};
use stagegate_audit::{Entry, Id, Log, Options, Record, SecretKey};

/// splitmix64
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
    fn minutes(&mut self, from: i64, to: i64) -> Duration {
        Duration::seconds(60 * from + self.below(60 * (to - from) as u64) as i64)
    }
}

const AUTHORS: [&str; 6] = ["mara", "andy", "tim", "joan", "kofi", "lee@tailspin.example"];
const OPS: [&str; 4] = ["tim", "andy", "mara", "lee@tailspin.example"];

fn request(random: &mut Random, n: u64, now: DateTime<Utc>) -> Request {
    let id = format!("2026.{}.{}", n / 500, n % 500);
    let author = random.of(&AUTHORS);
    let branch = match random.below(10) {
        0 => "main".to_string(),
        1..=3 => format!("release/{}", n / 2_000),
        _ => "release".to_string(),
    };
    let mut build = Build::new(&id).branch(branch).author(author).digest(format!("sha256:{:016x}", random.next()));
    build = build.version(format!("2026.{}.{}", n / 500, n % 500)).created(now - random.minutes(60, 4_000));
    if random.chance(5) {
        build = build.labels(["hotfix"]);
    }
    let unit = if random.chance(8) { "failed" } else { "passed" };
    let lint = if random.chance(3) { "pending" } else { "passed" };
    let stage = random.of(&["Dev", "Dev", "Test", "Staging", "Staging", "Staging"]);
    let mut request = Request::to(stage).build(build).at(now).fact("checks", [("unit", unit), ("lint", lint)]);
    if !random.chance(2) {
        request = request.fact("coverage", 70.0 + random.below(60) as f64 / 2.0);
    }
    if stage == "Dev" {
        return request.push("release");
    }
    let dev = now - random.minutes(300, 3_000);
    request = if random.chance(4) { request.failed("Dev", dev) } else { request.succeeded("Dev", dev) };
    if stage == "Test" {
        // By hand, but for a few.
        return if random.chance(1) { request.scheduled() } else { request.manual(random.of(&OPS)) };
    }
    let test = now - random.minutes(10, 300);
    request = request.succeeded("Test", test).manual(random.of(&OPS)).requester(random.of(&AUTHORS));
    if random.chance(80) {
        request = request.approved("amita", test + random.minutes(1, 10));
    }
    for person in OPS {
        match random.below(20) {
            0 => request = request.rejected(person, test + random.minutes(1, 9)),
            1 => {
                request =
                    request.approved(person, test + random.minutes(1, 4)).withdrew(person, test + random.minutes(4, 9))
            }
            2..=12 => request = request.approved(person, test + random.minutes(1, 9)),
            _ => {}
        }
    }
    if random.chance(3) {
        let reason = random.of(&["the shop is down", "a fix for payments", "asked for by the board"]);
        for person in ["tim", "andy"] {
            request = request.override_invoked("break-glass", person, now - Duration::minutes(2), reason);
        }
    }
    request
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("fill LOG N [SEED]")?;
    let many: u64 = args.next().ok_or("fill LOG N [SEED]")?.parse()?;
    let seed: u64 = args.next().map_or(Ok(7), |seed| seed.parse())?;
    let policy = Policy::parse("space-game.gate", include_str!("../../../policies/space-game.gate"))?;
    let log = Log::open(&path, &Options::new().create(true))?;
    let key = SecretKey::from_bytes([7; 32]);
    let begin = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap();
    let year = Duration::days(365).num_nanoseconds().unwrap_or_default() as u64;
    let step = year / many.max(1);
    let one = |n: u64| -> Entry {
        let mut random = Random(seed ^ n.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let now = begin + Duration::nanoseconds((n * step) as i64);
        let request = request(&mut random, n, now);
        let decision = policy.decide(&request).unwrap();
        let decided = Decided::new(&policy, &request, &decision).asked_by(random.of(&["deploy-bot", "console"]));
        let mut record = Record::new(&decided, now + Duration::milliseconds(3), &key);
        // A UUID of version 7 of that time: the same log each time.
        let millis = record.recorded.timestamp_millis().unsigned_abs();
        let bits =
            u128::from(millis) << 80 | 7 << 76 | u128::from(n & 0xfff) << 64 | 2 << 62 | u128::from(random.next() >> 2);
        record.id = Id::from_bytes(bits.to_be_bytes());
        Entry::Decision(Box::new(record))
    };
    let mut done = 0;
    while done < many {
        let batch = done..(done + 10_000).min(many);
        done = batch.end;
        use rayon::prelude::*;
        let entries: Vec<Entry> = batch.into_par_iter().map(one).collect();
        log.append_all(&entries, &[&policy])?;
    }
    println!("{} records in {path}", log.len()?);
    Ok(())
}
