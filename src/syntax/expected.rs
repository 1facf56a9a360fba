//! What pest expected, in the author's words, with help for the slips that people make.

use pest::error::ErrorVariant;

use super::grammar::Rule;
use super::parse::{ITEMS, RULES, STEPS, error_at};
use crate::diagnostic::codes::{CLAUSE, DATE_TIME, DURATION, KEYWORD, SYNTAX};
use crate::diagnostic::{Diagnostic, SourceId, Span, did_you_mean};

/// Turns an error of pest in `text[start..end]` into a diagnostic.
pub(super) fn explain(
    text: &str,
    id: SourceId,
    start: usize,
    end: usize,
    error: &pest::error::Error<Rule>,
) -> Diagnostic {
    let at = (start + error_at(error)).min(end);
    let at = skip_blanks(text, at, end);
    let positives: &[Rule] = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives,
        ErrorVariant::CustomError { .. } => &[],
    };
    let found = token(text, at, end);
    // What is missing at the end of a piece is missing right behind its last word.
    let at = if found.is_empty() { last_word_end(text, start, at) } else { at };
    let span = Span::new(id, at, at + found.len());
    if let Some(diagnostic) = slip(text, start, at, found, span, positives) {
        return diagnostic;
    }
    let wanted = wanted(positives);
    let message = match (found, wanted.as_str()) {
        ("", "") => "something is missing here".to_string(),
        ("", wanted) => format!("expected {wanted}, but it ends here"),
        (found, "") => format!("`{}` does not belong here", shown(found)),
        (found, wanted) => format!("expected {wanted}, found `{}`", shown(found)),
    };
    Diagnostic::new(SYNTAX, span, message)
        .label("not understood from here on")
        .maybe_help(hint(text, at, found, positives))
}

/// Where the last word of `text[start..at]` ends, comments aside.
fn last_word_end(text: &str, start: usize, at: usize) -> usize {
    let mut last = start;
    let mut rest = start;
    while rest < at {
        rest = skip_blanks(text, rest, at);
        let found = token(text, rest, at);
        if found.is_empty() {
            break;
        }
        rest += found.len();
        last = rest;
    }
    last
}

/// Help that follows from what was expected.
fn hint(text: &str, at: usize, found: &str, positives: &[Rule]) -> Option<String> {
    let has = |rule: Rule| positives.contains(&rule);
    let mut words: Vec<String> = positives.iter().flat_map(|rule| keywords(*rule)).collect();
    // Of `reason required` the first word is what may be misspelt here.
    words.iter_mut().for_each(|word| word.truncate(word.find(' ').unwrap_or(word.len())));
    let lower = found.to_ascii_lowercase();
    if let Some(word) = words.iter().find(|word| **word == lower) {
        return Some(format!("keywords are lower case: write `{word}`"));
    }
    if found.starts_with(|c: char| c.is_ascii_alphabetic())
        && let Some(help) = did_you_mean(found, words.iter().map(String::as_str))
    {
        return Some(help);
    }
    let rest = text.get(at..).unwrap_or("");
    let whole = rest.split([' ', '\t', '\r', '\n', ',', ']', '}', ')']).next().unwrap_or("");
    let plain = !whole.is_empty() && !whole.contains(['"', '#', '[', '{', '(']) && whole.len() <= 60;
    if has(Rule::name) && found.starts_with(|c: char| c.is_ascii_digit()) {
        return Some("a name begins with a letter".into());
    }
    if has(Rule::name) && found.starts_with('"') && !has(Rule::string) {
        return Some("names stand without quotes: letters a to z, digits, `_` and `-`".into());
    }
    if has(Rule::string) && plain && !found.is_empty() {
        return Some(format!("put it into quotes: `\"{}\"`", crate::plain::escape(whole)));
    }
    if has(Rule::people_list) && found == "{" {
        return Some("lists of people stand in `[…]`".into());
    }
    if has(Rule::month_day) {
        return Some("a day of every year is written `dec 24`".into());
    }
    None
}

