//! TLS on a socket: rustls, with the sockets' own way of waiting.

use super::wire::{Interest, Ready, Socket, Wire};
use crate::config::Tls;
use crate::error::{Error, Kind, Result};
use crate::sync::{Mutex, lock};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io::{self, BufRead, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// An encrypted connection. A reader waits outside of the session's lock, so that a writer
/// never waits for it.
#[derive(Debug)]
pub(super) struct TlsWire {
    socket: Socket,
    session: Mutex<ClientConnection>,
}

impl TlsWire {
    /// Shakes hands before the deadline. `host` must be in the server's certificate, unless the
    /// settings name another.
    pub(super) fn connect(
        socket: Socket,
        settings: &Tls,
        host: &str,
        deadline: Instant,
    ) -> Result<Self> {
        let config = client_config(settings)?;
        let name = settings.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            Error::config(format!(
                "tls_server_name: {name:?} is neither a host name nor an address"
            ))
        })?;
        let session = ClientConnection::new(config, name).map_err(|error| refused(&error))?;
        let wire = Self { socket, session: Mutex::new(session) };
        wire.shake_hands(deadline)?;
        Ok(wire)
    }

    fn shake_hands(&self, deadline: Instant) -> Result<()> {
        let mut session = lock(&self.session);
        let mut cipher = Vec::new();
        loop {
            let flushed = self.flush(&mut session);
            if !session.is_handshaking() && flushed.is_ok() {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(broken("no answer in time; does the server speak TLS on this port?"));
            }
            let interest = if session.wants_write() { Interest::Both } else { Interest::Read };
            let ready = self.socket.wait(interest, left).map_err(|error| broken(&error))?;
            if ready.read {
                cipher.clear();
                cipher.reserve(8 << 10);
                match self.socket.read(&mut cipher) {
                    Ok(0) => return Err(broken("the server closed the connection")),
                    // A server says nothing of its own accord before we do.
                    Ok(_) => {
                        self.process(&mut session, &cipher, &mut Vec::new()).map_err(|error| {
                            // The alert that tells the server why; it may not want to hear it.
                            let _ = self.flush(&mut session);
                            match error.get_ref().and_then(|error| error.downcast_ref()) {
                                Some(error) => refused(error),
                                None => broken(&error),
                            }
                        })?
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(broken(&error)),
                }
            }
        }
    }

    /// Takes in what has arrived, and moves what it decrypts to `into`.
    fn process(
        &self,
        session: &mut ClientConnection,
        mut cipher: &[u8],
        into: &mut Vec<u8>,
    ) -> io::Result<()> {
        while !cipher.is_empty() {
            session.read_tls(&mut cipher)?;
            session
                .process_new_packets()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            plaintext(session, into)?;
        }
        Ok(())
    }

    /// Sends what the session has encrypted, as far as it fits.
    fn flush(&self, session: &mut ClientConnection) -> io::Result<()> {
        while session.wants_write() {
            session.write_tls(&mut Unwaiting(&self.socket))?;
        }
        Ok(())
    }
}

impl Wire for TlsWire {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut session = lock(&self.session);
        // One piece at a time: what is not on its way yet must not pile up in the session.
        self.flush(&mut session)?;
        let count = session.writer().write(bytes)?;
        match self.flush(&mut session) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    fn read(&self, into: &mut Vec<u8>) -> io::Result<usize> {
        let before = into.len();
        let mut cipher = Vec::new();
        loop {
            // A record and its frame, as large as they get.
            cipher.clear();
            cipher.reserve(17 << 10);
            if self.socket.read(&mut cipher)? == 0 {
                return Ok(0);
            }
            let mut session = lock(&self.session);
            let processed = self.process(&mut session, &cipher, into);
            // Key updates have to be answered.
            let _ = self.flush(&mut session);
            processed?;
            if into.len() > before
                || session.process_new_packets().is_ok_and(|s| s.peer_has_closed())
            {
                return Ok(into.len() - before);
            }
        }
    }

    fn wait(&self, interest: Interest, timeout: Duration) -> io::Result<Ready> {
        self.socket.wait(interest, timeout)
    }

    fn lags(&self) -> bool {
        lock(&self.session).wants_write()
    }

