//! Steps 6 to 8: select, poll, epoll. One thread for everybody.

use crate::{
    floods,
    harness::{
        server::{after, take_descriptors},
        *,
    },
    start, start_with,
};
use std::{
    io::{self, Write as _},
    process::Command,
    thread,
};

#[test]
fn select_one_that_shuts_its_side_still_hears_all() {
    let server = start("select-echo");
    let mut client = server.connect("ann");
    client.sends("the last word");
    client.stops_sending();
    assert_eq!(client.receives_to_the_end(), "the last word");
}

#[test]
fn select_an_exceptional_client_is_dropped() {
    let mut server = start("select-echo");
    let mut client = server.connect("ann");
    client.sends("a");
    client.receives("a");
    socket2::SockRef::from(client.stream()).send_out_of_band(b"!").unwrap();
    client.ends();
    server.ends_on_ctrl_c();
}

#[test]
fn select_ends_at_descriptor_1023_with_a_sentence() {
    // Most descriptors are taken before the program starts, so 300 clients reach the end as a thousand would.
    let mut command = Command::new(example::example("select-echo"));
    command.arg("127.0.0.1:0");
    let mut server = Server::start_program(after(&take_descriptors(700), command));
    let mut inside = server.connect_all(0..300);
    inside.iter_mut().for_each(|client| client.sends("x"));
    inside.iter_mut().for_each(|client| client.receives("x"));
    for _ in 0..3 {
        let mut newcomers = server.connect_all(0..24);
        let mut last = newcomers.pop().unwrap(); // some of the others found room
        assert_eq!(last.receives_to_the_end(), "Full: select ends at descriptor 1023.\n");
    }
    for client in [0, 299] {
        inside[client].sends("still here");
        inside[client].receives("still here");
    }
    server.ends_on_ctrl_c();
}

/// In a loop, all wait.
#[test]
fn one_that_computes_for_a_second_stops_the_loop() {
    let mut server = start_with("slow-command", &["loop"]);
    let [mut ann, mut ben] = ["ann", "ben"].map(|name| server.connect(name));
    for client in [&mut ann, &mut ben] {
        client.asks("hello", "HELLO");
    }
    ann.says("hash");
    ben.asks("and I?", "AND I?");
    assert!(ann.has_unread(), "ben had to wait until it was done");
    ann.hears("computed");
    server.ends_on_ctrl_c();
}

/// With threads, only the one that asked waits.
#[test]
fn one_that_computes_for_a_second_stops_no_other_thread() {
    let mut server = start_with("slow-command", &["threads"]);
    eventually("ben has an answer before ann", || {
        let [mut ann, mut ben] = ["ann", "ben"].map(|name| server.connect(name));
        ann.says("hash");
        ben.asks("and I?", "AND I?");
        let is_first = !ann.has_unread();
        ann.hears("computed");
        is_first
    });
    server.ends_on_ctrl_c();
}

#[test]
fn a_loop_is_not_stopped_by_one_that_does_not_read() {
    for (name, arguments) in
        [("select-echo", &[][..]), ("poll-upper", &[]), ("epoll", &["level"]), ("epoll", &["edge"])]
    {
        let mut server = start_with(name, arguments);
        let [stuck, mut other] = ["stuck", "other"].map(|name| server.connect(name));
        floods(&stuck, "x");
        (0..10).for_each(|_| other.asks("1 2 3", "1 2 3"));
        server.ends_on_ctrl_c();
    }
}

#[test]
fn poll_upper_case_and_the_list_of_the_watched() {
    let mut server = start("poll-upper");
    let mut ann = server.connect("ann");
    let a = ann.address();
    server.prints_line(&format!("watching [{a}]"));
    let mut ben = server.connect("ben");
    let b = ben.address();
    server.prints_line(&format!("watching [{a}, {b}]"));
    ann.says("ann");
    ben.says("ben");
    ann.hears("ANN");
    ben.hears("BEN");
    drop(ann);
    server.prints_line(&format!("watching [{b}]"));
    drop(ben);
    server.prints_line("watching []");
    assert!(server.ends_on_ctrl_c().is_empty());
}

#[test]
fn text_is_put_into_upper_case_although_a_read_may_end_inside_a_character() {
    for (name, mode) in [("poll-upper", &[][..]), ("epoll", &["level"]), ("epoll", &["edge"])] {
        let mut server = start_with(name, mode);
        let mut client = server.connect("ann");
        client.asks("größe, привет, 你好", "GRÖSSE, ПРИВЕТ, 你好");
        client.sends([b"a fifteenth gr", &"ö".as_bytes()[..1]].concat());
        client.receives("A FIFTEENTH GR");
        client.sends([&"ö".as_bytes()[1..], b"\xff!\n"].concat());
        client.receives("Ö".as_bytes());
        client.receives(b"\xff!\n");
        server.ends_on_ctrl_c();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn epoll_upper_case_level_and_edge() {
    for mode in ["level", "edge"] {
        let mut server = start_with("epoll", &[mode]);
        let long = "a line that takes many bites ".repeat(500);
        let mut clients = server.connect_all(0..10);
        for client in clients.iter_mut().rev() {
            client.sends(&long);
            client.receives(long.to_uppercase());
            client.stops_sending();
        }
        clients.into_iter().for_each(Client::ends);
        server.ends_on_ctrl_c();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn edge_triggered_and_read_once_leaves_bytes_lying() {
    let mut server = start_with("epoll", &["edge-once"]);
    let mut client = server.connect("ann");
    client.sends("a");
    client.receives("A");
    client.sends("16 bytes of this, and no more");
    client.receives("16 BYTES OF THIS");
    client.hears_nothing_for_now(); // the kernel told once
    client.sends("!"); // something new: it tells again, and there are 16 bytes more
    client.receives(", AND NO MORE!");
    server.ends_on_ctrl_c();
}

#[cfg(target_os = "linux")]
#[test]
fn edge_triggered_one_that_sends_without_end_does_not_keep_the_loop() {
    let mut server = start_with("epoll", &["edge"]);
    let [busy, mut other] = ["busy", "other"].map(|name| server.connect(name));
    thread::scope(|scope| {
        scope.spawn(|| while busy.stream().write_all(&[b'x'; 4096]).is_ok() {});
        scope.spawn(|| io::copy(&mut busy.stream(), &mut io::sink()));
        (0..100).for_each(|_| other.asks("still here", "STILL HERE"));
        server.ends_on_ctrl_c(); // and with it, the other two threads
    });
}
