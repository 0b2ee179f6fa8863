//! The socket's side of the chat: reads what the server sends, gives the name it asks for, and
//! comes back when the connection is lost. Runs on its own thread, `socket`, which waits for the
//! socket and for nothing else. What a line or a note makes it do is in `hearing.rs`.

use crate::{
    connection::connect, ending::Ending, known::Known, options::Address, server_line::ServerLine,
    shared::Shared, visit::Visit,
};
use chatd::core::{sentences, wire::line::LineBuffer};
use crossbeam_channel::Receiver;
use std::{
    io::{ErrorKind, Read as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

/// Waits before each further try to come back, in milliseconds; the last one again and again. They
/// grow, so that a class of clients does not keep a server down that has just come up.
const WAITS_MS: [u64; 7] = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/// A line without an end is shown after this time: some servers ask `login: ` and wait.
const PARTIAL_LIMIT: Duration = Duration::from_secs(1);

/// The longest line that is shown whole, in bytes: four times what chatd lets a person type, so
/// that its longest line fits with name and time.
const LINE_MAX: usize = 4096;

/// What the keyboard asks of this thread.
pub(crate) enum ClientCommand {
    /// Go there; without an address, here again, now.
    Connect(Option<Address>),
    /// Stop trying.
    Quit,
}

pub(crate) struct Socket {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: Receiver<ClientCommand>,
    pub(crate) address: Address,
    /// The name to enter under.
    pub(crate) name: Option<String>,
    /// The room to go to.
    pub(crate) room: Option<String>,
    /// Somebody is there to answer a question.
    pub(crate) has_person: bool,
    /// A line editor hides passwords; otherwise the terminal has to.
    pub(crate) has_editor: bool,
    /// Come back after the connection is lost.
    pub(crate) comes_back: bool,
}

impl Socket {
    /// Serves this connection, and those after it, until the program ends.
    pub(crate) fn run(mut self, first: TcpStream) -> ! {
        let mut stream = first;
        let mut visit = Visit::first(self.room.clone());
        loop {
            let ending = self.read(stream, &mut visit);
            if self.shared.is_leaving() {
                self.show(visit.arrivals.release());
                self.leave();
            }
            stream = match self.commands.try_recv() {
                Ok(ClientCommand::Quit) => self.leave(),
                Ok(ClientCommand::Connect(to)) => {
                    self.show(visit.arrivals.release());
                    self.shared.change(Known::leave_server);
                    visit = Visit::first(self.room.take());
                    self.go(to)
                }
                Err(_) => {
                    if let Some(ending) = ending.or_else(|| self.ending(visit.is_return)) {
                        self.show(visit.arrivals.release());
                        self.tell_unanswered("it is not known whether this was said or done:");
                        self.shared.leave(&ending);
                    }
                    self.show(visit.arrivals.interrupt());
                    let room = self.shared.known().destination();
                    visit = visit.next(room);
                    self.come_back()
                }
            };
        }
    }

    fn leave(&self) -> ! {
        self.shared.leave(&Ending::Left)
    }

    /// Reads until the connection ends. Returns why the program has to, if it has to.
    fn read(&mut self, stream: TcpStream, visit: &mut Visit) -> Option<Ending> {
        let stream = Arc::new(stream);
        self.shared.change(Known::begin);
        self.shared.link.set(Some(Arc::clone(&stream)));
        let _ = stream.set_read_timeout(Some(PARTIAL_LIMIT)); // without it, such a line comes later
        let mut buffer = LineBuffer::cutting_at(LINE_MAX);
        let mut ending = None;
        while ending.is_none() && !buffer.has_ended() {
            match stream.as_ref().read(buffer.space()) {
                Ok(0) if self.shared.known().has_notes => break, // half a line is told again
                Ok(count) => buffer.received(count),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if !visit.is_told_again {
                        self.show(visit.arrivals.release());
                    }
                    if !self.shared.known().is_chatd
                        && let Some(partial) = buffer.take_partial()
                    {
                        ending = self.take(ServerLine::new(partial), visit);
                    }
                }
                Err(_) => break, // reset or timed out: gone, as at an end of file
            }
            while ending.is_none()
                && let Some(piece) = buffer.next_piece()
            {
                ending = self.take(ServerLine::new(piece), visit);
            }
        }
        self.shared.link.hang_up();
        self.shared.link.set(None);
        self.shared.change(|known| known.is_connected = false);
        ending
    }

    /// Shows lines. Our own stand on the screen already, as they were typed.
    pub(crate) fn show(&self, lines: Vec<ServerLine>) {
        for line in lines {
            let is_seen = self.shared.change(|known| known.own.is_said(&line) && !known.has_echo);
            if !is_seen {
                self.shared.screen.line(line);
            }
        }
    }

    /// Says what was typed and is not answered. It is no longer waited for.
    pub(crate) fn tell_unanswered(&self, what: &str) {
        for text in self.shared.change(|known| known.own.take()) {
            self.shared.screen.notice(format!("{what} {text}"));
        }
    }

    /// Why the program has to end, now that the connection has ended. `None`: it comes back.
    fn ending(&self, is_return: bool) -> Option<Ending> {
        let known = self.shared.known();
        let why = known.last_words.clone();
        if known.said_goodbye {
            return Some(Ending::Left);
        }
        if known.is_full && !is_return {
            return why.map(Ending::Full);
        }
        let is_welcome = known.is_full
            || known
                .may_come_back
                .unwrap_or_else(|| why.as_ref().is_none_or(|why| sentences::may_come_back(why)));
        let was_asked = known.question.is_some() && known.room.is_none() && !is_return;
        (!self.comes_back || !is_welcome || was_asked)
            .then(|| Ending::Gone(self.address.clone(), why))
    }

    /// Tries until there is a connection, with growing waits.
    fn come_back(&mut self) -> TcpStream {
        let why = self.shared.known().last_words.clone();
        let mut why = Ending::Gone(self.address.clone(), why).to_string();
        let mut waits = WAITS_MS.into_iter().map(Duration::from_millis);
        let mut wait = Duration::ZERO;
        loop {
            wait = waits.next().unwrap_or(wait);
            let seconds = wait.as_secs_f32();
            self.shared.screen.notice(format!("{why} Trying again in {seconds} s."));
            match self.commands.recv_timeout(wait) {
                Ok(ClientCommand::Quit) => self.leave(),
                Ok(ClientCommand::Connect(Some(to))) => {
                    self.shared.change(Known::leave_server);
                    return self.go(Some(to));
                }
                Ok(ClientCommand::Connect(None)) | Err(_) => {}
            }
            match connect(&self.address) {
                Ok(stream) => {
                    self.shared.screen.notice(format!("connected to {} again.", self.address));
                    return stream;
                }
                Err(ending) => why = ending.to_string(),
            }
        }
    }

    /// Goes to another server (or this one). If that fails, waits for where to go instead.
    fn go(&mut self, to: Option<Address>) -> TcpStream {
        let mut to = to.unwrap_or_else(|| self.address.clone());
        loop {
            match connect(&to) {
                Ok(stream) => {
                    self.shared.screen.notice(format!("connected to {to}."));
                    self.address = to;
                    return stream;
                }
                Err(ending) => {
                    let text = format!("{ending} /connect tries again, /quit leaves.");
                    self.shared.screen.notice(text);
                }
            }
            match self.commands.recv() {
                Ok(ClientCommand::Connect(next)) => to = next.unwrap_or(to),
                Ok(ClientCommand::Quit) | Err(_) => self.leave(),
            }
        }
    }
}
