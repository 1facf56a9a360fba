//! The pipeline as a diagram: stages in columns, arrows between them.
//!
//! A stage stands one column right of the last of those it comes after. An arrow over several columns passes through a
//! blank cell in each. Between two columns every group of arrows with the same targets has a vertical line of its own;
//! those lines are ordered so that two groups never share a piece of line before they part or after they have met.
//! Where no such order exists, or the page is too narrow, the arrows are listed instead.

use std::collections::{BTreeMap, BTreeSet};

/// Larger pipelines are listed: nobody could read the drawing.
const MAX_STAGES: usize = 100;
const MAX_EDGES: usize = 300;

/// Which stages come after which: by index into the names.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub names: Vec<String>,
    pub edges: Vec<Edge>,
}

/// One stage comes after another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    /// Whether another one would do as well.
    pub any: bool,
    /// What is to be said of it: an outcome, a soak.
    pub label: String,
}

impl Graph {
    /// For a terminal. Ends with a line end.
    pub fn text(&self, width: usize) -> String {
        let small = self.names.len() <= MAX_STAGES && self.edges.len() <= MAX_EDGES;
        let drawn = small.then(|| self.layout()?.draw(self)).flatten();
        let mut text = match drawn {
            Some(lines) if lines.iter().all(|line| line.chars().count() <= width) => lines.join("\n") + "\n",
            _ => self.listed(),
        };
        if self.edges.iter().any(|edge| edge.any) {
            text.push_str("\n▷ after any one of those before it, ▶ after all of them\n");
        }
        text
    }

    /// For Markdown.
    pub fn mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_string();
        for (index, name) in self.names.iter().enumerate() {
            text.push_str(&format!("  s{index}[\"{}\"]\n", name.replace('"', "#quot;")));
        }
        for edge in &self.edges {
            let mut label = edge.label.clone();
            if edge.any {
                label = if label.is_empty() { "any".to_string() } else { format!("any, {label}") };
            }
            let label = if label.is_empty() { String::new() } else { format!("|\"{label}\"|") };
            text.push_str(&format!("  s{} -->{label} s{}\n", edge.from, edge.to));
        }
        text
    }

    fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("?", String::as_str)
    }

    /// The stages that any one of those before them is enough for.
    fn any(&self) -> BTreeSet<usize> {
        self.edges.iter().filter(|edge| edge.any).map(|edge| edge.to).collect()
    }

    fn head(&self, to: usize) -> char {
        head(&self.any(), to)
    }

    fn listed(&self) -> String {
        let any = self.any();
        let mut before: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut leads = BTreeSet::new();
        for edge in &self.edges {
            before.entry(edge.to).or_default().insert(edge.from);
            leads.insert(edge.from);
        }
        let mut lines = Vec::new();
        for (to, name) in self.names.iter().enumerate() {
            if let Some(from) = before.get(&to) {
                let from: Vec<&str> = from.iter().map(|f| self.name(*f)).collect();
                lines.push(format!("{} ──{} {name}", from.join(", "), head(&any, to)));
            } else if !leads.contains(&to) {
                lines.push(name.clone());
            }
        }
        lines.join("\n") + "\n"
    }

    /// Puts the stages into columns and rows; `None` when there is a circle (there is none in a compiled policy).
    fn layout(&self) -> Option<Layout> {
        let count = self.names.len();
        let mut column = vec![0_usize; count];
        for round in 0.. {
            let mut moved = false;
            for edge in &self.edges {
                let wanted = column.get(edge.from)? + 1;
                let to = column.get_mut(edge.to)?;
                if *to < wanted {
                    *to = wanted;
                    moved = true;
                }
            }
            if !moved {
                break;
            }
            if round > count {
                return None;
            }
        }
        let columns = column.iter().max()? + 1;
        let mut layout = Layout { cells: vec![Vec::new(); columns] };
        for (stage, at) in column.iter().enumerate() {
            layout.cells.get_mut(*at)?.push(Cell { what: What::Stage(stage), row: 0, next: BTreeSet::new() });
        }
        for (stage, at) in column.iter().enumerate() {
            let targets: BTreeSet<usize> = self.edges.iter().filter(|e| e.from == stage).map(|e| e.to).collect();
            let mut here = What::Stage(stage);
            for step in *at..columns {
                let beyond: Vec<usize> =
                    targets.iter().copied().filter(|t| column.get(*t).is_some_and(|c| *c > step)).collect();
                let near = beyond.iter().copied().filter(|t| column.get(*t) == Some(&(step + 1))).map(What::Stage);
                let mut next: BTreeSet<What> = near.collect();
                let far = beyond.len() > next.len();
                if far {
                    next.insert(What::Passing(stage));
                    layout.cells.get_mut(step + 1)?.push(Cell {
                        what: What::Passing(stage),
                        row: 0,
                        next: BTreeSet::new(),
                    });
                }
                layout.cells.get_mut(step)?.iter_mut().find(|c| c.what == here)?.next = next;
                if !far {
                    break;
                }
                here = What::Passing(stage);
            }
        }
        layout.rows();
        Some(layout)
    }
}

