//! `stagegate audit attest`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use stagegate_audit::{Envelope, Id, Log, LogError, SignerKey};

use crate::failure::Failure;
use crate::output::Output;

/// One decision as a signed in-toto attestation (SLSA Verification Summary)
///
/// Tools that know in-toto and SLSA then know that a build passed (allow) or failed (hold, deny). The build's digest has to be
/// in the request that was decided.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:
  stagegate audit attest decisions.log 0199b4e2-55d0-7c4e-8f0a-2b6f2f0d4c11 --key release.key --out build.intoto.jsonl\n
It prints a DSSE envelope, one line of JSON, in either format.")]
pub struct Attest {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The record of the decision
    #[arg(value_name = "ID")]
    id: Id,
    /// The private key that signs it, of `audit key new`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Who decides, as those who read it expect; the key's name after https:// if that begins with a domain
    #[arg(long, value_name = "URI")]
    verifier: Option<String>,
    /// What the artifact is, as those who read it expect; stagegate:POLICY/STAGE/BUILD if not given
    #[arg(long, value_name = "URI")]
    resource: Option<String>,
    /// Write it to this file, which must not exist, and not to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(args: &Attest, output: &Output) -> Result<u8, Failure> {
    let line = attest(args).map_err(|error| Failure::log(&error))?.to_json() + "\n";
    super::file::deliver(args.out.as_deref(), &line, output)?;
    if output.is_json() {
        output.raw(&line)?;
    }
    Ok(0)
}

fn attest(args: &Attest) -> Result<Envelope, LogError> {
    let log = Log::read(&args.log)?;
    let key = SignerKey::read(&args.key)?;
    let stored = log.find(args.id)?.ok_or_else(|| LogError::NoRecord(args.id.to_string()))?;
    let verifier = match &args.verifier {
        Some(verifier) => verifier.clone(),
        None if key.name().split('/').next().is_some_and(|host| host.contains('.')) => {
            format!("https://{}", key.name())
        }
        None => {
            let why = "does not begin with a domain, so that it is no URI; name who decides with --verifier";
            return Err(LogError::Invalid(format!("the key's name, {}, {why}", key.name())));
        }
    };
    Envelope::of(&stored, &verifier, args.resource.as_deref(), &key)
}
