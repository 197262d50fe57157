//! What a configuration is made of.

use super::environment::Environment;
use super::value::{OptionValue, Unit};

/// Environment, URL and options. `Debug` shows no values.
#[derive(Clone, Default, PartialEq)]
pub struct Input {
    /// Variables, of this process or of a test.
    pub environment: Environment,
    /// The `url` argument.
    pub url: Option<String>,
    /// Options by name, in any spelling.
    pub options: Vec<(String, OptionValue)>,
    /// What a bare number means among the options.
    pub unit: Unit,
}

impl Input {
    /// Nothing but the environment.
    pub fn new(environment: Environment) -> Self {
        Self { environment, ..Self::default() }
    }

    /// With a URL, which goes before the environment.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// With an option, which goes before the URL.
    #[must_use]
    pub fn option(mut self, name: impl Into<String>, value: impl Into<OptionValue>) -> Self {
        self.options.push((name.into(), value.into()));
        self
    }

    /// With another meaning of bare numbers.
    #[must_use]
    pub fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.options.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Input")
            .field("environment", &self.environment)
            .field("url", &self.url.as_ref().map(|_| "***"))
            .field("options", &names)
            .field("unit", &self.unit)
            .finish()
    }
}
