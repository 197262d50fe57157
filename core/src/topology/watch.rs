//! The deployment's own task: carries out what [`Decide`] decides.

use super::decide::{Action, Decide, Event, Probe, Told};
use super::home::{self, Home};
use super::role::Asker;
use super::sentinel::Sentinel;
use super::track::track;
use super::{Name, Phase, Shared};
use crate::config::{Address, Config};
use crate::error::Error;
use crate::event;
use crate::proto::handshake::Role;
use crate::stats::Stats;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

/// How long after a failover its calls are settled: their threads have to wake up for that.
const SETTLING: Duration = Duration::from_millis(50);

/// What reaches the task.
#[derive(Debug)]
pub(crate) enum Input {
    Event(Event),
    Warning(String),
    /// Somebody reads from replicas.
    Track,
    /// A node was asked for its ROLE; where its name was found to lead then, and where it was met.
    Proof {
        node: Address,
        role: Result<Role, Error>,
        found: Vec<SocketAddr>,
        met: Option<SocketAddr>,
    },
    /// Where the name of a single node leads now.
    Found(Vec<SocketAddr>),
    /// The last client has gone.
    Close,
}

pub(super) struct Watch {
    pub(super) decide: Decide,
    pub(super) config: Arc<Config>,
    pub(super) name: Arc<Name>,
    pub(super) shared: Arc<Shared>,
    pub(super) inputs: UnboundedReceiver<Input>,
    pub(super) sender: UnboundedSender<Input>,
}

impl Watch {
    pub(super) async fn run(mut self) {
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        let mut bells: Vec<Arc<Notify>> = Vec::new();
        let mut probes: HashMap<Address, tokio::task::AbortHandle> = HashMap::new();
        let mut probing = None;
        let mut home = Home::default();
        tasks.spawn(home::look(Arc::clone(&self.config), self.sender.clone()));
        let mut actions = self.decide.start(began.elapsed());
        let mut troubled = false;
        let mut tracker: Option<tokio::task::AbortHandle> = None;
        loop {
            for (id, address) in self.decide.sentinels().enumerate().skip(bells.len()) {
                let question = Arc::new(Notify::new());
                bells.push(Arc::clone(&question));
                tasks.spawn(
                    Sentinel {
                        id,
                        address: address.clone(),
                        config: Arc::clone(&self.config),
                        name: Arc::clone(&self.name),
                        question,
                        events: self.sender.clone(),
                        far: AtomicBool::new(false),
                    }
                    .run(),
                );
            }
            for action in actions {
                match action {
                    Action::Ask => bells.iter().for_each(|bell| bell.notify_one()),
                    Action::Check(node) => {
                        tasks.spawn(check(Arc::clone(&self.config), node, self.sender.clone()));
                    }
                    Action::Publish => self.shared.publish(self.decide.topology()),
                    Action::Tell(told) => self.tell(told),
                }
            }
            if std::mem::take(&mut troubled) {
                self.shared.heed();
            }
            let wanted = self.decide.probe();
            if wanted != probing {
                self.probe(wanted.as_ref(), &mut probes, &mut tasks);
                probing = wanted;
            }
            while tasks.try_join_next().is_some() {}
            let wake = tokio::time::Instant::from_std(began + self.decide.wake_at());
            actions = tokio::select! {
                input = self.inputs.recv() => match input {
                    Some(Input::Event(event)) => {
                        troubled = matches!(event, Event::Trouble { .. });
                        if let Event::Answer(id, _) = &event
                            && let Some(sentinel) = self.decide.sentinels().nth(*id)
                        {
                            self.shared.note_heard(sentinel);
                        }
                        self.decide.handle(began.elapsed(), event)
                    }
                    Some(Input::Warning(message)) => {
                        self.shared.tell(&event::Event::Warning { message });
                        Vec::new()
                    }
                    Some(Input::Track) => {
                        if tracker.as_ref().is_none_or(tokio::task::AbortHandle::is_finished) {
                            self.shared.interest.serve();
                            let (config, shared) = (&self.config, &self.shared);
                            let track = track(Arc::clone(config), Arc::clone(shared));
                            tracker = Some(tasks.spawn(track));
                        }
                        Vec::new()
                    }
                    Some(Input::Proof { node, role, found, met }) => {
                        let moved = matches!(role, Ok(Role::Primary)) && home.settle(found, met);
                        let mut actions =
                            self.decide.handle(began.elapsed(), Event::Role(node, role));
                        if moved {
                            actions.extend(self.decide.handle(began.elapsed(), Event::Moved));
                        }
                        actions
                    }
                    Some(Input::Found(found)) => {
                        let topology = self.decide.topology();
                        if let Some(node) = topology.primary
                            && topology.phase == Phase::Ready
                            && home.is_left(&found)
                        {
                            let config = Arc::clone(&self.config);
                            tasks.spawn(home::prove(config, node, self.sender.clone()));
                        }
                        Vec::new()
                    }
                    Some(Input::Close) | None => return,
                },
                () = sleep_until(wake) => self.decide.handle(began.elapsed(), Event::Tick),
            };
        }
    }

