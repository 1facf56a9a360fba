//! Everything that has a name, over all files of a policy; and the numbers that the program knows things by.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::types;
use crate::Limits;
use crate::diagnostic::codes::{HEADER, RESERVED, TOO_MANY, TWICE, ZONE};
use crate::diagnostic::{Code, Diagnostic, Severity, SourceId, Sources, Span, did_you_mean};
use crate::program::{self, FactDecl, GroupId, Op, OpId, PersonId, Slot, SlotId, StageId};
use crate::schedule::Zone;
use crate::syntax::tree::{self, File, Item, Word};

/// What the parts of the checker share. `'a` is the life of the trees.
pub(super) struct Ctx<'a> {
    pub names: &'a Names<'a>,
    pub interner: &'a mut Interner,
    pub sink: &'a mut Sink,
    pub limits: &'a Limits,
}

/// Where diagnostics go. Each is kept once a place: conditions of `stage *` are compiled once a stage.
#[derive(Default)]
pub(crate) struct Sink {
    pub diagnostics: Vec<Diagnostic>,
    seen: HashSet<(Code, Span)>,
    /// How many were not kept: there is a bound.
    pub dropped: usize,
    errors: bool,
    /// Names compared so far for "did you mean".
    compared: usize,
}

/// So many diagnostics are kept: a source may have an error a word.
const MAX_KEPT: usize = 5_000;

/// So many names are compared for "did you mean": a policy full of unknown names costs no more.
const MAX_COMPARED: usize = 30_000;

impl Sink {
    /// Keeps a diagnostic, unless one of the same number at the same place is there already.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let is_error = diagnostic.severity == Severity::Error;
        // Warnings never crowd out the first error.
        if self.diagnostics.len() >= MAX_KEPT && (self.errors || !is_error) {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.errors |= is_error;
        if self.seen.insert((diagnostic.code, diagnostic.span())) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// "did you mean `x`?" for the nearest of the names, as long as not too many have been compared.
    pub fn did_you_mean<'n>(&mut self, word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
        let left = MAX_COMPARED.saturating_sub(self.compared);
        let names: Vec<&str> = names.into_iter().take(left.saturating_add(1)).collect();
        self.compared = self.compared.saturating_add(names.len());
        // All of them or none: the names may come in any order, and the answer must not hang on it.
        if names.len() > left { None } else { did_you_mean(word, names) }
    }

    /// Whether names may still be compared for "did you mean": else there is no need to gather them.
    pub fn may_compare(&self) -> bool {
        self.compared < MAX_COMPARED
    }

    /// Whether there is an error among what was told.
    pub fn has_errors(&self) -> bool {
        self.errors
    }
}

/// Slots and people get numbers as they are asked for.
#[derive(Default)]
pub(super) struct Interner {
    pub slots: Vec<Slot>,
    slot_ids: HashMap<Slot, SlotId>,
    pub people: Vec<String>,
    person_ids: HashMap<String, PersonId>,
    /// Globs and regular expressions, each compiled once.
    pub patterns: super::patterns::Patterns,
    /// Calendars, each compiled once: [`super::times::check_calendars`] fills it.
    pub calendars: HashMap<String, super::times::Compiled>,
    /// By the place of an override of `stage *`: whether there is a stage in which it has something to skip.
    pub skips_somewhere: HashMap<Span, bool>,
    /// How many times have been looked through for an instant in them.
    pub lookings: usize,
    /// Entries of the flat program over all stages, so far.
    pub size: usize,
}

impl Interner {
    /// The number of a slot.
    pub fn slot(&mut self, slot: Slot) -> SlotId {
        if let Some(id) = self.slot_ids.get(&slot) {
            return *id;
        }
        let id = SlotId(self.slots.len() as u32);
        self.slots.push(slot.clone());
        self.slot_ids.insert(slot, id);
        id
    }

    /// The number of a person.
    pub fn person(&mut self, name: &str) -> PersonId {
        if let Some(id) = self.person_ids.get(name) {
            return *id;
        }
        let id = PersonId(self.people.len() as u32);
        self.people.push(name.to_string());
        self.person_ids.insert(name.to_string(), id);
        id
    }
}

