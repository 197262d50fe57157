//! The `steadis` program: one file for each subcommand.

mod explain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// One Redis connection that stays up through failover.
#[derive(Parser)]
#[command(name = "steadis", version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Explain(explain::Explain),
}

fn main() -> ExitCode {
    match Program::parse().command {
        Command::Explain(command) => command.run(),
    }
}
