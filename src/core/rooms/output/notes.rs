//! Who reads notes, and where they stand in a batch: behind all lines of their room. See
//! [`crate::core::notes`].

use super::{Output, Reader};
use crate::core::{
    event::READER_ADDS,
    notes,
    record::LineId,
    rooms::{
        ClientKey, RoomKey,
        batch::{Piece, Source, Stream, View},
    },
};

/// The most bytes of the note that says which line was the last, which a batch ends with.
const LAST_MAX: usize = 64;

impl Output {
    /// Whether anybody reads notes. Otherwise none need be made.
    pub(in crate::core) fn has_note_readers(&self) -> bool {
        self.note_readers > 0
    }

    pub(in crate::core) fn reads_notes(&self, client: ClientKey) -> bool {
        self.note_readers > 0 && self.views.get(client).is_some_and(|reader| reader.reads_notes)
    }

    /// From this batch on `client` reads notes about the room that they are in, or reads none.
    pub(in crate::core::rooms) fn set_reads_notes(&mut self, client: ClientKey, reads_notes: bool) {
        if self.reads_notes(client) != reads_notes {
            let reader = self.views.get(client).copied().unwrap_or_default();
            self.views.insert(client, Reader { reads_notes, ..reader });
            self.note_readers =
                self.note_readers + usize::from(reads_notes) - usize::from(!reads_notes);
        }
    }

    /// Tells programs something about a room, behind all lines of this batch.
    pub(in crate::core::rooms) fn note(&mut self, room: RoomKey, note: &str) {
        if self.has_note_readers() {
            self.stream(room).notes.push(note);
        }
    }

    /// Notes that something was said in a room that has a number.
    pub(in crate::core::rooms) fn note_talk(&mut self, room: RoomKey) {
        if self.has_note_readers() {
            self.stream(room).notes.has_talk = true;
        }
    }

    /// Notes that `client`, who is in `room`, has read or written something in private.
    pub(in crate::core::rooms) fn note_private(
        &mut self,
        client: ClientKey,
        room: Option<RoomKey>,
    ) {
        if self.reads_notes(client) {
            let view = self.view_at_end(client, room);
            self.gathering.views[view].has_private = true;
        }
    }

    /// Adds the number of the last line where something was said, and gives the notes to those who
    /// have views.
    pub(super) fn seal_notes(&mut self, last: LineId) {
        let last = notes::last(last);
        debug_assert!(last.len() + READER_ADDS <= LAST_MAX);
        for Stream { notes, .. } in &mut self.gathering.streams[..self.gathering.streams_used] {
            if notes.has_talk {
                notes.push(&last);
            }
        }
        for index in 0..self.gathering.views_used {
            let View { client, room, has_private, .. } = self.gathering.views[index];
            if !self.reads_notes(client) {
                continue;
            }
            let is_current = |&&(number, _): &&(u64, usize)| number == self.number;
            let stream = room.and_then(|room| self.streams.get(room)).filter(is_current);
            let mut is_told = false;
            if let Some(&(_, stream)) = stream {
                let notes = &self.gathering.streams[stream].notes;
                is_told = notes.has_talk;
                let (range, lines) = (0..notes.bytes.len(), notes.lines);
                if lines > 0 {
                    let source = Source::Notes(stream);
                    self.gathering.push(index, Piece { source, range, lines });
                }
            }
            if has_private && !is_told {
                let range = self.append_direct(&last);
                self.gathering.push(index, Piece { source: Source::Direct, range, lines: 1 });
            }
        }
    }

    /// The bytes that the last note of a batch may add.
    pub(super) fn last_note_max(&self) -> usize {
        if self.has_note_readers() { LAST_MAX } else { 0 }
    }
}
