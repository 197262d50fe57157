//! The typed commands, pipelines and scripts of the redis crate, on the client and on tokio's.
//!
//!     steadis lab run -- cargo run --package steadis --example typed

use redis::{AsyncCommands, Commands, RedisResult, Script};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut client = steadis::connect()?;
    let _: () = client.set("visits", 40)?;
    let visits: u64 = client.incr("visits", 1)?;

    let (both, name): (u64, String) = redis::pipe()
        .atomic()
        .incr("visits", 1)
        .set("name", "Ann")
        .ignore()
        .get("name")
        .query(&mut client)?;
    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    let scripted: u64 = script.key("visits").arg(8).invoke(&mut client)?;
    println!("{visits}, {both} for {name}, {scripted}");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{} in a task", runtime.block_on(in_a_task())?);
    Ok(())
}

async fn in_a_task() -> RedisResult<u64> {
    let mut client = steadis::aio::connect()?;
    client.incr("visits", 50).await
}
