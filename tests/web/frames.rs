//! What a browser says that no client would, and how each connection ends: a code for the page, a sentence for the person.

use crate::{Web, harness::Folder, head_of};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
};

/// A frame as a client sends it.
pub fn masked(kind: u8, bytes: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![kind];
    match bytes.len() {
        0..126 => frame.push(0x80 | bytes.len() as u8),
        _ => {
            frame.push(0x80 | 0x7e);
            frame.extend((bytes.len() as u16).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(bytes.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A frame of the server's: its first byte and what is in it; `None` at the end of file.
pub fn next_frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    if stream.read(&mut head[..1]).unwrap() == 0 {
        return None;
    }
    stream.read_exact(&mut head[1..]).unwrap();
    let length = match head[1] {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            usize::from(u16::from_be_bytes(length))
        }
        127 => {
            let mut length = [0; 8];
            stream.read_exact(&mut length).unwrap();
            u64::from_be_bytes(length) as usize
        }
        short => usize::from(short), // a server's frame has no mask
    };
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    Some((head[0], bytes))
}

/// The last line, and the code and the sentence of the close frame, behind which nothing comes.
pub fn last_words(stream: &mut TcpStream) -> (String, u16, String) {
    let (mut text, mut close) = (String::new(), None);
    while let Some((kind, bytes)) = next_frame(stream) {
        assert!(close.is_none(), "something comes behind the close frame");
        match kind {
            0x81 => text += std::str::from_utf8(&bytes).unwrap(),
            0x88 => close = Some(bytes),
            0x8a => {}
            other => panic!("a frame of kind {other:#x}"),
        }
    }
    let close = close.unwrap_or_else(|| panic!("no close frame: {text}"));
    let code = u16::from_be_bytes([close[0], close[1]]);
    let line = text.lines().last().unwrap_or_default().to_owned();
    (line, code, String::from_utf8(close[2..].to_vec()).unwrap())
}

#[test]
fn what_is_no_message_is_refused_with_a_code_and_a_sentence() {
    let web = Web::start("");
    let mut bob = web.enters("bob");
    let long = vec![b'x'; 16 * 1024 + 1];
    let half = vec![b'x'; 9 * 1024];
    let unmasked = [&[0x81, 2][..], b"hi"].concat();
    let too_long = [&[0x81, 0x80 | 0x7f][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    for (frames, code, sentence) in [
        (masked(0x82, b"hi"), 1003, "that message is not text."),
        (masked(0x81, b"caf\xe9"), 1007, "that message is not UTF-8 text."),
        (masked(0x81, b"\xff\xf6"), 1007, "that message is not UTF-8 text."),
        (masked(0x81, &long), 1009, "that message has more than 16384 bytes and was not said."),
        (
            [masked(0x01, &half), masked(0x80, &half)].concat(),
            1009,
            "that message has more than 16384 bytes and was not said.",
        ),
        (too_long, 1009, "that message has more than 16384 bytes and was not said."),
        (unmasked, 1002, "that is no frame of a WebSocket."),
        (masked(0x83, b"hi"), 1002, "that is no frame of a WebSocket."),
        (masked(0xc1, b"hi"), 1002, "that is no frame of a WebSocket."),
        (masked(0x80, b"hi"), 1002, "that is no frame of a WebSocket."),
        (masked(0x09, b"hi"), 1002, "that is no frame of a WebSocket."),
        (masked(0x89, &[b'x'; 126]), 1002, "that is no frame of a WebSocket."),
    ] {
        let mut stream = web.raw();
        stream.write_all(&masked(0x81, b"alice")).unwrap();
        stream.write_all(&frames).unwrap();
        let (line, found, reason) = last_words(&mut stream);
        assert_eq!((&*line, found), (&*format!("*** Hung up: {sentence}"), code));
        assert_eq!(reason, format!("Hung up: {sentence}"));
        bob.hears_until("*** alice left lobby"); // so the name is free
    }
    web.server.logs("left: bad message: that message is not text.");
}

/// A browser offers to compress what it sends. That is not taken up, so nothing small becomes large here: a paste of
/// 100,000 lines is as long on the way as it is here, and too long.
#[test]
fn a_paste_that_is_compressed_is_refused_and_never_unpacked() {
    let web = Web::start("");
    let mut bob = web.enters("bob");
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let mut alice = web.connect();
    alice
        .write_all(web.handshake().replacen("\r\n", &format!("\r\n{offer}"), 1).as_bytes())
        .unwrap();
    let head = head_of(&mut alice).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 ") && !head.contains("extensions"), "{head}");
    alice.write_all(&masked(0x81, b"alice")).unwrap();
    bob.hears("*** alice entered lobby");
    let before = web.server.memory_kib("VmRSS");
    alice.write_all(&masked(0xc1, &vec![0xaa; 16 * 1024])).unwrap(); // the bit that says "compressed"
    let (_, code, reason) = last_words(&mut alice);
    assert_eq!((code, &*reason), (1002, "Hung up: that is no frame of a WebSocket."));
    bob.hears("*** alice left lobby (bad message)");
    let grown = web.server.memory_kib("VmRSS").saturating_sub(before);
    assert!(grown < 4 * 1024, "{grown} KiB");
}

#[test]
fn fragments_are_one_message_and_a_ping_between_them_is_answered() {
    let web = Web::start("");
    let mut bob = web.enters("bob");
    let mut alice = web.raw();
    alice.write_all(&masked(0x81, b"alice")).unwrap();
    bob.hears("*** alice entered lobby");
    for frame in [
        masked(0x01, b"one "),
        masked(0x89, b"are you there?"),
        masked(0x00, b"two "),
        masked(0x8a, b"nobody asked"),
        masked(0x00, b""),
        masked(0x80, "drei \u{e4}".as_bytes()),
        masked(0x81, b"a\nb\r\n\nc"),
        masked(0x81, b""),
    ] {
        for byte in frame {
            alice.write_all(&[byte]).unwrap();
        }
    }
    for line in ["one two drei \u{e4}", "a", "b", "c"] {
        bob.hears(&format!("<alice> {line}"));
    }
    let is_pong = |frame: &(u8, Vec<u8>)| frame.0 == 0x8a;
    let pong = std::iter::from_fn(|| next_frame(&mut alice)).find(is_pong).unwrap();
    assert_eq!(pong.1, b"are you there?");
    bob.hears_nothing();
}

/// Each ping is answered, so whoever sends many costs as much as one who talks.
#[test]
fn pings_are_limited_like_lines() {
    let web = Web::start("");
    let mut alice = web.raw();
    alice.write_all(&masked(0x81, b"alice")).unwrap();
    let pings = masked(0x89, b"").repeat(4000);
    alice.write_all(&pings).unwrap();
    let mut text = String::new();
    while !text.contains("More than 32 lines at once") {
        let (kind, bytes) = next_frame(&mut alice).unwrap();
        if kind == 0x81 {
            text += std::str::from_utf8(&bytes).unwrap();
        }
        assert!(!text.contains("Hung up"), "{text}");
    }
}

#[test]
fn each_ending_has_its_code() {
    let web = Web::start("");
    let mut alice = web.enters("alice");
    alice.says("/quit");
    assert_eq!(alice.hears_to_the_end(), ["*** Goodbye."]);
    assert_eq!(alice.closed(), Some((1000, "Goodbye.")));

    // The browser closes: its page is gone.
    let mut bob = web.raw();
    bob.write_all(&masked(0x81, b"bob")).unwrap();
    bob.write_all(&masked(0x88, &1001_u16.to_be_bytes())).unwrap();
    assert_eq!(last_words(&mut bob), ("*** Goodbye.".to_owned(), 1000, "Goodbye.".to_owned()));
    web.server.logs(":bob left: connection closed");

    // Its connection ends without a word, in the middle of a message, which is not said.
    let mut ann = web.enters("ann");
    let mut carol = web.raw();
    carol.write_all(&masked(0x81, b"carol")).unwrap();
    carol.write_all(&masked(0x01, b"half a mess")).unwrap();
    carol.shutdown(Shutdown::Write).unwrap();
    ann.hears("*** carol entered lobby");
    ann.hears("*** carol left lobby (connection closed)");
    drop(carol);

    // Names are refused.
    let mut nobody = web.browser("nobody");
    nobody.sends("4\n".repeat(10));
    let last = nobody.hears_to_the_end().pop().unwrap();
    assert_eq!(last, "*** Hung up: 10 names were refused.");
    assert_eq!(nobody.closed().unwrap().0, 4001);

    web.server.signal("TERM");
    let lines = ann.hears_to_the_end();
    assert_eq!(lines.last().unwrap(), "*** Hung up: the server is shutting down.");
    assert_eq!(ann.closed(), Some((1012, "Hung up: the server is shutting down.")));
}

#[test]
fn whoever_is_kicked_reads_by_whom_and_the_page_knows_not_to_come_back() {
    let web = Web::start("--instructor");
    let mut alice = web.enters("alice");
    let printed = web.server.printed();
    let code = printed.split("/instructor ").nth(1).unwrap().lines().next().unwrap();
    let mut boss = web.enters("boss");
    boss.asks_until(&format!("/instructor {code}"), "*** ");
    boss.says("/kick alice spam");
    let last = alice.hears_to_the_end().pop().unwrap();
    assert!(last.starts_with("*** Hung up: you were kicked by boss"), "{last}");
    let (code, sentence) = alice.closed().unwrap();
    assert_eq!((code, sentence), (4003, last.strip_prefix("*** ").unwrap()));
}

/// The page comes back by itself after the one, and not after the other: two tabs would throw each other out for ever.
#[test]
fn a_server_error_and_another_login_have_their_codes() {
    let folder = Folder::new();
    let web = Web::start_in(&folder, "--demo");
    let mut alice = web.enters("alice");
    alice.says("/crash");
    let last = alice.hears_to_the_end().pop().unwrap();
    let (code, sentence) = alice.closed().unwrap();
    assert_eq!((code, sentence), (1011, last.strip_prefix("*** ").unwrap()));
    assert!(sentence.starts_with("Hung up: "), "{sentence}");

    let mut first = web.enters("bob");
    first.asks_until("/register correct horse", "*** bob is yours");
    let mut second = web.browser("bob");
    second.asks_until("bob", "*** bob is registered.");
    second.asks_until("correct horse", "*** Hello bob.");
    let last = first.hears_to_the_end().pop().unwrap();
    assert_eq!(last, "*** Hung up: you logged in again, from the same address.");
    assert_eq!(first.closed(), Some((4009, last.strip_prefix("*** ").unwrap())));
    second.asks_until("/who", "***   bob");
}

/// Whatever a browser sends meanwhile, so that the server is never left waiting for it.
#[test]
fn who_gives_no_name_in_time_is_hung_up_however_many_pings_come() {
    let web = Web::start("--login-deadline 1 --flood off");
    let mut pinging = web.raw();
    let mut sending = pinging.try_clone().unwrap();
    let pings = std::thread::spawn(move || {
        let part = [masked(0x01, b"a"), masked(0x89, b"")].concat();
        let _ = sending.write_all(&part);
        while sending.write_all(&masked(0x89, b"")).is_ok() {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
    });
    let (line, code, _) = last_words(&mut pinging);
    assert_eq!((&*line, code), ("*** Hung up: no name within 1 s.", 4001));
    drop(pinging);
    pings.join().unwrap();
}

/// An upgrade, the sentence, and then the close: a page cannot read a status.
#[test]
fn whoever_finds_no_place_reads_why() {
    let web = Web::start("--threads-max 1");
    let _alice = web.server.lets_in("alice");
    let mut late = web.browser("late");
    let full = "Sorry: the only place is taken. Please try again later.";
    late.hears_until(&format!("*** {full}"));
    late.is_hung_up();
    assert_eq!(late.closed(), Some((1013, full)));
}

#[test]
fn a_password_that_a_browser_sends_is_in_no_log() {
    let folder = Folder::new();
    let mut web = Web::start_in(&folder, "--log trace");
    let mut alice = web.enters("alice");
    alice.asks_until("/register", "*** A new password");
    alice.asks_until("hunter2222", "*** The same password once more:");
    alice.asks_until("hunter2222", "*** alice is yours");
    alice.says("/quit");
    alice.hears_to_the_end();
    let mut again = web.browser("alice");
    again.asks_until("alice", "*** alice is registered.");
    again.asks_until("hunter2223", "*** ");
    again.asks_until("hunter2222", "*** Hello alice.");
    again.says("/quit");
    assert!(!web.get("/", "X-Secret: hunter2222\r\n").contains("hunter"));
    web.server.signal("TERM");
    web.server.exit_code();
    let log = web.server.log_to_the_end();
    assert!(log.contains("alice left") && !log.contains("hunter2222"), "{log}");
}
