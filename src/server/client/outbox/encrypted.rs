//! A client whose connection is encrypted: the handshake, and what they send. Runs on the client's own
//! thread, which waits without the lock of the outbox, and has it while it encrypts or decrypts.

use super::{LOOK_UP, WriterHandle};
use crate::{
    core::wire::line::LineBuffer,
    lock::assert_no_lock_held,
    server::{
        client::websocket::{ReadError, Wait},
        net,
        status::Activity,
        tls::connection::{PIECE, TlsConnection, is_hello},
    },
};
use std::{
    io::{self, ErrorKind},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Why there is no encryption.
pub(crate) enum HandshakeError {
    /// What came first was no TLS; or nothing came at all.
    NoTls,
    /// They do not agree, or it took too long. A sentence says what was wrong.
    Failed(String),
    /// They have closed the connection, and had said nothing.
    Gone,
    /// Somebody has hung the client up.
    HungUp,
}

impl WriterHandle {
    /// From now on the connection is encrypted. To be called before anything is sent. `None`: it cannot
    /// be, and the handshake will fail; nothing goes in plain text.
    pub(in crate::server::client) fn begin_tls(&self, tls: Option<Box<TlsConnection>>) {
        tls.into_iter().for_each(|tls| self.outbox.lock().queue.begin_tls(tls));
        self.is_encrypted.store(true, Relaxed);
    }

    /// Whether it is.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.is_encrypted.load(Relaxed)
    }

    /// Shakes hands, if that is not done yet. Nobody else sends anything meanwhile: the rooms do not
    /// know the client yet.
    #[inline(never)] // see `Session::hear`
    pub(in crate::server::client) fn shake_hands(
        &self,
        patience: Duration,
    ) -> Result<(), HandshakeError> {
        let (end, mut space, mut is_first) = (Instant::now() + patience, [0; PIECE], true);
        self.status.set(Activity::Reading);
        loop {
            let (is_sent, is_handshaking) = self.flush_handshake()?;
            if is_sent && !is_handshaking {
                return Ok(());
            }
            let left = end.saturating_duration_since(Instant::now());
            if self.is_hung_up() {
                return Err(HandshakeError::HungUp);
            }
            if left.is_zero() {
                return Err(match is_first {
                    true => HandshakeError::NoTls,
                    false => HandshakeError::Failed(format!("it took {} s", patience.as_secs())),
                });
            }
            assert_no_lock_held("a handshake");
            if !is_sent {
                let _ = net::wait_writable(&self.socket, left.min(LOOK_UP));
                continue;
            }
            match net::read(&self.socket, &mut space, Some(left)) {
                Ok(0) if self.is_hung_up() => return Err(HandshakeError::HungUp),
                Ok(0) if is_first => return Err(HandshakeError::Gone),
                Ok(0) => return Err(HandshakeError::Failed("it was broken off".to_owned())),
                Ok(_) if is_first && !is_hello(space[0]) => return Err(HandshakeError::NoTls),
                Ok(count) => {
                    is_first = false;
                    self.receive(&space[..count])
                        .map_err(|error| HandshakeError::Failed(error.to_string()))?;
                }
                Err(e) if net::is_nothing(&e) => {}
                Err(e) => return Err(HandshakeError::Failed(e.to_string())),
            }
        }
    }

    /// Sends what there is of the handshake. Returns whether that is all, and whether it goes on.
    fn flush_handshake(&self) -> Result<(bool, bool), HandshakeError> {
        let mut outbox = self.outbox.lock();
        let Some(tls) = outbox.queue.tls() else {
            return Err(HandshakeError::Failed("there is no encryption to be had".to_owned()));
        };
        let is_sent = tls.flush(&self.socket);
        let is_sent = is_sent.map_err(|error| HandshakeError::Failed(error.to_string()))?;
        Ok((is_sent, tls.is_handshaking()))
    }

    /// Decrypts what has come; nothing is the end of file. An alert or the like is sent at once, as
    /// far as the socket takes it.
    fn receive(&self, bytes: &[u8]) -> io::Result<()> {
        let mut outbox = self.outbox.lock();
        let Some(tls) = outbox.queue.tls() else { return Ok(()) };
        let received = tls.receive(bytes);
        // If it is broken, a read finds that out; and what cannot be sent now goes with the next bytes.
        let _ = tls.flush(&self.socket);
        received
    }

    /// Reads lines, as [`net::read`] does, from a client whose connection is encrypted.
    #[inline(never)] // see `Session::hear`
    pub(in crate::server::client) fn read_encrypted(
        self: &Arc<Self>,
        input: &mut LineBuffer,
        wait: Wait,
    ) -> Result<usize, ReadError> {
        let space = input.space();
        let read = self.decrypt(space);
        if !read.as_ref().is_err_and(net::is_nothing) {
            return Ok(read?);
        }
        let has_come = self.read_records(space, wait)?;
        let read = self.decrypt(space);
        if has_come && read.as_ref().is_err_and(net::is_nothing) {
            input.note_waste(0); // part of a record, or one that has no bytes
        }
        Ok(read?)
    }

    /// Reads what has come, and decrypts it. Returns whether something has.
    pub(in crate::server::client) fn read_records(
        &self,
        space: &mut [u8],
        wait: Wait,
    ) -> io::Result<bool> {
        let most = space.len().min(PIECE);
        let count = match wait {
            Wait::No => net::read_now(&self.socket, &mut space[..most]),
            Wait::AtMost(at_most) => net::read(&self.socket, &mut space[..most], at_most),
        }?;
        if count > 0 || !self.is_hung_up() {
            self.receive(&space[..count])?;
        }
        Ok(count > 0)
    }

    /// What was decrypted and is not taken yet; 0 is the end.
    pub(in crate::server::client) fn decrypt(&self, space: &mut [u8]) -> io::Result<usize> {
        if let Some(tls) = self.outbox.lock().queue.tls() {
            match tls.read(space) {
                Err(e) if net::is_nothing(&e) && self.is_hung_up() => {}
                read => return read,
            }
        }
        match self.is_hung_up() {
            true => Ok(0),
            false => Err(ErrorKind::WouldBlock.into()),
        }
    }
}
