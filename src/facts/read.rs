//! Requests from JSON, in one pass and without a tree of values in between.
//!
//! This file says what a request looks like; how a value of a certain kind is read is in [`super::want`].

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess};

use super::error::{ProblemKind, RequestError, RequestProblem};
use super::request::{
    Action, Approval, Build, Current, Deploying, Invocation, Occupant, Request, Run, RunStatus, TriggerFact, Word,
};
use super::want::{Anything, Context, Dict, Each, Object, Reader, Shape, Slot, Text, Time, Want, Words};
use crate::Limits;

impl Request {
    /// Reads a request in JSON (UTF-8, with or without a byte order mark), within the default [`Limits`].
    ///
    /// A field that does not exist, a key that is given twice, a time without a zone and a number that is not finite
    /// are errors, each with its place; `null` stands for a field that is left out, but for `current` and `deploying`
    /// (there is none) and facts (known to be absent).
    ///
    /// ```
    /// use stagegate::Request;
    /// let error = Request::from_json(br#"{ "stage": "Dev", "build": { "id": "7" }, "now": "2026-03-04T10:00:00" }"#);
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "`now`: `2026-03-04T10:00:00` has no time zone; write `…Z` or an offset such as `+01:00`"
    /// );
    /// ```
    pub fn from_json(json: &[u8]) -> Result<Request, RequestError> {
        Request::from_json_with(json, &Limits::default())
    }

