//! A description as text.

use super::diagram::Graph;
use super::model::{Description, RuleWords, StageWords};
use super::words::list;
use crate::output::{Output, Paint, plain};

/// Width of the words that stand before what they introduce.
const MARGIN: usize = 13;

pub fn page(description: &Description, graph: &Graph, output: &Output) -> String {
    let mut page = Page { width: output.width(), colour: output.colour, out: String::new() };
    page.head(description);
    page.heading("Pipeline");
    for line in graph.text(page.width.saturating_sub(2)).lines() {
        page.line(&format!("  {line}"));
    }
    if let [first, _, ..] = description.stages.as_slice()
        && first.rules.iter().any(told_once)
    {
        page.heading("Every stage");
        page.lists(first, &told_once);
        for stage in &description.stages {
            page.stage(stage, &|rule| !told_once(rule));
        }
    } else {
        for stage in &description.stages {
            page.stage(stage, &|_| true);
        }
    }
    page.names(description);
    page.out
}

/// Rules of `stage *` are told once. Triggers and windows are told with the stage, since they are alternatives to its own.
fn told_once(rule: &RuleWords) -> bool {
    rule.every_stage && !matches!(rule.kind, "trigger" | "window")
}

struct Page {
    width: usize,
    colour: bool,
    out: String,
}

impl Page {
    fn head(&mut self, description: &Description) {
        self.line(&Paint::Bold.on(&plain(&description.policy), self.colour));
        let included = match description.files.get(1..) {
            Some(files @ [_, ..]) => format!(" with {}", list(files.iter().map(|f| plain(f)), "and")),
            _ => String::new(),
        };
        let head = format!("Read from {}{included}. Times are in {}.", plain(&description.file), description.zone);
        self.words(0, &head);
    }

    fn stage(&mut self, stage: &StageWords, wanted: &dyn Fn(&RuleWords) -> bool) {
        self.heading(&plain(&stage.name));
        if stage.after.is_empty() {
            self.words(2, "Builds enter the pipeline here.");
        }
        for after in &stage.after {
            self.words(2, &format!("After {}.", after.words));
        }
        if stage.rules.is_empty() && stage.after.is_empty() {
            self.words(2, "Every build may enter: there is no rule.");
        }
        self.alternatives("Started by", stage, "trigger");
        self.alternatives("Only during", stage, "window");
        self.lists(stage, wanted);
    }

    fn lists(&mut self, stage: &StageWords, wanted: &dyn Fn(&RuleWords) -> bool) {
        for (title, kind) in
            [("Not during", "freeze"), ("Required", "require"), ("Forbidden", "forbid"), ("Approvals", "approve")]
        {
            self.rules(title, stage, &[kind], wanted);
        }
        self.rules("Also", stage, &["exclusive", "forward-only", "distinct-approvers"], wanted);
        self.rules("Advised", stage, &["advise"], wanted);
        self.rules("Override", stage, &["override"], wanted);
    }

    /// Triggers and windows: any one of a file will do, and each file's must be met.
    fn alternatives(&mut self, title: &str, stage: &StageWords, kind: &str) {
        let mut file: Option<&str> = None;
        for rule in stage.rules.iter().filter(|rule| rule.kind == kind) {
            let title = match file {
                None => title,
                Some(before) if before == rule.file => "or",
                Some(_) => "and",
            };
            file = Some(&rule.file);
            self.rule(title, rule);
        }
    }

    fn rules(&mut self, title: &str, stage: &StageWords, kinds: &[&str], wanted: &dyn Fn(&RuleWords) -> bool) {
        let mut title = title;
        for rule in stage.rules.iter().filter(|rule| kinds.contains(&rule.kind) && wanted(rule)) {
            self.rule(title, rule);
            title = "";
        }
    }

    fn rule(&mut self, title: &str, rule: &RuleWords) {
        let mut words = rule.words.clone();
        if let Some(applies) = &rule.applies {
            words.push_str(&format!(" — {applies}"));
        }
        if rule.sealed {
            words.push_str(" (no override skips it)");
        }
        if !rule.own_file {
            words.push_str(&format!(" [{}]", plain(&rule.file)));
        }
        if let Some(name) = &rule.name {
            words = format!("{}: {words}", Paint::Bold.on(&plain(name), self.colour));
        }
        self.beside(title, &words);
        if let Some(schedule) = &rule.schedule {
            self.beside("", &format!("next {}", schedule.next_words));
        }
        if let Some(because) = &rule.because {
            self.beside("", &format!("because {}", plain(because)));
        }
    }

    fn names(&mut self, description: &Description) {
        if !description.definitions.is_empty() {
            self.heading("Definitions");
            for definition in &description.definitions {
                self.words(2, &format!("{} means: {}", definition.name, definition.words));
            }
        }
        if !description.calendars.is_empty() {
            self.heading("Calendars");
            for calendar in &description.calendars {
                self.words(2, &format!("{}: {}", calendar.name, calendar.words));
            }
        }
        if !description.groups.is_empty() {
            self.heading("People");
            for group in &description.groups {
                let members = match &group.members {
                    Some(members) if members.is_empty() => "nobody".to_string(),
                    Some(members) => list(members.iter().map(|m| plain(m)), "and"),
                    None => "as the directory says".to_string(),
                };
                self.words(2, &format!("{}: {members}", group.name));
            }
            if description.stages.iter().any(|s| s.rules.iter().any(|r| r.kind == "approve")) {
                self.words(2, "The author of a build and its contributors do not count, unless a rule says so.");
            }
        }
        if !description.facts.is_empty() {
            self.heading("What must be known of a build");
            for fact in &description.facts {
                let optional = if fact.optional { ", may be missing" } else { "" };
                let secret = if fact.secret { ", secret" } else { "" };
                self.words(2, &format!("{}: {}{optional}{secret}", fact.name, fact.words));
            }
        }
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        self.line(&Paint::Bold.on(text, self.colour));
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// Words on lines of their own.
    fn words(&mut self, indent: usize, words: &str) {
        let start = " ".repeat(indent);
        self.broken(start, indent, indent + 2, words);
    }

    /// A title in the margin, or none, and words beside it.
    fn beside(&mut self, title: &str, words: &str) {
        let title = Paint::Dim.on(&format!("{title:MARGIN$}"), self.colour);
        self.broken(format!("  {title}"), 2 + MARGIN, 4 + MARGIN, words);
    }

    /// Goes on a line that has so many columns already, and breaks it at blanks.
    fn broken(&mut self, mut line: String, mut column: usize, hanging: usize, words: &str) {
        let mut first = true;
        for word in words.split_whitespace() {
            let length = visible(word);
            if !first && column + 1 + length > self.width.max(hanging + 20) {
                self.line(&line);
                line = " ".repeat(hanging);
                column = hanging;
                first = true;
            }
            if !first {
                line.push(' ');
                column += 1;
            }
            line.push_str(word);
            column += length;
            first = false;
        }
        self.line(&line);
    }
}

fn visible(word: &str) -> usize {
    let mut count = 0;
    let mut in_code = false;
    for c in word.chars() {
        match c {
            '\x1b' => in_code = true,
            'm' if in_code => in_code = false,
            _ if in_code => {}
            _ => count += 1,
        }
    }
    count
}