/// The words that a rule of the grammar begins with.
fn keywords(rule: Rule) -> Vec<String> {
    let words: &[&str] = match rule {
        Rule::trigger => &["push", "pull-request", "manual", "completion", "event", "schedule"],
        Rule::outcome => &["completed", "succeeded", "failed", "skipped", "cancelled"],
        Rule::verdict | Rule::expect_verdict => &["allow", "hold", "deny"],
        Rule::approve_clause => &["including", "except", "since", "valid"],
        Rule::override_clause => &["including", "except", "may skip", "valid", "reason required"],
        Rule::guard => &["when", "unless"],
        Rule::because => &["because"],
        Rule::joiner => &["and", "or"],
        Rule::schedule_clause => &["in", "within", "if changed"],
        Rule::except_people | Rule::except_times => &["except"],
        Rule::since => &["since"],
        Rule::valid => &["valid"],
        Rule::after => &["after"],
        Rule::soak => &["for"],
        Rule::to => &["to"],
        other => {
            let name = format!("{other:?}");
            return name.strip_prefix("k_").map(|word| word.replace('_', "-")).into_iter().collect();
        }
    };
    words.iter().map(|word| (*word).to_string()).collect()
}

/// What was found, harmless and cut.
pub(super) fn shown(found: &str) -> String {
    match found.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", crate::plain::escape(found.get(..end).unwrap_or(""))),
        None => crate::plain::escape(found).into_owned(),
    }
}

fn skip_blanks(text: &str, at: usize, end: usize) -> usize {
    let mut at = at;
    loop {
        let rest = text.get(at..end).unwrap_or("");
        let trimmed = rest.trim_start();
        at = end - trimmed.len();
        match trimmed.starts_with('#') {
            true => at += trimmed.find('\n').unwrap_or(trimmed.len()),
            false => return at,
        }
    }
}

/// The word or sign at a place.
fn token(text: &str, at: usize, end: usize) -> &str {
    let rest = text.get(at..end).unwrap_or("");
    let Some(first) = rest.chars().next() else { return "" };
    let length = if first.is_alphanumeric() {
        rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | ':')).unwrap_or(rest.len())
    } else if first == '"' {
        rest.char_indices().skip(1).find(|(_, c)| *c == '"').map_or(rest.len(), |(at, _)| at + 1)
    } else {
        let two = rest.get(..2).unwrap_or("");
        if ["==", "!=", "<=", ">=", "&&", "||", "..", "=>"].contains(&two) { 2 } else { first.len_utf8() }
    };
    rest.get(..length).unwrap_or(rest)
}

