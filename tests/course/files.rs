//! Step 2: the file receiver, with a client that packs its header as the tutorial's does, and with clients that attack.

use super::harness::*;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A receiver with a folder inside a folder, so that a file that gets out is seen.
struct Receiver {
    server: Server,
    outer: PathBuf,
    folder: PathBuf,
}

fn receiver(program: &str, arguments: &[&str]) -> Receiver {
    let outer = folder("files");
    let folder = outer.join("received");
    let server = start_with(program, &[&[folder.to_str().unwrap()], arguments].concat());
    Receiver { server, outer, folder }
}

/// `struct.pack('36sl', name, size)` of Python, on a 64-bit machine.
fn header(name: &[u8], size: i64) -> Vec<u8> {
    let mut header = name.to_vec();
    header.resize(40, 0);
    header.extend(size.to_le_bytes());
    header
}

fn sends_file(peer: &mut Peer, name: &str, content: &[u8]) {
    peer.sends(header(name.as_bytes(), content.len() as i64));
    peer.sends(content);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

impl Receiver {
    /// Waits until a client sees that it was served to its end.
    fn finishes(&self, mut peer: Peer) {
        peer.stops_sending();
        peer.ends();
    }

    fn has(&self, expected: &[&str]) {
        assert_eq!(names(&self.folder), expected);
        assert_eq!(names(&self.outer), ["received"], "something was written outside");
    }
}

#[test]
fn files_one_after_the_other_on_one_connection() {
    let receiver = receiver("files", &[]);
    let mut peer = Peer::connect(&receiver.server);
    let big: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
    sends_file(&mut peer, "notes.txt", b"first\n");
    sends_file(&mut peer, "empty", b"");
    sends_file(&mut peer, "größe.bin", &big);
    receiver.finishes(peer);
    receiver.has(&["empty", "größe.bin", "notes.txt"]);
    assert_eq!(fs::read(receiver.folder.join("notes.txt")).unwrap(), b"first\n");
    assert!(fs::read(receiver.folder.join("größe.bin")).unwrap() == big);
    ends_on_ctrl_c(receiver.server);
}

#[test]
fn files_the_header_is_48_bytes_as_python_packs_it() {
    let packed = [&b"n\xc3\xa9.txt"[..], &[0; 29], &[0; 4], &[2, 1, 0, 0, 0, 0, 0, 0]].concat();
    assert_eq!(header("né.txt".as_bytes(), 258), packed);
    let python =
        "import struct,sys; sys.stdout.buffer.write(struct.pack('36sl', 'né.txt'.encode(), 258))";
    match std::process::Command::new("python3").args(["-c", python]).output() {
        Ok(output) => assert_eq!(output.stdout, packed),
        Err(_) => eprintln!("no python3 here: its header is the one written down above"),
    }
}

#[test]
fn files_a_path_is_cut_to_its_base_name() {
    let receiver = receiver("files", &[]);
    for attack in ["/etc/a", "../b", "../../x/c", "sub/dir/d", "..\\e", "C:\\f", "/g"] {
        let mut attacker = Peer::connect(&receiver.server);
        sends_file(&mut attacker, attack, attack.as_bytes());
        receiver.finishes(attacker);
    }
    receiver.has(&["a", "b", "c", "d", "e", "f", "g"]);
}

#[test]
fn files_a_name_that_is_none_is_refused() {
    let receiver = receiver("files", &[]);
    fs::create_dir(receiver.folder.join("folder")).unwrap();
    let attacks: [&[u8]; 11] =
        [b"", b".", b"..", b"/", b"a/..", b"../", b"a\0b", b"\0a", b"a\nb", b"\xff\xfe", b"folder"];
    for attack in attacks {
        let mut attacker = Peer::connect(&receiver.server);
        attacker.sends(header(attack, 1));
        let _ = std::io::Write::write(&mut attacker.0, b"x"); // it may have hung up already
        attacker.ends();
    }
    receiver.has(&["folder"]);
    ends_on_ctrl_c(receiver.server);
}

#[test]
fn files_a_wrong_size_is_refused() {
    let receiver = receiver("files", &[]);
    for size in [-1, i64::MIN, i64::MAX, (64 << 20) + 1] {
        let mut attacker = Peer::connect(&receiver.server);
        attacker.sends(header(b"huge", size));
        attacker.ends();
    }
    receiver.has(&[]);
}

#[test]
fn files_a_client_that_dies_half_way_leaves_nothing() {
    let receiver = receiver("files", &[]);
    let mut whole = Peer::connect(&receiver.server);
    sends_file(&mut whole, "kept", b"as it was");
    receiver.finishes(whole);
    for name in ["kept", "new"] {
        let mut dying = Peer::connect(&receiver.server);
        dying.sends(header(name.as_bytes(), 100));
        dying.sends([b'x'; 99]);
        receiver.finishes(dying);
    }
    let mut in_the_header = Peer::connect(&receiver.server);
    in_the_header.sends(&header(b"new", 1)[..47]);
    receiver.finishes(in_the_header);
    receiver.has(&["kept"]);
    assert_eq!(fs::read(receiver.folder.join("kept")).unwrap(), b"as it was");
}

#[test]
fn files_ctrl_c_half_way_leaves_nothing() {
    let receiver = receiver("files", &[]);
    let mut sending = Peer::connect(&receiver.server);
    sending.sends(header(b"half", 100));
    sending.sends([b'x'; 50]);
    eventually("it began to save", || !names(&receiver.folder).is_empty());
    receiver.server.signal("INT");
    sending.ends();
    let Receiver { server, folder, .. } = receiver;
    ends_on_ctrl_c(server);
    assert!(names(&folder).is_empty());
}

#[test]
fn files_two_clients_at_once_and_one_name() {
    let receiver = receiver("files", &[]);
    let (mut ann, mut ben) = (Peer::connect(&receiver.server), Peer::connect(&receiver.server));
    ann.sends(header(b"same", 6));
    ben.sends(header(b"same", 6));
    ann.sends("ann");
    ben.sends("ben");
    eventually("both are being saved", || names(&receiver.folder).len() == 2);
    ben.sends("ben");
    receiver.finishes(ben);
    assert_eq!(fs::read(receiver.folder.join("same")).unwrap(), b"benben");
    ann.sends("ann");
    receiver.finishes(ann);
    assert_eq!(fs::read(receiver.folder.join("same")).unwrap(), b"annann");
    receiver.has(&["same"]);
}

#[test]
fn files_an_idle_client_is_closed() {
    let receiver = receiver("files", &["1"]);
    Peer::connect(&receiver.server).ends();
}

#[test]
fn files_joined_at_once_serve_one_client_only() {
    let receiver = receiver("files-joined", &[]);
    let (idle, mut second) = (Peer::connect(&receiver.server), Peer::connect(&receiver.server));
    sends_file(&mut second, "second", b"2");
    second.stops_sending();
    second.hears_nothing();
    receiver.has(&[]);
    drop(idle);
    second.ends();
    receiver.has(&["second"]);
    ends_on_ctrl_c(receiver.server);
}
