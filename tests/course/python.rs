//! The tutorials' servers in Python (docs/course/python): they answer as the course's programs do, and their faults are there.

use crate::{harness::*, rooms, start, start_with, tutorial::output};
use std::{io::Write as _, path::Path, process::Command};

/// Starts a server in Python on a free port. Without Python there is none, and no test.
fn python(name: &str, arguments: &[&str]) -> Option<Server> {
    has_program("python3").then(|| {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/course/python");
        let mut command = Command::new("python3");
        command.args(["-u", "-X", "utf8"]).arg(scripts.join(name)).arg("0").args(arguments);
        Server::start_program(command)
    })
}

/// The clients of the tutorials print the same with both.
#[test]
fn python_servers_answer_as_the_courses_programs_do() {
    let table: [(&str, &str, &[&str], &str); 5] = [
        ("iterative.py", "iterative.py", &[], "iterative"),
        ("one_line.py", "slow_answer.py", &["fork"], "fork"),
        ("one_line.py", "slow_answer.py", &["threads"], "slow-answer"),
        ("hello.py", "hello.py", &[], "hello"),
        ("two_connections.py", "select_echo.py", &[], "select-echo"),
    ];
    for (client, script, arguments, program) in table {
        let Some(server) = python(script, arguments) else { return };
        assert_eq!(output(client, &server, &[]), output(client, &start(program), &[]), "{script}");
    }
}

#[test]
fn python_upper_strips_and_takes_an_empty_line_for_the_end() {
    let Some(server) = python("upper.py", &[]) else { return };
    let mut ann = server.connect("ann");
    ann.sends("  two words \n");
    ann.receives("TWO WORDS");
    ann.sends("\n");
    ann.ends();
    let server = start("upper");
    let mut ann = server.connect("ann");
    ann.sends("  two words \n");
    ann.receives("  TWO WORDS \n");
}

/// 36 bytes of name, 4 of padding, 8 of size, and the file.
const FILE: &[u8] = &{
    let mut file = [0; 49];
    (file[0], file[40], file[48]) = (b'a', 1, b'x');
    file
};

#[test]
fn python_takes_a_part_of_a_header_for_a_whole_one() {
    let folder = Folder::new();
    let path = folder.path("");
    for has_fault in [true, false] {
        let arguments = [path.to_str().unwrap()];
        let server = match has_fault {
            true => python("files_joined.py", &arguments),
            false => Some(start_with("files", &arguments)),
        };
        let Some(server) = server else { return };
        let mut client = server.connect("ann");
        client.sends(&FILE[..20]);
        client.hears_nothing_for_now(); // it has arrived
        client.sends(&FILE[20..]);
        if has_fault {
            server.logs("struct.error: unpack requires a buffer of 48 bytes");
            assert!(folder.files().is_empty());
        } else {
            client.stops_sending();
            client.ends();
            assert_eq!(folder.files(), ["a"]);
        }
    }
}

#[test]
fn python_joined_at_once_serves_one_client_only() {
    let folder = Folder::new();
    let path = folder.path("");
    let Some(server) = python("files_joined.py", &[path.to_str().unwrap()]) else { return };
    let [idle, mut second] = ["idle", "second"].map(|name| server.connect(name));
    second.sends(FILE);
    second.hears_nothing_for_now();
    assert!(folder.files().is_empty());
    drop(idle);
    server.prints("received a");
}

#[test]
fn python_keeps_without_a_bound_what_one_does_not_read() {
    let Some(server) = python("select_echo.py", &[]) else { return };
    let stuck = server.connect("stuck");
    let before = server.memory_kib("VmRSS");
    stuck.stream().write_all(&vec![b'x'; 24 << 20]).unwrap();
    eventually("it has all of it", || server.memory_kib("VmRSS") - before > 12 << 10);
}

