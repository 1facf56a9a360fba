//! One log after another. A log that was begun when another was closed says which, in its `meta` and in the name that its
//! checkpoints call it: `…/after/` and the SHA-256 of the other's last checkpoint (unsigned, its three lines). So whoever has
//! a checkpoint of the later log has one of all before it.

use std::path::Path;

use crate::{Checkpoint, Fault, Head, Log, LogError, verify};

const ORIGIN: &str = "predecessor.origin";
const SIZE: &str = "predecessor.size";
const ROOT: &str = "predecessor.root";

/// What comes before the hash in an origin.
const AFTER: &str = "/after/";

/// The hash of the last checkpoint, in hexadecimal.
fn hash(head: &Head) -> Result<String, LogError> {
    let text = Checkpoint::new(head.origin.as_str(), head.size, head.root)?.to_string();
    Ok(crate::hex(&hmac_sha256::Hash::hash(text.as_bytes())))
}

/// The origin of a log that goes on from another.
pub(crate) fn origin(own: &str, head: &Head) -> Result<String, LogError> {
    Ok(format!("{own}{AFTER}{}", hash(head)?))
}

/// What it says of that in `meta`, sorted by key.
pub(crate) fn meta(head: &Head) -> [(String, String); 3] {
    [(ORIGIN, head.origin.clone()), (ROOT, crate::hex(&head.root)), (SIZE, head.size.to_string())]
        .map(|(key, value)| (key.to_string(), value))
}

/// Which log it goes on from, if it says so, and says the same twice.
pub(crate) fn predecessor(pairs: &[(String, String)]) -> Result<Option<Head>, String> {
    let get = |wanted: &str| pairs.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
    let head = match (get(ORIGIN), get(SIZE), get(ROOT)) {
        (None, None, None) => return Ok(None),
        (Some(origin), Some(size), Some(root)) => size.parse().ok().zip(from_hex(root)).map(|(size, root)| Head {
            origin: origin.to_string(),
            size,
            root,
            file: None,
        }),
        _ => None,
    };
    let head = head.ok_or("what the log says of the one before it cannot be read")?;
    let own = get("origin").unwrap_or_default();
    let named = own.rsplit_once(AFTER).map(|(_, hash)| hash);
    match hash(&head) {
        Ok(hash) if named == Some(hash.as_str()) => Ok(Some(head)),
        _ => Err("the log before it is not the one that its name speaks of".to_string()),
    }
}

fn from_hex(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Whether `old` is the log that `log` goes on from, sound, and as it stood when it was closed; what is wrong with that.
///
/// # Errors
/// When one of them cannot be read.
pub fn verify_predecessor(
    log: &Path,
    old: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Vec<Fault>, LogError> {
    let wrong = |what: String| Fault { seq: None, id: None, what };
    let Some(head) = Log::read(log)?.predecessor()? else {
        return Ok(vec![wrong(format!("{} does not go on from another log", log.display()))]);
    };
    let found = verify(old, std::slice::from_ref(&head), progress)?;
    let mut faults = found.faults;
    if found.head.size > head.size {
        let (is, was) = (found.head.size, head.size);
        faults.push(wrong(format!("it has {is} records, and had {was} when it was closed: it was appended to since")));
    }
    Ok(faults)
}
