//! Which statuses a rule can reach at all: what no request can bring about is not asked of the tests.

use crate::decide::Status;
use crate::decide::truth::Truth;
use crate::program::{
    Body, Builtin, Check, Comparison, EnumType, Op, OpId, Program, Right, Rule, RuleId, Slot, SlotId, Stage, Test,
    Trigger, Type,
};
use crate::schedule::{NextEdge, TimeSet};

/// So many combinations of the tests of one rule are looked at.
const MAX_COMBINATIONS: u64 = 100_000;

/// The statuses that a rule can reach.
pub(super) fn statuses(program: &Program, stage: &Stage, index: usize) -> Vec<Status> {
    let Some(rule) = stage.rules.get(index) else { return Vec::new() };
    let mut out = match &rule.body {
        Body::Require(op) => condition(program, stage, rule, *op, true, true),
        Body::Forbid(op) => condition(program, stage, rule, *op, false, true),
        Body::Advise(op) => condition(program, stage, rule, *op, true, false),
        Body::After(_) => vec![Status::Met, Status::Unmet, Status::Unknown],
        Body::Soak(_) => vec![Status::Met, Status::Unmet, Status::Waiting, Status::Unknown],
        Body::Window(set) if is_always(set) => vec![Status::Met],
        Body::Window(set) => match (set.is_empty(), set.recurs()) {
            (true, _) => vec![Status::Unmet],
            (_, true) => vec![Status::Met, Status::Waiting],
            (_, false) => vec![Status::Met, Status::Unmet, Status::Waiting],
        },
        Body::Freeze(set) if set.is_empty() => vec![Status::Met],
        Body::Freeze(set) if is_always(set) => vec![Status::Unmet],
        Body::Freeze(_) => vec![Status::Met, Status::Waiting],
        Body::Approve(approve) => {
            let quorum = &approve.quorum;
            let unsure = quorum.including.is_none()
                || quorum.except.requester
                || !quorum.directories.is_empty()
                || !quorum.except.directories.is_empty();
            let mut out = vec![Status::Met, Status::Unmet, Status::Awaiting];
            out.extend(unsure.then_some(Status::Unknown));
            out
        }
        Body::Trigger(trigger) => {
            let mut out = vec![Status::Met, Status::Unmet, Status::Unknown];
            if let Trigger::Schedule(_) = trigger {
                out.push(Status::Waiting);
            }
            out
        }
        Body::Exclusive | Body::ForwardOnly => vec![Status::Met, Status::Unmet, Status::Unknown],
        Body::DistinctApprovers => vec![Status::Met],
    };
    let has_alternative = |other: &Rule| {
        other.alternatives == rule.alternatives
            && matches!(other.body, Body::Window(_)) == matches!(rule.body, Body::Window(_))
    };
    let alternatives = rule.alternatives.is_some() && stage.rules.iter().filter(|r| has_alternative(r)).count() > 1;
    let by_guard = rule.guard.is_some_and(|guard| can_be(program, stage, guard, Truth::False));
    if alternatives || by_guard {
        out.push(Status::NotApplicable);
    }
    let unsure = rule.guard.is_some_and(|guard| can_be(program, stage, guard, Truth::Unknown));
    if unsure && !out.contains(&Status::Unknown) && out.iter().any(|s| s.blocks()) && !is_condition(&rule.body) {
        out.push(Status::Unknown);
    }
    let id = RuleId(index as u32);
    let blocks = out.iter().any(|s| s.blocks() && !(*s == Status::Unmet && matches!(rule.body, Body::Approve(_))));
    if blocks && stage.overrides.iter().any(|o| o.skips.contains(&id)) {
        out.push(Status::Overridden);
    }
    out
}

/// Of a condition it is known exactly what it can be together with its guard.
fn is_condition(body: &Body) -> bool {
    matches!(body, Body::Require(_) | Body::Forbid(_) | Body::Advise(_))
}

