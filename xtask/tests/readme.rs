//! Every program in the README is one of the examples, which the tests of its language run.

use std::fs;
use std::path::Path;

const PROGRAMS: [(&str, &str); 5] = [
    ("python", "examples/python/five_lines.py"),
    ("js", "examples/nodejs/five_lines.mjs"),
    ("ruby", "examples/ruby/five_lines.rb"),
    ("c", "examples/c/five_lines.c"),
    ("rust", "examples/rust/five_lines.rs"),
];

#[test]
fn every_program_in_the_readme_is_an_example() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| fs::read_to_string(top.join(path)).expect(path);
    let readme = read("README.md");
    let mut shown = Vec::new();
    for block in readme.split("\n```").skip(1).step_by(2) {
        let (language, program) = block.split_once('\n').expect("a language");
        let path = PROGRAMS.iter().find(|(name, _)| *name == language).expect(language).1;
        assert_eq!(format!("{program}\n"), read(path), "{path}");
        shown.push(language);
    }
    assert_eq!(shown, PROGRAMS.map(|(language, _)| language));
}
