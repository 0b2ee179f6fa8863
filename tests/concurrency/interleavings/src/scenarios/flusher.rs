//! Two clients who read slowly, and one flusher for both. Nobody but the flusher sends what waits for them.

use super::{LIMITS, client};
use crate::{core::rooms::Delivery, model::random, server::client::flusher::FlusherQueue};
use shuttle::thread::spawn;

const LINES: [&str; 3] = ["<bob> one\n", "<bob> two\n", "<bob> three\n"];

pub(super) fn run() {
    let (queue, flusher) = FlusherQueue::new().unwrap();
    let flushing = spawn(move || flusher.run());
    let (handles, peers): (Vec<_>, Vec<_>) =
        (1..3).map(|number| client(number, 1 + random(8), LIMITS, &queue)).unzip();
    let all: usize = LINES.iter().map(|line| line.len()).sum();
    let reading: Vec<_> = peers
        .into_iter()
        .map(|peer| {
            spawn(move || {
                let mut bytes = Vec::new();
                while bytes.len() < all {
                    bytes.extend(peer.read());
                }
                bytes
            })
        })
        .collect();
    for line in LINES {
        for handle in &handles {
            let before: &[&[u8]] = &[line.as_bytes()];
            handle.deliver(Delivery { before, answer: None, after: &[], lines: 1, close: None });
        }
    }
    for reads in reading {
        assert_eq!(reads.join().unwrap(), LINES.concat().as_bytes());
    }
    queue.stop();
    flushing.join().unwrap();
}
