//! Replies become JavaScript's values.

use crate::error;
use crate::hooks::Hook;
use crate::js::{Js, Value};
use steadis::Error;
use steadis::client::Answer;
use steadis::proto::read::{Build, Items};

/// What strings and large integers of replies become.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    pub(crate) buffers: bool,
    pub(crate) bigints: bool,
}

/// Makes JavaScript's value of a reply.
pub(crate) fn build(js: Js, mode: Mode, answer: Answer<'_>) -> Value {
    let mut builder =
        Builder { js, mode, frame: answer.frame.bytes(), whole: None, depth: 0, stack: vec![] };
    let Ok(value) = answer.build(&mut builder);
    value
}

struct Builder<'a> {
    js: Js,
    mode: Mode,
    frame: &'a [u8],
    /// The frame as a Buffer, of which others are views.
    whole: Option<Value>,
    /// How many aggregates the next value is inside of.
    depth: usize,
    /// The items of those aggregates, inner ones last.
    stack: Vec<Value>,
}

type Built = Result<Value, std::convert::Infallible>;

impl Builder<'_> {
    /// A Buffer for bytes of the frame. One for each would be several times slower than views of
    /// one for all.
    fn buffer(&mut self, bytes: &[u8]) -> Value {
        let js = self.js;
        let start = (bytes.as_ptr() as usize).wrapping_sub(self.frame.as_ptr() as usize);
        if self.depth == 0 || start > self.frame.len() {
            return js.buffer(bytes);
        }
        let whole = *self.whole.get_or_insert_with(|| js.buffer(self.frame));
        let (start, end) = (js.double(start as f64), js.double((start + bytes.len()) as f64));
        js.hook(Hook::Slice, &[whole, start, end])
    }

    fn aggregate(
        &mut self,
        items: &mut Items<'_, '_>,
        make: impl FnOnce(Js, &[Value]) -> Value,
    ) -> Built {
        let start = self.stack.len();
        self.depth += 1;
        while let Some(item) = items.next(self) {
            let Ok(item) = item;
            self.stack.push(item);
        }
        self.depth -= 1;
        let value = make(self.js, &self.stack[start..]);
        self.stack.truncate(start);
        Ok(value)
    }
}

impl Build for Builder<'_> {
    type Value = Value;
    type Error = std::convert::Infallible;

    fn null(&mut self) -> Built {
        Ok(self.js.null())
    }

    fn integer(&mut self, value: i64) -> Built {
        Ok(self.js.integer(value, self.mode.bigints))
    }

    fn double(&mut self, value: f64) -> Built {
        Ok(self.js.double(value))
    }

    fn boolean(&mut self, value: bool) -> Built {
        Ok(self.js.boolean(value))
    }

    fn big_number(&mut self, digits: &[u8]) -> Built {
        let text = self.js.text(digits);
        Ok(if self.mode.bigints { self.js.hook(Hook::BigInt, &[text]) } else { text })
    }

    fn simple(&mut self, text: &[u8]) -> Built {
        Ok(self.js.text(text))
    }

    fn bulk(&mut self, bytes: &[u8]) -> Built {
        Ok(if self.mode.buffers { self.buffer(bytes) } else { self.js.text(bytes) })
    }

    fn error(&mut self, line: &[u8]) -> Built {
        Ok(error::instance(self.js, &Error::server(line)))
    }

    fn list(&mut self, items: &mut Items<'_, '_>) -> Built {
        self.aggregate(items, Js::list)
    }

    fn set(&mut self, items: &mut Items<'_, '_>) -> Built {
        self.aggregate(items, Js::list)
    }

    fn map(&mut self, items: &mut Items<'_, '_>) -> Built {
        self.aggregate(items, Js::map)
    }

    fn push(&mut self, items: &mut Items<'_, '_>) -> Built {
        self.aggregate(items, Js::list)
    }
}