fn head(any: &BTreeSet<usize>, to: usize) -> char {
    if any.contains(&to) { '▷' } else { '▶' }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Stage(usize),
    /// An arrow from that stage on its way to a column further right.
    Passing(usize),
}

#[derive(Clone, Debug)]
struct Cell {
    what: What,
    row: usize,
    /// Cells of the next column that arrows lead to.
    next: BTreeSet<What>,
}

struct Layout {
    cells: Vec<Vec<Cell>>,
}

/// Arrows between two columns that lead to the same cells.
#[derive(Debug)]
struct Net {
    from: BTreeSet<usize>,
    to: BTreeSet<usize>,
    /// Which vertical line; `None` for a straight arrow.
    channel: Option<usize>,
    /// Several that lead to several meet on one line and part on the next.
    parts: Option<usize>,
}

impl Net {
    fn turns(&self) -> bool {
        self.from.len() > 1 || self.to.len() > 1 || self.from != self.to
    }

    fn meets_and_parts(&self) -> bool {
        self.from.len() > 1 && self.to.len() > 1
    }

    /// The row that leads from one vertical line to the next.
    fn via(&self) -> Option<usize> {
        self.parts.and(self.from.last().copied())
    }

    /// The rows that one of its vertical lines touches, and those on the left of it among them.
    fn touches(&self, channel: usize) -> Option<(BTreeSet<usize>, BTreeSet<usize>)> {
        let via: BTreeSet<usize> = self.via().into_iter().collect();
        let (left, right) = match (self.channel, self.parts) {
            (Some(one), None) if one == channel => (self.from.clone(), self.to.clone()),
            (Some(one), Some(_)) if one == channel => (self.from.clone(), via),
            (_, Some(two)) if two == channel => (via, self.to.clone()),
            _ => return None,
        };
        Some((left.union(&right).copied().collect(), left))
    }

    /// Whether it runs along a row in a piece: left (`2c`) or right (`2c + 1`) of vertical line `c`.
    fn along(&self, row: usize, piece: usize) -> bool {
        let Some(channel) = self.channel else { return self.from.contains(&row) };
        let until = if self.via() == Some(row) { self.parts.unwrap_or(channel) } else { channel };
        let since = self.parts.unwrap_or(channel);
        (self.from.contains(&row) && piece <= 2 * until) || (self.to.contains(&row) && piece > 2 * since)
    }
}

impl Layout {
    /// Each cell as near as can be to the row of what leads to it; passing arrows below the stages.
    fn rows(&mut self) {
        let mut above: BTreeMap<What, Vec<usize>> = BTreeMap::new();
        for column in &mut self.cells {
            let wish = |cell: &Cell| {
                let rows = above.get(&cell.what).map(Vec::as_slice).unwrap_or_default();
                let sum: usize = rows.iter().sum();
                // In halves, so that what lies between two rows stays between them.
                if rows.is_empty() { usize::MAX } else { 2 * sum / rows.len() }
            };
            let first = |cell: &Cell| above.get(&cell.what).and_then(|rows| rows.iter().min()).copied();
            column.sort_by_key(|cell| (wish(cell), matches!(cell.what, What::Passing(_))));
            let mut free = 0;
            let firsts: Vec<Option<usize>> = column.iter().map(first).collect();
            for (cell, first) in column.iter_mut().zip(firsts) {
                cell.row = free.max(first.unwrap_or(0));
                free = cell.row + 1;
            }
            let mut next: BTreeMap<What, Vec<usize>> = BTreeMap::new();
            for cell in column.iter() {
                for to in &cell.next {
                    next.entry(*to).or_default().push(cell.row);
                }
            }
            above = next;
        }
    }

