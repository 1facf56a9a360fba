//! From the pairs of pest to the tree: declarations, stages, times, people.

use super::grammar::Rule;
use super::print::MONTHS;
use super::tree::*;
use crate::Limits;
use crate::diagnostic::codes::{BARE_DAY, CLAUSE, DATE_TIME, NOT_YET, TOO_DEEP, UNKNOWN_VALUE};
use crate::diagnostic::{Diagnostic, SourceId, Span, did_you_mean};

pub(super) type Pair<'t> = pest::iterators::Pair<'t, Rule>;

/// Makes trees of pairs, noting what the grammar cannot see.
pub(super) struct Builder<'l> {
    pub source: SourceId,
    /// Where the parsed text begins in its source.
    pub base: usize,
    /// The whole source.
    pub text: &'l str,
    /// Its comments.
    pub comments: &'l [Comment],
    pub limits: &'l Limits,
    pub diagnostics: Vec<Diagnostic>,
}

/// The names of types, for "did you mean".
const TYPES: [&str; 11] = [
    "bool",
    "number",
    "string",
    "time",
    "duration",
    "version",
    "user",
    "status",
    "set of string",
    "map of status",
    "{ … }",
];

impl Builder<'_> {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub fn span_at(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, self.base + start, self.base + end)
    }

    pub fn span(&self, pair: &Pair<'_>) -> Span {
        let span = pair.as_span();
        let (start, end) = (self.base + span.start(), self.base + span.end());
        Span::new(self.source, start, self.trimmed(start, end))
    }

    /// pest takes the blanks and comments behind optional parts into a pair: where the last word of it ends.
    fn trimmed(&self, start: usize, end: usize) -> usize {
        let mut end = end;
        loop {
            let text = self.text.get(start..end).unwrap_or("");
            end = start + text.trim_end_matches([' ', '\t', '\r', '\n', '\u{FEFF}']).len();
            let before = self.comments.partition_point(|c| (c.span.start as usize) < end).checked_sub(1);
            let comment = before.and_then(|index| self.comments.get(index)).map(|c| c.span.start as usize);
            match comment.filter(|at| *at > start && !self.text.get(*at..end).unwrap_or("\n").contains('\n')) {
                Some(at) => end = at,
                None => return end,
            }
        }
    }

    pub fn item(&mut self, pair: Pair<'_>) -> Option<At<Item>> {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let head = parts.next()?;
        let item = match head.as_rule() {
            Rule::k_policy => Item::Policy(self.word(&parts.next()?)),
            Rule::k_timezone => Item::Timezone(self.string(&parts.next()?)),
            Rule::k_include => Item::Include(self.string(&parts.next()?)),
            Rule::fact => Item::Fact(self.fact(head)?),
            Rule::group => Item::Group(self.group(head)?),
            Rule::define => {
                let mut parts = meaningful(head);
                let name = self.word(&parts.next()?);
                Item::Define(Define { name, cond: self.cond(parts.next()?) })
            }
            Rule::calendar => {
                let mut parts = meaningful(head);
                let name = self.word(&parts.next()?);
                Item::Calendar(Calendar { name, times: self.times(parts.next()?) })
            }
            Rule::stage => Item::Stage(self.stage(head)),
            Rule::test_for => Item::TestFor(self.string(&meaningful(head).next()?)),
            Rule::test => Item::Test(self.test(head)?),
            Rule::scenario => Item::Scenario(self.scenario(head)?),
            _ => {
                self.push(
                    Diagnostic::new(NOT_YET, span, "invariants are not part of this version")
                        .help("say it with a `require` in the stage, or with `test` blocks"),
                );
                return None;
            }
        };
        Some(At::new(item, span))
    }

    fn fact(&mut self, pair: Pair<'_>) -> Option<Fact> {
        let (mut name, mut ty, mut optional, mut secret) = (None, None, false, false);
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::name => name = Some(self.word(&part)),
                Rule::ty => ty = self.ty(part),
                Rule::k_optional => self.once(&mut optional, span, "optional"),
                Rule::k_secret => self.once(&mut secret, span, "secret"),
                _ => {}
            }
        }
        Some(Fact { name: name?, ty: ty?, optional, secret })
    }

    pub fn once(&mut self, flag: &mut bool, span: Span, what: &str) {
        if std::mem::replace(flag, true) {
            self.push(Diagnostic::new(CLAUSE, span, format!("`{what}` is given twice")).help("remove one of them"));
        }
    }

    /// Keeps the first of two clauses and notes the second.
    pub fn keep<T>(&mut self, slot: &mut Option<T>, value: T, span: Span, what: &str) {
        if slot.is_some() {
            self.push(Diagnostic::new(CLAUSE, span, format!("`{what}` is given twice")).help("remove one of them"));
        } else {
            *slot = Some(value);
        }
    }

    fn ty(&mut self, pair: Pair<'_>) -> Option<At<Type>> {
        let end = self.span(&pair);
        let mut around: Vec<(bool, Span)> = Vec::new();
        let mut ty = None;
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::type_of => around.push((part.as_str().starts_with("set"), span)),
                Rule::enumeration => {
                    ty = Some(At::new(Type::Enum(part.into_inner().map(|name| self.word(&name)).collect()), span));
                }
                Rule::type_name => ty = Some(At::new(self.base_type(&part)?, span)),
                _ => {}
            }
        }
        if around.len() > self.limits.depth {
            let message = format!("types are nested deeper than {}", self.limits.depth);
            self.push(Diagnostic::new(TOO_DEEP, end, message));
            return None;
        }
        let mut ty = ty?;
        while let Some((set, start)) = around.pop() {
            let span = start.to(ty.span);
            let of = Box::new(ty);
            ty = At::new(if set { Type::Set(of) } else { Type::Map(of) }, span);
        }
        Some(ty)
    }

    fn base_type(&mut self, pair: &Pair<'_>) -> Option<Type> {
        Some(match pair.as_str() {
            "bool" => Type::Bool,
            "number" => Type::Number,
            "string" => Type::String,
            "time" => Type::Time,
            "duration" => Type::Duration,
            "version" => Type::Version,
            "user" => Type::User,
            "status" => Type::Status,
            other => {
                let known = match other.to_ascii_lowercase().as_str() {
                    "int" | "integer" | "float" | "double" | "decimal" | "percent" => Some("number"),
                    "text" | "str" | "url" => Some("string"),
                    "boolean" | "flag" => Some("bool"),
                    "date" | "datetime" | "timestamp" | "instant" => Some("time"),
                    "list" | "array" => Some("set of string"),
                    "dict" | "object" | "record" => Some("map of string"),
                    "person" | "email" => Some("user"),
                    _ => None,
                };
                let known = known.map(|name| format!("write `{name}`"));
                let help = known.or_else(|| did_you_mean(other, TYPES)).unwrap_or_else(|| {
                    "the types are bool, number, string, time, duration, version, user, status, `{ low, high }`, `set of T` \
                     and `map of T`"
                        .into()
                });
                let span = self.span(pair);
                self.push(
                    Diagnostic::new(
                        UNKNOWN_VALUE,
                        span,
                        format!("there is no type `{}`", super::expected::shown(other)),
                    )
                    .help(help),
                );
                return None;
            }
        })
    }

    fn group(&mut self, pair: Pair<'_>) -> Option<Group> {
        let (mut name, mut members) = (None, None);
        for part in meaningful(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.word(&part)),
                Rule::people_list => members = Some(self.people_list(part).value),
                _ => {}
            }
        }
        Some(Group { name: name?, members })
    }

    pub fn people_list(&mut self, pair: Pair<'_>) -> At<Vec<Word>> {
        let span = self.span(&pair);
        let people = pair.into_inner().filter_map(|person| person.into_inner().next());
        At::new(people.map(|person| self.word_or_string(&person)).collect(), span)
    }

    pub fn person(&mut self, pair: Pair<'_>) -> Word {
        let plain = self.word(&pair);
        pair.into_inner().next().map_or(plain, |inner| self.word_or_string(&inner))
    }

    pub fn people(&mut self, pair: Pair<'_>) -> Vec<People> {
        let terms = pair.into_inner().filter(|part| part.as_rule() == Rule::people_term);
        let terms = terms.filter_map(|term| term.into_inner().next());
        terms
            .map(|term| match term.as_rule() {
                Rule::people_list => People::List(self.people_list(term)),
                _ => People::Group(self.word(&term)),
            })
            .collect()
    }

    // ------------------------------------------------------------ times

    pub fn times(&mut self, pair: Pair<'_>) -> Times {
        let span = self.span(&pair);
        let mut times = Times { include: Vec::new(), except: Vec::new(), span };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::times_item => times.include.extend(self.times_item(part)),
                Rule::except_times => {
                    let items = meaningful(part);
                    for item in items {
                        times.except.extend(self.times_item(item));
                    }
                }
                _ => {}
            }
        }
        times
    }

    fn times_item(&mut self, pair: Pair<'_>) -> Option<TimesItem> {
        let mut parts = pair.into_inner();
        let kind = parts.next()?;
        let span = self.span(&kind);
        let kind = self.times_kind(kind.into_inner().next()?, span)?;
        let zone = parts.next().and_then(|zone| meaningful(zone).next()).map(|zone| self.string(&zone));
        Some(TimesItem { kind, span, zone })
    }

    fn times_kind(&mut self, pair: Pair<'_>, span: Span) -> Option<TimesKind> {
        let rule = pair.as_rule();
        let parts: Vec<Pair<'_>> = meaningful(pair).collect();
        let part = |index: usize| parts.get(index);
        Some(match rule {
            Rule::t_cron => TimesKind::Cron { expr: self.string(part(0)?), length: self.duration(part(1)?) },
            Rule::t_daily => {
                TimesKind::Daily { start: self.time_of_day(part(0)?, false), end: self.time_of_day(part(1)?, true) }
            }
            Rule::t_yearly => TimesKind::Yearly {
                first: self.month_day(part(0)?.clone())?,
                last: match part(1) {
                    Some(last) => Some(self.month_day(last.clone())?),
                    None => None,
                },
            },
            Rule::t_span => {
                TimesKind::Span { start: self.datetime(part(0)?.clone()), end: self.datetime(part(1)?.clone()) }
            }
            Rule::t_dates => TimesKind::Dates { first: self.date(part(0)?), last: part(1).map(|last| self.date(last)) },
            Rule::t_week_span => TimesKind::WeekSpan {
                start: (self.weekday(part(0)?), self.time_of_day(part(1)?, false)),
                end: (self.weekday(part(2)?), self.time_of_day(part(3)?, true)),
            },
            Rule::t_weekly => {
                let first = self.weekday(part(0)?);
                let (last, at) = match part(1)?.as_rule() {
                    Rule::weekday => (self.weekday(part(1)?), 2),
                    _ => (first.clone(), 1),
                };
                TimesKind::Weekly {
                    days: (first, last),
                    start: self.time_of_day(part(at)?, false),
                    end: self.time_of_day(part(at + 1)?, true),
                }
            }
            Rule::t_bare => {
                let text = parts.iter().map(Pair::as_str).collect::<Vec<_>>().join("..");
                self.push(
                    Diagnostic::new(BARE_DAY, span, "a day of the week needs its times of day")
                        .label("from when to when?")
                        .help(format!("for the whole day write `{text} 00:00..24:00`")),
                );
                return None;
            }
            _ => TimesKind::Calendar(self.word(part(0)?)),
        })
    }

    fn month_day(&mut self, pair: Pair<'_>) -> Option<At<(u32, u32)>> {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let month_name = parts.next()?;
        let month = MONTHS.iter().position(|m| *m == month_name.as_str())? as u32 + 1;
        let day: u32 = parts.next()?.as_str().parse().ok()?;
        // In a leap year, so that feb 29 is a day.
        let length = super::literals::month_length(2000, month);
        if !(1..=length).contains(&day) {
            self.push(
                Diagnostic::new(DATE_TIME, span, "there is no such day")
                    .help(format!("{} has {length} days", month_name.as_str())),
            );
            return None;
        }
        Some(At::new((month, day), span))
    }
}

