//! Lua scripts, sent by their digest, and by their source where the server does not know them.

use crate::command::{self, Arg, Encoded};
use crate::error::{Error, Kind, Result};
use crate::proto::encode;
use crate::proto::read::Frame;
use crate::proto::reply::Reply;
use arc_swap::ArcSwap;
use std::fmt;
use std::sync::{Arc, Weak};

/// A script that the server runs as one command.
pub struct Script {
    source: Vec<u8>,
    digest: String,
}

impl Script {
    pub fn new(source: impl Into<Vec<u8>>) -> Self {
        let source = source.into();
        let digest = sha1_smol::Sha1::from(&source).digest().to_string();
        Self { source, digest }
    }

    /// What EVALSHA calls it.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) fn encode(
        &self,
        keys: &[Arg<'_>],
        args: &[Arg<'_>],
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let command = command::find(&["evalsha"]).ok_or_else(unknown)?;
        let named = [("keys", Arg::List(keys)), ("args", Arg::List(args))];
        command.encode(&[Arg::Text(&self.digest)], &named, out)
    }

    /// The same call with the source in place of the digest.
    pub(super) fn spelled_out(&self, call: &[u8]) -> Vec<u8> {
        let words = Reply::from_frame(Frame::trusted(call));
        let mut words: Vec<&[u8]> =
            words.as_list().into_iter().flatten().filter_map(Reply::as_bytes).collect();
        if let [name, script, ..] = words.as_mut_slice() {
            *name = b"EVAL";
            *script = &self.source;
        }
        let mut out = Vec::new();
        encode::command(&mut out, &words);
        out
    }

    fn load(&self, out: &mut Vec<u8>) {
        encode::command(out, &[b"SCRIPT".as_slice(), b"LOAD", &self.source]);
    }
}

/// The server has no script of this digest, so nothing has run. Its own words in full: the first
/// of them alone can be what a script has answered after it wrote.
pub(super) fn is_missing(line: &[u8]) -> bool {
    line == b"NOSCRIPT No matching script. Please use EVAL."
}

fn unknown() -> Error {
    Error::new(Kind::Internal, "EVALSHA is missing from the table of commands")
}

/// A source can hold secrets, and is long.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({})", self.digest)
    }
}

/// The scripts of a client, for as long as anybody holds them: a new primary is told of them
/// before it gets any other command.
#[derive(Debug, Default)]
pub(super) struct Scripts(ArcSwap<Vec<Weak<Script>>>);

impl Scripts {
    /// The script of this source, which may be known already.
    pub(super) fn add(&self, source: &[u8]) -> Arc<Script> {
        let known = |script: &Weak<Script>| script.upgrade().filter(|it| it.source == source);
        if let Some(known) = self.0.load().iter().find_map(known) {
            return known;
        }
        let script = Arc::new(Script::new(source));
        self.0.rcu(|all| {
            let mut all: Vec<Weak<Script>> = Vec::clone(all);
            all.retain(|known| known.strong_count() > 0);
            all.push(Arc::downgrade(&script));
            all
        });
        script
    }

    /// The commands that load them all, and how many they are.
    pub(super) fn loads(&self) -> (Vec<u8>, usize) {
        let (mut bytes, mut count) = (Vec::new(), 0);
        for script in self.0.load().iter().filter_map(Weak::upgrade) {
            script.load(&mut bytes);
            count += 1;
        }
        (bytes, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_by_digest_can_be_spelled_out() {
        let script = Script::new("return ARGV[1]");
        assert_eq!(script.digest(), "098e0f0d1448c0a81dafe820f66d460eb09263da");
        let mut call = Vec::new();
        script.encode(&[Arg::Text("k")], &[Arg::Int(7)], &mut call).unwrap();
        let mut expected = Vec::new();
        encode::command(&mut expected, &["EVAL", "return ARGV[1]", "1", "k", "7"]);
        assert_eq!(script.spelled_out(&call), expected);
    }

    #[test]
    fn scripts_are_known_while_somebody_holds_them() {
        let scripts = Scripts::default();
        let first = scripts.add(b"return 1");
        assert!(Arc::ptr_eq(&first, &scripts.add(b"return 1")));
        assert_eq!(scripts.loads().1, 1);
        drop(first);
        assert_eq!(scripts.loads().1, 0);
    }
}
