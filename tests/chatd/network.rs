//! A bad network between clients and the server, made by a cable of our own (network/cable.py): packets are delayed, lost,
//! doubled, overtaken and tiny, and the cable is cut. Those who come by it lose time; nobody else notices.
//! (Segments that overtake one another, or come twice, are put right by TCP; here it has to.)

use crate::{
    ghosts::ip,
    harness::{Client, Folder, Process, Program, Server, eventually, has_program, tls},
};
use std::{
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// A cable to a host of its own, on which the server runs. Who comes by a file on the disk does not need it.
struct Cable {
    host: String,
    number: u32,
    process: Process,
}

impl Cable {
    /// With the largest packet that it takes. `None`: this machine does not permit it.
    fn plug_in(packet_max: u32) -> Option<Cable> {
        let is_permitted =
            rustix::process::geteuid().is_root() && Path::new("/dev/net/tun").exists();
        if !is_permitted || !has_program("ip") || !has_program("python3") {
            println!("SKIPPED: it takes root and /dev/net/tun to make a cable");
            return None;
        }
        let first = std::process::id();
        let number = (0..250).map(|i| (first + i) % 250);
        let number = number.into_iter().find(|number| ip(&format!("netns add cable{number}")))?;
        let host = format!("cable{number}");
        let mut python = Command::new("python3");
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chatd/network/cable.py"));
        python.args([&host, &number.to_string(), &packet_max.to_string()]);
        let mut cable = Cable { host, number, process: Process::start(python) };
        if cable.process.next_line().as_deref() != Some("plugged in") {
            println!("SKIPPED: no cable can be made: {}", cable.process.log());
            return None;
        }
        Some(cable)
    }

    /// From now on the cable does this: see cable.py.
    #[track_caller]
    fn does(&mut self, what: &str) {
        self.process.types(&format!("{what}\n"));
        self.process.prints_line(what);
    }

    /// The server at its other end, which also listens on the file `s` of the folder.
    fn start(&self, folder: &Folder, options: &str) -> Server {
        let mut command = Command::new("ip");
        command.current_dir(folder.path("")).args(["netns", "exec", &self.host]);
        let address = format!("10.214.{}.2", self.number);
        let options = format!(
            "--listen {address}:0 --listen unix:s --tls {address}:0 {} --web none --db chatd.db {options}",
            tls::options()
        );
        command.arg(Program::Chatd.path()).args(options.split_whitespace());
        let server = Server::start_program(command);
        server.prints("listening on unix:s");
        server
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.host));
    }
}

/// Somebody who does not come by the cable.
fn beside(folder: &Folder, name: &str) -> Client {
    let mut client = Client::connect_to_file(&folder.path("s"), name);
    client.asks_until(name, "*** You are in lobby");
    client.has_read_everything();
    client
}

/// Somebody who comes by the cable; encrypted, if they are.
fn comes_by_cable(server: &Server, name: &str, is_encrypted: bool) -> Client {
    if !is_encrypted {
        return server.lets_in(name);
    }
    let address = server.also_at("listening for TLS on ");
    let mut client = None;
    Program::Tls.keeps_here(|| {
        let mut newcomer = Client::connect(address, name);
        newcomer.asks_until(name, &format!("*** Hello {name}."));
        client = Some(newcomer);
    });
    client.expect("it is let in")
}

const TALKERS: usize = 6;
const LINES: usize = 40;

/// What somebody says, as others read it.
fn said_by(name: &str) -> impl Iterator<Item = String> {
    (0..LINES).map(move |i| format!("<{name}> {i} {}", "x".repeat(i * 37 % 300)))
}

/// The next line of a talk.
fn next_of_talk(client: &mut Client) -> String {
    client.hears_until("<")
}

/// Says everything, the first one letter for letter, and reads what the others say.
fn talks(client: &mut Client, all: usize) -> Vec<String> {
    let name = client.name.clone();
    for line in said_by(&name) {
        let text = line.split_once("> ").unwrap().1;
        match &*name {
            "t0" => format!("{text}\n").bytes().for_each(|byte| client.sends([byte])),
            _ => client.says(text),
        }
    }
    (0..all - LINES).map(|_| next_of_talk(client)).collect()
}

