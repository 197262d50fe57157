//! Commands that are sent in one go, as a pipeline or as a transaction.

use super::exchange::{Exchange, KEPT};
use super::script::Script;
use super::{Job, stateful};
use crate::command::{self, Arg, Command, Encoded, Wait};
use crate::error::{Error, Result};
use crate::policy::Effect;
use crate::proto::encode;
use crate::proto::ledger::Span;
use std::cell::Cell;
use std::sync::Arc;

/// Encoded commands, one after the other.
///
/// Each thread keeps the buffers of its last one, so that they need not grow anew.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    end: usize,
    encoded: Encoded,
    on_replica: bool,
    script: Option<Arc<Script>>,
}

thread_local! {
    static SPARE: Cell<Option<(Vec<u8>, Vec<Item>)>> = const { Cell::new(None) };
}

impl Default for Batch {
    fn default() -> Self {
        let (bytes, items) = SPARE.take().unwrap_or_default();
        Self { bytes, items }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let (mut bytes, mut items) =
            (std::mem::take(&mut self.bytes), std::mem::take(&mut self.items));
        items.clear();
        if (1..=KEPT).contains(&bytes.capacity()) && items.capacity() * size_of::<Item>() <= KEPT {
            bytes.clear();
            // A thread that is ending keeps nothing.
            let _ = SPARE.try_with(|spare| spare.set(Some((bytes, items))));
        }
    }
}

impl Batch {
    /// Appends a command of the table.
    pub fn add(
        &mut self,
        command: &'static Command,
        args: &[Arg<'_>],
        named: &[(&str, Arg<'_>)],
    ) -> Result<()> {
        if command.subscribes || command.administers {
            let words: Vec<&str> = command.name.split('|').collect();
            stateful::refuse(&words)?;
        }
        let encoded = command.encode(args, named, &mut self.bytes)?;
        self.end(encoded, command.effect == Effect::Reads, None);
        Ok(())
    }

    /// Appends any command; its reply stays as the server sends it.
    pub fn add_raw<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<()> {
        stateful::refuse(args)?;
        let encoded = command::encode_raw(args, &mut self.bytes);
        let reads = command::find(args).is_some_and(|command| command.effect == Effect::Reads);
        self.end(encoded, reads, None);
        Ok(())
    }

    /// Appends any command; its reply has the shape of the command, as far as the table knows it.
    pub fn add_words<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<()> {
        stateful::refuse(args)?;
        let (encoded, command) = command::encode_words(args, &mut self.bytes);
        self.end(encoded, command.is_some_and(|it| it.effect == Effect::Reads), None);
        Ok(())
    }

    /// Appends the call of a script.
    pub fn add_script(
        &mut self,
        script: &Arc<Script>,
        keys: &[Arg<'_>],
        args: &[Arg<'_>],
    ) -> Result<()> {
        let encoded = script.encode(keys, args, &mut self.bytes)?;
        self.end(encoded, false, Some(Arc::clone(script)));
        Ok(())
    }

    /// Appends a command that was encoded already.
    pub fn add_exchange(&mut self, exchange: &Exchange) {
        self.bytes.extend_from_slice(&exchange.out);
        self.end(exchange.encoded(), exchange.job().on_replica, exchange.script.clone());
    }

    fn end(&mut self, encoded: Encoded, on_replica: bool, script: Option<Arc<Script>>) {
        self.items.push(Item { end: self.bytes.len(), encoded, on_replica, script });
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Forgets all commands.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// A pipeline shares its connection, so nothing in it may block there.
    pub(super) fn refuse_blocking(&self) -> Result<()> {
        match self.items.iter().position(|item| item.encoded.wait != Wait::No) {
            None => Ok(()),
            Some(index) => {
                let name = self.job(index).name();
                let why = format!("{name} would keep others waiting in a pipeline: call it alone");
                Err(Error::usage(why).during(name))
            }
        }
    }

    /// What all of it may do, taken together.
    pub(super) fn effect(&self) -> Effect {
        self.items.iter().map(|item| item.encoded.effect).max().unwrap_or(Effect::Reads)
    }

    pub(super) fn encoded(&self, index: usize) -> Encoded {
        self.items[index].encoded
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each command ends in the bytes.
    pub(super) fn ends(&self) -> Vec<usize> {
        self.items.iter().map(|item| item.end).collect()
    }

    pub(super) fn bytes_of(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.items[index - 1].end };
        &self.bytes[start..self.items[index].end]
    }

    pub(super) fn job(&self, index: usize) -> Job<'_> {
        let Item { encoded, on_replica, .. } = &self.items[index];
        let bytes = self.bytes_of(index);
        Job {
            bytes,
            span: Span::Command { bytes: bytes.len() },
            effect: encoded.effect,
            wait: encoded.wait,
            on_replica: *on_replica,
            keeps_to: None,
        }
    }

    /// Whether replicas can answer all of it.
    pub(super) fn on_replica(&self) -> bool {
        self.items.iter().all(|item| item.on_replica)
    }

    /// The call of a script with its source in place of its digest; `None` if it is none.
    pub(super) fn spelled_out(&self, index: usize) -> Option<Vec<u8>> {
        let script = self.items[index].script.as_ref()?;
        Some(script.spelled_out(self.bytes_of(index)))
    }

    /// Puts other bytes in the place of a command's.
    pub(super) fn replace(&mut self, index: usize, bytes: Vec<u8>) {
        let end = self.items[index].end;
        let start = end - self.bytes_of(index).len();
        let length = bytes.len();
        self.bytes.splice(start..end, bytes);
        for item in &mut self.items[index..] {
            item.end = item.end + length + start - end;
        }
        self.items[index].script = None;
    }

    /// MULTI, the commands, and EXEC.
    pub(super) fn enclosed(&mut self) -> Vec<u8> {
        // Inside a transaction there is no second try: the first call of each script brings its
        // source along, which the others can refer to.
        let mut known: Vec<*const Script> = Vec::new();
        for index in 0..self.items.len() {
            let script = self.items[index].script.as_ref().map(Arc::as_ptr);
            if let Some(script) = script.filter(|script| !known.contains(script)) {
                known.push(script);
                if let Some(bytes) = self.spelled_out(index) {
                    self.replace(index, bytes);
                }
            }
        }
        let mut bytes = Vec::with_capacity(self.bytes.len() + 32);
        encode::command(&mut bytes, &["MULTI"]);
        bytes.extend_from_slice(&self.bytes);
        encode::command(&mut bytes, &["EXEC"]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_replaced_in_place() {
        let script = Arc::new(Script::new("return 1"));
        let mut batch = Batch::default();
        batch.add_raw(&["GET", "a"]).unwrap();
        batch.add_script(&script, &[], &[]).unwrap();
        batch.add_raw(&["GET", "b"]).unwrap();
        let longer = batch.spelled_out(1).unwrap();
        batch.replace(1, longer.clone());
        assert_eq!(batch.bytes_of(0), b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
        assert_eq!(batch.bytes_of(1), longer);
        assert_eq!(batch.bytes_of(2), b"*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
        assert!(batch.spelled_out(1).is_none());
    }

    #[test]
    fn what_blocks_is_no_part_of_a_pipeline() {
        let mut batch = Batch::default();
        batch.add_raw(&["BLPOP", "jobs", "0"]).unwrap();
        assert!(batch.refuse_blocking().unwrap_err().message().contains("call it alone"));
    }
}
