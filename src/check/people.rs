//! Groups, quorums, who is left out, and whether a count can be reached.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::names::{Ctx, Interner, Sink};
use super::rules::{Sees, sees};
use super::stages::{Known, Planned, PlannedRule};
use crate::diagnostic::codes::{
    APPROVERS_OF, IDLE_EXCEPT, LISTED_TWICE, TOO_MANY, UNKNOWN_GROUP, UNKNOWN_RULE, UNREACHABLE_COUNT, ZERO_COUNT,
};
use crate::diagnostic::{Diagnostic, Span, list_words};
use crate::people::matching::{Demand, assign, helped_by};
use crate::program::{Approve, Body, Count, Except, GroupId, Kind, PersonId, Quorum, Rule, RuleId};
use crate::syntax::tree::{self, Word};

/// People listed by name, each once.
pub(super) fn listed(words: &[Word], interner: &mut Interner, sink: &mut Sink) -> Vec<PersonId> {
    let mut seen = HashSet::new();
    let mut people = Vec::new();
    for word in words {
        let person = interner.person(&word.value);
        if seen.insert(person) {
            people.push(person);
        } else {
            let message = format!("`{}` is listed twice", word.value);
            sink.push(Diagnostic::new(LISTED_TWICE, word.span, message).help("remove one of them"));
        }
    }
    people
}

/// PEOPLE: those listed by name or by a static group, in the order written, each once; and the directory groups.
pub(super) fn resolve(ctx: &mut Ctx<'_>, people: &[tree::People]) -> (Vec<PersonId>, Vec<GroupId>) {
    let mut seen = HashSet::new();
    let mut persons = Vec::new();
    let mut directories = Vec::new();
    for term in people {
        if ctx.interner.size > ctx.limits.program {
            // It has been told; no more people are gathered.
            break;
        }
        match term {
            tree::People::List(list) => {
                if list.value.is_empty() {
                    ctx.sink.push(
                        Diagnostic::new(UNREACHABLE_COUNT, list.span, "nobody is listed here")
                            .label("empty")
                            .help("list the people: `[amita, tim]`"),
                    );
                }
                let listed = listed(&list.value, ctx.interner, ctx.sink);
                persons.extend(listed.into_iter().filter(|person| seen.insert(*person)));
            }
            tree::People::Group(word) => {
                let Some(group) = group(ctx, word) else { continue };
                match ctx.names.group_list.get(group.0 as usize).and_then(|g| g.members.as_ref()) {
                    Some(members) => {
                        if members.is_empty() {
                            let place = ctx.names.groups.get(word.value.as_str()).map(|group| group.tree.name.span);
                            ctx.sink.push(
                                Diagnostic::new(
                                    UNREACHABLE_COUNT,
                                    word.span,
                                    format!("nobody is in group `{}`", word.value),
                                )
                                .label("used here")
                                .also(place.unwrap_or(word.span), "and empty")
                                .help("list its people, or take them from the request: `group … from directory`"),
                            );
                        }
                        persons.extend(members.iter().filter(|person| seen.insert(**person)));
                    }
                    None if directories.contains(&group) => {}
                    None => directories.push(group),
                }
            }
        }
    }
    let place = people_span(people).unwrap_or_default();
    if !room(ctx, persons.len(), place, MANY_PEOPLE) {
        persons.clear();
    }
    (persons, directories)
}

/// Why a large group makes a large program.
const MANY_PEOPLE: &str =
    "people of a group count once for each rule; take large groups from the request: `group … from directory`";

/// Counts people, or what an override names, as entries of the program: many of them in many stages are a large one.
pub(super) fn room(ctx: &mut Ctx<'_>, entries: usize, place: Span, help: &str) -> bool {
    let limit = ctx.limits.program;
    let full = ctx.interner.size > limit;
    ctx.interner.size = ctx.interner.size.saturating_add(entries);
    if !full && ctx.interner.size > limit {
        ctx.sink.push(
            Diagnostic::new(TOO_MANY, place, format!("the policy has more than {limit} entries"))
                .label("the limit is passed here")
                .help(help),
        );
    }
    ctx.interner.size <= limit
}

