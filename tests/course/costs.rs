//! What no client sees: a loop that spins, and a queue without a bound. The processor time and the memory of the process
//! tell.

use crate::{floods, harness::*, start_with};

/// The loops, with what stands behind their address.
const LOOPS: [(&str, &[&str]); 6] = [
    ("select-echo", &[]),
    ("poll-upper", &[]),
    ("epoll", &["level"]),
    ("epoll", &["edge"]),
    ("reactor-echo", &[]),
    ("broadcast", &[]),
];

/// A loop that is told "ready" without end takes half a core at least, when the machine has a core for it.
#[test]
fn a_loop_with_silent_clients_takes_no_processor_time() {
    let servers = LOOPS.map(|(name, arguments)| {
        let server = start_with(name, arguments);
        let clients = server.connect_all(0..3);
        for client in &clients {
            let mut stream = client.stream();
            std::io::Write::write_all(&mut stream, b"hello").unwrap();
        }
        (name, server, clients)
    });
    let mut last = servers.iter().map(|(_, server, _)| server.connect("last")).collect::<Vec<_>>();
    let before = servers.each_ref().map(|(_, server, _)| {
        eventually("all are served", || server.descriptors() >= 3 + 4);
        server.cpu_ticks()
    });
    // One that spins is caught as soon as it had a core for 100 ms; one that waits has had none.
    (0..3).for_each(|_| is_silent(&mut last[0]));
    for ((name, server, _), before) in servers.iter().zip(before) {
        let ticks = server.cpu_ticks() - before;
        assert!(ticks < 10, "{name} took {ticks} hundredths of a second, and nobody said anything");
    }
}

/// A moment passes, and nothing comes.
fn is_silent(client: &mut Client) {
    while client.has_unread() {
        client.receives_byte();
    }
    client.hears_nothing_for_now();
}

/// What comes back to one who does not read has to wait somewhere: in a queue with a bound.
#[test]
fn one_that_does_not_read_fills_no_memory() {
    for (name, arguments) in LOOPS {
        let mut server = start_with(name, arguments);
        let stuck = server.connect("stuck");
        if name == "broadcast" {
            continue; // nothing comes back; who reads nothing there is dropped, which is another test
        }
        let before = server.memory_kib("VmRSS");
        floods(&stuck, "x");
        let grown = server.memory_kib("VmHWM") - before;
        assert!(grown < 1024, "{name} keeps {grown} KiB for one that does not read");
        server.ends_on_ctrl_c();
    }
}
