//! What a text is matched against. Nearly all globs are a text, or one star in a text: these need no automaton.

use regex::Regex;

/// A glob or a regular expression; it matches whole texts only.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// `release`
    Text(Box<str>),
    /// One star: `release/*`, `release/**`
    Star {
        /// What is before the star.
        before: Box<str>,
        /// What is after it.
        after: Box<str>,
        /// Whether it stops at a slash.
        stops: bool,
    },
    /// Anything else.
    Regex(Box<Regex>),
}

impl Matcher {
    /// A glob that needs no automaton.
    pub fn of_glob(glob: &str) -> Option<Matcher> {
        let mut before = String::new();
        // What follows the star, and whether it stops.
        let mut star: Option<(String, bool)> = None;
        let mut chars = glob.chars().peekable();
        while let Some(c) = chars.next() {
            let c = match c {
                '?' | '[' | ']' | '{' | '}' => return None,
                '*' if star.is_some() => return None,
                '*' => {
                    let mut stops = true;
                    while chars.next_if_eq(&'*').is_some() {
                        stops = false;
                    }
                    star = Some((String::new(), stops));
                    continue;
                }
                '\\' => chars.next()?,
                other => other,
            };
            star.as_mut().map_or(&mut before, |(after, _)| after).push(c);
        }
        Some(match star {
            Some((after, stops)) => Matcher::Star { before: before.into(), after: after.into(), stops },
            None => Matcher::Text(before.into()),
        })
    }

    /// Whether a text matches, as a whole.
    pub fn is_match(&self, text: &str) -> bool {
        match self {
            Matcher::Text(own) => **own == *text,
            Matcher::Star { before, after, stops } => text
                .strip_prefix(&**before)
                .and_then(|rest| rest.strip_suffix(&**after))
                .is_some_and(|middle| !stops || !middle.contains('/')),
            Matcher::Regex(regex) => regex.is_match(text),
        }
    }

    /// The text that it asks a text to begin with, and nothing else.
    pub fn beginning(&self) -> Option<&str> {
        match self {
            Matcher::Star { before, after, stops: false } if after.is_empty() => Some(before),
            _ => None,
        }
    }
}
