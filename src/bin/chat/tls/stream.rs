//! A connection that speaks TLS: read by one thread, written by any.
//!
//! TLS numbers its records when they are made, so they have to be written in that order. And a
//! reader must never wait for a socket that takes nothing: the server may take nothing because it
//! waits for us to read. So one thread, `encrypt`, makes and writes all records. It has a queue:
//!
//! ```text
//!  main, paste, socket ── Send::Bytes ──┐                lock, make records, unlock,
//!  socket, reading ────── Send::Pending ┼─> encrypt ──── write them ──────────────────> TCP
//!  main, leaving ──────── Send::Close ──┘
//! ```
//!
//! The lock is held for what is computed, never for what waits. Whatever fails shuts the socket, so
//! every thread that waits for it goes on.

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use rustls::ClientConnection;
use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::Arc,
    thread,
};

/// What may wait to be sent. Whoever sends waits until it is written: so that is one of each thread.
const QUEUE_MAX: usize = 8;

/// Plain bytes that become records at once; rustls keeps at most 64 KiB.
const CHUNK: usize = 16 * 1024;

/// Bytes read at once: a few lines of chat.
const READ: usize = 4 * 1024;

/// What `encrypt` is asked for.
enum Send {
    /// Send these, and say how it went.
    Bytes(Vec<u8>, Sender<io::Result<()>>),
    /// TLS itself has something to send: the answer to a key update.
    Pending,
    /// Nothing follows: say so.
    Close,
}

pub(crate) struct TlsStream {
    pub(crate) tcp: Arc<TcpStream>,
    state: Arc<Mutex<State>>, // locked to compute, never while anything waits
    queue: Sender<Send>,
}

struct State {
    tls: ClientConnection,
    /// Read from the socket, and not decrypted yet.
    received: Vec<u8>,
}

impl TlsStream {
    /// A connection whose handshake is done.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn new(tcp: TcpStream, tls: ClientConnection) -> io::Result<TlsStream> {
        let tcp = Arc::new(tcp);
        let state = Arc::new(Mutex::new(State { tls, received: Vec::new() }));
        let (queue, waiting) = bounded(QUEUE_MAX);
        let writer = Writer { tcp: Arc::clone(&tcp), state: Arc::clone(&state) };
        let run = move || writer.run(&waiting);
        thread::Builder::new().name("encrypt".to_owned()).spawn(run)?;
        Ok(TlsStream { tcp, state, queue })
    }

    /// Reads as from a socket. An end that the server did not announce (`close_notify`) is an error:
    /// anybody on the way could have made it.
    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let (decrypted, is_pending) = {
                let mut state = self.state.lock();
                let decrypted = state.decrypt(into);
                (decrypted, state.tls.wants_write())
            };
            if is_pending {
                let _ = self.queue.try_send(Send::Pending); // full: then the next one sends it
            }
            if let Some(count) = decrypted? {
                return Ok(count);
            }
            let mut bytes = [0; READ];
            match (&*self.tcp).read(&mut bytes)? {
                0 => drop(self.state.lock().tls.read_tls(&mut io::empty())),
                count => self.state.lock().received.extend_from_slice(&bytes[..count]),
            }
        }
    }

    /// Sends all of it; returns when the socket has taken it.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let (done, is_done) = bounded(1);
        let gone = || io::Error::from(ErrorKind::BrokenPipe);
        self.queue.send(Send::Bytes(bytes.to_vec(), done)).map_err(|_| gone())?;
        is_done.recv().unwrap_or_else(|_| Err(gone()))
    }

    /// Says that nothing more is sent, once what waits is sent.
    pub(crate) fn close(&self) {
        let _ = self.queue.try_send(Send::Close); // gone, or stuck: then it is hung up
    }
}

impl State {
    /// Decrypts as much as there is room for. `None`: for that, more has to be received.
    fn decrypt(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.tls.reader().read(into) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                end_or_bytes => return end_or_bytes.map(Some),
            }
            if self.received.is_empty() {
                return Ok(None);
            }
            let taken = self.tls.read_tls(&mut &self.received[..])?;
            self.received.drain(..taken);
            let read = self.tls.process_new_packets();
            read.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// Makes records of these bytes, and of what TLS itself has to send.
    fn encrypt(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.tls.writer().write_all(bytes)?;
        self.records()
    }

    fn records(&mut self) -> io::Result<Vec<u8>> {
        let mut records = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut records)?;
        }
        Ok(records)
    }
}

/// The thread `encrypt`.
struct Writer {
    tcp: Arc<TcpStream>,
    state: Arc<Mutex<State>>,
}

impl Writer {
    /// Sends until nobody can ask for it any more, or until something fails: then the socket is
    /// shut, and the queue closed.
    fn run(self, queue: &Receiver<Send>) {
        while let Ok(send) = queue.recv() {
            let result = match send {
                Send::Bytes(bytes, done) => {
                    let result = bytes.chunks(CHUNK).try_for_each(|chunk| self.send(chunk));
                    let is_sent = result.is_ok();
                    let _ = done.send(result); // the thread that waited for it has ended
                    if is_sent { Ok(()) } else { Err(ErrorKind::BrokenPipe.into()) }
                }
                Send::Pending => self.send(&[]),
                Send::Close => self.close(),
            };
            if result.is_err() {
                break;
            }
        }
        let _ = self.tcp.shutdown(Shutdown::Both); // gone already: as good
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let records = self.state.lock().encrypt(bytes)?;
        (&*self.tcp).write_all(&records)
    }

    fn close(&self) -> io::Result<()> {
        let records = {
            let mut state = self.state.lock();
            state.tls.send_close_notify();
            state.records()?
        };
        (&*self.tcp).write_all(&records)?;
        self.tcp.shutdown(Shutdown::Write)
    }
}
