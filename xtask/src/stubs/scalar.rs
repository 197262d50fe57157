//! The type of a single value, by the name that the syntax has for it.

use steadis::command::Command;

/// What a language must be able to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Key,
    Integer,
    Double,
    /// Text, bytes or a number.
    Value,
}

impl Scalar {
    pub(super) fn of(command: &Command, name: &str) -> Self {
        match (command.name, name) {
            ("setbit", "value") | ("incrby" | "hincrby", "increment") => Self::Integer,
            // Their offsets can be #1 and their ends (1 or -.
            ("bitfield" | "bitfield_ro", "offset") => Self::Value,
            ("vadd" | "vsim", "value") | (_, "increment") => Self::Double,
            ("wait" | "waitaof" | "migrate", "timeout") => Self::Integer,
            (_, "timeout") => Self::Double,
            (
                "getrange" | "substr" | "lrange" | "ltrim" | "bitcount" | "bitpos" | "zrevrange"
                | "zremrangebyrank",
                "start" | "stop" | "end",
            ) => Self::Integer,
            _ => Self::named(name),
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "key" | "key1" | "key2" | "destkey" | "source" | "sourcekey" | "destination"
            | "dst" | "src" | "newkey" | "store-key" | "storedist-key" => Self::Key,
            "longitude" | "latitude" | "radius" | "width" | "height" | "score" | "weight"
            | "delta" => Self::Double,
            "bit"
            | "build-exploration-factor"
            | "count"
            | "db"
            | "decrement"
            | "destination-db"
            | "dim"
            | "duration"
            | "entries-added"
            | "entries-read"
            | "frequency"
            | "index"
            | "len"
            | "limit"
            | "max-filtering-effort"
            | "maxsize"
            | "milliseconds"
            | "min-idle-time"
            | "min-match-len"
            | "ms"
            | "num-matches"
            | "numlinks"
            | "numlocal"
            | "numreplicas"
            | "offset"
            | "port"
            | "rank"
            | "search-exploration-factor"
            | "seconds"
            | "ttl"
            | "unix-time-milliseconds"
            | "unix-time-seconds" => Self::Integer,
            _ => Self::Value,
        }
    }
}
