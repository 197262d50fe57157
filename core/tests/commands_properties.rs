//! What must hold of commands and shapes for any input.

#[path = "support/replies.rs"]
mod replies;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use replies::{reply, write};
use steadis::command::{self, Arg, Command, REPLIES};
use steadis::error::Kind;
use steadis::proto::read::{Frame, Reader, Skip};
use steadis::proto::reply::Reply;
use steadis::proto::scan::Limits;
use steadis::proto::shape::Shape;

/// Lives as long as the test.
fn keep<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn any_command() -> impl Strategy<Value = &'static Command> {
    any::<Index>().prop_map(|index| index.get(command::all()))
}

/// Words that mean something in some command, and some that mean nothing.
fn word() -> impl Strategy<Value = &'static str> {
    let mut words = vec!["", "x", "5", "0.5", "-1", "mapping", "withscore", "colour", "k\r\n"];
    for command in command::all() {
        command.syntax.visit(&mut |word| words.push(word));
    }
    select(words)
}

fn arg() -> impl Strategy<Value = Arg<'static>> {
    let leaf = prop_oneof![
        4 => word().prop_map(Arg::Text),
        2 => (-3i64..4).prop_map(Arg::Int),
        1 => any::<i64>().prop_map(Arg::Int),
        1 => any::<f64>().prop_map(Arg::Float),
        1 => any::<bool>().prop_map(Arg::Bool),
        1 => Just(Arg::Null),
        1 => vec(any::<u8>(), 0..9).prop_map(|bytes| Arg::Bytes(keep(bytes))),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(|items| Arg::List(keep(items))),
            vec((inner.clone(), inner), 0..4).prop_map(|pairs| Arg::Map(keep(pairs))),
        ]
    })
}

/// What must be found in the command again.
fn scalars(arg: &Arg<'_>) -> Vec<Vec<u8>> {
    match arg {
        Arg::Null | Arg::Bool(_) => Vec::new(),
        Arg::List(items) => items.iter().flat_map(scalars).collect(),
        Arg::Map(pairs) => {
            pairs.iter().flat_map(|(key, it)| [scalars(key), scalars(it)].concat()).collect()
        }
        scalar => {
            let mut out = Vec::new();
            command::find(&["ECHO"])
                .expect("echo")
                .encode(&[*scalar], &[], &mut out)
                .expect("sent");
            let Reply::List(argv) = Reply::from_frame(Frame::trusted(&out)) else {
                panic!("no list")
            };
            argv[1..].iter().filter_map(|arg| Some(arg.as_bytes()?.to_vec())).collect()
        }
    }
}

/// An option that the command may know.
fn option() -> impl Strategy<Value = (Index, &'static str, Arg<'static>)> {
    (any::<Index>(), word(), arg())
}

fn shape() -> impl Strategy<Value = &'static Shape> {
    let leaf = prop_oneof![
        Just(Shape::Raw),
        Just(Shape::Double),
        Just(Shape::Integer),
        Just(Shape::Boolean),
        Just(Shape::Text),
    ];
    let any = leaf.prop_recursive(4, 12, 3, |inner| {
        let inner = inner.boxed();
        let one = inner.clone().prop_map(keep).boxed();
        let many = vec(inner, 0..4).prop_map(|shapes| keep(shapes).as_slice()).boxed();
        prop_oneof![
            one.clone().prop_map(Shape::Set),
            one.clone().prop_map(Shape::List),
            one.clone().prop_map(Shape::Map),
            many.clone().prop_map(Shape::Tuple),
            many.clone().prop_map(Shape::Rows),
            many.prop_map(|shapes| Shape::Map(keep(Shape::Tuple(shapes)))),
            (one.clone(), one)
                .prop_map(|(known, others)| Shape::Record(keep(vec![("a", known)]), others)),
        ]
    });
    let known: Vec<&'static Shape> = REPLIES.iter().map(|reply| &reply.shape).collect();
    prop_oneof![any.prop_map(keep), select(known)]
}

/// Every value in a reply in its order, numbers by what they are worth.
fn leaves(reply: &Reply, out: &mut Vec<String>) {
    let number = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        // The sign of zero is lost where text becomes an integer.
        text.parse().map_or(text, |number: f64| (number + 0.0).to_string())
    };
    match reply {
        Reply::Null => out.push("null".to_owned()),
        Reply::Integer(value) => out.push(number(value.to_string().as_bytes())),
        Reply::Double(value) => out.push((value + 0.0).to_string()),
        Reply::Boolean(value) => out.push(u8::from(*value).to_string()),
        Reply::Simple(text) => out.push(number(text)),
        Reply::BigNumber(text)
        | Reply::Bulk(text)
        | Reply::Verbatim { text, .. }
        | Reply::Error(text) => out.push(number(text)),
        // An empty tuple is null.
        Reply::List(items) if items.is_empty() => out.push("null".to_owned()),
        Reply::Set(items) if items.is_empty() => out.push("null".to_owned()),
        Reply::Map(pairs) if pairs.is_empty() => out.push("null".to_owned()),
        Reply::List(items) | Reply::Set(items) | Reply::Push(items) => {
            items.iter().for_each(|item| leaves(item, out));
        }
        Reply::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            leaves(key, out);
            leaves(value, out);
        }),
        other => panic!("{other:?} is unknown to this test"),
    }
}

