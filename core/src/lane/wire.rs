//! A connected byte stream, shared by the threads that use it.

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// How long a read waits before it looks up: often enough for Ctrl-C, too seldom to cost.
pub const SLICE: Duration = Duration::from_millis(50);

/// What a lane needs of a connection. Writing and reading may happen on two threads at once.
pub trait Wire: Send + Sync + fmt::Debug {
    /// Takes as many bytes as fit, without waiting; `WouldBlock` when none do.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Appends what has arrived to `into` and waits up to [`SLICE`] for the first byte; then
    /// `WouldBlock`. Zero is the end.
    fn read(&self, into: &mut Vec<u8>) -> io::Result<usize>;

    /// Waits until something can be read or written.
    fn wait(&self, interest: Interest, timeout: Duration) -> io::Result<Ready>;

    /// Bytes that `write` took have still to leave; call `write` again, if with nothing.
    fn lags(&self) -> bool {
        false
    }

    /// Whether the other side has gone. Asked on an idle connection before it is used again.
    fn is_over(&self) -> bool;

    /// What an event loop watches.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Ends the connection and wakes whoever waits on it. What had arrived can still be read.
    fn close(&self);
}

impl<W: Wire + ?Sized> Wire for std::sync::Arc<W> {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        (**self).write(bytes)
    }
    fn read(&self, into: &mut Vec<u8>) -> io::Result<usize> {
        (**self).read(into)
    }
    fn wait(&self, interest: Interest, timeout: Duration) -> io::Result<Ready> {
        (**self).wait(interest, timeout)
    }
    fn lags(&self) -> bool {
        (**self).lags()
    }
    fn is_over(&self) -> bool {
        (**self).is_over()
    }
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        (**self).descriptor()
    }
    fn close(&self) {
        (**self).close()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    Read,
    Write,
    Both,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ready {
    pub read: bool,
    pub write: bool,
}

/// A TCP or unix socket, in blocking mode with [`SLICE`] as its receive timeout.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl Socket {
    pub fn new(socket: impl Into<OwnedFd>) -> io::Result<Self> {
        let socket = socket.into();
        rustix::net::sockopt::set_socket_timeout(
            &socket,
            rustix::net::sockopt::Timeout::Recv,
            Some(SLICE),
        )?;
        Ok(Self(socket))
    }
}

impl Wire for Socket {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(&self.0, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
    }

    fn read(&self, into: &mut Vec<u8>) -> io::Result<usize> {
        let (_, count) = recv(&self.0, spare_capacity(into), RecvFlags::empty())?;
        Ok(count)
    }

    fn wait(&self, interest: Interest, timeout: Duration) -> io::Result<Ready> {
        let events = match interest {
            Interest::Read => PollFlags::IN,
            Interest::Write => PollFlags::OUT,
            Interest::Both => PollFlags::IN | PollFlags::OUT,
        };
        let mut fds = [PollFd::from_borrowed_fd(self.0.as_fd(), events)];
        let timeout = Timespec::try_from(timeout).ok();
        poll(&mut fds, timeout.as_ref())?;
        let found = fds[0].revents();
        // Errors and hang-ups show themselves to whoever reads next.
        Ok(Ready {
            read: found.intersects(PollFlags::IN | PollFlags::ERR | PollFlags::HUP),
            write: found.intersects(PollFlags::OUT),
        })
    }

    fn is_over(&self) -> bool {
        let mut byte = [0];
        match recv(&self.0, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((_, count)) => count == 0,
            Err(error) => !matches!(error, rustix::io::Errno::AGAIN | rustix::io::Errno::INTR),
        }
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }

    fn close(&self) {
        // Fails only when the connection is gone already.
        let _ = shutdown(&self.0, Shutdown::Both);
    }
}
