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
    let mut known = vec![false; assigned.len()];
    if let Some(known) = known.get_mut(rule) {
        *known = true;
    }
    let mut next = 0;
    while let Some(here) = reached.get(next).copied() {
        next += 1;
        let Some(demand) = demands.get(here) else { continue };
        for (other, (people, known)) in assigned.iter().zip(&mut known).enumerate() {
            if !*known && people.iter().any(|p| demand.people.binary_search(p).is_ok()) {
                *known = true;
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
    /// By rule: so many of its people, from the first on, serve one. Who serves once always does.
    busy: Vec<usize>,
    /// By rule: how many it has.
    has: Vec<usize>,
    /// By rule: where among its people one was found last who serves another rule; the next is looked for from there on.
    looked: Vec<usize>,
}

impl<'a> Matching<'a> {
    fn new(demands: &'a [Demand]) -> Matching<'a> {
        let mut people: Vec<u32> = demands.iter().flat_map(|d| d.people.iter().copied()).collect();
        people.sort_unstable();
        people.dedup();
        let none = vec![0; demands.len()];
        Matching {
            demands,
            serves: vec![None; people.len()],
            people,
            busy: none.clone(),
            has: none.clone(),
            looked: none,
        }
    }

    /// The first of a rule's people who serves no rule yet.
    fn free(&mut self, rule: usize) -> Option<usize> {
        let demand = self.demands.get(rule)?;
        let busy = self.busy.get_mut(rule)?;
        while let Some(person) = demand.people.get(*busy) {
            match self.people.binary_search(person) {
                Ok(index) if self.serves.get(index).copied().flatten().is_none() => return Some(index),
                _ => *busy += 1,
            }
        }
        None
    }

    /// Finds one more person for `rule`, moving others if need be.
    fn augment(&mut self, rule: usize) -> bool {
        let found = self.find(rule);
        if let (true, Some(has)) = (found, self.has.get_mut(rule)) {
            *has += 1;
        }
        found
    }

    /// Breadth first, so nothing recurses.
    fn find(&mut self, rule: usize) -> bool {
        // By rule: the person through whom it was reached, and the rule that would like to have them.
        let mut reached: Vec<Option<(usize, usize)>> = vec![None; self.demands.len()];
        let mut unseen = self.has.iter().enumerate().filter(|(other, has)| *other != rule && **has > 0).count();
        let mut queue = std::collections::VecDeque::from([rule]);
        while let Some(here) = queue.pop_front() {
            if let Some(free) = self.free(here) {
                self.shift(free, here, &reached, rule);
                return true;
            }
            // All of its people serve some rule: each rule is looked into once, from the first of them who serves it.
            let Some(demand) = self.demands.get(here) else { continue };
            let from = self.looked.get(here).copied().unwrap_or(0).min(demand.people.len());
            let (before, behind) = demand.people.split_at(from);
            for (at, person) in behind.iter().chain(before).enumerate() {
                if unseen == 0 {
                    break;
                }
                let Ok(index) = self.people.binary_search(person) else { continue };
                let Some(taken) = self.serves.get(index).copied().flatten().filter(|taken| *taken != rule) else {
                    continue;
                };
                if let Some(way @ None) = reached.get_mut(taken) {
                    *way = Some((index, here));
                    unseen -= 1;
                    queue.push_back(taken);
                    if let Some(looked) = self.looked.get_mut(here) {
                        *looked = (from + at) % demand.people.len().max(1);
                    }
                }
            }
        }
        false
    }

    /// Gives person `index` to rule `here`, the person that this frees in `here` to the rule before, and so on.
    fn shift(&mut self, mut index: usize, mut here: usize, reached: &[Option<(usize, usize)>], root: usize) {
        loop {
            if let Some(serves) = self.serves.get_mut(index) {
                *serves = Some(here);
            }
            match reached.get(here).copied().flatten() {
                Some((freed, wanted_by)) if here != root => (index, here) = (freed, wanted_by),
                _ => return,
            }
        }
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
