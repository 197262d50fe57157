//! The live picture of the lab on a terminal.

use std::collections::VecDeque;
use std::io::{self, Stdout, Write};

use rustix::termios::tcgetwinsize;

use super::clock;
use super::events::Event;
use super::process::State;
use super::roles::Role;
use super::status::{ServerStatus, Status};
use super::up::describe;

/// How many events it shows.
const EVENTS: usize = 8;

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";
const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";

/// Lines that are drawn over and over in the same place.
#[derive(Debug)]
pub(crate) struct Picture {
    out: Stdout,
    begin: u64,
    events: VecDeque<String>,
    drawn: usize,
}

impl Picture {
    pub(crate) fn new(out: Stdout) -> Self {
        Self { out, begin: clock::now(), events: VecDeque::new(), drawn: 0 }
    }

    /// Shows the event from now on, if it means something to people.
    pub(crate) fn remember(&mut self, event: &Event, status: &Status) {
        let Some(text) = describe(event, status) else {
            return;
        };
        let seconds = event.at.saturating_sub(self.begin) as f64 / 1e9;
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(format!("  {seconds:9.3} s  {text}"));
    }

    /// Draws over what was drawn before.
    pub(crate) fn draw(&mut self, status: &Status) -> io::Result<()> {
        let width = width(&self.out);
        let mut lines = vec![String::new()];
        for node in &status.nodes {
            let (colour, word) = match (node.server.state, node.role) {
                (State::Running, _) if node.server.name == status.primary => (GREEN, "primary"),
                // For seconds after a planned failover the old primary does not know yet.
                (State::Running, Role::Primary) => (YELLOW, "was primary"),
                (State::Running, Role::Replica) => (PLAIN, "replica"),
                (state, _) => trouble(state),
            };
            lines.push(row(&node.server, colour, word, width));
        }
        for server in status.sentinels.iter().chain(&status.haproxy) {
            let (colour, word) = match server.state {
                State::Running => (PLAIN, "watches"),
                state => trouble(state),
            };
            let word = if server.name == "haproxy" && colour == PLAIN {
                "leads to the primary"
            } else {
                word
            };
            lines.push(row(server, colour, word, width));
        }
        lines.push(String::new());
        lines.extend(self.events.iter().map(|event| cut(event, width)));
        self.paint(&lines)
    }

    fn paint(&mut self, lines: &[String]) -> io::Result<()> {
        let mut text = HIDE_CURSOR.to_owned();
        if self.drawn > 0 {
            text += &format!("\x1b[{}A", self.drawn);
        }
        for line in lines {
            text += &format!("\r{line}\x1b[K\n");
        }
        text += "\x1b[J";
        self.drawn = lines.len();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // A terminal that has gone needs no cursor.
        let _ = write!(self.out, "{SHOW_CURSOR}").and_then(|()| self.out.flush());
    }
}

/// A terminal that does not know its width says 0.
fn width(out: &Stdout) -> usize {
    match tcgetwinsize(out) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => 80,
    }
}

fn trouble(state: State) -> (&'static str, &'static str) {
    match state {
        State::Frozen => (YELLOW, "frozen"),
        _ => (RED, "down"),
    }
}

fn row(server: &ServerStatus, colour: &str, word: &str, width: usize) -> String {
    let pid = server.pid.map_or(String::new(), |pid| format!("pid {pid}"));
    let text = format!("  {:<10} {:<21} {word:<12} {pid}", server.name, server.address);
    let bold = if colour == GREEN { BOLD } else { "" };
    format!("{bold}{colour}{}{PLAIN}", cut(&text, width))
}

/// A line that wrapped would spoil the count of lines.
fn cut(text: &str, width: usize) -> String {
    text.chars().take(width - 1).collect()
}
