//! The flat program once more, laid out for the verdict alone: texts are numbers, tests of enumerations are masks, and
//! what a rule needs to be looked at lies side by side.

use super::reads::{Builtins, Reads};
use crate::decide::conditions::{Asking, Seen};
use crate::decide::names::Names;
use crate::decide::plan::{Plan, StagePlan};
use crate::decide::truth::Truth;
use crate::facts::RunStatus;
use crate::facts::slots::Slots;
use crate::people::Members;
use crate::program::{
    After, Approve, Body, Builtin, Check, Comparison, Constant, Count, GroupId, Including, Kind, Matcher, Op, OpId,
    Program, Right, Rule, RuleId, Slot, SlotId, Stage, Test, Trigger, Type,
};
use crate::schedule::TimeSet;

/// So many of them are bits of a word.
pub(crate) fn bit(index: usize) -> Option<u64> {
    (index < 64).then(|| 1 << index)
}

/// No number: a text that the policy does not know, an entry that is not there.
pub(crate) const NONE: u32 = u32::MAX;
/// Enumerations of at most so many values are masks.
const MASK: usize = 64;
/// From here on (the year 2170) a set that comes again may have come for the last time.
const LATE: i64 = 6_311_433_600;

/// A value of a slot in sixteen bytes; what is longer lies in the [`Given`](super::Given).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Not supplied.
    Missing,
    /// Supplied as absent.
    Null,
    Bool(bool),
    Number(f64),
    /// A text of the request: its number in the policy (or [`NONE`]), and where it stands.
    Text {
        id: u32,
        at: u32,
        len: u32,
    },
    /// A text of the policy.
    Word(u32),
    /// Nanoseconds since the epoch.
    Time(i64),
    /// Nanoseconds.
    Duration(i64),
    /// Index into the versions of the request.
    Version(u32),
    /// Index into the versions of the policy.
    FixedVersion(u32),
    Enum(u16),
    Status(u16),
    /// A set, or the values of a map: elements of the request from, to.
    Set(u32, u32),
    /// A set of an enumeration, or the values of a map of one: which of its values are there.
    Bits {
        status: bool,
        bits: u64,
    },
}

/// A left or right side.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Fixed(Cell),
    Slot(u32),
}

/// [`Check`] with its sides looked up.
#[derive(Debug)]
#[repr(u8)]
pub(crate) enum Ask {
    Compare(Comparison, Side),
    InList(Vec<Side>),
    InSet(u32),
    InGroup(GroupId),
    Contains(Side),
    StartsWith(Side),
    EndsWith(Side),
    Matches(Matcher),
    IsSet,
    IsMissing,
    IsTrue,
    Not(Box<Ask>),
    Every(Box<Ask>),
    Any(Box<Ask>),
    /// Of an enumeration: the values of which it is true, and of which it is unknown.
    Mask {
        yes: u64,
        unknown: u64,
    },
}

/// One entry of the program. The representation is told, since a tag of its own is read faster than one that is hidden in
/// a field; so are those of [`Ask`] and [`Unit`].
#[derive(Debug)]
#[repr(u8)]
pub(crate) enum Step {
    Fixed(Truth),
    /// A number against a number of the policy.
    Number {
        slot: u32,
        comparison: Comparison,
        value: f64,
    },
    /// A text against one of the policy: `==`, or `!=` if `not`.
    Word {
        slot: u32,
        id: u32,
        not: bool,
    },
    /// One value of an enumeration.
    Mask {
        slot: u32,
        mask: u32,
    },
    /// Every value of a collection of an enumeration.
    EveryMask {
        slot: u32,
        mask: u32,
    },
    /// Any other test: index into [`CompactStage::asks`].
    Ask(u32),
    And(u32, u32),
    Or(u32, u32),
    Not(u32),
}

/// What time alone can do to a rule that is false now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// Nothing: it stays as it is until something else changes.
    Nothing,
    /// A set of instants decides, which the reader asks.
    Times,
    /// Runs, and the time since then.
    Runs,
    /// A clock runs in its condition.
    Clock,
    /// More than this reader works out.
    Other,
}

