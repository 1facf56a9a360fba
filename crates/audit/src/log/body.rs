//! Lines as they are stored: zstd, with the log's dictionary once it has one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

/// The longest line that is stored, in bytes.
pub(crate) const LONGEST: usize = 256 << 20;

/// How hard zstd tries.
const LEVEL: i32 = 3;

/// The bytes that a dictionary has at most.
const DICTIONARY: usize = 64 << 10;

/// Packs lines; it may be shared between threads, each of which takes a packer and puts it back.
#[derive(Default)]
pub(super) struct Packing {
    /// The dictionary's id in the log, and its bytes.
    dictionary: Option<(i64, Vec<u8>)>,
    idle: Mutex<Vec<zstd::bulk::Compressor<'static>>>,
}

impl Packing {
    /// With a dictionary of the log.
    pub fn with(id: i64, dictionary: Vec<u8>) -> Packing {
        Packing { dictionary: Some((id, dictionary)), idle: Mutex::default() }
    }

    /// The dictionary, if there is one.
    pub fn dictionary(&self) -> Option<i64> {
        self.dictionary.as_ref().map(|(id, _)| *id)
    }

    /// A line as it is stored.
    pub fn pack(&self, line: &[u8]) -> std::io::Result<Vec<u8>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut packer = match (idle, &self.dictionary) {
            (Some(packer), _) => packer,
            (None, None) => zstd::bulk::Compressor::new(LEVEL)?,
            (None, Some((_, dictionary))) => zstd::bulk::Compressor::with_dictionary(LEVEL, dictionary)?,
        };
        let body = packer.compress(line)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(packer);
        Ok(body)
    }
}

/// At most as many bytes are trained of.
const TRAINED_BYTES: usize = 8 << 20;

/// A dictionary for lines like these.
pub(super) fn train<L: AsRef<[u8]>>(lines: &[L]) -> std::io::Result<Vec<u8>> {
    let mut bytes = 0_usize;
    let few = lines.iter().take_while(|line| {
        bytes = bytes.saturating_add(line.as_ref().len());
        bytes <= TRAINED_BYTES
    });
    zstd::dict::from_samples(&few.collect::<Vec<_>>(), DICTIONARY)
}

/// The first 8 bytes of the SHA-256 of bytes, the highest first.
pub(crate) fn sum(parts: &[&[u8]]) -> i64 {
    let digest = parts.iter().fold(Sha256::new(), |sum, part| sum.chain_update(part)).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}

/// `entry.sum` of a row: over everything else in it, so that none of it can stand elsewhere. The numbers (seq, kind,
/// recorded, dictionary or -1) come first, in 8 bytes each, the highest first; then id, leaf and body.
pub(crate) fn row_sum(numbers: (i64, i64, i64, Option<i64>), id: &[u8], leaf: &[u8], body: &[u8]) -> i64 {
    let (seq, kind, recorded, dictionary) = numbers;
    let [seq, kind, recorded, dictionary] = [seq, kind, recorded, dictionary.unwrap_or(-1)].map(i64::to_be_bytes);
    sum(&[&seq, &kind, &recorded, &dictionary, id, leaf, body])
}

/// Unpacks bodies; it may be shared between threads, each of which takes an unpacker and puts it back. Dictionaries are read
/// in once.
#[derive(Default)]
pub(crate) struct Bodies {
    dictionaries: Mutex<HashMap<i64, Arc<Vec<u8>>>>,
    idle: Mutex<HashMap<Option<i64>, Vec<zstd::bulk::Decompressor<'static>>>>,
}

impl Bodies {
    /// The bytes of the line. `look_up` reads a dictionary that is not known yet.
    pub fn line(
        &self,
        body: &[u8],
        dictionary: Option<i64>,
        look_up: impl FnOnce(i64) -> rusqlite::Result<Vec<u8>>,
    ) -> Result<Vec<u8>, String> {
        let size = zstd::zstd_safe::get_frame_content_size(body).ok().flatten().and_then(|n| usize::try_from(n).ok());
        let size = size.filter(|size| *size <= LONGEST).ok_or("its body is not one frame of zstd with a length")?;
        let unreadable = |error: std::io::Error| format!("its body cannot be unpacked: {error}");
        let idle = self.idle().get_mut(&dictionary).and_then(Vec::pop);
        let mut unpacker = match (idle, dictionary) {
            (Some(unpacker), _) => unpacker,
            (None, None) => zstd::bulk::Decompressor::new().map_err(unreadable)?,
            (None, Some(id)) => {
                let dictionary = self.dictionary(id, look_up)?;
                zstd::bulk::Decompressor::with_dictionary(&dictionary).map_err(unreadable)?
            }
        };
        let line = unpacker.decompress(body, size).map_err(unreadable)?;
        self.idle().entry(dictionary).or_default().push(unpacker);
        Ok(line)
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<Option<i64>, Vec<zstd::bulk::Decompressor<'static>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dictionary(
        &self,
        id: i64,
        look_up: impl FnOnce(i64) -> rusqlite::Result<Vec<u8>>,
    ) -> Result<Arc<Vec<u8>>, String> {
        let mut known = self.dictionaries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dictionary) = known.get(&id) {
            return Ok(Arc::clone(dictionary));
        }
        let bytes = look_up(id).map_err(|error| format!("its dictionary {id} cannot be read: {error}"))?;
        let dictionary = Arc::new(bytes);
        known.insert(id, Arc::clone(&dictionary));
        Ok(dictionary)
    }
}
