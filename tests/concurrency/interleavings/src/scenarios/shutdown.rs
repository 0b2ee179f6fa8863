//! The server stops while people come and talk.

use super::server::{check, comes, serve};
use crate::store::with_disk;

const CLIENTS: usize = 3;

pub(super) fn run() {
    let (chatd, connects) = serve(CLIENTS);
    let clients: Vec<_> = (0..CLIENTS).map(|number| comes(&connects, number, 2)).collect();
    drop(connects);
    let totals = chatd.handler.totals.clone();
    chatd.shutdown().unwrap();
    let read: Vec<String> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    check(&read, &totals);
    assert_eq!(with_disk(|disk| disk.users), 0, "the file is open still");
}
