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

/// As often it is read again, if somebody appends meanwhile.
const TIMES: usize = 5;

pub(super) fn check(path: &Path) -> std::io::Result<Wal> {
    let wal = beside(&path.canonicalize()?, "-wal");
    for _ in 0..TIMES {
        let before = State::of(&wal)?;
        let found = read(&wal)?;
        if before == State::of(&wal)? {
            return Ok(found);
        }
    }
    // What is written faster than it is read is in the hands of a process that has it open.
    Ok(Wal::Whole)
}

/// What changes when it is written.
#[derive(PartialEq, Eq)]
struct State(Option<(u64, Option<std::time::SystemTime>, [u8; HEADER])>);

impl State {
    fn of(wal: &Path) -> std::io::Result<State> {
        let mut file = match File::open(wal) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State(None)),
            file => file?,
        };
        let mut header = [0; HEADER];
        whole(&mut file, &mut header)?;
        let metadata = file.metadata()?;
        Ok(State(Some((metadata.len(), metadata.modified().ok(), header))))
    }
}

fn read(wal: &Path) -> std::io::Result<Wal> {
    let file = match File::open(wal) {
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
    let (mut old, mut unreadable) = (false, false);
    // Ends of transactions that cannot be read.
    let mut lost = 0;
    while whole(&mut file, &mut frame)? {
        // What was there before the file was begun anew has both numbers (salts) otherwise, and stands behind the rest.
        let salts = [8, 12].map(|at| number(&frame, at) == number(&header, at + 8));
        if salts == [false, false] {
            old = true;
            continue;
        }
        sum = sums(sum, &frame[..8], big);
        sum = sums(sum, &frame[FRAME..], big);
        let whole = salts == [true, true] && sum == (number(&frame, 16), number(&frame, 20));
        unreadable |= old || !whole;
        if unreadable && number(&frame, 4) != 0 {
            lost += 1;
        }
    }
    Ok(match (unreadable, lost) {
        (false, _) => Wal::Whole,
        (true, 0 | 1) => Wal::Torn,
        (true, _) => Wal::Damaged,
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
