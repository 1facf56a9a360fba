//! Conditions: their types, and the entries that they become.

use super::names::{Ctx, Gates};
use super::operands::{self, Beside, Is, Side, constant, hint, side, text, unknown};
use super::order::order;
use super::patterns::{self, Pattern};
use super::types;
use crate::diagnostic::codes::{
    ALWAYS, CONSTANT, CYCLE, LISTED_TWICE, NOT_A_COLLECTION, NOT_A_CONDITION, OPERATOR, TOO_DEEP, TOO_MANY, TYPE_CLASH,
    UNKNOWN_GROUP,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::plain::quote;
use crate::program::{Builtin, Check, Comparison, Constant, Op, OpId, Right, Slot, Test, Type};
use crate::syntax::tree::{self, Cond, CondKind, Literal, Operand, Quantifier, Tail, Word};

/// Compiles a condition. On an error that is told, and the entry is `false`.
pub(super) fn gate(ctx: &mut Ctx<'_>, gates: &mut Gates, cond: &Cond) -> OpId {
    let names = ctx.names;
    // Definitions first, those that others use before them: each once a stage, however often it is named.
    let memo = &gates.memo;
    let roots = used_defines(ctx, cond);
    let missing = order(roots, |name| match (memo.contains_key(name), names.defines.get(name)) {
        (false, Some(define)) => used_defines(ctx, &define.cond),
        _ => Vec::new(),
    });
    for name in missing.sorted {
        let Some(define) = names.defines.get(name).filter(|_| !gates.memo.contains_key(name)) else { continue };
        names.use_define(name);
        let id = Compiler { ctx, gates }.cond(&define.cond);
        gates.memo.insert(name.to_string(), id);
    }
    Compiler { ctx, gates }.cond(cond)
}

/// Types and circles of all definitions, used or not. Nothing should count as used meanwhile ([`Names::quiet`]).
///
/// [`Names::quiet`]: super::names::Names::quiet
pub(super) fn check_defines(ctx: &mut Ctx<'_>) {
    let names = ctx.names;
    let mut defines: Vec<&tree::Define> = names.defines.values().copied().collect();
    defines.sort_by_key(|define| define.name.span);
    let roots = defines.iter().map(|define| define.name.value.as_str());
    let order = order(roots, |name| names.defines.get(name).map_or(Vec::new(), |d| used_defines(ctx, &d.cond)));
    circles(ctx, "definition", &order.circles, |name| names.defines.get(name).map(|define| &define.name));
    for define in &defines {
        if order.depth.get(define.name.value.as_str()) == Some(&ctx.limits.depth.saturating_add(1)) {
            too_deep(ctx, "definitions", &define.name);
        }
    }
    // What is compiled here is thrown away.
    let size = ctx.interner.size;
    let mut gates = Gates::default();
    for define in defines {
        gate(ctx, &mut gates, &define.cond);
    }
    ctx.interner.size = size;
}

/// Tells each circle where its first member (of the text) is declared.
pub(super) fn circles<'n>(
    ctx: &mut Ctx<'_>,
    what: &str,
    circles: &[Vec<&'n str>],
    declared: impl Fn(&str) -> Option<&'n Word>,
) {
    for circle in circles {
        let mut words: Vec<&Word> = circle.iter().filter_map(|name| declared(name)).collect();
        // The walk may have entered the circle anywhere: begin where it is declared first.
        if let Some(first) = (0..words.len()).min_by_key(|at| words.get(*at).map(|word| word.span)) {
            words.rotate_left(first);
        }
        let Some((first, rest)) = words.split_first() else { continue };
        let mut chain: Vec<&str> = words.iter().take(8).map(|word| word.value.as_str()).collect();
        if words.len() > chain.len() {
            chain.push("…");
        }
        chain.push(&first.value);
        let message = match rest {
            [] => format!("the {what} `{}` uses itself", first.value),
            _ => format!("these {what}s use one another in a circle: {}", chain.join(" → ")),
        };
        let mut told = Diagnostic::new(CYCLE, first.span, message).label("begins here");
        for word in rest.iter().take(8) {
            told = told.also(word.span, "and goes on here");
        }
        ctx.sink.push(told.help("take one of the uses out"));
    }
}

/// Tells of a chain of uses that is one longer than the limit.
pub(super) fn too_deep(ctx: &mut Ctx<'_>, what: &str, word: &Word) {
    let message = format!("{what} use one another more than {} deep here", ctx.limits.depth);
    ctx.sink.push(
        Diagnostic::new(TOO_DEEP, word.span, message)
            .label(format!("the limit is {}", ctx.limits.depth))
            .help("write out some of those that it uses"),
    );
}

/// The definitions that a condition names, each once, in the order of the text.
fn used_defines<'a>(ctx: &Ctx<'a>, cond: &Cond) -> Vec<&'a str> {
    let mut found: Vec<&'a str> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut stack = vec![cond];
    while let Some(cond) = stack.pop() {
        match &cond.kind {
            CondKind::And(all) | CondKind::Or(all) => stack.extend(all.iter().rev()),
            CondKind::Not(inner) => stack.push(inner),
            CondKind::Bare(Operand::Path(path)) => {
                if let [part] = path.parts.as_slice() {
                    let define = ctx.names.defines.get_key_value(part.word.value.as_str());
                    found.extend(define.map(|(name, _)| *name).filter(|name| seen.insert(*name)));
                }
            }
            CondKind::Bare(_) | CondKind::Test(..) | CondKind::Each(..) => {}
        }
    }
    found
}

