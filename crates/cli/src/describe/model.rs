//! What there is to tell of a policy, as data: the JSON of `describe`, and what its text is made of.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;
use stagegate::Policy;
use stagegate::schedule::{Cron, Zone};
use stagegate::syntax::tree::{File, Item, Outcome, Rule, RuleKind, Stage, Trigger};

use super::diagram::{Edge, Graph};
use super::words::{self, Words, list};
use crate::output::plain;
use crate::when;

/// A policy in plain words.
#[derive(Debug, Serialize)]
pub struct Description {
    pub policy: String,
    pub file: String,
    pub digest: String,
    pub zone: String,
    /// The policy's own file, and those that it includes.
    pub files: Vec<String>,
    pub stages: Vec<StageWords>,
    pub definitions: Vec<Named>,
    pub groups: Vec<GroupWords>,
    pub calendars: Vec<Named>,
    pub facts: Vec<FactWords>,
    /// The pipeline as a Mermaid diagram.
    pub mermaid: String,
}

/// A name and what it stands for.
#[derive(Debug, Serialize)]
pub struct Named {
    pub name: String,
    pub words: String,
}

/// A group of people.
#[derive(Debug, Serialize)]
pub struct GroupWords {
    pub name: String,
    /// `None` when they come from a directory.
    pub members: Option<Vec<String>>,
}

/// A fact that the caller supplies.
#[derive(Debug, Serialize)]
pub struct FactWords {
    pub name: String,
    pub words: String,
    pub optional: bool,
    pub secret: bool,
}

/// A stage.
#[derive(Debug, Serialize)]
pub struct StageWords {
    pub name: String,
    /// What it comes after; empty for an entry. All of them must hold.
    pub after: Vec<AfterWords>,
    pub rules: Vec<RuleWords>,
}

/// `after …`
#[derive(Debug, Serialize)]
pub struct AfterWords {
    pub any: bool,
    pub stages: Vec<AfterStageWords>,
    /// The soak in seconds.
    pub soak_seconds: Option<u64>,
    pub words: String,
}

/// A stage that must have ended.
#[derive(Debug, Serialize)]
pub struct AfterStageWords {
    pub stage: String,
    pub outcomes: Vec<&'static str>,
}

/// A rule of a stage.
#[derive(Debug, Serialize)]
pub struct RuleWords {
    /// `None` for one that the author did not name.
    pub name: Option<String>,
    pub kind: &'static str,
    pub words: String,
    /// When it applies, if not always.
    pub applies: Option<String>,
    pub because: Option<String>,
    pub sealed: bool,
    /// The file it is in.
    pub file: String,
    /// Whether it holds for every stage (`stage *`).
    pub every_stage: bool,
    /// Of a schedule.
    pub schedule: Option<ScheduleWords>,
    /// Triggers and windows of one file in a stage are alternatives.
    #[serde(skip)]
    pub own_file: bool,
}

/// When a schedule fires.
#[derive(Debug, Serialize)]
pub struct ScheduleWords {
    pub cron: String,
    pub zone: String,
    /// The next firing; `None` for never.
    pub next: Option<String>,
    #[serde(skip)]
    pub next_words: String,
}

pub fn describe(policy: &Policy, path: &Path, after: DateTime<Utc>) -> Description {
    let files = policy.files();
    let words = Words::new(files);
    let merged = merged(policy);
    let mut description = Description {
        policy: policy.name().to_string(),
        file: path.display().to_string(),
        digest: policy.digest().to_string(),
        zone: policy.zone().name().to_string(),
        files: policy.sources().iter().map(|source| source.name.clone()).collect(),
        stages: Vec::new(),
        definitions: Vec::new(),
        groups: Vec::new(),
        calendars: Vec::new(),
        facts: Vec::new(),
        mermaid: graph(policy).mermaid(),
    };
    let telling = Telling { policy, words: &words, after };
    let blocks = Blocks::new(&merged);
    description.stages = along(policy).into_iter().map(|name| telling.stage(name, &blocks)).collect();
    for item in merged.iter().flat_map(|file| &file.items) {
        match &item.value {
            Item::Define(define) => {
                description
                    .definitions
                    .push(Named { name: define.name.value.clone(), words: words.cond(&define.cond) });
            }
            Item::Calendar(calendar) => description
                .calendars
                .push(Named { name: calendar.name.value.clone(), words: words.times(&calendar.times) }),
            Item::Group(group) => description.groups.push(GroupWords {
                name: group.name.value.clone(),
                members: group.members.as_ref().map(|m| m.iter().map(|w| w.value.clone()).collect()),
            }),
            Item::Fact(fact) => description.facts.push(FactWords {
                name: fact.name.value.clone(),
                words: words::type_words(&fact.ty.value),
                optional: fact.optional,
                secret: fact.secret,
            }),
            _ => {}
        }
    }
    description
}

