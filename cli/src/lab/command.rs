//! The command line of the lab.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Subcommand;
use tokio::runtime::Builder;

use super::error::{Doing, Result};
use super::options::Options;
use super::{run, serve, up};

/// What to do with a lab.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring a lab up and show who is primary, until Ctrl-C
    Up(Options),
    /// Run a command with REDIS_SENTINEL_* set, and take the lab down after it
    Run {
        #[command(flatten)]
        options: Options,
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Take one JSON request per line on stdin, and give one JSON answer per line on stdout
    Serve(Options),
}

impl Command {
    /// Runs the command; an error is a sentence on stderr and exit status 2.
    pub fn run(self) -> ExitCode {
        match self.start() {
            Ok(status) => status.into(),
            Err(error) => {
                eprintln!("steadis: {error}");
                ExitCode::from(2)
            }
        }
    }

    fn start(self) -> Result<u8> {
        // Servers die with the thread that starts them: this one.
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.doing("start the runtime")?;
        let status = runtime.block_on(async {
            match self {
                Self::Up(options) => up::up(options).await.map(|()| 0),
                Self::Run { options, command } => run::run(options, &command).await,
                Self::Serve(options) => serve::serve(options).await.map(|()| 0),
            }
        });
        // A thread may still be reading stdin; the end of the process ends it.
        runtime.shutdown_background();
        status
    }
}
