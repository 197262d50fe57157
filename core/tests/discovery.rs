//! The stories of `tests/vectors/discovery`: what was said, and what had to be decided.

use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use steadis::config::Address;
use steadis::proto::handshake::Role;
use steadis::topology::decide::{Action, Answer, Decide, Event, News, Timing, Trouble};
use steadis::{Error, Kind};

fn address(name: &str) -> Address {
    Address { host: name.to_owned(), port: 1 }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}"))
}

fn addresses(value: &Value) -> Vec<Address> {
    value.as_array().into_iter().flatten().map(|name| address(text(name))).collect()
}

fn answer(value: &Value) -> Answer {
    match value {
        Value::Object(it) => Answer::Names {
            primary: address(text(&it["names"])),
            config_epoch: it.get("epoch").and_then(Value::as_u64),
            down: it.get("down").and_then(Value::as_bool).unwrap_or(false),
            replacing: it.contains_key("replacing"),
            chosen: it.get("replacing").and_then(Value::as_str).map(address),
            replicas: it.get("replicas").map(addresses),
            absent: it.get("absent").map(addresses).unwrap_or_default(),
            sentinels: it.get("sentinels").map(addresses).unwrap_or_default(),
        },
        Value::String(word) if word == "unknown" => Answer::Unknown { names: Vec::new() },
        Value::String(word) if word == "failed" => {
            Answer::Failed(Error::new(Kind::Unavailable, "connection refused"))
        }
        other => panic!("no answer: {other}"),
    }
}

fn news(parts: &[Value]) -> News {
    let node = |i: usize| address(text(&parts[i]));
    match text(&parts[1]) {
        "attempt" => News::Attempt { of: node(2) },
        "elected" => News::Elected { of: node(2) },
        "started" => News::Started { of: node(2) },
        "chosen" => News::Chosen { of: node(2), replica: node(3) },
        "switch" => News::Switch { from: node(2), to: node(3) },
        "aborted" => News::Aborted { of: node(2) },
        "down" => News::Down { primary: node(2) },
        "up" => News::Up { primary: node(2) },
        "replica" => News::Replica(node(2)),
        "replica down" => News::ReplicaDown(node(2)),
        "replica up" => News::ReplicaUp(node(2)),
        "sentinel" => News::Sentinel(node(2)),
        "unsettled" => News::Unsettled,
        other => panic!("no news: {other}"),
    }
}

fn role(value: &Value) -> Result<Role, Error> {
    match value {
        Value::String(word) if word == "primary" => Ok(Role::Primary),
        Value::String(word) if word == "silent" => {
            Err(Error::new(Kind::Unavailable, "no answer in time"))
        }
        Value::Object(it) => {
            Ok(Role::Replica { primary: text(&it["replica of"]).into(), port: 1, linked: true })
        }
        other => panic!("no role: {other}"),
    }
}

fn event(step: &Value, decide: &Decide) -> Event {
    let sentinel = |name: &Value| {
        let wanted = address(text(name));
        decide.sentinels().position(|known| *known == wanted).expect("a known Sentinel")
    };
    let part = |key: &str| step.get(key).and_then(Value::as_array);
    if let Some(parts) = part("answer") {
        Event::Answer(sentinel(&parts[0]), answer(&parts[1]))
    } else if let Some(parts) = part("news") {
        Event::News(sentinel(&parts[0]), news(parts))
    } else if let Some(parts) = part("role") {
        Event::Role(address(text(&parts[0])), role(&parts[1]))
    } else if let Some(parts) = part("trouble") {
        let trouble = match text(&parts[1]) {
            "unreachable" => Trouble::Unreachable,
            "not primary" => Trouble::NotPrimary,
            "overdue" => Trouble::Overdue,
            other => panic!("no trouble: {other}"),
        };
        Event::Trouble { epoch: parts[0].as_u64().expect("an epoch"), trouble }
    } else if step.get("moved").is_some() {
        Event::Moved
    } else {
        Event::Tick
    }
}

fn hosts<'a>(addresses: impl IntoIterator<Item = &'a Address>) -> Value {
    addresses.into_iter().map(|address| Value::from(address.host.as_str())).collect()
}

/// What the state and the actions look like in the words of `expect`.
fn found(key: &str, decide: &Decide, actions: &[Action], wanted: &Value) -> Value {
    let topology = decide.topology();
    match key {
        "primary" => topology.primary.map(|address| address.host).into(),
        "phase" => format!("{:?}", topology.phase).to_lowercase().into(),
        "epoch" => topology.epoch.into(),
        "probe" => decide.probe().map_or(Value::Null, |probe| hosts(&probe.nodes)),
        "sentinels" => hosts(decide.sentinels()),
        "replicas" => hosts(&topology.replicas),
        "asked" => actions.contains(&Action::Ask).into(),
        "checked" => hosts(actions.iter().filter_map(|action| match action {
            Action::Check(address) => Some(address),
            _ => None,
        })),
        "told" => {
            let told = actions.iter().filter(|action| matches!(action, Action::Tell(_)));
            let all = told.map(|told| format!("{told:?}").to_lowercase()).collect::<String>();
            let words = text(wanted).replace('+', "").replace("-master", "");
            if all.contains(&words) { wanted.clone() } else { all.into() }
        }
        other => panic!("nothing is called {other}"),
    }
}

fn tell(path: &Path) -> usize {
    let story: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let fence = story.get("fence").and_then(Value::as_bool).unwrap_or(true);
    let mut decide = match story.get("node") {
        Some(node) => Decide::single(address(text(node)), Timing::default()),
        None => Decide::new(addresses(&story["sentinels"]), fence, Timing::default()),
    };
    let steps = story["steps"].as_array().expect("steps");
    for (i, step) in steps.iter().enumerate() {
        let now = Duration::from_millis(step["at"].as_u64().expect("a time"));
        let event = event(step, &decide);
        let actions = decide.handle(now, event);
        for (key, wanted) in step.get("expect").and_then(Value::as_object).into_iter().flatten() {
            let found = found(key, &decide, &actions, wanted);
            let place = format!("{}, step {}: {step}", path.display(), i + 1);
            assert_eq!(&found, wanted, "{key} in {place}\n{actions:#?}\n{decide:#?}");
        }
        assert!(decide.wake_at() > now, "a busy loop after {step} in {}", path.display());
    }
    steps.len()
}

#[test]
fn every_story_ends_as_it_must() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/discovery");
    let mut stories: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .collect();
    stories.sort();
    let steps: usize = stories.iter().map(|path| tell(path)).sum();
    println!("{} stories, {steps} steps", stories.len());
    assert!(stories.len() >= 25);
}
