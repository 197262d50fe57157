//! The commands of the table as methods, defined when the library is loaded.

use crate::convert::with_args;
use magnus::method::Method;
use magnus::rb_sys::AsRawId;
use magnus::{Error, Module, RClass, RHash, Ruby, Value};
use std::collections::HashMap;
use std::sync::OnceLock;
use steadis::client::Exchange;
use steadis::command::{Command, all};

/// By what Ruby calls the methods. Its numbers for names are never given back.
static BY_NAME: OnceLock<HashMap<rb_sys::ID, &'static Command>> = OnceLock::new();

/// Gives a class a method for every command that can be one.
pub(crate) fn attach<M>(ruby: &Ruby, class: RClass, method: M) -> Result<(), Error>
where
    M: Method + Copy,
{
    let plain = || all().iter().filter(|command| !command.administers && !command.subscribes);
    BY_NAME.get_or_init(|| plain().map(|it| (ruby.intern(it.snake).as_raw(), it)).collect());
    plain().try_for_each(|command| class.define_method(command.snake, method))
}

/// The command whose method Ruby is running just now.
pub(crate) fn current(ruby: &Ruby) -> Result<&'static Command, Error> {
    // SAFETY: a plain question, inside a method.
    let name = unsafe { rb_sys::rb_frame_this_func() };
    let command = BY_NAME.get().and_then(|all| all.get(&name));
    command.copied().ok_or_else(|| crate::error::usage(ruby, "this method is no command"))
}

/// The call of that method, encoded.
pub(crate) fn exchange(ruby: &Ruby, args: &[Value]) -> Result<Exchange, Error> {
    let command = current(ruby)?;
    let (args, named) = split(args);
    with_args(ruby, command.name, args, named, |args, named| Exchange::new(command, args, named))
}

/// Positional arguments, and keywords if there are any.
pub(crate) fn split(args: &[Value]) -> (&[Value], Option<RHash>) {
    // SAFETY: a plain question, inside a method.
    if unsafe { rb_sys::rb_keyword_given_p() } != 0
        && let Some((last, args)) = args.split_last()
    {
        return (args, RHash::from_value(*last));
    }
    (args, None)
}
