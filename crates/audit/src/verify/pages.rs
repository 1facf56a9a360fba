//! The bytes of the file that no table shows: its header, and what lies between the cells of its pages.
//!
//! In a table that grows at its end SQLite leaves zeros there (with `secure_delete`): whatever else stands there was put
//! there. When it moves cells between the pages of an index it leaves parts of them behind, which nobody ever reads.
//!
//! The format is <https://www.sqlite.org/fileformat2.html>. What SQLite itself checks (`integrity_check`) is left to it.

use std::io::Read;
use std::path::Path;

use crate::log::open::Raw;

/// The header's fields that never change, where they stand and what they are: no reserved bytes, the three fractions; the
/// list of free pages (there are none); the format of the schema, the size of
/// the cache, the largest root, UTF-8; no vacuum; and 20 bytes for extensions that there are not.
const FIXED: [(usize, &[u8]); 6] = [
    (20, &[0, 64, 32, 32]),
    (32, &[0; 8]),
    (44, &[0, 0, 0, 4, 0, 0, 0, 0]),
    (52, &[0, 0, 0, 0, 0, 0, 0, 1]),
    (64, &[0, 0, 0, 0]),
    (72, &[0; 20]),
];

/// Versions of SQLite that can have written it, or made a copy of it: since there are write-ahead logs.
const SQLITE: std::ops::Range<u32> = 3_007_000..4_000_000;

/// The page with this byte of the file is never used.
const LOCK_BYTE: u64 = 1 << 30;

/// What is wrong with the file's own bytes; the first of it.
pub(super) fn check(path: &Path, roots: &[u32], cookie: u32) -> std::io::Result<Option<String>> {
    let mut file = Raw::open(path)?;
    let length = file.len()?;
    let mut header = [0; 100];
    file.read_exact(&mut header)?;
    let size = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => usize::from(size),
    };
    if size < 512 {
        return Ok(Some("the header of the file gives no size of pages".into()));
    }
    let pages = length / size as u64;
    if let Some(wrong) = head(&header, length, pages, size, cookie) {
        return Ok(Some(wrong));
    }
    let pages = u32::try_from(pages).unwrap_or(u32::MAX);
    Walk { file, size, pages, seen: vec![false; pages as usize + 1] }.all(roots)
}

fn head(header: &[u8; 100], length: u64, pages: u64, size: usize, cookie: u32) -> Option<String> {
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    // Both versions of the format say that there is a write-ahead log; or that there is none, if the end came while the log
    // was rotated.
    let versions = [header[18], header[19]];
    if versions != [2, 2] && versions != [1, 1] {
        return Some("the header of the file is changed, at byte 18".into());
    }
    for (at, bytes) in FIXED {
        if header.get(at..at + bytes.len()) != Some(bytes) {
            return Some(format!("the header of the file is changed, at byte {at}"));
        }
    }
    let odd = length % size as u64;
    if odd > 0 {
        return Some(format!("the file does not end with a page: {odd} bytes stand after its {pages} pages"));
    }
    if u64::from(number(28)) != pages {
        return Some(format!("the header speaks of {} pages, and the file has {pages}", number(28)));
    }
    if number(24) != number(92) {
        return Some("the header's two counts of changes differ (bytes 24 and 92)".into());
    }
    if !SQLITE.contains(&number(96)) {
        return Some(format!("the header names {} as the version of SQLite that wrote it last (byte 96)", number(96)));
    }
    // SQLite's own way of copying a database counts from 1 again.
    if number(40) != cookie && number(40) != 1 {
        return Some("the tables were rebuilt or changed (byte 40 of the header): a log is not to be vacuumed".into());
    }
    None
}

/// Numbers of up to nine bytes, seven bits in each.
fn varint(page: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for count in 0..9 {
        let byte = *page.get(at)?;
        at += 1;
        if count == 8 {
            return Some((value << 8 | u64::from(byte), at));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
    }
    None
}

fn two(page: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])))
}

fn four(page: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(page.get(at..at + 4)?.try_into().ok()?))
}

struct Walk {
    file: Raw,
    size: usize,
    pages: u32,
    /// Pages that belong to something.
    seen: Vec<bool>,
}

/// What one page of a tree leads to.
#[derive(Default)]
struct Page {
    children: Vec<u32>,
    /// The first page that the rest of a cell is on, and how many bytes the rest has.
    overflows: Vec<(u32, u64)>,
}

