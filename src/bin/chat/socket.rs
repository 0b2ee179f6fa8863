//! The socket's side of the chat: reads what the server sends, gives the name it asks for, and
//! comes back when the connection is lost. Runs on its own thread, `socket`, which waits for the
//! socket and for nothing else. What a line or a note makes it do is in `hearing.rs`.

use crate::{
    address::Address,
    connection::{Stream, connect},
    ending::Ending,
    known::Known,
    secrets,
    server_line::ServerLine,
    shared::Shared,
    tls,
    visit::{Notes, Visit},
};
use chatd::core::{sentences, wire::line::LineBuffer};
use crossbeam_channel::Receiver;
use std::{
    io::ErrorKind,
    mem::take,
    sync::Arc,
    time::{Duration, Instant},
};

/// Waits before each further try to come back, in milliseconds; the last one again and again. They
/// grow, so that a class of clients does not keep a server down that has just come up.
const WAITS_MS: [u64; 7] = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/// A line without an end is shown after this time: some servers ask `login: ` and wait.
const PARTIAL_LIMIT: Duration = Duration::from_secs(1);

/// The longest line that is shown whole, in bytes: four times what chatd lets a person type, so
/// that its longest line fits with name and time.
const LINE_MAX: usize = 4096;

/// The longest of them are this much longer or shorter, so that a class does not come at once.
const JITTER: f32 = 0.2;

/// Behind a connection on which the server has spoken, the wait is no longer than this one of them: it is
/// there, and what is missed in a longer one may be more than it tells again.
const SPOKE: usize = 3;

/// How often our old name is asked for before the person is asked for another one.
pub(crate) const NAME_TRIES: u32 = 3;

/// What the keyboard asks of this thread.
pub(crate) enum ClientCommand {
    /// Go on here.
    Go(Address, Stream),
    /// Try here again, now.
    Retry,
    /// Stop trying.
    Quit,
}

pub(crate) struct Socket {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: Receiver<ClientCommand>,
    /// `/connect`s that the next attempt to connect carries out.
    pub(crate) connects: u64,
    pub(crate) address: Address,
    /// The name to enter under.
    pub(crate) name: Option<String>,
    /// The room to go to.
    pub(crate) room: Option<String>,
    /// Somebody is there to answer a question.
    pub(crate) has_person: bool,
    /// A line editor hides passwords; otherwise the terminal has to.
    pub(crate) has_editor: bool,
    /// What we say is shown when it comes back from the server, and not as it was typed.
    pub(crate) shows_own: bool,
    /// A program reads what we show: notes too, and everything at once.
    pub(crate) tells_notes: bool,
    /// Come back after the connection is lost.
    pub(crate) comes_back: bool,
    /// Tries to come back since we were in.
    pub(crate) tries: usize,
    /// How often our old name was refused meanwhile.
    pub(crate) refusals: u32,
    /// Why we were not let in, as far as that was said.
    pub(crate) told: Option<String>,
    /// The last connection ended, and the server had not said that it would.
    pub(crate) was_cut: bool,
}

impl Socket {
    /// Serves this connection, and those after it, until the program ends.
    pub(crate) fn run(mut self, first: Stream) -> ! {
        let mut stream = first;
        let mut visit = Visit::first(self.room.clone());
        loop {
            let ending = self.read(stream, &mut visit);
            if self.shared.is_leaving() {
                self.show(visit.arrivals.release());
                // In a pipe: a name refused, or perhaps not everything has come.
                let is_cut = self.was_cut && !self.has_person && !self.shared.known().said_goodbye;
                let cut = is_cut.then(|| Ending::Cut(self.address.clone()));
                self.shared.leave(&ending.or(cut).unwrap_or(Ending::Left));
            }
            stream = match self.commands.try_recv() {
                Ok(ClientCommand::Quit) => self.leave(),
                Ok(ClientCommand::Go(to, stream)) => {
                    self.show(visit.arrivals.release());
                    visit = Visit::first(self.room.take());
                    self.go(to, stream)
                }
                Ok(ClientCommand::Retry) => {
                    self.connects += 1;
                    visit = self.next_visit(visit);
                    self.come_back(true, &mut visit)
                }
                Err(_) => {
                    if let Some(ending) = ending.or_else(|| self.ending(visit.is_return)) {
                        self.show(visit.arrivals.release());
                        self.tell_unanswered("it is not known whether this was said or done:");
                        self.shared.leave(&ending);
                    }
                    visit = self.next_visit(visit);
                    self.come_back(false, &mut visit)
                }
            };
        }
    }

