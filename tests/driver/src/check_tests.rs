//! Logs made by hand: one that keeps every promise, and for each promise one that breaks it.

use super::*;
use crate::scenario::Failure;
use serde_json::{Value as Json, json};

fn incr(at: u64, value: i64) -> Operation {
    Operation::new("incr", "n0", (at, at + 1), Ok(json!(value)))
}

fn failed(at: u64, kind: &str) -> Operation {
    Operation::new("incr", "n0", (at, at + 1), Err(kind))
}

fn get(at: u64, value: Json) -> Operation {
    Operation::new("get", "n0", (at, at + 1), Ok(value))
}

fn played(operations: Vec<Operation>, truth: &[(&str, i64)]) -> Played {
    let truth = truth.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
    Played { operations, truth, ..Played::default() }
}

fn terms() -> Terms {
    let may_fail = [("MaybeExecuted".to_owned(), 1)].into();
    let expect = Expect { may_fail, ..Expect::default() };
    Terms { expect, workers: 1, in_flight: 1, longest_call: Duration::from_secs(35) }
}

fn crash() -> Terms {
    let mut terms = terms();
    terms.expect.crashes = 1;
    terms
}

fn broken(operations: Vec<Operation>, truth: &[(&str, i64)], terms: &Terms) -> String {
    check(&played(operations, truth), terms).broken.join("\n")
}

#[test]
fn a_faultless_log_is_praised_and_counted() {
    let log = vec![incr(0, 1), get(2, json!("1")), failed(4, "MaybeExecuted"), incr(6, 3)];
    let verdict = check(&played(log, &[("n0", 3)]), &terms());
    assert_eq!(verdict.broken, Vec::<String>::new());
    assert_eq!((verdict.acknowledged, verdict.lost, verdict.twice), (2, 0, 0));
    assert_eq!(verdict.errors, [("MaybeExecuted".to_owned(), 1)].into());
    assert_eq!(verdict.longest_pause, Duration::from_millis(6));
}

#[test]
fn an_increment_that_ran_twice_is_found_in_an_answer_a_read_or_the_end() {
    let twice = "executed twice";
    assert!(broken(vec![incr(0, 1), incr(2, 3)], &[("n0", 3)], &terms()).contains(twice));
    assert!(broken(vec![incr(0, 1), get(2, json!(2))], &[("n0", 2)], &terms()).contains(twice));
    assert!(broken(vec![incr(0, 1)], &[("n0", 2)], &terms()).contains(twice));
    assert!(broken(vec![incr(0, 1), incr(2, 3)], &[("n0", 3)], &crash()).contains(twice));
    let unknown = vec![failed(0, "MaybeExecuted"), incr(2, 3)];
    assert!(broken(unknown, &[("n0", 3)], &terms()).contains(twice));
}

#[test]
fn a_run_on_a_machine_that_let_nobody_run_proves_nothing_about_what_was_heard_in_time() {
    let mut terms = terms();
    terms.expect.may_fail.clear();
    let judge = |log: Vec<Operation>, end, lag| {
        let lag = Duration::from_millis(lag);
        check(&Played { lag, ..played(log, &[("n0", end)]) }, &terms)
    };
    let lost = || vec![incr(0, 1), incr(2, 2), incr(4, 2)];
    let verdict = judge(lost(), 2, 80);
    assert_eq!((verdict.broken.len(), verdict.too_busy), (1, Some(Duration::from_millis(80))));
    assert!(judge(vec![incr(0, 1), failed(2, "MaybeExecuted")], 1, 80).too_busy.is_some());
    assert_eq!(judge(lost(), 2, 5).too_busy, None, "there was time enough");
    assert_eq!(judge(vec![incr(0, 1)], 1, 80).too_busy, None, "nothing is broken");
    // What no lack of time explains.
    assert_eq!(judge(vec![incr(0, 1), incr(2, 3)], 3, 80).too_busy, None);
    assert_eq!(judge(vec![incr(0, 1), failed(2, "Timeout")], 1, 80).too_busy, None);
}

#[test]
fn a_primary_that_was_called_down_may_lose_writes() {
    let log = vec![incr(0, 1), incr(2, 2), incr(4, 2)];
    let mut played = played(log, &[("n0", 2)]);
    assert_eq!(check(&played, &terms()).broken.len(), 1);
    played.replaced_as_down = 1;
    assert_eq!(check(&played, &terms()).broken, Vec::<String>::new());
}

#[test]
fn a_lost_write_needs_a_crash_as_an_excuse() {
    let log = || vec![incr(0, 1), incr(2, 2), incr(4, 2)];
    assert!(broken(log(), &[("n0", 2)], &terms()).contains("1 acknowledged writes are lost"));
    assert_eq!(check(&played(log(), &[("n0", 2)]), &crash()).lost, 1);
    assert_eq!(broken(log(), &[("n0", 2)], &crash()), "");
    assert!(broken(vec![incr(0, 1)], &[("n0", 0)], &terms()).contains("lost"));
    let again = vec![incr(0, 1), incr(2, 2), incr(4, 2), incr(6, 3), incr(8, 3)];
    assert!(broken(again, &[("n0", 3)], &crash()).contains("at 2 times; there were 1 crashes"));
    let stale = vec![incr(0, 1), get(2, Json::Null)];
    assert!(broken(stale, &[("n0", 1)], &terms()).contains("lost"));
}

