//! Changes of a text, and what they look like.

use crate::diagnostic::{SourceId, Span};

/// What is changed to make one wrong version.
#[derive(Clone, Debug)]
pub(crate) struct Edits {
    /// What was changed, in words.
    pub what: String,
    pub source: SourceId,
    /// The place to tell.
    pub span: Span,
    /// Bytes, and what stands there instead; they do not overlap.
    pub changes: Vec<(usize, usize, String)>,
}

impl Edits {
    /// The changed text; `None` if a change does not fit the text.
    pub fn apply(&self, text: &str) -> Option<String> {
        let mut changes: Vec<&(usize, usize, String)> = self.changes.iter().collect();
        changes.sort_by_key(|(from, _, _)| *from);
        let mut out = String::with_capacity(text.len() + 16);
        let mut done = 0;
        for (from, to, with) in changes {
            out.push_str(text.get(done..*from)?);
            out.push_str(with);
            done = *to;
        }
        out.push_str(text.get(done..)?);
        (out != text).then_some(out)
    }
}

/// The lines that differ: those of `old` with `-`, those of `new` with `+`.
pub(crate) fn diff(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let longest = old.len().min(new.len()) - before;
    let after = old.iter().rev().zip(new.iter().rev()).take(longest).take_while(|(a, b)| a == b).count();
    let mut out = String::new();
    let mut lines = |sign: char, lines: &[&str]| {
        let end = lines.len() - after;
        for line in lines.get(before..end).unwrap_or_default() {
            if line.trim().is_empty() {
                continue;
            }
            out.push(sign);
            out.push_str(line.trim_end());
            out.push('\n');
        }
    };
    lines('-', &old);
    lines('+', &new);
    out
}

/// A word of the language in a stretch of text, outside of comments, strings and regexes: where it starts. The last one if
/// `last`.
pub(crate) fn find_word(text: &str, from: usize, to: usize, word: &str, last: bool) -> Option<usize> {
    let piece = text.get(from..to)?;
    let mut found = None;
    let (mut in_string, mut in_comment, mut escaped) = (false, false, false);
    let mut start: Option<usize> = None;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    for (at, c) in piece.char_indices().chain([(piece.len(), ' ')]) {
        if let Some(begin) = start {
            if is_word(c) && !in_string && !in_comment {
                continue;
            }
            if piece.get(begin..at) == Some(word) && (last || found.is_none()) {
                found = Some(from + begin);
            }
            start = None;
        }
        match c {
            '\n' => (in_comment, in_string) = (false, false),
            _ if in_comment => {}
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '#' => in_comment = true,
            c if is_word(c) => start = Some(at),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_strings_and_comments_are_not_words() {
        let text = "a and \"x and y\" # and\n b and c";
        assert_eq!(find_word(text, 0, text.len(), "and", false), Some(2));
        assert_eq!(find_word(text, 0, text.len(), "and", true), Some(25));
        assert_eq!(find_word(text, 6, 24, "and", false), None);
        assert_eq!(find_word("android", 0, 7, "and", false), None);
    }

    #[test]
    fn a_diff_shows_the_lines_that_differ() {
        assert_eq!(diff("a\nb\nc\n", "a\nB\nc\n"), "-b\n+B\n");
        assert_eq!(diff("a\na\n", "a\n"), "-a\n");
        assert_eq!(diff("a\n", "a\nb\n"), "+b\n");
        // What was taken out leaves a blank line, which says nothing.
        assert_eq!(diff("a\n  b\n", "a\n  \n"), "-  b\n");
    }
}
