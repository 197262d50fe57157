//! Asks a data node for its ROLE, on a connection of the background thread's own.

use super::stream::{self, Stream};
use crate::config::{Address, Config};
use crate::error::{Error, Kind, Result};
use crate::proto::encode;
use crate::proto::handshake::{Handshake, Login, Role, role};
use crate::proto::read::Frame;
use crate::proto::reply::Reply;
use crate::proto::scan::{Limits, Scanner};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// A node that has let us in, to be asked as often as needed.
pub(super) struct Asker {
    stream: Stream,
    input: Vec<u8>,
    scanner: Scanner,
    patience: Duration,
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
            let stream = stream::connect(&address, config.data.tls.as_ref(), patience).await?;
            let limits = Limits { bytes: 1 << 20, ..Limits::default() };
            let scanner = Scanner::new(limits);
            let mut asker = Self { stream, input: Vec::new(), scanner, patience };
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
        let patience = self.patience;
        let attempt = async {
            let mut out = Vec::new();
            encode::command(&mut out, &["ROLE"]);
            self.write(&out).await?;
            let length = self.frame().await?;
            let frame = Frame::trusted(&self.input[..length]);
            let answer = match frame.error() {
                Some(line) => Err(Error::server(line)),
                None => role(&Reply::from_frame(frame)),
            };
            self.input.drain(..length);
            answer
        };
        match timeout(patience, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(Kind::Unavailable, "no answer to ROLE in time")),
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
