//! `steadis.h`: what the C library declares, in its own words.

use crate::root;
use cbindgen::{Builder, Config};
use std::fs;

/// What stands in front of what `format.h` adds.
const END: &str = "#ifdef __cplusplus\n}  // extern";

/// The header, made of the functions and types of the C binding and the comments on them.
pub(crate) fn document() -> String {
    make().unwrap_or_else(|why| format!("bindings/c cannot be read: {why}\n"))
}

fn make() -> Result<String, Box<dyn std::error::Error>> {
    let folder = root().join("bindings/c");
    let config = Config {
        // The workspace has one version for everything.
        after_includes: Some(versions()),
        ..Config::from_file(folder.join("cbindgen.toml"))?
    };
    let mut header = Vec::new();
    Builder::new().with_crate(&folder).with_config(config).generate()?.write(&mut header);
    let header = String::from_utf8(header)?;
    let variadic = fs::read_to_string(folder.join("src/format.h"))?;
    let (_, variadic) = variadic.split_once("\n\n").ok_or("format.h has no functions")?;
    Ok(header.replacen(END, &format!("{variadic}\n{END}"), 1))
}

fn versions() -> String {
    let parts = [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ];
    parts.map(|(name, number)| format!("\n#define STEADIS_VERSION_{name} {number}")).concat()
}
