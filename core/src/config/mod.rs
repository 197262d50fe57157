//! Environment, URL and options become one [`Config`].
//!
//! ```
//! use steadis::config::{Config, Environment, Input};
//!
//! let input = Input::new(Environment::process())
//!     .url("redis-sentinel://s1,s2:26380/mymaster")
//!     .option("command_timeout", 2.5);
//! let resolved = Config::resolve(&input)?;
//! assert_eq!(resolved.config.command_timeout.as_millis(), 2500);
//! println!("{}", resolved.explain());
//! # Ok::<(), steadis::Error>(())
//! ```

mod address;
mod address_map;
mod allow_list;
mod arguments;
mod choice;
mod duration;
mod environment;
mod explain;
mod foreign;
mod from_environment;
mod harmony;
mod input;
mod json;
mod kind;
mod list;
mod missing;
mod options;
mod origin;
mod place;
mod print;
mod resolve;
mod secret;
mod settings;
mod single;
mod suggest;
mod target;
mod text;
mod tls;
mod url;
mod userinfo;
mod value;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

pub use self::address::{Address, Endpoint};
pub use self::address_map::AddressMap;
pub use self::allow_list::AllowList;
pub use self::choice::{Protocol, ReadFrom, RetryWrites};
pub use self::environment::Environment;
pub use self::explain::{Explanation, Row};
pub use self::input::Input;
pub use self::kind::Kind;
pub use self::options::{Scope, Spec, all as all_options, find as find_option};
pub use self::origin::Origin;
pub use self::print::Secrets;
pub use self::resolve::Resolved;
pub use self::secret::{Credentials, Secret};
pub use self::suggest::nearest;
pub use self::target::{Seed, Target};
pub use self::tls::{DataLogin, SentinelLogin, Tls};
pub use self::value::{OptionValue, Unit};
use crate::Result;

/// Every setting of a client. The table of options says why one would change it.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where Redis is.
    pub target: Target,
    /// How to be let in by the nodes that hold the data.
    pub data: DataLogin,
    /// How to be let in by the Sentinels.
    pub sentinel: SentinelLogin,
    /// Time for one address to accept a connection and finish the handshake.
    pub connect_timeout: Duration,
    /// Time for one reply; after it the node is suspect.
    pub command_timeout: Duration,
    /// Time that a command waits while there is no primary.
    pub failover_timeout: Duration,
    /// Which writes may be sent again.
    pub retry_writes: RetryWrites,
    /// Hold writes from the announcement of a planned failover to its end.
    pub fence: bool,
    /// Where reads go.
    pub read_from: ReadFrom,
    /// How far behind a replica may be and still be read from.
    pub max_lag: Option<Duration>,
    /// Announced addresses and the ones that are reachable from here.
    pub address_map: AddressMap,
    /// Addresses that a Sentinel may name.
    pub allow_primaries: AllowList,
    /// Unanswered commands before callers get Busy.
    pub max_in_flight: usize,
    /// Commands that wait while there is no primary.
    pub max_held: usize,
    /// Bytes of the commands that wait.
    pub max_held_bytes: usize,
    /// Bytes of one reply.
    pub max_reply_bytes: usize,
    /// Connections to share among callers; `None` leaves it to the language.
    pub lanes: Option<NonZeroUsize>,
    /// The protocol to ask for.
    pub protocol: Protocol,
    /// Connect at once instead of at the first command.
    pub eager: bool,
}

impl Config {
    /// A target with the defaults for everything else.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            data: DataLogin::default(),
            sentinel: SentinelLogin::default(),
            connect_timeout: Duration::from_secs(1),
            command_timeout: Duration::from_secs(5),
            failover_timeout: Duration::from_secs(30),
            retry_writes: RetryWrites::Unsent,
            fence: true,
            read_from: ReadFrom::Primary,
            max_lag: None,
            address_map: AddressMap::default(),
            allow_primaries: AllowList::default(),
            max_in_flight: 100_000,
            max_held: 100_000,
            max_held_bytes: 64 * 1024 * 1024,
            max_reply_bytes: 512 * 1024 * 1024,
            lanes: None,
            protocol: Protocol::Resp3,
            eager: false,
        }
    }

    /// One configuration from arguments, URL and environment, in this order of precedence. No
    /// I/O but reading secret files.
    pub fn resolve(input: &Input) -> Result<Resolved> {
        resolve::resolve(input)
    }

    /// The configuration that the variables of this process describe.
    pub fn from_env() -> Result<Self> {
        let resolved = Self::resolve(&Input::new(Environment::process()))?;
        Ok(Arc::unwrap_or_clone(resolved.config))
    }

    /// The configuration that a URL describes by itself.
    pub fn from_url(url: &str) -> Result<Self> {
        let resolved = Self::resolve(&Input::new(Environment::none()).url(url))?;
        Ok(Arc::unwrap_or_clone(resolved.config))
    }

    /// The options that lead to this configuration: the target, and what is not a default.
    /// [`Config::resolve`] makes the same configuration of them.
    pub fn to_options(&self) -> Vec<(String, OptionValue)> {
        let blank = Self::blank();
        options::all()
            .map(|spec| (spec, (spec.show)(self)))
            .filter(|(spec, value)| match spec.scope {
                Scope::Address => *value != OptionValue::Null,
                _ => *value != (spec.show)(&blank),
            })
            .map(|(spec, value)| (spec.name.to_owned(), value))
            .collect()
    }

    /// [`Config::to_options`] as a JSON object, spans of time as text such as `"500ms"`. The
    /// same in every language, so it is what tests compare.
    pub fn to_json(&self, secrets: Secrets) -> String {
        print::json(&OptionValue::Map(self.to_options()), secrets)
    }

    /// Any target, to read defaults from.
    fn blank() -> Self {
        Self::new(Target::Node(Endpoint::Tcp(Address::new("127.0.0.1", 6379))))
    }
}
