//! When it matters that a caller has gone.

use super::Session;
use crate::command::Wait;
use crate::lane::hosted::Token;

impl Session {
    /// Of the call that was taken on last: whether [`cancel`](Self::cancel) would spare the server
    /// something, because the call has not been sent, or waits on the server. A host that pays
    /// for hearing of each cancellation can leave the others alone.
    pub fn cancelling_helps(&mut self, token: Token) -> bool {
        self.held.back() == Some(&token)
            || self.calls.get(token).is_some_and(|call| call.wait != Wait::No)
    }
}