/// The last word before a place.
fn before(text: &str, start: usize, at: usize) -> &str {
    let rest = text.get(start..at).unwrap_or("").trim_end();
    let from = rest
        .rfind(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'))
        .map_or(0, |n| n + rest.get(n..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8));
    rest.get(from..).unwrap_or("")
}

/// Slips that people make, each with its own help.
fn slip(text: &str, start: usize, at: usize, found: &str, span: Span, positives: &[Rule]) -> Option<Diagnostic> {
    let rest = text.get(at..).unwrap_or("");
    let has = |rule: Rule| positives.contains(&rule);
    let syntax = |message: &str, help: &str| Some(Diagnostic::new(SYNTAX, span, message).help(help));
    let first = text.get(start..at).unwrap_or("").trim().is_empty();
    if first && found.starts_with(|c: char| c.is_alphabetic()) {
        return begins(found, span, positives);
    }
    match found {
        "&&" => return syntax("`&&` is written `and` here", "write `and`"),
        "||" => return syntax("`||` is written `or` here", "write `or`"),
        "!" => return syntax("`!` is written `not` here", "write `not`"),
        ";" => return syntax("`;` ends nothing here", "remove it: a rule ends where the next one begins"),
        "'" => return syntax("texts stand in double quotes", "write `\"…\"`"),
        "=" if has(Rule::compare) || has(Rule::tail) || has(Rule::k_and) || has(Rule::joiner) => {
            return syntax("`=` compares nothing", "write `==` to compare");
        }
        "=>" => return syntax("`=>` is no comparison", "write `>=`"),
        "+" | "-" | "*" | "%" if has(Rule::tail) || has(Rule::joiner) => {
            return syntax("there is no arithmetic in conditions", "let the tool that makes the request reckon it");
        }
        "==" | "!=" | "<" | "<=" | ">" | ">=" if has(Rule::joiner) => {
            return syntax("comparisons cannot be chained", "write both, joined with `and`");
        }
        "." if has(Rule::operand) => return syntax("a number begins with a digit", "write `0.5`"),
        "[" if has(Rule::element) => return syntax("lists hold no lists", "write all of it into one list"),
        "/" if !has(Rule::regex) && (rest.starts_with("//") || rest.starts_with("/*")) => {
            return syntax("comments begin with `#`", "write `# …`; a comment ends with its line");
        }
        _ => {}
    }
    if let Some(diagnostic) = missing_comma(text, start, at, found, span) {
        return Some(diagnostic);
    }
    if let Some(diagnostic) = missing_colon(text, start, at, span) {
        return Some(diagnostic);
    }
    if let Some(diagnostic) = only_colon(text, start, at, found, span, positives) {
        return Some(diagnostic);
    }
    let last = before(text, start, at);
    let head = words(text, start, at).find(|word| *word != "sealed").unwrap_or("");
    if head == "trigger"
        && let Some(diagnostic) = after_trigger(words(text, start, at).any(|word| word == "by"), last, found, span)
    {
        return Some(diagnostic);
    }
    match (found, last) {
        ("and" | "&", _) if head == "override" && words(text, start, at).any(|word| word == "skip") => {
            return syntax("several rules stand with commas between them", "write `may skip office, weekend`");
        }
        ("can" | "could" | "might" | "skips" | "skip", _) if head == "override" => {
            return syntax(&format!("expected `may skip`, found `{found}`"), "write `2 of ops may skip RULE`");
        }
        ("not", "is") => return syntax("`is not` is no test", "write `is missing`, or `!=` with a value"),
        ("present" | "empty" | "null" | "none" | "defined" | "absent" | "unset", "is") => {
            return syntax("there are only `is set` and `is missing`", "write `is set` or `is missing`");
        }
        ("and" | "," | "&", _) if ["approve", "override", "trigger"].contains(&head) && has(Rule::guard) => {
            return syntax("several groups are joined with `or`", "write `2 of ops or testers`");
        }
        ("and" | "or" | "&", _) if head == "stage" && (has(Rule::soak) || has(Rule::outcome) || has(Rule::k_for)) => {
            return syntax(
                "several stages stand with commas between them",
                "write `after A, B` or `after any of A, B`",
            );
        }
        ("after", _) if head == "stage" => {
            return syntax("`after` stands before `for`", "write `stage NAME after A for 2h { … }`");
        }
        ("of", "list" | "array" | "lists" | "List") if head == "fact" => {
            return syntax("there are no lists among the types", "write `set of T` or `map of T`");
        }
        (_, _) if head == "policy" && last != "policy" && !found.is_empty() => {
            return syntax("the name of a policy is one word", "write it with `-`: `space-game`");
        }
        _ => {}
    }
    if ["schedule", "cron"].contains(&last) && has(Rule::string) {
        return syntax("the fields of a schedule stand in quotes", "write `\"0 3 * * *\"`");
    }
    if found == "/" && has(Rule::regex) {
        return syntax("this regex has no end", "write `/` after it; a `/` inside is `\\/`");
    }
    if head == "trigger" && has(Rule::colon) && words(text, start, at).skip_while(|w| *w != "trigger").count() == 2 {
        let kinds = ["push", "pull-request", "manual", "completion", "event", "schedule"];
        let help = did_you_mean(last, kinds)
            .unwrap_or_else(|| format!("a trigger is one of {}", crate::diagnostic::list_words(&kinds, 6)));
        let end = last_word_end(text, start, at);
        let span = Span { start: end.saturating_sub(last.len()) as u32, end: end as u32, ..span };
        return Some(Diagnostic::new(KEYWORD, span, format!("there is no trigger `{}`", shown(last))).help(help));
    }
    if found.get(..8).is_some_and(|t| t.bytes().filter(|b| *b == b'-').count() == 2)
        && found.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        && !found.get(..4).is_some_and(|year| year.bytes().all(|b| b.is_ascii_digit()))
    {
        let message = format!("`{}` is no date", shown(found));
        let help = "dates are year-month-day, such as `2026-03-04`";
        return Some(Diagnostic::new(DATE_TIME, span, message).help(help));
    }
    if has(Rule::datetime) && is_date(found) {
        let help = format!("write `{found} 10:00`");
        return Some(Diagnostic::new(DATE_TIME, span, "a time of day is missing behind the date").help(help));
    }
    if is_date(last) && found.starts_with(|c: char| c.is_ascii_digit()) && found.contains(':') {
        let help = "write both ends as dates, or both with a time of day";
        return Some(Diagnostic::new(DATE_TIME, span, "only one end has a time of day").help(help));
    }
    if has(Rule::dots) && ["-", "to", "until"].contains(&found) {
        return syntax("the ends of a range stand with `..` between them", "write `09:00..17:00`");
    }
    if has(Rule::duration) || last.chars().all(|c| c.is_ascii_digit()) && !last.is_empty() && is_unit(found) {
        let help = "write the number and its unit together: `30s`, `15m`, `2h`, `1d`, `1w` or `1h30m`";
        if last.chars().all(|c| c.is_ascii_digit()) && !last.is_empty() && is_unit(found) {
            let span = Span {
                start: span.start
                    - (text.get(start..at).map_or(0, |t| t.len() - t.trim_end().len()) + last.len()) as u32,
                ..span
            };
            return Some(Diagnostic::new(DURATION, span, "a number and its unit are one word").help(help));
        }
        if positives.len() == 1 {
            let message = format!("expected a duration, found `{}`", shown(found));
            return Some(Diagnostic::new(DURATION, span, message).help(help));
        }
    }
    let lower = found.to_ascii_lowercase();
    if (has(Rule::weekday) || has(Rule::t_bare) || has(Rule::times_kind) || has(Rule::times_item))
        && weekday_like(&lower)
    {
        let short = lower.get(..3).unwrap_or("");
        let message = format!("`{}` is no day of the week here", shown(found));
        return Some(Diagnostic::new(DATE_TIME, span, message).help(format!("write `{short}`")));
    }
    let long_day = last.starts_with(|c: char| c.is_ascii_uppercase()) || last.len() > 3;
    if found.starts_with(|c: char| c.is_ascii_digit()) && long_day && is_weekday(&last.to_ascii_lowercase()) {
        let short = last.get(..3).unwrap_or("").to_ascii_lowercase();
        let message = format!("`{}` is no day of the week here", shown(last));
        let help = format!("days of the week are lower case and short: write `{short}`");
        return Some(Diagnostic::new(DATE_TIME, span, message).help(help));
    }
    // A word that is no day was taken for the name of a calendar.
    if found == ".." && last.len() > 3 && is_weekday(&last.to_ascii_lowercase()) {
        let short = last.get(..3).unwrap_or("").to_ascii_lowercase();
        let message = format!("`{}` is no day of the week here", shown(last));
        let help = format!("days of the week are lower case and short: write `{short}..`");
        return Some(Diagnostic::new(DATE_TIME, span, message).help(help));
    }
    if let Some((from, to)) = last.split_once('-')
        && is_weekday(&from.to_ascii_lowercase())
        && is_weekday(&to.to_ascii_lowercase())
    {
        let short = |day: &str| day.get(..3).unwrap_or("").to_ascii_lowercase();
        let help = format!("write `{}..{}`", short(from), short(to));
        return syntax("the ends of a range stand with `..` between them", &help);
    }
    let first_end = lower.split("..").next().unwrap_or("");
    if first_end.ends_with("am") || first_end.ends_with("pm") {
        let digits = first_end.trim_end_matches("am").trim_end_matches("pm");
        if digits.is_empty() || digits.chars().all(|c| c.is_ascii_digit() || c == ':') {
            return Some(
                Diagnostic::new(DATE_TIME, span, "times of day have 24 hours").help("write `09:00` and `17:00`"),
            );
        }
    }
    if let Some(diagnostic) = rule_of_no_kind(text, start, at, found, span) {
        return Some(diagnostic);
    }
    // Two words after one another where a condition goes on.
    if (has(Rule::joiner) || has(Rule::k_and)) && found.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '"') {
        let lower = found.to_ascii_lowercase();
        if ["and", "or", "not", "when", "unless", "because", "is", "in"].contains(&lower.as_str()) && lower != found {
            return syntax("keywords are lower case", &format!("write `{lower}`"));
        }
        let mut earlier = words(text, start, at).collect::<Vec<_>>().into_iter().rev();
        if let (Some(word @ ("when" | "unless" | "because")), Some(joiner @ ("and" | "or"))) =
            (earlier.next(), earlier.next())
        {
            let message = format!("a condition is missing between `{joiner}` and `{word}`");
            return syntax(&message, &format!("finish it, or remove `{joiner}`"));
        }
        let help = did_you_mean(found, ["when", "unless", "because", "and", "or"]);
        return Some(
            Diagnostic::new(SYNTAX, span, format!("`{}` does not belong to the condition before it", shown(found)))
                .label("the condition ends before this")
                .help(help.unwrap_or_else(|| {
                    "join two conditions with `and` or `or`; a new rule begins with its keyword".to_string()
                })),
        );
    }
    if has(Rule::k_of) && positives.len() <= 2 {
        let message = format!("expected `of`, found `{}`", shown(found));
        return Some(Diagnostic::new(SYNTAX, span, message).help("write COUNT `of` PEOPLE, such as `2 of ops`"));
    }
    if rest.starts_with("because") || rest.starts_with("when") || rest.starts_with("unless") {
        return Some(
            Diagnostic::new(CLAUSE, span, format!("`{}` cannot stand here", shown(found)))
                .help("`when`, `unless` and `because` end a rule; each stands once behind all that the rule demands"),
        );
    }
    None
}

