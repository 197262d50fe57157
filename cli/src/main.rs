//! The `steadis` program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use steadis_cli::lab;

/// One Redis connection that stays up through failover.
#[derive(Debug, Parser)]
#[command(name = "steadis", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a real local Sentinel deployment to develop, test and break things with
    #[command(subcommand)]
    Lab(lab::Command),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Lab(command) => lab::main(command),
    }
}
