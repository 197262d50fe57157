fn main() -> steadis::Result<()> {
    let client = steadis::connect()?; // REDIS_SENTINEL_LIST, REDIS_SENTINEL_MASTER from the environment
    client.call(&["SET", "cart:7", "3 items", "EX", "900"])?;
    println!("{:?}", client.call(&["GET", "cart:7"])?.as_str());
    Ok(())
}
