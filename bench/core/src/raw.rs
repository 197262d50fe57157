//! The limit of the machine: bytes that were made before, written and counted, and no client.

use crate::contender::{Contender, Workload};
use std::io::{Read, Write};
use std::net::TcpStream;
use steadis::proto::encode;
use steadis::proto::scan::{Limits, Scanner};

pub(crate) struct Raw {
    port: u16,
}

impl Raw {
    pub(crate) fn new(port: u16) -> Self {
        Self { port }
    }
}

impl Contender for Raw {
    fn name(&self) -> String {
        "raw sockets, per thread".into()
    }

    fn operation<'a>(&'a self, workload: Workload) -> Box<dyn FnMut() + Send + 'a> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        socket.set_nodelay(true).expect("TCP_NODELAY");
        let mut one = Vec::new();
        encode::command(&mut one, workload.command());
        let mut buffer = vec![0; 64 << 10];
        let reply = measure(&mut socket, &one);
        let (request, wanted) = (one.repeat(workload.repeat()), reply * workload.repeat());
        Box::new(move || {
            socket.write_all(&request).expect("a request");
            let mut missing = wanted;
            while missing > 0 {
                let count = socket.read(&mut buffer).expect("a reply");
                assert!(count > 0, "the server has closed");
                missing -= count;
            }
        })
    }
}

/// How long the reply is.
fn measure(socket: &mut TcpStream, request: &[u8]) -> usize {
    socket.write_all(request).expect("a request");
    let (mut scanner, mut reply) = (Scanner::new(Limits::default()), Vec::new());
    let mut buffer = [0; 4096];
    loop {
        let count = socket.read(&mut buffer).expect("a reply");
        reply.extend_from_slice(&buffer[..count]);
        if let Some(length) = scanner.scan(&reply).expect("a good reply") {
            return length;
        }
    }
}
