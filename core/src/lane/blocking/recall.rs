//! What has not left yet comes back when writes have to wait: the old primary would acknowledge
//! it, and forget it with everything else that its successor never got.

use super::Lane;
use crate::error::{Error, Kind};
use crate::lane::wire::Wire;
use crate::sync::lock;

impl<W: Wire> Lane<W> {
    /// From now on writes may not leave, or may again. Those who wait here with nothing sent are
    /// told at once that it was not. Returns which it is now.
    pub fn hold_writes(&self, held: bool) -> bool {
        let mut state = lock(&self.state);
        state.holds_writes = held;
        if !held || state.over.is_some() {
            return held;
        }
        let unsent: Vec<_> = state.ledger.unsent().cloned().collect();
        let (mut recalled, mut leaderless) = (Vec::new(), false);
        // The last first, so that what lies before keeps its place.
        for slot in unsent.into_iter().rev() {
            if let Some(lost) = self.take_back(&mut state, &slot) {
                leaderless |= slot.fail(lost);
                recalled.push(slot);
            }
        }
        // Whoever leads already finds out by itself.
        if leaderless {
            recalled.extend(self.appoint(&mut state));
        }
        drop(state);
        recalled.iter().for_each(|slot| slot.wake());
        held
    }
}

/// Why a request did not leave.
pub(super) fn held() -> Error {
    Error::new(Kind::Unavailable, "the primary is about to be replaced")
}