/// The left side that a tail asks about.
struct Left<'l> {
    ty: &'l Type,
    span: Span,
    /// What quantifies it: then it is an element of what is written at `span`.
    each: Option<Quantifier>,
}

struct Compiler<'c, 'a> {
    ctx: &'c mut Ctx<'a>,
    gates: &'c mut Gates,
}

impl Compiler<'_, '_> {
    /// Recurses over brackets and `not` only; the scan has bounded them.
    fn cond(&mut self, cond: &Cond) -> OpId {
        match &cond.kind {
            CondKind::And(all) => self.chain(all, cond.span, Gates::and),
            CondKind::Or(all) => self.chain(all, cond.span, Gates::or),
            CondKind::Not(inner) => {
                let id = self.cond(inner);
                self.push(Op::Not(id), cond.span)
            }
            _ => match self.leaf(cond) {
                Some(id) => id,
                None => self.push(Op::Constant(false), cond.span),
            },
        }
    }

    fn chain(&mut self, all: &[Cond], span: Span, gate: fn(&mut Gates, &[OpId]) -> OpId) -> OpId {
        let args: Vec<OpId> = all.iter().map(|cond| self.cond(cond)).collect();
        if !self.room(args.len().saturating_add(1), span) {
            return args.first().copied().unwrap_or(OpId(0));
        }
        gate(self.gates, &args)
    }

    fn leaf(&mut self, cond: &Cond) -> Option<OpId> {
        match &cond.kind {
            CondKind::Test(left, tail) => self.test(left, tail, cond.span),
            CondKind::Each(quantifier, of, tail) => self.each(*quantifier, of, tail, cond.span),
            CondKind::Bare(operand) => self.bare(operand),
            CondKind::And(_) | CondKind::Or(_) | CondKind::Not(_) => None,
        }
    }

    /// Counts entries and arguments of the program; says when they are too many.
    fn room(&mut self, entries: usize, span: Span) -> bool {
        let limit = self.ctx.limits.program;
        let before = self.ctx.interner.size;
        self.ctx.interner.size = before.saturating_add(entries);
        if before <= limit && self.ctx.interner.size > limit {
            self.ctx.sink.push(
                Diagnostic::new(TOO_MANY, span, format!("the policy has more than {limit} entries"))
                    .label("the limit is passed here")
                    .help("rules of `stage *` count once for each stage; name a condition once with `define`"),
            );
        }
        self.ctx.interner.size <= limit
    }

