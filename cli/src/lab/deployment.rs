//! Bringing the servers up, and taking them down.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::JoinSet;

use super::certificates::Certificates;
use super::configuration::{Common, Watcher};
use super::credentials::Credentials;
use super::directory::Directory;
use super::environment::Environment;
use super::error::{Error, Result};
use super::events::Events;
use super::fixtures::Fixtures;
use super::haproxy::Haproxy;
use super::name::Name;
use super::options::Options;
use super::place::Place;
use super::process::find;
use super::random;
use super::roles::Roles;
use super::server::{Kind, Server};
use super::wait::Condition;

/// How long everybody may take to find one another at the start.
const START: Duration = Duration::from_secs(30);

/// A running deployment. Dropping it ends its servers and removes its files.
#[derive(Debug)]
pub struct Lab {
    pub(crate) common: Common,
    pub(crate) nodes: Vec<Arc<Server>>,
    pub(crate) sentinels: Vec<Arc<Server>>,
    pub(crate) haproxy: Option<Haproxy>,
    pub(crate) roles: Arc<Roles>,
    pub(crate) events: Arc<Events>,
    pub(crate) fixtures: Mutex<Fixtures>,
    pub(crate) name: tokio::sync::Mutex<Option<Name>>,
    watchers: JoinSet<()>,
    directory: Directory,
}

impl Lab {
    /// Starts a deployment and waits until all its servers work together.
    pub async fn start(options: Options) -> Result<Self> {
        options.check()?;
        let program = find("redis-server", "redis-server")?;
        let haproxy = options.haproxy.then(|| find("haproxy", "haproxy")).transpose()?;
        let mut lab = Self::prepare(options, program).await?;
        // One after the other: a replica that finds no primary, or finds it busy with another
        // replica's first copy, may wait a second before it tries again.
        for node in &lab.nodes {
            node.start().await?;
            lab.wait(&Condition::InSync, START).await?;
        }
        // Sentinels that find a replica without its primary ask again only after a while.
        start_all(&lab.sentinels).await?;
        lab.watch();
        if let Some(program) = haproxy {
            let directory = &lab.directory;
            let haproxy = Haproxy::new(directory, program, &lab.common, &lab.nodes, &lab.events)?;
            lab.haproxy.insert(haproxy).start().await?;
            lab.wait(&Condition::Haproxy, START).await?;
        }
        lab.wait(&Condition::Agreed, START).await?;
        Ok(lab)
    }

    /// Writes all files; nothing runs yet.
    async fn prepare(options: Options, program: PathBuf) -> Result<Self> {
        let directory = Directory::new()?;
        let events = Arc::new(Events::new());
        let nodes = places(options.replicas + 1, "node", 0, options.nat).await?;
        let sentinels = places(options.sentinels, "sentinel", 100, options.nat).await?;
        let certificates = options.tls.then(|| {
            let inside = nodes.iter().chain(&sentinels).map(|place| place.announced().ip());
            Certificates::new(&directory, &inside.collect::<Vec<_>>())
        });
        let credentials = Credentials::new(&options)?;
        let common = Common { options, credentials, certificates: certificates.transpose()? };

        let primary = nodes[0].announced();
        let mut node_files = Vec::new();
        for (index, place) in nodes.iter().enumerate() {
            let primary = (index > 0).then_some(primary);
            node_files.push(common.node(place, &directory.join(&place.name), primary));
        }
        let ids: Vec<String> = sentinels.iter().map(|_| random::hex()).collect::<Result<_>>()?;
        let watchers: Vec<Watcher> =
            sentinels.iter().zip(&ids).map(|(place, id)| Watcher { place, id }).collect();
        let sentinel_files: Vec<String> = watchers
            .iter()
            .map(|this| common.sentinel(this, &directory.join(&this.place.name), &nodes, &watchers))
            .collect();

        let server = |kind, place: Place, file: String| {
            let logins = match kind {
                Kind::Node => &common.credentials.nodes,
                Kind::Sentinel => &common.credentials.sentinels,
            };
            let home = directory.join(&place.name);
            Server::new(kind, place, &program, &home, &file, &logins.lab, events.clone())
                .map(Arc::new)
        };
        let nodes = nodes.into_iter().zip(node_files);
        let nodes: Vec<_> =
            nodes.map(|(place, file)| server(Kind::Node, place, file)).collect::<Result<_>>()?;
        let sentinels = sentinels.into_iter().zip(sentinel_files);
        let sentinels: Vec<_> = sentinels
            .map(|(place, file)| server(Kind::Sentinel, place, file))
            .collect::<Result<_>>()?;
        Ok(Self {
            roles: Arc::new(Roles::new(nodes.len())),
            common,
            nodes,
            sentinels,
            haproxy: None,
            fixtures: Mutex::default(),
            name: tokio::sync::Mutex::default(),
            events,
            watchers: JoinSet::new(),
            directory,
        })
    }

    /// From now on roles and Sentinel messages are events.
    fn watch(&mut self) {
        for (index, node) in self.nodes.iter().enumerate() {
            let (roles, events) = (self.roles.clone(), self.events.clone());
            self.watchers.spawn(roles.follow(index, node.clone(), events));
        }
        for sentinel in &self.sentinels {
            self.watchers.spawn(listen(sentinel.clone(), self.events.clone()));
        }
    }

    /// The options it was started with.
    pub fn options(&self) -> &Options {
        &self.common.options
    }

    /// What happened and happens.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The environment variables that lead an application to it.
    pub fn environment(&self) -> Environment {
        Environment::of(self)
    }

    /// A file that is gone with the lab.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// All servers: nodes, then Sentinels.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Arc<Server>> {
        self.nodes.iter().chain(&self.sentinels)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let haproxy = self.haproxy.as_ref().map(Haproxy::process);
        let processes = || self.servers().map(|server| &server.process).chain(haproxy);
        // All at once, so that no Sentinel sees another server die; and to the end, so that none
        // writes into the directory while it is removed.
        processes().for_each(|process| process.end());
        processes().for_each(|process| process.wait());
    }
}

async fn places(count: u8, kind: &str, first_host: u8, nat: bool) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for number in 1..=count {
        let name = format!("{kind}{number}");
        places.push(match nat {
            true => Place::behind_nat(name, first_host + number).await?,
            false => Place::plain(name)?,
        });
    }
    Ok(places)
}

async fn start_all(servers: &[Arc<Server>]) -> Result<()> {
    let mut starting = JoinSet::new();
    for server in servers {
        let server = server.clone();
        starting.spawn(async move { server.start().await });
    }
    while let Some(started) = starting.join_next().await {
        started.map_err(|error| Error::new(error.to_string()))??;
    }
    Ok(())
}

/// Makes an event of every message that a Sentinel publishes.
async fn listen(sentinel: Arc<Server>, events: Arc<Events>) {
    loop {
        sentinel.process.running().await;
        if let Ok(mut subscriber) = sentinel.control.subscriber().await
            && subscriber.psubscribe("*").await.is_ok()
        {
            let mut messages = subscriber.on_message();
            while let Some(message) = messages.next().await {
                let text = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
                events.push(message.get_channel_name(), sentinel.name(), Some(text));
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
