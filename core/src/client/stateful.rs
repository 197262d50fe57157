//! Commands that change what a connection is for. Connections are shared, so these are refused,
//! with the way that leads to the same end.

use crate::error::{Error, Result};

/// The commands, and what to use instead.
const INSTEAD: &[(&[&str], &str)] = &[
    (
        &["subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe"],
        "use subscribe(), which keeps a connection of its own and survives failover",
    ),
    (&["multi", "exec", "discard"], "use multi(), which sends a transaction as a whole"),
    (&["watch", "unwatch"], "use watch(), which keeps a connection of its own"),
    (&["select"], "set the option db, or open another client"),
    (&["auth"], "set the options username and password"),
    (&["hello", "reset"], "set the option protocol"),
    (&["quit"], "use close()"),
    (&["client setname"], "set the option client_name"),
    (
        &["monitor", "sync", "psync", "client reply", "client tracking", "client caching"],
        "it needs a connection of its own that no other command uses, such as redis-cli's",
    ),
];

/// Refuses what would disturb everybody else on the connection.
pub(super) fn refuse<A: AsRef<[u8]>>(args: &[A]) -> Result<()> {
    let Some(first) = args.first() else {
        return Err(Error::usage("a command needs a name: call(\"PING\")"));
    };
    // Few letters begin any of them; most commands are through here.
    if !matches!(first.as_ref().first(), Some(byte) if b"acdehmpqrsuw".contains(&(byte | 0x20))) {
        return Ok(());
    }
    let instead = INSTEAD.iter().find(|(names, _)| names.iter().any(|name| is(name, args)));
    match instead {
        None => Ok(()),
        Some((_, instead)) => {
            let name = String::from_utf8_lossy(first.as_ref()).to_ascii_uppercase();
            let why = format!("{name} would change a connection that others share: {instead}");
            Err(Error::usage(why).during(name))
        }
    }
}

/// Whether the arguments begin with these words.
fn is<A: AsRef<[u8]>>(name: &str, args: &[A]) -> bool {
    let mut args = args.iter();
    name.split(' ').all(|word| {
        args.next().is_some_and(|arg| arg.as_ref().eq_ignore_ascii_case(word.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_disturb_others_is_refused_with_the_way_to_go() {
        let refused = |args: &[&str]| refuse(args).unwrap_err().to_string();
        assert!(refused(&["Subscribe", "news"]).contains("use subscribe()"));
        assert!(refused(&["CLIENT", "REPLY", "OFF"]).contains("connection of its own"));
        assert!(refused(&[]).contains("needs a name"));
        for fine in [["GET", "watch"].as_slice(), &["CLIENT", "ID"], &["PING"], &["EXPIRE", "k"]] {
            assert!(refuse(fine).is_ok());
        }
    }
}
