//! libsteadis: what a C program sees of the core. Conversion only.
//!
//! | file | what it holds |
//! |---|---|
//! | `client` | connect, call, close, and views of a client |
//! | `options` | settings, by name |
//! | `pipeline` | commands sent in one go: pipelines and transactions |
//! | `script`, `watch` | what their names say |
//! | `pubsub`, `subscriber`, `message` | subscriptions, the thread that calls back, what comes |
//! | `inspect`, `picture` | topology, health, figures, settings, events |
//! | `resolver` | who is primary, for programs that keep their own client |
//! | `evented`, `event_loop`, `host` | the client inside a program's event loop |
//! | `convert` | arguments in, replies out |
//! | `reply`, `tree` | a reply: its type, its making |
//! | `error` | an error as C sees it |
//! | `block` | the memory of what is given away |
//! | `runtime` | the edge: panics, NULL, text |
//! | `format.c` | the printf forms |
//!
//! `include/steadis.h` is generated from the comments here, so these speak to C programmers.

#![allow(non_camel_case_types)] // types are named as C knows them
#![allow(unreachable_pub)] // what is exported is reached by C alone
#![allow(clippy::missing_safety_doc)] // the header says it once for all functions

mod block;
mod client;
mod convert;
mod error;
mod event_loop;
mod evented;
mod host;
mod inspect;
mod message;
mod options;
mod picture;
mod pipeline;
mod pubsub;
mod reply;
mod resolver;
mod runtime;
mod script;
mod subscriber;
mod tree;
mod watch;

pub use client::*;
pub use error::{steadis_error, steadis_status};
pub use evented::*;
pub use inspect::*;
pub use message::*;
pub use options::*;
pub use pipeline::*;
pub use pubsub::*;
pub use reply::*;
pub use resolver::*;
pub use script::*;
pub use subscriber::steadis_message_callback;
pub use watch::*;
