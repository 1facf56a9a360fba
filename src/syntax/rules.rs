//! Stages and their rules.

use super::build::{Builder, Pair, meaningful};
use super::grammar::Rule as G;
use super::tree::*;
use crate::diagnostic::codes::{CLAUSE, RULE_NAME};
use crate::diagnostic::{Diagnostic, Span};

impl Builder<'_> {
    pub fn stage(&mut self, pair: Pair<'_>) -> Stage {
        let mut stage = Stage { name: None, name_span: self.span(&pair), after: None, soak: None, rules: Vec::new() };
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                G::star => stage.name_span = span,
                G::name => {
                    stage.name_span = span;
                    stage.name = Some(self.word(&part));
                }
                G::after => stage.after = Some(self.after(part)),
                G::soak => stage.soak = meaningful(part).next().map(|length| self.duration(&length)),
                G::stage_rule => stage.rules.extend(self.rule(part)),
                _ => {}
            }
        }
        stage
    }

    fn after(&mut self, pair: Pair<'_>) -> After {
        let span = self.span(&pair);
        let mut after = After { any: false, stages: Vec::new(), span };
        for part in pair.into_inner() {
            match part.as_rule() {
                G::any_of => after.any = true,
                G::after_stage => {
                    let mut outcomes = Vec::new();
                    let mut stage = None;
                    for inner in part.into_inner() {
                        match inner.as_rule() {
                            G::name => stage = Some(self.word(&inner)),
                            G::outcome => outcomes.push(self.outcome(&inner)),
                            _ => {}
                        }
                    }
                    after.stages.extend(stage.map(|stage| AfterStage { stage, outcomes }));
                }
                _ => {}
            }
        }
        after
    }

    pub fn outcome(&self, pair: &Pair<'_>) -> At<Outcome> {
        let outcome = match pair.as_str().trim() {
            "completed" => Outcome::Completed,
            "failed" => Outcome::Failed,
            "skipped" => Outcome::Skipped,
            "cancelled" => Outcome::Cancelled,
            "pending" => Outcome::Pending,
            _ => Outcome::Succeeded,
        };
        At::new(outcome, self.span(pair))
    }

    pub fn rule(&mut self, pair: Pair<'_>) -> Option<Rule> {
        let span = self.span(&pair);
        let (mut sealed, mut name, mut kind, mut because) = (None, None, None, None);
        let mut guards: Vec<Guard> = Vec::new();
        let mut tail: Option<Span> = None;
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                G::sealed => sealed = Some(at),
                G::rule_body => (name, kind) = self.rule_body(part, at),
                G::guard => {
                    tail = tail.or(Some(at));
                    let unless = part.as_str().starts_with("unless");
                    let cond = meaningful(part).next()?;
                    guards.push(Guard { unless, cond: self.cond(cond) });
                }
                G::because => {
                    tail = tail.or(Some(at));
                    let text = meaningful(part).next().map(|text| self.string(&text))?;
                    self.keep(&mut because, text, at, "because");
                }
                _ => {}
            }
        }
        let kind = kind?;
        if let (RuleKind::Trigger(_), Some(tail)) = (&kind, tail) {
            self.push(
                Diagnostic::new(CLAUSE, tail, "a trigger has no `when`, `unless` or `because`")
                    .help("put the condition into a `require` of its own"),
            );
        }
        if let (RuleKind::Override(_), Some(sealed)) = (&kind, sealed) {
            self.push(
                Diagnostic::new(CLAUSE, sealed, "an override cannot be sealed")
                    .help("`sealed` stands before a rule that no override may skip"),
            );
        }
        Some(Rule { sealed, name, kind, guards, because, span })
    }

    fn rule_body(&mut self, pair: Pair<'_>, span: Span) -> (Option<Word>, Option<RuleKind>) {
        let keyword =
            pair.as_str().split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or("").to_string();
        let mut name = None;
        let mut kind = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                G::rule_name => name = part.into_inner().next().map(|name| self.word(&name)),
                G::cond => {
                    let cond = self.cond(part);
                    kind = Some(match keyword.as_str() {
                        "require" => RuleKind::Require(cond),
                        "forbid" => RuleKind::Forbid(cond),
                        _ => RuleKind::Advise(cond),
                    });
                }
                G::times => {
                    let times = self.times(part);
                    kind = Some(match keyword.as_str() {
                        "window" => RuleKind::Window(times),
                        _ => RuleKind::Freeze(times),
                    });
                }
                G::approve => kind = self.approve(part).map(RuleKind::Approve),
                G::trigger => kind = self.trigger(part).map(RuleKind::Trigger),
                G::override_rule => kind = self.override_rule(part, span).map(RuleKind::Override),
                G::k_exclusive => kind = Some(RuleKind::Exclusive),
                G::k_forward => kind = Some(RuleKind::ForwardOnly),
                G::k_distinct => kind = Some(RuleKind::DistinctApprovers),
                _ => {}
            }
        }
        let own_name = matches!(kind, Some(RuleKind::Exclusive | RuleKind::ForwardOnly | RuleKind::DistinctApprovers));
        let optional = own_name || matches!(kind, Some(RuleKind::Trigger(_)));
        if !optional && name.is_none() && kind.is_some() {
            let start = Span { end: span.start + keyword.len() as u32, ..span };
            self.push(
                Diagnostic::new(RULE_NAME, start, format!("this `{keyword}` has no name"))
                    .label("a name and a colon belong here")
                    .help(format!("write `{keyword} a-name: …`; decisions and overrides call the rule by it")),
            );
            return (None, None);
        }
        (name, kind)
    }

    fn quorum(&mut self, pair: Pair<'_>) -> Option<Quorum> {
        let (mut count, mut people) = (None, Vec::new());
        for part in meaningful(pair) {
            let span = self.span(&part);
            match part.as_rule() {
                G::count => {
                    let inner = part.into_inner().next()?;
                    let number = match inner.as_rule() {
                        G::integer => Count::Number(self.integer(&inner)),
                        _ => Count::All,
                    };
                    count = Some(At::new(number, span));
                }
                G::people => people = self.people(part),
                _ => {}
            }
        }
        Some(Quorum { count: count?, people })
    }

    fn approve(&mut self, pair: Pair<'_>) -> Option<Approve> {
        let (mut quorum, mut including, mut since, mut valid) = (None, None, None, None);
        let mut except = None;
        for part in pair.into_inner() {
            let part = match part.as_rule() {
                G::approve_clause => part.into_inner().next()?,
                _ => {
                    quorum = self.quorum(part);
                    continue;
                }
            };
            let span = self.span(&part);
            match part.as_rule() {
                G::including => {
                    let value = self.including(&part);
                    self.keep(&mut including, value, span, "including");
                }
                G::except_people => {
                    let value = self.except(part);
                    self.keep(&mut except, value, span, "except");
                }
                G::since => {
                    let value = meaningful(part).next().map(|stage| self.word(&stage))?;
                    self.keep(&mut since, value, span, "since");
                }
                _ => {
                    let value = meaningful(part).next().map(|length| self.duration(&length))?;
                    self.keep(&mut valid, value, span, "valid");
                }
            }
        }
        Some(Approve { quorum: quorum?, including, except: except.unwrap_or_default(), since, valid })
    }

    fn including(&self, pair: &Pair<'_>) -> At<Including> {
        let author = pair.as_str().trim_end().ends_with("author");
        At::new(if author { Including::Author } else { Including::Contributors }, self.span(pair))
    }

    fn except(&mut self, pair: Pair<'_>) -> Vec<Except> {
        let terms = pair.into_inner().filter(|part| part.as_rule() == G::except_term);
        let mut except = Vec::new();
        for term in terms {
            let span = self.span(&term);
            let Some(inner) = term.into_inner().next_back() else { continue };
            let approvers = self.source_starts(&inner, span);
            except.push(match inner.as_rule() {
                G::k_requester => Except::Requester(span),
                G::people_list => Except::People(self.people_list(inner)),
                G::string => {
                    let word = self.string(&inner);
                    Except::People(At::new(vec![word], span))
                }
                _ if approvers => Except::ApproversOf(self.word(&inner)),
                _ => Except::Name(self.word(&inner)),
            });
        }
        except
    }

    /// Whether something stands before the last part of a term: `approvers of`.
    fn source_starts(&self, last: &Pair<'_>, term: Span) -> bool {
        self.span(last).start > term.start
    }

    fn override_rule(&mut self, pair: Pair<'_>, whole: Span) -> Option<Override> {
        let (mut quorum, mut including, mut except, mut valid, mut skip) = (None, None, None, None, None);
        let mut reason_required = false;
        for part in pair.into_inner() {
            let part = match part.as_rule() {
                G::override_clause => part.into_inner().next()?,
                _ => {
                    quorum = self.quorum(part);
                    continue;
                }
            };
            let span = self.span(&part);
            match part.as_rule() {
                G::including => {
                    let value = self.including(&part);
                    self.keep(&mut including, value, span, "including");
                }
                G::except_people => {
                    let value = self.except(part);
                    self.keep(&mut except, value, span, "except");
                }
                G::may_skip => {
                    let all_but = part.clone().into_inner().any(|p| p.as_rule() == G::all_but);
                    let names = part.into_inner().filter(|p| p.as_rule() == G::name);
                    let rules: Vec<Word> = names.map(|name| self.word(&name)).collect();
                    self.keep(&mut skip, (all_but, rules), span, "may skip");
                }
                G::reason_required => self.once(&mut reason_required, span, "reason required"),
                _ => {
                    let value = meaningful(part).next().map(|length| self.duration(&length))?;
                    self.keep(&mut valid, value, span, "valid");
                }
            }
        }
        let Some((all_but, rules)) = skip else {
            self.push(
                Diagnostic::new(CLAUSE, whole, "this override does not say what it may skip")
                    .help("write `may skip RULE, …` or `may skip all but RULE, …`"),
            );
            return None;
        };
        Some(Override {
            quorum: quorum?,
            including,
            except: except.unwrap_or_default(),
            all_but,
            rules,
            valid,
            reason_required,
        })
    }

    fn trigger(&mut self, pair: Pair<'_>) -> Option<Trigger> {
        let mut parts = pair.into_inner();
        let head = parts.next()?;
        let rest: Vec<Pair<'_>> = parts.collect();
        let mut to = || rest.first().cloned().and_then(|to| meaningful(to).next()).map(|to| self.string(&to));
        Some(match head.as_rule() {
            G::k_push => Trigger::Push { to: to() },
            G::k_pull_request => Trigger::PullRequest { to: to() },
            G::k_manual => Trigger::Manual { by: rest.last().map(|by| self.people(by.clone())).unwrap_or_default() },
            G::k_completion => Trigger::Completion { of: rest.last().map(|of| self.word(of)) },
            G::k_event => Trigger::Event { name: self.string(rest.last()?) },
            _ => return self.schedule(rest),
        })
    }

    fn schedule(&mut self, parts: Vec<Pair<'_>>) -> Option<Trigger> {
        let (mut cron, mut zone, mut within) = (None, None, None);
        let mut if_changed = false;
        for part in parts {
            let span = self.span(&part);
            let part = match part.as_rule() {
                G::schedule_clause => part.into_inner().next()?,
                _ => {
                    cron = Some(self.string(&part));
                    continue;
                }
            };
            match part.as_rule() {
                G::in_zone => {
                    let value = meaningful(part).next().map(|zone| self.string(&zone))?;
                    self.keep(&mut zone, value, span, "in");
                }
                G::within => {
                    let value = meaningful(part).next().map(|length| self.duration(&length))?;
                    self.keep(&mut within, value, span, "within");
                }
                _ => self.once(&mut if_changed, span, "if changed"),
            }
        }
        Some(Trigger::Schedule { cron: cron?, zone, within, if_changed })
    }
}
