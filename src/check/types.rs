//! Types of facts: those that are declared, those that always exist, and what they can do.

use std::sync::{Arc, LazyLock};

use super::names::Sink;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::{TOO_MANY, TWICE};
use crate::program::{ACTION, Builtin, EnumType, STATUS, StageId, TRIGGER, Type};
use crate::syntax::tree;

static STATUS_TYPE: LazyLock<Arc<EnumType>> = LazyLock::new(|| enumeration("status", &STATUS));
static TRIGGER_TYPE: LazyLock<Arc<EnumType>> = LazyLock::new(|| enumeration("trigger", &TRIGGER));
static ACTION_TYPE: LazyLock<Arc<EnumType>> = LazyLock::new(|| enumeration("action", &ACTION));

fn enumeration(name: &'static str, values: &[&str]) -> Arc<EnumType> {
    Arc::new(EnumType { builtin: Some(name), values: values.iter().map(|value| value.to_string()).collect() })
}

/// So many values an enumeration may have. Values are looked for from the front, so it has to be short.
const MAX_VALUES: usize = 1_000;

fn too_many_values(sink: &mut Sink, word: &tree::Word) {
    sink.push(
        Diagnostic::new(TOO_MANY, word.span, format!("an enumeration of more than {MAX_VALUES} values"))
            .label("the limit is passed here")
            .help("declare the fact as a `string`"),
    );
}

/// The type that a fact is declared with. Parser depth bounds the nesting.
pub(super) fn declared(sink: &mut Sink, ty: &tree::At<tree::Type>) -> Type {
    match &ty.value {
        tree::Type::Bool => Type::Bool,
        tree::Type::Number => Type::Number,
        tree::Type::String => Type::String,
        tree::Type::Time => Type::Time,
        tree::Type::Duration => Type::Duration,
        tree::Type::Version => Type::Version,
        tree::Type::User => Type::User,
        tree::Type::Status => Type::Enum(STATUS_TYPE.clone()),
        tree::Type::Enum(words) => {
            let mut values: Vec<String> = Vec::new();
            let mut seen = std::collections::HashSet::new();
            for word in words {
                if seen.insert(word.value.as_str()) {
                    values.push(word.value.clone());
                } else {
                    let message = format!("the value `{}` is listed twice", word.value);
                    sink.push(Diagnostic::new(TWICE, word.span, message).help("remove one of them"));
                }
            }
            if let Some(word) = words.get(MAX_VALUES) {
                too_many_values(sink, word);
            }
            Type::Enum(EnumType { builtin: None, values }.into())
        }
        tree::Type::Set(of) => Type::Set(Box::new(declared(sink, of))),
        tree::Type::Map(of) => Type::Map(Box::new(declared(sink, of))),
    }
}

/// The facts after `build.`.
pub(super) const BUILD: [&str; 10] =
    ["id", "digest", "version", "branch", "commit", "author", "contributors", "labels", "created", "age"];
/// The facts after `current.`.
pub(super) const CURRENT: [&str; 6] = ["id", "version", "created", "digest", "at", "age"];
/// The facts after the name of a stage.
pub(super) const STAGE: [&str; 3] = ["status", "at", "age"];
/// The first words of facts that always exist.
pub(super) const HEADS: [&str; 6] = ["build", "current", "trigger", "action", "requester", "now"];

/// `build.part`
pub(super) fn build(part: &str) -> Option<(Builtin, Type)> {
    Some(match part {
        "id" => (Builtin::BuildId, Type::String),
        "digest" => (Builtin::BuildDigest, Type::String),
        "version" => (Builtin::BuildVersion, Type::Version),
        "branch" => (Builtin::BuildBranch, Type::String),
        "commit" => (Builtin::BuildCommit, Type::String),
        "author" => (Builtin::BuildAuthor, Type::User),
        "contributors" => (Builtin::BuildContributors, Type::Set(Box::new(Type::User))),
        "labels" => (Builtin::BuildLabels, Type::Set(Box::new(Type::String))),
        "created" => (Builtin::BuildCreated, Type::Time),
        "age" => (Builtin::BuildAge, Type::Duration),
        _ => return None,
    })
}

