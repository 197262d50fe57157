//! Builds a reply straight from the frame that a lane delivered.

use crate::block::Block;
use crate::error::Owned;
use crate::reply::{steadis_reply, steadis_reply_type, steadis_reply_type::*};
use std::cell::Cell;
use std::convert::Infallible;
use std::ffi::{c_char, c_int};
use std::ptr::{null, without_provenance};
use steadis::command::Float;
use steadis::proto::read::{Build, Frame, Items};
use steadis::{Error, Reply};

/// A reply in the making. Pointers are offsets until it is done: those to text into the bytes of
/// the frame followed by `texts`, those to elements into `slots`.
pub(crate) struct Tree<'a> {
    pub(crate) frame: &'a [u8],
    pub(crate) scratch: Scratch,
}

#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) nodes: Vec<steadis_reply>,
    pub(crate) slots: Vec<usize>,
    pub(crate) texts: Vec<u8>,
    #[expect(clippy::vec_box, reason = "nodes point to them, so they must stay where they are")]
    pub(crate) errors: Vec<Box<Owned>>,
}

thread_local! {
    static SPARE: Cell<Option<Scratch>> = const { Cell::new(None) };
}

/// More nodes than this are not worth keeping room for.
const KEPT: usize = 4096;

const EMPTY: steadis_reply = steadis_reply {
    r#type: STEADIS_REPLY_NIL as c_int,
    vtype: [0; 4],
    integer: 0,
    dval: 0.0,
    str: null(),
    len: 0,
    elements: 0,
    element: null(),
    error: null(),
};

impl<'a> Tree<'a> {
    pub(crate) fn plant(frame: Frame<'a>, grow: impl FnOnce(&mut Self)) -> *mut steadis_reply {
        let scratch = SPARE.take().unwrap_or_default();
        let mut tree = Self { frame: frame.bytes(), scratch };
        grow(&mut tree);
        let reply = Block::make(&mut tree);
        let Tree { mut scratch, .. } = tree;
        if scratch.nodes.capacity() <= KEPT && scratch.texts.capacity() <= 16 * KEPT {
            scratch.nodes.clear();
            scratch.slots.clear();
            scratch.texts.clear();
            // A thread that is ending keeps nothing.
            let _ = SPARE.try_with(|spare| spare.set(Some(scratch)));
        }
        reply
    }

    fn node(&mut self, node: steadis_reply) -> usize {
        self.scratch.nodes.push(node);
        self.scratch.nodes.len() - 1
    }

    fn text(&mut self, kind: steadis_reply_type, text: &[u8]) -> usize {
        let start = self.place(text);
        self.node(steadis_reply {
            r#type: kind as c_int,
            str: without_provenance(start),
            len: text.len(),
            ..EMPTY
        })
    }

    /// Where the text will be. What stands in the frame comes along with it; the line end that
    /// follows makes room for the NUL.
    fn place(&mut self, text: &[u8]) -> usize {
        let start = (text.as_ptr() as usize).wrapping_sub(self.frame.as_ptr() as usize);
        if self.frame.get(start.saturating_add(text.len())) == Some(&b'\r') {
            return start;
        }
        let start = self.frame.len() + self.scratch.texts.len();
        self.scratch.texts.extend_from_slice(text);
        self.scratch.texts.push(0);
        start
    }

    pub(crate) fn failure(&mut self, error: &Error) -> usize {
        let node = self.text(STEADIS_REPLY_ERROR, error.message().as_bytes());
        let owned = Box::new(Owned::new(error));
        self.scratch.nodes[node].error = (&raw const *owned).cast();
        self.scratch.errors.push(owned);
        node
    }

