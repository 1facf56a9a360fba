//! One decision as an in-toto attestation: a statement (`in-toto.io/Statement/v1`) with a SLSA Verification Summary
//! (`slsa.dev/verification_summary/v1`) in a signed DSSE envelope.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stagegate::Verdict;

use crate::hex;
use crate::{Entry, LogError, SignerKey, Stored, VerifierKey};

const PAYLOAD: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const SUMMARY: &str = "https://slsa.dev/verification_summary/v1";

/// How many hexadecimal digits a digest has, by its name in an in-toto `DigestSet`.
const DIGESTS: [(&str, usize); 4] = [("sha256", 64), ("sha384", 96), ("sha512", 128), ("gitCommit", 40)];

/// A signed message as DSSE writes it in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Signature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// What an attestation says whose signature is good.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Attested {
    /// The name of the key that signed.
    pub signed_by: String,
    /// What passed or failed: its name, and its digest as in `sha256:…`.
    pub subject: String,
    /// Its digest.
    pub digest: String,
    /// For what it was verified.
    pub resource: String,
    /// Who verified.
    pub verifier: String,
    /// Whether it passed: `PASSED`, and `FAILED` for everything else.
    pub result: String,
    /// When it was verified.
    pub time: Option<DateTime<Utc>>,
}

impl Envelope {
    /// The decision of a record, signed. `verifier` is the URI by which those who read it know whoever decides; `resource`
    /// the one that they expect for the artifact, if not `stagegate:POLICY/STAGE/BUILD`.
    ///
    /// A decision that holds or denies is `FAILED`: only what may go now has passed.
    ///
    /// # Errors
    /// When the record is no decision, or its build has no digest of a kind that is known here.
    pub fn of(stored: &Stored, verifier: &str, resource: Option<&str>, key: &SignerKey) -> Result<Envelope, LogError> {
        let Entry::Decision(record) = stored.entry()? else {
            return Err(LogError::Invalid(format!("record {} is no decision: there is nothing to attest", stored.id)));
        };
        let (decision, policy) = (&record.decision, record.policy());
        let build = decision.build();
        let Some(digest) = record.request.build.digest.as_deref() else {
            let why = "has no digest in the request, and an attestation is of an artifact that has one; give \
                `build.digest`, such as sha256:…, when deciding";
            return Err(LogError::Invalid(format!("the build {build} {why}")));
        };
        for uri in [Some(verifier), resource].into_iter().flatten() {
            if !uri.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty())
                || uri.chars().any(|char| char.is_whitespace() || char.is_control())
            {
                return Err(LogError::Invalid(format!("`{uri}` is not a URI, such as https://example.com/releases")));
            }
        }
        let (passed, levels) = match decision.verdict() {
            Verdict::Allow => ("PASSED", "SLSA_BUILD_LEVEL_UNEVALUATED"),
            _ => ("FAILED", "FAILED"),
        };
        let own = || format!("stagegate:{}/{}/{}", encoded(&policy.name), encoded(decision.stage()), encoded(build));
        let line = hex(&Sha256::digest(&stored.json));
        let statement = json!({
            "_type": STATEMENT,
            "subject": [{ "name": build, "digest": digest_set(digest)? }],
            "predicateType": SUMMARY,
            "predicate": {
                "verifier": { "id": verifier, "version": { "stagegate": record.engine } },
                "timeVerified": record.recorded,
                "resourceUri": resource.map_or_else(own, str::to_string),
                "policy": {
                    "uri": format!("stagegate:{}", encoded(&policy.name)),
                    "name": policy.name,
                    "digest": digest_set(&policy.digest)?,
                },
                "verificationResult": passed,
                "verifiedLevels": [levels],
                "stagegate:decision": {
                    "id": stored.id,
                    "stage": decision.stage(),
                    "at": decision.at(),
                    "verdict": decision.verdict(),
                    "record": { "sha256": line },
                },
            },
        });
        let payload = statement.to_string();
        let sig = STANDARD.encode(key.sign(&authenticated(PAYLOAD, payload.as_bytes())));
        let keyid = format!("{}+{:08x}", key.name(), key.verifier().id());
        Ok(Envelope {
            payload: STANDARD.encode(payload),
            payload_type: PAYLOAD.to_string(),
            signatures: vec![Signature { keyid, sig }],
        })
    }

    /// Reads one. Nothing is checked by that.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Envelope, LogError> {
        serde_json::from_str(text).map_err(|error| LogError::Invalid(format!("it is not a DSSE envelope: {error}")))
    }

    /// As it is stored: one line of JSON.
    pub fn to_json(&self) -> String {
        // Texts alone: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What it says, if one of the keys has signed it.
    ///
    /// # Errors
    /// [`LogError::NotProven`] when none of them has; [`LogError::Invalid`] when what is signed is not an attestation of this
    /// kind.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Attested, LogError> {
        let wrong = |why: &str| LogError::Invalid(format!("it is not an attestation of a decision: {why}"));
        let payload = bytes(&self.payload).ok_or_else(|| wrong("its payload is not base64"))?;
        let message = authenticated(&self.payload_type, &payload);
        // The key ids are hints that nobody signed: each signature is tried with each key.
        let signatures: Vec<Vec<u8>> = self.signatures.iter().take(100).filter_map(|by| bytes(&by.sig)).collect();
        let signed = keys.iter().find(|key| signatures.iter().any(|signature| key.verifies(&message, signature)));
        let Some(signed) = signed else {
            return Err(LogError::NotProven("none of the keys given has signed the attestation".into()));
        };
        if self.payload_type != PAYLOAD {
            return Err(wrong("its payload is of another type"));
        }
        let statement: Statement = serde_json::from_slice(&payload).map_err(|error| wrong(&error.to_string()))?;
        if statement.kind != STATEMENT || statement.predicate_type != SUMMARY {
            return Err(wrong("it is no SLSA Verification Summary"));
        }
        let [subject] = statement.subject.as_slice() else {
            return Err(wrong("it has more than one subject, or none"));
        };
        let digest = subject.digest.iter().next().map(|(name, value)| format!("{name}:{value}"));
        let predicate = statement.predicate;
        Ok(Attested {
            signed_by: signed.name().to_string(),
            subject: subject.name.clone(),
            digest: digest.ok_or_else(|| wrong("its subject has no digest"))?,
            resource: predicate.resource_uri,
            verifier: predicate.verifier.id,
            result: match predicate.verification_result.as_str() {
                "PASSED" => "PASSED".into(),
                _ => "FAILED".into(),
            },
            time: predicate.time_verified,
        })
    }
}

