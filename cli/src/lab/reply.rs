//! A server's reply as JSON.

use redis::Value;
use serde_json::{Map, Value as Json, json};

/// The reply as JSON; text that is not UTF-8 gets replacement characters.
pub(crate) fn json(reply: &Value) -> Json {
    match reply {
        Value::Nil => Json::Null,
        Value::Int(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::Okay => json!("OK"),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => json!(text),
        Value::BulkString(bytes) | Value::BigNumber(bytes) => json!(String::from_utf8_lossy(bytes)),
        Value::Array(items) | Value::Set(items) | Value::Push { data: items, .. } => {
            items.iter().map(json).collect()
        }
        Value::Map(pairs) => Json::Object(pairs.iter().map(pair).collect::<Map<_, _>>()),
        Value::Attribute { data, .. } => json(data),
        Value::ServerError(error) => {
            let words: Vec<&str> =
                [Some(error.code()), error.details()].into_iter().flatten().collect();
            json!({ "error": words.join(" ") })
        }
        other => json!(format!("{other:?}")),
    }
}

fn pair((key, value): &(Value, Value)) -> (String, Json) {
    let key = match json(key) {
        Json::String(text) => text,
        other => other.to_string(),
    };
    (key, json(value))
}
