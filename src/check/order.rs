//! Definitions and calendars use one another: an order in which each comes after what it uses, and the circles.

use foldhash::{HashMap, HashSet, HashSetExt};

/// What came of it.
#[derive(Default)]
pub(super) struct Order<'a> {
    /// Each once, after those that it uses (but for circles).
    pub sorted: Vec<&'a str>,
    /// Each circle once, in the order of use.
    pub circles: Vec<Vec<&'a str>>,
    /// How long the longest chain of uses from it is; 1 for one that uses no other.
    pub depth: HashMap<&'a str, usize>,
}

struct Visit<'a> {
    name: &'a str,
    uses: Vec<&'a str>,
    next: usize,
}

/// Walks from `roots`, with a stack of its own: chains may be longer than a thread's stack is deep.
pub(super) fn order<'a>(
    roots: impl IntoIterator<Item = &'a str>,
    mut uses: impl FnMut(&'a str) -> Vec<&'a str>,
) -> Order<'a> {
    let mut out = Order::default();
    let mut open: HashSet<&'a str> = HashSet::new();
    let mut in_circle: HashSet<&'a str> = HashSet::new();
    for root in roots {
        if out.depth.contains_key(root) {
            continue;
        }
        open.insert(root);
        let mut stack = vec![Visit { name: root, uses: uses(root), next: 0 }];
        while let Some(visit) = stack.last_mut() {
            let Some(used) = visit.uses.get(visit.next).copied() else {
                let below = visit.uses.iter().filter_map(|used| out.depth.get(used)).max().copied();
                out.depth.insert(visit.name, below.unwrap_or(0).saturating_add(1));
                out.sorted.push(visit.name);
                open.remove(visit.name);
                stack.pop();
                continue;
            };
            visit.next += 1;
            if open.contains(used) {
                let from = stack.iter().position(|visit| visit.name == used).unwrap_or(0);
                let circle: Vec<&'a str> = stack.iter().skip(from).map(|visit| visit.name).collect();
                if !circle.iter().any(|name| in_circle.contains(name)) {
                    in_circle.extend(&circle);
                    out.circles.push(circle);
                }
            } else if !out.depth.contains_key(used) {
                open.insert(used);
                stack.push(Visit { name: used, uses: uses(used), next: 0 });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(edges: &[(&'static str, &[&'static str])]) -> Order<'static> {
        let table: HashMap<&str, Vec<&str>> = edges.iter().map(|(name, uses)| (*name, uses.to_vec())).collect();
        order(edges.iter().map(|(name, _)| *name), |name| table.get(name).cloned().unwrap_or_default())
    }

    #[test]
    fn each_comes_after_what_it_uses() {
        let order = walk(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
        assert_eq!(order.sorted, ["c", "b", "a"]);
        assert_eq!(order.depth["a"], 3);
        assert!(order.circles.is_empty());
    }

    #[test]
    fn a_circle_is_told_once() {
        let order = walk(&[("a", &["b"]), ("b", &["c"]), ("c", &["b", "a"]), ("d", &["d"])]);
        assert_eq!(order.circles, [vec!["b", "c"], vec!["d"]]);
    }
}
