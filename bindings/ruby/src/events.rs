//! What a client tells of its own accord.

use crate::{error, values};
use magnus::{
    Class, Error, Module, Object, RArray, RHash, RModule, Ruby, Symbol, Value, function, method,
};
use std::collections::VecDeque;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};
use steadis::Event;
use steadis::picture::{Field, Picture};

/// Events on their way from the background thread to one of Ruby's, which waits at a pipe: the
/// background thread never waits for Ruby, and Ruby knows how to end a wait at a pipe.
#[magnus::wrap(class = "Steadis::Events", free_immediately, size)]
pub(crate) struct Events {
    reader: PipeReader,
    sender: Arc<Sender>,
}

#[derive(Debug)]
struct Sender {
    queue: Mutex<VecDeque<Told>>,
    bell: PipeWriter,
}

#[derive(Debug)]
enum Told {
    Event(Event),
    /// Who is primary now.
    Primary(Option<(String, u64)>),
}

impl Sender {
    fn send(&self, told: Told) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(told);
        if queue.len() == 1 {
            // Fails only when nobody listens any more.
            let _ = (&self.bell).write_all(b"!");
        }
    }
}

impl Events {
    fn new(ruby: &Ruby) -> Result<Self, Error> {
        let failed = |why: std::io::Error| {
            let why = format!("cannot make a pipe for events: {why}");
            error::raise(ruby, &steadis::Error::new(steadis::Kind::Unavailable, why))
        };
        let (reader, bell) = pipe().map_err(failed)?;
        let sender = Sender { queue: Mutex::default(), bell };
        Ok(Self { reader, sender: Arc::new(sender) })
    }

    pub(crate) fn listener(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let sender = Arc::clone(&self.sender);
        move |event| sender.send(Told::Event(event.clone()))
    }

    pub(crate) fn on_change(&self) -> impl Fn(Option<&steadis::Found>) + Send + Sync + 'static {
        let sender = Arc::clone(&self.sender);
        move |found| {
            let found = found.map(|found| (found.address.to_string(), found.epoch));
            sender.send(Told::Primary(found));
        }
    }

    /// Where a thread waits for the next ones.
    fn descriptor(&self) -> i32 {
        self.reader.as_raw_fd()
    }

    /// All that have come, once the pipe can be read.
    fn take(ruby: &Ruby, this: &Self) -> Result<RArray, Error> {
        let mut queue = this.sender.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if !queue.is_empty() {
            // There is one byte for all of them.
            let _ = (&this.reader).read(&mut [0]);
        }
        let told = std::mem::take(&mut *queue);
        drop(queue);
        let all = ruby.ary_new();
        for told in told {
            all.push(value(ruby, told)?)?;
        }
        Ok(all)
    }
}

/// A name and details.
fn value(ruby: &Ruby, told: Told) -> Result<(Symbol, RHash), Error> {
    let (name, told) = match told {
        Told::Event(event) => (event.name(), event.fields()),
        Told::Primary(found) => ("primary", found.map(found_fields).unwrap_or_default()),
    };
    Ok((ruby.to_symbol(name), values::fields(ruby, told)?))
}

fn found_fields((address, epoch): (String, u64)) -> Vec<Field> {
    vec![("address", Picture::Text(address)), ("epoch", Picture::Count(epoch))]
}

pub(crate) fn define(ruby: &Ruby, home: RModule) -> Result<(), Error> {
    let class = home.define_class("Events", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_singleton_method("new", function!(Events::new, 0))?;
    class.define_method("descriptor", method!(Events::descriptor, 0))?;
    class.define_method("take", method!(Events::take, 0))?;
    magnus::value::ReprValue::funcall::<_, _, Value>(home, "private_constant", ("Events",))
        .map(drop)
}
