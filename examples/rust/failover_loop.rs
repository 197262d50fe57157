//! Counts for ever, through every failover. Start it, and in another terminal a failover:
//!
//!     steadis lab run -- cargo run --package steadis --example failover_loop
//!     redis-cli -p PORT-OF-A-SENTINEL SENTINEL FAILOVER mymaster

use std::time::{Duration, Instant};
use steadis::Kind;

fn main() -> steadis::Result<()> {
    let client = steadis::connect()?;
    client.on(|event| println!("{event:?}"))?;

    loop {
        let began = Instant::now();
        match client.call(&["INCR", "visits"]) {
            Ok(visits) if began.elapsed() > Duration::from_millis(50) => {
                println!("visit {:?} waited {:?}", visits.as_integer(), began.elapsed());
            }
            Ok(_) => {}
            // It was sent when the primary died, and only we know whether a second visit does harm.
            Err(error) if error.kind() == Kind::MaybeExecuted => println!("{error}"),
            // Nothing ran, and it can be tried again.
            Err(error) if error.retryable() => println!("{error}"),
            Err(error) => return Err(error),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
