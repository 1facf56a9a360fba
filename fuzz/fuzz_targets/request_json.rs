//! Reading a request never panics, and what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagegate::Request;

fuzz_target!(|json: &[u8]| {
    let Ok(request) = Request::from_json(json) else { return };
    let json = serde_json::to_string(&request).expect("a request can be written");
    let again = Request::from_json(json.as_bytes()).expect("what was written can be read");
    assert_eq!(serde_json::to_string(&again).expect("a request can be written"), json);
});