    fn push(&mut self, op: Op, span: Span) -> OpId {
        // Once the limit is passed the policy does not compile; nothing more is kept.
        match self.room(1, span) || self.gates.ops.is_empty() {
            true => self.gates.push(op),
            false => OpId(0),
        }
    }

    fn ask(&mut self, slot: Slot, check: Check, span: Span) -> OpId {
        let left = operands::slot(self.ctx, self.gates, slot);
        self.push(Op::Test(Test { left, check, span }), span)
    }

    // ------------------------------------------------------------ the three kinds of tests

    fn bare(&mut self, operand: &Operand) -> Option<OpId> {
        let span = operand.span();
        let side = side(self.ctx, operand)?;
        let name = text(self.ctx, span);
        let plain = name.trim_matches('`').to_string();
        let (message, help) = match (side.is, side.word) {
            (Is::Literal(Literal::Bool(value)), _) => return Some(self.push(Op::Constant(*value), span)),
            (Is::Fact(slot, Type::Bool), _) => return Some(self.ask(slot, Check::IsTrue, span)),
            (Is::Define, Some(word)) => {
                // In a circle, which has been told, there is nothing yet.
                return self.gates.memo.get(&word.value).copied();
            }
            (Is::Nothing, Some(word)) => {
                unknown(self.ctx, word, None, None);
                return None;
            }
            (Is::Fact(_, ty), _) => {
                let example = match &ty {
                    Type::Number => format!("`{plain} >= 80`"),
                    Type::Enum(values) => match values.values.first() {
                        Some(first) => format!("`{plain} == {first}`"),
                        None => format!("`{plain} is set`"),
                    },
                    Type::Set(_) => format!("`{plain} contains …`, or `any {plain} …`"),
                    Type::Map(_) => format!("`every {plain} …`, or `{plain}.key …`"),
                    Type::Time => format!("`{plain} < now`"),
                    Type::Duration => format!("`{plain} > 2h`"),
                    _ => format!("`{plain} == \"…\"`"),
                };
                (format!("{name} is {}, not a condition", types::words(&ty)), format!("test it: {example}"))
            }
            (Is::Literal(literal), _) => (
                format!("{name} is {}, not a condition", operands::kind(literal)),
                "a condition is a test such as `coverage >= 80`".to_string(),
            ),
            (Is::List(_), _) => (
                "a list is not a condition".to_string(),
                "a condition is a test such as `build.branch in [\"main\", \"release\"]`".to_string(),
            ),
            (Is::Group(_), _) => {
                (format!("{name} is a group, not a condition"), format!("ask who is in it: `requester in {plain}`"))
            }
            (Is::Stage, _) => (
                format!("{name} is a stage, not a condition"),
                format!("ask how it went there: `{plain}.status == passed`"),
            ),
            (Is::Define | Is::Nothing, None) => return None,
        };
        self.ctx.sink.push(Diagnostic::new(NOT_A_CONDITION, span, message).help(help));
        None
    }

    fn test(&mut self, left: &Operand, tail: &Tail, span: Span) -> Option<OpId> {
        let left = side(self.ctx, left)?;
        match &left.is {
            Is::Fact(slot, ty) => {
                if let (
                    Slot::Builtin(Builtin::Now | Builtin::Action | Builtin::BuildId),
                    Tail::IsSet | Tail::IsMissing,
                ) = (slot, tail)
                {
                    let name = text(self.ctx, left.span);
                    let always = if matches!(tail, Tail::IsSet) { "always" } else { "never" };
                    self.ctx.sink.push(
                        Diagnostic::new(ALWAYS, span, format!("{name} is never missing: this is {always} true"))
                            .help("leave the test out"),
                    );
                }
                let check = self.check(&Left { ty, span: left.span, each: None }, tail)?;
                Some(self.ask(slot.clone(), check, span))
            }
            _ => self.mirrored(&left, tail, span),
        }
    }

