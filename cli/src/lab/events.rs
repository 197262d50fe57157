//! What happened in the lab, in order, with monotonic time stamps.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::clock;

/// How many events are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 10_000;

/// Something that happened to a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What happened: `promoted`, `demoted`, `exited`, … or the channel of a Sentinel's message.
    pub event: String,
    /// When the lab saw it, in nanoseconds of CLOCK_MONOTONIC.
    pub at: u64,
    /// Whom it happened to, or which Sentinel said so.
    pub name: String,
    /// A Sentinel's message as it was published, or how a server ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Which event is meant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// The event's name.
    pub event: String,
    /// Whom it happened to; anybody when left out.
    pub name: Option<String>,
    /// Only events at or after this time stamp; any when left out.
    #[serde(default)]
    pub since: u64,
}

impl Pattern {
    fn matches(&self, event: &Event) -> bool {
        event.event == self.event
            && event.at >= self.since
            && self.name.as_ref().is_none_or(|name| *name == event.name)
    }
}

/// The memory of the lab, and the bell that rings at each new event.
#[derive(Debug)]
pub struct Events {
    memory: Mutex<Memory>,
    bell: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Memory {
    events: VecDeque<Event>,
    forgotten: usize,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { memory: Mutex::default(), bell: watch::Sender::new(()) }
    }

    pub(crate) fn push(&self, event: &str, name: &str, message: Option<String>) {
        let event = Event { event: event.into(), at: clock::now(), name: name.into(), message };
        let mut memory = self.memory();
        if memory.events.len() == REMEMBERED {
            memory.events.pop_front();
            memory.forgotten += 1;
        }
        memory.events.push_back(event);
        drop(memory);
        self.bell.send_replace(());
    }

    /// A reader of all that happens from now on.
    pub fn reader(&self) -> Reader<'_> {
        let memory = self.memory();
        let next = memory.forgotten + memory.events.len();
        drop(memory);
        Reader { events: self, next, bell: self.bell.subscribe() }
    }

    /// The first remembered event that fits the pattern, or the first to come.
    pub async fn first(&self, pattern: &Pattern) -> Event {
        let mut reader = Reader { events: self, next: 0, bell: self.bell.subscribe() };
        loop {
            let event = reader.next().await;
            if pattern.matches(&event) {
                return event;
            }
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the events one by one.
#[derive(Debug)]
pub struct Reader<'a> {
    events: &'a Events,
    next: usize,
    bell: watch::Receiver<()>,
}

impl Reader<'_> {
    /// The next event, as soon as there is one.
    pub async fn next(&mut self) -> Event {
        loop {
            self.bell.borrow_and_update();
            if let Some(event) = self.take() {
                return event;
            }
            // The sender lives in `events`, which outlives the reader.
            let _ = self.bell.changed().await;
        }
    }

    /// The next event if it has already happened.
    pub fn take(&mut self) -> Option<Event> {
        let memory = self.events.memory();
        self.next = self.next.max(memory.forgotten);
        let event = memory.events.get(self.next - memory.forgotten)?.clone();
        self.next += 1;
        Some(event)
    }
}
