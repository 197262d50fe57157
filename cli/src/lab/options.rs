//! What the lab is to look like.

use std::str::FromStr;
use std::time::Duration;

use super::credentials::Secret;
use super::error::{Error, Result};

/// The options of every lab, on the command line and in-process.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How many replicas follow the primary
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=20))]
    pub replicas: u8,

    /// How many Sentinels watch over the nodes; a majority of them is the quorum
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=20))]
    pub sentinels: u8,

    /// How long a node may be silent before a Sentinel calls it down
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub down_after: Duration,

    /// Sentinel's failover-timeout
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub failover_timeout: Duration,

    /// The name under which the Sentinels know the primary
    #[arg(long, value_name = "NAME", default_value = "mymaster", value_parser = word)]
    pub primary_name: String,

    /// The password of the nodes
    #[arg(long)]
    pub password: Option<Secret>,

    /// The password of the Sentinels
    #[arg(long)]
    pub sentinel_password: Option<Secret>,

    /// Give the application a user of its own with few rights, on nodes and on Sentinels
    #[arg(long)]
    pub acl: bool,

    /// Speak only TLS, with a certificate authority of the lab's own
    #[arg(long)]
    pub tls: bool,

    /// Announce addresses that applications cannot reach, as behind a NAT, and print the map
    #[arg(long)]
    pub nat: bool,

    /// Put an HAProxy that asks each node for its role in front of the nodes
    #[arg(long)]
    pub haproxy: bool,

    /// A line for every node's configuration; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub node_config: Vec<Setting>,

    /// A line for every Sentinel's configuration; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub sentinel_config: Vec<Setting>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            replicas: 2,
            sentinels: 3,
            down_after: Duration::from_secs(1),
            failover_timeout: Duration::from_secs(5),
            primary_name: "mymaster".into(),
            password: None,
            sentinel_password: None,
            acl: false,
            tls: false,
            nat: false,
            haproxy: false,
            node_config: Vec::new(),
            sentinel_config: Vec::new(),
        }
    }
}

impl Options {
    /// Refuses what the command line parser must not see, for it would print it.
    pub(crate) fn check(&self) -> Result<()> {
        let passwords =
            [("--password", &self.password), ("--sentinel-password", &self.sentinel_password)];
        for (option, password) in passwords {
            if password.as_ref().is_some_and(|password| !password.is_plain()) {
                return Err(Error::new(format!(
                    "{option} must be 1 to 100 printable ASCII characters \
                     without spaces, quotes, backslashes and #"
                )));
            }
        }
        Ok(())
    }
}

/// One line of a server's configuration file.
#[derive(Clone, Debug)]
pub struct Setting(String);

impl Setting {
    pub(crate) fn line(&self) -> &str {
        &self.0
    }
}

impl FromStr for Setting {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() && !text.contains('\n') => {
                Ok(Self(format!("{key} {value}")))
            }
            _ => Err(Error::new("write KEY=VALUE, for example maxmemory=64mb")),
        }
    }
}

fn duration(text: &str) -> Result<Duration> {
    let wrong = || Error::new("write 1s, 1.5s or 500ms (from 100ms to 1000s)");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1.0),
    };
    let seconds = number.parse::<f64>().map_err(|_| wrong())? * unit;
    if (0.1..=1000.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(wrong())
    }
}

fn word(text: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        Ok(text.into())
    } else {
        Err(Error::new("write letters, digits, _, - and . only"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_range() {
        assert_eq!(duration("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["1", "s", "", "0s", "99ms", "1001s", "NaNs", "-1s", "1 m"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn settings_become_configuration_lines() {
        assert_eq!("maxmemory=64mb".parse::<Setting>().unwrap().line(), "maxmemory 64mb");
        for wrong in ["maxmemory", "=1", "a=1\nb 2"] {
            assert!(wrong.parse::<Setting>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_that_would_break_a_configuration_file_is_not_repeated() {
        let password = Some("top secret".parse().unwrap());
        let error = Options { password, ..Options::default() }.check().unwrap_err().to_string();
        assert!(error.starts_with("--password must be"), "{error}");
        assert!(!error.contains("top secret"), "{error}");
    }
}
