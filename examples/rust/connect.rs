//! Connects as the environment says, writes and reads.
//!
//!     steadis lab run -- cargo run --package steadis --example connect

fn main() -> steadis::Result<()> {
    let client = steadis::connect()?;

    client.call(&["SET", "cart:7", "3 items", "EX", "60"])?;
    let cart = client.call(&["GET", "cart:7"])?;
    println!("cart:7 holds {:?}", cart.as_str());

    let topology = client.topology()?;
    if let Some(primary) = &topology.primary {
        println!("the primary is {primary}, watched by {} Sentinels", topology.sentinels.len());
    }
    Ok(())
}