    fn each(&mut self, quantifier: Quantifier, of: &Operand, tail: &Tail, span: Span) -> Option<OpId> {
        let of = side(self.ctx, of)?;
        let name = text(self.ctx, of.span);
        let (slot, element) = match (of.is, of.word) {
            (Is::Fact(slot, Type::Set(element) | Type::Map(element)), _) => (slot, element),
            (Is::Nothing, Some(word)) => {
                unknown(self.ctx, word, None, None);
                return None;
            }
            (is, _) => {
                let what = match is {
                    Is::Fact(_, ty) => types::words(&ty),
                    Is::Literal(literal) => operands::kind(literal).to_string(),
                    Is::List(_) => "a list".to_string(),
                    Is::Define => "a definition".to_string(),
                    Is::Group(_) => "a group".to_string(),
                    Is::Stage | Is::Nothing => "a stage".to_string(),
                };
                let word = match quantifier {
                    Quantifier::Every => "every",
                    Quantifier::Any => "any",
                    Quantifier::No => "no",
                };
                self.ctx.sink.push(
                    Diagnostic::new(NOT_A_COLLECTION, of.span, format!("{name} is {what}, not a set or a map"))
                        .label(format!("`{word}` goes over the elements of a set or of a map"))
                        .help(format!("leave `{word}` out, or name a set or a map")),
                );
                return None;
            }
        };
        let check = self.check(&Left { ty: &element, span: of.span, each: Some(quantifier) }, tail)?;
        // An explanation quotes the test without its quantifier: it says itself of how many it is true.
        let quoted = Span { start: of.span.start, ..span };
        Some(match quantifier {
            Quantifier::Every => self.ask(slot, Check::Every(Box::new(check)), quoted),
            Quantifier::Any => self.ask(slot, Check::Any(Box::new(check)), quoted),
            Quantifier::No => {
                let any = self.ask(slot, Check::Any(Box::new(check)), quoted);
                self.push(Op::Not(any), span)
            }
        })
    }

    /// A test whose left side is no fact: `80 <= coverage`, `"hotfix" in build.labels`.
    fn mirrored(&mut self, left: &Side<'_>, tail: &Tail, span: Span) -> Option<OpId> {
        let right = match tail {
            Tail::Compare(_, right) | Tail::Contains(right) | Tail::StartsWith(right) | Tail::EndsWith(right) => {
                Some(side(self.ctx, right)?)
            }
            Tail::In { of, .. } => Some(side(self.ctx, of)?),
            Tail::Glob(_) | Tail::Regex(_) | Tail::IsSet | Tail::IsMissing => None,
        };
        match (tail, right) {
            (Tail::Compare(comparison, _), Some(Side { is: Is::Fact(slot, ty), span: at, .. })) => {
                self.comparable(&Left { ty: &ty, span: at, each: None }, comparison)?;
                let constant = constant(self.ctx, left, &ty, Beside::whole(at))?;
                let check = Check::Compare(mirror(comparison.value), Right::Constant(constant));
                Some(self.ask(slot, check, span))
            }
            (Tail::In { negated, .. }, Some(Side { is: Is::Fact(slot, Type::Set(element)), span: at, .. })) => {
                let constant = constant(self.ctx, left, &element, Beside::element(at))?;
                let check = Check::Contains(Right::Constant(constant));
                Some(self.ask(slot, not_if(*negated, check), span))
            }
            (_, right) => {
                self.no_fact(left, right.as_ref(), span);
                None
            }
        }
    }

