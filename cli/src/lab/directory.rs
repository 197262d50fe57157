//! The lab's temporary directory, which does not outlive the lab.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::error::{Doing, Result};
use super::random;

const PREFIX: &str = "steadis-lab-";

/// A directory of our own, removed when dropped.
///
/// A lock on the directory itself says whether its lab lives: the kernel lets go of it however the
/// lab ends, and unlike a recorded pid it cannot come to mean another process.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes a new directory, after removing those that killed labs left behind.
    pub(crate) fn new() -> Result<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        let name = &random::hex()?[..10];
        let path = parent.join(format!("{PREFIX}{name}"));
        // It gets its real name only once it is locked, or another lab's sweep could take it.
        let unlocked = parent.join(format!(".{PREFIX}{name}"));
        let lock = create(&unlocked).and_then(|lock| {
            fs::rename(&unlocked, &path)?;
            Ok(lock)
        });
        let lock = lock.doing(format_args!("make the directory {}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    /// A path inside the directory.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next lab.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::DirBuilderExt;
    // Passwords and keys lie in here.
    fs::DirBuilder::new().mode(0o700).create(path)?;
    let lock = File::open(path)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(lock)
}

/// Removes every lab directory whose lab has died; other users' are left alone.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            remove_unlocked(&entry.path());
        }
    }
}

fn remove_unlocked(path: &Path) {
    let Ok(directory) = File::open(path) else {
        return;
    };
    if flock(&directory, FlockOperation::NonBlockingLockExclusive).is_ok() {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                eprintln!("steadis: cannot remove {}: {error}", path.display());
            }
            _ => {}
        }
    }
}
