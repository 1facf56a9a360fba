//! Reads a source and what it includes.

use foldhash::{HashMap, HashMapExt};

use super::Loaded;
use crate::Limits;
use crate::diagnostic::codes::{
    INCLUDE, INCLUDE_CYCLE, INCLUDE_OUTSIDE, LISTED_TWICE, NOT_UTF8, TOO_LARGE, TOO_MANY, UNREADABLE,
};
use crate::diagnostic::{Code, Diagnostic, SourceId, Span};
use crate::loader::{LoadError, Loader};
use crate::syntax::parse;
use crate::syntax::tree::{Item, Word};

/// Loads a source and what it includes.
pub(crate) fn load(name: &str, loader: &dyn Loader, limits: &Limits) -> Loaded {
    let mut loading = Loading::new(loader, limits);
    match read(name, loader, limits) {
        Ok(text) => loading.all(name, text),
        Err(failed) => {
            let source = loading.loaded.sources.add(name, "");
            loading.loaded.order.push(source);
            loading.loaded.includes.push(Vec::new());
            let diagnostic = Diagnostic::new(failed.code, Span::new(source, 0, 0), format!("`{name}` {}", failed.why));
            loading.loaded.diagnostics.push(diagnostic.maybe_help(failed.help));
        }
    }
    loading.loaded
}

/// The same for a text at hand; only what it includes comes from the loader.
pub(crate) fn load_text(name: &str, text: &str, loader: &dyn Loader, limits: &Limits) -> Loaded {
    let mut loading = Loading::new(loader, limits);
    loading.all(name, text.to_string());
    loading.loaded
}

/// Adds a file of tests to a policy. It includes nothing.
pub(super) fn add(loaded: &mut Loaded, name: &str, text: &str, limits: &Limits) -> SourceId {
    let id = loaded.sources.add(name, text);
    let parsed = parse(&loaded.sources, id, limits);
    loaded.diagnostics.extend(parsed.diagnostics);
    loaded.files.push(parsed.file);
    loaded.includes.push(Vec::new());
    id
}

/// Why a source cannot be had.
struct Failed {
    code: Code,
    /// What follows its name.
    why: String,
    help: Option<String>,
}

fn read(name: &str, loader: &dyn Loader, limits: &Limits) -> Result<String, Failed> {
    let bytes = loader.load(name, limits.source_bytes).map_err(|error| Failed {
        code: UNREADABLE,
        why: format!("cannot be read: {error}"),
        help: match error {
            LoadError::Directory => Some("name a file in it".to_string()),
            LoadError::Outside => Some("a link must not lead out of the root folder".to_string()),
            _ => None,
        },
    })?;
    if bytes.len() > limits.source_bytes {
        return Err(Failed {
            code: TOO_LARGE,
            why: format!("is larger than {} bytes", limits.source_bytes),
            help: Some("split it with `include`".to_string()),
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Failed {
            code: NOT_UTF8,
            why: format!("is not UTF-8: the first wrong byte is in line {line}, at byte {at} of the file"),
            help: Some("save it as UTF-8".to_string()),
        }
    })
}

/// A file whose includes are being read.
struct Open {
    id: SourceId,
    name: String,
    includes: Vec<Word>,
    next: usize,
    /// The include that is being followed.
    at: Span,
}

struct Loading<'a> {
    loader: &'a dyn Loader,
    limits: &'a Limits,
    loaded: Loaded,
    /// By normalised name; `None` for one that cannot be read, which is told once.
    known: HashMap<String, Option<SourceId>>,
    full: bool,
}

