//! The tree of a policy file: what the author wrote, with its places. There is no other tree.

use crate::diagnostic::{SourceId, Span};

/// Something and the place it was written at.
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> At<T> {
    /// Something written at a place.
    pub fn new(value: T, span: Span) -> At<T> {
        At { value, span }
    }
}

impl<T> std::ops::Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A name or a text, with its place (of a string literal: with its quotes).
pub type Word = At<String>;

/// One source file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Which file.
    pub source: SourceId,
    /// What it declares, in the order of the file.
    pub items: Vec<At<Item>>,
    /// Its comments, in the order of the file.
    pub comments: Vec<Comment>,
}

/// A comment: from `#` to the end of the line.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// The text, with its `#`, without blanks at the end.
    pub text: String,
    /// Its place.
    pub span: Span,
    /// Whether it stands on a line of its own (else it follows something on its line).
    pub own_line: bool,
}

/// A declaration at the top of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `policy NAME`
    Policy(Word),
    /// `timezone "ZONE"`
    Timezone(Word),
    /// `include "FILE"`
    Include(Word),
    /// `test for "FILE"`
    TestFor(Word),
    /// `fact NAME : TYPE`
    Fact(Fact),
    /// `group NAME = [...]` or `group NAME from directory`
    Group(Group),
    /// `define NAME = CONDITION`
    Define(Define),
    /// `calendar NAME = TIMES`
    Calendar(Calendar),
    /// `stage NAME ... { ... }`
    Stage(Stage),
    /// `test "NAME" { ... }`
    Test(Test),
    /// `scenario NAME { ... }`
    Scenario(Scenario),
}

/// `fact NAME : TYPE [secret]`
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Its name.
    pub name: Word,
    /// Its type.
    pub ty: At<Type>,
    /// Whether the request may give `null` for it.
    pub optional: bool,
    /// Whether its value is never printed or stored in clear.
    pub secret: bool,
}

/// The type of a fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `time`
    Time,
    /// `duration`
    Duration,
    /// `version`
    Version,
    /// `user`
    User,
    /// `status`
    Status,
    /// `{ low, medium, high }`, ordered as written
    Enum(Vec<Word>),
    /// `set of T`
    Set(Box<At<Type>>),
    /// `map of T`
    Map(Box<At<Type>>),
}

/// `group NAME = [...]` or `group NAME from directory`
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: Word,
    /// Its people; `None` when they come from the request.
    pub members: Option<Vec<Word>>,
}

/// `define NAME = CONDITION`
#[derive(Clone, Debug, PartialEq)]
pub struct Define {
    /// Its name.
    pub name: Word,
    /// What it stands for.
    pub cond: Cond,
}

/// `calendar NAME = TIMES`
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    /// Its name.
    pub name: Word,
    /// What it stands for.
    pub times: Times,
}

// ---------------------------------------------------------------- conditions

/// A condition. `and` binds tighter than `or`; parentheses leave no trace but the shape of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Cond {
    /// What it is.
    pub kind: CondKind,
    /// Its place, without parentheses around it.
    pub span: Span,
}

/// The kinds of conditions.
#[derive(Clone, Debug, PartialEq)]
pub enum CondKind {
    /// `a and b and c`: two or more, none of them an `And`.
    And(Vec<Cond>),
    /// `a or b or c`: two or more, none of them an `Or`.
    Or(Vec<Cond>),
    /// `not a`
    Not(Box<Cond>),
    /// `left tail`, such as `coverage >= 80`
    Test(Operand, Tail),
    /// `every C tail`, `any C tail`, `no C tail`
    Each(Quantifier, Operand, Tail),
    /// A defined name, a bool fact, `true` or `false`
    Bare(Operand),
}

/// Over which of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// `every`: all of them, and at least one.
    Every,
    /// `any`
    Any,
    /// `no`
    No,
}

/// An operator with its right side.
#[derive(Clone, Debug, PartialEq)]
pub enum Tail {
    /// `== x`, `< x`, ...
    Compare(At<Comparison>, Operand),
    /// `in x` and `not in x`
    In {
        /// `not in`
        negated: bool,
        /// A list, a set, a group.
        of: Operand,
    },
    /// `contains x`
    Contains(Operand),
    /// `starts with x`
    StartsWith(Operand),
    /// `ends with x`
    EndsWith(Operand),
    /// `matches "glob"`
    Glob(Word),
    /// `matches /regex/`; the text is what stands between the slashes, with `\/` read as `/`
    Regex(Word),
    /// `is set`
    IsSet,
    /// `is missing`
    IsMissing,
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// A side of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A fact, a definition, a group, a value of an enumeration: `build.branch`, `checks."ci/build"`, `passed`
    Path(Path),
    /// A literal.
    Literal(At<Literal>),
    /// `[a, "b", 3]`
    List(At<Vec<Operand>>),
}

