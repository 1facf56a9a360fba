//! Distinct approvers: people assigned to rules so that nobody counts twice.
//!
//! A maximum matching by augmenting paths (Kuhn). Rules are served in the order of the policy: an augmenting path never
//! takes a person from a rule without giving it another one, so an earlier rule keeps what it has, and the whole is
//! maximum in whatever order the rules are served.

/// A rule's demand: so many of these people (numbers of any kind, each once).
#[derive(Clone, Debug, Default)]
pub(crate) struct Demand {
    pub count: usize,
    pub people: Vec<u32>,
}

/// Who serves which rule: for each demand its people, ascending. When they are too few, the later demands are short.
pub(crate) fn assign(demands: &[Demand]) -> Vec<Vec<u32>> {
    assign_first(demands, |_| false)
}

/// The same, but those demands that may wait are short first.
pub(crate) fn assign_first(demands: &[Demand], may_wait: impl Fn(usize) -> bool) -> Vec<Vec<u32>> {
    let mut matching = Matching::new(demands);
    let (last, first): (Vec<usize>, Vec<usize>) = (0..demands.len()).partition(|rule| may_wait(*rule));
    for rule in first.into_iter().chain(last) {
        let Some(demand) = demands.get(rule) else { continue };
        for _ in 0..demand.count.min(demand.people.len()) {
            if !matching.augment(rule) {
                break;
            }
        }
    }
    let mut assigned = vec![Vec::new(); demands.len()];
    for (person, rule) in matching.people.iter().zip(&matching.serves) {
        if let Some(people) = rule.and_then(|rule| assigned.get_mut(rule)) {
            people.push(*person);
        }
    }
    assigned
}

/// The rules at which one more person would let `rule` have one more: itself, and those that hold a person whom it could
/// take over, and so on. `assigned` is what [`assign`] answered.
pub(crate) fn helped_by(demands: &[Demand], assigned: &[Vec<u32>], rule: usize) -> Vec<usize> {
    let mut reached = vec![rule];
    let mut next = 0;
    while let Some(here) = reached.get(next).copied() {
        next += 1;
        let Some(demand) = demands.get(here) else { continue };
        for (other, people) in assigned.iter().enumerate() {
            if !reached.contains(&other) && people.iter().any(|p| demand.people.binary_search(p).is_ok()) {
                reached.push(other);
            }
        }
    }
    reached
}

struct Matching<'a> {
    demands: &'a [Demand],
    /// All people of all demands, ascending.
    people: Vec<u32>,
    /// The rule that each serves.
    serves: Vec<Option<usize>>,
}

