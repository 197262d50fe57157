//! The `steadis` program.

fn main() {}