/// Whether every instant lies inside.
fn is_always(set: &TimeSet) -> bool {
    let mut fuel = 100_000;
    set.contains(0) && set.next_edge(0, &mut fuel) == NextEdge::Never
}

/// Which sides of edges there are: just before and after it begins, just before and after it ends.
pub(super) fn edges(set: &TimeSet) -> [bool; 4] {
    let mut fuel = 100_000;
    let (mut begins, mut ends) = (false, false);
    let mut from = 0;
    for _ in 0..4 {
        let NextEdge::At(edge) = set.next_edge(from, &mut fuel) else { break };
        if set.contains(edge) {
            begins = true
        } else {
            ends = true
        }
        from = edge;
    }
    [begins, begins, ends, ends]
}

/// Whether a test can be unknown: whether a fact that it reads can be missing.
pub(super) fn can_be_unknown(program: &Program, test: &Test) -> bool {
    if matches!(test.check, Check::IsSet | Check::IsMissing) {
        return false;
    }
    reads(test).into_iter().any(|slot| can_be_missing(program, slot)) || unknown_though_present(program, test)
}

/// A collection may be empty, a status may be pending, a group may not have been supplied.
fn unknown_though_present(program: &Program, test: &Test) -> bool {
    fn of_group(program: &Program, check: &Check) -> bool {
        match check {
            Check::InGroup(id) => program.groups.get(id.0 as usize).is_some_and(|g| g.members.is_none()),
            Check::Every(check) | Check::Any(check) | Check::Not(check) => of_group(program, check),
            _ => false,
        }
    }
    let status = match program.slots.get(test.left.0 as usize) {
        Some(Slot::Builtin(Builtin::StageStatus(_))) => true,
        Some(Slot::Fact(index)) => program.facts.get(*index as usize).is_some_and(|f| holds_status(&f.ty)),
        Some(Slot::FactKey(index, _)) => program.facts.get(*index as usize).is_some_and(|f| holds_status(&f.ty)),
        _ => false,
    };
    status || matches!(test.check, Check::Every(_)) || of_group(program, &test.check)
}

fn holds_status(ty: &Type) -> bool {
    let mut ty = ty;
    while let Type::Set(of) | Type::Map(of) = ty {
        ty = of;
    }
    matches!(ty, Type::Enum(of) if is_status(of))
}

fn is_status(of: &EnumType) -> bool {
    of.builtin == Some("status")
}

fn can_be_missing(program: &Program, slot: SlotId) -> bool {
    !matches!(
        program.slots.get(slot.0 as usize),
        Some(Slot::Builtin(Builtin::BuildId | Builtin::Action | Builtin::Now))
    )
}

/// The slots that a test reads.
pub(crate) fn reads(test: &Test) -> Vec<SlotId> {
    let mut slots = vec![test.left];
    let mut check = &test.check;
    while let Check::Every(inner) | Check::Any(inner) | Check::Not(inner) = check {
        check = inner;
    }
    let mut push = |right: &Right| {
        if let Right::Slot(id) = right {
            slots.push(*id);
        }
    };
    match check {
        Check::Compare(_, right) | Check::Contains(right) | Check::StartsWith(right) | Check::EndsWith(right) => {
            push(right);
        }
        Check::InList(list) => list.iter().for_each(push),
        Check::InSet(id) => slots.push(*id),
        _ => {}
    }
    slots
}

/// The truth of an entry now and, if only time passes, in the end.
type Pair = (Truth, Truth);

const STAYS_TRUE: Pair = (Truth::True, Truth::True);
const STAYS_FALSE: Pair = (Truth::False, Truth::False);
const STAYS_UNKNOWN: Pair = (Truth::Unknown, Truth::Unknown);
const TURNS_TRUE: Pair = (Truth::False, Truth::True);
const TURNS_FALSE: Pair = (Truth::True, Truth::False);

