//! Arguments in, replies out.

use crate::block::Block;
use crate::reply::{steadis_reply, steadis_reply_type::STEADIS_REPLY_ARRAY};
use crate::runtime::{bytes, count, is_null, readable};
use crate::tree::Tree;
use std::ffi::{CStr, c_char, c_int};
use steadis::client::{Answer, Exchange, Outcomes};
use steadis::proto::read::Frame;
use steadis::{Error, Reply, Result};

/// Room for the arguments of most commands, so that a call asks for no memory.
const FEW: usize = 8;

/// Arguments of more bytes than this are asked whether there is memory for them.
const MANY: usize = 1 << 30;

/// Reads arguments and hands them on. Without lengths they end with a NUL.
///
/// # Safety
/// `argv` and `lengths` have `argc` members, or are NULL; each argument has its length.
#[inline]
pub(crate) unsafe fn with_arguments<T>(
    argc: c_int,
    argv: *const *const c_char,
    lengths: *const usize,
    work: impl FnOnce(&[&[u8]]) -> Result<T>,
) -> Result<T> {
    let argc = count(argc, "argc")?;
    if argv.is_null() && argc > 0 {
        return Err(is_null("argv"));
    }
    let mut size = 0_usize;
    let mut one = |at| {
        // SAFETY: the caller's word.
        let argument = unsafe { argument(argv, lengths, at) }?;
        size = size.saturating_add(argument.len());
        Ok(argument)
    };
    let (mut few, many);
    let arguments = if argc <= FEW {
        few = [[].as_slice(); FEW];
        for (at, place) in few[..argc].iter_mut().enumerate() {
            *place = one(at)?;
        }
        &few[..argc]
    } else {
        many = (0..argc).map(one).collect::<Result<Vec<_>>>()?;
        &many
    };
    if size > MANY {
        affordable(size)?;
    }
    work(arguments)
}

/// # Safety
/// As [`with_arguments`], and `at` is below `argc`.
#[inline]
unsafe fn argument<'a>(
    argv: *const *const c_char,
    lengths: *const usize,
    at: usize,
) -> Result<&'a [u8]> {
    // SAFETY: the caller's word.
    unsafe {
        let argument = *argv.add(at);
        let found = match lengths.is_null() {
            true if argument.is_null() => None,
            true => Some(CStr::from_ptr(argument).to_bytes()),
            false => readable(argument, *lengths.add(at)),
        };
        found.ok_or_else(|| odd(argv, lengths, at))
    }
}

/// What is odd about an argument.
///
/// # Safety
/// As [`argument`].
#[cold]
unsafe fn odd(argv: *const *const c_char, lengths: *const usize, at: usize) -> Error {
    if lengths.is_null() {
        return is_null(&format!("argv[{at}]"));
    }
    // SAFETY: the caller's word.
    let why = unsafe { bytes(*argv.add(at), *lengths.add(at), "the argument") }.err();
    let why = why.as_ref().map_or("", Error::message);
    Error::usage(format!("argument {at}: {why}"))
}

/// Lengths that are a mistake must not end the process for want of memory.
#[cold]
fn affordable(size: usize) -> Result<()> {
    let why = format!("the arguments have {size} bytes in all, more than there is memory for");
    Vec::<u8>::new().try_reserve_exact(size.saturating_mul(2)).map_err(|_| Error::usage(why))
}

/// Has a command run; its reply, to give away.
pub(crate) fn exchanged(
    mut exchange: Exchange,
    run: impl FnOnce(&mut Exchange) -> Result<()>,
) -> Result<*mut steadis_reply> {
    run(&mut exchange)?;
    Ok(answer(exchange.answer()?).into_raw())
}

/// The reply of one command.
pub(crate) fn answer(answer: Answer<'_>) -> Block<steadis_reply> {
    Tree::plant(answer.frame, |tree| {
        let Ok(root) = answer.build(tree);
        root
    })
}

/// What came of several commands, as an array.
pub(crate) fn outcomes(outcomes: &Outcomes) -> Block<steadis_reply> {
    Tree::plant(outcomes.frames(), |tree| {
        let mut all = outcomes.iter();
        tree.aggregate(STEADIS_REPLY_ARRAY, all.len(), |tree| {
            Some(match all.next()? {
                Ok(answer) => {
                    let Ok(node) = answer.build(tree);
                    node
                }
                Err(error) => tree.failure(error),
            })
        })
    })
}

/// A value that is made here, such as a topology.
pub(crate) fn value(reply: &Reply) -> Block<steadis_reply> {
    Tree::plant(Frame::trusted(&[]), |tree| tree.value(reply))
}
