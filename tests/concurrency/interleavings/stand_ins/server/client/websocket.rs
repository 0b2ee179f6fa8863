//! No browser comes by the way of a client.

use super::outbox::WriterHandle;
use crate::core::{close_reason::CloseReason, wire::line::LineBuffer};
use std::{io, sync::Arc, time::Duration};

#[derive(Clone, Copy)]
pub(crate) enum Wait {
    No,
    AtMost(Option<Duration>),
}

pub(crate) enum ReadError {
    Io(io::Error),
    Bad(CloseReason),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

pub(crate) enum MessageReader {}

impl MessageReader {
    pub(crate) fn new(_client: &Arc<WriterHandle>, _first: Vec<u8>) -> Box<MessageReader> {
        unreachable!("no browser comes")
    }

    pub(crate) fn read(&mut self, _: &mut LineBuffer, _: Wait) -> Result<usize, ReadError> {
        match *self {}
    }
}
