//! From trees to a program: names, types, the stage graph, lints. Or all that is wrong.

mod conditions;
pub(crate) mod instants;
mod lints;
mod load;
pub(crate) mod names;
mod operands;
mod order;
mod overrides;
mod partial;
pub(crate) mod patterns;
mod people;
mod rules;
mod stages;
mod tests;
mod times;
mod triggers;
mod types;

use std::sync::OnceLock;

pub(crate) use load::{load, load_text};

use self::names::{Ctx, Interner, Names, Sink};
use self::rules::Sees;
use crate::Limits;
use crate::diagnostic::codes::{HEADER, NO_STAGE, UNKNOWN_STAGE};
use crate::diagnostic::{Diagnostic, Severity, SourceId, Sources, Span};
use crate::loader::Loader;
use crate::policy::CompileError;
use crate::program::{Program, Stage};
use crate::syntax::tree::{File, Item};

/// The files of a policy: the root first, then what it includes, each once, and what is wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub sources: Sources,
    /// In the order of `sources`.
    pub files: Vec<File>,
    /// Syntax errors, includes that cannot be read.
    pub diagnostics: Vec<Diagnostic>,
    /// The merged order: what a file includes comes before it.
    pub order: Vec<SourceId>,
    /// By `SourceId`: what it includes itself.
    pub includes: Vec<Vec<SourceId>>,
    /// Whether a file that was included is missing.
    pub incomplete: bool,
    /// A file of tests for this policy, which stands last among the files and not in `order`.
    pub tests: Option<SourceId>,
    /// Whether a file to be included is welcome, which is no policy by itself.
    pub library: bool,
}

/// A policy that is well.
#[derive(Debug)]
pub(crate) struct Checked {
    pub program: Program,
    pub warnings: Vec<Diagnostic>,
    /// The trees, in the order of the program's sources.
    pub files: Vec<File>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A policy.
    Policy,
    /// A file to be included: it has neither a `policy` header nor a stage with a name.
    Library,
    /// Tests of a policy: `test for "FILE"`.
    Tests,
}

/// Loads a source of any kind; with a file of tests, the policy that it is for.
pub(crate) fn load_any(name: &str, loader: &dyn Loader, limits: &Limits) -> (Loaded, FileKind) {
    let mut loaded = load(name, loader, limits);
    let root = loaded.files.first();
    let items = || root.iter().flat_map(|file| &file.items);
    let target = items().find_map(|item| match &item.value {
        Item::TestFor(word) => Some(word.clone()),
        _ => None,
    });
    if let Some(target) = target {
        return (with_tests(name, &target, loaded, loader, limits), FileKind::Tests);
    }
    let is_policy = items().any(|item| match &item.value {
        Item::Policy(_) => true,
        Item::Stage(stage) => stage.name.is_some(),
        _ => false,
    });
    loaded.library = root.is_some() && !is_policy;
    let kind = if loaded.library { FileKind::Library } else { FileKind::Policy };
    (loaded, kind)
}

/// A policy, and a text of tests for it.
pub(crate) fn load_tests(policy: &str, loader: &dyn Loader, name: &str, text: &str, limits: &Limits) -> Loaded {
    let mut loaded = load(policy, loader, limits);
    loaded.tests = Some(load::add(&mut loaded, name, text, limits));
    loaded
}

/// The policy that a file of tests is for, with that file.
fn with_tests(
    name: &str,
    target: &crate::syntax::tree::Word,
    tests: Loaded,
    loader: &dyn Loader,
    limits: &Limits,
) -> Loaded {
    let text = tests.sources.get(SourceId(0)).map(|source| source.text.clone()).unwrap_or_default();
    match load::beside(name, target, loader, limits) {
        Ok(mut policy) => {
            policy.tests = Some(load::add(&mut policy, name, &text, limits));
            policy
        }
        // Without its policy it is checked for what it says by itself.
        Err(told) => {
            let mut alone = Loaded { library: true, incomplete: true, ..tests };
            alone.tests = Some(SourceId(0));
            alone.order.clear();
            alone.diagnostics.push(*told);
            alone
        }
    }
}

