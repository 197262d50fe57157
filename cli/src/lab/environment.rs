//! The environment variables that lead an application to the lab.

use std::fmt;
use std::net::SocketAddr;

use super::credentials::{Login, Secret};
use super::deployment::Lab;

/// Names and values, in the order in which they are best read.
#[derive(Clone)]
pub struct Environment(Vec<(&'static str, String)>);

impl Environment {
    pub(crate) fn of(lab: &Lab) -> Self {
        let name = lab.options().primary_name.clone();
        let (node, sentinel) =
            (&lab.common.credentials.nodes.app, &lab.common.credentials.sentinels.app);
        let list: Vec<_> =
            lab.sentinels.iter().map(|sentinel| sentinel.place.reachable().to_string()).collect();
        let list = list.join(",");
        let tls = lab.common.certificates.as_ref();
        let scheme = if tls.is_some() { "rediss" } else { "redis" };
        let url =
            format!("{scheme}-sentinel://{}{list}/0{}", userinfo(node), query(&name, sentinel));

        let mut variables = vec![
            ("REDIS_SENTINEL_LIST", list),
            ("REDIS_SENTINEL_MASTER", name),
            ("REDIS_SENTINEL_URL", url),
        ];
        let mut add =
            |name, value: Option<String>| variables.extend(value.map(|value| (name, value)));
        let reveal =
            |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
        add("REDIS_USERNAME", node.user.map(str::to_owned));
        add("REDIS_PASSWORD", reveal(&node.password));
        add("REDIS_SENTINEL_USERNAME", sentinel.user.map(str::to_owned));
        add("REDIS_SENTINEL_PASSWORD", reveal(&sentinel.password));
        for (switch, authority) in
            [("REDIS_TLS", "REDIS_TLS_CA"), ("REDIS_SENTINEL_TLS", "REDIS_SENTINEL_TLS_CA")]
        {
            add(switch, tls.map(|_| "1".to_owned()));
            add(authority, tls.map(|files| files.authority.display().to_string()));
        }
        add("REDIS_ADDRESS_MAP", address_map(lab));
        let proxy = lab.haproxy.as_ref().map(|haproxy| haproxy.address());
        add("REDIS_URL", proxy.map(|address| format!("{scheme}://{}{address}/0", userinfo(node))));
        Self(variables)
    }

    /// Each variable and its value.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        self.variables().map(|(name, value)| (name, serde_json::Value::from(value))).collect()
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// It may hold passwords.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.variables().map(|(name, _)| name)).finish()
    }
}

/// One line per variable, to be copied into a shell.
impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.variables().try_for_each(|(name, value)| writeln!(f, "export {name}='{value}'"))
    }
}

fn userinfo(login: &Login) -> String {
    match &login.password {
        Some(password) => {
            format!("{}:{}@", login.user.unwrap_or_default(), encode(password.reveal()))
        }
        None => String::new(),
    }
}

fn query(primary_name: &str, sentinel: &Login) -> String {
    let mut query = format!("?sentinelMasterId={primary_name}");
    if let Some(user) = sentinel.user {
        query += &format!("&sentinelUsername={user}");
    }
    if let Some(password) = &sentinel.password {
        query += &format!("&sentinelPassword={}", encode(password.reveal()));
    }
    query
}

/// Percent-encodes all that could mean something in a URL.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Announced to reachable address of every server, when they differ.
fn address_map(lab: &Lab) -> Option<String> {
    let pair = |announced: SocketAddr, reachable| format!("{announced}={reachable}");
    let pairs: Vec<String> = lab
        .servers()
        .map(|server| &server.place)
        .filter(|place| place.inside.is_some())
        .map(|place| pair(place.announced(), place.reachable()))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}