    /// Reads a request in JSON within the limits given; see [`Request::from_json`].
    pub fn from_json_with(json: &[u8], limits: &Limits) -> Result<Request, RequestError> {
        if let Ok(draft) = super::quick::read(json, limits, None) {
            return Ok(draft.request());
        }
        if json.len() > limits.request_bytes {
            let message = format!("more than {} bytes of JSON", limits.request_bytes);
            return Err(RequestProblem::new(ProblemKind::Limit, "", message).into());
        }
        let text = std::str::from_utf8(json).map_err(|error| {
            let (line, column) = place(json.get(..error.valid_up_to()).unwrap_or_default());
            RequestError::from(RequestProblem::syntax("it is not UTF-8", line, column))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let context = Context::new(limits);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let request = read(&context, &mut deserializer).and_then(|request| deserializer.end().map(|()| request));
        let mut problems = context.into_problems();
        match request {
            Ok(Some(request)) if problems.is_empty() => {
                request.check(limits)?;
                return Ok(request);
            }
            Ok(_) => {}
            // The context knows why the reading was given up.
            Err(error) if error.is_data() && !problems.is_empty() => {}
            Err(error) => problems.push(syntax(&error)),
        }
        // No request and no problem cannot be: an empty error would be a lie.
        let unknown = || RequestProblem::new(ProblemKind::Type, "", "cannot be read").into();
        Err(RequestError::from_problems(problems).unwrap_or_else(unknown))
    }
}

impl<'de> Deserialize<'de> for Request {
    /// As [`Request::from_json`] does, within the default [`Limits`] but for the bytes, which cannot be seen from here.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Request, D::Error> {
        let limits = Limits::default();
        let context = Context::new(&limits);
        let request = read(&context, deserializer);
        let problems = context.into_problems();
        if let Some(error) = RequestError::from_problems(problems) {
            return Err(D::Error::custom(error));
        }
        let request = request?.ok_or_else(|| D::Error::custom("the request cannot be read"))?;
        request.check(&limits).map_err(D::Error::custom)?;
        Ok(request)
    }
}

fn read<'de, D: Deserializer<'de>>(context: &Context<'_>, deserializer: D) -> Result<Option<Request>, D::Error> {
    let whole = Reader::root(context, Object::<Whole>::new()).read(deserializer)?;
    Ok(whole.map(|whole| whole.request))
}

/// serde_json's error, with the place taken out of its words.
fn syntax(error: &serde_json::Error) -> RequestProblem {
    let words = error.to_string();
    let message = match words.rfind(" at line ") {
        Some(end) => words.get(..end).unwrap_or(&words),
        None => &words,
    };
    let mut problem = RequestProblem::syntax(message, error.line(), error.column());
    if message == "number out of range" {
        // `1e999` is JSON, only not a number that can be reckoned with.
        problem.kind = ProblemKind::OutOfRange;
        problem.message = "a number is too large".to_string();
    }
    problem
}

/// Line and column, both from 1, of what comes after these bytes.
fn place(before: &[u8]) -> (usize, usize) {
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
    (line, column)
}

/// A request while it is read.
struct Whole {
    request: Request,
    deploying_in_current: bool,
}

impl<'de> Shape<'de> for Whole {
    const WHAT: &'static str = "a request (an object)";
    const FIELDS: &'static [&'static str] = &[
        "stage",
        "now",
        "trigger",
        "action",
        "requester",
        "build",
        "current",
        "deploying",
        "history",
        "approvals",
        "overrides",
        "groups",
        "facts",
    ];
    const REQUIRED: &'static [&'static str] = &["stage", "build"];

    fn blank() -> Whole {
        Whole { request: Request::to(""), deploying_in_current: false }
    }

    fn field<A: MapAccess<'de>>(&mut self, name: &str, slot: Slot<'_, A>) -> Result<(), A::Error> {
        let request = &mut self.request;
        match name {
            "stage" => request.stage = slot.need(Text)?.unwrap_or_default(),
            "now" => request.now = slot.maybe(Time)?,
            "trigger" => request.trigger = slot.maybe(Object::<TriggerDraft>::new())?.and_then(|draft| draft.fact),
            "action" => request.action = slot.maybe(ACTIONS)?,
            "requester" => request.requester = slot.maybe(Text)?,
            "build" => request.build = slot.need(Object::<Build>::new())?.unwrap_or_default(),
            "current" => match slot.need(CurrentWant)? {
                Some(CurrentDraft { occupant: None, .. }) => request.current = Current::Nothing,
                Some(CurrentDraft { occupant: Some(occupant), deploying }) => {
                    request.current = Current::Build(Box::new(occupant));
                    if let Some(deploying) = deploying {
                        self.deploying_in_current = true;
                        request.deploying = deploying;
                    }
                }
                None => {}
            },
            "deploying" => {
                let deploying = slot.need(DeployingWant)?;
                // `current` may have said so already; `complete` complains.
                if request.deploying == Deploying::Unknown {
                    request.deploying = deploying.unwrap_or_default();
                }
            }
            "history" => request.history = slot.maybe(Each(Object::<Run>::new()))?.unwrap_or_default(),
            "approvals" => request.approvals = slot.maybe(Each(Object::<Approval>::new()))?.unwrap_or_default(),
            "overrides" => request.overrides = slot.maybe(Each(Object::<Invocation>::new()))?.unwrap_or_default(),
            "groups" => request.groups = slot.maybe(Dict(Each(Text)))?.unwrap_or_default(),
            _ => request.facts = slot.maybe(Dict(Anything))?.unwrap_or_default(),
        }
        Ok(())
    }

    fn complete(self, reader: &Reader<'_, Object<Whole>>, seen: &dyn Fn(&str) -> bool) -> Whole {
        if self.deploying_in_current && seen("deploying") {
            let message = "is given in `current` too";
            reader.note_field("deploying", |path| RequestProblem::new(ProblemKind::Conflict, path, message));
        }
        self
    }
}

const ACTIONS: Words<Action> =
    Words(&[("promote", Action::Promote), ("redeploy", Action::Redeploy), ("rollback", Action::Rollback)]);

const STATUSES: Words<RunStatus> = Words(&[
    ("succeeded", RunStatus::Succeeded),
    ("passed", RunStatus::Succeeded),
    ("failed", RunStatus::Failed),
    ("skipped", RunStatus::Skipped),
    ("cancelled", RunStatus::Cancelled),
    ("pending", RunStatus::Pending),
]);

const APPROVAL_WORDS: Words<Word> =
    Words(&[("approve", Word::Approve), ("reject", Word::Reject), ("withdraw", Word::Withdraw)]);

