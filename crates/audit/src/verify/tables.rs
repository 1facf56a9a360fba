//! What the tables beside `entry` say, in a form that can be compared with what follows from the entries: of each
//! record one sum a table, over hashes of its rows. The hashes have a key that is new each time, so that nobody can
//! prepare rows whose sums agree.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};

use rusqlite::{Connection, Row};

use crate::log::rows::Rows;

/// Tables that follow from the entries.
pub(super) const SIDE: [&str; 5] = ["decision", "rule", "person", "override", "review"];

/// One sum for each table.
pub(super) type Sums = [u64; SIDE.len()];

/// The names that the tables keep as numbers, and the key of the hashes.
pub(super) struct Names {
    key: RandomState,
    words: HashMap<String, i64>,
    policies: HashMap<String, i64>,
}

/// What the tables say.
pub(super) struct Tables {
    /// One for each record.
    pub sums: Vec<Sums>,
    /// The words in use.
    pub words: HashSet<i64>,
    /// Rows of records that are not there: the table's name and the number.
    pub strays: Vec<(&'static str, i64)>,
}

impl Names {
    pub fn read(log: &Connection) -> rusqlite::Result<Names> {
        let pairs = |sql: &str| -> rusqlite::Result<HashMap<String, i64>> {
            log.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        Ok(Names {
            key: RandomState::new(),
            words: pairs("SELECT text, id FROM word")?,
            policies: pairs("SELECT digest, id FROM policy")?,
        })
    }

    /// The numbers of all words.
    pub fn words(&self) -> impl Iterator<Item = (&str, i64)> {
        self.words.iter().map(|(text, id)| (text.as_str(), *id))
    }

    fn hash(&self, row: impl Hash) -> u64 {
        self.key.hash_one(row)
    }

    /// What an entry's rows have to be; `of` is the record that a review is of. `Err`: a name that is not in the tables.
    pub fn expected(&self, rows: &Rows, of: Option<i64>) -> Result<Sums, String> {
        let word = |text: &String| {
            self.words.get(text).copied().ok_or_else(|| format!("the name {text:?} is not among the names of the log"))
        };
        let maybe = |text: &Option<String>| text.as_ref().map(word).transpose();
        let mut sums = Sums::default();
        let mut add = |table: usize, hash: u64| sums[table] = sums[table].wrapping_add(hash);
        if let Some(row) = &rows.decision {
            let policy = self.policies.get(&row.policy).copied();
            let policy = policy.ok_or_else(|| format!("its policy {} is not in the log", row.policy))?;
            let build = (&row.build, &row.version, &row.digest);
            let people = (maybe(&row.requester)?, maybe(&row.author)?, maybe(&row.branch)?, maybe(&row.asked_by)?);
            let what = (row.verdict, row.action, row.trigger);
            add(0, self.hash((row.at, policy, word(&row.stage)?, build, what, people)));
        }
        for row in &rows.rules {
            add(1, self.hash((word(&row.rule)?, row.status, row.place, row.kind, i64::from(row.blocking))));
        }
        for row in &rows.people {
            add(2, self.hash((word(&row.person)?, row.role, maybe(&row.rule)?.unwrap_or(0))));
        }
        for (place, row) in (0_i64..).zip(&rows.overrides) {
            add(3, self.hash((place, word(&row.name)?, i64::from(row.in_force), &row.skipped, &row.invoked)));
        }
        if let Some(row) = &rows.review {
            add(4, self.hash((of, word(&row.by)?, &row.note)));
        }
        Ok(sums)
    }

    /// Reads all the tables.
    pub fn stored(&self, log: &Connection, size: u64) -> rusqlite::Result<Tables> {
        let mut tables =
            Tables { sums: vec![Sums::default(); size as usize], words: HashSet::new(), strays: Vec::new() };
        let decision = "SELECT seq, at, policy, stage, build, verdict, action, \"trigger\", requester, author, branch, \
                        version, digest, asked_by FROM decision";
        tables.scan(log, 0, decision, |row, words| {
            let (at, policy, stage): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let build: (String, Option<String>, Option<String>) = (row.get(4)?, row.get(11)?, row.get(12)?);
            let what: (i64, i64, Option<i64>) = (row.get(5)?, row.get(6)?, row.get(7)?);
            let people: [Option<i64>; 4] = [row.get(8)?, row.get(9)?, row.get(10)?, row.get(13)?];
            words.insert(stage);
            words.extend(people.iter().flatten());
            let people = (people[0], people[1], people[2], people[3]);
            Ok(self.hash((at, policy, stage, (&build.0, &build.1, &build.2), what, people)))
        })?;
        tables.scan(log, 1, "SELECT seq, rule, status, place, kind, blocking FROM rule", |row, words| {
            let rule: i64 = row.get(1)?;
            words.insert(rule);
            let rest: [i64; 4] = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
            Ok(self.hash((rule, rest[0], rest[1], rest[2], rest[3])))
        })?;
        tables.scan(log, 2, "SELECT seq, person, role, rule FROM person", |row, words| {
            let (person, role, rule): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            words.insert(person);
            if rule != 0 {
                words.insert(rule);
            }
            Ok(self.hash((person, role, rule)))
        })?;
        tables.scan(log, 3, "SELECT seq, place, name, in_force, skipped, invoked FROM override", |row, words| {
            let (place, name, in_force): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            words.insert(name);
            let (skipped, invoked): (String, String) = (row.get(4)?, row.get(5)?);
            Ok(self.hash((place, name, in_force, &skipped, &invoked)))
        })?;
        tables.scan(log, 4, "SELECT seq, \"of\", \"by\", note FROM review", |row, words| {
            let (of, by): (Option<i64>, i64) = (row.get(1)?, row.get(2)?);
            words.insert(by);
            let note: String = row.get(3)?;
            Ok(self.hash((of, by, &note)))
        })?;
        Ok(tables)
    }
}

impl Tables {
    fn scan(
        &mut self,
        log: &Connection,
        table: usize,
        sql: &str,
        hash: impl Fn(&Row<'_>, &mut HashSet<i64>) -> rusqlite::Result<u64>,
    ) -> rusqlite::Result<()> {
        let mut rows = log.prepare(sql)?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let hash = hash(row, &mut self.words)?;
            match usize::try_from(seq).ok().and_then(|seq| self.sums.get_mut(seq)) {
                Some(sums) => sums[table] = sums[table].wrapping_add(hash),
                None => self.strays.push((SIDE[table], seq)),
            }
        }
        Ok(())
    }
}
