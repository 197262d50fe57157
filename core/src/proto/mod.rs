//! The wire protocol, without I/O, clock or threads: bytes in, bytes out.
//!
//! | file | what it holds |
//! |---|---|
//! | `encode` | arguments → bytes of a command |
//! | `scan` | bytes → where the next reply ends, resumable at any byte |
//! | `number` | numbers and lengths, as the wire spells them |
//! | `plain` | the plainest values, recognised at a glance |
//! | `read` | a whole reply → values, built by whoever reads it |
//! | `shape` | one shape for each reply, whichever protocol it came in |
//! | `reply` | an owned reply, for Rust and C |
//! | `ledger` | which command waits for which reply, and what was sent of it |
//! | `handshake` | HELLO … ROLE: from a fresh socket to a verified node |

#![forbid(unsafe_code)]

pub mod encode;
pub mod handshake;
pub mod ledger;
mod number;
mod plain;
pub mod read;
pub mod reply;
pub mod scan;
pub mod shape;
