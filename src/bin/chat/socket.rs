//! The socket's side of the chat: reads what the server sends, answers what it asks at the door, and comes back when the
//! connection is lost. Runs on its own thread, `socket`, which waits for the socket and for nothing else.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::backlog::{Backlog, Shown};
use crate::classify::Line;
use crate::connection::{Link, connect};
use crate::ending::Ending;
use crate::exit::Exit;
use crate::known::{Known, Question};
use crate::lines::{LineReader, Read1};
use crate::options::Address;
use crate::screen::Screen;
use crate::shared::Shared;
use crate::terminal;

/// Waits before each further try to come back, in milliseconds; the last one again and again. They grow, so that a
/// class of clients does not keep a server down that has just come up.
const WAITS_MS: [u64; 7] = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/// A line without an end is shown after this time: some servers ask `login: ` and wait.
const PART_LIMIT: Duration = Duration::from_secs(1);

/// Reasons to hang up that are the server's own affair, or the network's: coming back is welcome. After any other (a
/// kick, say) it is for the person to decide.
const COME_BACK_AFTER: [&str; 3] =
    ["the server is shutting down", "an error in the server", "waited for you"];

/// What the keyboard asks of this thread.
pub enum Order {
    /// Go there; without an address, here again, now.
    Connect(Option<Address>),
    /// Stop trying.
    Quit,
}

/// See the module's text.
pub struct Socket {
    /// What is known.
    pub shared: Arc<Shared>,
    /// Where to show something.
    pub screen: Screen,
    /// Where to send something.
    pub link: Arc<Link>,
    /// What the keyboard asks for.
    pub orders: Receiver<Order>,
    /// The way out.
    pub exit: Exit,
    /// The server.
    pub address: Address,
    /// The name to enter under.
    pub name: Option<String>,
    /// The room to go to.
    pub room: Option<String>,
    /// Somebody is there to answer a question.
    pub has_person: bool,
    /// A line editor hides passwords; otherwise the terminal has to.
    pub has_editor: bool,
    /// Come back after the connection is lost.
    pub comes_back: bool,
}

/// One connection's own.
#[derive(Default)]
struct Visit {
    /// The name we have given at the door without asking the person.
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
    pub fn run(mut self, first: TcpStream) -> ! {
        let mut stream = Some(first);
        let mut visit = Visit { room: self.room.clone(), ..Visit::default() };
        loop {
            let ending = match stream.take() {
                Some(stream) => self.read(stream, &mut visit),
                None => None,
            };
            if self.shared.leaving.load(Ordering::SeqCst) {
                self.exit.leave(&Ending::Left);
            }
            match self.orders.try_recv() {
                Ok(Order::Quit) => self.exit.leave(&Ending::Left),
                Ok(Order::Connect(to)) => {
                    stream = self.go(to);
                    visit = Visit { room: self.room.take(), ..Visit::default() };
                    continue;
                }
                Err(_) => {}
            }
            if let Some(ending) = ending.or_else(|| self.ending(visit.is_return)) {
                self.exit.leave(&ending);
            }
            visit = self.next_visit(visit);
            stream = self.come_back();
        }
    }

    /// Reads until the connection ends. Returns why the program has to, if it has to.
    fn read(&mut self, stream: TcpStream, visit: &mut Visit) -> Option<Ending> {
        let stream = Arc::new(stream);
        self.shared.change(Known::begin);
        self.link.set(Some(Arc::clone(&stream)));
        let _ = stream.set_read_timeout(Some(PART_LIMIT)); // without it, such a line is shown later: no harm
        let mut lines = LineReader::new(stream.as_ref());
        let mut ending = None;
        while ending.is_none() {
            match lines.next() {
                Ok(Read1::Line(text)) => ending = self.line(text, visit),
                Ok(Read1::Quiet) if !self.shared.known().is_chatd => {
                    ending = lines.take_part().and_then(|text| self.line(text, visit));
                }
                Ok(Read1::Quiet) => {}
                Ok(Read1::End) | Err(_) => break, // reset or timed out: gone, as at an end of file
            }
        }
        self.link.hang_up();
        self.link.set(None);
        self.shared.change(|known| known.is_connected = false);
        ending
    }