/// A group by name, or E0202.
pub(super) fn group(ctx: &mut Ctx<'_>, word: &Word) -> Option<GroupId> {
    let names = ctx.names;
    if let Some(group) = names.groups.get(word.value.as_str()) {
        names.use_group(&word.value);
        return Some(group.id);
    }
    let hint = ctx.sink.did_you_mean(&word.value, names.groups.keys().copied());
    let hint = hint.unwrap_or_else(|| format!("for a person, write `[{}]`", word.value));
    ctx.sink.push(
        Diagnostic::new(UNKNOWN_GROUP, word.span, format!("there is no group `{}`", word.value))
            .label("not declared")
            .help(hint),
    );
    None
}

/// What a quorum is made of, in an `approve` or in an `override`.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub quorum: &'a tree::Quorum,
    pub including: &'a Option<tree::At<tree::Including>>,
    pub except: &'a [tree::Except],
}

/// COUNT of PEOPLE, less those who are left out.
pub(super) fn quorum(
    ctx: &mut Ctx<'_>,
    planned: &Planned<'_>,
    rule: &PlannedRule<'_>,
    parts: Parts<'_>,
    visible: &Sees,
) -> Quorum {
    let names = ctx.names;
    let (people, directories) = resolve(ctx, &parts.quorum.people);
    let listed: HashSet<PersonId> = people.iter().copied().collect();
    let mut except = Except::default();
    for term in parts.except {
        match term {
            tree::Except::Requester(_) => except.requester = true,
            tree::Except::ApproversOf(word) => {
                if let Some(id) = approvers_of(ctx, planned, rule, word, visible)
                    && !except.approvers_of.contains(&id)
                {
                    except.approvers_of.push(id);
                }
            }
            tree::Except::Name(word) => match names.groups.get(word.value.as_str()) {
                Some(known) => {
                    names.use_group(&word.value);
                    match names.group_list.get(known.id.0 as usize).and_then(|group| group.members.as_ref()) {
                        Some(members) if room(ctx, members.len(), word.span, MANY_PEOPLE) => {
                            except.people.extend(members)
                        }
                        Some(_) => {}
                        None => except.directories.push(known.id),
                    }
                }
                None => except_person(ctx, word, &listed, &directories, &mut except),
            },
            tree::Except::People(list) => {
                for word in &list.value {
                    except_person(ctx, word, &listed, &directories, &mut except);
                }
            }
        }
    }
    let barred: HashSet<PersonId> = except.people.iter().copied().collect();
    let eligible = people.iter().filter(|person| !barred.contains(person)).count();
    if ctx.interner.size <= ctx.limits.program && parts.quorum.people.iter().all(|term| is_listed(ctx, term)) {
        count_can_be_reached(ctx, parts, (people.len(), eligible, directories.is_empty()));
    }
    Quorum {
        count: parts.quorum.count.value,
        people,
        directories,
        including: parts.including.as_ref().map(|including| including.value),
        except,
    }
}

/// Whether a term is known and lists somebody: else something has been told already.
fn is_listed(ctx: &Ctx<'_>, term: &tree::People) -> bool {
    match term {
        tree::People::List(list) => !list.value.is_empty(),
        tree::People::Group(word) => {
            let group = ctx.names.groups.get(word.value.as_str());
            group.is_some_and(|group| group.tree.members.as_ref().is_none_or(|members| !members.is_empty()))
        }
    }
}

/// Someone left out by name. A name that is a slip for a group would leave nobody out, which nobody would notice.
fn except_person(
    ctx: &mut Ctx<'_>,
    word: &Word,
    people: &HashSet<PersonId>,
    directories: &[GroupId],
    except: &mut Except,
) {
    let person = ctx.interner.person(&word.value);
    if except.people.last() != Some(&person) {
        except.people.push(person);
    }
    if people.contains(&person) {
        return;
    }
    let names = ctx.names;
    let hint = ctx.sink.did_you_mean(&word.value, names.groups.keys().copied());
    if directories.is_empty() || hint.is_some() {
        let message = match directories.is_empty() {
            true => format!("`{}` could not have counted anyway", word.value),
            false => format!("`{}` is taken for a person: there is no such group", word.value),
        };
        ctx.sink.push(
            Diagnostic::new(IDLE_EXCEPT, word.span, message)
                .label("neither a group, nor among the people listed")
                .help(hint.unwrap_or_else(|| "take it out, or correct the name".to_string())),
        );
    }
}

