//! The one canonical layout of a policy file.
//!
//! Two blanks of indentation, one declaration, rule or step a line, at most one blank line between them and always one
//! around `stage`, `test` and `scenario`. In a run of declarations of one kind without a blank line between them, their
//! `:` or `=` stand below one another. `because` is set off from its rule by three blanks, a comment by two. What does
//! not fit in 120 characters is broken: conditions before `and` and `or`, rules before their clauses, lists and maps one
//! element a line with a comma behind the last. Clauses stand in the order of the language page; brackets that change
//! nothing go; `optional` stands behind the type; strings, regexes and names are quoted only as far as they must be;
//! numbers and durations stay as they were written. Comments stay between the words that they stood between.

use super::layout::Layout;
use super::tree::*;
use crate::diagnostic::Span;

/// Prints a file whose tree was read from `source` without an error. Reading the result gives the same tree, and
/// printing that gives the same text.
pub fn print(file: &File, source: &str) -> String {
    let mut printer = Printer { to: Layout::new(source, &file.comments) };
    printer.items(&file.items);
    printer.to.finish()
}

/// Names longer than this are not waited for by their neighbours.
const ALIGN_MAX: usize = 32;

pub(super) struct Printer<'s> {
    pub to: Layout<'s>,
}

fn start(span: Span) -> usize {
    span.start as usize
}

/// The place of the last byte of something: of its closing bracket, if it ends in one.
fn last(span: Span) -> usize {
    (span.end as usize).saturating_sub(1)
}

