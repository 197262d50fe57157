//! The client for event loops: the core's session, whose sockets and clock are asyncio's.
//!
//! | file | what it holds |
//! |---|---|
//! | `client` | what people have |
//! | `driver`, `state` | a session at home in one loop |
//! | `connections` | what a session asks of the loop |
//! | `link` | one connection, as asyncio sees it: a Protocol |
//! | `reply`, `progress` | what the caller awaits |
//! | `outcome` | what the caller gets |
//! | `wake` | how callers go on |
//! | `bell` | rung by the background thread, heard by the loop |
//! | `pipeline`, `watch`, `subscription` | what else can be submitted |

mod bell;
mod client;
mod connections;
mod driver;
mod link;
mod outcome;
mod pipeline;
mod progress;
mod reply;
mod state;
mod subscription;
mod wake;
mod watch;

pub(crate) use bell::Bell;
pub(crate) use client::AsyncClient;
pub(crate) use driver::Driver;
pub(crate) use link::Link;
pub(crate) use pipeline::AsyncPipeline;
pub(crate) use reply::Reply;
pub(crate) use subscription::AsyncSubscription;
pub(crate) use watch::AsyncView;
