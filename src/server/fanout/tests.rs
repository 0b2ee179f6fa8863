//! The fan-out with a historian that the test plays: what it waits for, and what happens when the
//! disk does not answer.

use super::*;
use crate::{
    core::{
        commands::Table,
        event::{Entry, Login, Question, Talk, Wishes},
        name::NameRule,
        record::{Account, AccountId, Record, Snapshot},
        rooms::RoomsConfig,
    },
    server::{
        client::{flusher::FlusherQueue, outbox::SlowLimits},
        status::row,
    },
};
use crossbeam_channel::{Sender, bounded};
use jiff::Timestamp;
use std::{
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

/// How long to wait for anything that has to happen.
const DEADLINE: Duration = Duration::from_secs(30);

/// The other ends of a fan-out's channels.
struct Others {
    events: Sender<ClientEvent>,
    shutdown: Sender<Shutdown>,
    commits: Receiver<Vec<Record>>,
    history: Sender<HistorianEvent>,
}

fn fanout() -> (FanOut, Others) {
    fanout_with(Box::new(|| ()))
}

fn fanout_with(stop: Box<dyn Fn() + Send>) -> (FanOut, Others) {
    fanout_at(Clock::system(), stop)
}

fn fanout_at(clock: Clock, stop: Box<dyn Fn() + Send>) -> (FanOut, Others) {
    let (events, to_apply) = bounded(8);
    let (shutdown, stopping) = bounded(2);
    let (history, historian_events) = bounded(4);
    let (to_write, commits) = bounded(1);
    let fanout = FanOut {
        events: to_apply,
        large: never(),
        shutdown: stopping,
        cues: Cues::default(),
        historian: HistorianHandle { commits: to_write, events: historian_events },
        clock,
        high_water: 1 << 16,
        stop,
        status: Status::new("fanout"),
        totals: Arc::default(),
    };
    (fanout, Others { events, shutdown, commits, history })
}

/// A client: as the fan-out knows them, and what they read.
struct Client {
    handle: Arc<WriterHandle>,
    reads: BufReader<TcpStream>,
}

impl Client {
    fn new(number: u64) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let reads = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        reads.set_read_timeout(Some(DEADLINE)).unwrap();
        let (socket, peer) = listener.accept().unwrap();
        let limits = SlowLimits { high_water: 1 << 16, write_deadline: DEADLINE };
        let (flusher, _) = FlusherQueue::new().unwrap();
        let handle = WriterHandle::new(number, socket, peer.into(), limits, flusher);
        Client { handle, reads: BufReader::new(reads) }
    }

    fn enters(&self, events: &Sender<ClientEvent>, name: &str, login: Option<Login>) {
        let name = NameRule::Ascii.check(name, "name").unwrap();
        let address = "192.0.2.1".parse().unwrap();
        let entry = Entry {
            name,
            address,
            login,
            reserve_of: None,
            is_instructor: false,
            wishes: Wishes::default(),
        };
        self.asks(events, Event::Ask(Question::Enter(Box::new(entry))));
    }

    /// Sends what has an answer, and waits for it.
    fn asks(&self, events: &Sender<ClientEvent>, event: Event) {
        self.does(events, event);
        self.waits_for_answer();
        self.handle.write_answer(b"");
    }

    /// Waits for an answer, and returns it as text; with a deadline, which the handle does not
    /// have.
    fn waits_for_answer(&self) -> String {
        let (answers, answer) = bounded(1);
        let handle = Arc::clone(&self.handle);
        thread::spawn(move || answers.send(format!("{:?}", handle.wait_for_answer())));
        answer.recv_timeout(DEADLINE).expect("an answer in time")
    }

    fn says(&self, events: &Sender<ClientEvent>, line: &str) {
        self.does(
            events,
            Event::Talk(Talk { text: format!("{line}\n"), lines: 1, ..Talk::default() }),
        );
    }

    fn does(&self, events: &Sender<ClientEvent>, event: Event) {
        events.send((Arc::clone(&self.handle), event)).unwrap();
    }

    #[track_caller]
    fn reads(&mut self, expected: &str) {
        let mut line = String::new();
        self.reads.read_line(&mut line).expect("a line in time");
        assert!(line.starts_with(expected), "{line:?} is read in place of {expected:?}");
    }
}

/// A running fan-out that keeps talk, with alice and bob.
fn running() -> (Others, [Client; 2], JoinHandle<()>) {
    let (fanout, others) = fanout();
    let chat = chat(Snapshot::default());
    let thread = thread::spawn(move || fanout.run(chat));
    let mut clients = [Client::new(1), Client::new(2)];
    clients[0].enters(&others.events, "alice", None);
    clients[1].enters(&others.events, "bob", None);
    clients[0].reads("*** bob entered lobby");
    (others, clients, thread)
}