    /// Says why a test without a fact on its left side is none.
    fn no_fact(&mut self, left: &Side<'_>, right: Option<&Side<'_>>, span: Span) {
        let in_group = right.filter(|right| matches!(right.is, Is::Group(_)));
        let instead = in_group.map(|group| {
            format!("name the fact that is asked about: `requester in {}`", self.ctx.names.sources.text(group.span))
        });
        for side in [Some(left), right].into_iter().flatten() {
            if let (Is::Nothing, Some(word)) = (&side.is, side.word) {
                return unknown(self.ctx, word, None, instead);
            }
        }
        for side in [Some(left), right].into_iter().flatten() {
            let name = text(self.ctx, side.span);
            let plain = name.trim_matches('`').to_string();
            let (what, help) = match side.is {
                Is::Define => ("a definition", format!("it is a condition itself: write `{plain}` or `not {plain}`")),
                Is::Stage => ("a stage", format!("its facts are `{plain}.status`, `{plain}.at` and `{plain}.age`")),
                Is::Group(_) if std::ptr::eq(side, left) => {
                    ("a group", format!("ask who is in it: `requester in {plain}`"))
                }
                _ => continue,
            };
            let told = Diagnostic::new(TYPE_CLASH, side.span, format!("{name} is {what}, not a value")).help(help);
            return self.ctx.sink.push(told);
        }
        let told = match right {
            Some(Side { is: Is::Fact(..), span: at, .. }) => {
                Diagnostic::new(OPERATOR, left.span, "this side of the test has to be a fact")
                    .also(*at, "a fact")
                    .help("write the fact first, and then what it is tested for")
            }
            _ => Diagnostic::new(CONSTANT, span, "this test reads no fact")
                .label("always the same, whatever is asked")
                .help("name a fact on one side, or write `true` or `false`"),
        };
        self.ctx.sink.push(told);
    }

    // ------------------------------------------------------------ operators

    /// What a tail asks of a value of the left side's type.
    fn check(&mut self, left: &Left<'_>, tail: &Tail) -> Option<Check> {
        match tail {
            Tail::Compare(comparison, right) => {
                self.comparable(left, comparison)?;
                Some(Check::Compare(comparison.value, self.right(left, right, left.ty)?))
            }
            Tail::In { negated, of } => Some(not_if(*negated, self.is_in(left, of)?)),
            Tail::Contains(right) => match left.ty {
                Type::Set(element) => Some(Check::Contains(self.right(left, right, element)?)),
                Type::String | Type::User => Some(Check::Contains(self.right(left, right, &Type::String)?)),
                Type::Map(_) => {
                    let plain = self.plain(left);
                    self.refuse(
                        left,
                        "contains",
                        format!("ask for a key: `{plain}.key is set`, or for a value: `any {plain} == …`"),
                    )
                }
                _ => self.refuse(left, "contains", "only sets and strings contain something".into()),
            },
            Tail::StartsWith(right) => {
                self.text_only(left, "starts with")?;
                Some(Check::StartsWith(self.right(left, right, &Type::String)?))
            }
            Tail::EndsWith(right) => {
                self.text_only(left, "ends with")?;
                Some(Check::EndsWith(self.right(left, right, &Type::String)?))
            }
            Tail::Glob(word) => {
                self.text_only(left, "matches")?;
                Some(Check::Matches(patterns::compile(self.ctx, Pattern::Glob, word)?))
            }
            Tail::Regex(word) => {
                self.text_only(left, "matches")?;
                Some(Check::Matches(patterns::compile(self.ctx, Pattern::Regex, word)?))
            }
            Tail::IsSet | Tail::IsMissing if left.each.is_some() => {
                let plain = self.plain(left);
                let operator = if matches!(tail, Tail::IsSet) { "is set" } else { "is missing" };
                self.refuse(
                    left,
                    operator,
                    format!("an element is never missing; ask for the whole: `{plain} {operator}`"),
                )
            }
            Tail::IsSet => Some(Check::IsSet),
            Tail::IsMissing => Some(Check::IsMissing),
        }
    }

