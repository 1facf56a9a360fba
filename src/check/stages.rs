//! The stages of all files put together: which rules each has, how they are called, and what comes after what.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt};

use super::names::{Names, Sink};
use crate::Limits;
use crate::diagnostic::codes::{
    CLAUSE, LISTED_TWICE, RESERVED, RULE_TWICE, SOAK, STAGE_CYCLE, STAGE_TWICE, TOO_MANY, UNKNOWN_STAGE,
};
use crate::diagnostic::{Diagnostic, SourceId, Span, list_words};
use crate::program::{After, AfterStage, Kind, Outcomes, RuleId, Soak, StageId};
use crate::syntax::tree::{self, File, Item, Outcome, RuleKind, Word};

/// A stage with all that the files say of it.
pub(super) struct Planned<'a> {
    pub name: &'a str,
    /// Where it is named first.
    pub span: Span,
    pub after: Vec<After>,
    pub soak: Vec<Soak>,
    /// In the order of a decision; [`RuleId`] is an index.
    pub rules: Vec<PlannedRule<'a>>,
    pub overrides: Vec<PlannedRule<'a>>,
    by_name: HashMap<String, Known>,
}

/// A rule or an override of a stage.
pub(super) struct PlannedRule<'a> {
    pub name: String,
    pub kind: Kind,
    /// `None` for `after` and `soak`.
    pub tree: Option<&'a tree::Rule>,
    /// Where it is written.
    pub span: Span,
    pub file: SourceId,
    /// Whether it stands in a `stage *`.
    pub star: bool,
}

impl PlannedRule<'_> {
    /// Whether it is an override.
    pub fn is_override(&self) -> bool {
        matches!(self.tree.map(|tree| &tree.kind), Some(RuleKind::Override(_)))
    }
}

/// What a name of a stage stands for.
#[derive(Clone, Copy)]
pub(super) enum Known {
    Rule(RuleId),
    Override,
}

impl<'a> Planned<'a> {
    /// What a rule name stands for.
    pub fn known(&self, name: &str) -> Option<Known> {
        self.by_name.get(name).copied()
    }

    /// The rule with that number.
    pub fn rule(&self, id: RuleId) -> Option<&PlannedRule<'a>> {
        self.rules.get(id.0 as usize)
    }

    /// Its names, for tests of the policy: `true` for an override.
    pub fn names(&self) -> BTreeMap<String, bool> {
        self.by_name.iter().map(|(name, known)| (name.clone(), matches!(known, Known::Override))).collect()
    }
}

/// One `stage` block.
struct Block<'a> {
    stage: &'a tree::Stage,
    file: SourceId,
}

/// Puts the stages together. A policy without any still has its `stage *` checked, in a stage that is called `*`.
pub(super) fn plan<'a>(
    files: &'a [File],
    order: &[SourceId],
    names: &Names<'a>,
    sink: &mut Sink,
    limits: &Limits,
) -> Vec<Planned<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for file in order.iter().filter_map(|id| super::file(files, *id)) {
        let mut described: HashMap<&str, Span> = HashMap::new();
        for item in &file.items {
            let Item::Stage(stage) = &item.value else { continue };
            if let Some(name) = &stage.name {
                if let Some(first) = described.insert(&name.value, name.span) {
                    described.insert(&name.value, first);
                    sink.push(
                        Diagnostic::new(STAGE_TWICE, name.span, format!("stage `{}` is described twice", name.value))
                            .label("described again")
                            .also(first, "described first")
                            .help("put all of its rules into one block"),
                    );
                    continue;
                }
            } else if stage.after.is_some() || stage.soak.is_some() {
                let span = stage.after.as_ref().map(|a| a.span).or(stage.soak.as_ref().map(|s| s.span));
                sink.push(
                    Diagnostic::new(CLAUSE, span.unwrap_or(stage.name_span), "`stage *` comes after nothing")
                        .label("not here")
                        .help("write it at the stages themselves"),
                );
            }
            // An empty `stage *` says nothing, however often.
            if stage.name.is_some() || !stage.rules.is_empty() {
                blocks.push(Block { stage, file: file.source });
            }
        }
    }
    if too_many(&blocks, names.stage_list.len().max(1), sink, limits) {
        blocks.clear();
    }
    let nowhere = names.stage_list.is_empty() && blocks.iter().any(|block| !block.stage.rules.is_empty());
    let mut planned: Vec<Planned<'a>> = (names.stage_list.iter())
        .map(|stage| Planned::new(stage.name, stage.span))
        .chain(nowhere.then(|| Planned::new("*", Span::default())))
        .collect();
    // By stage, and under "" those of `stage *`.
    let mut of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, block) in blocks.iter().enumerate() {
        of.entry(block.stage.name.as_ref().map_or("", |name| name.value.as_str())).or_default().push(index);
    }
    for stage in &mut planned {
        let mut own: Vec<usize> = ["", stage.name].iter().filter_map(|name| of.get(name)).flatten().copied().collect();
        own.sort_unstable();
        let own: Vec<&Block<'a>> = own.into_iter().filter_map(|index| blocks.get(index)).collect();
        headers(stage, &own, names, sink);
        name_rules(stage, &own, sink);
    }
    planned
}

