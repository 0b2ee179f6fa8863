//! Which part of a batch each client reads, without a copy for each client.
//!
//! A batch is everything that was applied together. What is said in a room is appended once, to the
//! room's stream. Nearly everybody there reads the whole stream. A client who does not (a talker
//! leaves out their own lines; somebody has a private line in between) has a view: a short list of
//! pieces to read one after the other. So a batch of a thousand lines to a hundred clients costs a
//! thousand appends and a hundred sends, not a hundred thousand of each.
//!
//! ```text
//!   stream of lobby:  <alice> a\n<bob> b\n<alice> c\n
//!   carol reads:      └──────────── all ────────────┘
//!   alice's view:                └─ piece ─┘              alice's lines are skipped
//!   bob's view:       └─ piece ─┘ [from dave] psst\n └ rest ┘    one skipped, one inserted
//! ```
//!
//! At most two batches exist: one gathers, and one is sealed and waits until its records are
//! written. Then it is flushed.

mod notes;

use super::{
    ClientKey, RoomKey,
    batch::{Batch, Delivery, Piece, Place, Source, Stream, View},
};
use crate::core::{
    close_reason::CloseReason,
    event::{Answer, READER_ADDS},
    record::LineId,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use slotmap::SecondaryMap;
use std::{
    mem::{swap, take},
    ops::Range,
};

/// Everything that was applied and not yet delivered.
#[derive(Serialize, Deserialize)]
pub(crate) struct Output {
    #[serde(skip, default = "unset_zone")]
    zone: TimeZone,
    now: Timestamp,
    #[serde(skip)]
    gathering: Batch,
    #[serde(skip)]
    sealed: Batch,
    is_sealed: bool,
    /// The number of the batch that gathers, from 1.
    number: u64,
    /// Where a client's view is. (An entry of an earlier batch means: none in this one. So nothing
    /// has to be cleared for each batch.)
    views: SecondaryMap<ClientKey, Reader>,
    /// Where a room's stream is, in the same way.
    streams: SecondaryMap<RoomKey, (u64, usize)>,
    /// The number of clients that read notes.
    note_readers: usize,
}

/// What is known of a client from batch to batch.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Reader {
    /// The number of the batch that has their last view; 0: none had.
    batch: u64,
    /// The view's index there.
    index: u32,
    reads_notes: bool,
}

fn unset_zone() -> TimeZone {
    TimeZone::UTC
}

impl Output {
    /// `zone`: the zone of the times in front of live lines.
    pub(super) fn new(zone: TimeZone) -> Output {
        Output {
            zone,
            now: Timestamp::UNIX_EPOCH,
            gathering: Batch::default(),
            sealed: Batch::default(),
            is_sealed: false,
            number: 1,
            views: SecondaryMap::new(),
            streams: SecondaryMap::new(),
            note_readers: 0,
        }
    }

