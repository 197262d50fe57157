//! What JavaScript gets to know of connections and of the deployment.

use crate::js::{Js, Value};
use steadis::Stats;
use steadis::config::{Endpoint, Tls};
use steadis::topology::Topology;

/// Where to connect to, in the words of `net.connect` and `tls.connect`.
pub(crate) fn connection(js: Js, link: u32, to: &Endpoint, tls: Option<&Tls>) -> Value {
    let text = |text: &str| js.text(text.as_bytes());
    let object = js.object();
    js.set(object, "link", js.small(link));
    match to {
        Endpoint::Tcp(address) => {
            js.set(object, "host", text(&address.host));
            js.set(object, "port", js.small(address.port.into()));
        }
        Endpoint::Unix(path) => js.set(object, "path", text(&path.to_string_lossy())),
    }
    if let Some(tls) = tls {
        let settings = js.object();
        let files = [("ca", &tls.ca), ("cert", &tls.cert), ("key", &tls.key)];
        for (name, path) in files {
            if let Some(path) = path {
                js.set(settings, name, text(&path.to_string_lossy()));
            }
        }
        if let Some(name) = &tls.server_name {
            js.set(settings, "servername", text(name));
        }
        js.set(object, "tls", settings);
    }
    object
}

/// The topology and how it fares.
pub(crate) fn topology(js: Js, topology: &Topology) -> Value {
    let text = |text: &str| js.text(text.as_bytes());
    let maybe = |some: Option<String>| some.map_or(js.null(), |it| text(&it));
    let health = topology.health();
    let state = js.object();
    js.set(state, "state", text(health.state.name()));
    js.set(state, "primary", maybe(health.primary.clone()));
    js.set(state, "replicas", js.double(health.replicas as f64));
    js.set(state, "sentinelsUp", js.double(health.sentinels_up as f64));
    js.set(state, "sentinels", js.double(health.sentinels as f64));
    js.set(state, "reason", maybe(health.reason));
    let object = js.object();
    js.set(object, "epoch", js.double(topology.epoch as f64));
    js.set(object, "phase", text(&format!("{:?}", topology.phase).to_lowercase()));
    js.set(object, "primary", maybe(health.primary));
    let replicas: Vec<Value> = topology.replicas.iter().map(|it| text(&it.to_string())).collect();
    js.set(object, "replicas", js.list(&replicas));
    let sentinels = topology.sentinels.iter().map(|it| {
        let sentinel = js.object();
        js.set(sentinel, "address", text(&it.address.to_string()));
        js.set(sentinel, "up", js.boolean(it.up));
        js.set(sentinel, "says", text(&it.says));
        sentinel
    });
    js.set(object, "sentinels", js.list(&sentinels.collect::<Vec<_>>()));
    js.set(object, "health", state);
    object
}

/// The figures of a client, by names in the habit of JavaScript.
pub(crate) fn stats(js: Js, stats: &Stats) -> Value {
    let object = js.object();
    for (name, _, value) in stats.figures() {
        js.set(object, &camel(name), js.double(value as f64));
    }
    object
}

fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}
