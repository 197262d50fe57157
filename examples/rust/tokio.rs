//! The client for tasks: clones share one connection, and what they send travels together.
//!
//!     steadis lab run -- cargo run --package steadis --example tokio

use tokio::task::JoinSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> steadis::Result<()> {
    let client = steadis::aio::connect()?;
    client.ready().await?;

    let mut tasks = JoinSet::new();
    for visitor in 1..=64 {
        let client = client.clone();
        tasks
            .spawn(async move { client.call(&["INCRBY", "visitors", &visitor.to_string()]).await });
    }
    while let Some(outcome) = tasks.join_next().await {
        match outcome {
            Ok(reply) => {
                reply?;
            }
            Err(error) => eprintln!("a task ended early: {error}"),
        }
    }
    println!("visitors: {:?}", client.call(&["GET", "visitors"]).await?.as_integer());
    client.close();
    Ok(())
}
