//! Errors of core become JavaScript's: of the class that JavaScript has for their kind.

use crate::hooks::Hook;
use crate::js::{Js, Value};
use steadis::{Error, Kind};

/// An instance of the class for this kind of error.
pub(crate) fn instance(js: Js, error: &Error) -> Value {
    let message = match error.kind() {
        // Word for word, since people look for the server's words at its beginning.
        Kind::Server => error.message().to_owned(),
        _ => error.to_string(),
    };
    let text = |text: Option<&str>| text.map_or(js.undefined(), |text| js.text(text.as_bytes()));
    js.hook(
        Hook::Error,
        &[
            js.text(error.kind().name().as_bytes()),
            js.text(message.as_bytes()),
            text(error.code()),
            text(error.command()),
            text(error.address()),
            js.boolean(error.retryable()),
        ],
    )
}

/// The names of all kinds of errors.
#[napi_derive::napi]
pub fn kinds() -> Vec<&'static str> {
    Kind::ALL.iter().map(|kind| kind.name()).collect()
}
