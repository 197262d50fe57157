//! What an event loop's own connections come to, move by move: no socket, no clock.

mod calls;
mod host;
mod subscriptions;
mod watch;

use host::Host;
use steadis::Kind;

#[test]
fn closing_tells_everybody_what_came_of_it() {
    let mut host = Host::new();
    let (id, _) = host.subscribe(&["news"]);
    let pop = host.submit("BLPOP jobs 0");
    host.reaches("BLPOP");
    let read = host.submit("XREAD BLOCK 0 STREAMS log $");
    host.reaches("XREAD");
    let unsent = host.submit("BRPOP jobs 0");
    let watch = host.watch();
    let begin = host.begin(watch);
    host.with(|session, _, sink| session.close(sink));
    // The server may just have taken something off the list.
    assert_eq!(host.outcome(pop), "MaybeExecuted");
    assert!(host.errors[&pop].message().ends_with(": the client is closed"));
    assert_eq!([read, unsent, begin].map(|call| host.outcome(call)), ["Closed"; 3]);
    assert_eq!(host.session.subscription_next(id).unwrap_err().kind(), Kind::Closed);
    assert_eq!((host.heard, host.written.len()), (2, 0));
}
