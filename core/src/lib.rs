//! One Redis connection that stays up through failover.
//!
//! | module | what it knows | what it never does |
//! |---|---|---|
//! | [`config`] | environment, URLs, options | network I/O |
//! | `proto` | the wire protocol and what was sent of it | I/O, clock, threads |
//! | `policy` | what may be sent again | I/O, clock |
//! | [`error`] | the ten kinds of error | |

pub mod aio;
pub mod client;
pub mod command;
pub mod config;
pub mod error;
pub mod lane;
pub mod picture;
pub mod policy;
pub mod proto;
pub mod topology;

mod event;
mod lazy;
mod redis_compat;
mod resolver;
mod runtime;
mod stats;
mod sync;
mod sys;

pub use client::blocking::Client;
pub use config::Config;
pub use error::{Error, Kind, Result};
pub use event::Event;
pub use proto::reply::Reply;
pub use resolver::{Found, Resolver};
pub use stats::Stats;
#[doc(hidden)]
pub use sys::block_signals;
pub use topology::decide::Trouble;

/// A client of the deployment that the environment describes.
pub fn connect() -> Result<Client> {
    Client::open(&config::Input::new(config::Environment::process()))
}