/// The statuses of a rule that is a condition.
fn condition(program: &Program, stage: &Stage, rule: &Rule, root: OpId, wanted: bool, waits: bool) -> Vec<Status> {
    let mut out: Vec<Status> = Vec::new();
    let roots: Vec<OpId> = [Some(root), rule.guard].into_iter().flatten().collect();
    let complete = combinations(program, stage, &roots, |values| {
        let (now, later) = values(root);
        let guard = rule.guard.map_or(STAYS_TRUE, values);
        let hold = |truth: Truth| if wanted { truth } else { not(truth) };
        let (now, later) = (hold(now), hold(later));
        let status = match (now, guard.0) {
            (_, Truth::False) => Status::NotApplicable,
            (Truth::True, _) => Status::Met,
            (Truth::False, Truth::True) => match waits && (later == Truth::True || guard.1 == Truth::False) {
                true => Status::Waiting,
                false => Status::Unmet,
            },
            _ => Status::Unknown,
        };
        if !out.contains(&status) {
            out.push(status);
        }
    });
    if !complete {
        return vec![Status::Met, Status::Unmet, Status::Unknown];
    }
    out
}

fn can_be(program: &Program, stage: &Stage, root: OpId, truth: Truth) -> bool {
    let mut found = false;
    let complete = combinations(program, stage, &[root], |values| found |= values(root).0 == truth);
    found || !complete
}

fn not(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Unknown => Truth::Unknown,
    }
}

/// Goes through every combination of what the tests under the roots can be; `false` when they are too many. Tests on
/// one fact are known to be unknown together, and are else taken to be independent.
fn combinations(program: &Program, stage: &Stage, roots: &[OpId], mut each: impl FnMut(&dyn Fn(OpId) -> Pair)) -> bool {
    let entries = below(stage, roots);
    let mut slots: Vec<SlotId> = Vec::new();
    let mut leaves: Vec<(OpId, &Test)> = Vec::new();
    for id in &entries {
        if let Some(Op::Test(test)) = stage.ops.get(id.0 as usize) {
            leaves.push((*id, test));
            slots.extend(reads(test).into_iter().filter(|slot| can_be_missing(program, *slot)));
        }
    }
    slots.sort_unstable();
    slots.dedup();
    if slots.len() > 16 {
        return false;
    }
    let mut budget = MAX_COMBINATIONS;
    let mut values: Vec<Pair> = vec![STAYS_UNKNOWN; stage.ops.len()];
    for missing in 0u32..1 << slots.len() {
        let is_missing = |slot: SlotId| slots.binary_search(&slot).is_ok_and(|bit| missing & (1 << bit) != 0);
        let choices: Vec<Vec<Pair>> = leaves.iter().map(|(_, test)| choices(program, test, &is_missing)).collect();
        let mut digits = vec![0usize; leaves.len()];
        loop {
            budget = match budget.checked_sub(1) {
                Some(budget) => budget,
                None => return false,
            };
            for ((id, _), (choices, digit)) in leaves.iter().zip(choices.iter().zip(&digits)) {
                set(&mut values, *id, choices.get(*digit).copied().unwrap_or(STAYS_UNKNOWN));
            }
            for id in &entries {
                gate(stage, *id, &mut values);
            }
            each(&|id| values.get(id.0 as usize).copied().unwrap_or(STAYS_UNKNOWN));
            if !next(&mut digits, &choices) {
                break;
            }
        }
    }
    true
}

/// Counts on; `false` after the last.
fn next(digits: &mut [usize], choices: &[Vec<Pair>]) -> bool {
    for (digit, choices) in digits.iter_mut().zip(choices) {
        *digit += 1;
        if *digit < choices.len() {
            return true;
        }
        *digit = 0;
    }
    false
}

fn set(values: &mut [Pair], id: OpId, pair: Pair) {
    if let Some(value) = values.get_mut(id.0 as usize) {
        *value = pair;
    }
}

