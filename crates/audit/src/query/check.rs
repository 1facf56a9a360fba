//! From what is written to what is asked: names are fields, words or facts, and both sides of a test fit.

use stagegate::diagnostic::{Diagnostic, Span, did_you_mean, list_words, nearest};
use stagegate::schedule::Zone;
use stagegate::shared::{self, Role};
use stagegate::syntax::tree::{At, Comparison, Literal, Operand, Path, Quantifier, Word};
use stagegate::{Limits, Status};

use super::error::code;
use super::fields::{FIELDS, Field, STATUSES, Type, known};
use super::parse::{Raw, RawKind, RawTail, Tree, Who, shown};

const SECOND: i64 = 1_000_000_000;

/// A test of a record.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// Of a field.
    Field(Field, Check),
    /// `rule soak is waiting`
    Rule(Names, RuleIs),
    /// `blocked by qa`, `approved by amita`, …
    By(Head, Names),
}

/// What is asked of a value.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    IsSet,
    IsTrue,
    Compare(Comparison, Side),
    /// Equal to one of them.
    In(Vec<Side>),
    /// Among the elements of a set.
    InSet(Field),
    /// From the first nanosecond to the second, which is outside.
    Within(i64, i64),
    Contains(Side),
    StartsWith(Side),
    EndsWith(Side),
    Matches(Box<shared::Matcher>),
    Each(Quantifier, Box<Check>),
    Not(Box<Check>),
}

/// The other side of a test.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Side {
    Bool(bool),
    Number(f64),
    Text(String),
    /// A bare word.
    Word(String),
    Version(semver::Version),
    /// Nanoseconds since 1970.
    Time(i64),
    /// Nanoseconds.
    Duration(i64),
    Field(Field),
}

impl Side {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Side::Text(text) | Side::Word(text) => Some(text),
            _ => None,
        }
    }
}

/// How a rule is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleIs {
    Status(Status),
    /// The record has such a rule.
    Set,
}

/// What a person, a rule or an override has to do with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    Blocked,
    Overridden,
    Approved,
    Rejected,
    Reviewed,
}

/// Names, of which one is to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    Any,
    These(Vec<String>),
}

impl Names {
    pub fn has(&self, name: &str) -> bool {
        match self {
            Names::Any => true,
            Names::These(names) => names.iter().any(|one| one == name),
        }
    }
}

/// Checks a question. Dates without a zone are read in `zone`.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn check(tree: Tree<Raw>, text: &str, zone: Zone, limits: &Limits) -> Result<Tree<Test>, Vec<Diagnostic>> {
    let mut checker = Checker { text, zone, limits, wrong: Vec::new() };
    let mut ok = true;
    let tree = tree.map(&mut |raw| {
        let tests = checker.test(raw);
        ok &= tests.is_some();
        tests
    });
    let mut unwrap = |test: Option<(bool, Test)>| test;
    let tree = tree.map(&mut unwrap);
    match (ok, settle(tree)) {
        (true, Some(tree)) if checker.wrong.is_empty() => Ok(tree),
        _ => Err(checker.wrong),
    }
}

/// The tree without the tests that could not be read; a test that is negated in itself stands under a `not`.
fn settle(tree: Tree<Option<(bool, Test)>>) -> Option<Tree<Test>> {
    Some(match tree {
        Tree::And(items) => Tree::And(items.into_iter().map(settle).collect::<Option<_>>()?),
        Tree::Or(items) => Tree::Or(items.into_iter().map(settle).collect::<Option<_>>()?),
        Tree::Not(item) => Tree::Not(Box::new(settle(*item)?)),
        Tree::Leaf(None) => return None,
        Tree::Leaf(Some((true, test))) => Tree::Not(Box::new(Tree::Leaf(test))),
        Tree::Leaf(Some((false, test))) => Tree::Leaf(test),
    })
}

/// What one side of a test turned out to be.
enum Is {
    Field(Field),
    Literal(At<Literal>),
    Word(String),
    List(Vec<Operand>),
}

