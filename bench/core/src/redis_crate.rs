//! The redis crate's blocking connection, one for each thread.

use crate::contender::{Contender, Workload};

pub(crate) struct RedisCrate(redis::Client);

impl RedisCrate {
    pub(crate) fn new(port: u16) -> Self {
        Self(redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("an address"))
    }
}

impl Contender for RedisCrate {
    fn name(&self) -> String {
        "redis crate, per thread".into()
    }

    fn operation<'a>(&'a self, workload: Workload) -> Box<dyn FnMut() + Send + 'a> {
        let mut connection = self.0.get_connection().expect("a connection");
        Box::new(move || {
            let (name, args) = workload.command().split_first().expect("a command");
            if let Workload::Pipeline { .. } = workload {
                let mut pipe = redis::pipe();
                for _ in 0..workload.repeat() {
                    pipe.cmd(name).arg(args);
                }
                let replies: Vec<redis::Value> = pipe.query(&mut connection).expect("replies");
                std::hint::black_box(replies);
            } else {
                let reply: redis::Value =
                    redis::cmd(name).arg(args).query(&mut connection).expect("a reply");
                std::hint::black_box(reply);
            }
        })
    }
}
