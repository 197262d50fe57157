//! Lua scripts.

use crate::convert::with_list;
use crate::error;
use magnus::value::ReprValue;
use magnus::{Class, Error, Module, RModule, Ruby, Value, method};
use std::sync::Arc;
use steadis::client::Exchange;

/// A script of a client, known to the server by its digest.
#[magnus::wrap(class = "Steadis::NativeScript", free_immediately, size)]
pub(crate) struct Script(Arc<steadis::client::Script>);

impl Script {
    pub(crate) fn new(script: Arc<steadis::client::Script>) -> Self {
        Self(script)
    }

    pub(crate) fn exchange(
        &self,
        ruby: &Ruby,
        keys: Value,
        args: Value,
    ) -> Result<Exchange, Error> {
        with_list(ruby, "evalsha", "keys", keys, |keys| {
            with_list(ruby, "evalsha", "args", args, |args| {
                Exchange::script(&self.0, keys, args).map_err(|why| error::raise(ruby, &why))
            })
        })
    }

    fn digest(&self) -> String {
        self.0.digest().to_owned()
    }
}

pub(crate) fn define(ruby: &Ruby, home: RModule) -> Result<(), Error> {
    let class = home.define_class("NativeScript", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_method("digest", method!(Script::digest, 0))?;
    home.funcall::<_, _, Value>("private_constant", ("NativeScript",)).map(drop)
}
