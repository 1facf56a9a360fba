//! Pictures, drawn so that they follow the width of the page: lengths across are percentages, texts keep their size.

use std::fmt::Write;

use super::html::escape;

/// A stacked column: what it stands for, and how much of each colour, the lowest first.
pub(super) struct Column {
    /// For who points at it.
    pub title: String,
    /// Under it, where there is room.
    pub label: String,
    pub parts: Vec<(&'static str, u64)>,
}

impl Column {
    fn total(&self) -> u64 {
        self.parts.iter().map(|(_, count)| count).sum()
    }
}

/// Columns side by side, with the greatest number on the left and a few labels below.
pub(super) fn columns(says: &str, columns: &[Column], height: u32, every_label: bool) -> String {
    let most = columns.iter().map(Column::total).max().unwrap_or(0).max(1);
    let width = 100.0 / columns.len().max(1) as f64;
    // A single column would fill the page.
    let width = width.min(12.0);
    let (top, bottom) = (16_u32, 20_u32);
    let mut out = format!(
        "<svg role=\"img\" aria-label=\"{}\" height=\"{}\">\n",
        escape(says),
        height.saturating_add(top).saturating_add(bottom)
    );
    let base = top + height;
    let _ = writeln!(
        out,
        "<line x1=\"0\" x2=\"100%\" y1=\"{base}\" y2=\"{base}\"/><line x1=\"0\" x2=\"100%\" y1=\"{top}\" y2=\"{top}\" \
         stroke-dasharray=\"2 4\"/><text x=\"0\" y=\"{}\">{most}</text>",
        top - 4
    );
    let step = columns.len().div_ceil(if every_label { columns.len().max(1) } else { 6 }).max(1);
    for (index, column) in columns.iter().enumerate() {
        let x = index as f64 * width;
        let mut y = f64::from(base);
        let _ = write!(out, "<g><title>{}</title>", escape(&column.title));
        // The whole height, so that a small column can be pointed at.
        let _ = write!(
            out,
            "<rect x=\"{x:.3}%\" y=\"{top}\" width=\"{width:.3}%\" height=\"{height}\" fill=\"transparent\"/>"
        );
        for (colour, count) in column.parts.iter().filter(|(_, count)| *count > 0) {
            // What is there is seen, however small.
            let tall = (*count as f64 / most as f64 * f64::from(height)).max(1.5);
            y -= tall;
            let _ = write!(
                out,
                "<rect class=\"{colour}\" x=\"{:.3}%\" y=\"{y:.1}\" width=\"{:.3}%\" height=\"{tall:.1}\"/>",
                x + width * 0.1,
                width * 0.8
            );
        }
        out.push_str("</g>\n");
        // The last label is left out where it would run over the edge.
        if index.is_multiple_of(step) && (every_label || x <= 90.0) {
            let (at, anchor) = if every_label { (x + width / 2.0, "middle") } else { (x + width * 0.1, "start") };
            let _ = writeln!(
                out,
                "<text x=\"{at:.3}%\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                base + 15,
                escape(&column.label)
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

/// One bar of stacked parts, against the greatest of all bars.
pub(super) fn bar(says: &str, parts: &[(&'static str, u64)], most: u64) -> String {
    let mut out = format!("<svg role=\"img\" aria-label=\"{}\" height=\"12\">", escape(says));
    let mut x = 0.0;
    for (colour, count) in parts.iter().filter(|(_, count)| *count > 0) {
        let width = *count as f64 / most.max(1) as f64 * 100.0;
        let _ = write!(
            out,
            "<rect class=\"{colour}\" x=\"{x:.3}%\" y=\"1\" width=\"{:.3}%\" height=\"10\"/>",
            width.max(0.3)
        );
        x += width;
    }
    out.push_str("</svg>");
    out
}
