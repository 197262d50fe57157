//! The native part of the Ruby gem: values are converted, and the core does the rest.
//!
//! | file | what it holds |
//! |---|---|
//! | `client`, `pipeline`, `script`, `scan`, `watch`, `pubsub` | the client |
//! | `resolver` | who is primary, for other clients |
//! | `events` | what a client tells of its own accord |
//! | `method` | the commands of the table as methods |
//! | `convert` | arguments and replies |
//! | `settings` | options of `connect` |
//! | `values` | topology, health, settings |
//! | `error`, `runtime`, `fiber` | exceptions, and Ruby's lock, threads and fibers |
//! | `hidden` | for the tests of this tree |

mod client;
mod convert;
mod error;
mod events;
mod fiber;
mod hidden;
mod method;
mod pipeline;
mod pubsub;
mod resolver;
mod runtime;
mod scan;
mod script;
mod settings;
mod values;
mod watch;

use magnus::{Error, Module, Ruby, TypedData};

#[magnus::init(name = "steadis")]
fn init(ruby: &Ruby) -> Result<(), Error> {
    // A panic becomes an exception, which says all there is to say.
    std::panic::set_hook(Box::new(|_| {}));
    let home = error::home(ruby)?;
    home.const_set("VERSION", env!("CARGO_PKG_VERSION"))?;
    client::define(ruby, home)?;
    pipeline::define(ruby, home)?;
    script::define(ruby, home)?;
    scan::define(ruby, home)?;
    watch::define(ruby, home)?;
    pubsub::define(ruby, home)?;
    events::define(ruby, home)?;
    resolver::define(ruby, home)?;
    look_up_classes(ruby);
    hidden::define(home)
}

/// Each class is looked up once, at its first use, and Ruby may let another thread run meanwhile.
/// If that needs the same class, it waits for the first with Ruby's lock in hand, which the first
/// waits for: so they are all used while there is nobody else.
fn look_up_classes(ruby: &Ruby) {
    client::Client::class(ruby);
    pipeline::Queue::class(ruby);
    script::Script::class(ruby);
    scan::Scan::class(ruby);
    watch::View::class(ruby);
    pubsub::Subscription::class(ruby);
    events::Events::class(ruby);
    resolver::Resolver::class(ruby);
}
