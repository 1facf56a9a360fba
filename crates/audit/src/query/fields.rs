//! The fields of a record that a question can ask about.

use chrono::{DateTime, Utc};
use stagegate::{Action, Current, Occupant, TriggerFact, Value, Verdict};

use crate::Record;

/// A field with a fixed meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Known {
    Verdict,
    Stage,
    Policy,
    PolicyDigest,
    PolicyLanguage,
    BuildId,
    BuildDigest,
    BuildVersion,
    BuildBranch,
    BuildCommit,
    BuildAuthor,
    BuildContributors,
    BuildLabels,
    BuildCreated,
    BuildAge,
    Trigger,
    Action,
    Requester,
    AskedBy,
    At,
    Recorded,
    Id,
    Engine,
    Tzdb,
    CurrentId,
    CurrentVersion,
    CurrentDigest,
    CurrentCreated,
    CurrentAt,
    CurrentAge,
    Blocking,
    Approvers,
    Overrides,
    Reviewed,
    Reviewers,
    Withheld,
    IgnoredFacts,
    AllowedAt,
    ValidUntil,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    /// One of those that every record can have.
    Known(Known),
    /// A fact of the request: its name, then the keys of the maps in it.
    Fact(Vec<String>),
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// One of these words.
    Enum(&'static [&'static str]),
    Text,
    Version,
    Time,
    Duration,
    Number,
    Bool,
    /// A set of texts.
    Set,
    /// Whatever the request gave; the log does not know the policy's declaration.
    Fact,
}

impl Type {
    /// In words.
    pub fn named(self) -> &'static str {
        match self {
            Type::Enum(_) => "a word",
            Type::Text => "a text",
            Type::Version => "a version",
            Type::Time => "a time",
            Type::Duration => "a duration",
            Type::Number => "a number",
            Type::Bool => "a bool",
            Type::Set => "a set",
            Type::Fact => "a fact",
        }
    }
}

pub(crate) const VERDICTS: &[&str] = &["allow", "hold", "deny"];
pub(crate) const TRIGGERS: &[&str] = &["push", "pull-request", "manual", "completion", "event", "schedule"];
pub(crate) const ACTIONS: &[&str] = &["promote", "redeploy", "rollback"];
pub(crate) const STATUSES: &[&str] =
    &["met", "unmet", "waiting", "awaiting", "unknown", "not-applicable", "overridden"];

/// Every name of a field, what it means and what it holds. The first name of a field is the one that is printed.
pub(crate) const FIELDS: &[(&str, Known, Type)] = &[
    ("verdict", Known::Verdict, Type::Enum(VERDICTS)),
    ("stage", Known::Stage, Type::Text),
    ("policy", Known::Policy, Type::Text),
    ("policy.name", Known::Policy, Type::Text),
    ("policy.digest", Known::PolicyDigest, Type::Text),
    ("policy.language", Known::PolicyLanguage, Type::Number),
    ("build", Known::BuildId, Type::Text),
    ("build.id", Known::BuildId, Type::Text),
    ("build.digest", Known::BuildDigest, Type::Text),
    ("build.version", Known::BuildVersion, Type::Version),
    ("build.branch", Known::BuildBranch, Type::Text),
    ("build.commit", Known::BuildCommit, Type::Text),
    ("author", Known::BuildAuthor, Type::Text),
    ("build.author", Known::BuildAuthor, Type::Text),
    ("build.contributors", Known::BuildContributors, Type::Set),
    ("build.labels", Known::BuildLabels, Type::Set),
    ("build.created", Known::BuildCreated, Type::Time),
    ("build.age", Known::BuildAge, Type::Duration),
    ("trigger", Known::Trigger, Type::Enum(TRIGGERS)),
    ("action", Known::Action, Type::Enum(ACTIONS)),
    ("requester", Known::Requester, Type::Text),
    ("asked-by", Known::AskedBy, Type::Text),
    ("at", Known::At, Type::Time),
    ("recorded", Known::Recorded, Type::Time),
    ("id", Known::Id, Type::Text),
    ("engine", Known::Engine, Type::Version),
    ("tzdb", Known::Tzdb, Type::Text),
    ("current.id", Known::CurrentId, Type::Text),
    ("current.version", Known::CurrentVersion, Type::Version),
    ("current.digest", Known::CurrentDigest, Type::Text),
    ("current.created", Known::CurrentCreated, Type::Time),
    ("current.at", Known::CurrentAt, Type::Time),
    ("current.age", Known::CurrentAge, Type::Duration),
    ("blocking", Known::Blocking, Type::Set),
    ("approvers", Known::Approvers, Type::Set),
    ("overrides", Known::Overrides, Type::Set),
    ("reviewed", Known::Reviewed, Type::Bool),
    ("reviewers", Known::Reviewers, Type::Set),
    ("withheld", Known::Withheld, Type::Set),
    ("ignored-facts", Known::IgnoredFacts, Type::Set),
    ("allowed-at", Known::AllowedAt, Type::Time),
    ("valid-until", Known::ValidUntil, Type::Time),
];

