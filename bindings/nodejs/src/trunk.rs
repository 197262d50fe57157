//! The sockets of this thread, which clients with the same settings may share.
//!
//! A client that has a socket to itself deals with it alone, as if nobody could share it. From the
//! moment that a second one takes a seat, a trunk of core deals out the replies.

use crate::js::{Js, Value};
use crate::view::{Inner, View};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Instant;
use steadis::client::hosted::LinkId;
use steadis::config::{Config, Endpoint};
use steadis::lane::trunk::{Seat, Trunk};
use steadis::proto::scan::Limits;

thread_local! {
    static SOCKETS: RefCell<Sockets> = RefCell::default();
}

#[derive(Default)]
struct Sockets {
    open: FxHashMap<u32, Socket>,
    next: u32,
}

struct Socket {
    to: Endpoint,
    /// Of whom opened it.
    config: Arc<Config>,
    seats: FxHashMap<Seat, (Weak<RefCell<Inner>>, LinkId)>,
    next_seat: Seat,
    /// `None` while one client has it to itself.
    trunk: Option<Trunk>,
    heard_at: Instant,
    /// Nobody else may take a seat.
    private: bool,
}

/// Where a connection of a client is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) socket: u32,
    pub(crate) seat: Seat,
}

/// Settings as somebody has them already who is connected, for they need not be kept twice.
pub(crate) fn known(config: Arc<Config>) -> Arc<Config> {
    SOCKETS.with_borrow(|Sockets { open, .. }| {
        let same = open.values().find(|socket| socket.config == config);
        same.map_or(config, |socket| Arc::clone(&socket.config))
    })
}

/// Finds a socket for a connection of a client, or numbers a new one.
pub(crate) fn take_seat(
    inner: &Rc<RefCell<Inner>>,
    link: LinkId,
    to: &Endpoint,
    shareable: bool,
) -> Place {
    let (config, private) = {
        let inner = inner.borrow();
        (Arc::clone(inner.session.config()), inner.private || !shareable)
    };
    let now = Instant::now();
    SOCKETS.with_borrow_mut(|Sockets { open, next }| {
        let suits = |it: &Socket| !private && it.suits(to, &config) && it.has_room(now);
        let found = open.iter().find(|(_, socket)| suits(socket)).map(|(&id, _)| id);
        let id = found.unwrap_or_else(|| {
            *next = next.wrapping_add(1);
            open.insert(*next, Socket::new(to, &config, private, now));
            *next
        });
        let seat = open.get_mut(&id).map_or(0, |socket| socket.seat(inner, link));
        Place { socket: id, seat }
    })
}

impl Socket {
    fn new(to: &Endpoint, config: &Arc<Config>, private: bool, now: Instant) -> Self {
        Self {
            to: to.clone(),
            config: Arc::clone(config),
            seats: FxHashMap::default(),
            next_seat: 0,
            trunk: None,
            heard_at: now,
            private,
        }
    }

    /// Whether it is what a client with these settings would open.
    fn suits(&self, to: &Endpoint, config: &Config) -> bool {
        !self.private
            && self.to == *to
            && self.config.data == config.data
            && self.config.protocol == config.protocol
            && self.config.max_reply_bytes == config.max_reply_bytes
    }

    /// It is alive, and nothing is under way on it.
    fn has_room(&self, now: Instant) -> bool {
        match &self.trunk {
            Some(trunk) => trunk.is_idle() && now - self.heard_at < self.config.command_timeout,
            None => self.seats.values().all(|(inner, link)| {
                let inner = inner.upgrade();
                inner.is_some_and(|it| {
                    it.try_borrow().is_ok_and(|it| it.session.can_share(*link, now))
                })
            }),
        }
    }

    fn seat(&mut self, inner: &Rc<RefCell<Inner>>, link: LinkId) -> Seat {
        if !self.seats.is_empty() && self.trunk.is_none() {
            let bytes = self.config.max_reply_bytes;
            self.trunk = Some(Trunk::new(Limits { bytes, ..Limits::default() }));
        }
        self.next_seat += 1;
        self.seats.insert(self.next_seat, (Rc::downgrade(inner), link));
        self.next_seat
    }
}

/// Another client that has a seat in this socket, and its connection.
pub(crate) fn neighbour(
    inner: &Rc<RefCell<Inner>>,
    socket: u32,
) -> Option<(Rc<RefCell<Inner>>, LinkId)> {
    SOCKETS.with_borrow(|Sockets { open, .. }| {
        let mut seated = open.get(&socket)?.seats.values();
        let (other, link) = seated.find(|(it, _)| it.as_ptr() != Rc::as_ptr(inner))?;
        Some((other.upgrade()?, *link))
    })
}

