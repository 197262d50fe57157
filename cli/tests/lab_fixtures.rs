//! The addresses that deceive clients. These share one lab and leave it as they found it.

mod harness;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use harness::*;
use serde_json::{Value as Json, json};

/// Makes a fixture and returns its name and address.
fn make(lab: &mut Serve, request: Json) -> (String, SocketAddr) {
    let made = lab.ok(request);
    (text(&made["name"]), text(&made["address"]).parse().expect("an address"))
}

fn fault(lab: &mut Serve, name: &str, fault: Json) {
    lab.ok(json!({ "verb": "fault", "name": name, "fault": fault }));
}

#[test]
fn nobody_answers_at_refuse_mute_and_drop() {
    let mut lab = lab();
    let (refuse, address) = make(&mut lab, json!({ "verb": "refuse" }));
    let error = TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

    let (mute, address) = make(&mut lab, json!({ "verb": "mute" }));
    let mut stream = dial(address, SOON);
    assert_eq!(ping(&mut stream).unwrap_err().kind(), ErrorKind::WouldBlock);
    lab.event("connected", &mute, 0);

    let (drop, address) = make(&mut lab, json!({ "verb": "drop" }));
    let error = TcpStream::connect_timeout(&address, Duration::from_millis(200)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);

    let fixtures = lab.status()["fixtures"].as_array().unwrap().len();
    for name in [refuse, mute, drop] {
        lab.ok(json!({ "verb": "remove", "name": name }));
    }
    assert_eq!(lab.status()["fixtures"].as_array().unwrap().len(), fixtures - 3);
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).unwrap(), 0);
    let error = lab.error(json!({ "verb": "remove", "name": "mute0" }));
    assert!(error.starts_with("there is no \"mute0\" to remove"), "{error}");
}

#[test]
fn a_stale_sentinel_goes_on_naming_the_wrong_node() {
    let mut lab = lab();
    let (stale, address) = make(&mut lab, json!({ "verb": "stale", "name": "node2" }));
    let wrong = lab.address("node2");
    for protocol in [2, 3] {
        let url = format!("redis://{address}?protocol=resp{protocol}");
        let mut sentinel = redis::Client::open(url).unwrap().get_connection().unwrap();
        let mut ask = |words: &[&str]| run(&mut sentinel, words);
        let reply = ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"]).unwrap();
        let (ip, port): (String, u16) = redis::from_redis_value(reply).unwrap();
        assert_eq!(format!("{ip}:{port}"), wrong.to_string());
        assert_eq!(
            ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "other"]).unwrap(),
            redis::Value::Nil
        );
        type Entry = std::collections::HashMap<String, String>;
        let master: Entry =
            redis::from_redis_value(ask(&["SENTINEL", "MASTER", "mymaster"]).unwrap()).unwrap();
        assert_eq!((master["ip"].as_str(), master["config-epoch"].as_str()), (ip.as_str(), "0"));
        for (list, count) in [("REPLICAS", 2), ("SENTINELS", 3)] {
            let reply = ask(&["SENTINEL", list, "mymaster"]).unwrap();
            let entries: Vec<Entry> = redis::from_redis_value(reply).unwrap();
            assert_eq!(entries.len(), count, "{list}");
        }
        assert!(ask(&["SENTINEL", "MASTER", "other"]).is_err());
        assert_eq!(role(&mut sentinel).unwrap(), "sentinel");
    }
    let mut subscriber = dial(address, LATE);
    subscriber.write_all(b"*2\r\n$9\r\nSUBSCRIBE\r\n$14\r\n+switch-master\r\n").unwrap();
    let expected = b"*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n";
    let mut confirmation = [0; 49];
    subscriber.read_exact(&mut confirmation[..expected.len()]).unwrap();
    assert_eq!(&confirmation[..expected.len()], expected);
    lab.ok(json!({ "verb": "remove", "name": stale }));
}

#[test]
fn a_proxy_passes_delays_and_swallows() {
    let mut lab = lab();
    let made = lab.ok(json!({ "verb": "proxy", "name": "node1" }));
    let (name, address) = (text(&made["name"]), text(&made["address"]).parse().unwrap());
    let map = format!("{}={address}", lab.address("node1"));
    assert_eq!(made["address_map"], map);
    let mut through = connect(address).unwrap();
    assert_eq!(role(&mut through).unwrap(), "master");

    fault(&mut lab, &name, json!({ "delay": { "ms": 200, "direction": "replies" } }));
    let begin = Instant::now();
    run(&mut through, &["PING"]).unwrap();
    let once = begin.elapsed();
    assert!(once >= Duration::from_millis(200));
    fault(&mut lab, &name, json!({ "delay": { "ms": 200 } }));
    let begin = Instant::now();
    run(&mut through, &["PING"]).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(400));

    fault(&mut lab, &name, json!({ "swallow": "replies" }));
    let before = lab.call("node1", &["INCR", "swallowed"]).as_i64().unwrap();
    let mut stream = dial(address, SOON);
    stream.write_all(b"INCR swallowed\r\n").unwrap();
    let error = stream.read(&mut [0; 64]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert_eq!(lab.call("node1", &["GET", "swallowed"]), (before + 1).to_string());

    fault(&mut lab, &name, json!({ "swallow": "requests" }));
    assert_eq!(ping(&mut stream).unwrap_err().kind(), ErrorKind::WouldBlock);
    fault(&mut lab, &name, json!("pass"));
    stream.set_read_timeout(Some(LATE)).unwrap();
    assert_eq!(ping(&mut stream).unwrap(), "+PONG\r\n");

    let status = lab.status();
    let fixtures = status["fixtures"].as_array().unwrap();
    let proxy = fixtures.iter().find(|fixture| fixture["name"] == name.as_str()).unwrap();
    assert_eq!(proxy["traffic"]["connections"], 2);
    assert!(proxy["traffic"]["requests"].as_u64() > Some(0));
    lab.ok(json!({ "verb": "remove", "name": name }));
}

