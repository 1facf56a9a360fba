//! Signed notes, as C2SP specifies them (`c2sp.org/signed-note`): text, an empty line, and a line for each signature. Keys
//! are written as Go's `sumdb/note` writes them, so that the tools and witnesses of that world read ours.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature as Ed25519, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::LogError;

/// The bytes that say what a key signs with Ed25519: the text of a note, or (a witness, `c2sp.org/tlog-cosignature`) the
/// time and the text. Others, such as that of ML-DSA-44, are not known here.
const NOTE: u8 = 1;
const WITNESS: u8 = 4;

/// A note with more signatures is not read: each costs time.
const SIGNATURES: usize = 100;

/// A key file, or one with keys to check by, has no more bytes.
const KEY_FILE: u64 = 1 << 20;

const PREFIX: &str = "PRIVATE+KEY+";

/// May be the name of a key.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(|char| char.is_whitespace() || char.is_control())
}

fn key_id(name: &str, kind: u8, key: &VerifyingKey) -> u32 {
    let digest = Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(key.as_bytes()).finalize();
    let mut id = [0; 4];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    u32::from_be_bytes(id)
}

/// The name, and what stands behind it: id, kind and 32 bytes of key.
fn parts(text: &str) -> Option<(&str, u32, u8, [u8; 32])> {
    let mut parts = text.splitn(3, '+');
    let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = id.len() == 8 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let key = STANDARD.decode(key).ok()?;
    let (&kind, key) = key.split_first()?;
    if !is_name(name) || !hex || ![NOTE, WITNESS].contains(&kind) {
        return None;
    }
    Some((name, u32::from_str_radix(id, 16).ok()?, kind, key.try_into().ok()?))
}

/// A name with the byte of the kind and the key.
fn written(name: &str, id: u32, kind: u8, key: &[u8; 32]) -> String {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(key);
    format!("{name}+{id:08x}+{}", STANDARD.encode(bytes))
}

/// The key by which anybody checks signatures: `name+id+base64`. Ed25519, of somebody who signs notes or of a witness who
/// signs checkpoints with the time at which it saw them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: u8,
    key: VerifyingKey,
}

impl VerifierKey {
    /// What it is called; signatures carry it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id, the first bytes of a digest. It helps to find a key, and proves nothing.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether that is this key's signature of these bytes. A witness signs nothing but checkpoints, each with a time.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.kind == NOTE && self.holds(message, signature)
    }

    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        Ed25519::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }

    /// Whether that is this key's signature under a note of that text.
    fn signed(&self, text: &str, signature: &[u8]) -> bool {
        if self.kind == NOTE {
            return self.holds(text.as_bytes(), signature);
        }
        let Some((time, signature)) = signature.split_first_chunk::<8>() else { return false };
        let time = u64::from_be_bytes(*time);
        i64::try_from(time).is_ok() && self.holds(format!("cosignature/v1\ntime {time}\n{text}").as_bytes(), signature)
    }

    /// Keys as a person gives them: the key itself, or the file that holds one a line (empty lines and those that begin
    /// with `#` aside).
    ///
    /// # Errors
    /// When it is neither.
    pub fn given(text: &str) -> Result<Vec<VerifierKey>, LogError> {
        match text.parse() {
            Ok(key) => Ok(vec![key]),
            // A key has two of these at least, and few files do.
            Err(error) if text.matches('+').count() >= 2 && !Path::new(text).exists() => Err(error),
            Err(_) => VerifierKey::read(Path::new(text)),
        }
    }

    /// From a file that holds one a line; empty lines and those that begin with `#` are passed over.
    ///
    /// # Errors
    /// When it cannot be read, holds no key, or anything else.
    pub fn read(file: &Path) -> Result<Vec<VerifierKey>, LogError> {
        let text = read(file)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys =
            lines.map(|line| line.parse().map_err(|error| LogError::Invalid(format!("{}: {error}", file.display()))));
        let keys: Vec<VerifierKey> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(LogError::Invalid(format!("{}: there is no verifier key in it", file.display())));
        }
        Ok(keys)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(&self.name, self.id, self.kind, self.key.as_bytes()))
    }
}

impl FromStr for VerifierKey {
    type Err = LogError;

