//! A person at the full screen, their keys and their server, all by chance; and beside the model a simple
//! one, which is asked whether both agree.

use super::super::{
    decode::Decoder,
    model::{Effect, Model},
    scrollback::Entry,
    view,
};
use super::simple::{Random, Simple};
use crate::{
    input::Input,
    known::Known,
    note::{Question, Read, read},
    server_line::ServerLine,
    stamp::Stamp,
};
use ratatui::{
    buffer::Buffer,
    crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
};
use std::{collections::HashMap, time::Instant};

/// What talk is made of, and what passwords are: so that one is never taken for the other.
const TALK: [char; 9] = ['a', 'b', ' ', '/', 'é', '日', '👍', '.', 'x'];
const SECRET: [char; 4] = ['ß', 'þ', 'ð', 'æ'];

/// Bytes that no key has: half letters, and answers to what some other program has asked.
const STRAY: [&[u8]; 8] = [
    b"\xe9",
    b"\xf0\x9f",
    b"\xff",
    b"\x1b[24;80R",
    b"\x1b[?2026;1$y",
    b"\x1b[>0;276;0c",
    b"\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
    b"\x1bP>|tmux 3.3a\x1b\\",
];

pub(super) const NONE: KeyModifiers = KeyModifiers::NONE;
pub(super) const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

pub(super) const NOW: Stamp = Stamp { date: jiff::civil::date(2026, 11, 28), hour: 3, minute: 30 };

pub(super) struct World {
    random: Random,
    decoder: Decoder,
    pub(super) model: Model,
    pub(super) known: Known,
    line: Simple,
    /// What is half typed elsewhere: to whom, and to the room under no name.
    drafts: HashMap<Option<String>, Simple>,
    aside: Option<Simple>,
    /// What is typed is a password.
    is_asked: bool,
    /// Inputs that are not dealt with; a question for a password follows one of them.
    in_flight: usize,
    expects_password: bool,
    pub(super) area: Rect,
    lines: usize,
    private: usize,
}

fn note(known: &mut Known, text: &str) {
    let Read::Note(note) = read(text) else { panic!("{text}") };
    known.note(&note);
}

