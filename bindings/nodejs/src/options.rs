//! Options of calls.

use std::time::Duration;
use steadis::client::CallOptions;
use steadis::config::{Config, Environment, Input, OptionValue, Unit, nearest};
use steadis::{Error, Result};

/// Call options by name. The ones that a client has too are read as those are.
pub(crate) fn call_options(
    base: CallOptions,
    mut given: Vec<(String, OptionValue)>,
) -> Result<CallOptions> {
    let mut options = base;
    if let Some(place) = given.iter().position(|(name, _)| name == "timeout") {
        options.timeout = match given.remove(place).1 {
            OptionValue::Null => None,
            OptionValue::Int(ms) if ms > 0 => Some(Duration::from_millis(ms.unsigned_abs())),
            OptionValue::Float(ms) if ms > 0.0 && ms < 1e15 => {
                Some(Duration::from_secs_f64(ms / 1000.0))
            }
            _ => {
                let why = "timeout is no number of milliseconds above zero; write one such as 200";
                return Err(Error::usage(why));
            }
        };
    }
    if given.is_empty() {
        return Ok(options);
    }
    let names: Vec<String> =
        given.iter().map(|(name, _)| name.to_lowercase().replace('_', "")).collect();
    if let Some(odd) = names.iter().position(|name| !CALL_OPTIONS.contains(&name.as_str())) {
        let odd = &given[odd].0;
        let known =
            ["timeout", "signal", "retryWrites", "readFrom", "maxLag", "buffers", "bigints"];
        let near = match nearest(odd, known.into_iter()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("there are {}", known.join(", ")),
        };
        return Err(Error::usage(format!("a call has no option {odd}; {near}")));
    }
    let (environment, url) = (Environment::none(), None);
    let given = given.into_iter().chain([("host".to_owned(), "127.0.0.1".into())]).collect();
    let input = Input { environment, url, options: given, unit: Unit::Milliseconds };
    let read = CallOptions::of(&Config::resolve(&input)?.config);
    for name in names {
        match name.as_str() {
            "retrywrites" => options.retry_writes = read.retry_writes,
            "readfrom" => options.read_from = read.read_from,
            _ => options.max_lag = read.max_lag,
        }
    }
    Ok(options)
}

const CALL_OPTIONS: [&str; 3] = ["retrywrites", "readfrom", "maxlag"];

/// Takes a flag out of options.
pub(crate) fn take_flag(
    given: &mut Vec<(String, OptionValue)>,
    name: &str,
) -> Result<Option<bool>> {
    let Some(place) = given.iter().position(|(known, _)| known == name) else { return Ok(None) };
    match given.remove(place).1 {
        OptionValue::Null => Ok(None),
        OptionValue::Bool(flag) => Ok(Some(flag)),
        _ => Err(Error::usage(format!("{name} is neither true nor false; write one of them"))),
    }
}