    fn leave(&self) -> ! {
        self.shared.leave(&Ending::Left)
    }

    /// Reads until the connection ends. Returns why the program has to, if it has to.
    fn read(&mut self, stream: Stream, visit: &mut Visit) -> Option<Ending> {
        let stream = self.connected(stream);
        let mut buffer = LineBuffer::cutting_at(LINE_MAX);
        let (mut ending, mut is_first) = (None, !stream.has_tls());
        self.was_cut = false;
        while ending.is_none() && !buffer.has_ended() {
            match stream.read(buffer.space()) {
                Ok(0) if self.shared.known().has_notes => break, // half a line is told again
                Ok(count) if take(&mut is_first) && tls::is_alert(&buffer.space()[..count]) => {
                    ending = Some(Ending::WantsTls(self.address.clone()));
                }
                Ok(count) => {
                    buffer.received(count);
                    self.shared.known().heard_at = Some(Instant::now());
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    // What waits from the connection before is perhaps told again by this one.
                    if visit.notes == Notes::On && !visit.is_told_again {
                        self.show(visit.arrivals.release_early());
                    }
                    if !self.shared.known().is_chatd
                        && let Some(partial) = buffer.take_partial()
                    {
                        ending = self.take(ServerLine::new(partial), visit);
                    }
                }
                // Cut, reset or timed out: gone, as at an end of file.
                Err(e) => {
                    let is_ours = self.shared.link.is_hung_up();
                    self.was_cut = e.kind() == ErrorKind::UnexpectedEof && !is_ours;
                    break;
                }
            }
            while ending.is_none()
                && let Some(piece) = buffer.next_piece()
            {
                ending = self.take(ServerLine::new(piece), visit);
            }
        }
        self.shared.link.hang_up();
        self.shared.link.set(None, 0);
        let wants_tls = self.shared.change(|known| {
            known.is_connected = false;
            known.wants_tls()
        });
        ending.or_else(|| wants_tls.then(|| Ending::WantsTls(self.address.clone())))
    }

    /// The connection is the present one from now on.
    fn connected(&mut self, stream: Stream) -> Arc<Stream> {
        let stream = Arc::new(stream);
        let connects = take(&mut self.connects);
        let connects = self.shared.change(|known| {
            known.begin();
            known.connects += connects;
            known.connects
        });
        self.shared.link.set(Some(Arc::clone(&stream)), connects);
        if !self.commands.is_empty() {
            self.shared.link.hang_up(); // while it was made, the person has asked for another one
        }
        let _ = stream.set_read_timeout(PARTIAL_LIMIT); // without it, half a line comes later
        stream
    }

    /// Shows lines. Our own stand on the screen already, as they were typed.
    pub(crate) fn show(&self, lines: Vec<ServerLine>) {
        for line in lines {
            let is_own = self
                .shared
                .change(|known| known.own.is_said(&line, Instant::now()) && !known.has_echo);
            if !is_own || self.shows_own {
                self.shared.screen.line(line);
            }
        }
    }