#[test]
fn a_bad_network_costs_those_behind_it_time_and_nobody_a_line() {
    const BESIDE: usize = 30;
    for (packet_max, weather) in
        [(1500, &["delay 40 35", "lose 5", "double 3"][..]), (88, &["delay 4 4", "lose 1"])]
    {
        let Some(mut cable) = Cable::plug_in(packet_max) else { return };
        let folder = Folder::new();
        let server = cable.start(&folder, "--flood off --source-limits off");
        let [mut ann, mut bob] = ["ann", "bob"].map(|name| beside(&folder, name));
        weather.iter().for_each(|what| cable.does(what));
        let mut talkers: Vec<Client> =
            (0..TALKERS).map(|i| comes_by_cable(&server, &format!("t{i}"), i % 3 == 1)).collect();
        let all = TALKERS * LINES + BESIDE;
        let began = Instant::now();
        let (mut heard, mut slowest) = (Vec::new(), Duration::ZERO);
        let read: Vec<Vec<String>> = thread::scope(|scope| {
            let talks: Vec<_> =
                talkers.iter_mut().map(|talker| scope.spawn(|| talks(talker, all))).collect();
            for i in 0..BESIDE {
                let asked = Instant::now();
                bob.says(&i.to_string());
                while heard.last().is_none_or(|line| *line != format!("<bob> {i}")) {
                    heard.push(next_of_talk(&mut ann));
                }
                slowest = slowest.max(asked.elapsed());
            }
            heard.extend((heard.len()..all).map(|_| next_of_talk(&mut ann)));
            talks.into_iter().map(|talk| talk.join().unwrap()).collect()
        });
        println!(
            "{weather:?}, packets of {packet_max}: {all} lines took {:?}; the slowest of those beside it {slowest:?}",
            began.elapsed()
        );
        for (talker, read) in talkers.iter().zip(read) {
            let own = format!("<{}> ", talker.name);
            let (own, others): (Vec<_>, Vec<_>) =
                heard.iter().cloned().partition(|line| line.starts_with(&own));
            assert!(own.into_iter().eq(said_by(&talker.name)), "what {} said", talker.name);
            assert_eq!(read, others, "{} reads the others, in the one order", talker.name);
        }
        assert!(slowest < Duration::from_secs(5), "those beside it waited {slowest:?}");
        assert!(!server.log().contains(" left: "), "{}", server.log());
    }
}

#[test]
fn a_cable_that_is_cut_for_a_while_costs_nobody_a_line() {
    let Some(mut cable) = Cable::plug_in(1500) else { return };
    let folder = Folder::new();
    let server = cable.start(&folder, "--flood off --ghost-after 30");
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| beside(&folder, name));
    let mut far = [("far", false), ("safe", true)]
        .map(|(name, is_encrypted)| comes_by_cable(&server, name, is_encrypted));
    for client in &mut far {
        client.has_read_everything();
        client.sends("half a l");
    }
    cable.does("cut");
    for i in 0..100 {
        bob.says(&i.to_string());
        assert_eq!(next_of_talk(&mut ann), format!("<bob> {i}"));
    }
    for client in &mut far {
        client.sends("ine\nanother\n");
        if client.name == "far" {
            client.hears_nothing_for_now();
        }
    }
    cable.does("mend");
    let mut heard: Vec<String> = (0..4).map(|_| next_of_talk(&mut ann)).collect();
    heard.sort();
    assert_eq!(
        heard,
        ["<far> another", "<far> half a line", "<safe> another", "<safe> half a line"]
    );
    for client in &mut far {
        (0..100).for_each(|i| assert_eq!(next_of_talk(client), format!("<bob> {i}")));
    }
    assert!(!server.log().contains(" left: "), "{}", server.log());
}

/// Idle, in the middle of a line, of a long answer, of the login, or read to: `CHATD_GHOST_AFTER` says after which
/// time, up to 25 s.
#[test]
fn whoever_vanishes_is_gone_in_time_whatever_they_were_doing() {
    let Some(mut cable) = Cable::plug_in(1500) else { return };
    let seconds = std::env::var("CHATD_GHOST_AFTER").map_or(2, |seconds| seconds.parse().unwrap());
    let folder = Folder::new();
    let patient = "--write-deadline 3600 --login-deadline 3600";
    let server = cable.start(
        &folder,
        &format!("--flood off --source-limits off --ghost-after {seconds} {patient}"),
    );
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| beside(&folder, name));
    for i in 0..300 {
        bob.says(&format!("{i} {}", "x".repeat(980)));
        next_of_talk(&mut ann);
    }
    let names = ["idle", "typing", "asking", "sealed"];
    let [mut idle, mut typing, mut asking, sealed] =
        names.map(|name| comes_by_cable(&server, name, name == "sealed"));
    idle.asks_until("/join elsewhere", "*** You are in elsewhere");
    idle.has_read_everything();
    typing.has_read_everything();
    typing.sends("half a line");
    asking.sends("/history 300\n".repeat(60));
    let at_the_door = server.connect("at the door");
    eventually("the first answer comes", || asking.has_unread() && at_the_door.has_unread());
    cable.does("cut");
    let cut = Instant::now();
    bob.says("is anybody there?");
    let mut times: Vec<(&str, Duration)> = Vec::new();
    eventually("they are gone", || {
        let (log, now) = (server.log(), cut.elapsed());
        let is_gone = |name: &&str| log.contains(&format!(":{name} left: connection lost"));
        let is_new = |name: &&str| !times.iter().any(|(gone, _)| gone == name);
        let gone: Vec<&str> = names.into_iter().filter(is_gone).filter(is_new).collect();
        times.extend(gone.into_iter().map(|name| (name, now)));
        times.len() == names.len()
    });
    println!("--ghost-after {seconds}: gone after {times:?}");
    drop((idle, typing, asking, sealed, at_the_door));
    for name in names {
        drop(beside(&folder, name));
    }
    let waited = times.iter().map(|(_, time)| *time).max();
    assert!(waited < Some(Duration::from_secs(10 * seconds)), "{times:?}");
    eventually("nobody has a thread but those beside the cable", || {
        let is_client = |name: &&String| {
            name.strip_prefix('c')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        server.thread_names().iter().filter(is_client).count() == 2
    });
}