fn enter(known: &mut Known) {
    known.begin();
    note(known, r#"{"chatd":"1","epoch":1,"flood":[32,8],"ask":"name"}"#);
    note(known, r#"{"in":"alice","account":null,"admin":false,"ask":null}"#);
    note(known, r#"{"room":"lobby","topic":"tea","here":["alice","bob","carol"],"last":1}"#);
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        let mut known = Known::default();
        enter(&mut known);
        let mut world = World {
            random: Random(seed),
            decoder: Decoder::default(),
            model: Model::new(Vec::new(), true),
            known,
            line: Simple::default(),
            drafts: HashMap::new(),
            aside: None,
            is_asked: false,
            in_flight: 0,
            expects_password: false,
            area: Rect::new(0, 0, 80, 24),
            lines: 0,
            private: 0,
        };
        world.arrives(); // someone to talk with
        world.draw();
        world
    }

    pub(super) fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) -> Vec<Effect> {
        self.model.key(KeyEvent::new(code, modifiers), &self.known, NOW)
    }

    /// Bytes from the terminal, and among them some that are no keys.
    fn types(&mut self, text: &str) {
        let stray = STRAY[self.random.below(STRAY.len())];
        let (before, behind) = match self.random.below(8) {
            0 => (stray, &b""[..]),
            1 => (&b""[..], stray),
            _ => (&b""[..], &b""[..]),
        };
        for event in self.decoder.take(&[before, text.as_bytes(), behind].concat()) {
            match event {
                Event::Key(key) => assert_eq!(self.model.key(key, &self.known, NOW), []),
                Event::Paste(text) => self.model.paste(&text, &self.known, NOW),
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) fn draw(&mut self) -> String {
        let mut buffer = Buffer::empty(self.area);
        let cursor =
            view::draw(&mut self.model, &self.known, Instant::now(), self.area, &mut buffer);
        assert!(self.area.contains(cursor), "{cursor:?} in {:?}", self.area);
        buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    fn arrives(&mut self) {
        let n = self.lines;
        self.lines += 1;
        let filler = "word 日本 ".repeat(self.random.below(20));
        let is_private = n == 0 || self.random.below(8) == 0;
        let text = match self.random.below(4) {
            _ if is_private => format!("[from bob] {filler}L{n};"),
            0 => format!("*** {filler}L{n};"),
            1 => format!("(2026-11-2{} 12:30) <bob> {filler}L{n};", self.random.below(8)),
            2 => format!("* carol {filler}L{n};"),
            _ => format!("<bob> alice {filler}\tL{n};"),
        };
        self.private += usize::from(is_private);
        self.model.show(ServerLine::new(text.as_bytes()), &self.known, NOW);
    }

    /// A password is asked for, or no longer, as far as is known now.
    fn asks(&mut self) {
        let is_asked = self.known.question == Some(Question::Password) || self.expects_password;
        if is_asked && !self.is_asked {
            let line = std::mem::take(&mut self.line);
            self.aside = Some(line).filter(|line| !line.text.is_empty()).or(self.aside.take());
        } else if !is_asked && self.is_asked {
            self.line = self.aside.take().unwrap_or_default();
        }
        self.is_asked = is_asked;
        self.model.sync(&self.known, NOW);
    }

    /// The keyboard's side has dealt with an input.
    fn is_ready(&mut self) {
        self.model.ready();
        self.in_flight = self.in_flight.saturating_sub(1);
        self.expects_password &= self.in_flight > 0;
        self.asks();
    }

    /// What goes on from a line and comes back to it leaves it as it is.
    fn goes_and_comes_back(&mut self) {
        match self.random.below(4) {
            0 => {
                let count = self.random.below(5);
                (0..count).for_each(|_| drop(self.press(KeyCode::Up, NONE)));
                (0..count).for_each(|_| drop(self.press(KeyCode::Down, NONE)));
            }
            1 if !self.is_asked => {
                self.press(KeyCode::Char('r'), CONTROL);
                let text = self.random.of(&TALK).to_string();
                self.types(&text);
                let end = [(KeyCode::Esc, NONE), (KeyCode::Char('g'), CONTROL)];
                let (code, modifiers) = end[self.random.below(end.len())];
                self.press(code, modifiers);
            }
            2 => {
                self.press(KeyCode::Char('w'), CONTROL);
                self.press(KeyCode::Char('_'), CONTROL);
            }
            _ => {
                self.press(KeyCode::Char('k'), CONTROL);
                self.press(KeyCode::Char('y'), CONTROL);
                self.line.at = self.line.text.len();
            }
        }
    }

    fn edits(&mut self) {
        let (length, at) = (self.line.text.len(), self.line.at);
        match self.random.below(8) {
            0 => {
                self.press(KeyCode::Backspace, NONE);
                if at > 0 {
                    self.line.at -= 1;
                    self.line.text.remove(at - 1);
                }
            }
            1 => {
                self.press(KeyCode::Left, NONE);
                self.line.at = at.saturating_sub(1);
            }
            2 => {
                self.press(KeyCode::Right, NONE);
                self.line.at = (at + 1).min(length);
            }
            3 => {
                self.press(KeyCode::Home, NONE);
                self.line.at = 0;
            }
            4 => {
                self.press(KeyCode::End, NONE);
                self.line.at = length;
            }
            5 => {
                self.press(KeyCode::Delete, NONE);
                if at < length {
                    self.line.text.remove(at);
                }
            }
            6 => {
                self.press(KeyCode::Char('u'), CONTROL);
                self.line.text.drain(..at);
                self.line.at = 0;
            }
            _ => {
                self.press(KeyCode::Char('k'), CONTROL);
                self.line.text.truncate(at);
            }
        }
    }

    fn pastes(&mut self) {
        let letters: &[char] = if self.is_asked { &SECRET } else { &TALK };
        let mut text: String =
            (0..self.random.below(30)).map(|_| self.random.of(letters)).collect();
        if !self.is_asked && self.random.below(3) == 0 {
            text = format!("{text}\n/quit\n\t{text}x");
        }
        self.types(&format!("\x1b[200~{}\r\n\x1b\x1b[201~", text.replace('\n', "\r\n")));
        self.line.insert(&text);
    }

    fn enters(&mut self) {
        if !self.is_asked && self.line.text.is_empty() && self.random.below(3) == 0 {
            self.types("/login alice");
            self.line.insert("/login alice");
        }
        let effects = self.press(KeyCode::Enter, NONE);
        let text = std::mem::take(&mut self.line).string();
        let to = self.model.window.clone();
        let expected = match self.is_asked {
            true => Input::Password(text.clone()),
            false => Input::Line { text: text.clone(), to },
        };
        for effect in effects {
            match effect {
                Effect::Input(input) => assert_eq!(input, expected),
                Effect::Keep(kept) => assert!(!self.is_asked && kept == text),
                other => panic!("{other:?}"),
            }
        }
        self.in_flight += 1;
        self.expects_password |= text.starts_with("/login ") && !self.is_asked;
        self.asks();
        if self.random.below(4) > 0 {
            if self.is_asked {
                note(&mut self.known, r#"{"ask":null}"#);
            }
            while self.in_flight > 0 {
                self.is_ready();
            }
        }
    }

    fn interrupts(&mut self) {
        let effects = self.press(KeyCode::Char('c'), CONTROL);
        let was_empty = self.line.text.is_empty();
        assert_eq!(effects, [Effect::Input(Input::Interrupt { was_empty })]);
        self.line = Simple::default();
        self.in_flight += 1;
    }

    fn goes_to(&mut self, number: char) {
        let was = self.model.window.clone();
        self.press(KeyCode::Char(number), KeyModifiers::ALT);
        let now = self.model.window.clone();
        let mine = match self.is_asked {
            true => self.aside.take().unwrap_or_default(),
            false => std::mem::take(&mut self.line),
        };
        self.drafts.insert(was, mine);
        let draft = self.drafts.remove(&now).unwrap_or_default();
        match self.is_asked {
            true => self.aside = Some(draft).filter(|draft| !draft.text.is_empty()),
            false => self.line = draft,
        }
    }

    pub(super) fn step(&mut self) {
        match self.random.below(42) {
            0..14 => {
                let c = self.random.of(if self.is_asked { &SECRET } else { &TALK });
                self.types(&c.to_string());
                self.line.insert(&c.to_string());
            }
            14..19 => self.edits(),
            19..21 => self.pastes(),
            21..24 => self.enters(),
            24..30 => self.arrives(),
            30 => {
                note(&mut self.known, r#"{"ask":"password","for":"alice"}"#);
                self.asks();
            }
            31 => {
                enter(&mut self.known); // the connection broke, and is back
                self.asks();
            }
            32 => {
                let (width, height) = (1 + self.random.below(130), 1 + self.random.below(40));
                self.area = Rect::new(0, 0, width as u16, height as u16);
                self.draw();
            }
            33 => drop(self.press(KeyCode::PageUp, NONE)),
            34 => drop(self.press(KeyCode::PageDown, NONE)),
            35 => {
                let number = ['1', '2', '9'][self.random.below(3)];
                self.goes_to(number);
            }
            36 => self.model.focus(self.random.below(2) == 0),
            37 => {
                let stray = [KeyCode::F(7), KeyCode::Insert, KeyCode::Null, KeyCode::CapsLock];
                let code = stray[self.random.below(stray.len())];
                assert_eq!(self.press(code, KeyModifiers::ALT), []);
            }
            39 => self.goes_and_comes_back(),
            40 => {
                // Somebody is called otherwise from now on, and so are we.
                let (name, other) = [("alicia", "rob"), ("alice", "bob")][self.random.below(2)];
                note(&mut self.known, &format!(r#"{{"in":"{name}","account":null}}"#));
                note(&mut self.known, &format!(r#"{{"=":["bob","{other}"]}}"#));
                self.asks();
            }
            38 => self.model.find(Some("L1".to_owned()), NOW),
            _ => self.interrupts(),
        }
    }

    pub(super) fn check(&mut self, is_drawn: bool) {
        assert_eq!(self.model.line.text(), self.line.string());
        let before: String = self.line.text[..self.line.at].iter().collect();
        assert_eq!(self.model.line.pos(), before.len());
        if is_drawn {
            let screen = self.draw();
            assert!(!screen.contains(SECRET), "{screen}");
        }
    }

    /// Goes through all pages, from the last to the first, and back: each line is on one of them.
    pub(super) fn looks_at_everything(&mut self) {
        // What is logged, and what stays in the terminal at the end.
        let has_secret = |entry: &Entry| entry.text().contains(SECRET);
        assert!(!self.model.scrollback.back_from(u64::MAX - 1).any(has_secret));
        self.area =
            Rect::new(0, 0, 20 + self.random.below(100) as u16, 5 + self.random.below(30) as u16);
        for (window, count) in [('2', self.private), ('1', self.lines)] {
            self.goes_to(window);
            for key in [KeyCode::PageUp, KeyCode::PageDown] {
                let mut seen = std::collections::HashSet::new();
                loop {
                    self.draw();
                    let rows = view::visible(&self.model, &self.known);
                    let page: String = rows.iter().map(ToString::to_string).collect();
                    let page: String = page.split_whitespace().collect();
                    for found in page.split('L').skip(1).filter_map(|rest| rest.split_once(';')) {
                        seen.extend(found.0.parse::<usize>().ok());
                    }
                    assert!(!page.contains(SECRET));
                    let before = self.model.bottom;
                    self.press(key, KeyModifiers::NONE);
                    if self.model.bottom == before {
                        break;
                    }
                }
                assert_eq!(seen.len(), count, "window {window}, {key:?}, at {:?}", self.area);
            }
            assert_eq!(self.model.bottom, None, "it follows what comes again");
        }
    }
}
