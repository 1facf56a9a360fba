//! The write-ahead log beside a log that is open, or was not closed. SQLite reads it up to the first frame whose sum is
//! wrong, and is silent about what comes after: that may be records that were acknowledged.
//!
//! The format is <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use crate::log::file::beside;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wal {
    /// There is none, or nothing in it.
    None,
    /// All of it can be read.
    Whole,
    /// The last transaction cannot: a crash leaves that behind.
    Torn,
    /// More than the last transaction cannot: each is synced before the next begins, so that no crash does that.
    Damaged,
}

const HEADER: usize = 32;
const FRAME: usize = 24;

pub(super) fn check(path: &Path) -> std::io::Result<Wal> {
    let real = path.canonicalize()?;
    let file = match File::open(beside(&real, "-wal")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Wal::None),
        file => file?,
    };
    if file.metadata()?.len() == 0 {
        return Ok(Wal::None);
    }
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut header = [0; HEADER];
    if !whole(&mut file, &mut header)? {
        return Ok(Wal::Torn);
    }
    let number = |bytes: &[u8], at: usize| {
        bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
    };
    let big = match number(&header, 0) {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return Ok(Wal::Damaged),
    };
    let size = number(&header, 8) as usize;
    let mut sum = sums((0, 0), &header[..24], big);
    let in_order = number(&header, 4) == 3_007_000 && size.is_power_of_two() && (512..=65_536).contains(&size);
    if !in_order || sum != (number(&header, 24), number(&header, 28)) {
        return Ok(Wal::Damaged);
    }
    let mut frame = vec![0; FRAME + size];
    let mut readable = true;
    // Ends of transactions that cannot be read.
    let mut lost = 0;
    while whole(&mut file, &mut frame)? {
        if frame[8..16] != header[16..24] {
            // What was there before the file was begun anew; or a frame whose salt was changed, after which others follow.
            readable = false;
            continue;
        }
        sum = sums(sum, &frame[..8], big);
        sum = sums(sum, &frame[FRAME..], big);
        readable &= sum == (number(&frame, 16), number(&frame, 20));
        if !readable && number(&frame, 4) != 0 {
            lost += 1;
        }
    }
    Ok(match lost {
        0 => Wal::Whole,
        1 => Wal::Torn,
        _ => Wal::Damaged,
    })
}

/// Fills the buffer; `false` if the file ends before.
fn whole(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match file.read_exact(buffer) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        done => done.map(|()| true),
    }
}

/// The running sum of the format, over words of four bytes.
fn sums(mut sum: (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    for pair in bytes.as_chunks::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *pair;
        let word = |bytes: [u8; 4]| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        sum.0 = sum.0.wrapping_add(word([a, b, c, d])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(word([e, f, g, h])).wrapping_add(sum.0);
    }
    sum
}
