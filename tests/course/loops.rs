//! Steps 6 to 8: select, poll, epoll. One thread for everybody.

use super::harness::*;
use std::io::{ErrorKind, Read as _, Write as _};

const MESSAGES: [&str; 3] = ["This is the message. ", "It will be sent ", "in parts."];

#[test]
fn select_two_connections_send_in_turn_and_each_hears_its_echo() {
    let server = start("select-echo");
    let mut connections = [Peer::connect(&server), Peer::connect(&server)];
    for message in MESSAGES {
        for connection in &mut connections {
            connection.sends(message);
        }
        for connection in &mut connections {
            connection.reads(message);
        }
    }
    ends_on_ctrl_c(server);
}

#[test]
fn select_the_client_of_the_course() {
    let server = start("select-echo");
    let output = program("select-echo-client").arg(server.address.to_string()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().count(), 12, "{printed}");
    for message in MESSAGES {
        assert_eq!(printed.matches(&format!("sending  {message:?}")).count(), 2, "{printed}");
        assert_eq!(printed.matches(&format!("received {message:?}")).count(), 2, "{printed}");
    }
}

#[test]
fn select_who_shuts_its_side_still_hears_all() {
    let server = start("select-echo");
    let mut client = Peer::connect(&server);
    client.sends("the last word");
    client.stops_sending();
    assert_eq!(client.reads_to_the_end(), "the last word");
}

#[test]
fn select_an_exceptional_client_is_dropped() {
    let server = start("select-echo");
    let mut client = Peer::connect(&server);
    client.sends("a");
    client.reads("a");
    socket2::SockRef::from(&client.0).send_out_of_band(b"!").unwrap();
    client.ends();
    ends_on_ctrl_c(server);
}

#[test]
fn select_ends_at_descriptor_1023_with_a_sentence() {
    may_open(2100);
    let server = start("select-echo");
    let mut inside: Vec<Peer> = (0..1000).map(|_| Peer::connect(&server)).collect();
    for client in &mut inside {
        client.sends("x");
        client.reads("x");
    }
    for _ in 0..3 {
        let mut newcomers: Vec<Peer> = (0..24).map(|_| Peer::connect(&server)).collect();
        let last = newcomers.pop().unwrap(); // some of the others found room
        assert_eq!(last.reads_to_the_end(), "Full: select ends at descriptor 1023.\n");
    }
    for client in [0, 999] {
        inside[client].sends("still here");
        inside[client].reads("still here");
    }
    ends_on_ctrl_c(server);
}

/// `loop`: all wait. `threads`: only he does who asked.
#[test]
fn one_computes_for_a_second() {
    let server = start_with("slow-command", &["loop"]);
    let (mut ann, mut ben) = (Peer::connect(&server), Peer::connect(&server));
    for peer in [&mut ann, &mut ben] {
        peer.sends("hello\n");
        peer.reads("HELLO\n");
    }
    ann.sends("hash\n");
    ben.sends("and I?\n");
    ben.reads("AND I?\n");
    ann.0.set_nonblocking(true).unwrap();
    ann.reads("computed\n"); // it is there already: ben had to wait until it was done
    ends_on_ctrl_c(server);

    let server = start_with("slow-command", &["threads"]);
    eventually("ben has his answer before ann", || {
        let (mut ann, mut ben) = (Peer::connect(&server), Peer::connect(&server));
        ann.sends("hash\n");
        ben.sends("and I?\n");
        ben.reads("AND I?\n");
        ann.0.set_nonblocking(true).unwrap();
        let is_first = ann.0.read(&mut [0; 9]).is_err_and(|e| e.kind() == ErrorKind::WouldBlock);
        ann.0.set_nonblocking(false).unwrap();
        ann.reads("computed\n");
        is_first
    });
    ends_on_ctrl_c(server);
}

