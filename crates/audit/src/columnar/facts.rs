//! Facts as columns: one for each fact that a policy of the log declares, of the type that it declares.

use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use stagegate::syntax::tree::{Item, Type};
use stagegate::{Policy, Value};

use super::columns::{Cell, Column, Scalar, Shape};

/// The columns of all facts.
#[derive(Clone, Debug, Default)]
pub(super) struct FactColumns {
    /// Name of the column, and what it holds.
    columns: Vec<(String, String, Shape)>,
    /// By digest of the policy and name of the fact: the column and what a value is.
    of: HashMap<String, BTreeMap<String, (usize, Kind)>>,
}

/// How a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    One(Read),
    List(Read),
    Map(Read),
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Bool,
    Number,
    Text,
    Time,
    Duration,
}

fn read(ty: &Type) -> Option<Read> {
    Some(match ty {
        Type::Bool => Read::Bool,
        Type::Number => Read::Number,
        Type::Time => Read::Time,
        Type::Duration => Read::Duration,
        Type::String | Type::Version | Type::User | Type::Status | Type::Enum(_) => Read::Text,
        Type::Set(_) | Type::Map(_) => return None,
    })
}

fn kind(ty: &Type) -> Kind {
    match ty {
        Type::Set(of) => read(of).map_or(Kind::Json, Kind::List),
        Type::Map(of) => read(of).map_or(Kind::Json, Kind::Map),
        ty => read(ty).map_or(Kind::Json, Kind::One),
    }
}

fn shape(kind: Kind) -> Shape {
    let scalar = |read| match read {
        Read::Bool => Scalar::Bool,
        Read::Number => Scalar::Number,
        Read::Text => Scalar::Text,
        Read::Time => Scalar::Time,
        Read::Duration => Scalar::Whole,
    };
    match kind {
        Kind::One(read) => Shape::One(scalar(read)),
        Kind::List(read) => Shape::List(scalar(read)),
        Kind::Map(read) => Shape::Map(scalar(read)),
        Kind::Json => Shape::One(Scalar::Json),
    }
}

/// What the names of columns of one fact of several types end with.
fn ending(shape: Shape) -> &'static str {
    let scalar = |scalar| match scalar {
        Scalar::Bool => "bool",
        Scalar::Number => "number",
        Scalar::Whole => "duration",
        Scalar::Time => "time",
        Scalar::Text => "text",
        Scalar::Json => "json",
    };
    match shape {
        Shape::Always(of) | Shape::One(of) => scalar(of),
        Shape::List(_) => "set",
        Shape::Map(_) => "map",
    }
}

impl FactColumns {
    /// Of these policies.
    pub fn new<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> FactColumns {
        // Each fact with the shapes it has had; in the order of their names, so that the same policies give the same
        // columns.
        let mut shapes: BTreeMap<String, BTreeMap<Shape, Option<usize>>> = BTreeMap::new();
        let mut declared = Vec::new();
        for policy in policies {
            let items = policy.files().iter().flat_map(|file| &file.items);
            for item in items {
                if let Item::Fact(fact) = &item.value {
                    // What is secret stands as a digest among what is withheld.
                    let kind = if fact.secret { continue } else { kind(&fact.ty.value) };
                    shapes.entry(fact.name.value.clone()).or_default().entry(shape(kind)).or_default();
                    declared.push((policy.digest().to_string(), fact.name.value.clone(), kind));
                }
            }
        }
        let mut found = FactColumns::default();
        let mut names = std::collections::HashSet::new();
        for (fact, shapes) in &mut shapes {
            let several = shapes.len() > 1;
            for (shape, column) in shapes {
                let plain = fact.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
                let wanted = if several { format!("fact_{plain}_{}", ending(*shape)) } else { format!("fact_{plain}") };
                let mut name = wanted.clone();
                let mut number = 2;
                while !names.insert(name.clone()) {
                    name = format!("{wanted}_{number}");
                    number += 1;
                }
                *column = Some(found.columns.len());
                found.columns.push((name, fact.clone(), *shape));
            }
        }
        for (digest, fact, kind) in declared {
            if let Some(Some(column)) = shapes.get(&fact).and_then(|shapes| shapes.get(&shape(kind))) {
                found.of.entry(digest).or_default().insert(fact, (*column, kind));
            }
        }
        found
    }

    pub fn columns(&self) -> impl Iterator<Item = Column> {
        self.columns.iter().map(|(name, _, shape)| Column::new(name.clone(), *shape))
    }

    /// Which column holds which fact, as JSON: for the metadata of a file.
    pub fn described(&self) -> String {
        let map: BTreeMap<&str, &str> =
            self.columns.iter().map(|(name, fact, _)| (name.as_str(), fact.as_str())).collect();
        serde_json::to_string(&map).unwrap_or_default()
    }

    /// Puts the facts of a request that this policy decided into the columns; gives back those that no column takes.
    pub fn put<'v>(
        &self,
        digest: &str,
        facts: impl IntoIterator<Item = (&'v String, &'v Value)>,
        columns: &mut [Column],
    ) -> BTreeMap<&'v str, &'v Value> {
        let known = self.of.get(digest);
        let mut rest = BTreeMap::new();
        let mut given = vec![false; columns.len()];
        for (name, value) in facts {
            let place = known.and_then(|known| known.get(name));
            let taken = place.is_some_and(|(column, kind)| {
                let taken = columns.get_mut(*column).is_some_and(|into| put(into, *kind, value));
                if let (true, Some(given)) = (taken, given.get_mut(*column)) {
                    *given = true;
                }
                taken
            });
            if !taken {
                rest.insert(name.as_str(), value);
            }
        }
        for (column, given) in columns.iter_mut().zip(given) {
            if !given {
                column.one(None);
            }
        }
        rest
    }
}

/// Puts a value into its column, if it is of the kind.
fn put(column: &mut Column, kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::One(read), value) => match cell(read, value) {
            Some(cell) => column.one(Some(cell)),
            None => false,
        },
        (Kind::List(read), Value::List(values)) => {
            let cells: Option<Vec<_>> = values.iter().map(|value| cell(read, value).map(Some)).collect();
            cells.map(|cells| column.list(cells)).is_some()
        }
        (Kind::Map(read), Value::Map(values)) => {
            let cells: Option<Vec<_>> =
                values.iter().map(|(key, value)| Some((key.clone(), Some(cell(read, value)?)))).collect();
            cells.map(|cells| column.map(cells)).is_some()
        }
        (Kind::Json, Value::List(_) | Value::Map(_)) => {
            column.one(Some(Cell::Text(serde_json::to_string(value).unwrap_or_default())))
        }
        _ => false,
    }
}

fn cell(read: Read, value: &Value) -> Option<Cell> {
    Some(match (read, value) {
        (Read::Bool, Value::Bool(value)) => Cell::Bool(*value),
        (Read::Number, Value::Number(value)) => Cell::Number(*value),
        (Read::Text, Value::String(value)) => Cell::Text(value.clone()),
        (Read::Time, Value::Time(value)) => Cell::Whole(value.timestamp_micros()),
        (Read::Time, Value::String(value)) => Cell::Whole(DateTime::parse_from_rfc3339(value).ok()?.timestamp_micros()),
        (Read::Duration, Value::String(value)) => Cell::Whole(seconds(value)?),
        _ => return None,
    })
}

/// `1h30m` in seconds.
fn seconds(text: &str) -> Option<i64> {
    let (mut all, mut number) = (0i64, None::<i64>);
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(i64::from(digit))?);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        all = all.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    if number.is_some() || text.is_empty() { None } else { Some(all) }
}