#[test]
fn a_proxy_cuts_resets_and_half_closes() {
    let mut lab = lab();
    let (name, address) = make(&mut lab, json!({ "verb": "proxy", "name": "sentinel1" }));
    let cut =
        |reset: bool| json!({ "cut": { "bytes": 3, "direction": "replies", "reset": reset } });

    let mut stream = dial(address, LATE);
    assert_eq!(ping(&mut stream).unwrap(), "+PONG\r\n");
    fault(&mut lab, &name, cut(false));
    assert_eq!(ping(&mut stream).unwrap(), "+PO");
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    lab.event("cut", &name, 0);

    // The standing order holds for new connections too.
    fault(&mut lab, &name, cut(true));
    let mut stream = dial(address, LATE);
    stream.write_all(b"PING\r\n").unwrap();
    let mut answer = Vec::new();
    let error = stream.read_to_end(&mut answer).unwrap_err();
    assert_eq!((answer.as_slice(), error.kind()), (&b"+PO"[..], ErrorKind::ConnectionReset));

    fault(&mut lab, &name, json!({ "cut": { "bytes": 6, "direction": "requests" } }));
    let mut stream = dial(address, LATE);
    stream.write_all(b"PING\r\nPING\r\n").unwrap();
    let mut answer = Vec::new();
    // The server's answer to the first may or may not make it back before the end.
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer == b"+PONG\r\n", "{answer:?}");

    fault(&mut lab, &name, json!("pass"));
    let mut stream = dial(address, LATE);
    assert_eq!(ping(&mut stream).unwrap(), "+PONG\r\n");
    fault(&mut lab, &name, json!("reset"));
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    let mut stream = dial(address, LATE);
    assert_eq!(ping(&mut stream).unwrap(), "+PONG\r\n");
    fault(&mut lab, &name, json!("half-close"));
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    stream.write_all(b"PING\r\n").unwrap();
    assert_eq!(ping(&mut dial(address, LATE)).unwrap(), "+PONG\r\n");
    lab.ok(json!({ "verb": "remove", "name": name }));
    let error = lab.error(json!({ "verb": "fault", "name": name, "fault": "pass" }));
    assert!(error.starts_with("there is no proxy"), "{error}");
}

#[test]
fn a_stuck_connection_stays_open_and_carries_nothing() {
    let mut lab = lab();
    let (name, address) = make(&mut lab, json!({ "verb": "proxy", "name": "node1" }));
    let mut stuck = dial(address, SOON);
    assert_eq!(ping(&mut stuck).unwrap(), "+PONG\r\n");
    fault(&mut lab, &name, json!("stick"));
    let before = lab.call("node1", &["INCR", "stuck"]).as_i64().unwrap();
    stuck.write_all(b"INCR stuck\r\n").unwrap();
    assert_eq!(stuck.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(ping(&mut dial(address, LATE)).unwrap(), "+PONG\r\n");
    assert_eq!(lab.call("node1", &["GET", "stuck"]), before.to_string());
    lab.ok(json!({ "verb": "remove", "name": name }));
}

#[test]
fn a_name_leads_where_it_is_told_to() {
    let mut lab = lab();
    for (node, wanted) in [("node1", "master"), ("node2", "slave"), ("node1", "master")] {
        let lead = lab.ok(json!({ "verb": "dns", "name": node }));
        let hosts = std::fs::read_to_string(text(&lead["hosts"])).unwrap();
        let address: SocketAddr = text(&lead["address"]).parse().unwrap();
        assert_eq!(hosts, format!("{} {}\n", address.ip(), text(&lead["host"])));
        assert_eq!(role(&mut connect(address).unwrap()).unwrap(), wanted);
        let asked = std::process::Command::new("getent")
            .args(["ahostsv4", "redis.test"])
            .env("LD_PRELOAD", "libnss_wrapper.so")
            .env("NSS_WRAPPER_HOSTS", text(&lead["hosts"]))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&asked.stdout).into_owned();
        assert!(said.starts_with(&address.ip().to_string()), "{said:?}");
    }
}
