//! What a browser sends behind its request: frames of a WebSocket, and what becomes of them.
//!
//! A reader that is written from RFC 6455 and docs/protocol.md ("By WebSocket") reads the same lines.

#![no_main]

use chatd::fuzz::Browser;
use libfuzzer_sys::fuzz_target;
use std::{
    net::TcpStream,
    os::{fd::OwnedFd, unix::net::UnixStream},
};

const MESSAGE_MAX: usize = 16 * 1024;

fuzz_target!(|bytes: &[u8]| {
    let (near, _far) = UnixStream::pair().expect("two sockets");
    let mut browser = Browser::new(TcpStream::from(OwnedFd::from(near)), bytes);
    let (mut lines, mut end) = (Vec::new(), None);
    for _ in 0..bytes.len() + 3 {
        match browser.read() {
            Ok(some) => lines.extend(some),
            Err(code) => {
                end = Some(code);
                break;
            }
        }
    }
    let text = str::from_utf8(&lines).expect("lines are text");
    assert!(text.is_empty() || text.ends_with('\n'), "a message ends its line: {text:?}");
    let (expected, how) = expected(bytes);
    assert_eq!(text, expected);
    match how {
        End::Partial => assert!(end.is_none_or(|code| code >= 1002), "{end:?}"),
        End::Closed => assert_eq!(end, Some(0)),
        End::Bad => assert!(end.is_some_and(|code| code >= 1002), "{end:?}"),
        End::Binary => assert_eq!(end, Some(1003)),
    }
});

enum End {
    /// There may be more of a frame, unless it is bad already.
    Partial,
    Closed,
    Bad,
    Binary,
}

/// What these frames say, by the book.
fn expected(mut bytes: &[u8]) -> (String, End) {
    let (mut lines, mut message, mut begun) = (String::new(), Vec::new(), None);
    loop {
        let Some((head, rest)) = bytes.split_first_chunk::<2>() else {
            return (lines, End::Partial);
        };
        let (is_last, reserved, kind) = (head[0] & 0x80 != 0, head[0] & 0x70, head[0] & 0x0f);
        let (is_masked, short) = (head[1] & 0x80 != 0, usize::from(head[1] & 0x7f));
        let (length, rest) = match short {
            126 => match rest.split_first_chunk::<2>() {
                Some((n, rest)) => (u64::from(u16::from_be_bytes(*n)), rest),
                None => return (lines, End::Partial),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((n, rest)) => (u64::from_be_bytes(*n), rest),
                None => return (lines, End::Partial),
            },
            short => (short as u64, rest),
        };
        let (mask, rest) = match rest.split_first_chunk::<4>() {
            Some((mask, rest)) if is_masked => (*mask, rest),
            None if is_masked => return (lines, End::Partial),
            _ => ([0; 4], rest),
        };
        let is_control = kind >= 8;
        let is_bad = kind > 10
            || (3..8).contains(&kind)
            || reserved != 0
            || !is_masked
            || (is_control && (!is_last || length > 125))
            || (kind == 0 && begun.is_none())
            || ((1..3).contains(&kind) && begun.is_some());
        if length > MESSAGE_MAX as u64 {
            return (lines, End::Bad);
        }
        let Some((payload, rest)) = rest.split_at_checked(length as usize) else {
            return (lines, End::Partial);
        };
        bytes = rest;
        if is_bad {
            return (lines, End::Bad);
        }
        let payload: Vec<u8> =
            payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
        match kind {
            8 => {
                let is_good = match payload.split_first_chunk::<2>() {
                    Some((_, why)) => str::from_utf8(why).is_ok(),
                    None => payload.is_empty(),
                };
                return (lines, if is_good { End::Closed } else { End::Bad });
            }
            9 | 10 => continue,
            _ => {}
        }
        let opcode = *begun.get_or_insert(kind);
        message.extend(payload);
        if message.len() > MESSAGE_MAX {
            return (lines, End::Bad);
        }
        if !is_last {
            // What cannot become text any more is refused at once.
            let is_hopeless = str::from_utf8(&message).is_err_and(|e| e.error_len().is_some());
            if opcode == 1 && is_hopeless {
                return (lines, End::Bad);
            }
            continue;
        }
        begun = None;
        match (opcode, String::from_utf8(std::mem::take(&mut message))) {
            (2, _) => return (lines, End::Binary),
            (_, Err(_)) => return (lines, End::Bad),
            (_, Ok(text)) => {
                lines.push_str(&text);
                if !text.is_empty() && !text.ends_with('\n') {
                    lines.push('\n');
                }
            }
        }
    }
}