/// A declaration, rule or step that begins with a word which is none.
fn begins(found: &str, span: Span, positives: &[Rule]) -> Option<Diagnostic> {
    let (words, what): (&[&str], &str) = if positives.contains(&Rule::item) || positives.contains(&Rule::k_policy) {
        (&ITEMS, "declaration")
    } else if positives.contains(&Rule::stage_rule)
        || positives.contains(&Rule::sealed)
        || positives.contains(&Rule::k_require)
    {
        (&RULES, "rule")
    } else if positives.contains(&Rule::step)
        || positives.contains(&Rule::k_given)
        || positives.contains(&Rule::k_expect)
        || positives.contains(&Rule::one_step)
    {
        (&STEPS, "line of a test")
    } else {
        return None;
    };
    if words.contains(&found) {
        return None;
    }
    let help = did_you_mean(found, words.iter().copied()).unwrap_or_else(|| match what {
        "declaration" if RULES.contains(&found) => "rules stand inside `stage NAME { … }`".into(),
        "rule" if ITEMS.contains(&found) => "close the stage with `}` first".into(),
        _ => format!("a {what} begins with one of {}", crate::diagnostic::list_words(words, 30)),
    });
    Some(Diagnostic::new(KEYWORD, span, format!("no {what} begins with `{}`", shown(found))).help(help))
}