struct Checker<'t> {
    text: &'t str,
    zone: Zone,
    limits: &'t Limits,
    wrong: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn push<T>(&mut self, number: &str, span: Span, message: String, help: impl Into<String>) -> Option<T> {
        self.wrong.push(Diagnostic::new(code(number), span, message).help(help));
        None
    }

    fn written(&self, span: Span) -> String {
        shown(self.text.get(span.start as usize..span.end as usize).unwrap_or(""))
    }

    /// The test, and whether it is negated.
    fn test(&mut self, raw: Raw) -> Option<(bool, Test)> {
        match raw.kind {
            RawKind::Bare(operand) => self.bare(operand).map(|test| (false, test)),
            RawKind::Test(left, tail) => self.sided(left, tail),
            RawKind::Each(quantifier, path, tail) => {
                let field = self.left(&path)?;
                let element = match field.ty() {
                    Type::Set => Type::Text,
                    Type::Fact => Type::Fact,
                    other => {
                        let message = format!("`{}` is {}, neither a set nor a map", field.name(), other.named());
                        return self.push("E0304", path.span, message, "leave `every`, `any` or `no` out");
                    }
                };
                let (negated, check) = self.tail(element, path.span, tail)?;
                let check = if negated { Check::Not(Box::new(check)) } else { check };
                Some((false, Test::Field(field, Check::Each(quantifier, Box::new(check)))))
            }
            RawKind::Rule { who, negated, status } => {
                let is = match status.value.as_str() {
                    "set" => (negated, RuleIs::Set),
                    "missing" => (!negated, RuleIs::Set),
                    word => match Status::ALL.iter().find(|status| status.as_str() == word) {
                        Some(status) => (negated, RuleIs::Status(*status)),
                        None => {
                            let hint = did_you_mean(word, STATUSES.iter().copied());
                            let help = hint.unwrap_or_else(|| format!("a rule is {}", list_words(STATUSES, 9)));
                            let message = format!("`{}` is no status of a rule", shown(word));
                            return self.push("E0206", status.span, message, help);
                        }
                    },
                };
                Some((is.0, Test::Rule(names(who), is.1)))
            }
            RawKind::By { head, who } => {
                let head = match head.value.trim_end() {
                    "blocked" => Head::Blocked,
                    "overridden" => Head::Overridden,
                    "approved" => Head::Approved,
                    "rejected" => Head::Rejected,
                    _ => Head::Reviewed,
                };
                Some((false, Test::By(head, names(who))))
            }
        }
    }

    fn bare(&mut self, operand: Operand) -> Option<Test> {
        let span = operand.span();
        let Operand::Path(path) = operand else {
            let message = format!("`{}` reads nothing of the record", self.written(span));
            return self.push("E0306", span, message, "compare it with a field, such as `stage == Staging`");
        };
        if let [only] = path.parts.as_slice() {
            let word = only.word.value.as_str();
            if ["approved", "rejected", "blocked", "overridden"].contains(&word) {
                let help = format!("write `{word} by any`; a fact of that name is `fact.{word}`");
                return self.push("E0303", span, format!("`{word}` needs to know by whom or what"), help);
            }
            if word == "rule" {
                return self.push("E0303", span, "`rule` needs a name".into(), "write `rule soak is waiting`");
            }
        }
        let field = self.left(&path)?;
        match field.ty() {
            Type::Bool | Type::Fact => Some(Test::Field(field, Check::IsTrue)),
            other => {
                let message = format!("`{}` is {}, not a condition", field.name(), other.named());
                self.push("E0303", span, message, format!("compare it: `{} == …`", field.name()))
            }
        }
    }

    fn sided(&mut self, left: Operand, tail: RawTail) -> Option<(bool, Test)> {
        let span = left.span();
        match left {
            Operand::Path(path) => {
                let field = self.left(&path)?;
                let (negated, check) = self.tail(field.ty(), span, tail)?;
                Some((negated, Test::Field(field, check)))
            }
            // `"hotfix" in build.labels`, `80 <= coverage`: the field stands on the right.
            Operand::Literal(literal) => {
                let (turned, path) = match tail {
                    RawTail::Compare(comparison, Operand::Path(path)) => {
                        let turned = At::new(mirrored(comparison.value), comparison.span);
                        ((false, RawTail::Compare(turned, Operand::Literal(literal))), path)
                    }
                    RawTail::In { negated, of: Operand::Path(path) } => {
                        ((negated, RawTail::Contains(Operand::Literal(literal))), path)
                    }
                    _ => {
                        let message = format!("`{}` reads nothing of the record", self.written(span));
                        return self.push("E0306", span, message, "write the field on the left side");
                    }
                };
                let field = self.left(&path)?;
                let (_, check) = self.tail(field.ty(), path.span, turned.1)?;
                Some((turned.0, Test::Field(field, check)))
            }
            Operand::List(_) => {
                let message = "a list stands on the right side of `in`".to_string();
                self.push("E0302", span, message, "write `stage in [Staging, Live]`")
            }
        }
    }

    /// What a test asks of the left side, and whether its answer is turned round.
    fn tail(&mut self, ty: Type, left: Span, tail: RawTail) -> Option<(bool, Check)> {
        let text = matches!(ty, Type::Text | Type::Fact);
        Some(match tail {
            RawTail::IsSet => (false, Check::IsSet),
            RawTail::IsMissing => (true, Check::IsSet),
            RawTail::Compare(comparison, right) => {
                let right = self.side(ty, left, &comparison, &right)?;
                match comparison.value {
                    Comparison::Ne => (true, Check::Compare(Comparison::Eq, right)),
                    other => (false, Check::Compare(other, right)),
                }
            }
            RawTail::In { negated, of } => (negated, self.inside(ty, left, of)?),
            RawTail::Within { negated, from, to } => {
                if !matches!(ty, Type::Time | Type::Fact) {
                    let message = format!("`{}` is {}, not a time", self.written(left), ty.named());
                    return self.push(
                        "E0301",
                        from.span.to(to.span),
                        message,
                        "ask `at in …` for the time of decision",
                    );
                }
                let start = self.instant(&from, Role::Start)?;
                let end = self.instant(&to, Role::End)?;
                if end <= start {
                    let message = "this range ends before it begins".to_string();
                    return self.push("E0403", from.span.to(to.span), message, "write the earlier time first");
                }
                (negated, Check::Within(start, end))
            }
            RawTail::Contains(right) => match ty {
                Type::Set | Type::Text | Type::Fact => {
                    let equal = At::new(Comparison::Eq, right.span());
                    let of = if ty == Type::Set { Type::Text } else { ty };
                    (false, Check::Contains(self.side(of, left, &equal, &right)?))
                }
                other => {
                    let message = format!("`{}` is {}, which contains nothing", self.written(left), other.named());
                    return self.push("E0302", right.span(), message, "write `==`");
                }
            },
            RawTail::StartsWith(right) if text => (false, Check::StartsWith(self.part(ty, left, &right)?)),
            RawTail::EndsWith(right) if text => (false, Check::EndsWith(self.part(ty, left, &right)?)),
            RawTail::Glob(word) if text => (false, self.pattern(shared::glob(&word, self.limits))?),
            RawTail::Regex(word) if text => (false, self.pattern(shared::regex(&word, self.limits))?),
            RawTail::StartsWith(_) | RawTail::EndsWith(_) | RawTail::Glob(_) | RawTail::Regex(_) => {
                let message = format!("`{}` is {}, and this is asked of texts", self.written(left), ty.named());
                let help = match ty {
                    Type::Set => "write `any` before it to ask for one of its elements",
                    _ => "compare it with `==`",
                };
                return self.push("E0302", left, message, help);
            }
        })
    }

    fn pattern(&mut self, made: Result<shared::Matcher, Diagnostic>) -> Option<Check> {
        match made {
            Ok(regex) => Some(Check::Matches(Box::new(regex))),
            Err(wrong) => {
                self.wrong.push(wrong);
                None
            }
        }
    }

    /// A part of a text.
    fn part(&mut self, ty: Type, left: Span, right: &Operand) -> Option<Side> {
        let equal = At::new(Comparison::Eq, right.span());
        match self.side(ty, left, &equal, right)? {
            side @ (Side::Text(_) | Side::Word(_) | Side::Field(_)) => Some(side),
            _ => {
                let message = format!("`{}` is no text", self.written(right.span()));
                self.push("E0301", right.span(), message, "put it into quotes")
            }
        }
    }

    fn inside(&mut self, ty: Type, left: Span, of: Operand) -> Option<Check> {
        let span = of.span();
        let equal = At::new(Comparison::Eq, span);
        match self.is(&of)? {
            Is::List(items) => {
                let sides: Vec<Option<Side>> = items.iter().map(|item| self.side(ty, left, &equal, item)).collect();
                Some(Check::In(sides.into_iter().collect::<Option<_>>()?))
            }
            Is::Field(field) if matches!(field.ty(), Type::Set | Type::Fact) => match ty {
                Type::Text | Type::Fact => Some(Check::InSet(field)),
                other => {
                    let message = format!("`{}` is {}, and sets hold texts", self.written(left), other.named());
                    self.push("E0301", span, message, "write `==`")
                }
            },
            Is::Word(word) => {
                let message = format!("`{}` is neither a list nor a set of the record", shown(&word));
                let help = format!(
                    "groups of a policy are not in the log: list the names, `[amita, jo]`; a fact is `fact.{}`",
                    shown(&word)
                );
                self.push("E0202", span, message, help)
            }
            _ => {
                let message = format!("`{}` is neither a list nor a set", self.written(span));
                self.push("E0301", span, message, "write a list: `[…]`")
            }
        }
    }

    fn instant(&mut self, literal: &At<Literal>, role: Role) -> Option<i64> {
        match shared::instant(literal, role, self.zone) {
            Ok(seconds) => Some(seconds.saturating_mul(SECOND)),
            Err(wrong) => {
                self.wrong.extend(wrong);
                None
            }
        }
    }

    /// What a side is, as it stands on the right.
    fn is(&mut self, operand: &Operand) -> Option<Is> {
        Some(match operand {
            Operand::Literal(literal) => Is::Literal(literal.clone()),
            Operand::List(items) => Is::List(items.value.clone()),
            Operand::Path(path) => match path.parts.as_slice() {
                [only] => match known(&only.word.value) {
                    Some((known, _)) => Is::Field(Field::Known(known)),
                    None => Is::Word(only.word.value.clone()),
                },
                _ => Is::Field(self.left(path)?),
            },
        })
    }

    /// The right side of a comparison with something of that type.
    fn side(&mut self, ty: Type, left: Span, comparison: &At<Comparison>, right: &Operand) -> Option<Side> {
        let ordered = !matches!(comparison.value, Comparison::Eq | Comparison::Ne);
        let span = right.span();
        // A word of an enumeration means it, whatever else is called so.
        if let (Type::Enum(values), Operand::Path(path)) = (ty, right)
            && let [only] = path.parts.as_slice()
        {
            self.ordered(ty, left, comparison, ordered)?;
            return self.value_of(values, &only.word);
        }
        let is = self.is(right)?;
        if let (Type::Set, _) = (ty, &is) {
            let message = format!("`{}` is a set, and sets are not compared", self.written(left));
            return self.push("E0302", comparison.span, message, "write `contains`, or `any` before it");
        }
        let clash = |this: &mut Self| {
            let message = format!("`{}` is {}, and `{}` is not", this.written(left), ty.named(), this.written(span));
            let help = match ty {
                Type::Text => "a text stands in quotes, or is one bare word",
                Type::Time => "a time is `2026-03-01` or `2026-03-01 10:00`",
                Type::Duration => "a duration is `30m`, `2h` or `1d`",
                Type::Version => "a version stands in quotes: `\"1.4.0\"`",
                Type::Number => "a number stands without quotes",
                Type::Bool => "write `true` or `false`",
                _ => "a word of these stands without quotes",
            };
            this.push("E0301", span, message, help)
        };
        match is {
            Is::List(_) => self.push("E0301", span, "a list is not compared".into(), "write `in […]`"),
            Is::Field(field) => {
                let other = field.ty();
                let fits = ty == other && ty != Type::Set && !matches!(ty, Type::Enum(_))
                    || ty == Type::Fact && !matches!(other, Type::Set)
                    || other == Type::Fact;
                if !fits {
                    let message = format!(
                        "`{}` is {}, and `{}` is {}",
                        self.written(left),
                        ty.named(),
                        self.written(span),
                        other.named()
                    );
                    return self.push("E0301", span, message, "both sides of a test are of one type");
                }
                let of = if ty == Type::Fact { other } else { ty };
                self.ordered(of, left, comparison, ordered)?;
                Some(Side::Field(field))
            }
            Is::Word(word) => match ty {
                Type::Text | Type::Fact if !ordered => Some(Side::Word(word)),
                Type::Fact => {
                    let message = format!("the log does not know the order that `{}` stands in", shown(&word));
                    self.push("E0302", span, message, "list the values that are meant: `in [medium, high]`")
                }
                Type::Text => self.ordered(ty, left, comparison, true).map(|()| Side::Word(word)),
                _ => clash(self),
            },
            Is::Literal(literal) => {
                let side = match (&literal.value, ty) {
                    (Literal::Bool(value), Type::Bool | Type::Fact) => Side::Bool(*value),
                    (Literal::Number { value, .. }, Type::Number | Type::Fact) => Side::Number(*value),
                    (Literal::String(text), Type::Enum(values)) => {
                        self.ordered(ty, left, comparison, ordered)?;
                        return self.value_of(values, &At::new(text.clone(), span));
                    }
                    (Literal::String(text), Type::Version) => match text.parse() {
                        Ok(version) => Side::Version(version),
                        Err(_) => {
                            let message = format!("`{}` is no version", shown(text));
                            return self.push("E0305", span, message, "versions are semantic: `\"1.4.0\"`");
                        }
                    },
                    (Literal::String(text), Type::Fact) if ordered => match text.parse() {
                        Ok(version) => Side::Version(version),
                        Err(_) => {
                            let message = "texts have no order here, but that of versions".to_string();
                            return self.push("E0302", span, message, "write `==`, or a version: `\"1.4.0\"`");
                        }
                    },
                    (Literal::String(text), Type::Text | Type::Fact) => Side::Text(text.clone()),
                    (Literal::Date(_) | Literal::DateTime(_), Type::Time | Type::Fact) => {
                        Side::Time(self.instant(&literal, Role::Point)?)
                    }
                    (Literal::Duration(duration), Type::Duration | Type::Fact) => {
                        Side::Duration(i64::try_from(duration.seconds).unwrap_or(i64::MAX).saturating_mul(SECOND))
                    }
                    _ => return clash(self),
                };
                self.ordered(of_side(&side).unwrap_or(ty), left, comparison, ordered)?;
                Some(side)
            }
        }
    }

    fn ordered(&mut self, ty: Type, left: Span, comparison: &At<Comparison>, ordered: bool) -> Option<()> {
        if !ordered || matches!(ty, Type::Number | Type::Time | Type::Duration | Type::Version | Type::Fact) {
            return Some(());
        }
        let message = format!("`{}` is {}, which has no order", self.written(left), ty.named());
        self.push("E0302", comparison.span, message, "write `==`, `!=` or `in […]`")
    }

    fn value_of(&mut self, values: &[&str], word: &Word) -> Option<Side> {
        if values.contains(&word.value.as_str()) {
            return Some(Side::Text(word.value.clone()));
        }
        let hint = did_you_mean(&word.value, values.iter().copied());
        let help = hint.unwrap_or_else(|| format!("it is one of {}", list_words(values, 9)));
        self.push("E0206", word.span, format!("there is no value `{}`", shown(&word.value)), help)
    }

    /// The field or the fact that a path names.
    fn left(&mut self, path: &Path) -> Option<Field> {
        let quoted = path.parts.iter().any(|part| part.quoted);
        let words: Vec<&str> = path.parts.iter().map(|part| part.word.value.as_str()).collect();
        let whole = words.join(".");
        if let (Some((known, _)), false) = (known(&whole), quoted) {
            return Some(Field::Known(known));
        }
        let parts = |from: usize| words.iter().skip(from).map(|word| (*word).to_string()).collect::<Vec<_>>();
        let (first, rest) = words.split_first()?;
        if *first == "fact" {
            if rest.is_empty() {
                return self.push("E0201", path.span, "`fact` needs a name".into(), "write `fact.coverage`");
            }
            return Some(Field::Fact(parts(1)));
        }
        let names = || FIELDS.iter().map(|(name, ..)| *name);
        if ["build", "current", "policy"].contains(first) {
            let help = nearest(&whole, names().filter(|name| name.contains('.')))
                .map(|name| format!("did you mean `{name}`?"))
                .unwrap_or_else(|| {
                    let all: Vec<&str> = names().filter(|name| name.starts_with(&format!("{first}."))).collect();
                    format!("there are {}", list_words(&all, 12))
                });
            return self.push("E0201", path.span, format!("there is no field `{}`", shown(&whole)), help);
        }
        if known(first).is_some() && !rest.is_empty() {
            let message = format!("`{first}` has no parts");
            return self.push("E0201", path.span, message, format!("a fact of that name is `fact.{}`", shown(&whole)));
        }
        let is_fact = format!("a fact of that name is `fact.{}`", shown(&whole));
        if *first == "now" && rest.is_empty() {
            let message = "a record was made once; its time is `at`".to_string();
            return self.push("E0201", path.span, message, "write `at`, the instant decided for");
        }
        if let ([last], true) = (rest, first.starts_with(|c: char| c.is_ascii_uppercase()))
            && ["status", "at", "age"].contains(last)
        {
            let message = format!("runs of stages, such as `{}`, are not asked for in queries", shown(&whole));
            return self.push("E0201", path.span, message, format!("`audit show --request` prints them; {is_fact}"));
        }
        if rest.is_empty() {
            let under = names().find(|name| name.strip_prefix("build.") == Some(first));
            if let Some(name) = under.or_else(|| slip(first)) {
                let message = format!("there is no field `{}`", shown(first));
                return self.push("E0201", path.span, message, format!("did you mean `{name}`? {is_fact}"));
            }
        }
        Some(Field::Fact(parts(0)))
    }
}

