//! The commands, for the methods that JavaScript makes of them.

use steadis::command;

/// All commands, a line each: the name in Redis' own notation (`xgroup|create`), and in the habit of
/// JavaScript (`xGroupCreate`) if it can be a method, which neither administration can nor a
/// change of the connection. The place of a line is the number of the command.
#[napi_derive::napi]
pub fn table() -> String {
    let line = |it: &command::Command| match it.administers || it.subscribes {
        true => it.name.to_owned(),
        false => format!("{} {}", it.name, it.camel),
    };
    command::all().iter().map(line).collect::<Vec<_>>().join("\n")
}