    fn is_over(&self) -> bool {
        let ready = self.socket.wait(Interest::Read, Duration::ZERO);
        if !ready.is_ok_and(|ready| ready.read) {
            return false;
        }
        let (mut session, mut cipher) = (lock(&self.session), Vec::with_capacity(17 << 10));
        match self.socket.read(&mut cipher) {
            Ok(0) | Err(_) => true,
            Ok(_) => {
                // Nothing but a push could be in it, and those are for nobody here.
                self.process(&mut session, &cipher, &mut Vec::new()).is_err()
                    || session.process_new_packets().is_ok_and(|state| state.peer_has_closed())
            }
        }
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.socket.descriptor()
    }

    fn close(&self) {
        let mut session = lock(&self.session);
        session.send_close_notify();
        // Said as a courtesy: the socket is closed whether it arrives or not.
        let _ = self.flush(&mut session);
        self.socket.close();
    }
}

/// Moves decrypted bytes to `into`.
fn plaintext(session: &mut ClientConnection, into: &mut Vec<u8>) -> io::Result<()> {
    let mut reader = session.reader();
    loop {
        let count = match reader.fill_buf() {
            Ok(chunk) => {
                into.extend_from_slice(chunk);
                chunk.len()
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        if count == 0 {
            return Ok(());
        }
        reader.consume(count);
    }
}

/// The socket as a writer that takes what fits and does not wait.
struct Unwaiting<'a>(&'a Socket);

impl Write for Unwaiting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn broken(why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Unavailable, format!("the TLS handshake failed: {why}"))
}

pub(crate) fn refused(error: &rustls::Error) -> Error {
    use rustls::{CertificateError, Error as Tls};
    let remedy = match error {
        Tls::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "; option tls_ca names a file with the authority to trust"
        }
        Tls::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "; option tls_server_name says which name to expect",
        Tls::InvalidMessage(_) => "; does the server speak TLS on this port?",
        _ => "",
    };
    Error::new(Kind::Auth, format!("the TLS handshake failed: {error}{remedy}"))
}

/// Which files a configuration was made of, and when they last changed.
#[derive(Debug, PartialEq)]
struct Source(Vec<(Option<PathBuf>, Option<SystemTime>)>);

impl Source {
    fn of(settings: &Tls) -> Self {
        let files = [&settings.ca, &settings.cert, &settings.key];
        let changed = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).ok();
        Self(files.map(|file| (file.clone(), file.as_ref().and_then(changed))).into())
    }
}

/// Reading the system's certificates takes long; one configuration serves all connections until
/// a file it was made of changes.
static CACHE: std::sync::Mutex<Vec<(Source, Arc<ClientConfig>)>> =
    std::sync::Mutex::new(Vec::new());
const CACHED: usize = 8;

pub(crate) fn client_config(settings: &Tls) -> Result<Arc<ClientConfig>> {
    let source = Source::of(settings);
    let mut cache = CACHE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((_, config)) = cache.iter().find(|(known, _)| *known == source) {
        return Ok(Arc::clone(config));
    }
    let config = Arc::new(build(settings)?);
    if cache.len() == CACHED {
        cache.remove(0);
    }
    cache.push((source, Arc::clone(&config)));
    Ok(config)
}

fn build(settings: &Tls) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Kind::Internal, error.to_string()))?
        .with_root_certificates(roots(settings.ca.as_deref())?);
    match (&settings.cert, &settings.key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(cert), Some(key)) => {
            let chain = certificates("tls_cert", cert)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| unreadable("tls_key", key, &error))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| Error::config(format!("tls_cert and tls_key: {error}")))
        }
        (Some(_), None) => Err(Error::config("tls_cert is set without tls_key; set both")),
        (None, Some(_)) => Err(Error::config("tls_key is set without tls_cert; set both")),
    }
}

/// The given authority alone, else the system's, else those compiled in: containers often come
/// without any.
fn roots(ca: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    if let Some(path) = ca {
        for certificate in certificates("tls_ca", path)? {
            store
                .add(certificate)
                .map_err(|error| Error::config(format!("tls_ca: {}: {error}", path.display())))?;
        }
        return Ok(store);
    }
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(store)
}

fn certificates(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(option, path, &error))?;
    if certificates.is_empty() {
        let path = path.display();
        return Err(Error::config(format!("{option}: {path} holds no certificate in PEM form")));
    }
    Ok(certificates)
}

fn unreadable(option: &str, path: &Path, error: &rustls::pki_types::pem::Error) -> Error {
    Error::config(format!("{option}: cannot read {}: {error}", path.display()))
}
