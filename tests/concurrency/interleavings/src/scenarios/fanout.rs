//! The fan-out and the historian, with their channels.

use super::{AMPLE, LIMITS, client};
use crate::{
    core::{
        Chat,
        close_reason::CloseReason,
        commands::Table,
        event::{Entry, Event, Question, Talk, Wishes},
        name::NameRule,
        rooms::RoomsConfig,
    },
    model::{
        channel::{Sender, bounded, never},
        net::Peer,
    },
    server::{
        client::{flusher::FlusherQueue, outbox::WriterHandle},
        clock::{Clock, Clocks, TimeSource},
        cues::{Cue, Cues},
        fanout::{ClientEvent, FanOut, Shutdown},
        history::historian::{self, HistoryReader, StoreConfig},
        parking::{Parking, Rests},
        status::{Status, Totals},
        watch::Watch,
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
pub(super) struct Running<T> {
    pub(super) events: Sender<ClientEvent>,
    pub(super) reader: HistoryReader,
    pub(super) shutdown: Sender<Shutdown>,
    pub(super) rests: Rests<T>,
    pub(super) totals: Arc<Totals>,
    pub(super) tell: Sender<Cue>,
    pub(super) watch: Watch,
    pub(super) fanout: JoinHandle<()>,
    pub(super) historian: JoinHandle<()>,
}

pub(super) fn start<T>() -> Running<T> {
    let store = StoreConfig { file: Some("chatd.db".into()), ..StoreConfig::default() };
    let clock = Clock::new(Still);
    let (snapshot, handle, reader, historian) = historian::open(&store, clock.clone()).unwrap();
    let ((events, to_apply), (shutdown, stopping)) = (bounded(3), bounded(2));
    let (cues, totals) = (Cues::default(), Arc::<Totals>::default());
    let rests = Rests {
        clients: Parking::default(),
        fanout: cues.rest.ask.clone(),
        historian: historian.rest.ask.clone(),
    };
    let fanout = FanOut {
        events: to_apply,
        large: never(),
        shutdown: stopping,
        cues,
        historian: handle,
        clock,
        high_water: AMPLE,
        stop: Box::new(|| ()),
        status: Status::new("fanout"),
        totals: totals.clone(),
    };
    let (tell, watch) = (fanout.cues.tell.clone(), Watch::new(&[], fanout.events.clone()));
    let config = RoomsConfig { keeps_talk: true, backlog_lines: 100, ..RoomsConfig::default() };
    let chat = Chat::new(config, Table::default(), snapshot);
    let fanout = spawn(move || fanout.run(chat));
    let historian = spawn(move || historian.run());
    Running { events, reader, shutdown, rests, totals, tell, watch, fanout, historian }
}

impl<T> Running<T> {
    /// Nobody sends events or asks any more: both end.
    pub(super) fn ends(self) {
        drop((self.events, self.reader));
        self.fanout.join().unwrap();
        self.historian.join().unwrap();
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

/// Four come in, to whom everything can be sent at once.
pub(super) fn four_enter(events: &Sender<ClientEvent>) -> (Vec<Arc<WriterHandle>>, Vec<Peer>) {
    let (queue, _flusher) = FlusherQueue::new().unwrap();
    let four: (Vec<_>, Vec<_>) = (0..4).map(|number| client(number, AMPLE, LIMITS, &queue)).unzip();
    four.0.iter().for_each(|handle| enters(handle, events));
    four
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

/// The lines that members said, of what somebody has read. (Those of the past have a time in front.)
pub(super) fn talk(read: &str) -> Vec<&str> {
    let lines = read.lines().map(|line| line.strip_prefix("(08:00) ").unwrap_or(line));
    lines.filter(|line| line.starts_with('<')).collect()
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
