//! The promises, checked in a log of every operation and the truth on the servers.

use crate::count::Count;
use crate::operation::Operation;
use crate::play::Played;
use crate::scenario::{Expect, Scenario};
use crate::variables::Variables;
use crate::{feed, figures, queue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How much later than its deadline a call may end: the machine is busy.
const SLACK: Duration = Duration::from_secs(2);
/// How many faults of one sort are spelled out.
const SPELLED: usize = 3;
/// Where a process is kept from running for so long, it may hear of a failover too late: from the
/// word to the promotion it is twice that.
const BUSY: Duration = Duration::from_millis(25);

/// What the check needs to know besides the log.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) expect: Expect,
    pub(crate) workers: u64,
    /// Writes that one worker has in flight at once.
    pub(crate) in_flight: u64,
    pub(crate) longest_call: Duration,
}

impl Terms {
    /// Those of a scenario, whose words may be what its steps came to.
    pub(crate) fn of(scenario: &Scenario, variables: &Variables) -> Self {
        let mut expect = scenario.expect.clone();
        for words in expect.must_fail.iter_mut().flat_map(|failure| &mut failure.says) {
            // Those of a step that never came about are not said either.
            *words = variables.text(words).unwrap_or_else(|_| words.clone());
        }
        Self {
            expect,
            workers: scenario.workload.workers,
            in_flight: scenario.workload.in_flight(),
            longest_call: scenario.longest_call(),
        }
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// A sentence for each broken promise.
    pub(crate) broken: Vec<String>,
    /// How many of them a client breaks that hears of a planned failover too late.
    pub(crate) late: usize,
    pub(crate) skipped: bool,
    pub(crate) acknowledged: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) lost: i64,
    pub(crate) twice: i64,
    pub(crate) longest_pause: Duration,
    /// For so long the machine let nobody run, and what was broken is what that alone can break:
    /// the run proves nothing.
    pub(crate) too_busy: Option<Duration>,
    pub(crate) to_first_answer: Option<Duration>,
}

/// Judges a run.
pub(crate) fn check(played: &Played, terms: &Terms) -> Verdict {
    let operations = &played.operations;
    let mut verdict = Verdict {
        longest_pause: figures::longest_pause(operations),
        to_first_answer: figures::to_first_answer(operations, &played.promoted),
        skipped: played.skipped,
        ..Verdict::default()
    };
    verdict.broken.extend(played.fault.clone());
    if played.skipped {
        return verdict;
    }
    let expect = terms.expect.with_crashes(played.replaced_as_down);
    let terms = &Terms { expect, ..terms.clone() };
    verdict.values(played, &terms.expect);
    verdict.pairs(played);
    verdict.queues(operations, &terms.expect);
    verdict.feeds(operations);
    verdict.failures(operations, terms);
    verdict.deadlines(operations, terms);
    verdict.attendance(operations, terms);
    let late = terms.expect.crashes == 0 && verdict.broken.len() == verdict.late;
    verdict.too_busy = (late && verdict.late > 0 && played.lag > BUSY).then_some(played.lag);
    verdict
}

impl Verdict {
    /// P1, P3 and P5: what was answered and what is there, key by key.
    fn values(&mut self, played: &Played, expect: &Expect) {
        let mut counts: BTreeMap<String, Count> = BTreeMap::new();
        let (mut faults, mut losses): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for operation in &played.operations {
            for (key, value) in operation.values() {
                let count = counts.entry(key.clone()).or_default();
                let fault = match (&operation.error, value) {
                    (Some(failure), _) if operation.writes() => {
                        count.failed(&failure.kind);
                        None
                    }
                    (Some(_), _) => None,
                    (None, Some(value)) if operation.writes() => count.incremented(value),
                    (None, Some(value)) => count.read(value),
                    (None, None) => Some("an answer is no number".to_owned()),
                };
                faults.extend(fault.map(|fault| format!("{key}: {fault}")));
            }
            let only_reads = !played.operations.iter().any(Operation::writes);
            self.acknowledged +=
                u64::from(operation.acknowledged() && (operation.writes() || only_reads));
        }
        for (key, count) in &mut counts {
            if let Some(&value) = played.truth.get(key) {
                faults.extend(count.ended(value).map(|fault| format!("{key}: {fault}")));
            }
            self.lost += count.lost;
            self.twice += count.extra;
            if count.losses > expect.crashes {
                let Count { lost, losses: times, .. } = count;
                let crashes = expect.crashes;
                losses.push(format!(
                    "{key}: {lost} acknowledged writes are lost, at {times} times; there were {crashes} crashes"
                ));
            }
        }
        self.spell(faults);
        self.late += self.spell(losses);
    }

    /// Both keys of a transaction or script, or neither.
    fn pairs(&mut self, played: &Played) {
        let mut faults = Vec::new();
        for operation in played.operations.iter().filter(|it| it.acknowledged()) {
            if let [(key, a), (_, b)] = operation.values().as_slice()
                && a != b
            {
                faults.push(format!("{key}: half of a transaction ran: {a:?} and {b:?}"));
            }
        }
        for (key, a) in &played.truth {
            let other = key.strip_suffix(":a").map(|stem| format!("{stem}:b"));
            if let Some(b) = other.and_then(|other| played.truth.get(&other))
                && a != b
            {
                faults.push(format!("{key}: half of a transaction ran: it ended with {a} and {b}"));
            }
        }
        self.spell(faults);
    }

