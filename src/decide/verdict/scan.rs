//! JSON, read once from the front to the back. What ordinary requests do not have (escapes in texts) is refused, right or
//! wrong, and so is everything that is no JSON.

use super::filling::{Filled, Refused};
use crate::facts::time;

/// A place in a JSON text.
pub(crate) struct Scan<'j> {
    text: &'j str,
    at: usize,
}

impl<'j> Scan<'j> {
    pub fn new(text: &'j str) -> Scan<'j> {
        Scan { text, at: 0 }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no space.
    #[inline]
    pub fn token(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                // Most of them at once.
                Some(token) if token > b' ' => return Some(token),
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                token => return token,
            }
        }
    }

    #[inline]
    fn eat(&mut self, token: u8) -> Filled {
        if self.token() == Some(token) {
            self.at += 1;
            Ok(())
        } else {
            Err(Refused)
        }
    }

    /// Nothing may follow.
    pub fn end(&mut self) -> Filled {
        if self.token().is_none() { Ok(()) } else { Err(Refused) }
    }

    /// `null`, `true` or `false`, if it is next.
    pub fn word(&mut self, word: &str) -> bool {
        self.token();
        let is = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if is {
            self.at += word.len();
        }
        is
    }

    pub fn null(&mut self) -> bool {
        self.token() == Some(b'n') && self.word("null")
    }

    #[inline]
    pub fn text(&mut self) -> Filled<&'j str> {
        self.eat(b'"')?;
        let bytes = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let end = match bytes.first_chunk::<8>().map(|first| ends(u64::from_le_bytes(*first))) {
            Some(ends) if ends != 0 => self.at + ends.trailing_zeros() as usize / 8,
            _ => self.at + long_text(bytes)?,
        };
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return Err(Refused);
        }
        let text = self.text.get(self.at..end).ok_or(Refused)?;
        self.at = end + 1;
        Ok(text)
    }

    /// An instant in nanoseconds, within the years of the engine.
    pub fn instant(&mut self) -> Filled<i64> {
        self.token();
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if let Some([b'"', text @ .., b'"']) = rest.first_chunk::<22>()
            && let Some(nanos) = time::common(text)
        {
            self.at += 22;
            return Ok(nanos);
        }
        time::quick(self.text()?).ok_or(Refused)
    }

    /// A text, or `None` for `null`.
    pub fn maybe_text(&mut self) -> Filled<Option<&'j str>> {
        if self.null() { Ok(None) } else { self.text().map(Some) }
    }

    /// A number as serde_json reads it: the double that is next to it.
    pub fn number(&mut self) -> Filled<f64> {
        self.token();
        let from = self.at;
        let negative = self.byte() == Some(b'-');
        self.at += usize::from(negative);
        let leading_zero = self.byte() == Some(b'0');
        let mut mantissa = 0;
        let whole = self.digits(&mut mantissa);
        let mut fraction = 0;
        let mut in_order = whole > 0 && (whole == 1 || !leading_zero);
        if self.byte() == Some(b'.') {
            self.at += 1;
            fraction = self.digits(&mut mantissa);
            in_order &= fraction > 0;
        }
        let exponent = matches!(self.byte(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            in_order &= self.digits(&mut 0) > 0;
        }
        if !in_order {
            return Err(Refused);
        }
        // Both are exact as doubles, so their quotient is the nearest.
        if !exponent
            && whole + fraction <= 15
            && let Some(power) = POWERS.get(fraction)
        {
            let number = mantissa as f64 / power;
            return Ok(if negative { -number } else { number });
        }
        let number: f64 = self.text.get(from..self.at).and_then(|text| text.parse().ok()).ok_or(Refused)?;
        if number.is_finite() { Ok(number) } else { Err(Refused) }
    }

    /// How many digits there are, added to a number.
    fn digits(&mut self, number: &mut u64) -> usize {
        let from = self.at;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            *number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        self.at - from
    }

    /// Begins an object or a list; whether there is anything in it.
    #[inline]
    pub fn opens(&mut self, start: u8, end: u8) -> Filled<bool> {
        self.eat(start)?;
        let empty = self.token() == Some(end);
        self.at += usize::from(empty);
        Ok(!empty)
    }

    /// A key of an object, up to its value.
    #[inline]
    pub fn key(&mut self) -> Filled<&'j str> {
        let key = self.text()?;
        self.eat(b':')?;
        Ok(key)
    }

    /// An object; `field` reads the value of a key.
    #[inline]
    pub fn object(&mut self, mut field: impl FnMut(&mut Scan<'j>, &'j str) -> Filled) -> Filled {
        let mut more = self.opens(b'{', b'}')?;
        while more {
            let key = self.key()?;
            field(self, key)?;
            more = self.more(b'}')?;
        }
        Ok(())
    }

    /// A list; `element` reads each of its elements.
    #[inline]
    pub fn list(&mut self, mut element: impl FnMut(&mut Scan<'j>) -> Filled) -> Filled {
        let mut more = self.opens(b'[', b']')?;
        while more {
            element(self)?;
            more = self.more(b']')?;
        }
        Ok(())
    }

    /// Whether a comma follows, or else the end.
    #[inline]
    pub fn more(&mut self, end: u8) -> Filled<bool> {
        let token = self.token();
        self.at += 1;
        match token {
            Some(b',') => Ok(true),
            Some(token) if token == end => Ok(false),
            _ => Err(Refused),
        }
    }
}

const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Where a text ends whose first eight bytes do not end it.
fn long_text(bytes: &[u8]) -> Filled<usize> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut len = 0;
    for chunk in chunks {
        let ends = ends(u64::from_le_bytes(*chunk));
        len += ends.trailing_zeros() as usize / 8;
        if ends != 0 {
            return Ok(len);
        }
    }
    let last = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).ok_or(Refused)?;
    Ok(len + last)
}

/// Of eight bytes those that end a text or are not in order in it, as their highest bits; above the first of them there
/// may be others that are none.
#[inline]
pub(crate) fn ends(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    // A quote becomes a blank; what was below a blank still is.
    let quote_or_control = below(word ^ (ONES * 2), 0x21);
    let backslash = below(word ^ (ONES * b'\\' as u64), 1);
    (quote_or_control | backslash) & (ONES << 7)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Scan;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_ends_where_it_should(text in "[a-zé \"\\\\\u{1}\u{1f}\u{7f}]{0,30}", after in "[a\", ]{0,12}") {
            let json = format!("\"{text}\"{after}");
            let mut scan = Scan::new(&json);
            let stop = text.find(|c: char| c == '"' || c == '\\' || c < ' ');
            match stop {
                None => prop_assert_eq!(scan.text().unwrap(), text),
                Some(at) if text[at..].starts_with('"') => prop_assert_eq!(scan.text().unwrap(), &text[..at]),
                Some(_) => prop_assert!(scan.text().is_err()),
            }
        }

        #[test]
        fn numbers_are_those_of_serde_json(text in "-?[0-9]{0,3}[0-9]{0,17}(\\.[0-9]{0,17})?([eE][+-]?[0-9]{0,3})?") {
            let mut scan = Scan::new(&text);
            let ours = scan.number().and_then(|number| scan.end().map(|()| number));
            match (serde_json::from_str::<f64>(&text), ours) {
                (Ok(theirs), Ok(ours)) => prop_assert_eq!(theirs.to_bits(), ours.to_bits()),
                (Err(_), Err(_)) => {}
                (theirs, ours) => prop_assert!(false, "{theirs:?} {ours:?}"),
            }
        }
    }
}