fn count_can_be_reached(ctx: &mut Ctx<'_>, parts: Parts<'_>, (listed, eligible, closed): (usize, usize, bool)) {
    let count = &parts.quorum.count;
    let needed = match count.value {
        tree::Count::Number(0) => {
            ctx.sink.push(
                Diagnostic::new(ZERO_COUNT, count.span, "a count of zero asks nobody")
                    .label("at least 1")
                    .help("take the rule out if nobody needs to agree"),
            );
            return;
        }
        tree::Count::Number(number) => number as usize,
        tree::Count::All => 1,
    };
    if !closed || eligible >= needed {
        return;
    }
    let Some(place) = people_span(&parts.quorum.people) else { return };
    let who = |n: usize| if n == 1 { "1 person".to_string() } else { format!("{n} people") };
    let are = |n: usize| if n == 1 { "1 is".to_string() } else { format!("{n} are") };
    let message = match count.value {
        tree::Count::All => "nobody is left who could count here".to_string(),
        tree::Count::Number(_) if eligible == 0 => format!("{} asked for, but nobody is left to count", are(needed)),
        tree::Count::Number(_) => format!("{} asked for, but only {eligible} can ever count", are(needed)),
    };
    let label = match listed == eligible {
        true => format!("{} listed", who(listed)),
        false => format!("{} listed, {} left out by `except`", who(listed), listed - eligible),
    };
    let mut told = Diagnostic::new(UNREACHABLE_COUNT, place, message).label(label).also(count.span, "asked for here");
    for term in &parts.quorum.people {
        let tree::People::Group(word) = term else { continue };
        if let Some(group) = ctx.names.groups.get(word.value.as_str()) {
            told = told.also(group.tree.name.span, format!("`{}` is listed here", word.value));
        }
    }
    ctx.sink.push(told.help("list more people, or ask for fewer"));
}

fn people_span(people: &[tree::People]) -> Option<Span> {
    let span = |term: &tree::People| match term {
        tree::People::Group(word) => word.span,
        tree::People::List(list) => list.span,
    };
    Some(span(people.first()?).to(span(people.last()?)))
}

/// The rule of `approvers of RULE`.
fn approvers_of(
    ctx: &mut Ctx<'_>,
    planned: &Planned<'_>,
    rule: &PlannedRule<'_>,
    word: &Word,
    visible: &Sees,
) -> Option<RuleId> {
    let approvals = || planned.rules.iter().filter(|other| other.kind == Kind::Approve && other.name != rule.name);
    let name = &word.value;
    let found = match planned.known(name) {
        None => {
            let hint = ctx.sink.did_you_mean(name, approvals().map(|other| other.name.as_str()));
            ctx.sink.push(
                Diagnostic::new(UNKNOWN_RULE, word.span, format!("stage `{}` has no rule `{name}`", planned.name))
                    .label("not in this stage")
                    .help(hint.unwrap_or_else(|| "name an `approve` rule of the same stage".to_string())),
            );
            return None;
        }
        Some(Known::Rule(id)) => planned.rule(id).map(|other| (id, other)),
        Some(Known::Override) => None,
    };
    let told = Diagnostic::new(APPROVERS_OF, word.span, format!("`{name}` is no approval"));
    let told = told.help("name an `approve` rule of the same stage");
    let told = match found {
        Some((_, other)) if other.kind == Kind::Approve && other.name == rule.name && !rule.is_override() => {
            Diagnostic::new(APPROVERS_OF, word.span, format!("`{name}` leaves out its own approvers"))
                .label("the rule itself")
                .help("nobody counts twice for one rule anyway; name another `approve` rule")
        }
        Some((id, other)) if other.kind == Kind::Approve => {
            if sees(visible, rule.file, other.file) {
                return Some(id);
            }
            let message = format!("`{name}` is a rule of a file that this one does not include");
            Diagnostic::new(APPROVERS_OF, word.span, message)
                .label("not known in this file")
                .also(other.span, "it stands here")
                .help("include the file that has the rule, or move one of them")
        }
        Some((_, other)) => told.label("only an `approve` rule has approvers").also(other.span, "it is this rule"),
        None => told.label("an override has no approvers"),
    };
    ctx.sink.push(told);
    None
}

