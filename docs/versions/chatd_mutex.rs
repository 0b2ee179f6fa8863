//! chatd as a textbook builds it: a thread for each client, and one mutex around the rooms.
//! `cargo run --example chatd-mutex -- --listen 127.0.0.1:5003`
//!
//! Whoever says something takes the lock, has it written, and sends it to everybody: on their own thread, and holding
//! the lock. So there is one order, without a fan-out thread, a channel or a queue. The price: who talks waits for the
//! disk, and for every reader; and whoever wants the lock waits with them. One that does not read stops the whole server.
//!
//! The core, the options and the historian are chatd's. What is left out, beside the queues: deadlines, limits by
//! address, CR LF for telnet, a stop that tells everybody.

#![forbid(unsafe_code)]

use anyhow::Context as _;
use chatd::{
    core::{
        Chat,
        address::ClientAddress,
        close_reason::CloseReason,
        driver::{Bucket, Driver, LoginAttempt, LoginResult},
        event::{Answer, ClientId, Event},
        password::Password,
        record::{AccountId, Found, PasswordHash, Query},
        rooms::{Action, Delivery},
        run_command,
        session::{Heard, Peer, Session, SessionConfig},
        token::Token,
    },
    server::{
        auth::Authenticator,
        begin_chat,
        clock::Clock,
        config_file::Given,
        history::historian::{self, HistorianEvent, HistorianHandle, HistoryReader},
        listen, logger,
        options::Options,
        random, start_thread,
    },
    socketserver::{
        Connection, Handler, Server, Threading,
        program::{CtrlC, say},
    },
};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

/// Bytes of a thread's stack, as chatd's.
const STACK: usize = 256 * 1024;

/// Everything that the lock guards.
struct Rooms {
    chat: Chat<Arc<Client>>,
    historian: HistorianHandle,
    /// What came for a client whose answer is being written: it goes behind that.
    behind: HashMap<ClientId, Vec<u8>>,
}

/// What the others need of a client.
struct Client {
    number: ClientId,
    socket: TcpStream,
    /// Why they are hung up, if somebody has done so.
    close_reason: OnceLock<CloseReason>,
}

struct Textbook {
    rooms: Mutex<Rooms>,
    clock: Clock,
    history: HistoryReader,
    authenticator: Authenticator,
    session: SessionConfig,
    options: Options,
}

impl Handler for Textbook {
    /// One client, from the greeting to the end: the whole story is here.
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let Connection { number, stream: socket, peer: origin, .. } = connection;
        let client = Arc::new(Client { number, socket, close_reason: OnceLock::new() });
        let mut thread = ClientThread { server: self, client, has_answer: false };
        let name = format!("c{number}");
        let (reserve_of, bucket, may_be_gone) = (None, None, false);
        let peer = Peer { connection: &name, origin, reserve_of, bucket, may_be_gone };
        let mut session = Session::begin(&self.session, peer, Duration::ZERO, &mut thread);
        let reason = thread.talk(&mut session);
        thread.apply(Event::Depart(reason.clone()));
        thread.write_behind();
        let _ = (&thread.client.socket).write_all(reason.to_client().as_bytes());
        Ok(())
    }
}

/// The thread of one client.
struct ClientThread<'a> {
    server: &'a Textbook,
    client: Arc<Client>,
    /// They have asked, and what the room says meanwhile is kept behind the answer.
    has_answer: bool,
}

impl ClientThread<'_> {
    fn talk(&mut self, session: &mut Session<'_>) -> CloseReason {
        let began = Instant::now();
        loop {
            let heard = session.hear(began.elapsed(), self);
            self.write_behind();
            if let Some(reason) = self.client.close_reason.get() {
                return reason.clone();
            }
            match heard {
                Heard::Talk(talk) => drop(self.apply(Event::Talk(talk))),
                Heard::Command(text) => {
                    run_command(self.server.options.commands(), session, &text, self);
                }
                Heard::Dialogue => {}
                Heard::Pause(wait) => thread::sleep(wait),
                Heard::Close(reason) => return reason,
                Heard::Nothing => match (&self.client.socket).read(session.input.space()) {
                    Ok(n) => session.input.received(n),
                    Err(error) => return CloseReason::Lost(error.to_string()),
                },
            }
        }
    }

    /// The textbook's critical section. It ends when every reader has taken the lines, or their kernel has.
    fn apply(&mut self, event: Event) -> Option<Answer> {
        let mut rooms = self.server.rooms.lock();
        rooms.chat.apply(self.server.clock.now(), self.client.number, &self.client, event);
        let mut answer = None;
        while rooms.write(&self.server.clock) {
            answer = rooms.send(self.client.number).or(answer);
        }
        answer = rooms.send(self.client.number).or(answer);
        for action in rooms.chat.take_actions() {
            if let Action::Log(line) = action {
                logger::record(&line); // the others are for what is left out here
            }
        }
        self.has_answer |= answer.is_some();
        answer
    }

    /// The answer is written, and then comes what the room has said meanwhile.
    fn write_behind(&mut self) {
        if std::mem::take(&mut self.has_answer) {
            let mut rooms = self.server.rooms.lock();
            let behind = rooms.behind.remove(&self.client.number).unwrap_or_default();
            let _ = (&self.client.socket).write_all(&behind);
        }
    }
}

