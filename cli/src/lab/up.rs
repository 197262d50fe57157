//! `steadis lab up`: a lab to look at and to play with.

use std::io::{IsTerminal, Write, stdout};

use super::clock;
use super::deployment::Lab;
use super::error::{Doing, Result};
use super::events::Event;
use super::options::Options;
use super::picture::Picture;
use super::signals::Signals;
use super::status::Status;

/// Shows a lab until a signal comes or nobody looks any more.
pub(crate) async fn up(options: Options) -> Result<()> {
    let mut signals = Signals::new()?;
    let begin = clock::now();
    let lab = tokio::select! {
        lab = Lab::start(options) => lab?,
        _ = signals.next() => return Ok(()),
    };
    let seconds = (clock::now() - begin) as f64 / 1e9;
    tokio::select! {
        shown = show(&lab, seconds) => match shown {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            shown => shown.doing("write to stdout"),
        },
        _ = signals.next() => Ok(()),
    }
}

async fn show(lab: &Lab, seconds: f64) -> std::io::Result<()> {
    let mut events = lab.events().reader();
    let mut out = stdout();
    write!(out, "{}", lab.environment())?;
    writeln!(out, "# up after {seconds:.1} s; Ctrl-C takes everything down")?;
    if out.is_terminal() {
        let mut picture = Picture::new(out);
        loop {
            let status = lab.status();
            picture.draw(&status)?;
            picture.remember(&events.next().await, &status);
            while let Some(event) = events.take() {
                picture.remember(&event, &status);
            }
        }
    }
    let status = lab.status();
    for server in status.nodes.iter().map(|node| &node.server).chain(&status.sentinels) {
        let pid = server.pid.unwrap_or_default();
        writeln!(out, "# {} {} pid {pid}", server.name, server.address)?;
    }
    writeln!(out, "# {} is the primary", status.primary)?;
    loop {
        out.flush()?;
        if let Some(line) = describe(&events.next().await, &status) {
            writeln!(out, "# {line}")?;
        }
    }
}

/// What an event means, if it changes the picture.
pub(crate) fn describe(event: &Event, status: &Status) -> Option<String> {
    let Event { event, name, message, .. } = event;
    // Sentinels write `KIND NAME IP PORT …`, and a switch as `NAME IP PORT IP PORT`.
    let words: Vec<&str> = message.as_deref().unwrap_or_default().split(' ').collect();
    let whom = |ip: usize| {
        let address = format!("{}:{}", words.get(ip)?, words.get(ip + 1)?);
        Some(status.name_of(&address).unwrap_or(address))
    };
    Some(match event.as_str() {
        "promoted" => format!("{name} is the primary"),
        "demoted" => format!("{name} is a replica"),
        "exited" => format!("{name} is down ({})", message.as_deref().unwrap_or_default()),
        "started" => format!("{name} is up"),
        "+sdown" | "+odown" => format!("{name} calls {} down ({event})", whom(2)?),
        "-sdown" | "-odown" => format!("{name} calls {} well again ({event})", whom(2)?),
        "+try-failover" => format!("{name} begins a failover"),
        "+switch-master" => format!("{name} switches to {}", whom(3)?),
        _ => return None,
    })
}
