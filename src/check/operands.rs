//! Sides of tests: what a name stands for, and which constant a literal is.

use std::sync::Arc;

use super::instants;
use super::names::{Ctx, Gates};
use super::types::{self, BUILD, CURRENT, HEADS, STAGE};
use crate::diagnostic::codes::{LITERAL, TYPE_CLASH, UNKNOWN_FACT, UNKNOWN_VALUE};
use crate::diagnostic::{Diagnostic, Span, list_words, nearest};
use crate::facts::prepare;
use crate::plain::{escape, quote};
use crate::program::{Constant, EnumType, GroupId, Slot, SlotId, Type};
use crate::syntax::tree::{Literal, Operand, Path, Word};

/// Nanoseconds of a second.
pub(super) const SECOND: i64 = 1_000_000_000;
/// Longer words are no slips of the hand, and comparing takes the square of the length.
const MAX_HINT: usize = 64;

/// What a constant stands beside.
#[derive(Clone, Copy)]
pub(super) struct Beside {
    /// Where it is written.
    pub span: Span,
    /// Whether an element of it is meant.
    pub element: bool,
}

impl Beside {
    pub fn whole(span: Span) -> Beside {
        Beside { span, element: false }
    }

    pub fn element(span: Span) -> Beside {
        Beside { span, element: true }
    }

    /// In words, at the beginning of a sentence.
    pub fn named(self, ctx: &Ctx<'_>) -> String {
        let name = text(ctx, self.span);
        if self.element { format!("an element of {name}") } else { name }
    }
}

/// A side of a test.
pub(super) struct Side<'t> {
    pub span: Span,
    /// The word, if it is one bare word.
    pub word: Option<&'t Word>,
    pub is: Is<'t>,
}

/// What a side is.
pub(super) enum Is<'t> {
    Fact(Slot, Type),
    Literal(&'t Literal),
    List(&'t [Operand]),
    Define,
    Group(GroupId),
    Stage,
    /// A bare word that is not declared: perhaps a value of an enumeration, or a person.
    Nothing,
}

impl Side<'_> {
    /// Whether it is a word for a value of that enumeration. Such a word means the value, whatever else has the name:
    /// what a test means does not change when someone declares a fact of that name.
    pub fn value_of(&self, ty: &Type) -> Option<u16> {
        match (ty, self.word) {
            (Type::Enum(values), Some(word)) => index(values, &word.value),
            _ => None,
        }
    }
}

fn index(values: &EnumType, name: &str) -> Option<u16> {
    values.values.iter().position(|value| value == name).and_then(|index| u16::try_from(index).ok())
}

/// The text of a place, in backticks.
pub(super) fn text(ctx: &Ctx<'_>, span: Span) -> String {
    quote(ctx.names.sources.text(span))
}

/// "did you mean".
pub(super) fn hint<'n>(ctx: &mut Ctx<'_>, word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    (word.len() <= MAX_HINT).then(|| ctx.sink.did_you_mean(word, names)).flatten()
}

/// Names in order, for a hint.
pub(super) fn sorted<'n>(ctx: &Ctx<'_>, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    if !ctx.sink.may_compare() {
        return Vec::new();
    }
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The number of a slot, for an entry of this stage that reads it.
pub(super) fn slot(ctx: &mut Ctx<'_>, gates: &mut Gates, slot: Slot) -> SlotId {
    if let Slot::Fact(fact) | Slot::FactKey(fact, _) = &slot {
        let names = ctx.names;
        if let Some(decl) = names.decls.get(*fact as usize) {
            names.use_fact(&decl.name);
        }
    }
    let id = ctx.interner.slot(slot);
    gates.slots.insert(id);
    id
}

/// What a side is; `None` when an error has been told.
pub(super) fn side<'t>(ctx: &mut Ctx<'_>, operand: &'t Operand) -> Option<Side<'t>> {
    let (word, is) = match operand {
        Operand::Literal(literal) => (None, Is::Literal(&literal.value)),
        Operand::List(list) => (None, Is::List(&list.value)),
        Operand::Path(path) => {
            let word = match path.parts.as_slice() {
                [part] => Some(&part.word),
                _ => None,
            };
            (word, resolve(ctx, path)?)
        }
    };
    Some(Side { span: operand.span(), word, is })
}

