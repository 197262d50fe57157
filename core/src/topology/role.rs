//! Asks a data node for its ROLE, on a connection of the background thread's own.

use super::roll::Standing;
use super::stream::{self, Stream};
use crate::config::{Address, Config};
use crate::error::{Error, Kind, Result};
use crate::proto::encode;
use crate::proto::handshake::{self, Handshake, Login, Role};
use crate::proto::read::Frame;
use crate::proto::reply::Reply;
use crate::proto::scan::{Limits, Scanner};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// A node that has let us in, to be asked as often as needed.
pub(super) struct Asker {
    stream: Stream,
    /// The machine that the node's name led to.
    pub(super) peer: Option<SocketAddr>,
    input: Vec<u8>,
    scanner: Scanner,
    patience: Duration,
    /// ROLE is forbidden here: INFO says the same.
    by_info: bool,
}

impl Asker {
    /// Connects to the node, at the address that is reachable from here, and asks for its role.
    pub(super) async fn connect(
        config: &Config,
        announced: &Address,
        patience: Duration,
    ) -> Result<(Self, Role)> {
        if !config.allow_primaries.allows(announced) {
            return Err(Error::config(format!(
                "a Sentinel names {announced}, which option allow_primaries does not allow"
            )));
        }
        let address = config.address_map.reachable(announced);
        let attempt = async {
            let tls = config.data.tls.as_ref();
            let (stream, peer) = stream::connect(&address, tls, patience).await?;
            let scanner = Scanner::new(Limits { bytes: 1 << 20, ..Limits::default() });
            let (input, by_info) = (Vec::new(), false);
            let mut asker = Self { stream, peer, input, scanner, patience, by_info };
            let role = asker.shake_hands(login(config)?).await?;
            Ok((asker, role))
        };
        match timeout(patience, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(Kind::Unavailable, "connected, but no answer in time")),
        }
        .map_err(
            |error| {
                if error.address().is_none() { error.at(&address) } else { error }
            },
        )
    }

    async fn shake_hands(&mut self, login: Login) -> Result<Role> {
        let mut out = Vec::new();
        let mut handshake = Handshake::new(login, &mut out);
        loop {
            self.write(&out).await?;
            out.clear();
            let length = self.frame().await?;
            let step = handshake.reply(Frame::trusted(&self.input[..length]), &mut out);
            self.input.drain(..length);
            if let Some(greeting) = step? {
                return Ok(greeting.role);
            }
        }
    }

    /// Asks again.
    pub(super) async fn ask(&mut self) -> Result<Role> {
        Ok(self.standing().await?.role)
    }

    /// Asks for the role, and how far the node is in the stream of writes.
    pub(super) async fn standing(&mut self) -> Result<Standing> {
        match timeout(self.patience, self.inquire()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(Kind::Unavailable, "no answer to ROLE in time")),
        }
    }

    async fn inquire(&mut self) -> Result<Standing> {
        loop {
            let question: &[&str] = if self.by_info { &["INFO", "replication"] } else { &["ROLE"] };
            let mut out = Vec::new();
            encode::command(&mut out, question);
            self.write(&out).await?;
            let length = self.frame().await?;
            let frame = Frame::trusted(&self.input[..length]);
            let answer = match frame.error() {
                Some(line) => Err(Error::server(line)),
                None => {
                    let reply = Reply::from_frame(frame);
                    let (role, offset) = match self.by_info {
                        true => handshake::standing_in_info(&reply),
                        false => handshake::standing(&reply),
                    }?;
                    Ok(Standing { role, offset })
                }
            };
            self.input.drain(..length);
            match answer {
                Err(error) if error.code() == Some("NOPERM") && !self.by_info => {
                    self.by_info = true;
                }
                answer => return answer,
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await.map_err(|error| lost(&error))
    }

    async fn frame(&mut self) -> Result<usize> {
        loop {
            match self.scanner.scan(&self.input) {
                Ok(Some(length)) => return Ok(length),
                Ok(None) => {}
                Err(malformed) => return Err(Error::new(Kind::Server, malformed.to_string())),
            }
            let count =
                self.stream.read_buf(&mut self.input).await.map_err(|error| lost(&error))?;
            if count == 0 {
                return Err(Error::new(Kind::Unavailable, "the server closed the connection"));
            }
        }
    }
}

fn lost(error: &std::io::Error) -> Error {
    Error::new(Kind::Unavailable, format!("the connection was lost: {error}"))
}

/// The credentials as they are now: files are read and callbacks asked each time.
pub(crate) fn login(config: &Config) -> Result<Login> {
    let (username, password) = match &config.data.credentials {
        Some(credentials) => credentials.reveal()?,
        None => (None, None),
    };
    Ok(Login {
        username,
        password,
        db: config.data.db,
        client_name: config.data.client_name.clone(),
        resp2: config.protocol == crate::config::Protocol::Resp2,
    })
}
