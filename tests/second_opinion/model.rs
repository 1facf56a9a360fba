//! The trees of a policy's files, put together as the page says: included files first, `stage *` in every stage, names
//! for the rules that have none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use stagegate::Limits;
use stagegate::diagnostic::{SourceId, Sources};
use stagegate::syntax::parse;
use stagegate::syntax::tree::{
    After, Cond, Count, Except, Fact, File, Guard, Including, Item, Override, Quorum, Rule, RuleKind, Stage, Times,
    Trigger, Type,
};

use crate::zones::{Instant, SECOND, zone};

/// Files by name; the first is the root.
pub type Texts = Vec<(String, String)>;

pub struct Gate {
    pub file: File,
    pub home: TimeZone,
    /// The files whose rules its overrides may name: its own and those it includes.
    pub sees: BTreeSet<usize>,
}

pub struct Policy {
    /// Included files before those that include them.
    pub gates: Vec<Gate>,
    sources: Sources,
}

/// A policy with everything found by name.
pub struct Model<'a> {
    pub facts: BTreeMap<&'a str, &'a Fact>,
    pub groups: BTreeMap<&'a str, Option<Vec<&'a str>>>,
    pub defines: BTreeMap<&'a str, &'a Cond>,
    pub calendars: BTreeMap<&'a str, &'a Times>,
    pub stages: Vec<StageModel<'a>>,
    /// In which zone each file is read.
    pub homes: BTreeMap<SourceId, TimeZone>,
}

pub struct StageModel<'a> {
    pub name: &'a str,
    pub rules: Vec<RuleModel<'a>>,
    pub overrides: Vec<OverrideModel<'a>>,
}

pub struct RuleModel<'a> {
    pub name: String,
    pub body: Body<'a>,
    pub guards: &'a [Guard],
    pub sealed: bool,
    pub file: usize,
}

