//! What a client reads, and what it is as text.

use crate::model::{net::Peer, rustls::open};

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wire {
    Plain,
    Telnet,
    Frames,
}

/// Reads everything behind what was read `before`, and closes. As soon as `sign` is there, calls `on_sign`.
pub(super) fn read_to_end(
    peer: &Peer,
    before: Vec<u8>,
    is_encrypted: bool,
    sign: &[u8],
    on_sign: impl FnOnce(),
) -> Vec<u8> {
    let (mut bytes, mut on_sign) = (before, Some(on_sign));
    loop {
        let some = peer.read();
        if some.is_empty() {
            peer.end();
            return bytes;
        }
        bytes.extend(some);
        let text = if is_encrypted { &open(bytes.clone()).0 } else { &bytes };
        if text.windows(sign.len()).any(|window| window == sign) {
            on_sign.take().into_iter().for_each(|on_sign| on_sign());
        }
    }
}

/// The text of what was sent. Fails if a line end or a frame is torn.
pub(super) fn text(wire: Wire, bytes: &[u8]) -> String {
    let text = match wire {
        Wire::Plain => bytes.to_vec(),
        Wire::Telnet => {
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
            text.replace("\r\n", "\n").into_bytes()
        }
        Wire::Frames => texts(&frames(bytes)).into_bytes(),
    };
    let text = String::from_utf8(text).expect("text");
    assert!(text.is_empty() || text.ends_with('\n'), "the last line of {text:?} is torn");
    text
}

// The first bytes of frames: a whole text, the first and the last piece of one, and the three others.

pub(super) const TEXT: u8 = 0x81;
pub(super) const FIRST: u8 = 0x01;
pub(super) const LAST: u8 = 0x80;
pub(super) const CLOSE: u8 = 0x88;
pub(super) const PING: u8 = 0x89;
pub(super) const PONG: u8 = 0x8a;

/// The frames that were sent. Fails if one is torn, or stands behind the one that closes.
pub(super) fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (all, mut frames) = (bytes, Vec::new());
    while let [kind, length, rest @ ..] = bytes {
        let (length, rest) = match (length, rest) {
            (126, [high, low, rest @ ..]) => (u16::from_be_bytes([*high, *low]).into(), rest),
            (0..126, rest) => (usize::from(*length), rest),
            _ => panic!("a header is torn: {}", all.escape_ascii()),
        };
        assert!(rest.len() >= length, "a frame is torn: {}", all.escape_ascii());
        assert!([TEXT, CLOSE, PONG].contains(kind), "no frame begins with {kind}");
        let is_over = frames.last().is_some_and(|(kind, _)| *kind == CLOSE);
        assert!(!is_over, "something comes behind the end: {}", all.escape_ascii());
        let (payload, rest) = rest.split_at(length);
        frames.push((*kind, payload.to_vec()));
        bytes = rest;
    }
    assert!(bytes.is_empty(), "a header is torn");
    frames
}

/// What stands in the text frames.
pub(super) fn texts(frames: &[(u8, Vec<u8>)]) -> String {
    let texts = frames.iter().filter(|(kind, _)| *kind == TEXT);
    String::from_utf8(texts.flat_map(|(_, text)| text.clone()).collect()).expect("text")
}

/// A frame of a browser's. (Its mask changes nothing.)
pub(super) fn masked(kind: u8, payload: &str) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short frame");
    [&[kind, 0x80 | length, 0, 0, 0, 0], payload.as_bytes()].concat()
}
