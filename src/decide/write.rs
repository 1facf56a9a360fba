//! A decision as JSON, written as it is told: byte for byte what serde makes of it (`tests/decision_json.rs` compares them).
//!
//! The shape is fixed, so keys and what stands between them are written as they are; only texts have to be looked at.

use super::telling::{RuleTelling, Telling, Way};
use crate::facts::slots::Person;
use crate::facts::time;
use crate::plain::push_number;
use crate::program::Kind;

impl Telling<'_> {
    /// The decision as JSON on one line.
    pub fn json(&self) -> String {
        // Most rules take less than this, beside what they tell.
        let room = 600 + 320 * self.rules.len() + self.details.len();
        let mut json = Json { telling: self, out: String::with_capacity(room) };
        json.decision();
        json.out
    }
}

struct Json<'t> {
    telling: &'t Telling<'t>,
    out: String,
}

impl<'t> Json<'t> {
    fn decision(&mut self) {
        let telling = self.telling;
        let case = &telling.case;
        self.out.extend(["{\"verdict\":\"", telling.verdict.as_str(), "\",\"policy\":{\"name\":"]);
        self.text(&case.program.name);
        self.key(",\"digest\":").text(case.program.digest());
        self.key(",\"language\":").number(crate::LANGUAGE);
        self.key("},\"stage\":").text(&case.stage.name);
        self.key(",\"build\":").text(&case.slots.build);
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
        let rule = telling.rule;
        self.key("{\"rule\":").text(&rule.name);
        self.out.extend([",\"kind\":\"", rule.kind.as_str(), "\",\"status\":\"", telling.status.as_str()]);
        match &rule.because {
            Some(because) => self.key("\",\"because\":").text(because),
            None => self.out.push_str("\",\"because\":null"),
        }
        let detail = self.telling.detail(telling);
        self.key(",\"detail\":").text(detail);
        if let Some(until) = telling.until {
            self.key(",\"until\":").instant(until);
        }
        if !telling.facts.is_empty() {
            self.key(",\"facts\":").list(&telling.facts, |json, fact| json.text(fact));
        }
        if rule.kind == Kind::Approve {
            self.approvals(telling);
        }
        if let Some(by) = telling.overridden_by {
            self.key(",\"overridden_by\":").text(by);
        }
        let (file, line, column) = self.telling.case.program.sources.seen_at(rule.span);
        self.key(",\"at\":{\"file\":").text(file);
        self.key(",\"line\":").number(line);
        self.key(",\"column\":").number(column);
        self.key("}}");
    }

    /// What only a rule that asks for approvals tells.
    fn approvals(&mut self, telling: &'t RuleTelling<'t>) {
        if let Some(missing) = telling.missing {
            self.key(",\"missing\":").number(missing);
        }
        if let Some(from) = &telling.from {
            self.key(",\"from\":").people(from);
        }
        if let Some(counted) = &telling.counted {
            self.key(",\"counted\":").people(counted);
        }
        if !telling.not_counted.is_empty() {
            self.key(",\"not_counted\":").list(&telling.not_counted, |json, (person, reason)| {
                let by = json.telling.case.person(*person);
                json.key("{\"by\":").text(by);
                json.key(",\"reason\":").text(reason);
                json.key("}");
            });
        }
        if !telling.rejected_by.is_empty() {
            self.key(",\"rejected_by\":").people(&telling.rejected_by);
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
        self.out.push('"');
        escaped(text, &mut self.out);
        self.out.push('"');
    }
}

/// A text within its quotes: what has to be escaped in JSON is, and nothing else.
fn escaped(text: &str, out: &mut String) {
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