pub enum Body<'a> {
    After(Vec<&'a After>),
    Soak(Vec<(&'a After, Instant)>),
    Rule(&'a RuleKind),
}

pub struct OverrideModel<'a> {
    pub name: &'a str,
    pub what: &'a Override,
    pub guards: &'a [Guard],
    /// Indices of rules of the stage.
    pub skips: BTreeSet<usize>,
}

impl Policy {
    /// # Panics
    /// When a file does not parse.
    pub fn new(texts: &Texts) -> Policy {
        let mut policy = Policy { gates: Vec::new(), sources: Sources::default() };
        let mut places = BTreeMap::new();
        policy.load(texts, &texts[0].0, &mut places);
        // Local times of a file without a zone of its own are read in the root's.
        let home = policy.gates.last().unwrap().home_name().map_or(TimeZone::UTC, |name| zone(&name));
        for gate in &mut policy.gates {
            gate.home = gate.home_name().map_or_else(|| home.clone(), |name| zone(&name));
        }
        policy
    }

    fn load(&mut self, texts: &Texts, name: &str, places: &mut BTreeMap<String, usize>) -> usize {
        if let Some(place) = places.get(name) {
            return *place;
        }
        let (_, text) = texts.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no file {name}"));
        let id = self.sources.add(name, text.as_str());
        let parsed = parse(&self.sources, id, &Limits::default());
        assert!(parsed.diagnostics.is_empty(), "{:#?}\n{text}", parsed.diagnostics);
        let mut sees = BTreeSet::new();
        for item in &parsed.file.items {
            if let Item::Include(word) = &item.value {
                let place = self.load(texts, &word.value, places);
                sees.insert(place);
                sees.extend(self.gates[place].sees.iter().copied());
            }
        }
        let place = self.gates.len();
        sees.insert(place);
        self.gates.push(Gate { file: parsed.file, home: TimeZone::UTC, sees });
        places.insert(name.to_string(), place);
        place
    }

    pub fn model(&self) -> Model<'_> {
        let mut model = Model {
            facts: BTreeMap::new(),
            groups: BTreeMap::new(),
            defines: BTreeMap::new(),
            calendars: BTreeMap::new(),
            stages: Vec::new(),
            homes: self.gates.iter().map(|gate| (gate.file.source, gate.home.clone())).collect(),
        };
        for gate in &self.gates {
            for item in &gate.file.items {
                match &item.value {
                    Item::Fact(fact) => drop(model.facts.insert(&fact.name.value, fact)),
                    Item::Group(group) => {
                        let members = group.members.as_ref();
                        let members = members.map(|list| list.iter().map(|word| word.value.as_str()).collect());
                        model.groups.insert(&group.name.value, members);
                    }
                    Item::Define(define) => {
                        model.defines.insert(&define.name.value, &define.cond);
                    }
                    Item::Calendar(calendar) => {
                        model.calendars.insert(&calendar.name.value, &calendar.times);
                    }
                    Item::Stage(Stage { name: Some(name), .. })
                        if model.stages.iter().all(|stage| stage.name != name.value) =>
                    {
                        model.stages.push(StageModel { name: &name.value, rules: vec![], overrides: vec![] });
                    }
                    _ => {}
                }
            }
        }
        let names: Vec<&str> = model.stages.iter().map(|stage| stage.name).collect();
        model.stages = names.into_iter().map(|name| self.stage(name)).collect();
        model
    }

    fn stage<'a>(&'a self, name: &'a str) -> StageModel<'a> {
        let mut stage = StageModel { name, rules: Vec::new(), overrides: Vec::new() };
        let mut afters = Vec::new();
        let mut soaks = Vec::new();
        let (mut after_file, mut soak_file) = (None, None);
        let mut rules: Vec<(usize, &Rule)> = Vec::new();
        let mut of_every_stage: Vec<&Rule> = Vec::new();
        for (number, gate) in self.gates.iter().enumerate() {
            for item in &gate.file.items {
                let Item::Stage(block) = &item.value else { continue };
                match &block.name {
                    Some(other) if other.value != name => continue,
                    _ => {}
                }
                rules.extend(block.rules.iter().map(|rule| (number, rule)));
                if block.name.is_none() {
                    of_every_stage.extend(&block.rules);
                }
                if let Some(after) = &block.after {
                    afters.push(after);
                    after_file.get_or_insert(number);
                    if let Some(soak) = &block.soak {
                        soaks.push((after, Instant::from(soak.seconds) * SECOND));
                        soak_file.get_or_insert(number);
                    }
                }
            }
        }
        let header = |name: &str, body, file| RuleModel { name: name.into(), body, guards: &[], sealed: false, file };
        if let Some(file) = after_file {
            stage.rules.push(header("after", Body::After(afters), file));
        }
        if let Some(file) = soak_file {
            stage.rules.push(header("soak", Body::Soak(soaks), file));
        }
        let written: BTreeSet<&str> =
            rules.iter().filter_map(|(_, rule)| rule.name.as_ref()).map(|word| word.value.as_str()).collect();
        for (file, rule) in &rules {
            if matches!(rule.kind, RuleKind::Override(_)) {
                continue;
            }
            let name = match &rule.name {
                Some(name) => name.value.clone(),
                None => {
                    let base = default_name(&rule.kind);
                    let taken = |name: &str| written.contains(name) || stage.rules.iter().any(|rule| rule.name == name);
                    let mut names = std::iter::once(base.to_string()).chain((2..).map(|n| format!("{base}-{n}")));
                    names.find(|name| !taken(name)).unwrap()
                }
            };
            stage.rules.push(RuleModel {
                name,
                body: Body::Rule(&rule.kind),
                guards: &rule.guards,
                sealed: rule.sealed.is_some(),
                file: *file,
            });
        }
        for (file, rule) in &rules {
            if let (RuleKind::Override(what), Some(name)) = (&rule.kind, &rule.name) {
                let skips = self.skips(&stage, *file, what);
                // An override of `stage *` that skips nothing here is none of this stage's.
                let everywhere = of_every_stage.iter().any(|other| std::ptr::eq(*other, *rule));
                if !(everywhere && skips.is_empty()) {
                    stage.overrides.push(OverrideModel { name: &name.value, what, guards: &rule.guards, skips });
                }
            }
        }
        stage
    }

    fn skips(&self, stage: &StageModel<'_>, file: usize, what: &Override) -> BTreeSet<usize> {
        let named = |rule: &RuleModel<'_>| what.rules.iter().any(|word| word.value == rule.name);
        let may = |rule: &RuleModel<'_>| {
            let advice = matches!(rule.body, Body::Rule(RuleKind::Advise(_)));
            let after = matches!(rule.body, Body::After(_));
            let chosen = if what.all_but { !named(rule) && !after } else { named(rule) };
            chosen && !rule.sealed && !advice && self.gates[file].sees.contains(&rule.file)
        };
        stage.rules.iter().enumerate().filter(|(_, rule)| may(rule)).map(|(index, _)| index).collect()
    }
}

impl Gate {
    fn home_name(&self) -> Option<String> {
        self.file.items.iter().find_map(|item| match &item.value {
            Item::Timezone(word) => Some(word.value.clone()),
            _ => None,
        })
    }
}

fn default_name(kind: &RuleKind) -> &'static str {
    match kind {
        RuleKind::Trigger(trigger) => match trigger {
            Trigger::Push { .. } => "push",
            Trigger::PullRequest { .. } => "pull-request",
            Trigger::Manual { .. } => "manual",
            Trigger::Completion { .. } => "completion",
            Trigger::Event { .. } => "event",
            Trigger::Schedule { .. } => "schedule",
        },
        RuleKind::Exclusive => "exclusive",
        RuleKind::ForwardOnly => "forward-only",
        RuleKind::DistinctApprovers => "distinct-approvers",
        _ => panic!("a rule without a name"),
    }
}

/// Who is asked for, in an approval or in an override.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub quorum: &'a Quorum,
    pub including: Option<Including>,
    pub except: &'a [Except],
}

impl<'a> Asked<'a> {
    pub fn count(&self) -> Count {
        self.quorum.count.value
    }

    /// Rules whose approvers do not count.
    pub fn not_of(&self) -> impl Iterator<Item = &'a str> {
        self.except.iter().filter_map(|term| match term {
            Except::ApproversOf(word) => Some(word.value.as_str()),
            _ => None,
        })
    }
}

/// The type of an element of a set or map.
pub fn element(ty: &Type) -> &Type {
    match ty {
        Type::Set(inner) | Type::Map(inner) => &inner.value,
        other => other,
    }
}
