//! Ten thousand steps that nobody chose, against a simple model: what is sent is what was typed; no line
//! is missing from what can be scrolled to; and no password is anywhere it should not be. Neither a
//! terminal nor a server is needed, so it runs everywhere.

mod simple;
mod world;

use crate::server_line::ServerLine;
use ratatui::{crossterm::event::KeyCode, layout::Rect};
use std::time::Instant;
use world::{CONTROL, NOW, World};

fn play(seed: u64, steps: usize) {
    let mut world = World::new(seed);
    for step in 0..steps {
        world.step();
        world.check(step % 16 == 0);
        if step % 2000 == 1999 {
            world.looks_at_everything();
            world.check(true);
        }
    }
}

#[test]
fn ten_thousand_steps() {
    play(0x9e37_79b9_7f4a_7c15, 10_000);
}

/// Seeds with which it has failed are kept: 1 had a control character behind a paste. `SEEDS=200` plays
/// as many others.
#[test]
fn seeds_that_failed_once_and_others() {
    let others = std::env::var("SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(1);
    for seed in 1..=others {
        println!("seed {seed}");
        play(seed, 2000);
    }
}

/// All that can be scrolled to is there, and a window of another size is drawn as if it were little:
/// only what is seen is laid out. The aim is 50 ms; a busy machine may take ten times as long.
#[test]
fn a_hundred_thousand_lines_are_drawn_at_another_size() {
    let mut world = World::new(1);
    let filler = "word ".repeat(18);
    for n in 0..100_000 {
        let line = format!("<bob> {filler}{n:05};");
        world.model.show(ServerLine::new(line.as_bytes()), &world.known, NOW);
    }
    let start = Instant::now();
    for (width, height) in [(120, 50), (40, 20), (200, 60), (20, 10)] {
        world.area = Rect::new(0, 0, width, height);
        world.draw();
    }
    let each = start.elapsed() / 4;
    println!("{} us for each size", each.as_micros());
    assert!(each.as_millis() < 500, "{each:?}");
    world.press(KeyCode::Home, CONTROL);
    world.area = Rect::new(0, 0, 80, 50);
    assert!(world.draw().contains("00000;"), "the oldest of them");
}
