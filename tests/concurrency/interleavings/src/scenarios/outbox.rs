//! One client: the fan-out delivers, their own thread asks and writes answers, the flusher sends what is left, and the
//! client reads a little now and then.

use super::{
    LIMITS, client,
    read::{Wire, read_to_end, text},
};
use crate::{
    core::{
        close_reason::CloseReason,
        event::Answer,
        rooms::Delivery,
        wire::line::{Line, LineBuffer},
    },
    model::{
        channel::{TryRecvError, bounded},
        random,
        rustls::{hello, open_all, seal},
    },
    server::client::{
        begin_frames, encrypt, flusher::FlusherQueue, linger::say_goodbye, outbox::WriterHandle,
        read_encrypted, send_control, shake_hands,
    },
};
use shuttle::thread::spawn;
use std::sync::Arc;

const LAST: &str = "<bob> the last\n";
const PONG: &[u8] = &[0x8a, 1, b'!'];

pub(super) fn run() {
    play(false);
}

/// The same with a client whose connection is encrypted, and who types what their own thread asks.
pub(super) fn run_encrypted() {
    play(true);
}

fn play(is_encrypted: bool) {
    let (queue, flusher) = FlusherQueue::new().unwrap();
    let flushing = spawn(move || flusher.run());
    let (handle, peer) = client(1, 1 + random(16), LIMITS, &queue);
    if is_encrypted {
        encrypt(&handle);
    }
    let wire = [Wire::Plain, Wire::Telnet, Wire::Frames][random(3)];
    match wire {
        Wire::Plain => {}
        Wire::Telnet => handle.begin_telnet(),
        Wire::Frames => begin_frames(&handle),
    }
    let peer = Arc::new(peer);
    // The client has to read the last line before anybody takes leave of them: by the flusher, if need be.
    let (reads, has_read) = bounded::<()>(1);
    let reading = spawn({
        let peer = peer.clone();
        let tells = move || reads.send(()).unwrap();
        move || read_to_end(&peer, Vec::new(), is_encrypted, LAST.trim_end().as_bytes(), tells)
    });
    if is_encrypted {
        let typing = hello().into_iter().chain(seal(1, b"one\r\ntw")).chain(seal(2, b"o\r\n"));
        let typing: Vec<u8> = typing.collect();
        spawn(move || typing.chunks(7).for_each(|some| peer.write(some)));
        assert!(shake_hands(&handle), "there is an encryption");
    }
    let (asks, asked) = bounded::<()>(1);
    let deliver = {
        let handle = handle.clone();
        move |before: &str, answer: Option<&str>, after: &str| {
            handle.deliver(Delivery {
                before: &[before.as_bytes()],
                answer: answer.map(|answer| Answer::Text(answer.to_owned())),
                after: &[after.as_bytes()],
                lines: 1,
                close: None,
            });
            [before, answer.unwrap_or_default(), after].concat()
        }
    };
    let fanout = spawn(move || {
        let mut said = String::new();
        for i in 0.. {
            let asks = if i < 3 {
                asked.try_recv()
            } else {
                asked.recv().map_err(|_| TryRecvError::Disconnected)
            };
            let before = format!("<bob> {i}\n");
            said += &match asks {
                Ok(()) => {
                    let after = [String::new(), format!("<bob> {i} and on\n")];
                    deliver(&before, Some(&format!("*** answer {i}\n")), &after[random(2)])
                }
                Err(TryRecvError::Empty) => deliver(&before, None, ""),
                Err(TryRecvError::Disconnected) => break,
            };
        }
        said + &deliver(LAST, None, "")
    });
    let own = spawn({
        let handle = handle.clone();
        move || {
            let mut input = LineBuffer::default();
            for line in ["one", "two"] {
                if is_encrypted {
                    hear(&handle, &mut input, line);
                }
                if wire == Wire::Frames {
                    send_control(&handle, PONG);
                }
                asks.send(()).unwrap();
                let Answer::Text(answer) = handle.wait_for_answer() else { panic!("no text") };
                handle.write_answer(answer.as_bytes());
            }
        }
    });
    let said = fanout.join().unwrap();
    own.join().unwrap();
    has_read.recv().unwrap();
    let reason = CloseReason::Quit(None);
    say_goodbye(&handle, &reason);
    let mut bytes = reading.join().unwrap();
    if is_encrypted {
        bytes = open_all(bytes);
    }
    let read = text(wire, &bytes);
    assert_eq!(read, said + &reason.to_client());
    queue.stop();
    flushing.join().unwrap();
}

/// Reads up to this line, which has to be the next.
fn hear(handle: &Arc<WriterHandle>, input: &mut LineBuffer, expected: &str) {
    loop {
        if let Some(line) = input.next_line() {
            return assert_eq!(line, Line::Text(expected));
        }
        if let Some(count) = read_encrypted(handle, input) {
            assert!(count > 0, "it has not ended");
            input.received(count);
        }
    }
}
