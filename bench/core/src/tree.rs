//! A reply as C gets it: a tree of nodes in one block, strings left where they are in the frame.

use std::convert::Infallible;
use steadis::proto::read::{Build, Items, Reader};

#[derive(Clone, Copy, Default)]
#[allow(dead_code)] // what counts is that it was made
pub(crate) struct Node {
    pub(crate) kind: u8,
    pub(crate) integer: i64,
    pub(crate) string: (usize, usize),
    pub(crate) elements: (usize, usize),
}

#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

impl Tree {
    pub(crate) fn read(replies: &mut Reader<'_>) -> Option<(Self, Node)> {
        let mut tree = Self::default();
        let root = replies.next(&mut tree)?.unwrap_or_default();
        Some((tree, root))
    }

    fn many(&mut self, kind: u8, items: &mut Items<'_, '_>) -> Result<Node, Infallible> {
        let (first, count) = (self.nodes.len(), items.len());
        self.nodes.resize(first + count, Node::default());
        for index in first..first + count {
            if let Some(Ok(node)) = items.next(self) {
                self.nodes[index] = node;
            }
        }
        Ok(Node { kind, elements: (first, count), ..Node::default() })
    }

    fn text(kind: u8, bytes: &[u8]) -> Result<Node, Infallible> {
        Ok(Node { kind, string: (bytes.as_ptr() as usize, bytes.len()), ..Node::default() })
    }
}

impl Build for Tree {
    type Value = Node;
    type Error = Infallible;

    fn null(&mut self) -> Result<Node, Infallible> {
        Ok(Node { kind: 4, ..Node::default() })
    }
    fn integer(&mut self, integer: i64) -> Result<Node, Infallible> {
        Ok(Node { kind: 3, integer, ..Node::default() })
    }
    fn double(&mut self, value: f64) -> Result<Node, Infallible> {
        Ok(Node { kind: 7, integer: value.to_bits() as i64, ..Node::default() })
    }
    fn boolean(&mut self, value: bool) -> Result<Node, Infallible> {
        Ok(Node { kind: 8, integer: value.into(), ..Node::default() })
    }
    fn big_number(&mut self, digits: &[u8]) -> Result<Node, Infallible> {
        Self::text(13, digits)
    }
    fn simple(&mut self, text: &[u8]) -> Result<Node, Infallible> {
        Self::text(5, text)
    }
    fn bulk(&mut self, bytes: &[u8]) -> Result<Node, Infallible> {
        Self::text(1, bytes)
    }
    fn error(&mut self, line: &[u8]) -> Result<Node, Infallible> {
        Self::text(6, line)
    }
    fn list(&mut self, items: &mut Items<'_, '_>) -> Result<Node, Infallible> {
        self.many(2, items)
    }
    fn set(&mut self, items: &mut Items<'_, '_>) -> Result<Node, Infallible> {
        self.many(10, items)
    }
    fn push(&mut self, items: &mut Items<'_, '_>) -> Result<Node, Infallible> {
        self.many(12, items)
    }
    fn map(&mut self, items: &mut Items<'_, '_>) -> Result<Node, Infallible> {
        self.many(9, items)
    }
}
