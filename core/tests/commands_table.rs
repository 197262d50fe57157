//! The table of commands against a real server.

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use steadis::command::{self, Command};
use steadis::policy::Effect;
use steadis::proto::encode;
use steadis::proto::read::Frame;
use steadis::proto::reply::Reply;
use steadis::proto::scan::Scanner;
use support::Redis;

/// What `COMMAND` says of one command.
struct Told {
    arity: i64,
    flags: Vec<String>,
    first_key: i64,
}

fn frame(redis: &Redis, args: &[&str]) -> Vec<u8> {
    let mut socket = redis.connect();
    let (mut bytes, mut answer) = (Vec::new(), Vec::new());
    encode::command(&mut bytes, args);
    socket.write_all(&bytes).expect("sent");
    let (mut scanner, mut chunk) = (Scanner::default(), [0; 65536]);
    while scanner.scan(&answer).expect("well-formed").is_none() {
        let length = socket.read(&mut chunk).expect("an answer");
        assert!(length > 0, "the server has hung up");
        answer.extend_from_slice(&chunk[..length]);
    }
    answer
}

fn ask(redis: &Redis, args: &[&str]) -> Reply {
    Reply::from_frame(Frame::trusted(&frame(redis, args)))
}

/// All commands and subcommands of a server.
fn told(redis: &Redis) -> BTreeMap<String, Told> {
    let mut all = BTreeMap::new();
    let mut open = vec![ask(redis, &["COMMAND"])];
    while let Some(list) = open.pop() {
        for command in list.as_list().expect("a list of commands") {
            let parts = command.as_list().expect("what describes one");
            let texts = |at: usize| {
                let flags = parts[at].as_list().expect("flags").iter();
                flags.map(|flag| flag.as_str().expect("a flag").to_owned()).collect()
            };
            let number = |at: usize| parts[at].as_integer().expect("a number");
            let told = Told { arity: number(1), flags: texts(2), first_key: number(3) };
            let subcommands = parts[9].as_list().expect("subcommands");
            if subcommands.is_empty() {
                all.insert(parts[0].as_str().expect("a name").to_owned(), told);
            } else {
                open.push(Reply::List(subcommands.to_vec()));
            }
        }
    }
    all
}

fn arity(command: &Command) -> i64 {
    let words = command.name.split('|').count();
    let least = (words + command.syntax.least()) as i64;
    match command.syntax.most() {
        Some(most) if most == command.syntax.least() => least,
        _ => -least,
    }
}

/// Commands that neither read nor write data by the server's own words, and that may be asked
/// again all the same.
const HARMLESS: &[&str] = &[
    "echo",
    "function|dump",
    "function|list",
    "function|stats",
    "info",
    "ping",
    "pubsub|channels",
    "pubsub|numpat",
    "pubsub|numsub",
    "pubsub|shardchannels",
    "pubsub|shardnumsub",
    "script|exists",
    "time",
];

/// It waits, but says so only since 7.2.
const BLOCKING: &[&str] = &["wait"];

/// Commands that took no options before 7.2.
const LONGER: &[&str] = &["zrank", "zrevrank"];

#[test]
fn the_table_says_what_a_server_says() {
    let redis = Redis::start();
    let told = told(&redis);
    let mut wrong = Vec::new();
    let mut newer = 0;
    for command in command::all() {
        let Some(told) = told.get(command.name) else {
            newer += 1;
            continue;
        };
        let name = command.name;
        let mut check = |what: &str, ours: String, theirs: String| {
            if ours != theirs {
                wrong.push(format!("{name}: {what} is {ours} here, {theirs} there"));
            }
        };
        let has = |flag: &str| told.flags.iter().any(|it| it == flag);
        let theirs = if LONGER.contains(&name) { -told.arity } else { told.arity };
        check("arity", arity(command).to_string(), theirs.to_string());
        check(
            "first key",
            command.first_key().unwrap_or(0).to_string(),
            told.first_key.to_string(),
        );
        let blocking = has("blocking") || BLOCKING.contains(&name);
        check("blocking", command.blocks.to_string(), blocking.to_string());
        if has("write") || has("readonly") {
            check(
                "write",
                (command.effect == Effect::Writes).to_string(),
                has("write").to_string(),
            );
        } else if !command.administers {
            let reads = command.effect == Effect::Reads;
            check("harmless", reads.to_string(), HARMLESS.contains(&name).to_string());
        }
        if has("admin") {
            check("admin", command.administers.to_string(), "true".to_owned());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(newer <= 40, "{newer} commands are unknown to the server");
}

#[test]
fn the_table_lacks_nothing_but_the_cluster_and_help() {
    let redis = Redis::start();
    let names: Vec<&str> = command::all().iter().map(|command| command.name).collect();
    let lacking: Vec<String> = told(&redis)
        .into_keys()
        .filter(|name| !names.contains(&name.as_str()))
        .filter(|name| !name.ends_with("|help") && !name.starts_with("cluster|"))
        .collect();
    assert_eq!(lacking, ["asking", "readonly", "readwrite"]);
}

/// The words in a server's description of arguments, and in those that they hold.
fn words(description: &Reply, found: &mut Vec<String>) {
    match description {
        Reply::Map(pairs) => {
            for (key, value) in pairs {
                match (key.as_str(), value.as_str()) {
                    (Some("token"), Some(word)) if !word.is_empty() => {
                        // Some tokens hold two words.
                        found.extend(word.split(' ').map(str::to_ascii_uppercase));
                    }
                    (Some("arguments"), _) => words(value, found),
                    _ => {}
                }
            }
        }
        other => other.as_list().into_iter().flatten().for_each(|it| words(it, found)),
    }
}

/// The description of each command and subcommand.
fn described<'a>(docs: &'a Reply, found: &mut Vec<(&'a str, &'a Reply)>) {
    let Reply::Map(commands) = docs else { panic!("{docs:?} is no map") };
    for (name, description) in commands {
        found.push((name.as_str().expect("a name"), description));
        let Reply::Map(parts) = description else { panic!("{description:?} is no map") };
        let subcommands = parts.iter().filter(|(key, _)| key.as_str() == Some("subcommands"));
        subcommands.for_each(|(_, docs)| described(docs, found));
    }
}

#[test]
fn the_table_knows_every_word_of_a_server() {
    let redis = Redis::start();
    let docs = command::find(&["COMMAND", "DOCS"]).expect("a command");
    let answer = frame(&redis, &["COMMAND", "DOCS"]);
    let docs = Reply::shaped(Frame::trusted(&answer), &docs.reply.shape);
    let (mut all, mut lacking, mut count) = (Vec::new(), Vec::new(), 0);
    described(&docs, &mut all);
    for (name, description) in all {
        let Some(command) = command::all().iter().find(|it| it.name == name) else { continue };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        command.syntax.visit(&mut |word| ours.push(word.to_ascii_uppercase()));
        words(description, &mut theirs);
        count += theirs.len();
        let unknown = theirs.into_iter().filter(|word| !ours.contains(word));
        lacking.extend(unknown.map(|word| format!("{name} {word}")));
    }
    assert!(lacking.is_empty(), "{lacking:?}");
    assert!(count > 300, "only {count} words are described");
}
