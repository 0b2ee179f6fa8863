//! Who is let in, who waits, and who is refused. The accept loops and the thread `web` call it, and
//! must not wait; and so does thread `linger`, for those who wait. `handle` is what a client's own
//! thread begins with.

use super::{
    handler::{ChatHandler, ClientThread},
    linger::part,
    lingerer::{Admit, Outside},
    outbox::{HandshakeError, WriterHandle},
    waiting::{Arrival, Begun, Waiting, WaitingList},
    websocket::MessageReader,
};
use crate::{
    core::{close_reason::CloseReason, event::ClientId, notice::notice, sentences},
    origin::Origin,
    server::{
        proxies::Whose,
        sources::Admission,
        status::{self, Activity},
        tls::{self, ENCRYPTED, HANDSHAKE_PATIENCE},
        turned_away::{Reason, TurnedAway},
    },
    socketserver::{Accepting, Connection, Handler, MixIn as _, Refusal, Threading},
};
use std::sync::{Arc, Weak};

/// Serves one browser, whose connection has become a WebSocket. It is a client like any other.
pub(crate) struct BrowserHandler {
    pub(crate) chat: Arc<ChatHandler>,
    pub(crate) begun: Arc<Begun>,
}

impl Handler for ChatHandler {
    fn verify(&self, connection: Connection) -> Option<Connection> {
        // A puppet is on this machine, perhaps beside a proxy, and says nothing of where it is.
        let whose = match self.is_puppet(connection.peer) {
            true => Whose::Known(connection),
            false => self.sources.proxies.ask(connection),
        };
        self.admit_from(whose)
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
        self.take_back(Arrival { connection, begun: None }, refusal);
    }
}

impl Handler for BrowserHandler {
    fn verify(&self, connection: Connection) -> Option<Connection> {
        self.chat.admit(Arrival { connection, begun: Some(Arc::clone(&self.begun)) })
    }

    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        self.chat.serve(connection, Some(&self.begun));
        Ok(())
    }

    fn refuse(&self, connection: Connection, refusal: Refusal) {
        self.chat.take_back(Arrival { connection, begun: Some(Arc::clone(&self.begun)) }, refusal);
    }
}

impl ChatHandler {
    fn is_puppet(&self, peer: Origin) -> bool {
        self.hazards.as_ref().is_some_and(|hazards| hazards.is_puppet(peer))
    }

    /// Serves a client who has a place. `begun`: it is a browser.
    fn serve(&self, connection: Connection, begun: Option<&Arc<Begun>>) {
        let client = self.begin(connection, begun.is_some());
        let messages = begun.map(|begun| begin_messages(&client, begun));
        let _listed = self.threads.enter(&client.status);
        let place = RegistryGuard { handler: self, client: &client };
        // (Thread `web` has shaken hands with a browser.)
        if client.is_encrypted() && begun.is_none() && !self.shake_hands(&client) {
            self.sources.end_without_session(client.peer, false);
            return;
        }
        let reserve_of = self.sources.reserve_of(client.number);
        ClientThread::serve(self, place.client, reserve_of, messages);
    }

    #[inline(never)] // see `Session::hear`
    pub(super) fn begin(&self, connection: Connection, is_browser: bool) -> Arc<WriterHandle> {
        let Connection { number, stream, peer, kind, .. } = connection;
        let flusher = Arc::clone(&self.flusher);
        let client = WriterHandle::new(number, stream, peer, self.limits, flusher);
        if self.is_puppet(peer) {
            client.status.mark_puppet();
        }
        if kind == ENCRYPTED {
            client.begin_tls(self.certificates.as_ref().and_then(|it| it.begin()));
        }
        if is_browser {
            client.begin_frames();
        }
        client
    }

    /// The handshake of a client whose connection is encrypted. Returns whether they can be served. They
    /// are in the registry meanwhile, so that they can be hung up.
    #[inline(never)] // see `Session::hear`
    fn shake_hands(&self, client: &Arc<WriterHandle>) -> bool {
        client.status.attach();
        if !self.registry.insert(client) {
            return false; // the server stops
        }
        let (why, words) = match client.shake_hands(HANDSHAKE_PATIENCE) {
            Ok(()) => return true,
            Err(HandshakeError::HungUp) => return false,
            Err(HandshakeError::Gone) => {
                (TurnedAway::new(Reason::Gone, "gone before its TLS handshake"), String::new())
            }
            Err(HandshakeError::NoTls) => {
                let sentence = tls::only(self.certificates.as_ref().and_then(|it| it.plain_port));
                (TurnedAway::new(Reason::Tls, "no TLS, on a port for TLS alone"), notice(sentence))
            }
            Err(HandshakeError::Failed(error)) => {
                let why = format!("the TLS handshake failed: {error}");
                (TurnedAway::new(Reason::Tls, why), String::new())
            }
        };
        self.sources.refuse(client.peer, &why, &self.totals);
        part(client, words.as_bytes());
        false
    }

