//! Tests of a policy, and scenarios: that what they name is there, and that each of them asks something.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::conditions::{circles, too_deep};
use super::instants::point;
use super::names::Ctx;
use super::operands::{Beside, Is, Side, constant, hint, literal, sorted};
use super::order::order;
use super::{stages, types};
use crate::diagnostic::codes::{
    CLAUSE, INCOMPLETE_TEST, TWICE, TYPE_CLASH, UNKNOWN_FACT, UNKNOWN_GROUP, UNKNOWN_RULE, UNKNOWN_SCENARIO,
    UNKNOWN_VALUE,
};
use crate::diagnostic::{Diagnostic, Span, list_words};
use crate::plain::quote;
use crate::program::{ACTION, StageId, Type};
use crate::syntax::tree::{At, DateTime, Expect, Expected, Field, Item, Scenario, Step, Test, Value, ValueKind, Word};

/// What `rule R is` may say: the statuses of rules in a decision.
const STATUSES: [&str; 7] = ["met", "unmet", "waiting", "awaiting", "unknown", "not-applicable", "overridden"];

/// The `test` and `scenario` blocks among the items of a file.
pub(super) fn check(ctx: &mut Ctx<'_>, items: &[At<Item>]) {
    let scenarios: Vec<&Scenario> = items
        .iter()
        .filter_map(|item| match &item.value {
            Item::Scenario(scenario) => Some(scenario),
            _ => None,
        })
        .collect();
    let tests = items.iter().filter_map(|item| match &item.value {
        Item::Test(test) => Some(test),
        _ => None,
    });
    let circling = given(ctx, &scenarios);
    for scenario in scenarios {
        steps(ctx, &scenario.steps);
    }
    let mut named: HashMap<&str, Span> = HashMap::new();
    for test in tests {
        if let Some(first) = named.get(test.name.value.as_str()) {
            ctx.sink.push(
                Diagnostic::new(TWICE, test.name.span, format!("two tests have the name {}", quote(&test.name.value)))
                    .label("named again")
                    .also(*first, "named first")
                    .help("a report knows tests by their names: rename one of them"),
            );
        }
        named.entry(&test.name.value).or_insert(test.name.span);
        steps(ctx, &test.steps);
        rows(ctx, test, &circling);
        if test.rows.is_empty() {
            complete(ctx, &test.name, "test", &[&test.steps], &circling);
        }
    }
}

/// Circles of scenarios that take one another in; and which scenarios are in one.
fn given<'a>(ctx: &mut Ctx<'a>, scenarios: &[&Scenario]) -> HashSet<&'a str> {
    let names = ctx.names;
    let uses = |name: &str| {
        let steps = names.scenarios.get(name).map(|scenario| scenario.steps.iter());
        let words = steps.into_iter().flatten().filter_map(|step| match &step.value {
            Step::Given(words) => Some(words),
            _ => None,
        });
        let known = words.flatten().filter_map(|word| names.scenarios.get_key_value(word.value.as_str()));
        known.map(|(name, _)| *name).collect()
    };
    let roots = scenarios.iter().filter_map(|s| names.scenarios.get_key_value(s.name.value.as_str()));
    let order = order(roots.map(|(name, _)| *name), uses);
    circles(ctx, "scenario", &order.circles, |name| names.scenarios.get(name).map(|scenario| &scenario.name));
    for scenario in scenarios {
        if order.depth.get(scenario.name.value.as_str()) == Some(&ctx.limits.depth.saturating_add(1)) {
            too_deep(ctx, "scenarios", &scenario.name);
        }
    }
    // Those of other files too: tests of this one may take them in.
    let mut all: Vec<&'a str> = names.scenarios.keys().copied().collect();
    all.sort_unstable();
    super::order::order(all, uses).circles.into_iter().flatten().collect()
}

/// Each row is a test of its own, with what its test says before.
fn rows(ctx: &mut Ctx<'_>, test: &Test, circling: &HashSet<&str>) {
    let mut named: HashMap<&str, Span> = HashMap::new();
    for row in &test.rows {
        if let Some(first) = named.insert(&row.name.value, row.name.span) {
            ctx.sink.push(
                Diagnostic::new(TWICE, row.name.span, format!("two rows have the name {}", quote(&row.name.value)))
                    .label("named again")
                    .also(first, "named first")
                    .help("a report knows rows by their names: rename one of them"),
            );
        }
        steps(ctx, &row.steps);
        complete(ctx, &row.name, "row", &[&test.steps, &row.steps], circling);
    }
}

