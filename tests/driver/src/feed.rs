//! One channel: a worker publishes 1, 2, 3, …, and another hears it, in this order, or of a gap.

use crate::operation::Operation;

/// Faults.
pub(crate) fn judge(publishes: &[&Operation], messages: &[&Operation]) -> Vec<String> {
    let mut faults = Vec::new();
    // The last that was heard without a gap after it; nothing is known before the first.
    let (mut last, mut whole) = (0, false);
    for message in messages {
        if message.is_gap() {
            whole = false;
        }
        let Some(number) = message.taken() else { continue };
        if number <= last {
            faults.push(format!("{number} was heard after {last}"));
        }
        match publishes.get(number as usize - 1).map(|publish| &publish.error) {
            None => faults.push(format!("{number} was heard and never published")),
            Some(Some(failure)) if failure.kind != "MaybeExecuted" => faults.push(format!(
                "{number} was published after it was reported failed as {}",
                failure.kind
            )),
            Some(_) => {}
        }
        let between = publishes.get(last as usize..number as usize - 1).unwrap_or_default();
        let missed = between.iter().filter(|publish| publish.acknowledged()).count();
        if whole && missed > 0 {
            faults.push(format!("{missed} messages before {number} were missed without a word"));
        }
        (last, whole) = (number, true);
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn publish(outcome: Result<Json, &str>) -> Operation {
        Operation::new("publish", "n1", (0, 1), outcome)
    }

    fn judged(publishes: &[Operation], heard: &[Json]) -> Vec<String> {
        let message = |value: &Json| Operation::new("message", "n0", (0, 1), Ok(value.clone()));
        let messages: Vec<Operation> = heard.iter().map(message).collect();
        judge(&publishes.iter().collect::<Vec<_>>(), &messages.iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_is_not_heard_is_in_a_gap_or_was_never_acknowledged() {
        let ok = || publish(Ok(json!(1)));
        let publishes = [ok(), ok(), publish(Err("MaybeExecuted")), ok(), ok()];
        let fine = judged(&publishes, &[json!(2), Json::Null, json!(4), json!(5)]);
        assert_eq!(fine, Vec::<String>::new());
        assert_eq!(judged(&publishes, &[json!(1), json!("gap"), json!(5)]), Vec::<String>::new());
        assert!(judged(&publishes, &[json!(1), json!(4)])[0].contains("missed without a word"));
        assert!(judged(&publishes, &[json!(2), json!(2)])[0].contains("2 was heard after 2"));
        assert!(judged(&publishes, &[json!(9)])[0].contains("never published"));
        let failed = judged(&[publish(Err("Unavailable"))], &[json!(1)]);
        assert!(failed[0].contains("reported failed as Unavailable"));
    }
}
