//! One Sentinel: asked when there is a question, heard all the time, and itself checked for life.

use super::decide::{Answer, Event, News, SentinelId};
use super::parse;
use super::stream;
use crate::config::{Address, Config, Credentials, Tls};
use crate::error::{Error, Kind, Result};
use futures_util::StreamExt;
use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo, RedisError, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};

/// How long one step with a Sentinel may take.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two signs of life asked of a subscription.
const PULSE: Duration = Duration::from_secs(1);
/// With a round trip of more than this, by distance or because this machine is busy, the last
/// word before a promotion may come too late: the one before it counts then.
const FAR: Duration = Duration::from_millis(10);
/// Pauses between attempts to connect: the first, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What a Sentinel's task needs to know.
pub(super) struct Sentinel {
    pub(super) id: SentinelId,
    pub(super) address: Address,
    pub(super) config: Arc<Config>,
    /// The primary's name; empty until one is known.
    pub(super) name: Arc<super::Name>,
    /// Rung for each question.
    pub(super) question: Arc<Notify>,
    pub(super) events: UnboundedSender<super::watch::Input>,
    /// Its last answer there took long.
    pub(super) far: AtomicBool,
}

/// A Sentinel that has let us in, twice: to be asked, and to be heard.
struct Line {
    asked: MultiplexedConnection,
    /// The way to feel its pulse, and its news.
    heard: (PubSubSink, PubSubStream),
}

impl Sentinel {
    /// Goes on until the deployment is closed and the task with it. A Sentinel that is slow to
    /// answer is listened to until a new subscription has taken the place of the old: it may be
    /// the one that announces a failover.
    pub(super) async fn run(self) {
        let mut pause = RETRY.0;
        let mut heard = None;
        loop {
            let error = match self.hearing(&mut heard, self.connect()).await {
                Ok(Line { asked, heard: (sink, news) }) => {
                    pause = RETRY.0;
                    let news = heard.insert(news);
                    tokio::select! {
                        error = self.answer_questions(asked) => error,
                        error = self.feel_pulse(sink) => error,
                        () = self.pass_news_on(news) => self.error("its subscription was closed"),
                    }
                }
                Err(error) => error,
            };
            self.tell(Event::Answer(self.id, Answer::Failed(error)));
            // A question makes the next attempt come sooner.
            let question = timeout(pause, self.question.notified());
            let _ = self.hearing(&mut heard, question).await;
            pause = (pause * 2).min(RETRY.1);
        }
    }

    /// Does something else, and passes on what the last subscription still brings.
    async fn hearing<T>(
        &self,
        heard: &mut Option<PubSubStream>,
        work: impl Future<Output = T>,
    ) -> T {
        let news = async {
            if let Some(news) = heard {
                self.pass_news_on(news).await;
            }
            std::future::pending().await
        };
        tokio::select! {
            outcome = work => outcome,
            never = news => never,
        }
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more once the deployment is closed.
        let _ = self.events.send(super::watch::Input::Event(event));
    }

    async fn connect(&self) -> Result<Line> {
        let tls = self.tls();
        let credentials = self.credentials()?;
        let (asked, credentials) = self.log_in(tls.as_ref(), credentials).await?;
        let (stream, _) = stream::connect(&self.reachable(), tls.as_ref(), PATIENCE).await?;
        let mut info = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some((user, password)) = &credentials {
            let password = std::str::from_utf8(password).map_err(|_| {
                Error::config("sentinel_password: a Sentinel's password must be UTF-8 text")
            })?;
            info = info.set_password(password);
            if let Some(user) = user {
                info = info.set_username(user);
            }
        }
        let mut heard = self.in_time(PubSub::new(&info, stream)).await?;
        let began = Instant::now();
        self.subscribe(&mut heard).await?;
        self.note_distance(began);
        Ok(Line { asked, heard: heard.split() })
    }