fn chat(snapshot: Snapshot) -> Chat<Arc<WriterHandle>> {
    let config = RoomsConfig { keeps_talk: true, ..RoomsConfig::default() };
    Chat::new(config, Table::default(), snapshot)
}

#[test]
fn constant_talk_keeps_neither_the_historian_nor_a_shutdown_waiting() {
    let (mut fanout, others) = fanout();
    let (client, commit) = (Client::new(1), Commit::default());
    for _ in 0..8 {
        client.does(&others.events, Event::Talk(Talk::default()));
    }
    let past = Some(Instant::now());
    assert!(matches!(fanout.wait(true, &commit, past), Wakeup::StopTime));
    others.history.send(HistorianEvent::Recovered { gap: None }).unwrap();
    assert!(matches!(fanout.wait(true, &commit, past), Wakeup::History(_)));
    others.shutdown.send(Shutdown::Gracefully).unwrap();
    assert!(matches!(fanout.wait(true, &commit, past), Wakeup::Shutdown(_)));
    assert!(matches!(fanout.wait(true, &commit, None), Wakeup::Event(_)));
}

#[test]
fn when_all_have_left_the_last_batch_is_waited_for() {
    let (mut fanout, Others { events, shutdown: _shutdown, commits: _commits, history }) = fanout();
    let historian = thread::spawn(move || {
        drop(events);
        history.send(HistorianEvent::Committed(Vec::new())).unwrap();
        history
    });
    let handed_over_at = Some(Instant::now() + DEADLINE);
    let commit = Commit { handed_over_at, ..Commit::default() };
    assert!(matches!(fanout.wait(true, &commit, None), Wakeup::History(_)));
    assert!(matches!(fanout.wait(true, &Commit::default(), None), Wakeup::End));
    historian.join().unwrap();
}

#[test]
fn a_line_is_shown_when_it_is_written_and_the_next_batch_gathers_meanwhile() {
    let (others, [alice, mut bob], thread) = running();
    alice.says(&others.events, "<alice> one");
    let first = others.commits.recv_timeout(DEADLINE).unwrap();
    alice.says(&others.events, "<alice> two");
    alice.says(&others.events, "<alice> three");
    bob.reads.get_ref().set_nonblocking(true).unwrap();
    assert!(bob.reads.fill_buf().is_err(), "nothing is shown before it is written");
    bob.reads.get_ref().set_nonblocking(false).unwrap();
    assert_eq!(first.len(), 1);
    others.history.send(HistorianEvent::Committed(Vec::new())).unwrap();
    bob.reads("<alice> one");
    let second = others.commits.recv_timeout(DEADLINE).unwrap();
    assert_eq!(second.len(), 2, "both in one transaction");
    others.history.send(HistorianEvent::Committed(Vec::new())).unwrap();
    bob.reads("<alice> two");
    bob.reads("<alice> three");
    drop((others, alice));
    thread.join().unwrap();
}

#[test]
fn while_a_batch_is_written_the_next_one_takes_no_more_than_is_shown_at_once() {
    const MUCH: usize = 1024; // lines of 1 KiB, far more than that
    loop {
        let (fanout, Others { events, shutdown: _shutdown, commits, history }) = fanout();
        let status = Arc::clone(&fanout.status);
        let thread = thread::spawn(move || fanout.run(chat(Snapshot::default())));
        let alice = Client::new(1);
        alice.enters(&events, "alice", None);
        let (began, mut taken) = (Instant::now(), 0);
        while taken < MUCH && !row(&status).contains("waiting for the disk") {
            let text = format!("<alice> {}\n", "x".repeat(1024));
            let talk = Event::Talk(Talk { text, lines: 1, ..Talk::default() });
            taken += usize::from(events.try_send((Arc::clone(&alice.handle), talk)).is_ok());
            thread::yield_now();
        }
        drop(events);
        for records in commits {
            assert!(!records.is_empty());
            history.send(HistorianEvent::Committed(Vec::new())).unwrap();
        }
        thread.join().unwrap();
        if taken < MUCH {
            return;
        }
        assert!(began.elapsed() >= COMMIT_PATIENCE, "it takes them all, and the disk was not late");
    }
}

#[test]
fn a_disk_that_does_not_answer_is_told_and_nobody_waits_for_it_any_longer() {
    let (others, [mut alice, mut bob], thread) = running();
    let since = Instant::now();
    alice.says(&others.events, "<alice> one");
    bob.reads("*** The history has not been written since");
    assert!(since.elapsed() >= COMMIT_PATIENCE, "it might have been written a moment later");
    bob.reads("<alice> one");
    alice.reads("*** The history has not been written since");
    bob.says(&others.events, "<bob> two");
    alice.reads("<bob> two"); // at once, for the disk does not answer
    // Now it does: the first batch was handed over long ago, and the second one is only now.
    for text in ["<alice> one\n", "<bob> two\n"] {
        let records = others.commits.recv_timeout(DEADLINE).unwrap();
        let is_it = |record: &Record| format!("{record:?}").contains(text.trim_end());
        assert!(records.iter().all(is_it), "{text:?} is not all of {records:?}");
        others.history.send(HistorianEvent::Committed(Vec::new())).unwrap();
    }
    bob.reads("*** The history is written again; nothing is missing.");
    alice.reads("*** The history is written again; nothing is missing.");
    drop((others, alice, bob));
    thread.join().unwrap();
}