impl Operand {
    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            Operand::Path(path) => path.span,
            Operand::Literal(literal) => literal.span,
            Operand::List(list) => list.span,
        }
    }
}

/// A name with its parts after dots.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The first is always a plain name.
    pub parts: Vec<Part>,
    /// Its place.
    pub span: Span,
}

/// A part of a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The name or the text.
    pub word: Word,
    /// Whether it was written as a string: `checks."ci/build"`.
    pub quoted: bool,
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `true`, `false`
    Bool(bool),
    /// `80`, `79.5`, `-3`: finite; the text is as written.
    Number {
        /// Its value.
        value: f64,
        /// As written.
        text: String,
    },
    /// `"text"`
    String(String),
    /// `1h30m`
    Duration(Duration),
    /// `2026-03-04`: the instant at which that day begins.
    Date(Date),
    /// `2026-03-04 10:00`
    DateTime(DateTime),
}

/// A duration in whole seconds (1 to 220 years of them), with its text as written (`1h30m`).
#[derive(Clone, Debug, PartialEq)]
pub struct Duration {
    /// Seconds.
    pub seconds: u64,
    /// As written.
    pub text: String,
}

/// A day that exists, 0001 to 9999 (whether it is in range is for the checker).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
}

/// `2026-03-04 10:00[:30] [Z | +01:00 | Zone/Name]`
#[derive(Clone, Debug, PartialEq)]
pub struct DateTime {
    /// The day.
    pub date: Date,
    /// Second of the day, 0 to 86,399.
    pub second: u32,
    /// The offset or zone, if it was given.
    pub zone: Option<At<ZoneSpec>>,
}

/// How a date-time names its zone.
#[derive(Clone, Debug, PartialEq)]
pub enum ZoneSpec {
    /// `Z` or `+01:00`: seconds east of UTC.
    Offset(i32),
    /// `America/Los_Angeles`, with or without quotes.
    Named(String),
}

// ---------------------------------------------------------------- times

/// `item, item except item, item`
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// What is in.
    pub include: Vec<TimesItem>,
    /// What is taken out.
    pub except: Vec<TimesItem>,
    /// Its place.
    pub span: Span,
}

/// One item of a list of times.
#[derive(Clone, Debug, PartialEq)]
pub struct TimesItem {
    /// What it is.
    pub kind: TimesKind,
    /// Its place, without the zone.
    pub span: Span,
    /// `in "zone"` written right after this item. It covers this item and those before it in the list, `except` part
    /// or not, back to the previous item that has a zone.
    pub zone: Option<Word>,
}

/// The kinds of times.
#[derive(Clone, Debug, PartialEq)]
pub enum TimesKind {
    /// `mon..fri 09:00..17:00`, `sat 10:00..12:00`
    Weekly {
        /// First and last weekday; equal when one was written.
        days: (At<Weekday>, At<Weekday>),
        /// From.
        start: At<TimeOfDay>,
        /// To, on the next day if it is not later than `start`.
        end: At<TimeOfDay>,
    },
    /// `daily 22:00..04:00`
    Daily {
        /// From.
        start: At<TimeOfDay>,
        /// To, on the next day if it is not later than `start`.
        end: At<TimeOfDay>,
    },
    /// `fri 18:00 .. mon 06:00`
    WeekSpan {
        /// From.
        start: (At<Weekday>, At<TimeOfDay>),
        /// To.
        end: (At<Weekday>, At<TimeOfDay>),
    },
    /// `2026-12-20 .. 2027-01-02`, or one day
    Dates {
        /// First day.
        first: At<Date>,
        /// Last day, whole; `None` when one day was written.
        last: Option<At<Date>>,
    },
    /// `2026-12-24 12:00 .. 2026-12-27 08:00`
    Span {
        /// From.
        start: At<DateTime>,
        /// To.
        end: At<DateTime>,
    },
    /// `yearly dec 20 .. jan 2`, or one day
    Yearly {
        /// First day: month (1 to 12) and day.
        first: At<(u32, u32)>,
        /// Last day, whole; `None` when one day was written.
        last: Option<At<(u32, u32)>>,
    },
    /// `cron "0 9 * * 1-5" for 8h`
    Cron {
        /// The expression.
        expr: Word,
        /// How long each lasts.
        length: At<Duration>,
    },
    /// A calendar by name.
    Calendar(Word),
}

/// A day of the week: 0 is Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weekday(pub u8);

impl Weekday {
    /// `mon`, `tue`, ...
    pub const NAMES: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
}

/// Minutes of a day, 0 to 1440 (24:00).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(pub u32);

// ---------------------------------------------------------------- stages and rules

