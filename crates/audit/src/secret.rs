//! Digests of secret facts: the log can tell whether a value was the same as another, and not what it was.

use stagegate::Value;

/// The key under which secrets are digested. It is kept outside the log: who has both can try values.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// From 32 bytes of good randomness.
    pub fn from_bytes(bytes: [u8; 32]) -> SecretKey {
        SecretKey(bytes)
    }

    /// HMAC-SHA-256 over the fact's name, a zero byte, and its value as JSON: `hmac-sha256:…`.
    pub fn digest(&self, name: &str, value: &Value) -> String {
        let json = serde_json::to_string(value).unwrap_or_default();
        let mut mac = hmac_sha256::HMAC::new(self.0);
        mac.update(name.as_bytes());
        mac.update([0]);
        mac.update(json.as_bytes());
        let hex: String = mac.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("hmac-sha256:{hex}")
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}