/// Checks the files of a policy and compiles them.
pub(crate) fn check(loaded: Loaded, limits: &Limits) -> Result<Checked, CompileError> {
    let Loaded { sources, files, diagnostics, .. } = &loaded;
    let unread = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let mut sink = Sink::default();
    let made = make(&loaded, limits, &mut sink);
    let mut found = std::mem::take(&mut sink.diagnostics);
    let dropped = sink.dropped;
    if let Some(word) = only_tests(&loaded) {
        // The names in its tests are those of another policy, which is not here.
        found.retain(|d| d.span() == word.span);
    }
    if unread {
        partial::keep_sure(&mut found, files, sources, loaded.incomplete);
    }
    if loaded.library {
        // The stages are those of whoever includes it.
        found.retain(|d| d.code != UNKNOWN_STAGE);
    }
    let mut all = loaded.diagnostics;
    all.append(&mut found);
    all.sort_by_key(|d| (d.span(), d.code));
    all.dedup_by(|a, b| a.code == b.code && a.span() == b.span());
    shorten(&mut all, dropped);
    if all.iter().any(|d| d.severity == Severity::Error) {
        return Err(CompileError::new(all, loaded.sources));
    }
    let program = made.into_program(loaded.sources, &loaded.files, loaded.tests, limits);
    Ok(Checked { program, warnings: all, files: loaded.files })
}

/// So many diagnostics of one compilation are told.
const MAX_TOLD: usize = 200;

/// Keeps the first ones, errors before warnings, and says at the last one how many more there were.
fn shorten(all: &mut Vec<Diagnostic>, dropped: usize) {
    let total = all.len().saturating_add(dropped);
    if all.len() > MAX_TOLD {
        all.sort_by_key(|d| d.severity != Severity::Error);
        all.truncate(MAX_TOLD);
        all.sort_by_key(|d| (d.span(), d.code));
    }
    let more = total.saturating_sub(all.len());
    if let (Some(last), true) = (all.last_mut(), more > 0) {
        last.help.push(format!("{more} more like these are not shown"));
    }
}

/// What is compiled of a policy, without what the trees lend.
struct Made {
    interner: Interner,
    facts: Vec<crate::program::FactDecl>,
    groups: Vec<crate::program::Group>,
    stages: Vec<Stage>,
    zone: crate::schedule::Zone,
}

impl Made {
    fn into_program(self, sources: Sources, files: &[File], tests: Option<SourceId>, limits: &Limits) -> Program {
        let root = files.first();
        let header = root.iter().flat_map(|file| &file.items).find_map(|item| match &item.value {
            Item::Policy(word) => Some(word.value.clone()),
            _ => None,
        });
        let stem = || {
            let name = sources.get(SourceId(0)).map_or("", |source| source.name.as_str());
            let file = name.rsplit('/').next().unwrap_or(name);
            file.rsplit_once('.').map_or(file, |(stem, _)| if stem.is_empty() { file } else { stem }).to_string()
        };
        Program {
            name: header.unwrap_or_else(stem),
            digest: OnceLock::new(),
            slot_names: OnceLock::new(),
            tests,
            zone: self.zone,
            sources,
            facts: self.facts,
            slots: self.interner.slots,
            people: self.interner.people,
            groups: self.groups,
            stages: self.stages,
            search_steps: limits.search_steps as u64,
        }
    }
}

fn make(loaded: &Loaded, limits: &Limits, sink: &mut Sink) -> Made {
    let Loaded { sources, files, order, .. } = loaded;
    headers(loaded, sink);
    let mut interner = Interner::default();
    let mut names = Names::collect(files, order, sources, &mut interner, sink, limits);
    // A file of tests has scenarios of its own, beside the policy's.
    for file in files.iter().filter(|file| loaded.tests == Some(file.source) && !order.contains(&file.source)) {
        names.scenarios_of(file, sink);
    }
    let planned = stages::plan(files, order, &names, sink, limits);
    names.rules = planned.iter().map(|stage| stage.names()).collect();
    names.rule_names = names.rules.iter().flat_map(|rules| rules.keys().cloned()).collect();
    let graph = stages::graph(&planned, files, sink);
    if names.stage_list.is_empty() && !loaded.library {
        no_stage(loaded, sink);
    }
    let visible = visible(loaded);
    let mut compiled: Vec<Stage> = Vec::new();
    let mut ctx = Ctx { names: &names, interner: &mut interner, sink, limits };
    names.quiet(true);
    times::check_calendars(&mut ctx);
    names.quiet(false);
    for stage in &planned {
        compiled.push(rules::compile(&mut ctx, stage, &planned, &visible));
        if ctx.interner.size > limits.program {
            // It has been told where.
            break;
        }
    }
    names.quiet(true);
    conditions::check_defines(&mut ctx);
    let with_tests = order.iter().chain(loaded.tests.iter().filter(|id| !order.contains(id)));
    for file in with_tests.filter_map(|id| file(files, *id)) {
        tests::check(&mut ctx, &file.items);
    }
    names.quiet(false);
    let unread = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
    if !sink.has_errors() && !unread {
        // Stages of a library are not its own.
        let mut told =
            if names.stage_list.is_empty() { Vec::new() } else { lints::stages(&planned, &compiled, &graph) };
        if let (Some(root), false) = (files.first(), loaded.library) {
            told.extend(lints::unused(root, &names));
        }
        told.into_iter().for_each(|diagnostic| sink.push(diagnostic));
    }
    if names.stage_list.is_empty() {
        compiled.clear();
    }
    let zone = names.root_zone();
    let Names { decls, group_list, .. } = names;
    Made { interner, facts: decls, groups: group_list, stages: compiled, zone }
}

