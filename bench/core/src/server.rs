//! The redis-server that everybody asks.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// 64 bytes.
pub(crate) const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    _dir: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let mut process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "no", "--dir", &dir.path().to_string_lossy()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server (apt-get install redis-server)");
        let mut log = BufReader::new(process.stdout.take().expect("its log")).lines();
        log.by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains("eady to accept connections"))
            .expect("a server that starts");
        std::thread::spawn(move || log.for_each(drop));
        fill(port);
        Self { process, port, _dir: dir }
    }
}

fn fill(port: u16) {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("an address");
    let mut connection = client.get_connection().expect("a connection");
    let mut pipe = redis::pipe();
    pipe.cmd("SET").arg("string").arg(VALUE).ignore();
    for i in 0..100 {
        pipe.cmd("HSET").arg("hash").arg(format!("field:{i}")).arg(format!("value:{i}")).ignore();
    }
    for i in 0..1000 {
        pipe.cmd("RPUSH").arg("list").arg(format!("element number {i}")).ignore();
    }
    pipe.exec(&mut connection).expect("the data");
}

impl Server {
    /// One caller and the server wait for each other all the time. On two processors of a virtual
    /// machine every wake-up is an interrupt from one to the other, which costs as much as the
    /// command and varies with what else the host does; on one processor it is a switch between
    /// processes, and what is left are the clients. Many callers have all processors.
    pub(crate) fn share_processors(&self, threads: usize) {
        // SAFETY: the set is plain data, for which zeros are valid, and each processor lies in it;
        // the pointers are good for the calls.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            let count = libc::sysconf(libc::_SC_NPROCESSORS_ONLN).clamp(1, 1024) as usize;
            let first = if threads == 1 { count - 1 } else { 0 };
            (first..count).for_each(|processor| libc::CPU_SET(processor, &mut set));
            for process in [0, self.process.id() as libc::pid_t] {
                let result = libc::sched_setaffinity(process, size_of_val(&set), &raw const set);
                assert_eq!(result, 0, "the processors cannot be chosen");
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