/// `current.part`
pub(super) fn current(part: &str) -> Option<(Builtin, Type)> {
    Some(match part {
        "id" => (Builtin::CurrentId, Type::String),
        "version" => (Builtin::CurrentVersion, Type::Version),
        "created" => (Builtin::CurrentCreated, Type::Time),
        "digest" => (Builtin::CurrentDigest, Type::String),
        "at" => (Builtin::CurrentAt, Type::Time),
        "age" => (Builtin::CurrentAge, Type::Duration),
        _ => return None,
    })
}

/// `Stage.part`
pub(super) fn of_stage(stage: StageId, part: &str) -> Option<(Builtin, Type)> {
    Some(match part {
        "status" => (Builtin::StageStatus(stage), Type::Enum(STATUS_TYPE.clone())),
        "at" => (Builtin::StageAt(stage), Type::Time),
        "age" => (Builtin::StageAge(stage), Type::Duration),
        _ => return None,
    })
}

/// The facts of one word that always exist.
pub(super) fn word(name: &str) -> Option<(Builtin, Type)> {
    Some(match name {
        "trigger" => (Builtin::Trigger, Type::Enum(TRIGGER_TYPE.clone())),
        "action" => (Builtin::Action, Type::Enum(ACTION_TYPE.clone())),
        "requester" => (Builtin::Requester, Type::User),
        "now" => (Builtin::Now, Type::Time),
        _ => return None,
    })
}

/// A type in words: `a number`, `a set of strings`.
pub(super) fn words(ty: &Type) -> String {
    match ty {
        Type::Bool => "a bool".into(),
        Type::Number => "a number".into(),
        Type::String => "a string".into(),
        Type::Time => "a time".into(),
        Type::Duration => "a duration".into(),
        Type::Version => "a version".into(),
        Type::User => "a user".into(),
        Type::Enum(values) => match values.builtin {
            Some("status") => "a status".into(),
            Some("trigger") => "a kind of trigger".into(),
            Some(_) => "an action".into(),
            None => {
                let mut shown: Vec<&str> = values.values.iter().take(4).map(String::as_str).collect();
                if values.values.len() > shown.len() {
                    shown.push("…");
                }
                format!("one of {{ {} }}", shown.join(", "))
            }
        },
        Type::Set(of) => format!("a set of {}", plural(of)),
        Type::Map(of) => format!("a map of {}", plural(of)),
    }
}

fn plural(ty: &Type) -> String {
    match ty {
        Type::Bool => "bools".into(),
        Type::Number => "numbers".into(),
        Type::String => "strings".into(),
        Type::Time => "times".into(),
        Type::Duration => "durations".into(),
        Type::Version => "versions".into(),
        Type::User => "users".into(),
        Type::Enum(values) => match values.builtin {
            Some("status") => "statuses".into(),
            Some(_) => "values".into(),
            None => words(ty).trim_start_matches("one of ").to_string(),
        },
        Type::Set(of) => format!("sets of {}", plural(of)),
        Type::Map(of) => format!("maps of {}", plural(of)),
    }
}

/// A text: strings and users, which may be compared with one another.
pub(super) fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::User)
}

/// Whether `==` has a meaning between them.
pub(super) fn alike(a: &Type, b: &Type) -> bool {
    a == b || is_text(a) && is_text(b)
}

/// Whether it has an order, for `<` and its like.
pub(super) fn is_ordered(ty: &Type) -> bool {
    match ty {
        Type::Number | Type::Time | Type::Duration | Type::Version => true,
        Type::Enum(values) => values.builtin.is_none(),
        Type::Bool | Type::String | Type::User | Type::Set(_) | Type::Map(_) => false,
    }
}
