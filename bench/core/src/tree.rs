//! A reply as C gets it: nodes in one block, the places of an aggregate's elements in another,
//! strings left where they are in the frame.

use std::convert::Infallible;
use steadis::proto::read::{Build, Items, Reader};

#[derive(Clone, Copy, Default)]
#[allow(dead_code)] // what counts is that it was made
struct Node {
    kind: u8,
    integer: i64,
    string: (usize, usize),
    elements: (usize, usize),
}

pub(crate) struct Tree {
    roots: Vec<usize>,
    nodes: Vec<Node>,
    elements: Vec<usize>,
}

impl Tree {
    /// All replies, of which so many were asked for, in one tree.
    pub(crate) fn of(mut replies: Reader<'_>, count: usize) -> Self {
        let (roots, nodes) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut tree = Self { roots, nodes, elements: Vec::new() };
        while let Some(Ok(reply)) = replies.next(&mut tree) {
            tree.roots.push(reply);
        }
        tree
    }

    fn node(&mut self, node: Node) -> Result<usize, Infallible> {
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn text(&mut self, kind: u8, bytes: &[u8]) -> Result<usize, Infallible> {
        let string = (bytes.as_ptr() as usize, bytes.len());
        self.node(Node { kind, string, ..Node::default() })
    }

    fn many(&mut self, kind: u8, items: &mut Items<'_, '_>) -> Result<usize, Infallible> {
        let (first, count) = (self.elements.len(), items.len());
        let node = self.node(Node { kind, elements: (first, count), ..Node::default() });
        self.nodes.reserve(count);
        self.elements.resize(first + count, 0);
        for element in first..first + count {
            if let Some(Ok(node)) = items.next(self) {
                self.elements[element] = node;
            }
        }
        node
    }
}

impl Build for Tree {
    type Value = usize;
    type Error = Infallible;

    fn null(&mut self) -> Result<usize, Infallible> {
        self.node(Node { kind: 4, ..Node::default() })
    }
    fn integer(&mut self, integer: i64) -> Result<usize, Infallible> {
        self.node(Node { kind: 3, integer, ..Node::default() })
    }
    fn double(&mut self, value: f64) -> Result<usize, Infallible> {
        self.node(Node { kind: 7, integer: value.to_bits() as i64, ..Node::default() })
    }
    fn boolean(&mut self, value: bool) -> Result<usize, Infallible> {
        self.node(Node { kind: 8, integer: value.into(), ..Node::default() })
    }
    fn big_number(&mut self, digits: &[u8]) -> Result<usize, Infallible> {
        self.text(13, digits)
    }
    fn simple(&mut self, text: &[u8]) -> Result<usize, Infallible> {
        self.text(5, text)
    }
    fn bulk(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.text(1, bytes)
    }
    fn error(&mut self, line: &[u8]) -> Result<usize, Infallible> {
        self.text(6, line)
    }
    fn list(&mut self, items: &mut Items<'_, '_>) -> Result<usize, Infallible> {
        self.many(2, items)
    }
    fn set(&mut self, items: &mut Items<'_, '_>) -> Result<usize, Infallible> {
        self.many(10, items)
    }
    fn push(&mut self, items: &mut Items<'_, '_>) -> Result<usize, Infallible> {
        self.many(12, items)
    }
    fn map(&mut self, items: &mut Items<'_, '_>) -> Result<usize, Infallible> {
        self.many(9, items)
    }
}