fn resolve<'t>(ctx: &mut Ctx<'_>, path: &Path) -> Option<Is<'t>> {
    let names = ctx.names;
    let (head, rest) = path.parts.split_first()?;
    let head = head.word.value.as_str();
    let parts: Vec<&Word> = rest.iter().map(|part| &part.word).collect();
    match (head, parts.as_slice()) {
        ("build", [part]) => return builtin(ctx, part, "build", types::build(&part.value), &BUILD),
        ("current", [part]) => return builtin(ctx, part, "current", types::current(&part.value), &CURRENT),
        ("build" | "current", []) => {
            let parts = if head == "build" { BUILD.as_slice() } else { CURRENT.as_slice() };
            let parts: Vec<String> = parts.iter().map(|part| format!("{head}.{part}")).collect();
            ctx.sink.push(
                Diagnostic::new(UNKNOWN_FACT, path.span, format!("`{head}` alone is not a fact"))
                    .label("which part of it?")
                    .help(format!("there are {}", list_words(&parts, 12))),
            );
            return None;
        }
        ("build" | "current", [_, further, ..]) => {
            nothing_below(ctx, path, further);
            return None;
        }
        _ => {}
    }
    if let Some((builtin, ty)) = types::word(head) {
        if let Some(further) = parts.first() {
            nothing_below(ctx, path, further);
            return None;
        }
        return Some(Is::Fact(Slot::Builtin(builtin), ty));
    }
    if let Some(fact) = names.facts.get(head).copied() {
        let decl = names.decl(fact)?;
        return match (&decl.ty, parts.as_slice()) {
            (ty, []) => Some(Is::Fact(Slot::Fact(fact.index), ty.clone())),
            (Type::Map(of), [key]) => Some(Is::Fact(Slot::FactKey(fact.index, key.value.clone()), (**of).clone())),
            (Type::Map(_), [_, further, ..]) | (_, [further, ..]) => {
                nothing_below(ctx, path, further);
                None
            }
        };
    }
    if let Some(stage) = names.stages.get(head) {
        return match parts.as_slice() {
            [] => Some(Is::Stage),
            [part] => builtin(ctx, part, head, types::of_stage(stage.id, &part.value), &STAGE),
            [_, further, ..] => {
                nothing_below(ctx, path, further);
                None
            }
        };
    }
    let known = if names.defines.contains_key(head) {
        Some(Is::Define)
    } else {
        names.groups.get(head).map(|group| Is::Group(group.id))
    };
    match (known, parts.first()) {
        (Some(is), None) => Some(is),
        (Some(_), Some(further)) => {
            nothing_below(ctx, path, further);
            None
        }
        (None, None) => Some(Is::Nothing),
        (None, Some(_)) => {
            unknown_head(ctx, path);
            None
        }
    }
}

fn builtin<'t>(
    ctx: &mut Ctx<'_>,
    part: &Word,
    head: &str,
    found: Option<(crate::program::Builtin, Type)>,
    parts: &[&str],
) -> Option<Is<'t>> {
    if let Some((builtin, ty)) = found {
        return Some(Is::Fact(Slot::Builtin(builtin), ty));
    }
    let near = nearest(&part.value, parts.iter().copied()).filter(|_| part.value.len() <= MAX_HINT);
    let help = match near {
        Some(near) => format!("did you mean `{head}.{near}`?"),
        None => {
            let parts: Vec<String> = parts.iter().map(|part| format!("{head}.{part}")).collect();
            format!("there are {}", list_words(&parts, 12))
        }
    };
    ctx.sink.push(
        Diagnostic::new(UNKNOWN_FACT, part.span, format!("`{head}` has no {}", quote(&part.value)))
            .label("no such fact")
            .help(help),
    );
    None
}

/// `build.branch.name`: there is nothing below a plain fact.
fn nothing_below(ctx: &mut Ctx<'_>, path: &Path, further: &Word) {
    let whole = Span { end: further.span.start.saturating_sub(1), ..path.span };
    let whole = text(ctx, whole);
    ctx.sink.push(
        Diagnostic::new(UNKNOWN_FACT, further.span, format!("{whole} has no parts"))
            .label("nothing is below it")
            .help("only maps have values below them, one level deep; a key with dots goes in quotes: `checks.\"a.b\"`"),
    );
}

