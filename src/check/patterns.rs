//! Globs and regular expressions, compiled within bounds, each once a policy.

use std::ops::Range;

use foldhash::HashMap;

use regex::{Regex, RegexBuilder};

use super::names::Ctx;
use crate::Limits;
use crate::diagnostic::codes::{REGEX, TOO_MANY};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::program::Matcher;
use crate::syntax::tree::Word;

/// All patterns of a policy together may take so many times the bytes that one may take.
const TOGETHER: usize = 64;

/// How a pattern is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pattern {
    /// `"release/**"`
    Glob,
    /// `/v[0-9]+/`
    Regex,
}

/// Why a pattern is refused.
#[derive(Clone, Debug)]
struct Bad {
    code: Code,
    /// Bytes of the pattern that are wrong; `None` for the whole.
    range: Option<Range<usize>>,
    message: String,
    help: String,
}

impl Bad {
    fn new(range: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Bad {
        Bad { code: REGEX, range: Some(range), message: message.into(), help: help.into() }
    }
}

/// The patterns compiled so far: conditions of `stage *` are compiled once a stage, their patterns once.
#[derive(Default)]
pub(super) struct Patterns {
    done: HashMap<(Pattern, String), Result<Matcher, Bad>>,
    /// Bytes that they take together, at most.
    bytes: usize,
}

/// Compiles a pattern; it then matches whole texts only.
pub(super) fn compile(ctx: &mut Ctx<'_>, pattern: Pattern, word: &Word) -> Option<Matcher> {
    match ctx.interner.patterns.get(pattern, &word.value, ctx.limits) {
        Ok(matcher) => Some(matcher),
        Err(bad) => {
            ctx.sink.push(bad.told(word));
            None
        }
    }
}

/// The same for a pattern that stands in no policy.
pub(crate) fn compile_alone(pattern: Pattern, word: &Word, limits: &Limits) -> Result<Matcher, Diagnostic> {
    Patterns::default().get(pattern, &word.value, limits).map_err(|bad| bad.told(word))
}

impl Bad {
    fn told(self, word: &Word) -> Diagnostic {
        // Where the text stands as it was written (no escapes), the very place can be shown.
        let exact = (word.span.end - word.span.start) as usize == word.value.len() + 2;
        let span = match self.range.filter(|range| exact && !range.is_empty()) {
            Some(range) => {
                let start = word.span.start as usize + 1;
                Span::new(word.span.source, start + range.start, start + range.end)
            }
            None => word.span,
        };
        Diagnostic::new(self.code, span, self.message).help(self.help)
    }
}

impl Patterns {
    fn get(&mut self, pattern: Pattern, text: &str, limits: &Limits) -> Result<Matcher, Bad> {
        if let Some(simple) = Matcher::of_glob(text).filter(|_| pattern == Pattern::Glob) {
            return Ok(simple);
        }
        let key = (pattern, text.to_string());
        if let Some(done) = self.done.get(&key) {
            return done.clone();
        }
        let result = self.build(pattern, text, limits).map(|regex| Matcher::Regex(Box::new(regex)));
        self.done.insert(key, result.clone());
        result
    }

    fn build(&mut self, pattern: Pattern, text: &str, limits: &Limits) -> Result<Regex, Bad> {
        let together = limits.regex_bytes.saturating_mul(TOGETHER);
        if self.bytes > together {
            return Err(Bad {
                code: TOO_MANY,
                range: None,
                message: "the patterns of this policy are too large together".into(),
                help: format!("they may take {together} bytes when compiled; use fewer or simpler patterns"),
            });
        }
        let whole = match pattern {
            Pattern::Glob => format!(r"(?s)\A(?:{})\z", translate(text, limits.depth)?),
            Pattern::Regex => {
                // On its own first: `a)|(?:b` must not become well by what is put around it.
                self.sized(text, limits)?;
                format!(r"\A(?:{text})\z")
            }
        };
        self.sized(&whole, limits).map_err(|bad| match bad.code == TOO_MANY {
            true => bad,
            false => Bad {
                code: REGEX,
                range: None,
                message: "this pattern cannot be matched against a whole text".into(),
                help: "leave the flag `x` and its comments out".into(),
            },
        })
    }

