//! The server stops while people talk: the accept loop, the clients' threads with their bound, the registry, the
//! fan-out, the historian and the flusher. (The client's thread is played here, with the steps of
//! `ClientThread::serve`; and the stop, with those of `Chatd::stop`.)

use super::{
    LIMITS,
    fanout::{check_order, departs, enters, says, start, talk},
    read::{Wire, text},
};
use crate::{
    core::close_reason::CloseReason,
    model::{
        channel::{Sender, bounded},
        net::{self, Listener, connection},
        random,
        time::Instant,
    },
    origin::Origin,
    server::{
        client::{flusher::FlusherQueue, linger::say_goodbye, outbox::WriterHandle},
        fanout::{ClientEvent, Shutdown},
        registry::Registry,
    },
    socketserver::{Connection, Handler, MixIn as _, Server, Threading},
};
use shuttle::thread::spawn;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const CLIENTS: usize = 3;

/// What all client threads work with.
struct Chatting {
    registry: Arc<Registry>,
    events: Sender<ClientEvent>,
    flusher: Arc<FlusherQueue>,
    /// The numbers of those who are in.
    entered: Sender<u64>,
    /// What was accepted.
    said: Arc<Mutex<Vec<String>>>,
}

impl Handler for Chatting {
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let Connection { number, stream, peer, .. } = connection;
        let client = WriterHandle::new(number, stream, peer, LIMITS, self.flusher.clone());
        if !self.registry.insert(&client) {
            client.hang_up(CloseReason::Shutdown);
        }
        enters(&client, &self.events);
        let _ = self.entered.send(client.number);
        let mut number = 0;
        while !client.is_hung_up() {
            let mut byte = [0];
            match net::read(client.socket(), &mut byte, None) {
                Ok(0) | Err(_) => break,
                // A byte is a line.
                Ok(_) => {
                    number += 1;
                    let line = says(&client, &self.events, &number.to_string());
                    self.said.lock().unwrap().push(line);
                }
            }
        }
        let reason = client.settle(CloseReason::Closed);
        departs(&client, &self.events, reason.clone());
        say_goodbye(&client, &reason);
        self.registry.remove(&client);
        Ok(())
    }
}

pub(super) fn run() {
    let running = start();
    let (queue, flusher) = FlusherQueue::new().unwrap();
    let flushing = spawn(move || flusher.run());
    let (connects, connections) = bounded(CLIENTS + 1);
    let (entered, has_entered) = bounded(CLIENTS + 1);
    let (registry, said) = (Arc::<Registry>::default(), Arc::<Mutex<Vec<String>>>::default());
    let handler = Arc::new(Chatting {
        registry: registry.clone(),
        events: running.events.clone(),
        flusher: queue.clone(),
        entered,
        said: said.clone(),
    });
    let threads = Arc::new(Threading::new(CLIENTS + 1, 1 << 18));
    let server = Server::new(Listener::new(connections), handler, threads.clone());
    let server = Arc::new(server);
    let accepting = spawn({
        let server = server.clone();
        move || server.serve_forever()
    });
    let (sockets, peers): (Vec<_>, Vec<_>) =
        (0..CLIENTS).map(|_| connection(8 + random(32))).unzip();
    sockets.into_iter().for_each(|socket| connects.send((socket, Origin::Uid(1))).unwrap());
    let peers: Vec<_> = peers.into_iter().map(Arc::new).collect();
    let reading: Vec<_> = peers
        .iter()
        .map(|peer| {
            let peer = peer.clone();
            spawn(move || {
                let read = peer.read_all();
                peer.end();
                read
            })
        })
        .collect();
    let mut numbers: Vec<u64> = (0..CLIENTS).map(|_| has_entered.recv().unwrap()).collect();
    numbers.sort_unstable(); // in the order in which they have connected
    let talking: Vec<_> = peers[..2]
        .iter()
        .map(|peer| {
            let peer = peer.clone();
            spawn(move || (0..2).for_each(|_| peer.write(b".")))
        })
        .collect();
    // One more comes when the stop has begun, or just before.
    let late = connection(super::AMPLE);
    let coming = spawn(move || drop(connects.send((late.0, Origin::Uid(1)))));
    let leaving = spawn(move || {
        late.1.read_all();
        late.1.end();
    });

    server.shutdown();
    accepting.join().unwrap();
    running.shutdown.send(Shutdown::Gracefully).unwrap();
    for client in registry.close() {
        client.hang_up(CloseReason::Shutdown);
    }
    assert!(registry.wait_until_empty(Instant::now() + Duration::from_secs(1)));
    threads.close();
    drop(server);
    running.ends();
    queue.stop();
    flushing.join().unwrap();

    coming.join().unwrap();
    leaving.join().unwrap();
    talking.into_iter().for_each(|talks| talks.join().unwrap());
    let read: Vec<String> =
        reading.into_iter().map(|reads| text(Wire::Plain, &reads.join().unwrap())).collect();
    let said = said.lock().unwrap();
    let last = CloseReason::Shutdown.to_client();
    for (number, read) in numbers.iter().zip(&read) {
        assert!(read.ends_with(&last), "{read:?}");
        let (talk, name) = (talk(read), format!("<user{number}>"));
        let of_others = said.iter().filter(|line| !line.starts_with(&name));
        of_others.for_each(|line| assert!(talk.contains(&&**line), "{line:?} is not in {read:?}"));
    }
    for one in &read {
        read.iter().for_each(|other| check_order(&talk(one), &talk(other)));
    }
}
