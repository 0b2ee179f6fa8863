//! What the terminal sends to `chat` in its full screen, as keys. The first byte says how the others are
//! cut into reads, which must make no difference.

#![no_main]

#[path = "../../../src/bin/chat/full/decode.rs"]
#[allow(dead_code, reason = "chat needs the rest")]
mod decode;

use decode::Decoder;
use libfuzzer_sys::fuzz_target;
use ratatui::crossterm::event::{Event, KeyCode};

fuzz_target!(|data: &[u8]| {
    let Some((&seed, bytes)) = data.split_first() else { return };
    let mut whole = Decoder::default();
    let events = whole.take(bytes);
    let mut cut = Decoder::default();
    let pieces = bytes.chunks(1 + usize::from(seed % 16));
    assert_eq!(events, pieces.flat_map(|piece| cut.take(piece)).collect::<Vec<_>>());
    assert_eq!(whole.is_waiting(), cut.is_waiting());
    for event in events {
        match event {
            Event::Key(key) => {
                let is_control = matches!(key.code, KeyCode::Char(c) if c.is_control());
                assert!(!is_control, "{key:?} is typed");
            }
            Event::Paste(text) => assert!(text.len() <= 3 * 1024 * 1024),
            _ => {}
        }
    }
    whole.pause();
    assert!(!whole.is_waiting(), "a pause ends whatever has begun");
});