/// The file of a source.
fn file(files: &[File], id: SourceId) -> Option<&File> {
    // They stand in the order of the sources, though a root that cannot be read is a source and no file.
    let there = files.get(id.0 as usize).filter(|file| file.source == id);
    there.or_else(|| files.iter().find(|file| file.source == id))
}

/// What may stand in which kind of file.
fn headers(loaded: &Loaded, sink: &mut Sink) {
    for file in &loaded.files {
        let is_tests = loaded.tests == Some(file.source);
        let mut first: Option<Span> = None;
        for item in &file.items {
            match &item.value {
                Item::TestFor(word) if is_tests => {
                    if let Some(first) = first {
                        sink.push(
                            Diagnostic::new(HEADER, word.span, "`test for` is given twice in this file")
                                .label("given again")
                                .also(first, "given first")
                                .help("put tests of another policy into another file"),
                        );
                    }
                    first = first.or(Some(word.span));
                }
                Item::TestFor(word) => sink.push(
                    Diagnostic::new(
                        HEADER,
                        word.span,
                        "this file holds tests: it is no policy, nor can it be included",
                    )
                    .label("`test for` says so")
                    .help("compile the policy that it names; tests of its own a policy holds without `test for`"),
                ),
                Item::Test(_) | Item::Scenario(_) => {}
                _ if is_tests => sink.push(
                    Diagnostic::new(HEADER, item.span, "a file of tests holds `test` and `scenario` only")
                        .label("cannot stand here")
                        .help("move it into the policy"),
                ),
                _ => {}
            }
        }
    }
}

/// The `test for` of a file of tests that was taken for a policy.
fn only_tests(loaded: &Loaded) -> Option<&crate::syntax::tree::Word> {
    let root = loaded.files.first().filter(|file| loaded.tests != Some(file.source))?;
    let nothing_else = |item: &Item| matches!(item, Item::TestFor(_) | Item::Test(_) | Item::Scenario(_));
    let word = root.items.iter().find_map(|item| match &item.value {
        Item::TestFor(word) => Some(word),
        _ => None,
    })?;
    root.items.iter().all(|item| nothing_else(&item.value)).then_some(word)
}

fn no_stage(loaded: &Loaded, sink: &mut Sink) {
    let root = loaded.files.first();
    if root.is_some_and(|file| file.items.iter().any(|item| matches!(item.value, Item::TestFor(_)))) {
        return;
    }
    let header = root.into_iter().flat_map(|file| &file.items).find_map(|item| match &item.value {
        Item::Policy(word) => Some(word.span),
        _ => None,
    });
    sink.push(
        Diagnostic::new(NO_STAGE, header.unwrap_or_default(), "the policy has no stage")
            .label("nothing can be decided by it")
            .help("add one: `stage Dev { trigger push }`"),
    );
}

/// What each file knows of: itself, and what it includes, directly or through others.
fn visible(loaded: &Loaded) -> Sees {
    let count = loaded.includes.len();
    let mut sees: Sees = vec![vec![0; count.div_ceil(64)]; count];
    // What a file includes stands before it in the order; those that are in no order include nothing.
    let others = (0..count as u32).map(SourceId).filter(|id| !loaded.order.contains(id));
    for id in loaded.order.iter().copied().chain(others) {
        let index = id.0 as usize;
        let Some(mut files) = sees.get_mut(index).map(std::mem::take) else { continue };
        if let Some(word) = files.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
        for included in loaded.includes.get(index).into_iter().flatten() {
            let theirs = sees.get(included.0 as usize).into_iter().flatten();
            files.iter_mut().zip(theirs).for_each(|(own, their)| *own |= their);
        }
        if let Some(row) = sees.get_mut(index) {
            *row = files;
        }
    }
    sees
}
