//! Triggers.

use super::names::Ctx;
use super::patterns::{self, Pattern};
use super::{names, people, stages, times};
use crate::diagnostic::SourceId;
use crate::program::{self, Branches, ManualBy, ScheduleTrigger};
use crate::schedule::{Piece, TimeSet};
use crate::syntax::tree::{self, Word};

/// A firing may be asked for so long after it, in seconds, when the trigger does not say.
const WITHIN: i64 = 3_600;

/// The trigger that is written there, in a rule of that file. `None` when an error has been told.
pub(super) fn trigger(ctx: &mut Ctx<'_>, trigger: &tree::Trigger, source: SourceId) -> Option<program::Trigger> {
    Some(match trigger {
        tree::Trigger::Push { to } => program::Trigger::Push { to: branches(ctx, to.as_ref())? },
        tree::Trigger::PullRequest { to } => program::Trigger::PullRequest { to: branches(ctx, to.as_ref())? },
        tree::Trigger::Manual { by } if by.is_empty() => program::Trigger::Manual { by: None },
        tree::Trigger::Manual { by } => {
            let (people, directories) = people::resolve(ctx, by);
            program::Trigger::Manual { by: Some(ManualBy { people, directories }) }
        }
        tree::Trigger::Completion { of: None } => program::Trigger::Completion { of: None },
        tree::Trigger::Completion { of: Some(word) } => {
            program::Trigger::Completion { of: Some(stages::stage(word, ctx.names, ctx.sink)?) }
        }
        tree::Trigger::Event { name } => program::Trigger::Event { name: name.value.clone() },
        tree::Trigger::Schedule { cron, zone, within, if_changed } => {
            let expr = times::cron(ctx, cron, "restrict the days of the week with a `window`");
            let zone = match zone {
                Some(word) => names::zone(ctx.sink, word),
                None => Some(ctx.names.zone(source)),
            };
            let (parsed, zone) = (expr?, zone?);
            let seconds = match within {
                Some(within) => i64::try_from(within.seconds).unwrap_or(i64::MAX),
                None => WITHIN,
            };
            let met = TimeSet::new(vec![(Piece::Cron { cron: parsed.clone(), seconds }, zone)], Vec::new());
            program::Trigger::Schedule(ScheduleTrigger {
                expr: cron.value.clone(),
                cron: parsed,
                zone,
                met,
                if_changed: *if_changed,
            })
        }
    })
}

/// `None` inside: any branch.
#[allow(clippy::option_option)]
fn branches(ctx: &mut Ctx<'_>, to: Option<&Word>) -> Option<Option<Branches>> {
    let Some(word) = to else { return Some(None) };
    let matcher = patterns::compile(ctx, Pattern::Glob, word)?;
    Some(Some(Branches { glob: word.value.clone(), matcher }))
}
