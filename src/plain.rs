//! Text of strangers, made safe to print on a terminal and in a log.

use std::borrow::Cow;
use std::fmt::Write;

/// The same text with every character that could move a cursor, end a line or turn the reading direction written as an
/// escape: `\n`, `\t`, `\u{1b}`.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    // Most texts are of plain letters, and a look at all bytes of them at once shows it.
    let plain = |all, byte: u8| all & (0x20..0x7f).contains(&byte);
    if text.bytes().fold(true, plain) || !text.contains(unsafe_to_print) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if unsafe_to_print(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The text in backticks, escaped, and cut when it is long: for messages that echo what was given.
pub(crate) fn quote(text: &str) -> String {
    const MAX: usize = 60;
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("`{}…`", escape(text.get(..end).unwrap_or_default())),
        None => format!("`{}`", escape(text)),
    }
}

/// Control characters, and the invisible ones that reorder or hide what stands beside them.
pub(crate) fn unsafe_to_print(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

/// Writes a number in decimal digits.
pub(crate) fn push_number(out: &mut String, number: u64) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

/// Writes a number below 100 in two digits.
pub(crate) fn push_two(out: &mut String, number: u64) {
    for digit in [number / 10, number % 10] {
        out.push(char::from(b'0' + (digit % 10) as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_move_the_cursor_is_escaped_and_the_rest_is_left() {
        assert_eq!(escape("Zoë „ok“ 🚀"), "Zoë „ok“ 🚀");
        assert_eq!(escape("a\x1b[2Jb\r\n\tc"), "a\\u{1b}[2Jb\\r\\n\\tc");
        assert_eq!(escape("x\u{202e}y\u{200b}\u{9b}"), "x\\u{202e}y\\u{200b}\\u{9b}");
    }

    #[test]
    fn a_long_echo_is_cut() {
        assert_eq!(quote("a"), "`a`");
        assert_eq!(quote(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
        assert_eq!(quote(&"é".repeat(60)), format!("`{}`", "é".repeat(60)));
    }
}