/// What is read of a statement; what else is in it is of no account, as its specification wants.
#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    subject: Vec<Subject>,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    verifier: Verifier,
    time_verified: Option<DateTime<Utc>>,
    resource_uri: String,
    verification_result: String,
}

#[derive(Deserialize)]
struct Verifier {
    id: String,
}

/// The bytes that DSSE signs.
fn authenticated(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// DSSE allows either alphabet.
fn bytes(base64: &str) -> Option<Vec<u8>> {
    STANDARD.decode(base64).or_else(|_| URL_SAFE.decode(base64)).ok()
}

fn digest_set(digest: &str) -> Result<Value, LogError> {
    let known = digest.split_once(':').and_then(|(name, value)| {
        let name = DIGESTS.iter().find(|known| known.0 == name && known.1 == value.len())?.0;
        let hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then(|| json!({ name: value.to_ascii_lowercase() }))
    });
    known.ok_or_else(|| {
        let why = "is not one that an attestation can name: sha256: and 64 hexadecimal digits, sha384:, sha512: or gitCommit:";
        LogError::Invalid(format!("the digest `{digest}` {why}"))
    })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// A name as a part of a URI.
fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_bytes_to_sign() {
        let signed = authenticated("http://example.com/HelloWorld", b"hello world");
        assert_eq!(signed, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn digests() {
        let digits = "Ab".repeat(32);
        assert_eq!(digest_set(&format!("sha256:{digits}")).ok(), Some(json!({ "sha256": "ab".repeat(32) })));
        for wrong in ["", "sha256", "sha256:", "sha256:abcd", "md5:00112233445566778899aabbccddeeff", &digits] {
            assert!(digest_set(wrong).is_err(), "{wrong}");
        }
        assert!(digest_set(&format!("sha256:{}", "g".repeat(64))).is_err());
        assert_eq!(encoded("Pré prod/1"), "Pr%C3%A9%20prod%2F1");
    }
}
