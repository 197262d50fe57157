//! The commands, for the methods that JavaScript makes of them.

use steadis::command;

/// One command of the table. Its place in the list is its number.
#[napi_derive::napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct Row {
    /// In Redis' own notation: `get`, `xgroup|create`.
    pub name: &'static str,
    /// The name in the habit of JavaScript: `get`, `xGroupCreate`.
    pub camel: &'static str,
    /// As the manual writes it.
    pub usage: &'static str,
    /// Can be called as a method: neither administration nor a change of the connection.
    pub method: bool,
    pub reads: bool,
    pub blocks: bool,
}

/// All commands.
#[napi_derive::napi]
pub fn table() -> Vec<Row> {
    let row = |it: &'static command::Command| Row {
        name: it.name,
        camel: it.camel,
        usage: it.usage,
        method: !it.administers && !it.subscribes,
        reads: it.effect == steadis::policy::Effect::Reads,
        blocks: it.blocks,
    };
    command::all().iter().map(row).collect()
}