#[test]
fn while_the_historian_has_an_outage_nobody_is_told_that_it_is_over() {
    let (others, [alice, mut bob], thread) = running();
    let (why, since) = ("its file is damaged.".to_owned(), Timestamp::now());
    others.history.send(HistorianEvent::Outage { why, since }).unwrap();
    bob.reads("*** The history has not been written since");
    alice.says(&others.events, "<alice> one");
    others.commits.recv_timeout(DEADLINE).unwrap();
    bob.reads("<alice> one"); // the historian reopens a large file, and does not answer in time
    others.history.send(HistorianEvent::Committed(Vec::new())).unwrap();
    alice.says(&others.events, "<alice> two");
    others.commits.recv_timeout(DEADLINE).unwrap();
    others.history.send(HistorianEvent::Committed(Vec::new())).unwrap();
    bob.reads("<alice> two");
    others.history.send(HistorianEvent::Recovered { gap: None }).unwrap();
    bob.reads("*** The history is written again; nothing is missing.");
    drop((others, alice, bob));
    thread.join().unwrap();
}

#[test]
fn at_a_late_stop_everything_is_shown_and_who_waits_is_told_that_it_is_not_known() {
    let (others, [alice, mut bob], thread) = running();
    alice.says(&others.events, "<alice> one");
    let records = others.commits.recv_timeout(DEADLINE).unwrap();
    assert_eq!(records.len(), 1);
    let hash = crate::core::record::PasswordHash("$".to_owned());
    alice.does(&others.events, Event::Ask(Question::Register(hash)));
    others.shutdown.send(Shutdown::AtOnce).unwrap();
    bob.reads("<alice> one");
    let answer = alice.waits_for_answer();
    assert!(answer.contains("It is not known whether that is written"), "{answer}");
    others.history.send(HistorianEvent::Committed(Vec::new())).unwrap();
    let late = others.commits.recv_timeout(DEADLINE).unwrap();
    assert_eq!(late.len(), 1, "it is written all the same, if the disk answers");
    others.history.send(HistorianEvent::Committed(vec![Ok(())])).unwrap();
    drop((others, alice, bob));
    thread.join().unwrap();
}

#[test]
fn a_second_shutdown_command_is_no_second_signal() {
    let (stops, stopped) = bounded(8);
    let (fanout, others) = fanout_with(Box::new(move || stops.send(()).unwrap()));
    let (id, name) = (AccountId(1), "alice".to_owned());
    let account = Account { id, name, is_admin: true, since: Timestamp::UNIX_EPOCH, mail: 0 };
    let snapshot = Snapshot { accounts: vec![account], last_account: id, ..Snapshot::default() };
    let thread = thread::spawn(move || fanout.run(chat(snapshot)));
    let Others { events, commits, history, shutdown } = others;
    let historian = thread::spawn(move || {
        for _records in commits {
            if history.send(HistorianEvent::Committed(Vec::new())).is_err() {
                return;
            }
        }
    });
    let alice = Client::new(1);
    alice.enters(&events, "alice", Some(Login { account: id, private: Vec::new() }));
    for _ in 0..2 {
        alice.asks(&events, Event::Command("shutdown 0".to_owned()));
        alice.asks(&events, Event::Command("who".to_owned())); // answered after the time is over
    }
    assert_eq!(stopped.len(), 1, "a second signal stops a server at once");
    drop((events, shutdown, alice));
    thread.join().unwrap();
    historian.join().unwrap();
}

#[test]
fn a_gap_that_could_not_be_told_yet_is_told_with_the_next_recovery() {
    let (others, [alice, mut bob], thread) = running();
    let (why, since) = ("the disk is full.".to_owned(), Timestamp::UNIX_EPOCH);
    let outage = HistorianEvent::Outage { why, since };
    others.history.send(outage.clone()).unwrap();
    bob.reads("*** The history has not been written since");
    alice.says(&others.events, "<alice> one");
    others.commits.recv_timeout(DEADLINE).unwrap();
    bob.reads("<alice> one"); // the historian is late as well, so a recovery is not told yet
    let gap = Some((since, since));
    for event in
        [HistorianEvent::Recovered { gap }, outage, HistorianEvent::Recovered { gap: None }]
    {
        others.history.send(event).unwrap();
    }
    others.history.send(HistorianEvent::Committed(Vec::new())).unwrap();
    bob.reads("*** The history is written again; what was said from 1970-01-01 00:00:00 to");
    drop((others, alice, bob));
    thread.join().unwrap();
}

mod time;