/// The blocks of stages in the order in which their rules count.
#[derive(Default)]
struct Blocks<'a> {
    named: BTreeMap<&'a str, Vec<(usize, &'a File, &'a Stage)>>,
    every: Vec<(usize, &'a File, &'a Stage)>,
}

impl<'a> Blocks<'a> {
    fn new(merged: &[&'a File]) -> Blocks<'a> {
        let mut blocks = Blocks::default();
        let all = merged.iter().flat_map(|file| stages(file).map(move |stage| (*file, stage)));
        for (at, (file, stage)) in all.enumerate() {
            match &stage.name {
                Some(name) => blocks.named.entry(name.value.as_str()).or_default().push((at, file, stage)),
                None => blocks.every.push((at, file, stage)),
            }
        }
        blocks
    }

    fn of(&self, name: &str) -> Vec<(&'a File, &'a Stage)> {
        let mut blocks: Vec<_> = self.named.get(name).into_iter().flatten().chain(&self.every).copied().collect();
        blocks.sort_by_key(|(at, ..)| *at);
        blocks.into_iter().map(|(_, file, stage)| (file, stage)).collect()
    }
}

struct Telling<'a> {
    policy: &'a Policy,
    words: &'a Words<'a>,
    after: DateTime<Utc>,
}

impl Telling<'_> {
    fn stage(&self, name: &str, blocks: &Blocks<'_>) -> StageWords {
        let mut told = StageWords { name: name.to_string(), after: Vec::new(), rules: Vec::new() };
        for (file, stage) in blocks.of(name) {
            told.after.extend(after(stage));
            let every = stage.name.is_none();
            told.rules.extend(stage.rules.iter().map(|rule| self.rule(rule, file, every)));
        }
        told
    }

    fn rule(&self, rule: &Rule, file: &File, every_stage: bool) -> RuleWords {
        let words = self.words;
        let mut schedule = None;
        let (kind, told) = match &rule.kind {
            RuleKind::Require(cond) => ("require", words.cond(cond)),
            RuleKind::Forbid(cond) => ("forbid", words.cond(cond)),
            RuleKind::Advise(cond) => ("advise", words.cond(cond)),
            RuleKind::Window(times) => ("window", words.times(times)),
            RuleKind::Freeze(times) => ("freeze", words.times(times)),
            RuleKind::Approve(approve) => ("approve", words.approve(approve)),
            RuleKind::Trigger(trigger) => {
                if let Trigger::Schedule { cron, zone, .. } = trigger {
                    schedule = self.schedule(cron, zone.as_ref().map(|z| z.value.as_str()), file);
                }
                ("trigger", words.trigger(trigger))
            }
            RuleKind::Exclusive => ("exclusive", "only while no other build is being deployed here".to_string()),
            RuleKind::ForwardOnly => {
                ("forward-only", "never a build that is older than the one that runs here".to_string())
            }
            RuleKind::DistinctApprovers => {
                ("distinct-approvers", "no person counts for two of the approvals".to_string())
            }
            RuleKind::Override(rule) => ("override", words.override_rule(rule)),
        };
        let guards: Vec<String> = rule
            .guards
            .iter()
            .map(|guard| format!("{} {}", if guard.unless { "unless" } else { "when" }, words.cond(&guard.cond)))
            .collect();
        let source = self.policy.sources().get(file.source);
        RuleWords {
            name: rule.name.as_ref().map(|n| n.value.clone()),
            kind,
            words: told,
            applies: (!guards.is_empty()).then(|| list(guards, "and")),
            because: rule.because.as_ref().map(|b| b.value.clone()),
            sealed: rule.sealed.is_some(),
            file: source.map(|s| s.name.clone()).unwrap_or_default(),
            every_stage,
            schedule,
            own_file: file.source.0 == 0,
        }
    }

    fn schedule(&self, expression: &str, zone: Option<&str>, file: &File) -> Option<ScheduleWords> {
        let of_file = || {
            file.items.iter().find_map(|item| match &item.value {
                Item::Timezone(zone) => Some(zone.value.as_str()),
                _ => None,
            })
        };
        let zone = zone.or_else(of_file).unwrap_or_else(|| self.policy.zone().name());
        let (cron, zone) = (Cron::parse(expression).ok()?, Zone::parse(zone)?);
        let next = cron.after(zone, self.after).next().map(|at| at.to_utc());
        Some(ScheduleWords {
            cron: expression.to_string(),
            zone: zone.tz().name().to_string(),
            next: next.map(|at| when::rfc3339(at, zone)),
            next_words: next.map_or_else(|| "never".to_string(), |at| when::person(at, zone)),
        })
    }
}