/// Rules whose `approvers of` run in a circle.
pub(super) fn check_approvers_of(ctx: &mut Ctx<'_>, planned: &Planned<'_>, rules: &[Rule]) {
    let needs = |id: usize| match rules.get(id).map(|rule| &rule.body) {
        Some(Body::Approve(approve)) => approve.quorum.except.approvers_of.as_slice(),
        _ => &[],
    };
    let mut done = vec![false; rules.len()];
    for start in 0..rules.len() {
        let mut path = vec![(start, 0usize)];
        let mut on_path = HashSet::from_iter([start]);
        if done.get(start).copied().unwrap_or(true) {
            continue;
        }
        while let Some((here, next)) = path.last_mut() {
            let Some(to) = needs(*here).get(*next).map(|id| id.0 as usize) else {
                if let Some(mark) = done.get_mut(*here) {
                    *mark = true;
                }
                on_path.remove(here);
                path.pop();
                continue;
            };
            *next += 1;
            if on_path.contains(&to) {
                let circle = path.iter().skip_while(|(rule, _)| *rule != to).filter_map(|(rule, _)| rules.get(*rule));
                let names: Vec<&str> = circle.clone().map(|rule| rule.name.as_str()).collect();
                let message = format!("{} leave out one another's approvers", list_words(&names, 6));
                let place = word_of(planned, path.last().map(|(rule, _)| *rule), to);
                let mut told = Diagnostic::new(APPROVERS_OF, place.unwrap_or(planned.span), message);
                told = told.label("and so the circle closes");
                for rule in circle.take(5) {
                    told = told.also(rule.span, format!("`{}` is in the circle", rule.name));
                }
                ctx.sink.push(told.help("say it on one side only, or write `distinct approvers` in the stage"));
            } else if !done.get(to).copied().unwrap_or(true) {
                on_path.insert(to);
                path.push((to, 0));
            }
        }
    }
}

/// Rules that leave out the approvers of others, and with them everyone who could ever count.
pub(super) fn check_left_over(ctx: &mut Ctx<'_>, planned: &Planned<'_>, rules: &[Rule]) {
    let barred = |quorum: &Quorum| quorum.except.people.iter().copied().collect::<HashSet<PersonId>>();
    let mut surely: HashMap<RuleId, HashSet<PersonId>> = HashMap::new();
    let mut work = MAX_MATCHING;
    for (index, rule) in rules.iter().enumerate() {
        let Body::Approve(Approve { quorum, .. }) = &rule.body else { continue };
        if quorum.except.approvers_of.is_empty() || !quorum.directories.is_empty() {
            continue;
        }
        let except = barred(quorum);
        let mut left: HashSet<PersonId> = quorum.people.iter().filter(|p| !except.contains(p)).copied().collect();
        let needed = match quorum.count {
            Count::Number(number) => number as usize,
            Count::All => 1,
        };
        if left.len() < needed {
            // That has been told.
            continue;
        }
        let mut by: Vec<&Rule> = Vec::new();
        for id in &quorum.except.approvers_of {
            let Some(other) = rules.get(id.0 as usize) else { continue };
            let Some(counts) = counts_whoever_approves(other, quorum) else { continue };
            let taken = surely.entry(*id).or_insert_with(|| {
                let except = barred(counts);
                counts.people.iter().filter(|p| !except.contains(p)).copied().collect()
            });
            // Larger cases are left to the decision.
            work = work.saturating_sub(left.len().min(taken.len()).saturating_add(1));
            if work == 0 {
                return;
            }
            let before = left.len();
            if taken.len() < left.len() {
                for person in taken.iter() {
                    left.remove(person);
                }
            } else {
                left.retain(|person| !taken.contains(person));
            }
            if left.len() < before {
                by.push(other);
            }
        }
        if left.len() < needed {
            tell_left_over(ctx, planned, index, left.len(), &by);
        }
    }
}

/// The quorum of a rule that surely counts everyone of its people who may count for `second` and approves.
fn counts_whoever_approves<'r>(rule: &'r Rule, second: &Quorum) -> Option<&'r Quorum> {
    let Body::Approve(Approve { quorum, since: None, valid: None }) = &rule.body else { return None };
    let Except { requester, directories, approvers_of, .. } = &quorum.except;
    let listed = quorum.directories.is_empty() && directories.is_empty() && approvers_of.is_empty() && !requester;
    let wide = |including: Option<tree::Including>| match including {
        None => 0,
        Some(tree::Including::Author) => 1,
        Some(tree::Including::Contributors) => 2,
    };
    let surely = listed && rule.guard.is_none() && wide(quorum.including) >= wide(second.including);
    surely.then_some(quorum)
}

