//! Side by side with the peers.

use crate::command;
use std::process::ExitCode;

/// A page of the comparison: its name, and the commands that make it.
const PAGES: &[(&str, &[&[&str]])] =
    &[("core", &[&["cargo", "run", "--locked", "--release", "--package", "steadis-bench-core"]])];

/// All pages, or those named.
pub(crate) fn bench(wanted: &[&str]) -> ExitCode {
    let mut well = true;
    for (name, lines) in PAGES {
        if wanted.is_empty() || wanted.contains(name) {
            println!("══ {name}");
            for line in *lines {
                well &= command(line).status().is_ok_and(|status| status.success());
            }
        }
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
