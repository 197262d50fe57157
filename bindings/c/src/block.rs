//! The memory of what is given to C: a struct and all that it points to, freed at once.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_char;
use std::marker::PhantomData;
use std::ptr::{NonNull, copy_nonoverlapping, null_mut};

/// Stands in front of each piece of memory, and so in front of the root.
struct Piece {
    next: *mut Piece,
    size: usize,
}

const HEAD: usize = size_of::<Piece>();
const ALIGN: usize = align_of::<Piece>();
/// A piece that comes later is not smaller.
const LEAST: usize = 512;

/// Hands out memory that stays where it is. What is taken first is the root.
pub(crate) struct Arena {
    first: NonNull<Piece>,
    free: *mut u8,
    left: usize,
    /// The size of the newest piece.
    newest: usize,
}

impl Arena {
    /// With room for so many bytes.
    pub(crate) fn new(room: usize) -> Self {
        let first = piece(room, null_mut());
        // SAFETY: the room begins behind the head of its piece.
        let free = unsafe { first.as_ptr().cast::<u8>().add(HEAD) };
        Self { first, free, left: padded(room), newest: padded(room) }
    }

    /// Room for `count` of them, to be written.
    #[inline]
    pub(crate) fn take<T>(&mut self, count: usize) -> *mut T {
        const { assert!(align_of::<T>() <= ALIGN) };
        let size = padded(count.saturating_mul(size_of::<T>()));
        self.reserve(size);
        let taken = self.free;
        // SAFETY: there is as much left.
        self.free = unsafe { taken.add(size) };
        self.left -= size;
        taken.cast()
    }

    /// Room for so many bytes at the other end, so that it is not the root; without alignment.
    pub(crate) fn take_last(&mut self, size: usize) -> *mut u8 {
        self.reserve(padded(size));
        self.left -= padded(size);
        // SAFETY: there was as much left.
        unsafe { self.free.add(self.left) }
    }

    /// Sees to it that so many bytes are left: what is asked for in one go lies in one piece.
    #[inline]
    pub(crate) fn reserve(&mut self, size: usize) {
        if size > self.left {
            self.grow(size);
        }
    }

    /// A copy of the text, with a NUL behind it.
    pub(crate) fn text(&mut self, text: &[u8]) -> *const c_char {
        let copy: *mut u8 = self.take(text.len() + 1);
        // SAFETY: the copy has room for the text and its NUL.
        unsafe {
            copy_nonoverlapping(text.as_ptr(), copy, text.len());
            copy.add(text.len()).write(0);
        }
        copy.cast()
    }

    #[cold]
    fn grow(&mut self, size: usize) {
        let room = padded(size).max(self.newest.saturating_mul(2)).max(LEAST);
        // SAFETY: the first piece lives as long as this.
        let first = unsafe { self.first.as_mut() };
        let fresh = piece(room, first.next);
        first.next = fresh.as_ptr();
        // SAFETY: as for the first one.
        self.free = unsafe { fresh.as_ptr().cast::<u8>().add(HEAD) };
        (self.left, self.newest) = (room, room);
    }

    /// All of it, for its root.
    ///
    /// # Safety
    /// What was taken first is a `T`, and written.
    pub(crate) unsafe fn block<T>(self) -> Block<T> {
        let block = Block { first: self.first, root: PhantomData };
        std::mem::forget(self);
        block
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: nobody was given any of it.
        unsafe { free_all(self.first.as_ptr()) };
    }
}

/// A struct for C, with all that it points to.
pub(crate) struct Block<T> {
    first: NonNull<Piece>,
    root: PhantomData<T>,
}

impl<T> Block<T> {
    /// The struct, for as long as this lives.
    pub(crate) fn root(&self) -> *const T {
        // SAFETY: the root lies behind the head of the first piece.
        unsafe { self.first.as_ptr().cast::<u8>().add(HEAD).cast() }
    }

    /// Gives the struct away.
    pub(crate) fn into_raw(self) -> *mut T {
        let root = self.root().cast_mut();
        std::mem::forget(self);
        root
    }

    /// Takes it back.
    ///
    /// # Safety
    /// `root` came from [`into_raw`](Self::into_raw), and is used by nobody any more.
    pub(crate) unsafe fn from_raw(root: NonNull<T>) -> Self {
        // SAFETY: the head of the first piece stands in front of the root.
        let first = unsafe { root.cast::<u8>().sub(HEAD).cast() };
        Self { first, root: PhantomData }
    }
}

impl<T> Drop for Block<T> {
    fn drop(&mut self) {
        // SAFETY: these pieces are ours; what lies in them owns nothing.
        unsafe { free_all(self.first.as_ptr()) };
    }
}

/// Frees a struct that was given away, for those functions of the header that do nothing else.
///
/// # Safety
/// As [`Block::from_raw`]; or `root` is NULL.
pub(crate) unsafe fn free<T>(root: *mut T) {
    if let Some(root) = NonNull::new(root) {
        // SAFETY: the caller's word.
        drop(unsafe { Block::from_raw(root) });
    }
}

fn piece(room: usize, next: *mut Piece) -> NonNull<Piece> {
    let size = HEAD.saturating_add(padded(room));
    let Ok(layout) = Layout::from_size_align(size, ALIGN) else {
        handle_alloc_error(Layout::new::<Piece>());
    };
    // SAFETY: the size is not zero, and the head fits into it.
    unsafe {
        let Some(start) = NonNull::new(alloc(layout).cast::<Piece>()) else {
            handle_alloc_error(layout);
        };
        start.write(Piece { next, size });
        start
    }
}

/// # Safety
/// The pieces were made by [`piece`] and are used by nobody any more.
unsafe fn free_all(mut piece: *mut Piece) {
    while !piece.is_null() {
        // SAFETY: every piece knows its size and the one behind it.
        unsafe {
            let Piece { next, size } = piece.read();
            dealloc(piece.cast(), Layout::from_size_align_unchecked(size, ALIGN));
            piece = next;
        }
    }
}

/// Sizes are whole multiples of the alignment, so that whatever comes next is aligned too.
fn padded(size: usize) -> usize {
    size.saturating_add(ALIGN - 1) & !(ALIGN - 1)
}
