//! Writes what is generated, or checks that what is committed is what would be generated.

use crate::{commands, configuration, root, stubs};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn generate(check: bool) -> ExitCode {
    let mut stale = false;
    for (path, content) in generated() {
        let path = root().join(path);
        if fs::read_to_string(&path).is_ok_and(|committed| committed == content) {
            continue;
        }
        stale = true;
        if check {
            eprintln!("{} is out of date; run cargo xtask generate", path.display());
        } else if let Err(error) = write(&path, &content) {
            eprintln!("{} cannot be written: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    if stale && check { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Every generated file with its content.
fn generated() -> Vec<(&'static str, String)> {
    let mut files = vec![
        ("docs/commands.md", commands::document()),
        ("docs/configuration.md", configuration::document()),
    ];
    files.extend(stubs::files());
    files
}

fn write(path: &Path, content: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}