impl<'a> Matching<'a> {
    fn new(demands: &'a [Demand]) -> Matching<'a> {
        let mut people: Vec<u32> = demands.iter().flat_map(|d| d.people.iter().copied()).collect();
        people.sort_unstable();
        people.dedup();
        Matching { demands, serves: vec![None; people.len()], people }
    }

    /// Finds one more person for `rule`, moving others if need be. Breadth first, so nothing recurses.
    fn augment(&mut self, rule: usize) -> bool {
        let mut came_from: Vec<Option<usize>> = vec![None; self.people.len()];
        let mut seen = vec![false; self.people.len()];
        let mut queue: std::collections::VecDeque<(usize, Option<usize>)> = [(rule, None)].into();
        while let Some((here, via)) = queue.pop_front() {
            let Some(demand) = self.demands.get(here) else { continue };
            for person in &demand.people {
                let Ok(index) = self.people.binary_search(person) else { continue };
                if seen.get(index).copied().unwrap_or(true) {
                    continue;
                }
                if let (Some(mark), Some(from)) = (seen.get_mut(index), came_from.get_mut(index)) {
                    *mark = true;
                    *from = via;
                }
                match self.serves.get(index).copied().flatten() {
                    Some(taken) => queue.push_back((taken, Some(index))),
                    None => {
                        self.shift(index, here, &came_from, rule);
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Gives person `index` to rule `here`, the person that this frees in `here` to the rule before, and so on.
    fn shift(&mut self, mut index: usize, mut here: usize, came_from: &[Option<usize>], root: usize) {
        loop {
            let via = came_from.get(index).copied().flatten();
            if let Some(serves) = self.serves.get_mut(index) {
                *serves = Some(here);
            }
            if here == root && via.is_none() {
                return;
            }
            let Some(freed) = via else { return };
            // `freed` served `here`; it goes to the rule that discovered it.
            index = freed;
            here = self.discoverer(freed, came_from, root);
        }
    }

    /// The rule from which person `index` was discovered: the one that the person before it serves, or the root.
    fn discoverer(&self, index: usize, came_from: &[Option<usize>], root: usize) -> usize {
        came_from
            .get(index)
            .copied()
            .flatten()
            .and_then(|before| self.serves.get(before).copied().flatten())
            .unwrap_or(root)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn demand(count: usize, people: &[u32]) -> Demand {
        Demand { count, people: people.to_vec() }
    }

    #[test]
    fn greedy_would_fail_where_matching_does_not() {
        // The first rule takes 1, though only 1 can serve the second.
        let assigned = assign(&[demand(1, &[1, 2]), demand(1, &[1])]);
        assert_eq!(assigned, [vec![2], vec![1]]);
    }

    #[test]
    fn a_chain_of_moves() {
        let assigned = assign(&[demand(1, &[1, 2]), demand(1, &[2, 3]), demand(1, &[3, 4]), demand(1, &[1])]);
        assert_eq!(assigned, [vec![2], vec![3], vec![4], vec![1]]);
    }

    #[test]
    fn what_cannot_be_served_is_short_and_earlier_rules_come_first() {
        let assigned = assign(&[demand(2, &[1, 2]), demand(1, &[1, 2])]);
        assert_eq!(assigned, [vec![1, 2], vec![]]);
        assert_eq!(helped_by(&[demand(2, &[1, 2]), demand(1, &[1, 2])], &assigned, 1), [1, 0]);
    }

    #[test]
    fn what_may_wait_is_short_first() {
        let demands = [demand(1, &[1]), demand(1, &[1])];
        assert_eq!(assign_first(&demands, |rule| rule == 0), [vec![], vec![1]]);
    }

    /// The size of a maximum matching, by trying everything.
    fn best(demands: &[Demand], people: &[u32]) -> usize {
        let Some((person, rest)) = people.split_first() else { return 0 };
        let mut most = best(demands, rest);
        for (i, d) in demands.iter().enumerate() {
            if d.count > 0 && d.people.contains(person) {
                let mut fewer = demands.to_vec();
                fewer[i].count -= 1;
                most = most.max(1 + best(&fewer, rest));
            }
        }
        most
    }

    proptest! {
        #[test]
        fn it_is_maximum_and_nobody_counts_twice(
            demands in prop::collection::vec((0usize..3, prop::collection::btree_set(0u32..6, 0..6)), 0..4)
        ) {
            let demands: Vec<Demand> =
                demands.into_iter().map(|(count, p)| Demand { count, people: p.into_iter().collect() }).collect();
            let assigned = assign(&demands);
            let mut everyone: Vec<u32> = assigned.iter().flatten().copied().collect();
            let size = everyone.len();
            everyone.sort_unstable();
            everyone.dedup();
            prop_assert_eq!(everyone.len(), size);
            for (d, a) in demands.iter().zip(&assigned) {
                prop_assert!(a.len() <= d.count && a.iter().all(|p| d.people.contains(p)));
            }
            prop_assert_eq!(size, best(&demands, &[0, 1, 2, 3, 4, 5]));
        }

        #[test]
        fn one_more_person_helps_exactly_where_it_is_said(
            demands in prop::collection::vec((0usize..3, prop::collection::btree_set(0u32..6, 0..6)), 1..4),
            who in 0usize..4,
        ) {
            let demands: Vec<Demand> =
                demands.into_iter().map(|(count, p)| Demand { count, people: p.into_iter().collect() }).collect();
            let rule = who % demands.len();
            let assigned = assign(&demands);
            if assigned[rule].len() < demands[rule].count {
                let helped = helped_by(&demands, &assigned, rule);
                for at in 0..demands.len() {
                    let mut more = demands.clone();
                    more[at].people.push(99);
                    let gained = assign(&more)[rule].len() > assigned[rule].len();
                    // Priority: with one more person an earlier short rule may take the gain.
                    if gained { prop_assert!(helped.contains(&at)); }
                }
            }
        }
    }
}
