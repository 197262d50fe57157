//! Walks over all keys, or over all elements of one.

use crate::batch::command_at;
use crate::client::{Native, thrown};
use crate::convert::{arguments, with_room};
use crate::js::{Js, Value};
use napi::Env;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;
use steadis::client;

/// Where a walk stands; the desk takes its pages in.
pub(crate) type Walk = Rc<RefCell<client::Scan>>;

/// A walk by SCAN or its kin.
#[napi_derive::napi]
#[derive(Debug)]
pub struct Scan {
    walk: Walk,
}

#[napi_derive::napi]
impl Scan {
    /// All pages have been taken.
    #[napi(getter, catch_unwind)]
    pub fn is_over(&self) -> bool {
        self.walk.borrow().is_over()
    }
}

#[napi_derive::napi]
impl Native {
    /// Begins a walk by this command, with its arguments but the cursor.
    #[napi(catch_unwind)]
    pub fn scan(&self, env: Env, index: u32, list: Value) -> napi::Result<Scan> {
        let js = Js(env.raw());
        let values: Vec<Value> = js.items(list).collect();
        let scan = command_at(index).and_then(|command| {
            with_room(|room| {
                let (args, named) = arguments(js, room, command, &values)?;
                client::Scan::new(command, args, named)
            })
        });
        let scan = scan.map_err(|why| thrown(js, &why))?;
        Ok(Scan { walk: Rc::new(RefCell::new(scan)) })
    }

    /// Takes the command for the next page on.
    #[napi(catch_unwind)]
    pub fn submit_scan(&self, env: Env, scan: &Scan) -> Value {
        let (js, options) = (Js(env.raw()), self.view.options);
        let request = scan.walk.borrow().request();
        self.view.place_page(js, Rc::clone(&scan.walk), |session| {
            session.submit(&request?, options, Instant::now())
        })
    }
}
