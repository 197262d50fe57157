//! Calls become exactly these arguments, or exactly this refusal.

use crate::{canonical, check_all, command, encode};
use serde_json::Value;
use steadis::command::{Encoded, Wait};
use steadis::policy::Effect;
use steadis::proto::encode as wire;
use steadis::proto::read::Frame;
use steadis::proto::reply::Reply;

#[test]
fn every_call_has_its_exact_result() {
    let count = check_all(|case| {
        let calls = case["calls"].as_array().map_or(std::slice::from_ref(case), Vec::as_slice);
        calls.iter().try_for_each(|call| check(case, call).map_err(|why| format!("{call}: {why}")))
    });
    assert!(count >= 500, "only {count} cases");
}

fn check(case: &Value, call: &Value) -> Result<(), String> {
    // Something stands before it in the buffer, and must go on doing so.
    let mut out = b"before".to_vec();
    let result = encode(command(case), call, &mut out);
    let written = out.strip_prefix(b"before").ok_or("it has eaten what was there")?;
    match (&case["error"], result) {
        (Value::Null, Ok(encoded)) => {
            let expected: Vec<Vec<u8>> =
                case["argv"].as_array().expect("argv").iter().map(canonical::bytes).collect();
            let mut bytes = Vec::new();
            wire::command(&mut bytes, &expected);
            if written == bytes {
                return outcome(case, &encoded);
            }
            Err(format!("became {:?}", Reply::from_frame(Frame::trusted(written))))
        }
        (Value::Null, Err(error)) => Err(format!("refused: {error}")),
        (_, Ok(_)) => Err("not refused".to_owned()),
        (expected, Err(error)) => {
            let phrase = expected["phrase"].as_str().expect("a phrase");
            let kind = error.kind().name();
            if kind != expected["kind"] || !error.message().contains(phrase) || !written.is_empty()
            {
                return Err(format!("{kind}: {}", error.message()));
            }
            Ok(())
        }
    }
}

fn outcome(case: &Value, encoded: &Encoded) -> Result<(), String> {
    let effect = match encoded.effect {
        Effect::Reads => "reads",
        Effect::Writes => "writes",
        Effect::Runs => "runs",
    };
    let wait = match encoded.wait {
        Wait::No => Value::from("no"),
        Wait::Forever => Value::from("forever"),
        Wait::For(time) => Value::from(u64::try_from(time.as_millis()).expect("not that long")),
    };
    let known = [
        ("effect", Value::from(effect)),
        ("idempotent", Value::from(encoded.idempotent)),
        ("wait", wait),
    ];
    for (name, ours) in known {
        if case.get(name).is_some_and(|expected| *expected != ours) {
            return Err(format!("{name} is {ours}"));
        }
    }
    Ok(())
}
