//! Digests of secret facts: the log can tell whether a value was the same as another, and not what it was.

use std::io::{Read, Write};
use std::path::Path;

use stagegate::Value;

use crate::LogError;

/// The key under which secrets are digested. It is kept outside the log: who has both can try values.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// From 32 bytes of good randomness.
    pub fn from_bytes(bytes: [u8; 32]) -> SecretKey {
        SecretKey(bytes)
    }

    /// A new one, from the system's randomness.
    ///
    /// # Errors
    /// When the system has none to give.
    pub fn generate() -> Result<SecretKey, LogError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| LogError::Invalid(format!("the system gives no randomness: {error}")))?;
        Ok(SecretKey(bytes))
    }

    /// From a file that holds its 64 hexadecimal digits.
    ///
    /// # Errors
    /// When it cannot be read, or holds anything else.
    pub fn read(file: &Path) -> Result<SecretKey, LogError> {
        let mut text = String::new();
        let read = std::fs::File::open(file).and_then(|opened| opened.take(1_000).read_to_string(&mut text));
        read.map_err(|error| LogError::io(file, error))?;
        SecretKey::from_hex(text.trim()).ok_or_else(|| {
            let why = "a key for secrets is 64 hexadecimal digits, and this file holds something else";
            LogError::Invalid(format!("{}: {why}", file.display()))
        })
    }

    /// From a file; if there is none, a new key is written there, durably and readable by its owner alone.
    ///
    /// # Errors
    /// As [`SecretKey::read`], and when the file cannot be made.
    pub fn read_or_make(file: &Path) -> Result<SecretKey, LogError> {
        if file.exists() {
            return SecretKey::read(file);
        }
        let key = SecretKey::generate()?;
        match key.make(file) {
            // Another process was quicker.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => SecretKey::read(file),
            Err(error) => Err(LogError::io(file, error)),
            Ok(()) => Ok(key),
        }
    }

    /// Writes it to a new file. It is whole when the name is there: others may be looking for it.
    fn make(&self, file: &Path) -> std::io::Result<()> {
        let mut name = file.as_os_str().to_os_string();
        name.push(format!(".{}", crate::Id::new()));
        let beside = Path::new(&name);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut made = options.open(beside)?;
        let hex = crate::hex(&self.0);
        let written = made.write_all((hex + "\n").as_bytes()).and_then(|()| made.sync_all());
        let linked = written.and_then(|()| std::fs::hard_link(beside, file));
        std::fs::remove_file(beside)?;
        linked
    }

    fn from_hex(hex: &str) -> Option<SecretKey> {
        let mut bytes = [0; 32];
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(SecretKey(bytes))
    }

    /// HMAC-SHA-256 over the fact's name, a zero byte, and its value as JSON: `hmac-sha256:…`.
    pub fn digest(&self, name: &str, value: &Value) -> String {
        let json = serde_json::to_string(value).unwrap_or_default();
        let mut mac = hmac_sha256::HMAC::new(self.0);
        mac.update(name.as_bytes());
        mac.update([0]);
        mac.update(json.as_bytes());
        let hex = crate::hex(&mac.finalize());
        format!("hmac-sha256:{hex}")
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}
