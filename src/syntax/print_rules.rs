//! The canonical layout of rules and of the steps of tests.

use super::print::{Printer, datetime, literal, name, outcome_word, string};
use super::tree::*;

impl Printer<'_> {
    pub fn rule(&mut self, rule: &Rule) {
        let keyword = match &rule.kind {
            RuleKind::Require(_) => "require",
            RuleKind::Forbid(_) => "forbid",
            RuleKind::Advise(_) => "advise",
            RuleKind::Window(_) => "window",
            RuleKind::Freeze(_) => "freeze",
            RuleKind::Approve(_) => "approve",
            RuleKind::Trigger(_) => "trigger",
            RuleKind::Exclusive => "exclusive",
            RuleKind::ForwardOnly => "forward only",
            RuleKind::DistinctApprovers => "distinct approvers",
            RuleKind::Override(_) => "override",
        };
        let sealed = if rule.sealed.is_some() { "sealed " } else { "" };
        let name = rule.name.as_ref().map_or(String::new(), |name| format!(" {}:", name.value));
        self.to.begin();
        self.to.indent();
        self.to.text(format!("{sealed}{keyword}{name}"), rule.span.start as usize);
        self.to.space();
        match &rule.kind {
            RuleKind::Require(cond) | RuleKind::Forbid(cond) | RuleKind::Advise(cond) => self.cond(cond),
            RuleKind::Window(times) | RuleKind::Freeze(times) => self.times(times),
            RuleKind::Approve(approve) => self.approve(approve),
            RuleKind::Trigger(trigger) => self.trigger(trigger),
            RuleKind::Exclusive | RuleKind::ForwardOnly | RuleKind::DistinctApprovers => {}
            RuleKind::Override(rule) => self.override_rule(rule),
        }
        for guard in &rule.guards {
            self.to.line(1);
            self.to.text(if guard.unless { "unless" } else { "when" }, guard.cond.span.start as usize);
            self.to.space();
            self.to.indent();
            self.cond(&guard.cond);
            self.to.outdent();
        }
        if let Some(because) = &rule.because {
            self.to.line(3);
            self.word("because ", &string(because), because.span);
        }
        self.to.outdent();
        self.to.end();
    }

    fn quorum(&mut self, quorum: &Quorum) {
        let count = match quorum.count.value {
            Count::Number(number) => number.to_string(),
            Count::All => "all".to_string(),
        };
        self.word("", &format!("{count} of"), quorum.count.span);
        self.to.space();
        self.people(&quorum.people);
    }

    fn people(&mut self, people: &[People]) {
        self.to.begin();
        for (index, term) in people.iter().enumerate() {
            let at = match term {
                People::Group(group) => group.span.start,
                People::List(list) => list.span.start,
            };
            if index > 0 {
                self.to.line(1);
                self.to.text("or", at as usize);
                self.to.space();
            }
            match term {
                People::Group(group) => self.word("", &group.value, group.span),
                People::List(list) => self.list(list),
            }
        }
        self.to.end();
    }

    fn list(&mut self, list: &At<Vec<Word>>) {
        self.names(&list.value, list.span.start as usize, (list.span.end as usize).saturating_sub(1));
    }

    fn approve(&mut self, approve: &Approve) {
        self.quorum(&approve.quorum);
        self.including(approve.including.as_ref());
        self.except(&approve.except);
        if let Some(stage) = &approve.since {
            self.to.line(1);
            self.word("since ", &stage.value, stage.span);
        }
        self.valid(approve.valid.as_ref());
    }

    fn including(&mut self, including: Option<&At<Including>>) {
        if let Some(including) = including {
            let whom = match including.value {
                Including::Author => "author",
                Including::Contributors => "contributors",
            };
            self.to.line(1);
            self.word("including ", whom, including.span);
        }
    }

    fn except(&mut self, except: &[Except]) {
        if except.is_empty() {
            return;
        }
        self.to.line(1);
        self.to.indent();
        for (index, term) in except.iter().enumerate() {
            let before = if index == 0 { "except " } else { "" };
            if index > 0 {
                self.to.text(",", 0);
                self.to.fill();
            }
            match term {
                Except::Requester(span) => self.word(before, "requester", *span),
                Except::ApproversOf(rule) => self.word(before, &format!("approvers of {}", rule.value), rule.span),
                Except::Name(name) => self.word(before, &name.value, name.span),
                Except::People(list) => match list.value.as_slice() {
                    // A lone name without quotes would be a group or a person: the checker would decide.
                    [one] => {
                        let text = name(one);
                        let text = if text.starts_with('"') { text } else { format!("[{text}]") };
                        self.word(before, &text, list.span);
                    }
                    _ => {
                        self.word(before, "", list.span);
                        self.list(list);
                    }
                },
            }
        }
        self.to.outdent();
    }

    fn valid(&mut self, valid: Option<&At<Duration>>) {
        if let Some(valid) = valid {
            self.to.line(1);
            self.word("valid ", &valid.text, valid.span);
        }
    }

    fn override_rule(&mut self, rule: &Override) {
        self.quorum(&rule.quorum);
        self.including(rule.including.as_ref());
        self.except(&rule.except);
        self.to.line(1);
        self.to.indent();
        for (index, word) in rule.rules.iter().enumerate() {
            let before = match (index, rule.all_but) {
                (0, true) => "may skip all but ",
                (0, false) => "may skip ",
                _ => "",
            };
            if index > 0 {
                self.to.text(",", 0);
                self.to.fill();
            }
            self.word(before, &word.value, word.span);
        }
        self.to.outdent();
        self.valid(rule.valid.as_ref());
        if rule.reason_required {
            self.to.line(1);
            self.to.text("reason required", 0);
        }
    }

    fn trigger(&mut self, trigger: &Trigger) {
        match trigger {
            Trigger::Push { to } => self.maybe("push", " to ", to.as_ref().map(|to| At::new(string(to), to.span))),
            Trigger::PullRequest { to } => {
                self.maybe("pull-request", " to ", to.as_ref().map(|to| At::new(string(to), to.span)));
            }
            Trigger::Manual { by } => {
                self.to.text("manual", 0);
                if !by.is_empty() {
                    self.to.text(" by", 0);
                    self.to.space();
                    self.people(by);
                }
            }
            Trigger::Completion { of } => self.maybe("completion", " of ", of.clone()),
            Trigger::Event { name } => self.word("event ", &string(name), name.span),
            Trigger::Schedule { cron, zone, within, if_changed } => {
                self.word("schedule ", &string(cron), cron.span);
                if let Some(zone) = zone {
                    self.to.line(1);
                    self.word("in ", &string(zone), zone.span);
                }
                if let Some(within) = within {
                    self.to.line(1);
                    self.word("within ", &within.text, within.span);
                }
                if *if_changed {
                    self.to.line(1);
                    self.to.text("if changed", 0);
                }
            }
        }
    }

    /// A word, and another with its own word before it if it is there.
    fn maybe(&mut self, word: &str, before: &str, rest: Option<Word>) {
        self.to.text(word, 0);
        if let Some(rest) = rest {
            self.word(before, &rest.value, rest.span);
        }
    }
}

