//! The check: has every client read the same lines, each once, whole, and in one order?
//!
//! The first watcher (a client that sends nothing) to read a line writes it into the `Transcript`.
//! From then on every other client must read exactly those bytes, its own lines left out. So the
//! check of a line at a client is one comparison of bytes, and it is complete: a line that is lost,
//! torn, repeated or out of order is another byte. Only the watcher that writes looks closer: each
//! sender's lines must come in order, counted from 1.

use super::wire::{ARRIVAL, Kind, LineId, Wire};
use anyhow::{Error, Result, anyhow};
use memchr::{memchr, memmem};
use std::ops::Range;

/// The client that reports who has entered.
pub const FIRST_WATCHER: usize = 0;
/// Bytes without a line's end that count as a torn line. No server's lines are nearly as long.
const UNFINISHED_MAX: usize = 1 << 20;

struct Line {
    id: LineId,
    bytes: Range<usize>,
}

/// The one order of all lines. It grows with the run: by some 100 MB a second at full speed.
pub struct Transcript {
    wire: Wire,
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// The number of each sender's last line here.
    last: Vec<usize>,
    /// The clients whose arrival the first watcher has read, and nobody has asked for yet.
    pub arrivals: Vec<usize>,
}

impl Transcript {
    pub fn new(wire: Wire) -> Transcript {
        let (bytes, lines) = (Vec::new(), Vec::new());
        Transcript { wire, bytes, lines, last: Vec::new(), arrivals: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// The number of the last line of `sender`; 0 if there is none.
    pub fn last_of(&self, sender: usize) -> usize {
        self.last.get(sender).copied().unwrap_or(0)
    }

    /// Writes the next line, which is the beginning of `rest` and must be its sender's next.
    fn write(&mut self, reader: &Reader, id: LineId, length: usize, rest: &[u8]) -> Result<()> {
        let due = LineId { seq: self.last_of(id.sender) + 1, ..id };
        if id != due {
            return Err(self.fault(reader, id, due, rest));
        }
        self.last.resize(self.last.len().max(id.sender + 1), 0);
        self.last[id.sender] = id.seq;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&rest[..length]);
        self.lines.push(Line { id, bytes: start..start + length });
        Ok(())
    }

    /// What is wrong if `reader` reads `id` where `due` should stand, followed by `rest`.
    fn fault(&self, reader: &Reader, id: LineId, due: LineId, rest: &[u8]) -> Error {
        let is_to_come = self.lines[reader.next..].iter().any(|line| line.id == id);
        let has_come = id.seq <= self.last_of(id.sender) && !is_to_come;
        if has_come || id.sender == reader.client {
            return reader.fault("repeated", id, rest);
        }
        let mut line = Vec::new();
        self.wire.compose(due, &mut line);
        line.pop();
        let comes_later = memmem::find(rest, &line).is_some();
        reader.fault(if comes_later { "out of order" } else { "lost" }, due, rest)
    }
}

/// What one client has read so far, compared with the transcript.
pub struct Reader {
    client: usize,
    /// Whether it may write the transcript. A sender may not: it does not see its own lines.
    is_watcher: bool,
    /// The place in the transcript of the next line it is to read.
    next: usize,
    /// Bytes that cannot be checked yet: half a line, or lines that no watcher has read.
    unchecked: Vec<u8>,
}

impl Reader {
    pub fn new(client: usize, is_watcher: bool, transcript: &Transcript) -> Reader {
        Reader { client, is_watcher, next: transcript.len(), unchecked: Vec::new() }
    }

    /// Whether it has unchecked bytes that the transcript may have reached by now.
    pub fn is_behind(&self, transcript: &Transcript) -> bool {
        self.next < transcript.len()
    }

    pub fn has_unchecked(&self) -> bool {
        !self.unchecked.is_empty()
    }

