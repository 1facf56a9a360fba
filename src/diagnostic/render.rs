//! Diagnostics as text, in the manner of rustc.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Severity, SourceId, Sources};

/// Renders one diagnostic with its places in the source; with terminal colours if `colour`.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    for source in files(diagnostic) {
        group = snippet(group, diagnostic, sources, source);
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// The files that its labels are in, the primary one first.
fn files(diagnostic: &Diagnostic) -> Vec<SourceId> {
    let mut files: Vec<SourceId> = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.source) {
            files.push(label.span.source);
        }
    }
    files
}

fn snippet<'a>(group: Group<'a>, diagnostic: &'a Diagnostic, sources: &'a Sources, id: SourceId) -> Group<'a> {
    let Some(source) = sources.get(id) else {
        return group;
    };
    let text = source.text.as_str();
    let mut snippet = Snippet::source(text).path(source.name.as_str()).fold(true);
    for label in diagnostic.labels.iter().filter(|l| l.span.source == id) {
        let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let start = floor(text, label.span.start as usize);
        let end = floor(text, label.span.end as usize).max(start);
        let annotation = kind.span(start..end);
        snippet = snippet.annotation(match label.text.as_str() {
            "" => annotation,
            words => annotation.label(words),
        });
    }
    group.element(snippet)
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
