//! Coverage as an lcov trace, for tools that know no better: lines of the policy, and a branch for each point.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Coverage, Point};

pub(super) fn trace(coverage: &Coverage) -> String {
    let mut files: BTreeMap<&str, BTreeMap<u32, Vec<&Point>>> = BTreeMap::new();
    for point in &coverage.points {
        files.entry(&point.at.file).or_default().entry(point.at.line).or_default().push(point);
    }
    let mut out = String::new();
    for (file, lines) in files {
        let _ = writeln!(out, "TN:\nSF:{}", beside(&coverage.policy, file));
        let (mut branches, mut branches_hit) = (0, 0);
        for (line, points) in &lines {
            // Points of one place are the branches of one block.
            let mut block = 0;
            let mut branch = 0;
            for (index, point) in points.iter().enumerate() {
                let before = index.checked_sub(1).and_then(|i| points.get(i));
                if let Some(before) = before {
                    let same = (before.kind, &before.stage, before.span) == (point.kind, &point.stage, point.span);
                    (block, branch) = if same { (block, branch + 1) } else { (block + 1, 0) };
                }
                let line_hit = points.iter().any(|p| p.hits > 0);
                let taken = if line_hit { point.hits.to_string() } else { "-".into() };
                let _ = writeln!(out, "BRDA:{line},{block},{branch},{taken}");
                branches += 1;
                branches_hit += usize::from(point.hits > 0);
            }
        }
        let _ = writeln!(out, "BRF:{branches}\nBRH:{branches_hit}");
        for (line, points) in &lines {
            let _ = writeln!(out, "DA:{line},{}", points.iter().map(|p| p.hits).max().unwrap_or(0));
        }
        let hit = lines.values().filter(|points| points.iter().any(|p| p.hits > 0)).count();
        let _ = writeln!(out, "LF:{}\nLH:{hit}\nend_of_record", lines.len());
    }
    out
}

/// Names of sources are relative to the folder of the policy.
fn beside(policy: &str, file: &str) -> String {
    match policy.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{file}"),
        None => file.to_string(),
    }
}
