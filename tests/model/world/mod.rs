//! Several clients' bytes → lines → telnet → sessions → rooms → output, as one state machine without sockets, threads or
//! a clock; and beside it what the page says that each client reads. Used here and by tests/fuzz.
//!
//! A conversation is text, a step a line: a digit for the client, then what they do.
//!
//! ```text
//! 0>hi            types a line
//! 0&hi            the same, and what comes of it is delivered with the next step
//! 0~hi            sends bytes without a line end
//! 0+alice         connects, and gives this name (by itself, 0 is ann, 1 is bob, and so on)
//! 0-              closes the connection
//! *3              everybody who may says three lines, all at once; in each room one listens
//! ```

mod hub;

use crate::page::{self, Chat as Page, Heard};
use argh::FromArgs as _;
use chatd::{
    core::{
        close_reason::CloseReason,
        commands::Table,
        event::Event,
        run_command,
        session::{Heard as Does, Peer, Session, SessionConfig},
        wire::{
            line::{Line, LineBuffer},
            sanitize::sanitize,
        },
    },
    origin::Origin,
    server::options::Options,
};
use hub::{Client, Hub, HubDriver};
use jiff::SignedDuration;
use std::{
    mem::take,
    net::{Ipv4Addr, SocketAddr},
    sync::LazyLock,
    time::Duration,
};

pub const PLACES: usize = 6;
pub const NAMES: [&str; PLACES] = ["ann", "bob", "cy", "Dee", "eve", "fay"];
/// The most steps of a conversation.
const STEPS_MAX: usize = 80;
/// The longest line that anybody reads, in bytes: what was typed, names, a time.
const SHOWN_MAX: usize = 1280;

static SESSION: LazyLock<SessionConfig> = LazyLock::new(|| {
    let words = ["--flood", "off", "--db", "none", "--instructor"];
    let options = Options::from_args(&["chatd"], &words).expect("these are options");
    options.session_config().expect("there is no file to read")
});

/// What one step does.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    pub place: usize,
    pub kind: u8,
    pub bytes: &'a [u8],
}

/// The steps of a conversation.
pub fn steps(text: &[u8]) -> impl Iterator<Item = Step<'_>> {
    text.split(|&byte| byte == b'\n').take(STEPS_MAX).filter_map(|line| {
        let (&digit, rest) = line.split_first()?;
        if digit == b'*' {
            return Some(Step { place: 0, kind: b'*', bytes: rest });
        }
        let (kind, bytes) = match rest.split_first() {
            Some((&kind, bytes)) if b">&~+-".contains(&kind) => (kind, bytes),
            _ => (b'>', rest),
        };
        Some(Step { place: usize::from(digit.wrapping_sub(b'0')) % PLACES, kind, bytes })
    })
}

/// How many lines each says in a step that begins with `*`.
pub fn lines_at_once(bytes: &[u8]) -> usize {
    bytes.first().map_or(1, |&digit| usize::from(digit.wrapping_sub(b'0')).clamp(1, 9))
}

/// Plays a conversation. `is_free`: whatever is typed, and then only what holds for every line is checked; otherwise it
/// ends where the page says nothing of a line, and until then everybody reads what the page says.
pub fn play(text: &[u8], is_free: bool) {
    let mut world = World::new(is_free);
    for step in steps(text) {
        if !world.does(step) {
            return;
        }
    }
    world.hub.commit();
    world.compare();
}

struct World {
    sessions: [Option<Box<Session<'static>>>; PLACES],
    hub: Hub,
    /// What each has sent, byte for byte, for the model.
    ears: [LineBuffer; PLACES],
    page: Page,
    is_free: bool,
}

impl World {
    fn new(is_free: bool) -> World {
        World {
            sessions: Default::default(),
            hub: Hub::new(),
            ears: Default::default(),
            page: Page::new(PLACES),
            is_free,
        }
    }

