//! One client: the fan-out delivers, their own thread asks and writes answers, the flusher sends what is left, and the
//! client reads a little now and then.

use super::{
    LIMITS, client,
    read::{Wire, text},
};
use crate::{
    core::{close_reason::CloseReason, event::Answer, rooms::Delivery},
    model::{
        channel::{TryRecvError, bounded},
        random,
    },
    server::client::{begin_frames, flusher::FlusherQueue, linger::say_goodbye, send_control},
};
use shuttle::thread::spawn;

const LAST: &str = "<bob> the last\n";
const PONG: &[u8] = &[0x8a, 1, b'!'];

pub(super) fn run() {
    let (queue, flusher) = FlusherQueue::new().unwrap();
    let flushing = spawn(move || flusher.run());
    let (handle, peer) = client(1, 1 + random(16), LIMITS, &queue);
    let wire = [Wire::Plain, Wire::Telnet, Wire::Frames][random(3)];
    match wire {
        Wire::Plain => {}
        Wire::Telnet => handle.begin_telnet(),
        Wire::Frames => begin_frames(&handle),
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
            for _ in 0..2 {
                if wire == Wire::Frames {
                    send_control(&handle, PONG);
                }
                asks.send(()).unwrap();
                let Answer::Text(answer) = handle.wait_for_answer() else { panic!("no text") };
                handle.write_answer(answer.as_bytes());
            }
        }
    });
    // The client has to read the last line before anybody takes leave of them: by the flusher, if need be.
    let (reads, has_read) = bounded::<()>(1);
    let reading = spawn(move || {
        let (mut bytes, mut has_told) = (Vec::new(), false);
        loop {
            let some = peer.read();
            if some.is_empty() {
                peer.end();
                return bytes;
            }
            bytes.extend(some);
            let end = LAST.trim_end().as_bytes();
            if !has_told && bytes.windows(end.len()).any(|window| window == end) {
                has_told = true;
                reads.send(()).unwrap();
            }
        }
    });
    let said = fanout.join().unwrap();
    own.join().unwrap();
    has_read.recv().unwrap();
    let reason = CloseReason::Quit(None);
    say_goodbye(&handle, &reason);
    let read = text(wire, &reading.join().unwrap());
    assert_eq!(read, said + &reason.to_client());
    queue.stop();
    flushing.join().unwrap();
}