/// Sends until the server takes no more, and reads nothing.
pub fn floods(client: &Peer, line: &str) {
    let block = line.repeat(4096 / line.len());
    client.0.set_nonblocking(true).unwrap();
    let (mut sent, mut refused) = (0, 0);
    while refused < 1000 {
        match (&client.0).write(block.as_bytes()) {
            Ok(n) => (sent, refused) = (sent + n, 0),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::WouldBlock);
                refused += 1;
                std::thread::yield_now();
            }
        }
        assert!(sent < 64 << 20, "it takes without end from one who does not read");
    }
}

#[test]
fn a_loop_is_not_stopped_by_one_who_does_not_read() {
    for (name, arguments) in
        [("select-echo", ""), ("poll-upper", ""), ("epoll", "level"), ("epoll", "edge")]
    {
        let server = start_with(name, &[arguments][..usize::from(!arguments.is_empty())]);
        let (stuck, mut other) = (Peer::connect(&server), Peer::connect(&server));
        floods(&stuck, "x");
        for _ in 0..10 {
            other.sends("1 2 3\n");
            other.reads("1 2 3\n");
        }
        ends_on_ctrl_c(server);
    }
}

#[test]
fn poll_upper_case_and_the_list_of_the_watched() {
    let mut server = Printing::start("poll-upper", &[]);
    let mut ann = Peer::connect_to(server.address);
    let a = ann.address();
    server.prints(&format!("watching [{a}]"));
    let mut ben = Peer::connect_to(server.address);
    let b = ben.address();
    server.prints(&format!("watching [{a}, {b}]"));
    ann.sends("ann\n");
    ben.sends("ben\n");
    ann.reads("ANN\n");
    ben.reads("BEN\n");
    drop(ann);
    server.prints(&format!("watching [{b}]"));
    drop(ben);
    server.prints("watching []");
    assert!(server.ends().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn epoll_upper_case_level_and_edge() {
    for mode in ["level", "edge"] {
        let server = start_with("epoll", &[mode]);
        let mut clients: Vec<Peer> = (0..10).map(|_| Peer::connect(&server)).collect();
        let long = "a line that takes many bites ".repeat(500);
        for client in clients.iter_mut().rev() {
            client.sends(&long);
            client.reads(long.to_uppercase());
            client.stops_sending();
        }
        clients.into_iter().for_each(Peer::ends);
        ends_on_ctrl_c(server);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn edge_triggered_and_read_once_leaves_bytes_lying() {
    let server = start_with("epoll", &["edge-once"]);
    let mut client = Peer::connect(&server);
    client.sends("a");
    client.reads("A");
    client.sends("16 bytes of this, and no more");
    client.reads("16 BYTES OF THIS");
    client.hears_nothing(); // the kernel told once
    client.sends("!"); // something new: it tells again, and there are 16 bytes more
    client.reads(", AND NO MORE!");
    ends_on_ctrl_c(server);
}

#[cfg(target_os = "linux")]
#[test]
fn edge_triggered_one_who_sends_without_end_does_not_keep_the_loop() {
    let server = start_with("epoll", &["edge"]);
    let (busy, mut other) = (Peer::connect(&server), Peer::connect(&server));
    let (mut reading, mut writing) = (busy.0.try_clone().unwrap(), busy.0);
    std::thread::scope(|scope| {
        scope.spawn(|| while writing.write_all(&[b'x'; 4096]).is_ok() {});
        scope.spawn(|| std::io::copy(&mut reading, &mut std::io::sink()));
        for _ in 0..100 {
            other.sends("still here\n");
            other.reads("STILL HERE\n");
        }
        ends_on_ctrl_c(server); // and with it, the other two threads
    });
}

/// Raises this process's limit of descriptors, and so that of the programs it starts.
fn may_open(descriptors: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < descriptors) {
        limit.current = Some(descriptors);
        setrlimit(Resource::Nofile, limit).expect("the limit of descriptors can be raised");
    }
}
