//! Questions asked of a log.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use chrono::DateTime;
use rayon::prelude::*;
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, params_from_iter};

use super::by::{By, ByKind, Group, grain};
use super::check::{Head, Names, Test};
use super::fields::{self, Field, Known, Row};
use super::parse::Tree;
use super::sql::{self, Condition, Plan, Words};
use super::{Query, matches};
use crate::{Entry, Log, LogError, Record, Review};

/// A decision that was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// Its place in the log, from 0.
    pub seq: u64,
    /// The record.
    pub record: Box<Record>,
    /// Who has reviewed it, each once, in the order of the reviews.
    pub reviewers: Vec<String>,
}

impl Found {
    /// Who asked for the promotion: else the person of a manual trigger.
    pub fn requester(&self) -> Option<&str> {
        fields::requester(&self.record)
    }

    /// What set it off: `push`, `manual`, …
    pub fn trigger(&self) -> Option<&'static str> {
        self.record.request.trigger.as_ref().map(fields::trigger)
    }

    /// What was to be done: `promote`, `redeploy` or `rollback`.
    pub fn action(&self) -> &'static str {
        fields::action(self.record.request.action.unwrap_or_default())
    }

    /// Whose approval counts for some rule, each once.
    pub fn approvers(&self) -> Vec<String> {
        fields::approvers(&self.record).into_iter().map(str::to_string).collect()
    }

    /// The overrides that are in force.
    pub fn overrides(&self) -> Vec<String> {
        let all = self.record.decision.overrides().iter();
        all.filter(|one| one.in_force).map(|one| one.name.clone()).collect()
    }
}

/// In which order decisions are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// In the order of the log.
    #[default]
    Oldest,
    /// The last recorded first.
    Newest,
}

/// Records that are read and looked into at once.
const CHUNK: usize = 256;

/// Who has reviewed which decision.
type Reviewers = HashMap<u64, Vec<String>>;