    /// Moves the unchecked bytes to the beginning of `chunk`, and returns how many they are. What
    /// is read next belongs behind them: so no bytes are copied to join two halves of a line.
    pub fn take_unchecked(&mut self, chunk: &mut Vec<u8>) -> usize {
        let length = self.unchecked.len();
        chunk.resize(chunk.len().max(length), 0);
        chunk[..length].copy_from_slice(&self.unchecked);
        self.unchecked.clear();
        length
    }

    /// Checks `bytes`, which begin with what [`Reader::take_unchecked`] gave. Calls `heard` for
    /// each line that is right.
    pub fn read(
        &mut self,
        bytes: &[u8],
        transcript: &mut Transcript,
        heard: &mut impl FnMut(LineId),
    ) -> Result<()> {
        let mut at = 0;
        loop {
            at += self.follow(&bytes[at..], transcript, heard);
            let rest = &bytes[at..];
            let Some(end) = memchr(b'\n', rest) else {
                break;
            };
            let is_at_end = self.next == transcript.len();
            match transcript.wire.read(&rest[..end]) {
                Kind::Torn => return Err(self.torn(rest)),
                Kind::Notice => at += end + 1,
                Kind::Said(id) if id.seq == ARRIVAL => {
                    if self.client == FIRST_WATCHER {
                        transcript.arrivals.push(id.sender);
                    }
                    at += end + 1;
                }
                Kind::Said(id) if is_at_end && self.is_watcher => {
                    transcript.write(self, id, end + 1, rest)?;
                }
                Kind::Said(_) if is_at_end => break,
                Kind::Said(id) => {
                    let due = transcript.lines[self.next].id;
                    return Err(transcript.fault(self, id, due, rest));
                }
            }
        }
        self.unchecked.extend_from_slice(&bytes[at..]);
        if self.unchecked.len() > UNFINISHED_MAX && memchr(b'\n', &self.unchecked).is_none() {
            return Err(self.torn(&self.unchecked));
        }
        Ok(())
    }

    /// The hot path: goes along the transcript while the bytes are the same.
    fn follow(
        &mut self,
        bytes: &[u8],
        transcript: &Transcript,
        heard: &mut impl FnMut(LineId),
    ) -> usize {
        let mut at = 0;
        for line in &transcript.lines[self.next..] {
            if line.id.sender != self.client {
                let expected = &transcript.bytes[line.bytes.clone()];
                if !bytes[at..].starts_with(expected) {
                    break;
                }
                at += expected.len();
                heard(line.id);
            }
            self.next += 1;
        }
        at
    }

    /// What is wrong if nothing more comes: a line that this client has not read, or bytes left
    /// over.
    pub fn unfinished(&self, transcript: &Transcript) -> Option<Error> {
        let mut lines = transcript.lines[self.next..].iter();
        if let Some(missing) = lines.find(|line| line.id.sender != self.client) {
            return Some(self.fault("lost", missing.id, &self.unchecked));
        }
        let line = self.unchecked.split(|byte| *byte == b'\n').next().filter(|l| !l.is_empty())?;
        Some(match transcript.wire.read(line) {
            Kind::Said(id) => transcript.fault(self, id, id, b""),
            Kind::Notice | Kind::Torn => self.torn(&self.unchecked),
        })
    }

    fn torn(&self, read: &[u8]) -> Error {
        anyhow!("a torn line: client {} read {:?}", self.client, beginning(read))
    }

    /// `what` has happened to line `id`, which shows where `read` was read.
    fn fault(&self, what: &str, id: LineId, read: &[u8]) -> Error {
        let LineId { sender, seq } = id;
        let (client, read) = (self.client, beginning(read));
        anyhow!(
            "a line {what}: line {seq} of client {sender}, at client {client}, which read {read:?}"
        )
    }
}

fn beginning(read: &[u8]) -> String {
    String::from_utf8_lossy(&read[..read.len().min(48)]).into_owned()
}

#[cfg(test)]
mod tests;
