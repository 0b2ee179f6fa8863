//! chatd: a chat server with one thread per connection. This page is the map.
//!
//! ```text
//!            accept            c7:alice                        fanout
//! TCP ──> accept loop ──> read ─> LineBuffer ─> Session ──┐   Chat::apply  ──> Output::flush ──> one send per client ──> TCP
//!         (one thread)    (one thread per client;         │        │               ▲       └─ what a client cannot take now:
//!                          it may wait)                events ─────┘               │          its outbox, and the flusher
//!                                                   (bounded, one order)   historian ─> SQLite: what a batch shows waits
//!                                                                                       until its records are written
//! ```
//!
//! - [`core`]: what a chat is. It names no socket, thread, lock, channel, clock or database, and a
//!   test checks that. So any I/O model can run it.
//! - [`socketserver`]: the accept loop and its mix-ins. It knows nothing of chat.
//! - [`server`]: the threads, one file for each, that run the core behind the sockets.
//! - [`store`]: the history, accounts and mailboxes, in one SQLite file.
//! - [`origin`]: where a connection comes from.
//! - `lock`: the lock rule below, as assertions.
//! - `cpu_time`: how much of the processor a thread has used.
//! - `thread_status`: what every thread notes about itself, for `/threads`.
//!
//! A **batch** is what the fan-out applies between two deliveries: one line in a quiet room, a
//! thousand in a busy one. What of it has to be kept are its records, which are written in one
//! transaction. Then it is shown, with one send to each client.
//!
//! docs/architecture.md lists the guarantees with their tests, and follows one line function by
//! function.
//!
//! # Threads
//!
//! | thread | how many | waits for | file |
//! | --- | --- | --- | --- |
//! | `main` | 1 | a signal; meanwhile it looks once a second whether another thread hangs | bin/chatd/main.rs, server/watch.rs |
//! | `accept` | one for each listener | the next connection | socketserver/mod.rs |
//! | `c7:alice` | one for each client | its client's next line; the answer to it; the events channel, if that is full; the historian; its turn to hash a password; its own client, if they read slowly, flood, or leave | server/client/handler.rs |
//! | `fanout` | 1 | the next event; it owns everybody's state | server/fanout.rs |
//! | `historian` | 1 | records to write, queries to answer; it owns the database | server/history/historian.rs |
//! | `flusher` | 1 | sockets of clients that read slowly | server/client/flusher.rs |
//! | `linger` | 1 | refused clients to read their sentence and go; those who are not let in yet to have a place; a proxy to say whose a connection is | server/client/lingerer.rs |
//! | `web` | 1, unless `--web none` | browsers whose connections are no WebSockets | server/web/mod.rs |
//! | `logger` | 1 | the next log line | server/logger.rs |
//! | `shutdown` | 1, once the server stops | all the others, in order | server/shutdown.rs |
//!
//! Each password is hashed on a thread `hash` of low priority, which lives for that; there are two at
//! most (server/auth/hash.rs). With `--demo` each demonstration has a thread while it is shown:
//! `demo:freeze` (server/hazards/acts.rs).
//!
//! # The lock rule
//!
//! **No thread holds two locks. No thread waits for a socket, a queue or the disk while it holds
//! one.** The locks that threads share while they serve are the registry (who is connected), one
//! outbox for each client, the table of threads, the sources (what each address has used up), the
//! places, the turn to hash, the failed logins, the clock, the pairing code, the settings that may be
//! read again, and what the view has: its tickets, whoever looks, an outbox for each of them, and the
//! class's question.
//! `lock.rs` makes the rule an assertion for them: every debug build and every test checks it. (One
//! function breaks the rule on purpose, to show a class why it is there:
//! `Guard::break_the_lock_rule`.) (The accept loop's stop flag and its list of threads, each
//! thread's own name, what is being demonstrated, and what is locked once at the start or the end,
//! are plain mutexes. They are held for a few instructions, never two at a time.) So threads
//! cannot deadlock, and no thread ever waits for another client's terminal.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

pub mod core;
mod cpu_time;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod lock;
pub mod origin;
pub mod server;
pub mod socketserver;
pub mod store;
mod thread_status;
