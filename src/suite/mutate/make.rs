//! The small wrong versions of a policy: what in its text is changed, and how.

mod conditions;
mod times;

pub(crate) use super::edits::Edits;
use super::edits::find_word;
use crate::diagnostic::{SourceId, Span};
use crate::policy::Policy;
use crate::syntax::tree::{
    Approve, At, Count, Duration, Except, File, Guard, Item, Override, People, Quorum, Rule, RuleKind, Stage, Trigger,
    Word,
};

/// Every wrong version that is tried, in the order of the text.
pub(crate) fn all(policy: &Policy) -> Vec<Edits> {
    let mut out = Vec::new();
    for (index, file) in policy.files().iter().enumerate() {
        if index > 0 && is_policy(file) {
            continue;
        }
        let Some(source) = policy.sources().get(file.source) else { continue };
        let referred = referred(policy.files());
        let mut maker = Maker { text: &source.text, source: file.source, referred, out: Vec::new() };
        maker.file(file);
        maker.out.sort_by_key(|edits| (edits.span.start, edits.span.end));
        out.append(&mut maker.out);
    }
    out
}

fn is_policy(file: &File) -> bool {
    file.items.iter().any(|item| match &item.value {
        Item::Policy(_) => true,
        Item::Stage(stage) => stage.name.is_some(),
        _ => false,
    })
}

/// Names of rules that another rule names: taking such a rule out would not compile.
fn referred(files: &[File]) -> Vec<String> {
    let mut out = Vec::new();
    for item in files.iter().flat_map(|file| &file.items) {
        let Item::Stage(stage) = &item.value else { continue };
        for rule in &stage.rules {
            let except = match &rule.kind {
                RuleKind::Override(over) => {
                    out.extend(over.rules.iter().map(|word| word.value.clone()));
                    &over.except
                }
                RuleKind::Approve(approve) => &approve.except,
                _ => continue,
            };
            out.extend(except.iter().filter_map(|term| match term {
                Except::ApproversOf(rule) => Some(rule.value.clone()),
                _ => None,
            }));
        }
    }
    out
}

struct Maker<'a> {
    text: &'a str,
    source: SourceId,
    referred: Vec<String>,
    out: Vec<Edits>,
}

