//! Times: windows, freezes, calendars.

use std::sync::Arc;

use foldhash::{HashSet, HashSetExt};

use super::conditions::{circles, too_deep};
use super::instants;
use super::names::{self, Ctx};
use super::operands::{hint, sorted};
use super::order::order;
use crate::diagnostic::codes::{
    BOTH_DAY_FIELDS, CRON, EMPTY_TIMES, LISTED_TWICE, MIXED_ZONES, NEVER, TOO_MANY, UNKNOWN_CALENDAR,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::schedule::{Cron, Edge, Piece, TimeSet, Zone};
use crate::syntax::tree::{self, Times, TimesItem, TimesKind, Word};

/// So many times are looked through for an instant in them: it costs time, and serves a warning only.
const LOOKINGS: usize = 1_000;

/// A calendar, compiled.
pub(super) struct Compiled {
    set: Arc<TimeSet>,
    /// The pieces that looking into it walks over, those of the calendars in it too.
    pieces: usize,
}

/// The set of instants that is written there; local times are in `zone` unless they say otherwise. `None` when an error
/// has been told.
pub(super) fn set(ctx: &mut Ctx<'_>, times: &Times, zone: Zone) -> Option<TimeSet> {
    let (set, pieces) = compile(ctx, times, zone)?;
    let limit = ctx.limits.program;
    let before = ctx.interner.size;
    ctx.interner.size = before.saturating_add(pieces);
    if ctx.interner.size > limit {
        if before <= limit {
            ctx.sink.push(
                Diagnostic::new(TOO_MANY, times.span, format!("the policy has more than {limit} entries"))
                    .label("the limit is passed here")
                    .help("calendars count with all that is in them, and rules of `stage *` once for each stage"),
            );
        }
        return None;
    }
    Some(set)
}

/// All calendars, used or not: to be called before the rules are compiled, which take them from here. Nothing should
/// count as used meanwhile ([`Names::quiet`](super::names::Names::quiet)).
pub(super) fn check_calendars(ctx: &mut Ctx<'_>) {
    let names = ctx.names;
    let mut calendars: Vec<&tree::Calendar> = names.calendars.values().copied().collect();
    calendars.sort_by_key(|calendar| calendar.name.span);
    let roots = calendars.iter().map(|calendar| calendar.name.value.as_str());
    let order = order(roots, |name| {
        let items = names.calendars.get(name).map(|c| c.times.include.iter().chain(&c.times.except));
        let used = items.into_iter().flatten().filter_map(|item| match &item.kind {
            TimesKind::Calendar(word) => names.calendars.get_key_value(word.value.as_str()).map(|(name, _)| *name),
            _ => None,
        });
        used.collect()
    });
    circles(ctx, "calendar", &order.circles, |name| names.calendars.get(name).map(|calendar| &calendar.name));
    // Looking into calendars recurses as deep as they use one another.
    let limit = ctx.limits.depth;
    for calendar in calendars {
        if order.depth.get(calendar.name.value.as_str()) == Some(&limit.saturating_add(1)) {
            too_deep(ctx, "calendars", &calendar.name);
        }
    }
    for name in order.sorted {
        let Some(calendar) = names.calendars.get(name) else { continue };
        if order.depth.get(name).is_none_or(|depth| *depth > limit) {
            continue;
        }
        let zone = names.zone(calendar.name.span.source);
        if let Some((set, pieces)) = compile(ctx, &calendar.times, zone) {
            ctx.interner.calendars.insert(name.to_string(), Compiled { set: Arc::new(set), pieces });
        }
    }
}

fn compile(ctx: &mut Ctx<'_>, times: &Times, zone: Zone) -> Option<(TimeSet, usize)> {
    let before = ctx.sink.diagnostics.len();
    let items: Vec<&TimesItem> = times.include.iter().chain(&times.except).collect();
    let zones = zones(ctx, &items, zone);
    let mut pieces: Vec<Option<(Piece, Zone)>> = Vec::with_capacity(items.len());
    let mut count = 1_usize;
    let mut ok = true;
    let mut calendars: HashSet<(bool, &str)> = HashSet::new();
    for (at, item) in items.iter().enumerate() {
        let zone = zones.get(at).copied().flatten();
        if let TimesKind::Calendar(word) = &item.kind
            && !calendars.insert((at < times.include.len(), &word.value))
        {
            let message = format!("the calendar `{}` is listed twice", word.value);
            ctx.sink.push(Diagnostic::new(LISTED_TWICE, word.span, message).help("remove one of them"));
            pieces.push(None);
            continue;
        }
        let piece = piece(ctx, item, zone.unwrap_or(Zone::UTC), &mut count);
        ok &= piece.is_some() && zone.is_some();
        pieces.push(piece.map(|piece| (piece, zone.unwrap_or(Zone::UTC))));
    }
    if !ok || count > ctx.limits.program {
        if ok {
            let message = "these times are made of too many others";
            ctx.sink.push(
                Diagnostic::new(TOO_MANY, times.span, message)
                    .label(format!("{count} pieces, over all calendars in it"))
                    .help(format!("the limit is {}", ctx.limits.program)),
            );
        }
        return None;
    }
    let except = pieces.split_off(times.include.len().min(pieces.len()));
    let set = TimeSet::new(pieces.into_iter().flatten().collect(), except.into_iter().flatten().collect());
    // A calendar that never comes has been told where it is declared.
    let only_calendars = items.iter().all(|item| matches!(item.kind, TimesKind::Calendar(_)));
    let told = ctx.sink.diagnostics.iter().skip(before).any(|told| told.code == NEVER);
    ctx.interner.lookings = ctx.interner.lookings.saturating_add(1);
    let look = !told && ctx.interner.lookings <= LOOKINGS && !(only_calendars && times.except.is_empty());
    if look && set.is_empty() {
        let help = match times.except.is_empty() {
            true => "no instant of the years 1970 to 2200 lies in them",
            false => "what stands after `except` takes all of it away",
        };
        ctx.sink.push(Diagnostic::new(NEVER, times.span, "these times never come").help(help));
    }
    Some((set, count))
}

/// The zone of each item: that of the first `in` at it or after it, else the file's. `None` where it does not exist.
fn zones(ctx: &mut Ctx<'_>, items: &[&TimesItem], zone: Zone) -> Vec<Option<Zone>> {
    let mut zones = Vec::with_capacity(items.len());
    let mut current = Some(zone);
    let mut first_without: Option<&TimesItem> = None;
    let mut named: Option<&Word> = None;
    for item in items.iter().rev() {
        if let Some(word) = &item.zone {
            named = named.or(Some(word));
            current = names::zone(ctx.sink, word);
        } else if named.is_none() && reads_zone(item) {
            first_without = Some(item);
        }
        zones.push(current);
    }
    zones.reverse();
    if let (Some(item), Some(word)) = (first_without, named) {
        let own = zone.tz().name();
        ctx.sink.push(
            Diagnostic::new(
                MIXED_ZONES,
                item.span,
                format!("`in \"{}\"` covers only what stands before it", word.value),
            )
            .label(format!("this is in {own}, the zone of the file"))
            .also(word.span, "ends here")
            .help(format!("write `in \"{}\"` after the last of them, or `in \"{own}\"` after this one", word.value)),
        );
    }
    zones
}

/// Whether what an item means hangs on the zone of the list.
fn reads_zone(item: &TimesItem) -> bool {
    match &item.kind {
        TimesKind::Calendar(_) => false,
        TimesKind::Span { start, end } => start.zone.is_none() || end.zone.is_none(),
        _ => true,
    }
}

fn piece(ctx: &mut Ctx<'_>, item: &TimesItem, zone: Zone, count: &mut usize) -> Option<Piece> {
    *count = count.saturating_add(1);
    match &item.kind {
        TimesKind::Weekly { days, start, end } => {
            not_equal(ctx, start, end)?;
            Some(Piece::Weekly { days: (days.0.0, days.1.0), start: start.0, end: end.0 })
        }
        TimesKind::Daily { start, end } => {
            not_equal(ctx, start, end)?;
            Some(Piece::Weekly { days: (0, 6), start: start.0, end: end.0 })
        }
        TimesKind::WeekSpan { start, end } => {
            if start.0.value == end.0.value && start.1.value == end.1.value {
                let message = "this begins and ends at the same time of the week";
                ctx.sink.push(
                    Diagnostic::new(EMPTY_TIMES, item.span, message)
                        .label("is it never, or always?")
                        .help("for the whole week write `daily 00:00..24:00`"),
                );
                return None;
            }
            Some(Piece::WeekSpan { start: (start.0.0, start.1.0), end: (end.0.0, end.1.0) })
        }
        TimesKind::Dates { first, last } => {
            let from = instants::calendar_day(ctx.sink, first.value, first.span);
            let to = match last {
                Some(last) => instants::calendar_day(ctx.sink, last.value, last.span),
                None => from,
            };
            let (from, to) = (from?, to?);
            if to < from {
                backwards(ctx, item.span, "this ends before it begins", "write the earlier day first");
                return None;
            }
            Some(Piece::Dates { first: from, last: to })
        }
        TimesKind::Span { start, end } => {
            let from = instants::edge(ctx.sink, start, start.span, zone, Edge::Start);
            let to = instants::edge(ctx.sink, end, end.span, zone, Edge::End);
            let (from, to) = (from?, to?);
            if to <= from {
                let message = if to == from { "this ends when it begins" } else { "this ends before it begins" };
                backwards(ctx, item.span, message, "write the earlier instant first");
                return None;
            }
            Some(Piece::Span { start: from, end: to })
        }
        TimesKind::Yearly { first, last } => {
            let last = last.as_ref().unwrap_or(first);
            Some(Piece::Yearly { first: first.value, last: last.value })
        }
        TimesKind::Cron { expr, length } => {
            let cron = cron(ctx, expr, "take the other days of the week out with `except`")?;
            Some(Piece::Cron { cron, seconds: i64::try_from(length.seconds).unwrap_or(i64::MAX) })
        }
        TimesKind::Calendar(word) => calendar(ctx, word, count),
    }
}

fn not_equal(ctx: &mut Ctx<'_>, start: &tree::At<tree::TimeOfDay>, end: &tree::At<tree::TimeOfDay>) -> Option<()> {
    if start.value != end.value {
        return Some(());
    }
    ctx.sink.push(
        Diagnostic::new(EMPTY_TIMES, start.span.to(end.span), "this begins and ends at the same time of day")
            .label("is it never, or the whole day?")
            .help("for the whole day write `00:00..24:00`"),
    );
    None
}

fn backwards(ctx: &mut Ctx<'_>, span: Span, message: &str, help: &str) {
    ctx.sink.push(Diagnostic::new(EMPTY_TIMES, span, message).help(help));
}

fn calendar(ctx: &mut Ctx<'_>, word: &Word, count: &mut usize) -> Option<Piece> {
    let names = ctx.names;
    if !names.calendars.contains_key(word.value.as_str()) {
        let known = sorted(ctx, names.calendars.keys().copied());
        let help = hint(ctx, &word.value, known);
        let help = help.unwrap_or_else(|| format!("declare it: `calendar {} = 2026-12-20 .. 2027-01-02`", word.value));
        ctx.sink.push(
            Diagnostic::new(UNKNOWN_CALENDAR, word.span, format!("there is no calendar `{}`", word.value))
                .label("not declared")
                .help(help),
        );
        return None;
    }
    names.use_calendar(&word.value);
    // One that is known and not there is wrong itself, which has been told.
    let compiled = ctx.interner.calendars.get(&word.value)?;
    *count = count.saturating_add(compiled.pieces);
    Some(Piece::Set(compiled.set.clone()))
}

/// A cron expression; with what is surely not meant. `both` says how to restrict the days of the week beside it.
pub(super) fn cron(ctx: &mut Ctx<'_>, word: &Word, both: &str) -> Option<Cron> {
    let cron = match Cron::parse(&word.value) {
        Ok(cron) => cron,
        Err(error) => {
            // Where the text stands as it was written (no escapes), the very field can be shown.
            let exact = (word.span.end - word.span.start) as usize == word.value.len() + 2;
            let span = match exact && !error.range.is_empty() {
                true => {
                    let start = word.span.start as usize + 1;
                    Span::new(word.span.source, start + error.range.start, start + error.range.end)
                }
                false => word.span,
            };
            ctx.sink.push(Diagnostic::new(CRON, span, error.message).help(error.help));
            return None;
        }
    };
    if cron.never_fires() {
        ctx.sink.push(
            Diagnostic::new(NEVER, word.span, "this schedule never comes: no such day exists")
                .help("look at the day of the month and the month together"),
        );
    } else if cron.restricts_both_days() {
        let fields: Vec<&str> = word.value.split_whitespace().collect();
        let told =
            Diagnostic::new(BOTH_DAY_FIELDS, word.span, "this comes on days that fit either day field, not both")
                .label("both day fields are restricted");
        ctx.sink.push(match fields.as_slice() {
            [minute, hour, day, month, weekday] => told
                .help(format!(
                    "to say the same without a doubt, write two: \"{minute} {hour} {day} {month} *\" and \
                     \"{minute} {hour} * {month} {weekday}\""
                ))
                .help(format!("for days that fit both, write \"{minute} {hour} {day} {month} *\" and {both}")),
            _ => told.help("write two expressions, each with one of the day fields `*`"),
        });
    }
    Some(cron)
}
