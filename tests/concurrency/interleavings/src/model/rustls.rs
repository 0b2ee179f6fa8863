//! An encryption that hides nothing: each record has its kind, its number, and its length, and its bytes are changed by the
//! number. So whoever reads notices one that is torn, missing, or overtaken.

use super::std::{
    collections::VecDeque,
    fmt,
    io::{self, ErrorKind, IoSlice, Read, Write},
    sync::Arc,
};

const CLOSE: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
/// The first bytes of a record: its kind, its number, its length.
const HEADER: usize = 4;

/// What a client sends first.
pub(crate) fn hello() -> Vec<u8> {
    record(HANDSHAKE, 0, b"")
}

/// The client's record with this number, counted from 1.
pub(crate) fn seal(number: u8, bytes: &[u8]) -> Vec<u8> {
    record(DATA, number, bytes)
}

fn record(kind: u8, number: u8, bytes: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(bytes.len()).expect("a short record").to_be_bytes();
    let changed = bytes.iter().map(|byte| byte ^ number);
    [kind, number, high, low].into_iter().chain(changed).collect()
}

/// Takes the first record, if it is whole.
fn take_record(bytes: &mut Vec<u8>, number: u8) -> Option<(u8, Vec<u8>)> {
    let [kind, its, high, low, ..] = bytes[..] else { return None };
    let end = HEADER + usize::from(u16::from_be_bytes([high, low]));
    assert_eq!(its, number, "a record is missing, torn or overtaken");
    let record = bytes.get(HEADER..end)?.iter().map(|byte| byte ^ number).collect();
    bytes.drain(..end);
    Some((kind, record))
}

/// What a client reads of this: of whole records, the text. And whether that is all, with the end behind it.
pub(crate) fn open(mut bytes: Vec<u8>) -> (Vec<u8>, bool) {
    let (mut text, mut is_ended) = (Vec::new(), false);
    for number in 0.. {
        let Some((kind, record)) = take_record(&mut bytes, number) else { break };
        assert!(!is_ended, "something comes behind the end");
        assert_eq!(kind == HANDSHAKE, number == 0, "the handshake comes first");
        is_ended = kind == CLOSE;
        text.extend(record);
    }
    (text, is_ended && bytes.is_empty())
}

/// The same of everything: the end has to be there, and nothing torn.
pub(crate) fn open_all(bytes: Vec<u8>) -> Vec<u8> {
    let (text, is_ended) = open(bytes);
    assert!(is_ended, "the end is missing, or something is torn");
    text
}

// --- What is called of rustls ---

pub(crate) struct ServerConfig;

#[derive(Debug)]
pub(crate) struct Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no record of this kind comes now")
    }
}

pub(crate) struct IoState(usize);

impl IoState {
    pub(crate) fn plaintext_bytes_to_read(&self) -> usize {
        self.0
    }
}

#[derive(Default)]
pub(crate) struct ServerConnection {
    /// What has come of records.
    came: Vec<u8>,
    /// Their text.
    text: VecDeque<u8>,
    has_ended: bool,
    is_cut_off: bool,
    /// Records that have come, and that were made.
    counts: (u8, u8),
    /// Of those that were made: what the socket has not taken.
    unsent: Vec<u8>,
}

impl ServerConnection {
    pub(crate) fn new(_: Arc<ServerConfig>) -> Result<ServerConnection, Error> {
        Ok(ServerConnection::default())
    }

    pub(crate) fn set_buffer_limit(&mut self, _: Option<usize>) {}

    pub(crate) fn is_handshaking(&self) -> bool {
        self.counts.0 == 0
    }

    pub(crate) fn read_tls(&mut self, from: &mut dyn Read) -> io::Result<usize> {
        let count = from.read_to_end(&mut self.came)?;
        self.is_cut_off |= count == 0 && !self.has_ended;
        Ok(count)
    }

    pub(crate) fn process_new_packets(&mut self) -> Result<IoState, Error> {
        while let Some((kind, record)) = take_record(&mut self.came, self.counts.0) {
            match (kind, self.counts.0) {
                (HANDSHAKE, 0) => self.make(HANDSHAKE, b""),
                (DATA, 1..) => self.text.extend(record),
                (CLOSE, 1..) => self.has_ended = true,
                _ => return Err(Error),
            }
            self.counts.0 += 1;
        }
        Ok(IoState(self.text.len()))
    }

    pub(crate) fn reader(&mut self) -> Reader<'_> {
        Reader(self)
    }

    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer(self)
    }

    fn make(&mut self, kind: u8, bytes: &[u8]) {
        self.unsent.extend(record(kind, self.counts.1, bytes));
        self.counts.1 += 1;
    }

    pub(crate) fn send_close_notify(&mut self) {
        self.make(CLOSE, b"");
    }

    pub(crate) fn wants_write(&self) -> bool {
        !self.unsent.is_empty()
    }

    pub(crate) fn write_tls(&mut self, to: &mut dyn Write) -> io::Result<usize> {
        let count = to.write_vectored(&[IoSlice::new(&self.unsent)])?;
        self.unsent.drain(..count);
        Ok(count)
    }
}

pub(crate) struct Reader<'a>(&'a mut ServerConnection);

impl Read for Reader<'_> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self.0.text.is_empty() {
            true if self.0.has_ended => Ok(0),
            true if self.0.is_cut_off => Err(ErrorKind::UnexpectedEof.into()),
            true => Err(ErrorKind::WouldBlock.into()),
            false => self.0.text.read(space),
        }
    }
}

pub(crate) struct Writer<'a>(&'a mut ServerConnection);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.make(DATA, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
