//! What JavaScript gets to know of connections and of the deployment.

use crate::js::{Js, Value};
use crate::trunk::Place;
use steadis::config::{Endpoint, Tls};
use steadis::picture::{Field, Picture};
use steadis::{Event, Stats};

/// Where to connect to, in the words of `net.connect` and `tls.connect`, unless there is that
/// socket already.
pub(crate) fn connection(
    js: Js,
    link: u32,
    Place { socket, seat }: Place,
    to: &Endpoint,
    tls: Option<&Tls>,
) -> Value {
    let text = |text: &str| js.text(text.as_bytes());
    let object = js.object();
    for (name, number) in [("link", link), ("socket", socket), ("seat", seat)] {
        js.set(object, name, js.small(number));
    }
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

/// An event: its name and what it tells.
pub(crate) fn event(js: Js, event: &Event) -> Value {
    let object = fields(js, event.fields());
    js.set(object, "name", js.text(event.name().as_bytes()));
    object
}

/// Fields as an object, by names in the habit of JavaScript. A time is in milliseconds, and its
/// name says so.
pub(crate) fn fields(js: Js, fields: Vec<Field>) -> Value {
    let object = js.object();
    for (name, told) in fields {
        let unit = if matches!(told, Picture::Time(_)) { "Ms" } else { "" };
        js.set(object, &(camel(name) + unit), shown(js, told));
    }
    object
}

fn shown(js: Js, told: Picture) -> Value {
    match told {
        Picture::Nothing => js.null(),
        Picture::Flag(flag) => js.boolean(flag),
        Picture::Count(count) => js.double(count as f64),
        Picture::Time(time) => js.double(time.as_secs_f64() * 1000.0),
        Picture::Text(said) => js.text(said.as_bytes()),
        Picture::List(items) => {
            js.list(&items.into_iter().map(|item| shown(js, item)).collect::<Vec<_>>())
        }
        Picture::Fields(told) => fields(js, told),
    }
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
