//! What is printed and never judged: how long the pauses were.

use crate::operation::Operation;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest time in which one worker got no answer, from its first question on.
pub(crate) fn longest_pause(operations: &[Operation]) -> Duration {
    let longest = by_key(operations).into_values().map(|operations| {
        let mut last = operations.iter().map(|it| it.start).min().unwrap_or_default();
        let mut ends: Vec<u64> =
            operations.iter().filter(|it| it.acknowledged()).map(|it| it.end).collect();
        ends.sort_unstable();
        let gap = |end: u64| end.saturating_sub(std::mem::replace(&mut last, end));
        ends.into_iter().map(gap).max().unwrap_or_default()
    });
    Duration::from_nanos(longest.max().unwrap_or_default())
}

/// From a promotion to the first answer that each worker got to what it asked after it: the
/// slowest worker's, after the promotion that took longest. `None` without a promotion.
pub(crate) fn to_first_answer(operations: &[Operation], promoted: &[u64]) -> Option<Duration> {
    let workers = by_key(operations);
    let after = |(index, &since): (usize, &u64)| {
        // What ends after the next promotion has waited for that one.
        let until = promoted.get(index + 1).copied().unwrap_or(u64::MAX);
        let first = |operations: &Vec<&Operation>| {
            let asked = operations.iter().filter(|it| it.acknowledged() && it.start >= since);
            asked.map(|it| it.end).min().filter(|end| *end < until).map(|end| end - since)
        };
        workers.values().filter_map(first).max()
    };
    let slowest = promoted.iter().enumerate().filter_map(after).max()?;
    Some(Duration::from_nanos(slowest))
}

/// The operations that count, worker by worker: writes, unless all only read.
fn by_key(operations: &[Operation]) -> BTreeMap<&str, Vec<&Operation>> {
    let any_write = operations.iter().any(Operation::writes);
    let mut workers: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in operations.iter().filter(|it| it.writes() || !any_write) {
        workers.entry(&operation.key).or_default().push(operation);
    }
    workers
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MS: u64 = 1_000_000;

    #[test]
    fn the_worst_worker_decides() {
        let ok = |key, start, end| Operation::new("incr", key, (start, end), Ok(json!(1)));
        let operations = [
            ok("n0", 0, 1),
            Operation::new("incr", "n0", (10, 20), Err("MaybeExecuted")),
            ok("n0", 25, 60),
            ok("n1", 0, 2),
            ok("n1", 10, 50),
            ok("n0", 61, 62),
            ok("n1", 55, 65),
        ];
        assert_eq!(longest_pause(&operations), Duration::from_millis(59));
        let first = to_first_answer(&operations, &[40 * MS]);
        assert_eq!(first, Some(Duration::from_millis(25)));
        assert_eq!(to_first_answer(&operations, &[]), None);
    }
}
