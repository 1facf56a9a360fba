//! Which rules an override skips.

use std::collections::BTreeSet;

use foldhash::{HashSet, HashSetExt};

use super::names::Ctx;
use super::people;
use super::rules::{Sees, sees};
use super::stages::{Known, Planned, PlannedRule};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::{IDLE_OVERRIDE, LISTED_TWICE, OVERRIDE_SCOPE, SEALED, UNKNOWN_RULE};
use crate::program::{Kind, RuleId};
use crate::syntax::tree::{Override, Word};

/// Why many overrides make a large program.
const MANY_SKIPS: &str =
    "an override counts with all the rules that it names and skips, those of `stage *` once for each stage";

/// The rules that an override of a stage may skip; `None` when this stage does not get it.
pub(super) fn skips(
    ctx: &mut Ctx<'_>,
    planned: &Planned<'_>,
    all: &[Planned<'_>],
    rule: &PlannedRule<'_>,
    written: &Override,
    visible: &Sees,
) -> Option<Vec<RuleId>> {
    if !people::room(ctx, written.rules.len(), rule.span, MANY_SKIPS) {
        return None;
    }
    twice(ctx, written);
    let mut named: BTreeSet<RuleId> = BTreeSet::new();
    let mut wrong = false;
    for word in &written.rules {
        match look_up(planned, &word.value) {
            Found::Rule(_, other) if !sees(visible, rule.file, other.file) => {
                wrong = true;
                out_of_sight(ctx, word, other);
            }
            Found::Rule(id, _) if written.all_but => {
                named.insert(id);
            }
            Found::Rule(id, other) => match refuse(word, other) {
                None => {
                    named.insert(id);
                }
                Some(told) => {
                    wrong = true;
                    ctx.sink.push(told);
                }
            },
            Found::Override if written.all_but => {}
            Found::Override => {
                wrong = true;
                ctx.sink.push(
                    Diagnostic::new(OVERRIDE_SCOPE, word.span, format!("`{}` is an override itself", word.value))
                        .label("cannot be skipped")
                        .help("name the rules that it may skip"),
                );
            }
            Found::Nothing if rule.star && known_elsewhere(ctx, word) => {}
            Found::Nothing => {
                wrong = true;
                unknown(ctx, planned, rule, word, visible);
            }
        }
    }
    let skips: Vec<RuleId> = if written.all_but {
        let rules = planned.rules.iter().enumerate().map(|(index, other)| (RuleId(index as u32), other));
        rules
            .filter(|(id, other)| {
                !named.contains(id)
                    && other.kind != Kind::After
                    && other.kind != Kind::Advise
                    && !is_sealed(other)
                    && sees(visible, rule.file, other.file)
            })
            .map(|(id, _)| id)
            .collect()
    } else {
        named.into_iter().collect()
    };
    if !people::room(ctx, skips.len(), rule.span, MANY_SKIPS) {
        return None;
    }
    if skips.is_empty() && !wrong && !(rule.star && skips_somewhere(ctx, all, rule, written, visible)) {
        ctx.sink.push(
            Diagnostic::new(IDLE_OVERRIDE, rule.span, format!("override `{}` skips nothing", rule.name))
                .label("no rule is left that it could skip")
                .help("a sealed rule, an `advise`, and an `after` that is not named cannot be skipped"),
        );
    }
    // `stage *` only means the stages in which there is something to skip.
    (!skips.is_empty() || !rule.star).then_some(skips)
}

enum Found<'p, 'a> {
    Rule(RuleId, &'p PlannedRule<'a>),
    Override,
    Nothing,
}

fn look_up<'p, 'a>(planned: &'p Planned<'a>, name: &str) -> Found<'p, 'a> {
    match planned.known(name) {
        Some(Known::Rule(id)) => planned.rule(id).map_or(Found::Nothing, |rule| Found::Rule(id, rule)),
        Some(Known::Override) => Found::Override,
        None => Found::Nothing,
    }
}

fn is_sealed(rule: &PlannedRule<'_>) -> bool {
    rule.tree.is_some_and(|tree| tree.sealed.is_some())
}

/// Why a rule that is in sight cannot be skipped.
fn refuse(word: &Word, other: &PlannedRule<'_>) -> Option<Diagnostic> {
    if is_sealed(other) {
        let place = other.tree.and_then(|tree| tree.sealed).unwrap_or(other.span);
        return Some(
            Diagnostic::new(SEALED, word.span, format!("`{}` is sealed: no override skips it", word.value))
                .label("cannot be skipped")
                .also(place, "sealed here")
                .help("take it out of this list"),
        );
    }
    (other.kind == Kind::Advise).then(|| {
        Diagnostic::new(OVERRIDE_SCOPE, word.span, format!("`{}` is an `advise`: it never blocks", word.value))
            .label("there is nothing to skip")
            .also(other.span, "this rule")
            .help("take it out of this list")
    })
}

fn out_of_sight(ctx: &mut Ctx<'_>, word: &Word, other: &PlannedRule<'_>) {
    let message = format!("`{}` is a rule of a file that this one does not include", word.value);
    ctx.sink.push(
        Diagnostic::new(OVERRIDE_SCOPE, word.span, message)
            .label("cannot be skipped from here")
            .also(other.span, "it stands here")
            .help("an override skips rules of its own file and of those that it includes: move the override"),
    );
}

fn unknown(ctx: &mut Ctx<'_>, planned: &Planned<'_>, rule: &PlannedRule<'_>, word: &Word, visible: &Sees) {
    let rules = if ctx.sink.may_compare() { planned.rules.as_slice() } else { &[] };
    let near: Vec<&str> = rules
        .iter()
        .filter(|other| sees(visible, rule.file, other.file) && other.kind != Kind::Advise && !is_sealed(other))
        .map(|other| other.name.as_str())
        .collect();
    let hint = match word.value.as_str() {
        "after" => Some("the stage has no `after`".to_string()),
        "soak" => Some("the stage has no `for …` in its header".to_string()),
        "all" => Some("write `may skip all but RULE`, or name the rules".to_string()),
        name => ctx.sink.did_you_mean(name, near.iter().copied()),
    };
    let message = match rule.star {
        true => format!("no stage has a rule `{}`", word.value),
        false => format!("stage `{}` has no rule `{}`", planned.name, word.value),
    };
    let told = Diagnostic::new(UNKNOWN_RULE, word.span, message).label("there is no such rule").maybe_help(hint);
    ctx.sink.push(told);
}

/// A name in a `stage *` need not be in every stage.
fn known_elsewhere(ctx: &Ctx<'_>, word: &Word) -> bool {
    // A library alone does not know the stages that it will be used with.
    ctx.names.stage_list.is_empty() || ctx.names.rule_names.contains(&word.value)
}

/// Whether there is a stage in which an override of `stage *` has something to skip; looked for once.
fn skips_somewhere(
    ctx: &mut Ctx<'_>,
    all: &[Planned<'_>],
    rule: &PlannedRule<'_>,
    written: &Override,
    visible: &Sees,
) -> bool {
    if let Some(known) = ctx.interner.skips_somewhere.get(&rule.span) {
        return *known;
    }
    let found = look_for_skips(all, rule, written, visible);
    ctx.interner.skips_somewhere.insert(rule.span, found);
    found
}

fn look_for_skips(all: &[Planned<'_>], rule: &PlannedRule<'_>, written: &Override, visible: &Sees) -> bool {
    let named: HashSet<&str> = written.rules.iter().map(|word| word.value.as_str()).collect();
    all.iter().flat_map(|planned| &planned.rules).any(|other| {
        !is_sealed(other)
            && other.kind != Kind::Advise
            && sees(visible, rule.file, other.file)
            && match written.all_but {
                true => other.kind != Kind::After && !named.contains(other.name.as_str()),
                false => named.contains(other.name.as_str()),
            }
    })
}

fn twice(ctx: &mut Ctx<'_>, written: &Override) {
    let mut seen: HashSet<&str> = HashSet::new();
    for word in &written.rules {
        if !seen.insert(&word.value) {
            ctx.sink.push(
                Diagnostic::new(LISTED_TWICE, word.span, format!("`{}` is listed twice", word.value))
                    .label("listed again")
                    .help("remove one of them"),
            );
        }
    }
}