    fn from_str(text: &str) -> Result<VerifierKey, LogError> {
        if text.starts_with(PREFIX) {
            let why = "it is a private key, which checks nothing and is shown to nobody; the verifier key is wanted";
            return Err(LogError::Invalid(why.into()));
        }
        let wrong = |why: &str| LogError::Invalid(format!("`{text}` is not a verifier key: {why}"));
        let (name, id, kind, key) = parts(text).ok_or_else(|| {
            wrong("one is the name, eight hexadecimal digits and the Ed25519 key in base64, with + between them")
        })?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| wrong("its bytes are no Ed25519 key"))?;
        if key_id(name, kind, &key) != id {
            return Err(wrong("its digits do not fit its name and key; a character may be lost"));
        }
        Ok(VerifierKey { name: name.to_string(), id, kind, key })
    }
}

/// The key that signs. Whoever has it can sign in its name.
#[derive(Clone)]
pub struct SignerKey {
    name: String,
    id: u32,
    key: SigningKey,
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({}, …)", self.name)
    }
}

impl SignerKey {
    /// A new one, from the system's randomness.
    ///
    /// # Errors
    /// When the name is empty or has a space or a plus in it; when the system has no randomness to give.
    pub fn generate(name: &str) -> Result<SignerKey, LogError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| LogError::Invalid(format!("the system gives no randomness: {error}")))?;
        SignerKey::from_seed(name, seed)
    }

    /// From 32 bytes of good randomness.
    ///
    /// # Errors
    /// When the name is empty or has a space or a plus in it.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<SignerKey, LogError> {
        if !is_name(name) {
            let why = "is not a name for a key: one has no space and no plus in it, such as example.com/releases";
            return Err(LogError::Invalid(format!("`{name}` {why}")));
        }
        let key = SigningKey::from_bytes(&seed);
        Ok(SignerKey { name: name.to_string(), id: key_id(name, NOTE, &key.verifying_key()), key })
    }

    /// From its text, `PRIVATE+KEY+name+id+base64`.
    ///
    /// # Errors
    /// When it is anything else. The message does not repeat it.
    pub fn parse(text: &str) -> Result<SignerKey, LogError> {
        let wrong = |why: &str| LogError::Invalid(format!("it is not a private key of `audit key new`: {why}"));
        let text = text.strip_prefix(PREFIX).ok_or_else(|| wrong("it does not begin with PRIVATE+KEY+"))?;
        let (name, id, kind, seed) = parts(text).ok_or_else(|| wrong("a part of it is missing or damaged"))?;
        if kind != NOTE {
            return Err(wrong("it is one of a witness"));
        }
        let key = SignerKey::from_seed(name, seed)?;
        if key.id != id {
            return Err(wrong("its digits do not fit its name and key"));
        }
        Ok(key)
    }

    /// From a file that holds its text.
    ///
    /// # Errors
    /// When it cannot be read, or holds anything else.
    pub fn read(file: &Path) -> Result<SignerKey, LogError> {
        SignerKey::parse(read(file)?.trim()).map_err(|error| LogError::Invalid(format!("{}: {error}", file.display())))
    }

    /// Writes it to a new file, durably and readable by its owner alone. A file that exists is never overwritten.
    ///
    /// # Errors
    /// When there is such a file, or it cannot be made.
    pub fn make(&self, file: &Path) -> Result<(), LogError> {
        let mut new = std::fs::OpenOptions::new();
        new.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
        let failed = |error| LogError::io(file, error);
        let mut made = new.open(file).map_err(failed)?;
        let line = format!("{PREFIX}{}\n", written(&self.name, self.id, NOTE, self.key.as_bytes()));
        let whole = made.write_all(line.as_bytes()).and_then(|()| made.sync_all());
        if whole.is_err() {
            // Half a key is no key; that it cannot be removed either is not worth more words.
            let _ = std::fs::remove_file(file);
        }
        whole.map_err(failed)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key to check by.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), id: self.id, kind: NOTE, key: self.key.verifying_key() }
    }

    /// The 64 bytes of its signature.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