    /// The library tells whether a pattern fits a bound, not how large it is: so small bounds are tried first. What was
    /// built or refused for its size counts, as each costs time.
    fn sized(&mut self, pattern: &str, limits: &Limits) -> Result<Regex, Bad> {
        let mut bound = limits.regex_bytes.min(1 << 14);
        loop {
            match build(pattern, bound, limits) {
                Err(bad) if bad.code == TOO_MANY && bound < limits.regex_bytes => {
                    bound = bound.saturating_mul(4).min(limits.regex_bytes);
                }
                Err(bad) if bad.code != TOO_MANY => return Err(bad),
                result => {
                    self.bytes = self.bytes.saturating_add(bound);
                    return result;
                }
            }
        }
    }
}

fn build(pattern: &str, bytes: usize, limits: &Limits) -> Result<Regex, Bad> {
    let nest = u32::try_from(limits.depth).unwrap_or(u32::MAX).saturating_add(8);
    RegexBuilder::new(pattern).size_limit(bytes).dfa_size_limit(limits.regex_bytes).nest_limit(nest).build().map_err(
        |error| match error {
            regex::Error::CompiledTooBig(_) => Bad {
                code: TOO_MANY,
                range: None,
                message: "this pattern is too large when compiled".into(),
                help: format!(
                    "the limit is {} bytes; make its repetitions smaller, or `[0-9]` of `\\d` and `[a-z]` of `\\w`",
                    limits.regex_bytes
                ),
            },
            other => Bad {
                code: REGEX,
                range: None,
                message: format!("this is no regular expression: {}", reason(&other.to_string())),
                help: "the syntax is that of the Rust crate `regex`; there are no look-arounds and no back-references"
                    .into(),
            },
        },
    )
}

/// The library draws a picture of several lines; what is wrong stands in its last one.
fn reason(text: &str) -> String {
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it cannot be read");
    crate::plain::escape(last.trim().trim_start_matches("error: ")).into_owned()
}

/// A glob as a regular expression, not yet anchored. `*` and `?` stop at `/`, so does a class; `**` does not.
fn translate(glob: &str, depth: usize) -> Result<String, Bad> {
    let mut out = String::with_capacity(glob.len() + 16);
    let mut chars = glob.char_indices().peekable();
    let mut open: Vec<usize> = Vec::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '*' => {
                let mut stars = 1;
                while chars.next_if(|(_, next)| *next == '*').is_some() {
                    stars += 1;
                }
                out.push_str(if stars == 1 { "[^/]*" } else { ".*" });
            }
            '?' => out.push_str("[^/]"),
            '\\' => match chars.next() {
                Some((_, escaped)) => literal(&mut out, escaped),
                None => {
                    let help = "in a string a backslash itself is `\\\\`, and `\\\\*` is a star that means itself";
                    return Err(Bad::new(at..at + 1, "this glob ends in a backslash that escapes nothing", help));
                }
            },
            '{' => {
                if open.len() >= depth {
                    let message = format!("this glob nests more than {depth} braces");
                    let bad = Bad::new(at..at + 1, message, "use fewer braces in one another");
                    return Err(Bad { code: crate::diagnostic::codes::TOO_DEEP, ..bad });
                }
                open.push(at);
                out.push_str("(?:");
            }
            ',' if !open.is_empty() => out.push('|'),
            '}' => match open.pop() {
                Some(_) => out.push(')'),
                None => {
                    let help = "alternatives are `{a,b}`; for the sign itself write `\\\\}`";
                    return Err(Bad::new(at..at + 1, "`}` closes nothing in this glob", help));
                }
            },
            '[' => class(&mut out, glob, at, &mut chars)?,
            ']' => {
                let help = "a class is `[a-z]`; for the sign itself write `\\\\]`";
                return Err(Bad::new(at..at + 1, "`]` closes nothing in this glob", help));
            }
            other => literal(&mut out, other),
        }
    }
    match open.pop() {
        Some(at) => Err(Bad::new(
            at..at + 1,
            "`{` is not closed in this glob",
            "alternatives are `{a,b}`; for the sign itself write `\\\\{`",
        )),
        None => Ok(out),
    }
}

