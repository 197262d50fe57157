//! Each part of a transaction's reply has the shape of its own command.

use steadis::command;
use steadis::proto::read::Frame;
use steadis::proto::reply::Reply;

#[test]
fn the_parts_of_exec_are_shaped_one_by_one() {
    let reply = b"*3\r\n*2\r\n$1\r\nf\r\n$1\r\n1\r\n$3\r\n2.5\r\n-WRONGTYPE no hash\r\n";
    let (count, mut parts) = Frame::trusted(reply).parts().expect("a list");
    let replies: Vec<Reply> = ["hgetall", "zscore", "hgetall"]
        .iter()
        .filter_map(|name| {
            Reply::next_shaped(&mut parts, &command::find(&[name]).expect("a command").reply.shape)
        })
        .collect();
    let map = Reply::Map(vec![(Reply::Bulk(b"f".to_vec()), Reply::Bulk(b"1".to_vec()))]);
    assert_eq!(count, 3);
    assert_eq!(replies, [map, Reply::Double(2.5), Reply::Error(b"WRONGTYPE no hash".to_vec())]);
}

#[test]
fn an_exec_that_did_not_run_has_no_parts() {
    assert!(Frame::trusted(b"*-1\r\n").parts().is_none());
    assert!(Frame::trusted(b"_\r\n").parts().is_none());
    assert!(Frame::trusted(b"-EXECABORT Transaction discarded\r\n").parts().is_none());
}
