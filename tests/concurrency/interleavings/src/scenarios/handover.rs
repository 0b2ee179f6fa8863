//! A server is handed over, or is not after all: the clients' threads rest, then the fan-out, and all go on.

use super::{
    AMPLE, LIMITS, client,
    fanout::{check_order, departs, enters, says, start, talk},
    read::{Wire, text},
};
use crate::{
    core::close_reason::CloseReason,
    server::{
        client::flusher::FlusherQueue,
        parking::{Parking, rest},
    },
};
use shuttle::thread::{self, spawn};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

const TALKERS: usize = 2;

pub(super) fn run() {
    let running = start();
    let (queue, _flusher) = FlusherQueue::new().unwrap();
    let (handles, peers): (Vec<_>, Vec<_>) =
        (0..3).map(|number| client(number, AMPLE, LIMITS, &queue)).unzip();
    handles.iter().for_each(|handle| enters(handle, &running.events));
    let parking = Arc::new(Parking::<u64>::default());
    let said = Arc::new(Mutex::new(Vec::new()));
    // Those who have ended.
    let ended = Arc::new(AtomicUsize::new(0));
    let talking: Vec<_> = handles[..TALKERS]
        .iter()
        .map(|handle| {
            let (handle, events, parking) =
                (handle.clone(), running.events.clone(), parking.clone());
            let (said, ended) = (said.clone(), ended.clone());
            spawn(move || {
                for i in 0..3 {
                    if parking.is_wanted() {
                        parking.wait(handle.number);
                    }
                    let line = says(&handle, &events, &i.to_string());
                    said.lock().unwrap().push(line);
                }
                departs(&handle, &events, CloseReason::Closed);
                ended.fetch_add(1, Relaxed);
            })
        })
        .collect();

    for _ in 0..2 {
        let (rests, clients) = rest();
        parking.ask(Some(rests));
        let mut resting = 0;
        while resting + ended.load(Relaxed) < TALKERS {
            resting += clients.left.try_iter().count();
            thread::yield_now();
        }
        let (asked, fanout) = rest();
        running.door.send(asked).unwrap();
        let (chat, _) = fanout.left.recv().unwrap().expect("everything is written");
        // Everybody rests: what was said is in the chat that is left, and was delivered.
        let before = said.lock().unwrap().clone();
        before.iter().for_each(|line| assert!(chat.contains(&**line), "{line} is not in {chat}"));
        thread::yield_now();
        assert_eq!(*said.lock().unwrap(), before, "somebody talks who should rest");
        drop((fanout, clients));
        parking.ask(None);
    }
    talking.into_iter().for_each(|talks| talks.join().unwrap());
    running.ends();
    drop(handles);
    let read: Vec<String> = peers.iter().map(|peer| text(Wire::Plain, &peer.read_all())).collect();
    let listener = talk(&read[TALKERS]);
    read.iter().for_each(|read| check_order(&talk(read), &listener));
    assert_eq!(listener.len(), said.lock().unwrap().len());
}
