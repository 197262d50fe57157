//! The calls without an outcome, and the outcomes on their way to JavaScript.

use crate::error;
use crate::js::{Js, Value};
use crate::reply::{self, Mode};
use crate::scan::Walk;
use rustc_hash::FxHashMap;
use steadis::client::hosted::Completion;
use steadis::client::{Answer, Outcomes};
use steadis::lane::hosted::Token;

/// JavaScript knows each call by a small number, which is used again once the call is over.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    waiting: FxHashMap<Token, Waiting>,
    tokens: Vec<Token>,
    free: Vec<u32>,
    /// What the native call at hand has to report: codes and values in turn.
    done: Vec<Value>,
}

#[derive(Debug)]
struct Waiting {
    place: u32,
    mode: Mode,
    /// The walk that the reply is a page of.
    walk: Option<Walk>,
}

/// How a call ended; beside its place, it makes the code that JavaScript gets.
#[derive(Debug, Clone, Copy)]
enum End {
    Well = 0,
    Badly = 1,
    /// It has not: it is a subscription, which has something to tell.
    Heard = 2,
}

impl Desk {
    pub(crate) fn take_on(&mut self, token: Token, mode: Mode, walk: Option<Walk>) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.tokens.push(token);
            self.tokens.len() as u32 - 1
        });
        self.tokens[place as usize] = token;
        self.waiting.insert(token, Waiting { place, mode, walk });
        place
    }

    /// Forgets a call, and names it to the session.
    pub(crate) fn withdraw(&mut self, place: u32) -> Option<Token> {
        let token = *self.tokens.get(place as usize)?;
        self.waiting.remove(&token)?;
        self.free.push(place);
        Some(token)
    }

    /// What the session calls it.
    pub(crate) fn token(&self, place: u32) -> Option<Token> {
        let token = self.tokens.get(place as usize)?;
        self.waiting.contains_key(token).then_some(*token)
    }

    pub(crate) fn settle(&mut self, js: Js, token: Token, completion: Completion<'_>) {
        let Some(&Waiting { place, mode, ref walk }) = self.waiting.get(&token) else { return };
        let (end, value) = match completion {
            Completion::Reply(answer) => match walk {
                None => (End::Well, reply::build(js, mode, answer)),
                Some(walk) => page(js, mode, walk, answer),
            },
            Completion::Outcomes(outcomes) => (End::Well, list(js, mode, &outcomes)),
            Completion::Ready => (End::Well, js.undefined()),
            Completion::Again => (End::Well, js.null()),
            Completion::Heard => (End::Heard, js.undefined()),
            Completion::Failed(error) => (End::Badly, error::instance(js, &error)),
        };
        if !matches!(end, End::Heard) {
            self.waiting.remove(&token);
            self.free.push(place);
        }
        self.done.push(js.small(place << 2 | end as u32));
        self.done.push(value);
    }

    /// Everything that was settled since the last time, as one array; of an odd length if there
    /// is more for JavaScript to do.
    pub(crate) fn report(&mut self, js: Js, more: bool) -> Value {
        if more {
            self.done.push(js.boolean(true));
        }
        if self.done.is_empty() {
            return js.undefined();
        }
        let report = js.list(&self.done);
        self.done.clear();
        report
    }
}

fn page(js: Js, mode: Mode, walk: &Walk, answer: Answer<'_>) -> (End, Value) {
    match walk.borrow_mut().take(answer) {
        Ok(page) => (End::Well, reply::build(js, mode, page)),
        Err(error) => (End::Badly, error::instance(js, &error)),
    }
}

fn list(js: Js, mode: Mode, outcomes: &Outcomes) -> Value {
    let values: Vec<Value> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(answer) => reply::build(js, mode, answer),
            Err(error) => error::instance(js, error),
        })
        .collect();
    js.list(&values)
}
