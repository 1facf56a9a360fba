//! Where in a request something stands, as in `history[1].at`.

use std::fmt;

use crate::plain::escape;

/// A path that lives on the stack while a request is read or checked, so that a sound request costs nothing for it.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(crate) fn field(&'a self, name: &'a str) -> Path<'a> {
        Path::Field(self, name)
    }

    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path::Index(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Path::Field(parent, name) if !plain(name) => write!(f, "{parent}[\"{}\"]", short(name)),
            Path::Field(Path::Root, name) => f.write_str(name),
            Path::Field(parent, name) => write!(f, "{parent}.{name}"),
        }
    }
}

/// Whether it can stand after a dot.
fn plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= 60 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// A key is a stranger's text of any length.
fn short(name: &str) -> String {
    match name.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", escape(name.get(..end).unwrap_or_default())),
        None => escape(name).replace('"', "\\\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_follow_a_dot_and_others_stand_in_brackets() {
        let (history, facts) = (Path::Root.field("history"), Path::Root.field("facts"));
        assert_eq!(history.index(1).field("at").to_string(), "history[1].at");
        assert_eq!(facts.field("checks").field("ci/build").to_string(), "facts.checks[\"ci/build\"]");
        assert_eq!(facts.field("a\"\n").to_string(), "facts[\"a\\\"\\n\"]");
        assert_eq!(facts.field("").to_string(), "facts[\"\"]");
    }
}