    /// Subscribes to all channels, or to those that our rights cover.
    async fn subscribe(&self, heard: &mut PubSub) -> Result<()> {
        match self.in_time(heard.subscribe(parse::CHANNELS)).await {
            Err(error) if error.code() == Some("NOPERM") => {}
            done => return done,
        }
        let mut refused = Vec::new();
        for channel in parse::CHANNELS {
            match self.in_time(heard.subscribe(channel)).await {
                Err(error) if error.code() == Some("NOPERM") => refused.push(*channel),
                done => done?,
            }
        }
        let warning = format!(
            "Sentinel {} does not let us hear {}; failovers may be noticed later (ACL SETUSER … &channel)",
            self.address,
            refused.join(" ")
        );
        let _ = self.events.send(super::watch::Input::Warning(warning));
        Ok(())
    }

    /// Opens the connection for questions. A Sentinel that wants a password where none is
    /// configured for it is offered that of the data nodes, once: many set only the one.
    async fn log_in(
        &self,
        tls: Option<&Tls>,
        credentials: Option<Pair>,
    ) -> Result<(MultiplexedConnection, Option<Pair>)> {
        let (stream, _) = stream::connect(&self.reachable(), tls, PATIENCE).await?;
        let info = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let open = MultiplexedConnection::new_with_config(&info, stream, config);
        let (mut connection, driver) = self.in_time(open).await?;
        tokio::spawn(driver);
        if let Some(pair) = credentials {
            self.authenticate(&mut connection, &pair).await?;
            return Ok((connection, Some(pair)));
        }
        let ping: std::result::Result<Value, RedisError> =
            redis::cmd("PING").query_async(&mut connection).await;
        let Err(error) = ping else {
            return Ok((connection, None));
        };
        let refused = self.failed(&error);
        if error.code() != Some("NOAUTH") {
            return Err(refused);
        }
        let Some(pair) = reveal(self.config.data.credentials.as_ref())? else {
            return Err(refused);
        };
        self.authenticate(&mut connection, &pair).await.map_err(|_| refused)?;
        let _ = self.events.send(super::watch::Input::Warning(format!(
            "Sentinel {} wants a password and none is set for it (option sentinel_password); the \
             password of the data nodes works",
            self.address
        )));
        Ok((connection, Some(pair)))
    }

