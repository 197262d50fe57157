//! Builds a reply straight from the frame that a lane delivered.

use crate::block::{Arena, Block};
use crate::error;
use crate::reply::{steadis_reply, steadis_reply_type, steadis_reply_type::*};
use std::convert::Infallible;
use std::ffi::{c_char, c_int};
use std::ptr::{copy_nonoverlapping, null};
use steadis::command::Float;
use steadis::proto::read::{Build, Frame, Items};
use steadis::{Error, Reply};

/// A reply in the making.
pub(crate) struct Tree<'a> {
    frame: &'a [u8],
    /// A copy of the frame, in which the texts of the reply lie.
    copy: *mut u8,
    arena: Arena,
}

/// A part of the reply.
pub(crate) type Node = *mut steadis_reply;

const NODE: usize = size_of::<steadis_reply>();
const SLOT: usize = size_of::<Node>();

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
    /// Grows the tree of a frame. A node is made before what it holds, so the first is the root.
    pub(crate) fn plant(
        frame: Frame<'a>,
        grow: impl FnOnce(&mut Self) -> Node,
    ) -> Block<steadis_reply> {
        let frame = frame.bytes();
        let mut arena = Arena::new(NODE + frame.len());
        let copy = arena.take_last(frame.len());
        // SAFETY: that much was taken.
        unsafe { copy_nonoverlapping(frame.as_ptr(), copy, frame.len()) };
        let mut tree = Self { frame, copy, arena };
        grow(&mut tree);
        // SAFETY: the root was made by `node`.
        unsafe { tree.arena.block() }
    }

    #[inline]
    fn node(&mut self, node: steadis_reply) -> Node {
        let place = self.arena.take(1);
        // SAFETY: room for one was taken.
        unsafe { Node::write(place, node) };
        place
    }

    #[inline]
    fn text(&mut self, kind: steadis_reply_type, text: &[u8]) -> Node {
        let node = self.node(steadis_reply { r#type: kind as c_int, len: text.len(), ..EMPTY });
        let str = self.place(text);
        // SAFETY: the node was written just now.
        unsafe { (*node).str = str };
        node
    }

    /// Where the text is. One that stands in the frame was copied with it, and the line end that
    /// follows makes room for the NUL.
    #[inline]
    fn place(&mut self, text: &[u8]) -> *const c_char {
        let start = text.as_ptr().addr().wrapping_sub(self.frame.as_ptr().addr());
        let end = start.saturating_add(text.len());
        if self.frame.get(end) != Some(&b'\r') {
            return self.arena.text(text);
        }
        // SAFETY: the copy is as long as the frame.
        unsafe {
            self.copy.add(end).write(0);
            self.copy.add(start).cast()
        }
    }

    pub(crate) fn failure(&mut self, error: &Error) -> Node {
        let node = self.text(STEADIS_REPLY_ERROR, error.message().as_bytes());
        let error = error::write(error, &mut self.arena);
        // SAFETY: the node was written just now.
        unsafe { (*node).error = error };
        node
    }

    /// `most` elements, or fewer if `next` ends before.
    #[inline]
    pub(crate) fn aggregate(
        &mut self,
        kind: steadis_reply_type,
        most: usize,
        mut next: impl FnMut(&mut Self) -> Option<Node>,
    ) -> Node {
        let whole = self.node(steadis_reply { r#type: kind as c_int, ..EMPTY });
        self.arena.reserve(most.saturating_mul(NODE + SLOT));
        let element: *mut Node = self.arena.take(most);
        let mut elements = 0;
        while let Some(node) = next(self) {
            // SAFETY: there is a place for each of `most`.
            unsafe { element.add(elements).write(node) };
            elements += 1;
        }
        // SAFETY: it was written above.
        unsafe {
            (*whole).elements = elements;
            (*whole).element = element.cast_const().cast();
        }
        whole
    }

    fn items(&mut self, kind: steadis_reply_type, items: &mut Items<'_, '_>) -> Node {
        self.aggregate(kind, items.len(), |tree| items.next(tree).map(|Ok(node)| node))
    }

    pub(crate) fn value(&mut self, reply: &Reply) -> Node {
        match reply {
            Reply::List(items) => {
                let mut left = items.iter();
                self.aggregate(STEADIS_REPLY_ARRAY, items.len(), |tree| {
                    Some(tree.value(left.next()?))
                })
            }
            Reply::Map(pairs) => {
                let mut left = pairs.iter().flat_map(|(key, value)| [key, value]);
                self.aggregate(STEADIS_REPLY_MAP, pairs.len() * 2, |tree| {
                    Some(tree.value(left.next()?))
                })
            }
            Reply::Integer(number) => self.whole(STEADIS_REPLY_INTEGER, *number),
            Reply::Boolean(flag) => self.whole(STEADIS_REPLY_BOOL, (*flag).into()),
            Reply::Bulk(text) => self.text(STEADIS_REPLY_STRING, text),
            _ => self.node(EMPTY),
        }
    }

    fn whole(&mut self, kind: steadis_reply_type, integer: i64) -> Node {
        self.node(steadis_reply { r#type: kind as c_int, integer, ..EMPTY })
    }
}

impl Build for Tree<'_> {
    type Value = Node;
    type Error = Infallible;

    fn null(&mut self) -> Result<Node, Infallible> {
        Ok(self.node(EMPTY))
    }
    fn integer(&mut self, value: i64) -> Result<Node, Infallible> {
        Ok(self.whole(STEADIS_REPLY_INTEGER, value))
    }
    fn double(&mut self, value: f64) -> Result<Node, Infallible> {
        let node = self.text(STEADIS_REPLY_DOUBLE, Float(value).to_string().as_bytes());
        // SAFETY: the node was written just now.
        unsafe { (*node).dval = value };
        Ok(node)
    }
    fn boolean(&mut self, value: bool) -> Result<Node, Infallible> {
        Ok(self.whole(STEADIS_REPLY_BOOL, value.into()))
    }
    fn big_number(&mut self, digits: &[u8]) -> Result<Node, Infallible> {
        Ok(self.text(STEADIS_REPLY_BIGNUM, digits))
    }
    fn simple(&mut self, text: &[u8]) -> Result<Node, Infallible> {
        Ok(self.text(STEADIS_REPLY_STATUS, text))
    }
    #[inline]
    fn bulk(&mut self, bytes: &[u8]) -> Result<Node, Infallible> {
        Ok(self.text(STEADIS_REPLY_STRING, bytes))
    }
    fn verbatim(&mut self, format: &[u8], text: &[u8]) -> Result<Node, Infallible> {
        let mut vtype = [0; 4];
        for (to, from) in vtype.iter_mut().take(3).zip(format) {
            *to = *from as c_char;
        }
        let node = self.text(STEADIS_REPLY_VERB, text);
        // SAFETY: the node was written just now.
        unsafe { (*node).vtype = vtype };
        Ok(node)
    }
    fn error(&mut self, line: &[u8]) -> Result<Node, Infallible> {
        Ok(self.failure(&Error::server(line)))
    }
    fn list(&mut self, items: &mut Items<'_, '_>) -> Result<Node, Infallible> {
        Ok(self.items(STEADIS_REPLY_ARRAY, items))
    }
    fn set(&mut self, items: &mut Items<'_, '_>) -> Result<Node, Infallible> {
        Ok(self.items(STEADIS_REPLY_SET, items))
    }
    fn map(&mut self, items: &mut Items<'_, '_>) -> Result<Node, Infallible> {
        Ok(self.items(STEADIS_REPLY_MAP, items))
    }
    fn push(&mut self, items: &mut Items<'_, '_>) -> Result<Node, Infallible> {
        Ok(self.items(STEADIS_REPLY_PUSH, items))
    }
}
