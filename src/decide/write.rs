//! A decision as JSON, written as it is told: byte for byte what serde makes of it (`tests/decision_json.rs` compares them).
//!
//! The shape is fixed, so keys and what stands between them are written as they are; only texts have to be looked at.

use super::snapshot::Case;
use super::telling::{Approvals, RuleTelling, Telling, Way};
use crate::facts::slots::Person;
use crate::facts::time;
use crate::plain::push_number;
use crate::program::{Program, Rule, Stage};

/// What every decision about a stage says.
#[derive(Debug)]
pub(crate) struct Said {
    /// From the verdict to the build.
    policy: String,
    rules: Vec<SaidOfRule>,
}

#[derive(Debug)]
struct SaidOfRule {
    /// Up to its status.
    name: String,
    /// From there to what was seen.
    because: String,
    /// From there to its end.
    place: String,
}

impl Said {
    fn new(program: &Program, stage: &Stage) -> Said {
        let text = |text: &str| {
            let mut out = String::new();
            quoted(text, &mut out);
            out
        };
        let of_rule = |rule: &Rule| {
            let (file, line, column) = program.sources.seen_at(rule.span);
            let because = rule.because.as_deref().map_or("null".to_string(), text);
            SaidOfRule {
                name: format!("{{\"rule\":{},\"kind\":\"{}\",\"status\":\"", text(&rule.name), rule.kind.as_str()),
                because: format!("\",\"because\":{because},\"detail\":"),
                place: format!(",\"at\":{{\"file\":{},\"line\":{line},\"column\":{column}}}}}", text(file)),
            }
        };
        let (name, digest, language) = (text(&program.name), text(program.digest()), crate::LANGUAGE);
        Said {
            policy: format!(
                "\",\"policy\":{{\"name\":{name},\"digest\":{digest},\"language\":{language}}},\"stage\":{},\"build\":",
                text(&stage.name)
            ),
            rules: stage.rules.iter().map(of_rule).collect(),
        }
    }
}

impl Telling<'_> {
    /// The decision as JSON on one line.
    pub fn json(&self) -> String {
        // Most rules take less than this, beside what they tell.
        let room = 600 + 160 * self.rules.len() + self.details.len();
        let Case { program, stage, plan, .. } = self.case;
        let said = plan.said.get_or_init(|| Said::new(program, stage));
        let mut json = Json { telling: self, said, out: String::with_capacity(room) };
        json.decision();
        json.out
    }
}

struct Json<'t> {
    telling: &'t Telling<'t>,
    said: &'t Said,
    out: String,
}

impl<'t> Json<'t> {
    fn decision(&mut self) {
        let (telling, said) = (self.telling, self.said);
        let case = &telling.case;
        self.key("{\"verdict\":\"").key(telling.verdict.as_str()).key(&said.policy).text(&case.slots.build);
        self.key(",\"at\":").instant(case.slots.now);
        self.key(",\"rules\":").list(&telling.rules, |json, rule| json.rule(rule));
        self.key(",\"blocking\":").list(telling.blocking(), |json, rule| json.text(&rule.rule.name));
        self.key(",\"needs\":{\"facts\":").list(telling.missing_facts(), |json, fact| json.text(fact));
        self.key(",\"approvals\":").list(telling.missing_approvals(), |json, (rule, count, from)| {
            json.key("{\"rule\":").text(rule);
            json.people_of(count, from);
        });
        self.key("},\"unblock\":").list(&telling.unblock, |json, ways| json.list(ways, |json, way| json.way(way)));
        self.key(",\"allowed_at\":").maybe_instant(telling.allowed_at);
        self.key(",\"valid_until\":").maybe_instant(telling.valid_until);
        self.key(",\"overrides\":").list(&telling.overrides, |json, invoked| {
            // Few requests invoke any. Texts, numbers and lists of them: writing these cannot fail.
            json.out.push_str(&serde_json::to_string(invoked).unwrap_or_default());
        });
        self.key(",\"warnings\":").list(telling.warnings(), |json, warning| json.text(warning));
        self.key(",\"ignored_facts\":").list(&case.slots.ignored_facts, |json, fact| json.text(fact));
        self.key("}");
    }

