//! Recorded replies of both protocols become one value.

use crate::{canonical, check_all, command, encode};
use serde_json::Value;
use steadis::command::{Form, known};
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

/// C has no options: it hands over the arguments as they are sent.
#[test]
fn what_is_sent_tells_the_shape_too() {
    check_all(|case| {
        let Some(argv) = case.get("value").and(case["argv"].as_array()) else { return Ok(()) };
        let argv: Vec<Vec<u8>> = argv.iter().map(canonical::bytes).collect();
        let ours = known(&argv).shape;
        let encoded = encode(command(case), case, &mut Vec::new()).map_err(|it| it.to_string())?;
        if std::ptr::eq(ours, encoded.shape) { Ok(()) } else { Err(format!("has {ours:?}")) }
    });
}

/// What the table calls a reply is what it is, so that stubs tell the truth.
#[test]
fn replies_are_what_the_table_calls_them() {
    check_all(|case| {
        let Some(value) = case.get("value") else { return Ok(()) };
        let command = command(case);
        let encoded = encode(command, case, &mut Vec::new()).map_err(|it| it.to_string())?;
        let others = command.replies.iter().map(|(_, reply)| *reply);
        let mut replies = others.chain([command.reply]);
        let Some(reply) = replies.find(|it| std::ptr::eq(&it.shape, encoded.shape)) else {
            return Err("its shape is not in the table".to_owned());
        };
        let known = value.is_null() && reply.nullable || value.get("error").is_some();
        if known || fits(&reply.form, value) {
            Ok(())
        } else {
            Err(format!("is no {}", reply.name))
        }
    });
}

fn fits(form: &Form, value: &Value) -> bool {
    let all = |form: &Form, value: &Value| {
        value.as_array().is_some_and(|items| items.iter().all(|item| fits(form, item)))
    };
    match form {
        Form::Any => true,
        Form::Integer => value.is_i64() || value.get("integer").is_some(),
        Form::Double => value.get("double").is_some(),
        Form::Boolean => value.is_boolean(),
        Form::Status => value == "OK",
        Form::Bytes => value.is_string() || value.get("bytes").is_some(),
        Form::Nullable(form) => value.is_null() || fits(form, value),
        Form::List(form) => all(form, value),
        Form::Set(form) => value.get("set").is_some_and(|items| all(form, items)),
        Form::Map(key, form) => {
            let pairs = value.get("map").and_then(Value::as_array);
            pairs.is_some_and(|pairs| {
                pairs.iter().all(|pair| fits(key, &pair[0]) && fits(form, &pair[1]))
            })
        }
        Form::Tuple(forms) => value.as_array().is_some_and(|items| {
            items.len() == forms.len() && forms.iter().zip(items).all(|(it, item)| fits(it, item))
        }),
    }
}