impl<'a> Planned<'a> {
    fn new(name: &'a str, span: Span) -> Planned<'a> {
        Planned {
            name,
            span,
            after: Vec::new(),
            soak: Vec::new(),
            rules: Vec::new(),
            overrides: Vec::new(),
            by_name: HashMap::new(),
        }
    }
}

/// Counts before anything is multiplied: rules of `stage *` count once for each stage.
fn too_many(blocks: &[Block<'_>], stages: usize, sink: &mut Sink, limits: &Limits) -> bool {
    let mut count = 0usize;
    for block in blocks {
        let times = if block.stage.name.is_some() { 1 } else { stages };
        count = count.saturating_add(block.stage.rules.len().saturating_mul(times));
        if count > limits.rules {
            sink.push(
                Diagnostic::new(TOO_MANY, block.stage.name_span, format!("more than {} rules", limits.rules))
                    .label("the limit is passed here")
                    .help("rules of `stage *` count once for each stage"),
            );
            return true;
        }
    }
    false
}

// ---------------------------------------------------------------- after and soak

fn headers<'a>(planned: &mut Planned<'a>, blocks: &[&Block<'a>], names: &Names<'a>, sink: &mut Sink) {
    let named = || blocks.iter().filter(|block| block.stage.name.is_some());
    let mut file_of_after = None;
    for block in named() {
        let Some(clause) = &block.stage.after else { continue };
        file_of_after = file_of_after.or(Some((block.file, clause.span)));
        let mut seen: HashMap<&str, Span> = HashMap::new();
        let mut stages = Vec::new();
        for after in &clause.stages {
            if let Some(first) = seen.get(after.stage.value.as_str()) {
                let message = format!("`{}` is listed twice", after.stage.value);
                sink.push(
                    Diagnostic::new(LISTED_TWICE, after.stage.span, message)
                        .label("listed again")
                        .also(*first, "listed first")
                        .help("remove one of them"),
                );
            }
            seen.entry(&after.stage.value).or_insert(after.stage.span);
            let Some(id) = self::stage(&after.stage, names, sink) else { continue };
            stages.push(AfterStage { stage: id, outcomes: outcomes(&after.outcomes) });
        }
        planned.after.push(After { any: clause.any, stages, span: clause.span });
    }
    let mut file_of_soak = None;
    let mut own_clause = 0;
    for block in named() {
        let own = block.stage.after.as_ref().map(|_| own_clause);
        own_clause += usize::from(own.is_some());
        let Some(soak) = &block.stage.soak else { continue };
        file_of_soak = file_of_soak.or(Some((block.file, soak.span)));
        let length = nanos(soak.seconds);
        // A file that only lets a stage soak means whatever other files let it come after.
        let clauses = match own {
            Some(index) => planned.after.get(index..=index).unwrap_or_default(),
            None => planned.after.as_slice(),
        };
        planned.soak.extend(clauses.iter().map(|after| Soak { after: after.clone(), length }));
        if clauses.is_empty() {
            sink.push(
                Diagnostic::new(SOAK, soak.span, format!("stage `{}` soaks, but comes after nothing", planned.name))
                    .label("since when?")
                    .help(format!("name the stage before it: `stage {} after … for {}`", planned.name, soak.text)),
            );
        }
    }
    for (name, kind, place) in [("after", Kind::After, file_of_after), ("soak", Kind::Soak, file_of_soak)] {
        let Some((file, span)) = place else { continue };
        let rule = PlannedRule { name: name.to_string(), kind, tree: None, span, file, star: false };
        planned.add(rule);
    }
}

/// A stage by name, or E0203.
pub(super) fn stage(word: &Word, names: &Names<'_>, sink: &mut Sink) -> Option<StageId> {
    let found = names.stages.get(word.value.as_str()).map(|stage| stage.id);
    if found.is_none() {
        let list = if sink.may_compare() { names.stage_list.as_slice() } else { &[] };
        let all: Vec<&str> = list.iter().map(|stage| stage.name).collect();
        let hint = sink.did_you_mean(&word.value, all.iter().copied());
        let hint = hint.or_else(|| (!all.is_empty()).then(|| format!("the stages are {}", list_words(&all, 8))));
        sink.push(
            Diagnostic::new(UNKNOWN_STAGE, word.span, format!("there is no stage `{}`", word.value))
                .label("not described anywhere")
                .maybe_help(hint),
        );
    }
    found
}

fn outcomes(written: &[tree::At<Outcome>]) -> Outcomes {
    let mut outcomes = Outcomes { succeeded: written.is_empty(), failed: false, skipped: false, cancelled: false };
    for outcome in written {
        match outcome.value {
            Outcome::Succeeded => outcomes.succeeded = true,
            Outcome::Failed => outcomes.failed = true,
            Outcome::Skipped => outcomes.skipped = true,
            Outcome::Cancelled => outcomes.cancelled = true,
            Outcome::Completed => {
                outcomes = Outcomes { succeeded: true, failed: true, skipped: true, cancelled: true };
            }
            // Only tests of a policy say so.
            Outcome::Pending => {}
        }
    }
    outcomes
}

/// Seconds as nanoseconds.
pub(super) fn nanos(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000_000)
}

// ---------------------------------------------------------------- names of rules

impl<'a> Planned<'a> {
    /// Adds a rule or an override under a name that is free.
    fn add(&mut self, rule: PlannedRule<'a>) {
        let is_override = rule.is_override();
        let known = if is_override { Known::Override } else { Known::Rule(RuleId(self.rules.len() as u32)) };
        self.by_name.entry(rule.name.clone()).or_insert(known);
        if is_override {
            self.overrides.push(rule);
        } else {
            self.rules.push(rule);
        }
    }
}

fn name_rules<'a>(planned: &mut Planned<'a>, blocks: &[&Block<'a>], sink: &mut Sink) {
    let rules = || blocks.iter().flat_map(|block| block.stage.rules.iter().map(move |rule| (*block, rule)));
    // The names that authors gave come first; what is left over goes to those that have none.
    let mut given: HashMap<&'a str, Span> = HashMap::new();
    let mut doubles: BTreeSet<Span> = BTreeSet::new();
    for (_, rule) in rules() {
        let Some(name) = &rule.name else { continue };
        if matches!(name.value.as_str(), "after" | "soak") {
            doubles.insert(rule.span);
            sink.push(
                Diagnostic::new(RESERVED, name.span, format!("a rule cannot be called `{}`", name.value))
                    .label("this is the name of a rule that the stage's header makes")
                    .help("choose another name"),
            );
        } else if let Some(first) = given.get(name.value.as_str()) {
            doubles.insert(rule.span);
            let stage = planned.name;
            sink.push(
                Diagnostic::new(RULE_TWICE, name.span, format!("`{}` is used twice in stage `{stage}`", name.value))
                    .label("used again")
                    .also(*first, "used first")
                    .help("rename one of them: a stage and its `stage *` rules, over all files, share their names"),
            );
        } else {
            given.insert(&name.value, name.span);
        }
    }
    let mut taken: BTreeSet<String> = given.keys().map(|name| (*name).to_string()).collect();
    let mut next: HashMap<&'static str, usize> = HashMap::new();
    for (block, rule) in rules() {
        if doubles.contains(&rule.span) {
            continue;
        }
        let kind = kind(&rule.kind);
        twice_in_block(block, rule, kind, sink);
        let name = match &rule.name {
            Some(name) => name.value.clone(),
            None => free(default_name(&rule.kind), &mut taken, &mut next),
        };
        let star = block.stage.name.is_none();
        planned.add(PlannedRule { name, kind, tree: Some(rule), span: rule.span, file: block.file, star });
    }
}

/// `exclusive`, `forward only` and `distinct approvers` say all there is to say when they are said once.
fn twice_in_block(block: &Block<'_>, rule: &tree::Rule, own: Kind, sink: &mut Sink) {
    if !matches!(own, Kind::Exclusive | Kind::ForwardOnly | Kind::DistinctApprovers) || !rule.guards.is_empty() {
        return;
    }
    let first = block.stage.rules.iter().find(|other| kind(&other.kind) == own && other.guards.is_empty());
    if let Some(first) = first.filter(|first| first.span != rule.span) {
        let what = own.as_str().replace('-', " ");
        sink.push(
            Diagnostic::new(CLAUSE, rule.span, format!("`{what}` is given twice in this block"))
                .label("given again")
                .also(first.span, "given first")
                .help("remove one of them"),
        );
    }
}

fn free(base: &'static str, taken: &mut BTreeSet<String>, next: &mut HashMap<&'static str, usize>) -> String {
    let number = next.entry(base).or_insert(1);
    loop {
        let name = if *number == 1 { base.to_string() } else { format!("{base}-{number}") };
        *number += 1;
        if taken.insert(name.clone()) {
            return name;
        }
    }
}

fn default_name(kind: &RuleKind) -> &'static str {
    match kind {
        RuleKind::Trigger(trigger) => match trigger {
            tree::Trigger::Push { .. } => "push",
            tree::Trigger::PullRequest { .. } => "pull-request",
            tree::Trigger::Manual { .. } => "manual",
            tree::Trigger::Completion { .. } => "completion",
            tree::Trigger::Event { .. } => "event",
            tree::Trigger::Schedule { .. } => "schedule",
        },
        // The parser has refused nameless rules of the other kinds.
        RuleKind::Override(_) => "override",
        other => self::kind(other).as_str(),
    }
}

