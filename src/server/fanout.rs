//! The fan-out: one thread that owns everybody's state and delivers what is said. Runs on thread `fanout`.
//!
//! All events come through one bounded channel, so there is one order. It takes all that waits, lays it out, and then
//! sends once to each client: when the room is busy, a thousand lines cost one send per client, not one each.
//!
//! It never waits for the disk. What has to be written before it is shown, the rooms hold; it hands their records to the
//! historian, one parcel at a time, and goes on. When the historian answers, what was held is shown, and the next parcel
//! is all that gathered meanwhile: the slower the disk, the larger the transactions.

use super::{
    historian::{Desk, News},
    status::{Doing, Status, Totals},
    writer::WriterHandle,
};
use crate::{
    core::{
        event::Event,
        record::Remembered,
        rooms::{Order, Rooms, RoomsConfig},
        session::TALK_MAX,
    },
    lock::assert_no_lock_held,
};
use crossbeam_channel::{Receiver, TryRecvError, at, never, select};
use jiff::Timestamp;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
    time::Instant,
};

/// Events that may wait, for each client of a full server: one that comes sends its name and its first words. An event
/// holds 16 KiB of talk and a line at most, so 17 MiB for 512 clients at the very most (a string may have twice that in
/// reserve). When the channel is full, the talkers' threads wait, stop reading, and TCP slows the talkers down.
///
/// Measured with 5,000 clients that come at once: 1,024 events are 0.87 of the clients a second, and 1.5 KiB more each.
const EVENTS_EACH: usize = 2;
/// But no fewer, where few may come and talk much, and no more than fit in some 300 MiB.
const EVENTS_BOUNDS: (usize, usize) = (64, 16 * 1024);
/// Times that the fan-out lets others go first, at most: they must not keep it from sending.
const YIELDS_MAX: usize = 8;

/// Events that may wait on a server of `threads_max` clients.
pub fn events_max(threads_max: usize) -> usize {
    (EVENTS_EACH * threads_max).clamp(EVENTS_BOUNDS.0, EVENTS_BOUNDS.1)
}

/// What comes through the events channel: something happened at this client.
pub type Post = (Arc<WriterHandle>, Event);

/// What whoever stops the server says. Not through the events channel, which may be full because the disk is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// See [`Rooms::close`].
    Gracefully,
    /// It is late: see [`Rooms::close_at_once`].
    AtOnce,
}

/// What the fan-out works with.
pub struct FanOut {
    /// Events, in the one order.
    pub posts: Receiver<Post>,
    /// The server stops.
    pub closing: Receiver<Closing>,
    /// To and from the historian.
    pub desk: Desk,
    /// Bytes that may wait for one client. What is laid out for a batch is no larger, so that one batch alone puts nobody
    /// over the mark whose outbox was empty (but for the times that `/timestamps` adds).
    pub high_water: usize,
    /// Stops the server, as a signal does.
    pub stop: Box<dyn Fn() + Send>,
    /// Its own notes.
    pub status: Arc<Status>,
    /// Counts for `/threads`.
    pub totals: Arc<Totals>,
}

/// What it waited for.
enum Came {
    Post(Post),
    News(News),
    Closing(Closing),
    /// The time that an administrator gave the server is over.
    StopTime,
    /// Every client has left, and everything is written.
    End,
}

impl FanOut {
    /// The thread runs this until every sender of `posts` is gone and all is written.
    pub fn run(mut self, config: RoomsConfig, remembered: Remembered) {
        let batch_bytes = self.high_water.saturating_sub(TALK_MAX); // and then the event that passes it
        let mut rooms: Rooms<Arc<WriterHandle>> = Rooms::new(config, remembered);
        let mut is_writing = false;
        let mut stop_at = None;
        loop {
            let now = Timestamp::now();
            let mut said = 0;
            match self.wait(&rooms, is_writing, stop_at) {
                Came::Post(post) => said += apply(&mut rooms, now, post),
                Came::News(news) => {
                    is_writing &= !apply_news(&mut rooms, news);
                    while rooms.go_on(now, batch_bytes) {
                        self.deliver(&mut rooms, 0);
                    }
                }
                Came::Closing(Closing::Gracefully) => rooms.close(),
                Came::Closing(Closing::AtOnce) => rooms.close_at_once(),
                Came::StopTime => {
                    stop_at = None;
                    (self.stop)();
                }
                Came::End => return,
            }
            while rooms.laid_out() < batch_bytes && !rooms.holds_much() {
                let Ok(next) = self.posts.try_recv() else { break };
                said += apply(&mut rooms, now, next);
            }
            if !is_writing {
                let records = rooms.take_records();
                is_writing = !records.is_empty();
                if is_writing {
                    let _ = self.desk.writes.send(records); // it is empty: the last parcel has been answered
                }
            }
            for order in rooms.take_orders() {
                match order {
                    Order::Log(deed) => log::info!("{deed}"),
                    Order::ShutDown(within) => stop_at = Some(Instant::now() + within),
                    Order::CallOffShutDown => stop_at = None,
                }
            }
            self.deliver(&mut rooms, said);
        }
    }

