//! Walks over all keys, or over all elements of one.

use crate::convert::{Builder, with_args};
use crate::error;
use magnus::value::ReprValue;
use magnus::{Class, Error, Module, RHash, RModule, Ruby, Value};
use std::cell::RefCell;
use steadis::client::Exchange;
use steadis::command::find;

/// Where a walk stands.
#[magnus::wrap(class = "Steadis::Scan", free_immediately, size)]
pub(crate) struct Scan(RefCell<steadis::client::Scan>);

impl Scan {
    pub(crate) fn new(
        ruby: &Ruby,
        name: &str,
        args: &[Value],
        named: RHash,
    ) -> Result<Self, Error> {
        let Some(command) = find(&[name]) else {
            return Err(error::usage(ruby, format!("{name} is no command")));
        };
        let scan = with_args(ruby, name, args, Some(named), |args, named| {
            steadis::client::Scan::new(command, args, named)
        });
        Ok(Self(RefCell::new(scan?)))
    }

    /// The command for the next page; `None` after the last.
    pub(crate) fn request(&self, ruby: &Ruby) -> Result<Option<Exchange>, Error> {
        let scan = self.0.borrow();
        let request = (!scan.is_over()).then(|| scan.request()).transpose();
        drop(scan);
        request.map_err(|why| error::raise(ruby, &why))
    }

    /// The elements of a page.
    pub(crate) fn take(&self, ruby: &Ruby, exchange: &Exchange) -> Result<Value, Error> {
        let answer = exchange.answer().and_then(|answer| self.0.borrow_mut().take(answer));
        answer.map_err(|why| error::raise(ruby, &why))?.build(&mut Builder { ruby })
    }
}

pub(crate) fn define(ruby: &Ruby, home: RModule) -> Result<(), Error> {
    let class = home.define_class("Scan", ruby.class_object())?;
    class.undef_default_alloc_func();
    home.funcall::<_, _, Value>("private_constant", ("Scan",)).map(drop)
}