    /// Whether nothing waits to be delivered.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.is_sealed && self.gathering.is_empty()
    }

    pub(super) fn set_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    /// Sets the time of what is shown from here on.
    pub(super) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Appends whole lines to a room's stream, and returns where they stand.
    pub(super) fn append(&mut self, room: RoomKey, text: &str, lines: usize) -> (Place, Place) {
        let stream = self.stream(room);
        let from = Place { bytes: stream.bytes.len(), lines: stream.lines };
        stream.bytes.extend_from_slice(text.as_bytes());
        stream.lines += lines;
        (from, Place { bytes: stream.bytes.len(), lines: stream.lines })
    }

    /// Leaves out what stands between the two places, for `client`, who is in `room`.
    pub(super) fn skip(&mut self, client: ClientKey, room: RoomKey, (from, to): (Place, Place)) {
        let view = self.view(client, Some(room));
        self.read_to(view, from);
        self.gathering.views[view].read = to;
    }

    /// Puts the time in front of the line at `place`, for `client`, who is in `room`.
    pub(super) fn stamp(&mut self, client: ClientKey, room: RoomKey, place: Place) {
        let minute = self.now.as_second().div_euclid(60);
        let range = match self.gathering.stamp.clone() {
            Some((of, range)) if of == minute => range,
            _ => {
                let stamp = self.zone.to_datetime(self.now).strftime("[%H:%M] ").to_string();
                self.append_direct(&stamp)
            }
        };
        self.gathering.stamp = Some((minute, range.clone()));
        let view = self.view(client, Some(room));
        self.read_to(view, place);
        self.gathering.push(view, Piece { source: Source::Direct, range, lines: 0 });
    }

    /// Shows a line to `client` alone, behind everything that their room (if they are in one) has
    /// said so far. `stamped`: with the time in front.
    pub(super) fn tell(
        &mut self,
        client: ClientKey,
        room: Option<RoomKey>,
        line: &str,
        stamped: bool,
    ) {
        if let (true, Some(room)) = (stamped, room) {
            self.stamp(client, room, self.end_of(room));
        }
        let range = self.append_direct(line);
        self.gathering.direct_lines += 1;
        let view = self.view_at_end(client, room);
        self.gathering.push(view, Piece { source: Source::Direct, range, lines: 1 });
    }

    /// Answers `client`, behind everything that their room has said so far.
    pub(super) fn answer(&mut self, client: ClientKey, room: Option<RoomKey>, answer: Answer) {
        let view = self.view_at_end(client, room);
        self.gathering.answer_bytes += answer.bytes();
        let view = &mut self.gathering.views[view];
        view.answer = Some((view.pieces.len(), Box::new(answer)));
    }

    /// Hangs `client` up when they have read everything up to here.
    pub(super) fn close(&mut self, client: ClientKey, room: Option<RoomKey>, reason: CloseReason) {
        let view = self.view_at_end(client, room);
        self.gathering.views[view].close = Some(reason);
    }

    /// Lets `client` read `room` from here on, and no longer the room `before`: every line that
    /// is said in `room` later, and none that was said earlier. `None`: they are in no room.
    pub(super) fn enter(
        &mut self,
        client: ClientKey,
        before: Option<RoomKey>,
        room: Option<RoomKey>,
    ) {
        let view = self.view_at_end(client, before);
        let read = room.map(|room| self.end_of(room)).unwrap_or_default();
        let view = &mut self.gathering.views[view];
        (view.room, view.read) = (room, read);
    }

    /// Makes this batch the last that `client` reads.
    pub(super) fn end(&mut self, client: ClientKey) {
        self.set_reads_notes(client, false);
        self.gathering.ended.push(client);
    }

    /// Bytes that the batch has gathered, no fewer than any client reads of it; and one for each
    /// piece. (Each line makes two pieces for each reader with `/timestamps`. Counting them keeps
    /// the pieces of a batch within a few MiB.)
    pub(in crate::core) fn bytes(&self) -> usize {
        let Batch { streams, streams_used, direct, direct_lines, pieces, .. } = &self.gathering;
        let wire_bytes = |bytes: &[u8], lines: usize| bytes.len() + READER_ADDS * lines;
        let streams = &streams[..*streams_used];
        let said = streams.iter().map(|Stream { bytes, lines, notes, .. }| {
            wire_bytes(bytes, *lines) + wire_bytes(&notes.bytes, notes.lines)
        });
        pieces + wire_bytes(direct, *direct_lines) + said.sum::<usize>() + self.last_note_max()
    }

    /// Bytes of the answers that the batch has gathered, approximately.
    pub(in crate::core) fn answer_bytes(&self) -> usize {
        self.gathering.answer_bytes
    }

    /// Whether a batch is sealed.
    pub(in crate::core) fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    /// Whether `client` has a view in the batch that gathers.
    fn has_view(&self, client: ClientKey) -> bool {
        self.views.get(client).is_some_and(|reader| reader.batch == self.number)
    }

    /// Seals the batch: what it shows is fixed, and another one gathers. `last` is the number of the
    /// last line. `members_of` returns the clients that read a room.
    pub(super) fn seal<'a>(
        &mut self,
        last: LineId,
        members_of: impl Fn(RoomKey) -> &'a [ClientKey],
    ) {
        for view in 0..self.gathering.views_used {
            let end = self.gathering.views[view].room.map(|room| self.end_of(room));
            self.read_to(view, end.unwrap_or_default());
        }
        if self.has_note_readers() {
            self.seal_notes(last);
        }
        for index in 0..self.gathering.streams_used {
            let Stream { room, bytes, readers, note_readers, notes, .. } =
                &mut self.gathering.streams[index];
            let (has_text, has_notes) = (!bytes.is_empty(), notes.lines > 0);
            let (mut readers, mut note_readers) = (take(readers), take(note_readers));
            let members = members_of(*room);
            let others = members.iter().filter(|&&member| !self.has_view(member));
            match has_notes {
                false => readers.extend(others),
                true => others.for_each(|&other| match self.reads_notes(other) {
                    true => note_readers.push(other),
                    false if has_text => readers.push(other),
                    false => {}
                }),
            }
            let stream = &mut self.gathering.streams[index];
            (stream.readers, stream.note_readers) = (readers, note_readers);
        }
        swap(&mut self.gathering, &mut self.sealed);
        self.is_sealed = true;
        self.number += 1;
    }

    /// Delivers the sealed batch. Calls `deliver` at most once for each client. Returns those whose
    /// last batch it was.
    pub(in crate::core) fn flush(
        &mut self,
        mut deliver: impl FnMut(ClientKey, Delivery<'_>),
    ) -> Vec<ClientKey> {
        let Batch { streams, streams_used, views, views_used, direct, .. } = &mut self.sealed;
        let mut slices = Vec::new();
        for view in &mut views[..*views_used] {
            view.hand_out(streams, direct, &mut slices, &mut deliver);
        }
        // Everybody else reads the whole stream of their room. This is the expensive loop.
        for Stream { bytes, lines, notes, readers, note_readers, .. } in &streams[..*streams_used] {
            for &reader in readers {
                deliver(reader, Delivery::whole(&[bytes], *lines));
            }
            for &reader in note_readers {
                deliver(reader, Delivery::whole(&[bytes, &notes.bytes], lines + notes.lines));
            }
        }
        self.is_sealed = false;
        self.sealed.clear()
    }

    /// See [`Chat::flush_one`](crate::core::Chat::flush_one). The batch must have no records.
    pub(in crate::core) fn flush_one(
        &mut self,
        client: ClientKey,
        deliver: impl FnOnce(ClientKey, Delivery<'_>),
    ) {
        if !self.has_view(client) {
            return;
        }
        let index = self.views[client].index as usize;
        let end = self.gathering.views[index].room.map(|room| self.end_of(room));
        self.read_to(index, end.unwrap_or_default());
        let Batch { streams, views, direct, .. } = &mut self.gathering;
        views[index].hand_out(streams, direct, &mut Vec::new(), deliver);
        views[index].pieces.clear();
    }

    /// The index of a client's view in the batch that gathers. A new view begins at the start of
    /// `room`'s stream.
    fn view(&mut self, client: ClientKey, room: Option<RoomKey>) -> usize {
        if self.has_view(client) {
            return self.views[client].index as usize;
        }
        let Batch { views, views_used, .. } = &mut self.gathering;
        let index = *views_used;
        if index == views.len() {
            views.push(View::default());
        }
        *views_used += 1;
        (views[index].client, views[index].room) = (client, room);
        let reads_notes = self.reads_notes(client);
        self.views.insert(client, Reader { batch: self.number, index: index as u32, reads_notes });
        index
    }

    /// The same, with everything in `room` read up to here.
    fn view_at_end(&mut self, client: ClientKey, room: Option<RoomKey>) -> usize {
        let view = self.view(client, room);
        let end = room.map(|room| self.end_of(room)).unwrap_or_default();
        self.read_to(view, end);
        view
    }

    /// Extends the view up to `place` of its room's stream: what lies between becomes a piece.
    fn read_to(&mut self, view: usize, place: Place) {
        let View { room, read, .. } = &mut self.gathering.views[view];
        if place.bytes > read.bytes
            && let Some(&(_, stream)) = room.and_then(|room| self.streams.get(room))
        {
            // `place` is not the beginning, so the stream is one of this batch.
            let (range, lines) = (read.bytes..place.bytes, place.lines - read.lines);
            *read = place;
            self.gathering.push(view, Piece { source: Source::Stream(stream), range, lines });
        }
    }

    fn end_of(&self, room: RoomKey) -> Place {
        match self.streams.get(room) {
            Some(&(number, index)) if number == self.number => {
                let stream = &self.gathering.streams[index];
                Place { bytes: stream.bytes.len(), lines: stream.lines }
            }
            _ => Place::default(),
        }
    }

    /// The stream of a room in the batch that gathers.
    fn stream(&mut self, room: RoomKey) -> &mut Stream {
        let index = match self.streams.get(room) {
            Some(&(number, index)) if number == self.number => index,
            _ => self.begin_stream(room),
        };
        &mut self.gathering.streams[index]
    }

    fn begin_stream(&mut self, room: RoomKey) -> usize {
        let Batch { streams, streams_used, .. } = &mut self.gathering;
        let index = *streams_used;
        if index == streams.len() {
            streams.push(Stream::default());
        }
        *streams_used += 1;
        streams[index].room = room;
        self.streams.insert(room, (self.number, index));
        index
    }

    fn append_direct(&mut self, text: &str) -> Range<usize> {
        let direct = &mut self.gathering.direct;
        let start = direct.len();
        direct.extend_from_slice(text.as_bytes());
        start..direct.len()
    }
}
