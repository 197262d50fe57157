//! Steadis for Node.js: values go in and out, and JavaScript owns sockets, TLS and the clock.
//! Everything that knows Redis is in core; everything that knows Node's habits is in the
//! JavaScript beside this.
//!
//! | file | what it holds |
//! |---|---|
//! | `client` | one client of an event loop, and its views with other options |
//! | `own` | what has a connection of its own: watched keys, and subscriptions |
//! | `resolver` | who is primary, for programs that keep a client library of their own |
//! | `view` | what the calls of a view have in common |
//! | `trunk` | the sockets, which clients with the same settings may share |
//! | `hot` | the functions that every command goes through |
//! | `options` | options of clients and of calls |
//! | `picture` | what JavaScript gets to know of connections and of the deployment |
//! | `desk` | the calls without an outcome, and the outcomes on their way to JavaScript |
//! | `scan` | walks over all keys, or over all elements of one |
//! | `batch` | commands that are sent in one go, and scripts |
//! | `convert` | JavaScript's values become arguments |
//! | `reply` | replies become JavaScript's values |
//! | `js` | values of JavaScript, with as few crossings as possible |
//! | `hooks` | JavaScript's part of the conversion |
//! | `error` | errors of core become JavaScript's |
//! | `runtime` | what other threads have to tell the event loop |
//! | `table` | the commands, for the methods that JavaScript makes of them |
//! | `vectors` | conversion alone, for tests |

#![allow(unreachable_pub, reason = "JavaScript reaches everything that is marked for it")]
#![cfg_attr(test, allow(dead_code, reason = "JavaScript reaches nothing of a test build"))]

mod batch;
mod client;
mod convert;
mod desk;
mod error;
mod hooks;
mod hot;
mod js;
mod options;
mod own;
mod picture;
mod reply;
mod resolver;
mod runtime;
mod scan;
mod table;
mod trunk;
mod vectors;
mod view;
