//! Settings, by name: a new option needs no new function.

use crate::error::{steadis_error, steadis_status};
use crate::runtime::{bytes, giving, guard, handle, lent_mut, take_back, text};
use std::ffi::c_char;
use steadis::Result;
use steadis::config::{Environment, Input, OptionValue, Unit};

/// Settings for steadis_connect, steadis_resolver_new and steadis_async_new. An option that is
/// not set comes from the url, then from the environment, then from its default; all of them are
/// in docs/configuration.md.
#[derive(Debug, Default)]
pub struct steadis_options {
    options: Vec<(String, OptionValue)>,
}

impl steadis_options {
    fn set(&mut self, name: &str, value: OptionValue) {
        self.options.retain(|(known, _)| known != name);
        self.options.push((name.to_owned(), value));
    }
}

/// What the options and the environment of this process say.
///
/// # Safety
/// `options` is NULL or was not freed yet.
pub(crate) unsafe fn input(options: *const steadis_options) -> Input {
    let mut input = Input::new(Environment::process()).unit(Unit::Milliseconds);
    // SAFETY: the caller's word.
    if let Some(options) = unsafe { options.as_ref() } {
        input.options.clone_from(&options.options);
    }
    input
}

/// Makes settings that say nothing yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_options_new(
    out: *mut *mut steadis_options,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe { giving(error, out, "out", || Ok(handle(steadis_options::default()))) }
}

/// Sets an option by text, such as "command_timeout" to "250ms", "tls" to "true", "sentinels" to
/// "s1:26379,s2:26379", or "url". Bare numbers are milliseconds where a time is meant. Names and
/// values are checked by the function that uses the settings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_options_set(
    options: *mut steadis_options,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe { set(options, name, error, || Ok(text(value, "value")?.into())) }
}

/// Sets an option by a number, such as "port", or "command_timeout" in milliseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_options_set_int(
    options: *mut steadis_options,
    name: *const c_char,
    value: i64,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe { set(options, name, error, || Ok(value.into())) }
}

/// Sets an option by bytes, for passwords that are no text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_options_set_bytes(
    options: *mut steadis_options,
    name: *const c_char,
    value: *const c_char,
    length: usize,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        set(options, name, error, || {
            Ok(OptionValue::Bytes(bytes(value, length, "value")?.to_vec()))
        })
    }
}

/// Sets an option by a JSON value, for lists and maps: "address_map" to
/// {"10.0.0.1:6379": "localhost:7001"}, or "env" to a map of variables that stands for the
/// environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_options_set_json(
    options: *mut steadis_options,
    name: *const c_char,
    json: *const c_char,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe { set(options, name, error, || OptionValue::from_json(text(json, "json")?)) }
}

/// Frees settings. Clients that were made with them keep their own copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_options_free(options: *mut steadis_options) {
    // SAFETY: as above.
    unsafe { take_back(options) }
}

/// # Safety
/// The pointers are what the functions above ask for.
unsafe fn set(
    options: *mut steadis_options,
    name: *const c_char,
    error: *mut *mut steadis_error,
    value: impl FnOnce() -> Result<OptionValue>,
) -> steadis_status {
    // SAFETY: the caller's word.
    unsafe {
        guard(error, || {
            let options = lent_mut(options, "options")?;
            options.set(text(name, "name")?, value()?);
            Ok(())
        })
    }
}