impl<'a> Loading<'a> {
    fn new(loader: &'a dyn Loader, limits: &'a Limits) -> Loading<'a> {
        Loading { loader, limits, loaded: Loaded::default(), known: HashMap::new(), full: false }
    }

    /// Depth first, with a stack of its own.
    fn all(&mut self, name: &str, text: String) {
        let key = normalise("", name).unwrap_or_else(|_| name.to_string());
        let mut stack = vec![self.open(name, &key, text)];
        while let Some(open) = stack.last_mut() {
            let Some(word) = open.includes.get(open.next).cloned() else {
                let id = open.id;
                self.loaded.order.push(id);
                stack.pop();
                continue;
            };
            open.next += 1;
            open.at = word.span;
            let (from, base) = (open.id, open.name.clone());
            if let Some(opened) = self.include(&word, from, &base, &stack) {
                stack.push(opened);
            }
        }
    }

    fn open(&mut self, name: &str, key: &str, text: String) -> Open {
        let id = self.loaded.sources.add(name, text);
        self.known.insert(key.to_string(), Some(id));
        let parsed = parse(&self.loaded.sources, id, self.limits);
        self.loaded.diagnostics.extend(parsed.diagnostics);
        let includes = parsed.file.items.iter().filter_map(|item| match &item.value {
            Item::Include(word) => Some(word.clone()),
            _ => None,
        });
        let includes = includes.collect();
        self.loaded.files.push(parsed.file);
        self.loaded.includes.push(Vec::new());
        Open { id, name: key.to_string(), includes, next: 0, at: Span::default() }
    }

    /// Follows one include; a file that is new is opened.
    fn include(&mut self, word: &Word, from: SourceId, base: &str, stack: &[Open]) -> Option<Open> {
        let name = match normalise(base, &word.value) {
            Ok(name) => name,
            Err(why) => {
                self.tell(
                    Diagnostic::new(INCLUDE_OUTSIDE, word.span, format!("`{}` {why}", word.value))
                        .label("not below the root folder")
                        .help("write a path below the root, relative to this file, with `/` between its parts"),
                );
                return None;
            }
        };
        if let Some(start) = stack.iter().position(|open| open.name == name) {
            let cycle = stack.get(start..).unwrap_or_default();
            let mut path: Vec<String> = cycle.iter().map(|open| format!("`{}`", open.name)).collect();
            path.push(format!("`{name}`"));
            let mut told = Diagnostic::new(INCLUDE_CYCLE, word.span, format!("`{name}` includes itself"));
            told = told.label("and so the circle closes").help(format!("the circle is {}", path.join(" → ")));
            for open in cycle.iter().filter(|open| open.at != word.span).take(5) {
                told = told.also(open.at, format!("`{}` includes this", open.name));
            }
            self.tell(told.help("remove one of these includes"));
            return None;
        }
        if let Some(known) = self.known.get(&name) {
            let id = (*known)?;
            let edges = self.loaded.includes.get_mut(from.0 as usize)?;
            if edges.contains(&id) {
                self.tell(
                    Diagnostic::new(
                        LISTED_TWICE,
                        word.span,
                        format!("`{}` is included twice in this file", word.value),
                    )
                    .label("included again")
                    .help("remove one of them"),
                );
            } else {
                edges.push(id);
            }
            return None;
        }
        // Those that cannot be read count too: each is asked for.
        if self.known.len() > self.limits.includes {
            if !std::mem::replace(&mut self.full, true) {
                self.tell(
                    Diagnostic::new(
                        TOO_MANY,
                        word.span,
                        format!("more than {} files are included", self.limits.includes),
                    )
                    .label("the limit is passed here"),
                );
            }
            self.loaded.incomplete = true;
            return None;
        }
        match read(&name, self.loader, self.limits) {
            Ok(text) => {
                let opened = self.open(&name, &name, text);
                self.loaded.includes.get_mut(from.0 as usize)?.push(opened.id);
                Some(opened)
            }
            Err(failed) => {
                self.known.insert(name.clone(), None);
                let code = if failed.code == UNREADABLE { INCLUDE } else { failed.code };
                self.tell(
                    Diagnostic::new(code, word.span, format!("`{name}` {}", failed.why))
                        .label("included here")
                        .maybe_help(failed.help),
                );
                None
            }
        }
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        self.loaded.incomplete |= diagnostic.code != LISTED_TWICE;
        self.loaded.diagnostics.push(diagnostic);
    }
}

/// The name of an included file: relative to the file that includes it, without `.` and `..`.
///
/// # Errors
/// When it leaves the root, or is no relative path; in words that follow its name.
pub(super) fn normalise(base: &str, name: &str) -> Result<String, &'static str> {
    if name.is_empty() {
        return Err("names no file");
    }
    if name.contains('\\') {
        return Err("has a backslash in it");
    }
    if name.starts_with('/') {
        return Err("is an absolute path");
    }
    let mut chars = name.chars();
    if chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':') {
        return Err("begins with a drive letter");
    }
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" => return Err("has an empty part"),
            "." => {}
            ".." if parts.pop().is_none() => return Err("leaves the root folder"),
            ".." => {}
            part => parts.push(part),
        }
    }
    match name.rsplit('/').next() {
        Some("." | "..") => Err("names a folder, not a file"),
        _ => Ok(parts.join("/")),
    }
}

/// Loads the policy that a file of tests names.
pub(super) fn beside(
    base: &str,
    target: &Word,
    loader: &dyn Loader,
    limits: &Limits,
) -> Result<Loaded, Box<Diagnostic>> {
    let base = normalise("", base).unwrap_or_else(|_| base.to_string());
    let name = normalise(&base, &target.value).map_err(|why| {
        Box::new(
            Diagnostic::new(INCLUDE_OUTSIDE, target.span, format!("`{}` {why}", target.value))
                .label("not below the root folder")
                .help("write a path below the root, relative to this file, with `/` between its parts"),
        )
    })?;
    if name == base {
        let told = Diagnostic::new(INCLUDE_CYCLE, target.span, "these tests are for themselves");
        return Err(Box::new(told.label("this very file").help("name the policy that they are for")));
    }
    let mut loading = Loading::new(loader, limits);
    let text = read(&name, loader, limits).map_err(|failed| {
        let code = if failed.code == UNREADABLE { INCLUDE } else { failed.code };
        let told = Diagnostic::new(code, target.span, format!("`{name}` {}", failed.why));
        Box::new(told.label("the policy that the tests are for").maybe_help(failed.help))
    })?;
    loading.all(&name, text);
    Ok(loading.loaded)
}