    fn line(&mut self, text: String, visit: &mut Visit) -> Option<Ending> {
        let line = Line::new(text);
        let (question, before, now, typed) = self.shared.change(|known| {
            let before = known.room.clone();
            let question = known.learn(&line);
            if question == Some(Question::Name)
                && visit.gave.is_none()
                && self.name_for(known).is_some()
            {
                known.question = None; // we answer it, not the person
            }
            if before.is_none() && visit.room.is_some() && known.room != visit.room {
                known.is_on_the_way = known.is_in();
            }
            (question, before, known.room.clone(), known.typed)
        });
        if typed != visit.typed {
            visit.backlog.is_back();
        }
        let body = line.body().to_owned();
        if before != now {
            visit.backlog.enter();
        }
        match visit.backlog.take(line, |text| self.shared.known().is_own(text)) {
            Shown::Lines(lines) => lines.into_iter().for_each(|line| self.screen.line(line)),
            Shown::Missed(lines) => {
                self.screen.notice(match lines.len() {
                    0 => "nothing was missed.".to_owned(),
                    1 => "this line was missed:".to_owned(),
                    n => format!("these {n} lines were missed:"),
                });
                lines.into_iter().for_each(|line| self.screen.line(line));
            }
        }
        if before.is_none() && now.is_some() {
            self.entered(now, visit);
        }
        match question {
            Some(Question::Name) => self.answer_name(&body, visit),
            Some(Question::Password) if !self.has_editor => {
                terminal::echo(false);
                None
            }
            _ => None,
        }
    }

    /// The name we would enter under: the one we had, or the one we were started with.
    fn name_for(&self, known: &Known) -> Option<String> {
        known.me.clone().or_else(|| self.name.clone())
    }

    fn answer_name(&mut self, question: &str, visit: &mut Visit) -> Option<Ending> {
        match &visit.gave {
            None => {
                visit.gave = self.name_for(&self.shared.known());
                if let Some(name) = &visit.gave {
                    let _ = self.link.send_line(name); // gone: the next read says so
                }
                None
            }
            // Our old connection has not been missed yet. It will be; until then this one is of no use.
            Some(_) if visit.is_return => {
                self.link.hang_up();
                None
            }
            Some(name) if !self.has_person && question.contains("is taken") => {
                Some(Ending::NameTaken(name.clone()))
            }
            Some(_) if !self.has_person => Some(Ending::NameRefused(question.to_owned())),
            Some(_) => None,
        }
    }

    fn entered(&mut self, room: Option<String>, visit: &mut Visit) {
        let wish = visit.room.take();
        if let Some(wish) = wish.filter(|wish| Some(wish) != room.as_ref()) {
            let _ = self.link.send_line(&format!("/join {wish}")); // gone: the next read says so
        }
    }

    /// Why the program has to end, now that the connection has. `None`: it comes back.
    fn ending(&self, is_return: bool) -> Option<Ending> {
        let known = self.shared.known();
        let words = known.last_words.clone();
        if known.said_goodbye {
            return Some(Ending::Left);
        }
        if let (true, false, Some(words)) = (known.is_full, is_return, &words) {
            return Some(Ending::Full(words.clone()));
        }
        let is_welcome = known.is_full
            || words.as_ref().is_none_or(|words| COME_BACK_AFTER.iter().any(|w| words.contains(w)));
        let was_asked = known.question.is_some() && !is_return;
        (!self.comes_back || !is_welcome || was_asked)
            .then(|| Ending::Gone(self.address.clone(), words))
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
    fn come_back(&mut self) -> Option<TcpStream> {
        let mut why =
            Ending::Gone(self.address.clone(), self.shared.known().last_words.clone()).to_string();
        for wait in WAITS_MS
            .iter()
            .chain(std::iter::repeat(&WAITS_MS[WAITS_MS.len() - 1]))
            .map(|ms| Duration::from_millis(*ms))
        {
            self.screen.notice(format!("{why} Trying again in {} s.", wait.as_secs_f32()));
            match self.orders.recv_timeout(wait) {
                Ok(Order::Quit) => self.exit.leave(&Ending::Left),
                Ok(Order::Connect(Some(to))) => return self.go(Some(to)),
                Ok(Order::Connect(None)) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(wait), // in a pipe nobody gives orders
            }
            match connect(&self.address) {
                Ok(stream) => {
                    self.screen.notice(format!("connected to {} again.", self.address));
                    return Some(stream);
                }
                Err(ending) => why = ending.to_string(),
            }
        }
        None
    }

    /// Goes to another server (or this one). If that fails, waits for where to go instead.
    fn go(&mut self, to: Option<Address>) -> Option<TcpStream> {
        let mut to = to.unwrap_or_else(|| self.address.clone());
        loop {
            match connect(&to) {
                Ok(stream) => {
                    self.screen.notice(format!("connected to {to}."));
                    self.address = to;
                    return Some(stream);
                }
                Err(ending) => {
                    self.screen.notice(format!("{ending} /connect tries again, /quit leaves."))
                }
            }
            match self.orders.recv() {
                Ok(Order::Connect(Some(next))) => to = next,
                Ok(Order::Connect(None)) => {}
                Ok(Order::Quit) | Err(_) => self.exit.leave(&Ending::Left),
            }
        }
    }
}
