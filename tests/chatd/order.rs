//! One order: what any two clients both read, they read in the same order. The past and the present meet without a
//! gap or a repeat.

use crate::harness::{Client, Folder, Server};
use chatd::core::rooms::ROOMS_MAX;
use std::thread;

#[test]
pub fn two_talkers_at_full_speed_twenty_listeners_one_sequence() {
    const LINES: usize = 10_000;
    let server = Server::start(&["--flood", "off", "--high-water", "100000000"]);
    let names: Vec<String> = (0..20).map(|i| format!("n{i}")).collect();
    let listeners = server.enter_all(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let talkers: Vec<_> = ["anna", "otto"]
        .map(|name| {
            let mut talker = server.connect(name);
            talker.says(name);
            talker.hears_until("*** Hello");
            thread::spawn(move || {
                for i in 0..LINES {
                    talker.says(&i.to_string());
                }
                talker
            })
        })
        .into_iter()
        .collect();
    let heard: Vec<Vec<String>> = listeners
        .into_iter()
        .map(|mut listener| {
            thread::spawn(move || {
                let is_talk = |line: &String| line.starts_with('<');
                std::iter::from_fn(|| listener.reads()).filter(is_talk).take(2 * LINES).collect()
            })
        })
        .collect::<Vec<_>>()
        .into_iter()
        .map(|listener| listener.join().unwrap())
        .collect();
    let _talkers: Vec<Client> = talkers.into_iter().map(|talker| talker.join().unwrap()).collect();

    for name in ["anna", "otto"] {
        let lead = format!("<{name}> ");
        let own: Vec<usize> =
            heard[0].iter().filter_map(|line| line.strip_prefix(&lead)?.parse().ok()).collect();
        assert!(own.iter().copied().eq(0..LINES), "every line of {name}, in order");
    }
    for other in &heard[1..] {
        assert!(*other == heard[0], "two listeners read two sequences");
    }
}

#[test]
pub fn past_and_present_meet_without_a_gap_or_a_repeat() {
    let server =
        Server::start(&["--flood", "off", "--backlog-lines", "300", "--high-water", "100000000"]);
    let [talker, reader] = server.enter(["talker", "reader"]);
    joiners_find_neither_gap_nor_repeat(&server, "lobby", 0, talker, reader);
}

/// The rooms have forgotten what was said first, so the memory is asked, while others talk on.
#[test]
pub fn they_meet_too_when_the_past_has_to_be_looked_up() {
    const BEFORE: usize = 100;
    let folder = Folder::new("meet");
    let db = folder.path("chatd.db");
    let server = Server::start(&[
        "--flood",
        "off",
        "--backlog-lines",
        "300",
        "--high-water",
        "100000000",
        "--db",
        &db,
    ]);
    let [mut talker, mut reader] = server.enter(["talker", "reader"]);
    for client in [&mut talker, &mut reader] {
        client.says("/join den");
        client.hears_until("*** You are in den");
    }
    for i in 0..BEFORE {
        talker.says(&i.to_string());
    }
    talker.has_read_everything();
    for client in [&mut talker, &mut reader] {
        client.says("/join lobby");
        client.hears_until("*** You are in lobby");
    }
    for i in 0..ROOMS_MAX {
        talker.says(&format!("/join room{i}"));
        talker.hears_until(&format!("*** You are in room{i}"));
    }
    for client in [&mut talker, &mut reader] {
        client.says("/join den");
        client.hears_until("*** You are in den");
    }
    joiners_find_neither_gap_nor_repeat(&server, "den", BEFORE, talker, reader);
}

/// `talker` counts from `first`, and `reader` listens. All that joiners read, of the past and of the present, is one
/// row of numbers; and before the past is full, it begins with 0.
fn joiners_find_neither_gap_nor_repeat(
    server: &Server,
    room: &str,
    first: usize,
    mut talker: Client,
    mut reader: Client,
) {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let talking = thread::spawn(move || {
        let mut i = first;
        while stopped.try_recv().is_err() {
            talker.says(&i.to_string());
            reader.hears_until(&format!("<talker> {i}"));
            i += 1;
        }
    });
    for round in 0..40 {
        let mut joiner = server.connect("joiner");
        joiner.says(&format!("joiner{round}"));
        if room != "lobby" {
            joiner.says(&format!("/join {room}"));
        }
        joiner.hears_until(&format!("*** You are in {room}"));
        let mut numbers: Vec<usize> = Vec::new();
        let number =
            |line: &str| line.split_once("<talker> ").and_then(|(_, number)| number.parse().ok());
        let mut line = joiner.reads().unwrap();
        if line.starts_with("*** The last") {
            loop {
                line = joiner.reads().unwrap();
                if line == "*** End of the past." {
                    break;
                }
                numbers.push(number(&line).unwrap_or_else(|| panic!("in the past: {line:?}")));
            }
            let is_all = numbers.len() < 300;
            assert!(!is_all || numbers[0] == 0, "the past begins with {}", numbers[0]);
        } else {
            numbers.extend(number(&line)); // nothing had been said yet
        }
        let live = numbers.len() + 50;
        while numbers.len() < live {
            let line = joiner.reads().unwrap();
            if let Some(number) = number(&line) {
                assert!(line.starts_with("<talker> "), "{line:?} comes after the past");
                numbers.push(number);
            }
        }
        assert!(
            numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "round {round}: {numbers:?}"
        );
    }
    stop.send(()).unwrap();
    talking.join().unwrap();
}