/// The kind of a rule in a decision; an override is none, and shows as what it is like.
fn kind(kind: &RuleKind) -> Kind {
    match kind {
        RuleKind::Require(_) => Kind::Require,
        RuleKind::Forbid(_) => Kind::Forbid,
        RuleKind::Advise(_) => Kind::Advise,
        RuleKind::Window(_) => Kind::Window,
        RuleKind::Freeze(_) => Kind::Freeze,
        RuleKind::Approve(_) | RuleKind::Override(_) => Kind::Approve,
        RuleKind::Trigger(_) => Kind::Trigger,
        RuleKind::Exclusive => Kind::Exclusive,
        RuleKind::ForwardOnly => Kind::ForwardOnly,
        RuleKind::DistinctApprovers => Kind::DistinctApprovers,
    }
}

// ---------------------------------------------------------------- the graph

/// So many circles of stages are told.
const MAX_CIRCLES: usize = 50;

/// The stages so that each comes after those that it follows. Circles are told; then the order is only a list.
pub(super) fn graph(planned: &[Planned<'_>], files: &[File], sink: &mut Sink) -> Vec<StageId> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let places = after_places(files);
    let edges: Vec<Vec<StageId>> = planned
        .iter()
        .map(|stage| stage.after.iter().flat_map(|after| after.stages.iter().map(|s| s.stage)).collect())
        .collect();
    let mut marks = vec![Mark::New; planned.len()];
    let mut order = Vec::new();
    let mut told = 0;
    for start in 0..planned.len() {
        // A stage and how many of its edges have been followed.
        let mut path: Vec<(usize, usize)> = match marks.get(start) {
            Some(Mark::New) => vec![(start, 0)],
            _ => continue,
        };
        while let Some((stage, next)) = path.last_mut() {
            let here = *stage;
            if let Some(mark) = marks.get_mut(here) {
                *mark = Mark::Open;
            }
            let Some(to) = edges.get(here).and_then(|e| e.get(*next)).map(|id| id.0 as usize) else {
                if let Some(mark) = marks.get_mut(here) {
                    *mark = Mark::Done;
                }
                order.push(StageId(here as u32));
                path.pop();
                continue;
            };
            *next += 1;
            match marks.get(to) {
                Some(Mark::New) => path.push((to, 0)),
                // Each costs a walk over the path, and a few are enough to begin with.
                Some(Mark::Open) if told < MAX_CIRCLES => {
                    told += 1;
                    let from = path.iter().position(|(stage, _)| *stage == to).unwrap_or(0);
                    let circle: Vec<&str> =
                        path.iter().skip(from).filter_map(|(stage, _)| planned.get(*stage).map(|p| p.name)).collect();
                    tell_circle(&circle, &places, sink);
                }
                _ => {}
            }
        }
    }
    order
}

/// Where each stage says that it comes after which.
fn after_places(files: &[File]) -> HashMap<(&str, &str), Span> {
    let mut places = HashMap::new();
    for item in files.iter().flat_map(|file| &file.items) {
        let Item::Stage(tree::Stage { name: Some(name), after: Some(after), .. }) = &item.value else { continue };
        for before in &after.stages {
            places.entry((name.value.as_str(), before.stage.value.as_str())).or_insert(before.stage.span);
        }
    }
    places
}

/// Each stage of the circle comes after the next one, and the last one after the first.
fn tell_circle(circle: &[&str], places: &HashMap<(&str, &str), Span>, sink: &mut Sink) {
    let edges = circle.iter().zip(circle.iter().cycle().skip(1));
    let mut spans = edges.filter_map(|edge| Some((*edge.0, *edge.1, places.get(&(*edge.0, *edge.1)).copied()?)));
    let Some((first, _, span)) = spans.next() else { return };
    let mut told = match circle.len() {
        1 => Diagnostic::new(STAGE_CYCLE, span, format!("stage `{first}` comes after itself")),
        _ => Diagnostic::new(STAGE_CYCLE, span, format!("stages {} come after one another", list_words(circle, 6))),
    };
    for (stage, after, span) in spans.take(5) {
        told = told.also(span, format!("`{stage}` comes after `{after}`"));
    }
    sink.push(told.label("no build can ever be the first").help("remove one of these: the first stage has no `after`"));
}
