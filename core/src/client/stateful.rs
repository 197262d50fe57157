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
        &[
            "monitor",
            "sync",
            "psync",
            "script debug",
            "client reply",
            "client tracking",
            "client caching",
            "client no-evict",
            "client no-touch",
        ],
        "it needs a connection of its own that no other command uses, such as redis-cli's",
    ),
];

/// For each letter, of how many bytes the first words with it are: most commands are through here.
const LENGTHS: [u16; 26] = lengths();

const fn lengths() -> [u16; 26] {
    let mut lengths = [0; 26];
    let mut row = 0;
    while row < INSTEAD.len() {
        let names = INSTEAD[row].0;
        let mut at = 0;
        while at < names.len() {
            let name = names[at].as_bytes();
            let mut end = 0;
            while end < name.len() && name[end] != b' ' {
                end += 1;
            }
            lengths[(name[0] - b'a') as usize] |= 1 << end;
            at += 1;
        }
        row += 1;
    }
    lengths
}

fn could_be(word: &[u8]) -> bool {
    let letter = word.first().map_or(0, |byte| (byte | 0x20).wrapping_sub(b'a'));
    let lengths = LENGTHS.get(usize::from(letter)).copied().unwrap_or(0);
    word.len() < 16 && lengths & (1 << word.len()) != 0
}

/// Refuses what would disturb everybody else on the connection.
pub(super) fn refuse<A: AsRef<[u8]>>(args: &[A]) -> Result<()> {
    let Some(first) = args.first() else {
        return Err(Error::usage("a command needs a name: call(\"PING\")"));
    };
    if !could_be(first.as_ref()) {
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
        for (names, _) in INSTEAD {
            for name in *names {
                let words: Vec<&str> = name.split(' ').collect();
                assert!(refuse(&words).is_err(), "{name}");
                assert!(could_be(words[0].to_ascii_uppercase().as_bytes()));
            }
        }
        assert!(!could_be(b"SET") && !could_be(b"") && !could_be(&[b's'; 99]));
        for fine in [["GET", "watch"].as_slice(), &["CLIENT", "ID"], &["PING"], &["EXPIRE", "k"]] {
            assert!(refuse(fine).is_ok());
        }
    }
}
