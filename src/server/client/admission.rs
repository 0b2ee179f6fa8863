//! Who is let in: the place of each client, and the sentence for whoever gets none. The accept
//! loops and the thread `web` call it, and must not wait; `handle` is what a client's own thread
//! begins with.

use super::{
    frames::{Wire, last_words},
    handler::{ChatHandler, ClientThread},
    outbox::WriterHandle,
    websocket::MessageReader,
};
use crate::{
    core::{close_reason::CloseReason, notice::notice, places::Place, sentences},
    server::status::{self, Activity},
    socketserver::{Accepting, Connection, Handler, Refusal},
};
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// Serves one browser, whose connection has become a WebSocket. It is a client like any other.
pub(crate) struct BrowserHandler {
    pub(crate) chat: Arc<ChatHandler>,
    /// What it has sent already, behind its request.
    pub(crate) first: Vec<u8>,
}

impl Handler for ChatHandler {
    fn verify(&self, peer: SocketAddr) -> Result<(), String> {
        // Counts the address. It is released once: by `refuse`, or by `RegistryGuard`.
        self.sources.admit(peer.ip())
    }

    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        self.serve(connection, None);
        Ok(())
    }

    fn watch(&self, now: Accepting) {
        status::set_activity(match now {
            Accepting::Waiting => Activity::Accepting,
            Accepting::HandingOn => Activity::Working,
            Accepting::OutOfDescriptors => Activity::WaitingForDescriptors,
        });
    }

    fn refuse(&self, connection: Connection, refusal: Refusal) {
        self.refuse_on(Wire::Plain, connection, refusal);
    }
}

impl Handler for BrowserHandler {
    fn verify(&self, peer: SocketAddr) -> Result<(), String> {
        self.chat.verify(peer)
    }

    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        self.chat.serve(connection, Some(&self.first));
        Ok(())
    }

    fn refuse(&self, connection: Connection, refusal: Refusal) {
        self.chat.refuse_on(Wire::Frames, connection, refusal);
    }
}

impl ChatHandler {
    /// Serves a client. `first`: it is a browser, and has sent this already.
    fn serve(&self, connection: Connection, first: Option<&[u8]>) {
        if let Some((client, reserve_of)) = self.place(connection, first.is_some()) {
            let messages = first.map(|first| MessageReader::new(&client, first.to_vec()));
            let _listed = self.threads.enter(&client.status);
            let place = RegistryGuard { handler: self, client: &client };
            ClientThread::serve(self, place.client, reserve_of, messages);
        }
    }

    /// Takes a place for the connection, or refuses it. The number is that of the ordinary places,
    /// if only one of those for an administrator was left.
    #[inline(never)] // see `Session::hear`
    fn place(
        &self,
        connection: Connection,
        is_browser: bool,
    ) -> Option<(Arc<WriterHandle>, Option<usize>)> {
        let most = self.threads_max;
        let place = self.sources.take_place(connection.number, connection.peer.ip());
        if place == Place::None {
            let wire = if is_browser { Wire::Frames } else { Wire::Plain };
            self.refuse_on(wire, connection, Refusal::Full { most });
            return None;
        }
        self.registry.give_way(place, CloseReason::Full(most));
        let Connection { number, stream, peer, .. } = connection;
        let flusher = Arc::clone(&self.flusher);
        let client = WriterHandle::new(number, stream, peer, self.limits, flusher);
        if is_browser {
            client.begin_frames();
        }
        Some((client, (place != Place::Ordinary).then_some(most)))
    }

    fn refuse_on(&self, wire: Wire, connection: Connection, refusal: Refusal) {
        self.totals.refused.fetch_add(1, Relaxed);
        let sentence = match refusal {
            Refusal::Full { .. } => {
                self.sources.release(connection.peer.ip());
                sentences::all_places_taken(self.threads_max)
            }
            Refusal::NoThread { running, error } => {
                self.sources.release(connection.peer.ip());
                log::warn!("no thread for {}: {error} ({running} run)", connection.peer);
                sentences::sorry(&format!(
                    "the machine cannot start one more thread ({running} run). Please try again later."
                ))
            }
            Refusal::Unwelcome(sentence) => sentence,
        };
        let has_to_wait = self.sources.refuse(connection.peer, &sentence);
        let full = CloseReason::Full(self.threads_max).close_code();
        let words = last_words(&notice(sentence), full, wire);
        self.linger.refuse(connection.stream, &words, has_to_wait);
    }
}

/// A client's place in the registry. It is released however the client ends.
struct RegistryGuard<'a> {
    handler: &'a ChatHandler,
    client: &'a Arc<WriterHandle>,
}

impl Drop for RegistryGuard<'_> {
    fn drop(&mut self) {
        self.handler.registry.remove(self.client);
        self.handler.sources.leave(self.client.number, self.client.peer.ip());
    }
}
