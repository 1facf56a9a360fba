//! What compiles but is surely not meant. Only for policies without an error: what is missing would be blamed twice.

use foldhash::{HashMap, HashMapExt, HashSet};

use super::names::Names;
use super::stages::Planned;
use crate::diagnostic::codes::{
    ALWAYS, COVERED_WINDOW, OPEN_STAGE, UNREACHABLE_STAGE, UNUSED_CALENDAR, UNUSED_DEFINITION, UNUSED_FACT,
    UNUSED_GROUP,
};
use crate::diagnostic::{Diagnostic, SourceId, Span};
use crate::program::{Body, Kind, Op, RuleId, Stage, StageId, Trigger};
use crate::schedule::TimeSet;
use crate::syntax::tree::{File, Item};

/// Declarations of the root file that nothing uses.
pub(super) fn unused(root: &File, names: &Names<'_>) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for item in root.items.iter().filter(|item| !names.is_used(&item.value)) {
        let (code, what, word) = match &item.value {
            Item::Fact(fact) => (UNUSED_FACT, "fact", &fact.name),
            Item::Group(group) => (UNUSED_GROUP, "group", &group.name),
            Item::Define(define) => (UNUSED_DEFINITION, "definition", &define.name),
            Item::Calendar(calendar) => (UNUSED_CALENDAR, "calendar", &calendar.name),
            _ => continue,
        };
        told.push(
            Diagnostic::new(code, word.span, format!("no rule uses the {what} `{}`", word.value))
                .label("declared, but not used")
                .help("use it in a rule, or take it out"),
        );
    }
    told
}

/// Stages, `order` being such that each comes after those that it follows.
pub(super) fn stages(planned: &[Planned<'_>], stages: &[Stage], order: &[StageId]) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    let mut dead: HashMap<StageId, Why> = HashMap::new();
    for id in order {
        let (Some(plan), Some(stage)) = (planned.get(id.0 as usize), stages.get(id.0 as usize)) else { continue };
        told.extend(open(plan, stage));
        told.extend(covered(stage));
        let constants = constants(stage);
        told.extend(always(stage, &constants));
        if let Some(why) = unreachable(stage, &constants, &dead, stages) {
            let mut diagnostic =
                Diagnostic::new(UNREACHABLE_STAGE, stage.span, format!("no build can reach stage `{}`", stage.name))
                    .label("this stage is closed for good");
            for (span, text) in &why.places {
                diagnostic = diagnostic.also(*span, text.clone());
            }
            told.push(diagnostic.help("change what closes it, or take the stage out"));
            dead.insert(*id, why);
        }
    }
    told
}

/// W0110.
fn open(plan: &Planned<'_>, stage: &Stage) -> Option<Diagnostic> {
    // Nobody is held up by distinct approvers alone.
    let blocks = |kind: Kind| !matches!(kind, Kind::Advise | Kind::DistinctApprovers);
    (!plan.rules.iter().any(|rule| blocks(rule.kind))).then(|| {
        Diagnostic::new(OPEN_STAGE, stage.span, format!("stage `{}` lets every build in", stage.name))
            .label("it has no rule that could block")
            .help("give it a rule, or `after` another stage")
    })
}

/// W0103: a window in which there is always a freeze.
fn covered(stage: &Stage) -> Vec<Diagnostic> {
    let freezes: Vec<(&TimeSet, Span)> = (stage.rules.iter())
        .filter_map(|rule| match &rule.body {
            Body::Freeze(set) if rule.guard.is_none() => Some((set, rule.span)),
            _ => None,
        })
        .collect();
    if freezes.is_empty() {
        return Vec::new();
    }
    let sets: Vec<&TimeSet> = freezes.iter().map(|(set, _)| *set).collect();
    let mut told = Vec::new();
    for rule in &stage.rules {
        let Body::Window(set) = &rule.body else { continue };
        if set.is_empty() || !set.is_covered_by(&sets) {
            continue;
        }
        let message = format!("whenever window `{}` is open, there is a freeze", rule.name);
        let mut diagnostic = Diagnostic::new(COVERED_WINDOW, rule.span, message).label("never of any use");
        for (_, span) in freezes.iter().take(4) {
            diagnostic = diagnostic.also(*span, "a freeze beats a window");
        }
        told.push(diagnostic.help("give the window other times, or the freeze an `except`"));
    }
    told
}

/// What entries are whatever the request says, by `OpId`.
fn constants(stage: &Stage) -> Vec<Option<bool>> {
    let mut values: Vec<Option<bool>> = Vec::new();
    for op in &stage.ops {
        let of = |from: u32, to: u32| {
            let args = stage.args.get(from as usize..to as usize).unwrap_or_default();
            args.iter().map(|id| values.get(id.0 as usize).copied().flatten())
        };
        let value = match op {
            Op::Constant(value) => Some(*value),
            Op::Test(_) => None,
            Op::And(from, to) if of(*from, *to).any(|value| value == Some(false)) => Some(false),
            Op::And(from, to) => of(*from, *to).all(|value| value == Some(true)).then_some(true),
            Op::Or(from, to) if of(*from, *to).any(|value| value == Some(true)) => Some(true),
            Op::Or(from, to) => of(*from, *to).all(|value| value == Some(false)).then_some(false),
            Op::Not(id) => values.get(id.0 as usize).copied().flatten().map(|value| !value),
        };
        values.push(value);
    }
    values
}

/// Whether a rule is the same whatever the request says: `Some(true)` for one that is always met.
fn constant(body: &Body, constants: &[Option<bool>]) -> Option<bool> {
    let value = |id: &crate::program::OpId| constants.get(id.0 as usize).copied().flatten();
    match body {
        Body::Require(id) | Body::Advise(id) => value(id),
        Body::Forbid(id) => value(id).map(|value| !value),
        _ => None,
    }
}

/// W0113.
fn always(stage: &Stage, constants: &[Option<bool>]) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for rule in &stage.rules {
        let Some(met) = constant(&rule.body, constants) else { continue };
        let what = if met { "is always met" } else { "can never be met" };
        told.push(
            Diagnostic::new(ALWAYS, rule.span, format!("`{}` {what}", rule.name))
                .label("whatever the request says")
                .help("write a condition that reads a fact"),
        );
    }
    told
}

