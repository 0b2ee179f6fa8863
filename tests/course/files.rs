//! Step 2: the file receiver, with a client that packs its header as the tutorial's does, and with clients that attack.

use crate::{
    harness::{Client, Folder, Server, eventually, folder::files_of},
    start_with,
};
use std::{fs, io::Write as _, path::PathBuf};

/// A receiver with a folder inside a folder, so that a file that gets out is seen.
struct Receiver {
    server: Server,
    outer: Folder,
    folder: PathBuf,
}

fn receiver(program: &str, arguments: &[&str]) -> Receiver {
    let outer = Folder::new();
    let folder = outer.path("received");
    let server = start_with(program, &[&[folder.to_str().unwrap()], arguments].concat());
    Receiver { server, outer, folder }
}

/// `struct.pack('36sl', name, size)` of Python, on a 64-bit machine.
fn header(name: impl AsRef<[u8]>, size: i64) -> Vec<u8> {
    let mut header = name.as_ref().to_vec();
    header.resize(40, 0);
    header.extend(size.to_le_bytes());
    header
}

fn sends_file(client: &mut Client, name: &str, content: &[u8]) {
    client.sends(header(name, content.len() as i64));
    client.sends(content);
}

impl Receiver {
    /// A client that sends this and closes its side; waits until it was served to its end.
    fn receives(&self, bytes: &[&[u8]]) {
        let mut client = self.server.connect("sender");
        client.sends(bytes.concat());
        self.finishes(client);
    }

    fn finishes(&self, mut client: Client) {
        client.stops_sending();
        client.ends();
    }

    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name)).unwrap()
    }

    fn has(&self, expected: &[&str]) {
        assert_eq!(files_of(&self.folder), expected);
        assert_eq!(self.outer.files(), ["received"], "something was written outside");
    }
}

#[test]
fn files_a_path_is_cut_to_its_base_name() {
    let receiver = receiver("files", &[]);
    for attack in ["/etc/a", "../b", "../../x/c", "sub/dir/d", "..\\e", "C:\\f", "/g"] {
        receiver.receives(&[&header(attack, attack.len() as i64), attack.as_bytes()]);
    }
    receiver.has(&["a", "b", "c", "d", "e", "f", "g"]);
}

/// In 36 bytes the end of a long path is cut off, so behind its last slash stands something else.
#[test]
fn files_a_long_path_loses_its_end() {
    let receiver = receiver("files", &[]);
    let path = "/home/student/course/a-rather-long-folder/notes.txt";
    receiver.receives(&[&header(&path[..36], 1), b"x"]);
    receiver.has(&["a-rather-long-f"]);
}

/// There a `long` has 4 bytes, so `36sl` makes 40 in all, and the server takes the content for the size.
#[test]
fn files_a_header_from_windows_is_refused() {
    let mut receiver = receiver("files", &[]);
    let mut header = header("win.txt", 0);
    header[36..40].copy_from_slice(&12i32.to_le_bytes());
    receiver.receives(&[&header[..40], b"Hello class\n"]);
    receiver.has(&[]);
    receiver.server.logs("would have 7810121841723073864 bytes");
    receiver.server.ends_on_ctrl_c();
}

#[test]
fn files_a_name_that_is_none_is_refused() {
    let mut receiver = receiver("files", &[]);
    fs::create_dir(receiver.folder.join("folder")).unwrap();
    let attacks: [&[u8]; 11] =
        [b"", b".", b"..", b"/", b"a/..", b"../", b"a\0b", b"\0a", b"a\nb", b"\xff\xfe", b"folder"];
    for attack in attacks {
        let mut attacker = receiver.server.connect("attacker");
        attacker.sends(header(attack, 1));
        let _ = attacker.stream().write(b"x"); // it may have been hung up already
        attacker.ends();
    }
    receiver.has(&["folder"]);
    receiver.server.ends_on_ctrl_c();
}

#[test]
fn files_a_wrong_size_is_refused() {
    let receiver = receiver("files", &[]);
    for size in [-1, i64::MIN, i64::MAX, (64 << 20) + 1] {
        let mut attacker = receiver.server.connect("attacker");
        attacker.sends(header("huge", size));
        attacker.ends();
    }
    receiver.has(&[]);
}

#[test]
fn files_a_client_that_dies_half_way_leaves_nothing() {
    let receiver = receiver("files", &[]);
    receiver.receives(&[&header("whole", 9), b"as it was"]);
    for name in ["whole", "new"] {
        receiver.receives(&[&header(name, 100), &[b'x'; 99]]);
    }
    receiver.receives(&[&header("new", 1)[..47]]); // dies in the header
    receiver.has(&["whole"]);
    assert_eq!(receiver.file("whole"), b"as it was");
}

#[test]
fn files_ctrl_c_half_way_leaves_nothing() {
    let mut receiver = receiver("files", &[]);
    let mut sending = receiver.server.connect("sender");
    sending.sends(header("half", 100));
    sending.sends([b'x'; 50]);
    eventually("it began to save", || !files_of(&receiver.folder).is_empty());
    receiver.server.ends_on_ctrl_c();
    sending.ends();
    receiver.has(&[]);
}

#[test]
fn files_two_clients_at_once_and_one_name() {
    let receiver = receiver("files", &[]);
    let [mut ann, mut ben] = ["ann", "ben"].map(|name| {
        let mut client = receiver.server.connect(name);
        client.sends(header("same", 6));
        client.sends(name);
        client
    });
    eventually("both are being saved", || files_of(&receiver.folder).len() == 2);
    ben.sends("ben");
    receiver.finishes(ben);
    assert_eq!(receiver.file("same"), b"benben");
    ann.sends("ann");
    receiver.finishes(ann);
    assert_eq!(receiver.file("same"), b"annann");
    receiver.has(&["same"]);
}

#[test]
fn files_an_idle_client_is_closed() {
    receiver("files", &["1"]).server.connect("idle").ends();
}

#[test]
fn files_joined_at_once_serve_one_client_only() {
    let mut receiver = receiver("files-joined", &[]);
    let [idle, mut second] = ["idle", "second"].map(|name| receiver.server.connect(name));
    sends_file(&mut second, "second", b"2");
    second.stops_sending();
    second.hears_nothing_for_now();
    receiver.has(&[]);
    drop(idle);
    second.ends();
    receiver.has(&["second"]);
    receiver.server.ends_on_ctrl_c();
}
