//! SCAN and its kin from beginning to end, page by page, without I/O.

use super::{Answer, Exchange, Origin};
use crate::command::{Arg, Command};
use crate::error::{Error, Kind, Result};
use crate::proto::read::{Frame, Reader};
use crate::proto::reply::Reply;
use crate::proto::shape::Shape;

/// A walk over all keys, or over all elements of one. Execute [`request`](Self::request) and hand
/// its answer to [`take`](Self::take), until it [is over](Self::is_over).
///
/// As with SCAN itself, what is there from beginning to end is seen at least once, and can be seen
/// more often. A cursor means something on its own node alone: when another node answers, after a
/// failover or because a replica has gone, the walk begins anew there.
#[derive(Debug, Clone)]
pub struct Scan {
    command: &'static Command,
    shape: &'static Shape,
    /// The command and its arguments; the cursor is one of them.
    words: Vec<Vec<u8>>,
    cursor_at: usize,
    origin: Option<Origin>,
    over: bool,
}

const BEGINNING: &[u8] = b"0";

impl Scan {
    /// A walk by SCAN, HSCAN, SSCAN or ZSCAN, with the arguments of that command but the cursor.
    pub fn new(
        command: &'static Command,
        args: &[Arg<'_>],
        named: &[(&str, Arg<'_>)],
    ) -> Result<Self> {
        if !command.scans() {
            let title = command.title();
            let why = format!("{title} answers without a cursor: use SCAN, HSCAN, SSCAN or ZSCAN");
            return Err(Error::usage(why).during(title));
        }
        let place = command.cursor().unwrap_or_default();
        let (before, after) = args.split_at(place.min(args.len()));
        let all = [before, &[Arg::Bytes(BEGINNING)], after].concat();
        let exchange = Exchange::new(command, &all, named)?;
        let words = Reply::from_frame(Frame::trusted(exchange.bytes()));
        let words = words.as_list().into_iter().flatten().filter_map(Reply::as_bytes);
        Ok(Self {
            command,
            shape: exchange.encoded().shape,
            words: words.map(<[u8]>::to_vec).collect(),
            cursor_at: 1 + place,
            origin: None,
            over: false,
        })
    }

    /// The next page's command.
    pub fn request(&self) -> Result<Exchange> {
        let mut exchange = Exchange::raw(&self.words)?;
        exchange.belongs_to(self.shape, self.origin);
        Ok(exchange)
    }

    /// Takes the answer in, and returns the elements in it: a list, or a map for HSCAN.
    pub fn take<'a>(&mut self, answer: Answer<'a>) -> Result<Answer<'a>> {
        let (cursor, items) = parts(answer.frame).ok_or_else(|| unreadable(self.command))?;
        let begun = self.words[self.cursor_at] != BEGINNING;
        let moved = begun && self.origin != Some(answer.origin);
        self.origin = Some(answer.origin);
        // What another node has made of the cursor are elements all the same.
        self.over = !moved && cursor == BEGINNING;
        self.words[self.cursor_at] = if moved { BEGINNING.to_vec() } else { cursor };
        let shape = match answer.shape {
            Shape::Tuple([_, items]) => items,
            _ => &Shape::Raw,
        };
        Ok(Answer { frame: items, shape, ..answer })
    }

    /// All pages have been taken.
    pub fn is_over(&self) -> bool {
        self.over
    }
}

fn parts(frame: Frame<'_>) -> Option<(Vec<u8>, Frame<'_>)> {
    let (2, mut parts): (usize, Reader<'_>) = frame.parts()? else { return None };
    let cursor = Reply::from_frame(parts.next_frame()?).as_bytes()?.to_vec();
    Some((cursor, parts.next_frame()?))
}

fn unreadable(command: &Command) -> Error {
    let why = "the server answered with something else than a cursor and elements";
    Error::new(Kind::Server, why).during(command.title())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;

    fn scan(name: &str, args: &[Arg<'_>], named: &[(&str, Arg<'_>)]) -> Scan {
        Scan::new(command::find(&[name]).unwrap(), args, named).unwrap()
    }

    fn words(scan: &Scan) -> String {
        let exchange = scan.request().unwrap();
        let words = Reply::from_frame(Frame::trusted(exchange.bytes()));
        let words = words.as_list().unwrap().iter().filter_map(Reply::as_str);
        words.collect::<Vec<_>>().join(" ")
    }

    /// The elements of a page that a node answers with.
    fn page(scan: &mut Scan, node: u16, reply: &str) -> Reply {
        let exchange = scan.request().unwrap();
        let (frame, shape) = (Frame::trusted(reply.as_bytes()), exchange.encoded().shape);
        let origin = Origin::of(1, Some(&crate::config::Address::new("n", node)));
        scan.take(Answer { frame, shape, origin }).unwrap().to_reply()
    }

    #[test]
    fn cursors_lead_from_page_to_page() {
        let mut keys = scan("scan", &[], &[("match", Arg::Text("u:*")), ("count", Arg::Int(2))]);
        assert_eq!(words(&keys), "SCAN 0 MATCH u:* COUNT 2");
        let first = page(&mut keys, 1, "*2\r\n$2\r\n17\r\n*1\r\n$1\r\na\r\n");
        assert_eq!(first, Reply::List(vec![Reply::Bulk(b"a".into())]));
        assert_eq!(words(&keys), "SCAN 17 MATCH u:* COUNT 2");
        assert!(!keys.is_over());
        assert_eq!(page(&mut keys, 1, "*2\r\n$1\r\n0\r\n*0\r\n"), Reply::List(vec![]));
        assert!(keys.is_over());
        let mut fields = scan("hscan", &[Arg::Text("h")], &[]);
        assert_eq!(words(&fields), "HSCAN h 0");
        let mut names = scan("hscan", &[Arg::Text("h")], &[("novalues", Arg::Bool(true))]);
        assert_eq!(words(&names), "HSCAN h 0 NOVALUES");
        let text = "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";
        let expected = Reply::Map(vec![(Reply::Bulk(b"f".into()), Reply::Bulk(b"v".into()))]);
        assert_eq!(page(&mut fields, 1, text), expected);
        let expected = Reply::List(vec![Reply::Bulk(b"f".into()), Reply::Bulk(b"v".into())]);
        assert_eq!(page(&mut names, 1, text), expected);
    }

    #[test]
    fn another_node_begins_anew() {
        let mut keys = scan("scan", &[], &[]);
        page(&mut keys, 1, "*2\r\n$2\r\n17\r\n*0\r\n");
        // To node 2, the cursor 17 can be the last one.
        page(&mut keys, 2, "*2\r\n$1\r\n0\r\n*0\r\n");
        assert!(!keys.is_over());
        assert_eq!(words(&keys), "SCAN 0");
        page(&mut keys, 2, "*2\r\n$1\r\n0\r\n*0\r\n");
        assert!(keys.is_over());
    }

    #[test]
    fn only_what_has_a_cursor_can_be_walked_over() {
        let error = Scan::new(command::find(&["get"]).unwrap(), &[], &[]).unwrap_err();
        assert!(error.message().contains("use SCAN, HSCAN, SSCAN or ZSCAN"));
        let error = Scan::new(command::find(&["hscan"]).unwrap(), &[], &[]).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        let mut keys = scan("scan", &[], &[]);
        let frame = Frame::trusted(b"+OK\r\n");
        let origin = Origin::default();
        assert!(keys.take(Answer { frame, shape: &Shape::Raw, origin }).is_err());
    }
}
