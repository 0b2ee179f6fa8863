//! Clients come and go, somebody speaks to all of them, and the registry is closed.

use super::{AMPLE, LIMITS, client};
use crate::{
    core::close_reason::CloseReason,
    model::{net, time::Instant},
    server::{client::flusher::FlusherQueue, registry::Registry},
};
use shuttle::thread::spawn;
use std::{sync::Arc, time::Duration};

pub(super) fn run() {
    let registry = Arc::new(Registry::default());
    let (queue, _flusher) = FlusherQueue::new().unwrap();
    let clients: Vec<_> = (1..4)
        .map(|number| {
            let (registry, queue) = (registry.clone(), queue.clone());
            spawn(move || {
                let (handle, _peer) = client(number, AMPLE, LIMITS, &queue);
                let is_in = registry.insert(&handle);
                if !is_in {
                    handle.hang_up(CloseReason::Shutdown);
                }
                // It reads until it is hung up.
                while !net::read(handle.socket(), &mut [0; 8], None).is_ok_and(|count| count == 0) {
                }
                assert!(handle.is_hung_up());
                assert_eq!(handle.close_reason(), Some(CloseReason::Shutdown));
                registry.remove(&handle);
            })
        })
        .collect();
    let looking = spawn({
        let registry = registry.clone();
        move || {
            let numbers: Vec<_> = registry.all().iter().map(|client| client.number).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
            assert!(registry.find(crate::origin::Origin::Uid(2)).is_none());
        }
    });
    for client in registry.close() {
        client.hang_up(CloseReason::Shutdown);
    }
    assert!(registry.wait_until_empty(Instant::now() + Duration::from_secs(1)));
    assert!(registry.all().is_empty());
    clients.into_iter().for_each(|client| client.join().unwrap());
    looking.join().unwrap();
}