/// `stage NAME [after ...] [for D] { ... }` or `stage * { ... }`
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name; `None` for `stage *`.
    pub name: Option<Word>,
    /// The place of the name or of the `*`.
    pub name_span: Span,
    /// What it comes after.
    pub after: Option<After>,
    /// The soak.
    pub soak: Option<At<Duration>>,
    /// Its rules, in the order of the file.
    pub rules: Vec<Rule>,
}

/// `after A, B completed` or `after any of A, B`
#[derive(Clone, Debug, PartialEq)]
pub struct After {
    /// `any of`
    pub any: bool,
    /// The stages, each with the outcomes that will do.
    pub stages: Vec<AfterStage>,
    /// Its place, from `after` to the last word.
    pub span: Span,
}

/// A stage that must have ended before.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterStage {
    /// Its name.
    pub stage: Word,
    /// The outcomes that will do, as written; empty means `succeeded`.
    pub outcomes: Vec<At<Outcome>>,
}

/// How a run of a stage ended, as written in `after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `succeeded` (also written `passed`)
    Succeeded,
    /// `failed`
    Failed,
    /// `skipped`
    Skipped,
    /// `cancelled`
    Cancelled,
    /// `pending`: still running (only in tests of a policy)
    Pending,
    /// `completed`: any end
    Completed,
}

/// A rule of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// `sealed`: no override skips it.
    pub sealed: Option<Span>,
    /// Its name before the colon, if it was given.
    pub name: Option<Word>,
    /// What it demands.
    pub kind: RuleKind,
    /// `when` and `unless` at its end, in the order written.
    pub guards: Vec<Guard>,
    /// `because "text"`
    pub because: Option<Word>,
    /// Its place, from `sealed` or the keyword to the last word.
    pub span: Span,
}

/// `when COND` or `unless COND`
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// `unless`
    pub unless: bool,
    /// The condition.
    pub cond: Cond,
}

/// The kinds of rules.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleKind {
    /// `require N: cond`
    Require(Cond),
    /// `forbid N: cond`
    Forbid(Cond),
    /// `advise N: cond`
    Advise(Cond),
    /// `window N: times`
    Window(Times),
    /// `freeze N: times`
    Freeze(Times),
    /// `approve N: quorum`
    Approve(Approve),
    /// `trigger [N:] ...`
    Trigger(Trigger),
    /// `exclusive`
    Exclusive,
    /// `forward only`
    ForwardOnly,
    /// `distinct approvers`
    DistinctApprovers,
    /// `override N: ...`
    Override(Override),
}

/// `COUNT of PEOPLE [including ...] [except LIST] [since STAGE] [valid D]`
#[derive(Clone, Debug, PartialEq)]
pub struct Approve {
    /// How many of whom.
    pub quorum: Quorum,
    /// `including author` or `including contributors`
    pub including: Option<At<Including>>,
    /// `except LIST`
    pub except: Vec<Except>,
    /// `since STAGE`
    pub since: Option<Word>,
    /// `valid D`
    pub valid: Option<At<Duration>>,
}

/// `COUNT of PEOPLE`
#[derive(Clone, Debug, PartialEq)]
pub struct Quorum {
    /// How many.
    pub count: At<Count>,
    /// Of whom: several with `or`.
    pub people: Vec<People>,
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Number(u32),
    /// `all`
    All,
}

/// A term of PEOPLE.
#[derive(Clone, Debug, PartialEq)]
pub enum People {
    /// A group by name.
    Group(Word),
    /// `[amita, "lee@tailspin.example"]`
    List(At<Vec<Word>>),
}

/// Who is let in that is barred by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Including {
    /// `including author`
    Author,
    /// `including contributors` (and the author)
    Contributors,
}

/// A term of an `except` list.
#[derive(Clone, Debug, PartialEq)]
pub enum Except {
    /// `requester`
    Requester(Span),
    /// `approvers of RULE`
    ApproversOf(Word),
    /// A group or a person by name; the checker decides.
    Name(Word),
    /// A person, as a string or in a list: `"lee@tailspin.example"`, `[amita, tim]`
    People(At<Vec<Word>>),
}

/// `override N: QUORUM [except LIST] may skip ... [valid D] [reason required]`
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// How many of whom.
    pub quorum: Quorum,
    /// `including author` or `including contributors`
    pub including: Option<At<Including>>,
    /// `except LIST`
    pub except: Vec<Except>,
    /// `all but`
    pub all_but: bool,
    /// The rules after `may skip` or `all but`.
    pub rules: Vec<Word>,
    /// `valid D`
    pub valid: Option<At<Duration>>,
    /// `reason required`
    pub reason_required: bool,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// `push [to "glob"]`
    Push {
        /// Branches.
        to: Option<Word>,
    },
    /// `pull-request [to "glob"]`
    PullRequest {
        /// Branches.
        to: Option<Word>,
    },
    /// `manual [by people]`
    Manual {
        /// Who may; empty means anyone.
        by: Vec<People>,
    },
    /// `completion [of Stage]`
    Completion {
        /// Of which stage; `None` means of any.
        of: Option<Word>,
    },
    /// `event "name"`
    Event {
        /// Its name.
        name: Word,
    },
    /// `schedule "cron" [in "zone"] [within D] [if changed]`
    Schedule {
        /// The expression.
        cron: Word,
        /// The zone, if it is not the policy's.
        zone: Option<Word>,
        /// How late it may be asked.
        within: Option<At<Duration>>,
        /// Only when the stage does not run this build.
        if_changed: bool,
    },
}

