//! What of a question the columns and side tables can answer.
//!
//! The SQL is put together from texts that stand in this file, with a `?` for every value of the question. A test gives a
//! condition for "it is true" and another for "it is false", so that `not` never has to be asked of SQL, whose unknown is
//! its own. A test that the columns cannot answer gives none, and the condition is then too wide by it: who runs it
//! looks into the records.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension};

use super::check::{Check, Head, Names, RuleIs, Side, Test};
use super::fields::{ACTIONS, Field, Known, TRIGGERS, VERDICTS};
use super::parse::Tree;
use crate::Id;
use crate::log::rows;

/// More values than this are compared outside of SQL.
const MOST_VALUES: usize = 500;
/// SQLite bounds the depth of an expression, in which a chain is as deep as it is long.
const MOST_LEAVES: usize = 200;

/// A condition over `decision d`, with the values of its `?`s in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    pub text: String,
    pub values: Vec<Sql>,
    /// How many tests are in it.
    leaves: usize,
}

/// What is asked of SQL, and whether that is all that is asked.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// `None`: every decision comes into question.
    pub condition: Option<Condition>,
    /// Whether the records need not be looked into.
    pub exact: bool,
}

impl Plan {
    const ALL: Plan = Plan { condition: None, exact: false };

    fn exact(text: impl Into<String>, values: Vec<Sql>) -> Plan {
        Plan { condition: Some(Condition { text: text.into(), values, leaves: 1 }), exact: true }
    }

    /// True of every decision, or of none.
    fn always(yes: bool) -> Plan {
        Plan::exact(if yes { "1" } else { "0" }, Vec::new())
    }
}

/// The names of the log, looked up as they are needed.
pub(crate) struct Words<'c>(pub &'c Connection);

impl Words<'_> {
    /// The number of a name. One that the log does not have is -1, which no name has.
    fn id(&self, text: &str) -> rusqlite::Result<Sql> {
        let mut find = self.0.prepare_cached("SELECT id FROM word WHERE text = ?1")?;
        let id: Option<i64> = find.query_row([text], |row| row.get(0)).optional()?;
        Ok(Sql::Integer(id.unwrap_or(-1)))
    }

    fn ids<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> rusqlite::Result<Vec<Sql>> {
        texts.into_iter().map(|text| self.id(text)).collect()
    }
}

/// The plan for a question.
pub(crate) fn plan(tree: &Tree<Test>, words: &Words<'_>) -> rusqlite::Result<Plan> {
    part(tree, true, words)
}

/// A demand for one rule, from whose rows the decisions can be found, and the rest of the question. A decision has one rule
/// of a name.
pub(crate) fn driven(tree: &Tree<Test>, words: &Words<'_>) -> rusqlite::Result<Option<(Condition, Tree<Test>)>> {
    let items = match tree {
        Tree::And(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    let found = items.iter().enumerate().find_map(|(at, item)| match item {
        Tree::Leaf(Test::By(Head::Blocked, Names::These(names))) => Some((at, names.as_slice(), None)),
        Tree::Leaf(Test::Rule(Names::These(names), RuleIs::Status(status))) => {
            Some((at, names.as_slice(), Some(*status)))
        }
        _ => None,
    });
    let Some((at, [name], status)) = found else { return Ok(None) };
    let mut values = vec![words.id(name)?];
    let text = match status {
        None => "s.rule = ? AND s.blocking = 1 AND s.status IN (1, 2, 3, 4)".to_string(),
        Some(status) => {
            values.push(Sql::Integer(rows::status(status)));
            "s.rule = ? AND s.status = ?".to_string()
        }
    };
    let rest = items.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, item)| item.clone());
    Ok(Some((Condition { text, values, leaves: 1 }, Tree::And(rest.collect()))))
}

/// Of a part of it: where it is true, or where it is false.
fn part(tree: &Tree<Test>, wanted: bool, words: &Words<'_>) -> rusqlite::Result<Plan> {
    let parts = |items: &[Tree<Test>]| -> rusqlite::Result<Vec<Plan>> {
        items.iter().map(|item| part(item, wanted, words)).collect()
    };
    Ok(match (tree, wanted) {
        (Tree::Leaf(test), _) => leaf(test, wanted, words)?,
        (Tree::Not(item), _) => part(item, !wanted, words)?,
        (Tree::And(items), true) | (Tree::Or(items), false) => all(parts(items)?),
        (Tree::Or(items), true) | (Tree::And(items), false) => any(parts(items)?),
    })
}

