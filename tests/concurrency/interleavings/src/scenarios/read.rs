//! What a client has read, as text.

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wire {
    Plain,
    Telnet,
    Frames,
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
        Wire::Frames => frames(bytes),
    };
    let text = String::from_utf8(text).expect("text");
    assert!(text.is_empty() || text.ends_with('\n'), "the last line of {text:?} is torn");
    text
}

/// What stands in the text frames.
fn frames(mut bytes: &[u8]) -> Vec<u8> {
    let (all, mut text) = (bytes, Vec::new());
    while let [kind, length, rest @ ..] = bytes {
        let length = usize::from(*length);
        assert!(length < 126 && rest.len() >= length, "a frame is torn: {}", all.escape_ascii());
        let (payload, rest) = rest.split_at(length);
        match kind {
            0x81 => text.extend(payload),
            0x88 | 0x8a => {}
            _ => panic!("no frame begins with {kind}"),
        }
        bytes = rest;
    }
    assert!(bytes.is_empty(), "a header is torn");
    text
}
