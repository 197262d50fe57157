//! One command on its way out, and the reply it got.

use super::reads::Who;
use super::script::Script;
use super::verdict::refused;
use super::{Answer, Job, Origin, stateful};
use crate::command::{self, Arg, Command, Encoded, Wait};
use crate::error::Result;
use crate::policy::Effect;
use crate::proto::ledger::Span;
use crate::proto::read::Frame;
use crate::proto::shape::Shape;
use std::cell::Cell;
use std::sync::Arc;

/// A command, encoded, and its reply once it has come.
///
/// Each thread keeps the buffers of its last one, so that a call asks for no memory.
#[derive(Debug)]
pub struct Exchange {
    pub(super) out: Vec<u8>,
    pub(super) frames: Vec<u8>,
    encoded: Encoded,
    on_replica: bool,
    keeps_to: Option<Origin>,
    pub(super) who: Who,
    pub(super) script: Option<Arc<Script>>,
}

/// Buffers beyond this size are not kept.
pub(super) const KEPT: usize = 64 << 10;

thread_local! {
    static SPARE: Cell<Option<(Vec<u8>, Vec<u8>)>> = const { Cell::new(None) };
}

impl Exchange {
    /// A command of the table, with positional arguments and named options.
    pub fn new(
        command: &'static Command,
        args: &[Arg<'_>],
        named: &[(&str, Arg<'_>)],
    ) -> Result<Self> {
        if command.subscribes || command.administers {
            let words: Vec<&str> = command.name.split('|').collect();
            stateful::refuse(&words)?;
        }
        let mut exchange = Self::empty();
        exchange.encoded = command.encode(args, named, &mut exchange.out)?;
        exchange.know(command);
        Ok(exchange)
    }

    /// Any command, given by its arguments; its reply stays as the server sends it.
    pub fn raw<A: AsRef<[u8]>>(args: &[A]) -> Result<Self> {
        stateful::refuse(args)?;
        let mut exchange = Self::empty();
        exchange.encoded = command::encode_raw(args, &mut exchange.out);
        command::find(args).into_iter().for_each(|command| exchange.know(command));
        Ok(exchange)
    }

    /// Gives a connection a name: for [`rename`](super::hosted::Session::rename) alone, which sees
    /// to it that the next connection has it as well.
    pub(super) fn naming(name: &str) -> Self {
        let mut exchange = Self::empty();
        exchange.encoded = command::encode_raw(&["CLIENT", "SETNAME", name], &mut exchange.out);
        exchange
    }

    /// Any command, given by its arguments; its reply has the shape of the command, as far as the
    /// table knows it. For hosts without named options, where this is the one way to call.
    pub fn words<A: AsRef<[u8]>>(args: &[A]) -> Result<Self> {
        stateful::refuse(args)?;
        let mut exchange = Self::empty();
        let (encoded, command) = command::encode_words(args, &mut exchange.out);
        exchange.encoded = encoded;
        exchange.on_replica = command.is_some_and(|it| it.effect == Effect::Reads);
        Ok(exchange)
    }

    /// A script by its digest. Should the server not know it, its source goes instead.
    pub fn script(script: &Arc<Script>, keys: &[Arg<'_>], args: &[Arg<'_>]) -> Result<Self> {
        let mut exchange = Self::empty();
        exchange.encoded = script.encode(keys, args, &mut exchange.out)?;
        exchange.script = Some(Arc::clone(script));
        Ok(exchange)
    }

    fn know(&mut self, command: &Command) {
        self.on_replica = command.effect == Effect::Reads;
        // Cursors are those of one node.
        self.keeps_to = command.scans().then(Origin::default);
    }

    /// The reply has this shape, and comes from this node if that is still there.
    pub(super) fn belongs_to(&mut self, shape: &'static Shape, origin: Option<Origin>) {
        self.encoded.shape = shape;
        self.keeps_to = Some(origin.unwrap_or_default());
    }

    fn empty() -> Self {
        let (out, frames) = SPARE.take().unwrap_or_default();
        let encoded = Encoded {
            effect: Effect::Writes,
            idempotent: false,
            wait: Wait::No,
            shape: &Shape::Raw,
        };
        Self {
            out,
            frames,
            encoded,
            on_replica: false,
            keeps_to: None,
            who: Who::default(),
            script: None,
        }
    }

    pub(super) fn job(&self) -> Job<'_> {
        Job {
            bytes: &self.out,
            span: Span::Command { bytes: self.out.len() },
            effect: self.encoded.effect,
            wait: self.encoded.wait,
            on_replica: self.on_replica,
            keeps_to: self.keeps_to,
        }
    }

    pub(super) fn encoded(&self) -> Encoded {
        self.encoded
    }

    /// Takes the reply in.
    pub(crate) fn answered(&mut self, reply: Vec<u8>, origin: Origin) {
        (self.frames, self.who) = (reply, Who { origin, node: None });
    }

    /// The encoded command.
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// The reply, or the server's error, after it was executed.
    pub fn answer(&self) -> Result<Answer<'_>> {
        let frame = Frame::trusted(&self.frames);
        let answer = Answer { frame, shape: self.encoded.shape, origin: self.who.origin };
        match answer.frame.error() {
            Some(line) => Err(refused(line, self.job().name(), self.who.node.as_ref())),
            None => Ok(answer),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let (mut out, mut frames) =
            (std::mem::take(&mut self.out), std::mem::take(&mut self.frames));
        if out.capacity() <= KEPT && frames.capacity() <= KEPT {
            out.clear();
            frames.clear();
            // A thread that is ending keeps nothing.
            let _ = SPARE.try_with(|spare| spare.set(Some((out, frames))));
        }
    }
}
