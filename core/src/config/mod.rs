//! Environment, URL and options become one `Config`.
