//! Rules of the tree become rules of the program.

use super::names::{Ctx, Gates};
use super::stages::{Planned, PlannedRule, nanos, stage};
use super::{conditions, overrides, people, times, triggers};
use crate::diagnostic::SourceId;
use crate::program::{Approve, Body, Kind, Op, OpId, Override, Rule, Stage};
use crate::syntax::tree::{self, RuleKind};

/// By `SourceId`, one bit for each source: the files whose rules a file knows of, which are itself and those that it
/// includes.
pub(super) type Sees = Vec<Vec<u64>>;

/// Whether rules of `from` may speak of rules of `of`.
pub(super) fn sees(sees: &Sees, from: SourceId, of: SourceId) -> bool {
    let word = sees.get(from.0 as usize).and_then(|files| files.get(of.0 as usize / 64));
    word.is_some_and(|word| word >> (of.0 % 64) & 1 == 1)
}

/// Compiles one stage.
pub(super) fn compile(ctx: &mut Ctx<'_>, planned: &Planned<'_>, all: &[Planned<'_>], visible: &Sees) -> Stage {
    let mut gates = Gates::default();
    let mut rules = Vec::new();
    for rule in &planned.rules {
        let body = body(ctx, &mut gates, planned, rule, visible);
        let guard = rule.tree.and_then(|tree| guard(ctx, &mut gates, &tree.guards));
        rules.push(Rule {
            name: rule.name.clone(),
            kind: rule.kind,
            // After an error the policy does not compile; until then something must stand here, and it lets nobody in.
            body: body.unwrap_or_else(|| Body::Require(gates.push(Op::Constant(false)))),
            guard,
            because: rule.tree.and_then(|tree| tree.because.as_ref()).map(|text| text.value.clone()),
            alternatives: matches!(rule.kind, Kind::Trigger | Kind::Window).then_some(rule.file.0),
            span: rule.span,
            file: rule.file,
        });
    }
    people::check_approvers_of(ctx, planned, &rules);
    people::check_left_over(ctx, planned, &rules);
    people::check_distinct(ctx, planned, &rules);
    let mut compiled = Vec::new();
    for rule in &planned.overrides {
        let Some(tree::Rule { kind: RuleKind::Override(written), .. }) = rule.tree else { continue };
        let Some(skips) = overrides::skips(ctx, planned, all, rule, written, visible) else { continue };
        let parts = people::Parts { quorum: &written.quorum, including: &written.including, except: &written.except };
        let quorum = people::quorum(ctx, planned, rule, parts, visible);
        let guards = rule.tree.map(|tree| tree.guards.as_slice()).unwrap_or_default();
        compiled.push(Override {
            name: rule.name.clone(),
            quorum,
            skips,
            valid: written.valid.as_ref().map(|valid| nanos(valid.seconds)),
            reason_required: written.reason_required,
            guard: guard(ctx, &mut gates, guards),
            because: rule.tree.and_then(|tree| tree.because.as_ref()).map(|text| text.value.clone()),
            span: rule.span,
        });
    }
    Stage {
        name: planned.name.to_string(),
        ops: gates.ops,
        args: gates.args,
        rules,
        overrides: compiled,
        slots: gates.slots.into_iter().collect(),
        span: planned.span,
    }
}

fn body(
    ctx: &mut Ctx<'_>,
    gates: &mut Gates,
    planned: &Planned<'_>,
    rule: &PlannedRule<'_>,
    visible: &Sees,
) -> Option<Body> {
    let Some(tree) = rule.tree else {
        return Some(match rule.kind {
            Kind::After => Body::After(planned.after.clone()),
            _ => Body::Soak(planned.soak.clone()),
        });
    };
    Some(match &tree.kind {
        RuleKind::Require(cond) => Body::Require(conditions::gate(ctx, gates, cond)),
        RuleKind::Forbid(cond) => Body::Forbid(conditions::gate(ctx, gates, cond)),
        RuleKind::Advise(cond) => Body::Advise(conditions::gate(ctx, gates, cond)),
        RuleKind::Window(times) => Body::Window(times::set(ctx, times, ctx.names.zone(rule.file))?),
        RuleKind::Freeze(times) => Body::Freeze(times::set(ctx, times, ctx.names.zone(rule.file))?),
        RuleKind::Approve(written) => {
            let parts =
                people::Parts { quorum: &written.quorum, including: &written.including, except: &written.except };
            let quorum = people::quorum(ctx, planned, rule, parts, visible);
            let names = ctx.names;
            let since = written.since.as_ref().and_then(|word| stage(word, names, ctx.sink));
            Body::Approve(Approve { quorum, since, valid: written.valid.as_ref().map(|valid| nanos(valid.seconds)) })
        }
        RuleKind::Trigger(trigger) => Body::Trigger(triggers::trigger(ctx, trigger, rule.file)?),
        RuleKind::Exclusive => Body::Exclusive,
        RuleKind::ForwardOnly => Body::ForwardOnly,
        RuleKind::DistinctApprovers => Body::DistinctApprovers,
        RuleKind::Override(_) => return None,
    })
}

/// All `when` and no `unless`, in one entry.
fn guard(ctx: &mut Ctx<'_>, gates: &mut Gates, guards: &[tree::Guard]) -> Option<OpId> {
    let mut all = Vec::new();
    for guard in guards {
        let cond = conditions::gate(ctx, gates, &guard.cond);
        all.push(if guard.unless { gates.push(Op::Not(cond)) } else { cond });
    }
    (!all.is_empty()).then(|| gates.and(&all))
}