    fn rule(&mut self, telling: &'t RuleTelling<'t>) {
        let Some(said) = self.said.rules.get(telling.index) else { return };
        let detail = self.telling.detail(telling);
        self.key(&said.name).key(telling.status.as_str()).key(&said.because).text(detail);
        if let Some(until) = telling.until {
            self.key(",\"until\":").instant(until);
        }
        if !telling.facts.is_empty() {
            self.key(",\"facts\":").list(&telling.facts, |json, fact| json.text(fact));
        }
        if let Some(approvals) = &telling.approvals {
            self.approvals(approvals);
        }
        if let Some(by) = telling.overridden_by {
            self.key(",\"overridden_by\":").text(by);
        }
        self.key(&said.place);
    }

    fn approvals(&mut self, approvals: &'t Approvals<'t>) {
        if let Some(missing) = approvals.missing {
            self.key(",\"missing\":").number(missing);
        }
        if let Some(from) = &approvals.from {
            self.key(",\"from\":").people(from);
        }
        self.key(",\"counted\":").people(&approvals.counted);
        if !approvals.not_counted.is_empty() {
            self.key(",\"not_counted\":").list(&approvals.not_counted, |json, (person, reason)| {
                let by = json.telling.case.person(*person);
                json.key("{\"by\":").text(by);
                json.key(",\"reason\":").text(reason);
                json.key("}");
            });
        }
        if !approvals.rejected_by.is_empty() {
            self.key(",\"rejected_by\":").people(&approvals.rejected_by);
        }
    }

    fn way(&mut self, way: &'t Way<'t>) {
        match way {
            Way::Approve { rule, count, from } => {
                let rule = self.telling.case.name(*rule).unwrap_or_default();
                self.key("{\"approve\":").text(rule);
                self.people_of(*count, from);
            }
            Way::Fact(fact) => {
                self.key("{\"fact\":").text(fact);
                self.key("}");
            }
            Way::Wait(at) => {
                self.key("{\"wait_until\":").instant(*at);
                self.key("}");
            }
            Way::Override { name, count, from } => {
                self.key("{\"override\":").text(name);
                self.people_of(*count, from);
            }
        }
    }

    /// The end of an object: so many of those people.
    fn people_of(&mut self, count: u32, from: &[Person]) {
        self.key(",\"count\":").number(count);
        self.key(",\"from\":").people(from);
        self.key("}");
    }

    fn people(&mut self, people: &[Person]) {
        self.list(people, |json, person| json.text(json.telling.case.person(*person)));
    }

    /// What needs no looking at.
    fn key(&mut self, json: &str) -> &mut Json<'t> {
        self.out.push_str(json);
        self
    }

    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, write: impl Fn(&mut Json<'t>, T)) {
        self.out.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
        self.out.push(']');
    }

    fn number(&mut self, number: u32) {
        push_number(&mut self.out, u64::from(number));
    }

    fn instant(&mut self, nanos: i64) {
        self.out.push('"');
        time::push(nanos, &mut self.out);
        self.out.push('"');
    }

    fn maybe_instant(&mut self, nanos: Option<i64>) {
        match nanos {
            Some(nanos) => self.instant(nanos),
            None => self.out.push_str("null"),
        }
    }

    fn text(&mut self, text: &str) {
        quoted(text, &mut self.out);
    }
}

/// A text in quotes: what has to be escaped in JSON is, and nothing else.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = special(rest.as_bytes()) {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        // All of these are single bytes.
        let mut chars = after.chars();
        match chars.next().unwrap_or_default() {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control => {
                let hex = |digit: u32| char::from_digit(digit & 15, 16).unwrap_or_default();
                out.push_str("\\u00");
                out.extend([hex(u32::from(control) >> 4), hex(u32::from(control))]);
            }
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Where the first byte stands that has to be escaped.
fn special(bytes: &[u8]) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let ends = super::verdict::scan::ends(u64::from_le_bytes(*chunk));
        if ends != 0 {
            return Some(8 * index + ends.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(8 * chunks.len() + at)
}
