//! `stagegate completions`, `man` and `schema`

use clap::CommandFactory;
use serde::Serialize;

use crate::args::{Args, Completions, Schema, Which};
use crate::failure::{Failure, Kind};
use crate::output::Output;

pub fn completions(args: &Completions, output: &Output) -> Result<u8, Failure> {
    // Written to memory first: clap_complete panics on a pipe that is closed.
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "stagegate", &mut bytes);
    let script = String::from_utf8_lossy(&bytes).into_owned();
    if output.is_json() {
        #[derive(Serialize)]
        struct Json {
            shell: String,
            script: String,
        }
        output.json(&Json { shell: args.shell.to_string(), script })?;
    } else {
        output.raw(&script)?;
    }
    Ok(0)
}

pub fn man(output: &Output) -> Result<u8, Failure> {
    let page = page().map_err(|error| Failure::new(Kind::File, format!("the man page cannot be made: {error}")))?;
    if output.is_json() {
        #[derive(Serialize)]
        struct Json {
            man: String,
        }
        output.json(&Json { man: page })?;
    } else {
        output.raw(&page)?;
    }
    Ok(0)
}

/// One page for the whole command line: each command is a section of it.
fn page() -> std::io::Result<String> {
    let mut command = Args::command();
    command.build();
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    page.extend_from_slice(b".SH COMMANDS\n");
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        // What all commands share was said above.
        let own = sub.clone().mut_args(|arg| {
            let shared = ["format", "color", "quiet", "root", "help", "version"].contains(&arg.get_id().as_str());
            if shared { arg.hide(true) } else { arg }
        });
        let man = clap_mangen::Man::new(own);
        let mut part = Vec::new();
        man.render_synopsis_section(&mut part)?;
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        man.render_extra_section(&mut part)?;
        page.extend_from_slice(format!(".SS \"{}\"\n", sub.get_name()).as_bytes());
        for line in String::from_utf8_lossy(&part).lines() {
            match line.strip_prefix(".SH ") {
                Some("SYNOPSIS") => {}
                Some("DESCRIPTION" | "OPTIONS" | "EXTRA") => page.extend_from_slice(b".PP\n"),
                _ => page.extend_from_slice(format!("{line}\n").as_bytes()),
            }
        }
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    // Each part begins with the same definition of a quotation mark; once is enough.
    let page = String::from_utf8_lossy(&page).into_owned();
    let mut seen = std::collections::HashSet::new();
    let lines =
        page.lines().filter(|line| !line.starts_with(".ie ") && !line.starts_with(".el ") || seen.insert(*line));
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

pub fn schema(args: &Schema, output: &Output) -> Result<u8, Failure> {
    output.raw(&match args.which {
        Which::Request => stagegate::schema::request(),
        Which::Decision => stagegate::schema::decision(),
    })?;
    Ok(0)
}
