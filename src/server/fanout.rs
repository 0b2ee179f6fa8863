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
        session::TALK_MAX,
    },
    lock::assert_no_lock_held,
};
use crossbeam_channel::Receiver;
use jiff::Timestamp;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
};

/// Events that may wait: two for each client of a full server. An event holds 16 KiB of talk and a line at most, so 17 MiB
/// at the very most (a string may have twice that in reserve); when the channel is full, the talkers' threads wait, stop reading, and TCP slows the talkers down.
pub const EVENTS_MAX: usize = 1024;
/// Times that the fan-out lets others go first, at most: they must not keep it from sending.
const YIELDS_MAX: usize = 8;

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
///
/// `high_water`: bytes that may wait for one client. What is laid out for a batch is no larger, so that one batch alone
/// puts nobody over the mark whose outbox was empty (but for the times that `/timestamps` adds).
pub fn run(posts: Receiver<Post>, config: RoomsConfig, high_water: usize, status: &Status, totals: &Totals) {
    let batch_bytes = high_water.saturating_sub(TALK_MAX); // and then the event that passes it
    let mut rooms: Rooms<Arc<WriterHandle>> = Rooms::new(config);
    loop {
        assert_no_lock_held("events");
        status.now(Doing::WaitingForEvents);
        let Ok(first) = posts.recv() else { return };
        let_the_talkers_talk(&posts);
        status.now(Doing::Applying);
        let now = Timestamp::now();
        let mut said = apply(&mut rooms, now, first);
        while rooms.laid_out() < batch_bytes {
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

/// Lets the client threads that are ready to run go first, while they still bring something: what they bring is sent
/// with the same sends. The kernel likes to run a thread as soon as it is woken, which would make many small batches
/// of one large one. (Measured with `chatbench`: window 1, 22 % less CPU for each line delivered.) With nobody ready it
/// costs a system call.
fn let_the_talkers_talk(posts: &Receiver<Post>) {
    let mut seen = 0;
    for _ in 0..YIELDS_MAX {
        thread::yield_now();
        if posts.len() == seen {
            return;
        }
        seen = posts.len();
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
