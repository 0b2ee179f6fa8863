//! In what is sent to clients, and read from them.

use super::Planted;

pub(super) const ALL: &[Planted] = &[
    Planted {
        name: "what is said overtakes an answer",
        scenario: "outbox",
        file: "server/client/outbox.rs",
        right: "            Turn::AnswerAfter(_) | Turn::OwnThread => outbox.queue.push(before),",
        wrong: "            _ if crate::planted(\"what is said overtakes an answer\") => outbox.queue.send(&self.socket, before),
            Turn::AnswerAfter(_) | Turn::OwnThread => outbox.queue.push(before),",
    },
    Planted {
        name: "two threads send at once",
        scenario: "outbox",
        file: "server/client/outbox/answer.rs",
        right: "        outbox.turn = Turn::OwnThread;
        let before = outbox.queue.take_first(before);",
        wrong: "        outbox.turn = if crate::planted(\"two threads send at once\") { Turn::Anybody } else { Turn::OwnThread };
        let before = outbox.queue.take_first(before);",
    },
    Planted {
        name: "an answer is not noticed",
        scenario: "outbox",
        file: "server/client/outbox.rs",
        right: "            self.answered.notify_all();",
        wrong: "            if !crate::planted(\"an answer is not noticed\") { self.answered.notify_all(); }",
    },
    Planted {
        name: "what is left of a record is not sent",
        scenario: "tls",
        file: "server/client/send_queue.rs",
        right: "        self.waiting.is_empty() && self.tls.as_ref().is_none_or(|tls| !tls.has_unsent())",
        wrong: "        self.waiting.is_empty()
            && (crate::planted(\"what is left of a record is not sent\") || self.tls.as_ref().is_none_or(|tls| !tls.has_unsent()))",
    },
    Planted {
        name: "the flusher sends in the middle of an answer",
        scenario: "tls",
        file: "server/client/outbox.rs",
        right: "        if outbox.turn == Turn::Anybody {
            outbox.queue.send_waiting(&self.socket, &[], now);",
        wrong: "        if outbox.turn == Turn::Anybody || crate::planted(\"the flusher sends in the middle of an answer\") {
            outbox.queue.send_waiting(&self.socket, &[], now);",
    },
    Planted {
        name: "a handshake waits for bytes while its answer is not sent",
        scenario: "tls",
        file: "server/client/outbox/encrypted.rs",
        right: "            if !is_sent {",
        wrong: "            if !is_sent && !crate::planted(\"a handshake waits for bytes while its answer is not sent\") {",
    },
    Planted {
        name: "the flusher forgets a wake-up",
        scenario: "flusher",
        file: "server/client/flusher.rs",
        right: "            self.bell.waker.clear();
            clients.extend(self.queue.try_iter());",
        wrong: "            if crate::planted(\"the flusher forgets a wake-up\") { clients.extend(self.queue.try_iter()); }
            self.bell.waker.clear();
            if !crate::planted(\"the flusher forgets a wake-up\") { clients.extend(self.queue.try_iter()); }",
    },
    Planted {
        name: "a client is never again put on the flusher's list",
        scenario: "flusher",
        file: "server/client/outbox.rs",
        right: "        if !outbox.is_flushing {
            return None;",
        wrong: "        if !outbox.is_flushing {
            outbox.is_flushing = crate::planted(\"a client is never again put on the flusher's list\");
            return None;",
    },
    Planted {
        name: "a pong is sent into the middle of a frame",
        scenario: "outbox",
        file: "server/client/outbox.rs",
        right: "        outbox.queue.push_encoded(frame);
        if outbox.turn == Turn::Anybody {",
        wrong: "        if crate::planted(\"a pong is sent into the middle of a frame\") {
            let _ = net::send_now(&self.socket, &[frame]);
            return;
        }
        outbox.queue.push_encoded(frame);
        if outbox.turn == Turn::Anybody {",
    },
    Planted {
        name: "the rest of a begun line is dropped",
        scenario: "slow",
        file: "server/client/send_queue.rs",
        right: "        let begun = self.passed.rest(self.waiting.as_slices());",
        wrong: "        let begun = match crate::planted(\"the rest of a begun line is dropped\") {
            true => 0,
            false => self.passed.rest(self.waiting.as_slices()),
        };",
    },
    Planted {
        name: "a part of what waits is taken for the rest of what is on its way",
        scenario: "slow",
        file: "server/client/outbox.rs",
        right: "        if self.turn == Turn::OwnThread {
            // What",
        wrong: "        if self.turn == Turn::OwnThread && !crate::planted(\"a part of what waits is taken for the rest of what is on its way\") {
            // What",
    },
    Planted {
        name: "what comes before an answer is counted wrong after a hang-up",
        scenario: "slow",
        file: "server/client/outbox.rs",
        right: "            *before = begun.min(*before);",
        wrong: "            *before = if crate::planted(\"what comes before an answer is counted wrong after a hang-up\") { 0 } else { begun.min(*before) };",
    },
    Planted {
        name: "whoever is hung up goes on reading",
        scenario: "slow",
        file: "server/client/outbox.rs",
        right: "        net::end_reading(&self.socket);",
        wrong: "        if !crate::planted(\"whoever is hung up goes on reading\") { net::end_reading(&self.socket); }",
    },
    Planted {
        name: "a hang-up is taken for a connection that is cut off",
        scenario: "slow",
        file: "server/client/outbox.rs",
        right: "        self.hung_up.store(true, Relaxed);",
        wrong: "        if crate::planted(\"a hang-up is taken for a connection that is cut off\") { net::end_reading(&self.socket); }
        self.hung_up.store(true, Relaxed);",
    },
    Planted {
        name: "nobody notices that the last client has left",
        scenario: "registry",
        file: "server/registry.rs",
        right: "            self.empty.notify_all();",
        wrong: "            if !crate::planted(\"nobody notices that the last client has left\") { self.empty.notify_all(); }",
    },
    Planted {
        name: "the registry is closed after it was listed",
        scenario: "registry",
        file: "server/registry.rs",
        right: "        self.clients.lock().closed = true;",
        wrong: "        if crate::planted(\"the registry is closed after it was listed\") {
            let all = self.all();
            self.clients.lock().closed = true;
            return all;
        }
        self.clients.lock().closed = true;",
    },
    Planted {
        name: "what waits of a pong is left lying",
        scenario: "browser",
        file: "server/client/outbox.rs",
        right: "        self.flush_later(outbox);
    }

    /// From now on the client gets line ends",
        wrong: "        if !crate::planted(\"what waits of a pong is left lying\") { self.flush_later(outbox); }
    }

    /// From now on the client gets line ends",
    },
    Planted {
        name: "pongs are not counted",
        scenario: "browser",
        file: "server/client/outbox.rs",
        right: "        if outbox.queue.len() > self.limits.high_water {",
        wrong: "        if outbox.queue.len() > self.limits.high_water && !crate::planted(\"pongs are not counted\") {",
    },
    Planted {
        name: "a pong goes past the outbox",
        scenario: "browser",
        file: "server/client/websocket.rs",
        right: "            self.client.send_control(&std::mem::take(&mut self.to_write));",
        wrong: "            if crate::planted(\"a pong goes past the outbox\") {
                let _ = net::send_now(self.client.socket(), &[&std::mem::take(&mut self.to_write)]);
                return;
            }
            self.client.send_control(&std::mem::take(&mut self.to_write));",
    },
    Planted {
        name: "a browser that closes is answered twice",
        scenario: "browser",
        file: "server/client/websocket.rs",
        right: "            Ok(Message::Close(_)) => return Ok(self.end()),",
        wrong: "            Ok(Message::Close(_)) => {
                if crate::planted(\"a browser that closes is answered twice\") { let _ = self.messages.flush(); self.messages.get_mut().hand_over(); }
                return Ok(self.end());
            }",
    },
    Planted {
        name: "what was decrypted waits for the next record",
        scenario: "browser",
        file: "server/client/websocket.rs",
        right: "        let mut read = self.client.decrypt(space);",
        wrong: "        let mut read = if crate::planted(\"what was decrypted waits for the next record\") { Err(ErrorKind::WouldBlock.into()) } else { self.client.decrypt(space) };",
    },
];