/// All that a path can begin with, for a hint.
fn heads<'n>(ctx: &Ctx<'n>) -> Vec<&'n str> {
    let names = ctx.names;
    if !ctx.sink.may_compare() {
        return Vec::new();
    }
    let mut heads: Vec<&'n str> = names.facts.keys().copied().collect();
    heads.extend(names.defines.keys().copied());
    heads.extend(names.stages.keys().copied());
    heads.extend(HEADS);
    heads.sort_unstable();
    heads
}

/// The facts of one word that fit a type, for a hint.
fn fitting<'n>(ctx: &Ctx<'n>, ty: &Type) -> Vec<&'n str> {
    let names = ctx.names;
    if !ctx.sink.may_compare() {
        return Vec::new();
    }
    let declared = names.facts.values().filter_map(|fact| names.decl(*fact));
    let mut fit: Vec<&'n str> = declared.filter(|d| types::alike(&d.ty, ty)).map(|d| d.name.as_str()).collect();
    fit.extend(HEADS.iter().filter(|head| types::word(head).is_some_and(|(_, own)| types::alike(&own, ty))));
    fit.sort_unstable();
    fit
}

fn unknown_head(ctx: &mut Ctx<'_>, path: &Path) {
    let Some(head) = path.parts.first().map(|part| &part.word) else { return };
    let known = heads(ctx);
    let rest = ctx.names.sources.text(Span { start: head.span.end, ..path.span });
    let help = match hint(ctx, &head.value, known) {
        // "did you mean `checks`?", and the rest of the path into the backticks.
        Some(near) => near.replace("`?", &format!("{}`?", escape(rest))),
        None => format!("declare it: `fact {} : map of …`", head.value),
    };
    ctx.sink.push(
        Diagnostic::new(UNKNOWN_FACT, head.span, format!("there is no fact, definition or stage `{}`", head.value))
            .label("not declared")
            .help(help),
    );
}

/// A bare word that is nothing. It may have to fit a type; `instead` is what else it may be, as an order.
pub(super) fn unknown(ctx: &mut Ctx<'_>, word: &Word, fits: Option<&Type>, instead: Option<String>) {
    let known = match fits {
        Some(ty) => fitting(ctx, ty),
        None => heads(ctx),
    };
    let help = match BUILD.contains(&word.value.as_str()) {
        true => Some(format!("did you mean `build.{}`?", word.value)),
        false => hint(ctx, &word.value, known),
    };
    let help = match (help, instead) {
        (Some(near), Some(instead)) => format!("{near} Or {instead}"),
        (Some(near), None) => near,
        (None, Some(instead)) => instead,
        (None, None) => format!("declare it: `fact {} : …`, or `define {} = …`", word.value, word.value),
    };
    ctx.sink.push(
        Diagnostic::new(UNKNOWN_FACT, word.span, format!("there is no fact or definition {}", quote(&word.value)))
            .label("not declared")
            .help(help),
    );
}

