//! A slow or interrupted way to a server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Passes bytes on in both directions, each piece late, and none of the server's while it is shut.
pub(crate) struct Relay {
    pub(crate) port: u16,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Relay {
    pub(crate) fn to(port: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let here = listener.local_addr().expect("its address").port();
        let gate = Arc::new((Mutex::new(true), Condvar::new()));
        let relay = Self { port: here, gate: Arc::clone(&gate) };
        // Its threads end with the connections, and the last with the test.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (there, back) = (client.try_clone(), server.try_clone());
                let (there, back) = (there.expect("a socket"), back.expect("a socket"));
                std::thread::spawn(move || pass(there, server, delay, None));
                let gate = Arc::clone(&gate);
                std::thread::spawn(move || pass(back, client, delay, Some(gate)));
            }
        });
        relay
    }

    /// Keeps everything that the server says from now on.
    pub(crate) fn shut(&self) {
        *self.gate.0.lock().expect("the gate") = false;
    }

    /// Lets it through.
    pub(crate) fn open(&self) {
        *self.gate.0.lock().expect("the gate") = true;
        self.gate.1.notify_all();
    }
}

fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    delay: Duration,
    gate: Option<Arc<(Mutex<bool>, Condvar)>>,
) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        // This is the length of the way, not a wait for anything.
        std::thread::sleep(delay);
        if let Some(gate) = &gate {
            let open = gate.0.lock().expect("the gate");
            drop(gate.1.wait_while(open, |open| !*open).expect("the gate"));
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