    /// Waits for an event; unless so much is held that it has to be written first.
    fn wait(
        &mut self,
        rooms: &Rooms<Arc<WriterHandle>>,
        is_writing: bool,
        stop_at: Option<Instant>,
    ) -> Came {
        assert_no_lock_held("events");
        self.status.now(Doing::WaitingForEvents);
        // These first: when everybody talks all the time, there is always one more event.
        if let Ok(closing) = self.closing.try_recv() {
            return Came::Closing(closing);
        }
        if let Ok(news) = self.desk.news.try_recv() {
            return Came::News(news);
        }
        if stop_at.is_some_and(|at| at <= Instant::now()) {
            return Came::StopTime;
        }
        let takes_more = !rooms.holds_much();
        let came = match if takes_more { self.posts.try_recv() } else { Err(TryRecvError::Empty) } {
            Ok(post) => Came::Post(post),
            Err(TryRecvError::Disconnected) if !is_writing => Came::End,
            Err(error) => {
                let nobody = never();
                let is_open = takes_more && error != TryRecvError::Disconnected;
                let posts = if is_open { &self.posts } else { &nobody };
                select! {
                    recv(posts) -> post => match post {
                        Ok(post) => Came::Post(post),
                        Err(_) => return self.wait(rooms, is_writing, stop_at), // all have left: is all written?
                    },
                    recv(self.desk.news) -> news => news.map_or(Came::End, Came::News),
                    recv(self.closing) -> closing => closing.map_or(Came::End, Came::Closing),
                    recv(stop_at.map_or_else(never, at)) -> _ => Came::StopTime,
                }
            }
        };
        if let Came::Post(_) = came {
            let_the_talkers_talk(&self.posts);
        }
        self.status.now(Doing::Applying);
        came
    }

    fn deliver(&self, rooms: &mut Rooms<Arc<WriterHandle>>, said: usize) {
        self.status.now(Doing::Sending);
        let mut delivered = 0;
        rooms.flush(|client, delivery| {
            delivered += delivery.lines;
            client.deliver(delivery);
        });
        self.status.count_in(said);
        self.status.count_out(delivered);
        self.totals.said.fetch_add(said as u64, Relaxed);
        self.totals.delivered.fetch_add(delivered as u64, Relaxed);
    }
}

/// Returns whether a parcel was answered.
fn apply_news(rooms: &mut Rooms<Arc<WriterHandle>>, news: News) -> bool {
    match news {
        News::Written(outcome) => {
            rooms.written(outcome);
            return true;
        }
        News::Failing { why, since } => rooms.memory_fails(&why, since),
        News::Again { hole } => rooms.memory_is_back(hole),
        News::Changed(remembered) => rooms.remember(remembered),
    }
    false
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
fn apply(rooms: &mut Rooms<Arc<WriterHandle>>, now: Timestamp, (client, event): Post) -> usize {
    let lines = if let Event::Say(talk) = &event { talk.lines } else { 0 };
    rooms.apply(now, client.number, &client, event);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::{event::Talk, name::NameRule, record::Record},
        server::{flusher::FlusherQueue, writer::SlowLimits},
    };
    use crossbeam_channel::{Sender, bounded};
    use jiff::tz::TimeZone;
    use std::{
        net::{TcpListener, TcpStream},
        time::Duration,
    };

    /// The other ends of a fan-out's channels.
    struct Others {
        events: Sender<Post>,
        closing: Sender<Closing>,
        news: Sender<News>,
        _records: Receiver<Vec<Record>>,
    }

    fn fanout() -> (FanOut, Others, Rooms<Arc<WriterHandle>>) {
        let (events, posts) = bounded(8);
        let (closing_sender, closing) = bounded(1);
        let (news_sender, news) = bounded(1);
        let (writes, records) = bounded(1);
        let desk = Desk { writes, news };
        let (status, totals) = (Status::new("fanout"), Arc::default());
        let fanout = FanOut {
            posts,
            closing,
            desk,
            high_water: 1 << 16,
            stop: Box::new(|| ()),
            status,
            totals,
        };
        let others =
            Others { events, closing: closing_sender, news: news_sender, _records: records };
        let config = RoomsConfig {
            backlog_lines: 0,
            names: NameRule::Ascii,
            zone: TimeZone::UTC,
            keeps_talk: false,
        };
        (fanout, others, Rooms::new(config, Remembered::default()))
    }

    /// A client of a listener that is gone: nothing is sent to it here.
    fn client() -> Arc<WriterHandle> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let limits = SlowLimits { high_water: 1 << 16, write_deadline: Duration::from_secs(1) };
        WriterHandle::new(
            1,
            TcpStream::connect(address).unwrap(),
            address,
            limits,
            FlusherQueue::new().unwrap().0,
        )
    }

    #[test]
    fn constant_talk_keeps_neither_the_historian_nor_a_shutdown_waiting() {
        let (mut fanout, others, rooms) = fanout();
        let client = client();
        for _ in 0..8 {
            others.events.send((Arc::clone(&client), Event::Say(Talk::default()))).unwrap();
        }
        let past = Some(Instant::now());
        assert!(matches!(fanout.wait(&rooms, false, past), Came::StopTime));
        others.news.send(News::Again { hole: None }).unwrap();
        assert!(matches!(fanout.wait(&rooms, false, past), Came::News(News::Again { hole: None })));
        others.closing.send(Closing::Gracefully).unwrap();
        assert!(matches!(fanout.wait(&rooms, false, past), Came::Closing(Closing::Gracefully)));
        assert!(matches!(fanout.wait(&rooms, false, None), Came::Post(_)));
    }

    #[test]
    fn when_all_have_left_the_last_parcel_is_waited_for() {
        let (mut fanout, Others { events, closing: _closing, news, _records }, rooms) = fanout();
        let historian = thread::spawn(move || {
            drop(events);
            news.send(News::Written(Ok(()))).unwrap();
            news
        });
        assert!(matches!(fanout.wait(&rooms, true, None), Came::News(News::Written(Ok(())))));
        assert!(matches!(fanout.wait(&rooms, false, None), Came::End));
        historian.join().unwrap();
    }
}
