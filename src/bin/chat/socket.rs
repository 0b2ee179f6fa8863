//! The socket's side of the chat: reads what the server sends, gives the name it asks for, and
//! comes back when the connection is lost. Runs on its own thread, `socket`, which waits for the
//! socket and for nothing else.

use crate::{
    backlog::{Backlog, Shown},
    connection::connect,
    ending::Ending,
    known::{Known, Question},
    options::Address,
    server_line::ServerLine,
    shared::Shared,
    terminal,
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

/// One connection's own.
#[derive(Default)]
struct Visit {
    /// The name we have given without asking the person.
    gave: Option<String>,
    /// Where to go once we are in.
    room: Option<String>,
    backlog: Backlog,
    /// Lines the person had sent when this visit began.
    typed: u64,
    /// We have been here before.
    is_return: bool,
}

impl Socket {
    /// Serves this connection, and those after it, until the program ends.
    pub(crate) fn run(mut self, first: TcpStream) -> ! {
        let mut stream = first;
        let mut visit = Visit { room: self.room.clone(), ..Visit::default() };
        loop {
            let ending = self.read(stream, &mut visit);
            if self.shared.is_leaving() {
                self.leave();
            }
            stream = match self.commands.try_recv() {
                Ok(ClientCommand::Quit) => self.leave(),
                Ok(ClientCommand::Connect(to)) => {
                    visit = Visit { room: self.room.take(), ..Visit::default() };
                    self.go(to)
                }
                Err(_) => {
                    if let Some(ending) = ending.or_else(|| self.ending(visit.is_return)) {
                        self.shared.leave(&ending);
                    }
                    visit = self.next_visit(visit);
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
                Ok(count) => buffer.received(count),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if !self.shared.known().is_chatd
                        && let Some(partial) = buffer.take_partial()
                    {
                        ending = self.take_line(ServerLine::new(partial), visit);
                    }
                }
                Err(_) => break, // reset or timed out: gone, as at an end of file
            }
            while ending.is_none()
                && let Some(line) = buffer.next_piece()
            {
                ending = self.take_line(ServerLine::new(line), visit);
            }
        }
        self.shared.link.hang_up();
        self.shared.link.set(None);
        self.shared.change(|known| known.is_connected = false);
        ending
    }

    fn take_line(&mut self, line: ServerLine, visit: &mut Visit) -> Option<Ending> {
        let (question, before, now, typed) = self.shared.change(|known| {
            let before = known.room.clone();
            let mut question = known.learn(&line);
            if question == Some(Question::Name)
                && visit.gave.is_none()
                && self.name_for(known).is_some()
            {
                known.question = None; // we answer it, not the person
            }
            if self.has_editor && question == Some(Question::Password) {
                question = None; // the editor hides it
            }
            if before.is_none() && visit.room.is_some() && known.room != visit.room {
                known.is_on_the_way = known.is_in();
            }
            (question, before, known.room.clone(), known.typed)
        });
        let sentence = question.map(|question| (question, line.body().to_owned()));
        if typed != visit.typed {
            visit.backlog.end_return();
        }
        if before != now {
            visit.backlog.enter();
        }
        self.show(visit.backlog.take(line, |text| self.shared.known().is_own(text)));
        if before.is_none()
            && now.is_some()
            && let Some(wish) = visit.room.take().filter(|wish| Some(wish) != now.as_ref())
        {
            // If it is gone, the next read says so.
            let _ = self.shared.link.send_line(&format!("/join {wish}"));
        }
        match sentence? {
            (Question::Name, sentence) => self.answer_name(&sentence, visit),
            (Question::Password, _) => {
                terminal::echo(false);
                None
            }
        }
    }

    fn show(&self, shown: Shown) {
        let lines = match shown {
            Shown::Lines(lines) => lines,
            Shown::Missed(lines) => {
                self.shared.screen.notice(match lines.len() {
                    0 => "nothing was missed.".to_owned(),
                    1 => "this line was missed:".to_owned(),
                    n => format!("these {n} lines were missed:"),
                });
                lines
            }
        };
        lines.into_iter().for_each(|line| self.shared.screen.line(line));
    }

    /// The name we would enter under: the one we had, or the one we were started with.
    fn name_for(&self, known: &Known) -> Option<String> {
        known.me.clone().or_else(|| self.name.clone())
    }

    fn answer_name(&self, question: &str, visit: &mut Visit) -> Option<Ending> {
        match &visit.gave {
            None => {
                visit.gave = self.name_for(&self.shared.known());
                if let Some(name) = &visit.gave {
                    let _ = self.shared.link.send_line(name); // gone: the next read says so
                }
                None
            }
            // Our old connection has not been missed yet. It will be; until then this one is of no
            // use.
            Some(_) if visit.is_return => {
                self.shared.link.hang_up();
                None
            }
            Some(_) if self.has_person => None,
            Some(name) if sentences::says_name_is_taken(question) => {
                Some(Ending::NameTaken(name.clone()))
            }
            Some(_) => Some(Ending::NameRefused(question.to_owned())),
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
        let is_welcome =
            known.is_full || why.as_ref().is_none_or(|why| sentences::may_come_back(why));
        let was_asked = known.question.is_some() && !is_return;
        (!self.comes_back || !is_welcome || was_asked)
            .then(|| Ending::Gone(self.address.clone(), why))
    }

    /// The next visit is to the same room, and shows only what was missed.
    fn next_visit(&self, last: Visit) -> Visit {
        let known = self.shared.known();
        let room = known.room.clone().or(last.room);
        let mut backlog = last.backlog;
        if let Some(room) = &room {
            backlog.come_back(room.clone());
        }
        Visit { room, backlog, typed: known.typed, is_return: true, gave: None }
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
                Ok(ClientCommand::Connect(Some(to))) => return self.go(Some(to)),
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