/// A field that the word is surely meant to be: a slip of one or two letters.
fn slip(word: &str) -> Option<&'static str> {
    let names = FIELDS.iter().map(|(name, ..)| *name).filter(|name| !name.contains('.'));
    let name = nearest(word, names)?;
    let distance = strsim::damerau_levenshtein(&word.to_lowercase(), name);
    let budget = if word.chars().count() < 6 { 1 } else { 2 };
    (distance <= budget).then_some(name)
}

/// The type that a literal makes of a fact.
fn of_side(side: &Side) -> Option<Type> {
    Some(match side {
        Side::Bool(_) => Type::Bool,
        Side::Number(_) => Type::Number,
        Side::Version(_) => Type::Version,
        Side::Time(_) => Type::Time,
        Side::Duration(_) => Type::Duration,
        Side::Text(_) | Side::Word(_) => Type::Text,
        Side::Field(_) => return None,
    })
}

fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}

fn names(who: Who) -> Names {
    match who {
        Who::Any => Names::Any,
        Who::These(words) => Names::These(words.into_iter().map(|word| word.value).collect()),
    }
}

/// The field that a text names, which may be a fact: of `--by`.
///
/// # Errors
/// What is wrong with the name.
pub(crate) fn field(path: &Path, text: &str, limits: &Limits) -> Result<Field, Vec<Diagnostic>> {
    let mut checker = Checker { text, zone: Zone::UTC, limits, wrong: Vec::new() };
    checker.left(path).ok_or(checker.wrong)
}
