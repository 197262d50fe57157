//! Passwords, and where they come from. Nothing here prints one.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::{Error, Result};

/// A secret of more than this is no secret but the wrong file.
const LIMIT: u64 = 1024 * 1024;

/// A password: known, in a file, or asked for each time it is needed.
#[derive(Clone)]
pub struct Secret(Origin);

#[derive(Clone)]
enum Origin {
    Known(Arc<Zeroizing<Vec<u8>>>),
    File(Arc<Path>),
    Callback(Arc<Ask>),
}

/// Answers with a password, and with the user it belongs to if that is not the configured one.
type Ask = dyn Fn() -> Result<(Option<String>, String)> + Send + Sync;

/// Who we are to a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Credentials {
    /// The ACL user; `None` is the user `default`.
    pub username: Option<String>,
    /// The password; without one no AUTH is sent.
    pub password: Option<Secret>,
}

impl Credentials {
    /// User and password as they are now: files are read and functions asked each time.
    pub fn reveal(&self) -> Result<(Option<String>, Option<Vec<u8>>)> {
        let Some(password) = &self.password else { return Ok((self.username.clone(), None)) };
        let (user, password) = password.answer()?;
        Ok((user.or_else(|| self.username.clone()), Some(password)))
    }
}

impl Secret {
    /// A password that is known now.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Origin::Known(Arc::new(Zeroizing::new(bytes.into()))))
    }

    /// A password in a file that is read each time, so that a rotated one is picked up.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Origin::File(path.into().into()))
    }

    /// A password that a function supplies each time a connection is made.
    pub fn callback(ask: impl Fn() -> Result<String> + Send + Sync + 'static) -> Self {
        Self(Origin::Callback(Arc::new(move || Ok((None, ask()?)))))
    }

    /// A user and a password that a function supplies each time a connection is made.
    pub fn login(ask: impl Fn() -> Result<(String, String)> + Send + Sync + 'static) -> Self {
        Self(Origin::Callback(Arc::new(move || {
            let (user, password) = ask()?;
            Ok((Some(user), password))
        })))
    }

    /// A password, and perhaps a user, that a function supplies each time a connection is made.
    pub fn ask(ask: impl Fn() -> Result<(Option<String>, String)> + Send + Sync + 'static) -> Self {
        Self(Origin::Callback(Arc::new(ask)))
    }

    /// The password itself, read or asked for anew; a file loses one trailing newline.
    pub fn reveal(&self) -> Result<Vec<u8>> {
        Ok(self.answer()?.1)
    }

    fn answer(&self) -> Result<(Option<String>, Vec<u8>)> {
        match &self.0 {
            Origin::Known(bytes) => Ok((None, bytes.to_vec())),
            Origin::File(path) => read(path).map(|bytes| (None, bytes)).map_err(|why| {
                Error::config(format!(
                    "the secret file {} {why}; make it a readable file again",
                    path.display()
                ))
            }),
            Origin::Callback(ask) => ask().map(|(user, password)| (user, password.into_bytes())),
        }
    }

    /// The file that the secret is read from.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Origin::File(path) => Some(path),
            _ => None,
        }
    }

    /// Asking again can give another answer, so a refused login is worth a second try.
    pub fn can_change(&self) -> bool {
        !matches!(self.0, Origin::Known(_))
    }
}

/// Known secrets are equal by content, files by path, callbacks by identity.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Origin::Known(a), Origin::Known(b)) => a == b,
            (Origin::File(a), Origin::File(b)) => a == b,
            (Origin::Callback(a), Origin::Callback(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The content of a secret file less one trailing newline, or why it cannot be had. Pipes and
/// devices are refused: they can block for ever and cannot be read a second time.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > LIMIT {
        return Err("is larger than 1 MiB".to_owned());
    }
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    Ok(bytes)
}

/// Whether every user of the machine may replace the secret.
#[cfg(unix)]
pub(super) fn is_world_writable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o002 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_world_writable(_path: &Path) -> bool {
    false
}