/// An orderly end is an empty `recv`, and that socket is readable for ever.
#[test]
fn python_the_room_spins_once_a_client_has_left_in_order() {
    let Some(server) = python("room.py", &[]) else { return };
    let mut ann = server.connect("ann");
    let ben = server.connect("ben");
    ann.receives(format!("[{}] entered room\n", ben.address()));
    let before = server.cpu_ticks();
    ann.hears_nothing_for_now();
    assert!(server.cpu_ticks() - before < 10, "it should wait");
    drop(ben);
    let before = server.cpu_ticks();
    eventually("it takes a second of a core", || server.cpu_ticks() - before >= 100);
    ann.hears_nothing_for_now(); // nobody is told
    assert!(!server.printed().contains("offline"));
}

#[test]
fn python_the_mended_room_tells_who_has_left_and_waits() {
    let Some(server) = python("room_mended.py", &[]) else { return };
    let mut ann = server.connect("ann");
    let ben = server.connect("ben");
    ann.receives(format!("[{}] entered room\n", ben.address()));
    ben.stream().write_all(b"hi\n").unwrap();
    ann.receives(format!("\r<('127.0.0.1', {})> hi\n", ben.address().port()));
    let offline = format!("Client (127.0.0.1, {}) is offline", ben.address().port());
    drop(ben);
    ann.receives(offline);
    let before = server.cpu_ticks();
    ann.hears_nothing_for_now();
    assert!(server.cpu_ticks() - before < 10, "it should wait");
}

/// The one with the fault names whoever connected last.
#[test]
fn python_the_room_calls_the_wrong_one_offline() {
    let Some(server) = python("room.py", &[]) else { return };
    let [mut ann, mut ben] = ["ann", "ben"].map(|name| server.connect(name));
    ann.receives(format!("[{}] entered room\n", ben.address()));
    let carol = server.connect("carol");
    for present in [&mut ann, &mut ben] {
        present.receives(format!("[{}] entered room\n", carol.address()));
    }
    ben.resets();
    ann.receives(format!("Client (127.0.0.1, {}) is offline", carol.address().port()));
}

#[test]
fn python_gives_a_name_twice_although_it_has_the_gil() {
    let Some(server) = python("room_names.py", &[]) else { return };
    rooms::two_get_one_name(&server);
}

/// A person types half a line, a message comes, and what was typed is on no row of the screen any more. It is still in the
/// terminal's buffer: with the rest of the line it is sent.
#[cfg(target_os = "linux")]
#[test]
fn python_the_client_wipes_out_a_line_that_is_half_typed() {
    use rustix::event::{PollFd, PollFlags, poll};
    use std::io::Read as _;
    if !has_program("python3") {
        return;
    }
    let server = start("broadcast");
    let mut ben = server.connect("ben");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/course/tutorial/telnet.py");
    let (mut pty, pts) = pty_process::blocking::open().unwrap();
    pty.resize(pty_process::Size::new(24, 80)).unwrap();
    let command = pty_process::blocking::Command::new("python3").arg(script);
    let port = server.address.port().to_string();
    let mut client = command.args(["127.0.0.1", &port]).spawn(pts).unwrap();
    let mut screen = vt100::Parser::default();
    let mut shows = |pty: &mut pty_process::blocking::Pty, text: &str| {
        let mut bytes = [0; 1024];
        while !screen.screen().contents().contains(text) {
            let mut waits = [PollFd::new(&*pty, PollFlags::IN)];
            let is_there = poll(&mut waits, Some(&DEADLINE.try_into().unwrap())).unwrap() == 1;
            assert!(is_there, "{text:?} never comes: {}", screen.screen().contents());
            let count = pty.read(&mut bytes).unwrap();
            screen.process(&bytes[..count]);
        }
        screen.screen().contents()
    };
    ben.receives_until(b" entered room\n"); // else what he says may be earlier
    shows(&mut pty, "<You>");
    pty.write_all(b"hal").unwrap();
    shows(&mut pty, "<You> hal");
    ben.sends("what do you think of that?\n");
    let seen = shows(&mut pty, "of that?\n<You>");
    assert!(!seen.contains("hal"), "{seen}");
    pty.write_all(b"lo\n").unwrap();
    ben.receives_until(b"hallo\n");
    drop((server, pty));
    client.wait().unwrap();
}
