//! A verified connection in use.
//!
//! | file | what it holds |
//! |---|---|
//! | `dial` | address → socket → TLS → handshake, under one deadline |
//! | `wire`, `tls` | a connected byte stream: TCP, unix, TLS |
//! | `blocking` | the shared lane of sync languages: callers lead and follow on their own threads |
//! | `call` | what a caller brings to a lane, and gets when replies do not come |
//! | `door` | how threads get back into a language that lets one in at a time |
//! | `slot` | where one caller waits for its replies |
//! | `exclusive` | a connection of one caller's own, for what blocks or keeps state |
//! | `hosted` | the lane of evented hosts: bytes in, bytes out |
//! | `trunk` | one connection that several hosted lanes share |

pub mod blocking;
pub mod call;
pub mod dial;
mod distance;
pub mod door;
pub mod exclusive;
pub mod hosted;
mod outgoing;
mod slot;
pub(crate) mod tls;
pub mod trunk;
pub mod wire;
