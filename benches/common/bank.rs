//! Requests for the bank's policy: one that is allowed, and that one with something wrong half of the time.

use super::chance::Chance;

/// So many requests in JSON.
pub fn requests(seed: u64, count: usize) -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/requests/bank-allow.json");
    let allowed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut chance = Chance::new(seed);
    (0..count).map(|_| request(&mut chance, allowed.clone()).to_string()).collect()
}

fn request(chance: &mut Chance, mut request: serde_json::Value) -> serde_json::Value {
    // The window is open for two and a half hours more.
    let minute = chance.below(150);
    request["now"] = format!("2026-03-10T{:02}:{:02}:00Z", 19 + (30 + minute) / 60, (30 + minute) % 60).into();
    request["build"]["id"] = format!("pay-{}", chance.below(9_000)).into();
    if chance.percent(50) {
        return request;
    }
    match chance.below(9) {
        0 => drop(request["approvals"].as_array_mut().map(|a| a.remove(chance.below(5) as usize))),
        1 => request["facts"]["checks"]["contract"] = "failed".into(),
        2 => request["history"][2]["status"] = "failed".into(),
        3 => request["now"] = "2026-03-10T12:00:00Z".into(),
        4 => request["facts"]["open-incidents"] = 2.into(),
        5 => request["build"]["author"] = "aksel".into(),
        6 => request["facts"]["change-id"] = "a change".into(),
        7 => drop(request["facts"].as_object_mut().map(|facts| facts.remove("rollback-plan"))),
        _ => request["current"]["deploying"] = "pay-1".into(),
    }
    request
}