fn gate(stage: &Stage, id: OpId, values: &mut [Pair]) {
    let get = |id: &OpId| values.get(id.0 as usize).copied().unwrap_or(STAYS_UNKNOWN);
    let args = |from: &u32, to: &u32| stage.args.get(*from as usize..*to as usize).unwrap_or_default().iter();
    let pair = match stage.ops.get(id.0 as usize) {
        Some(Op::Constant(value)) => {
            if *value {
                STAYS_TRUE
            } else {
                STAYS_FALSE
            }
        }
        Some(Op::Not(arg)) => {
            let (now, later) = get(arg);
            (not(now), not(later))
        }
        Some(Op::And(from, to)) => args(from, to).map(get).fold(STAYS_TRUE, |a, b| (a.0.min(b.0), a.1.min(b.1))),
        Some(Op::Or(from, to)) => args(from, to).map(get).fold(STAYS_FALSE, |a, b| (a.0.max(b.0), a.1.max(b.1))),
        Some(Op::Test(_)) | None => return,
    };
    set(values, id, pair);
}

/// The entries under the roots, ascending.
pub(crate) fn below(stage: &Stage, roots: &[OpId]) -> Vec<OpId> {
    let mut marks = vec![false; stage.ops.len()];
    let mut stack: Vec<OpId> = roots.to_vec();
    while let Some(id) = stack.pop() {
        let Some(mark) = marks.get_mut(id.0 as usize) else { continue };
        if std::mem::replace(mark, true) {
            continue;
        }
        match stage.ops.get(id.0 as usize) {
            Some(Op::Not(arg)) => stack.push(*arg),
            Some(Op::And(from, to) | Op::Or(from, to)) => {
                stack.extend(stage.args.get(*from as usize..*to as usize).unwrap_or_default());
            }
            _ => {}
        }
    }
    marks.iter().enumerate().filter(|(_, mark)| **mark).map(|(index, _)| OpId(index as u32)).collect()
}

/// What one test can be, given which facts are missing.
fn choices(program: &Program, test: &Test, is_missing: &dyn Fn(SlotId) -> bool) -> Vec<Pair> {
    let missing = reads(test).into_iter().any(is_missing);
    match test.check {
        Check::IsSet => return vec![if missing { STAYS_FALSE } else { STAYS_TRUE }],
        Check::IsMissing => return vec![if missing { STAYS_TRUE } else { STAYS_FALSE }],
        _ if missing => return vec![STAYS_UNKNOWN],
        _ => {}
    }
    let moves = |slot: SlotId| {
        matches!(
            program.slots.get(slot.0 as usize),
            Some(Slot::Builtin(Builtin::Now | Builtin::BuildAge | Builtin::CurrentAge | Builtin::StageAge(_)))
        )
    };
    let comparison = match &test.check {
        Check::Compare(comparison, right) => {
            let right_moves = matches!(right, Right::Slot(id) if moves(*id));
            match (moves(test.left), right_moves) {
                (true, false) => Some(*comparison),
                (false, true) => Some(match comparison {
                    Comparison::Lt => Comparison::Gt,
                    Comparison::Le => Comparison::Ge,
                    Comparison::Gt => Comparison::Lt,
                    Comparison::Ge => Comparison::Le,
                    same => *same,
                }),
                _ => None,
            }
        }
        _ => None,
    };
    let mut out = match comparison {
        Some(Comparison::Gt | Comparison::Ge) => vec![STAYS_TRUE, TURNS_TRUE],
        Some(Comparison::Lt | Comparison::Le) => vec![STAYS_FALSE, TURNS_FALSE],
        Some(Comparison::Eq) => vec![STAYS_FALSE, TURNS_FALSE],
        Some(Comparison::Ne) => vec![STAYS_TRUE, TURNS_TRUE],
        None => vec![STAYS_TRUE, STAYS_FALSE],
    };
    if unknown_though_present(program, test) {
        out.push(STAYS_UNKNOWN);
    }
    out
}