/// The field of that name.
pub(crate) fn known(name: &str) -> Option<(Known, Type)> {
    FIELDS.iter().find(|(known, ..)| *known == name).map(|(_, known, ty)| (*known, *ty))
}

impl Field {
    /// What it holds.
    pub fn ty(&self) -> Type {
        match self {
            Field::Fact(_) => Type::Fact,
            Field::Known(known) => {
                FIELDS.iter().find(|(_, other, _)| other == known).map_or(Type::Fact, |(_, _, ty)| *ty)
            }
        }
    }

    /// Its name, as one would write it.
    pub fn name(&self) -> String {
        match self {
            Field::Fact(parts) => format!("fact.{}", parts.join(".")),
            Field::Known(known) => {
                FIELDS.iter().find(|(_, other, _)| other == known).map_or("", |(name, ..)| name).to_string()
            }
        }
    }
}

/// A decision with what is known of it from elsewhere in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'r> {
    pub record: &'r Record,
    /// Who has reviewed it, each once.
    pub reviewers: &'r [String],
}

/// The value of a field in one record.
#[derive(Clone, Debug)]
pub(crate) enum Val<'r> {
    /// Not supplied, or null.
    Missing,
    /// Supplied, and not to be seen.
    Withheld,
    Bool(bool),
    Number(f64),
    Text(&'r str),
    Own(String),
    /// A bare word of the question: perhaps a status.
    Word(&'r str),
    /// Nanoseconds since 1970.
    Time(i64),
    /// Nanoseconds.
    Duration(i64),
    Version(semver::Version),
    Set(Vec<&'r str>),
    Fact(&'r Value),
}

/// Nanoseconds since 1970; instants of a record lie in the years 1970 to 2200.
pub(crate) fn nanos(at: DateTime<Utc>) -> i64 {
    at.timestamp_nanos_opt().unwrap_or(if at.timestamp() < 0 { i64::MIN } else { i64::MAX })
}

pub(crate) fn trigger(trigger: &TriggerFact) -> &'static str {
    match trigger {
        TriggerFact::Push { .. } => "push",
        TriggerFact::PullRequest { .. } => "pull-request",
        TriggerFact::Manual { .. } => "manual",
        TriggerFact::Completion { .. } => "completion",
        TriggerFact::Event { .. } => "event",
        TriggerFact::Schedule { .. } => "schedule",
    }
}

pub(crate) fn action(action: Action) -> &'static str {
    match action {
        Action::Promote => "promote",
        Action::Redeploy => "redeploy",
        Action::Rollback => "rollback",
    }
}

/// Who asks: else the person of a manual trigger.
pub(crate) fn requester(record: &Record) -> Option<&str> {
    let of_trigger = match &record.request.trigger {
        Some(TriggerFact::Manual { by }) => by.as_deref(),
        _ => None,
    };
    record.request.requester.as_deref().or(of_trigger)
}

/// The people whose approval counts for some rule, each once, in the order of the rules.
pub(crate) fn approvers(record: &Record) -> Vec<&str> {
    let counted = record.decision.rules().iter().filter_map(|rule| rule.counted.as_deref()).flatten();
    each_once(counted.map(String::as_str))
}

fn each_once<'r>(items: impl Iterator<Item = &'r str>) -> Vec<&'r str> {
    let mut out: Vec<&str> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

fn text(text: Option<&str>) -> Val<'_> {
    text.map_or(Val::Missing, Val::Text)
}

fn time<'r>(at: Option<DateTime<Utc>>) -> Val<'r> {
    at.map_or(Val::Missing, |at| Val::Time(nanos(at)))
}