fn literal(out: &mut String, c: char) {
    out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

type Chars<'g> = std::iter::Peekable<std::str::CharIndices<'g>>;

/// What follows a `[` at `from`.
fn class(out: &mut String, glob: &str, from: usize, chars: &mut Chars<'_>) -> Result<(), Bad> {
    let unclosed = || {
        Bad::new(
            from..from + 1,
            "`[` is not closed in this glob",
            "a class is `[a-z]`; for the sign itself write `\\\\[`",
        )
    };
    let negated = chars.next_if(|(_, c)| *c == '!' || *c == '^').is_some();
    let mut items = String::new();
    let mut only_slashes = true;
    loop {
        let (at, c) = chars.next().ok_or_else(unclosed)?;
        let low = match c {
            ']' if items.is_empty() => {
                let end = at + 1;
                let help = "list the characters it matches: `[a-z]`, `[!0-9]`";
                return Err(Bad::new(from..end, "this class of a glob is empty", help));
            }
            ']' => break,
            '\\' => chars.next().ok_or_else(unclosed)?.1,
            other => other,
        };
        // A `-` at the end means itself.
        let range = chars.peek().is_some_and(|(_, c)| *c == '-') && {
            let mut ahead = chars.clone();
            ahead.next();
            ahead.peek().is_some_and(|(_, c)| *c != ']')
        };
        let high = if range {
            chars.next();
            match chars.next().ok_or_else(unclosed)? {
                (_, '\\') => chars.next().ok_or_else(unclosed)?.1,
                (_, high) => high,
            }
        } else {
            low
        };
        if high < low {
            let end = chars.peek().map_or(glob.len(), |(end, _)| *end);
            let help = format!("write `{high}-{low}`");
            return Err(Bad::new(at..end, "this range of a glob runs backwards", help));
        }
        only_slashes &= low == '/' && high == '/';
        for (sign, c) in [("", low), ("-", high)] {
            if sign.is_empty() || high != low {
                items.push_str(sign);
                // By number, so that no sign can mean anything else in there.
                items.push_str(&format!(r"\x{{{:x}}}", u32::from(c)));
            }
        }
    }
    if only_slashes && !negated {
        let end = chars.peek().map_or(glob.len(), |(end, _)| *end);
        let help = "a class matches one character other than `/`; write `/` itself outside of it";
        return Err(Bad::new(from..end, "this class of a glob can never match", help));
    }
    match negated {
        true => out.push_str(&format!("[^/{items}]")),
        false => out.push_str(&format!("[{items}&&[^/]]")),
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn matches(glob: &str, text: &str) -> bool {
        Patterns::default().get(Pattern::Glob, glob, &Limits::default()).unwrap().is_match(text)
    }

    fn regex(pattern: &str, text: &str) -> bool {
        Patterns::default().get(Pattern::Regex, pattern, &Limits::default()).unwrap().is_match(text)
    }

    #[test]
    fn globs_mean_what_the_page_says() {
        let yes = [
            ("release/*", "release/1.2"),
            ("release/*", "release/"),
            ("release/**", "release/a/b"),
            ("**", "a\nb"),
            ("*", "a\nb"),
            ("v?", "vé"),
            ("v[0-9]", "v7"),
            ("v[!0-9]", "vx"),
            ("v[^0-9]", "vx"),
            ("[a-]", "-"),
            ("{main,release/{1,2}}", "release/2"),
            ("{,hot}fix", "fix"),
            ("a.b+c", "a.b+c"),
            ("a,b", "a,b"),
            (r"\*", "*"),
            (r"[\]]", "]"),
            ("[&&a~~-]", "&"),
        ];
        for (glob, text) in yes {
            assert!(matches(glob, text), "{glob} {text}");
        }
        let no = [
            ("release/*", "release/a/b"),
            ("release/*", "release"),
            ("release", "release\n"),
            ("release", "prerelease"),
            ("Release", "release"),
            ("v?", "v/"),
            ("v?", "v"),
            ("v[!0-9]", "v/"),
            ("v[+-z]", "v/"),
            ("a.b", "axb"),
            ("{a,b}", "{a,b}"),
            (r"\*", "a"),
            ("", "a"),
        ];
        for (glob, text) in no {
            assert!(!matches(glob, text), "{glob} {text}");
        }
    }

    #[test]
    fn malformed_globs_are_refused_where_they_are_wrong() {
        for (glob, range) in [
            ("a{b", 1..2),
            ("a}", 1..2),
            ("[a", 0..1),
            ("x]", 1..2),
            ("[]", 0..2),
            ("[z-a]", 1..4),
            ("a\\", 1..2),
            ("[/]", 0..3),
            ("[a\\", 0..1),
        ] {
            let bad = Patterns::default().get(Pattern::Glob, glob, &Limits::default()).unwrap_err();
            assert_eq!((bad.code, bad.range), (REGEX, Some(range)), "{glob}");
        }
        let deep = "{".repeat(65) + &"}".repeat(65);
        let bad = Patterns::default().get(Pattern::Glob, &deep, &Limits::default()).unwrap_err();
        assert_eq!(bad.code.as_str(), "E0713");
        let deep = "{".repeat(64) + &"}".repeat(64);
        assert!(Patterns::default().get(Pattern::Glob, &deep, &Limits::default()).is_ok());
    }

    #[test]
    fn regexes_match_the_whole_text() {
        assert!(regex("a|b", "b"));
        assert!(regex("(?m)^a$", "a"));
        assert!(!regex("a|b", "ab"));
        assert!(!regex("a", "a\n"));
        assert!(!regex("a$", "a\n"));
        assert!(!regex("(?m)^a$", "b\na"));
        assert!(regex("(?i)release", "RELEASE"));
    }

    #[test]
    fn a_regex_cannot_climb_out_of_its_anchors_nor_grow_without_bound() {
        let limits = Limits::default();
        for (pattern, code) in
            [("a)|(?:b", "E0108"), ("(?x)a#", "E0108"), ("(a", "E0108"), (r"(?=a)", "E0108"), (r"\w{999}", "E0714")]
        {
            let bad = Patterns::default().get(Pattern::Regex, pattern, &limits).unwrap_err();
            assert_eq!(bad.code.as_str(), code, "{pattern}: {}", bad.message);
            assert!(!bad.message.contains('\n'));
        }
        let limits = Limits { regex_bytes: 1 << 15, ..limits };
        let mut patterns = Patterns::default();
        let refused = (0..200).filter(|n| patterns.get(Pattern::Regex, &format!("[a-z]{{40}}{n}"), &limits).is_err());
        assert!((1..200).contains(&refused.count()));
    }
}