fn stages(file: &File) -> impl Iterator<Item = &Stage> {
    file.items.iter().filter_map(|item| match &item.value {
        Item::Stage(stage) => Some(stage),
        _ => None,
    })
}

fn after(stage: &Stage) -> Option<AfterWords> {
    let after = stage.after.as_ref()?;
    let mut told = words::after(after);
    if let Some(soak) = &stage.soak {
        told.push_str(&format!(", at least {} ago", soak.value.text));
    }
    let stages = after.stages.iter().map(|branch| AfterStageWords {
        stage: branch.stage.value.clone(),
        outcomes: match branch.outcomes.as_slice() {
            [] => vec![words::outcome(Outcome::Succeeded)],
            outcomes => outcomes.iter().map(|o| words::outcome(o.value)).collect(),
        },
    });
    Some(AfterWords {
        any: after.any,
        stages: stages.collect(),
        soak_seconds: stage.soak.as_ref().map(|soak| soak.value.seconds),
        words: told,
    })
}

/// The stages and what they come after.
pub fn graph(policy: &Policy) -> Graph {
    let mut graph = Graph { names: policy.stages().map(plain).collect(), edges: Vec::new() };
    let mut seen = HashSet::new();
    let index: BTreeMap<String, usize> = policy.stages().map(str::to_string).zip(0..).collect();
    for stage in policy.files().iter().flat_map(stages) {
        let (Some(after), Some(to)) = (&stage.after, stage.name.as_ref().and_then(|n| index.get(&n.value))) else {
            continue;
        };
        for branch in &after.stages {
            let Some(from) = index.get(&branch.stage.value) else { continue };
            let outcomes: Vec<String> = branch
                .outcomes
                .iter()
                .map(|o| words::outcome(o.value))
                .filter(|o| *o != "succeeded" || branch.outcomes.len() > 1)
                .map(str::to_string)
                .collect();
            let outcomes = (!outcomes.is_empty()).then(|| list(outcomes, "or"));
            let soak = stage.soak.as_ref().map(|soak| soak.value.text.clone());
            let label: Vec<String> = outcomes.into_iter().chain(soak).collect();
            let any = after.any && after.stages.len() > 1;
            let edge = Edge { from: *from, to: *to, any, label: label.join(", ") };
            if seen.insert(edge.clone()) {
                graph.edges.push(edge);
            }
        }
    }
    graph
}

/// The stages along the pipeline: each after those that it comes after, else as the policy has them. (What is included
/// comes first there, so the order of the policy may begin in the middle.)
fn along(policy: &Policy) -> Vec<&str> {
    let edges = graph(policy).edges;
    let mut left: Vec<(usize, &str)> = policy.stages().enumerate().collect();
    let mut told = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits =
            |to: usize| edges.iter().any(|edge| edge.to == to && left.iter().any(|(from, _)| *from == edge.from));
        // There is no circle in a compiled policy; if there were, the first would be told.
        let next = left.iter().position(|(stage, _)| !waits(*stage)).unwrap_or(0);
        told.push(left.remove(next).1);
    }
    told
}

/// The files in the order in which their rules count: what is included comes before what includes it.
fn merged(policy: &Policy) -> Vec<&File> {
    let files: BTreeMap<&str, &File> = policy
        .files()
        .iter()
        .filter_map(|file| Some((policy.sources().get(file.source)?.name.as_str(), file)))
        .collect();
    let mut merged = Vec::new();
    let mut seen = BTreeSet::new();
    // Depth first without recursion: a file is told when all that it includes has been.
    let root = policy.sources().iter().next().map(|s| s.name.clone());
    let mut stack: Vec<(String, bool)> = root.map(|name| (name, false)).into_iter().collect();
    while let Some((name, included)) = stack.pop() {
        let Some(file) = files.get(name.as_str()) else { continue };
        if included {
            merged.push(*file);
            continue;
        }
        if !seen.insert(name.clone()) {
            continue;
        }
        let includes = file.items.iter().rev().filter_map(|item| match &item.value {
            Item::Include(include) => Some(join(&name, &include.value)),
            _ => None,
        });
        let includes: Vec<_> = includes.map(|include| (include, false)).collect();
        stack.push((name, true));
        stack.extend(includes);
    }
    merged
}

/// The name of a file that is included by another.
fn join(from: &str, include: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in include.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_named_from_the_folder_of_the_file() {
        assert_eq!(join("web.gate", "base.gate"), "base.gate");
        assert_eq!(join("teams/web.gate", "../base.gate"), "base.gate");
        assert_eq!(join("teams/web.gate", "x/./y.gate"), "teams/x/y.gate");
    }
}