fn age<'r>(now: DateTime<Utc>, since: Option<DateTime<Utc>>) -> Val<'r> {
    since.map_or(Val::Missing, |since| Val::Duration(nanos(now).saturating_sub(nanos(since))))
}

fn version(text: Option<&str>) -> Val<'_> {
    match text {
        None => Val::Missing,
        Some(text) => text.parse().map_or(Val::Text(text), Val::Version),
    }
}

fn set<'r>(items: impl IntoIterator<Item = &'r String>) -> Val<'r> {
    Val::Set(each_once(items.into_iter().map(String::as_str)))
}

impl<'r> Row<'r> {
    /// The value of a field.
    pub fn value(&self, field: &Field) -> Val<'r> {
        match field {
            Field::Known(known) => self.known(*known),
            Field::Fact(path) => self.fact(path),
        }
    }

    fn fact(&self, path: &[String]) -> Val<'r> {
        let Some((name, keys)) = path.split_first() else { return Val::Missing };
        let Some(value) = self.record.request.facts.get(name) else { return Val::Missing };
        if self.record.withheld.contains(name) {
            return Val::Withheld;
        }
        let found = keys.iter().try_fold(value, |value, key| match value {
            Value::Map(map) => map.get(key),
            _ => None,
        });
        match found {
            None | Some(Value::Null) => Val::Missing,
            Some(value) => Val::Fact(value),
        }
    }

    fn known(&self, known: Known) -> Val<'r> {
        let Record { id, recorded, asked_by, engine, tzdb, withheld, request, decision } = self.record;
        let build = &request.build;
        let current = match &request.current {
            Current::Build(occupant) => Some(&**occupant),
            _ => None,
        };
        let of = |part: fn(&Occupant) -> Option<&str>| current.and_then(part);
        let at = decision.at();
        match known {
            Known::Verdict => Val::Text(match decision.verdict() {
                Verdict::Allow => "allow",
                Verdict::Hold => "hold",
                Verdict::Deny => "deny",
            }),
            Known::Stage => Val::Text(decision.stage()),
            Known::Policy => Val::Text(&decision.policy().name),
            Known::PolicyDigest => Val::Text(&decision.policy().digest),
            Known::PolicyLanguage => Val::Number(f64::from(decision.policy().language)),
            Known::BuildId => Val::Text(&build.id),
            Known::BuildDigest => text(build.digest.as_deref()),
            Known::BuildVersion => version(build.version.as_deref()),
            Known::BuildBranch => text(build.branch.as_deref()),
            Known::BuildCommit => text(build.commit.as_deref()),
            Known::BuildAuthor => text(build.author.as_deref()),
            Known::BuildContributors => build.contributors.as_ref().map_or(Val::Missing, set),
            Known::BuildLabels => build.labels.as_ref().map_or(Val::Missing, set),
            Known::BuildCreated => time(build.created),
            Known::BuildAge => age(at, build.created),
            Known::Trigger => text(request.trigger.as_ref().map(trigger)),
            Known::Action => Val::Text(action(request.action.unwrap_or_default())),
            Known::Requester => text(requester(self.record)),
            Known::AskedBy => text(asked_by.as_deref()),
            Known::At => Val::Time(nanos(at)),
            Known::Recorded => Val::Time(nanos(*recorded)),
            Known::Id => Val::Own(id.to_string()),
            Known::Engine => version(Some(engine)),
            Known::Tzdb => Val::Text(tzdb),
            Known::CurrentId => text(of(|current| current.id.as_deref())),
            Known::CurrentVersion => version(of(|current| current.version.as_deref())),
            Known::CurrentDigest => text(of(|current| current.digest.as_deref())),
            Known::CurrentCreated => time(current.and_then(|current| current.created)),
            Known::CurrentAt => time(current.and_then(|current| current.at)),
            Known::CurrentAge => age(at, current.and_then(|current| current.at)),
            Known::Blocking => set(decision.blocking()),
            Known::Approvers => Val::Set(approvers(self.record)),
            Known::Overrides => set(decision.overrides().iter().filter(|one| one.in_force).map(|one| &one.name)),
            Known::Reviewed => Val::Bool(!self.reviewers.is_empty()),
            Known::Reviewers => set(self.reviewers),
            Known::Withheld => set(withheld),
            Known::IgnoredFacts => set(decision.ignored_facts()),
            Known::AllowedAt => time(decision.allowed_at()),
            Known::ValidUntil => time(decision.valid_until()),
        }
    }
}
