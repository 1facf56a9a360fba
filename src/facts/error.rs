//! What is wrong with a request.

use std::fmt;

use crate::diagnostic::{did_you_mean, list_words};
use crate::plain::quote;

/// A request that cannot be decided: not JSON, not of the shape of a request, or with facts of the wrong type. It is
/// never an allow.
///
/// It holds all the problems that were found, at least one.
///
/// ```
/// use stagegate::{ProblemKind, Request};
/// let error = Request::from_json(br#"{ "stage": "Staging", "build": { "id": "1", "brnch": "main" } }"#).unwrap_err();
/// assert_eq!(error.to_string(), "`build.brnch`: there is no such field; did you mean `branch`?");
/// assert_eq!(error.problems()[0].kind, ProblemKind::UnknownField);
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", lines(.problems))]
#[non_exhaustive]
pub struct RequestError {
    problems: Vec<RequestProblem>,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct RequestProblem {
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// Where in the request, as in `history[1].at` or `facts.checks["ci/build"]`; empty for the whole of it.
    pub path: String,
    /// What is wrong, in words, without the path.
    pub message: String,
    /// What was expected there, when that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was given, when that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// What to do about it, when that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Line in the JSON, from 1: of what is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column in the JSON, from 1, in bytes: of what is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// The sorts of problems of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// Not JSON, or not UTF-8.
    Syntax,
    /// A value of another kind than its field takes.
    Type,
    /// A field that a request does not have.
    UnknownField,
    /// A field or a key that is given twice.
    Duplicate,
    /// A field that must be given.
    Missing,
    /// A name or an id that is empty.
    Empty,
    /// Not an instant: no RFC 3339, or without a zone.
    Time,
    /// A number that is not finite, an instant outside the years 1970 to 2200.
    OutOfRange,
    /// More than the [`Limits`](crate::Limits) allow.
    Limit,
    /// Fields that contradict one another.
    Conflict,
    /// The policy has no such stage.
    UnknownStage,
    /// A fact whose value is not of the type that the policy declares.
    FactType,
}

impl RequestError {
    /// Everything that is wrong; at least one problem.
    pub fn problems(&self) -> &[RequestProblem] {
        &self.problems
    }

    /// An error of these problems; none when there are none.
    pub(crate) fn from_problems(problems: Vec<RequestProblem>) -> Option<RequestError> {
        (!problems.is_empty()).then_some(RequestError { problems })
    }
}

// What only the evaluator knows to be wrong.
#[allow(dead_code)]
impl RequestError {
    /// A fact whose value is not of its declared type.
    pub(crate) fn fact_type(fact: &str, expected: impl Into<String>, got: impl Into<String>) -> RequestError {
        RequestProblem::fact_type(fact, expected, got).into()
    }

    /// A stage that the policy does not have.
    pub(crate) fn unknown_stage<S: AsRef<str>>(stage: &str, stages: &[S]) -> RequestError {
        let mut problem = RequestProblem::new(
            ProblemKind::UnknownStage,
            "stage",
            format!("the policy has no stage {}", quote(stage)),
        );
        let guess = did_you_mean(stage, stages.iter().map(AsRef::as_ref));
        problem.help = Some(guess.unwrap_or_else(|| format!("its stages are {}", list_words(stages, 10))));
        problem.got = Some(quote(stage));
        problem.into()
    }

    /// No instant to decide for.
    pub(crate) fn missing_now() -> RequestError {
        let message = "is missing: the engine reads no clock, so the caller says for which instant to decide";
        RequestProblem::new(ProblemKind::Missing, "now", message).into()
    }

    /// A field that this policy needs and the request does not have.
    pub(crate) fn missing(field: &str) -> RequestError {
        RequestProblem::missing(field).into()
    }