impl Maker<'_> {
    fn push(&mut self, what: impl Into<String>, span: Span, changes: Vec<(usize, usize, String)>) {
        self.out.push(Edits { what: what.into(), source: self.source, span, changes });
    }

    /// One place gets another text.
    fn replace(&mut self, span: Span, with: &str) {
        let old = self.of(span);
        let what = format!("`{}` became `{with}`", one_line(old));
        self.push(what, span, vec![(span.start as usize, span.end as usize, with.to_string())]);
    }

    /// One place is taken out.
    fn remove(&mut self, what: impl Into<String>, from: usize, to: usize) {
        let span = Span::new(self.source, from, to);
        self.push(what, span, vec![(from, to, String::new())]);
    }

    fn insert(&mut self, what: impl Into<String>, at: usize, text: &str) {
        let span = Span::new(self.source, at, at);
        self.push(what, span, vec![(at, at, text.to_string())]);
    }

    fn of(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    fn file(&mut self, file: &File) {
        for item in &file.items {
            match &item.value {
                Item::Timezone(zone) => self.zone(zone),
                Item::Define(define) => self.condition(&define.cond),
                Item::Calendar(calendar) => self.times(&calendar.times),
                Item::Stage(stage) => self.stage(stage),
                _ => {}
            }
        }
    }

    fn zone(&mut self, zone: &Word) {
        let other = if zone.value == "UTC" { "\"Asia/Tokyo\"" } else { "\"UTC\"" };
        self.replace(zone.span, other);
    }

    fn stage(&mut self, stage: &Stage) {
        self.after(stage);
        for rule in &stage.rules {
            self.rule(rule);
        }
    }

    fn after(&mut self, stage: &Stage) {
        let Some(after) = &stage.after else { return };
        let (start, end) = (after.span.start as usize, after.span.end as usize);
        if !self.referred.iter().any(|name| name == "after" || name == "soak") {
            let to = stage.soak.as_ref().map_or(end, |soak| soak.span.end as usize);
            self.remove("a stage comes after no other", start, to);
        }
        match (after.any, after.stages.as_slice()) {
            (true, [first, ..]) => {
                self.remove("`any of` was taken out", start + 5, first.stage.span.start as usize - 1)
            }
            (false, [first, _, ..]) => {
                self.insert("all became any", first.stage.span.start as usize, "any of ");
            }
            _ => {}
        }
        for stage in &after.stages {
            let at = stage.stage.span.end as usize;
            match stage.outcomes.as_slice() {
                [] => self.insert("any end of a stage will do", at, " completed"),
                [_] => {}
                [.., last] => {
                    self.remove("an outcome was taken out", at, last.span.start as usize);
                    if let Some(edits) = self.out.last_mut() {
                        edits.changes = vec![(at, last.span.start as usize, " ".into())];
                    }
                }
            }
        }
        if after.stages.len() > 1 {
            let spans: Vec<Span> = after
                .stages
                .iter()
                .map(|s| s.outcomes.last().map_or(s.stage.span, |outcome| s.stage.span.to(outcome.span)))
                .collect();
            self.drop_each(&spans, "a stage was taken out of `after`");
        }
        if let Some(soak) = &stage.soak {
            self.length(soak);
            match self.referred.iter().any(|name| name == "soak") {
                true => self.replace(soak.span, "1s"),
                false => self.remove("the soak was taken out", end, soak.span.end as usize),
            }
        }
    }

    /// Takes each of a list out, with a comma.
    fn drop_each(&mut self, spans: &[Span], what: &str) {
        for (index, span) in spans.iter().enumerate() {
            let (from, to) = match (index.checked_sub(1).and_then(|i| spans.get(i)), spans.get(index + 1)) {
                (_, Some(next)) => (span.start as usize, next.start as usize),
                (Some(before), None) => (before.end as usize, span.end as usize),
                (None, None) => continue,
            };
            let what = format!("{what}: `{}`", one_line(self.of(*span)));
            self.remove(what, from, to);
        }
    }

    fn rule(&mut self, rule: &Rule) {
        self.rule_removed(rule);
        if let Some(sealed) = rule.sealed {
            self.remove("a rule is no longer sealed", sealed.start as usize, sealed.end as usize);
        }
        for guard in &rule.guards {
            self.guard(rule, guard);
        }
        match &rule.kind {
            RuleKind::Require(cond) | RuleKind::Forbid(cond) | RuleKind::Advise(cond) => self.condition(cond),
            RuleKind::Window(times) | RuleKind::Freeze(times) => self.times(times),
            RuleKind::Approve(approve) => self.approve(rule, approve),
            RuleKind::Trigger(trigger) => self.trigger(rule, trigger),
            RuleKind::Override(over) => self.override_rule(rule, over),
            RuleKind::Exclusive | RuleKind::ForwardOnly | RuleKind::DistinctApprovers => {}
        }
    }

    /// A rule that another names never applies; any other is taken out.
    fn rule_removed(&mut self, rule: &Rule) {
        let (from, to) = (rule.span.start as usize, rule.span.end as usize);
        let (kind, name) = match &rule.kind {
            RuleKind::Freeze(_) => ("freeze", &rule.name),
            RuleKind::Override(_) => ("override", &rule.name),
            RuleKind::Trigger(_) => ("trigger", &rule.name),
            _ => ("rule", &rule.name),
        };
        let name = name.as_ref().map_or(String::new(), |name| format!(" {}", name.value));
        let is_named = rule.name.as_ref().is_some_and(|name| self.referred.contains(&name.value));
        if is_named {
            let at = rule.because.as_ref().map_or(to, |because| {
                find_word(self.text, from, because.span.start as usize, "because", true).unwrap_or(to)
            });
            return self.insert(format!("{kind}{name} never applies"), at, " when false ");
        }
        self.remove(format!("{kind}{name} was taken out"), from, to);
    }

    fn guard(&mut self, rule: &Rule, guard: &Guard) {
        let start = guard.cond.span.start as usize;
        let word = if guard.unless { "unless" } else { "when" };
        if let Some(at) = find_word(self.text, rule.span.start as usize, start, word, true) {
            let span = Span::new(self.source, at, at + word.len());
            self.replace(span, if guard.unless { "when" } else { "unless" });
            let end = self.after_brackets(at, guard.cond.span);
            self.remove(format!("`{word}` was taken out"), at, end);
        }
        self.condition(&guard.cond);
    }

    /// The end of a condition with the brackets around it that open after `from`.
    fn after_brackets(&self, from: usize, cond: Span) -> usize {
        let before = self.text.get(from..cond.start as usize).unwrap_or("");
        let mut open = before.chars().filter(|c| *c == '(').count();
        let mut end = cond.end as usize;
        let rest = self.text.get(end..).unwrap_or("");
        for (at, c) in rest.char_indices() {
            match c {
                ')' if open > 0 => {
                    open -= 1;
                    end = cond.end as usize + at + 1;
                }
                c if c.is_whitespace() && open > 0 => {}
                _ => break,
            }
        }
        end
    }

    fn quorum(&mut self, quorum: &Quorum) {
        match quorum.count.value {
            Count::Number(n) => {
                if n > 1 {
                    self.replace(quorum.count.span, &(n - 1).to_string());
                }
                self.replace(quorum.count.span, &n.saturating_add(1).to_string());
            }
            Count::All => self.replace(quorum.count.span, "1"),
        }
        if quorum.people.len() > 1 {
            let spans: Vec<Span> = quorum.people.iter().map(people_span).collect();
            // Terms are joined by `or`, which goes with the one before.
            self.drop_each(&spans, "people were taken out");
        }
    }

    fn excepts(&mut self, rule: &Rule, except: &[Except]) {
        let spans: Vec<Span> = except.iter().map(|term| self.except_span(rule, term)).collect();
        match spans.as_slice() {
            [] => {}
            [only] => {
                let found = find_word(self.text, rule.span.start as usize, only.start as usize, "except", true);
                if let Some(from) = found {
                    self.remove("the exception was taken out", from, only.end as usize);
                }
            }
            spans => self.drop_each(spans, "an exception was taken out"),
        }
    }

    /// The place of a whole term: `approvers of` is before the name.
    fn except_span(&self, rule: &Rule, term: &Except) -> Span {
        match term {
            Except::Requester(span) => *span,
            Except::Name(word) => word.span,
            Except::People(list) => list.span,
            Except::ApproversOf(word) => {
                let from = rule.span.start as usize;
                let start = find_word(self.text, from, word.span.start as usize, "approvers", true);
                Span::new(self.source, start.unwrap_or(word.span.start as usize), word.span.end as usize)
            }
        }
    }

    /// `valid D`, `since STAGE`: the clause that ends there is taken out.
    fn clause(&mut self, rule: &Rule, word: &str, end: Span) {
        if let Some(from) = find_word(self.text, rule.span.start as usize, end.start as usize, word, true) {
            self.remove(format!("`{word}` was taken out"), from, end.end as usize);
        }
    }

    fn approve(&mut self, rule: &Rule, approve: &Approve) {
        self.quorum(&approve.quorum);
        match &approve.including {
            Some(including) => {
                self.remove("`including` was taken out", including.span.start as usize, including.span.end as usize);
            }
            None => {
                if let Some(last) = approve.quorum.people.last() {
                    self.insert("authors count", people_span(last).end as usize, " including contributors");
                }
            }
        }
        self.excepts(rule, &approve.except);
        if let Some(since) = &approve.since {
            self.clause(rule, "since", since.span);
        }
        if let Some(valid) = &approve.valid {
            self.clause(rule, "valid", valid.span);
            self.length(valid);
        }
    }

    fn override_rule(&mut self, rule: &Rule, over: &Override) {
        self.quorum(&over.quorum);
        self.excepts(rule, &over.except);
        if over.rules.len() > 1 {
            let spans: Vec<Span> = over.rules.iter().map(|word| word.span).collect();
            let what = if over.all_but { "a rule may be skipped" } else { "a rule may no longer be skipped" };
            self.drop_each(&spans, what);
        }
        if let Some(valid) = &over.valid {
            self.clause(rule, "valid", valid.span);
            self.length(valid);
        }
        if over.reason_required {
            let (from, to) = (rule.span.start as usize, rule.span.end as usize);
            let reason = find_word(self.text, from, to, "reason", true);
            let required = find_word(self.text, from, to, "required", true);
            if let (Some(reason), Some(required)) = (reason, required) {
                self.remove("no reason is required", reason, required + "required".len());
            }
        }
    }

    fn trigger(&mut self, rule: &Rule, trigger: &Trigger) {
        match trigger {
            Trigger::Push { to: Some(to) } | Trigger::PullRequest { to: Some(to) } => self.clause(rule, "to", to.span),
            Trigger::Manual { by } => {
                if let (Some(first), Some(last)) = (by.first(), by.last()) {
                    let (first, last) = (people_span(first), people_span(last));
                    self.clause(rule, "by", first.to(last));
                }
                if by.len() > 1 {
                    let spans: Vec<Span> = by.iter().map(people_span).collect();
                    self.drop_each(&spans, "people were taken out");
                }
            }
            Trigger::Completion { of: Some(of) } => self.clause(rule, "of", of.span),
            Trigger::Event { name } => {
                let other = format!("{}-2", name.value);
                self.replace(name.span, &crate::suite::block::quoted(&other));
            }
            Trigger::Schedule { cron, zone, within, if_changed } => {
                self.cron(cron);
                if let Some(zone) = zone {
                    self.zone(zone);
                }
                if let Some(within) = within {
                    self.length(within);
                }
                if *if_changed {
                    let (from, to) = (rule.span.start as usize, rule.span.end as usize);
                    let start = find_word(self.text, from, to, "if", true);
                    let end = find_word(self.text, from, to, "changed", true);
                    if let (Some(start), Some(end)) = (start, end) {
                        self.remove("`if changed` was taken out", start, end + "changed".len());
                    }
                }
            }
            _ => {}
        }
    }

    /// A length of time, longer and shorter by one of its smallest unit.
    fn length(&mut self, length: &At<Duration>) {
        let unit = match length.text.chars().next_back() {
            Some('w') => 604_800,
            Some('d') => 86_400,
            Some('h') => 3_600,
            Some('m') => 60,
            _ => 1,
        };
        for seconds in [length.seconds.checked_add(unit), length.seconds.checked_sub(unit)] {
            if let Some(seconds @ 1..) = seconds {
                let units = length.text.chars().filter(|c| c.is_ascii_alphabetic()).count();
                let text = match length.text.chars().next_back() {
                    // `24h` becomes `25h`, not `1d1h`.
                    Some(letter) if units == 1 => format!("{}{letter}", seconds / unit),
                    _ => crate::suite::vary::duration(i64::try_from(seconds).unwrap_or(i64::MAX)),
                };
                let at = self.duration_at(length);
                self.replace(at, &text);
            }
        }
    }

    /// The place of a duration itself, when its span also holds the keyword before it.
    fn duration_at(&self, length: &At<Duration>) -> Span {
        let from = (length.span.end as usize).saturating_sub(length.text.len());
        Span::new(self.source, from.max(length.span.start as usize), length.span.end as usize)
    }
}

fn people_span(people: &People) -> Span {
    match people {
        People::Group(word) => word.span,
        People::List(list) => list.span,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
