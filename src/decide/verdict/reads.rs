//! What of a request a stage reads.

use super::compact::{FactPlan, NONE, bit};
use crate::program::{Approve, Body, Builtin, Program, Slot, Stage, Trigger};

/// What of a request a stage reads; the rest need only be looked at to see that it is in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads {
    /// The first slots, as bits; those beyond are taken to be read.
    slots: u64,
    /// Stages whose runs it asks for, as bits by their numbers; those beyond are taken to be asked for.
    stages: u64,
    /// What people said.
    pub approvals: bool,
    /// How builds ended in stages.
    pub runs: bool,
    /// Whose build it is.
    pub author: bool,
    /// Who asks for it, and who set it off.
    pub asker: bool,
    /// What set the promotion off.
    pub trigger: bool,
    /// What occupies the stage, and whether it is older.
    pub occupant: bool,
}

impl Default for Reads {
    /// Everything: it is not known yet which stage is asked.
    fn default() -> Reads {
        Reads {
            slots: u64::MAX,
            stages: u64::MAX,
            approvals: true,
            runs: true,
            author: true,
            asker: true,
            trigger: true,
            occupant: true,
        }
    }
}

impl Reads {
    #[inline]
    pub fn slot(&self, slot: u32) -> bool {
        slot != NONE && (slot >= 64 || self.slots >> slot & 1 == 1)
    }

    /// Whether it asks for runs of a stage.
    #[inline]
    pub fn run_of(&self, stage: u32) -> bool {
        stage != NONE && (stage >= 64 || self.stages >> stage & 1 == 1)
    }

    /// Whether it reads anything of a declared fact.
    pub fn fact(&self, plan: &FactPlan) -> bool {
        self.slot(plan.whole) || plan.keys.iter().any(|(_, slot)| self.slot(*slot))
    }

    pub fn new(program: &Program, stage: &Stage) -> Reads {
        let bodies = || stage.rules.iter().map(|rule| &rule.body);
        let slots = stage.slots.iter().filter_map(|id| bit(id.0 as usize)).fold(0, |all, bit| all | bit);
        let mut stages = 0;
        let mut runs = false;
        let mut asks_run = |stage: crate::program::StageId| {
            runs = true;
            stages |= bit(stage.0 as usize).unwrap_or(0);
        };
        for body in bodies() {
            match body {
                Body::After(clauses) => clauses.iter().flat_map(|c| &c.stages).for_each(|s| asks_run(s.stage)),
                Body::Soak(clauses) => clauses.iter().flat_map(|c| &c.after.stages).for_each(|s| asks_run(s.stage)),
                Body::Approve(Approve { since: Some(stage), .. }) => asks_run(*stage),
                _ => {}
            }
        }
        for slot in stage.slots.iter().filter_map(|id| program.slots.get(id.0 as usize)) {
            if let Slot::Builtin(Builtin::StageStatus(stage) | Builtin::StageAt(stage) | Builtin::StageAge(stage)) =
                slot
            {
                asks_run(*stage);
            }
        }
        let approvals = bodies().any(|body| matches!(body, Body::Approve(_)));
        Reads {
            slots,
            stages,
            approvals,
            runs,
            author: approvals,
            asker: bodies().any(|body| match body {
                Body::Approve(approve) => approve.quorum.except.requester,
                Body::Trigger(Trigger::Manual { by }) => by.is_some(),
                _ => false,
            }),
            trigger: bodies().any(|body| matches!(body, Body::Trigger(_))),
            occupant: bodies().any(|body| {
                matches!(body, Body::ForwardOnly)
                    || matches!(body, Body::Trigger(Trigger::Schedule(schedule)) if schedule.if_changed)
            }),
        }
    }
}

/// Where the facts that always exist are read, if they are.
#[derive(Debug)]
pub(crate) struct Builtins {
    slots: [u32; 20],
}

impl Builtins {
    pub fn new(program: &Program) -> Builtins {
        let mut builtins = Builtins { slots: [NONE; 20] };
        for (index, slot) in program.slots.iter().enumerate() {
            if let Slot::Builtin(builtin) = slot
                && let Some(place) = place_of(*builtin).and_then(|place| builtins.slots.get_mut(place))
            {
                *place = index as u32;
            }
        }
        builtins
    }

    /// The slot, or [`NONE`].
    pub fn of(&self, builtin: Builtin) -> u32 {
        place_of(builtin).and_then(|place| self.slots.get(place)).copied().unwrap_or(NONE)
    }
}

fn place_of(builtin: Builtin) -> Option<usize> {
    Some(match builtin {
        Builtin::BuildId => 0,
        Builtin::BuildDigest => 1,
        Builtin::BuildVersion => 2,
        Builtin::BuildBranch => 3,
        Builtin::BuildCommit => 4,
        Builtin::BuildAuthor => 5,
        Builtin::BuildContributors => 6,
        Builtin::BuildLabels => 7,
        Builtin::BuildCreated => 8,
        Builtin::BuildAge => 9,
        Builtin::Trigger => 10,
        Builtin::Action => 11,
        Builtin::Requester => 12,
        Builtin::Now => 13,
        Builtin::CurrentId => 14,
        Builtin::CurrentVersion => 15,
        Builtin::CurrentCreated => 16,
        Builtin::CurrentDigest => 17,
        Builtin::CurrentAt => 18,
        Builtin::CurrentAge => 19,
        Builtin::StageStatus(_) | Builtin::StageAt(_) | Builtin::StageAge(_) => return None,
    })
}
