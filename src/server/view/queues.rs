//! How much waits where, and how many numbers there are of that.

use super::sampler::{Sampler, Seen};
use crate::{
    core::batch_max,
    server::{client::handler::ChatHandler, logger},
    thread_status::activity::Activity,
};
use std::sync::atomic::Ordering::Relaxed;

/// The queues in the order in which a tick has them: name, and words.
pub(super) const QUEUES: [(&str, &str); 12] = [
    ("events", "events waiting"),
    ("batch", "bytes gathered to show"),
    ("records", "bytes to be written"),
    ("questions", "questions to the historian"),
    ("searches", "searches"),
    ("hashing", "passwords being hashed"),
    ("to_hash", "waiting to hash"),
    ("flusher", "clients that read slowly"),
    ("linger", "refused clients, to be closed"),
    ("log", "log lines waiting"),
    ("outboxes", "bytes in all outboxes"),
    ("fullest", "bytes in the fullest outbox"),
];

/// A queue, for whoever looks once.
pub(crate) struct Queue {
    pub(crate) name: &'static str,
    pub(crate) waiting: u64,
    pub(crate) bound: Option<u64>,
}

/// How many clients are here, and how much waits where.
pub(crate) fn now(chat: &ChatHandler) -> (usize, Vec<Queue>) {
    let (_, seen) = Sampler::new(true).look(chat.threads.all());
    let numbers = measure(chat, &seen).into_iter().zip(bounds(chat));
    let queue = |((name, _), (waiting, bound)): ((&'static str, &str), (u64, u64))| Queue {
        name,
        waiting,
        bound: Some(bound).filter(|&bound| bound > 0),
    };
    (seen.clients, QUEUES.into_iter().zip(numbers).map(queue).collect())
}

/// The bound of each queue; 0: there is none to draw.
pub(super) fn bounds(chat: &ChatHandler) -> [u64; QUEUES.len()] {
    let most = |capacity: Option<usize>| capacity.unwrap_or(0) as u64;
    let high_water = chat.limits.high_water;
    let [questions, searches] = chat.history.capacity();
    [
        most(chat.events.queue.capacity()),
        batch_max(high_water) as u64,
        4 * 1024 * 1024, // see server/fanout.rs
        questions,
        searches,
        2, // see server/auth/hash.rs
        0,
        0,
        most(chat.linger.capacity()),
        logger::LINES_MAX as u64,
        0,
        high_water as u64,
    ]
}

/// How much waits now.
pub(super) fn measure(chat: &ChatHandler, seen: &Seen) -> [u64; QUEUES.len()] {
    let doing = |activity: Activity| seen.doing[activity as usize];
    let [questions, searches] = chat.history.waiting();
    [
        chat.events.queue.len() as u64,
        chat.totals.to_show.load(Relaxed) as u64,
        chat.totals.to_write.load(Relaxed) as u64,
        questions,
        searches,
        doing(Activity::Hashing),
        doing(Activity::WaitingToHash),
        seen.slow,
        chat.linger.waiting() as u64,
        logger::waiting() as u64,
        seen.outboxes,
        seen.fullest.1,
    ]
}