/// What the verdict asks in turn: mostly one rule. The common shapes have all that they need at hand.
#[derive(Debug)]
#[repr(u8)]
pub(crate) enum Unit {
    /// `require` and `forbid`; `test` if the condition is one test alone.
    Condition {
        rule: u32,
        op: u32,
        guard: u32,
        forbid: bool,
        test: bool,
    },
    /// One clause of one stage: the outcomes that will do, as bits by their place in [`RunStatus`].
    After {
        rule: u32,
        stage: u32,
        outcomes: u8,
    },
    Soak {
        rule: u32,
        stage: u32,
        outcomes: u8,
        length: i64,
    },
    Freeze {
        rule: u32,
        guard: u32,
        set: TimeSet,
        /// Its number among the sets of the stage; [`NONE`] if it is not asked beforehand.
        clock: u32,
    },
    Approve {
        rule: u32,
        guard: u32,
        seat: u32,
        since: u32,
        valid: i64,
    },
    /// Triggers of a file: the kinds that do without more, as bits by their number, and who may promote by hand.
    Triggers {
        kinds: u8,
        by: Members,
        group: Vec<RuleId>,
    },
    /// Any other rule.
    Rule(u32),
    /// Windows of a file; when one of those is open that have no guard.
    Windows {
        open: TimeSet,
        clock: u32,
        group: Vec<RuleId>,
        /// What is known of `open`, if none of them has a guard.
        alone: Option<RuleFacts>,
    },
    /// Several rules that are alternatives of one another.
    Group(Vec<RuleId>),
}

impl Unit {
    /// Its set of instants, if it is asked beforehand; the first of a stage is number 0, and so on.
    pub fn clock(&self) -> Option<&TimeSet> {
        match self {
            Unit::Freeze { set, clock, .. } | Unit::Windows { open: set, clock, .. } if *clock != NONE => Some(set),
            _ => None,
        }
    }
}

/// The outcomes of a run as bits.
fn outcome_bits(outcomes: crate::program::Outcomes) -> u8 {
    let all = [
        (outcomes.succeeded, RunStatus::Succeeded),
        (outcomes.failed, RunStatus::Failed),
        (outcomes.skipped, RunStatus::Skipped),
        (outcomes.cancelled, RunStatus::Cancelled),
    ];
    all.iter().filter(|(does, _)| *does).fold(0, |bits, (_, status)| bits | 1 << *status as u8)
}

/// What is known of a rule beforehand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleFacts {
    pub ahead: Ahead,
    /// The times come again and again, so that there is always a next edge.
    pub recurs: bool,
    /// The times can be asked for an edge without an allocation.
    pub plain: bool,
}

impl RuleFacts {
    /// Of a rule whose guard stands still if it is `steady`.
    fn of_times(set: &TimeSet, steady: bool) -> RuleFacts {
        let recurs = if set.is_single() { set.recurs() } else { set.comes_after(LATE) };
        let plain = set.is_plain();
        RuleFacts { ahead: if steady && (plain || recurs) { Ahead::Times } else { Ahead::Other }, recurs, plain }
    }
}

/// A stage as the verdict reads it.
#[derive(Debug, Default)]
pub(crate) struct CompactStage {
    pub steps: Vec<Step>,
    pub args: Vec<OpId>,
    pub asks: Vec<(u32, Ask)>,
    /// `(yes, unknown)`
    pub masks: Vec<(u64, u64)>,
    pub units: Vec<Unit>,
    pub rules: Vec<RuleFacts>,
    /// The slots of the stage that change as time passes.
    pub moving: Vec<(u32, Builtin)>,
    /// The `approve` rules, in their order.
    pub seats: Vec<u32>,
    /// The same rules, where people are bits.
    pub masks_of_seats: Vec<SeatMask>,
    /// What of a request it reads.
    pub reads: Reads,
    /// For an `approve` rule of `all`: how many of its people are not excepted by name.
    pub eligible: Vec<u32>,
    /// Quorums that hang on one another: `distinct approvers`, `approvers of`.
    pub entangled: bool,
    /// No override that nobody invoked changes as time passes.
    pub steady: bool,
    /// About how many steps a search takes to look at all rules at one instant, but for what people said.
    pub cost: u64,
    /// About how many instants a search looks at where this reader spares itself the search, and is not told by one set
    /// of times alone.
    pub looks: u64,
}