    fn draw(&self, graph: &Graph) -> Option<Vec<String>> {
        let height = self.cells.iter().flatten().map(|c| c.row).max()? + 1;
        let mut lines = vec![String::new(); height];
        for (at, column) in self.cells.iter().enumerate() {
            let label = |cell: &Cell| match cell.what {
                What::Stage(stage) => graph.name(stage).to_string(),
                What::Passing(_) => String::new(),
            };
            let width = column.iter().map(|c| label(c).chars().count()).max().unwrap_or(0);
            for (row, line) in lines.iter_mut().enumerate() {
                let cell = column.iter().find(|c| c.row == row);
                let text = cell.map(label).unwrap_or_default();
                let rest = width - text.chars().count();
                let leads = cell.is_some_and(|c| !c.next.is_empty());
                match cell.map(|c| c.what) {
                    Some(What::Passing(_)) => line.push_str(&"─".repeat(width + 2)),
                    Some(What::Stage(_)) if leads => line.push_str(&format!(" {text} {}", "─".repeat(rest))),
                    _ => line.push_str(&format!(" {text} {}", " ".repeat(rest))),
                }
            }
            if let Some(next) = self.cells.get(at + 1) {
                gutter(column, next, graph, &mut lines)?;
            }
        }
        // The first column needs no blank before it.
        Some(lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_string()).collect())
    }
}

/// Draws the arrows between two columns.
fn gutter(column: &[Cell], next: &[Cell], graph: &Graph, lines: &mut [String]) -> Option<()> {
    let mut by_target: BTreeMap<&BTreeSet<What>, BTreeSet<usize>> = BTreeMap::new();
    for cell in column.iter().filter(|c| !c.next.is_empty()) {
        by_target.entry(&cell.next).or_default().insert(cell.row);
    }
    let mut nets: Vec<Net> = by_target
        .into_iter()
        .map(|(to, from)| {
            let to = next.iter().filter(|c| to.contains(&c.what)).map(|c| c.row).collect();
            Net { from, to, channel: None, parts: None }
        })
        .collect();
    let channels = order(&mut nets)?;
    let arrow = |row: usize| {
        let cell = next.iter().find(|c| c.row == row);
        match cell.map(|c| c.what) {
            Some(What::Stage(stage)) => graph.head(stage),
            _ => '─',
        }
    };
    for (row, line) in lines.iter_mut().enumerate() {
        let ends = nets.iter().any(|net| net.to.contains(&row));
        // Positions: two for each vertical line, then the head of the arrow.
        let first = if horizontal(&nets, row, 0) { '─' } else { ' ' };
        line.push(first);
        if channels == 0 {
            line.push(first);
        }
        for channel in 0..channels {
            let left = horizontal(&nets, row, 2 * channel);
            let right = horizontal(&nets, row, 2 * channel + 1);
            let touched = nets.iter().find_map(|net| net.touches(channel));
            line.push(joint(touched.as_ref(), row, left, right));
            line.push(if right { '─' } else { ' ' });
        }
        line.push(if ends { arrow(row) } else { ' ' });
    }
    Some(())
}

/// Whether a line runs along a row in a piece.
fn horizontal(nets: &[Net], row: usize, piece: usize) -> bool {
    nets.iter().any(|net| net.along(row, piece))
}

/// What stands where a vertical line and a row meet. A line that leads into another one has an arrow, so that one can
/// see which leads where.
fn joint(touched: Option<&(BTreeSet<usize>, BTreeSet<usize>)>, row: usize, left: bool, right: bool) -> char {
    let across = if left && right { '─' } else { ' ' };
    let Some((touched, sources)) = touched else { return across };
    let (Some(top), Some(bottom)) = (touched.first(), touched.last()) else { return across };
    if row < *top || row > *bottom {
        return across;
    }
    let (up, down) = (row > *top, row < *bottom);
    if !touched.contains(&row) {
        // Only crossed: the vertical line goes over.
        return '│';
    }
    if left && right && !sources.contains(&row) {
        let above = sources.iter().any(|source| *source < row);
        let below = sources.iter().any(|source| *source > row);
        return match (above, below) {
            (true, false) => '▼',
            (false, true) => '▲',
            _ => '◆',
        };
    }
    match (left, right, up, down) {
        (true, true, true, true) => '┼',
        (true, true, true, false) => '┴',
        (true, true, false, true) => '┬',
        (true, false, true, true) => '┤',
        (true, false, true, false) => '┘',
        (true, false, false, true) => '┐',
        (false, true, true, true) => '├',
        (false, true, true, false) => '└',
        (false, true, false, true) => '┌',
        _ => '│',
    }
}

