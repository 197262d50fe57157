//! Values of JavaScript, with as few crossings as possible.
//!
//! Calls into the engine are what conversion costs, so this is close to the C interface. A call
//! that fails gives no handle, which every later call refuses and JavaScript sees as `undefined`.

use napi::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName};
use napi::{Result, ValueType, sys};
use std::any::TypeId;
use std::ffi::c_void;
use std::ptr::null_mut;

/// A handle on a value, good until the native call returns.
#[derive(Debug, Clone, Copy)]
pub struct Value(pub(crate) sys::napi_value);

impl TypeName for Value {
    fn type_name() -> &'static str {
        "unknown"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl FromNapiValue for Value {
    unsafe fn from_napi_value(_: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        Ok(Self(value))
    }
}

impl ToNapiValue for Value {
    unsafe fn to_napi_value(_: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        Ok(value.0)
    }
}

/// The engine, during a native call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Js(pub(crate) sys::napi_env);

/// What is behind a value of JavaScript, and what that is.
#[repr(C)]
struct Ours<T> {
    kind: TypeId,
    what: T,
}

/// Calls the engine for one value.
macro_rules! make {
    ($function:ident, $($argument:expr),* $(,)?) => {{
        let mut value = null_mut();
        // SAFETY: the engine lives as long as the native call that it has made, and checks what
        // it is given.
        unsafe { sys::$function($($argument,)* &mut value) };
        Value(value)
    }};
}
pub(crate) use make;

/// Asks the engine something about a value.
macro_rules! ask {
    ($function:ident, $js:expr, $value:expr, $start:expr) => {{
        let mut answer = $start;
        // SAFETY: as above; the answer is written to a place of its own.
        let status = unsafe { sys::$function($js.0, $value.0, &mut answer) };
        (status == sys::Status::napi_ok).then_some(answer)
    }};
}

impl Js {
    pub(crate) fn undefined(self) -> Value {
        make!(napi_get_undefined, self.0)
    }

    pub(crate) fn null(self) -> Value {
        make!(napi_get_null, self.0)
    }

    pub(crate) fn boolean(self, flag: bool) -> Value {
        make!(napi_get_boolean, self.0, flag)
    }

    pub(crate) fn double(self, number: f64) -> Value {
        make!(napi_create_double, self.0, number)
    }

    pub(crate) fn small(self, number: u32) -> Value {
        make!(napi_create_uint32, self.0, number)
    }

    /// An integer: as a number, or beyond 2⁵³ as a BigInt if that is wanted.
    pub(crate) fn integer(self, number: i64, bigints: bool) -> Value {
        match i32::try_from(number) {
            Ok(number) => make!(napi_create_int32, self.0, number),
            Err(_) if bigints && number.unsigned_abs() > MAX_SAFE => {
                make!(napi_create_bigint_int64, self.0, number)
            }
            Err(_) => make!(napi_create_int64, self.0, number),
        }
    }

    /// Text; bytes that are no UTF-8 are replaced as `Buffer.toString` does it.
    pub(crate) fn text(self, bytes: &[u8]) -> Value {
        let (start, length) = (bytes.as_ptr().cast(), bytes.len() as isize);
        if bytes.is_ascii() {
            make!(napi_create_string_latin1, self.0, start, length)
        } else {
            make!(napi_create_string_utf8, self.0, start, length)
        }
    }

    /// A string with a character for each byte, which sockets write as it is.
    pub(crate) fn binary(self, bytes: &[u8]) -> Value {
        make!(napi_create_string_latin1, self.0, bytes.as_ptr().cast(), bytes.len() as isize)
    }

    /// A Buffer of its own.
    pub(crate) fn buffer(self, bytes: &[u8]) -> Value {
        let (start, length) = (bytes.as_ptr().cast(), bytes.len());
        make!(napi_create_buffer_copy, self.0, length, start, null_mut())
    }

    pub(crate) fn object(self) -> Value {
        make!(napi_create_object, self.0)
    }

    pub(crate) fn set(self, object: Value, name: &str, value: Value) {
        let name = self.text(name.as_bytes());
        // SAFETY: as above.
        unsafe { sys::napi_set_property(self.0, object.0, name.0, value.0) };
    }

    pub(crate) fn get(self, object: Value, name: &str) -> Value {
        let name = self.text(name.as_bytes());
        make!(napi_get_property, self.0, object.0, name.0)
    }

    /// Calls a function without a `this`.
    pub(crate) fn call(self, function: Value, arguments: &[Value]) -> Value {
        let this = self.undefined();
        // A `Value` is a handle and nothing else.
        let start: *const sys::napi_value = arguments.as_ptr().cast();
        make!(napi_call_function, self.0, this.0, function.0, arguments.len(), start)
    }

    pub(crate) fn kind(self, value: Value) -> sys::napi_valuetype {
        ask!(napi_typeof, self, value, sys::ValueType::napi_undefined)
            .unwrap_or(sys::ValueType::napi_undefined)
    }

    pub(crate) fn is_array(self, value: Value) -> bool {
        ask!(napi_is_array, self, value, false).unwrap_or_default()
    }

    pub(crate) fn to_bool(self, value: Value) -> bool {
        ask!(napi_get_value_bool, self, value, false).unwrap_or_default()
    }