/// The entries of one stage under construction.
#[derive(Default)]
pub(super) struct Gates {
    pub ops: Vec<Op>,
    pub args: Vec<OpId>,
    /// What its tests read.
    pub slots: BTreeSet<SlotId>,
    /// Definitions that are compiled already in this stage.
    pub memo: HashMap<String, OpId>,
}

impl Gates {
    /// Adds an entry.
    pub fn push(&mut self, op: Op) -> OpId {
        let id = OpId(self.ops.len() as u32);
        self.ops.push(op);
        id
    }

    /// All of these; of a single one that one itself.
    pub fn and(&mut self, args: &[OpId]) -> OpId {
        self.gate(args, Op::And)
    }

    /// Any of these; of a single one that one itself.
    pub fn or(&mut self, args: &[OpId]) -> OpId {
        self.gate(args, Op::Or)
    }

    fn gate(&mut self, args: &[OpId], op: impl FnOnce(u32, u32) -> Op) -> OpId {
        if let [one] = args {
            return *one;
        }
        let from = self.args.len() as u32;
        self.args.extend_from_slice(args);
        self.push(op(from, self.args.len() as u32))
    }
}

/// A declared fact.
#[derive(Clone, Copy)]
pub(super) struct FactName<'a> {
    /// Index into [`Names::decls`], which become `Program.facts`.
    pub index: u32,
    pub tree: &'a tree::Fact,
}

/// A declared group.
#[derive(Clone, Copy)]
pub(super) struct GroupName<'a> {
    pub id: GroupId,
    /// `members` is `None` for a directory group.
    pub tree: &'a tree::Group,
}

/// A stage with a name.
#[derive(Clone, Copy)]
pub(super) struct StageName<'a> {
    pub id: StageId,
    pub name: &'a str,
    /// Where it is named first.
    pub span: Span,
}

/// What is used by something that counts: by a rule, or by a definition, calendar or group that is used.
#[derive(Default)]
pub(super) struct Uses {
    /// While this is set, nothing counts: definitions are checked whether they are used or not, and so are tests.
    quiet: bool,
    facts: HashSet<String>,
    defines: HashSet<String>,
    groups: HashSet<String>,
    calendars: HashSet<String>,
}

/// Everything that has a name, over all files. Where each stands is in the place of its name: `tree.name.span`.
pub(super) struct Names<'a> {
    pub sources: &'a Sources,
    pub facts: HashMap<&'a str, FactName<'a>>,
    /// The declared facts, sorted by name.
    pub decls: Vec<FactDecl>,
    pub defines: HashMap<&'a str, &'a tree::Define>,
    pub groups: HashMap<&'a str, GroupName<'a>>,
    /// By `GroupId`.
    pub group_list: Vec<program::Group>,
    pub calendars: HashMap<&'a str, &'a tree::Calendar>,
    pub stages: HashMap<&'a str, StageName<'a>>,
    /// By `StageId`.
    pub stage_list: Vec<StageName<'a>>,
    pub scenarios: HashMap<&'a str, &'a tree::Scenario>,
    /// By `StageId`: the names of its rules, and of its overrides (`true`). Filled before tests are checked.
    pub rules: Vec<BTreeMap<String, bool>>,
    /// Names of rules of any stage.
    pub rule_names: HashSet<String>,
    /// The zone in which local times of a file are read, by `SourceId`.
    zones: Vec<Zone>,
    uses: RefCell<Uses>,
}

/// What a condition's grammar or the facts that always exist keep for themselves.
const RESERVED_WORDS: [&str; 26] = [
    "action",
    "and",
    "any",
    "build",
    "contains",
    "current",
    "ends",
    "every",
    "false",
    "for",
    "in",
    "is",
    "matches",
    "missing",
    "no",
    "not",
    "now",
    "or",
    "requester",
    "set",
    "starts",
    "trigger",
    "true",
    "unless",
    "when",
    "approvers",
];

