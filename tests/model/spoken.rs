//! Random conversations of several clients, played without sockets: each client reads what the page says. (tests/chatd
//! plays the same over sockets, on all three I/O models.)

use crate::{
    random::{conversation, shrunk},
    world::{self, play},
};
use std::panic::catch_unwind;

/// Conversations that have failed once, or could have: each is played as it stands.
const KEPT: &str = include_str!("kept.txt");
const ROUNDS: u64 = 200;

fn fails(text: &str) -> bool {
    catch_unwind(|| play(text.as_bytes(), false)).is_err()
}

#[test]
fn each_client_reads_what_the_page_says() {
    for seed in 1..=ROUNDS {
        let text = conversation(seed);
        if fails(&text) {
            let text = shrunk(&text, fails);
            panic!("seed {seed} (see above), and kept.txt is the place for it:\n{text}");
        }
    }
}

#[test]
fn conversations_that_have_failed_once_do_not_any_more() {
    let kept: Vec<&str> = KEPT.split("\n\n").filter(|text| !text.starts_with('#')).collect();
    assert!(kept.len() > 5);
    for text in kept {
        play(text.as_bytes(), false);
        play(text.as_bytes(), true);
        assert!(world::steps(text.as_bytes()).count() > 1, "{text}");
    }
}
