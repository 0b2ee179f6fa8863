//! Thread `keys`: waits for what the terminal sends.

use crossbeam_channel::Sender;
use ratatui::crossterm::event::Event;

/// Reads until the terminal is gone.
#[cfg(unix)]
pub(super) fn read(press: &Sender<Event>) {
    use super::decode::Decoder;
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::Errno,
        stdio::stdin,
    };

    /// How long the rest of a sequence may take: a network may cut it, and a person waits for what Esc
    /// does.
    const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

    let (mut decoder, mut bytes) = (Decoder::default(), [0; 4096]);
    loop {
        if decoder.is_waiting()
            && poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], Some(&PAUSE)) == Ok(0)
        {
            decoder.pause().map(|event| press.send(event));
        }
        match rustix::io::read(stdin(), &mut bytes) {
            Ok(0) => return,
            Ok(count) => decoder.take(&bytes[..count]).into_iter().for_each(|event| {
                let _ = press.send(event); // `screen` ends only with the program
            }),
            Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Reads until the terminal is gone.
#[cfg(windows)]
pub(super) fn read(press: &Sender<Event>) {
    use ratatui::crossterm::event;
    while event::read().is_ok_and(|event| press.send(event).is_ok()) {}
}
