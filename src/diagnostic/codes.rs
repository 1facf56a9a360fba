//! The numbers of all diagnostics. A number that has appeared in a release is never used again for anything else.

use super::Severity;

/// The number of a diagnostic, such as `E0203` or `W0101`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    /// The number as text.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Error for `E…`, warning for `W…`.
    pub fn severity(self) -> Severity {
        if self.0.starts_with('W') { Severity::Warning } else { Severity::Error }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// A number and what it stands for.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    /// The number.
    pub code: Code,
    /// What it says, in general.
    pub title: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal : $title:literal;)*) => {
        $(#[doc = $title] pub(crate) const $name: Code = Code($code);)*
        /// Every diagnostic there is, in order of number.
        pub const ALL_CODES: &[CodeInfo] = &[$(CodeInfo { code: $name, title: $title },)*];
    };
}

codes! {
    // E01: what is written is not the language.
    SYNTAX = "E0101": "something else was expected here";
    STRING = "E0102": "a string has no end, or a wrong escape";
    NUMBER = "E0103": "a number that cannot be read or is out of range";
    DURATION = "E0104": "a duration that cannot be read or is too long";
    DATE_TIME = "E0105": "a date or a time that does not exist or cannot be read";
    BRACKET = "E0106": "a bracket without its partner";
    KEYWORD = "E0107": "a word that is no keyword here";
    REGEX = "E0108": "a regular expression or glob that is not valid";
    CLAUSE = "E0109": "a clause twice, or where it has no meaning";
    NOT_YET = "E0110": "a construct that this version does not have";
    RULE_NAME = "E0111": "a rule that needs a name has none, or one that has none is named";
    // E02: names.
    UNKNOWN_FACT = "E0201": "a fact or definition that is not declared";
    UNKNOWN_GROUP = "E0202": "a group that is not declared";
    UNKNOWN_STAGE = "E0203": "a stage that does not exist";
    UNKNOWN_RULE = "E0204": "a rule that does not exist";
    UNKNOWN_CALENDAR = "E0205": "a calendar that is not declared";
    UNKNOWN_VALUE = "E0206": "a value that the enumeration does not have";
    UNKNOWN_SCENARIO = "E0207": "a scenario that does not exist";
    TWICE = "E0208": "a name that is defined twice";
    CYCLE = "E0209": "definitions or calendars that use one another in a circle";
    RESERVED = "E0210": "a name that the language keeps for itself";
    // E03: types.
    TYPE_CLASH = "E0301": "two sides of a test that are of different types";
    OPERATOR = "E0302": "an operator that the type does not have";
    NOT_A_CONDITION = "E0303": "a fact that is not bool where a condition is needed";
    NOT_A_COLLECTION = "E0304": "every, any or no over something that is neither set nor map";
    LITERAL = "E0305": "a literal that is no value of the type";
    CONSTANT = "E0306": "a test that reads no fact";
    RANGE = "E0307": "an instant outside the years 1970 to 2200";
    // E04: schedules.
    CRON = "E0401": "a cron field that cannot be read, or is read in more than one way elsewhere";
    ZONE = "E0402": "a time zone that does not exist";
    EMPTY_TIMES = "E0403": "times that begin and end at once, or end before they begin";
    BARE_DAY = "E0404": "a day of the week without times of day";
    // E05: approvals and overrides.
    UNREACHABLE_COUNT = "E0501": "a count of approvals that its people can never reach";
    ZERO_COUNT = "E0502": "a count of approvals that is zero";
    SEALED = "E0503": "an override that skips a sealed rule";
    APPROVERS_OF = "E0504": "approvers of a rule that is no approval, or of itself";
    OVERRIDE_SCOPE = "E0505": "an override that skips a rule of a file which does not know of it, or that cannot be skipped";
    // E06: stages and rules.
    STAGE_CYCLE = "E0601": "stages that come after one another in a circle";
    STAGE_TWICE = "E0602": "a stage that is described twice";
    RULE_TWICE = "E0603": "a rule name that is used twice in a stage";
    SOAK = "E0604": "a soak with nothing to come after";
    NO_STAGE = "E0605": "a policy without a stage";
    HEADER = "E0606": "a policy name or time zone that is given twice, or in the wrong place";
    INCOMPLETE_TEST = "E0607": "a test that does not say when it is, or expects nothing";
    // E07: files and limits.
    INCLUDE = "E0701": "an included file that cannot be read";
    INCLUDE_OUTSIDE = "E0702": "an included file outside the root";
    INCLUDE_CYCLE = "E0703": "files that include one another in a circle";
    TOO_LARGE = "E0711": "a source that is larger than the limit";
    NOT_UTF8 = "E0712": "a source that is not UTF-8";
    TOO_DEEP = "E0713": "nesting deeper than the limit";
    TOO_MANY = "E0714": "more of something than the limit allows";
    EMPTY_SOURCE = "E0715": "a source with nothing in it";
    UNREADABLE = "E0716": "a source that cannot be read";
    // W01: compiles, but is surely not meant.
    BOTH_DAY_FIELDS = "W0101": "a cron expression that restricts both day fields";
    NEVER = "W0102": "a schedule that never comes";
    COVERED_WINDOW = "W0103": "a window that freezes cover wholly";
    UNREACHABLE_STAGE = "W0104": "a stage that no build can reach";
    UNUSED_GROUP = "W0105": "a group that nothing uses";
    UNUSED_FACT = "W0106": "a fact that nothing uses";
    UNUSED_DEFINITION = "W0107": "a definition that nothing uses";
    UNUSED_CALENDAR = "W0108": "a calendar that nothing uses";
    IDLE_OVERRIDE = "W0109": "an override that skips nothing";
    OPEN_STAGE = "W0110": "a stage without a rule";
    MIXED_ZONES = "W0111": "a list of times of which only some are in the zone named";
    LISTED_TWICE = "W0112": "a person or value that is listed twice";
    ALWAYS = "W0113": "a rule that can never be met, or always is";
    IDLE_EXCEPT = "W0114": "someone left out who could not have counted anyway";
}