impl<'de> Shape<'de> for Build {
    const WHAT: &'static str = "a build (an object)";
    const FIELDS: &'static [&'static str] =
        &["id", "digest", "version", "branch", "commit", "author", "contributors", "labels", "created"];
    const REQUIRED: &'static [&'static str] = &["id"];

    fn blank() -> Build {
        Build::default()
    }

    fn field<A: MapAccess<'de>>(&mut self, name: &str, slot: Slot<'_, A>) -> Result<(), A::Error> {
        match name {
            "id" => self.id = slot.need(Text)?.unwrap_or_default(),
            "digest" => self.digest = slot.maybe(Text)?,
            "version" => self.version = slot.maybe(Text)?,
            "branch" => self.branch = slot.maybe(Text)?,
            "commit" => self.commit = slot.maybe(Text)?,
            "author" => self.author = slot.maybe(Text)?,
            "contributors" => self.contributors = slot.maybe(Each(Text))?,
            "labels" => self.labels = slot.maybe(Each(Text))?,
            _ => self.created = slot.maybe(Time)?,
        }
        Ok(())
    }
}

impl<'de> Shape<'de> for Run {
    const WHAT: &'static str = "a run (an object)";
    const FIELDS: &'static [&'static str] = &["stage", "status", "at", "digest", "build"];
    const REQUIRED: &'static [&'static str] = &["stage", "status", "at"];

    fn blank() -> Run {
        Run::new("", RunStatus::Pending, chrono::DateTime::UNIX_EPOCH)
    }

    fn field<A: MapAccess<'de>>(&mut self, name: &str, slot: Slot<'_, A>) -> Result<(), A::Error> {
        match name {
            "stage" => self.stage = slot.need(Text)?.unwrap_or_default(),
            "status" => self.status = slot.need(STATUSES)?.unwrap_or(self.status),
            "at" => self.at = slot.need(Time)?.unwrap_or_default(),
            "digest" => self.digest = slot.maybe(Text)?,
            _ => self.build = slot.maybe(Text)?,
        }
        Ok(())
    }
}

impl<'de> Shape<'de> for Approval {
    const WHAT: &'static str = "an approval (an object)";
    const FIELDS: &'static [&'static str] = &["by", "decision", "at", "stage", "build", "digest", "comment"];
    const REQUIRED: &'static [&'static str] = &["by", "decision", "at"];

    fn blank() -> Approval {
        Approval::new("", Word::Withdraw, chrono::DateTime::UNIX_EPOCH)
    }

    fn field<A: MapAccess<'de>>(&mut self, name: &str, slot: Slot<'_, A>) -> Result<(), A::Error> {
        match name {
            "by" => self.by = slot.need(Text)?.unwrap_or_default(),
            "decision" => self.decision = slot.need(APPROVAL_WORDS)?.unwrap_or(self.decision),
            "at" => self.at = slot.need(Time)?.unwrap_or_default(),
            "stage" => self.stage = slot.maybe(Text)?,
            "build" => self.build = slot.maybe(Text)?,
            "digest" => self.digest = slot.maybe(Text)?,
            _ => self.comment = slot.maybe(Text)?,
        }
        Ok(())
    }
}

impl<'de> Shape<'de> for Invocation {
    const WHAT: &'static str = "an override (an object)";
    const FIELDS: &'static [&'static str] = &["name", "by", "at", "reason", "stage", "build", "digest"];
    const REQUIRED: &'static [&'static str] = &["name", "by", "at"];

    fn blank() -> Invocation {
        Invocation::new("", "", chrono::DateTime::UNIX_EPOCH)
    }

    fn field<A: MapAccess<'de>>(&mut self, name: &str, slot: Slot<'_, A>) -> Result<(), A::Error> {
        match name {
            "name" => self.name = slot.need(Text)?.unwrap_or_default(),
            "by" => self.by = slot.need(Text)?.unwrap_or_default(),
            "at" => self.at = slot.need(Time)?.unwrap_or_default(),
            "reason" => self.reason = slot.maybe(Text)?,
            "stage" => self.stage = slot.maybe(Text)?,
            "build" => self.build = slot.maybe(Text)?,
            _ => self.digest = slot.maybe(Text)?,
        }
        Ok(())
    }
}

/// A trigger while it is read: its kind may come after the field that belongs to it.
#[derive(Default)]
struct TriggerDraft {
    kind: Option<&'static str>,
    branch: Option<String>,
    by: Option<String>,
    of: Option<String>,
    name: Option<String>,
    at: Option<chrono::DateTime<chrono::Utc>>,
    fact: Option<TriggerFact>,
}

const KINDS: Words<&str> = Words(&[
    ("push", "push"),
    ("pull-request", "pull-request"),
    ("schedule", "schedule"),
    ("manual", "manual"),
    ("completion", "completion"),
    ("event", "event"),
]);

