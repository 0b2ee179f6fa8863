//! Every event has the time at which it is taken. The clock moves while the fan-out waits: what it
//! read before would be wrong by the length of the quiet.

use super::*;
use crate::{
    core::record::Change,
    server::{
        clock::tests::{Machine, SECOND},
        status::row,
    },
};
use jiff::SignedDuration;
use std::sync::Mutex;

/// A room with alice, an administrator, and bob. Whatever is to be written is.
struct Room {
    machine: Machine,
    events: Sender<ClientEvent>,
    history: Sender<HistorianEvent>,
    status: Arc<Status>,
    /// What was said, and when.
    written: Arc<Mutex<Vec<(Timestamp, String)>>>,
    alice: Client,
    bob: Client,
}

impl Room {
    fn new() -> Room {
        let machine = Machine::new("2026-11-27T10:00:00Z");
        let (fanout, others) = fanout_at(Clock::new(machine.clone()), Box::new(|| ()));
        let (id, name) = (AccountId(1), "alice".to_owned());
        let account = Account { id, name, is_admin: true, since: Timestamp::UNIX_EPOCH, mail: 0 };
        let snapshot =
            Snapshot { accounts: vec![account], last_account: id, ..Snapshot::default() };
        let status = Arc::clone(&fanout.status);
        thread::spawn(move || fanout.run(chat(snapshot)));
        let Others { events, shutdown, commits, history } = others;
        let written = Arc::<Mutex<Vec<_>>>::default();
        let (into, historian) = (Arc::clone(&written), history.clone());
        thread::spawn(move || {
            let _shutdown = shutdown; // nobody shuts it down
            for records in commits {
                into.lock().unwrap().extend(records.into_iter().filter_map(|record: Record| {
                    let Change::RoomMessage { text, .. } = record.change else { return None };
                    Some((record.at, text))
                }));
                // Only now: whoever is answered after this looks at what was written.
                let _ = historian.send(HistorianEvent::Committed(Vec::new()));
            }
        });
        let (alice, bob) = (Client::new(1), Client::new(2));
        alice.enters(&events, "alice", Some(Login { account: id, private: Vec::new() }));
        bob.enters(&events, "bob", None);
        Room { machine, events, history, status, written, alice, bob }
    }

    /// The fan-out waits, and meanwhile time passes.
    fn is_quiet_for(&self, time: Duration) {
        let end = Instant::now() + DEADLINE;
        while !row(&self.status).contains("waiting for events") {
            assert!(Instant::now() < end, "{}", row(&self.status));
            thread::yield_now();
        }
        self.machine.passes(time);
    }

    /// What a client is told for a command.
    fn is_told(&self, client: &Client, command: &str) -> String {
        client.does(&self.events, Event::Command(command.to_owned()));
        let answer = client.waits_for_answer();
        client.handle.write_answer(b"");
        answer
    }

    /// When this was said, as it is written.
    #[track_caller]
    fn said_at(&self, text: &str) -> Option<Timestamp> {
        self.is_told(&self.alice, "names"); // what was said before is answered as written
        let written = self.written.lock().unwrap();
        written.iter().find(|(_, line)| line.trim_end() == text).map(|(at, _)| *at)
    }

    #[track_caller]
    fn bob_says(&self, line: &str) -> Option<Timestamp> {
        self.bob.says(&self.events, line);
        self.said_at(line)
    }
}

#[test]
fn a_line_has_the_time_at_which_it_is_taken() {
    let room = Room::new();
    for (n, quiet) in [0, 1, 7, 600, 86_400].into_iter().enumerate() {
        room.is_quiet_for(quiet * SECOND);
        let line = format!("<bob> {n}");
        assert_eq!(room.bob_says(&line), Some(room.machine.wall()), "after {quiet} s");
    }
}

#[test]
fn a_mute_and_a_ban_last_from_when_they_are_put_in_force() {
    let room = Room::new();
    room.is_quiet_for(7 * SECOND);
    room.is_told(&room.alice, "mute bob 5s");
    assert_eq!(room.bob_says("<bob> muted"), None, "the quiet before it does not count");
    room.is_quiet_for(4 * SECOND);
    assert_eq!(room.bob_says("<bob> still muted"), None);
    room.is_quiet_for(SECOND);
    assert_eq!(room.bob_says("<bob> again"), Some(room.machine.wall()), "at the first try");

    room.is_quiet_for(7 * SECOND);
    room.is_told(&room.alice, "ban mallory 5s");
    room.is_quiet_for(4 * SECOND);
    let enters = |number: u64| {
        let (client, address) = (Client::new(number), "192.0.2.9".parse().unwrap());
        let name = NameRule::Ascii.check("mallory", "name").unwrap();
        let entry = Entry {
            name,
            address,
            login: None,
            reserve_of: None,
            is_instructor: false,
            wishes: Wishes::default(),
        };
        client.does(&room.events, Event::Ask(Question::Enter(Box::new(entry))));
        client.waits_for_answer()
    };
    let refused = enters(8);
    assert!(refused.contains("until 2026-11-27 10:00"), "{refused}");
    room.is_quiet_for(SECOND);
    assert!(enters(9).contains("You are in lobby"), "at the first try");
    assert!(room.is_told(&room.alice, "bans").contains("Nobody is banned or muted."));
}

