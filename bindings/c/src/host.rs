//! A host of the core's session: sockets, timer and bell behind one descriptor (Linux).

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;
use steadis::client::hosted::{Action, LinkId, Session, Sink};
use steadis::config::{Config, Endpoint, Tls};
use steadis::lane::dial::{self, Connection};
use steadis::{Error, Kind, Result};

/// What the poller calls the two that are no connection.
const BELL: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;
/// Read at once from a connection.
const CHUNK: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Host {
    poller: OwnedFd,
    /// Rung by other threads.
    bell: Arc<OwnedFd>,
    timer: OwnedFd,
    /// For when the timer is set.
    wakes_at: Option<Instant>,
    lines: HashMap<LinkId, Line>,
    /// Connections that were made, or not, by threads of their own.
    dialled: Receiver<(LinkId, Result<Connection>)>,
    dials: Sender<(LinkId, Result<Connection>)>,
    config: Arc<Config>,
    input: Vec<u8>,
}

/// A connection. While it is being dialled it has no wire.
#[derive(Debug, Default)]
struct Line {
    wire: Option<Connection>,
    output: Vec<u8>,
    written: usize,
    waits_to_write: bool,
}

impl Host {
    pub(crate) fn new(config: Arc<Config>) -> io::Result<Self> {
        let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let read = epoll::EventFlags::IN;
        epoll::add(&poller, &bell, epoll::EventData::new_u64(BELL), read)?;
        epoll::add(&poller, &timer, epoll::EventData::new_u64(TIMER), read)?;
        let (dials, dialled) = channel();
        let (wakes_at, lines, input) = (None, HashMap::new(), Vec::with_capacity(CHUNK));
        Ok(Self { poller, bell, timer, wakes_at, lines, dialled, dials, config, input })
    }