impl Log {
    /// How many decisions a question finds.
    ///
    /// # Errors
    /// When the log cannot be read, or a record that has to be looked into is damaged.
    pub fn count(&self, query: &Query) -> Result<u64, LogError> {
        let counted = self.with_connection(|log| {
            let driven = sql::driven(&query.tree, &Words(log))?;
            let plan = sql::plan(driven.as_ref().map_or(&query.tree, |(_, rest)| rest), &Words(log))?;
            if !plan.exact {
                return Ok(None);
            }
            let (condition, mut values) = clause(plan.condition.as_ref());
            let sql = match driven {
                None => format!("SELECT count(*) FROM decision d{condition}"),
                Some((driver, _)) => {
                    let joined = format!("rule s JOIN decision d ON d.seq = s.seq AND {}", driver.text);
                    values.splice(0..0, driver.values);
                    format!("SELECT count(*) FROM {joined}{condition}")
                }
            };
            log.prepare(&sql)?.query_row(params_from_iter(values), |row| row.get::<_, i64>(0)).map(Some)
        })?;
        if let Some(count) = counted {
            return Ok(u64::try_from(count).unwrap_or_default());
        }
        let mut count = 0;
        self.select(query, Order::Oldest, |_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    /// Tells each decision that a question finds, until it is told to stop.
    ///
    /// # Errors
    /// As [`Log::count`].
    pub fn select(
        &self,
        query: &Query,
        order: Order,
        mut tell: impl FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let (plan, mut seqs, reviewers) = self.with_connection(|log| {
            let plan = sql::plan(&query.tree, &Words(log))?;
            let seqs = candidates(log, &plan)?;
            Ok((plan, seqs, reviewers(log)?))
        })?;
        if order == Order::Newest {
            seqs.reverse();
        }
        // A few first, for those who want but a few.
        let mut size = 16;
        let mut rest = seqs.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at_checked(size).unwrap_or((rest, &[]));
            let found = self.look_into(query, plan.exact, now, &reviewers)?;
            for found in found {
                if tell(found).is_break() {
                    return Ok(());
                }
            }
            rest = later;
            size = (size * 4).min(CHUNK * 16);
        }
        Ok(())
    }

    /// Reads those records, and keeps the ones that the question finds.
    fn look_into(
        &self,
        query: &Query,
        exact: bool,
        seqs: &[u64],
        reviewers: &Reviewers,
    ) -> Result<Vec<Found>, LogError> {
        let none: &[String] = &[];
        let one = |seq: u64| -> Result<Option<Found>, LogError> {
            let stored = self.entry(seq)?.ok_or_else(|| LogError::NoRecord(seq.to_string()))?;
            let Entry::Decision(record) = stored.entry()? else {
                return Err(LogError::Damaged {
                    seq,
                    why: "it is no decision, as the table of decisions has it".into(),
                });
            };
            let reviewers = reviewers.get(&seq).map_or(none, Vec::as_slice);
            let row = Row { record: &record, reviewers };
            let found = exact || matches::matches(&query.tree, row) == Some(true);
            Ok(found.then(|| Found { seq, record, reviewers: reviewers.to_vec() }))
        };
        let found: Result<Vec<Vec<Found>>, LogError> = seqs
            .par_chunks(CHUNK)
            .map(|chunk| chunk.iter().filter_map(|seq| one(*seq).transpose()).collect())
            .collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Counts the decisions that a question finds by what they have in common. Stretches of time come in their order, one
    /// field alone comes the most frequent first, several come in the order of their values.
    ///
    /// # Errors
    /// As [`Log::count`].
    pub fn groups(&self, query: &Query, by: &[By]) -> Result<Vec<Group>, LogError> {
        // Where the decisions come from a side table, those that have any are asked for already.
        let heads = by.iter().filter_map(|by| match &by.0 {
            ByKind::Field(Field::Known(known)) => side_table(*known).map(|side| side.head),
            _ => None,
        });
        let (tree, any) = match heads.collect::<Vec<_>>().as_slice() {
            [head] => without_any(&query.tree, *head),
            _ => (query.tree.clone(), false),
        };
        let grouped = self.with_connection(|log| {
            let plan = sql::plan(&tree, &Words(log))?;
            if plan.exact { grouped(log, plan.condition.as_ref(), by, any) } else { Ok(None) }
        })?;
        let counts = match grouped {
            Some(counts) => counts,
            None => {
                let mut counts = BTreeMap::new();
                self.select(query, Order::Oldest, |found| {
                    let row = Row { record: &found.record, reviewers: &found.reviewers };
                    for keys in combined(by, row) {
                        *counts.entry(keys).or_insert(0) += 1;
                    }
                    ControlFlow::Continue(())
                })?;
                counts
            }
        };
        let mut groups: Vec<Group> = counts.into_iter().map(|(keys, count)| Group { keys, count }).collect();
        if by.len() == 1 && !by.iter().any(By::is_time) {
            groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        }
        Ok(groups)
    }

    /// The reviews of the decision at that place, in their order.
    ///
    /// # Errors
    /// When the log cannot be read, or one of them is damaged.
    pub fn reviews(&self, seq: u64) -> Result<Vec<Review>, LogError> {
        let of = i64::try_from(seq).unwrap_or(-1);
        let seqs: Vec<i64> = self.with_connection(|log| {
            let mut found = log.prepare_cached("SELECT seq FROM review WHERE \"of\" = ?1 ORDER BY seq")?;
            found.query_map([of], |row| row.get(0))?.collect()
        })?;
        let mut reviews = Vec::new();
        for seq in seqs.into_iter().filter_map(|seq| u64::try_from(seq).ok()) {
            if let Some(Entry::Review(review)) = self.entry(seq)?.map(|stored| stored.entry()).transpose()? {
                reviews.push(review);
            }
        }
        Ok(reviews)
    }
}

type Counts = BTreeMap<Vec<Option<String>>, u64>;

/// Every combination of the values that a record counts for.
fn combined(by: &[By], row: Row<'_>) -> Vec<Vec<Option<String>>> {
    by.iter().fold(vec![Vec::new()], |all, by| {
        let keys = by.keys(row);
        all.iter()
            .flat_map(|before| {
                keys.iter().map(move |key| before.iter().chain(std::iter::once(key)).cloned().collect::<Vec<_>>())
            })
            .collect()
    })
}

fn clause(condition: Option<&Condition>) -> (String, Vec<Sql>) {
    match condition {
        None => (String::new(), Vec::new()),
        Some(condition) => (format!(" WHERE {}", condition.text), condition.values.clone()),
    }
}

/// The places of the decisions that come into question, in order.
fn candidates(log: &Connection, plan: &Plan) -> rusqlite::Result<Vec<u64>> {
    let (condition, values) = clause(plan.condition.as_ref());
    let sql = format!("SELECT d.seq FROM decision d{condition} ORDER BY d.seq");
    let mut found = log.prepare(&sql)?;
    let seqs = found.query_map(params_from_iter(values), |row| row.get::<_, i64>(0))?;
    seqs.map(|seq| seq.map(|seq| u64::try_from(seq).unwrap_or_default())).collect()
}

fn reviewers(log: &Connection) -> rusqlite::Result<Reviewers> {
    let sql = "SELECT r.\"of\", w.text FROM review r JOIN word w ON w.id = r.\"by\" ORDER BY r.seq";
    let mut found = log.prepare_cached(sql)?;
    let mut rows = found.query([])?;
    let mut all = Reviewers::new();
    while let Some(row) = rows.next()? {
        let (of, by): (i64, String) = (row.get(0)?, row.get(1)?);
        let people = all.entry(u64::try_from(of).unwrap_or_default()).or_default();
        if !people.contains(&by) {
            people.push(by);
        }
    }
    Ok(all)
}

/// How a column of a count is read.
enum Key {
    /// The number of a word.
    Word,
    /// The number of a policy.
    Policy,
    /// As it stands.
    Text,
    /// The number of one of a few words.
    Code(Known),
    /// Nanoseconds, cut to the grain of the zone.
    Time(usize),
}

/// Counts by columns and side tables; `None` where these do not say all.
fn grouped(log: &Connection, condition: Option<&Condition>, by: &[By], any: bool) -> rusqlite::Result<Option<Counts>> {
    let (mut columns, mut keys, mut side) = (Vec::new(), Vec::new(), None);
    for (place, by) in by.iter().enumerate() {
        let (column, key) = match &by.0 {
            ByKind::Unit(_, zone) => {
                let grain = grain(*zone).saturating_mul(1_000_000_000);
                (format!("d.at / {grain} * {grain}"), Key::Time(place))
            }
            ByKind::Field(Field::Known(Known::Policy | Known::PolicyDigest)) => ("d.policy".into(), Key::Policy),
            ByKind::Field(Field::Known(Known::BuildVersion)) => ("d.version".into(), Key::Text),
            ByKind::Field(Field::Known(field)) => match (sql::grouped(*field), side_table(*field)) {
                (Some(column), _) if sql::is_word(*field) => (column.to_string(), Key::Word),
                (Some(column), _) if sql::word_of(*field, 0).is_some() => (column.to_string(), Key::Code(*field)),
                (Some(column), _) => (column.to_string(), Key::Text),
                (None, Some(table)) if side.is_none() => {
                    side = Some((place, table));
                    ("s.name".to_string(), Key::Word)
                }
                _ => return Ok(None),
            },
            ByKind::Field(Field::Fact(_)) => return Ok(None),
        };
        columns.push(column);
        keys.push(key);
    }
    let numbers: Vec<String> = (1..=columns.len()).map(|number| number.to_string()).collect();
    let group = if numbers.is_empty() { String::new() } else { format!(" GROUP BY {}", numbers.join(", ")) };
    let (clause, values) = clause(condition);
    let mut counts = Counts::new();
    // `and` is what is asked besides the condition; without it, `from` has the condition in it.
    let mut add = |columns: &[String], number: &str, from: &str, and: Option<&str>| -> rusqlite::Result<()> {
        let select: String = columns.iter().map(|column| format!("{column}, ")).collect();
        let asked = match and {
            None => String::new(),
            Some("") => clause.clone(),
            Some(and) if clause.is_empty() => format!(" WHERE {and}"),
            Some(and) => format!("{clause} AND {and}"),
        };
        let sql = format!("SELECT {select}{number} FROM {from}{asked}{group}");
        let mut found = log.prepare(&sql)?;
        let mut rows = found.query(params_from_iter(values.iter()))?;
        let mut words = HashMap::new();
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(keys.len());
            for (at, key) in keys.iter().enumerate() {
                values.push(key.read(row.get_ref(at)?, log, by, at, &mut words)?);
            }
            let count: i64 = row.get(keys.len())?;
            if count > 0 {
                *counts.entry(values).or_insert(0) += u64::try_from(count).unwrap_or_default();
            }
        }
        Ok(())
    };
    match side {
        None => add(&columns, "count(*)", "decision d", Some(""))?,
        Some((place, table)) => {
            let Side { table, name, seq, only, many, .. } = table;
            let columns: Vec<String> = columns
                .iter()
                .map(|column| if column == "s.name" { format!("s.{name}") } else { column.clone() })
                .collect();
            // In some tables a decision can stand several times with a name.
            let number = if many { "count(DISTINCT d.seq)" } else { "count(*)" };
            if columns.len() == 1 {
                // Nothing else of a decision is wanted than that it is one of them: they are looked up once, in their order.
                let among = format!("{only} AND s.{seq} IN (SELECT d.seq FROM decision d{clause})");
                let number = if many { format!("count(DISTINCT s.{seq})") } else { number.to_string() };
                add(&columns, &number, &format!("{table} s WHERE {among}"), None)?;
            } else {
                add(&columns, number, &format!("{table} s JOIN decision d ON d.seq = s.{seq}"), Some(only))?;
            }
            if !any {
                // Those that have none.
                let mut without = columns;
                if let Some(column) = without.get_mut(place) {
                    *column = "NULL".to_string();
                }
                let none = format!("d.seq NOT IN (SELECT s.{seq} FROM {table} s WHERE {only})");
                add(&without, "count(*)", "decision d", Some(&none))?;
            }
        }
    }
    Ok(Some(counts))
}

/// The side table of a set.
#[derive(Clone, Copy)]
struct Side {
    head: Head,
    table: &'static str,
    name: &'static str,
    seq: &'static str,
    /// Of its rows, those that count.
    only: &'static str,
    /// Whether a decision can stand in it several times with the same name.
    many: bool,
}

fn side_table(field: Known) -> Option<Side> {
    Some(match field {
        Known::Blocking => {
            Side { head: Head::Blocked, table: "rule", name: "rule", seq: "seq", only: "s.blocking = 1", many: false }
        }
        Known::Approvers => {
            Side { head: Head::Approved, table: "person", name: "person", seq: "seq", only: "s.role = 0", many: true }
        }
        Known::Overrides => Side {
            head: Head::Overridden,
            table: "override",
            name: "name",
            seq: "seq",
            only: "s.in_force = 1",
            many: false,
        },
        Known::Reviewers => {
            Side { head: Head::Reviewed, table: "review", name: "\"by\"", seq: "\"of\"", only: "1", many: true }
        }
        _ => return None,
    })
}

/// The question without the demand that a decision has any of those, and whether it was there.
fn without_any(tree: &Tree<Test>, head: Head) -> (Tree<Test>, bool) {
    let demands = |tree: &Tree<Test>| matches!(tree, Tree::Leaf(Test::By(asked, Names::Any)) if *asked == head);
    match tree {
        tree if demands(tree) => (Tree::And(Vec::new()), true),
        Tree::And(items) => {
            let parts: Vec<(Tree<Test>, bool)> = items.iter().map(|item| without_any(item, head)).collect();
            let any = parts.iter().any(|(_, any)| *any);
            (Tree::And(parts.into_iter().map(|(tree, _)| tree).collect()), any)
        }
        other => (other.clone(), false),
    }
}

impl Key {
    fn read(
        &self,
        value: ValueRef<'_>,
        log: &Connection,
        by: &[By],
        place: usize,
        words: &mut HashMap<(usize, i64), String>,
    ) -> rusqlite::Result<Option<String>> {
        let number = match value {
            ValueRef::Null => return Ok(None),
            ValueRef::Text(text) => return Ok(Some(String::from_utf8_lossy(text).into_owned())),
            other => other.as_i64()?,
        };
        let column = match by.get(place).map(|by| &by.0) {
            Some(ByKind::Field(Field::Known(Known::PolicyDigest))) => "digest",
            _ => "name",
        };
        Ok(match self {
            Key::Text => Some(number.to_string()),
            Key::Code(field) => sql::word_of(*field, number).map(str::to_string),
            Key::Time(at) => match by.get(*at).map(|by| &by.0) {
                Some(ByKind::Unit(unit, zone)) => Some(unit.of(*zone, DateTime::from_timestamp_nanos(number))),
                _ => None,
            },
            Key::Word | Key::Policy => {
                if let Some(known) = words.get(&(place, number)) {
                    return Ok(Some(known.clone()));
                }
                let sql = match (matches!(self, Key::Word), column) {
                    (true, _) => "SELECT text FROM word WHERE id = ?1",
                    (false, "digest") => "SELECT digest FROM policy WHERE id = ?1",
                    (false, _) => "SELECT name FROM policy WHERE id = ?1",
                };
                let text: String = log.prepare_cached(sql)?.query_row([number], |row| row.get(0))?;
                words.insert((place, number), text.clone());
                Some(text)
            }
        })
    }
}
