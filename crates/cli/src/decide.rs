//! `stagegate decide`

use stagegate::{Decided, Style, Verdict};

use crate::args::{Decide, Global};
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::{audit, files, when};

pub fn run(args: &Decide, global: &Global, output: &Output) -> Result<u8, Failure> {
    files::not_both_stdin(&args.policy, &args.request)?;
    let policy = files::policy(&args.policy, global)?;
    let named = files::request(&args.request)?;
    let mut request = named.request;
    if let Some(at) = &args.at {
        request.now = Some(when::parse("--at", at, when::zone(&policy))?);
    }
    request.now = request.now.or_else(|| Some(when::now()));
    let decision = policy.decide(&request).map_err(|error| Failure::request(&named.name, &error))?;
    if let Some(log) = &args.log {
        audit::record::record(log, args, &Decided::new(&policy, &request, &decision))?;
    }
    if output.is_json() {
        output.raw(&(decision.to_json_pretty() + "\n"))?;
    } else if output.quiet {
        let paint = paint(decision.verdict());
        output.text(&(paint.on(decision.verdict().as_str(), output.colour) + "\n"))?;
    } else {
        output.text(&decision.render(&Style { colour: output.colour, width: output.width() }))?;
    }
    Ok(match decision.verdict() {
        Verdict::Allow => 0,
        Verdict::Deny => 1,
        Verdict::Hold => 3,
    })
}

pub fn paint(verdict: Verdict) -> Paint {
    match verdict {
        Verdict::Allow => Paint::Green,
        Verdict::Deny => Paint::Red,
        Verdict::Hold => Paint::Yellow,
    }
}
