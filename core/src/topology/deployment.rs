//! A deployment under watch, shared by all its clients in this process.

use super::Shared;
use super::decide::{Decide, Event, Timing, Trouble};
use super::watch::{Input, Watch};
use crate::config::{Config, Target};
use crate::error::Result;
use crate::runtime::Lease;
use crate::sys;
use arc_swap::ArcSwapOption;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The name of the primary, once it is known.
#[derive(Debug)]
pub(crate) struct Name(Mutex<String>);

impl Name {
    pub(super) fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the only name there is, unless another Sentinel was quicker.
    pub(super) fn settle(&self, only: &str) -> String {
        let mut name = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if name.is_empty() {
            only.clone_into(&mut name);
        }
        name.clone()
    }
}

/// A deployment that is being watched, for as long as anybody holds it.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) shared: Arc<Shared>,
    config: Arc<Config>,
    generation: u64,
    /// Not to be dropped in a child: it would ring the bell of the parent's thread.
    link: ManuallyDrop<Link>,
}

#[derive(Debug)]
struct Link {
    inputs: UnboundedSender<Input>,
    _lease: Lease,
}

/// All that are watched in this process, so that clients of the same one share it. No lock: a
/// fork could leave it locked for ever in the child.
static ALL: ArcSwapOption<Vec<Weak<Deployment>>> = ArcSwapOption::const_empty();

impl Deployment {
    /// The watched deployment of this configuration, from now on if it is not watched yet.
    pub(crate) fn open(config: &Arc<Config>) -> Result<Arc<Self>> {
        let watched = |known: &Weak<Self>| {
            known.upgrade().filter(|it| it.is_ours() && same(&it.config, config))
        };
        if let Some(known) = ALL.load().as_ref().and_then(|all| all.iter().find_map(watched)) {
            return Ok(known);
        }
        let fresh = Arc::new(Self::start(config)?);
        ALL.rcu(|all| {
            let mut all: Vec<Weak<Self>> = all.as_deref().cloned().unwrap_or_default();
            all.retain(|known| known.upgrade().is_some_and(|it| it.is_ours()));
            all.push(Arc::downgrade(&fresh));
            Some(Arc::new(all))
        });
        Ok(fresh)
    }

    fn start(config: &Arc<Config>) -> Result<Self> {
        let lease = Lease::take()?;
        let (sender, inputs) = unbounded_channel();
        let timing = Timing::default();
        let (decide, name) = match &config.target {
            Target::Sentinels { seeds, primary } => {
                let seeds = seeds.iter().map(|seed| seed.address.clone()).collect();
                (Decide::new(seeds, config.fence, timing), primary.clone().unwrap_or_default())
            }
            Target::Node(endpoint) => {
                (Decide::single(super::address(endpoint), timing), String::new())
            }
        };
        let shared = Arc::new(Shared::new(decide.topology()));
        let watch = Watch {
            decide,
            config: Arc::clone(config),
            name: Arc::new(Name(Mutex::new(name))),
            shared: Arc::clone(&shared),
            inputs,
            sender: sender.clone(),
        };
        lease.spawn(watch.run());
        Ok(Self {
            shared,
            config: Arc::clone(config),
            generation: sys::generation(),
            link: ManuallyDrop::new(Link { inputs: sender, _lease: lease }),
        })
    }

    /// It was made by this process, and not by one that this was forked from.
    pub(crate) fn is_ours(&self) -> bool {
        self.generation == sys::generation()
    }

    /// Somebody reads from replicas, and from none that is further behind than this.
    pub(crate) fn note_read(&self, max_lag: Option<Duration>) {
        if self.shared.interest.note(max_lag) {
            let _ = self.link.inputs.send(Input::Track);
        }
    }

    /// Says that something is wrong with the primary of this epoch.
    pub(crate) fn report(&self, epoch: u64, trouble: Trouble) {
        self.shared.report(epoch, &trouble);
        let _ = self.link.inputs.send(Input::Event(Event::Trouble { epoch, trouble }));
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        if self.is_ours() {
            let _ = self.link.inputs.send(Input::Close);
            #[allow(unsafe_code)]
            // SAFETY: dropped here and nowhere else.
            unsafe {
                ManuallyDrop::drop(&mut self.link);
            }
        }
    }
}

/// The same nodes, seen in the same way.
fn same(a: &Config, b: &Config) -> bool {
    a.target == b.target
        && a.data == b.data
        && a.sentinel == b.sentinel
        && a.fence == b.fence
        && a.address_map == b.address_map
        && a.allow_primaries == b.allow_primaries
        && a.connect_timeout == b.connect_timeout
        && a.protocol == b.protocol
}
