//! The lab: a real Sentinel deployment on loopback that ends when its owner ends.
//!
//! [`Lab::start`] brings it up; its methods kill, freeze, promote and deceive. The servers die with
//! the thread that started them, so start a lab from a thread that lives as long as it should: the
//! main thread, on a tokio runtime of the current thread.

mod agreement;
mod certificates;
mod clock;
mod command;
mod configuration;
mod control;
mod credentials;
mod deployment;
mod directory;
mod environment;
mod error;
mod events;
mod fixtures;
mod haproxy;
mod name;
mod options;
mod picture;
mod place;
mod port;
mod process;
mod proxy;
mod pump;
mod random;
mod reply;
mod request;
mod resp;
mod roles;
mod run;
mod serve;
mod server;
mod signals;
mod silence;
mod stale;
mod status;
mod up;
mod verbs;
mod wait;

pub use clock::now;
pub use command::Command;
pub use credentials::Secret;
pub use deployment::Lab;
pub use environment::Environment;
pub use error::{Error, Result};
pub use events::{Event, Events, Pattern, Reader};
pub use fixtures::Fake;
pub use name::Lead;
pub use options::{Options, Setting};
pub use process::State;
pub use proxy::{Direction, Fault, Traffic};
pub use request::Request;
pub use roles::Role;
pub use status::{NodeStatus, ServerStatus, Status};
pub use verbs::PauseMode;
pub use wait::Condition;