#[test]
fn a_write_must_not_run_after_it_was_reported_failed() {
    let mut terms = terms();
    terms.expect.may_fail.insert("Unavailable".into(), 1);
    let log = vec![incr(0, 1), failed(2, "Unavailable"), incr(4, 3)];
    assert!(broken(log, &[("n0", 3)], &terms).contains("reported failed as Unavailable"));
    let log = vec![incr(0, 1), failed(2, "Unavailable")];
    assert!(broken(log, &[("n0", 2)], &terms).contains("reported failed as Unavailable"));
}

#[test]
fn errors_are_those_that_were_agreed_and_no_more() {
    let log = vec![incr(0, 1), failed(2, "Unavailable")];
    assert!(
        broken(log, &[("n0", 1)], &terms()).contains("1 operations failed as Unavailable: why")
    );
    let log = || vec![incr(0, 1), failed(2, "MaybeExecuted"), failed(4, "MaybeExecuted")];
    assert!(broken(log(), &[("n0", 1)], &terms()).contains("2 operations failed as MaybeExecuted"));
    let wide = Terms { in_flight: 10, ..terms() };
    assert_eq!(broken(log(), &[("n0", 1)], &wide), "");
}

#[test]
fn an_error_that_must_come_must_say_the_right_thing() {
    let mut terms = terms();
    let says = vec!["why".to_owned()];
    terms.expect.must_fail = Some(Failure { kind: "Config".into(), says });
    assert_eq!(broken(vec![failed(0, "Config")], &[], &terms), "");
    assert!(broken(vec![incr(0, 1)], &[("n0", 1)], &terms).contains("nothing failed as Config"));
    let says = vec!["mymaster".to_owned()];
    terms.expect.must_fail = Some(Failure { kind: "Config".into(), says });
    assert!(broken(vec![failed(0, "Config")], &[], &terms).contains("does not say \"mymaster\""));
}

#[test]
fn a_transaction_runs_as_a_whole() {
    let multi = |at, values| Operation::new("multi", "n0", (at, at + 1), Ok(values));
    let whole = vec![multi(0, json!([1, 1])), multi(2, json!([2, 2]))];
    assert_eq!(broken(whole, &[("n0:a", 2), ("n0:b", 2)], &terms()), "");
    let half = vec![multi(0, json!([1, 1])), multi(2, json!([2, 3]))];
    assert!(broken(half, &[("n0:a", 2), ("n0:b", 3)], &terms()).contains("half"));
    let half =
        vec![Operation::new("multi", "n0", (0, 1), Err("MaybeExecuted")), multi(2, json!([1, 1]))];
    assert!(broken(half, &[("n0:a", 1), ("n0:b", 2)], &terms()).contains("half"));
}

#[test]
fn an_entry_is_read_once_whatever_happens() {
    let add = |at| Operation::new("add", "n1", (at, at + 1), Ok(json!("1-1")));
    let entry = |at, number: u64| {
        Operation::new("entry", "n0", (at, at + 1), Ok(json!(["n1:shared", number])))
    };
    let pair = |mut terms: Terms| {
        terms.workers = 2;
        terms
    };
    let log = vec![add(0), entry(1, 1), add(2), entry(3, 2)];
    assert_eq!(broken(log, &[], &pair(terms())), "");
    let twice = || vec![add(0), entry(1, 1), entry(2, 1)];
    assert!(broken(twice(), &[], &pair(terms())).contains("1 came twice"));
    assert!(broken(twice(), &[], &pair(crash())).contains("1 entries were read twice"));
    let missed = || vec![add(0), add(1), entry(2, 2)];
    assert!(broken(missed(), &[], &pair(terms())).contains("1 elements are lost"));
    assert_eq!(broken(missed(), &[], &pair(crash())), "");
}

#[test]
fn nobody_waits_for_ever_and_nobody_is_missing() {
    let slow = Operation::new("get", "n0", (10, 38_000), Ok(json!(1)));
    assert!(broken(vec![incr(0, 1), slow], &[("n0", 1)], &terms()).contains("took 38.0 s"));
    let two = Terms { workers: 2, ..terms() };
    assert!(broken(vec![incr(0, 1)], &[("n0", 1)], &two).contains("only 1 of 2 workers"));
    let fault = Played { fault: Some("step 3: in vain".into()), ..played(vec![incr(0, 1)], &[]) };
    assert_eq!(check(&fault, &terms()).broken, ["step 3: in vain"]);
}

#[test]
fn an_answer_that_makes_no_sense_is_no_answer() {
    let log = vec![Operation::new("incr", "n0", (0, 1), Ok(json!("OK")))];
    assert!(broken(log, &[], &terms()).contains("no number"));
}