    /// Whether the left side's type has that comparison.
    fn comparable(&mut self, left: &Left<'_>, comparison: &tree::At<Comparison>) -> Option<()> {
        let sign = sign(comparison.value);
        let plain = self.plain(left);
        let help = match (comparison.value, left.ty) {
            (_, Type::Set(_)) => format!("ask with `{plain} contains …`, or with `any {plain} {sign} …`"),
            (_, Type::Map(_)) => format!("ask with `every {plain} {sign} …`, or for one value: `{plain}.key {sign} …`"),
            (Comparison::Eq | Comparison::Ne, _) => return Some(()),
            (_, ty) if types::is_ordered(ty) => return Some(()),
            (_, Type::String) => "a text has no order; for a fact that has one declare it `number` or `version`".into(),
            (_, ty) => format!("{} has no order: compare with `==`, `!=` or `in [a, b]`", types::words(ty)),
        };
        self.refuse(left, sign, help).map(|_: Check| ())
    }

    fn text_only(&mut self, left: &Left<'_>, operator: &str) -> Option<()> {
        if types::is_text(left.ty) {
            return Some(());
        }
        let plain = self.plain(left);
        let help = match left.ty {
            Type::Set(of) | Type::Map(of) if types::is_text(of) => {
                format!("ask its elements: `any {plain} {operator} …`, or `every {plain} {operator} …`")
            }
            _ => format!("`{operator}` is for strings and users"),
        };
        self.refuse(left, operator, help).map(|_: Check| ())
    }

    /// The left side as written.
    fn plain(&self, left: &Left<'_>) -> String {
        text(self.ctx, left.span).trim_matches('`').to_string()
    }

    fn refuse(&mut self, left: &Left<'_>, operator: &str, help: String) -> Option<Check> {
        let name = text(self.ctx, left.span);
        let ty = types::words(left.ty);
        let message = match left.each {
            Some(_) => format!("an element of {name} is {ty}, which has no `{operator}`"),
            None => format!("{name} is {ty}, which has no `{operator}`"),
        };
        self.ctx.sink.push(Diagnostic::new(OPERATOR, left.span, message).label(ty).help(help));
        None
    }

    /// A right side that has to be of type `ty`.
    fn right(&mut self, left: &Left<'_>, operand: &Operand, ty: &Type) -> Option<Right> {
        let side = side(self.ctx, operand)?;
        match &side.is {
            Is::Fact(slot, own) if side.value_of(ty).is_none() && types::alike(own, ty) => {
                Some(Right::Slot(operands::slot(self.ctx, self.gates, slot.clone())))
            }
            _ => {
                let element = left.each.is_some() || matches!(left.ty, Type::Set(_));
                let beside = Beside { span: left.span, element };
                Some(Right::Constant(constant(self.ctx, &side, ty, beside)?))
            }
        }
    }