fn all(parts: Vec<Plan>) -> Plan {
    let exact = parts.iter().all(|part| part.exact);
    let conditions: Vec<Condition> = parts.into_iter().filter_map(|part| part.condition).collect();
    if conditions.is_empty() { Plan { condition: None, exact } } else { joined(conditions, " AND ", exact) }
}

fn any(parts: Vec<Plan>) -> Plan {
    let exact = parts.iter().all(|part| part.exact);
    if parts.is_empty() {
        return Plan::always(false);
    }
    match parts.into_iter().map(|part| part.condition).collect::<Option<Vec<_>>>() {
        Some(conditions) => joined(conditions, " OR ", exact),
        None => Plan { condition: None, exact },
    }
}

fn joined(conditions: Vec<Condition>, sign: &str, exact: bool) -> Plan {
    let values: Vec<Sql> = conditions.iter().flat_map(|condition| condition.values.iter().cloned()).collect();
    let leaves = conditions.iter().map(|condition| condition.leaves).sum();
    if values.len() > MOST_VALUES || leaves > MOST_LEAVES {
        return Plan::ALL;
    }
    let texts: Vec<String> = conditions.into_iter().map(|condition| condition.text).collect();
    let text = if texts.len() == 1 { texts.concat() } else { format!("({})", texts.join(sign)) };
    Plan { condition: Some(Condition { text, values, leaves }), exact }
}

/// `?,?,?`
fn marks(count: usize) -> String {
    vec!["?"; count].join(",")
}

fn leaf(test: &Test, wanted: bool, words: &Words<'_>) -> rusqlite::Result<Plan> {
    match test {
        Test::By(head, names) => by(*head, names, wanted, words),
        Test::Rule(names, is) => rule(names, *is, wanted, words),
        Test::Field(Field::Fact(_), _) => Ok(Plan::ALL),
        Test::Field(Field::Known(field), check) => known(*field, check, wanted, words),
    }
}

/// Decisions that a side table has, or has not.
fn listed(select: String, values: Vec<Sql>, wanted: bool) -> Plan {
    let not = if wanted { "" } else { "NOT " };
    Plan::exact(format!("d.seq {not}IN ({select})"), values)
}

fn by(head: Head, names: &Names, wanted: bool, words: &Words<'_>) -> rusqlite::Result<Plan> {
    let (base, column) = match head {
        Head::Blocked => ("SELECT seq FROM rule WHERE blocking = 1 AND status IN (1, 2, 3, 4)", "rule"),
        Head::Overridden => ("SELECT seq FROM override WHERE in_force = 1", "name"),
        Head::Approved => ("SELECT seq FROM person WHERE role = 0", "person"),
        Head::Rejected => ("SELECT seq FROM person WHERE role = 2 AND rule <> 0", "person"),
        Head::Reviewed => ("SELECT \"of\" FROM review WHERE 1", "\"by\""),
    };
    Ok(match names {
        Names::Any => listed(base.to_string(), Vec::new(), wanted),
        Names::These(names) => {
            let ids = words.ids(names.iter().map(String::as_str))?;
            listed(format!("{base} AND {column} IN ({})", marks(ids.len())), ids, wanted)
        }
    })
}

fn rule(names: &Names, is: RuleIs, wanted: bool, words: &Words<'_>) -> rusqlite::Result<Plan> {
    let (named, ids) = match names {
        Names::Any => ("1".to_string(), Vec::new()),
        Names::These(names) => {
            let ids = words.ids(names.iter().map(String::as_str))?;
            (format!("rule IN ({})", marks(ids.len())), ids)
        }
    };
    let has = format!("SELECT seq FROM rule WHERE {named}");
    let RuleIs::Status(status) = is else { return Ok(listed(has, ids, wanted)) };
    let mut with_status = ids.clone();
    with_status.push(Sql::Integer(rows::status(status)));
    let stands = listed(format!("{has} AND status = ?"), with_status, wanted);
    // Where there is no such rule, nothing is known of it.
    Ok(if wanted { stands } else { all(vec![listed(has, ids, true), stands]) })
}

