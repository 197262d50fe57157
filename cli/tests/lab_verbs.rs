//! Every verb shows its effect on real servers. These share one lab and leave it as they found it.

mod harness;

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use harness::*;
use serde_json::{Value as Json, json};

#[test]
fn status_names_every_server() {
    let mut lab = lab();
    let status = lab.status();
    assert_eq!(status["primary"], "node1");
    let column = |list: &str, field: &str| -> Vec<Json> {
        status[list].as_array().unwrap().iter().map(|server| server[field].clone()).collect()
    };
    assert_eq!(column("nodes", "name"), ["node1", "node2", "node3"]);
    assert_eq!(column("nodes", "role"), ["primary", "replica", "replica"]);
    assert_eq!(column("nodes", "state"), ["running"; 3]);
    assert_eq!(column("sentinels", "name"), ["sentinel1", "sentinel2", "sentinel3"]);
    let list: Vec<String> = column("sentinels", "address").iter().map(text).collect();
    assert_eq!(lab.variable("REDIS_SENTINEL_LIST"), list.join(","));
}

#[test]
fn the_environment_leads_to_the_primary() {
    let mut lab = lab();
    let environment = lab.ok(json!({ "verb": "environment" }));
    assert_eq!(environment, lab.ready["environment"]);
    let list = lab.variable("REDIS_SENTINEL_LIST");
    assert_eq!(
        lab.variable("REDIS_SENTINEL_URL"),
        format!("redis-sentinel://{list}/0?sentinelMasterId=mymaster")
    );
    for sentinel in list.split(',') {
        let mut sentinel = connect(sentinel.parse().unwrap()).unwrap();
        let name = lab.variable("REDIS_SENTINEL_MASTER");
        let reply = run(&mut sentinel, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &name]).unwrap();
        let (ip, port): (String, u16) = redis::from_redis_value(reply).unwrap();
        assert_eq!((ip.parse().unwrap(), port), {
            let address = lab.address("node1");
            (address.ip(), address.port())
        });
    }
}

#[test]
fn call_runs_any_command_anywhere() {
    let mut lab = lab();
    assert_eq!(lab.call("primary", &["SET", "call", "1"]), "OK");
    let request = json!({ "verb": "call", "name": "node1", "command": ["INCRBY", "call", 41] });
    assert_eq!(lab.ok(request)["reply"], 42);
    assert_eq!(lab.call("node1", &["GET", "missing"]), Json::Null);
    assert_eq!(lab.call("node1", &["EVAL", "return {1, {'a'}}", "0"]), json!([1, ["a"]]));
    assert_eq!(lab.call("sentinel2", &["SENTINEL", "MYID"]).as_str().map(str::len), Some(40));
    let error =
        lab.error(json!({ "verb": "call", "name": "replica", "command": ["SET", "a", "b"] }));
    assert!(error.starts_with("node2 answered SET with: READONLY"), "{error}");
    let error = lab.error(json!({ "verb": "call", "name": "node1", "command": [] }));
    assert!(error.contains("the command is empty"), "{error}");
}

#[test]
fn config_sets_values_on_nodes_and_sentinels() {
    let mut lab = lab();
    lab.ok(json!({ "verb": "config", "name": "node2", "key": "replica-priority", "value": 42 }));
    let value = lab.call("node2", &["CONFIG", "GET", "replica-priority"]);
    assert_eq!(value, json!(["replica-priority", "42"]));
    lab.ok(json!({ "verb": "config", "name": "node2", "key": "replica-priority", "value": "100" }));
    lab.ok(json!({ "verb": "config", "name": "sentinel1", "key": "parallel-syncs", "value": 2 }));
    let master = lab.call("sentinel1", &["SENTINEL", "MASTER", "mymaster"]);
    let master = master.as_array().unwrap();
    let field = master.iter().position(|field| field == "parallel-syncs").unwrap();
    assert_eq!(master[field + 1], "2");
    let error =
        lab.error(json!({ "verb": "config", "name": "node1", "key": "nonsense", "value": 1 }));
    assert!(error.contains("Unknown option"), "{error}");
}

