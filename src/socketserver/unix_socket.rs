//! A Unix-domain listener, and its file. Linux only: only there do we know who connects.

use rustix::{
    fs::{Mode, fchmod},
    net::sockopt::socket_peercred,
};
use socket2::{Domain, SockAddr, Socket, Type};
use std::{
    fmt, fs,
    io::{self, ErrorKind},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{
            fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

/// The longest path of a socket, in bytes: the kernel keeps 108, with a zero behind it.
pub const PATH_MAX: usize = 107;

/// A Unix-domain listener. Its file goes with it.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and number of the file, which nobody else can have while the listener is open.
    file: (u64, u64),
}

/// Why there is no listener.
#[derive(Debug)]
pub enum BindError {
    /// The path has more than [`PATH_MAX`] bytes: this many.
    TooLong(usize),
    /// Somebody answers there.
    Taken,
    /// There is something that is no socket.
    OtherFile,
    /// The system says why.
    System(io::Error),
}

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> BindError {
        BindError::System(error)
    }
}

impl UnixSocket {
    /// Listens at `path`; `queue` connections may wait to be accepted. Who may write to the file may
    /// connect: `mode` says who that is.
    ///
    /// A file that a server has left there when it was killed is taken away.
    ///
    /// # Errors
    /// The path cannot be had. Nothing is changed then.
    pub fn bind(path: &Path, mode: u32, queue: i32) -> Result<UnixSocket, BindError> {
        let length = path.as_os_str().len();
        if length > PATH_MAX {
            return Err(BindError::TooLong(length));
        }
        remove_if_stale(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // The file has this mode as soon as it is there, but for what the process's mask takes away.
        fchmod(&socket, Mode::from_raw_mode(mode)).map_err(io::Error::from)?;
        socket.bind(&SockAddr::unix(path)?).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => BindError::Taken, // by somebody who came a moment earlier
            _ => BindError::System(error),
        })?;
        let metadata = fs::symlink_metadata(path)?;
        let file = (metadata.dev(), metadata.ino());
        let socket = UnixSocket { listener: socket.into(), path: path.to_owned(), file };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        socket2::SockRef::from(&socket.listener).listen(queue)?;
        Ok(socket)
    }

    /// Takes up a listener that another server has handed over, and its file.
    pub fn handed(listener: UnixListener, path: &Path, file: (u64, u64)) -> UnixSocket {
        UnixSocket { listener, path: path.to_owned(), file }
    }

    /// Its file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its file's device and number.
    pub fn file(&self) -> (u64, u64) {
        self.file
    }

    /// Accepts a connection. The number is the user's whose process has made it.
    pub(super) fn accept(&self) -> io::Result<(UnixStream, u32)> {
        let (stream, _) = socket2::SockRef::from(&self.listener).accept()?; // a signal ends the wait
        let stream = UnixStream::from(stream);
        let uid = socket_peercred(&stream)?.uid.as_raw();
        Ok((stream, uid))
    }

    pub(super) fn set_nonblocking(&self, is_on: bool) -> io::Result<()> {
        self.listener.set_nonblocking(is_on)
    }
}

/// Takes a socket's file away on which nobody answers.
fn remove_if_stale(path: &Path) -> Result<(), BindError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(metadata) if !metadata.file_type().is_socket() => return Err(BindError::OtherFile),
        Ok(_) => {}
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?; // its accept queue may be full
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(fs::remove_file(path)?),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(error.into()),
        _ => Err(BindError::Taken),
    }
}

impl Drop for UnixSocket {
    /// Takes the file away, unless it is another one by now. (The listener is closed after that, so
    /// no other file can have its number.)
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.file);
        if is_ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl AsFd for UnixSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// `unix:/run/chatd.sock`
impl fmt::Display for UnixSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix:{}", self.path.display())
    }
}

#[cfg(test)]
mod tests;
