//! The fan-out with its channels; a thread plays the historian.

use crate::{
    core::{
        Chat,
        close_reason::CloseReason,
        commands::Table,
        event::{Entry, Event, Question, Talk, Wishes},
        name::NameRule,
        record::{Change, Record, Snapshot},
        rooms::RoomsConfig,
    },
    model::channel::{Receiver, Sender, bounded, never},
    server::{
        client::outbox::WriterHandle,
        clock::{Clock, Clocks, TimeSource},
        cues::Cues,
        fanout::{ClientEvent, FanOut, Shutdown},
        history::historian::{HistorianEvent, HistorianHandle},
        parking::Ask,
        status::Status,
    },
};
use jiff::Timestamp;
use shuttle::thread::{JoinHandle, spawn};
use std::{sync::Arc, time::Duration};

/// Clocks that stand still.
struct Still;

impl TimeSource for Still {
    fn read(&self) -> Clocks {
        Clocks { wall: Timestamp::constant(1_800_000_000, 0), uptime: Duration::from_hours(1) }
    }
}

/// A fan-out and a historian that run.
pub(super) struct Running {
    pub(super) events: Sender<ClientEvent>,
    pub(super) shutdown: Sender<Shutdown>,
    pub(super) door: Ask<(String, u64)>,
    pub(super) fanout: JoinHandle<()>,
    pub(super) historian: JoinHandle<()>,
}

pub(super) fn start() -> Running {
    let (events, to_apply) = bounded(3);
    let (shutdown, stopping) = bounded(2);
    let (tell, told) = bounded(4);
    let (commits, to_write) = bounded(1);
    let cues = Cues::default();
    let door = cues.door.ask.clone();
    let fanout = FanOut {
        events: to_apply,
        large: never(),
        shutdown: stopping,
        cues,
        historian: HistorianHandle { commits, events: told },
        clock: Clock::new(Still),
        high_water: super::AMPLE,
        stop: Box::new(|| ()),
        status: Status::new("fanout"),
        totals: Arc::default(),
    };
    let config = RoomsConfig { keeps_talk: true, backlog_lines: 100, ..RoomsConfig::default() };
    let chat = Chat::new(config, Table::default(), Snapshot::default());
    let fanout = spawn(move || fanout.run(chat));
    let historian = spawn(move || writes(&to_write, &tell));
    Running { events, shutdown, door, fanout, historian }
}

impl Running {
    /// Nobody sends events any more: both end.
    pub(super) fn ends(self) {
        drop(self.events);
        self.fanout.join().unwrap();
        self.historian.join().unwrap();
    }
}

fn writes(batches: &Receiver<Vec<Record>>, tell: &Sender<HistorianEvent>) {
    for records in batches.iter() {
        for record in &records {
            if let Change::RoomMessage { text, .. } = &record.change {
                text.lines().for_each(super::note_written);
            }
        }
        if tell.send(HistorianEvent::Committed(Vec::new())).is_err() {
            return;
        }
    }
}

// --- What a client's own thread does ---

/// Comes in. Returns when that was answered.
pub(super) fn enters(client: &Arc<WriterHandle>, events: &Sender<ClientEvent>) {
    let entry = Entry {
        name: NameRule::Ascii.check(&format!("user{}", client.number), "name").unwrap(),
        address: client.peer.into(),
        login: None,
        reserve_of: None,
        is_instructor: false,
        wishes: Wishes::default(),
    };
    events.send((client.clone(), Event::Ask(Question::Enter(Box::new(entry))))).unwrap();
    client.wait_for_answer();
    client.write_answer(b"");
}

/// Says a line, and returns it as others read it.
pub(super) fn says(
    client: &Arc<WriterHandle>,
    events: &Sender<ClientEvent>,
    words: &str,
) -> String {
    let line = format!("<user{}> {words}", client.number);
    let talk = Talk { text: format!("{line}\n"), lines: 1, ..Talk::default() };
    events.send((client.clone(), Event::Talk(talk))).unwrap();
    line
}

/// Takes leave of the rooms. When it returns, what was said before has been delivered.
pub(super) fn departs(
    client: &Arc<WriterHandle>,
    events: &Sender<ClientEvent>,
    reason: CloseReason,
) {
    events.send((client.clone(), Event::Depart(reason))).unwrap();
    client.wait_for_answer();
    client.write_answer(b"");
}

/// The lines that members said, of what somebody has read.
pub(super) fn talk(read: &str) -> Vec<&str> {
    read.lines().filter(|line| line.starts_with('<')).collect()
}

/// Fails unless both have read the lines that both have read in one order, and each of them once.
pub(super) fn check_order(one: &[&str], other: &[&str]) {
    let common = |a: &[&str], b: &[&str]| -> Vec<String> {
        a.iter().filter(|line| b.contains(line)).map(|&line| line.to_owned()).collect()
    };
    assert_eq!(common(one, other), common(other, one), "two have read two orders");
    for lines in [one, other] {
        let twice =
            lines.iter().find(|line| lines.iter().filter(|other| other == line).count() > 1);
        assert_eq!(twice, None, "it is shown twice");
    }
}