    /// Does a step. `false`: the page says no more.
    fn does(&mut self, Step { place, kind, bytes }: Step<'_>) -> bool {
        self.hub.now += SignedDuration::from_secs(7);
        if kind == b'*' {
            return self.all_talk(lines_at_once(bytes));
        }
        if self.sessions[place].is_none() {
            if kind == b'-' {
                return true;
            }
            self.connects(place);
            let name = match kind {
                b'+' => bytes,
                _ => NAMES[place].as_bytes(),
            };
            if !self.sends(place, &[name, b"\n"].concat()) {
                return false;
            }
        }
        let goes_on = match kind {
            b'+' => true,
            b'-' => self.sends(place, b""),
            b'~' => bytes.is_empty() || self.sends(place, bytes),
            _ if self.is_left_out(place, bytes) => true,
            _ => self.sends(place, &[bytes, b"\n"].concat()),
        };
        if goes_on && kind != b'&' {
            self.hub.commit();
            self.ends_those_who_are_hung_up();
            self.compare();
        }
        goes_on
    }

    /// Here, the lines of those who talk at once come in turns, and in one batch.
    fn all_talk(&mut self, count: usize) -> bool {
        for (_, talkers) in if self.is_free { Vec::new() } else { self.page.talkers() } {
            for i in 0..count {
                let says = |place: usize| (place, format!("line {i} of {count}\n"));
                let all: Vec<_> = talkers.iter().copied().map(says).collect();
                if !all.into_iter().all(|(place, line)| self.sends(place, line.as_bytes())) {
                    return false;
                }
            }
        }
        self.hub.commit();
        self.compare();
        true
    }

