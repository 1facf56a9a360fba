//! `stagegate cases`

use serde::Serialize;
use serde_json::value::RawValue;
use stagegate::suite::{self, BoundaryCase};
use stagegate::{Decision, Request, Verdict};

use crate::args::{Cases, Global};
use crate::failure::{Failure, Kind};
use crate::files;
use crate::output::{Output, plain};

#[derive(Serialize)]
struct Json<'a> {
    stage: &'a str,
    usual: Box<RawValue>,
    decision: &'a Decision,
    cases: Vec<CaseJson<'a>>,
}

#[derive(Serialize)]
struct CaseJson<'a> {
    name: &'a str,
    rule: Option<&'a str>,
    request: Box<RawValue>,
    decision: &'a Decision,
    test: &'a str,
}

pub fn run(args: &Cases, global: &Global, output: &Output) -> Result<u8, Failure> {
    let policy = files::policy(&args.policy, global)?;
    let stage = |error| {
        let stages: Vec<&str> = policy.stages().collect();
        let failure = Failure::new(Kind::Stage, format!("{error}"));
        failure.help(format!("the stages are {}", stages.join(", ")))
    };
    let mut boundaries = suite::boundaries(&policy, &args.stage).map_err(stage)?;
    if let Some(rule) = &args.rule {
        if boundaries.decision.rule(rule).is_none() {
            return Err(Failure::new(Kind::Usage, format!("{} has no rule `{}`", args.stage, plain(rule))));
        }
        boundaries.cases.retain(|case| case.rule.as_deref() == Some(rule.as_str()));
    }
    if boundaries.decision.verdict() != Verdict::Allow {
        let blocking = boundaries.decision.blocking().join(", ");
        output.note(&format!(
            "note: no request was found that {} lets in; the cases depart from one that {blocking} still blocks\n",
            args.stage
        ));
    }
    if !output.is_json() {
        output.raw(&boundaries.text())?;
        return Ok(0);
    }
    let case = |case: &'_ BoundaryCase| -> Result<Box<RawValue>, Failure> { raw(&case.request) };
    let mut cases = Vec::new();
    for of in &boundaries.cases {
        cases.push(CaseJson {
            name: &of.name,
            rule: of.rule.as_deref(),
            request: case(of)?,
            decision: &of.decision,
            test: &of.block,
        });
    }
    let usual = raw(&boundaries.usual)?;
    output.json(&Json { stage: &boundaries.stage, usual, decision: &boundaries.decision, cases })?;
    Ok(0)
}

fn raw(request: &Request) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(request.to_json())
        .map_err(|error| Failure::new(Kind::File, format!("a request cannot be written as JSON: {error}")))
}
