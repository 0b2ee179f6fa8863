//! What the page of somebody who looks says: the ticket, and then what it wants. Runs on their thread,
//! `v1`.

use super::{
    cpu::thread_nanos, looker::Looker, lookers::Lookers, recording::SECONDS_MAX, round::Round,
    slot::quoted,
};
use crate::{
    core::hazard::{HAZARDS, Hazard},
    lock::assert_no_lock_held,
    server::{
        auth::tickets::random,
        client::{
            frames::{close_frame, frame},
            handler::ChatHandler,
            linger::Refused,
            lingerer::Outside,
        },
        net,
        status::{Activity, Status},
    },
    socketserver::{Connection, Handler, Refusal},
};
use serde_json::Value;
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
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
/// Messages in a second; what more comes closes the connection. The page sends one for each press of
/// a button.
const MESSAGES_MAX: u32 = 10;

/// Serves one looker.
pub(super) struct LookerHandler {
    pub(super) lookers: Arc<Lookers>,
    pub(super) chat: Arc<ChatHandler>,
    /// What has come already, behind the request.
    pub(super) first: Vec<u8>,
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
        let mut page = Page::new(connection.stream, &self.first, &status);
        match self.admit(&mut page) {
            Ok(looker) => {
                page.looker = Some(Arc::clone(&looker));
                let over = self.talk(&mut page, &looker);
                self.lookers.leave(&looker);
                // They may come back, within a minute.
                let tickets = &self.chat.authenticator.tickets;
                tickets.add(looker.back.clone(), looker.who.clone());
                if let Some((code, sentence)) = over {
                    looker.close(code, &sentence);
                }
            }
            Err((code, sentence)) => page.refuse(code, &sentence),
        }
        page.wait_for_end();
        Ok(())
    }

    fn refuse(&self, connection: Connection, refusal: Refusal) {
        let sentence = match refusal {
            Refusal::Full { most } => format!("{most} others look already. Try again later."),
            Refusal::NoThread { .. } => "The machine cannot start one more thread.".to_owned(),
        };
        let words = over(1013, &sentence);
        let refused = Refused::with_words(connection.stream, &words, false);
        let _ = self.chat.linger.add(Outside::Refused(refused)); // no room: closed here and now
    }
}

/// The sentence, and the close frame.
fn over(code: u16, sentence: &str) -> Vec<u8> {
    let mut words = frame(true, format!("{{\"over\":{}}}", quoted(sentence)).as_bytes());
    words.extend(close_frame(code, sentence));
    words
}

/// A close code, and a sentence.
type Over = (u16, String);

impl LookerHandler {
    /// Hears the ticket, and lets whoever has a good one look.
    fn admit(&self, page: &mut Page<'_>) -> Result<Arc<Looker>, Over> {
        page.socket_mut().until = Some(Instant::now() + TICKET_PATIENCE);
        let said = page.next()?.ok_or((4001, "No ticket came.".to_owned()))?;
        page.socket_mut().until = None;
        // The socket's own time-out too, or a page that says nothing for 10 s is taken for gone.
        let _ = page.socket_mut().stream.set_read_timeout(None);
        let ticket = said["ticket"].as_str().unwrap_or_default();
        let who = self.lookers.check(&self.chat.authenticator.tickets, ticket)?;
        let back = random().map_err(|sentence| (1011, sentence))?;
        let stream = page.socket_mut().stream.try_clone();
        let stream = stream.map_err(|e| (1011, format!("The system refuses: {e}.")))?;
        let looker = Arc::new(Looker::new(stream, who, back));
        let (lookers, chat) = (Arc::clone(&self.lookers), Arc::downgrade(&self.chat));
        let threads = Arc::clone(&self.chat.threads);
        let run = move || Round::run(&lookers, &chat, &threads);
        let start = || Builder::new().name("view".to_owned()).spawn(run);
        self.lookers.enter(&looker, start)?;
        Ok(looker)
    }

    /// Does what the page wants, until it is over.
    fn talk(&self, page: &mut Page<'_>, looker: &Arc<Looker>) -> Option<Over> {
        let (mut second, mut count) = (Instant::now(), 0);
        loop {
            let said = match page.next() {
                Ok(Some(said)) => said,
                Ok(None) => return None,
                Err(over) => return Some(over),
            };
            if second.elapsed() > Duration::from_secs(1) {
                (second, count) = (Instant::now(), 0);
            }
            count += 1;
            if count > MESSAGES_MAX {
                return Some((4008, "These were too many messages in a second.".to_owned()));
            }
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
            hazards()?.begin(hazard(name)?, said["with"].as_u64(), by)?;
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
    looker: Option<Arc<Looker>>,
    status: &'a Status,
}

impl Page<'_> {
    fn new<'a>(stream: TcpStream, first: &[u8], status: &'a Status) -> Page<'a> {
        let config = WebSocketConfig::default()
            .read_buffer_size(MESSAGE_MAX)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        let socket = Socket { stream, until: None, to_write: Vec::new() };
        let messages =
            WebSocket::from_partially_read(socket, first.to_vec(), Role::Server, Some(config));
        Page { messages, looker: None, status }
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
            let to_write = std::mem::take(&mut self.socket_mut().to_write);
            match &self.looker {
                Some(looker) if !to_write.is_empty() => looker.send_frames(&to_write),
                _ => {}
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
                Err(tungstenite::Error::Capacity(_)) => {
                    return Err((1009, "That message is too long.".to_owned()));
                }
                Err(_) => return Ok(None),
            }
        }
    }

    fn refuse(&mut self, code: u16, sentence: &str) {
        let stream = &self.socket_mut().stream;
        let _ = net::send_now(stream, &[&over(code, sentence)]); // a new socket's buffer is empty
        let _ = stream.shutdown(Shutdown::Write);
    }

    /// Reads and throws away what still comes, for a second: see `client/linger.rs`.
    fn wait_for_end(&mut self) {
        let socket = self.socket_mut();
        let _ = socket.stream.shutdown(Shutdown::Write);
        socket.until = Some(Instant::now() + Duration::from_secs(1));
        while socket.read(&mut [0; 512]).is_ok_and(|read| read > 0) {}
    }
}

/// The socket, for reading. What tungstenite writes goes out in its turn.
struct Socket {
    stream: TcpStream,
    until: Option<Instant>,
    to_write: Vec<u8>,
}

impl Read for Socket {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        net::read(&self.stream, space, left)
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