/// Who may count for an `approve` rule, where each person of the policy is a bit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeatMask {
    /// Listed, and not excepted by name.
    pub people: u64,
    pub including: Option<Including>,
    /// Who asks does not count.
    pub not_requester: bool,
    /// `None`: all of them.
    pub count: Option<u32>,
}

impl SeatMask {
    fn new(approve: &Approve, plan: &StagePlan, rule: usize) -> SeatMask {
        let quorum = &approve.quorum;
        let excepted = |person: u32| plan.quorums.get(rule).is_some_and(|q| q.excepted.contains(person));
        let people = quorum.people.iter().filter(|p| !excepted(p.0)).filter_map(|p| bit(p.0 as usize));
        SeatMask {
            people: people.fold(0, |all, bit| all | bit),
            including: quorum.including,
            not_requester: quorum.except.requester,
            count: match quorum.count {
                Count::Number(n) => Some(n.max(1)),
                Count::All => None,
            },
        }
    }
}

/// All stages of a policy.
#[derive(Debug)]
pub(crate) struct Compact {
    pub versions: Vec<semver::Version>,
    pub stages: Vec<CompactStage>,
    /// The members of the groups that the policy lists.
    pub groups: Vec<Members>,
    /// Whether people may count whom the policy does not name.
    pub directories: bool,
    /// Nobody may count whom the policy does not name, and those are so few that each is a bit.
    pub few: bool,
    /// The declared facts by name: their numbers.
    pub facts: Names,
    /// By fact.
    pub fact_plans: Vec<FactPlan>,
    pub builtins: Builtins,
    /// Whether a trigger asks what was pushed to.
    pub pushes: bool,
    /// Whether a stage asks for versions of builds.
    pub asks_versions: bool,
}

/// Where the value of a declared fact goes.
#[derive(Debug)]
pub(crate) struct FactPlan {
    /// Its number in the policy.
    pub fact: u32,
    pub ty: Type,
    pub optional: bool,
    /// The slot of the whole, or [`NONE`].
    pub whole: u32,
    /// The slots of what is under keys.
    pub keys: Vec<(Box<str>, u32)>,
}

fn fact_plans(program: &Program) -> Vec<FactPlan> {
    let mut plans: Vec<FactPlan> = (program.facts.iter().enumerate())
        .map(|(index, decl)| FactPlan {
            fact: index as u32,
            ty: decl.ty.clone(),
            optional: decl.optional,
            whole: NONE,
            keys: Vec::new(),
        })
        .collect();
    for (index, slot) in program.slots.iter().enumerate() {
        match slot {
            Slot::Fact(fact) => {
                if let Some(plan) = plans.get_mut(*fact as usize) {
                    plan.whole = index as u32;
                }
            }
            Slot::FactKey(fact, key) => {
                if let Some(plan) = plans.get_mut(*fact as usize) {
                    plan.keys.push((key.as_str().into(), index as u32));
                }
            }
            Slot::Builtin(_) => {}
        }
    }
    plans
}

impl Compact {
    pub fn new(program: &Program, plan: &mut Plan) -> Compact {
        let Plan { words, by_stage, .. } = plan;
        let rules = || program.stages.iter().flat_map(|stage| &stage.rules);
        let mut compact = Compact {
            versions: Vec::new(),
            stages: Vec::with_capacity(program.stages.len()),
            groups: program.groups.iter().map(|g| Members::new(g.members.as_deref().unwrap_or_default())).collect(),
            directories: program.groups.iter().any(|g| g.members.is_none()),
            few: program.people.len() <= 64 && program.groups.iter().all(|g| g.members.is_some()),
            facts: Names::with_capacity(program.facts.len()),
            fact_plans: fact_plans(program),
            builtins: Builtins::new(program),
            pushes: rules().any(|rule| {
                matches!(
                    &rule.body,
                    Body::Trigger(Trigger::Push { to: Some(_) } | Trigger::PullRequest { to: Some(_) })
                )
            }),
            asks_versions: rules().any(|rule| matches!(rule.body, Body::ForwardOnly))
                || program
                    .slots
                    .iter()
                    .any(|slot| matches!(slot, Slot::Builtin(Builtin::BuildVersion | Builtin::CurrentVersion))),
        };
        for fact in &program.facts {
            compact.facts.add(&fact.name);
        }
        for (stage, plan) in program.stages.iter().zip(by_stage) {
            let out = CompactStage { reads: Reads::new(program, stage), ..CompactStage::default() };
            let stage = Building { program, stage, compact: &mut compact, words, out, clocks: 0 }.build(plan);
            compact.stages.push(stage);
        }
        compact
    }

