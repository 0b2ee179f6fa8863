//! One batch: the streams of its rooms, and the views of those who do not read a whole stream.
//! Plain data: [`output`](super::output) decides what goes into it.

use super::{ClientKey, RoomKey};
use crate::core::{close_reason::CloseReason, event::Answer};
use slotmap::Key as _;
use std::ops::Range;

/// A view keeps the memory of at most this many pieces from batch to batch.
const PIECES_KEPT: usize = 256;

/// What one client has to read now: `before`, then the answer to their question if there is one,
/// then `after`.
pub struct Delivery<'a> {
    /// Slices to send one after the other.
    pub before: &'a [&'a [u8]],
    /// The answer. It may be long: the driver writes it, and waits while the client is slow.
    pub answer: Option<Answer>,
    /// What was said after the answer was made.
    pub after: &'a [&'a [u8]],
    /// Lines in `before` and `after`.
    pub lines: usize,
    /// Hang the client up after that, for this reason.
    pub close: Option<CloseReason>,
}

impl<'a> Delivery<'a> {
    /// All of a room's stream.
    pub(super) fn whole(slices: &'a [&'a [u8]], lines: usize) -> Delivery<'a> {
        Delivery { before: slices, answer: None, after: &[], lines, close: None }
    }

    /// A line of the server's.
    pub(in crate::core) fn line(slices: &'a [&'a [u8]]) -> Delivery<'a> {
        Delivery::whole(slices, 1)
    }
}

/// A place in a room's stream.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) bytes: usize,
    pub(super) lines: usize,
}

impl Place {
    /// The place after `line`, which begins here.
    pub(super) fn after(self, line: &str) -> Place {
        Place { bytes: self.bytes + line.len(), lines: self.lines + 1 }
    }
}

/// One batch. Its vectors keep their memory from batch to batch: the `_used` fields count the
/// elements that belong to this one.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) streams: Vec<Stream>,
    pub(super) streams_used: usize,
    pub(super) views: Vec<View>,
    pub(super) views_used: usize,
    /// Lines for single clients.
    pub(super) direct: Vec<u8>,
    pub(super) direct_lines: usize,
    /// Bytes of the answers, approximately.
    pub(super) answer_bytes: usize,
    /// The newest minute that somebody wants, and where its `[12:30] ` stands in `direct`.
    pub(super) stamp: Option<(i64, Range<usize>)>,
    /// The number of pieces in all views.
    pub(super) pieces: usize,
    /// Clients whose last batch this is.
    pub(super) ended: Vec<ClientKey>,
}

/// What was said in one room.
#[derive(Default)]
pub(super) struct Stream {
    pub(super) room: RoomKey,
    pub(super) bytes: Vec<u8>,
    pub(super) lines: usize,
    /// What programs are told of the room, behind everything else.
    pub(super) notes: Notes,
    /// The clients that read all of it. Filled when the batch is sealed.
    pub(super) readers: Vec<ClientKey>,
    /// Those that read the notes too.
    pub(super) note_readers: Vec<ClientKey>,
}

/// Lines for programs.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: usize,
    /// Something was said that has a number.
    pub(super) has_talk: bool,
}

impl Notes {
    pub(super) fn push(&mut self, note: &str) {
        self.bytes.extend_from_slice(note.as_bytes());
        self.lines += 1;
    }

    fn clear(&mut self) {
        self.bytes.clear();
        (self.lines, self.has_talk) = (0, false);
    }
}

/// What one client reads. All of the stream before `read` is in `pieces` or skipped; the rest is
/// still to come.
#[derive(Default)]
pub(super) struct View {
    pub(super) client: ClientKey,
    pub(super) room: Option<RoomKey>,
    pub(super) pieces: Vec<Piece>,
    /// The answer, and the number of pieces in front of it.
    pub(super) answer: Option<(usize, Box<Answer>)>,
    pub(super) close: Option<CloseReason>,
    pub(super) read: Place,
    /// They have read or written something in private, and read notes.
    pub(super) has_private: bool,
}

pub(super) struct Piece {
    pub(super) source: Source,
    pub(super) range: Range<usize>,
    pub(super) lines: usize,
}

/// Where a piece's bytes are.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// In `direct`.
    Direct,
    /// In the stream with this index.
    Stream(usize),
    /// In its notes.
    Notes(usize),
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.streams_used == 0 && self.views_used == 0 && self.ended.is_empty()
    }

    pub(super) fn push(&mut self, view: usize, piece: Piece) {
        self.views[view].pieces.push(piece);
        self.pieces += 1;
    }

    /// Empties the batch, and returns the clients whose last batch it was.
    pub(super) fn clear(&mut self) -> Vec<ClientKey> {
        for Stream { room, bytes, lines, notes, readers, note_readers } in
            &mut self.streams[..self.streams_used]
        {
            (*room, *lines) = (RoomKey::null(), 0);
            bytes.clear();
            notes.clear();
            readers.clear();
            note_readers.clear();
        }
        for view in &mut self.views[..self.views_used] {
            view.pieces.clear();
            view.pieces.shrink_to(PIECES_KEPT);
            (view.answer, view.close, view.read) = (None, None, Place::default());
            view.has_private = false;
        }
        (self.streams_used, self.views_used, self.stamp) = (0, 0, None);
        (self.pieces, self.answer_bytes, self.direct_lines) = (0, 0, 0);
        self.direct.clear();
        std::mem::take(&mut self.ended)
    }
}

impl View {
    /// Makes the delivery of a view. `slices` is memory to use again from view to view.
    pub(super) fn hand_out<'a>(
        &mut self,
        streams: &'a [Stream],
        direct: &'a [u8],
        slices: &mut Vec<&'a [u8]>,
        deliver: impl FnOnce(ClientKey, Delivery<'_>),
    ) {
        slices.clear();
        slices.extend(self.pieces.iter().map(|Piece { source, range, .. }| match *source {
            Source::Stream(stream) => &streams[stream].bytes[range.clone()],
            Source::Notes(stream) => &streams[stream].notes.bytes[range.clone()],
            Source::Direct => &direct[range.clone()],
        }));
        let lines = self.pieces.iter().map(|piece| piece.lines).sum();
        let (cut, answer) = match self.answer.take() {
            Some((cut, answer)) => (cut, Some(*answer)),
            None => (slices.len(), None),
        };
        let (before, after) = slices.split_at(cut);
        let close = self.close.take();
        deliver(self.client, Delivery { before, answer, after, lines, close });
    }
}
