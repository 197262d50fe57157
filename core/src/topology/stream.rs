//! A byte stream for the background thread, with TLS or without.

use crate::config::{Address, Endpoint, Tls};
use crate::error::{Error, Kind, Result};
use crate::lane::tls::{client_config, refused};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

pub(crate) type Stream = Box<dyn Duplex>;

/// Connects within `patience`: name, socket and TLS. Also tells which machine is at the other end.
pub(crate) async fn connect(
    address: &Address,
    tls: Option<&Tls>,
    patience: Duration,
) -> Result<(Stream, Option<SocketAddr>)> {
    let attempt = async {
        let host = address.host.as_str();
        if let Endpoint::Unix(path) = super::endpoint(address) {
            let socket = UnixStream::connect(path).await.map_err(|error| unreachable(&error))?;
            return Ok((Box::new(socket) as Stream, None));
        }
        let socket = TcpStream::connect((host, address.port))
            .await
            .and_then(|socket| socket.set_nodelay(true).map(|()| socket))
            .map_err(|error| unreachable(&error))?;
        let peer = socket.peer_addr().ok();
        let Some(tls) = tls else {
            return Ok((Box::new(socket) as Stream, peer));
        };
        let name = tls.server_name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name)
            .map_err(|_| Error::config(format!("{host:?} is no name that TLS can verify")))?;
        let connector = TlsConnector::from(client_config(tls)?);
        let stream = connector.connect(name, socket).await.map_err(|error| {
            match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(inner) => refused(inner),
                None => unreachable(&error),
            }
        })?;
        Ok((Box::new(stream) as Stream, peer))
    };
    match timeout(patience, attempt).await {
        Ok(outcome) => outcome.map_err(|error: Error| error.at(address)),
        Err(_) => {
            Err(Error::new(Kind::Unavailable, "cannot connect: no answer in time").at(address))
        }
    }
}

fn unreachable(error: &std::io::Error) -> Error {
    Error::new(Kind::Unavailable, format!("cannot connect: {error}"))
}