/// A test says when it is, itself or by a scenario, and expects something; so does a row with what its test says.
fn complete(ctx: &mut Ctx<'_>, name: &Word, what: &str, parts: &[&[At<Step>]], circling: &HashSet<&str>) {
    if !parts.iter().copied().flatten().any(|step| matches!(step.value, Step::Expect(_))) {
        ctx.sink.push(
            Diagnostic::new(INCOMPLETE_TEST, name.span, format!("this {what} expects nothing"))
                .label("it cannot fail")
                .help("add a line such as `expect Staging allow`"),
        );
    }
    let names = ctx.names;
    let mut next: Vec<&[At<Step>]> = parts.to_vec();
    let mut seen: HashSet<&str> = HashSet::new();
    while let Some(steps) = next.pop() {
        for step in steps {
            match &step.value {
                Step::Now(_) => return,
                Step::Given(words) => {
                    for word in words {
                        match names.scenarios.get_key_value(word.value.as_str()) {
                            // Whether it says when is seen once it stands.
                            Some((name, _)) if circling.contains(name) => return,
                            None => return,
                            Some((name, scenario)) if seen.insert(name) => next.push(&scenario.steps),
                            Some(_) => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
    ctx.sink.push(
        Diagnostic::new(INCOMPLETE_TEST, name.span, format!("this {what} does not say when it is"))
            .label("no `at`, here or in a scenario that it takes in")
            .help("add a line such as `at 2026-03-04 10:00`"),
    );
}

/// What has been said already in a block, and where.
#[derive(Default)]
struct Said<'t>(HashMap<(&'static str, &'t str), Span>);

impl<'t> Said<'t> {
    /// Tells when something is said for the second time.
    fn once(&mut self, ctx: &mut Ctx<'_>, what: &'static str, name: &'t str, span: Span) {
        let Some(first) = self.0.get(&(what, name)) else {
            self.0.insert((what, name), span);
            return;
        };
        let subject = if name.is_empty() { what.to_string() } else { format!("{what} {}", quote(name)) };
        ctx.sink.push(
            Diagnostic::new(CLAUSE, span, format!("{subject} is given twice"))
                .label("given again")
                .also(*first, "given first")
                .help("remove one of them, or write another test"),
        );
    }
}

fn steps(ctx: &mut Ctx<'_>, steps: &[At<Step>]) {
    let mut said = Said::default();
    for step in steps {
        one(ctx, step, &mut said);
    }
}

fn one<'t>(ctx: &mut Ctx<'_>, step: &'t At<Step>, said: &mut Said<'t>) {
    let span = step.span;
    match &step.value {
        Step::Given(words) => {
            for word in words {
                said.once(ctx, "the scenario", &word.value, word.span);
                scenario(ctx, word);
            }
        }
        Step::Now(at) => {
            said.once(ctx, "`at`", "", span);
            instant(ctx, at);
        }
        Step::Build(list) => {
            said.once(ctx, "`build`", "", span);
            fields(ctx, "build", list);
        }
        Step::Current(list) => {
            said.once(ctx, "`current`", "", span);
            fields(ctx, "current", list.as_deref().unwrap_or_default());
        }
        Step::Runs(_, runs) => {
            for (stage, at) in runs {
                stages::stage(stage, ctx.names, ctx.sink);
                instant(ctx, at);
            }
        }
        Step::Words { by, at, stage, .. } => {
            people(ctx, by);
            instant(ctx, at);
            if let Some(stage) = stage {
                stages::stage(stage, ctx.names, ctx.sink);
            }
        }
        Step::Override { name, by, at, .. } => {
            an_override(ctx, name);
            people(ctx, by);
            instant(ctx, at);
        }
        Step::Fact(name, value) => {
            said.once(ctx, "the fact", &name.value, name.span);
            fact(ctx, name, value);
        }
        Step::Group(name, members) => {
            said.once(ctx, "the group", &name.value, name.span);
            directory(ctx, name);
            people(ctx, members);
        }
        Step::Push(_) | Step::PullRequest(_) | Step::Event(_) => said.once(ctx, "what set it off", "", span),
        Step::Manual(by) => {
            said.once(ctx, "what set it off", "", span);
            people(ctx, by.as_slice());
        }
        Step::Completion(of) => {
            said.once(ctx, "what set it off", "", span);
            if let Some(stage) = of {
                stages::stage(stage, ctx.names, ctx.sink);
            }
        }
        Step::Schedule(at) => {
            said.once(ctx, "what set it off", "", span);
            if let Some(at) = at {
                instant(ctx, at);
            }
        }
        Step::Action(word) => {
            said.once(ctx, "`action`", "", span);
            if !ACTION.contains(&word.value.as_str()) {
                no_such_word(ctx, word, "an action", &ACTION);
            }
        }
        Step::Requester(who) => {
            said.once(ctx, "`requester`", "", span);
            people(ctx, std::slice::from_ref(who));
        }
        Step::Expect(expect) => expected(ctx, expect),
    }
}

fn instant(ctx: &mut Ctx<'_>, at: &At<DateTime>) {
    let zone = ctx.names.zone(at.span.source);
    point(ctx.sink, at, at.span, zone);
}

fn no_such_word(ctx: &mut Ctx<'_>, word: &Word, what: &str, words: &[&str]) {
    let near = hint(ctx, &word.value, words.iter().copied());
    ctx.sink.push(
        Diagnostic::new(UNKNOWN_VALUE, word.span, format!("{} is not {what}", quote(&word.value)))
            .label("no such word")
            .help(near.unwrap_or_else(|| format!("there are {}", list_words(words, 12)))),
    );
}

fn scenario(ctx: &mut Ctx<'_>, word: &Word) {
    let names = ctx.names;
    if names.scenarios.contains_key(word.value.as_str()) {
        return;
    }
    let known = sorted(ctx, names.scenarios.keys().copied());
    let near = hint(ctx, &word.value, known);
    ctx.sink.push(
        Diagnostic::new(UNKNOWN_SCENARIO, word.span, format!("there is no scenario `{}`", word.value))
            .label("not declared")
            .help(near.unwrap_or_else(|| format!("declare it: `scenario {} {{ … }}`", word.value))),
    );
}

/// People are people, not groups. Anybody may be named: a test may ask what a stranger's word is worth.
fn people(ctx: &mut Ctx<'_>, words: &[Word]) {
    for word in words {
        let bare = ctx.names.sources.text(word.span) == word.value;
        if bare && ctx.names.groups.contains_key(word.value.as_str()) {
            let name = &word.value;
            ctx.sink.push(
                Diagnostic::new(TYPE_CLASH, word.span, format!("`{name}` is a group, not a person"))
                    .label("a group of people")
                    .help(format!("name the people; for a person of that name write `\"{name}\"`")),
            );
        }
    }
}

fn an_override(ctx: &mut Ctx<'_>, word: &Word) {
    let names = ctx.names;
    if names.rules.iter().any(|rules| rules.get(&word.value) == Some(&true)) {
        return;
    }
    let is_rule = names.rules.iter().any(|rules| rules.contains_key(&word.value));
    let overrides = names.rules.iter().flatten().filter(|(_, is_override)| **is_override);
    let known = sorted(ctx, overrides.map(|(name, _)| name.as_str()));
    let near = hint(ctx, &word.value, known.iter().copied());
    let help = near.unwrap_or_else(|| match known.is_empty() {
        true => "name an override of the policy".to_string(),
        false => format!("the overrides are {}", list_words(&known, 12)),
    });
    let message = match is_rule {
        true => format!("`{}` is a rule, not an override", word.value),
        false => format!("there is no override `{}`", word.value),
    };
    ctx.sink.push(Diagnostic::new(UNKNOWN_RULE, word.span, message).label("no stage has such an override").help(help));
}

fn directory(ctx: &mut Ctx<'_>, word: &Word) {
    let names = ctx.names;
    match names.groups.get(word.value.as_str()) {
        Some(group) if group.tree.members.is_none() => {}
        Some(group) => ctx.sink.push(
            Diagnostic::new(CLAUSE, word.span, format!("the policy lists the members of `{}` itself", word.value))
                .label("only a directory's members are given by a test")
                .also(group.tree.name.span, "listed here")
                .help("remove this line"),
        ),
        None => {
            let known = sorted(ctx, names.groups.keys().copied());
            let near = hint(ctx, &word.value, known);
            ctx.sink.push(
                Diagnostic::new(UNKNOWN_GROUP, word.span, format!("there is no group `{}`", word.value))
                    .label("not declared")
                    .help(near.unwrap_or_else(|| format!("declare it: `group {} from directory`", word.value))),
            );
        }
    }
}

// ---------------------------------------------------------------- what is expected

fn expected(ctx: &mut Ctx<'_>, expect: &Expect) {
    let stage = stages::stage(&expect.stage, ctx.names, ctx.sink);
    match &expect.what {
        Expected::Verdict { because, until, .. } => {
            let mut said = Said::default();
            for word in because {
                said.once(ctx, "the rule", &word.value, word.span);
                rule(ctx, stage, &expect.stage, word);
            }
            if let Some(until) = until {
                instant(ctx, until);
            }
        }
        Expected::Rule { rule: word, status } => {
            rule(ctx, stage, &expect.stage, word);
            if !STATUSES.contains(&status.value.as_str()) {
                no_such_word(ctx, status, "the status of a rule", &STATUSES);
            }
        }
        Expected::FiresAt(at) | Expected::OpensAt(at) => instant(ctx, at),
    }
}

fn rule(ctx: &mut Ctx<'_>, stage: Option<StageId>, stage_word: &Word, word: &Word) {
    let Some(stage) = stage else { return };
    let names = ctx.names;
    let is_override = match names.rule(stage, &word.value) {
        Some(false) => return,
        other => other.is_some(),
    };
    let rules = names.rules.get(stage.0 as usize).into_iter().flatten().filter(|(_, is_override)| !**is_override);
    let known = sorted(ctx, rules.map(|(name, _)| name.as_str()));
    let near = hint(ctx, &word.value, known.iter().copied());
    let help = near.unwrap_or_else(|| match known.is_empty() {
        true => "name a rule of the stage".to_string(),
        false => format!("its rules are {}", list_words(&known, 12)),
    });
    let message = match is_override {
        true => format!("`{}` is an override of {}, not a rule", word.value, stage_word.value),
        false => format!("{} has no rule `{}`", stage_word.value, word.value),
    };
    ctx.sink.push(Diagnostic::new(UNKNOWN_RULE, word.span, message).label("no such rule").help(help));
}

// ---------------------------------------------------------------- values

fn fact(ctx: &mut Ctx<'_>, name: &Word, given: &Value) {
    let names = ctx.names;
    let found = names.facts.get(name.value.as_str()).copied();
    let Some(decl) = found.and_then(|fact| names.decl(fact)) else {
        let known = sorted(ctx, names.facts.keys().copied());
        let near = hint(ctx, &name.value, known);
        let help = near.unwrap_or_else(|| match types::HEADS.contains(&name.value.as_str()) {
            true => format!("`{}` is not declared by the policy; a test gives it by a line of its own", name.value),
            false => format!("declare it: `fact {} : …`", name.value),
        });
        let message = format!("there is no fact `{}`", name.value);
        ctx.sink.push(Diagnostic::new(UNKNOWN_FACT, name.span, message).label("not declared").help(help));
        return;
    };
    let none = matches!(&given.kind, ValueKind::Name(word) if word == "none");
    if none && !matches!(&decl.ty, Type::Enum(values) if values.values.iter().any(|value| value == "none")) {
        if !decl.optional {
            let mut told = Diagnostic::new(TYPE_CLASH, given.span, format!("`{}` is not optional", name.value))
                .label("cannot be `none`")
                .help("for a fact that was not supplied leave the line out; to allow `none` declare it `optional`");
            if let Some(fact) = found {
                told = told.also(fact.tree.name.span, "declared here");
            }
            ctx.sink.push(told);
        }
        return;
    }
    value(ctx, given, &decl.ty, Beside::whole(name.span));
}

/// The type of a field of `build` or `current`. Versions may be written as their owner likes where no rule reads them.
fn field(head: &str, name: &str) -> Option<Type> {
    Some(match (head, name) {
        (_, "id" | "digest" | "version") => Type::String,
        (_, "created") => Type::Time,
        ("build", "branch" | "commit") => Type::String,
        ("build", "author") => Type::User,
        ("build", "contributors") => Type::Set(Box::new(Type::User)),
        ("build", "labels") => Type::Set(Box::new(Type::String)),
        ("current", "at") => Type::Time,
        ("current", "deploying") => Type::String,
        _ => return None,
    })
}

fn fields(ctx: &mut Ctx<'_>, head: &str, list: &[Field]) {
    const BUILD: [&str; 9] =
        ["id", "digest", "version", "branch", "commit", "author", "contributors", "labels", "created"];
    const CURRENT: [&str; 6] = ["id", "digest", "version", "created", "at", "deploying"];
    let mut said = Said::default();
    for one in list {
        said.once(ctx, "the field", &one.name.value, one.name.span);
        match field(head, &one.name.value) {
            Some(_) if head == "current" && one.name.value == "deploying" && is_none(&one.value) => {}
            Some(ty) => value(ctx, &one.value, &ty, Beside::whole(one.name.span)),
            None => {
                let known = if head == "build" { BUILD.as_slice() } else { CURRENT.as_slice() };
                let near = hint(ctx, &one.name.value, known.iter().copied());
                ctx.sink.push(
                    Diagnostic::new(UNKNOWN_FACT, one.name.span, format!("`{head}` has no {}", quote(&one.name.value)))
                        .label("no such field")
                        .help(near.unwrap_or_else(|| format!("there are {}", list_words(known, 12)))),
                );
            }
        }
    }
}

fn is_none(value: &Value) -> bool {
    matches!(&value.kind, ValueKind::Name(word) if word == "none")
}

/// A value of a type, for what is named at `name`. The grammar bounds the depth of values.
fn value(ctx: &mut Ctx<'_>, given: &Value, ty: &Type, name: Beside) {
    match (&given.kind, ty) {
        (ValueKind::List(items), Type::Set(of)) => {
            for item in items {
                value(ctx, item, of, Beside::element(name.span));
            }
        }
        (ValueKind::Map(items), Type::Map(of)) => {
            let mut said = Said::default();
            for item in items {
                said.once(ctx, "the key", &item.name.value, item.name.span);
                value(ctx, &item.value, of, Beside::whole(item.name.span));
            }
        }
        (ValueKind::List(_), _) => refuse(ctx, given.span, "a list", ty, name),
        (ValueKind::Map(_), _) => refuse(ctx, given.span, "a map", ty, name),
        (ValueKind::Name(_) | ValueKind::Literal(_), Type::Set(_)) => refuse(ctx, given.span, "one value", ty, name),
        (ValueKind::Name(_) | ValueKind::Literal(_), Type::Map(_)) => refuse(ctx, given.span, "one value", ty, name),
        (ValueKind::Literal(given_literal), _) => {
            literal(ctx, given_literal, given.span, ty, name);
        }
        (ValueKind::Name(word), Type::Enum(_)) => {
            let word = Word::new(word.clone(), given.span);
            constant(ctx, &Side { span: given.span, word: Some(&word), is: Is::Nothing }, ty, name);
        }
        (ValueKind::Name(_), Type::User) => {}
        (ValueKind::Name(word), _) => {
            let message = format!("{} is {}, and {} is a bare word", name.named(ctx), types::words(ty), quote(word));
            let help = match ty {
                Type::String => format!("write it in quotes: `\"{word}\"`"),
                Type::Bool => "a bool is `true` or `false`".to_string(),
                Type::Version => "a version is written as in `\"2026.3.1\"`".to_string(),
                Type::Time => "a time is written as in `2026-03-04 10:00`".to_string(),
                Type::Duration => "a duration is written as in `1h30m`".to_string(),
                _ => "a number is written as in `80` or `79.5`".to_string(),
            };
            let told = Diagnostic::new(TYPE_CLASH, given.span, message).label("a bare word");
            ctx.sink.push(told.also(name.span, types::words(ty)).help(help));
        }
    }
}

fn refuse(ctx: &mut Ctx<'_>, span: Span, what: &str, ty: &Type, name: Beside) {
    let message = format!("{} is {}, and this is {what}", name.named(ctx), types::words(ty));
    let help = match ty {
        Type::Set(_) => "a set is written as in `[a, b]`",
        Type::Map(_) => "a map is written as in `{ unit: passed, \"ci/build\": failed }`",
        _ => "give one value",
    };
    ctx.sink.push(Diagnostic::new(TYPE_CLASH, span, message).label(what).also(name.span, types::words(ty)).help(help));
}
