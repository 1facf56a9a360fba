//! Random trees of the language that are well formed: what they print as can be read. Their names need not be declared
//! and their types need not fit. Places are all zero.
#![allow(dead_code)]

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use stagegate::diagnostic::{SourceId, Span};
use stagegate::syntax::tree::*;

fn at<T>(value: T) -> At<T> {
    At::new(value, Span::default())
}

fn word(text: String) -> Word {
    at(text)
}

/// Any name, keywords among them.
pub fn name() -> BoxedStrategy<String> {
    let keywords = [
        "stage", "require", "when", "in", "is", "of", "or", "and", "for", "valid", "all", "but", "at", "by", "policy",
        "test", "push", "manual", "build", "now", "except", "because", "contains", "set", "missing", "none", "after",
    ];
    prop_oneof![3 => "[a-zA-Z][a-zA-Z0-9_-]{0,9}", 1 => select(keywords.to_vec()).prop_map(str::to_string)].boxed()
}

/// A name that can begin a test: not a word that begins one of its own.
fn head() -> BoxedStrategy<String> {
    name()
        .prop_filter("begins a test", |n| !["not", "every", "any", "no", "true", "false"].contains(&n.as_str()))
        .boxed()
}

fn names(least: usize) -> BoxedStrategy<Vec<Word>> {
    vec(name().prop_map(word), least..5).boxed()
}

/// Any text, with all that must be escaped.
pub fn text() -> BoxedStrategy<String> {
    prop_oneof![3 => "[a-z*/ {}#.-]{0,12}", 1 => "\\PC{0,8}", 1 => "[\"\\\\\n\t\r\u{0}\u{1b}\u{202e}\u{feff}a]{0,8}"]
        .boxed()
}

fn texts() -> BoxedStrategy<Word> {
    text().prop_map(word).boxed()
}

/// People: names, and texts that are none.
fn person() -> BoxedStrategy<Word> {
    prop_oneof![3 => name(), 1 => "[a-z]{1,5}@[a-z]{1,5}", 1 => text()].prop_map(word).boxed()
}

fn people_list() -> BoxedStrategy<At<Vec<Word>>> {
    vec(person(), 0..5).prop_map(at).boxed()
}