/// The constant that a side is, beside something of type `ty` that is written at `other`. `None` when it is none, which
/// has been told.
pub(super) fn constant(ctx: &mut Ctx<'_>, side: &Side<'_>, ty: &Type, other: Beside) -> Option<Constant> {
    if let Some(value) = side.value_of(ty) {
        return Some(Constant::Enum(value));
    }
    match (&side.is, side.word) {
        (Is::Literal(literal), _) => self::literal(ctx, literal, side.span, ty, other),
        // A stage may have the name of a person.
        (Is::Nothing | Is::Stage, Some(word)) if matches!(ty, Type::User) => {
            // `requester != author` would be true of everybody but one named "author".
            if BUILD.contains(&word.value.as_str()) {
                let name = &word.value;
                ctx.sink.push(
                    Diagnostic::new(UNKNOWN_FACT, word.span, format!("there is no fact `{name}`"))
                        .label("not declared")
                        .help(format!("did you mean `build.{name}`? For a person of that name write `\"{name}\"`")),
                );
                return None;
            }
            Some(Constant::String(Arc::from(word.value.as_str())))
        }
        (Is::Nothing, Some(word)) => {
            match ty {
                Type::Enum(values) => unknown_value(ctx, word, values, other),
                Type::String => {
                    unknown(ctx, word, Some(ty), Some(format!("write a text in quotes: `\"{}\"`", word.value)))
                }
                _ => unknown(ctx, word, Some(ty), None),
            }
            None
        }
        (Is::Define, _) => {
            let name = text(ctx, side.span);
            clash(ctx, side.span, &format!("{name} is a definition, which is a condition and not a value"), other, ty)
        }
        (Is::Stage, _) => {
            let name = ctx.names.sources.text(side.span);
            let message = format!("`{name}` is a stage, not a value");
            let help = format!("its facts are `{name}.status`, `{name}.at` and `{name}.age`");
            let told = Diagnostic::new(TYPE_CLASH, side.span, message).also(other.span, types::words(ty)).help(help);
            ctx.sink.push(told);
            None
        }
        (Is::Group(_), _) => {
            let (name, left) = (text(ctx, side.span), ctx.names.sources.text(other.span).to_string());
            let told = Diagnostic::new(TYPE_CLASH, side.span, format!("{name} is a group, not a value"))
                .label("a group of people")
                .also(other.span, types::words(ty))
                .help(format!("ask for its members: {}", quote(&format!("{left} in {}", name.trim_matches('`')))));
            ctx.sink.push(told);
            None
        }
        (Is::List(_), _) => {
            let told = Diagnostic::new(TYPE_CLASH, side.span, "a list is no value to compare with")
                .label("a list")
                .also(other.span, types::words(ty))
                .help("to ask for one of several values write `in [a, b]`");
            ctx.sink.push(told);
            None
        }
        (Is::Fact(_, own), _) => {
            let message = format!(
                "{} is {}, and {} is {}",
                other.named(ctx),
                types::words(ty),
                text(ctx, side.span),
                types::words(own)
            );
            let told = Diagnostic::new(TYPE_CLASH, side.span, message)
                .label(types::words(own))
                .also(other.span, types::words(ty))
                .help("both sides of a test must be of one type");
            ctx.sink.push(told);
            None
        }
        (Is::Nothing, None) => None,
    }
}

fn clash(ctx: &mut Ctx<'_>, span: Span, message: &str, other: Beside, ty: &Type) -> Option<Constant> {
    let told = Diagnostic::new(TYPE_CLASH, span, message)
        .also(other.span, types::words(ty))
        .help("a definition stands alone or after `and`, `or`, `not`");
    ctx.sink.push(told);
    None
}

fn unknown_value(ctx: &mut Ctx<'_>, word: &Word, values: &Arc<EnumType>, other: Beside) {
    let ty = Type::Enum(values.clone());
    let status = values.builtin == Some("status");
    let help = match word.value.as_str() {
        "succeeded" | "success" | "successful" | "ok" | "green" | "pass" if status => {
            "a success is written `passed`".to_string()
        }
        "failure" | "fail" | "red" | "error" if status => "did you mean `failed`?".to_string(),
        "running" | "queued" | "started" if status => "did you mean `pending`?".to_string(),
        name => {
            let near = hint(ctx, name, values.values.iter().map(String::as_str));
            near.or_else(|| {
                let known = fitting(ctx, &ty);
                let fact = hint(ctx, name, known)?;
                Some(format!("{fact} Values are {}", list_words(&values.values, 12)))
            })
            .unwrap_or_else(|| format!("its values are {}", list_words(&values.values, 12)))
        }
    };
    let message = format!("`{}` is not a value of {}", word.value, other.named(ctx));
    let told = Diagnostic::new(UNKNOWN_VALUE, word.span, message)
        .label("no such value")
        .also(other.span, types::words(&ty))
        .help(help);
    ctx.sink.push(told);
}