/// `[tim andy]`: pest only says that it cannot go on from `tim`.
fn missing_comma(text: &str, start: usize, at: usize, found: &str, span: Span) -> Option<Diagnostic> {
    let element = |word: &str| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '"');
    let before = text.get(start..at)?;
    // Only in a list that is open: behind a comma elsewhere two words may well stand side by side.
    if !before.trim_end().ends_with(['[', ',']) || before.rfind('[') <= before.rfind(']') {
        return None;
    }
    let list = text.get(..at + text.get(at..)?.find([']', '\n'])?)?;
    let (mut word, mut end) = (found, at + found.len());
    loop {
        let next = skip_blanks(list, end, list.len());
        let follows = token(list, next, list.len());
        if element(word) && element(follows) {
            let place = Span { start: end as u32, end: end as u32, ..span };
            let told = Diagnostic::new(SYNTAX, place, format!("a comma is missing after `{}`", shown(word)));
            return Some(told.help("write commas between the parts of a list: `[tim, andy]`"));
        }
        if follows.is_empty() {
            return None;
        }
        (word, end) = (follows, next + follows.len());
    }
}

/// What cannot stand behind `trigger push` and the like.
fn after_trigger(by: bool, last: &str, found: &str, span: Span) -> Option<Diagnostic> {
    let goes_on = match last {
        "push" | "pull-request" => "to",
        "manual" => "by",
        "completion" => "of",
        _ => "",
    };
    let told = |message: String| Diagnostic::new(SYNTAX, span, message);
    if ["and", "or", ",", "&"].contains(&found) && !by {
        let message = "each way of setting a promotion off is a `trigger` of its own".to_string();
        return Some(told(message).help("write two: `trigger push` and `trigger manual`"));
    }
    if goes_on.is_empty() || !found.starts_with(|c: char| c.is_ascii_alphabetic()) || RULES.contains(&found) {
        return None;
    }
    let message = format!("`{}` does not belong to the trigger before it", shown(found));
    let help = did_you_mean(found, [goes_on]);
    Some(told(message).help(help.unwrap_or_else(|| format!("a trigger goes on as in `{last} {goes_on} …`"))))
}