/// The same as a RESP2 server sends it: no maps, sets or doubles.
fn plain(reply: Reply) -> Reply {
    match reply {
        Reply::Double(value) => Reply::Bulk(value.to_string().into_bytes()),
        Reply::Boolean(value) => Reply::Integer(i64::from(value)),
        Reply::List(items) | Reply::Set(items) | Reply::Push(items) => {
            Reply::List(items.into_iter().map(plain).collect())
        }
        Reply::Map(pairs) => {
            let parts = pairs.into_iter().flat_map(|(key, value)| [plain(key), plain(value)]);
            Reply::List(parts.collect())
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn any_arguments_are_encoded_or_refused(
        command in any_command(),
        args in vec(arg(), 0..7),
        options in vec(option(), 0..4),
    ) {
        let mut names = vec!["mapping"];
        command.syntax.visit(&mut |word| names.push(word));
        let options: Vec<(&str, Arg<'_>)> = options
            .into_iter()
            .map(|(index, other, arg)| (if arg == Arg::Null { other } else { index.get(&names) }, arg))
            .collect();
        let mut out = b"+before\r\n".to_vec();
        match command.encode(&args, &options, &mut out) {
            Ok(_) => {
                let bytes = out.strip_prefix(b"+before\r\n").expect("what was there");
                let frame = Frame::check(bytes, Limits::default()).expect("a command");
                let Reply::List(argv) = Reply::from_frame(frame) else { panic!("no list") };
                let name = command.title();
                let words = name.split(' ').map(|word| Reply::Bulk(word.as_bytes().to_vec()));
                prop_assert!(argv.starts_with(&words.collect::<Vec<_>>()));
                prop_assert!(argv.iter().all(|arg| matches!(arg, Reply::Bulk(_))));
                let mut one = Vec::new();
                write(&Reply::List(argv.clone()), false, &mut one);
                prop_assert_eq!(one, bytes);

                let mut sent: Vec<Vec<u8>> = argv
                    .iter()
                    .filter_map(|arg| Some(arg.as_bytes()?.to_ascii_lowercase()))
                    .collect();
                for given in args.iter().chain(options.iter().map(|(_, arg)| arg)).flat_map(scalars) {
                    let place = sent.iter().position(|it| *it == given.to_ascii_lowercase());
                    prop_assert!(place.is_some(), "{:?} is lost in {:?}", given, argv);
                    sent.swap_remove(place.unwrap_or_default());
                }
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), Kind::Usage);
                prop_assert_eq!(out, b"+before\r\n");
            }
        }
    }

    #[test]
    fn scalars_in_the_order_of_the_manual_are_sent_as_they_are(
        key in "[a-z]{1,9}",
        values in vec("[A-Z]{0,5}|[a-z0-9]{0,5}", 1..6),
    ) {
        let args: Vec<Arg<'_>> = std::iter::once(&key).chain(&values).map(|it| Arg::Text(it)).collect();
        for name in ["LPUSH", "SADD", "HDEL", "ZREM"] {
            let mut out = Vec::new();
            command::find(&[name]).expect("a command").encode(&args, &[], &mut out).expect("encoded");
            let mut expected = Vec::new();
            let argv: Vec<&str> =
                [name, &key].into_iter().chain(values.iter().map(String::as_str)).collect();
            steadis::proto::encode::command(&mut expected, &argv);
            prop_assert_eq!(out, expected);
        }
    }

    #[test]
    fn shaping_never_loses_a_value(
        reply in reply(),
        older in any::<bool>(),
        attributes in any::<bool>(),
        shape in shape(),
    ) {
        let reply = if older { plain(reply) } else { reply };
        let mut bytes = Vec::new();
        write(&reply, attributes, &mut bytes);
        // What stands behind it in the buffer is none of its business.
        bytes.extend_from_slice(b"*2\r\n:1\r\n:2\r\n");
        let frame = Frame::check(&bytes, Limits::default()).expect("well-formed");
        let shaped = Reply::shaped(frame, shape);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        leaves(&reply, &mut before);
        leaves(&shaped, &mut after);
        prop_assert_eq!(before, after, "{:?} as {:?}", reply, shape);

        let mut reader = Reader::new(frame);
        let Ok(()) = reader.next_shaped(shape, &mut Skip).expect("a reply");
        let next = reader.next_frame().expect("the next reply");
        prop_assert_eq!(next.bytes(), b"*2\r\n:1\r\n:2\r\n");
    }
}
