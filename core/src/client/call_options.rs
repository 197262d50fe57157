//! What may differ from call to call.

use crate::config::{Config, Environment, Input, OptionValue, ReadFrom, RetryWrites, Unit};
use crate::error::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

/// What may differ from call to call.
#[derive(Debug, Clone, Copy)]
pub struct CallOptions {
    /// For the whole call, waiting for a primary included; else the client's timeouts hold.
    pub timeout: Option<Duration>,
    pub retry_writes: RetryWrites,
    /// Which nodes may answer what only reads.
    pub read_from: ReadFrom,
    /// How far behind a replica may be.
    pub max_lag: Option<Duration>,
    /// Whether what a replica cannot answer is refused; else it goes to the primary.
    pub reads_only: bool,
}

impl CallOptions {
    /// Those of a call that asks for nothing special.
    pub fn of(config: &Config) -> Self {
        Self {
            timeout: None,
            retry_writes: config.retry_writes,
            read_from: config.read_from,
            max_lag: config.max_lag,
            reads_only: false,
        }
    }

    /// The same for a client that only reads, and from replicas if the policy says so.
    #[must_use]
    pub fn reading_from(self, read_from: ReadFrom, max_lag: Option<Duration>) -> Self {
        Self { read_from, max_lag, reads_only: true, ..self }
    }

    /// The same with `timeout` or `retry_writes` as a host language gives them.
    pub fn with(self, options: Vec<(String, OptionValue)>, unit: Unit) -> Result<Self> {
        let given = Given::read(options, &["timeout", "retry_writes"], "options", unit)?;
        let Config { command_timeout, retry_writes, .. } = *given.config;
        Ok(Self {
            timeout: if given.has("timeout") { Some(command_timeout) } else { self.timeout },
            retry_writes: if given.has("retry_writes") { retry_writes } else { self.retry_writes },
            ..self
        })
    }

    /// [`reading_from`](Self::reading_from) with `policy` and `max_lag` as a host language gives
    /// them; without a policy, replicas are preferred.
    pub fn replica(self, options: Vec<(String, OptionValue)>, unit: Unit) -> Result<Self> {
        let options = options.into_iter().map(|(name, value)| match name.as_str() {
            "policy" => ("read_from".to_owned(), value),
            _ => (name, value),
        });
        let given = Given::read(options.collect(), &["read_from", "max_lag"], "replica", unit)?;
        let Config { read_from, max_lag, .. } = *given.config;
        let read_from = if given.has("read_from") { read_from } else { ReadFrom::PreferReplica };
        Ok(self.reading_from(read_from, if given.has("max_lag") { max_lag } else { self.max_lag }))
    }

    pub(super) fn repeats_writes(&self) -> bool {
        self.retry_writes == RetryWrites::Always
    }
}

/// Options of a call, read as those of a client are.
struct Given {
    names: Vec<String>,
    config: Arc<Config>,
}

impl Given {
    fn read(
        options: Vec<(String, OptionValue)>,
        known: &[&str],
        method: &str,
        unit: Unit,
    ) -> Result<Self> {
        let mut input = Input::new(Environment::none()).unit(unit).option("host", "localhost");
        let mut names = Vec::new();
        for (name, value) in options {
            if !known.contains(&name.as_str()) {
                let known = known.join(" and ");
                return Err(Error::usage(format!("{method} takes {known}, not {name}")));
            }
            if value != OptionValue::Null {
                names.push(name.clone());
                input = input.option(name, value);
            }
        }
        let config = Config::resolve(&input).map_err(|why| Error::usage(why.message()))?.config;
        Ok(Self { names, config })
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|given| given == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> CallOptions {
        CallOptions::of(&Config::from_url("redis://h").unwrap())
    }

    fn options(name: &str, value: impl Into<OptionValue>) -> Vec<(String, OptionValue)> {
        vec![(name.to_owned(), value.into())]
    }

    #[test]
    fn a_call_can_be_given_less_time_and_more_tries() {
        let hurried = plain().with(options("timeout", 0.2), Unit::Seconds).unwrap();
        assert_eq!(hurried.timeout, Some(Duration::from_millis(200)));
        let both = hurried.with(options("retry_writes", "always"), Unit::Seconds).unwrap();
        assert_eq!((both.timeout, both.repeats_writes()), (hurried.timeout, true));
        let replica = plain().replica(options("policy", "nearest"), Unit::Seconds).unwrap();
        assert_eq!((replica.read_from, replica.reads_only), (ReadFrom::Nearest, true));
        let replica = plain().replica(options("max_lag", 50), Unit::Milliseconds).unwrap();
        assert_eq!(replica.max_lag, Some(Duration::from_millis(50)));
        assert_eq!(replica.read_from, ReadFrom::PreferReplica);
    }

    #[test]
    fn wrong_options_are_refused_by_name() {
        let refused = |name, value: OptionValue| {
            let error = plain().with(options(name, value), Unit::Seconds).unwrap_err();
            assert_eq!(error.kind(), crate::Kind::Usage);
            error.message().to_owned()
        };
        assert!(refused("timeout", (-1).into()).contains("timeout"));
        assert!(refused("timeout", "soon".into()).contains("timeout"));
        assert!(refused("retry_writes", "sometimes".into()).contains("retry_writes"));
        assert_eq!(
            refused("time_out", 1.into()),
            "options takes timeout and retry_writes, not time_out"
        );
    }
}