fn tell_left_over(ctx: &mut Ctx<'_>, planned: &Planned<'_>, index: usize, left: usize, by: &[&Rule]) {
    let Some(tree::RuleKind::Approve(written)) = planned.rules.get(index).and_then(|r| r.tree).map(|tree| &tree.kind)
    else {
        return;
    };
    let names: Vec<&str> = by.iter().map(|rule| rule.name.as_str()).collect();
    let names = list_words(&names, 6);
    let message = match left {
        0 => format!("nobody can ever count: whoever approves here is an approver of {names}"),
        _ => format!("only {left} can ever count: whoever else approves here is an approver of {names}"),
    };
    let mut told = Diagnostic::new(UNREACHABLE_COUNT, written.quorum.count.span, message).label("can never be met");
    for rule in by.iter().take(6) {
        told = told.also(rule.span, format!("`{}` counts everyone of its people who approves", rule.name));
    }
    ctx.sink.push(told.help("write `distinct approvers` in the stage: it asks for different people for each rule"));
}

/// Where a rule says `approvers of` another.
fn word_of(planned: &Planned<'_>, from: Option<usize>, to: usize) -> Option<Span> {
    let name = &planned.rules.get(to)?.name;
    let tree::RuleKind::Approve(approve) = &planned.rules.get(from?)?.tree?.kind else { return None };
    approve.except.iter().find_map(|term| match term {
        tree::Except::ApproversOf(word) if word.value == *name => Some(word.span),
        _ => None,
    })
}

/// Work that the check of distinct approvers may do; larger cases are left to the decision.
const MAX_MATCHING: usize = 20_000_000;

/// Under `distinct approvers`: whether all rules can be staffed together.
pub(super) fn check_distinct(ctx: &mut Ctx<'_>, planned: &Planned<'_>, rules: &[Rule]) {
    let distinct = rules.iter().find(|rule| matches!(rule.body, Body::DistinctApprovers) && rule.guard.is_none());
    let Some(distinct) = distinct else { return };
    if ctx.sink.has_errors() {
        return;
    }
    let mut staffed = Vec::new();
    let mut demands = Vec::new();
    for rule in rules.iter().filter(|rule| rule.guard.is_none()) {
        let Body::Approve(Approve { quorum, .. }) = &rule.body else { continue };
        if !quorum.directories.is_empty() {
            continue;
        }
        let barred: HashSet<&PersonId> = quorum.except.people.iter().collect();
        let mut people: Vec<u32> = quorum.people.iter().filter(|p| !barred.contains(p)).map(|p| p.0).collect();
        people.sort_unstable();
        let count = match quorum.count {
            Count::Number(number) => number as usize,
            // Of those who are barred by who they are for a build, nobody knows yet.
            Count::All => 1,
        };
        staffed.push(rule);
        demands.push(Demand { count, people });
    }
    let counts: usize = demands.iter().map(|demand| demand.count.min(demand.people.len())).sum();
    let people: usize = demands.iter().map(|demand| demand.people.len()).sum();
    if counts.saturating_mul(people) > MAX_MATCHING || demands.len() > 500 {
        return;
    }
    let assigned = assign(&demands);
    let short = demands.iter().zip(&assigned).position(|(demand, people)| people.len() < demand.count);
    let Some(short) = short else { return };
    let together: Vec<&Rule> =
        helped_by(&demands, &assigned, short).into_iter().filter_map(|index| staffed.get(index).copied()).collect();
    let mut names: Vec<&Rule> = together;
    names.sort_by_key(|rule| rule.span);
    let listed: Vec<&str> = names.iter().map(|rule| rule.name.as_str()).collect();
    let message =
        format!("{} of stage `{}` can never have approvers of their own", list_words(&listed, 6), planned.name);
    let mut told = Diagnostic::new(UNREACHABLE_COUNT, distinct.span, message).label("too few people for all of them");
    for rule in names.iter().take(6) {
        told = told.also(rule.span, format!("`{}`", rule.name));
    }
    ctx.sink.push(told.help("list more people, or ask for fewer"));
}