    pub(crate) fn to_double(self, value: Value) -> f64 {
        ask!(napi_get_value_double, self, value, 0.0).unwrap_or(f64::NAN)
    }

    /// A BigInt that fits.
    pub(crate) fn to_integer(self, value: Value) -> Option<i64> {
        let (mut number, mut whole) = (0, false);
        // SAFETY: as above.
        unsafe { sys::napi_get_value_bigint_int64(self.0, value.0, &mut number, &mut whole) };
        whole.then_some(number)
    }

    /// Whatever it is, as text.
    pub(crate) fn spell(self, value: Value) -> Value {
        make!(napi_coerce_to_string, self.0, value.0)
    }

    pub(crate) fn length(self, array: Value) -> u32 {
        ask!(napi_get_array_length, self, array, 0).unwrap_or_default()
    }

    pub(crate) fn item(self, array: Value, index: u32) -> Value {
        make!(napi_get_element, self.0, array.0, index)
    }

    pub(crate) fn items(self, array: Value) -> impl ExactSizeIterator<Item = Value> {
        (0..self.length(array)).map(move |index| self.item(array, index))
    }

    /// Shows the UTF-8 of a string.
    pub(crate) fn with_text<T>(self, text: Value, show: impl FnOnce(&[u8]) -> T) -> T {
        let mut room = [0_u8; 512];
        let mut length = 0;
        // SAFETY: the engine writes no more than the size it is told, with a zero at the end.
        unsafe {
            sys::napi_get_value_string_utf8(
                self.0,
                text.0,
                room.as_mut_ptr().cast(),
                room.len(),
                &mut length,
            );
        }
        // One that filled the room to within a character may have been cut.
        if length + 4 < room.len() {
            return show(&room[..length]);
        }
        // SAFETY: without room the engine only counts; then it gets room for what it counted.
        let room = unsafe {
            sys::napi_get_value_string_utf8(self.0, text.0, null_mut(), 0, &mut length);
            let mut room = vec![0_u8; length + 1];
            sys::napi_get_value_string_utf8(
                self.0,
                text.0,
                room.as_mut_ptr().cast(),
                room.len(),
                &mut length,
            );
            room
        };
        show(&room[..length])
    }

    pub(crate) fn to_text(self, text: Value) -> String {
        self.with_text(text, |bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Shows the bytes of a Buffer, or of any other view or piece of memory; `None` if it is none.
    pub(crate) fn with_bytes<T>(self, value: Value, show: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let (mut start, mut length) = (null_mut(), 0);
        // To the engine every view of memory is a Buffer.
        if ask!(napi_is_buffer, self, value, false) == Some(true) {
            // SAFETY: as above.
            unsafe { sys::napi_get_buffer_info(self.0, value.0, &mut start, &mut length) };
        } else if ask!(napi_is_arraybuffer, self, value, false) == Some(true) {
            // SAFETY: as above.
            unsafe { sys::napi_get_arraybuffer_info(self.0, value.0, &mut start, &mut length) };
        } else {
            return None;
        }
        if start.is_null() {
            return Some(show(&[]));
        }
        // SAFETY: the memory is the value's. Nothing of JavaScript that could change or free it
        // runs while it is shown.
        Some(show(unsafe { std::slice::from_raw_parts(start.cast(), length) }))
    }

    /// A value with something of ours behind it, which lives as long as the value.
    pub(crate) fn wrap<T: 'static>(self, what: T) -> Value {
        unsafe extern "C" fn release<T>(_: sys::napi_env, ours: *mut c_void, _: *mut c_void) {
            // SAFETY: it came from a box, and this is called once.
            drop(unsafe { Box::from_raw(ours.cast::<Ours<T>>()) });
        }
        let ours = Box::into_raw(Box::new(Ours { kind: TypeId::of::<T>(), what })).cast();
        make!(napi_create_external, self.0, ours, Some(release::<T>), null_mut())
    }

    /// What [`wrap`](Self::wrap) put behind a value; `None` if that is something else.
    pub(crate) fn unwrap<'a, T: 'static>(self, value: Value) -> Option<&'a T> {
        let ours = ask!(napi_get_value_external, self, value, null_mut())?;
        // SAFETY: JavaScript passes what `wrap` made and nothing else, so there is a kind first.
        let kind = unsafe { *ours.cast::<TypeId>() };
        // SAFETY: it is of this kind. The value outlives the native call, and what is behind it
        // lives as long as the value.
        (kind == TypeId::of::<T>()).then(|| unsafe { &(*ours.cast::<Ours<T>>()).what })
    }

    pub(crate) fn throw(self, error: Value) {
        // SAFETY: as above.
        unsafe { sys::napi_throw(self.0, error.0) };
    }

    /// Whether JavaScript has thrown something, which then is forgotten.
    pub(crate) fn caught(self) -> Option<Value> {
        let mut thrown = false;
        // SAFETY: as above.
        unsafe { sys::napi_is_exception_pending(self.0, &mut thrown) };
        thrown.then(|| make!(napi_get_and_clear_last_exception, self.0))
    }
}

/// The largest integer that a number holds exactly.
const MAX_SAFE: u64 = (1 << 53) - 1;
