//! In what the server does for all of them.

use super::Planted;

pub(super) const ALL: &[Planted] = &[
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
        right: "            Err(TryRecvError::Disconnected) if commit.handed_over_at.is_none() => Wakeup::End,",
        wrong: "            Err(TryRecvError::Disconnected)
                if commit.handed_over_at.is_none() || crate::planted(\"the fan-out ends before the last batch is written\") => Wakeup::End,",
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
        right: "            if asked_to_leave.is_some() && commit.is_at_rest() && self.events.is_empty() {",
        wrong: "            let is_hasty = crate::planted(\"the chat is handed over while something is being written\");
            if asked_to_leave.is_some() && (commit.is_at_rest() && self.events.is_empty() || is_hasty) {",
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
        let gives_way",
        wrong: "        if state.is_closed && !crate::planted(\"somebody who comes while it stops is let in\") {
            return Err(stopping());
        }
        let gives_way",
    },
    Planted {
        name: "a browser by https is closed as it comes",
        scenario: "web",
        file: "server/web/mod.rs",
        right: "                            all.push(Connection::new((stream, tls), peer, port, now));",
        wrong: "                            if tls.is_none() || !crate::planted(\"a browser by https is closed as it comes\") {
                                all.push(Connection::new((stream, tls), peer, port, now));
                            }",
    },
    Planted {
        name: "what came behind a request is lost",
        scenario: "web",
        file: "server/web/mod.rs",
        right: "                let handler = Arc::new(BrowserHandler { chat, begun: Begun::new(first, tls) });",
        wrong: "                let first = if crate::planted(\"what came behind a request is lost\") { Vec::new() } else { first };
                let handler = Arc::new(BrowserHandler { chat, begun: Begun::new(first, tls) });",
    },
    Planted {
        name: "thread web is not woken when the server stops",
        scenario: "web",
        file: "server/web/mod.rs",
        right: "        self.0.waker.wake();",
        wrong: "        if !crate::planted(\"thread web is not woken when the server stops\") { self.0.waker.wake(); }",
    },
    Planted {
        name: "thread web forgets a wake-up",
        scenario: "web",
        file: "server/web/mod.rs",
        right: "            self.bell.waker.clear();
            if self.bell.stopping.load(SeqCst) {
                return self.status.set(Activity::Ended);
            }
",
        wrong: "            if !crate::planted(\"thread web forgets a wake-up\") { self.bell.waker.clear(); }
            if self.bell.stopping.load(SeqCst) {
                return self.status.set(Activity::Ended);
            }
            if crate::planted(\"thread web forgets a wake-up\") { self.bell.waker.clear(); }
",
    },
    Planted {
        name: "frames follow half an answer",
        scenario: "web",
        file: "server/web/connection.rs",
        right: "            Ok(sent) if sent == answer.len() => {",
        wrong: "            Ok(sent) if sent == answer.len() || crate::planted(\"frames follow half an answer\") => {",
    },
    Planted {
        name: "thread web waits to read while something is to be sent",
        scenario: "web",
        file: "server/web/mod.rs",
        right: "(&one.stream, one.wants_to_send())",
        wrong: "(&one.stream, one.wants_to_send() && !crate::planted(\"thread web waits to read while something is to be sent\"))",
    },
    Planted {
        name: "a request that has come already waits for more",
        scenario: "web",
        file: "server/web/connection.rs",
        right: "        has_more && !self.wants_to_send()",
        wrong: "        has_more && !self.wants_to_send() && !crate::planted(\"a request that has come already waits for more\")",
    },
    Planted {
        name: "a browser by https is not told that the server stops",
        scenario: "web",
        file: "server/client/admission.rs",
        right: "client.is_encrypted() && begun.is_none() && !self",
        wrong: "client.is_encrypted() && (begun.is_none() || crate::planted(\"a browser by https is not told that the server stops\")) && !self",
    },
];
