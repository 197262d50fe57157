//! One Redis connection that stays up through failover.
//!
//! | module | what it knows | what it never does |
//! |---|---|---|
//! | [`config`] | environment, URLs, options | network I/O |
//! | `proto` | the wire protocol and what was sent of it | I/O, clock, threads |
//! | `policy` | what may be sent again | I/O, clock |
//! | [`error`] | the ten kinds of error | |

pub mod config;
pub mod error;
mod policy;

pub use config::Config;
pub use error::{Error, Kind, Result};
