//! Who writes, writes for all.

use super::end::lost;
use super::{Lane, State};
use crate::lane::wire::{Interest, SLICE, Wire};
use crate::sync::{MutexGuard, lock};
use std::io;
use std::time::Instant;

impl<W: Wire> Lane<W> {
    /// Writes `direct`, then what else has been appended, as far as it fits. Whoever does not
    /// lead brings patience: no one would notice for him that more fits.
    pub(super) fn write<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        mut direct: Option<&[u8]>,
        patience: Option<Instant>,
    ) {
        loop {
            state.writing = true;
            let mut taken = std::mem::take(&mut state.out);
            drop(state);
            let (count, result) = match direct.take() {
                Some(bytes) => {
                    let (count, result) = self.write_some(bytes);
                    taken.push(&bytes[count..]);
                    (count, result)
                }
                None => {
                    let (count, result) = self.write_some(taken.rest());
                    taken.consume(count);
                    (count, result)
                }
            };
            let stuck = !taken.is_empty();
            state = lock(&self.state);
            state.writing = false;
            state.ledger.wrote(count);
            state.out.put_back(taken);
            if let Err(error) = result {
                return self.end(state, lost("writing to the server failed", &error));
            }
            if state.over.is_some() {
                // Ended meanwhile; it was left to us to say how much was sent.
                return self.settle(state);
            }
            if stuck && patience.is_some_and(|until| Instant::now() < until) {
                drop(state);
                // What goes wrong here goes wrong again in the write.
                let _ = self.wire.wait(Interest::Write, SLICE);
                state = lock(&self.state);
            } else if stuck {
                return;
            }
            if state.writing || state.out.is_empty() || state.over.is_some() {
                return;
            }
        }
    }

    pub(super) fn write_some(&self, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut count = 0;
        while count < bytes.len() {
            match self.wire.write(&bytes[count..]) {
                Ok(taken) => count += taken,
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => break,
                    _ => return (count, Err(error)),
                },
            }
        }
        (count, Ok(()))
    }
}