impl Printer<'_> {
    fn items(&mut self, items: &[At<Item>]) {
        let mut before: Option<&At<Item>> = None;
        let mut width = 0;
        for (index, item) in items.iter().enumerate() {
            let in_run = before.is_some_and(|before| self.same_run(before, item));
            if !in_run {
                let rest = items.get(index..).unwrap_or(&[]);
                width = self.run_width(rest);
            }
            let apart = is_block(&item.value) || before.is_some_and(|before| is_block(&before.value));
            self.to.next(start(item.span), index == 0, apart);
            self.item(item, width);
            self.to.flush(item.span.end as usize);
            before = Some(item);
        }
    }

    /// Whether two neighbours are of one kind, with no blank line between them.
    fn same_run(&self, one: &At<Item>, other: &At<Item>) -> bool {
        aligned(&one.value).is_some_and(|(kind, _)| aligned(&other.value).is_some_and(|(other, _)| kind == other))
            && !self.to.blank_between(one.span.end as usize, start(other.span))
    }

    /// The longest name of the run that begins a list of items.
    fn run_width(&self, items: &[At<Item>]) -> usize {
        let mut width = 0;
        for (index, item) in items.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|before| items.get(before));
            match aligned(&item.value) {
                Some((_, name)) if before.is_none_or(|before| self.same_run(before, item)) => {
                    let length = name.chars().count();
                    width = width.max(if length > ALIGN_MAX { 0 } else { length });
                }
                _ => break,
            }
        }
        width
    }

    fn item(&mut self, item: &At<Item>, width: usize) {
        let at = start(item.span);
        match &item.value {
            Item::Policy(name) => self.to.text(format!("policy {}", name.value), at),
            Item::Timezone(zone) => self.to.text(format!("timezone {}", string(zone)), at),
            Item::Include(file) => self.to.text(format!("include {}", string(file)), at),
            Item::TestFor(file) => self.to.text(format!("test for {}", string(file)), at),
            Item::Fact(fact) => {
                self.to.text(format!("fact {:width$} :", fact.name.value), at);
                self.to.space();
                self.ty(&fact.ty);
                for (given, word) in [(fact.optional, " optional"), (fact.secret, " secret")] {
                    if given {
                        self.to.text(word, 0);
                    }
                }
            }
            Item::Group(group) => match &group.members {
                Some(members) => {
                    self.to.text(format!("group {:width$} =", group.name.value), at);
                    self.to.space();
                    self.names(members, 0, last(item.span));
                }
                None => self.to.text(format!("group {:width$} from directory", group.name.value), at),
            },
            Item::Define(define) => {
                self.to.begin();
                self.to.indent();
                self.to.text(format!("define {:width$} =", define.name.value), at);
                self.to.space();
                self.cond(&define.cond);
                self.to.outdent();
                self.to.end();
            }
            Item::Calendar(calendar) => {
                self.to.begin();
                self.to.indent();
                self.to.text(format!("calendar {:width$} =", calendar.name.value), at);
                self.to.space();
                self.times(&calendar.times);
                self.to.outdent();
                self.to.end();
            }
            Item::Stage(stage) => self.stage(stage, item.span),
            Item::Test(test) => self.block(format!("test {}", string(&test.name)), &test.steps, &test.rows, item.span),
            Item::Scenario(scenario) => {
                self.block(format!("scenario {}", scenario.name.value), &scenario.steps, &[], item.span);
            }
        }
    }

    fn block(&mut self, head: String, steps: &[At<Step>], rows: &[Row], span: Span) {
        self.to.text(head, start(span));
        self.to.text(" {", 0);
        self.to.indent();
        for (index, step) in steps.iter().enumerate() {
            self.to.next(start(step.span), index == 0, false);
            self.step(step);
            self.to.flush(step.span.end as usize);
        }
        for (index, row) in rows.iter().enumerate() {
            self.to.next(start(row.span), steps.is_empty() && index == 0, false);
            self.row(row);
            self.to.flush(row.span.end as usize);
        }
        self.to.close(last(span), steps.is_empty() && rows.is_empty());
        self.to.outdent();
        self.to.text("}", last(span));
    }

    /// On one line if it fits and holds no comment, so that rows stand under one another. `schedule` and an `at` of its own
    /// would be one step there.
    fn row(&mut self, row: &Row) {
        let apart = row.steps.windows(2).any(
            |two| matches!(two, [a, b] if matches!(a.value, Step::Schedule(None)) && matches!(b.value, Step::Now(_))),
        );
        if apart || self.to.has_comment(start(row.span), row.span.end as usize) {
            return self.block(format!("row {}", string(&row.name)), &row.steps, &[], row.span);
        }
        self.to.begin();
        self.to.text(format!("row {} {{", string(&row.name)), start(row.span));
        self.to.indent();
        for (index, step) in row.steps.iter().enumerate() {
            self.to.line(if index == 0 { 1 } else { 2 });
            self.step(step);
            self.to.flush(step.span.end as usize);
        }
        self.to.outdent();
        self.to.line(usize::from(!row.steps.is_empty()));
        self.to.text("}", last(row.span));
        self.to.end();
    }

    fn stage(&mut self, stage: &Stage, span: Span) {
        self.to.begin();
        self.to.indent();
        self.to.text(format!("stage {}", stage.name.as_ref().map_or("*", |name| name.value.as_str())), start(span));
        if let Some(after) = &stage.after {
            self.to.line(1);
            self.to.text(if after.any { "after any of" } else { "after" }, start(after.span));
            self.to.indent();
            for (index, stage) in after.stages.iter().enumerate() {
                match index {
                    0 => self.to.space(),
                    _ => {
                        self.to.text(",", 0);
                        self.to.fill();
                    }
                }
                self.to.text(stage.stage.value.as_str(), start(stage.stage.span));
                for (index, outcome) in stage.outcomes.iter().enumerate() {
                    self.to.text(if index == 0 { " " } else { " or " }, 0);
                    self.to.text(outcome_word(outcome.value), start(outcome.span));
                }
            }
            self.to.outdent();
        }
        if let Some(soak) = &stage.soak {
            self.to.line(1);
            self.to.text(format!("for {}", soak.text), start(soak.span));
        }
        self.to.outdent();
        self.to.text(" {", 0);
        self.to.end();
        self.to.indent();
        for (index, rule) in stage.rules.iter().enumerate() {
            self.to.next(start(rule.span), index == 0, false);
            self.rule(rule);
            self.to.flush(rule.span.end as usize);
        }
        self.to.close(last(span), stage.rules.is_empty());
        self.to.outdent();
        self.to.text("}", last(span));
    }

    fn ty(&mut self, ty: &At<Type>) {
        let mut ty = ty;
        loop {
            ty = match &ty.value {
                Type::Set(of) => {
                    self.to.text("set of ", start(ty.span));
                    of
                }
                Type::Map(of) => {
                    self.to.text("map of ", start(ty.span));
                    of
                }
                Type::Enum(values) => {
                    self.to.begin();
                    self.to.text("{", start(ty.span));
                    self.elements(values, 1, last(ty.span), |printer, value| {
                        printer.to.text(value.value.as_str(), start(value.span));
                    });
                    self.to.text("}", last(ty.span));
                    self.to.end();
                    return;
                }
                other => return self.to.text(type_name(other), start(ty.span)),
            };
        }
    }

    /// What stands between two brackets: on one line with so many blanks inside, or one element a line.
    pub fn elements<T>(&mut self, elements: &[T], blanks: usize, close: usize, mut print: impl FnMut(&mut Self, &T)) {
        self.to.indent();
        if !elements.is_empty() {
            self.to.line(blanks);
        }
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                self.to.text(",", 0);
                self.to.line(1);
            }
            print(self, element);
        }
        if !elements.is_empty() {
            self.to.comma_if_broken();
        }
        self.to.flush(close);
        self.to.outdent();
        if !elements.is_empty() {
            self.to.line(blanks);
        }
    }

    /// `[amita, "lee@tailspin.example"]`
    pub fn names(&mut self, names: &[Word], open: usize, close: usize) {
        self.to.begin();
        self.to.text("[", open);
        self.elements(names, 0, close, |printer, word| printer.to.text(name(word), start(word.span)));
        self.to.text("]", close);
        self.to.end();
    }

    /// A token with the word before it, which has no place of its own.
    pub fn word(&mut self, before: &str, text: &str, span: Span) {
        self.to.text(format!("{before}{text}"), start(span));
    }
}