fn read(file: &Path) -> Result<String, LogError> {
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|opened| opened.take(KEY_FILE).read_to_string(&mut text))
        .map_err(|error| LogError::io(file, error))?;
    Ok(text)
}

/// A line under a note: who signed, and what came of it. Of an algorithm that is not known here, it is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The id of the key.
    pub id: u32,
    /// The signature.
    pub bytes: Vec<u8>,
}

impl NoteSignature {
    /// Whether it says that it is of that key.
    pub fn is_of(&self, key: &VerifierKey) -> bool {
        self.id == key.id && self.name == key.name
    }
}

/// Text that keys have signed, or may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Text that nobody has signed yet.
    ///
    /// # Errors
    /// When it does not end with a newline, or has other control characters in it.
    pub fn new(text: impl Into<String>) -> Result<Note, LogError> {
        let text = text.into();
        if !text.ends_with('\n') || has_control(&text) {
            let why = "the text of a note ends with a newline and has no other control character in it";
            return Err(LogError::Invalid(why.into()));
        }
        Ok(Note { text, signatures: Vec::new() })
    }

    /// Reads a note. Its signatures are not checked by that.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(note: &str) -> Result<Note, LogError> {
        let wrong = |why: &str| LogError::Invalid(format!("it is not a signed note: {why}"));
        if has_control(note) {
            return Err(wrong("there is a control character in it"));
        }
        let split = note.rfind("\n\n").ok_or_else(|| wrong("there is no empty line before signatures"))?;
        let (text, lines) = note.split_at(split + 1);
        let lines = lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
        let lines = lines.ok_or_else(|| wrong("its last line is no whole signature"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            let signature = signature(line).ok_or_else(|| wrong("a line under its text is no signature"))?;
            if signatures.len() == SIGNATURES {
                return Err(wrong("it has more than 100 signatures"));
            }
            signatures.push(signature);
        }
        Ok(Note { text: text.to_string(), signatures })
    }

    /// What is signed, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who signed, as the note says; see [`Note::verify`].
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Signs it. A signature of the same key is replaced, those of others stay.
    pub fn sign(&mut self, key: &SignerKey) {
        self.signatures.retain(|by| by.id != key.id || by.name != key.name);
        let bytes = key.sign(self.text.as_bytes()).to_vec();
        self.signatures.push(NoteSignature { name: key.name.clone(), id: key.id, bytes });
    }

    /// Those of the keys that have signed it. Signatures of other keys are of no account.
    ///
    /// # Errors
    /// [`LogError::NotProven`] when a signature of one of the keys is wrong, or none of them has signed.
    pub fn verify<'a>(&self, keys: &'a [VerifierKey]) -> Result<Vec<&'a VerifierKey>, LogError> {
        let mut signed: Vec<&VerifierKey> = Vec::new();
        for by in &self.signatures {
            // Two keys may have the same name and id, by accident or ill will: one of them has to fit.
            let mut known = keys.iter().filter(|key| by.is_of(key)).peekable();
            if known.peek().is_none() {
                continue;
            }
            let Some(key) = known.find(|key| key.signed(&self.text, &by.bytes)) else {
                return Err(LogError::NotProven(format!("the signature of {} is wrong", by.name)));
            };
            if !signed.contains(&key) {
                signed.push(key);
            }
        }
        if signed.is_empty() {
            let names: Vec<&str> = self.signatures.iter().map(|by| by.name.as_str()).collect();
            let by = if names.is_empty() { "nobody has".into() } else { format!("{} has", names.join(", ")) };
            return Err(LogError::NotProven(format!("none of the keys given has signed it ({by} signed)")));
        }
        Ok(signed)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for NoteSignature { name, id, bytes } in &self.signatures {
            let mut signature = id.to_be_bytes().to_vec();
            signature.extend_from_slice(bytes);
            writeln!(f, "— {name} {}", STANDARD.encode(signature))?;
        }
        Ok(())
    }
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' && byte != b'\n')
}

fn signature(line: &str) -> Option<NoteSignature> {
    let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = STANDARD.decode(base64).ok()?;
    let (id, bytes) = bytes.split_first_chunk::<4>()?;
    if !is_name(name) || bytes.is_empty() {
        return None;
    }
    Some(NoteSignature { name: name.to_string(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
}