    /// A declared fact by name.
    pub fn fact(&self, name: &str) -> Option<&FactPlan> {
        self.fact_plans.get(self.facts.get(name)? as usize)
    }
}

/// Whether a slot holds an enumeration or a collection of one that fits a mask: how many values, and whether `pending`
/// has its own ways.
fn enumeration(program: &Program, slot: &Slot) -> Option<(usize, bool)> {
    let of = |ty: &Type| match ty {
        Type::Enum(values) if values.values.len() <= MASK => {
            Some((values.values.len(), values.builtin == Some("status")))
        }
        _ => None,
    };
    let outer = |ty: &Type| match ty {
        Type::Set(inner) | Type::Map(inner) => of(inner),
        ty => of(ty),
    };
    match slot {
        Slot::Fact(index) => outer(&program.facts.get(*index as usize)?.ty),
        Slot::FactKey(index, _) => match &program.facts.get(*index as usize)?.ty {
            Type::Map(inner) => outer(inner),
            _ => None,
        },
        Slot::Builtin(Builtin::Trigger) => Some((crate::program::TRIGGER.len(), false)),
        Slot::Builtin(Builtin::Action) => Some((crate::program::ACTION.len(), false)),
        Slot::Builtin(Builtin::StageStatus(_)) => Some((crate::program::STATUS.len(), true)),
        Slot::Builtin(_) => None,
    }
}

/// Whether a collection of this type is kept as a mask.
pub(crate) fn is_mask(ty: &Type) -> Option<bool> {
    match ty {
        Type::Enum(values) if values.values.len() <= MASK => Some(values.builtin == Some("status")),
        _ => None,
    }
}

/// Whether a slot changes as time passes.
fn moves(slot: Option<&Slot>) -> bool {
    matches!(
        slot,
        Some(Slot::Builtin(
            Builtin::Now
                | Builtin::BuildAge
                | Builtin::CurrentAge
                | Builtin::StageAge(_)
                | Builtin::StageAt(_)
                | Builtin::StageStatus(_)
        ))
    )
}

struct Building<'a> {
    program: &'a Program,
    stage: &'a Stage,
    compact: &'a mut Compact,
    words: &'a mut Names,
    out: CompactStage,
    /// So many sets of instants have a number.
    clocks: u32,
}

