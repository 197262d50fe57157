//! What must hold of the wire protocol for any input.

#[path = "support/replies.rs"]
mod replies;

use proptest::collection::vec;
use proptest::prelude::*;
use replies::{reply, write};
use steadis::proto::encode;
use steadis::proto::ledger::{Fate, Ledger, Span};
use steadis::proto::read::{Frame, Reader};
use steadis::proto::reply::Reply;
use steadis::proto::scan::{Limits, Malformed, Scanner};

/// Feeds `bytes` in chunks and returns the replies found.
fn scan_in_chunks(bytes: &[u8], cuts: &[usize]) -> Result<Vec<Vec<u8>>, Malformed> {
    let (mut scanner, mut buffer, mut found) = (Scanner::default(), Vec::new(), Vec::new());
    let mut fed = 0;
    let ends = cuts.iter().scan(0, |end, cut| {
        *end += cut;
        Some(*end)
    });
    for end in ends.chain([bytes.len()]) {
        let end = end.min(bytes.len()).max(fed);
        buffer.extend_from_slice(&bytes[fed..end]);
        fed = end;
        while let Some(length) = scanner.scan(&buffer)? {
            found.push(buffer.drain(..length).collect());
        }
    }
    Ok(found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_reply_in_any_chunks_is_found_and_read(
        replies in vec((reply(), any::<bool>()), 1..5),
        cuts in vec(0usize..40, 0..40),
    ) {
        let mut bytes = Vec::new();
        let mut frames = Vec::new();
        for (reply, attributes) in &replies {
            let start = bytes.len();
            write(reply, *attributes, &mut bytes);
            frames.push(bytes[start..].to_vec());
        }
        prop_assert_eq!(&scan_in_chunks(&bytes, &cuts).unwrap(), &frames);
        prop_assert_eq!(&scan_in_chunks(&bytes, &vec![1; bytes.len()]).unwrap(), &frames);

        let mut reader = Reader::new(Frame::check(&bytes, Limits::default()).unwrap());
        for (reply, _) in &replies {
            prop_assert_eq!(&Reply::next(&mut reader).unwrap(), reply);
        }
        prop_assert!(Reply::next(&mut reader).is_none());

        let mut reader = Reader::new(Frame::check(&bytes, Limits::default()).unwrap());
        for (frame, (reply, _)) in frames.iter().zip(&replies) {
            let found = reader.next_frame().unwrap();
            prop_assert_eq!(found.bytes(), frame.as_slice());
            prop_assert_eq!(found.error().is_some(), matches!(reply, Reply::Error(_)));
            prop_assert_eq!(found.is_push(), matches!(reply, Reply::Push(_)));
        }
    }

    #[test]
    fn plain_replies_are_found_together_as_one_by_one(
        replies in vec(prop_oneof![
            3 => (0i64..2000).prop_map(Reply::Integer),
            3 => Just(Reply::Simple(b"OK".into())),
            3 => vec(any::<u8>(), 0..12).prop_map(Reply::Bulk),
            1 => reply(),
        ], 1..20),
        cut in 0usize..20,
        most in 0usize..20,
    ) {
        let mut bytes = Vec::new();
        for reply in &replies {
            write(reply, false, &mut bytes);
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        let (count, length) = Scanner::default().scan_plain(&bytes, most);
        prop_assert!(count <= most);
        let mut at = 0;
        for _ in 0..count {
            at += Scanner::default().scan(&bytes[at..]).unwrap().expect("a whole reply");
        }
        prop_assert_eq!(at, length);
    }

    #[test]
    fn any_bytes_are_refused_or_understood(bytes in vec(any::<u8>(), 0..300)) {
        let _ = scan_in_chunks(&bytes, &[7; 40]);
        if let Ok(frame) = Frame::check(&bytes, Limits::default()) {
            let mut reader = Reader::new(frame);
            while Reply::next(&mut reader).is_some() {}
        }
    }

    /// Bytes that look like the protocol get further into the scanner than random ones.
    #[test]
    fn any_near_miss_is_refused_or_understood(
        text in "([$*:+\\-%~_#,(=!>|;.][0-9?tf\\-.]{0,3}(\r\n|\n|\r)([ab]{0,3}\r\n)?){0,12}",
        cuts in vec(0usize..9, 0..30),
    ) {
        let whole = scan_in_chunks(text.as_bytes(), &[]);
        let chunked = scan_in_chunks(text.as_bytes(), &cuts);
        prop_assert_eq!(&whole, &chunked);
        for bytes in whole.unwrap_or_default() {
            let frame = Frame::check(&bytes, Limits::default()).unwrap();
            Reply::from_frame(frame);
        }
    }

    #[test]
    fn what_is_encoded_is_what_a_server_reads(args in vec(vec(any::<u8>(), 0..40), 1..10)) {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, &args);
        let frame = Frame::check(&bytes, Limits::default()).unwrap();
        let expected = Reply::List(args.into_iter().map(Reply::Bulk).collect());
        prop_assert_eq!(Reply::from_frame(frame), expected);
    }

    /// The ledger against a model that keeps every single byte.
    #[test]
    fn the_ledger_knows_every_fate(steps in vec(step(), 0..60)) {
        let mut ledger = Ledger::default();
        let mut model = Model::default();
        for (token, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append(span) => {
                    model.append(token, &span);
                    ledger.append(token, span);
                }
                Step::Write(bytes) => {
                    let bytes = bytes.min(model.out.len());
                    model.written.extend(model.out.drain(..bytes));
                    ledger.wrote(bytes);
                }
                Step::Answer => {
                    // A server answers only what it has seen whole.
                    let Some(front) = model.waiting.first() else { continue };
                    if model.fates(front).first() != Some(&Fate::Sent) {
                        continue;
                    }
                    let (token, answered, replies) = (front.token, front.answered + 1, front.replies);
                    model.waiting[0].answered = answered;
                    prop_assert_eq!(ledger.answer(), Some((&token, answered == replies)));
                    let retired = (answered == replies).then(|| model.waiting.remove(0).token);
                    prop_assert_eq!(ledger.retire(), retired);
                }
                Step::Withdraw(index) => {
                    let Some(token) = model.waiting.get(index).map(|entry| entry.token) else {
                        continue;
                    };
                    let range = ledger.withdraw(model.out.len(), |&other| other == token);
                    prop_assert_eq!(&range, &model.withdraw(index));
                }
            }
            for entry in &model.waiting {
                let lost = ledger.fates(|&token| token == entry.token).unwrap();
                prop_assert_eq!((lost.answered, &lost.fates), (entry.answered, &model.fates(entry)));
            }
            prop_assert_eq!(ledger.len(), model.waiting.len());
        }
        let lost: Vec<_> = ledger.lost().into_iter().map(|l| (l.token, l.answered, l.fates)).collect();
        let expected: Vec<_> =
            model.waiting.iter().map(|e| (e.token, e.answered, model.fates(e))).collect();
        prop_assert_eq!(lost, expected);
        prop_assert!(ledger.is_empty());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(Span),
    Write(usize),
    Answer,
    Withdraw(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let batch = vec(1usize..9, 1..5).prop_map(|lengths| {
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        Span::Batch { ends: ends.collect() }
    });
    prop_oneof![
        (1usize..20).prop_map(|bytes| Step::Append(Span::Command { bytes })),
        (1usize..20, 1usize..5)
            .prop_map(|(bytes, replies)| Step::Append(Span::Unit { bytes, replies })),
        batch.prop_map(Step::Append),
        (0usize..30).prop_map(Step::Write),
        (0usize..30).prop_map(Step::Write),
        Just(Step::Answer),
        (0usize..5).prop_map(Step::Withdraw),
    ]
}

/// Every byte knows its command: (token, which of its commands).
#[derive(Default)]
struct Model {
    written: Vec<(usize, usize)>,
    out: Vec<(usize, usize)>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    token: usize,
    replies: usize,
    answered: usize,
    /// Bytes of each command; a unit counts as one.
    commands: Vec<usize>,
    batch: bool,
}

impl Model {
    fn append(&mut self, token: usize, span: &Span) {
        let (commands, batch) = match span {
            Span::Batch { ends } => {
                let starts = [0].into_iter().chain(ends.iter().copied());
                (ends.iter().zip(starts).map(|(end, start)| end - start).collect(), true)
            }
            other => (vec![other.bytes()], false),
        };
        for (index, bytes) in commands.iter().enumerate() {
            self.out.extend(std::iter::repeat_n((token, index), *bytes));
        }
        self.waiting.push(Waiting { token, replies: span.replies(), answered: 0, commands, batch });
    }

    fn fates(&self, entry: &Waiting) -> Vec<Fate> {
        let skip = if entry.batch { entry.answered } else { 0 };
        let fate = |(index, &bytes): (usize, &usize)| {
            let written = self.written.iter().filter(|&&byte| byte == (entry.token, index)).count();
            match written {
                0 => Fate::NotSent,
                some if some == bytes => Fate::Sent,
                _ => Fate::PartlySent,
            }
        };
        entry.commands.iter().enumerate().skip(skip).map(fate).collect()
    }

    fn withdraw(&mut self, index: usize) -> Option<std::ops::Range<usize>> {
        let entry = &self.waiting[index];
        let is_ours = |byte: &(usize, usize)| byte.0 == entry.token;
        if self.written.iter().any(is_ours) {
            return None;
        }
        let start = self.out.iter().position(is_ours)?;
        let bytes: usize = entry.commands.iter().sum();
        self.out.drain(start..start + bytes);
        self.waiting.remove(index);
        Some(start..start + bytes)
    }
}

#[test]
fn plain_replies_are_found_together() {
    let bytes = b"+OK\r\n:7\r\n$1\r\nx\r\n*1\r\n:1\r\n";
    assert_eq!(Scanner::default().scan_plain(bytes, 9), (3, 16));
    assert_eq!(Scanner::default().scan_plain(bytes, 2), (2, 9));
    let limits = Limits { bytes: 4, ..Limits::default() };
    assert_eq!(Scanner::new(limits).scan_plain(bytes, 9), (0, 0));
}

#[test]
fn limits_hold_before_anything_is_built() {
    let limits = Limits { bytes: 1000, depth: 4 };
    let scan = |bytes: &[u8]| Scanner::new(limits).scan(bytes);
    let too_large = Err(Malformed::TooLarge { limit: 1000 });
    assert_eq!(scan(b"$999999999999\r\n"), too_large);
    assert_eq!(scan(b"*400\r\n"), too_large);
    assert_eq!(scan(b"%9223372036854775807\r\n"), too_large);
    assert_eq!(scan(&[b'+'; 1001]), too_large);
    assert_eq!(scan(b"*1\r\n*1\r\n*1\r\n"), Ok(None));
    assert_eq!(scan(b"*1\r\n*1\r\n*1\r\n*1\r\n"), Err(Malformed::TooDeep { limit: 4 }));
    assert_eq!(scan(b"$?\r\n"), Err(Malformed::Streamed));
    assert_eq!(scan(b"HTTP/1.1 400"), Err(Malformed::Type(b'H')));
}

/// One byte at a time, a reply of a megabyte: quadratic time would take minutes.
#[test]
fn time_is_linear_however_the_bytes_come() {
    let mut bytes = b"*40000\r\n".to_vec();
    for i in 0..40_000 {
        bytes.extend_from_slice(format!("$6\r\n{i:06}\r\n:{i}\r\n").as_bytes());
    }
    bytes.splice(..8, b"*80000\r\n".iter().copied());
    let mut scanner = Scanner::default();
    for end in 1..bytes.len() {
        assert_eq!(scanner.scan(&bytes[..end]), Ok(None));
    }
    assert_eq!(scanner.scan(&bytes), Ok(Some(bytes.len())));

    let mut line = vec![b'x'; 1 << 20];
    line[0] = b'-';
    line.extend_from_slice(b"\r\n");
    let mut scanner = Scanner::default();
    for end in 1..line.len() {
        assert_eq!(scanner.scan(&line[..end]), Ok(None));
    }
    assert_eq!(scanner.scan(&line), Ok(Some(line.len())));
}
