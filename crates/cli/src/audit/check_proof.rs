//! `stagegate audit check-proof`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::Serialize;
use stagegate_audit::{
    Attested, Checkpoint, ConsistencyProof, Entry, Envelope, InclusionProof, LogError, Trust, VerifierKey,
};

use crate::failure::{Failure, Kind};
use crate::output::{Output, plain};

/// Check a proof or an attestation, without the log
///
/// What is proven: that the record is in the log, or that the log only grew, or that the attestation is genuine. Whether the
/// record or the attestation says what one hoped for is another question: a denial can be proven too.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:
  stagegate audit check-proof qa.tlog-proof --key example.com/releases+1f2e3d4c+AeB…\n
JSON: {proven, kind, …}; kind inclusion with origin, size, index, record; consistency with origin, from, to; attestation with
what it says. Not proven: {proven: false, why}.
Exit: 0 proven, 1 not proven, 2 it cannot be read.")]
pub struct CheckProof {
    /// The proof or the attestation
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The verifier key that you trust, or a file of them, one a line
    #[arg(long, value_name = "KEY|FILE", required_unless_present = "checkpoint")]
    key: Option<String>,
    /// A checkpoint that you have kept: the proof has to be for this one (of two, the earlier), whoever signed it
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    checkpoint: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Found {
    Inclusion { origin: String, size: u64, index: u64, record: Box<serde_json::value::RawValue> },
    Consistency { origin: String, from: u64, to: u64 },
    Attestation(Attested),
}

#[derive(Serialize)]
struct Proven {
    proven: bool,
    #[serde(flatten)]
    found: Found,
}

pub fn run(args: &CheckProof, output: &Output) -> Result<u8, Failure> {
    let text = super::file::read(&args.file)?;
    let kept = args.checkpoint.as_deref().map(super::file::read).transpose()?;
    match check(args, &text, kept.as_deref()) {
        Ok(found) => show(found, output),
        Err(error @ LogError::NotProven(_)) => not_proven(&error, output),
        Err(error) => Err(Failure::new(Kind::File, format!("{}: {error}", args.file.display()))),
    }
}

fn check(args: &CheckProof, text: &str, kept: Option<&str>) -> Result<Found, LogError> {
    let keys = args.key.as_deref().map(VerifierKey::given).transpose()?.unwrap_or_default();
    let kept = kept.map(Checkpoint::parse_unsigned).transpose()?;
    let trust = kept.as_ref().map_or(Trust::Keys(&keys), Trust::Kept);
    if !text.starts_with('{') {
        let proof = InclusionProof::parse(text)?;
        let point = proof.verify(trust)?;
        let no_json = |error| LogError::Invalid(format!("the record in it is no JSON: {error}"));
        let record = serde_json::value::RawValue::from_string(proof.line).map_err(no_json)?;
        return Ok(Found::Inclusion { origin: point.origin, size: point.size, index: proof.index, record });
    }
    // Which JSON it is, by what only an envelope has.
    if serde_json::from_str::<serde_json::Value>(text).is_ok_and(|json| json.get("payloadType").is_some()) {
        if kept.is_some() {
            return Err(LogError::Invalid("an attestation is checked by a key, and not by a checkpoint".into()));
        }
        return Ok(Found::Attestation(Envelope::parse(text)?.verify(&keys)?));
    }
    let (from, to) = ConsistencyProof::parse(text)?.verify(trust)?;
    Ok(Found::Consistency { origin: to.origin, from: from.size, to: to.size })
}

fn show(found: Found, output: &Output) -> Result<u8, Failure> {
    if output.is_json() {
        output.json(&Proven { proven: true, found })?;
        return Ok(0);
    }
    let text = match found {
        Found::Inclusion { origin, size, index, record } => {
            let said = said(record.get()).unwrap_or_default();
            let origin = plain(&origin);
            format!("proven: record {index} of the first {size} of {origin}\n{said}{}\n", plain(record.get()))
        }
        Found::Consistency { origin, from, to } => {
            format!("proven: {}, at {from} records and at {to}, only grew\n", plain(&origin))
        }
        Found::Attestation(says) => {
            let Attested { signed_by, subject, digest, resource, verifier, result, .. } = &says;
            let mut text = format!("genuine: signed by {}\n", plain(signed_by));
            let time = says.time.map(|time| time.to_rfc3339()).unwrap_or_default();
            let rows = [("build", subject), ("digest", digest), ("resource", resource), ("verifier", verifier)];
            for (what, value) in rows.into_iter().chain([("time", &time), ("result", result)]) {
                text.push_str(&format!("  {what:<9} {}\n", plain(value)));
            }
            text
        }
    };
    output.text(&text)?;
    Ok(0)
}

/// A record in a line, if it is one that this version reads.
fn said(record: &str) -> Option<String> {
    let Ok(Entry::Decision(record)) = Entry::from_json(record) else { return None };
    let decision = &record.decision;
    let verdict = format!("{:?}", decision.verdict()).to_lowercase();
    let (build, stage, at) = (decision.build(), decision.stage(), decision.at().to_rfc3339());
    Some(format!("  {verdict}: build {} for {} at {at}\n", plain(build), plain(stage)))
}

/// It could be read, and it does not hold.
pub fn not_proven(error: &LogError, output: &Output) -> Result<u8, Failure> {
    #[derive(Serialize)]
    struct NotProven {
        proven: bool,
        why: String,
    }
    match output.is_json() {
        true => output.json(&NotProven { proven: false, why: error.to_string() })?,
        false => output.text(&format!("not proven: {}\n", plain(&error.to_string())))?,
    }
    Ok(1)
}