// ---------------------------------------------------------------- tests of a policy

/// `test "NAME" { ... }`
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Its name.
    pub name: Word,
    /// Its steps, in the order of the file; those in its rows are not among them.
    pub steps: Vec<At<Step>>,
    /// Its rows: the test is run once for each of them, if it has any.
    pub rows: Vec<Row>,
}

/// `row "NAME" { ... }` in a test: steps that are added to those of the test.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: Word,
    /// Its steps, in the order of the file.
    pub steps: Vec<At<Step>>,
    /// Its place, from `row` to the closing bracket.
    pub span: Span,
}

/// `scenario NAME { ... }`
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name.
    pub name: Word,
    /// Its steps, in the order of the file; no `expect` among them.
    pub steps: Vec<At<Step>>,
}

/// A line of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `given SCENARIO, ...`
    Given(Vec<Word>),
    /// `at TIME`
    Now(At<DateTime>),
    /// `build { id: "...", branch: "..." }`
    Build(Vec<Field>),
    /// `current { id: "..." }`; `None` for `current none`
    Current(Option<Vec<Field>>),
    /// `succeeded Dev at T, Test at T`; also `failed`, `skipped`, `cancelled`, `pending`
    Runs(At<Outcome>, Vec<(Word, At<DateTime>)>),
    /// `approved by amita, tim at T [for Stage] [build "id"]`; also `rejected`, `withdrawn`
    Words {
        /// What they said.
        word: At<ApprovalWord>,
        /// Who.
        by: Vec<Word>,
        /// When.
        at: At<DateTime>,
        /// For which stage; `None` means the stage that is asked for.
        stage: Option<Word>,
        /// For which build; `None` means the build that is asked about.
        build: Option<Word>,
    },
    /// `override break-glass by tim at T [because "INC-123"]`
    Override {
        /// Which.
        name: Word,
        /// Who.
        by: Vec<Word>,
        /// When.
        at: At<DateTime>,
        /// Why.
        reason: Option<Word>,
    },
    /// `fact NAME = VALUE`
    Fact(Word, Value),
    /// `group NAME = [...]`: the members that the directory gives
    Group(Word, Vec<Word>),
    /// `push [to "branch"]`
    Push(Option<Word>),
    /// `pull-request [to "branch"]`
    PullRequest(Option<Word>),
    /// `manual [by tim]`
    Manual(Option<Word>),
    /// `completion [of Stage]`
    Completion(Option<Word>),
    /// `event "name"`
    Event(Word),
    /// `schedule [at T]`
    Schedule(Option<At<DateTime>>),
    /// `action rollback`
    Action(Word),
    /// `requester tim`
    Requester(Word),
    /// `expect ...`
    Expect(Expect),
}

/// What an approver said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalWord {
    /// `approved`
    Approve,
    /// `rejected`
    Reject,
    /// `withdrawn`
    Withdraw,
}

/// `name: value`
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The name.
    pub name: Word,
    /// The value.
    pub value: Value,
}

/// A value in a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of values.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// A literal.
    Literal(Literal),
    /// A bare word: a user, a status, a value of an enumeration, `none`.
    Name(String),
    /// `[a, b]`
    List(Vec<Value>),
    /// `{ unit: passed, "ci/build": failed }`
    Map(Vec<Field>),
}

/// `expect STAGE ...`
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// The stage.
    pub stage: Word,
    /// What is expected of it.
    pub what: Expected,
}

/// What a test expects of a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// `allow | hold | deny [because rule, ...] [until T]`
    Verdict {
        /// `allow`, `hold` or `deny`.
        verdict: At<ExpectedVerdict>,
        /// The rules that block.
        because: Vec<Word>,
        /// When the verdict changes.
        until: Option<At<DateTime>>,
    },
    /// `rule R is STATUS`
    Rule {
        /// The rule.
        rule: Word,
        /// Its status, as in a decision: `met`, `not-applicable`, ...
        status: Word,
    },
    /// `fires at T`
    FiresAt(At<DateTime>),
    /// `opens at T`
    OpensAt(At<DateTime>),
}

/// A verdict as written in a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedVerdict {
    /// `allow`
    Allow,
    /// `hold`
    Hold,
    /// `deny`
    Deny,
}
