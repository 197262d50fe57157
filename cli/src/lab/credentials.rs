//! Who may log in where, and with which rights.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::error::Result;
use super::options::Options;
use super::random;

/// A password: it is written into configurations and environments, and never into a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    fn random() -> Result<Self> {
        random::hex().map(Self)
    }

    /// The password itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether every configuration file the lab writes can hold it as it is.
    pub(crate) fn is_plain(&self) -> bool {
        (1..=100).contains(&self.0.len())
            && self.0.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\#`".contains(&byte))
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(password: &str) -> Result<Self, Infallible> {
        Ok(Self(password.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A user and password; without a user name it is the default user, without a password nobody asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Login {
    pub(crate) user: Option<&'static str>,
    pub(crate) password: Option<Secret>,
}

impl Login {
    fn named(user: &'static str, password: Secret) -> Self {
        Self { user: Some(user), password: Some(password) }
    }

    fn rights(&self, rights: &str) -> Option<String> {
        let password = self.password.as_ref()?.reveal();
        Some(format!("user {} on >{password} {rights}", self.user?))
    }

    /// The arguments of AUTH.
    pub(crate) fn arguments(&self) -> Option<String> {
        let password = self.password.as_ref()?.reveal();
        Some(self.user.map_or(password.to_owned(), |user| format!("{user} {password}")))
    }
}

/// The logins on one kind of server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logins {
    /// What the application uses.
    pub(crate) app: Login,
    /// What the lab uses: it may do everything.
    pub(crate) lab: Login,
    /// What the other servers of the same kind use: replicas on nodes, Sentinels on Sentinels.
    pub(crate) peers: Login,
    /// What Sentinels and HAProxy use on nodes.
    pub(crate) sentinel: Login,
    pub(crate) haproxy: Login,
}

/// Everything an application does; nothing that changes or unveils the server. ROLE is the one
/// administrative command a client needs: it tells a primary from a replica.
const APP_ON_NODES: &str = "~* &* +@all -@admin -@dangerous +role";

/// What a client needs to find and follow the primary; PSUBSCRIBE is not among it.
const APP_ON_SENTINELS: &str = "resetchannels &+try-failover &+failover-state-select-slave \
    &+selected-slave &+failover-state-send-slaveof-noone &+failover-state-wait-promotion \
    &+promoted-slave &+switch-master &+failover-end &-failover-abort-no-good-slave \
    &-failover-abort-slave-timeout &-failover-abort-not-elected &-failover-abort-master-is-back \
    &-failover-abort-x-sdown &+sdown &-sdown &+odown &-odown &+slave &+sentinel &+reset-master \
    &+reboot &+tilt &-tilt -@all +ping +hello +auth +client|setname +subscribe +unsubscribe \
    +sentinel|get-master-addr-by-name +sentinel|master +sentinel|masters +sentinel|replicas \
    +sentinel|slaves +sentinel|sentinels";

const REPLICA: &str = "resetchannels -@all +psync +replconf +ping";
const SENTINEL_ON_NODES: &str = "allchannels -@all +multi +slaveof +ping +exec +subscribe \
    +config|rewrite +role +publish +info +client|setname +client|kill +script|kill";
const SENTINEL_ON_SENTINELS: &str = "resetchannels &__sentinel__:hello -@all +ping +publish \
    +client|setname +sentinel|is-master-down-by-addr";
const HAPROXY: &str = "resetchannels -@all +ping +info";
const LAB: &str = "~* &* +@all";

/// The logins on nodes and Sentinels.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) nodes: Logins,
    pub(crate) sentinels: Logins,
    acl: bool,
}

impl Credentials {
    /// The logins that the options ask for; passwords nobody chose are random.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let (password, sentinel_password) = (&options.password, &options.sentinel_password);
        if !options.acl {
            let nodes = Logins::shared(password);
            let sentinels = Logins::shared(sentinel_password);
            return Ok(Self { nodes, sentinels, acl: false });
        }
        let (nodes, sentinels) =
            (Logins::separate(password)?, Logins::separate(sentinel_password)?);
        Ok(Self { nodes, sentinels, acl: true })
    }

    /// The configuration lines that let the right people into a node.
    pub(crate) fn node_lines(&self) -> Vec<String> {
        let logins = &self.nodes;
        let mut lines = self.users(&[
            (&logins.app, APP_ON_NODES),
            (&logins.lab, LAB),
            (&logins.peers, REPLICA),
            (&logins.sentinel, SENTINEL_ON_NODES),
            (&logins.haproxy, HAPROXY),
        ]);
        lines.extend(logins.peers.user.map(|user| format!("masteruser {user}")));
        let password = logins.peers.password.as_ref();
        lines.extend(password.map(|password| format!("masterauth {}", password.reveal())));
        if !self.acl {
            lines.extend(password.map(|password| format!("requirepass {}", password.reveal())));
        }
        lines
    }

    /// The configuration lines that let the right people into a Sentinel, and it into the others.
    pub(crate) fn sentinel_lines(&self, primary_name: &str) -> Vec<String> {
        let logins = &self.sentinels;
        let mut lines = self.users(&[
            (&logins.app, APP_ON_SENTINELS),
            (&logins.lab, LAB),
            (&logins.peers, SENTINEL_ON_SENTINELS),
        ]);
        let password = logins.peers.password.as_ref();
        if !self.acl {
            lines.extend(password.map(|password| format!("requirepass {}", password.reveal())));
        }
        lines.extend(logins.peers.user.map(|user| format!("sentinel sentinel-user {user}")));
        lines.extend(
            password.map(|password| format!("sentinel sentinel-pass {}", password.reveal())),
        );
        let node = &self.nodes.sentinel;
        lines.extend(node.user.map(|user| format!("sentinel auth-user {primary_name} {user}")));
        lines.extend(
            node.password
                .as_ref()
                .map(|password| format!("sentinel auth-pass {primary_name} {}", password.reveal())),
        );
        lines
    }

    fn users(&self, users: &[(&Login, &str)]) -> Vec<String> {
        let nobody = self.acl.then(|| "user default off".to_owned());
        let users = users.iter().filter_map(|(login, rights)| login.rights(rights));
        nobody.into_iter().chain(users).collect()
    }
}

impl Logins {
    fn shared(password: &Option<Secret>) -> Self {
        let login = || Login { user: None, password: password.clone() };
        Self { app: login(), lab: login(), peers: login(), sentinel: login(), haproxy: login() }
    }

    fn separate(app: &Option<Secret>) -> Result<Self> {
        Ok(Self {
            app: Login::named("app", app.clone().map_or_else(Secret::random, Ok)?),
            lab: Login::named("lab", Secret::random()?),
            peers: Login::named("peer", Secret::random()?),
            sentinel: Login::named("sentinel", Secret::random()?),
            haproxy: Login::named("haproxy", Secret::random()?),
        })
    }
}
