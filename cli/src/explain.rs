//! `steadis explain`: which variable or argument supplies each setting, passwords cut.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use steadis::config::{Config, Environment, Input, Resolved};

/// Print the configuration that a program in this environment would get.
#[derive(Debug, Args)]
pub struct Explain {
    /// A URL, as the url argument of connect().
    url: Option<String>,
    /// Read the variables with this prefix, such as CACHE_.
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Set an option, as connect() takes it; may be repeated.
    #[arg(long = "option", short, value_name = "NAME=VALUE", value_parser = pair)]
    options: Vec<(String, String)>,
    /// Print JSON: the settings, and the warnings.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self) -> ExitCode {
        let json = self.json;
        let printed = match Config::resolve(&self.input()) {
            Ok(resolved) if json => writeln!(io::stdout(), "{}", as_json(&resolved)),
            Ok(resolved) => as_table(&resolved),
            Err(error) => {
                eprintln!("steadis: {error}");
                return ExitCode::FAILURE;
            }
        };
        // A reader that went away (`| head`) is no failure of ours.
        match printed {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        }
    }

    fn input(self) -> Input {
        let mut input = Input::new(Environment::process());
        input.url = self.url;
        let prefix = self.prefix.map(|prefix| ("env_prefix".to_owned(), prefix));
        let options = self.options.into_iter().chain(prefix);
        input.options = options.map(|(name, value)| (name, value.into())).collect();
        input
    }
}

fn as_table(resolved: &Resolved) -> io::Result<()> {
    for warning in &resolved.warnings {
        writeln!(io::stderr(), "warning: {warning}")?;
    }
    write!(io::stdout(), "{}", resolved.explain())
}

fn as_json(resolved: &Resolved) -> String {
    let explanation = resolved.explain();
    format!(r#"{{"settings":{},"warnings":{}}}"#, explanation.to_json(), resolved.warnings_json())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as db=1")?;
    Ok((name.to_owned(), value.to_owned()))
}