/// Gives a seat up: socket, seat, and whether nobody shall follow, for the client was let down.
pub(crate) fn leave(js: Js, args: &[Value]) -> Value {
    let &[socket, seat, is_last] = args else { return js.undefined() };
    let (id, seat) = (js.to_double(socket) as u32, js.to_double(seat) as Seat);
    SOCKETS.with_borrow_mut(|Sockets { open, .. }| {
        if let Some(socket) = open.get_mut(&id) {
            socket.seats.remove(&seat);
            socket.private |= js.to_bool(is_last);
            if socket.seats.is_empty() {
                open.remove(&id);
            }
        }
    });
    js.undefined()
}

/// What a client writes to a socket that it shares: view, connection, socket, seat, and whether
/// the socket takes nothing now. `null`: it had better part, for others have much under way there.
pub(crate) fn output(js: Js, args: &[Value]) -> Value {
    let &[view, link, socket, seat, is_full] = args else { return js.undefined() };
    let Some(view) = js.unwrap::<Rc<View>>(view) else { return js.undefined() };
    let (link, id) = (js.to_double(link) as LinkId, js.to_double(socket) as u32);
    let (seat, is_full) = (js.to_double(seat) as Seat, js.to_bool(is_full));
    let session = &mut view.inner.borrow_mut().session;
    SOCKETS.with_borrow_mut(|Sockets { open, .. }| {
        let Some(Socket { seats, trunk: Some(trunk), .. }) = open.get_mut(&id) else {
            return js.undefined();
        };
        let crowded = seats.len() > 1 && (is_full || trunk.is_crowded(seat));
        if crowded && session.can_part(link) {
            return js.null();
        }
        if is_full {
            return js.undefined();
        }
        let bytes = session.take_output(link);
        trunk.sent(seat, &bytes);
        js.bytes_to_write(&bytes)
    })
}

/// A socket that is shared has read so many bytes into a Buffer. Seats in turn with what that
/// settled for their clients; in front of them `true` if one client has it to itself again, or
/// why it is of no use any more.
pub(crate) fn received(js: Js, args: &[Value]) -> Value {
    let &[socket, buffer, count] = args else { return js.undefined() };
    let (id, count) = (js.to_double(socket) as u32, js.to_double(count) as usize);
    let report = js.with_bytes(buffer, |bytes| {
        SOCKETS.with_borrow_mut(|Sockets { open, .. }| {
            open.get_mut(&id).map(|socket| socket.deal(js, &bytes[..bytes.len().min(count)]))
        })
    });
    report.flatten().unwrap_or_else(|| js.undefined())
}

impl Socket {
    fn deal(&mut self, js: Js, bytes: &[u8]) -> Value {
        let now = Instant::now();
        self.heard_at = now;
        let Self { seats, trunk: Some(trunk), .. } = self else { return js.undefined() };
        let mut told: Vec<(Seat, Rc<RefCell<Inner>>)> = Vec::new();
        let fed = trunk.feed(bytes, |seat, run| {
            let Some((inner, link)) = seats.get(&seat) else { return };
            let Some(inner) = inner.upgrade() else { return };
            inner.borrow_mut().tell(js, |session, sink| session.received(*link, run, now, sink));
            if !told.iter().any(|(it, _)| *it == seat) {
                told.push((seat, inner));
            }
        });
        let alone = trunk.is_idle() && seats.len() == 1;
        let mut report = vec![match fed {
            Err(why) => js.text(why.message().as_bytes()),
            Ok(()) if alone => js.boolean(true),
            Ok(()) => js.undefined(),
        }];
        if alone {
            self.trunk = None;
        }
        for (seat, inner) in told {
            report.extend([js.small(seat), inner.borrow_mut().report(js)]);
        }
        js.list(&report)
    }
}

/// From now on the connections of this client are its own. Those that it shares, it parts with.
pub(crate) fn withdraw(js: Js, inner: &Rc<RefCell<Inner>>) -> Value {
    inner.borrow_mut().private = true;
    let mut shared = Vec::new();
    SOCKETS.with_borrow_mut(|Sockets { open, .. }| {
        for socket in open.values_mut() {
            let own = socket.seats.values().find(|(it, _)| it.as_ptr() == Rc::as_ptr(inner));
            let Some(&(_, link)) = own else { continue };
            match &socket.trunk {
                Some(_) => shared.push(link),
                None => socket.private = true,
            }
        }
    });
    let mut inner = inner.borrow_mut();
    let now = Instant::now();
    inner.tell(js, |session, sink| shared.iter().for_each(|&link| session.part(link, now, sink)));
    inner.report(js)
}