/// `deny bad: …` behind a rule, or `exclusiv` on a line of its own: a rule with a word that is none.
fn rule_of_no_kind(text: &str, start: usize, at: usize, found: &str, span: Span) -> Option<Diagnostic> {
    let a_word = found.starts_with(|c: char| c.is_ascii_alphabetic()) && !found.contains(['.', ':']);
    let within = words(text, start, at).next().is_some_and(|word| RULES.contains(&word) && word != found);
    if !a_word || !within || RULES.contains(&found) {
        return None;
    }
    let behind = text.get(at + found.len()..)?;
    let name = behind.trim_start_matches([' ', '\t']);
    let length = name.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(name.len());
    let named = length > 0 && name.len() < behind.len() && name.get(length..)?.starts_with(':');
    let own_line = text.get(start..at)?.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
    let meant = did_you_mean(found, RULES);
    let clause = ["when", "unless", "because", "and", "or", "not", "except", "since", "valid", "in"].contains(&found);
    if clause || !named && (!own_line || meant.is_none()) {
        return None;
    }
    let told = Diagnostic::new(KEYWORD, span, format!("no rule begins with `{}`", shown(found)));
    Some(told.help(
        meant.unwrap_or_else(|| format!("a rule begins with one of {}", crate::diagnostic::list_words(&RULES, 30))),
    ))
}

/// `require unit checks.unit == passed`: a rule whose name has no colon.
fn missing_colon(text: &str, start: usize, at: usize, span: Span) -> Option<Diagnostic> {
    let piece = text.get(start..).unwrap_or("");
    let piece = piece.strip_prefix("sealed").map_or(piece, str::trim_start);
    let keyword = piece.split([' ', '\t', '\r', '\n']).next().filter(|word| RULES.contains(word))?;
    let tail = piece.get(keyword.len()..)?.trim_start();
    let length = tail.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'))?;
    let (name, rest) = tail.split_at_checked(length)?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.starts_with([' ', '\t']);
    let name_at = text.len() - tail.len();
    let next_at = text.len() - rest.trim_start().len();
    let counted = ["approve", "override"].contains(&keyword) && name != "all";
    let here = at == next_at && !["exclusive", "forward", "distinct", "sealed", "trigger"].contains(&keyword)
        || at == name_at && counted && rest.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let word = ["not", "every", "any", "no", "daily", "yearly", "cron"].contains(&name);
    let goes_on = rest.trim_start().starts_with(|c: char| c.is_ascii_alphanumeric());
    (named && here && !word && goes_on).then(|| {
        let span = Span { start: (name_at + name.len()) as u32, end: (name_at + name.len()) as u32, ..span };
        Diagnostic::new(SYNTAX, span, format!("a colon is missing after `{}`", shown(name)))
            .help(format!("write `{keyword} {}: …`", shown(name)))
    })
}

/// `fact ready bool`: a colon and nothing else was expected.
fn only_colon(text: &str, start: usize, at: usize, found: &str, span: Span, positives: &[Rule]) -> Option<Diagnostic> {
    let last = before(text, start, at);
    let quoted = text.get(start..at).unwrap_or("").trim_end().ends_with('"');
    if wanted(positives) != "`:`" || last.is_empty() || quoted {
        return None;
    }
    if found == "=" {
        let told = Diagnostic::new(SYNTAX, span, "expected `:`, found `=`");
        return Some(told.help(match words(text, start, at).next() {
            Some("fact") => format!("write `fact {} : …`", shown(last)),
            _ => format!("write `{}: …`", shown(last)),
        }));
    }
    if !found.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '"' | '{' | '[')) {
        return None;
    }
    let end = last_word_end(text, start, at);
    let span = Span { start: end as u32, end: end as u32, ..span };
    let head = words(text, start, at).next();
    if head == Some("fact") && found == "of" {
        let help = format!("write `fact NAME : {} of …`", shown(last));
        return Some(Diagnostic::new(SYNTAX, span, "this fact has no name").help(help));
    }
    let told = Diagnostic::new(SYNTAX, span, format!("a colon is missing after `{}`", shown(last)));
    Some(told.help(match head {
        Some("fact") => format!("write `fact {} : {}`", shown(last), shown(found)),
        _ => format!("write `{}: {}`", shown(last), shown(found)),
    }))
}

