//! Types of facts.

use super::names::Sink;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::TWICE;
use crate::program::{EnumType, STATUS, Type};
use crate::syntax::tree;

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
        tree::Type::Status => {
            Type::Enum(EnumType { builtin: Some("status"), values: STATUS.map(str::to_string).to_vec() }.into())
        }
        tree::Type::Enum(words) => {
            let mut values: Vec<String> = Vec::new();
            for word in words {
                if values.contains(&word.value) {
                    let message = format!("the value `{}` is listed twice", word.value);
                    sink.push(Diagnostic::new(TWICE, word.span, message).help("remove one of them"));
                } else {
                    values.push(word.value.clone());
                }
            }
            Type::Enum(EnumType { builtin: None, values }.into())
        }
        tree::Type::Set(of) => Type::Set(Box::new(declared(sink, of))),
        tree::Type::Map(of) => Type::Map(Box::new(declared(sink, of))),
    }
}
