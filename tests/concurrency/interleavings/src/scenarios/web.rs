//! Browsers come by thread `web`, by http and by https, and become clients; one of them asks for the page first, on the same
//! connection, and one asks for nothing. They talk, and the server stops: when all are in, or at any time. There may be a place
//! too few, or a socket that takes few bytes.

use super::{
    AMPLE,
    fanout::talk,
    read::{CLOSE, TEXT, frames, masked, read_to_end, texts},
    server::serve_browsers,
};
use crate::{
    core::close_reason::CloseReason,
    model::{
        channel::{Sender, bounded},
        net::{Backlog, Peer, connection},
        random,
        rustls::{hello, open, seal},
    },
    store::with_disk,
};
use shuttle::thread::spawn;
use std::sync::Arc;

const BROWSERS: usize = 3;
const LINES: usize = 2;
const PAGE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const UPGRADE: &str = "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

pub(super) fn run() {
    // (Whoever finds no place is told so by one send, which a real socket takes.)
    let (places, is_ample) = [(BROWSERS, true), (BROWSERS, false), (BROWSERS - 1, true)][random(3)];
    let (chatd, connects, by) = serve_browsers(places);
    drop(connects);
    let (begins, begun) = bounded::<()>(1);
    let browsers: Vec<_> = (0..BROWSERS)
        .map(|number| {
            let (is_encrypted, begins) = (random(2) == 0, begins.clone());
            let (door, space) = (by[usize::from(is_encrypted)].clone(), space(is_ample));
            spawn(move || comes(&door, number, space, is_encrypted, begins))
        })
        .collect();
    drop(begins);
    let idle = spawn({
        let door = by[random(2)].clone();
        move || {
            let (socket, peer) = connection(AMPLE);
            door.connect(socket);
            assert_eq!(peer.read(), b"", "nobody has asked for anything");
        }
    });
    let stops_late = places == BROWSERS && random(2) == 0;
    if stops_late {
        let _ = begun.recv(); // until each has been greeted, or is gone
    }
    chatd.shutdown().unwrap();
    let read: Vec<_> = browsers.into_iter().map(|browser| browser.join().unwrap()).collect();
    idle.join().unwrap();
    let is_greeted = |read: &Option<String>| read.as_ref().is_some_and(|it| it.contains("Hello "));
    assert!(!(stops_late && is_ample) || read.iter().all(is_greeted), "{read:?}");
    check(&read, is_ample);
}

fn space(is_ample: bool) -> usize {
    if is_ample { AMPLE } else { 40 + random(210) }
}

/// A browser. Returns what it has read as a client, if it became one.
fn comes(
    door: &Backlog,
    number: usize,
    space: usize,
    is_encrypted: bool,
    begins: Sender<()>,
) -> Option<String> {
    let (socket, peer) = connection(space);
    door.connect(socket);
    let peer = Arc::new(peer);
    writes(&peer, number, is_encrypted);
    let bytes = read_to_end(&peer, Vec::new(), is_encrypted, b"Hello ", || drop(begins));
    let (bytes, is_whole) = if is_encrypted { open(bytes) } else { (bytes, true) };
    let Some(bytes) = behind_head(&bytes) else {
        assert!(bytes.is_ascii(), "frames without an answer: {}", bytes.escape_ascii());
        return None;
    };
    let frames = frames(bytes);
    let is_closed = frames.last().is_some_and(|(kind, _)| *kind == CLOSE);
    assert!(
        is_whole && is_closed,
        "user{number} is not told the end (TLS: {is_encrypted}): {frames:?}"
    );
    Some(texts(&frames))
}

/// Sends what it asks, its name and its lines, in pieces that end anywhere.
fn writes(peer: &Arc<Peer>, number: usize, is_encrypted: bool) {
    let lines = (1..=LINES).flat_map(|i| masked(TEXT, &i.to_string()));
    let head = if number == 0 { [PAGE, UPGRADE].concat() } else { UPGRADE.to_owned() };
    let name = masked(TEXT, &format!("user{number}"));
    let mut bytes: Vec<u8> = head.into_bytes().into_iter().chain(name).chain(lines).collect();
    if is_encrypted {
        let records = (1..).zip(bytes.chunks(40)).map(|(number, some)| seal(number, some));
        bytes = hello().into_iter().chain(records.flatten()).collect();
    }
    let (peer, most) = (peer.clone(), 20 + random(500));
    spawn(move || bytes.chunks(most).for_each(|some| peer.write(some)));
}

/// What stands behind the answer that makes a WebSocket of it.
fn behind_head(bytes: &[u8]) -> Option<&[u8]> {
    let find = |bytes: &[u8], what: &str| {
        bytes.windows(what.len()).position(|window| window == what.as_bytes())
    };
    let answer = &bytes[find(bytes, "HTTP/1.1 101 ")?..];
    Some(&answer[find(answer, "\r\n\r\n")? + 4..])
}

/// Whoever was let in has read the lines of the others that are in the file, each once and in their order: all of them, unless
/// they were hung up while they read slowly. What each said is there from its beginning, in its order.
fn check(read: &[Option<String>], is_ample: bool) {
    let written: Vec<String> =
        with_disk(|disk| disk.lines.iter().map(|line| line.text.trim_end().to_owned()).collect());
    let last = CloseReason::Shutdown.to_client();
    for (number, read) in read.iter().enumerate() {
        let name = format!("<user{number}>");
        let (own, others): (Vec<&str>, Vec<&str>) =
            written.iter().map(|line| &**line).partition(|line| line.starts_with(&name));
        assert!(own.iter().enumerate().all(|(i, line)| *line == format!("{name} {}", i + 1)));
        let Some(read) = read else {
            assert!(own.is_empty(), "{own:?}");
            continue;
        };
        let talk = talk(read);
        if !read.contains("Hello ") {
            assert!(own.is_empty() && talk.is_empty() && read.starts_with("*** "), "{read:?}");
            continue;
        }
        assert!(read.ends_with(&last), "{read:?}");
        let mut rest = others.iter();
        assert!(talk.iter().all(|line| rest.any(|other| other == line)), "{talk:?} of {others:?}");
        assert!(!is_ample || talk.len() == others.len(), "{talk:?} of {others:?}");
    }
}
