//! A slow or interrupted way to a server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Passes bytes on in both directions, each piece late, and none of the server's while it is shut.
pub(crate) struct Relay {
    pub(crate) port: u16,
    gate: Arc<Gate>,
}

struct Gate {
    /// How long the way is.
    delay: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    shut: bool,
    over: bool,
}

impl Gate {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("the gate"));
        self.changed.notify_all();
    }

    /// Holds a piece for as long as it is on its way; nothing is on its way once all is over.
    fn hold(&self) {
        let state = self.state.lock().expect("the gate");
        drop(self.changed.wait_timeout_while(state, self.delay, |state| !state.over));
    }

    fn wait_until_open(&self) {
        let state = self.state.lock().expect("the gate");
        drop(self.changed.wait_while(state, |state| state.shut && !state.over));
    }
}

impl Relay {
    pub(crate) fn to(port: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let here = listener.local_addr().expect("its address").port();
        let (state, changed) = (Mutex::default(), Condvar::new());
        let gate = Arc::new(Gate { delay, state, changed });
        let relay = Self { port: here, gate: Arc::clone(&gate) };
        // Its threads end with the connections, and the last with the test.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (there, back) = (client.try_clone(), server.try_clone());
                let (there, back) = (there.expect("a socket"), back.expect("a socket"));
                let way = Arc::clone(&gate);
                std::thread::spawn(move || pass(there, server, || way.hold()));
                let way = Arc::clone(&gate);
                std::thread::spawn(move || {
                    pass(back, client, || {
                        way.hold();
                        way.wait_until_open();
                    });
                });
            }
        });
        relay
    }

    /// Keeps everything that the server says from now on.
    pub(crate) fn shut(&self) {
        self.gate.set(|state| state.shut = true);
    }

    /// Lets it through.
    pub(crate) fn open(&self) {
        self.gate.set(|state| state.shut = false);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.gate.set(|state| state.over = true);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, wait: impl Fn()) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        wait();
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
