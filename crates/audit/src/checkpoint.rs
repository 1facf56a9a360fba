//! Checkpoints, as C2SP specifies them (`c2sp.org/tlog-checkpoint`): what a log was at some size, in three lines, signed. Kept
//! where nobody who can write the log can write, one shows later whether what was in the log then still is.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{LogError, Note, SignerKey, VerifierKey};

/// A log at a size: the root of its tree stands for every byte of its first `size` records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many records.
    pub size: u64,
    /// The root of the RFC 6962 tree over them.
    pub root: [u8; 32],
    /// Lines after the root: those that others have put in, and that of [`FileHash`](crate::FileHash), if it has one.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Of a log with that origin.
    ///
    /// # Errors
    /// When the origin is empty, or has a control character in it.
    pub fn new(origin: impl Into<String>, size: u64, root: [u8; 32]) -> Result<Checkpoint, LogError> {
        let origin = origin.into();
        if origin.is_empty() || origin.bytes().any(|byte| byte < b' ') {
            let why =
                format!("a checkpoint is of a log with a name of one line, and this is `{}`", origin.escape_debug());
            return Err(LogError::Invalid(why));
        }
        Ok(Checkpoint { origin, size, root, extensions: Vec::new() })
    }

    /// Reads one, signed or not; what signatures there are is not checked.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse_unsigned(text: &str) -> Result<Checkpoint, LogError> {
        // A body has no empty line in it.
        if text.contains("\n\n") { body(Note::parse(text)?.text()) } else { body(text) }
    }

    /// Reads one that one of the keys has signed, at least. Signatures of other keys are of no account.
    ///
    /// # Errors
    /// [`LogError::Invalid`] when it is not a checkpoint with signatures; [`LogError::NotProven`] when a signature of one of
    /// the keys is wrong, or none of them has signed.
    pub fn verified(text: &str, keys: &[VerifierKey]) -> Result<Checkpoint, LogError> {
        if !text.contains("\n\n") && body(text).is_ok() {
            return Err(LogError::NotProven("nobody has signed the checkpoint".into()));
        }
        let note = Note::parse(text)?;
        let checkpoint = body(note.text())?;
        note.verify(keys)?;
        Ok(checkpoint)
    }

    /// Signed by that key: what is kept elsewhere. [`Note::sign`] adds the signatures of others.
    ///
    /// # Errors
    /// When the fields were changed to something that no checkpoint has.
    pub fn signed(&self, key: &SignerKey) -> Result<Note, LogError> {
        let text = self.to_string();
        if body(&text)? != *self {
            return Err(LogError::Invalid(
                "a checkpoint has a line for each of its parts, and this one has not".into(),
            ));
        }
        let mut note = Note::new(text)?;
        note.sign(key);
        Ok(note)
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn body(text: &str) -> Result<Checkpoint, LogError> {
    let wrong = |why: &str| LogError::Invalid(format!("it is not a checkpoint of a log: {why}"));
    let lines = text.strip_suffix('\n').ok_or_else(|| wrong("its last line has no end"))?;
    let mut lines = lines.split('\n');
    let mut line = || lines.next().filter(|line| !line.is_empty());
    let (origin, size, root) = (line(), line(), line());
    let (Some(origin), Some(size), Some(root)) = (origin, size, root) else {
        return Err(wrong("it has three lines at least, the log's name, its size and the root of its tree"));
    };
    let digits = size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
    let size = size.parse().ok().filter(|_| digits).ok_or_else(|| wrong("its second line is not the size of a log"))?;
    let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok());
    let root = root.ok_or_else(|| wrong("its third line is not the root of a tree, 32 bytes in base64"))?;
    let extensions: Vec<String> = lines.map(str::to_string).collect();
    if extensions.iter().any(String::is_empty) {
        return Err(wrong("there is an empty line in it"));
    }
    let mut checkpoint = Checkpoint::new(origin, size, root)?;
    checkpoint.extensions = extensions;
    Ok(checkpoint)
}