/// The parts of a pair without its keywords and signs.
pub(super) fn meaningful(pair: Pair<'_>) -> impl DoubleEndedIterator<Item = Pair<'_>> {
    pair.into_inner().filter(|part| !is_keyword(part.as_rule()))
}

fn is_keyword(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::colon
            | Rule::equals
            | Rule::brace
            | Rule::dots
            | Rule::k_action
            | Rule::k_advise
            | Rule::k_after
            | Rule::k_all
            | Rule::k_allow
            | Rule::k_allowed
            | Rule::k_and
            | Rule::k_any
            | Rule::k_approve
            | Rule::k_approved
            | Rule::k_approvers
            | Rule::k_at
            | Rule::k_author
            | Rule::k_because
            | Rule::k_build
            | Rule::k_but
            | Rule::k_by
            | Rule::k_calendar
            | Rule::k_cancelled
            | Rule::k_changed
            | Rule::k_completed
            | Rule::k_completion
            | Rule::k_contains
            | Rule::k_contributors
            | Rule::k_cron
            | Rule::k_current
            | Rule::k_daily
            | Rule::k_define
            | Rule::k_deny
            | Rule::k_directory
            | Rule::k_distinct
            | Rule::k_ends
            | Rule::k_event
            | Rule::k_every
            | Rule::k_except
            | Rule::k_exclusive
            | Rule::k_expect
            | Rule::k_fact
            | Rule::k_failed
            | Rule::k_fires
            | Rule::k_for
            | Rule::k_forbid
            | Rule::k_forward
            | Rule::k_freeze
            | Rule::k_from
            | Rule::k_given
            | Rule::k_group
            | Rule::k_hold
            | Rule::k_if
            | Rule::k_implies
            | Rule::k_in
            | Rule::k_include
            | Rule::k_including
            | Rule::k_invariant
            | Rule::k_is
            | Rule::k_manual
            | Rule::k_map
            | Rule::k_matches
            | Rule::k_may
            | Rule::k_missing
            | Rule::k_no
            | Rule::k_none
            | Rule::k_not
            | Rule::k_of
            | Rule::k_only
            | Rule::k_opens
            | Rule::k_optional
            | Rule::k_or
            | Rule::k_override
            | Rule::k_passed
            | Rule::k_pending
            | Rule::k_policy
            | Rule::k_pull_request
            | Rule::k_push
            | Rule::k_reason
            | Rule::k_rejected
            | Rule::k_requester
            | Rule::k_require
            | Rule::k_required
            | Rule::k_row
            | Rule::k_rule
            | Rule::k_scenario
            | Rule::k_schedule
            | Rule::k_sealed
            | Rule::k_secret
            | Rule::k_set
            | Rule::k_since
            | Rule::k_skip
            | Rule::k_skipped
            | Rule::k_stage
            | Rule::k_starts
            | Rule::k_succeeded
            | Rule::k_test
            | Rule::k_timezone
            | Rule::k_to
            | Rule::k_trigger
            | Rule::k_unless
            | Rule::k_until
            | Rule::k_valid
            | Rule::k_when
            | Rule::k_window
            | Rule::k_with
            | Rule::k_withdrawn
            | Rule::k_within
            | Rule::k_yearly
    )
}
