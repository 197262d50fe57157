//! Replies for property tests: any that a server can send, and how it writes them.

use proptest::collection::vec;
use proptest::prelude::*;
use steadis::proto::reply::Reply;

/// Any reply a server can send, as deep and as odd as the protocol allows.
pub(crate) fn reply() -> impl Strategy<Value = Reply> {
    let line = || vec(any::<u8>().prop_filter("no line end", |b| !b"\r\n".contains(b)), 0..20);
    let leaf = prop_oneof![
        Just(Reply::Null),
        any::<i64>().prop_map(Reply::Integer),
        any::<f64>().prop_filter("NaN is not equal", |f| !f.is_nan()).prop_map(Reply::Double),
        any::<bool>().prop_map(Reply::Boolean),
        "-?[0-9]{1,40}".prop_map(|digits| Reply::BigNumber(digits.into_bytes())),
        line().prop_map(|text| Reply::Simple(text.into())),
        line().prop_map(Reply::Error),
        vec(any::<u8>(), 0..60).prop_map(Reply::Bulk),
        vec(any::<u8>(), 0..20).prop_map(|text| Reply::Verbatim { format: b"txt".to_vec(), text }),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Reply::List),
            vec(inner.clone(), 0..8).prop_map(Reply::Set),
            vec((inner.clone(), inner.clone()), 0..5).prop_map(Reply::Map),
            vec(inner, 1..5).prop_map(Reply::Push),
        ]
    })
}

/// Writes a reply as a RESP3 server does; here and there with an attribute in front.
pub(crate) fn write(reply: &Reply, attributes: bool, out: &mut Vec<u8>) {
    if attributes {
        out.extend_from_slice(b"|1\r\n+ttl\r\n:3600\r\n");
    }
    let line = |out: &mut Vec<u8>, mark: char, text: &[u8]| {
        out.push(mark as u8);
        out.extend_from_slice(text);
        out.extend_from_slice(b"\r\n");
    };
    let many = |out: &mut Vec<u8>, mark: char, items: &[Reply]| {
        line(out, mark, items.len().to_string().as_bytes());
        items.iter().for_each(|item| write(item, attributes, out));
    };
    match reply {
        Reply::Null => line(out, '_', b""),
        Reply::Integer(value) => line(out, ':', value.to_string().as_bytes()),
        Reply::Double(value) => line(out, ',', value.to_string().as_bytes()),
        Reply::Boolean(value) => line(out, '#', if *value { b"t" } else { b"f" }),
        Reply::BigNumber(digits) => line(out, '(', digits),
        Reply::Simple(text) => line(out, '+', text),
        Reply::Error(text) if attributes => {
            line(out, '!', text.len().to_string().as_bytes());
            out.extend_from_slice(text);
            out.extend_from_slice(b"\r\n");
        }
        Reply::Error(text) => line(out, '-', text),
        Reply::Bulk(bytes) => {
            line(out, '$', bytes.len().to_string().as_bytes());
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        }
        Reply::Verbatim { format, text } => {
            line(out, '=', (text.len() + 4).to_string().as_bytes());
            out.extend_from_slice(format);
            out.push(b':');
            out.extend_from_slice(text);
            out.extend_from_slice(b"\r\n");
        }
        Reply::List(items) => many(out, '*', items),
        Reply::Set(items) => many(out, '~', items),
        Reply::Push(items) => many(out, '>', items),
        Reply::Map(pairs) => {
            line(out, '%', pairs.len().to_string().as_bytes());
            for (key, value) in pairs {
                write(key, attributes, out);
                write(value, attributes, out);
            }
        }
        _ => unreachable!("a kind of reply that this test does not know"),
    }
}
