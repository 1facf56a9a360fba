//! Reading a request never panics, and reads what serde reads; what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagegate::Request;

fuzz_target!(|json: &[u8]| {
    let read = Request::from_json(json);
    let over_serde = serde_json::from_slice::<Request>(json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json));
    assert_eq!(read.as_ref().ok(), over_serde.as_ref().ok(), "two requests");
    let Ok(request) = read else { return };
    let json = serde_json::to_string(&request).expect("a request can be written");
    let again = Request::from_json(json.as_bytes()).expect("what was written can be read");
    assert_eq!(serde_json::to_string(&again).expect("a request can be written"), json);
});
