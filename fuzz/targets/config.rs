//! Any environment, URL and options: read or refused, never a panic; what was read, printed and
//! read again is the same.
//!
//! One line of input is one thing: `url <text>`, `option <name>=<value>` or `<VARIABLE>=<value>`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steadis::config::{Config, Environment, Input, Target};

fuzz_target!(|bytes: &[u8]| {
    let input = input(&String::from_utf8_lossy(bytes));
    match Config::resolve(&input) {
        Ok(resolved) => {
            if let Target::Sentinels { seeds, .. } = &resolved.config.target {
                assert!(!seeds.is_empty(), "Sentinels without any");
            }
            let options = resolved.config.to_options();
            let again = Config::resolve(&Input {
                options,
                ..Input::default()
            });
            assert_eq!(again.map(|again| again.config), Ok(resolved.config.clone()));
            assert!(!resolved.explain().to_string().is_empty());
            assert!(
                resolved
                    .warnings
                    .iter()
                    .all(|warning| !warning.contains('\n'))
            );
        }
        Err(error) => assert!(!error.message().contains('\n'), "{error}"),
    }
});

fn input(text: &str) -> Input {
    let mut input = Input::default();
    let mut variables = Vec::new();
    for line in text.lines() {
        if let Some(url) = line.strip_prefix("url ") {
            input.url = Some(url.to_owned());
        } else if let Some((name, value)) =
            line.strip_prefix("option ").and_then(|o| o.split_once('='))
        {
            input.options.push((name.to_owned(), value.into()));
        } else if let Some((name, value)) = line.split_once('=') {
            // Which files exist is not part of the input.
            if !name.ends_with("_FILE") || name.contains("TLS") {
                variables.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    input.environment = variables.into_iter().collect::<Environment>();
    input
}