    /// Returns the connection if it is known whose it is, and it has a place.
    fn admit_from(&self, whose: Whose) -> Option<Connection> {
        match whose {
            Whose::Known(connection) => return self.admit(Arrival { connection, begun: None }),
            Whose::NotYet(unnamed) => drop(self.linger.add(Outside::Unnamed(unnamed))),
            Whose::Gone => {}
            Whose::Refused(connection, sentence) => {
                let why = TurnedAway::new(Reason::Proxy, sentence);
                self.turn_away(Arrival { connection, begun: None }, &why);
            }
        }
        None
    }

    /// Returns the connection if it has a place.
    fn admit(&self, arrival: Arrival) -> Option<Connection> {
        match self.sources.admit(arrival.number(), arrival.peer(), false) {
            // It is counted. Place and count are released once: by `take_back`, or by
            // `RegistryGuard`.
            Admission::Place { gives_way } => {
                self.make_way(gives_way);
                return Some(arrival.connection);
            }
            Admission::Wait { request, refusal, takes_turns } => {
                self.wait(Waiting::new(arrival, request, refusal, takes_turns));
            }
            Admission::Refused(why) => self.turn_away(arrival, &why),
        }
        None
    }

    fn make_way(&self, gives_way: Option<ClientId>) {
        if let Some(number) = gives_way {
            self.registry.give_way(number, CloseReason::Full(self.threads_max));
        }
    }

    /// There is no thread for a connection that has a place.
    fn take_back(&self, arrival: Arrival, refusal: Refusal) {
        self.sources.leave(arrival.number(), arrival.peer());
        match refusal {
            // A place is left a moment before its thread ends.
            Refusal::Full { .. } => {
                let sentence = sentences::all_places_taken(self.threads_max);
                let full = TurnedAway::new(Reason::Full, sentence);
                self.wait(Waiting::new(arrival, String::new(), full, false));
            }
            Refusal::NoThread { running, error } => {
                log::warn!("no thread for {}: {error} ({running} run)", arrival.peer());
                let sentence = sentences::sorry(&format!(
                    "the machine cannot start one more thread ({running} run). Please try again later."
                ));
                self.turn_away(arrival, &TurnedAway::new(Reason::Machine, sentence));
            }
        }
    }

    fn wait(&self, one: Waiting) {
        let Some(one) = one.unless_gone(&self.sources, &self.totals) else { return };
        if let Some(Outside::Waiting(one)) = self.linger.add(Outside::Waiting(one)) {
            one.refuse(&self.sources, &self.totals);
        }
    }

    fn turn_away(&self, arrival: Arrival, why: &TurnedAway) {
        let refused = arrival.refuse(why, &self.sources, &self.totals);
        let _ = self.linger.add(Outside::Refused(refused)); // too many: closed here and now
    }
}

#[inline(never)] // see `Session::hear`
fn begin_messages(client: &Arc<WriterHandle>, begun: &Begun) -> Box<MessageReader> {
    let (first, tls) = begun.take();
    if tls.is_some() {
        client.begin_tls(tls);
    }
    MessageReader::new(client, first.to_vec())
}

/// A client's place in the registry. It is released however the client ends.
pub(super) struct RegistryGuard<'a> {
    pub(super) handler: &'a ChatHandler,
    pub(super) client: &'a Arc<WriterHandle>,
}

impl Drop for RegistryGuard<'_> {
    fn drop(&mut self) {
        self.handler.registry.remove(self.client);
        self.handler.sources.leave(self.client.number, self.client.peer);
    }
}

/// The server, for thread `linger`. The thread ends when the handler is dropped, so it does not keep
/// it.
pub(crate) struct Admitting {
    handler: Weak<ChatHandler>,
    threads: Arc<Threading>,
}

impl Admitting {
    pub(crate) fn new(handler: &Arc<ChatHandler>, threads: &Arc<Threading>) -> Admitting {
        Admitting { handler: Arc::downgrade(handler), threads: Arc::clone(threads) }
    }

    /// Has a connection served that has a place.
    fn let_in(&self, chat: &Arc<ChatHandler>, Arrival { connection, begun }: Arrival) {
        match begun {
            None => process(&self.threads, connection, chat),
            Some(begun) => {
                let chat = Arc::clone(chat);
                process(&self.threads, connection, &Arc::new(BrowserHandler { chat, begun }));
            }
        }
    }
}

fn process(threads: &Threading, connection: Connection, handler: &Arc<impl Handler>) {
    if let Err((connection, refusal)) = threads.process(connection, handler) {
        handler.refuse(connection, refusal);
    }
}

impl Admit for Admitting {
    fn wait(&self, list: &mut WaitingList, one: Waiting) {
        if let Some(handler) = self.handler.upgrade() {
            list.wait(one, &handler.sources, &handler.totals);
        }
    }

    fn look(&self, list: &mut WaitingList) {
        let Some(handler) = self.handler.upgrade() else { return };
        for whose in list.look_at_unnamed() {
            if let Some(connection) = handler.admit_from(whose) {
                self.let_in(&handler, Arrival { connection, begun: None });
            }
        }
        for (arrival, gives_way) in list.look(&handler.sources, &handler.totals) {
            handler.make_way(gives_way);
            self.let_in(&handler, arrival);
        }
    }
}