    async fn authenticate(
        &self,
        connection: &mut MultiplexedConnection,
        pair: &Pair,
    ) -> Result<()> {
        let mut auth = redis::cmd("AUTH");
        if let Some(user) = &pair.0 {
            auth.arg(user);
        }
        auth.arg(&pair.1);
        match auth.query_async::<Value>(connection).await {
            Ok(_) => Ok(()),
            // It wants no password: as good as a right one.
            Err(error)
                if error.detail().is_some_and(|text| text.contains("without any password")) =>
            {
                Ok(())
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn answer_questions(&self, mut asked: MultiplexedConnection) -> Error {
        loop {
            // The first unasked: what was published before the subscription can only be asked for.
            if let Err(error) = self.answer(&mut asked).await {
                return error;
            }
            self.question.notified().await;
        }
    }

    /// News never wait for an answer: a fence that falls late is none.
    async fn pass_news_on(&self, news: &mut PubSubStream) {
        while let Some(message) = news.next().await {
            self.pass_on(&message);
        }
    }

    async fn feel_pulse(&self, mut sink: PubSubSink) -> Error {
        loop {
            sleep(PULSE).await;
            let asked = Instant::now();
            let ping = async { sink.ping::<Value>().await };
            if let Err(error) = self.in_time(ping).await {
                return error;
            }
            self.note_distance(asked);
        }
    }

    fn note_distance(&self, asked: Instant) {
        self.far.store(asked.elapsed() > FAR, Ordering::Relaxed);
    }

    fn pass_on(&self, message: &redis::Msg) {
        let name = self.name.get();
        let payload = String::from_utf8_lossy(message.get_payload_bytes());
        if let Some(news) = parse::news(message.get_channel_name(), &payload, &name) {
            let far = self.far.load(Ordering::Relaxed);
            let news = match news {
                News::Elected { of } if far => News::Started { of },
                news => news,
            };
            self.tell(Event::News(self.id, news));
        }
        if message.get_channel_name() == "+switch-master" && name.is_empty() {
            self.tell(Event::News(self.id, News::Unsettled));
        }
    }

    /// Asks everything in one go. What the rights do not cover is done without.
    async fn answer(&self, connection: &mut MultiplexedConnection) -> Result<()> {
        let mut name = self.name.get();
        if name.is_empty() {
            let names = self.names(connection).await?;
            match names.as_slice() {
                [only] => name = self.name.settle(only),
                _ => {
                    self.tell(Event::Answer(self.id, Answer::Unknown { names }));
                    return Ok(());
                }
            }
        }
        let mut questions = redis::pipe();
        for question in ["GET-MASTER-ADDR-BY-NAME", "MASTER", "REPLICAS", "SENTINELS"] {
            questions.cmd("SENTINEL").arg(question).arg(name.as_str());
        }
        let ask = connection.req_packed_commands(&questions, 0, 4);
        let replies = self.in_time(ask).await?;
        let answer = match parse::answer(&replies) {
            Some(answer) => answer,
            None => match replies.into_iter().next() {
                Some(Value::ServerError(error)) => return Err(self.failed(&error.into())),
                _ => Answer::Unknown { names: self.names(connection).await.unwrap_or_default() },
            },
        };
        self.tell(Event::Answer(self.id, answer));
        Ok(())
    }

    /// The primaries that it watches.
    async fn names(&self, connection: &mut MultiplexedConnection) -> Result<Vec<String>> {
        let mut question = Cmd::new();
        question.arg("SENTINEL").arg("MASTERS");
        let reply = self.in_time(connection.req_packed_command(&question)).await?;
        Ok(parse::names(&reply))
    }

    async fn in_time<T>(
        &self,
        step: impl Future<Output = std::result::Result<T, RedisError>>,
    ) -> Result<T> {
        match timeout(PATIENCE, step).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) => Err(self.error("no answer in time")),
        }
    }

    fn error(&self, what: &str) -> Error {
        Error::new(Kind::Unavailable, what).at(format!("Sentinel {}", self.address))
    }

    /// The server's own words, where it said some.
    fn failed(&self, error: &RedisError) -> Error {
        let error = match (error.code(), error.detail()) {
            (_, Some(detail)) if detail.contains("unknown command 'SENTINEL'") => Error::config(
                "it is a data node and no Sentinel; Sentinels have a port of their own, usually \
                 26379 (option sentinels, REDIS_SENTINEL_LIST)",
            ),
            (Some(code), Some(detail)) => Error::server(format!("{code} {detail}").as_bytes()),
            (Some(code), None) => Error::server(code.as_bytes()),
            _ if error.is_timeout() => Error::new(Kind::Unavailable, "no answer in time"),
            _ => Error::new(Kind::Unavailable, error.to_string()),
        };
        error.at(format!("Sentinel {}", self.address))
    }

    fn reachable(&self) -> Address {
        self.config.address_map.reachable(&self.address)
    }

    fn seed(&self) -> Option<&crate::config::Seed> {
        match &self.config.target {
            crate::config::Target::Sentinels { seeds, .. } => {
                seeds.iter().find(|seed| seed.address == self.address)
            }
            crate::config::Target::Node(_) => None,
        }
    }

    fn tls(&self) -> Option<Tls> {
        match self.seed().and_then(|seed| seed.tls) {
            Some(false) => None,
            Some(true) => Some(self.config.sentinel.tls.clone().unwrap_or_default()),
            None => self.config.sentinel.tls.clone(),
        }
    }

    fn credentials(&self) -> Result<Option<Pair>> {
        let own = self.seed().and_then(|seed| seed.credentials.as_ref());
        reveal(own.or(self.config.sentinel.credentials.as_ref()))
    }
}

/// User, if named, and password.
type Pair = (Option<String>, Vec<u8>);

fn reveal(credentials: Option<&Credentials>) -> Result<Option<Pair>> {
    let Some(credentials) = credentials else { return Ok(None) };
    Ok(match credentials.reveal()? {
        (None, None) => None,
        (user, password) => Some((user, password.unwrap_or_default())),
    })
}
