//! Several clients' bytes as one state machine, up to what each of them reads. See tests/model/world.
//!
//! The first byte says whether everybody has to read what the model says, or whether whatever is typed is
//! carried out, and only what holds for every line is checked.

#![no_main]

#[path = "../../model/page/mod.rs"]
mod page;
#[path = "../../model/world/mod.rs"]
#[allow(dead_code, reason = "a test needs the rest")]
mod world;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((&mode, text)) = data.split_first() {
        world::play(text, mode == b'!');
    }
});
