//! What each client reads of one batch, without a copy for each client.
//!
//! A batch is all the events that waited when the fan-out came round. What is said in a room is laid out once, in the
//! room's [`Stream`]. Nearly everybody reads all of it. Who does not (a talker leaves out its own lines; one has a
//! private line in between) has a [`View`]: a short list of [`Piece`]s to read one after the other. So a batch of a
//! thousand lines to a hundred clients costs a thousand appends and a hundred sends, not a hundred thousand of anything.
//!
//! ```text
//!   stream of lobby:  <alice> a\n<bob> b\n<alice> c\n
//!   carol's view:     └──────────── all ────────────┘
//!   alice's view:                └─ piece ─┘              her own lines are skipped
//!   bob's view:       └─ piece ─┘ [from dave] psst\n └ rest ┘    one skipped, one inserted
//! ```

use super::{event::Answer, farewell::Farewell};
use std::ops::Range;

/// What was said in one room during this batch.
#[derive(Default)]
pub struct Stream {
    /// Whole lines.
    pub bytes: Vec<u8>,
    /// How many.
    pub lines: usize,
}

/// Where a piece's bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// In the stream of the room in this slot.
    Room(usize),
    /// Among the lines for single clients.
    Direct,
}

/// Some bytes to read.
#[derive(Debug)]
pub struct Piece {
    /// Where they are.
    pub source: Source,
    /// Which of them.
    pub range: Range<usize>,
    /// How many lines they are.
    pub lines: usize,
}

/// A place in a stream.
#[derive(Clone, Copy, Default, Debug)]
pub struct Place {
    /// Bytes before it.
    pub at: usize,
    /// Lines before it.
    pub lines: usize,
}

impl Stream {
    /// Its end.
    pub fn end(&self) -> Place {
        Place { at: self.bytes.len(), lines: self.lines }
    }
}

/// One client's view of the batch. Everything before `read` is in `pieces` or skipped; the rest is still to come.
#[derive(Default)]
pub struct View {
    /// What to read first.
    pub pieces: Vec<Piece>,
    /// And an answer to the client's own question, told after so many of the pieces.
    pub answer: Option<(usize, Box<Answer>)>,
    /// And after all that it is hung up.
    pub farewell: Option<Farewell>,
    read: Place,
}

impl View {
    /// Reads the room's stream up to `place`.
    pub fn keep_to(&mut self, room: usize, place: Place) {
        if place.at > self.read.at {
            let (range, lines) = (self.read.at..place.at, place.lines - self.read.lines);
            self.pieces.push(Piece { source: Source::Room(room), range, lines });
            self.read = place;
        }
    }

    /// Leaves out what stands between the two places.
    pub fn skip(&mut self, room: usize, from: Place, to: Place) {
        self.keep_to(room, from);
        self.read = to;
    }

    /// Reads `piece` when the room's stream is at `place`.
    pub fn insert(&mut self, room: usize, place: Place, piece: Piece) {
        self.keep_to(room, place);
        self.pieces.push(piece);
    }

    /// Reads an answer when the room's stream is at `place`.
    pub fn insert_answer(&mut self, room: usize, place: Place, answer: Answer) {
        self.keep_to(room, place);
        self.answer = Some((self.pieces.len(), Box::new(answer)));
    }

    /// Goes on at `place` of another room's stream. (The old one was kept up to the end before.)
    pub fn move_to(&mut self, place: Place) {
        self.read = place;
    }

    /// What is in it was told; the batch goes on.
    pub fn told(&mut self) {
        self.pieces.clear();
    }

    /// Ready for the next batch; keeps its memory.
    pub fn clear(&mut self) {
        self.pieces.clear();
        self.answer = None;
        self.farewell = None;
        self.read = Place::default();
    }
}
