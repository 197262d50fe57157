//! Another name for a client that is in use, as operators see it in CLIENT LIST.

use super::Session;
use crate::client::{CallOptions, Exchange};
use crate::error::{Error, Result};
use crate::lane::hosted::Token;
use std::sync::Arc;
use std::time::Instant;

impl Session {
    /// Names the connections that are opened from now on, and the one that calls share.
    pub fn rename(&mut self, name: &str, options: CallOptions, now: Instant) -> Result<Token> {
        // The server would turn every new connection away for it.
        if let Some(odd) = name.chars().find(|it| !it.is_ascii_graphic()) {
            return Err(Error::usage(format!(
                "the client name {name:?} has {odd:?} in it; write letters, digits and punctuation"
            )));
        }
        let known = (!name.is_empty()).then(|| name.to_owned());
        Arc::make_mut(&mut self.config).data.client_name = known;
        self.submit(&Exchange::naming(name), options, now)
    }
}