fn duration() -> BoxedStrategy<Duration> {
    let units = [("w", 604_800u64), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    vec(of(1u64..100), 5)
        .prop_filter("zero", |parts| parts.iter().any(Option::is_some))
        .prop_map(move |parts| {
            let given = || parts.iter().zip(units).filter_map(|(part, unit)| part.map(|n| (n, unit)));
            Duration {
                seconds: given().map(|(n, (_, seconds))| n * seconds).sum(),
                text: given().map(|(n, (unit, _))| format!("{n}{unit}")).collect(),
            }
        })
        .boxed()
}

fn date() -> BoxedStrategy<Date> {
    (1970i32..2200, 1u32..13, 1u32..29).prop_map(|(year, month, day)| Date { year, month, day }).boxed()
}

fn datetime() -> BoxedStrategy<At<DateTime>> {
    let zones = ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+1", "Japan", "no zone"];
    let zone = prop_oneof![
        select(zones.to_vec()).prop_map(|zone| ZoneSpec::Named(zone.to_string())),
        (-18 * 60i32..18 * 60).prop_map(|minutes| ZoneSpec::Offset(minutes * 60)),
    ];
    let second = prop_oneof![0u32..86_400, (0u32..1440).prop_map(|minute| minute * 60)];
    (date(), second, of(zone.prop_map(at))).prop_map(|(date, second, zone)| at(DateTime { date, second, zone })).boxed()
}

fn literal() -> BoxedStrategy<Literal> {
    let number = prop_oneof!["-?[0-9]{1,6}", "-?[0-9]{1,4}\\.[0-9]{1,4}", "[0-9]e-?[0-9]{1,2}"];
    prop_oneof![
        any::<bool>().prop_map(Literal::Bool),
        number.prop_map(|text| Literal::Number { value: text.parse().unwrap(), text }),
        text().prop_map(Literal::String),
        duration().prop_map(Literal::Duration),
        date().prop_map(Literal::Date),
        datetime().prop_map(|time| Literal::DateTime(time.value)),
    ]
    .boxed()
}

fn path() -> BoxedStrategy<Operand> {
    let part = prop_oneof![3 => name().prop_map(|n| (n, false)), 1 => text().prop_map(|t| (t, true))];
    (head(), vec(part, 0..3))
        .prop_map(|(first, rest)| {
            let parts = std::iter::once((first, false)).chain(rest);
            let parts = parts.map(|(text, quoted)| Part { word: word(text), quoted }).collect();
            Operand::Path(Path { parts, span: Span::default() })
        })
        .boxed()
}

fn operand() -> BoxedStrategy<Operand> {
    let plain = || prop_oneof![2 => path(), 1 => literal().prop_map(|l| Operand::Literal(at(l)))];
    prop_oneof![4 => plain(), 1 => vec(plain(), 0..5).prop_map(|list| Operand::List(at(list)))].boxed()
}

fn regex() -> BoxedStrategy<String> {
    let pieces = ["a", "b+", ".*", "/", "[a/\"]", "\\d", "\\\\", "#", "\"", "(x|y)", "\\."];
    vec(select(pieces.to_vec()), 1..5).prop_map(|pieces| pieces.concat()).boxed()
}

fn tail() -> BoxedStrategy<Tail> {
    use Comparison::*;
    prop_oneof![
        4 => (select(vec![Eq, Ne, Lt, Le, Gt, Ge]), operand()).prop_map(|(c, right)| Tail::Compare(at(c), right)),
        2 => (any::<bool>(), operand()).prop_map(|(negated, of)| Tail::In { negated, of }),
        1 => operand().prop_map(Tail::Contains),
        1 => operand().prop_map(Tail::StartsWith),
        1 => operand().prop_map(Tail::EndsWith),
        1 => texts().prop_map(Tail::Glob),
        1 => regex().prop_map(|text| Tail::Regex(word(text))),
        1 => Just(Tail::IsSet),
        1 => Just(Tail::IsMissing),
    ]
    .boxed()
}

/// A gate with what is a gate of its kind taken in, as the tree has it.
fn gate(or: bool, items: Vec<Cond>) -> CondKind {
    let flat = items.into_iter().flat_map(|item| match item.kind {
        CondKind::And(inner) if !or => inner,
        CondKind::Or(inner) if or => inner,
        kind => vec![Cond { kind, span: item.span }],
    });
    if or { CondKind::Or(flat.collect()) } else { CondKind::And(flat.collect()) }
}

pub fn cond() -> BoxedStrategy<Cond> {
    let quantifier = select(vec![Quantifier::Every, Quantifier::Any, Quantifier::No]);
    let leaf = prop_oneof![
        3 => (operand(), tail()).prop_map(|(left, tail)| CondKind::Test(left, tail)),
        1 => (quantifier, operand(), tail()).prop_map(|(q, over, tail)| CondKind::Each(q, over, tail)),
        2 => path().prop_map(CondKind::Bare),
        1 => any::<bool>().prop_map(|value| CondKind::Bare(Operand::Literal(at(Literal::Bool(value))))),
    ];
    let whole = |kind| Cond { kind, span: Span::default() };
    leaf.prop_map(whole)
        .prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                (any::<bool>(), vec(inner.clone(), 2..5)).prop_map(|(or, items)| gate(or, items)),
                inner.prop_map(|cond| CondKind::Not(Box::new(cond))),
            ]
            .prop_map(whole)
        })
        .boxed()
}

fn weekday() -> BoxedStrategy<At<Weekday>> {
    (0u8..7).prop_map(|day| at(Weekday(day))).boxed()
}

