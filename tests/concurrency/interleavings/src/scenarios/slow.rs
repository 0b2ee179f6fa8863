//! A client who reads too slowly, while the fan-out, their own thread and the flusher send. They may be over the
//! high-water mark, or time passes. Half of the times it is encrypted.

use super::{
    client,
    read::{Wire, text},
};
use crate::{
    core::{close_reason::CloseReason, event::Answer, rooms::Delivery, wire::line::LineBuffer},
    model::{
        channel::bounded,
        net, random,
        rustls::{hello, open_all},
        time,
    },
    server::client::{
        begin_frames, encrypt, flusher::FlusherQueue, linger::say_goodbye, outbox::SlowLimits,
        read_encrypted, shake_hands,
    },
};
use shuttle::thread::spawn;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(60);

pub(super) fn run() {
    let (queue, flusher) = FlusherQueue::new().unwrap();
    let flushing = spawn(move || flusher.run());
    let limits = SlowLimits { high_water: 20 + random(40), write_deadline: DEADLINE };
    let (handle, peer) = client(1, 1 + random(12), limits, &queue);
    let wire = [Wire::Plain, Wire::Frames][random(2)];
    let is_encrypted = random(2) == 0;
    if is_encrypted {
        encrypt(&handle);
        peer.write(&hello());
    }
    let reading = spawn(move || {
        let bytes = peer.read_all();
        peer.end();
        bytes
    });
    assert!(!is_encrypted || shake_hands(&handle), "there is an encryption");
    if wire == Wire::Frames {
        begin_frames(&handle);
    }
    let (asks, asked) = bounded::<()>(1);
    let fanout = spawn({
        let handle = handle.clone();
        move || {
            let (mut said, mut has_answered) = (String::new(), false);
            for i in 0..6 {
                let (is_last, asks) = (i == 5, asked.try_recv().is_ok());
                let (before, answer, after) = (
                    format!("<bob> {i}\n"),
                    asks.then(|| format!("*** the answer of {i}\n")),
                    if asks { format!("<bob> {i} and on\n") } else { String::new() },
                );
                handle.deliver(Delivery {
                    before: &[before.as_bytes()],
                    answer: answer.clone().map(Answer::Text),
                    after: &[after.as_bytes()],
                    lines: 1,
                    close: is_last.then_some(CloseReason::Quit(None)),
                });
                has_answered |= asks;
                said += &[before, answer.unwrap_or_default(), after].concat();
            }
            // As the rooms do, it answers whoever has asked.
            if asked.recv().is_ok() {
                has_answered = true;
                handle.deliver(Delivery {
                    before: &[],
                    answer: Some(Answer::default()),
                    after: &[],
                    lines: 0,
                    close: None,
                });
            }
            (said, has_answered)
        }
    });
    let own = spawn({
        let handle = handle.clone();
        move || {
            let answer = asks.send(()).is_ok().then(|| handle.wait_for_answer());
            drop(asks);
            if let Some(Answer::Text(answer)) = answer {
                handle.write_answer(answer.as_bytes());
            }
            let mut input = LineBuffer::default();
            while match is_encrypted {
                false => net::read(handle.socket(), &mut [0; 8], None).ok(),
                true => read_encrypted(&handle, &mut input),
            } != Some(0)
            {}
            let reason = handle.settle(CloseReason::Closed);
            say_goodbye(&handle, &reason);
            reason
        }
    });
    let clock = spawn({
        let handle = handle.clone();
        move || {
            let count = random(3);
            // Time is over for whoever writes, but not for the last words.
            (0..count).for_each(|_| time::pass_unless(DEADLINE, || handle.is_hung_up()));
            count > 0
        }
    });
    let ((said, has_answered), reason) = (fanout.join().unwrap(), own.join().unwrap());
    let has_passed = clock.join().unwrap();
    let mut bytes = reading.join().unwrap();
    if is_encrypted {
        bytes = open_all(bytes);
    }
    let read = text(wire, &bytes);
    let lines = read.strip_suffix(&reason.to_client()).expect("the reason comes last");
    // Some may be missing: they were too slow, or hung up while an answer was under way. What is there is whole, and in
    // its order.
    let mut rest = said.lines();
    lines
        .lines()
        .for_each(|line| assert!(rest.any(|other| other == line), "{line:?} in {lines:?}"));
    if matches!(reason, CloseReason::Quit(_)) && !has_passed && !has_answered {
        assert_eq!(rest.next(), None, "nothing is missing");
    }
    queue.stop();
    flushing.join().unwrap();
}