impl Building<'_> {
    fn build(mut self, plan: &StagePlan) -> CompactStage {
        let stage = self.stage;
        self.out.args = stage.args.clone();
        self.out.moving.extend(stage.slots.iter().filter_map(|id| match self.program.slots.get(id.0 as usize) {
            Some(Slot::Builtin(builtin)) if moves(self.program.slots.get(id.0 as usize)) => Some((id.0, *builtin)),
            _ => None,
        }));
        let mut moving = vec![false; stage.ops.len()];
        for (index, op) in stage.ops.iter().enumerate() {
            let is = |id: &OpId| moving.get(id.0 as usize).copied().unwrap_or(false);
            let args = |from: &u32, to: &u32| stage.args.get(*from as usize..*to as usize).unwrap_or_default();
            let (step, moves) = match op {
                Op::Constant(b) => (Step::Fixed(Truth::of(*b)), false),
                Op::Test(test) => (self.test(test), self.test_moves(test)),
                Op::And(from, to) => (Step::And(*from, *to), args(from, to).iter().any(is)),
                Op::Or(from, to) => (Step::Or(*from, *to), args(from, to).iter().any(is)),
                Op::Not(id) => (Step::Not(id.0), is(id)),
            };
            if let Some(slot) = moving.get_mut(index) {
                *slot = moves;
            }
            self.out.steps.push(step);
        }
        self.rules(plan, &moving);
        self.out
    }

    fn rules(&mut self, plan: &StagePlan, moving: &[bool]) {
        let is = |id: OpId| moving.get(id.0 as usize).copied().unwrap_or(false);
        let mut cost = 2 + self.stage.ops.len() as u64 / 8 + self.stage.rules.len() as u64;
        let mut looks = 4;
        let mut grouped = vec![false; plan.alternatives.len()];
        for (index, rule) in self.stage.rules.iter().enumerate() {
            let steady = rule.guard.is_none_or(|guard| !is(guard));
            let mut facts = RuleFacts { ahead: Ahead::Nothing, recurs: false, plain: true };
            let mut times = |set: &TimeSet, alone: bool| {
                cost += set.steps();
                looks += u64::from(!alone);
                RuleFacts::of_times(set, steady)
            };
            match &rule.body {
                Body::Require(op) | Body::Forbid(op) if is(*op) => {
                    facts.ahead = Ahead::Clock;
                    looks += 2 * u64::from(op.0) + 2;
                }
                Body::Freeze(set) => facts = times(set, steady),
                Body::Window(set) => {
                    let group = plan.alternative_of.get(index).copied().flatten();
                    facts = times(set, group.is_none_or(|group| plan.is_alone(group)));
                }
                Body::Trigger(Trigger::Schedule(schedule)) => facts = times(&schedule.met, false),
                Body::After(_) => facts.ahead = Ahead::Runs,
                Body::Soak(clauses) => {
                    facts.ahead = Ahead::Runs;
                    looks += clauses.iter().map(|c| 1 + c.after.stages.len() as u64).sum::<u64>();
                }
                Body::Approve(approve) => {
                    let except = &approve.quorum.except;
                    self.out.entangled |= !except.approvers_of.is_empty();
                }
                Body::DistinctApprovers => self.out.entangled = true,
                _ => {}
            }
            if !steady && facts.ahead != Ahead::Times {
                facts.ahead = if facts.ahead == Ahead::Nothing { Ahead::Clock } else { facts.ahead };
                looks += 2 * rule.guard.map_or(0, |id| u64::from(id.0)) + 2;
            }
            self.out.rules.push(facts);
            self.out.eligible.push(match &rule.body {
                Body::Approve(approve) if approve.quorum.count == Count::All => {
                    let excepted = plan.quorums.get(index).map(|q| &q.excepted);
                    let people = approve.quorum.people.iter();
                    people.filter(|p| !excepted.is_some_and(|e| e.contains(p.0))).count() as u32
                }
                _ => 0,
            });
            match plan.alternative_of.get(index).copied().flatten() {
                None => {
                    let unit = self.unit(index, rule, plan);
                    self.out.units.extend(unit);
                }
                Some(group) => {
                    if let (Some(done @ false), Some(members)) = (grouped.get_mut(group), plan.alternatives.get(group))
                    {
                        *done = true;
                        let unit = match plan.open.get(group).and_then(Option::as_ref) {
                            Some(open) => Unit::Windows {
                                open: open.clone(),
                                clock: self.clock(open),
                                group: members.clone(),
                                alone: plan.is_alone(group).then(|| RuleFacts::of_times(open, true)),
                            },
                            None => self.group(members),
                        };
                        self.out.units.push(unit);
                    }
                }
            }
        }
        // An override that nobody invoked is never in force, but its own clock gives a search more to look at.
        let restless =
            |o: &crate::program::Override| o.guard.is_some_and(is) || !o.quorum.except.approvers_of.is_empty();
        self.out.steady = !self.stage.overrides.iter().any(restless);
        (self.out.cost, self.out.looks) = (cost, looks);
    }

    fn unit(&mut self, index: usize, rule: &Rule, plan: &StagePlan) -> Option<Unit> {
        let guard = rule.guard.map_or(NONE, |id| id.0);
        let id = index as u32;
        let one = |clause: &After| match clause.stages.as_slice() {
            [only] => Some((only.stage.0, outcome_bits(only.outcomes))),
            _ => None,
        };
        Some(match &rule.body {
            _ if rule.kind == Kind::Advise => return None,
            Body::Require(op) | Body::Forbid(op) => Unit::Condition {
                rule: id,
                op: op.0,
                guard,
                forbid: matches!(rule.body, Body::Forbid(_)),
                test: matches!(self.stage.ops.get(op.0 as usize), Some(Op::Test(_))),
            },
            Body::After(clauses) => match clauses.as_slice() {
                [clause] => match one(clause) {
                    Some((stage, outcomes)) => Unit::After { rule: id, stage, outcomes },
                    None => Unit::Rule(id),
                },
                _ => Unit::Rule(id),
            },
            Body::Soak(clauses) => match clauses.as_slice() {
                [soak] => match one(&soak.after) {
                    Some((stage, outcomes)) => Unit::Soak { rule: id, stage, outcomes, length: soak.length },
                    None => Unit::Rule(id),
                },
                _ => Unit::Rule(id),
            },
            Body::Freeze(set) => Unit::Freeze { rule: id, guard, set: set.clone(), clock: self.clock(set) },
            Body::Approve(approve) => {
                let seat = self.out.seats.len() as u32;
                self.out.seats.push(id);
                self.out.masks_of_seats.push(SeatMask::new(approve, plan, index));
                Unit::Approve {
                    rule: id,
                    guard,
                    seat,
                    since: approve.since.map_or(NONE, |stage| stage.0),
                    valid: approve.valid.unwrap_or(i64::MAX),
                }
            }
            _ => Unit::Rule(id),
        })
    }

    /// The number of the next set of instants, if it can be asked without an allocation.
    fn clock(&mut self, set: &TimeSet) -> u32 {
        if !set.is_plain() {
            return NONE;
        }
        self.clocks += 1;
        self.clocks - 1
    }

    fn group(&self, members: &[RuleId]) -> Unit {
        let (mut kinds, mut by, mut all) = (0, Vec::new(), true);
        for rule in members.iter().filter_map(|id| self.stage.rules.get(id.0 as usize)) {
            match &rule.body {
                Body::Trigger(trigger) if rule.guard.is_none() => match trigger {
                    Trigger::Push { to: None } => kinds |= 1,
                    Trigger::PullRequest { to: None } => kinds |= 1 << 1,
                    Trigger::Manual { by: None } => kinds |= 1 << 3,
                    Trigger::Manual { by: Some(people) } => by.extend_from_slice(&people.people),
                    Trigger::Completion { of: None } => kinds |= 1 << 4,
                    _ => {}
                },
                _ => all = false,
            }
        }
        match all {
            true => Unit::Triggers { kinds, by: Members::new(&by), group: members.to_vec() },
            false => Unit::Group(members.to_vec()),
        }
    }

    fn test_moves(&self, test: &Test) -> bool {
        let slot = |id: SlotId| moves(self.program.slots.get(id.0 as usize));
        slot(test.left) || test.check.right_slots().into_iter().any(slot)
    }

    fn test(&mut self, test: &Test) -> Step {
        let slot = test.left.0;
        let kind = self.program.slots.get(slot as usize).and_then(|s| enumeration(self.program, s));
        match &test.check {
            Check::Compare(comparison, Right::Constant(Constant::Number(value))) => {
                return Step::Number { slot, comparison: *comparison, value: *value };
            }
            Check::Compare(comparison @ (Comparison::Eq | Comparison::Ne), Right::Constant(Constant::String(text))) => {
                return Step::Word { slot, id: self.words.add(text), not: *comparison == Comparison::Ne };
            }
            Check::Every(check) => {
                if let (Some(mask), true) = (kind.and_then(|kind| self.mask(check, kind)), self.is_collection(slot)) {
                    return Step::EveryMask { slot, mask };
                }
            }
            Check::IsSet | Check::IsMissing => {}
            check => {
                if let (Some(mask), false) = (kind.and_then(|kind| self.mask(check, kind)), self.is_collection(slot)) {
                    return Step::Mask { slot, mask };
                }
            }
        }
        let ask = self.ask(&test.check, kind);
        self.out.asks.push((slot, ask));
        Step::Ask(u32::try_from(self.out.asks.len() - 1).unwrap_or(NONE))
    }

    fn is_collection(&self, slot: u32) -> bool {
        let fact = |index: &u32| self.program.facts.get(*index as usize).map(|f| &f.ty);
        match self.program.slots.get(slot as usize) {
            Some(Slot::Fact(index)) => matches!(fact(index), Some(Type::Set(_) | Type::Map(_))),
            Some(Slot::FactKey(index, _)) => {
                matches!(fact(index), Some(Type::Map(of)) if matches!(**of, Type::Set(_) | Type::Map(_)))
            }
            _ => false,
        }
    }

    /// A check of one value of an enumeration, asked of every value once; `None` if it reads other facts.
    fn mask(&mut self, check: &Check, (values, status): (usize, bool)) -> Option<u32> {
        let (yes, unknown) = masks(self.program, check, values, status)?;
        if let Some(known) = self.out.masks.iter().position(|m| *m == (yes, unknown)) {
            return u32::try_from(known).ok();
        }
        self.out.masks.push((yes, unknown));
        u32::try_from(self.out.masks.len() - 1).ok()
    }

    fn side(&mut self, right: &Right) -> Side {
        match right {
            Right::Slot(id) => Side::Slot(id.0),
            Right::Constant(constant) => Side::Fixed(self.cell(constant)),
        }
    }

    fn ask(&mut self, check: &Check, kind: Option<(usize, bool)>) -> Ask {
        match check {
            Check::Compare(comparison, right) => Ask::Compare(*comparison, self.side(right)),
            Check::InList(items) => Ask::InList(items.iter().map(|item| self.side(item)).collect()),
            Check::InSet(id) => Ask::InSet(id.0),
            Check::InGroup(id) => Ask::InGroup(*id),
            Check::Contains(right) => Ask::Contains(self.side(right)),
            Check::StartsWith(right) => Ask::StartsWith(self.side(right)),
            Check::EndsWith(right) => Ask::EndsWith(self.side(right)),
            Check::Matches(regex) => match self.prefix(regex) {
                Some(prefix) => Ask::StartsWith(Side::Fixed(prefix)),
                None => Ask::Matches(regex.clone()),
            },
            Check::IsSet => Ask::IsSet,
            Check::IsMissing => Ask::IsMissing,
            Check::IsTrue => Ask::IsTrue,
            Check::Not(check) => Ask::Not(Box::new(self.ask(check, kind))),
            Check::Every(check) => Ask::Every(Box::new(self.inner(check, kind))),
            Check::Any(check) => Ask::Any(Box::new(self.inner(check, kind))),
        }
    }

    /// A check of the elements of a collection.
    fn inner(&mut self, check: &Check, kind: Option<(usize, bool)>) -> Ask {
        match kind.and_then(|(values, status)| masks(self.program, check, values, status)) {
            Some((yes, unknown)) => Ask::Mask { yes, unknown },
            None => self.ask(check, kind),
        }
    }

    fn cell(&mut self, constant: &Constant) -> Cell {
        match constant {
            Constant::Bool(b) => Cell::Bool(*b),
            Constant::Number(n) => Cell::Number(*n),
            Constant::String(s) => Cell::Word(self.words.add(s)),
            Constant::Time(t) => Cell::Time(*t),
            Constant::Duration(d) => Cell::Duration(*d),
            Constant::Version(v) => {
                self.compact.versions.push((**v).clone());
                Cell::FixedVersion(u32::try_from(self.compact.versions.len() - 1).unwrap_or(NONE))
            }
            Constant::Enum(i) => Cell::Enum(*i),
        }
    }

    /// A pattern that is `text**`: the text that it begins with.
    fn prefix(&mut self, matcher: &Matcher) -> Option<Cell> {
        matcher.beginning().map(|text| Cell::Word(self.words.add(text)))
    }
}

/// The values of an enumeration of which a check is true, and of which it is unknown.
fn masks(program: &Program, check: &Check, values: usize, status: bool) -> Option<(u64, u64)> {
    if !check.right_slots().is_empty() || matches!(check, Check::InGroup(_) | Check::Every(_) | Check::Any(_)) {
        return None;
    }
    let nothing = Slots::nothing();
    let asking = Asking::new(program, &nothing, 0);
    let (mut yes, mut unknown) = (0, 0);
    for value in 0..values.min(MASK) {
        let seen = if status { Seen::Status(value as u16) } else { Seen::Enum(value as u16) };
        match asking.check(seen, check).truth {
            Truth::True => yes |= 1 << value,
            Truth::Unknown => unknown |= 1 << value,
            Truth::False => {}
        }
    }
    Some((yes, unknown))
}

/// Whether there surely is a later edge of a set that comes again.
pub(crate) fn comes_after(facts: &RuleFacts, second: i64) -> bool {
    facts.recurs && second < LATE
}