#[test]
fn freeze_stops_a_server_and_thaw_lets_it_go_on() {
    let mut lab = lab();
    let address = lab.address("node3");
    lab.ok(json!({ "verb": "freeze", "name": "node3" }));
    assert_eq!(lab.server("node3")["state"], "frozen");
    let mut stream = dial(address, SOON);
    assert_eq!(ping(&mut stream).unwrap_err().kind(), ErrorKind::WouldBlock);
    let request = json!({ "verb": "call", "name": "node3", "command": ["PING"], "timeout_ms": 50 });
    assert_eq!(lab.error(request), "node3 did not answer PING within 50 ms");
    lab.ok(json!({ "verb": "thaw", "name": "node3" }));
    stream.set_read_timeout(Some(LATE)).unwrap();
    assert_eq!(receive(&mut stream).unwrap(), "+PONG\r\n");
    let error = lab.error(json!({ "verb": "thaw", "name": "node3" }));
    assert_eq!(error, "node3 is not frozen; freeze it first");
}

#[test]
fn a_killed_replica_comes_back_with_restart() {
    let mut lab = lab();
    let before = lab.server("node3");
    let killed = lab.ask(json!({ "verb": "kill", "name": "node3" }));
    assert!(has_ended(before["pid"].as_i64().unwrap() as i32, 0));
    assert_eq!(lab.server("node3")["state"], "down");
    assert_eq!(lab.server("node3")["pid"], Json::Null);
    let exited = lab.event("exited", "node3", at(&killed));
    assert_eq!(exited["message"], "signal: 9 (SIGKILL)");
    let error = lab.error(json!({ "verb": "kill", "name": "node3" }));
    assert_eq!(error, "node3 does not run; start it with restart");
    lab.call("primary", &["SET", "while", "down"]);
    lab.ok(json!({ "verb": "restart", "name": "node3" }));
    lab.until(json!("in-sync"));
    assert_eq!(lab.call("node3", &["GET", "while"]), "down");
    assert_ne!(lab.server("node3")["pid"], before["pid"]);
}

#[test]
fn restart_also_takes_a_running_server() {
    let mut lab = lab();
    let before = lab.server("sentinel3")["pid"].clone();
    lab.ok(json!({ "verb": "restart", "name": "sentinel3" }));
    assert_ne!(lab.server("sentinel3")["pid"], before);
}

#[test]
fn stall_returns_while_the_node_sleeps() {
    let mut lab = lab();
    let begin = Instant::now();
    lab.ok(json!({ "verb": "stall", "name": "node2", "ms": 1000 }));
    assert!(begin.elapsed() < Duration::from_millis(1000));
    let mut stream = dial(lab.address("node2"), LATE);
    assert_eq!(ping(&mut stream).unwrap(), "+PONG\r\n");
    assert!(begin.elapsed() >= Duration::from_millis(1000));
}

#[test]
fn pause_holds_up_writes_or_everything() {
    let mut lab = lab();
    let mut connection = connect(lab.address("node1")).unwrap();
    let begin = Instant::now();
    lab.ok(json!({ "verb": "pause", "name": "primary", "ms": 1000, "mode": "write" }));
    run(&mut connection, &["GET", "paused"]).unwrap();
    assert!(begin.elapsed() < Duration::from_millis(1000));
    run(&mut connection, &["SET", "paused", "1"]).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(1000));
    let begin = Instant::now();
    lab.ok(json!({ "verb": "pause", "name": "primary", "ms": 300 }));
    run(&mut connection, &["GET", "paused"]).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(300));
}