/// A literal as a constant of a type.
pub(super) fn literal(ctx: &mut Ctx<'_>, literal: &Literal, span: Span, ty: &Type, other: Beside) -> Option<Constant> {
    let zone = ctx.names.zone(span.source);
    let value = match (ty, literal) {
        (Type::Bool, Literal::Bool(value)) => Constant::Bool(*value),
        (Type::Number, Literal::Number { value, .. }) if value.is_finite() => Constant::Number(*value),
        (Type::String | Type::User, Literal::String(value)) => Constant::String(Arc::from(value.as_str())),
        (Type::Time, Literal::Date(date)) => {
            Constant::Time(instants::day(ctx.sink, *date, span, zone)?.saturating_mul(SECOND))
        }
        (Type::Time, Literal::DateTime(at)) => {
            Constant::Time(instants::point(ctx.sink, at, span, zone)?.saturating_mul(SECOND))
        }
        (Type::Duration, Literal::Duration(length)) => {
            Constant::Duration(i64::try_from(length.seconds).unwrap_or(i64::MAX).saturating_mul(SECOND))
        }
        (Type::Version, Literal::String(value)) => match semver::Version::parse(value) {
            Ok(version) => Constant::Version(Arc::new(version)),
            Err(error) => {
                ctx.sink.push(
                    Diagnostic::new(LITERAL, span, format!("{} is no version", quote(value)))
                        .label(error.to_string())
                        .also(other.span, types::words(ty))
                        .help("versions are semantic: three numbers as in `\"2026.3.1\"`, perhaps `-rc.1` after them"),
                );
                return None;
            }
        },
        (Type::Enum(values), Literal::String(value)) => {
            let told = match index(values, value) {
                Some(_) => Diagnostic::new(LITERAL, span, format!("{} is written in quotes", quote(value)))
                    .label("a string")
                    .also(other.span, types::words(ty))
                    .help(format!("write `{value}` without quotes")),
                None => {
                    let near = hint(ctx, value, values.values.iter().map(String::as_str));
                    let message = format!("{} is not a value of {}", quote(value), other.named(ctx));
                    Diagnostic::new(UNKNOWN_VALUE, span, message)
                        .label("no such value")
                        .also(other.span, types::words(ty))
                        .help(near.unwrap_or_else(|| format!("its values are {}", list_words(&values.values, 12))))
                }
            };
            ctx.sink.push(told);
            return None;
        }
        _ => {
            let kind = kind(literal);
            let message = format!("{} is {}, and {} is {kind}", other.named(ctx), types::words(ty), text(ctx, span));
            ctx.sink.push(
                Diagnostic::new(TYPE_CLASH, span, message)
                    .label(kind)
                    .also(other.span, types::words(ty))
                    .help(remedy(ty, literal)),
            );
            return None;
        }
    };
    Some(value)
}

/// What kind of literal it is, in words.
pub(super) fn kind(literal: &Literal) -> &'static str {
    match literal {
        Literal::Bool(_) => "a bool",
        Literal::Number { .. } => "a number",
        Literal::String(_) => "a string",
        Literal::Duration(_) => "a duration",
        Literal::Date(_) => "a date",
        Literal::DateTime(_) => "a time",
    }
}

/// How to write what was meant.
fn remedy(ty: &Type, literal: &Literal) -> String {
    let bare = |text: &str| format!("write {} without quotes", quote(text));
    match (ty, literal) {
        (Type::Number, Literal::String(text)) if text.parse::<f64>().is_ok_and(f64::is_finite) => bare(text),
        (Type::Bool, Literal::String(text)) if matches!(text.as_str(), "true" | "false") => bare(text),
        (Type::Duration, Literal::String(text)) if prepare::duration(text).is_some() => bare(text),
        (Type::Duration, Literal::Number { text, .. }) => {
            format!("a duration has its unit beside it: `{text}s`, `{text}m`, `{text}h` or `{text}d`")
        }
        (Type::Duration, _) => "a duration is written as in `30m`, `1h30m`, `2d`".into(),
        (Type::Time, _) => "a time is written as in `2026-03-04` or `2026-03-04 10:00`".into(),
        (Type::Version, _) => "a version is written as in `\"2026.3.1\"`".into(),
        (Type::String | Type::User, Literal::Number { text, .. }) => format!("write it in quotes: `\"{text}\"`"),
        (Type::String | Type::User, Literal::Duration(length)) => {
            format!("write it in quotes: `\"{}\"`", length.text)
        }
        (Type::String | Type::User, _) => "a text is written in quotes".into(),
        (Type::Enum(values), _) => format!("its values are {}", list_words(&values.values, 12)),
        (Type::Bool, _) => "a bool is `true` or `false`".into(),
        (Type::Number, _) => "a number is written as in `80` or `79.5`".into(),
        (Type::Set(of) | Type::Map(of), _) => {
            format!("it holds more than one value, each {}; ask with `every`, `any` or `no`", types::words(of))
        }
    }
}