impl<'de> Shape<'de> for TriggerDraft {
    const WHAT: &'static str = "a trigger (an object)";
    const FIELDS: &'static [&'static str] = &["kind", "branch", "by", "of", "name", "at"];
    const REQUIRED: &'static [&'static str] = &["kind"];

    fn blank() -> TriggerDraft {
        TriggerDraft::default()
    }

    fn field<A: MapAccess<'de>>(&mut self, name: &str, slot: Slot<'_, A>) -> Result<(), A::Error> {
        match name {
            "kind" => self.kind = slot.need(KINDS)?,
            "branch" => self.branch = slot.maybe(Text)?,
            "by" => self.by = slot.maybe(Text)?,
            "of" => self.of = slot.maybe(Text)?,
            "name" => self.name = slot.maybe(Text)?,
            _ => self.at = slot.maybe(Time)?,
        }
        Ok(())
    }

    fn complete(mut self, reader: &Reader<'_, Object<TriggerDraft>>, seen: &dyn Fn(&str) -> bool) -> TriggerDraft {
        let Some(kind) = self.kind else { return self };
        let (own, fact) = match kind {
            "push" => ("branch", TriggerFact::Push { branch: self.branch.take() }),
            "pull-request" => ("branch", TriggerFact::PullRequest { branch: self.branch.take() }),
            "manual" => ("by", TriggerFact::Manual { by: self.by.take() }),
            "completion" => ("of", TriggerFact::Completion { of: self.of.take() }),
            "event" => ("name", TriggerFact::Event { name: self.name.take() }),
            _ => ("at", TriggerFact::Schedule { at: self.at }),
        };
        for field in Self::FIELDS.iter().filter(|field| **field != "kind" && **field != own && seen(field)) {
            let message = format!("does not belong to a trigger of kind `{kind}`");
            reader.note_field(field, |path| RequestProblem::new(ProblemKind::Conflict, path, message));
        }
        self.fact = Some(fact);
        self
    }
}

/// `current`: `null` is an empty stage.
#[derive(Clone, Copy)]
struct CurrentWant;

/// No occupant: the stage is empty.
#[derive(Default)]
struct CurrentDraft {
    occupant: Option<Occupant>,
    deploying: Option<Deploying>,
}

impl<'de> Want<'de> for CurrentWant {
    type Out = CurrentDraft;
    fn expected(&self) -> String {
        "the build that the stage runs (an object), or null".to_string()
    }
    fn null(self) -> Option<CurrentDraft> {
        Some(CurrentDraft::default())
    }
    fn map<A: MapAccess<'de>>(reader: Reader<'_, Self>, map: A) -> Result<Option<CurrentDraft>, A::Error> {
        Object::<CurrentDraft>::map(reader.instead(Object::new()), map)
    }
}

impl<'de> Shape<'de> for CurrentDraft {
    const WHAT: &'static str = "an object";
    const FIELDS: &'static [&'static str] = &["id", "digest", "version", "created", "at", "deploying"];
    const REQUIRED: &'static [&'static str] = &[];

    fn blank() -> CurrentDraft {
        CurrentDraft { occupant: Some(Occupant::default()), deploying: None }
    }

    fn field<A: MapAccess<'de>>(&mut self, name: &str, slot: Slot<'_, A>) -> Result<(), A::Error> {
        let occupant = self.occupant.get_or_insert_default();
        match name {
            "id" => occupant.id = slot.maybe(Text)?,
            "digest" => occupant.digest = slot.maybe(Text)?,
            "version" => occupant.version = slot.maybe(Text)?,
            "created" => occupant.created = slot.maybe(Time)?,
            "at" => occupant.at = slot.maybe(Time)?,
            _ => self.deploying = slot.need(DeployingWant)?,
        }
        Ok(())
    }
}

/// `deploying`: `null` is nothing.
#[derive(Clone, Copy)]
struct DeployingWant;

impl<'de> Want<'de> for DeployingWant {
    type Out = Deploying;
    fn expected(&self) -> String {
        "the id of a build (text), or null".to_string()
    }
    fn null(self) -> Option<Deploying> {
        Some(Deploying::Nothing)
    }
    fn text(reader: &Reader<'_, Self>, text: &str) -> Option<Deploying> {
        let _ = reader;
        Some(Deploying::Build(text.to_owned()))
    }
}