impl Walk {
    fn all(mut self, roots: &[u32]) -> std::io::Result<Option<String>> {
        // The first is the tree of definitions, into whose middle some were put.
        let mut next: Vec<(u32, bool)> = roots.iter().map(|root| (*root, *root != 1)).collect();
        while let Some((number, grows)) = next.pop() {
            let Some(page) = self.page(number)? else {
                return Ok(Some(format!("page {number} of the file is used twice, or is not there")));
            };
            let start = if number == 1 { 100 } else { 0 };
            match self.tree(&page, start, grows) {
                None => return Ok(Some(format!("page {number} of the file is not in order"))),
                Some(Err(at)) => {
                    let at = u64::from(number - 1) * self.size as u64 + at as u64;
                    return Ok(Some(format!("there is something between the records, at byte {at} of the file")));
                }
                Some(Ok(page)) => {
                    next.extend(page.children.into_iter().map(|child| (child, grows)));
                    for (first, rest) in page.overflows {
                        if let Some(wrong) = self.overflow(first, rest)? {
                            return Ok(Some(wrong));
                        }
                    }
                }
            }
        }
        let lock = LOCK_BYTE / self.size as u64 + 1;
        let unused = (1..=self.pages).find(|page| !self.seen[*page as usize] && u64::from(*page) != lock);
        Ok(unused.map(|page| format!("page {page} of the file belongs to nothing")))
    }

    /// The bytes of a page that was not asked for before.
    fn page(&mut self, number: u32) -> std::io::Result<Option<Vec<u8>>> {
        match self.seen.get_mut(number as usize) {
            Some(seen) if !*seen && number > 0 => *seen = true,
            _ => return Ok(None),
        }
        self.file.seek(u64::from(number - 1) * self.size as u64);
        let mut page = vec![0; self.size];
        self.file.read_exact(&mut page)?;
        Ok(Some(page))
    }

    fn overflow(&mut self, first: u32, mut rest: u64) -> std::io::Result<Option<String>> {
        let mut number = first;
        while rest > 0 {
            let Some(page) = self.page(number)? else {
                return Ok(Some(format!("page {number} of the file is used twice, or is not there")));
            };
            let here = rest.min(self.size as u64 - 4);
            rest -= here;
            let end = 4 + usize::try_from(here).unwrap_or(self.size);
            number = four(&page, 0).unwrap_or_default();
            if page.get(end..).is_some_and(|slack| slack.iter().any(|byte| *byte != 0)) || (rest == 0 && number != 0) {
                return Ok(Some("there is something behind the end of a record".into()));
            }
        }
        Ok(None)
    }

    /// A page of a tree, which `grows` at its end if it is a table: what it leads to, or where there is something that
    /// belongs to nothing. `None`: it is no such page.
    fn tree(&self, page: &[u8], start: usize, grows: bool) -> Option<Result<Page, usize>> {
        let kind = *page.get(start)?;
        let (inner, table) = match kind {
            2 => (true, false),
            5 => (true, true),
            10 => (false, false),
            13 => (false, true),
            _ => return None,
        };
        let cells = two(page, start + 3)?;
        let pointers = start + if inner { 12 } else { 8 };
        let mut found = Page::default();
        let mut used = vec![(0, pointers + 2 * cells)];
        if inner {
            found.children.push(four(page, start + 8)?);
        }
        let usable = self.size;
        for cell in 0..cells {
            let from = two(page, pointers + 2 * cell)?;
            let mut at = from;
            if inner {
                found.children.push(four(page, at)?);
                at += 4;
            }
            if inner && table {
                at = varint(page, at)?.1;
            } else {
                let payload;
                (payload, at) = varint(page, at)?;
                if table {
                    at = varint(page, at)?.1;
                }
                // The first column of each such table is its number, which stands before the record and not in it.
                if grows && table && varint(page, at).and_then(|(_, first)| page.get(first)) != Some(&0) {
                    return Some(Err(at));
                }
                let (most, least) = match table {
                    true => (usable - 35, (usable - 12) * 32 / 255 - 23),
                    false => ((usable - 12) * 64 / 255 - 23, (usable - 12) * 32 / 255 - 23),
                };
                let local = if payload <= most as u64 {
                    payload as usize
                } else {
                    let some = least + ((payload - least as u64) % (usable as u64 - 4)) as usize;
                    if some <= most { some } else { least }
                };
                at += local;
                if (local as u64) < payload {
                    found.overflows.push((four(page, at)?, payload - local as u64));
                    at += 4;
                }
            }
            // A cell has four bytes at least.
            used.push((from, at.max(from + 4)));
        }
        let mut free = two(page, start + 1)?;
        while free != 0 {
            let next = two(page, free)?;
            used.push((free, free + 4));
            if next != 0 && next <= free {
                return None;
            }
            free = next;
        }
        used.sort_unstable();
        used.push((self.size, self.size));
        let mut end = 0;
        for (from, to) in used {
            let something = || page.get(end..from)?.iter().position(|byte| *byte != 0);
            if kind == 13
                && grows
                && let Some(at) = something()
            {
                return Some(Err(end + at));
            }
            end = end.max(to);
        }
        Some(Ok(found))
    }
}