impl Rooms {
    /// Has the batch written, on disk if there is one, and waits for that. Returns whether something came of it.
    fn write(&mut self, clock: &Clock) -> bool {
        let records = self.chat.seal();
        if records.is_empty() || self.historian.commits.send(records).is_err() {
            return false;
        }
        while let Ok(event) = self.historian.events.recv() {
            match event {
                HistorianEvent::Committed(outcomes) => {
                    self.chat.settle(clock.now(), outcomes);
                    return true;
                }
                HistorianEvent::Outage { why, since } => self.chat.begin_outage(&why, since),
                HistorianEvent::Recovered { gap } => self.chat.end_outage(gap),
                HistorianEvent::Unreadable => self.chat.doubt_names(),
                HistorianEvent::Changed(snapshot) => self.chat.restore(snapshot),
            }
        }
        false
    }

    /// Sends to everybody, one after the other, and waits for each. Returns the answer to the client who has asked.
    fn send(&mut self, asker: ClientId) -> Option<Answer> {
        let (Rooms { chat, behind, .. }, mut answered) = (self, None);
        chat.flush(|client, Delivery { before, answer, after, close, .. }| {
            let [before, mut after] = [before.concat(), after.concat()];
            match behind.get_mut(&client.number) {
                Some(waiting) => waiting.extend([before, std::mem::take(&mut after)].concat()),
                None => drop((&client.socket).write_all(&before)), // who has gone will be noticed by their own thread
            }
            match answer {
                Some(answer) if client.number == asker => {
                    answered = Some(answer);
                    behind.entry(asker).or_default().extend(after);
                }
                _ => drop((&client.socket).write_all(&after)),
            }
            if let Some(reason) = close {
                let _ = client.close_reason.set(reason);
                let _ = client.socket.shutdown(Shutdown::Read); // their read returns
            }
        });
        answered
    }
}

impl Driver for ClientThread<'_> {
    fn ask(&mut self, event: Event) -> Answer {
        self.write_behind();
        self.apply(event).unwrap_or_default()
    }

    fn find(&mut self, query: Query) -> Found {
        self.server.history.find(query)
    }

    /// Twenty milliseconds, and the lock is free: this is where threads are better than a loop, in the textbook too.
    fn hash(&mut self, password: &Password) -> Result<PasswordHash, String> {
        self.server.authenticator.hash(password)
    }

    fn verify(&mut self, attempt: LoginAttempt<'_>) -> Result<LoginResult, String> {
        let stored = match self.find(Query::Password(attempt.account.unwrap_or_default())) {
            Found::Password(stored) => stored,
            Found::Unavailable(why) => return Err(why),
            _ => None,
        };
        Ok(self.server.authenticator.verify(&attempt, stored.as_ref()))
    }

    fn note_owner(&mut self, account: AccountId, address: ClientAddress) {
        self.server.authenticator.note_owner(account, address);
    }

    fn verify_code(&mut self, typed: &Password, address: ClientAddress) -> LoginResult {
        self.server.authenticator.verify_code(typed, address)
    }

    fn make_code(&mut self) -> Result<String, String> {
        let made = self.server.authenticator.make_code();
        made.map(|code| code.to_string()).map_err(|error| error.to_string())
    }

    fn ask_for_lines(&mut self, _lines: f64) -> Duration {
        Duration::ZERO
    }

    fn refuse_name(&mut self) -> Duration {
        Duration::ZERO
    }

    fn prove(&mut self, _account: AccountId, _left: Bucket) -> Option<Bucket> {
        None
    }

    fn reply(&mut self, bytes: &[u8]) {
        let _ = (&self.client.socket).write_all(bytes);
    }

    fn begin_telnet(&mut self) {}

    fn draw_token(&mut self) -> Token {
        random::token()
    }

    fn set_reads_notes(&mut self, _reads_notes: bool) {}

    fn describe_threads(&mut self) -> String {
        "*** Each client has a thread, and all of them share one lock.\n".to_owned()
    }
}

fn main() -> anyhow::Result<()> {
    let mut options = Given::from_command_line()?.options;
    options.check()?;
    options.look_for_terminal();
    options.serve_no_browsers()?;
    options.encrypt_nothing()?;
    let log_writer = logger::install(options.log, options.log_format.for_stderr())?;
    start_thread("logger", move || log_writer.run())?;
    let ctrl_c = CtrlC::new()?;
    let listeners = listen(&options.listen_on(), Duration::from_secs(options.ghost_after))?;
    let listener = listeners.into_iter().next().context("there is no address to listen on")?;
    let clock = Clock::system();
    let (snapshot, historian, history, writer) =
        historian::open(&options.store_config(), clock.clone())?;
    start_thread("historian", move || writer.run())?;
    let mut session = options.session_config()?;
    session.io_model = "one thread per connection and one lock, and yours is";
    let chat = begin_chat(&options, snapshot);
    let rooms = Mutex::new(Rooms { chat, historian, behind: HashMap::new() });
    let authenticator = Authenticator::new(options.instructor)?;
    let threads = Threading::new(options.threads_max, STACK);
    say(&format!("chatd-mutex: listening on {listener}"));
    let textbook = Textbook { rooms, clock, history, authenticator, session, options };
    let server = Server::new(listener, Arc::new(textbook), Arc::new(threads));
    thread::scope(|scope| {
        scope.spawn(|| {
            ctrl_c.wait();
            server.shutdown();
        });
        server.serve_forever();
    });
    drop(server); // and a Unix-domain socket's file with it
    log::logger().flush();
    std::process::exit(0) // what was shown is written; who is here reads an end of file
}