// -------------------------------------------------------------------- conditions

impl Printer<'_> {
    /// Recurses as deep as the condition, which the scan has bounded.
    pub fn cond(&mut self, cond: &Cond) {
        match &cond.kind {
            CondKind::And(items) => self.chain(items, "and"),
            CondKind::Or(items) => self.chain(items, "or"),
            CondKind::Not(inner) => {
                self.to.text("not", start(cond.span));
                self.to.space();
                match inner.kind {
                    CondKind::And(_) | CondKind::Or(_) => self.in_brackets(inner),
                    _ => self.cond(inner),
                }
            }
            CondKind::Test(left, tail) => {
                self.operand(left);
                self.to.space();
                self.tail(tail);
            }
            CondKind::Each(quantifier, over, tail) => {
                self.to.text(quantifier_word(*quantifier), start(cond.span));
                self.to.space();
                self.operand(over);
                self.to.space();
                self.tail(tail);
            }
            CondKind::Bare(operand) => self.operand(operand),
        }
    }

    fn chain(&mut self, items: &[Cond], joiner: &str) {
        self.to.begin();
        for (index, item) in items.iter().enumerate() {
            let brackets = joiner == "and" && matches!(item.kind, CondKind::Or(_));
            if index > 0 {
                let at = start(item.span);
                let open = if brackets { self.to.bracket_before(at, '(') } else { 0 };
                self.to.line(1);
                self.to.text(joiner, if open > 0 { open } else { at });
                self.to.space();
            }
            if brackets {
                self.in_brackets(item);
            } else if matches!(item.kind, CondKind::And(_)) {
                self.to.indent();
                self.cond(item);
                self.to.outdent();
            } else {
                self.cond(item);
            }
        }
        self.to.end();
    }

    fn in_brackets(&mut self, cond: &Cond) {
        let open = self.to.bracket_before(start(cond.span), '(');
        let close = self.to.bracket_after(cond.span.end as usize, ')');
        self.to.begin();
        self.to.text("(", open);
        self.to.indent();
        self.to.line(0);
        self.cond(cond);
        self.to.flush(close);
        self.to.outdent();
        self.to.line(0);
        self.to.text(")", close);
        self.to.end();
    }

    fn tail(&mut self, tail: &Tail) {
        let (words, operand) = match tail {
            Tail::Compare(sign, right) => (comparison_sign(sign.value), right),
            Tail::In { negated: false, of } => ("in", of),
            Tail::In { negated: true, of } => ("not in", of),
            Tail::Contains(right) => ("contains", right),
            Tail::StartsWith(right) => ("starts with", right),
            Tail::EndsWith(right) => ("ends with", right),
            Tail::Glob(glob) => return self.word("matches ", &string(glob), glob.span),
            Tail::Regex(text) => return self.word("matches ", &regex(text), text.span),
            Tail::IsSet => return self.to.text("is set", 0),
            Tail::IsMissing => return self.to.text("is missing", 0),
        };
        self.to.text(words, start(operand.span()));
        self.to.space();
        self.operand(operand);
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Path(path) => {
                let parts = path.parts.iter().map(|part| match part.quoted {
                    true => string(&part.word),
                    false => part.word.value.clone(),
                });
                self.to.text(parts.collect::<Vec<_>>().join("."), start(path.span));
            }
            Operand::Literal(value) => self.to.text(literal(&value.value), start(value.span)),
            // Lists hold no lists.
            Operand::List(list) => {
                self.to.begin();
                self.to.text("[", start(list.span));
                self.elements(&list.value, 0, last(list.span), |printer, element| printer.operand(element));
                self.to.text("]", last(list.span));
                self.to.end();
            }
        }
    }
}