    /// A value outside what the engine reckons with.
    pub(crate) fn out_of_range(what: &str, value: impl fmt::Display) -> RequestError {
        let got = quote(&value.to_string());
        let mut problem = RequestProblem::new(ProblemKind::OutOfRange, what, format!("{got} is out of range"));
        problem.got = Some(got);
        problem.into()
    }
}

impl From<RequestProblem> for RequestError {
    fn from(problem: RequestProblem) -> RequestError {
        RequestError { problems: vec![problem] }
    }
}

impl RequestProblem {
    pub(crate) fn new(kind: ProblemKind, path: impl Into<String>, message: impl Into<String>) -> RequestProblem {
        RequestProblem {
            kind,
            path: path.into(),
            message: message.into(),
            expected: None,
            got: None,
            help: None,
            line: None,
            column: None,
        }
    }

    /// `expected …, got …`
    pub(crate) fn expected(
        kind: ProblemKind,
        path: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> RequestProblem {
        let (expected, got) = (expected.into(), got.into());
        let message = format!("expected {expected}, got {got}");
        RequestProblem { expected: Some(expected), got: Some(got), ..RequestProblem::new(kind, path, message) }
    }

    /// A fact whose value is not of its declared type; several make one error by
    /// [`RequestError::from_problems`]. `got` must not hold the value of a secret: use [`Value::kind`](crate::Value::kind).
    #[allow(dead_code)]
    pub(crate) fn fact_type(fact: &str, expected: impl Into<String>, got: impl Into<String>) -> RequestProblem {
        RequestProblem::expected(ProblemKind::FactType, fact, expected, got)
    }

    pub(crate) fn missing(path: impl Into<String>) -> RequestProblem {
        RequestProblem::new(ProblemKind::Missing, path, "is missing")
    }

    pub(crate) fn syntax(message: impl Into<String>, line: usize, column: usize) -> RequestProblem {
        let mut problem = RequestProblem::new(ProblemKind::Syntax, "", message);
        (problem.line, problem.column) = (Some(line), Some(column));
        problem
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> RequestProblem {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for RequestProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.as_str(), self.kind) {
            ("", ProblemKind::Syntax) => f.write_str("the request is not JSON: ")?,
            ("", _) => f.write_str("the request: ")?,
            // These read as a sentence of which the path is the subject.
            (path, ProblemKind::Missing | ProblemKind::Empty | ProblemKind::Duplicate) => write!(f, "`{path}` ")?,
            (path, _) => write!(f, "`{path}`: ")?,
        }
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, " (line {line}, column {column})")?;
        }
        Ok(())
    }
}

fn lines(problems: &[RequestProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_stage_is_guessed_or_the_stages_are_listed() {
        let stages = ["Dev", "Test", "Staging"];
        assert_eq!(
            RequestError::unknown_stage("Stagng", &stages).to_string(),
            "`stage`: the policy has no stage `Stagng`; did you mean `Staging`?"
        );
        assert_eq!(
            RequestError::unknown_stage("Production", &stages).to_string(),
            "`stage`: the policy has no stage `Production`; its stages are `Dev`, `Test` and `Staging`"
        );
    }

    #[test]
    fn several_facts_of_the_wrong_type_make_one_error_of_several_lines() {
        let problems = vec![
            RequestProblem::fact_type("facts.coverage", "a number", "the text `high`"),
            RequestProblem::fact_type("build.version", "a version", "the text `x`"),
        ];
        assert_eq!(
            RequestError::from_problems(problems).map(|error| error.to_string()).unwrap_or_default(),
            "`facts.coverage`: expected a number, got the text `high`\n`build.version`: expected a version, got the text `x`"
        );
        assert_eq!(RequestError::from_problems(Vec::new()), None);
    }

    #[test]
    fn what_is_missing_or_out_of_range_is_named() {
        assert!(RequestError::missing_now().to_string().starts_with("`now` is missing: "));
        assert_eq!(RequestError::missing("build.created").to_string(), "`build.created` is missing");
        assert_eq!(RequestError::out_of_range("now", "2201").to_string(), "`now`: `2201` is out of range");
    }
}
