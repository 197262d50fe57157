//! Failovers, as the lab brings them about and tells of them. Each test has a lab of its own.

mod harness;

use harness::*;
use serde_json::{Value as Json, json};

const SENTINELS: [&str; 3] = ["sentinel1", "sentinel2", "sentinel3"];

/// Waits for the promotion after `begin` and returns its event; the node is then the primary.
fn promotion(lab: &mut Serve, begin: u64) -> Json {
    lab.until(json!({ "primary-other-than": "node1" }));
    let primary = lab.primary();
    let promoted = lab.event("promoted", &primary, begin);
    let mut connection = connect(lab.address(&primary)).unwrap();
    assert_eq!(role(&mut connection).unwrap(), "master");
    promoted
}

#[test]
fn a_planned_failover_is_told_step_by_step() {
    let mut lab = Serve::start(&[]);
    let begin = at(&lab.ask(json!({ "verb": "failover", "name": "sentinel2" })));
    let promoted = promotion(&mut lab, begin);

    // The Sentinel that leads announces it before, and is the last to publish the switch.
    let announced = lab.event("+failover-state-send-slaveof-noone", "sentinel2", begin);
    assert!(begin < at(&announced) && at(&announced) < at(&promoted));
    let switches = SENTINELS.map(|sentinel| lab.event("+switch-master", sentinel, begin));
    for switch in &switches {
        let (old, new) = (lab.address("node1"), lab.address(&text(&promoted["name"])));
        let words = format!("mymaster {} {} {} {}", old.ip(), old.port(), new.ip(), new.port());
        assert_eq!(switch["message"], words);
        assert!(at(switch) > at(&promoted));
        assert!(at(switch) <= at(&switches[1]));
    }

    // The old primary goes on believing for ten seconds; two nodes say `master` until then.
    assert_eq!(lab.server("node1")["role"], "primary");
    lab.until(json!({ "role": { "name": "node1", "role": "replica" } }));
    lab.event("demoted", "node1", begin);
    lab.until(json!("in-sync"));

    // All events were sent without being asked for, in order.
    let times: Vec<u64> = lab.events.iter().map(at).collect();
    assert!(times.is_sorted());
    assert!(lab.events.contains(&promoted));
}

#[test]
fn a_killed_primary_is_replaced_and_comes_back_empty_handed() {
    let mut lab = Serve::steady(&[]);
    lab.call("primary", &["SET", "before", "1"]);
    lab.until(json!("in-sync"));
    let begin = at(&lab.ask(json!({ "verb": "kill", "name": "primary" })));
    let promoted = promotion(&mut lab, begin);
    assert!(at(&promoted) - begin > 1_400_000_000, "sooner than down-after");
    for sentinel in SENTINELS {
        lab.event("+switch-master", sentinel, begin);
    }
    lab.until(json!("in-sync"));
    assert_eq!(lab.call("primary", &["GET", "before"]), "1");

    let restarted = lab.ask(json!({ "verb": "restart", "name": "node1" }));
    lab.event("started", "node1", at(&restarted));
    lab.until(json!({ "role": { "name": "node1", "role": "replica" } }));
    lab.until(json!("in-sync"));
    assert_eq!(lab.call("node1", &["GET", "before"]), "1");
    assert_ne!(lab.primary(), "node1");
}

#[test]
fn a_frozen_primary_is_replaced() {
    let mut lab = Serve::start(&["--down-after", "500ms", "--sentinels", "1", "--replicas", "1"]);
    let begin = at(&lab.ask(json!({ "verb": "freeze", "name": "primary" })));
    assert_eq!(promotion(&mut lab, begin)["name"], "node2");
    lab.event("+switch-master", "sentinel1", begin);
    assert_eq!(lab.primary(), "node2");
    lab.ok(json!({ "verb": "thaw", "name": "node1" }));
    // It comes back in the belief that it is still the primary, and the lab is not deceived.
    assert_eq!(lab.primary(), "node2");
    assert_eq!(lab.call("node1", &["ROLE"])[0], "master");
}

#[test]
fn a_refused_failover_says_why() {
    let mut lab = Serve::start(&["--replicas", "0"]);
    let error = lab.error(json!({ "verb": "failover" }));
    assert!(error.starts_with("sentinel1 answered SENTINEL with: NOGOODSLAVE"), "{error}");
    let error = lab.error(json!({ "verb": "kill", "name": "replica" }));
    assert!(error.starts_with("there is no server \"replica\""), "{error}");
}