fn times_kind() -> BoxedStrategy<TimesKind> {
    let start = || (0u32..1440).prop_map(|minute| at(TimeOfDay(minute)));
    let end = || (0u32..1441).prop_map(|minute| at(TimeOfDay(minute)));
    let day = || (1u32..13, 1u32..30).prop_map(|(month, day)| at((month, day)));
    let own = ["cron", "daily", "yearly", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    prop_oneof![
        (weekday(), weekday(), start(), end()).prop_map(|(first, last, start, end)| TimesKind::Weekly {
            days: (first, last),
            start,
            end
        }),
        (start(), end()).prop_map(|(start, end)| TimesKind::Daily { start, end }),
        ((weekday(), start()), (weekday(), end())).prop_map(|(start, end)| TimesKind::WeekSpan { start, end }),
        (date(), of(date())).prop_map(|(first, last)| TimesKind::Dates { first: at(first), last: last.map(at) }),
        (datetime(), datetime()).prop_map(|(start, end)| TimesKind::Span { start, end }),
        (day(), of(day())).prop_map(|(first, last)| TimesKind::Yearly { first, last }),
        (texts(), duration()).prop_map(|(expr, length)| TimesKind::Cron { expr, length: at(length) }),
        name()
            .prop_filter("begins times of its own", move |n| !own.contains(&n.as_str()))
            .prop_map(|n| TimesKind::Calendar(word(n))),
    ]
    .boxed()
}

pub fn times() -> BoxedStrategy<Times> {
    let item = || (times_kind(), of(texts())).prop_map(|(kind, zone)| TimesItem { kind, span: Span::default(), zone });
    (vec(item(), 1..4), vec(item(), 0..3))
        .prop_map(|(include, except)| Times { include, except, span: Span::default() })
        .boxed()
}

fn people(least: usize) -> BoxedStrategy<Vec<People>> {
    let term = prop_oneof![name().prop_map(|n| People::Group(word(n))), people_list().prop_map(People::List)];
    vec(term, least..4).boxed()
}

fn quorum() -> BoxedStrategy<Quorum> {
    let count = prop_oneof![3 => (0u32..1_000_001).prop_map(Count::Number), 1 => Just(Count::All)];
    (count, people(1)).prop_map(|(count, people)| Quorum { count: at(count), people }).boxed()
}

fn including() -> BoxedStrategy<Option<At<Including>>> {
    of(select(vec![Including::Author, Including::Contributors]).prop_map(at)).boxed()
}

fn except() -> BoxedStrategy<Vec<Except>> {
    let term = prop_oneof![
        Just(Except::Requester(Span::default())),
        name().prop_map(|n| Except::ApproversOf(word(n))),
        name()
            .prop_filter("keywords here", |n| !["requester", "approvers"].contains(&n.as_str()))
            .prop_map(|n| Except::Name(word(n))),
        people_list().prop_map(Except::People),
    ];
    vec(term, 0..4).boxed()
}

fn trigger() -> BoxedStrategy<Trigger> {
    prop_oneof![
        of(texts()).prop_map(|to| Trigger::Push { to }),
        of(texts()).prop_map(|to| Trigger::PullRequest { to }),
        people(0).prop_map(|by| Trigger::Manual { by }),
        of(name().prop_map(word)).prop_map(|of| Trigger::Completion { of }),
        texts().prop_map(|name| Trigger::Event { name }),
        (texts(), of(texts()), of(duration()), any::<bool>()).prop_map(|(cron, zone, within, if_changed)| {
            Trigger::Schedule { cron, zone, within: within.map(at), if_changed }
        }),
    ]
    .boxed()
}

fn rule_kind() -> BoxedStrategy<RuleKind> {
    let approve = (quorum(), including(), except(), of(name().prop_map(word)), of(duration())).prop_map(
        |(quorum, including, except, since, valid)| Approve { quorum, including, except, since, valid: valid.map(at) },
    );
    let skips = (any::<bool>(), names(1), of(duration()), any::<bool>());
    let skips = skips.prop_filter("`all but` is a keyword", |(all_but, rules, ..)| *all_but || rules[0].value != "all");
    let overrides = (quorum(), including(), except(), skips).prop_map(|(quorum, including, except, skips)| {
        let (all_but, rules, valid, reason_required) = skips;
        Override { quorum, including, except, all_but, rules, valid: valid.map(at), reason_required }
    });
    prop_oneof![
        2 => cond().prop_map(RuleKind::Require),
        1 => cond().prop_map(RuleKind::Forbid),
        1 => cond().prop_map(RuleKind::Advise),
        1 => times().prop_map(RuleKind::Window),
        1 => times().prop_map(RuleKind::Freeze),
        2 => approve.prop_map(RuleKind::Approve),
        2 => trigger().prop_map(RuleKind::Trigger),
        1 => select(vec![RuleKind::Exclusive, RuleKind::ForwardOnly, RuleKind::DistinctApprovers]),
        1 => overrides.prop_map(RuleKind::Override),
    ]
    .boxed()
}

pub fn rule() -> BoxedStrategy<Rule> {
    let guard = (any::<bool>(), cond()).prop_map(|(unless, cond)| Guard { unless, cond });
    let tail = (vec(guard, 0..2), of(texts()));
    (any::<bool>(), name(), any::<bool>(), rule_kind(), tail)
        .prop_map(|(sealed, name, named, kind, tail)| {
            let trigger = matches!(kind, RuleKind::Trigger(_));
            let optional =
                trigger || matches!(kind, RuleKind::Exclusive | RuleKind::ForwardOnly | RuleKind::DistinctApprovers);
            let (guards, because) = if trigger { (Vec::new(), None) } else { tail };
            let sealed = sealed && !matches!(kind, RuleKind::Override(_));
            Rule {
                sealed: sealed.then(Span::default),
                name: (named || !optional).then(|| word(name)),
                kind,
                guards,
                because,
                span: Span::default(),
            }
        })
        .boxed()
}

fn stage() -> BoxedStrategy<Stage> {
    use Outcome::*;
    let outcomes = vec(select(vec![Completed, Succeeded, Failed, Skipped, Cancelled]).prop_map(at), 0..3);
    let after = (name(), outcomes).prop_map(|(stage, outcomes)| AfterStage { stage: word(stage), outcomes });
    let after =
        (any::<bool>(), vec(after, 1..4)).prop_map(|(any, stages)| After { any, stages, span: Span::default() });
    (of(name()), of(after), of(duration()), vec(rule(), 0..6))
        .prop_map(|(name, after, soak, rules)| Stage {
            name: name.map(word),
            name_span: Span::default(),
            after,
            soak: soak.map(at),
            rules,
        })
        .boxed()
}

fn scalar() -> BoxedStrategy<ValueKind> {
    prop_oneof![
        literal().prop_map(ValueKind::Literal),
        name().prop_filter("a literal", |n| !["true", "false"].contains(&n.as_str())).prop_map(ValueKind::Name),
    ]
    .boxed()
}

fn nested(inner: impl Strategy<Value = ValueKind> + Clone + 'static) -> impl Strategy<Value = ValueKind> + Clone {
    let value = || inner.clone().prop_map(|kind| Value { kind, span: Span::default() });
    let field = (person(), value()).prop_map(|(name, value)| Field { name, value });
    let list = vec(value(), 0..4).prop_map(ValueKind::List);
    let map = vec(field, 0..4).prop_map(ValueKind::Map);
    prop_oneof![2 => inner.clone(), 1 => list, 1 => map].boxed()
}

fn value() -> BoxedStrategy<Value> {
    nested(nested(scalar().boxed())).prop_map(|kind| Value { kind, span: Span::default() }).boxed()
}

fn fields() -> BoxedStrategy<Vec<Field>> {
    vec((person(), value()).prop_map(|(name, value)| Field { name, value }), 0..4).boxed()
}

fn step() -> BoxedStrategy<Step> {
    use Outcome::*;
    let name = || name().prop_map(word);
    let people = || vec(person(), 1..4);
    let outcome = select(vec![Succeeded, Failed, Skipped, Cancelled, Pending]).prop_map(at);
    let said = select(vec![ApprovalWord::Approve, ApprovalWord::Reject, ApprovalWord::Withdraw]).prop_map(at);
    let verdict = select(vec![ExpectedVerdict::Allow, ExpectedVerdict::Hold, ExpectedVerdict::Deny]).prop_map(at);
    let what = prop_oneof![
        3 => (verdict, names(0), of(datetime()))
            .prop_map(|(verdict, because, until)| Expected::Verdict { verdict, because, until }),
        1 => (name(), name()).prop_map(|(rule, status)| Expected::Rule { rule, status }),
        1 => datetime().prop_map(Expected::FiresAt),
        1 => datetime().prop_map(Expected::OpensAt),
    ];
    prop_oneof![
        names(1).prop_map(Step::Given),
        datetime().prop_map(Step::Now),
        fields().prop_map(Step::Build),
        of(fields()).prop_map(Step::Current),
        (outcome, vec((name(), datetime()), 1..4)).prop_map(|(outcome, runs)| Step::Runs(outcome, runs)),
        (said, people(), datetime(), of(name()), of(texts())).prop_map(|(word, by, at, stage, build)| Step::Words {
            word,
            by,
            at,
            stage,
            build
        }),
        (name(), people(), datetime(), of(texts())).prop_map(|(name, by, at, reason)| Step::Override {
            name,
            by,
            at,
            reason
        }),
        (name(), value()).prop_map(|(name, value)| Step::Fact(name, value)),
        (name(), vec(person(), 0..4)).prop_map(|(name, members)| Step::Group(name, members)),
        of(texts()).prop_map(Step::Push),
        of(texts()).prop_map(Step::PullRequest),
        of(person()).prop_map(Step::Manual),
        of(name()).prop_map(Step::Completion),
        texts().prop_map(Step::Event),
        of(datetime()).prop_map(Step::Schedule),
        name().prop_map(Step::Action),
        person().prop_map(Step::Requester),
        (name(), what).prop_map(|(stage, what)| Step::Expect(Expect { stage, what })),
    ]
    .boxed()
}

fn ty() -> BoxedStrategy<At<Type>> {
    use Type::*;
    let base = select(vec![Bool, Number, String, Time, Duration, Version, User, Status]);
    let leaf = prop_oneof![3 => base, 1 => names(1).prop_map(Enum)].prop_map(at);
    leaf.prop_recursive(3, 4, 1, |inner| {
        prop_oneof![inner.clone().prop_map(|of| Set(Box::new(of))), inner.prop_map(|of| Map(Box::new(of)))].prop_map(at)
    })
    .boxed()
}

fn item() -> BoxedStrategy<Item> {
    let name = || name().prop_map(word);
    let fact = (name(), ty(), any::<bool>(), any::<bool>())
        .prop_map(|(name, ty, optional, secret)| Item::Fact(Fact { name, ty, optional, secret }));
    let steps = || vec(step().prop_map(at), 0..5);
    let row = move || (texts(), steps()).prop_map(|(name, steps)| Row { name, steps, span: Span::default() });
    let rows = move || prop_oneof![2 => Just(Vec::new()), 1 => vec(row(), 1..4)];
    let calm = |steps: Vec<At<Step>>| steps.into_iter().filter(|s| !matches!(s.value, Step::Expect(_))).collect();
    prop_oneof![
        1 => name().prop_map(Item::Policy),
        1 => texts().prop_map(Item::Timezone),
        1 => texts().prop_map(Item::Include),
        1 => texts().prop_map(Item::TestFor),
        2 => fact,
        2 => (name(), of(vec(person(), 0..5))).prop_map(|(name, members)| Item::Group(Group { name, members })),
        2 => (name(), cond()).prop_map(|(name, cond)| Item::Define(Define { name, cond })),
        2 => (name(), times()).prop_map(|(name, times)| Item::Calendar(Calendar { name, times })),
        4 => stage().prop_map(Item::Stage),
        2 => (texts(), steps(), rows()).prop_map(|(name, steps, rows)| Item::Test(Test { name, steps, rows })),
        1 => (name(), steps()).prop_map(move |(name, steps)| Item::Scenario(Scenario { name, steps: calm(steps) })),
    ]
    .boxed()
}

/// A file of a few declarations.
pub fn file() -> BoxedStrategy<File> {
    vec(item().prop_map(at), 1..6)
        .prop_map(|items| File { source: SourceId::default(), items, comments: Vec::new() })
        .boxed()
}
