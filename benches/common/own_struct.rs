//! The request as an embedder's own struct.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use stagegate::{Approval, Facts, Run, RunStatus, TriggerFact, Word};

use super::mixed::Promotion;

/// What a deployment tool knows.
#[derive(Facts)]
pub struct Change {
    pub stage: String,
    pub now: DateTime<Utc>,
    pub trigger: TriggerFact,
    #[facts("build.id")]
    pub id: String,
    #[facts("build.branch")]
    pub branch: String,
    #[facts("build.author")]
    pub author: String,
    #[facts("build.labels")]
    pub labels: Vec<String>,
    #[facts("current.id")]
    pub current: String,
    pub history: Vec<Run>,
    pub approvals: Vec<Approval>,
    pub coverage: f64,
    pub checks: BTreeMap<String, RunStatus>,
    #[facts(skip)]
    #[allow(dead_code)]
    pub note: &'static str,
}

impl Change {
    pub fn of(promotion: &Promotion) -> Change {
        let time = |at: i64| DateTime::from_timestamp(at, 0).unwrap();
        let status = |word: &str| if word == "failed" { RunStatus::Failed } else { RunStatus::Succeeded };
        Change {
            stage: promotion.stage.into(),
            now: time(promotion.now),
            trigger: match promotion.trigger {
                "push" => TriggerFact::Push { branch: Some(promotion.branch.clone()) },
                "schedule" => TriggerFact::Schedule { at: None },
                _ => TriggerFact::Manual { by: promotion.by.map(String::from) },
            },
            id: promotion.id.clone(),
            branch: promotion.branch.clone(),
            author: promotion.author.into(),
            labels: promotion.labels.clone(),
            current: promotion.current.clone(),
            history: promotion.history.iter().map(|(s, word, at)| Run::new(*s, status(word), time(*at))).collect(),
            approvals: promotion
                .approvals
                .iter()
                .map(|(by, at)| Approval::new(*by, Word::Approve, time(*at)))
                .collect(),
            coverage: promotion.coverage,
            checks: promotion.checks.iter().map(|(name, word)| (name.clone(), status(word))).collect(),
            note: "not for the policy",
        }
    }
}