#[test]
fn sentinels_stop_and_start_freeze_and_thaw() {
    let mut lab = lab();
    lab.ok(json!({ "verb": "stop-sentinel", "name": "all" }));
    let list = lab.variable("REDIS_SENTINEL_LIST");
    for address in list.split(',') {
        let error = TcpStream::connect(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    let error = lab.error(json!({ "verb": "failover" }));
    assert_eq!(error, "no Sentinel runs; start one with start-sentinel");
    lab.ok(json!({ "verb": "start-sentinel", "name": "sentinel2" }));
    lab.ok(json!({ "verb": "start-sentinel", "name": "all" }));
    lab.until(json!("agreed"));

    lab.ok(json!({ "verb": "freeze-sentinel", "name": "sentinel1" }));
    let mut stream = dial(lab.address("sentinel1"), SOON);
    assert_eq!(ping(&mut stream).unwrap_err().kind(), ErrorKind::WouldBlock);
    lab.ok(json!({ "verb": "thaw-sentinel", "name": "sentinel1" }));
    stream.set_read_timeout(Some(LATE)).unwrap();
    assert_eq!(receive(&mut stream).unwrap(), "+PONG\r\n");
    let error = lab.error(json!({ "verb": "stop-sentinel", "name": "node1" }));
    assert!(error.starts_with("there is no Sentinel \"node1\""), "{error}");
}

#[test]
fn mistakes_are_answers() {
    let mut lab = lab();
    lab.send_line("nonsense");
    let answer = lab.answer();
    assert_eq!(answer["id"], Json::Null);
    assert!(text(&answer["error"]).starts_with("the line is not JSON"), "{answer}");
    lab.send_line("[1]");
    assert!(text(&lab.answer()["error"]).starts_with("a request is a JSON object"));
    let error = lab.error(json!({ "verb": "kil" }));
    assert!(error.contains("unknown variant `kil`, expected one of `status`"), "{error}");
    let error = lab.error(json!({ "verb": "kill" }));
    assert!(error.contains("missing field `name`"), "{error}");
    let error = lab.error(json!({ "verb": "kill", "name": "node1", "nmae": 1 }));
    assert!(error.contains("unknown field `nmae`"), "{error}");
    let error = lab.error(json!({ "verb": "kill", "name": "node4" }));
    assert_eq!(
        error,
        "there is no server \"node4\"; write node1 to node3, primary, replica \
         or sentinel1 to sentinel3"
    );
    lab.send_line("{\"id\": {\"any\": [\"thing\"]}, \"verb\": \"status\"}");
    assert_eq!(lab.answer()["id"], json!({ "any": ["thing"] }));
}

#[test]
fn a_wait_in_vain_says_what_was_missing() {
    let mut lab = lab();
    let mut wait =
        |until: Json| lab.error(json!({ "verb": "wait", "until": until, "timeout_ms": 30 }));
    assert_eq!(
        wait(json!({ "primary": "node2" })),
        "waited 30 ms in vain: node1 is the primary, not node2"
    );
    assert_eq!(
        wait(json!({ "primary-other-than": "node1" })),
        "waited 30 ms in vain: node1 is still the primary"
    );
    assert_eq!(
        wait(json!({ "event": { "event": "never" } })),
        "waited 30 ms in vain: there was no event never"
    );
    assert_eq!(
        wait(json!({ "role": { "name": "node2", "role": "primary" } })),
        "waited 30 ms in vain: node2 is a replica"
    );
    // What happened before `since` does not count: every server was started once.
    let since = steadis_cli::lab::now();
    assert_eq!(
        wait(json!({ "event": { "event": "started", "since": since } })),
        "waited 30 ms in vain: there was no event started"
    );
    assert!(wait(json!("haproxy")).contains("there is no HAProxy"));
    assert!(wait(json!("peace")).contains("unknown variant `peace`"));
}

#[test]
fn requests_are_served_side_by_side() {
    let mut lab = lab();
    let now = lab.ask(json!({ "verb": "status" }));
    let until = json!({ "event": { "event": "frozen", "name": "node3", "since": at(&now) } });
    let waiting = lab.send(json!({ "verb": "wait", "until": until, "timeout_ms": PATIENCE_MS }));
    let freezing = lab.send(json!({ "verb": "freeze", "name": "node3" }));
    let mut ids = [lab.answer()["id"].as_u64(), lab.answer()["id"].as_u64()];
    ids.sort_unstable();
    assert_eq!(ids, [Some(waiting), Some(freezing)]);
    lab.ok(json!({ "verb": "thaw", "name": "node3" }));
}

#[test]
fn time_stamps_are_those_of_the_monotonic_clock() {
    let mut lab = lab();
    let before = steadis_cli::lab::now();
    let answer = lab.ask(json!({ "verb": "status" }));
    assert!((before..steadis_cli::lab::now()).contains(&at(&answer)));
}
