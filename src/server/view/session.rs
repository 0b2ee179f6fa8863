//! What the page of somebody who looks says: the ticket, and then what it wants. Runs on their thread,
//! `v1`.

use super::{
    looker::Looker,
    lookers::{Lookers, Over},
    recording::SECONDS_MAX,
    round::Round,
    slot::quoted,
};
use crate::{
    core::hazard::{HAZARDS, Hazard},
    cpu_time::thread_nanos,
    lock::assert_no_lock_held,
    server::{
        auth::tickets::random,
        client::{
            frames::{close_frame, frame},
            handler::ChatHandler,
            linger::Refused,
            lingerer::Outside,
            waiting::Begun,
            websocket::close_code,
        },
        net,
        status::{Activity, Status},
        tls::connection::{PIECE, TlsConnection},
    },
    socketserver::{Connection, Handler, Refusal},
};
use serde_json::Value;
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::Builder,
    time::{Duration, Instant},
};
use tungstenite::{
    Message, WebSocket,
    protocol::{Role, WebSocketConfig},
};

/// How long the ticket may take to come. The page sends it at once.
const TICKET_PATIENCE: Duration = Duration::from_secs(10);
/// The longest message of the page.
const MESSAGE_MAX: usize = 1024;
/// Reads and frames in a second: ten messages. What more comes closes the connection. The page sends
/// one message for each press of a button.
const SIGNS_MAX: u32 = 20;

/// Serves one looker.
pub(super) struct LookerHandler {
    pub(super) lookers: Arc<Lookers>,
    pub(super) chat: Arc<ChatHandler>,
    pub(super) begun: Arc<Begun>,
}

impl Handler for LookerHandler {
    fn verify(&self, connection: Connection) -> Option<Connection> {
        Some(connection) // there are few places, and nobody keeps one without a ticket
    }

    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let (number, status) = self.lookers.next_number();
        status.attach();
        status.rename_thread(&format!("v{number}"));
        let _listed = self.chat.threads.enter(&status);
        net::prepare(&connection.stream);
        self.lookers.expect(number, connection.stream.try_clone()?);
        let mut page = Page::new(connection.stream, &self.begun, &status);
        let words = match self.admit(number, &mut page) {
            Ok(looker) => {
                let over = self.talk(&mut page, &looker);
                self.lookers.leave(&looker);
                // They may come back, within a minute.
                let tickets = &self.chat.authenticator.tickets;
                tickets.add(looker.back.clone(), looker.who.clone());
                if let Some((code, sentence)) = over {
                    looker.close(code, &sentence);
                }
                Vec::new()
            }
            Err((code, sentence)) => over(code, &sentence),
        };
        let Socket { stream, tls, .. } = page.messages.into_inner();
        self.part(stream, tls, &words);
        Ok(())
    }

    fn refuse(&self, connection: Connection, refusal: Refusal) {
        let sentence = match refusal {
            Refusal::Full { .. } => "Too many came at once. Try again later.",
            Refusal::NoThread { .. } => "The machine cannot start one more thread.",
        };
        self.part(connection.stream, self.begun.take().1, &over(1013, sentence));
    }
}

/// The sentence, and the close frame.
fn over(code: u16, sentence: &str) -> Vec<u8> {
    let mut words = frame(true, format!("{{\"over\":{}}}", quoted(sentence)).as_bytes());
    words.extend(close_frame(code, sentence));
    words
}

