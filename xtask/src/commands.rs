//! `docs/commands.md`: what each command is called, takes, does and answers.

use steadis::command::{Command, Reply, all};
use steadis::policy::Effect;

/// The page, made of the same table that the clients go by.
pub(crate) fn document() -> String {
    let mut tables = String::new();
    for (group, commands) in groups() {
        tables += &format!("## {group}\n\n| Python, Ruby | Node.js | syntax | effect | reply |\n");
        tables += "|---|---|---|---|---|\n";
        tables.extend(commands.into_iter().map(row));
        tables.push('\n');
    }
    include_str!("commands.md").replace("{{commands}}\n", tables.trim_end()) + "\n"
}

/// The data commands under the headings of the table.
fn groups() -> Vec<(&'static str, Vec<&'static Command>)> {
    let mut groups: Vec<(&str, Vec<&Command>)> = Vec::new();
    for command in all().iter().filter(|command| !command.administers && !command.subscribes) {
        match groups.last_mut() {
            Some((group, commands)) if *group == command.group => commands.push(command),
            _ => groups.push((command.group, vec![command])),
        }
    }
    groups
}

fn row(command: &Command) -> String {
    let others = command
        .replies
        .iter()
        .map(|(words, reply)| format!("; {} with {}", answer(reply), words.join(" and ")));
    let reply = answer(command.reply) + &others.collect::<String>();
    let usage = format!("{} {}", command.title(), command.usage);
    let cells =
        [code(command.snake), code(command.camel), code(usage.trim_end()), effect(command), reply];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn answer(reply: &Reply) -> String {
    reply.phrase.to_owned() + if reply.nullable { " or null" } else { "" }
}

fn effect(command: &Command) -> String {
    let what = match command.effect {
        Effect::Reads => "reads",
        Effect::Writes => "writes",
        Effect::Runs => "runs code",
    };
    let mut words = vec![what];
    words.extend(command.idempotent.then_some("twice = once"));
    words.extend(command.blocks.then_some("blocks"));
    words.join(", ")
}

fn code(text: &str) -> String {
    format!("`{text}`")
}
