//! Arguments in, replies out.

use crate::reply::{steadis_reply, steadis_reply_type::STEADIS_REPLY_ARRAY};
use crate::runtime::{bytes, count, is_null, place};
use crate::tree::Tree;
use std::ffi::{CStr, c_char, c_int};
use steadis::client::{Answer, Outcomes};
use steadis::proto::read::Frame;
use steadis::{Error, Reply, Result};

/// Room for the arguments of most commands, so that a call asks for no memory.
const FEW: usize = 16;

/// Reads arguments and hands them on. Without lengths they end with a NUL.
///
/// # Safety
/// `argv` and `lengths` have `argc` members, or are NULL; each argument has its length.
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
    let one = |at: usize| -> Result<&[u8]> {
        // SAFETY: the caller's word.
        unsafe {
            let argument = *argv.add(at);
            let odd = |error: Error| {
                Error::new(error.kind(), format!("argument {at}: {}", error.message()))
            };
            match lengths.is_null() {
                true if argument.is_null() => Err(is_null(&format!("argv[{at}]"))),
                true => Ok(CStr::from_ptr(argument).to_bytes()),
                false => bytes(argument, *lengths.add(at), "the argument").map_err(odd),
            }
        }
    };
    if argc <= FEW {
        let mut few = [[].as_slice(); FEW];
        for (at, argument) in few[..argc].iter_mut().enumerate() {
            *argument = one(at)?;
        }
        return work(&few[..argc]);
    }
    work(&(0..argc).map(one).collect::<Result<Vec<_>>>()?)
}

/// Gives a reply away.
///
/// # Safety
/// `out` can be written, if it is not NULL.
pub(crate) unsafe fn give_reply(
    out: *mut *mut steadis_reply,
    reply: *mut steadis_reply,
) -> Result<()> {
    // SAFETY: not NULL, and writable by the caller's word.
    unsafe { *place(out, "reply")? = reply };
    Ok(())
}

/// The reply of one command.
pub(crate) fn answer(answer: Answer<'_>) -> *mut steadis_reply {
    Tree::plant(answer.frame, |tree| {
        let Ok(_) = answer.build(tree);
    })
}

/// What came of several commands, as an array.
pub(crate) fn outcomes(outcomes: &Outcomes) -> *mut steadis_reply {
    Tree::plant(Frame::trusted(&[]), |tree| {
        let mut all = outcomes.iter();
        tree.aggregate(STEADIS_REPLY_ARRAY, all.len(), |tree| {
            Some(match all.next()? {
                Ok(answer) => {
                    let Ok(node) = answer.build(tree);
                    node
                }
                Err(error) => tree.failure(error),
            })
        });
    })
}

/// A value that is made here, such as a topology.
pub(crate) fn value(reply: &Reply) -> *mut steadis_reply {
    Tree::plant(Frame::trusted(&[]), |tree| {
        tree.value(reply);
    })
}