impl<'a> Names<'a> {
    /// Collects the names of all files, `order` being the merged order.
    pub fn collect(
        files: &'a [File],
        order: &[SourceId],
        sources: &'a Sources,
        interner: &mut Interner,
        sink: &mut Sink,
        limits: &Limits,
    ) -> Names<'a> {
        let mut names = Names {
            sources,
            facts: HashMap::new(),
            decls: Vec::new(),
            defines: HashMap::new(),
            groups: HashMap::new(),
            group_list: Vec::new(),
            calendars: HashMap::new(),
            stages: HashMap::new(),
            stage_list: Vec::new(),
            scenarios: HashMap::new(),
            rules: Vec::new(),
            rule_names: HashSet::new(),
            zones: Vec::new(),
            uses: RefCell::default(),
        };
        names.zones = zones(files, sink);
        let mut taken: HashMap<&'a str, (&'static str, Span)> = HashMap::new();
        let ordered: Vec<&'a File> = order.iter().filter_map(|id| super::file(files, *id)).collect();
        for item in ordered.iter().flat_map(|file| &file.items) {
            names.declare(&item.value, &mut taken, sink);
        }
        // Stages come last: the clash is told at the stage, which others name too.
        for item in ordered.iter().flat_map(|file| &file.items) {
            if let Item::Stage(tree::Stage { name: Some(name), .. }) = &item.value {
                names.stage(name, &taken, sink);
            }
        }
        names.number_facts(sink);
        names.number_people(&ordered, interner, sink, limits);
        names
    }

    fn declare(&mut self, item: &'a Item, taken: &mut HashMap<&'a str, (&'static str, Span)>, sink: &mut Sink) {
        let mut shared = |what: &'static str, name: &'a Word, sink: &mut Sink| {
            if RESERVED_WORDS.contains(&name.value.as_str()) {
                sink.push(
                    Diagnostic::new(RESERVED, name.span, format!("`{}` is a word of the language", name.value))
                        .label(format!("a {what} cannot have this name"))
                        .help("choose another name"),
                );
                return false;
            }
            match taken.get(name.value.as_str()) {
                None => {
                    taken.insert(&name.value, (what, name.span));
                    true
                }
                Some((other, first)) => {
                    sink.push(twice(what, name, other, *first));
                    false
                }
            }
        };
        match item {
            Item::Fact(fact) if shared("fact", &fact.name, sink) => {
                // Numbered when all are known.
                self.facts.insert(&fact.name.value, FactName { index: 0, tree: fact });
            }
            Item::Define(define) if shared("definition", &define.name, sink) => {
                self.defines.insert(&define.name.value, define);
            }
            Item::Group(group) if shared("group", &group.name, sink) => {
                let id = GroupId(self.group_list.len() as u32);
                self.group_list.push(program::Group { name: group.name.value.clone(), members: None });
                self.groups.insert(&group.name.value, GroupName { id, tree: group });
            }
            Item::Calendar(calendar) => match self.calendars.get(calendar.name.value.as_str()) {
                None => {
                    self.calendars.insert(&calendar.name.value, calendar);
                }
                Some(first) => sink.push(twice("calendar", &calendar.name, "calendar", first.name.span)),
            },
            Item::Scenario(scenario) => self.scenario(scenario, sink),
            _ => {}
        }
    }

    fn scenario(&mut self, scenario: &'a tree::Scenario, sink: &mut Sink) {
        match self.scenarios.get(scenario.name.value.as_str()) {
            None => {
                self.scenarios.insert(&scenario.name.value, scenario);
            }
            Some(first) => sink.push(twice("scenario", &scenario.name, "scenario", first.name.span)),
        }
    }

    /// Takes in the scenarios of a file of tests.
    pub fn scenarios_of(&mut self, file: &'a tree::File, sink: &mut Sink) {
        for item in &file.items {
            if let Item::Scenario(scenario) = &item.value {
                self.scenario(scenario, sink);
            }
        }
    }

    fn stage(&mut self, name: &'a Word, taken: &HashMap<&'a str, (&'static str, Span)>, sink: &mut Sink) {
        if RESERVED_WORDS.contains(&name.value.as_str()) {
            sink.push(
                Diagnostic::new(RESERVED, name.span, format!("`{}` is a word of the language", name.value))
                    .label("a stage cannot have this name")
                    .help("choose another name"),
            );
        }
        if let Some((what @ ("fact" | "definition"), first)) = taken.get(name.value.as_str()) {
            sink.push(twice("stage", name, what, *first));
        }
        if !self.stages.contains_key(name.value.as_str()) {
            let stage = StageName { id: StageId(self.stage_list.len() as u32), name: &name.value, span: name.span };
            self.stage_list.push(stage);
            self.stages.insert(&name.value, stage);
        }
    }

    /// Facts stand in the program sorted by name.
    fn number_facts(&mut self, sink: &mut Sink) {
        let mut facts: Vec<&'a tree::Fact> = self.facts.values().map(|fact| fact.tree).collect();
        // Types are checked in the order of the files, so that what is told does not hang on names.
        facts.sort_by_key(|fact| fact.name.span);
        let mut decls: Vec<(&'a tree::Fact, FactDecl)> = Vec::new();
        for fact in facts {
            let ty = types::declared(sink, &fact.ty);
            let name = fact.name.value.clone();
            decls.push((fact, FactDecl { name, ty, optional: fact.optional, secret: fact.secret }));
        }
        decls.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        for (index, (fact, decl)) in decls.into_iter().enumerate() {
            self.facts.insert(&fact.name.value, FactName { index: index as u32, tree: fact });
            self.decls.push(decl);
        }
    }

    /// Members of listed groups, in the order of the files.
    fn number_people(&mut self, files: &[&'a File], interner: &mut Interner, sink: &mut Sink, limits: &Limits) {
        let groups = files.iter().flat_map(|file| &file.items).filter_map(|item| match &item.value {
            Item::Group(group) => Some(group),
            _ => None,
        });
        let mut people = 0;
        for group in groups {
            let Some(members) = &group.members else { continue };
            people += members.len();
            if people > limits.people {
                sink.push(
                    Diagnostic::new(TOO_MANY, group.name.span, format!("more than {} people in groups", limits.people))
                        .label("the limit is passed here")
                        .help("take large groups from the request: `group name from directory`"),
                );
                return;
            }
            let members = super::people::listed(members, interner, sink);
            let declared = self.groups.get(group.name.value.as_str()).filter(|known| std::ptr::eq(known.tree, group));
            if let Some(slot) = declared.and_then(|known| self.group_list.get_mut(known.id.0 as usize)) {
                slot.members = Some(members);
            }
        }
    }

    /// The zone in which local times of a file are read.
    pub fn zone(&self, source: SourceId) -> Zone {
        self.zones.get(source.0 as usize).copied().unwrap_or(Zone::UTC)
    }

    /// The root's zone.
    pub fn root_zone(&self) -> Zone {
        self.zone(SourceId(0))
    }

    /// The declaration of a fact.
    pub fn decl(&self, fact: FactName<'_>) -> Option<&FactDecl> {
        self.decls.get(fact.index as usize)
    }

    /// Whether a stage has a rule of that name; `Some(true)` for an override.
    pub fn rule(&self, stage: StageId, name: &str) -> Option<bool> {
        self.rules.get(stage.0 as usize)?.get(name).copied()
    }

    /// From now on nothing counts as used (`true`), or everything does again.
    pub fn quiet(&self, quiet: bool) {
        self.uses.borrow_mut().quiet = quiet;
    }

    /// A fact is used.
    pub fn use_fact(&self, name: &str) {
        self.used(name, |uses| &mut uses.facts);
    }

    /// A definition is used.
    pub fn use_define(&self, name: &str) {
        self.used(name, |uses| &mut uses.defines);
    }

    /// A group is used.
    pub fn use_group(&self, name: &str) {
        self.used(name, |uses| &mut uses.groups);
    }

    /// A calendar is used, and with it those in it.
    pub fn use_calendar(&self, name: &str) {
        let mut next = vec![name];
        while let Some(name) = next.pop() {
            if !self.used(name, |uses| &mut uses.calendars) {
                continue;
            }
            let items = self.calendars.get(name).map(|c| c.times.include.iter().chain(&c.times.except));
            next.extend(items.into_iter().flatten().filter_map(|item| match &item.kind {
                tree::TimesKind::Calendar(word) => Some(word.value.as_str()),
                _ => None,
            }));
        }
    }

    /// Whether this is its first use that counts.
    fn used(&self, name: &str, which: impl Fn(&mut Uses) -> &mut HashSet<String>) -> bool {
        let mut uses = self.uses.borrow_mut();
        let first = !uses.quiet && !which(&mut uses).contains(name);
        if first {
            which(&mut uses).insert(name.to_string());
        }
        first
    }

    /// Whether a declaration is used by something that counts; `true` for what is no declaration.
    pub fn is_used(&self, item: &Item) -> bool {
        let uses = self.uses.borrow();
        match item {
            Item::Fact(fact) => uses.facts.contains(&fact.name.value),
            Item::Define(define) => uses.defines.contains(&define.name.value),
            Item::Group(group) => uses.groups.contains(&group.name.value),
            Item::Calendar(calendar) => uses.calendars.contains(&calendar.name.value),
            _ => true,
        }
    }
}

fn twice(what: &str, name: &Word, other: &str, first: Span) -> Diagnostic {
    let message = match what == other {
        true => format!("the {what} `{}` is declared twice", name.value),
        false => format!("`{}` is the name of a {other} already", name.value),
    };
    Diagnostic::new(TWICE, name.span, message)
        .label(format!("declared again, as a {what}"))
        .also(first, format!("declared first, as a {other}"))
        .help("rename one of them")
}

/// The zone of each file: its own, else the root's, else UTC.
fn zones(files: &[File], sink: &mut Sink) -> Vec<Zone> {
    let mut zones: Vec<Option<Zone>> = Vec::new();
    for file in files {
        let mut policy: Option<Span> = None;
        let mut timezone: Option<Span> = None;
        let mut own = None;
        for item in &file.items {
            let (what, word, first) = match &item.value {
                Item::Policy(word) => ("policy", word, &mut policy),
                Item::Timezone(word) => ("timezone", word, &mut timezone),
                _ => continue,
            };
            match first {
                Some(first) => sink.push(
                    Diagnostic::new(HEADER, word.span, format!("`{what}` is given twice in this file"))
                        .label("given again")
                        .also(*first, "given first")
                        .help("remove one of them"),
                ),
                None => {
                    *first = Some(word.span);
                    if what == "timezone" {
                        own = zone(sink, word);
                    }
                }
            }
        }
        let index = file.source.0 as usize;
        if zones.len() <= index {
            zones.resize(index + 1, None);
        }
        if let Some(slot) = zones.get_mut(index) {
            *slot = own;
        }
    }
    let root = zones.first().copied().flatten().unwrap_or(Zone::UTC);
    zones.into_iter().map(|zone| zone.unwrap_or(root)).collect()
}

/// The zone that a word names, or E0402.
pub(super) fn zone(sink: &mut Sink, word: &Word) -> Option<Zone> {
    let found = Zone::parse(&word.value);
    if found.is_none() {
        // `los_angeles`, `berlin`: the city alone.
        let city = format!("/{}", word.value.to_lowercase().replace(' ', "_"));
        let mut names = Zone::names().filter(|_| sink.may_compare());
        let whole = names.find(|name| name.to_lowercase().ends_with(&city));
        let hint = whole.map(|name| format!("did you mean `{name}`?"));
        let hint = hint.or_else(|| sink.did_you_mean(&word.value, Zone::names()));
        sink.push(
            Diagnostic::new(ZONE, word.span, format!("there is no time zone `{}`", word.value))
                .label("not in the IANA database")
                .help(hint.unwrap_or_else(|| "write it as in \"Europe/Berlin\" or \"UTC\"".to_string())),
        );
    }
    found
}
