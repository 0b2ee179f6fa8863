//! A client on their way from one server to another: their thread leaves them in the old one, and
//! another takes them up in the new one. Runs on thread `c7:alice`.

use super::{
    admission::RegistryGuard,
    handler::{ChatHandler, ClientThread},
    outbox::WriterHandle,
    parked::Parked,
    send_queue::Frozen,
};
use crate::{
    core::{
        close_reason::CloseReason,
        session::{Session, handover},
    },
    server::wiped_json::to_json,
    socketserver::{Connection, Handler},
};
use crossbeam_channel::Sender;
use parking_lot::Mutex;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

impl<'a> ClientThread<'a> {
    /// Whether the server is to be handed over, and this client can be, as they are now.
    pub(super) fn is_to_rest(&self, session: &Session<'_>) -> bool {
        self.handler.rests.clients.is_wanted() && handover::is_at_rest(session)
    }

    /// Leaves the client to another server. If nothing comes of it, goes on. A browser is asked to
    /// come back: it may have sent half a message. So is whoever encrypts: the keys stay where they
    /// are.
    #[inline(never)] // see `Session::hear`
    pub(super) fn rest(&mut self, session: &Session<'_>, age: Duration) {
        self.flush();
        if self.messages.is_some() || self.client.is_encrypted() {
            return self.client.hang_up(CloseReason::Upgrade);
        }
        if self.client.is_hung_up() {
            return;
        }
        let Ok(session) = to_json(session) else {
            return self.client.hang_up(CloseReason::Upgrade);
        };
        let (number, usage) = (self.client.number, self.usage.clone());
        self.handler.rests.clients.wait(Parked { number, age, usage, session });
        self.client.thaw();
    }

    /// One connection that another server has handed over, from there to the goodbye.
    fn go_on(handler: &'a ChatHandler, client: &'a Arc<WriterHandle>, parked: Parked) {
        client.status.attach();
        if !handler.registry.insert(client) {
            client.hang_up(CloseReason::Shutdown);
        }
        let Parked { number, age, mut usage, session: json } = parked;
        let is_reserve = handler.sources.reserve_of(number).is_some();
        usage.set_age(age);
        let (replies, has_looked, messages) = (None, false, None);
        let mut thread =
            Box::new(ClientThread { handler, client, usage, replies, has_looked, messages });
        let reason = catch_unwind(AssertUnwindSafe(|| {
            let config = handler.session_of(client.peer);
            let session = serde_json::from_str(&json);
            drop(json); // half a password may be in it
            let Ok(session) = session else {
                return CloseReason::ServerError; // it could be read in the rehearsal
            };
            let mut session = handover::go_on(session, &config);
            if let Some(name) = handover::name(&session) {
                client.status.rename_thread(&format!("c{number}:{}", name.shown()));
            }
            client.thaw();
            let began = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
            let reason = thread.run(&mut session, is_reserve, began);
            thread.usage.end(&handler.sources, &mut session);
            reason
        }));
        thread.end(reason);
    }
}

/// Serves one client that another server has handed over.
pub(crate) struct HandedHandler {
    pub(crate) chat: Arc<ChatHandler>,
    /// Where the client's thread says that it has begun.
    pub(crate) begun: Sender<Arc<WriterHandle>>,
    pub(crate) handed: Mutex<Option<(Parked, Frozen)>>,
}

impl Handler for HandedHandler {
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let handed = self.handed.lock().take();
        let Some((parked, outbox)) = handed else { return Ok(()) };
        let client = self.chat.begin(connection, false);
        client.refill(outbox);
        let _listed = self.chat.threads.enter(&client.status);
        let place = RegistryGuard { handler: &self.chat, client: &client };
        let _ = self.begun.send(Arc::clone(&client));
        ClientThread::go_on(&self.chat, place.client, parked);
        Ok(())
    }
}
