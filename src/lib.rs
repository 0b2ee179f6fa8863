//! chatd: a chat server with one thread per connection. This page is the map.
//!
//! ```text
//!              accept            c7:alice                          fanout
//!   TCP ──> accept loop ──> read ─> LineBuffer ─> Session ──┐   Rooms::apply ─> one send per client ──────────> TCP
//!           (hands on,      (one thread per client;         │   Rooms::flush    (never waiting)
//!            nothing else)   it may wait: for its client,   │     ▲    │ ▲              │
//!                            for the channel, for an        └─Post┘    │ │ written      └─ what a client cannot take
//!                            answer, for a hash)            events,    ▼ │                 now waits in its outbox:
//!                              │                            bounded   historian ─> SQLite  flusher ─────────────> TCP
//!                              └──── what was said before? ─────────────┘
//! ```
//!
//! # Threads
//!
//! | thread | how many | waits for | file |
//! | --- | --- | --- | --- |
//! | `main` | 1 | a signal; then stops everything, in order | bin/chatd/main.rs, server/mod.rs |
//! | `accept` | one a listener | the next connection | socketserver/mod.rs |
//! | `c7:alice` | one a client | its client's next line; backpressure; its turn to hash | server/handler.rs |
//! | `fanout` | 1 | the next event; it owns everybody's state | server/fanout.rs |
//! | `historian` | 1 | what is to be written, or looked up; it owns the database | server/historian.rs |
//! | `flusher` | 1 | sockets of clients that read slowly | server/flusher.rs |
//! | `usher` | 1 | refused clients to read their sentence and go | server/usher.rs |
//! | `logger` | 1 | the next log line | server/logger.rs |
//!
//! # The lock rule
//!
//! **No thread holds two locks. No thread waits for a socket, a queue or the disk while it holds one.** There are six
//! kinds of locks that threads share while they serve: the registry (who is connected), the sources (how many from
//! where), one outbox for each client, each thread's own name, the hashing gate, and the failed logins. `lock.rs` makes the rule an assertion for them: every
//! debug build and every test checks it. (The accept loop's list of threads, and what is locked once at the start or the
//! end, are plain mutexes, held for a few instructions, never together.) So no deadlock is possible between locks, and no
//! thread ever waits for somebody else's terminal.
//!
//! # Reading order
//!
//! 1. `core/line.rs`, `core/telnet.rs`, `core/text.rs`: from bytes to lines, and to lines that are safe to show.
//! 2. `core/session.rs` with `core/dialogue.rs`, `core/password_dialogue.rs`, `core/event.rs`, `core/command.rs`,
//!    `core/name.rs`, `core/source.rs`, `core/secret.rs`, `core/flood.rs`, `core/farewell.rs`: one client's dialogue.
//! 3. `core/rooms.rs` with `core/telling.rs`, `core/delivery.rs`, `core/membership.rs`, `core/requests.rs`,
//!    `core/history.rs`, `core/past.rs`, `core/recall.rs`, and `core/view.rs`, which holds the one clever idea: what each
//!    client reads of a batch, without a copy for each.
//! 4. `core/record.rs` and `core/held.rs`: nothing is shown before it is written. Then `core/accounts.rs`, `core/mail.rs`,
//!    `core/administration.rs`, `core/classroom.rs`: what that is good for.
//! 5. `socketserver/mod.rs`, and its mix-ins `socketserver/inline.rs`, `socketserver/threading.rs`,
//!    `socketserver/pool.rs`: who runs a handler. `socketserver/program.rs`: what the course's programs need around it.
//! 6. `server/handler.rs` (a client's thread), `server/fanout.rs`, `server/writer.rs` (the contract of a write)
//!    with `server/outbox.rs`, `server/flusher.rs`: the way of one line from `recv` to the last `send`.
//! 7. `server/historian.rs` with `server/failing.rs` and `server/kept.rs`, `store/mod.rs` and its files `store/schema.rs`, `store/open.rs`, `store/write.rs`,
//!    `store/read.rs`, `store/search.rs`, `store/forget.rs`, `store/accounts.rs`, `store/export.rs`, `store/error.rs`,
//!    `store/server_lock.rs`: the memory. `server/porter.rs` with `server/passwords.rs` and `server/attempts.rs`: who is
//!    whom.
//! 8. What surrounds them: `lock.rs`, `server/registry.rs`, `server/status.rs` (`/threads`), `server/usher.rs`,
//!    `server/net.rs`, `server/limits.rs`, `server/logger.rs`, `server/options.rs`,
//!    `server/subcommands.rs`.
//!
//! The core (1 to 4) names no socket, thread, lock, channel or clock, and a test keeps it so: any I/O model can run it.
//! docs/architecture.md says what is guaranteed and how; docs/protocol.md has every line that is sent and read.

#![forbid(unsafe_code)]

pub mod core;
pub mod lock;
pub mod server;
pub mod socketserver;
pub mod store;