    /// Says what was typed and is not answered. It is no longer waited for, but kept for `/again`.
    pub(crate) fn tell_unanswered(&self, what: &str) {
        let unanswered = self.shared.change(|known| known.own.take());
        for text in &unanswered {
            self.shared.screen.notice(format!("{what} {}", secrets::without(text)));
        }
        let again: Vec<_> =
            unanswered.into_iter().filter(|text| !secrets::carries_secret(text)).collect();
        if !again.is_empty() {
            self.shared.screen.notice("/again sends what did not arrive.");
            self.shared
                .change(|known| again.into_iter().for_each(|text| known.did_not_arrive(text)));
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
        (!self.comes_back || !is_welcome || was_asked).then(|| self.gone(why))
    }

    /// The connection is lost; with the server's last words, if it had any.
    fn gone(&self, why: Option<String>) -> Ending {
        match why {
            None if self.was_cut => Ending::Cut(self.address.clone()),
            why => Ending::Gone(self.address.clone(), why),
        }
    }

    fn next_visit(&self, mut visit: Visit) -> Visit {
        self.show(visit.arrivals.interrupt());
        visit.next(self.shared.known().destination())
    }

    /// Tries until there is a connection, with waits that grow until we are let in.
    fn come_back(&mut self, now: bool, visit: &mut Visit) -> Stream {
        let (why, has_spoken) = {
            let known = self.shared.known();
            (known.last_words.clone(), known.heard > 0)
        };
        if has_spoken {
            self.tries = self.tries.min(SPOKE);
        }
        let mut why = self.gone(why).to_string();
        let mut now = now;
        loop {
            let last = WAITS_MS.len() - 1;
            let wait = Duration::from_millis(WAITS_MS[self.tries.min(last)]);
            let was_told = self.told.as_ref() == Some(&why);
            let is_counted = was_told && self.shows_own; // by the status row
            if !now && self.tries <= last && !is_counted {
                self.told = Some(why.clone());
                let again = if self.tries == last { "every" } else { "in" };
                let seconds = wait.as_secs_f32();
                let why = if was_told { "" } else { &*why };
                let text = format!("{why} Trying again {again} {seconds} s.");
                self.shared.screen.notice(text.trim_start());
            }
            self.tries += 1;
            self.shared.change(|known| {
                let since = known.outage.map_or_else(Instant::now, |(_, since)| since);
                known.outage = Some((self.tries, since));
            });
            self.shared.screen.wake();
            let wait = if now { Duration::ZERO } else { spread(wait) };
            match self.commands.recv_timeout(wait) {
                Ok(ClientCommand::Quit) => self.leave(),
                Ok(ClientCommand::Go(to, stream)) => {
                    *visit = Visit::first(None);
                    return self.go(to, stream);
                }
                Ok(ClientCommand::Retry) => self.connects += 1,
                Err(_) => {}
            }
            match connect(&self.address, &self.shared.trust) {
                Ok(stream) => return stream,
                Err(ending) => why = ending.to_string(),
            }
            let connects = take(&mut self.connects);
            self.shared.change(|known| known.connects += connects);
            now = false;
        }
    }

    /// Goes on at another server (or at this one).
    fn go(&mut self, to: Address, stream: Stream) -> Stream {
        self.connects += 1;
        self.shared.change(Known::leave_server);
        self.shared.screen.notice(format!("connected to {to}."));
        (self.tries, self.refusals, self.told, self.address) = (0, 0, None, to);
        stream
    }

    /// We are let in.
    pub(crate) fn let_in(&mut self, visit: &mut Visit) {
        visit.is_at_the_door = false;
        if !std::mem::replace(&mut visit.is_let_in, true) {
            if visit.is_return {
                self.shared.screen.notice(format!("connected to {} again.", self.address));
            }
            (self.tries, self.refusals, self.told) = (0, 0, None);
            self.shared.change(|known| known.outage = None);
        }
    }
}

/// A wait, a little longer or shorter.
fn spread(wait: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or_default() as f32 / u32::MAX as f32;
    wait.mul_f32(1.0 - JITTER + 2.0 * JITTER * random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{address::Target, screen::Screen, settings::Settings, tls::Trust};
    use crossbeam_channel::{Sender, unbounded};
    use std::net::TcpListener;

    fn socket(address: &Address) -> (Socket, Sender<ClientCommand>) {
        let trust = Trust::new(None, None);
        let shared = Arc::new(Shared::new(Screen::new().0, Settings::default(), trust));
        let (asks, commands) = unbounded();
        let address = address.clone();
        let (name, room, told) = (None, None, None);
        let socket = Socket {
            shared,
            commands,
            connects: 0,
            address,
            name,
            room,
            has_person: true,
            has_editor: true,
            shows_own: false,
            tells_notes: false,
            comes_back: true,
            tries: 0,
            refusals: 0,
            told,
            was_cut: false,
        };
        (socket, asks)
    }

    /// In each order, the try is hung up, and is not what `/connect` waits for; that one is, and stays.
    #[test]
    fn a_try_that_succeeds_while_connect_is_typed_is_not_what_it_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let address = Target::parse(&address).unwrap().address(false);
        for is_typed_first in [true, false] {
            let (mut socket, asks) = socket(&address);
            let shared = Arc::clone(&socket.shared);
            let stream = || connect(&address, &shared.trust).ok().unwrap();
            let types = || asks.send(ClientCommand::Go(address.clone(), stream())).unwrap();
            let try_that_succeeds = stream();
            if is_typed_first {
                types(); // and `main` looks at the connection later
                socket.connected(try_that_succeeds);
                assert!(shared.link.is_hung_up());
            } else {
                socket.connected(try_that_succeeds);
                types();
                shared.link.hang_up_before(1);
                assert!(shared.link.is_hung_up());
            }
            assert_eq!(shared.known().connects, 0);
            let Ok(ClientCommand::Go(to, stream)) = socket.commands.try_recv() else { panic!() };
            let stream = socket.go(to, stream);
            socket.connected(stream);
            shared.link.hang_up_before(1); // `main` was slow
            assert!(!shared.link.is_hung_up());
            assert_eq!(shared.known().connects, 1);
        }
    }
}
