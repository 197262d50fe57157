//! What a URL begins with.

use crate::config::suggest::nearest;
use crate::config::text::shown;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Node,
    Sentinels,
    Socket,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Scheme {
    pub(super) name: &'static str,
    pub(super) family: Family,
    pub(super) tls: bool,
}

const fn scheme(name: &'static str, family: Family, tls: bool) -> Scheme {
    Scheme { name, family, tls }
}

const SCHEMES: [Scheme; 25] = [
    scheme("redis", Family::Node, false),
    scheme("rediss", Family::Node, true),
    scheme("valkey", Family::Node, false),
    scheme("valkeys", Family::Node, true),
    scheme("redis+ssl", Family::Node, true),
    scheme("redis+tls", Family::Node, true),
    scheme("tcp", Family::Node, false),
    scheme("redis+tcp", Family::Node, false),
    scheme("tls", Family::Node, true),
    scheme("ssl", Family::Node, true),
    scheme("redis-sentinel", Family::Sentinels, false),
    scheme("rediss-sentinel", Family::Sentinels, true),
    scheme("redis+sentinel", Family::Sentinels, false),
    scheme("rediss+sentinel", Family::Sentinels, true),
    scheme("valkey-sentinel", Family::Sentinels, false),
    scheme("valkeys-sentinel", Family::Sentinels, true),
    scheme("valkey+sentinel", Family::Sentinels, false),
    scheme("valkeys+sentinel", Family::Sentinels, true),
    scheme("sentinel", Family::Sentinels, false),
    scheme("sentinels", Family::Sentinels, true),
    scheme("unix", Family::Socket, false),
    scheme("redis+unix", Family::Socket, false),
    scheme("redis-socket", Family::Socket, false),
    scheme("redis+socket", Family::Socket, false),
    scheme("valkey+unix", Family::Socket, false),
];

/// The scheme and what follows its `://`; `None` for a text without one.
pub(super) fn split(text: &str) -> Result<Option<(Scheme, &str)>, String> {
    let Some((name, rest)) = text.split_once("://") else {
        return Ok(None);
    };
    if name.is_empty() || !name.chars().all(is_scheme_char) {
        return Ok(None);
    }
    let name = name.to_ascii_lowercase();
    if let Some(scheme) = SCHEMES.iter().find(|scheme| scheme.name == name) {
        return Ok(Some((*scheme, rest)));
    }
    Err(match name.as_str() {
        "http" | "https" => {
            "is the address of an HTTP service; write the redis:// or rediss:// URL of the server"
                .to_owned()
        }
        "ioredis" => {
            "holds encoded ioredis options; write a redis:// or redis-sentinel:// URL".to_owned()
        }
        _ => {
            let near = nearest(&name, SCHEMES.iter().map(|scheme| scheme.name));
            let advice = near.unwrap_or("redis://, rediss://, redis-sentinel:// or unix");
            format!("has the unknown scheme {}; write {advice}://", shown(&name))
        }
    })
}

pub(super) fn is_scheme_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_')
}
