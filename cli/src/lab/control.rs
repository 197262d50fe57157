//! The lab's own way into a server: its unix socket, which no proxy, NAT or TLS stands in front of.

use std::path::{Path, PathBuf};
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisResult, Value,
};
use redis::{ErrorKind, FromRedisValue, RedisConnectionInfo};

use super::credentials::Login;
use super::error::{Doing, Error, Result};

/// How long the lab waits for an answer unless told otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Opens connections to one server.
#[derive(Debug)]
pub(crate) struct Control {
    name: String,
    client: Client,
}

impl Control {
    /// Control over the server `name` listening on `socket`.
    pub(crate) fn new(name: &str, socket: &Path, login: &Login) -> Result<Self> {
        let mut settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some(user) = login.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &login.password {
            settings = settings.set_password(password.reveal());
        }
        let client = ConnectionAddr::Unix(PathBuf::from(socket))
            .into_connection_info()
            .and_then(|info| Client::open(info.set_redis_settings(settings)))
            .doing(format_args!("use the socket {}", socket.display()))?;
        Ok(Self { name: name.into(), client })
    }

    /// A connection that waits for answers as long as it takes.
    pub(crate) async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let patient =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        self.client.get_multiplexed_async_connection_with_config(&patient).await
    }

    /// A connection for subscriptions.
    pub(crate) async fn subscriber(&self) -> RedisResult<PubSub> {
        self.client.get_async_pubsub().await
    }

    /// Runs a command on a connection of its own and waits for the reply, but not for ever.
    pub(crate) async fn call(&self, command: &[&str], patience: Duration) -> Result<Value> {
        let run = async {
            let mut connection = self.connect().await?;
            redis::cmd(command[0]).arg(&command[1..]).query_async(&mut connection).await
        };
        match tokio::time::timeout(patience, run).await {
            Ok(reply) => reply.map_err(|error| self.refusal(command, &error)),
            Err(_) => Err(Error::new(format!(
                "{} did not answer {} within {} ms",
                self.name,
                command[0],
                patience.as_millis()
            ))),
        }
    }

    /// Runs a command and reads the reply as a `T`.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> Result<T> {
        let reply = self.call(command, PATIENCE).await?;
        redis::from_redis_value(reply).doing(format_args!(
            "read the reply of {} to {}",
            self.name,
            command.join(" ")
        ))
    }

    fn refusal(&self, command: &[&str], error: &redis::RedisError) -> Error {
        let Self { name, .. } = self;
        let command = command[0];
        match (error.kind(), error.code()) {
            (ErrorKind::Server(_) | ErrorKind::Extension, code) => {
                let words = [code, error.detail()].into_iter().flatten();
                let words: Vec<&str> = words.collect();
                Error::new(format!("{name} answered {command} with: {}", words.join(" ")))
            }
            _ => Error::new(format!("{name} cannot be asked {command}: {error}")),
        }
    }
}
