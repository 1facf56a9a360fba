//! A decision while it is told. Names are those of the policy and of the request, people are numbers, and the details of
//! all rules lie in one text: nothing is copied before it is known what for. [`Telling::told`] makes texts of it, and
//! [`Telling::json`] writes it out.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::decision::{
    ApprovalNeed, Needs, NotCounted, OverrideReport, PolicyRef, RuleReport, Status, Step, Told, Verdict,
};
use super::snapshot::Case;
use crate::facts::prepare::instant;
use crate::facts::slots::Person;
use crate::program::{Kind, Rule};

/// Everything there is to tell about a case.
pub(crate) struct Telling<'a> {
    pub case: Case<'a>,
    pub verdict: Verdict,
    pub rules: Vec<RuleTelling<'a>>,
    /// The details of the rules, one after the other.
    pub details: String,
    pub unblock: Vec<Vec<Way<'a>>>,
    /// Nanoseconds since the epoch.
    pub allowed_at: Option<i64>,
    pub valid_until: Option<i64>,
    /// Those that were invoked; most requests have none.
    pub overrides: Vec<OverrideReport>,
    /// A search ahead in time was cut short.
    pub cut_short: bool,
}

/// How one rule stands.
pub(crate) struct RuleTelling<'a> {
    /// Its number among those of the stage.
    pub index: usize,
    pub rule: &'a Rule,
    pub status: Status,
    pub until: Option<i64>,
    /// Where it lies in [`Telling::details`].
    pub detail: Range<usize>,
    pub facts: Vec<Cow<'a, str>>,
    /// Of a rule that asks for approvals.
    pub approvals: Option<Box<Approvals<'a>>>,
    pub overridden_by: Option<&'a str>,
}

/// What only a rule that asks for approvals tells.
pub(crate) struct Approvals<'a> {
    pub missing: Option<u32>,
    pub from: Option<Vec<Person>>,
    pub counted: Vec<Person>,
    /// Who, and why.
    pub not_counted: Vec<(Person, Cow<'a, str>)>,
    pub rejected_by: Vec<Person>,
}

/// A [`Step`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way<'a> {
    Approve {
        /// The number of the rule.
        rule: usize,
        count: u32,
        from: Vec<Person>,
    },
    Fact(Cow<'a, str>),
    Wait(i64),
    Override {
        name: &'a str,
        count: u32,
        from: Vec<Person>,
    },
}

/// What is warned of when a search ahead in time was cut short.
const CUT_SHORT: &str = "the search ahead in time was cut short: ask again by the time this answer stands until";

/// Each once, in the order in which they come first.
pub(crate) fn once<T: Clone + Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    /// Up to here it is quicker to look through them.
    const FEW: usize = 16;
    let mut kept: Vec<T> = Vec::new();
    let mut seen: BTreeSet<T> = BTreeSet::new();
    for one in all {
        if kept.len() <= FEW {
            if kept.contains(&one) {
                continue;
            }
        } else {
            if seen.is_empty() {
                seen.extend(kept.iter().cloned());
            }
            if !seen.insert(one.clone()) {
                continue;
            }
        }
        kept.push(one);
    }
    kept
}

impl<'a> Telling<'a> {
    pub fn detail(&self, rule: &RuleTelling<'_>) -> &str {
        self.details.get(rule.detail.clone()).unwrap_or_default()
    }

