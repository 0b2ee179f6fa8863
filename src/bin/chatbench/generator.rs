//! `chatbench generator`: how many lines a second the generator itself can check, with no server and no socket.
//!
//! If a server comes near this, the generator's core is the bottleneck, and another figure must be trusted: the
//! server's time per delivery. With sockets the kernel's copying comes on top: a server that has enough to do, and is
//! less than 1.0 of a core busy (`server_busy`), has waited for the generator.

use std::time::Instant;

use anyhow::Result;

use crate::cli::load::Settings;
use crate::cli::proc;
use crate::cli::report::Figures;
use crate::cli::transcript::{Reader, Transcript};
use crate::cli::wire::{LineId, Wire, name};

/// Lines that come to every client in one round: ten senders, 32 each.
const SENDERS: u32 = 10;
const LINES: u32 = 32;

/// As many clients as in a real load read the same rounds as from a server: the last ten are the senders.
pub fn run(clients: u32, wire: Wire, settings: &Settings) -> Result<Figures> {
    settings.pin.map_or(Ok(()), |(_, own)| proc::pin_self(own))?;
    let mut transcript = Transcript::new(wire);
    let first_sender = clients.saturating_sub(SENDERS);
    let mut readers: Vec<Reader> = (0..clients)
        .map(|client| Reader::new(client, client < first_sender, &transcript))
        .collect();
    let (mut lines, mut rounds, begin) = (0u64, 0, Instant::now());
    let mut reading = std::time::Duration::ZERO;
    while begin.elapsed() < settings.time {
        let told: Vec<Vec<u8>> =
            (0..SENDERS).map(|sender| block(&wire, first_sender + sender, rounds)).collect();
        let to_watchers = told.concat();
        let to_senders: Vec<Vec<u8>> =
            (0..SENDERS as usize).map(|own| without(&told, own)).collect();
        let round = Instant::now();
        for (client, reader) in (0..).zip(&mut readers) {
            let bytes = if client < first_sender {
                &to_watchers
            } else {
                &to_senders[(client - first_sender) as usize]
            };
            reader.read(bytes, &mut transcript, &mut |_| lines += 1)?;
        }
        reading += round.elapsed();
        transcript.forget(readers[0].next());
        rounds += 1;
    }
    let mut figures = Figures::default();
    figures.add("lines_per_s", lines as f64 / reading.as_secs_f64());
    figures.add("ns_per_line", 1e9 * reading.as_secs_f64() / lines as f64);
    Ok(figures)
}

/// One sender's lines of a round, as chatd tells them.
fn block(wire: &Wire, sender: u32, round: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for seq in round * LINES + 1..=(round + 1) * LINES {
        bytes.extend_from_slice(format!("<{}> ", name(sender)).as_bytes());
        wire.compose(LineId { sender, seq }, &mut bytes);
    }
    bytes
}

fn without(blocks: &[Vec<u8>], own: usize) -> Vec<u8> {
    blocks
        .iter()
        .enumerate()
        .filter(|(sender, _)| *sender != own)
        .flat_map(|(_, block)| block.clone())
        .collect()
}