/// The words of a piece up to a place.
fn words(text: &str, start: usize, at: usize) -> impl Iterator<Item = &str> {
    text.get(start..at).unwrap_or("").split_ascii_whitespace()
}

fn is_date(word: &str) -> bool {
    let mut parts = word.split('-').map(|part| part.bytes().all(|b| b.is_ascii_digit()).then_some(part.len()));
    [parts.next(), parts.next(), parts.next(), parts.next()] == [Some(Some(4)), Some(Some(2)), Some(Some(2)), None]
}

fn is_weekday(lower: &str) -> bool {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    lower.len() > 2 && days.iter().any(|day| day.starts_with(lower))
}

fn is_unit(word: &str) -> bool {
    let word = word.trim_end_matches('s');
    ["", "m", "h", "d", "w", "sec", "second", "min", "minute", "hour", "day", "week"].contains(&word)
}

fn weekday_like(lower: &str) -> bool {
    let first = lower.split(['.', ' ']).next().unwrap_or("");
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().any(|day| first.starts_with(day))
}

/// The things expected, each once, in the author's words.
fn wanted(positives: &[Rule]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for rule in positives {
        for word in name(*rule).split('|') {
            if !word.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words.truncate(6);
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_string(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// A rule of the grammar in the author's words.
fn name(rule: Rule) -> &'static str {
    match rule {
        Rule::name | Rule::rule_name => "a name",
        Rule::string | Rule::in_zone => "a text in double quotes",
        Rule::regex => "a regex `/…/`",
        Rule::integer | Rule::count | Rule::quorum => "a count such as `2` or `all`",
        Rule::number => "a number",
        Rule::duration => "a duration such as `2h`",
        Rule::date | Rule::day => "a date such as `2026-03-04`",
        Rule::clock => "a time of day such as `09:00`",
        Rule::datetime => "a date and time such as `2026-03-04 10:00`",
        Rule::weekday => "a day of the week such as `mon`",
        Rule::month | Rule::month_day => "a month and a day such as `dec 24`",
        Rule::path | Rule::operand | Rule::element | Rule::literal | Rule::list => "a fact or a value",
        Rule::cond | Rule::guarded | Rule::one_test | Rule::quantified => "a condition",
        Rule::joiner => "`and`|`or`",
        Rule::tail | Rule::compare => "an operator such as `==`",
        Rule::close => "`)`",
        Rule::ty | Rule::type_of | Rule::type_name => "a type such as `number`",
        Rule::people | Rule::people_term | Rule::people_list => "a group or a list of names in `[…]`",
        Rule::person => "a person's name",
        Rule::times | Rule::times_item | Rule::times_kind => "times such as `mon..fri 09:00..17:00`",
        Rule::item => "a declaration",
        Rule::stage_rule | Rule::rule_body | Rule::sealed => "a rule",
        Rule::step => "a line of a test",
        Rule::trigger => "a trigger such as `push`, `manual` or `schedule`",
        Rule::fields => "`{ … }`",
        Rule::value | Rule::scalar | Rule::value_2 => "a value",
        Rule::verdict | Rule::expect_verdict => "`allow`, `hold` or `deny`",
        Rule::guard => "`when`|`unless`",
        Rule::because => "`because`",
        Rule::outcome => "an outcome such as `completed`",
        Rule::star => "`*`",
        Rule::colon => "`:`",
        Rule::equals => "`=`",
        Rule::brace => "`{`",
        Rule::dots => "`..`",
        Rule::approve_clause | Rule::override_clause => "`except`|`valid`",
        Rule::prefix => "a condition",
        Rule::enumeration => "values in `{ … }`",
        Rule::after | Rule::k_after => "`after`",
        Rule::soak | Rule::k_for => "`for`",
        Rule::k_of => "`of`",
        Rule::k_by => "`by`",
        Rule::k_at => "`at`",
        Rule::k_skip => "`skip`",
        Rule::may_skip | Rule::k_may => "`may skip`",
        Rule::k_required => "`required`",
        Rule::k_with => "`with`",
        Rule::k_only => "`only`",
        Rule::k_approvers => "`approvers`",
        Rule::k_changed => "`changed`",
        Rule::k_directory => "`directory`",
        Rule::k_from => "`from directory`",
        Rule::k_set => "`set`",
        Rule::k_missing => "`missing`",
        Rule::k_is => "`is`",
        Rule::k_in => "`in`",
        _ => "",
    }
}
