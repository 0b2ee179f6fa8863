//! The check: has everybody read the same lines, each once, each whole, in one order?
//!
//! The first watcher (a client that sends nothing) that reads a line writes it into the `Transcript`. From then on every
//! other client must read exactly those bytes, its own lines left out. So the check of one line at one client is one
//! comparison of bytes, and it is complete: what is lost, torn, repeated or in another order *is* another byte. Only
//! the one who writes must look closer: each sender's lines have to come one after the other, counted from 1.
//!
//! No sockets, no clock: bytes in, faults out. The thread that reads the sockets runs it.

use std::fmt;

use memchr::{memchr, memmem};

use crate::cli::wire::{ARRIVAL, Kind, LineId, Wire};

/// The client whose reading tells who has come in.
pub const FIRST_WATCHER: u32 = 0;
/// Bytes that all have read and that are kept nevertheless, because forgetting each line as it is read costs more.
const KEPT: usize = 1 << 20;
/// Bytes without a line's end after which a line counts as torn. No peer's line is nearly as long.
const LONGEST_READ: usize = 1 << 20;

/// What is wrong with what a client has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Lost(LineId),
    Repeated(LineId),
    Reordered(LineId),
    /// Bytes that are no line of ours and no line of the server's own.
    Torn,
}

/// A broken promise of the server's, and at whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub client: u32,
    pub wrong: Wrong,
    /// The beginning of what was read where the fault showed.
    pub read: String,
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, id) = match self.wrong {
            Wrong::Lost(id) => ("lost", id),
            Wrong::Repeated(id) => ("repeated", id),
            Wrong::Reordered(id) => ("out of order", id),
            Wrong::Torn => {
                return write!(f, "a torn line: client {} read {:?}", self.client, self.read);
            }
        };
        let LineId { sender, seq } = id;
        write!(
            f,
            "a line {what}: line {seq} of client {sender}, at client {}, which read {:?}",
            self.client, self.read
        )
    }
}

/// One line of the transcript, and where its bytes are: counted from the first byte ever written.
#[derive(Clone, Copy)]
struct Line {
    id: LineId,
    start: u64,
    end: u64,
}

/// The one order of all lines, as the first to read each has written it down.
pub struct Transcript {
    wire: Wire,
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// How many bytes, and how many lines, have been forgotten in front.
    forgotten_bytes: u64,
    forgotten_lines: u64,
    /// Of each sender, the number of its last line here.
    last: Vec<u32>,
    /// Who has come in since the last look, as the first watcher reads it.
    pub arrivals: Vec<u32>,
}

impl Transcript {
    pub fn new(wire: Wire) -> Transcript {
        Transcript {
            wire,
            bytes: Vec::new(),
            lines: Vec::new(),
            forgotten_bytes: 0,
            forgotten_lines: 0,
            last: Vec::new(),
            arrivals: Vec::new(),
        }
    }

    /// How many lines have been written, the forgotten ones included.
    pub fn end(&self) -> u64 {
        self.forgotten_lines + self.lines.len() as u64
    }

    /// The number of the last line of `sender` that is written here; 0 if there is none.
    pub fn last_of(&self, sender: u32) -> u32 {
        self.last.get(sender as usize).copied().unwrap_or(0)
    }

    /// Forgets the lines before `next`, if they are worth the move of the rest.
    pub fn forget(&mut self, next: u64) {
        let lines = (next - self.forgotten_lines) as usize;
        let end = lines.checked_sub(1).map_or(self.forgotten_bytes, |last| self.lines[last].end);
        let bytes = (end - self.forgotten_bytes) as usize;
        if bytes >= KEPT {
            self.lines.drain(..lines);
            self.bytes.drain(..bytes);
            self.forgotten_lines = next;
            self.forgotten_bytes = end;
        }
    }

    pub fn is_long(&self) -> bool {
        self.bytes.len() >= KEPT
    }

    fn from(&self, next: u64) -> &[Line] {
        &self.lines[(next - self.forgotten_lines) as usize..]
    }

    fn bytes_of(&self, line: &Line) -> &[u8] {
        &self.bytes[(line.start - self.forgotten_bytes) as usize
            ..(line.end - self.forgotten_bytes) as usize]
    }

    /// Writes the next line down; `rest` begins with it. It must be its sender's next.
    fn write(&mut self, id: LineId, length: usize, rest: &[u8]) -> Result<(), Wrong> {
        let sender = id.sender as usize;
        if sender >= self.last.len() {
            self.last.resize(sender + 1, 0);
        }
        let due = LineId { seq: self.last[sender] + 1, ..id };
        if id.seq < due.seq {
            return Err(Wrong::Repeated(id));
        }
        if id.seq > due.seq {
            return Err(self.late_or_lost(due, rest));
        }
        self.last[sender] = id.seq;
        let start = self.forgotten_bytes + self.bytes.len() as u64;
        self.bytes.extend_from_slice(&rest[..length]);
        self.lines.push(Line { id, start, end: start + length as u64 });
        Ok(())
    }

    /// Why a client reads `id` where line number `next` of the transcript should stand.
    fn explain(&self, id: LineId, reader: &Reader, rest: &[u8]) -> Wrong {
        let due = self.from(reader.next)[0].id;
        let is_to_come = self.from(reader.next).iter().any(|line| line.id == id)
            || id.seq > self.last_of(id.sender);
        if id.sender == reader.client || !is_to_come {
            Wrong::Repeated(id)
        } else {
            self.late_or_lost(due, rest)
        }
    }