    /// Keeps one prober for each wanted node. A new pace takes new probers.
    fn probe(
        &self,
        wanted: Option<&Probe>,
        probes: &mut HashMap<Address, tokio::task::AbortHandle>,
        tasks: &mut JoinSet<()>,
    ) {
        for (_, probe) in probes.drain() {
            probe.abort();
        }
        for node in wanted.iter().flat_map(|probe| &probe.nodes) {
            let every = wanted.map_or(Duration::ZERO, |probe| probe.every);
            let prober = probe(Arc::clone(&self.config), node.clone(), every, self.sender.clone());
            probes.insert(node.clone(), tasks.spawn(prober));
        }
    }

    fn tell(&self, told: Told) {
        let event = match told {
            // The first primary takes nobody's place, and what waited for it is no failover's doing.
            Told::Failover { from: None, .. } => {
                self.shared.settle();
                return;
            }
            Told::Failover { from, to, detected_by, took } => {
                let (shared, epoch) = (Arc::clone(&self.shared), self.decide.topology().epoch);
                tokio::spawn(async move {
                    sleep(SETTLING).await;
                    shared.movers.arrive().await;
                    let Stats { held, repeated, maybe_executed, .. } = shared.settle();
                    shared.tell(&event::Event::Failover {
                        from: from.map(|from| from.to_string()),
                        to: to.to_string(),
                        detected_by: detected_by.name(),
                        took,
                        epoch,
                        held,
                        repeated,
                        maybe_executed,
                    });
                });
                return;
            }
            Told::Unfenced { primary, why } => event::Event::Warning {
                message: format!("the announced failover of {primary} did not come about: {why}"),
            },
            Told::Misnamed { sentinel, named, is } => event::Event::Warning {
                message: format!("Sentinel {sentinel} names {named} as primary, which is {is}"),
            },
        };
        self.shared.tell(&event);
    }
}

/// Asks a node for its ROLE once.
async fn check(config: Arc<Config>, node: Address, events: UnboundedSender<Input>) {
    let patience = config.connect_timeout.min(Duration::from_millis(500));
    let found = home::find(&config).await;
    let (role, met) = match Asker::connect(&config, &node, patience).await {
        Ok((asker, role)) => (Ok(role), home::met(&config, &asker)),
        Err(error) => (Err(error), None),
    };
    let _ = events.send(Input::Proof { node, role, found, met });
}

/// Asks a node again and again, until aborted.
async fn probe(
    config: Arc<Config>,
    node: Address,
    every: Duration,
    events: UnboundedSender<Input>,
) {
    let patience = Duration::from_millis(500);
    let tell = |role: Result<_, Error>| {
        let _ = events.send(Input::Event(Event::Role(node.clone(), role)));
    };
    loop {
        match Asker::connect(&config, &node, patience).await {
            Ok((mut asker, role)) => {
                tell(Ok(role));
                loop {
                    sleep(every).await;
                    match asker.ask().await {
                        Ok(role) => tell(Ok(role)),
                        Err(_) => break,
                    }
                }
            }
            // A replica that cannot be reached is no news.
            Err(_) => sleep(every.max(Duration::from_millis(25))).await,
        }
    }
}
