//! What one seed is like: its deployment, its network, and the faults it may meet. Every run
//! draws its own mix, so that rare combinations come up without anybody thinking of them.

use crate::fault::Kind;
use crate::random::Random;
use std::time::Duration;
use steadis::config::{Address, Config, Seed, Target};

pub(crate) struct Plan {
    /// Planned failovers of a healthy deployment, and nothing else: nothing may be lost.
    pub(crate) calm: bool,
    pub(crate) replicas: usize,
    pub(crate) sentinels: usize,
    pub(crate) quorum: usize,
    pub(crate) apps: usize,
    pub(crate) workers: usize,
    pub(crate) think: Duration,
    pub(crate) latency: Duration,
    /// The clients are so far away that they must not wait for the last word.
    pub(crate) far: bool,
    pub(crate) jitter: Duration,
    pub(crate) spikes: f64,
    pub(crate) chop: f64,
    pub(crate) syn_drop: f64,
    /// A frozen server accepts no further connections.
    pub(crate) short_backlog: bool,
    pub(crate) lost_replies: f64,
    /// Closing a connection throws away what the other side has not read.
    pub(crate) abortive: f64,
    /// Bytes that fit between a transport and its server.
    pub(crate) window: usize,
    pub(crate) down_after: Duration,
    pub(crate) failover_timeout: Duration,
    pub(crate) info: Duration,
    pub(crate) tilt: Duration,
    /// How long Sentinels watch a node with a wrong role before they reconfigure it.
    pub(crate) convert: Duration,
    pub(crate) replication: Duration,
    pub(crate) kills_clients: bool,
    pub resp2: bool,
    pub(crate) min_replicas: bool,
    pub(crate) stale_reads: bool,
    pub(crate) flagged_scripts: bool,
    /// Sessions share connections, and part with them without need.
    pub(crate) shares: bool,
    pub(crate) parts: f64,
    /// The loop writes at the end of its turn, not at once.
    pub(crate) lazy: bool,
    pub(crate) timeouts: f64,
    pub(crate) cancels: f64,
    pub(crate) active: Duration,
    pub(crate) pause: Duration,
    pub(crate) faults: Vec<Kind>,
    pub(crate) config: Config,
}

impl Plan {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let calm = random.chance(0.2);
        let sentinels = random.between(3, 5);
        let rough = |random: &mut Random, chance: f64, most: f64| {
            if !calm && random.chance(chance) { most * random.fraction() } else { 0.0 }
        };
        let mut faults: Vec<Kind> =
            Kind::ALL.iter().copied().filter(|_| random.chance(0.35)).collect();
        if calm || faults.is_empty() {
            faults = vec![Kind::Planned];
        }
        // What is stale only long after a failover takes a run of its own.
        let far = random.chance(0.3);
        let split = !calm && random.chance(0.06);
        if split {
            faults = vec![Kind::Split, Kind::LeaveOne];
        }
        let tight = !calm && random.chance(0.15);
        let shares = random.chance(0.4);
        let mut config = Config::new(seeds(random, sentinels));
        // Three trips there and back, with a server that has to be asked again in RESP2.
        config.connect_timeout = random.millis(if far { 400 } else { 200 }, 1000);
        config.command_timeout =
            if calm { Duration::from_secs(5) } else { random.millis(200, 5000) };
        config.failover_timeout = random.millis(if calm { 15_000 } else { 1000 }, 30_000);
        config.fence = calm || random.chance(0.85);
        if tight {
            config.max_in_flight = random.between(1, 6);
            config.max_held = random.between(1, 6);
        }
        Self {
            calm,
            replicas: random.pick(&[1, 2, 2, 2, 2, 3]),
            sentinels,
            quorum: random.between(2, sentinels / 2 + 1),
            apps: if shares { random.between(2, 4) } else { random.between(1, 2) },
            workers: if tight { random.between(6, 16) } else { random.between(1, 6) },
            think: random.millis(10, 120),
            latency: match (far, calm) {
                (true, _) => random.millis(20, 40),
                (_, true) => random.millis(0, 3),
                _ => random.millis(0, 8),
            },
            far,
            jitter: if calm { random.millis(0, 3) } else { random.millis(0, 20) },
            spikes: rough(random, 0.4, 0.02),
            chop: if random.chance(0.5) { random.fraction() } else { 0.0 },
            syn_drop: rough(random, 0.3, 0.3),
            short_backlog: random.chance(0.2),
            lost_replies: rough(random, 0.4, 0.02),
            abortive: random.fraction(),
            window: if !calm && random.chance(0.3) { random.between(20, 200) } else { 1 << 16 },
            down_after: random.millis(300, 2000),
            failover_timeout: random.millis(3000, 10_000),
            info: random.millis(1000, 10_000),
            tilt: random.millis(1000, 10_000),
            convert: random.millis(2000, 10_000),
            replication: if calm { random.millis(0, 5) } else { random.millis(0, 300) },
            kills_clients: random.chance(0.6),
            resp2: random.chance(0.1),
            min_replicas: !calm && random.chance(0.1),
            stale_reads: calm || random.chance(0.9),
            flagged_scripts: random.chance(0.5),
            shares,
            parts: if shares && random.chance(0.5) { 0.1 * random.fraction() } else { 0.0 },
            lazy: shares || random.chance(0.5),
            timeouts: rough(random, 0.6, 0.7),
            cancels: rough(random, 0.5, 0.2),
            active: match (calm, split) {
                (true, _) => random.millis(8000, 30_000),
                (_, true) => random.millis(25_000, 50_000),
                _ => random.millis(5000, 15_000),
            },
            pause: if split { random.millis(2000, 8000) } else { random.millis(200, 4000) },
            faults,
            config,
        }
    }
}

pub(crate) fn node(index: usize) -> Address {
    Address::new(char::from(b'A' + index as u8), 6379)
}

pub(crate) fn sentinel(index: usize) -> Address {
    Address::new(format!("s{}", index + 1), 26379)
}

/// The opposite of [`node`].
pub(crate) fn node_at(address: &Address) -> usize {
    usize::from(address.host.as_bytes()[0] - b'A')
}

/// The opposite of [`sentinel`].
pub(crate) fn sentinel_at(address: &Address) -> usize {
    address.host[1..].parse::<usize>().expect("a Sentinel") - 1
}

/// Some of the Sentinels, or all; the others have to be learned of.
fn seeds(random: &mut Random, sentinels: usize) -> Target {
    let known = if random.chance(0.3) { random.between(1, sentinels) } else { sentinels };
    let first = random.below(sentinels);
    let seeds = (0..known).map(|i| Seed::new(sentinel((first + i) % sentinels))).collect();
    Target::Sentinels { seeds, primary: Some("mymaster".to_owned()) }
}
