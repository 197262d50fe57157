//! `steadis lab up`: a lab to look at and to play with.

use std::io::{IsTerminal, Write, stdout};

use super::clock;
use super::deployment::Lab;
use super::error::{Doing, Result};
use super::events::Event;
use super::options::Options;
use super::picture::Picture;
use super::signals::Signals;

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
    writeln!(
        out,
        "# up after {seconds:.1} s; Ctrl-C takes everything down"
    )?;
    if out.is_terminal() {
        let mut picture = Picture::new(out);
        loop {
            picture.draw(&lab.status())?;
            picture.remember(events.next().await);
            while let Some(event) = events.take() {
                picture.remember(event);
            }
        }
    }
    let status = lab.status();
    for server in status
        .nodes
        .iter()
        .map(|node| &node.server)
        .chain(&status.sentinels)
    {
        let pid = server.pid.unwrap_or_default();
        writeln!(out, "# {} {} pid {pid}", server.name, server.address)?;
    }
    writeln!(out, "# {} is the primary", status.primary)?;
    loop {
        out.flush()?;
        if let Some(line) = describe(&events.next().await) {
            writeln!(out, "# {line}")?;
        }
    }
}

/// What an event means, if it changes the picture.
pub(crate) fn describe(event: &Event) -> Option<String> {
    let name = &event.name;
    Some(match (event.event.as_str(), event.message.as_deref()) {
        ("promoted", _) => format!("{name} is the primary"),
        ("demoted", _) => format!("{name} is a replica"),
        ("exited", how) => format!("{name} is down ({})", how.unwrap_or_default()),
        ("started", _) => format!("{name} is up"),
        ("+switch-master", Some(message)) => {
            // mymaster OLD-IP OLD-PORT NEW-IP NEW-PORT
            let words: Vec<&str> = message.split(' ').collect();
            let [_, _, _, ip, port] = words[..] else {
                return None;
            };
            format!("{name} switches to {ip}:{port}")
        }
        ("+sdown" | "-sdown" | "+odown" | "+try-failover", Some(message)) => {
            format!("{name} says {} {message}", event.event)
        }
        _ => return None,
    })
}
