//! Two talk and two listen; what they say is written before it is shown, in batches of any size.

use super::{
    fanout::{check_order, departs, four_enter, says, start, talk},
    read::{Wire, text},
};
use crate::{
    core::{close_reason::CloseReason, event::Event},
    model::random,
};
use shuttle::thread::spawn;

pub(super) fn run() {
    super::check_what_is_sent();
    let running = start::<()>();
    let (handles, peers) = four_enter(&running.events);
    let talking: Vec<_> = handles[..2]
        .iter()
        .map(|handle| {
            let (handle, events) = (handle.clone(), running.events.clone());
            spawn(move || {
                let mut said = Vec::new();
                for i in 0..3 {
                    said.push(says(&handle, &events, &i.to_string()));
                    if random(3) == 0 {
                        // This has no record, and is answered behind what was said.
                        events.send((handle.clone(), Event::Command("who".to_owned()))).unwrap();
                        handle.wait_for_answer();
                        handle.write_answer(b"");
                    }
                }
                departs(&handle, &events, CloseReason::Closed);
                said
            })
        })
        .collect();
    let said: Vec<Vec<String>> = talking.into_iter().map(|talks| talks.join().unwrap()).collect();
    // Somebody says something last, and nobody waits for an answer behind it.
    let last = says(&handles[2], &running.events, "the last");
    running.ends();
    drop(handles);
    let read: Vec<String> = peers.iter().map(|peer| text(Wire::Plain, &peer.read_all())).collect();
    let read: Vec<Vec<&str>> = read.iter().map(|read| talk(read)).collect();
    for one in &read {
        read.iter().for_each(|other| check_order(one, other));
    }
    for (reader, lines) in read.iter().enumerate().skip(2) {
        assert!(
            said.iter().flatten().all(|line| lines.contains(&&**line)),
            "{lines:?} of {said:?}"
        );
        assert_eq!(lines.contains(&&*last), reader == 3, "the last line, for all but who says it");
    }
}