    /// What the program polls.
    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.poller
    }

    /// Makes the descriptor readable, from any thread.
    pub(crate) fn bell(&self) -> impl Fn() + Send + Sync + 'static {
        let bell = Arc::clone(&self.bell);
        move || {
            // Full is as good as rung.
            let _ = rustix::io::write(&*bell, &1u64.to_ne_bytes());
        }
    }

    /// Passes on to the session whatever has happened.
    pub(crate) fn turn(&mut self, session: &mut Session, sink: &mut Sink<'_>) -> io::Result<()> {
        let mut events = Vec::with_capacity(64);
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let buffer = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.poller, buffer, Some(&at_once)) {
            Err(rustix::io::Errno::INTR) => return Ok(()),
            other => other?,
        };
        let mut woken = false;
        for event in &events {
            match event.data.u64() {
                BELL => {
                    let _ = rustix::io::read(&*self.bell, &mut [0; 8]);
                    woken = true;
                    self.take_dialled(session, sink);
                }
                TIMER => {
                    let _ = rustix::io::read(&self.timer, &mut [0; 8]);
                    self.wakes_at = None;
                    woken = true;
                }
                link => {
                    let (link, flags) = (link as LinkId, event.flags);
                    if flags.contains(epoll::EventFlags::OUT) {
                        self.flush(link, session, sink);
                    }
                    if flags.intersects(!epoll::EventFlags::OUT) {
                        self.read(link, session, sink);
                    }
                }
            }
        }
        if woken {
            session.wake(Instant::now(), sink);
        }
        Ok(())
    }

    /// Does what the session asks for.
    pub(crate) fn pump(&mut self, session: &mut Session, sink: &mut Sink<'_>) -> io::Result<()> {
        while let Some(action) = session.poll() {
            match action {
                Action::Open { link, to, tls, .. } => self.dial(link, to, tls),
                Action::Write { link, bytes } => {
                    if let Some(line) = self.lines.get_mut(&link) {
                        line.output.extend_from_slice(&bytes);
                        self.flush(link, session, sink);
                    }
                }
                Action::Close { link } => {
                    if let Some(wire) = self.lines.remove(&link).and_then(|line| line.wire) {
                        wire.close();
                    }
                }
            }
        }
        self.set_timer(session.next_deadline())
    }

    fn set_timer(&mut self, at: Option<Instant>) -> io::Result<()> {
        if at == self.wakes_at {
            return Ok(());
        }
        self.wakes_at = at;
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        // A timer set to zero is off, so what is due is set to the shortest there is.
        let it_value = at.map_or(zero, |at| {
            let left = at.saturating_duration_since(Instant::now());
            let tv_nsec = i64::from(left.subsec_nanos()).max(i64::from(left.as_secs() == 0));
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: tv_nsec as _ }
        });
        let spec = Itimerspec { it_interval: zero, it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &spec)?;
        Ok(())
    }

    /// Names and TLS wait, so each connection is made on a thread that may.
    fn dial(&mut self, link: LinkId, to: Endpoint, tls: Option<Tls>) {
        self.lines.insert(link, Line::default());
        let (dials, bell, config) = (self.dials.clone(), self.bell(), Arc::clone(&self.config));
        let started =
            std::thread::Builder::new().name("steadis-dial".to_owned()).spawn(move || {
                steadis::block_signals();
                let wire = dial::stream(&to, tls.as_ref(), &config);
                // Nobody waits for it any more when this fails.
                let _ = dials.send((link, wire));
                bell();
            });
        if let Err(error) = started {
            let why = Error::new(Kind::Unavailable, format!("cannot start a thread: {error}"));
            let _ = self.dials.send((link, Err(why)));
            self.bell()();
        }
    }

    fn take_dialled(&mut self, session: &mut Session, sink: &mut Sink<'_>) {
        while let Ok((link, outcome)) = self.dialled.try_recv() {
            // It may have been closed meanwhile.
            let Some(line) = self.lines.get_mut(&link) else { continue };
            let now = Instant::now();
            let watched = outcome.and_then(|wire| {
                let Some(descriptor) = wire.descriptor() else { return Ok(wire) };
                let data = epoll::EventData::new_u64(link.into());
                epoll::add(&self.poller, descriptor, data, epoll::EventFlags::IN)
                    .map_err(|error| lost(&error.into()))?;
                Ok(wire)
            });
            match watched {
                Ok(wire) => {
                    line.wire = Some(wire);
                    session.opened(link, now, sink);
                }
                Err(why) => {
                    self.lines.remove(&link);
                    session.closed(link, 0, why, now, sink);
                }
            }
        }
    }

    fn read(&mut self, link: LinkId, session: &mut Session, sink: &mut Sink<'_>) {
        let Some(wire) = self.lines.get(&link).and_then(|line| line.wire.clone()) else { return };
        self.input.clear();
        match wire.read(&mut self.input) {
            Ok(0) => {
                let why = "the server closed the connection";
                self.lose(link, Error::new(Kind::Unavailable, why), session, sink);
            }
            Ok(_) => session.received(link, &self.input, Instant::now(), sink),
            Err(error) if waits(&error) => {}
            Err(error) => self.lose(link, lost(&error), session, sink),
        }
    }

    fn flush(&mut self, link: LinkId, session: &mut Session, sink: &mut Sink<'_>) {
        let Some(line) = self.lines.get_mut(&link) else { return };
        let Some(wire) = line.wire.clone() else { return };
        while line.written < line.output.len() || wire.lags() {
            match wire.write(&line.output[line.written..]) {
                Ok(count) => line.written += count,
                Err(error) if waits(&error) => break,
                Err(error) => return self.lose(link, lost(&error), session, sink),
            }
        }
        let waits = line.written < line.output.len() || wire.lags();
        if !waits {
            line.output.clear();
            line.written = 0;
        }
        if waits != line.waits_to_write
            && let Some(descriptor) = wire.descriptor()
        {
            line.waits_to_write = waits;
            let read = epoll::EventFlags::IN;
            let flags = if waits { read | epoll::EventFlags::OUT } else { read };
            let data = epoll::EventData::new_u64(link.into());
            // Fails only for a connection that the poller does not know, and this one it does.
            let _ = epoll::modify(&self.poller, descriptor.as_fd(), data, flags);
        }
    }

    fn lose(&mut self, link: LinkId, why: Error, session: &mut Session, sink: &mut Sink<'_>) {
        if let Some(line) = self.lines.remove(&link) {
            let unwritten = line.output.len() - line.written;
            session.closed(link, unwritten, why, Instant::now(), sink);
        }
    }
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn lost(error: &io::Error) -> Error {
    Error::new(Kind::Unavailable, format!("the connection was lost: {error}"))
}
