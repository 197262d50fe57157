//! Several lanes on one connection: everybody gets his own replies, in their order.

#[path = "support/replies.rs"]
mod replies;

use proptest::collection::vec;
use proptest::prelude::*;
use replies::{reply, write};
use steadis::lane::trunk::{Seat, Trunk};
use steadis::proto::encode;
use steadis::proto::reply::Reply;
use steadis::proto::scan::Limits;

/// So many commands in one write.
fn commands(count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    (0..count).for_each(|n| encode::command(&mut bytes, &["ECHO", &n.to_string()]));
    bytes
}

/// What answers a command.
fn answer() -> impl Strategy<Value = Reply> {
    reply().prop_filter("a push answers nothing", |reply| !matches!(reply, Reply::Push(_)))
}

fn trunk(sent: &[(Seat, usize)]) -> Trunk {
    let mut trunk = Trunk::new(Limits::default());
    sent.iter().for_each(|&(seat, count)| trunk.sent(seat, &commands(count)));
    trunk
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn everybody_gets_his_own_replies_however_they_are_cut(
        turns in vec((0u32..4, vec((answer(), any::<bool>(), any::<bool>()), 0..4)), 1..8),
        cuts in vec(0usize..60, 0..30),
    ) {
        let (mut bytes, mut wanted) = (Vec::new(), vec![Vec::new(); 4]);
        let mut sent = Vec::new();
        for (seat, replies) in &turns {
            sent.push((*seat, replies.len()));
            for (reply, attributes, told) in replies {
                if *told {
                    bytes.extend_from_slice(b">2\r\n+invalidate\r\n*1\r\n+k\r\n");
                }
                let start = bytes.len();
                write(reply, *attributes, &mut bytes);
                wanted[*seat as usize].extend_from_slice(&bytes[start..]);
            }
        }
        let mut trunk = trunk(&sent);
        let mut got = vec![Vec::new(); 4];
        let mut rest = bytes.as_slice();
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (chunk, after) = rest.split_at(cut.min(rest.len()));
            trunk.feed(chunk, |seat, run| got[seat as usize].extend_from_slice(run)).unwrap();
            rest = after;
        }
        prop_assert_eq!(got, wanted);
        prop_assert!(trunk.is_idle());
    }
}

#[test]
fn it_is_idle_when_all_is_answered_and_no_reply_has_begun() {
    let mut trunk = trunk(&[]);
    assert!(trunk.is_idle());
    trunk.sent(7, &commands(1));
    assert!(!trunk.is_idle());
    trunk.feed(b"+OK\r\n", |_, _| {}).unwrap();
    assert!(trunk.is_idle());
    trunk.feed(b">1\r\n+he", |_, _| panic!("nobody asked")).unwrap();
    assert!(!trunk.is_idle());
}

#[test]
fn it_is_crowded_for_those_who_would_wait_for_many_replies_of_others() {
    let crowded = |trunk: &Trunk| [1, 2].map(|seat| trunk.is_crowded(seat));
    assert_eq!(crowded(&trunk(&[(1, 200), (2, 200)])), [false, false]);
    assert_eq!(crowded(&trunk(&[(1, 1000)])), [false, true]);
    assert_eq!(crowded(&trunk(&[(1, 200), (2, 200), (1, 200)])), [false, true]);
    let mut trunk = trunk(&[(1, 1), (2, 1)]);
    trunk.feed(format!("${}\r\n{}", 9 << 20, "x".repeat(2 << 20)).as_bytes(), |_, _| {}).unwrap();
    assert_eq!(crowded(&trunk), [false, true]);
}

#[test]
fn a_reply_that_nobody_asked_for_or_that_is_none_ends_it() {
    for (sent, bytes) in [(0, b"+OK\r\n".as_slice()), (1, b"+OK\r\n+OK\r\n"), (1, b"+OK\r\n?")] {
        let mut before = 0;
        assert!(trunk(&[(1, sent)]).feed(bytes, |_, run| before += run.len()).is_err());
        assert_eq!(before, 5 * sent, "what came before is dealt out");
    }
    // Something went out that is no command: nothing can be told apart any more.
    for odd in [b"PING\r\n".as_slice(), b"*1\r\n$4\r\nPI"] {
        let mut trunk = trunk(&[(1, 1)]);
        trunk.sent(2, odd);
        assert!(!trunk.is_idle());
        assert!(trunk.feed(b"+OK\r\n", |_, _| {}).is_err());
    }
}
