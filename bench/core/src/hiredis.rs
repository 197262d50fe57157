//! hiredis as its users call it: one context for each thread, replies as a tree.

use crate::contender::{Contender, Workload};
use std::ffi::{CString, c_char, c_int, c_void};

#[repr(C)]
struct Context {
    err: c_int,
    errstr: [c_char; 128],
}

unsafe extern "C" {
    fn redisConnect(ip: *const c_char, port: c_int) -> *mut Context;
    fn redisFree(context: *mut Context);
    fn redisCommandArgv(
        context: *mut Context,
        argc: c_int,
        argv: *const *const c_char,
        lengths: *const usize,
    ) -> *mut c_void;
    fn redisAppendCommand(context: *mut Context, format: *const c_char, ...) -> c_int;
    fn redisAppendCommandArgv(
        context: *mut Context,
        argc: c_int,
        argv: *const *const c_char,
        lengths: *const usize,
    ) -> c_int;
    fn redisGetReply(context: *mut Context, reply: *mut *mut c_void) -> c_int;
    fn freeReplyObject(reply: *mut c_void);
}

pub(crate) struct Hiredis {
    port: u16,
}

impl Hiredis {
    pub(crate) fn new(port: u16) -> Self {
        Self { port }
    }
}

struct Owned(*mut Context);

// SAFETY: a context may be used by any one thread at a time, and has one owner here.
unsafe impl Send for Owned {}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the context came from redisConnect and is freed once.
        unsafe { redisFree(self.0) }
    }
}

impl Contender for Hiredis {
    fn name(&self) -> String {
        "hiredis, per thread".into()
    }

    fn operation<'a>(&'a self, workload: Workload) -> Box<dyn FnMut() + Send + 'a> {
        // SAFETY: the address is a C string, and the result is checked.
        let context = Owned(unsafe { redisConnect(c"127.0.0.1".as_ptr(), self.port.into()) });
        // SAFETY: redisConnect returns null or a context.
        assert!(unsafe { context.0.as_ref() }.is_some_and(|context| context.err == 0));
        let command = workload.command();
        // An argument that is part of a format ends with a NUL.
        let texts: Vec<_> =
            command.iter().map(|text| CString::new(*text).expect("no NUL")).collect();
        Box::new(move || {
            let context = &context;
            let argv: [*const c_char; 4] = std::array::from_fn(|i| {
                texts.get(i).map_or(std::ptr::null(), |text| text.as_ptr())
            });
            let lengths: [usize; 4] =
                std::array::from_fn(|i| command.get(i).map_or(0, |a| a.len()));
            let argc = command.len() as c_int;
            // SAFETY: argv and lengths describe `argc` arguments that outlive the calls, the
            // format names the two it is given, and replies are freed once.
            unsafe {
                if let Workload::Pipeline { formatted } = workload {
                    for _ in 0..workload.repeat() {
                        if formatted {
                            let format = c"SET %s %s".as_ptr();
                            redisAppendCommand(context.0, format, argv[1], argv[2]);
                        } else {
                            let (argv, lengths) = (argv.as_ptr(), lengths.as_ptr());
                            redisAppendCommandArgv(context.0, argc, argv, lengths);
                        }
                    }
                    for _ in 0..workload.repeat() {
                        let mut reply = std::ptr::null_mut();
                        assert_eq!(redisGetReply(context.0, &mut reply), 0);
                        freeReplyObject(reply);
                    }
                } else {
                    let reply = redisCommandArgv(context.0, argc, argv.as_ptr(), lengths.as_ptr());
                    assert!(!reply.is_null());
                    freeReplyObject(reply);
                }
            }
        })
    }
}
