//! The memory of a reply: nodes, pointers to elements, and text, allocated and freed at once.

use crate::error::Owned;
use crate::reply::steadis_reply;
use crate::tree::Tree;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::copy_nonoverlapping;

/// What stands in front of the root.
pub(crate) struct Block {
    size: usize,
    /// What the errors in the tree point to; there are few.
    #[expect(clippy::vec_box, reason = "nodes point to them, so they must stay where they are")]
    _errors: Vec<Box<Owned>>,
}

const HEAD: usize = size_of::<Block>();
const NODE: usize = size_of::<steadis_reply>();
const SLOT: usize = size_of::<*const steadis_reply>();
const ALIGN: usize = align_of::<steadis_reply>();
// Each part begins where the one before it ends.
const _: () = assert!(HEAD.is_multiple_of(ALIGN) && align_of::<Block>() <= ALIGN);
const _: () = assert!(NODE.is_multiple_of(ALIGN) && SLOT == ALIGN);

impl Block {
    /// Moves a tree into a block of its own and makes pointers of its offsets.
    pub(crate) fn make(tree: &mut Tree<'_>) -> *mut steadis_reply {
        let (frame, scratch) = (tree.frame, &mut tree.scratch);
        let slots_at = HEAD + scratch.nodes.len() * NODE;
        let text_at = slots_at + scratch.slots.len() * SLOT;
        let size = text_at + frame.len() + scratch.texts.len();
        let errors = std::mem::take(&mut scratch.errors);
        // SAFETY: the parts lie one behind the other within `size` bytes, each aligned as the
        // constants above assert. Every offset in a node is one that the tree has handed out:
        // into the text with room for a NUL behind it, or into the slots.
        unsafe {
            let start = alloc(layout(size));
            if start.is_null() {
                handle_alloc_error(layout(size));
            }
            start.cast::<Block>().write(Block { size, _errors: errors });
            let nodes = start.add(HEAD).cast::<steadis_reply>();
            let slots = start.add(slots_at).cast::<*const steadis_reply>();
            let text = start.add(text_at);
            copy_nonoverlapping(frame.as_ptr(), text, frame.len());
            let more = text.add(frame.len());
            copy_nonoverlapping(scratch.texts.as_ptr(), more, scratch.texts.len());
            for (at, &node) in scratch.slots.iter().enumerate() {
                slots.add(at).write(nodes.add(node));
            }
            for (at, node) in scratch.nodes.iter().enumerate() {
                let mut node = *node;
                if node.has_text() {
                    let begin = text.add(node.str.addr());
                    begin.add(node.len).write(0);
                    node.str = begin.cast();
                }
                if node.has_elements() {
                    node.element = slots.add(node.element.addr()).cast_const();
                }
                nodes.add(at).write(node);
            }
            nodes
        }
    }

    /// # Safety
    /// `root` came from [`make`](Self::make) and is used by nobody any more.
    pub(crate) unsafe fn free(root: *mut steadis_reply) {
        // SAFETY: the block begins so far in front of its root, and knows its size.
        unsafe {
            let start = root.cast::<u8>().sub(HEAD);
            let size = start.cast::<Block>().read().size;
            dealloc(start, layout(size));
        }
    }
}

fn layout(size: usize) -> Layout {
    // SAFETY: the alignment is a power of two, and the size is that of vectors that exist.
    unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
}
