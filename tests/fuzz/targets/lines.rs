//! From bytes to lines that are safe to show. The first byte says how the others are cut into reads.
//!
//! - How they are cut makes no difference.
//! - A reader that is written from docs/protocol.md ("Lines") reads the same lines. It knows no escape
//!   sequences, and takes back ASCII alone: of other lines it says nothing.
//! - What a line becomes has nothing in it that moves a terminal's cursor, and is not laid out.

#![no_main]

#[path = "../common/page.rs"]
mod page;

use chatd::core::wire::{
    line::{Line, LineBuffer},
    sanitize::{replace_controls, sanitize},
};
use libfuzzer_sys::fuzz_target;
use page::Heard;

fn read(bytes: &[u8], mut cut: impl FnMut() -> usize) -> Vec<Heard> {
    let (mut buffer, mut lines, mut rest) = (LineBuffer::default(), Vec::new(), bytes);
    loop {
        let space = buffer.space();
        let count = rest.len().min(space.len()).min(cut().max(1));
        space[..count].copy_from_slice(&rest[..count]);
        buffer.received(count);
        while let Some(line) = buffer.next_line() {
            lines.push(match line {
                Line::Text(text) => Heard::Text(text.to_owned()),
                Line::NotUtf8(_) => Heard::NotUtf8,
                Line::TooLong(_) => Heard::TooLong,
            });
        }
        if count == 0 {
            return lines;
        }
        rest = &rest[count..];
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&seed, bytes)) = data.split_first() else { return };
    let lines = read(bytes, || usize::MAX);
    let mut state = u32::from(seed) + 1;
    let cut = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (state >> 16) as usize % (1 + usize::from(seed >> 4))
    };
    assert_eq!(lines, read(bytes, cut), "it makes a difference how the bytes are cut");
    let (expected, is_all) = page::lines(bytes);
    assert!(expected.len() <= lines.len(), "{expected:?} are not {lines:?}");
    assert!(!is_all || expected.len() == lines.len(), "{expected:?} are not {lines:?}");
    for (expected, line) in expected.iter().zip(&lines) {
        if let Some(expected) = expected {
            assert_eq!(expected, line);
        }
        if let Heard::Text(text) = line {
            let safe = sanitize(text);
            page::assert_safe(&safe);
            assert!(safe.len() <= page::LINE_MAX, "{text:?} becomes longer: {safe:?}");
            assert_eq!(sanitize(&safe), safe, "once is enough");
            page::assert_no_control(&replace_controls(text));
        }
    }
});
