//! Generates what is generated, and checks that what is committed is what would be generated.

mod configuration;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask generate [--check]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let check = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["generate"] => false,
        ["generate", "--check"] => true,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut stale = false;
    for (path, content) in generated() {
        let path = root().join(path);
        if fs::read_to_string(&path).is_ok_and(|committed| committed == content) {
            continue;
        }
        stale = true;
        if check {
            eprintln!(
                "{} is out of date; run cargo xtask generate",
                path.display()
            );
        } else if let Err(error) = write(&path, &content) {
            eprintln!("{} cannot be written: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    if stale && check {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Every generated file with its content.
fn generated() -> Vec<(&'static str, String)> {
    vec![("docs/configuration.md", configuration::document())]
}

fn write(path: &Path, content: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
