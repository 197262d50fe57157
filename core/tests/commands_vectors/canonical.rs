//! The canonical JSON of arguments and replies; `tests/vectors/commands/README.md` describes it.

use serde_json::{Value, json};
use steadis::command::Arg;
use steadis::proto::reply::Reply;

/// Integers beyond this are no exact numbers in every reader of JSON.
const EXACT: u64 = (1 << 53) - 1;

/// Lives as long as the test.
fn keep<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

pub(crate) fn arg(value: &Value) -> Arg<'static> {
    match value {
        Value::Null => Arg::Null,
        Value::Bool(flag) => Arg::Bool(*flag),
        Value::Number(number) => Arg::Int(number.as_i64().expect("an integer")),
        Value::String(text) => Arg::Text(keep(text.clone())),
        Value::Array(items) => Arg::List(keep(items.iter().map(arg).collect::<Vec<_>>())),
        Value::Object(object) => match object.iter().next().map(|(kind, it)| (kind.as_str(), it)) {
            Some(("bytes", hex)) => Arg::Bytes(keep(unhex(hex.as_str().expect("hex digits")))),
            Some(("double", number)) => Arg::Float(match number {
                Value::String(text) => text.parse().expect("inf, -inf or nan"),
                number => number.as_f64().expect("a number"),
            }),
            Some(("map", pairs)) => {
                let pairs = pairs.as_array().expect("pairs").iter();
                Arg::Map(keep(pairs.map(|pair| (arg(&pair[0]), arg(&pair[1]))).collect::<Vec<_>>()))
            }
            other => panic!("{other:?} is no argument"),
        },
    }
}

pub(crate) fn value(reply: &Reply) -> Value {
    let all = |items: &[Reply]| Value::from(items.iter().map(value).collect::<Vec<_>>());
    match reply {
        Reply::Null => Value::Null,
        Reply::Integer(number) if number.unsigned_abs() <= EXACT => json!(number),
        Reply::Integer(number) => json!({ "integer": number.to_string() }),
        Reply::BigNumber(digits) => json!({ "integer": text(digits) }),
        Reply::Double(number) if number.is_finite() => json!({ "double": number }),
        Reply::Double(number) => json!({ "double": number.to_string().to_lowercase() }),
        Reply::Boolean(flag) => json!(flag),
        Reply::Simple(bytes) => text(bytes),
        Reply::Bulk(bytes) | Reply::Verbatim { text: bytes, .. } => text(bytes),
        Reply::Error(line) => json!({ "error": text(line) }),
        Reply::List(items) | Reply::Push(items) => all(items),
        Reply::Set(items) => json!({ "set": all(items) }),
        Reply::Map(pairs) => {
            let pair = |(key, it): &(Reply, Reply)| json!([value(key), value(it)]);
            json!({ "map": pairs.iter().map(pair).collect::<Vec<_>>() })
        }
        other => panic!("{other:?} has no canonical form"),
    }
}

/// Text, or bytes that are none.
pub(crate) fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => {
            json!({ "bytes": bytes.iter().map(|it| format!("{it:02x}")).collect::<String>() })
        }
    }
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        value => unhex(value["bytes"].as_str().expect("text or bytes")),
    }
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// What stays of a value whose numbers and texts change from call to call: its build.
pub(crate) fn build(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(build).collect(),
        Value::Object(object) => match object.get("map") {
            Some(pairs) => {
                let pairs = pairs.as_array().expect("pairs").iter();
                let pairs: Vec<_> = pairs.map(|pair| json!([pair[0], build(&pair[1])])).collect();
                json!({ "map": pairs })
            }
            None => object.keys().cloned().collect(),
        },
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        other => other.clone(),
    }
}