// -------------------------------------------------------------------- times

impl Printer<'_> {
    pub fn times(&mut self, times: &Times) {
        self.to.begin();
        for (items, word) in [(&times.include, ""), (&times.except, "except ")] {
            if !word.is_empty() {
                self.to.indent();
            }
            for (index, item) in items.iter().enumerate() {
                let at = start(item.span);
                match (index, word) {
                    (0, "") => {}
                    (0, _) => {
                        self.to.outdent();
                        self.to.line(1);
                        self.to.indent();
                    }
                    _ => {
                        self.to.text(",", 0);
                        self.to.line(1);
                    }
                }
                self.to.text(if index == 0 { word } else { "" }, at);
                self.to.text(times_item(&item.kind), at);
                if let Some(zone) = &item.zone {
                    self.word(" in ", &string(zone), zone.span);
                }
            }
        }
        self.to.outdent();
        self.to.end();
    }
}

fn times_item(kind: &TimesKind) -> String {
    match kind {
        TimesKind::Weekly { days: (first, last), start, end } => {
            let days = match first.value == last.value {
                true => weekday(first.value).to_string(),
                false => format!("{}..{}", weekday(first.value), weekday(last.value)),
            };
            format!("{days} {}..{}", time_of_day(start.value), time_of_day(end.value))
        }
        TimesKind::Daily { start, end } => format!("daily {}..{}", time_of_day(start.value), time_of_day(end.value)),
        TimesKind::WeekSpan { start, end } => format!(
            "{} {} .. {} {}",
            weekday(start.0.value),
            time_of_day(start.1.value),
            weekday(end.0.value),
            time_of_day(end.1.value)
        ),
        TimesKind::Dates { first, last: None } => date(first.value),
        TimesKind::Dates { first, last: Some(last) } => format!("{} .. {}", date(first.value), date(last.value)),
        TimesKind::Span { start, end } => format!("{} .. {}", datetime(&start.value), datetime(&end.value)),
        TimesKind::Yearly { first, last: None } => format!("yearly {}", month_day(first.value)),
        TimesKind::Yearly { first, last: Some(last) } => {
            format!("yearly {} .. {}", month_day(first.value), month_day(last.value))
        }
        TimesKind::Cron { expr, length } => format!("cron {} for {}", string(expr), length.text),
        TimesKind::Calendar(name) => name.value.clone(),
    }
}

fn weekday(day: Weekday) -> &'static str {
    Weekday::NAMES.get(usize::from(day.0)).copied().unwrap_or("mon")
}