    /// The rules that stand in the way.
    pub fn blocking(&self) -> impl Iterator<Item = &RuleTelling<'a>> {
        self.rules.iter().filter(|telling| telling.status.blocks() && telling.rule.kind != Kind::Advise)
    }

    /// The facts that these miss, each once.
    pub fn missing_facts(&self) -> Vec<&str> {
        once(self.blocking().flat_map(|telling| &telling.facts).map(|fact| &**fact))
    }

    /// The approvals that they miss: the rule, how many, of whom.
    pub fn missing_approvals(&self) -> impl Iterator<Item = (&'a str, u32, &[Person])> {
        let awaiting = self.blocking().filter(|telling| telling.status == Status::Awaiting);
        awaiting.filter_map(|telling| {
            let approvals = telling.approvals.as_deref()?;
            Some((telling.rule.name.as_str(), approvals.missing?, approvals.from.as_deref()?))
        })
    }

    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        let last = self.cut_short.then_some(CUT_SHORT);
        self.case.slots.warnings.iter().map(String::as_str).chain(last)
    }

    /// The same in texts of its own.
    pub fn told(&self) -> Told {
        let case = &self.case;
        Told {
            verdict: self.verdict,
            policy: PolicyRef {
                name: case.program.name.clone(),
                digest: case.program.digest().to_string(),
                language: crate::LANGUAGE,
            },
            stage: case.stage.name.clone(),
            build: case.slots.build.clone(),
            at: instant(case.slots.now),
            rules: self.rules.iter().map(|telling| self.rule(telling)).collect(),
            blocking: self.blocking().map(|telling| telling.rule.name.clone()).collect(),
            needs: Needs {
                facts: self.missing_facts().into_iter().map(String::from).collect(),
                approvals: self
                    .missing_approvals()
                    .map(|(rule, count, from)| ApprovalNeed { rule: rule.to_string(), count, from: case.people(from) })
                    .collect(),
            },
            unblock: self.unblock.iter().map(|ways| ways.iter().map(|way| self.step(way)).collect()).collect(),
            allowed_at: self.allowed_at.map(instant),
            valid_until: self.valid_until.map(instant),
            overrides: self.overrides.clone(),
            warnings: self.warnings().map(String::from).collect(),
            ignored_facts: case.slots.ignored_facts.clone(),
            zone: case.program.zone,
        }
    }

    fn rule(&self, telling: &RuleTelling<'a>) -> RuleReport {
        let case = &self.case;
        let approvals = telling.approvals.as_deref();
        let not_counted = approvals.map(|a| a.not_counted.as_slice()).unwrap_or_default();
        RuleReport {
            rule: telling.rule.name.clone(),
            kind: telling.rule.kind,
            status: telling.status,
            because: telling.rule.because.clone(),
            detail: self.detail(telling).to_string(),
            until: telling.until.map(instant),
            facts: telling.facts.iter().map(|fact| fact.to_string()).collect(),
            missing: approvals.and_then(|a| a.missing),
            from: approvals.and_then(|a| a.from.as_deref()).map(|people| case.people(people)),
            counted: approvals.map(|a| case.people(&a.counted)),
            not_counted: not_counted
                .iter()
                .map(|(person, reason)| NotCounted { by: case.person(*person).to_string(), reason: reason.to_string() })
                .collect(),
            rejected_by: approvals.map(|a| case.people(&a.rejected_by)).unwrap_or_default(),
            overridden_by: telling.overridden_by.map(String::from),
            at: case.program.sources.place(telling.rule.span),
        }
    }

    fn step(&self, way: &Way<'_>) -> Step {
        let case = &self.case;
        match way {
            Way::Approve { rule, count, from } => Step::Approve {
                approve: case.name(*rule).unwrap_or_default().to_string(),
                count: *count,
                from: case.people(from),
            },
            Way::Fact(fact) => Step::Fact { fact: fact.to_string() },
            Way::Wait(at) => Step::Wait { wait_until: instant(*at) },
            Way::Override { name, count, from } => {
                Step::Override { name: name.to_string(), count: *count, from: case.people(from) }
            }
        }
    }
}

impl<'a> Case<'a> {
    /// The name of a person.
    pub fn person(&self, person: Person) -> &'a str {
        super::person_name(self.program, self.slots, person).unwrap_or("?")
    }

    /// The name of a rule.
    pub fn name(&self, rule: usize) -> Option<&'a str> {
        self.stage.rules.get(rule).map(|rule| rule.name.as_str())
    }

    fn people(&self, people: &[Person]) -> Vec<String> {
        people.iter().map(|person| self.person(*person).to_string()).collect()
    }
}
