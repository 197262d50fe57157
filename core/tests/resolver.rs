//! The resolver, through a planned failover and the loss of a single node.

mod support;

use std::sync::mpsc;
use std::time::{Duration, Instant};
use steadis::config::{Address, Endpoint};
use steadis::lane::call::Host;
use steadis::topology::Phase;
use steadis::{Found, Kind, Resolver, Trouble};
use support::deployment::Deployment;
use support::{Redis, config, free_port};

fn endpoint(port: u16) -> Endpoint {
    Endpoint::Tcp(Address::new("127.0.0.1", port))
}

#[test]
fn a_failover_is_pushed_and_the_new_primary_found() {
    let deployment = Deployment::start(1);
    let resolver = Resolver::new(deployment.config());
    let (tell, told) = mpsc::channel();
    let listener = resolver.on_change(move |found| drop(tell.send(found.cloned()))).unwrap();
    let first = resolver.primary(None, &()).unwrap();
    assert_eq!(first, Found { address: endpoint(deployment.nodes[0].port), epoch: 1 });
    assert_eq!(resolver.current().unwrap().as_ref(), Some(&first));
    assert_eq!(told.recv().unwrap().as_ref(), Some(&first));
    while resolver.replicas().unwrap() != [endpoint(deployment.nodes[1].port)] {
        std::thread::yield_now();
    }
    deployment.fail_over();
    let pushed = told.iter().flatten().find(|found| found.epoch > first.epoch).unwrap();
    assert_eq!(pushed, Found { address: endpoint(deployment.nodes[1].port), epoch: 2 });
    assert_eq!(resolver.primary(None, &()).unwrap(), pushed);
    // News about an epoch, or an address, that is left changes nothing.
    resolver.report(first.epoch, Trouble::Unreachable).unwrap();
    resolver.report_address(&first.address, Trouble::Unreachable).unwrap();
    assert_eq!(resolver.primary(None, &()).unwrap(), pushed);
    resolver.off(listener);
    resolver.close();
    assert_eq!(resolver.primary(None, &()).unwrap_err().kind(), Kind::Closed);
    assert!(resolver.is_closed() && resolver.health().is_err());
}

#[test]
fn after_a_report_nothing_older_is_returned() {
    let mut redis = Redis::start();
    let resolver = Resolver::new(config(redis.port));
    let found = resolver.primary(None, &()).unwrap();
    // Nothing is wrong with it: looked into, and found again.
    resolver.report(found.epoch, Trouble::Unreachable).unwrap();
    assert_eq!(resolver.primary(None, &()).unwrap(), found);
    assert!(!resolver.report_error(found.epoch, b"WRONGTYPE Operation").unwrap());
    assert_eq!(resolver.topology().unwrap().phase, Phase::Ready);
    let readonly = b"READONLY You can't write against a read only replica.";
    assert!(resolver.report_error(found.epoch, readonly).unwrap());
    assert_eq!(resolver.primary(None, &()).unwrap(), found);
    redis.kill();
    resolver.report_address(&found.address, Trouble::Unreachable).unwrap();
    let error = resolver.primary(Some(Duration::from_millis(300)), &()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.message().contains("is no primary before the deadline"), "{error}");
    assert_eq!(resolver.current().unwrap(), None);
}

#[test]
fn whoever_waits_can_be_interrupted() {
    struct Impatient;
    impl Host for Impatient {
        fn interrupted(&self) -> bool {
            true
        }
    }
    let resolver = Resolver::new(config(free_port()));
    let begun = Instant::now();
    let error = resolver.primary(None, &Impatient).unwrap_err();
    assert!(error.message().contains("interrupted") && begun.elapsed() < Duration::from_secs(5));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| resolver.primary(None, &()));
        resolver.close();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), Kind::Closed);
    });
}