impl LookerHandler {
    /// Hears the ticket, and lets whoever has a good one look.
    fn admit(&self, number: u64, page: &mut Page<'_>) -> Result<Arc<Looker>, Over> {
        page.socket_mut().until = Some(Instant::now() + TICKET_PATIENCE);
        let said = page.next();
        self.lookers.stop_expecting(number)?;
        let said = said?.ok_or((4001, "No ticket came.".to_owned()))?;
        page.socket_mut().until = None;
        // The socket's own time-out too, or a page that says nothing for 10 s is taken for gone.
        let _ = page.socket_mut().stream.set_read_timeout(None);
        let ticket = said["ticket"].as_str().unwrap_or_default();
        let tickets = &self.chat.authenticator.tickets;
        let who = self.lookers.check(tickets, ticket)?;
        let back = random().map_err(|sentence| (1011, sentence))?;
        let stream = page.socket_mut().stream.try_clone();
        let stream = stream.map_err(|e| (1011, format!("The system refuses: {e}.")))?;
        let tls = page.socket_mut().tls.take();
        let looker = Arc::new(Looker::new(stream, tls, who.clone(), back));
        page.socket_mut().looker = Some(Arc::clone(&looker));
        let (lookers, chat) = (Arc::clone(&self.lookers), Arc::downgrade(&self.chat));
        let threads = Arc::clone(&self.chat.threads);
        let run = move || Round::run(&lookers, &chat, &threads);
        let start = || Builder::new().name("view".to_owned()).spawn(run);
        self.lookers.enter(&looker, start).inspect_err(|_| {
            let socket = page.socket_mut();
            socket.tls = socket.looker.take().and_then(|looker| looker.take_tls());
            if !ticket.is_empty() {
                tickets.add(ticket.to_owned(), who); // it holds for another minute
            }
        })?;
        Ok(looker)
    }

    /// Sends these last words, if there are any. Thread `linger` closes the connection.
    fn part(&self, stream: TcpStream, tls: Option<Box<TlsConnection>>, words: &[u8]) {
        let words = tls.map_or_else(|| words.to_vec(), |tls| tls.finish(words));
        let refused = Refused::with_words(stream, &words, false);
        let _ = self.chat.linger.add(Outside::Refused(refused)); // no room: closed here and now
    }

    /// Does what the page wants, until it is over.
    fn talk(&self, page: &mut Page<'_>, looker: &Arc<Looker>) -> Option<Over> {
        loop {
            let said = match page.next() {
                Ok(Some(said)) => said,
                Ok(None) => return None,
                Err(over) => return Some(over),
            };
            if let Err(sentence) = self.obey(looker, &said) {
                looker.say(&format!("{{\"no\":{}}}", quoted(&sentence)));
            }
            looker.cpu.store(thread_nanos(), Relaxed);
        }
    }

    fn obey(&self, looker: &Arc<Looker>, said: &Value) -> Result<(), String> {
        let hazards = || match (&self.chat.hazards, looker.who.may) {
            (Some(hazards), true) => Ok(hazards),
            (None, _) => Err("There are no demonstrations without --demo.".to_owned()),
            (_, false) => Err("Demonstrations are for administrators.".to_owned()),
        };
        let by = &*looker.who.name;
        if said["again"] == true {
            looker.want_all();
        } else if let Some(name) = said["do"].as_str() {
            let with = &said["with"];
            if !with.is_null() && !with.is_u64() {
                return Err("That is no number of milliseconds.".to_owned());
            }
            hazards()?.begin(hazard(name)?, with.as_u64(), by)?;
        } else if let Some(name) = said["stop"].as_str() {
            let one = if name == "all" { None } else { Some(hazard(name)?) };
            hazards()?.stop(one, by);
        } else if let Some(seconds) = said["record"].as_u64() {
            if !(1..=SECONDS_MAX).contains(&seconds) {
                return Err(format!("A recording takes 1 to {SECONDS_MAX} s."));
            }
            self.lookers.record(seconds, looker)?;
        } else {
            return Err("That is not understood.".to_owned());
        }
        Ok(())
    }
}

fn hazard(name: &str) -> Result<&'static Hazard, String> {
    let found = HAZARDS.iter().find(|hazard| hazard.name == name);
    found.ok_or_else(|| format!("There is no demonstration \"{name}\"."))
}

/// The page, as its messages are read.
struct Page<'a> {
    messages: WebSocket<Socket>,
    status: &'a Status,
}

