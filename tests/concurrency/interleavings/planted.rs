//! Mistakes that are easy to make in these files. Each is planted in the copy behind a switch, and its scenario has to
//! find it. Where the source has changed, so that `right` is not there any more, the build says so.

#![allow(dead_code, reason = "build.rs and the program each read a part")]

pub(crate) struct Planted {
    pub(crate) name: &'static str,
    /// The scenario that finds it.
    pub(crate) scenario: &'static str,
    pub(crate) file: &'static str,
    pub(crate) right: &'static str,
    pub(crate) wrong: &'static str,
}

pub(crate) const PLANTED: &[Planted] = &[
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
        name: "two take the last place",
        scenario: "threads",
        file: "socketserver/threading.rs",
        right: "        threads.starting += usize::from(running < self.most);",
        wrong: "        if crate::planted(\"two take the last place\") {
            drop(threads);
            threads = self.threads.lock();
        }
        threads.starting += usize::from(running < self.most);",
    },
    Planted {
        name: "the place of a quick thread is lost",
        scenario: "threads",
        file: "socketserver/threading.rs",
        right: "        joinable
    }",
        wrong: "        if crate::planted(\"the place of a quick thread is lost\") { ended.clear(); }
        joinable
    }",
    },
    Planted {
        name: "an accept loop that rests is not woken",
        scenario: "accept",
        file: "socketserver/mod.rs",
        right: "        self.goes_on.notify_all();",
        wrong: "        if !crate::planted(\"an accept loop that rests is not woken\") { self.goes_on.notify_all(); }",
    },
    Planted {
        name: "a stop is not noticed where descriptors are waited for",
        scenario: "accept",
        file: "socketserver/mod.rs",
        right: "                if !*stopping {
                    self.stopped",
        wrong: "                if !*stopping || crate::planted(\"a stop is not noticed where descriptors are waited for\") {
                    self.stopped",
    },
    Planted {
        name: "a batch is shown before it is written",
        scenario: "history",
        file: "server/fanout.rs",
        right: "        if records.is_empty() || commit.is_late || commit.is_closing_at_once {",
        wrong: "        if records.is_empty() || commit.is_late || commit.is_closing_at_once || crate::planted(\"a batch is shown before it is written\") {",
    },
    Planted {
        name: "a batch without records overtakes the one before it",
        scenario: "history",
        file: "server/fanout.rs",
        right: "        if chat.is_sealed() {
            return;
        }
        let records = chat.seal();",
        wrong: "        if chat.is_sealed() {
            if !crate::planted(\"a batch without records overtakes the one before it\") {
                return;
            }
            self.deliver(chat, commit);
        }
        let records = chat.seal();",
    },
    Planted {
        name: "the fan-out ends before the last batch is written",
        scenario: "history",
        file: "server/fanout.rs",
        right: "            Err(TryRecvError::Disconnected) if commit.since.is_none() => Wakeup::End,",
        wrong: "            Err(TryRecvError::Disconnected)
                if commit.since.is_none() || crate::planted(\"the fan-out ends before the last batch is written\") => Wakeup::End,",
    },
    Planted {
        name: "a client that comes during the stop is forgotten",
        scenario: "shutdown",
        file: "server/registry.rs",
        right: "        if !clients.closed {
            clients.by_number.insert(client.number, Arc::clone(client));",
        wrong: "        if crate::planted(\"a client that comes during the stop is forgotten\") {
            clients.by_number.insert(client.number, Arc::clone(client));
            return true;
        }
        if !clients.closed {
            clients.by_number.insert(client.number, Arc::clone(client));",
    },
    Planted {
        name: "the flusher is stopped and not woken",
        scenario: "shutdown",
        file: "server/client/flusher.rs",
        right: "        self.bell.stopping.store(true, SeqCst);
        self.bell.waker.wake();",
        wrong: "        self.bell.stopping.store(true, SeqCst);
        if !crate::planted(\"the flusher is stopped and not woken\") { self.bell.waker.wake(); }",
    },
    Planted {
        name: "a thread rests while it holds the lock",
        scenario: "handover",
        file: "server/parking.rs",
        right: "        let rest = self.rest.lock().clone();",
        wrong: "        if crate::planted(\"a thread rests while it holds the lock\") {
            if let Some(rest) = &*self.rest.lock() {
                rest.wait(left);
            }
            return;
        }
        let rest = self.rest.lock().clone();",
    },
    Planted {
        name: "the chat is handed over while something is being written",
        scenario: "handover",
        file: "server/fanout.rs",
        right: "            if hand_over.is_some() && commit.is_at_rest() && self.events.is_empty() {",
        wrong: "            let is_hasty = crate::planted(\"the chat is handed over while something is being written\");
            if hand_over.is_some() && (commit.is_at_rest() && self.events.is_empty() || is_hasty) {",
    },
    Planted {
        name: "the file stays open while the historian rests",
        scenario: "handover",
        file: "server/history/historian/leaving.rs",
        right: "        rest.wait(Ok(()));",
        wrong: "        if crate::planted(\"the file stays open while the historian rests\") {
            self.store = self.config.open(PATIENCE, || false);
        }
        rest.wait(Ok(()));",
    },
    Planted {
        name: "whoever leaves does not wait for what was said before",
        scenario: "shutdown",
        file: "server/client/handler.rs",
        right: "        client.wait_for_answer();
        self.usage.log_end",
        wrong: "        if !crate::planted(\"whoever leaves does not wait for what was said before\") { client.wait_for_answer(); }
        self.usage.log_end",
    },
    Planted {
        name: "the last sender of events is kept",
        scenario: "shutdown",
        file: "server/shutdown.rs",
        right: "        drop(self.handler); // with it",
        wrong: "        let _kept = crate::planted(\"the last sender of events is kept\").then(|| self.handler.events.queue.clone());
        drop(self.handler); // with it",
    },
    Planted {
        name: "the historian ends when nobody asks any more",
        scenario: "history",
        file: "server/history/historian.rs",
        right: "        while !(is_writing_over && is_asking_over) {",
        wrong: "        while !(is_writing_over && is_asking_over || is_asking_over && crate::planted(\"the historian ends when nobody asks any more\")) {",
    },
    Planted {
        name: "a batch is answered before it is written",
        scenario: "history",
        file: "server/history/historian.rs",
        right: "        self.brake.wait();
        let written",
        wrong: "        self.brake.wait();
        if crate::planted(\"a batch is answered before it is written\") {
            self.tell(HistorianEvent::Committed(Vec::new()));
        }
        let written",
    },
    Planted {
        name: "what could not be written does not wait",
        scenario: "disk",
        file: "server/history/historian/outage.rs",
        right: "            outage.retry.push(records);",
        wrong: "            if !crate::planted(\"what could not be written does not wait\") { outage.retry.push(records); }",
    },
    Planted {
        name: "what waited is written twice",
        scenario: "disk",
        file: "server/history/historian/outage.rs",
        right: "        outage.retry.clear();",
        wrong: "        if !crate::planted(\"what waited is written twice\") { outage.retry.clear(); }",
    },
    Planted {
        name: "what waits for the disk is not found",
        scenario: "disk",
        file: "server/history/historian.rs",
        right: "        let waiting = self.outage.as_ref()",
        wrong: "        let waiting = self.outage.as_ref().filter(|_| !crate::planted(\"what waits for the disk is not found\"))",
    },
    Planted {
        name: "a search does not wait for its lines to be indexed",
        scenario: "disk",
        file: "server/history/historian/searching.rs",
        right: ".unwrap_or(true) {",
        wrong: ".unwrap_or(true) || crate::planted(\"a search does not wait for its lines to be indexed\") {",
    },
    Planted {
        name: "thread view ends and nobody notes it",
        scenario: "view",
        file: "server/view/lookers.rs",
        right: "        state.is_running = !is_over;",
        wrong: "        state.is_running = !is_over || crate::planted(\"thread view ends and nobody notes it\");",
    },
    Planted {
        name: "thread view is not woken when the server stops",
        scenario: "view",
        file: "server/view/lookers.rs",
        right: "        self.changed.notify_all();",
        wrong: "        if !crate::planted(\"thread view is not woken when the server stops\") { self.changed.notify_all(); }",
    },
    Planted {
        name: "what a slow looker missed is told without the last slot",
        scenario: "view",
        file: "server/view/looker.rs",
        right: "                missed.add(slot);
                out.push",
        wrong: "                if !crate::planted(\"what a slow looker missed is told without the last slot\") { missed.add(slot); }
                out.push",
    },
    Planted {
        name: "somebody who comes while it stops is let in",
        scenario: "view",
        file: "server/view/lookers.rs",
        right: "        if state.is_closed {
            return Err(stopping());
        }
        if state.all.len()",
        wrong: "        if state.is_closed && !crate::planted(\"somebody who comes while it stops is let in\") {
            return Err(stopping());
        }
        if state.all.len()",
    },
];
