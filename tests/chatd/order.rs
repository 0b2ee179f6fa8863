//! One order: what any two clients both read, they read in the same order. The past and the present meet without a
//! gap or a repeat.

use crate::{
    harness::{Client, Folder, Server},
    internals::ROOMS_MAX,
};
use std::{sync::mpsc, thread};

#[test]
pub fn two_talkers_at_full_speed_twenty_listeners_one_sequence() {
    const LINES: usize = 10_000;
    let server = Server::start("--flood off --high-water 100000000");
    let names: Vec<String> = (0..20).map(|i| format!("n{i}")).collect();
    let mut listeners = server.enter_all(&names);
    let mut talkers = ["anna", "otto"].map(|name| server.lets_in(name));
    let heard: Vec<Vec<String>> = thread::scope(|scope| {
        for talker in &mut talkers {
            scope.spawn(move || (0..LINES).for_each(|i| talker.says(&i.to_string())));
        }
        let listen = |listener: &mut Client| {
            let lines = std::iter::from_fn(|| listener.reads());
            lines.filter(|line| line.starts_with('<')).take(2 * LINES).collect()
        };
        let listening: Vec<_> =
            listeners.iter_mut().map(|listener| scope.spawn(move || listen(listener))).collect();
        listening.into_iter().map(|listener| listener.join().unwrap()).collect()
    });
    for name in ["<anna> ", "<otto> "] {
        let own = heard[0].iter().filter_map(|line| line.strip_prefix(name)?.parse::<usize>().ok());
        assert!(own.eq(0..LINES), "every line of {name}, in order");
    }
    assert!(heard.iter().all(|other| *other == heard[0]), "two listeners read two sequences");
}

#[test]
pub fn past_and_present_meet_without_a_gap_or_a_repeat() {
    let server = Server::start("--flood off --backlog-lines 300 --high-water 100000000");
    let [talker, reader] = server.enter(["talker", "reader"]);
    joiners_find_neither_gap_nor_repeat(&server, "lobby", 0, talker, reader);
}

/// The rooms have forgotten what was said first, so the file is asked, while others talk on.
#[test]
pub fn they_meet_too_when_the_past_is_read_from_the_file() {
    const BEFORE: usize = 100;
    let folder = Folder::new();
    let server = folder.start("--flood off --backlog-lines 300 --high-water 100000000");
    let [mut talker, mut reader] = server.enter(["talker", "reader"]);
    let join = |client: &mut Client, room: &str| {
        client.asks_until(&format!("/join {room}"), &format!("*** You are in {room}"));
    };
    join(&mut talker, "den");
    for i in 0..BEFORE {
        talker.says(&i.to_string());
    }
    talker.has_read_everything();
    for i in 0..ROOMS_MAX {
        join(&mut talker, &format!("room{i}"));
    }
    join(&mut talker, "den");
    join(&mut reader, "den");
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
    let (stop, stopped) = mpsc::channel::<()>();
    let talking = thread::spawn(move || {
        for i in (first..).take_while(|_| stopped.try_recv().is_err()) {
            talker.says(&i.to_string());
            reader.hears_until(&format!("<talker> {i}"));
        }
    });
    let number = |line: &str| line.split_once("<talker> ")?.1.parse::<usize>().ok();
    for round in 0..40 {
        let mut joiner = server.connect("joiner");
        joiner.says(&format!("joiner{round}"));
        if room != "lobby" {
            joiner.says(&format!("/join {room}"));
        }
        joiner.hears_until(&format!("*** You are in {room}"));
        let mut lines = std::iter::from_fn(|| joiner.reads());
        let mut numbers: Vec<usize> = Vec::new();
        let heading = lines.next().unwrap();
        if heading.starts_with("*** The last") {
            let past = lines.by_ref().take_while(|line| line != "*** End of the history.");
            numbers
                .extend(past.map(|l| number(&l).unwrap_or_else(|| panic!("in the past: {l:?}"))));
            assert!(numbers.len() == 300 || numbers[0] == 0, "the past begins with {}", numbers[0]);
        } else {
            numbers.extend(number(&heading)); // nothing had been said yet
        }
        let live = lines.filter(|line| number(line).is_some()).take(50);
        numbers.extend(live.map(|line| {
            assert!(line.starts_with("<talker> "), "{line:?} comes after the past");
            number(&line).unwrap()
        }));
        let is_row = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(is_row, "round {round}: {numbers:?}");
    }
    stop.send(()).unwrap();
    talking.join().unwrap();
}