impl Page<'_> {
    fn new<'a>(stream: TcpStream, begun: &Begun, status: &'a Status) -> Page<'a> {
        let config = WebSocketConfig::default()
            .read_buffer_size(MESSAGE_MAX)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        let pace = Pace { second: Instant::now(), signs: 0 };
        let (first, tls) = begun.take();
        let socket = Socket { stream, tls, looker: None, until: None, to_write: Vec::new(), pace };
        let messages =
            WebSocket::from_partially_read(socket, first.to_vec(), Role::Server, Some(config));
        Page { messages, status }
    }

    fn socket_mut(&mut self) -> &mut Socket {
        self.messages.get_mut()
    }

    /// The next message. `None`: the page is gone, or said nothing in time.
    fn next(&mut self) -> Result<Option<Value>, Over> {
        loop {
            assert_no_lock_held("a socket");
            self.status.set(Activity::Reading);
            let message = self.messages.read();
            self.status.set(Activity::Working);
            if let Ok(Message::Ping(_)) = message {
                let _ = self.messages.flush(); // or its answer waits for the next message
            }
            let to_write = std::mem::take(&mut self.socket_mut().to_write);
            match &self.socket_mut().looker {
                Some(looker) if !to_write.is_empty() => looker.send_frames(&to_write),
                _ => {}
            }
            if self.socket_mut().pace.is_too_fast() {
                return Err((4008, "That was too much in a second.".to_owned()));
            }
            match message {
                Ok(Message::Text(text)) => {
                    let said = serde_json::from_str::<Value>(&text).ok();
                    let said = said.filter(Value::is_object);
                    let over = || (1002, "That is no JSON object.".to_owned());
                    return said.map(Some).ok_or_else(over);
                }
                Ok(Message::Binary(_)) => return Err((1003, "That is not text.".to_owned())),
                Ok(Message::Close(_)) => return Ok(None),
                Ok(_) => {}
                Err(error) => {
                    let Some(code) = close_code(&error) else { return Ok(None) };
                    let sentence = match code {
                        1009 => "That message is too long.",
                        1007 => "That is not UTF-8 text.",
                        _ => "That is no frame of a WebSocket.",
                    };
                    return Err((code, sentence.to_owned()));
                }
            }
        }
    }
}

/// How much comes.
struct Pace {
    second: Instant,
    signs: u32,
}

impl Pace {
    /// Something comes, and that may be too much.
    fn is_too_fast(&mut self) -> bool {
        if self.second.elapsed() > Duration::from_secs(1) {
            (self.second, self.signs) = (Instant::now(), 0);
        }
        self.signs += 1;
        self.signs > SIGNS_MAX
    }
}

/// The socket, for reading. What tungstenite writes goes out in its turn.
struct Socket {
    stream: TcpStream,
    /// What it is encrypted with, if it is; once they look, `looker` has it, who sends.
    tls: Option<Box<TlsConnection>>,
    looker: Option<Arc<Looker>>,
    until: Option<Instant>,
    to_write: Vec<u8>,
    pace: Pace,
}

impl Socket {
    /// What was decrypted already: `None`, nothing, or it is not encrypted.
    fn decrypt(&mut self, space: &mut [u8]) -> Option<io::Result<usize>> {
        let read = match (&mut self.tls, &self.looker) {
            (Some(tls), _) => tls.read(space),
            (None, Some(looker)) => looker.with_tls(|tls| tls.read(space))?,
            (None, None) => return None,
        };
        (!read.as_ref().is_err_and(net::is_nothing)).then_some(read)
    }

    /// What has come is to be decrypted. Returns how much of it is as it is: all, or nothing.
    fn receive(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let receive = |tls: &mut TlsConnection, stream: &TcpStream| {
            let received = tls.receive(bytes);
            let _ = tls.flush(stream); // an alert, say
            received
        };
        let received = match (&mut self.tls, &self.looker) {
            (Some(tls), _) => Some(receive(tls, &self.stream)),
            (None, Some(looker)) => looker.with_tls(|tls| receive(tls, &self.stream)),
            (None, None) => None,
        };
        received.map_or(Ok(Some(bytes.len())), |received| received.map(|()| None))
    }
}

impl Read for Socket {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let most = space.len().min(PIECE);
        loop {
            if let Some(read) = self.decrypt(space) {
                return read;
            }
            let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match net::read(&self.stream, &mut space[..most], left) {
                Err(e) if net::is_nothing(&e) => {} // on Windows it waits a moment at most
                // Fragments make no message for a long time.
                Ok(_) if self.pace.is_too_fast() => return Err(io::ErrorKind::Other.into()),
                Ok(count) => {
                    if let Some(count) = self.receive(&space[..count])? {
                        return Ok(count);
                    }
                }
                read => return read,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to_write.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