    pub(crate) fn aggregate(
        &mut self,
        kind: steadis_reply_type,
        most: usize,
        mut next: impl FnMut(&mut Self) -> Option<usize>,
    ) -> usize {
        let node = self.node(steadis_reply { r#type: kind as c_int, ..EMPTY });
        let first = self.scratch.slots.len();
        self.scratch.slots.resize(first + most, 0);
        let mut found = 0;
        while let Some(element) = next(self) {
            self.scratch.slots[first + found] = element;
            found += 1;
        }
        let whole = &mut self.scratch.nodes[node];
        whole.elements = found;
        whole.element = without_provenance(first);
        node
    }

    fn items(&mut self, kind: steadis_reply_type, items: &mut Items<'_, '_>) -> usize {
        self.aggregate(kind, items.len(), |tree| items.next(tree).map(|Ok(node)| node))
    }

    pub(crate) fn value(&mut self, reply: &Reply) -> usize {
        let mut list = |kind, items: &[Reply]| {
            let mut items = items.iter();
            self.aggregate(kind, items.len(), |tree| Some(tree.value(items.next()?)))
        };
        let node = match reply {
            Reply::List(items) => return list(STEADIS_REPLY_ARRAY, items),
            Reply::Map(pairs) => {
                let mut items = pairs.iter().flat_map(|(key, value)| [key, value]);
                return self.aggregate(STEADIS_REPLY_MAP, pairs.len() * 2, |tree| {
                    Some(tree.value(items.next()?))
                });
            }
            Reply::Integer(number) => self.integer(*number),
            Reply::Boolean(flag) => self.boolean(*flag),
            Reply::Bulk(text) => self.bulk(text),
            _ => self.null(),
        };
        let Ok(node) = node;
        node
    }
}

impl Build for Tree<'_> {
    type Value = usize;
    type Error = Infallible;

    fn null(&mut self) -> Result<usize, Infallible> {
        Ok(self.node(EMPTY))
    }
    fn integer(&mut self, value: i64) -> Result<usize, Infallible> {
        let r#type = STEADIS_REPLY_INTEGER as c_int;
        Ok(self.node(steadis_reply { r#type, integer: value, ..EMPTY }))
    }
    fn double(&mut self, value: f64) -> Result<usize, Infallible> {
        let node = self.text(STEADIS_REPLY_DOUBLE, Float(value).to_string().as_bytes());
        self.scratch.nodes[node].dval = value;
        Ok(node)
    }
    fn boolean(&mut self, value: bool) -> Result<usize, Infallible> {
        let r#type = STEADIS_REPLY_BOOL as c_int;
        Ok(self.node(steadis_reply { r#type, integer: value.into(), ..EMPTY }))
    }
    fn big_number(&mut self, digits: &[u8]) -> Result<usize, Infallible> {
        Ok(self.text(STEADIS_REPLY_BIGNUM, digits))
    }
    fn simple(&mut self, text: &[u8]) -> Result<usize, Infallible> {
        Ok(self.text(STEADIS_REPLY_STATUS, text))
    }
    fn bulk(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(self.text(STEADIS_REPLY_STRING, bytes))
    }
    fn verbatim(&mut self, format: &[u8], text: &[u8]) -> Result<usize, Infallible> {
        let node = self.text(STEADIS_REPLY_VERB, text);
        for (to, from) in self.scratch.nodes[node].vtype.iter_mut().take(3).zip(format) {
            *to = *from as c_char;
        }
        Ok(node)
    }
    fn error(&mut self, line: &[u8]) -> Result<usize, Infallible> {
        Ok(self.failure(&Error::server(line)))
    }
    fn list(&mut self, items: &mut Items<'_, '_>) -> Result<usize, Infallible> {
        Ok(self.items(STEADIS_REPLY_ARRAY, items))
    }
    fn set(&mut self, items: &mut Items<'_, '_>) -> Result<usize, Infallible> {
        Ok(self.items(STEADIS_REPLY_SET, items))
    }
    fn map(&mut self, items: &mut Items<'_, '_>) -> Result<usize, Infallible> {
        Ok(self.items(STEADIS_REPLY_MAP, items))
    }
    fn push(&mut self, items: &mut Items<'_, '_>) -> Result<usize, Infallible> {
        Ok(self.items(STEADIS_REPLY_PUSH, items))
    }
}
