//! Many commands in one go, and two that run together or not at all.
//!
//!     steadis lab run -- cargo run --package steadis --example pipeline

fn main() -> steadis::Result<()> {
    let client = steadis::connect()?;

    // Each command has its own outcome: a failover in the middle fails only what it must.
    let commands: Vec<Vec<String>> =
        (1..=5).map(|page| vec!["INCR".into(), format!("page:{page}")]).collect();
    for (command, outcome) in commands.iter().zip(client.pipeline(&commands)?) {
        match outcome {
            Ok(reply) => println!("{} is {:?}", command[1], reply.as_integer()),
            Err(error) => println!("{}: {error}", command[1]),
        }
    }

    let transfer = [vec!["DECRBY", "account:a", "10"], vec!["INCRBY", "account:b", "10"]];
    let balances = client.transaction(&transfer)?;
    let balances: Vec<_> = balances.into_iter().collect::<Result<_, _>>()?;
    println!("a has {:?}, b has {:?}", balances[0].as_integer(), balances[1].as_integer());
    Ok(())
}
