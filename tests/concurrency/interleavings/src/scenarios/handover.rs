//! A server is to be handed over, and goes on after all: the accept loop, the clients' threads, the fan-out and the
//! historian rest, in the order of `Chatd::leave`.

use super::server::{check, comes, serve};
use crate::{
    server::{Chatd, client::parked::Parked, parking::rest},
    store::with_disk,
};
use shuttle::thread::yield_now;
use std::collections::HashSet;

const CLIENTS: usize = 2;

pub(super) fn run() {
    let (chatd, connects) = serve(CLIENTS);
    let clients: Vec<_> = (0..CLIENTS).map(|number| comes(&connects, number, 2)).collect();
    for _ in 0..2 {
        everybody_rests(&chatd);
    }
    drop(connects);
    let totals = chatd.handler.totals.clone();
    chatd.shutdown().unwrap();
    let read: Vec<String> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    check(&read, &totals);
}

fn everybody_rests(chatd: &Chatd) {
    let (server, rests) = (&chatd.servers[0], &chatd.handler.rests);
    while !server.pause(true) {
        server.listener().interrupt();
        yield_now();
    }
    let (asked, clients) = rest::<Parked>();
    rests.clients.ask(Some(asked));
    let mut parked = HashSet::new();
    loop {
        parked.extend(clients.left.try_iter().map(|one| one.number));
        let all = chatd.handler.registry.all();
        let rests = all.iter().filter(|one| parked.contains(&one.number)).count();
        if rests == all.len() && chatd.threads.running() <= all.len() {
            all.iter().for_each(|client| drop(client.freeze()));
            break;
        }
        all.iter().for_each(|client| client.socket().interrupt());
        yield_now();
    }
    let (asked, fanout) = rest();
    rests.fanout.send(asked).unwrap();
    let (chat, _) = fanout.left.recv().unwrap().expect("everything is written");
    let (asked, historian) = rest();
    rests.historian.send(asked).unwrap();
    historian.left.recv().unwrap().expect("there is no outage");

    // What was said is in the chat that is left, and in the file, which nobody has open.
    let said = with_disk(|disk| {
        assert_eq!(disk.users, 0, "the file is open");
        disk.lines.clone()
    });
    said.iter().for_each(|line| assert!(chat.contains(line.text.trim_end()), "{line:?}"));
    yield_now();
    assert_eq!(with_disk(|disk| disk.lines.clone()), said, "somebody talks who should rest");
    drop((fanout, historian, clients));
    rests.clients.ask(None);
    server.pause(false);
}
