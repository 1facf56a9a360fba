//! Values of facts, from what a Rust caller has at hand.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeZone};

use super::request::{RunStatus, Value};
use super::time::utc;
use crate::plain::quote;

impl Value {
    /// An empty list, for which `[]` alone does not say its type.
    pub fn empty_list() -> Value {
        Value::List(Vec::new())
    }

    /// An empty map, for which `[]` alone does not say its type.
    pub fn empty_map() -> Value {
        Value::Map(BTreeMap::new())
    }

    /// What kind of value it is, in words, without the value itself: `a number`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a bool",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Time(_) => "a time",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The value in a few words, for a message: ``the text `high` ``. Not for the value of a secret.
    pub fn describe(&self) -> String {
        match self {
            Value::Bool(value) => format!("`{value}`"),
            Value::Number(value) => format!("the number {value}"),
            Value::String(value) => format!("the text {}", quote(value)),
            Value::Time(value) => format!("the time {}", super::time::text(*value)),
            Value::Null | Value::List(_) | Value::Map(_) => self.kind().to_string(),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Value {
            /// The nearest double: exact up to 2^53.
            fn from(value: $ty) -> Value {
                Value::Number(value as f64)
            }
        }
    )*};
}
numbers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f64);

impl From<f32> for Value {
    /// The double of the same decimal text, so that `0.1_f32` is the `0.1` of a policy.
    fn from(value: f32) -> Value {
        Value::Number(value.to_string().parse().unwrap_or(f64::from(value)))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::String(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Value {
        Value::String(value.clone())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(value: Cow<'_, str>) -> Value {
        Value::String(value.into_owned())
    }
}

impl From<RunStatus> for Value {
    /// As the policy writes it: `passed`, `failed`, ...
    fn from(value: RunStatus) -> Value {
        Value::from(match value {
            RunStatus::Succeeded => "passed",
            RunStatus::Failed => "failed",
            RunStatus::Skipped => "skipped",
            RunStatus::Cancelled => "cancelled",
            RunStatus::Pending => "pending",
        })
    }
}

impl<Z: TimeZone> From<DateTime<Z>> for Value {
    fn from(value: DateTime<Z>) -> Value {
        Value::Time(utc(value))
    }
}

impl<T> From<Option<T>> for Value
where
    Value: From<T>,
{
    /// `None` is `null`: known to be absent.
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Value::from)
    }
}

// The bounds are written `Value: From<T>`, not `T: Into<Value>`: only so does the compiler know that a list of pairs is
// a map and nothing else.

impl<T, const N: usize> From<[T; N]> for Value
where
    Value: From<T>,
{
    fn from(values: [T; N]) -> Value {
        Value::List(values.into_iter().map(Value::from).collect())
    }
}

impl<T> From<Vec<T>> for Value
where
    Value: From<T>,
{
    fn from(values: Vec<T>) -> Value {
        Value::List(values.into_iter().map(Value::from).collect())
    }
}

impl<T: Clone> From<&[T]> for Value
where
    Value: From<T>,
{
    fn from(values: &[T]) -> Value {
        Value::List(values.iter().cloned().map(Value::from).collect())
    }
}

impl<T> From<BTreeSet<T>> for Value
where
    Value: From<T>,
{
    fn from(values: BTreeSet<T>) -> Value {
        Value::List(values.into_iter().map(Value::from).collect())
    }
}

impl<T: Ord, S> From<HashSet<T, S>> for Value
where
    Value: From<T>,
{
    /// In order, so that the same set makes the same request.
    fn from(values: HashSet<T, S>) -> Value {
        let mut values: Vec<T> = values.into_iter().collect();
        values.sort();
        Value::List(values.into_iter().map(Value::from).collect())
    }
}

impl<K: Into<String>, V, const N: usize> From<[(K, V); N]> for Value
where
    Value: From<V>,
{
    /// A map; of a key that is given twice the last value stands.
    fn from(pairs: [(K, V); N]) -> Value {
        map(pairs)
    }
}

impl<K: Into<String>, V> From<Vec<(K, V)>> for Value
where
    Value: From<V>,
{
    /// A map; of a key that is given twice the last value stands.
    fn from(pairs: Vec<(K, V)>) -> Value {
        map(pairs)
    }
}

impl<K: Into<String>, V> From<BTreeMap<K, V>> for Value
where
    Value: From<V>,
{
    fn from(pairs: BTreeMap<K, V>) -> Value {
        map(pairs)
    }
}

impl<K: Into<String>, V, S> From<HashMap<K, V, S>> for Value
where
    Value: From<V>,
{
    fn from(pairs: HashMap<K, V, S>) -> Value {
        map(pairs)
    }
}

fn map<K: Into<String>, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Value
where
    Value: From<V>,
{
    Value::Map(pairs.into_iter().map(|(key, value)| (key.into(), Value::from(value))).collect())
}
