//! Every option of the lab, seen from an application.

mod harness;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use harness::*;
use redis::{ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};
use serde_json::{Value as Json, json};

/// A connection with a login, as the lab's environment gives it.
fn log_in(
    address: SocketAddr,
    user: &str,
    password: &str,
) -> redis::RedisResult<redis::Connection> {
    let settings = RedisConnectionInfo::default().set_username(user).set_password(password);
    let address = ConnectionAddr::Tcp(address.ip().to_string(), address.port());
    let info = address.into_connection_info()?.set_redis_settings(settings);
    redis::Client::open(info)?.get_connection()
}

/// The code of the error that a command is refused with, or `OK`.
fn outcome(connection: &mut redis::Connection, command: &[&str]) -> String {
    match run(connection, command) {
        Ok(_) => "OK".into(),
        Err(error) => error.code().unwrap_or("no code").into(),
    }
}

/// The address that a Sentinel names as the primary's.
fn named_primary(sentinel: &mut redis::Connection) -> String {
    let reply = run(sentinel, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"]).unwrap();
    let (ip, port): (String, u16) = redis::from_redis_value(reply).unwrap();
    format!("{ip}:{port}")
}

/// Kills the primary, when all it has is safe, and waits until everybody follows the next.
fn fail_over(lab: &mut Serve) -> String {
    lab.until(json!("in-sync"));
    let old = lab.primary();
    let begin = at(&lab.ask(json!({ "verb": "kill", "name": "primary" })));
    lab.until(json!({ "primary-other-than": old }));
    for sentinel in ["sentinel1", "sentinel2", "sentinel3"] {
        lab.event("+switch-master", sentinel, begin);
    }
    lab.until(json!("in-sync"));
    lab.primary()
}

fn replies(lab: &mut Serve, command: &str) -> Json {
    lab.call("primary", &command.split(' ').collect::<Vec<_>>())
}

#[test]
fn passwords_are_asked_for_and_the_servers_know_them() {
    let mut lab = Serve::steady(&["--password", "n*de&p@ss", "--sentinel-password", "s%ntinel"]);
    let (node, sentinel) = (lab.address("node1"), lab.address("sentinel1"));
    assert_eq!(lab.variable("REDIS_PASSWORD"), "n*de&p@ss");
    assert_eq!(lab.variable("REDIS_SENTINEL_PASSWORD"), "s%ntinel");
    let list = lab.variable("REDIS_SENTINEL_LIST");
    assert_eq!(
        lab.variable("REDIS_SENTINEL_URL"),
        format!(
            "redis-sentinel://:n%2Ade%26p%40ss@{list}/0\
             ?sentinelMasterId=mymaster&sentinelPassword=s%25ntinel"
        )
    );
    for address in [node, sentinel] {
        let mut stranger = connect(address).unwrap();
        assert_eq!(outcome(&mut stranger, &["PING"]), "NOAUTH");
        assert!(log_in(address, "default", "wrong").is_err());
    }
    assert!(log_in(node, "default", "s%ntinel").is_err());
    let mut node = log_in(node, "default", "n*de&p@ss").unwrap();
    assert_eq!(outcome(&mut node, &["SET", "a", "1"]), "OK");
    let mut sentinel = log_in(sentinel, "default", "s%ntinel").unwrap();
    assert_eq!(named_primary(&mut sentinel), lab.address("node1").to_string());

    let new = fail_over(&mut lab);
    assert_eq!(replies(&mut lab, "GET a"), "1");
    assert_eq!(named_primary(&mut sentinel), lab.address(&new).to_string());
}

#[test]
fn acl_gives_the_application_few_rights() {
    let mut lab = Serve::steady(&["--acl", "--sentinel-password", "chosen"]);
    let (node, sentinel) = (lab.address("node1"), lab.address("sentinel1"));
    for address in [node, sentinel] {
        let mut stranger = connect(address).unwrap();
        assert_eq!(outcome(&mut stranger, &["PING"]), "NOAUTH");
    }
    assert_eq!(lab.variable("REDIS_USERNAME"), "app");
    assert_eq!(lab.variable("REDIS_SENTINEL_USERNAME"), "app");
    assert_eq!(lab.variable("REDIS_SENTINEL_PASSWORD"), "chosen");

    let mut node = log_in(node, "app", &lab.variable("REDIS_PASSWORD")).unwrap();
    for allowed in ["SET a 1", "EVAL return(1) 0", "PUBLISH c m", "ROLE", "CLIENT SETNAME me"] {
        assert_eq!(outcome(&mut node, &allowed.split(' ').collect::<Vec<_>>()), "OK", "{allowed}");
    }
    for denied in ["CONFIG GET *", "REPLICAOF NO ONE", "FLUSHALL", "DEBUG SLEEP 0", "ACL LIST"] {
        let denied: Vec<&str> = denied.split(' ').collect();
        assert_eq!(outcome(&mut node, &denied), "NOPERM", "{denied:?}");
    }

    let mut sentinel = log_in(sentinel, "app", "chosen").unwrap();
    assert_eq!(named_primary(&mut sentinel), lab.address("node1").to_string());
    for allowed in ["MASTER", "REPLICAS", "SLAVES", "SENTINELS"] {
        assert_eq!(outcome(&mut sentinel, &["SENTINEL", allowed, "mymaster"]), "OK", "{allowed}");
    }
    for denied in ["SENTINEL FAILOVER mymaster", "SENTINEL RESET *", "INFO", "PSUBSCRIBE *"] {
        let denied: Vec<&str> = denied.split(' ').collect();
        assert_eq!(outcome(&mut sentinel, &denied), "NOPERM", "{denied:?}");
    }
    let mut subscriber = log_in(lab.address("sentinel2"), "app", "chosen").unwrap();
    let mut subscriber = subscriber.as_pubsub();
    for channel in ["+switch-master", "+selected-slave", "+failover-state-send-slaveof-noone"] {
        subscriber.subscribe(channel).unwrap();
    }
    assert_eq!(outcome(&mut sentinel, &["SUBSCRIBE", "+monitor"]), "NOPERM");

    let new = fail_over(&mut lab);
    assert_eq!(replies(&mut lab, "GET a"), "1");
    assert_eq!(named_primary(&mut sentinel), lab.address(&new).to_string());
    // No server lacked a right that it needed for all this.
    for server in ["node2", "node3", "sentinel1", "sentinel2", "sentinel3"] {
        let log = lab.call(server, &["ACL", "LOG"]).to_string();
        assert!(!log.contains("\"peer\"") && !log.contains("\"sentinel\""), "{server}: {log}");
    }
}

#[test]
fn tls_is_all_that_the_servers_speak() {
    let mut lab = Serve::steady(&["--tls"]);
    let authority = lab.variable("REDIS_TLS_CA");
    assert_eq!(lab.variable("REDIS_SENTINEL_TLS_CA"), authority);
    assert_eq!(lab.variable("REDIS_TLS"), "1");
    assert_eq!(lab.variable("REDIS_SENTINEL_TLS"), "1");
    assert!(lab.variable("REDIS_SENTINEL_URL").starts_with("rediss-sentinel://"));
    let redis_cli = |address: SocketAddr, arguments: &[&str]| -> String {
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let output = Command::new("redis-cli")
            .args(["-h", &host, "-p", &port])
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    for server in ["node1", "sentinel1"] {
        let address = lab.address(server);
        assert_eq!(redis_cli(address, &["--tls", "--cacert", &authority, "PING"]), "PONG\n");
        assert!(!redis_cli(address, &["PING"]).contains("PONG"));
        // It is a certificate of the lab's own authority and of no other.
        let output = redis_cli(address, &["--tls", "PING"]);
        assert!(output.contains("certificate verify failed"), "{output}");
    }
    replies(&mut lab, "SET a 1");
    let new = fail_over(&mut lab);
    assert_eq!(redis_cli(lab.address(&new), &["--tls", "--cacert", &authority, "GET", "a"]), "1\n");
}

#[test]
fn behind_a_nat_the_map_is_what_leads_to_the_primary() {
    let mut lab = Serve::steady(&["--nat"]);
    let map = lab.variable("REDIS_ADDRESS_MAP");
    let map: Vec<(&str, &str)> = map.split(',').map(|pair| pair.split_once('=').unwrap()).collect();
    assert_eq!(map.len(), 6);
    let reachable = |announced: &str| -> SocketAddr {
        let found = map.iter().find(|(known, _)| *known == announced);
        found.unwrap_or_else(|| panic!("{announced} is not in the map")).1.parse().unwrap()
    };
    replies(&mut lab, "SET a 1");
    lab.until(json!("in-sync"));
    let list = lab.variable("REDIS_SENTINEL_LIST");
    let mut sentinel = connect(list.split(',').next_back().unwrap().parse().unwrap()).unwrap();
    let mut check = |primary: SocketAddr| {
        let announced = named_primary(&mut sentinel);
        assert!(announced.starts_with("127.0.1."), "{announced}");
        // The announced address lets no application in; the mapped one leads to the primary.
        let lost =
            connect(announced.parse().unwrap()).and_then(|mut node| run(&mut node, &["PING"]));
        assert!(lost.is_err());
        assert_eq!(reachable(&announced), primary);
        let mut node = connect(reachable(&announced)).unwrap();
        assert_eq!(role(&mut node).unwrap(), "master");
        let reply = run(&mut node, &["GET", "a"]).unwrap();
        assert_eq!(redis::from_redis_value::<i64>(reply).unwrap(), 1);
    };
    check(lab.address("node1"));
    let new = fail_over(&mut lab);
    check(lab.address(&new));
    // Sentinels name one another by addresses of the map, too.
    let others = run(&mut sentinel, &["SENTINEL", "SENTINELS", "mymaster"]).unwrap();
    type Entry = std::collections::HashMap<String, String>;
    for other in redis::from_redis_value::<Vec<Entry>>(others).unwrap() {
        reachable(&format!("{}:{}", other["ip"], other["port"]));
    }
}

#[test]
fn haproxy_follows_a_failover() {
    let mut lab = Serve::steady(&["--haproxy", "--password", "secret"]);
    let url = lab.variable("REDIS_URL");
    assert!(url.starts_with("redis://:secret@127.0.0.1:"), "{url}");
    let client = redis::Client::open(url).unwrap();
    let mut before = client.get_connection().unwrap();
    run(&mut before, &["SET", "a", "1"]).unwrap();
    lab.until(json!("in-sync"));
    lab.until(json!("haproxy"));
    lab.ok(json!({ "verb": "freeze", "name": "node1" }));
    // HAProxy ends the sessions of a node that it calls down; the frozen node cannot.
    before.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let error = run(&mut before, &["PING"]).unwrap_err();
    assert!(error.is_connection_dropped() && !error.is_timeout(), "{error}");
    lab.until(json!({ "primary-other-than": "node1" }));
    lab.until(json!("haproxy"));
    let mut after = client.get_connection().unwrap();
    assert_eq!(role(&mut after).unwrap(), "master");
    let reply = run(&mut after, &["GET", "a"]).unwrap();
    assert_eq!(redis::from_redis_value::<i64>(reply).unwrap(), 1);

    lab.ok(json!({ "verb": "kill", "name": "haproxy" }));
    assert!(client.get_connection().is_err());
    lab.ok(json!({ "verb": "restart", "name": "haproxy" }));
    lab.until(json!("haproxy"));
    assert_eq!(role(&mut client.get_connection().unwrap()).unwrap(), "master");
}

#[test]
fn all_options_work_together() {
    let mut lab = Serve::steady(&["--acl", "--tls", "--nat", "--haproxy", "--replicas", "1"]);
    let password = lab.variable("REDIS_PASSWORD");
    assert!(lab.variable("REDIS_URL").starts_with(&format!("rediss://app:{password}@127.0.0.1:")));
    assert_eq!(fail_over(&mut lab), "node2");
    lab.until(json!("haproxy"));
}

#[test]
fn settings_reach_the_servers() {
    let mut lab = Serve::steady(&[
        "--replicas",
        "1",
        "--sentinels",
        "1",
        "--failover-timeout",
        "7s",
        "--node-config",
        "maxmemory=64mb",
        "--sentinel-config",
        "sentinel resolve-hostnames=yes",
    ]);
    let value = lab.call("node2", &["CONFIG", "GET", "maxmemory"]);
    assert_eq!(value, json!(["maxmemory", "67108864"]));
    let value = lab.call("sentinel1", &["SENTINEL", "CONFIG", "GET", "resolve-hostnames"]);
    assert_eq!(value, json!(["resolve-hostnames", "yes"]));
    let master = lab.call("sentinel1", &["SENTINEL", "MASTER", "mymaster"]);
    let master = master.as_array().unwrap();
    let field = |name: &str| &master[master.iter().position(|field| field == name).unwrap() + 1];
    assert_eq!(field("failover-timeout"), "7000");
    assert_eq!(field("down-after-milliseconds"), "1500");
    assert_eq!(field("quorum"), "1");
}
