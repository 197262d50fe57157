//! Recorded replies of both protocols become one value.

use crate::{canonical, check_all, command, encode};
use serde_json::Value;
use steadis::proto::read::Frame;
use steadis::proto::reply::Reply;
use steadis::proto::scan::Limits;

#[test]
fn both_protocols_give_the_same_value() {
    check_all(|case| {
        for protocol in ["resp2", "resp3"] {
            let Some(recorded) = case.get(protocol) else { continue };
            let encoded =
                encode(command(case), case, &mut Vec::new()).map_err(|it| it.to_string())?;
            let bytes = canonical::bytes(recorded);
            let frame = Frame::check(&bytes, Limits::default()).map_err(|it| it.to_string())?;
            let value = canonical::value(&Reply::shaped(frame, encoded.shape));
            if value != case["value"] {
                return Err(format!("{protocol}: {value}"));
            }
        }
        Ok(())
    });
}

/// What the table calls a reply is what it is, so that stubs tell the truth.
#[test]
fn replies_are_what_the_table_calls_them() {
    check_all(|case| {
        let value = &case["value"];
        if case.get("value").is_none() || value.is_null() || value.get("error").is_some() {
            return Ok(());
        }
        let command = command(case);
        let encoded = encode(command, case, &mut Vec::new()).map_err(|it| it.to_string())?;
        let others = command.replies.iter().map(|(_, reply)| *reply);
        let mut replies = others.chain([command.reply]);
        // Raw replies share one shape, so the name is looked up by the call's own shape.
        let Some(reply) = replies.find(|it| std::ptr::eq(&it.shape, encoded.shape)) else {
            return Err("its shape is not in the table".to_owned());
        };
        let fits = match reply.name {
            "int" => value.is_i64(),
            "ok" => value == "OK",
            "bytes" | "text" => value.is_string(),
            "bool" => value.is_boolean(),
            "map" | "stream" | "engines" | "docs" | "memory" | "user" | "streams" | "similar" => {
                value.get("map").is_some() || command.name == "lcs"
            }
            "set" => value.get("set").is_some() || command.name == "spop",
            "double" => value.get("double").is_some() || command.name == "zadd",
            "any" | "-" => true,
            "places" | "pending" => value.is_array() || value.is_i64(),
            "ints" => value.as_array().is_some_and(|it| it.iter().all(Value::is_i64)),
            "similar-attributes" | "tracking" | "histogram" => value.get("map").is_some(),
            _ => value.is_array(),
        };
        if fits { Ok(()) } else { Err(format!("is no {}", reply.name)) }
    });
}