/// How a field stands in `decision`.
enum Column {
    /// The number of a word.
    Word(&'static str),
    Text(&'static str),
    /// The number of one of these.
    Code(&'static str, &'static [&'static str]),
    /// Nanoseconds.
    Time(&'static str),
}

/// `decision.trigger` counts in another order.
const TRIGGER_CODES: &[&str] = &["push", "pull-request", "schedule", "manual", "completion", "event"];

fn column(field: Known) -> Option<Column> {
    Some(match field {
        Known::Verdict => Column::Code("d.verdict", VERDICTS),
        Known::Action => Column::Code("d.action", ACTIONS),
        Known::Trigger => Column::Code("d.\"trigger\"", TRIGGER_CODES),
        Known::Stage => Column::Word("d.stage"),
        Known::Requester => Column::Word("d.requester"),
        Known::BuildAuthor => Column::Word("d.author"),
        Known::BuildBranch => Column::Word("d.branch"),
        Known::AskedBy => Column::Word("d.asked_by"),
        Known::BuildId => Column::Text("d.build"),
        Known::BuildDigest => Column::Text("d.digest"),
        Known::At => Column::Time("d.at"),
        Known::Recorded => Column::Time("(SELECT recorded FROM entry WHERE seq = d.seq)"),
        _ => return None,
    })
}

fn known(field: Known, check: &Check, wanted: bool, words: &Words<'_>) -> rusqlite::Result<Plan> {
    // Sets that have a side table.
    let head = match field {
        Known::Blocking => Some(Head::Blocked),
        Known::Approvers => Some(Head::Approved),
        Known::Overrides => Some(Head::Overridden),
        Known::Reviewers | Known::Reviewed => Some(Head::Reviewed),
        _ => None,
    };
    if let Some(head) = head {
        return match check {
            Check::IsTrue => by(head, &Names::Any, wanted, words),
            Check::Compare(_, Side::Bool(value)) => by(head, &Names::Any, *value == wanted, words),
            Check::Contains(side) => match side.text() {
                Some(text) => by(head, &Names::These(vec![text.to_string()]), wanted, words),
                None => Ok(Plan::ALL),
            },
            _ => Ok(Plan::ALL),
        };
    }
    match field {
        Known::Policy => return of_policy("name", check, wanted),
        Known::PolicyDigest => return of_policy("digest", check, wanted),
        Known::Id => return Ok(of_id(check, wanted)),
        _ => {}
    }
    let Some(column) = column(field) else { return Ok(Plan::ALL) };
    let name = match column {
        Column::Word(name) | Column::Text(name) | Column::Code(name, _) | Column::Time(name) => name,
    };
    Ok(match (check, column) {
        (Check::IsSet, _) => Plan::exact(format!("{name} IS {}NULL", if wanted { "NOT " } else { "" }), Vec::new()),
        (Check::Within(from, to), Column::Time(_)) => within(name, *from, *to, wanted),
        (Check::Compare(comparison, Side::Time(at)), Column::Time(_)) => {
            use stagegate::syntax::tree::Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
            let sign = match (comparison, wanted) {
                (Eq, true) | (Ne, false) => "=",
                (Ne, true) | (Eq, false) => "<>",
                (Lt, true) | (Ge, false) => "<",
                (Le, true) | (Gt, false) => "<=",
                (Gt, true) | (Le, false) => ">",
                (Ge, true) | (Lt, false) => ">=",
            };
            Plan::exact(format!("{name} {sign} ?"), vec![Sql::Integer(*at)])
        }
        (Check::Compare(_, Side::Field(Field::Known(other))), Column::Word(_)) => match self::column(*other) {
            Some(Column::Word(other)) => Plan::exact(format!("{name} {} {other}", equal(wanted)), Vec::new()),
            _ => Plan::ALL,
        },
        (Check::Compare(_, side), column) => match value(&column, side, words)? {
            Some(value) => Plan::exact(format!("{name} {} ?", equal(wanted)), vec![value]),
            None => Plan::ALL,
        },
        // In nothing is nothing; of what is missing that is not known.
        (Check::In(items), _) if items.is_empty() => match wanted {
            true => Plan::always(false),
            false => Plan::exact(format!("{name} IS NOT NULL"), Vec::new()),
        },
        (Check::In(items), column) => {
            let values =
                items.iter().map(|item| value(&column, item, words)).collect::<rusqlite::Result<Option<Vec<_>>>>();
            match values? {
                Some(values) if values.len() <= MOST_VALUES => {
                    let not = if wanted { "" } else { "NOT " };
                    Plan::exact(format!("{name} {not}IN ({})", marks(values.len())), values)
                }
                _ => Plan::ALL,
            }
        }
        _ => Plan::ALL,
    })
}

fn equal(wanted: bool) -> &'static str {
    if wanted { "=" } else { "<>" }
}

/// From the first nanosecond to the second; the ends of time are no bounds.
fn within(name: &str, from: i64, to: i64, wanted: bool) -> Plan {
    let (lower, upper, sign) = if wanted { (">=", "<", " AND ") } else { ("<", ">=", " OR ") };
    let bounds = [(from, lower, i64::MIN), (to, upper, i64::MAX)];
    let bounds: Vec<Plan> = bounds
        .into_iter()
        .filter(|(at, _, end)| at != end)
        .map(|(at, compared, _)| Plan::exact(format!("{name} {compared} ?"), vec![Sql::Integer(at)]))
        .collect();
    match (bounds.is_empty(), sign) {
        (true, _) => Plan::always(wanted),
        (false, " AND ") => all(bounds),
        (false, _) => any(bounds),
    }
}

/// The value that a column has where it equals the side; `None` where a column cannot tell.
fn value(column: &Column, side: &Side, words: &Words<'_>) -> rusqlite::Result<Option<Sql>> {
    let Some(text) = side.text() else { return Ok(None) };
    Ok(match column {
        Column::Word(_) => Some(words.id(text)?),
        Column::Text(_) => Some(Sql::Text(text.to_string())),
        Column::Code(_, codes) => {
            let code = codes.iter().position(|code| *code == text).and_then(|code| i64::try_from(code).ok());
            Some(Sql::Integer(code.unwrap_or(-1)))
        }
        Column::Time(_) => None,
    })
}

fn of_policy(column: &'static str, check: &Check, wanted: bool) -> rusqlite::Result<Plan> {
    let not = if wanted { "" } else { "NOT " };
    let texts: Option<Vec<Sql>> = match check {
        Check::Compare(_, side) => side.text().map(|text| vec![Sql::Text(text.to_string())]),
        Check::In(items) if items.len() <= MOST_VALUES => {
            items.iter().map(|item| item.text().map(|text| Sql::Text(text.to_string()))).collect()
        }
        _ => None,
    };
    Ok(match texts {
        Some(texts) => {
            let marks = marks(texts.len());
            Plan::exact(format!("d.policy {not}IN (SELECT id FROM policy WHERE {column} IN ({marks}))"), texts)
        }
        None => Plan::ALL,
    })
}

fn of_id(check: &Check, wanted: bool) -> Plan {
    let Check::Compare(_, side) = check else { return Plan::ALL };
    let Some(text) = side.text() else { return Plan::ALL };
    // In one spelling only, as the comparison of texts has it.
    match text.parse::<Id>().ok().filter(|id| id.to_string() == text) {
        Some(id) => {
            let select = "SELECT seq FROM entry WHERE id = ?".to_string();
            listed(select, vec![Sql::Blob(id.as_bytes().to_vec())], wanted)
        }
        None => Plan::always(!wanted),
    }
}

/// What `decision.verdict`, `action` or `trigger` stand for.
pub(crate) fn word_of(field: Known, code: i64) -> Option<&'static str> {
    let codes = match field {
        Known::Verdict => VERDICTS,
        Known::Action => ACTIONS,
        Known::Trigger => TRIGGER_CODES,
        _ => return None,
    };
    codes.get(usize::try_from(code).ok()?).copied()
}

/// Every trigger has its code.
const _: () = assert!(TRIGGERS.len() == TRIGGER_CODES.len());

/// The column that a field is grouped by, if it has one that says all.
pub(crate) fn grouped(field: Known) -> Option<&'static str> {
    match column(field)? {
        Column::Word(name) | Column::Text(name) | Column::Code(name, _) => Some(name),
        Column::Time(_) => None,
    }
}

/// Whether that column holds the number of a word.
pub(crate) fn is_word(field: Known) -> bool {
    matches!(column(field), Some(Column::Word(_)))
}
