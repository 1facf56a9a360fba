//! Approvals, overrides and triggers near their edges.

use chrono::TimeDelta;

use super::{Varying, newest};
use crate::facts::{Approval, Invocation, Request, TriggerFact, Word};
use crate::program::{Approve, Branches, Count, GroupId, ManualBy, PersonId, Quorum, Trigger};

/// So many people of a quorum are tried.
const MAX_PEOPLE: usize = 6;

impl Varying<'_> {
    fn person(&self, id: PersonId) -> Option<String> {
        self.program.people.get(id.0 as usize).cloned()
    }

    /// The people of a quorum, some of them.
    fn people(&self, people: &[PersonId], directories: &[GroupId], most: usize) -> Vec<String> {
        let mut out: Vec<String> = people.iter().filter_map(|p| self.person(*p)).collect();
        for group in directories.iter().filter_map(|id| self.program.groups.get(id.0 as usize)) {
            out.extend(self.base.groups.get(&group.name).into_iter().flatten().cloned());
        }
        out.truncate(most);
        out
    }

    fn quorum(&self, quorum: &Quorum) -> Vec<String> {
        let needed = match quorum.count {
            Count::Number(n) => n as usize,
            Count::All => 32,
        };
        self.people(&quorum.people, &quorum.directories, needed.saturating_add(MAX_PEOPLE))
    }

    pub(super) fn approvals(&mut self, approve: &Approve) {
        let people = self.quorum(&approve.quorum);
        let since = approve.since.map(|id| self.stage_name(id)).and_then(|s| newest(self.base, &s)).map(|run| run.at);
        let usual = self.now - TimeDelta::minutes(1);
        let has = |r: &Request, who: &str| r.approvals.iter().any(|a| a.by == who);
        for who in &people {
            if has(self.base, who) {
                self.with(format!("{who} has not approved"), |r| r.approvals.retain(|a| a.by != *who));
                self.with(format!("{who} rejects"), |r| {
                    r.approvals.push(Approval::new(who.as_str(), Word::Reject, usual));
                });
                self.with(format!("{who} withdraws"), |r| {
                    r.approvals.push(Approval::new(who.as_str(), Word::Withdraw, usual));
                });
                self.with(format!("{who} approved another build"), |r| {
                    for approval in r.approvals.iter_mut().filter(|a| a.by == *who) {
                        approval.build = Some("another-build".into());
                    }
                });
            } else {
                self.with(format!("{who} approves"), |r| {
                    r.approvals.push(Approval::new(who.as_str(), Word::Approve, usual));
                });
                self.with(format!("{who} rejects"), |r| {
                    r.approvals.push(Approval::new(who.as_str(), Word::Reject, usual));
                });
            }
        }
        if let Some(valid) = approve.valid.map(TimeDelta::nanoseconds) {
            for (ago, words) in [
                (valid, "has just expired"),
                (valid - TimeDelta::seconds(1), "expires in a second"),
                (valid + TimeDelta::minutes(30), "expired half an hour ago"),
                (valid - TimeDelta::minutes(30), "expires in half an hour"),
            ] {
                let at = self.now - ago;
                self.all_at(&people, at, &format!("the approval {words}"));
            }
        }
        if let Some(since) = since {
            for (by, words) in [(-1, "a second before"), (0, "at the very second of")] {
                let at = since + TimeDelta::seconds(by);
                if at <= self.now {
                    self.all_at(&people, at, &format!("approved {words} the run it must follow"));
                }
            }
        }
        self.with("nobody has approved", |r| r.approvals.retain(|a| !people.contains(&a.by)));
        if approve.quorum.including.is_none() {
            self.authors(&people);
        }
        if approve.quorum.except.requester
            || !approve.quorum.except.people.is_empty()
            || !approve.quorum.except.approvers_of.is_empty()
        {
            let barred: Vec<String> = approve.quorum.except.people.iter().filter_map(|p| self.person(*p)).collect();
            self.requesters(&people);
            for who in barred.iter().take(MAX_PEOPLE) {
                self.with(format!("{who} approves"), |r| {
                    r.approvals.push(Approval::new(who.as_str(), Word::Approve, usual));
                });
                self.instead(&people, who);
            }
        }
    }

    /// Someone approves in the place of one who did.
    fn instead(&mut self, people: &[String], who: &str) {
        let Some(first) = self.base.approvals.iter().position(|a| people.contains(&a.by)) else { return };
        self.with(format!("{who} approves instead"), |r| {
            if let Some(approval) = r.approvals.get_mut(first) {
                approval.by = who.to_string();
            }
        });
    }

    /// Everything that these people said, at another time.
    fn all_at(&mut self, people: &[String], at: chrono::DateTime<chrono::Utc>, words: &str) {
        self.with(words, |r| {
            r.approvals.iter_mut().filter(|a| people.contains(&a.by)).for_each(|a| a.at = at);
        });
    }

    /// The author is one of those who approve.
    fn authors(&mut self, people: &[String]) {
        for who in people.iter().take(2) {
            self.with(format!("{who} is the author"), |r| {
                r.build.author = Some(who.clone());
                r.build.contributors = Some(vec![who.clone()]);
            });
            self.with(format!("{who} contributed"), |r| {
                r.build.contributors.get_or_insert_default().push(who.clone());
            });
        }
        self.with("the author is not known", |r| {
            r.build.author = None;
            r.build.contributors = None;
        });
    }

    /// Who asks is one of those who approve.
    fn requesters(&mut self, people: &[String]) {
        for who in people.iter().take(2) {
            self.with(format!("{who} asks"), |r| r.requester = Some(who.clone()));
        }
        self.with("who asks is not known", |r| {
            r.requester = None;
            if let Some(TriggerFact::Manual { by }) = &mut r.trigger {
                *by = None;
            }
        });
    }

    /// Overrides, invoked by enough and by too few.
    pub(super) fn overrides(&mut self) {
        let stage = self.stage;
        for rule in &stage.overrides {
            self.rule = rule.skips.first().and_then(|id| stage.rules.get(id.0 as usize)).map(|r| r.name.clone());
            let people = self.quorum(&rule.quorum);
            let barred = |who: &String| {
                let build = &self.base.build;
                rule.quorum.including.is_none()
                    && (build.author.as_ref() == Some(who)
                        || build.contributors.as_ref().is_some_and(|people| people.contains(who)))
            };
            let people: Vec<String> = people.into_iter().filter(|who| !barred(who)).collect();
            let needed = match rule.quorum.count {
                Count::Number(n) => (n as usize).max(1),
                Count::All => people.len().max(1),
            };
            let now = self.now;
            let usual = now - TimeDelta::minutes(1);
            let mut invoke = |words: &str, count: usize, at, reason: Option<&str>| {
                let invoked = people.iter().take(count).map(|who| {
                    let mut invoked = Invocation::new(rule.name.as_str(), who.as_str(), at);
                    invoked.reason = reason.map(str::to_string);
                    invoked
                });
                let invoked: Vec<Invocation> = invoked.collect();
                self.with(format!("{} is invoked {words}", rule.name), |r| {
                    r.overrides.retain(|o| o.name != rule.name);
                    r.overrides.extend(invoked);
                });
            };
            let reason = Some("INC-1");
            invoke("by enough", needed, usual, reason);
            invoke("by one too few", needed - 1, usual, reason);
            invoke("by one more than needed", needed + 1, usual, reason);
            invoke("without a reason", needed, usual, None);
            if let Some(valid) = rule.valid.map(TimeDelta::nanoseconds) {
                invoke("and has just expired", needed, now - valid, reason);
                invoke("and expires in a second", needed, now - valid + TimeDelta::seconds(1), reason);
                invoke("half an hour after it expires", needed, now - valid - TimeDelta::minutes(30), reason);
            }
            let outsider = Invocation::new(rule.name.as_str(), "somebody-else", usual).reason("INC-1");
            let other =
                people.first().map(|who| Invocation::new(rule.name.as_str(), who.as_str(), usual).reason("INC-1"));
            self.with(format!("somebody else invokes {}", rule.name), |r| {
                r.overrides.retain(|o| o.name != rule.name);
                r.overrides.extend(std::iter::repeat_n(outsider, needed));
            });
            if let Some(other) = other {
                self.with(format!("the author invokes {}", rule.name), |r| {
                    r.build.author = Some(other.by.clone());
                    r.build.contributors = Some(vec![other.by.clone()]);
                    r.overrides.retain(|o| o.name != rule.name);
                    r.overrides.push(other);
                });
            }
            let excepted: Vec<String> = rule.quorum.except.people.iter().filter_map(|p| self.person(*p)).collect();
            for who in excepted.iter().take(2) {
                let invoked = Invocation::new(rule.name.as_str(), who.as_str(), usual).reason("INC-1");
                let mut all: Vec<Invocation> = people
                    .iter()
                    .take(needed - 1)
                    .map(|who| Invocation::new(rule.name.as_str(), who.as_str(), usual).reason("INC-1"))
                    .collect();
                all.push(invoked);
                self.with(format!("{who} invokes {}", rule.name), |r| {
                    r.overrides.retain(|o| o.name != rule.name);
                    r.overrides.extend(all);
                });
            }
        }
        self.rule = None;
    }

    pub(super) fn triggers(&mut self, trigger: &Trigger) {
        let mut set = |words: &str, trigger: Option<TriggerFact>| {
            self.with(words.to_string(), |r| r.trigger = trigger);
        };
        set("what set it off is not known", None);
        let branches = |to: &Option<Branches>, build: Option<&String>| -> Vec<String> {
            let Some(to) = to else { return vec!["main".into()] };
            let mut out: Vec<String> = build.into_iter().cloned().collect();
            out.extend(super::samples(&to.glob));
            out.extend(["main", "release", "master"].map(str::to_string));
            out.retain(|branch| to.matcher.is_match(branch));
            out.truncate(1);
            out.push("something-else".into());
            out
        };
        match trigger {
            Trigger::Push { to } => {
                for branch in branches(to, self.base.build.branch.as_ref()) {
                    self.with(format!("a push to {branch} asks"), |r| {
                        r.trigger = Some(TriggerFact::Push { branch: Some(branch) });
                    });
                }
            }
            Trigger::PullRequest { to } => {
                for branch in branches(to, self.base.build.branch.as_ref()) {
                    self.with(format!("a pull request to {branch} asks"), |r| {
                        r.trigger = Some(TriggerFact::PullRequest { branch: Some(branch) });
                    });
                }
            }
            Trigger::Manual { by } => self.manual(by.as_ref()),
            Trigger::Completion { of } => {
                let stages: Vec<String> = match of {
                    Some(id) => vec![self.stage_name(*id), self.stage.name.clone()],
                    None => vec![self.stage.name.clone()],
                };
                for stage in stages {
                    self.with(format!("the end of {stage} asks"), |r| {
                        r.trigger = Some(TriggerFact::Completion { of: Some(stage) });
                    });
                }
            }
            Trigger::Event { name } => {
                for event in [name.as_str(), "something-else"] {
                    self.with(format!("event {event} asks"), |r| {
                        r.trigger = Some(TriggerFact::Event { name: Some(event.into()) });
                    });
                }
            }
            Trigger::Schedule(_) => {
                self.with("the schedule asks", |r| r.trigger = Some(TriggerFact::Schedule { at: None }));
            }
        }
    }

    fn manual(&mut self, by: Option<&ManualBy>) {
        let mut people = match by {
            Some(by) => self.people(&by.people, &by.directories, 2),
            None => Vec::new(),
        };
        people.push("somebody-else".into());
        for who in people {
            self.with(format!("{who} asks"), |r| r.trigger = Some(TriggerFact::Manual { by: Some(who) }));
        }
        self.with("a push asks", |r| r.trigger = Some(TriggerFact::Push { branch: None }));
    }
}