#[test]
fn the_past_is_told_with_the_times_that_were_stamped() {
    let mut room = Room::new();
    room.is_told(&room.alice, "timestamps");
    room.alice.reads("*** bob entered lobby");
    for (quiet, time) in [(600, "10:10"), (3_000, "11:00"), (13 * 3_600, "00:00"), (3_660, "01:01")]
    {
        room.is_quiet_for(quiet * SECOND);
        let line = format!("<bob> after {quiet} s");
        room.bob.says(&room.events, &line);
        room.alice.reads(&format!("[{time}] {line}"));
        let past = room.is_told(&room.alice, "history 1");
        let at = room.machine.wall().to_string();
        assert!(past.contains(&line) && past.contains(&at.replace('Z', "")), "{past}");
        let since = room.is_told(&room.alice, &format!("history since {time}"));
        assert!(since.contains(&line), "{since}");
        assert_eq!(since.matches("after").count(), 1, "{since}");
    }
    // A notice of the server's is stamped with its own time, too.
    room.is_quiet_for(600 * SECOND);
    let (why, since) = ("the disk is full.".to_owned(), room.machine.wall());
    room.history.send(HistorianEvent::Outage { why, since }).unwrap();
    room.alice.reads("[01:11] *** The history has not been written since 01:11:00");
    room.is_quiet_for(600 * SECOND);
    room.history.send(HistorianEvent::Recovered { gap: None }).unwrap();
    room.alice.reads("[01:21] *** The history is written again");
}

#[test]
fn who_is_idle_or_connected_for_how_long() {
    let room = Room::new();
    room.is_quiet_for(125 * SECOND);
    let who = room.is_told(&room.alice, "who");
    assert_eq!(who.matches("2 m").count(), 1, "bob, and not alice, who asks: {who}");
    room.is_quiet_for(60 * SECOND);
    let whois = room.is_told(&room.alice, "whois bob");
    assert!(whois.contains("connected for 3 m") && whois.contains("idle for 3 m"), "{whois}");
}

#[test]
fn a_clock_that_jumps_for_a_moment_gives_nothing_a_wrong_time() {
    let room = Room::new();
    let ten_years = SignedDuration::from_hours(24 * 3_650);
    room.is_told(&room.alice, "ban eve 1h");
    room.is_quiet_for(SECOND);
    let before = room.machine.wall();
    room.machine.is_set_by(ten_years);
    assert_eq!(room.bob_says("<bob> in ten years"), Some(before));
    room.is_told(&room.alice, "ban mallory 1h");
    room.is_told(&room.alice, "mute bob 5s");
    assert!(room.is_told(&room.alice, "bans").contains("eve"), "it has not ended");
    room.is_quiet_for(3 * SECOND);
    room.machine.is_set_by(-ten_years);
    let bans = room.is_told(&room.alice, "bans");
    assert_eq!(bans.matches("until 2026-11-27 11:00").count(), 2, "{bans}");
    room.is_quiet_for(2 * SECOND);
    assert_eq!(room.bob_says("<bob> again"), Some(room.machine.wall()));
    room.is_quiet_for(3_600 * SECOND);
    assert!(room.is_told(&room.alice, "bans").contains("Nobody is banned or muted."));
}

#[test]
fn the_outage_of_a_disk_that_does_not_answer_began_with_the_first_line_that_waits() {
    let machine = Machine::new("2026-11-27T10:00:00Z");
    let (fanout, others) = fanout_at(Clock::new(machine.clone()), Box::new(|| ()));
    let thread = thread::spawn(move || fanout.run(chat(Snapshot::default())));
    let (alice, mut bob) = (Client::new(1), Client::new(2));
    alice.enters(&others.events, "alice", None);
    bob.enters(&others.events, "bob", None);
    machine.passes(60 * SECOND);
    alice.says(&others.events, "<alice> one");
    others.commits.recv_timeout(DEADLINE).unwrap();
    machine.passes(60 * SECOND); // and nothing is answered
    bob.reads("*** The history has not been written since 10:01:00: the disk does not answer.");
    bob.reads("<alice> one");
    others.history.send(HistorianEvent::Committed(Vec::new())).unwrap();
    drop((others, alice, bob));
    thread.join().unwrap();
}
