//! Side by side with the peers.

use crate::{LANGUAGES, command, root};
use std::process::ExitCode;

/// A page of the comparison: its name, and the command that makes it.
type Page = (&'static str, &'static [&'static str]);

const CORE: Page =
    ("core", &["cargo", "run", "--locked", "--release", "--package", "steadis-bench-core"]);

/// All pages, or those named.
pub(crate) fn bench(wanted: &[&str]) -> ExitCode {
    let mut well = true;
    let languages = LANGUAGES.iter().filter(|language| root().join(language.bench[0]).exists());
    let pages = languages.map(|language| (language.name, language.bench));
    for (name, line) in std::iter::once(CORE).chain(pages) {
        if wanted.is_empty() || wanted.contains(&name) {
            println!("══ {name}");
            well &= command(line).status().is_ok_and(|status| status.success());
        }
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