// -------------------------------------------------------------------- steps

impl Printer<'_> {
    pub fn step(&mut self, step: &At<Step>) {
        let at = step.span.start as usize;
        let last = (step.span.end as usize).saturating_sub(1);
        self.to.begin();
        self.to.indent();
        self.to.text("", at);
        match &step.value {
            Step::Given(names) => self.list_of("given ", names, |word| word.value.clone()),
            Step::Now(time) => self.time("at ", time),
            Step::Build(fields) => {
                self.to.text("build ", 0);
                self.outer(|printer| printer.fields(fields, 0, last));
            }
            Step::Current(None) => self.to.text("current none", 0),
            Step::Current(Some(fields)) => {
                self.to.text("current ", 0);
                self.outer(|printer| printer.fields(fields, 0, last));
            }
            Step::Runs(outcome, runs) => {
                self.to.text(outcome_word(outcome.value), 0);
                for (index, (stage, time)) in runs.iter().enumerate() {
                    match index {
                        0 => self.to.space(),
                        _ => {
                            self.to.text(",", 0);
                            self.to.line(1);
                        }
                    }
                    self.word("", &format!("{} at {}", stage.value, datetime(&time.value)), stage.span);
                }
            }
            Step::Words { word, by, at, stage, build } => {
                let word = match word.value {
                    ApprovalWord::Approve => "approved by ",
                    ApprovalWord::Reject => "rejected by ",
                    ApprovalWord::Withdraw => "withdrawn by ",
                };
                self.list_of(word, by, |person| name(person));
                self.to.line(1);
                self.time("at ", at);
                if let Some(stage) = stage {
                    self.to.line(1);
                    self.word("for ", &stage.value, stage.span);
                }
                if let Some(build) = build {
                    self.to.line(1);
                    self.word("build ", &string(build), build.span);
                }
            }
            Step::Override { name: rule, by, at, reason } => {
                self.to.text(format!("override {}", rule.value), 0);
                self.to.line(1);
                self.list_of("by ", by, |person| name(person));
                self.to.line(1);
                self.time("at ", at);
                if let Some(reason) = reason {
                    self.to.line(1);
                    self.word("because ", &string(reason), reason.span);
                }
            }
            Step::Fact(fact, value) => {
                self.to.text(format!("fact {} = ", fact.value), 0);
                self.outer(|printer| printer.value(value));
            }
            Step::Group(group, members) => {
                self.to.text(format!("group {} = ", group.value), 0);
                self.outer(|printer| printer.names(members, 0, last));
            }
            Step::Push(to) => self.maybe("push", " to ", to.as_ref().map(|to| At::new(string(to), to.span))),
            Step::PullRequest(to) => {
                self.maybe("pull-request", " to ", to.as_ref().map(|to| At::new(string(to), to.span)));
            }
            Step::Manual(by) => self.maybe("manual", " by ", by.as_ref().map(|by| At::new(name(by), by.span))),
            Step::Completion(of) => self.maybe("completion", " of ", of.clone()),
            Step::Event(event) => self.word("event ", &string(event), event.span),
            Step::Schedule(None) => self.to.text("schedule", 0),
            Step::Schedule(Some(time)) => self.time("schedule at ", time),
            Step::Action(action) => self.word("action ", &action.value, action.span),
            Step::Requester(person) => self.word("requester ", &name(person), person.span),
            Step::Expect(expect) => self.expect(expect),
        }
        self.to.outdent();
        self.to.end();
    }

    /// Something that brings its own indentation.
    fn outer(&mut self, print: impl FnOnce(&mut Self)) {
        self.to.outdent();
        print(self);
        self.to.indent();
    }

    fn time(&mut self, before: &str, time: &At<DateTime>) {
        self.word(before, &datetime(&time.value), time.span);
    }

    fn list_of(&mut self, before: &str, words: &[Word], print: impl Fn(&Word) -> String) {
        self.to.indent();
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.to.text(",", 0);
                self.to.fill();
            }
            self.word(if index == 0 { before } else { "" }, &print(word), word.span);
        }
        self.to.outdent();
    }

    fn expect(&mut self, expect: &Expect) {
        let stage = &expect.stage;
        match &expect.what {
            Expected::Verdict { verdict, because, until } => {
                let word = match verdict.value {
                    ExpectedVerdict::Allow => "allow",
                    ExpectedVerdict::Hold => "hold",
                    ExpectedVerdict::Deny => "deny",
                };
                self.word("expect ", &format!("{} {word}", stage.value), stage.span);
                if !because.is_empty() {
                    self.to.line(1);
                    self.list_of("because ", because, |rule| rule.value.clone());
                }
                if let Some(until) = until {
                    self.to.line(1);
                    self.time("until ", until);
                }
            }
            Expected::Rule { rule, status } => {
                let text = format!("{} rule {} is {}", stage.value, rule.value, status.value);
                self.word("expect ", &text, stage.span);
            }
            Expected::FiresAt(time) => {
                self.word("expect ", &format!("{} fires at {}", stage.value, datetime(&time.value)), stage.span);
            }
            Expected::OpensAt(time) => {
                self.word("expect ", &format!("{} opens at {}", stage.value, datetime(&time.value)), stage.span);
            }
        }
    }

    fn fields(&mut self, fields: &[Field], open: usize, close: usize) {
        self.to.begin();
        self.to.text("{", open);
        self.elements(fields, 1, close, |printer, field| {
            printer.word("", &format!("{}: ", name(&field.name)), field.name.span);
            printer.value(&field.value);
        });
        self.to.text("}", close);
        self.to.end();
    }

    /// Recurses three times at most: values are no deeper.
    fn value(&mut self, value: &Value) {
        let (start, close) = (value.span.start as usize, (value.span.end as usize).saturating_sub(1));
        match &value.kind {
            ValueKind::Literal(value) => self.to.text(literal(value), start),
            ValueKind::Name(name) => self.to.text(name.as_str(), start),
            ValueKind::List(values) => {
                self.to.begin();
                self.to.text("[", start);
                self.elements(values, 0, close, |printer, value| printer.value(value));
                self.to.text("]", close);
                self.to.end();
            }
            ValueKind::Map(fields) => self.fields(fields, start, close),
        }
    }
}
