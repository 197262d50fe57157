//! What the `steadis` program is made of, so that tests and demonstrations can drive it in-process.

pub mod explain;
pub mod lab;
