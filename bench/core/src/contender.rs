//! What is measured, and the race itself.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    Get {
        threads: usize,
    },
    Pipeline {
        /// Where a client takes both, commands are written as a format, as most programs write
        /// them; else as lists.
        formatted: bool,
    },
    Hgetall,
    Lrange,
}

impl Workload {
    pub(crate) const ALL: [Workload; 7] = [
        Workload::Get { threads: 1 },
        Workload::Get { threads: 8 },
        Workload::Get { threads: 64 },
        Workload::Pipeline { formatted: true },
        Workload::Pipeline { formatted: false },
        Workload::Hgetall,
        Workload::Lrange,
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Workload::Get { threads } => format!("GET 64 B, {threads} threads"),
            Workload::Pipeline { formatted: true } => "pipeline of 100 SET".into(),
            Workload::Pipeline { .. } => "pipeline of 100 SET, hiredis from lists".into(),
            Workload::Hgetall => "HGETALL of 100 fields".into(),
            Workload::Lrange => "LRANGE of 1000".into(),
        }
    }

    /// How often the command is sent in one go.
    pub(crate) fn repeat(self) -> usize {
        if let Workload::Pipeline { .. } = self { 100 } else { 1 }
    }

    pub(crate) fn threads(self) -> usize {
        if let Workload::Get { threads } = self { threads } else { 1 }
    }

    pub(crate) fn command(self) -> &'static [&'static str] {
        match self {
            Workload::Get { .. } => &["GET", "string"],
            Workload::Pipeline { .. } => &["SET", "string", crate::server::VALUE],
            Workload::Hgetall => &["HGETALL", "hash"],
            Workload::Lrange => &["LRANGE", "list", "0", "-1"],
        }
    }
}

/// A client. Every thread of a race takes an operation of its own.
pub(crate) trait Contender: Sync {
    fn name(&self) -> String;
    /// Prepares one thread; the closure does one operation and takes its reply apart.
    fn operation<'a>(&'a self, workload: Workload) -> Box<dyn FnMut() + Send + 'a>;
}

/// One contender's turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn {
    pub(crate) per_second: f64,
    pub(crate) cpu_micros: f64,
    pub(crate) p50_micros: f64,
}

/// `result[contender][round]`
pub(crate) fn race(
    contenders: &[Box<dyn Contender>],
    workload: Workload,
    rounds: u32,
    slice: Duration,
) -> Vec<(String, Vec<Turn>)> {
    let mut turns: Vec<_> = contenders.iter().map(|c| (c.name(), Vec::new())).collect();
    for round in 0..=rounds {
        for (contender, (_, turns)) in contenders.iter().zip(&mut turns) {
            let turn = turn(contender.as_ref(), workload, slice);
            // The first round warms up.
            if round > 0 {
                turns.push(turn);
            }
        }
    }
    turns
}

fn turn(contender: &dyn Contender, workload: Workload, slice: Duration) -> Turn {
    let threads = workload.threads();
    let (start, stop) = (Barrier::new(threads + 1), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut operation = contender.operation(workload);
                    operation();
                    start.wait();
                    let mut latencies = Vec::with_capacity(1 << 12);
                    let mut count = 0u64;
                    let mut then = Instant::now();
                    while !stop.load(Ordering::Relaxed) {
                        operation();
                        let now = Instant::now();
                        latencies.push((now - then).as_nanos() as u32);
                        then = now;
                        count += 1;
                    }
                    (count, latencies)
                })
            })
            .collect();
        start.wait();
        let (cpu, began) = (cpu_time(), Instant::now());
        std::thread::sleep(slice);
        stop.store(true, Ordering::Relaxed);
        let took = began.elapsed();
        let (mut count, mut latencies) = (0, Vec::new());
        for worker in workers {
            let (done, some) = worker.join().expect("a worker");
            count += done;
            latencies.extend(some);
        }
        let cpu = cpu_time() - cpu;
        latencies.sort_unstable();
        Turn {
            per_second: count as f64 / took.as_secs_f64(),
            cpu_micros: cpu.as_secs_f64() * 1e6 / count.max(1) as f64,
            p50_micros: latencies.get(latencies.len() / 2).copied().unwrap_or(0) as f64 / 1e3,
        }
    })
}

/// User and system time of this process.
fn cpu_time() -> Duration {
    let mut usage = std::mem::MaybeUninit::uninit();
    // SAFETY: getrusage fills the structure it is given, and cannot fail for this process.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec as u64) + Duration::from_micros(t.tv_usec as u64)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}
