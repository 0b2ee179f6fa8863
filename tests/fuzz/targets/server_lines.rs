//! What `chat` reads of a server, which may be anybody's: pieces of lines, notes, and what is known by
//! them. The first byte says how the others are cut into reads.
//!
//! Nothing that a terminal obeys is left, on the screen or in `--json`; and what is kept is bounded.

#![no_main]

#[path = "../common/page.rs"]
#[allow(dead_code, reason = "another target needs the rest")]
mod page;

#[macro_use]
#[path = "../common/files_of_chat.rs"]
mod files_of_chat;

files_of_chat! {
    arrivals: "../../../src/bin/chat/arrivals.rs",
    fold: "../../../src/bin/chat/fold.rs",
    json: "../../../src/bin/chat/json.rs",
    known: "../../../src/bin/chat/known.rs",
    left: "../../../src/bin/chat/left.rs",
    note: "../../../src/bin/chat/note.rs",
    own: "../../../src/bin/chat/own.rs",
    pace: "../../../src/bin/chat/pace.rs",
    paint: "../../../src/bin/chat/paint.rs",
    server_line: "../../../src/bin/chat/server_line.rs",
}

use chatd::core::wire::line::LineBuffer;
use known::Known;
use libfuzzer_sys::fuzz_target;
use note::Read;
use server_line::ServerLine;
use std::time::Instant;

/// As in chat's `socket.rs`.
const LINE_MAX: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((&seed, mut rest)) = data.split_first() else { return };
    let mut buffer = LineBuffer::cutting_at(LINE_MAX);
    let (mut known, mut begun) = (Known::default(), String::new());
    known.begin();
    known.sent("hi");
    loop {
        let space = buffer.space();
        let count = rest.len().min(space.len()).min(1 + usize::from(seed));
        space[..count].copy_from_slice(&rest[..count]);
        buffer.received(count);
        while let Some(piece) = buffer.next_piece() {
            assert!(piece.len() <= LINE_MAX);
            take(ServerLine::new(piece), &mut known, &mut begun);
        }
        if count == 0 {
            return;
        }
        rest = &rest[count..];
    }
});

fn take(line: ServerLine, known: &mut Known, begun: &mut String) {
    page::assert_no_control(&line.text);
    if line.text.starts_with('{') || !begun.is_empty() {
        let text = std::mem::take(begun) + &line.text;
        match note::read(&text) {
            Read::Note(note) => {
                assert!(!json::note(&text).contains(page::is_forbidden));
                known.note(&note);
                let (name, rest) = known.prompt();
                page::assert_no_control(&name);
                page::assert_no_control(&rest);
                return;
            }
            Read::Begun => {
                assert!(text.len() < 256 * 1024);
                *begun = text;
                return;
            }
            Read::Text => {}
        }
    }
    let object = json::line(&line, jiff::Timestamp::UNIX_EPOCH);
    assert!(!object.contains(page::is_forbidden), "{object:?}");
    let (before, after) = line.marks();
    assert_eq!([line.time(), before, line.name(), after, line.body()].concat(), line.text);
    assert!(line.text.ends_with(line.without_time()));
    let me = known.me.clone();
    let words = ["class".to_owned(), "\u{df}".to_owned()];
    line.mentions(me.as_deref(), &words);
    let mut painted = String::new();
    paint::paint(&line, me.as_deref(), &words, &mut painted);
    let escapes = painted.matches('\x1b').count();
    assert_eq!(painted.matches("\x1b[").count(), escapes);
    let folded = fold::fold(&line.text, 40);
    assert!(!folded.contains(|c| c != '\n' && page::is_forbidden(c)));
    known.learn(&line);
    known.own.is_said(&line, Instant::now());
    assert!(known.people().count() <= 1000 && known.rooms().count() <= 1000);
    let (name, rest) = known.prompt();
    page::assert_no_control(&name);
    page::assert_no_control(&rest);
}
