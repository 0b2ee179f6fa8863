//! One encrypted connection: bytes in, bytes out. Nothing here waits, and there is no lock: whoever
//! has it is the only one who reads or sends.

use crate::server::net;
use rustls::{ServerConfig, ServerConnection};
use std::{
    io::{self, ErrorKind, IoSlice, Read as _, Write},
    iter::once,
    net::TcpStream,
    sync::Arc,
};

/// The most bytes to be read from the socket at once: a dozen lines as people type them. (With a
/// record that has begun to come, they always fit in rustls's buffer.)
pub(crate) const PIECE: usize = 1024;
/// The most pieces that are read by a thread that has others to look after.
const PIECES_AT_ONCE: usize = 16;
/// The most bytes in a record, by the protocol.
const RECORD_MAX: usize = 16 * 1024;
/// The first byte of everything that a TLS client sends first.
const HANDSHAKE: u8 = 22;
/// What a TLS client can read before there is an encryption: a fatal alert, "access denied".
pub(crate) const DENIED: &[u8] = &[21, 3, 3, 0, 2, 2, 49];

/// Whether a connection that begins with this byte is a TLS client's.
pub(crate) fn is_hello(first: u8) -> bool {
    first == HANDSHAKE
}

/// One connection's keys and buffers.
pub(crate) struct TlsConnection {
    inner: ServerConnection,
    /// Something has come.
    has_begun: bool,
    /// The socket has taken something since somebody asked.
    has_moved: bool,
    /// Its peer has broken the protocol, and was told so.
    has_failed: bool,
    /// Bytes that are decrypted and not read.
    read_ahead: usize,
}

impl TlsConnection {
    pub(crate) fn new(config: Arc<ServerConfig>) -> Result<Box<TlsConnection>, rustls::Error> {
        let mut inner = ServerConnection::new(config)?;
        inner.set_buffer_limit(None); // one record is in it, see `send`
        let (has_begun, has_moved, has_failed) = (false, false, false);
        Ok(Box::new(TlsConnection { inner, has_begun, has_moved, has_failed, read_ahead: 0 }))
    }

    /// Whether anything has come yet.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Whether nothing can be said yet.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    // --- In ---

    /// Takes what has come from the socket, [`PIECE`] bytes at most; nothing is the end of file.
    /// There may be something to send then: an answer of the handshake, an alert.
    ///
    /// # Errors
    /// The peer does not keep to the protocol.
    pub(crate) fn receive(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.has_begun = true;
        loop {
            let count = self.inner.read_tls(&mut bytes)?;
            match self.inner.process_new_packets() {
                Ok(state) => self.read_ahead = state.plaintext_bytes_to_read(),
                Err(error) => {
                    self.has_failed = true;
                    return Err(io::Error::new(ErrorKind::InvalidData, format!("TLS: {error}")));
                }
            }
            if count == 0 || bytes.is_empty() {
                return Ok(()); // behind the peer's close_notify nothing counts
            }
        }
    }

    /// What has come, decrypted; 0 is the end. Fails with `WouldBlock` if there is nothing.
    ///
    /// # Errors
    /// The end came without TLS's own, and anybody on the way may have cut off what was to come.
    pub(crate) fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.reader().read(space).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => {
                io::Error::new(ErrorKind::UnexpectedEof, "cut off: it ended without a close_notify")
            }
            _ => error,
        });
        self.read_ahead -= read.as_ref().copied().unwrap_or(0);
        read
    }

    /// Whether there is something to read that the socket has not.
    pub(crate) fn has_read_ahead(&self) -> bool {
        self.read_ahead > 0
    }

    /// Reads what there is, decrypted, or fails with `WouldBlock`. For a thread that does not wait.
    pub(crate) fn read_now(&mut self, socket: &TcpStream, space: &mut [u8]) -> io::Result<usize> {
        for _ in 0..PIECES_AT_ONCE {
            match self.read(space) {
                Err(e) if net::is_nothing(&e) => {}
                read => return read,
            }
            let most = space.len().min(PIECE);
            let count = net::read_now(socket, &mut space[..most])?;
            let received = self.receive(&space[..count]);
            let _ = self.flush(socket); // an alert, too
            received?;
        }
        Err(ErrorKind::WouldBlock.into())
    }

    // --- Out ---

    /// Encrypts and sends what the socket takes now: `first`, then `slices`. Returns how many of
    /// these bytes are in records; the last of these may not be on its way yet: see [`Self::flush`].
    /// If one was not before, none are: the socket takes no more.
    pub(crate) fn send(
        &mut self,
        socket: &TcpStream,
        first: &[u8],
        slices: &[&[u8]],
    ) -> io::Result<usize> {
        let (mut left, mut rest) = (once(first).chain(slices.iter().copied()), &[][..]);
        let mut sent = 0;
        while self.flush(socket)? {
            let mut record = Vec::new();
            while record.len() < RECORD_MAX {
                if rest.is_empty() {
                    let Some(slice) = left.next() else { break };
                    rest = slice;
                }
                let (these, others) = rest.split_at(rest.len().min(RECORD_MAX - record.len()));
                record.extend_from_slice(these);
                rest = others;
            }
            if record.is_empty() {
                break;
            }
            self.inner.writer().write_all(&record)?;
            sent += record.len();
        }
        Ok(sent)
    }

    /// Sends what is encrypted already, as far as the socket takes it. Returns whether that is all.
    pub(crate) fn flush(&mut self, socket: &TcpStream) -> io::Result<bool> {
        while self.inner.wants_write() {
            match self.inner.write_tls(&mut Now(socket))? {
                0 => return Ok(false),
                _ => self.has_moved = true,
            }
        }
        Ok(true)
    }

    /// Whether something is encrypted that the socket has not taken.
    pub(crate) fn has_unsent(&self) -> bool {
        self.inner.wants_write()
    }

    /// Whether the socket has taken anything since this was asked last.
    pub(crate) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.has_moved)
    }

    /// The end: all that is still to be sent, encrypted, with `last` and TLS's own end behind it.
    pub(crate) fn finish(mut self, last: &[u8]) -> Vec<u8> {
        if !self.has_failed && !self.is_handshaking() {
            let _ = self.inner.writer().write_all(last); // into memory
            self.inner.send_close_notify();
        }
        let mut wire = Vec::new();
        while self.inner.wants_write() && self.inner.write_tls(&mut wire).is_ok() {}
        wire
    }
}

/// A socket that takes what it takes now; 0: nothing.
struct Now<'a>(&'a TcpStream);

impl Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        net::send_now(self.0, &[bytes])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        net::send_vectored_now(self.0, slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
