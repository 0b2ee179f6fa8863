//! Handing out a batch: each client what it has to read of it, once. Part of [`Rooms`].

use super::{
    event::{Answer, ClientId},
    farewell::Farewell,
    rooms::{Member, Room, Rooms, Stay},
    view::{Piece, Source},
};
use slab::Slab;

/// What one client has to read now: `before`, then the answer to its question if there is one, then `after`.
pub struct Delivery<'a> {
    /// Pieces to send one after the other.
    pub before: &'a [&'a [u8]],
    /// What it asked for. It may be long, and is the driver's to write with back-pressure.
    pub answer: Option<Answer>,
    /// What was said since the answer was made.
    pub after: &'a [&'a [u8]],
    /// Lines in `before` and `after`.
    pub lines: usize,
    /// The client is to be hung up, for this reason.
    pub farewell: Option<Farewell>,
}

impl Delivery<'_> {
    fn answer(answer: Answer) -> Self {
        Delivery { before: &[], answer: Some(answer), after: &[], lines: 0, farewell: None }
    }
}

impl<H: Clone> Rooms<H> {
    /// Hands out what was laid out since the last flush: `deliver` is called at most once for each client.
    pub fn flush(&mut self, mut deliver: impl FnMut(&H, Delivery<'_>)) {
        for (_, handle, answer) in self.batch.answers_to_strangers.drain(..) {
            deliver(&handle, Delivery::answer(answer));
        }
        self.flush_particular(&mut deliver);
        self.flush_rooms(&mut deliver);
        self.batch.direct.clear();
        self.batch.stamp = None;
        self.batch.number += 1;
    }

    /// Hands out to one client what it has to read by now, its answer included, and to nobody else: for a driver that cannot
    /// go on without the answer, and would not send to everybody for it. The next [`Rooms::flush`] goes on from there.
    pub fn flush_one(&mut self, client: ClientId, deliver: impl FnOnce(&H, Delivery<'_>)) {
        match self.member_of(client) {
            Some(slot) => {
                let place = self.rooms[self.members[slot].room].stream.end();
                let room = self.members[slot].room;
                self.view(slot).keep_to(room, place);
                let Rooms { members, rooms, batch, .. } = self;
                hand_out(&mut members[slot], rooms, &batch.direct, &mut Vec::new(), deliver);
                members[slot].view.told();
            }
            None => {
                let answers = &mut self.batch.answers_to_strangers;
                if let Some(at) = answers.iter().position(|&(stranger, ..)| stranger == client) {
                    let (_, handle, answer) = answers.remove(at);
                    deliver(&handle, Delivery::answer(answer));
                }
            }
        }
    }

    /// Those with a view of their own.
    fn flush_particular(&mut self, deliver: &mut impl FnMut(&H, Delivery<'_>)) {
        let Rooms { members, rooms, batch, .. } = self;
        let mut slices = Vec::new();
        for slot in batch.particular.drain(..) {
            let member = &mut members[slot];
            if member.stay != Stay::Gone {
                member.view.keep_to(member.room, rooms[member.room].stream.end());
            }
            hand_out(member, rooms, &batch.direct, &mut slices, &mut *deliver);
            member.view.clear();
            if member.stay == Stay::Gone {
                members.remove(slot);
            }
        }
    }

    /// Everybody else: the whole stream of their room, as it stands. This is the loop that costs.
    fn flush_rooms(&mut self, deliver: &mut impl FnMut(&H, Delivery<'_>)) {
        for room in self.batch.talking.drain(..) {
            let Room { members, stream, .. } = &mut self.rooms[room];
            for &member in members.iter() {
                let member = &self.members[member];
                if member.particular_in != self.batch.number {
                    let whole = [&stream.bytes[..]];
                    let lines = stream.lines;
                    let delivery = Delivery {
                        before: &whole,
                        answer: None,
                        after: &[],
                        lines,
                        farewell: None,
                    };
                    deliver(&member.handle, delivery);
                }
            }
            stream.bytes.clear();
            stream.lines = 0;
        }
    }
}

/// Hands out what stands in a member's view. `slices` is there to be used again and again.
fn hand_out<'a, H>(
    member: &mut Member<H>,
    rooms: &'a Slab<Room>,
    direct: &'a [u8],
    slices: &mut Vec<&'a [u8]>,
    deliver: impl FnOnce(&H, Delivery<'_>),
) {
    slices.clear();
    slices.extend(member.view.pieces.iter().map(|Piece { source, range, .. }| match *source {
        Source::Room(room) => &rooms[room].stream.bytes[range.clone()],
        Source::Direct => &direct[range.clone()],
    }));
    let lines = member.view.pieces.iter().map(|piece| piece.lines).sum();
    let (cut, answer) = match member.view.answer.take() {
        Some((cut, answer)) => (cut, Some(*answer)),
        None => (slices.len(), None),
    };
    let (before, after) = slices.split_at(cut);
    let farewell = member.view.farewell.take();
    deliver(&member.handle, Delivery { before, answer, after, lines, farewell });
}
