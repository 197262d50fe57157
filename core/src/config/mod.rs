//! Environment, URL and options become one `Config`.
mod address;
mod secret;
mod text;
mod tls;
pub use address::{Address, Endpoint};
pub use tls::Tls;
