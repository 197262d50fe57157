//! One queue: a worker pushes 1, 2, 3, …, and another pops what it finds first.

use crate::operation::Operation;
use std::collections::BTreeSet;

/// Faults, elements that are gone, and elements that were popped twice.
pub(crate) fn judge(pushes: &[&Operation], pops: &[&Operation]) -> (Vec<String>, i64, i64) {
    let mut faults = Vec::new();
    let mut popped = BTreeSet::new();
    let mut twice = 0;
    for element in pops.iter().filter_map(|pop| pop.taken()) {
        twice += i64::from(!popped.insert(element));
        // Its push is the one of this number.
        match pushes.get(element as usize - 1).map(|push| &push.error) {
            None => faults.push(format!("{element} was popped and never pushed")),
            Some(Some(failure)) if failure.kind != "MaybeExecuted" => faults.push(format!(
                "{element} was pushed after it was reported failed as {}",
                failure.kind
            )),
            Some(_) => {}
        }
    }
    // What is behind the last one that was popped may still be there.
    let last = popped.last().copied().unwrap_or_default();
    let acknowledged = (1..=last)
        .filter(|&it| pushes.get(it as usize - 1).is_some_and(|push| push.acknowledged()));
    let missing = acknowledged.filter(|it| !popped.contains(it)).count() as i64;
    let unknown = pops.iter().filter(|pop| !pop.acknowledged()).count() as i64;
    (faults, (missing - unknown).max(0), twice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn push(outcome: Result<Json, &str>) -> Operation {
        Operation::new("push", "n1", (0, 1), outcome)
    }

    fn pop(outcome: Result<Json, &str>) -> Operation {
        Operation::new("pop", "n0", (0, 1), outcome)
    }

    fn judged(pushes: &[Operation], pops: &[Operation]) -> (Vec<String>, i64, i64) {
        judge(&pushes.iter().collect::<Vec<_>>(), &pops.iter().collect::<Vec<_>>())
    }

    fn element(number: u64) -> Operation {
        pop(Ok(json!(["n1:shared", number])))
    }

    #[test]
    fn each_element_is_popped_once_or_by_a_pop_of_unknown_fate() {
        let pushes = [push(Ok(json!(1))), push(Err("MaybeExecuted")), push(Ok(json!(1)))];
        let pops = [element(1), pop(Ok(Json::Null)), element(3)];
        assert_eq!(judged(&pushes, &pops), (vec![], 0, 0));
        assert_eq!(judged(&pushes, &[element(1), element(2), element(3)]), (vec![], 0, 0));
        assert_eq!(judged(&pushes, &[pop(Err("MaybeExecuted")), element(3)]), (vec![], 0, 0));
        assert_eq!(judged(&pushes, &[element(3)]), (vec![], 1, 0));
        assert_eq!(judged(&pushes, &[element(1), element(1)]), (vec![], 0, 1));
    }

    #[test]
    fn what_was_reported_failed_must_not_be_there() {
        let pushes = [push(Err("Unavailable"))];
        assert!(judged(&pushes, &[element(1)]).0[0].contains("reported failed as Unavailable"));
        assert!(judged(&pushes, &[element(2)]).0[0].contains("never pushed"));
    }
}