    /// Whether this is a command that the model does not know; so that it is left out, and not the end.
    fn is_left_out(&self, place: usize, bytes: &[u8]) -> bool {
        let text = str::from_utf8(bytes).ok().filter(|text| text.starts_with('/'));
        let text = text.filter(|text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        let known = |text: &str| self.page.knows(place, &Heard::Text(text.to_owned()));
        !self.is_free && self.page.is_inside(place) && text.is_some_and(|text| !known(text))
    }

    fn connects(&mut self, place: usize) {
        self.hub.count += 1;
        self.hub.clients[place] = Client {
            number: self.hub.count,
            read: take(&mut self.hub.clients[place].read),
            ..Client::default()
        };
        self.ears[place] = LineBuffer::default();
        self.page.connects(place);
        let connection = format!("c{}", self.hub.count);
        let address = SocketAddr::from((Ipv4Addr::new(192, 0, 2, place as u8), 5000));
        let (origin, reserve_of, bucket) = (Origin::from(address), None, None);
        let peer = Peer { connection: &connection, origin, reserve_of, bucket, may_be_gone: false };
        let mut driver = HubDriver { hub: &mut self.hub, place };
        self.sessions[place] = Some(Session::begin(&SESSION, peer, Duration::ZERO, &mut driver));
    }

    /// Sends bytes; none is the end of file. `false`: the page does not say what comes of them.
    fn sends(&mut self, place: usize, bytes: &[u8]) -> bool {
        self.hub.clients[place].speaks_telnet |= bytes.contains(&255);
        if !self.is_free {
            let heard = self.hears(place, bytes);
            if !self.page.is_inside(place) && heard.len() > 1 {
                return false; // the first lines of a connection may be another protocol's
            }
            let lines = heard.len();
            if lines > 1
                && heard
                    .iter()
                    .any(|line| matches!(line, Heard::Text(text) if text.starts_with('/')))
            {
                return false; // whether one of them is known may depend on one before it
            }
            if !heard.iter().all(|line| self.page.knows(place, line)) {
                return false;
            }
            if !heard.iter().all(|line| self.page.is_ordered(place, line)) {
                self.hub.commit();
            }
            self.page.hears_all(place, heard);
            if bytes.is_empty() && self.page.is_here(place) {
                self.page.closes(place);
            }
        }
        let mut rest = bytes;
        loop {
            let Some(session) = &mut self.sessions[place] else { return true };
            let space = session.input.space();
            let count = rest.len().min(space.len());
            space[..count].copy_from_slice(&rest[..count]);
            session.input.received(count);
            rest = &rest[count..];
            self.runs(place);
            if rest.is_empty() {
                return true;
            }
        }
    }

    /// What lines come of these bytes. They are read one by one.
    fn hears(&mut self, place: usize, bytes: &[u8]) -> Vec<Heard> {
        let (ear, mut heard) = (&mut self.ears[place], Vec::new());
        for piece in bytes.chunks(1).chain(bytes.is_empty().then_some(&[][..])) {
            ear.space()[..piece.len()].copy_from_slice(piece);
            ear.received(piece.len());
            while let Some(line) = ear.next_line() {
                heard.push(match line {
                    Line::Text(text) => Heard::Text(sanitize(text).into_owned()),
                    Line::NotUtf8(_) => Heard::NotUtf8,
                    Line::TooLong(_) => Heard::TooLong,
                });
            }
        }
        heard
    }

    /// Runs a session on what it has received, as a client's thread does.
    fn runs(&mut self, place: usize) {
        let Some(mut session) = self.sessions[place].take() else { return };
        let mut driver = HubDriver { hub: &mut self.hub, place };
        let reason = loop {
            if let Some(reason) = driver.hub.clients[place].close.take() {
                break reason;
            }
            match session.hear(Duration::ZERO, &mut driver) {
                Does::Talk(talk) => driver.hub.apply(place, Event::Talk(talk)),
                Does::Command(text) => {
                    run_command(Table::default(), &mut session, &text, &mut driver);
                }
                Does::Dialogue | Does::Pause(_) => {}
                Does::Close(reason) => break reason,
                Does::Nothing => {
                    self.sessions[place] = Some(session);
                    return;
                }
            }
        };
        self.ends(place, &reason);
    }

    fn ends(&mut self, place: usize, reason: &CloseReason) {
        self.sessions[place] = None;
        self.hub.apply(place, Event::Depart(reason.clone()));
        self.hub.answer(place);
        let client = &mut self.hub.clients[place];
        let after = take(&mut client.after);
        client.read.extend(after);
        client.read.extend(reason.to_client().as_bytes());
    }

    fn ends_those_who_are_hung_up(&mut self) {
        for place in 0..PLACES {
            if self.sessions[place].is_some() && self.hub.clients[place].close.is_some() {
                self.runs(place);
            }
        }
        self.hub.commit();
    }

    /// Everybody has read whole lines with nothing in them that a terminal obeys; and the lines that the page says.
    fn compare(&mut self) {
        for place in 0..PLACES {
            let client = &mut self.hub.clients[place];
            let mut bytes = take(&mut client.read);
            if client.speaks_telnet {
                bytes = without_answers(&bytes);
            }
            let text = str::from_utf8(&bytes).expect("what is read is text");
            assert!(text.is_empty() || text.ends_with('\n'), "{place} reads half a line: {text:?}");
            let lines: Vec<&str> =
                text.lines().filter(|line| *line != "*** Yes, chatd is here.").collect();
            for line in &lines {
                assert!(!line.contains(page::is_forbidden), "{place} reads {line:?}");
                let is_note = line.starts_with('{');
                assert!(
                    line.len() <= SHOWN_MAX || is_note,
                    "{place} reads {} bytes: {line:?}",
                    line.len()
                );
                let is_of_a_kind =
                    ["*** ", "<", "* ", "[", "(", "{"].iter().any(|lead| line.starts_with(lead));
                assert!(is_of_a_kind, "{place} reads {line:?}");
            }
            if self.is_free {
                continue;
            }
            let expected = self.page.reads(place);
            let is_right = expected.len() == lines.len()
                && expected
                    .iter()
                    .zip(&lines)
                    .all(|(expected, line)| page::is_expected(expected, line));
            assert!(
                is_right,
                "client {place} reads\n{}\nand by the page\n{}",
                lines.join("\n"),
                expected.join("\n").replace(page::ANY, "…")
            );
            assert_eq!(
                self.page.is_here(place),
                self.sessions[place].is_some(),
                "whether {place} is here"
            );
        }
    }
}

/// Bytes without telnet's refusals.
fn without_answers(bytes: &[u8]) -> Vec<u8> {
    let (mut kept, mut rest) = (Vec::new(), bytes);
    while let Some((&byte, more)) = rest.split_first() {
        match byte {
            255 => rest = rest.get(3..).unwrap_or_default(),
            _ => {
                kept.push(byte);
                rest = more;
            }
        }
    }
    kept
}