fn time_of_day(time: TimeOfDay) -> String {
    format!("{:02}:{:02}", time.0 / 60, time.0 % 60)
}

fn month_day((month, day): (u32, u32)) -> String {
    let name = (month as usize).checked_sub(1).and_then(|index| MONTHS.get(index));
    format!("{} {day}", name.copied().unwrap_or("jan"))
}

// -------------------------------------------------------------------- words and literals

/// The months as they are written.
pub(super) const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

pub(super) fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Bool(value) => value.to_string(),
        Literal::Number { text, .. } => text.clone(),
        Literal::String(text) => string(text),
        Literal::Duration(duration) => duration.text.clone(),
        Literal::Date(value) => date(*value),
        Literal::DateTime(value) => datetime(value),
    }
}

/// A name, in quotes if it is no plain one.
pub(super) fn name(text: &str) -> String {
    if is_name(text) { text.to_string() } else { string(text) }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// A string literal. What a terminal would not show as it is stays escaped.
pub(super) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if crate::plain::unsafe_to_print(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A regex literal: slashes in it that are not escaped yet are escaped.
fn regex(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('/');
    let mut escaped = false;
    for c in text.chars() {
        if c == '/' && !escaped {
            out.push('\\');
        }
        out.push(c);
        escaped = c == '\\' && !escaped;
    }
    out.push('/');
    out
}

fn date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

pub(super) fn datetime(value: &DateTime) -> String {
    let (hours, minutes, seconds) = (value.second / 3600, value.second / 60 % 60, value.second % 60);
    let mut out = format!("{} {hours:02}:{minutes:02}", date(value.date));
    if seconds > 0 {
        out.push_str(&format!(":{seconds:02}"));
    }
    match value.zone.as_ref().map(|zone| &zone.value) {
        None => {}
        Some(ZoneSpec::Offset(0)) => out.push('Z'),
        Some(ZoneSpec::Offset(east)) => {
            let sign = if *east < 0 { '-' } else { '+' };
            let minutes = east.unsigned_abs() / 60;
            out.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        }
        Some(ZoneSpec::Named(zone)) if is_zone(zone) => out.push_str(&format!(" {zone}")),
        Some(ZoneSpec::Named(zone)) => out.push_str(&format!(" {}", string(zone))),
    }
    out
}

/// Whether a zone can be written without quotes.
fn is_zone(text: &str) -> bool {
    let mut parts = text.split('/');
    let first = parts.next().is_some_and(is_name);
    let rest: Vec<&str> = parts.collect();
    let rest_is_plain = rest.iter().all(|part| is_name(&part.replace('+', "-")));
    ["UTC", "GMT"].contains(&text) || first && !rest.is_empty() && rest_is_plain
}

fn type_name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Number => "number",
        Type::String => "string",
        Type::Time => "time",
        Type::Duration => "duration",
        Type::Version => "version",
        Type::User => "user",
        _ => "status",
    }
}

fn quantifier_word(quantifier: Quantifier) -> &'static str {
    match quantifier {
        Quantifier::Every => "every",
        Quantifier::Any => "any",
        Quantifier::No => "no",
    }
}

fn comparison_sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "==",
        Comparison::Ne => "!=",
        Comparison::Lt => "<",
        Comparison::Le => "<=",
        Comparison::Gt => ">",
        Comparison::Ge => ">=",
    }
}

pub(super) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
        Outcome::Cancelled => "cancelled",
        Outcome::Pending => "pending",
        Outcome::Completed => "completed",
    }
}

/// The kind and the name of a declaration whose sign is aligned with its neighbours'.
fn aligned(item: &Item) -> Option<(u8, &str)> {
    match item {
        Item::Fact(fact) => Some((0, &fact.name)),
        Item::Group(group) => Some((1, &group.name)),
        Item::Define(define) => Some((2, &define.name)),
        Item::Calendar(calendar) => Some((3, &calendar.name)),
        _ => None,
    }
}

fn is_block(item: &Item) -> bool {
    matches!(item, Item::Stage(_) | Item::Test(_) | Item::Scenario(_))
}