    fn is_in(&mut self, left: &Left<'_>, of: &Operand) -> Option<Check> {
        let right = side(self.ctx, of)?;
        if let Type::Set(_) | Type::Map(_) = left.ty {
            let plain = self.plain(left);
            return self.refuse(left, "in", format!("ask its elements: `any {plain} in …`, or `every {plain} in …`"));
        }
        let name = text(self.ctx, right.span);
        let (message, help) = match (right.is, right.word) {
            (Is::List(items), _) => return self.in_list(left, items, right.span),
            (Is::Group(id), Some(word)) if types::is_text(left.ty) => {
                self.ctx.names.use_group(&word.value);
                return Some(Check::InGroup(id));
            }
            (Is::Group(_), _) => {
                let left_name = text(self.ctx, left.span);
                let message = format!("{left_name} is {}, and {name} is a group of people", types::words(left.ty));
                let told = Diagnostic::new(TYPE_CLASH, right.span, message)
                    .label("a group of people")
                    .also(left.span, types::words(left.ty))
                    .help("only users and strings can be in a group");
                self.ctx.sink.push(told);
                return None;
            }
            (Is::Fact(slot, Type::Set(element)), _) => {
                if types::alike(left.ty, &element) {
                    return Some(Check::InSet(operands::slot(self.ctx, self.gates, slot)));
                }
                let whole = Type::Set(element);
                let (left_name, ty, set) = (text(self.ctx, left.span), types::words(left.ty), types::words(&whole));
                let told = Diagnostic::new(TYPE_CLASH, right.span, format!("{left_name} is {ty}, and {name} is {set}"))
                    .label(set)
                    .also(left.span, ty)
                    .help("the elements of the set must be of the type of the left side");
                self.ctx.sink.push(told);
                return None;
            }
            (Is::Fact(_, Type::Map(_)), _) => (
                format!("{name} is a map, and `in` asks lists, sets and groups"),
                format!("ask for a value: `any {} == …`", name.trim_matches('`')),
            ),
            (Is::Fact(_, ty), _) if types::is_text(&ty) && types::is_text(left.ty) => {
                let (whole, part) = (name.trim_matches('`'), self.plain(left));
                (
                    format!("{name} is {}, and `in` asks lists, sets and groups", types::words(&ty)),
                    format!("for a part of a text write `{whole} contains {part}`; to compare them write `==`"),
                )
            }
            (Is::Fact(_, ty), _) => (
                format!("{name} is {}, and `in` asks lists, sets and groups", types::words(&ty)),
                "compare single values with `==`".to_string(),
            ),
            (Is::Literal(literal), _) => (
                format!("{name} is {}, and `in` asks lists, sets and groups", operands::kind(literal)),
                format!("write `in [{}]`, or compare with `==`", name.trim_matches('`')),
            ),
            (Is::Define, _) => (
                format!("{name} is a definition, and `in` asks lists, sets and groups"),
                "a definition is a condition itself".to_string(),
            ),
            (Is::Stage, _) => (
                format!("{name} is a stage, and `in` asks lists, sets and groups"),
                "name a list, a set or a group".into(),
            ),
            (Is::Nothing, Some(word)) => {
                let names = self.ctx.names;
                let known = names.groups.keys().chain(names.facts.keys()).copied();
                let candidates = operands::sorted(self.ctx, known);
                let near = hint(self.ctx, &word.value, candidates);
                let near = near.unwrap_or_else(|| format!("for one value write `in [{}]`, or `==`", word.value));
                let message = format!("there is no group or fact {}", quote(&word.value));
                let told = Diagnostic::new(UNKNOWN_GROUP, word.span, message).label("not declared").help(near);
                self.ctx.sink.push(told);
                return None;
            }
            (Is::Nothing, None) => return None,
        };
        self.ctx.sink.push(Diagnostic::new(OPERATOR, right.span, message).help(help));
        None
    }

    fn in_list(&mut self, left: &Left<'_>, items: &[Operand], span: Span) -> Option<Check> {
        if items.is_empty() {
            self.ctx.sink.push(
                Diagnostic::new(ALWAYS, span, "nothing is in an empty list")
                    .help("list what it may be, or remove the test"),
            );
        }
        if !self.room(items.len(), span) {
            return None;
        }
        let mut list: Vec<Right> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut ok = true;
        for item in items {
            let Some(right) = self.right(left, item, left.ty) else {
                ok = false;
                continue;
            };
            if seen.insert(key(&right)) {
                list.push(right);
            } else {
                let message = format!("{} is listed twice", text(self.ctx, item.span()));
                self.ctx.sink.push(Diagnostic::new(LISTED_TWICE, item.span(), message).help("remove one of them"));
            }
        }
        ok.then_some(Check::InList(list))
    }
}

/// Two elements of a list with one key are the same.
fn key(right: &Right) -> String {
    match right {
        Right::Slot(id) => format!("fact {}", id.0),
        Right::Constant(Constant::Version(version)) => format!("version {version}"),
        Right::Constant(constant) => format!("{constant:?}"),
    }
}

fn not_if(negated: bool, check: Check) -> Check {
    if negated { Check::Not(Box::new(check)) } else { check }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "==",
        Comparison::Ne => "!=",
        Comparison::Lt => "<",
        Comparison::Le => "<=",
        Comparison::Gt => ">",
        Comparison::Ge => ">=",
    }
}

/// The same question with its sides exchanged.
fn mirror(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}