/// Gives each net that turns a vertical line of its own, left ones first, and says how many there are: a net that
/// leaves a row turns before one that enters the row does. `None` when that goes round in a circle.
fn order(nets: &mut [Net]) -> Option<usize> {
    let mut waiting: Vec<usize> = (0..nets.len()).filter(|i| nets.get(*i).is_some_and(Net::turns)).collect();
    let mut channel = 0;
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|of| {
            let Some(entered) = nets.get(*of).map(|net| &net.to) else { return true };
            let leaves = |other: &usize| nets.get(*other).is_some_and(|other| !other.from.is_disjoint(entered));
            waiting.iter().all(|other| other == of || !leaves(other))
        })?;
        let net = nets.get_mut(waiting.remove(ready))?;
        net.channel = Some(channel);
        channel += 1;
        if net.meets_and_parts() {
            net.parts = Some(channel);
            channel += 1;
        }
    }
    Some(channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        let index = |name: &str, names: &mut Vec<String>| {
            names.iter().position(|n| n == name).unwrap_or_else(|| {
                names.push(name.to_string());
                names.len() - 1
            })
        };
        for (from, to) in edges {
            let from = index(from, &mut graph.names);
            let to = index(to, &mut graph.names);
            graph.edges.push(Edge { from, to, any: false, label: String::new() });
        }
        graph
    }

    #[track_caller]
    fn drawn(edges: &[(&str, &str)], expected: &str) {
        let text = graph(edges).text(100);
        assert_eq!(text.trim_end_matches('\n'), expected.trim_matches('\n'), "\n{text}");
    }

    #[test]
    fn a_chain_is_one_line() {
        drawn(&[("Dev", "Test"), ("Test", "Staging")], "Dev ──▶ Test ──▶ Staging");
    }

    #[test]
    fn stages_part_and_meet_again() {
        drawn(
            &[("Dev", "Test"), ("Dev", "Security"), ("Test", "Staging"), ("Security", "Staging"), ("Staging", "Live")],
            "
Dev ─┬─▶ Test ─────┬─▶ Staging ──▶ Live
     └─▶ Security ─┘",
        );
    }

    #[test]
    fn an_arrow_passes_a_column() {
        drawn(
            &[("Dev", "Test"), ("Test", "Live"), ("Dev", "Live")],
            "
Dev ─┬─▶ Test ─┬─▶ Live
     └─────────┘",
        );
    }

    #[test]
    fn all_that_lead_to_all_meet_and_part() {
        drawn(
            &[("A", "C"), ("A", "D"), ("B", "C"), ("B", "D")],
            "
A ─┐ ┌─▶ C
B ─┴─┴─▶ D",
        );
    }

    #[test]
    fn one_sees_which_leads_into_which() {
        drawn(
            &[("A", "C"), ("A", "D"), ("B", "D")],
            "
A ─┬─▶ C
B ─▼─▶ D",
        );
        drawn(
            &[("A", "C"), ("B", "C"), ("B", "D")],
            "
A ─▲─▶ C
B ─┴─▶ D",
        );
    }

    #[test]
    fn a_line_that_only_crosses_another_goes_over_it() {
        drawn(
            &[("A", "D"), ("B", "E"), ("C", "D"), ("C", "F")],
            "
A ─▲─▶ D
B ─│─▶ E
C ─┴─▶ F",
        );
    }

    #[test]
    fn a_circle_of_lines_is_listed() {
        let text = graph(&[("A", "D"), ("A", "E"), ("B", "E"), ("B", "F"), ("C", "F"), ("C", "D")]).text(100);
        assert_eq!(text, "A, C ──▶ D\nA, B ──▶ E\nB, C ──▶ F\n");
    }

    #[test]
    fn stages_that_nothing_connects_stand_alone() {
        let mut graph = graph(&[("Dev", "Test")]);
        graph.names.push("Docs".to_string());
        assert_eq!(graph.text(100), "Dev ───▶ Test\nDocs\n");
        assert_eq!(graph.text(3), "Dev ──▶ Test\nDocs\n");
    }

    #[test]
    fn what_is_too_wide_is_listed() {
        let text = graph(&[("Dev", "Test"), ("Dev", "Security"), ("Test", "Live"), ("Security", "Live")]).text(10);
        assert_eq!(text, "Dev ──▶ Test\nDev ──▶ Security\nTest, Security ──▶ Live\n");
    }

    #[test]
    fn mermaid_has_labels() {
        let mut graph = graph(&[("Dev", "Test")]);
        graph.edges[0].label = "2h".to_string();
        assert_eq!(graph.mermaid(), "flowchart LR\n  s0[\"Dev\"]\n  s1[\"Test\"]\n  s0 -->|\"2h\"| s1\n");
    }
}
