//! The `steadis` program: one module for each subcommand.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use steadis_cli::{explain, lab};

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
    /// Start a real local Sentinel deployment to develop, test and break things with
    #[command(subcommand)]
    Lab(lab::Command),
}

fn main() -> ExitCode {
    match Program::parse().command {
        Command::Explain(command) => command.run(),
        Command::Lab(command) => command.run(),
    }
}
