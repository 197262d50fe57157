//! What an event loop's own connections come to, move by move: no socket, no clock.

mod calls;
mod host;
mod subscriptions;
mod watch;

use host::Host;
use steadis::Kind;

#[test]
fn closing_tells_everybody() {
    let mut host = Host::new();
    let (id, _) = host.subscribe(&["news"]);
    let pop = host.submit("BLPOP jobs 0");
    let watch = host.watch();
    let begin = host.begin(watch);
    host.with(|session, _, sink| session.close(sink));
    assert_eq!([host.outcome(pop), host.outcome(begin)], ["Closed", "Closed"]);
    assert_eq!(host.session.subscription_next(id).unwrap_err().kind(), Kind::Closed);
    assert_eq!((host.heard, host.written.len()), (2, 0));
}
