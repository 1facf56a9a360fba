//! `stagegate mutate`

use stagegate::Limits;
use stagegate::suite::{self, MutateOptions, Problem};

use crate::args::{Global, Mutate};
use crate::failure::Failure;
use crate::output::Output;

pub fn run(args: &Mutate, global: &Global, output: &Output) -> Result<u8, Failure> {
    let mut found = suite::discover(&args.paths, global.root.as_deref(), &Limits::default());
    let options = MutateOptions { jobs: args.jobs, search: args.search };
    let mut done = Vec::new();
    for suite in &found.suites {
        match suite::mutate(suite, &options) {
            Ok(mutation) => done.push(mutation),
            Err(message) => found.problems.push(Problem { file: suite.file().to_string(), message }),
        }
    }
    if output.is_json() {
        output.json(&done)?;
    } else if args.tests {
        output.raw(&done.iter().map(suite::Mutation::tests).collect::<Vec<_>>().join("\n"))?;
    } else {
        output.text(&done.iter().map(suite::Mutation::text).collect::<String>())?;
    }
    if found.suites.is_empty() && found.problems.is_empty() {
        found.problems.push(Problem { file: "nothing".into(), message: "there is no policy there".into() });
    }
    crate::test::problems(&found, output);
    if !found.problems.is_empty() {
        return Ok(2);
    }
    Ok(u8::from(done.iter().any(|mutation| mutation.percent() < args.threshold)))
}
