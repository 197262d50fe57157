//! Errors of the core become Ruby's exceptions.

use magnus::value::ReprValue;
use magnus::{Error, Exception, Module, RModule, Ruby, TryConvert, Value};
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use steadis::Kind;

/// The module `Steadis`.
pub(crate) fn home(ruby: &Ruby) -> Result<RModule, Error> {
    ruby.define_module("Steadis")
}

/// The exception for an error of the core.
pub(crate) fn raise(ruby: &Ruby, error: &steadis::Error) -> Error {
    match value(ruby, error).and_then(Exception::try_convert) {
        Ok(exception) => Error::from(exception),
        Err(why) => why,
    }
}

/// The same as an object, for a list of outcomes.
pub(crate) fn value(ruby: &Ruby, error: &steadis::Error) -> Result<Value, Error> {
    let class: Value = home(ruby)?.const_get("Error")?;
    class.funcall(
        "of",
        (
            error.kind().name(),
            error.to_string(),
            error.retryable(),
            error.maybe_executed(),
            error.code(),
            error.command(),
            error.address(),
        ),
    )
}

/// An error in what the caller hands over.
pub(crate) fn usage(ruby: &Ruby, message: impl Display) -> Error {
    raise(ruby, &steadis::Error::usage(message.to_string()))
}

/// Runs what must not take the process down with it.
pub(crate) fn guarded<T>(run: impl FnOnce() -> steadis::Result<T>) -> steadis::Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|it| (*it).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let why = format!("a mistake in Steadis, please report it: {said}");
        Err(steadis::Error::new(Kind::Internal, why))
    })
}

/// The same with Ruby's lock held: a panic would end the process otherwise, for no `rescue` catches
/// what it becomes.
pub(crate) fn guarded_in_ruby<T>(
    ruby: &Ruby,
    run: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    guarded(|| Ok(run())).unwrap_or_else(|why| Err(raise(ruby, &why)))
}
