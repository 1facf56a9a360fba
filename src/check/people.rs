//! Groups, quorums, who is left out, and whether a count can be reached.

use std::collections::HashSet;

use super::names::{Ctx, Interner, Sink};
use crate::diagnostic::codes::{LISTED_TWICE, UNKNOWN_GROUP};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{GroupId, PersonId};
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
        match term {
            tree::People::List(list) => {
                let listed = listed(&list.value, ctx.interner, ctx.sink);
                persons.extend(listed.into_iter().filter(|person| seen.insert(*person)));
            }
            tree::People::Group(word) => {
                let Some(group) = group(ctx, word) else { continue };
                match ctx.names.group_list.get(group.0 as usize).and_then(|g| g.members.as_ref()) {
                    Some(members) => persons.extend(members.iter().filter(|person| seen.insert(**person))),
                    None if directories.contains(&group) => {}
                    None => directories.push(group),
                }
            }
        }
    }
    (persons, directories)
}

/// A group by name, or E0202.
pub(super) fn group(ctx: &mut Ctx<'_>, word: &Word) -> Option<GroupId> {
    let names = ctx.names;
    if let Some(group) = names.groups.get(word.value.as_str()) {
        names.use_group(&word.value);
        return Some(group.id);
    }
    let hint = did_you_mean(&word.value, names.groups.keys().copied());
    let hint = hint.unwrap_or_else(|| format!("for a person, write `[{}]`", word.value));
    ctx.sink.push(
        Diagnostic::new(UNKNOWN_GROUP, word.span, format!("there is no group `{}`", word.value))
            .label("not declared")
            .help(hint),
    );
    None
}