    /// What a line is that somebody reads when the transcript is at its end.
    fn explain_extra(&self, id: LineId) -> Wrong {
        if id.seq <= self.last_of(id.sender) { Wrong::Repeated(id) } else { Wrong::Lost(id) }
    }

    /// `due` did not come when it should: does it come later in what has been read?
    fn late_or_lost(&self, due: LineId, rest: &[u8]) -> Wrong {
        let mut line = Vec::with_capacity(self.wire.size);
        self.wire.compose(due, &mut line);
        line.pop();
        if memmem::find(rest, &line).is_some() { Wrong::Reordered(due) } else { Wrong::Lost(due) }
    }
}

/// What one client has read so far, held against the transcript.
pub struct Reader {
    client: u32,
    /// Whether it may write the transcript: not if it sends, since it can not know where its own lines stand.
    is_watcher: bool,
    /// The next line it is to read.
    next: u64,
    /// What it has read and what can not be checked yet: half a line, or lines the transcript does not have so far.
    unchecked: Vec<u8>,
}

impl Reader {
    pub fn new(client: u32, is_watcher: bool, transcript: &Transcript) -> Reader {
        Reader { client, is_watcher, next: transcript.end(), unchecked: Vec::new() }
    }

    pub fn next(&self) -> u64 {
        self.next
    }

    /// Whether it waits for others to write what it has read already.
    pub fn is_ahead(&self) -> bool {
        !self.unchecked.is_empty()
    }

    /// Puts what it has read and could not check in front of `chunk`, whose first bytes they become; returns how many.
    /// What is read next belongs behind them, so that no line has to be put together from two places.
    pub fn take_unchecked(&mut self, chunk: &mut Vec<u8>) -> usize {
        let length = self.unchecked.len();
        chunk.resize(chunk.len().max(length), 0);
        chunk[..length].copy_from_slice(&self.unchecked);
        self.unchecked.clear();
        length
    }

    /// Checks what has been read, beginning with what [`Reader::take_unchecked`] gave; calls `heard` for each line that is
    /// as it should be.
    pub fn read(
        &mut self,
        bytes: &[u8],
        transcript: &mut Transcript,
        heard: &mut impl FnMut(LineId),
    ) -> Result<(), Fault> {
        let checked = self.check(bytes, transcript, heard)?;
        self.unchecked.extend_from_slice(&bytes[checked..]);
        if self.unchecked.len() > LONGEST_READ && memchr(b'\n', &self.unchecked).is_none() {
            return Err(self.fault(Wrong::Torn, &self.unchecked));
        }
        Ok(())
    }

    /// The first line that the transcript has and this client lacks.
    pub fn lacks(&self, transcript: &Transcript) -> Option<Fault> {
        let lost = transcript.from(self.next).iter().find(|line| line.id.sender != self.client)?;
        Some(self.fault(Wrong::Lost(lost.id), &self.unchecked))
    }

    /// What is wrong with bytes that nothing will follow: half a line, or a line that nobody else has read.
    pub fn left_over(&self, transcript: &Transcript) -> Option<Fault> {
        let line =
            self.unchecked.split(|byte| *byte == b'\n').next().filter(|_| self.is_ahead())?;
        let wrong = match transcript.wire.read(line) {
            Kind::Said(id) => transcript.explain_extra(id),
            Kind::Notice | Kind::Torn => Wrong::Torn,
        };
        Some(self.fault(wrong, &self.unchecked))
    }

    /// Returns how many bytes are checked and done with.
    fn check(
        &mut self,
        bytes: &[u8],
        transcript: &mut Transcript,
        heard: &mut impl FnMut(LineId),
    ) -> Result<usize, Fault> {
        let mut at = 0;
        loop {
            at += self.follow(&bytes[at..], transcript, heard);
            let rest = &bytes[at..];
            let Some(end) = memchr(b'\n', rest) else {
                return Ok(at);
            };
            match transcript.wire.read(&rest[..end]) {
                Kind::Notice => at += end + 1,
                Kind::Torn => return Err(self.fault(Wrong::Torn, rest)),
                Kind::Said(id) if id.seq == ARRIVAL => {
                    self.note_arrival(id.sender, transcript);
                    at += end + 1;
                }
                Kind::Said(_) if self.next == transcript.end() && !self.is_watcher => {
                    return Ok(at);
                }
                Kind::Said(id) if self.next == transcript.end() => {
                    transcript.write(id, end + 1, rest).map_err(|wrong| self.fault(wrong, rest))?;
                }
                Kind::Said(id) => return Err(self.fault(transcript.explain(id, self, rest), rest)),
            }
        }
    }

    /// The hot path: goes along the transcript as far as the bytes are the same.
    fn follow(
        &mut self,
        bytes: &[u8],
        transcript: &Transcript,
        heard: &mut impl FnMut(LineId),
    ) -> usize {
        let mut at = 0;
        for line in transcript.from(self.next) {
            if line.id.sender != self.client {
                let expected = transcript.bytes_of(line);
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

    fn note_arrival(&self, sender: u32, transcript: &mut Transcript) {
        if self.client == FIRST_WATCHER {
            transcript.arrivals.push(sender);
        }
    }

    fn fault(&self, wrong: Wrong, rest: &[u8]) -> Fault {
        let shown = &rest[..rest.len().min(48)];
        Fault { client: self.client, wrong, read: String::from_utf8_lossy(shown).into_owned() }
    }
}

#[cfg(test)]
mod tests;
