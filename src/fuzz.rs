//! With the feature `fuzz`: a door to what reads a stranger's bytes and is private otherwise.
//! tests/fuzz goes through it, and nothing else does.

use crate::{
    core::wire::line::LineBuffer,
    server::client::{
        flusher::FlusherQueue,
        outbox::{SlowLimits, WriterHandle},
        websocket::{MessageReader, ReadError, Wait},
    },
};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{Arc, OnceLock},
    time::Duration,
};

/// The server's end of a browser's connection.
pub struct Browser {
    messages: Box<MessageReader>,
    input: LineBuffer,
}

impl Browser {
    /// The request has been answered. `first`: what came behind it.
    ///
    /// # Panics
    /// There is no pipe to be had.
    pub fn new(socket: TcpStream, first: &[u8]) -> Browser {
        static FLUSHER: OnceLock<Arc<FlusherQueue>> = OnceLock::new();
        let flusher = FLUSHER.get_or_init(|| FlusherQueue::new().expect("a pipe").0);
        let limits = SlowLimits { high_water: 65_536, write_deadline: Duration::from_secs(10) };
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1)).into();
        let client = WriterHandle::new(1, socket, peer, limits, Arc::clone(flusher));
        let messages = MessageReader::new(&client, first.to_vec());
        Browser { messages, input: LineBuffer::default() }
    }

    /// What the next message is as bytes of lines, or a part of it; nothing, if there is none, or if it
    /// makes no line (a ping, say).
    ///
    /// # Errors
    /// It is over: 0 is the end of file, and other numbers are codes of a close frame.
    pub fn read(&mut self) -> Result<Vec<u8>, u16> {
        match self.messages.read(&mut self.input, Wait::No) {
            Ok(0) => Err(0),
            Ok(count) => Ok(self.input.space()[..count].to_vec()),
            Err(ReadError::Bad(reason)) => Err(reason.close_code()),
            Err(ReadError::Io(_)) => Ok(Vec::new()),
        }
    }
}
