//! `stagegate describe`: a policy in the words of those who live by it.

mod cron;
mod diagram;
mod model;
mod text;
mod words;

use crate::args::{Describe, Diagram, Global};
use crate::failure::Failure;
use crate::output::Output;
use crate::{files, when};

pub fn run(args: &Describe, global: &Global, output: &Output) -> Result<u8, Failure> {
    let policy = files::policy(&args.file, global)?;
    let after = match &args.after {
        Some(after) => when::parse("--after", after, when::zone(&policy))?,
        None => when::now(),
    };
    let graph = model::graph(&policy);
    match (args.diagram, output.is_json()) {
        (Some(kind), json) => {
            let diagram = match kind {
                Diagram::Text => graph.text(output.width()),
                Diagram::Mermaid => graph.mermaid(),
            };
            if json {
                #[derive(serde::Serialize)]
                struct Json {
                    diagram: String,
                }
                output.json(&Json { diagram })?;
            } else {
                output.raw(&diagram)?;
            }
        }
        (None, json) => {
            let description = model::describe(&policy, &args.file, after);
            if json {
                output.json(&description)?;
            } else {
                output.text(&text::page(&description, &graph, output))?;
            }
        }
    }
    Ok(0)
}
