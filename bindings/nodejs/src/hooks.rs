//! JavaScript's part of the conversion, which the native part calls.

use crate::js::{Js, Value, make};
use napi::sys;
use std::cell::RefCell;
use std::ptr::null_mut;

/// More arguments than this go in several calls.
const MOST_ARGUMENTS: usize = 512;

impl Js {
    /// An array. JavaScript gathers the arguments of a call many times faster than the engine
    /// sets elements from outside.
    pub(crate) fn list(self, items: &[Value]) -> Value {
        let mut chunks = items.chunks(MOST_ARGUMENTS);
        let list = self.hook(Hook::List, chunks.next().unwrap_or_default());
        for chunk in chunks {
            let mut arguments = Vec::with_capacity(chunk.len() + 1);
            arguments.push(list);
            arguments.extend_from_slice(chunk);
            self.hook(Hook::Extend, &arguments);
        }
        list
    }

    /// An object of keys and values in turn.
    pub(crate) fn map(self, items: &[Value]) -> Value {
        if items.len() <= MOST_ARGUMENTS {
            self.hook(Hook::Map, items)
        } else {
            let list = self.list(items);
            self.hook(Hook::MapOf, &[list])
        }
    }

    pub(crate) fn hook(self, hook: Hook, arguments: &[Value]) -> Value {
        let reference = HOOKS.with_borrow(|hooks| hooks.get(hook as usize).copied());
        let Some(reference) = reference else { return self.undefined() };
        let function = make!(napi_get_reference_value, self.0, reference);
        self.call(function, arguments)
    }

    /// Keeps JavaScript's part of the conversion for this thread.
    pub(crate) fn keep_hooks(self, hooks: Value) {
        let references = HOOK_NAMES.map(|name| {
            let function = self.get(hooks, name);
            let mut reference = null_mut();
            // SAFETY: as above; references live as long as the thread's engine.
            unsafe { sys::napi_create_reference(self.0, function.0, 1, &mut reference) };
            reference
        });
        HOOKS.set(references.to_vec());
    }
}

/// What JavaScript does better by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hook {
    /// Its arguments as an array.
    List,
    /// Appends its further arguments to an array.
    Extend,
    /// Its arguments, keys and values in turn, as an object.
    Map,
    /// The same from an array.
    MapOf,
    /// An error of the class for its kind.
    Error,
    /// A view of a Buffer.
    Slice,
    /// What an object holds: keys and values in turn, or `undefined` if it is none that does.
    Entries,
    /// A BigInt of its digits.
    BigInt,
}

const HOOK_NAMES: [&str; 8] =
    ["list", "extend", "map", "mapOf", "error", "slice", "entries", "bigInt"];

thread_local! {
    /// Each thread has one engine at the most.
    static HOOKS: RefCell<Vec<sys::napi_ref>> = const { RefCell::new(Vec::new()) };
}

/// Gives the native part what JavaScript has for it; once for each thread.
#[napi_derive::napi]
pub fn install(env: napi::Env, hooks: Value) {
    Js(env.raw()).keep_hooks(hooks);
}
