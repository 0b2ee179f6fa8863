//! The fan-out: one thread that owns everybody's state and delivers what is said. Runs on thread `fanout`.
//!
//! All events come through one bounded channel, so there is one order. It takes all that waits, lays it out, and then
//! sends once to each client: when the room is busy, a thousand lines cost one send per client, not one each.

use super::{
    status::{Doing, Status, Totals},
    writer::WriterHandle,
};
use crate::{
    core::{
        event::Event,
        rooms::{Rooms, RoomsConfig},
    },
    lock::assert_no_lock_held,
};
use crossbeam_channel::Receiver;
use jiff::Timestamp;
use std::sync::{Arc, atomic::Ordering::Relaxed};

/// Events that may wait: two for each client of a full server. An event holds 16 KiB of talk at most, so 16 MiB at the
/// very most; when the channel is full, the talkers' threads wait, stop reading, and TCP slows the talkers down.
pub const EVENTS_MAX: usize = 1024;
/// Bytes laid out before they are sent. Half of the default high-water mark: a client whose outbox is empty is never
/// over the mark by one batch alone, however large the batches could grow.
pub const BATCH_BYTES: usize = 32 * 1024;

/// What comes through the events channel.
pub enum Post {
    /// Something happened at this client.
    Client(Arc<WriterHandle>, Event),
    /// The server is stopping: see [`Rooms::close`].
    Close,
    /// It is late: see [`Rooms::close_at_once`].
    CloseAtOnce,
}

/// The fan-out's thread runs this until every sender of `posts` is gone.
pub fn run(posts: Receiver<Post>, config: RoomsConfig, status: &Status, totals: &Totals) {
    let mut rooms: Rooms<Arc<WriterHandle>> = Rooms::new(config);
    loop {
        assert_no_lock_held("events");
        status.now(Doing::WaitingForEvents);
        let Ok(first) = posts.recv() else { return };
        status.now(Doing::Applying);
        let now = Timestamp::now();
        let mut said = apply(&mut rooms, now, first);
        while rooms.laid_out() < BATCH_BYTES {
            let Ok(next) = posts.try_recv() else { break };
            said += apply(&mut rooms, now, next);
        }
        status.now(Doing::Sending);
        let mut delivered = 0;
        rooms.flush(|client, delivery| {
            delivered += delivery.lines;
            client.deliver(delivery);
        });
        status.count_in(said);
        status.count_out(delivered);
        totals.said.fetch_add(said as u64, Relaxed);
        totals.delivered.fetch_add(delivered as u64, Relaxed);
    }
}

/// Returns how many lines of talk it was.
fn apply(rooms: &mut Rooms<Arc<WriterHandle>>, now: Timestamp, post: Post) -> usize {
    match post {
        Post::Client(client, event) => {
            let lines = if let Event::Say(talk) = &event { talk.lines } else { 0 };
            rooms.apply(now, client.number, &client, event);
            lines
        }
        Post::Close => {
            rooms.close();
            0
        }
        Post::CloseAtOnce => {
            rooms.close_at_once();
            0
        }
    }
}