/// What closes a stage.
struct Why {
    places: Vec<(Span, String)>,
}

fn unreachable(
    stage: &Stage,
    constants: &[Option<bool>],
    dead: &HashMap<StageId, Why>,
    stages: &[Stage],
) -> Option<Why> {
    let skips: HashSet<RuleId> = stage.overrides.iter().flat_map(|o| &o.skips).copied().collect();
    let skipped = |id: usize| skips.contains(&RuleId(id as u32));
    let firm = || stage.rules.iter().enumerate().filter(|(id, rule)| rule.guard.is_none() && !skipped(*id));
    for (_, rule) in firm() {
        let closed = match &rule.body {
            Body::Require(_) | Body::Forbid(_) if constant(&rule.body, constants) == Some(false) => {
                Some("can never be met".to_string())
            }
            Body::After(clauses) => clauses.iter().find_map(|clause| {
                let mut closed = clause.stages.iter().filter(|after| dead.contains_key(&after.stage));
                let none_left = match clause.any {
                    true => clause.stages.iter().all(|after| dead.contains_key(&after.stage)),
                    false => closed.clone().next().is_some(),
                };
                let name = closed.next().and_then(|after| stages.get(after.stage.0 as usize)).map(|s| &s.name);
                none_left.then(|| name.map(|name| format!("no build can reach `{name}`"))).flatten()
            }),
            _ => None,
        };
        if let Some(text) = closed {
            return Some(Why { places: vec![(rule.span, text)] });
        }
    }
    // Alternatives: all of a file's triggers, or all of its windows.
    let mut groups: HashMap<(SourceId, bool), Vec<usize>> = HashMap::new();
    for (index, rule) in stage.rules.iter().enumerate() {
        let is_window = match rule.body {
            Body::Window(_) => true,
            Body::Trigger(_) => false,
            _ => continue,
        };
        groups.entry((rule.file, is_window)).or_default().push(index);
    }
    let mut groups: Vec<((SourceId, bool), Vec<usize>)> = groups.into_iter().collect();
    groups.sort();
    for (_, members) in groups {
        let rules = || members.iter().filter_map(|index| Some((*index, stage.rules.get(*index)?)));
        let never = |body: &Body| match body {
            Body::Window(set) => set.is_empty(),
            Body::Trigger(Trigger::Schedule(schedule)) => schedule.cron.never_fires(),
            _ => false,
        };
        if rules().all(|(id, rule)| rule.guard.is_none() && !skipped(id) && never(&rule.body)) {
            let places = rules().take(4).map(|(_, rule)| (rule.span, "never comes".to_string())).collect();
            return Some(Why { places });
        }
    }
    None
}