    /// What was pushed was popped once, and what was added to a stream was read once.
    fn queues(&mut self, operations: &[Operation], expect: &Expect) {
        let mut faults = Vec::new();
        for (gives, takes) in [("push", "pop"), ("add", "entry")] {
            for (name, (given, taken)) in &shared(operations, gives, takes) {
                let (found, lost, twice) = queue::judge(given, taken);
                faults.extend(found.into_iter().map(|fault| format!("n{name}: {fault}")));
                self.lost += lost;
                self.twice += twice;
                if lost + twice > 0 && expect.crashes == 0 {
                    faults.push(format!("n{name}: {lost} elements are lost, and {twice} came twice, and nothing crashed"));
                } else if twice > 0 && takes == "entry" {
                    faults.push(format!("n{name}: {twice} entries were read twice"));
                }
            }
        }
        self.spell(faults);
    }

    /// What was published was heard, or a gap was.
    fn feeds(&mut self, operations: &[Operation]) {
        let feeds = shared(operations, "publish", "message");
        let faults = feeds.iter().flat_map(|(name, (given, heard))| {
            feed::judge(given, heard).into_iter().map(move |fault| format!("n{name}: {fault}"))
        });
        self.spell(faults.collect());
    }

    /// Only the errors that the scenario allows, and no more of them than it allows.
    fn failures(&mut self, operations: &[Operation], terms: &Terms) {
        let mut by_worker: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for operation in operations {
            if let Some(failure) = &operation.error {
                *self.errors.entry(failure.kind.clone()).or_default() += 1;
                *by_worker.entry((&failure.kind, &operation.key)).or_default() += 1;
                first.entry(&failure.kind).or_insert(&failure.message);
            }
        }
        let Expect { may_fail, must_fail, .. } = &terms.expect;
        let (mut faults, mut unanswered) = (Vec::new(), Vec::new());
        for (kind, message) in &first {
            let wanted = must_fail.as_ref().is_some_and(|failure| failure.kind == *kind);
            if !wanted && !may_fail.contains_key(*kind) {
                let count = self.errors[*kind];
                let faults = if *kind == "MaybeExecuted" { &mut unanswered } else { &mut faults };
                faults.push(format!("{count} operations failed as {kind}: {message}"));
            }
        }
        for ((kind, worker), count) in by_worker {
            if let Some(most) = may_fail.get(kind)
                && count > most * terms.in_flight
            {
                faults.push(format!("{worker}: {count} operations failed as {kind}; {most} for each write in flight are the most"));
            }
        }
        if let Some(failure) = must_fail {
            match first.get(failure.kind.as_str()) {
                None => faults.push(format!("nothing failed as {}", failure.kind)),
                Some(message) => {
                    let unsaid = failure.says.iter().filter(|words| !message.contains(*words));
                    faults.extend(unsaid.map(|words| {
                        format!("the {} error does not say {words:?}: {message}", failure.kind)
                    }));
                }
            }
        }
        self.spell(faults);
        self.late += self.spell(unanswered);
    }

    /// P7: no call waits for ever.
    fn deadlines(&mut self, operations: &[Operation], terms: &Terms) {
        let most = terms.longest_call + SLACK;
        let took = |it: &Operation| Duration::from_nanos(it.end.saturating_sub(it.start));
        let late = operations.iter().filter(|it| took(it) > most);
        let faults = late.map(|it| {
            let (took, most) = (took(it).as_secs_f64(), most.as_secs());
            format!("{}: {} took {took:.1} s; {most} s are the most", it.key, it.op)
        });
        let faults: Vec<String> = faults.collect();
        self.spell(faults);
    }

    /// A log in which somebody is missing proves nothing.
    fn attendance(&mut self, operations: &[Operation], terms: &Terms) {
        let mut keys: Vec<&str> = operations
            .iter()
            .filter(|it| !it.by_child() && (it.acknowledged() || terms.expect.must_fail.is_some()))
            .map(|it| it.key.as_str())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let refused_at_once = operations.iter().any(|it| it.op == "connect");
        if (keys.len() as u64) < terms.workers && !refused_at_once {
            let fault = format!("only {} of {} workers got an answer", keys.len(), terms.workers);
            self.broken.push(fault);
        }
    }

    /// Returns how many sentences it took.
    fn spell(&mut self, faults: Vec<String>) -> usize {
        let before = self.broken.len();
        let more = faults.len().saturating_sub(SPELLED);
        self.broken.extend(faults.into_iter().take(SPELLED));
        if more > 0 {
            self.broken.push(format!("… and {more} more like this"));
        }
        self.broken.len() - before
    }
}

/// What two workers share, by its name: what one gave, and what the other took, in order.
fn shared<'a>(
    operations: &'a [Operation],
    gives: &str,
    takes: &str,
) -> BTreeMap<u64, (Vec<&'a Operation>, Vec<&'a Operation>)> {
    let mut shared: BTreeMap<u64, (Vec<&Operation>, Vec<&Operation>)> = BTreeMap::new();
    for operation in operations {
        let Some(name) = operation.pair() else { continue };
        if operation.op == gives {
            shared.entry(name).or_default().0.push(operation);
        } else if operation.op == takes {
            shared.entry(name).or_default().1.push(operation);
        }
    }
    shared
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
