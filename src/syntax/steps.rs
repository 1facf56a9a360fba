//! Tests of a policy and the scenarios that they take in.

use super::build::{Builder, Pair, meaningful};
use super::grammar::Rule;
use super::tree::*;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::CLAUSE;

impl Builder<'_> {
    pub fn test(&mut self, pair: Pair<'_>) -> Option<Test> {
        let mut parts = meaningful(pair);
        let name = self.string(&parts.next()?);
        let (mut steps, mut rows) = (Vec::new(), Vec::new());
        for part in parts {
            match part.as_rule() {
                Rule::row => rows.extend(self.row(part)),
                _ => steps.extend(self.step(part)),
            }
        }
        Some(Test { name, steps, rows })
    }

    pub fn row(&mut self, pair: Pair<'_>) -> Option<Row> {
        let span = self.span(&pair);
        let mut parts = meaningful(pair);
        let name = self.string(&parts.next()?);
        Some(Row { name, steps: parts.filter_map(|step| self.step(step)).collect(), span })
    }

    pub fn scenario(&mut self, pair: Pair<'_>) -> Option<Scenario> {
        let mut parts = meaningful(pair);
        let name = self.word(&parts.next()?);
        let steps: Vec<At<Step>> = parts.filter_map(|step| self.step(step)).collect();
        for step in &steps {
            if let Step::Expect(_) = step.value {
                self.push(
                    Diagnostic::new(CLAUSE, step.span, "a scenario expects nothing")
                        .help("put `expect` into the tests that take the scenario in with `given`"),
                );
            }
        }
        Some(Scenario { name, steps })
    }

    pub fn step(&mut self, pair: Pair<'_>) -> Option<At<Step>> {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let head = parts.next()?;
        let rest: Vec<Pair<'_>> = parts.collect();
        let find = |rule: Rule| rest.iter().find(|p| p.as_rule() == rule).cloned();
        let all = |rule: Rule| rest.iter().filter(move |p| p.as_rule() == rule).cloned();
        let step = match head.as_rule() {
            Rule::k_given => Step::Given(all(Rule::name).map(|name| self.word(&name)).collect()),
            Rule::k_at => Step::Now(self.datetime(find(Rule::datetime)?)),
            Rule::k_build => Step::Build(self.fields(find(Rule::fields)?)),
            Rule::k_current => Step::Current(find(Rule::fields).map(|fields| self.fields(fields))),
            Rule::run_outcome => {
                let runs = all(Rule::run).filter_map(|run| {
                    let mut parts = meaningful(run);
                    let stage = self.word(&parts.next()?);
                    Some((stage, self.datetime(parts.next()?)))
                });
                let runs = runs.collect();
                Step::Runs(self.outcome(&head), runs)
            }
            Rule::word => {
                let word = match head.as_str().trim() {
                    "approved" => ApprovalWord::Approve,
                    "rejected" => ApprovalWord::Reject,
                    _ => ApprovalWord::Withdraw,
                };
                Step::Words {
                    word: At::new(word, self.span(&head)),
                    by: all(Rule::person).map(|p| self.person(p)).collect(),
                    at: self.datetime(find(Rule::datetime)?),
                    stage: find(Rule::for_stage).and_then(|p| meaningful(p).next()).map(|name| self.word(&name)),
                    build: find(Rule::for_build).and_then(|p| meaningful(p).next()).map(|id| self.string(&id)),
                }
            }
            Rule::k_override => Step::Override {
                name: self.word(&find(Rule::name)?),
                by: all(Rule::person).map(|p| self.person(p)).collect(),
                at: self.datetime(find(Rule::datetime)?),
                reason: find(Rule::because).and_then(|p| meaningful(p).next()).map(|text| self.string(&text)),
            },
            Rule::k_fact => {
                let name = self.word(&find(Rule::name)?);
                Step::Fact(name, self.value(find(Rule::value)?)?)
            }
            Rule::k_group => {
                let name = self.word(&find(Rule::name)?);
                Step::Group(name, self.people_list(find(Rule::people_list)?).value)
            }
            Rule::k_push => Step::Push(find(Rule::to).and_then(|p| meaningful(p).next()).map(|to| self.string(&to))),
            Rule::k_pull_request => {
                Step::PullRequest(find(Rule::to).and_then(|p| meaningful(p).next()).map(|to| self.string(&to)))
            }
            Rule::k_manual => Step::Manual(find(Rule::person).map(|p| self.person(p))),
            Rule::k_completion => Step::Completion(find(Rule::name).map(|name| self.word(&name))),
            Rule::k_event => Step::Event(self.string(&find(Rule::string)?)),
            Rule::k_schedule => Step::Schedule(None),
            Rule::schedule_at => Step::Schedule(Some(self.datetime(meaningful(head).next()?))),
            Rule::k_action => Step::Action(self.word(&find(Rule::name)?)),
            Rule::k_requester => Step::Requester(self.person(find(Rule::person)?)),
            _ => Step::Expect(self.expect(head)?),
        };
        Some(At::new(step, span))
    }

    fn expect(&mut self, pair: Pair<'_>) -> Option<Expect> {
        let mut parts = meaningful(pair);
        let stage = self.word(&parts.next()?);
        let what = parts.next()?;
        let rule = what.as_rule();
        let inner: Vec<Pair<'_>> = meaningful(what).collect();
        let what = match rule {
            Rule::expect_verdict => {
                let verdict = inner.first()?;
                let value = match verdict.as_str().trim() {
                    "allow" => ExpectedVerdict::Allow,
                    "hold" => ExpectedVerdict::Hold,
                    _ => ExpectedVerdict::Deny,
                };
                let names = inner.iter().filter(|p| p.as_rule() == Rule::name);
                let until = inner.iter().find(|p| p.as_rule() == Rule::datetime).cloned();
                Expected::Verdict {
                    verdict: At::new(value, self.span(verdict)),
                    because: names.map(|name| self.word(name)).collect(),
                    until: until.map(|until| self.datetime(until)),
                }
            }
            Rule::expect_rule => Expected::Rule { rule: self.word(inner.first()?), status: self.word(inner.get(1)?) },
            Rule::expect_fires => Expected::FiresAt(self.datetime(inner.first()?.clone())),
            _ => Expected::OpensAt(self.datetime(inner.first()?.clone())),
        };
        Some(Expect { stage, what })
    }

    fn fields(&mut self, pair: Pair<'_>) -> Vec<Field> {
        pair.into_inner().filter_map(|field| self.field(field)).collect()
    }

    fn field(&mut self, pair: Pair<'_>) -> Option<Field> {
        let mut parts = meaningful(pair);
        let key = parts.next()?.into_inner().next()?;
        let name = self.word_or_string(&key);
        Some(Field { name, value: self.value(parts.next()?)? })
    }

    /// The grammar writes the three depths out, so this recurses three times at most.
    fn value(&mut self, pair: Pair<'_>) -> Option<Value> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::value | Rule::value_2 => return self.value(pair.into_inner().next()?),
            Rule::map_2 | Rule::map_1 => ValueKind::Map(self.fields(pair)),
            Rule::list_2 | Rule::list_1 => ValueKind::List(pair.into_inner().filter_map(|v| self.value(v)).collect()),
            _ => {
                let inner = pair.into_inner().next()?;
                match inner.as_rule() {
                    Rule::literal => ValueKind::Literal(self.literal(inner).value),
                    _ => ValueKind::Name(inner.as_str().to_string()),
                }
            }
        };
        Some(Value { kind, span })
    }
}
