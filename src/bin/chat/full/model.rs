//! The full screen without a terminal: what is typed, what is shown, and what comes of a key. No I/O
//! and no clock; the random test drives it (`tests.rs`).

use super::{
    earlier::{Earlier, Search},
    line::{Text, TypedLine},
    rows::Layout,
    scrollback::{Scrollback, Shown, is_private},
};
use crate::{
    complete::Cycle,
    input::Input,
    known::Known,
    note::Question,
    server_line::{LineKind, ServerLine},
    settings::{Key, Settings},
    stamp::Stamp,
};
use chatd::core::sentences::without_mark;
use std::sync::Arc;

/// The most private talks with a window each. Those after them stand in the room's window alone.
const TALKS_MAX: usize = 20;

/// What is to be done, and not by the model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// For the keyboard's side to obey.
    Input(Input),
    /// To be kept for the next run.
    Keep(String),
    Bell,
    Suspend,
    /// Show the text bare, as the terminal wraps it, until a key is pressed.
    Bare,
    /// Draw everything, whatever the terminal may have made of it.
    Redraw,
}

/// A private talk.
pub(crate) struct Talk {
    pub(crate) name: String,
    pub(crate) unread: usize,
    /// What is half typed there.
    typed: Text,
}

/// The lowest row that is seen, when that is not the last one: of the entry `number`, row `rows`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bottom {
    pub(crate) number: u64,
    pub(crate) rows: usize,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) line: TypedLine,
    pub(crate) earlier: Earlier,
    pub(crate) search: Option<Search>,
    pub(super) cycle: Cycle,
    /// What is typed is a password.
    pub(crate) is_password: bool,
    /// What was begun before; it comes back.
    pub(super) aside: Option<Text>,
    /// Inputs that are not dealt with.
    pub(super) in_flight: usize,
    /// One of them is followed by a question for a password.
    pub(super) expects_password: bool,
    pub(crate) scrollback: Scrollback,
    /// The talk that is shown; `None`: the room.
    pub(crate) window: Option<String>,
    pub(crate) talks: Vec<Talk>,
    /// What is half typed to the room, while a talk is shown; and lines said there since then.
    typed: Text,
    pub(crate) unread: usize,
    pub(crate) bottom: Option<Bottom>,
    /// The last entry that was seen when the terminal lost the focus.
    pub(crate) marker: Option<u64>,
    pub(crate) is_away: bool,
    /// Mentions and private lines since then.
    pub(crate) unseen: usize,
    pub(super) looked_for: String,
    pub(crate) found: Option<u64>,
    /// Columns and rows for text.
    pub(crate) size: (usize, usize),
    pub(crate) has_colours: bool,
    pub(crate) settings: Arc<Settings>,
    /// Paths that begin so, for completion.
    pub(super) files: Option<fn(&str) -> Vec<String>>,
}

impl Model {
    pub(crate) fn new(earlier: Vec<String>, has_colours: bool) -> Model {
        Model { earlier: Earlier::new(earlier), has_colours, ..Model::default() }
    }

    /// Whether what is typed is for a password: one is asked for, or will be.
    fn is_asked(&self, known: &Known) -> bool {
        known.question == Some(Question::Password) || self.expects_password
    }

    /// Takes account of what is known now. What was begun as talk never becomes a password, and what was
    /// begun as a password never becomes anything else.
    pub(crate) fn sync(&mut self, known: &Known, at: Stamp) {
        let is_asked = self.is_asked(known);
        if is_asked && !self.is_password {
            self.end_search();
            let typed = self.earlier.leave(self.line.take());
            self.aside = Some(typed).filter(|(text, _)| !text.is_empty()).or(self.aside.take());
        } else if !is_asked && self.is_password {
            if !self.line.is_empty() {
                let text =
                    "what you had begun to type is gone: nothing asks for a password any more.";
                self.notice(text.to_owned(), at);
            }
            self.line.forget();
            if let Some(aside) = self.aside.take() {
                self.line.set(&aside);
            }
        }
        self.is_password = is_asked;
    }

    /// The keyboard's side waits for the next input: it has dealt with all before.
    pub(crate) fn ready(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.expects_password &= self.in_flight > 0;
    }

    pub(super) fn input(&mut self, input: Input, effects: &mut Vec<Effect>) {
        self.in_flight += 1;
        effects.push(Effect::Input(input));
    }

    /// Gives up looking for an earlier line; what was typed is back.
    pub(super) fn end_search(&mut self) {
        if let Some(search) = self.search.take() {
            self.line.set(&search.typed);
        }
    }

    // --- What is shown ---

    pub(crate) fn notice(&mut self, text: String, at: Stamp) {
        self.scrollback.push(at, Shown::Notice(text));
    }

    /// A line of ours.
    pub(crate) fn own(&mut self, text: &str, at: Stamp) {
        self.scrollback.push(at, Shown::Line(ServerLine::new(text.as_bytes())));
    }

    /// A line of the server's. It is counted, and may ring.
    pub(crate) fn show(&mut self, line: ServerLine, known: &Known, at: Stamp) -> Vec<Effect> {
        let name = without_mark(line.name()).to_owned();
        let is_mine = line.kind == LineKind::PrivateTo;
        if is_private(&line) {
            self.count(&name, is_mine || line.is_past);
        }
        let is_mention = !line.mentions(known.me.as_deref(), self.settings.words()).is_empty();
        let is_to_us = !line.is_past && (line.kind == LineKind::PrivateFrom || is_mention);
        self.unread += usize::from(self.window.is_some() && line.is_talk() && !line.is_past);
        self.unseen += usize::from(is_to_us && self.is_away);
        self.scrollback.push(at, Shown::Line(line));
        if is_to_us && self.settings.is_on(Key::Bell) { vec![Effect::Bell] } else { Vec::new() }
    }

    /// A private line of a talk with somebody, which may have been read.
    fn count(&mut self, name: &str, is_read: bool) {
        let is_shown = self.window.as_deref() == Some(name) && self.bottom.is_none();
        let unread = usize::from(!is_read && !is_shown);
        let has_room = self.talks.len() < TALKS_MAX;
        match self.talks.iter_mut().find(|talk| talk.name == name) {
            Some(talk) => talk.unread += unread,
            None if has_room => {
                self.talks.push(Talk { name: name.to_owned(), unread, typed: Text::default() });
            }
            None => {}
        }
    }

    pub(crate) fn clear(&mut self) {
        self.scrollback.clear();
        (self.bottom, self.marker, self.found) = (None, None, None);
    }

    // --- Where one looks ---

    pub(crate) fn layout<'a>(&'a self, known: &'a Known) -> Layout<'a> {
        Layout {
            width: self.size.0.max(1),
            me: known.me.as_deref(),
            marker: self.marker,
            found: self.found,
            has_colours: self.has_colours,
            has_times: self.settings.is_on(Key::Times),
            words: self.settings.words(),
        }
    }

    /// The terminal has the person's eyes, or no longer.
    pub(crate) fn focus(&mut self, has_focus: bool) {
        if !has_focus && !self.is_away && self.bottom.is_none() {
            self.marker = self.scrollback.last();
        }
        (self.is_away, self.unseen) = (!has_focus, 0);
    }

    /// Shows the room (`None`), or the talk with somebody. What is half typed stays where it was
    /// begun, so that nothing is said to the wrong people.
    pub(crate) fn go_to(&mut self, window: Option<String>) {
        self.end_search();
        let was = if self.is_password {
            self.aside.take()
        } else {
            Some(self.earlier.leave(self.line.take()))
        };
        *self.typed_in(self.window.clone()) = was.unwrap_or_default();
        self.unread = 0;
        if let Some(name) = &window {
            self.count(name, true);
            self.talks
                .iter_mut()
                .filter(|talk| talk.name == *name)
                .for_each(|talk| talk.unread = 0);
        }
        let is = std::mem::take(self.typed_in(window.clone()));
        match self.is_password {
            true => self.aside = Some(is),
            false => self.line.set(&is),
        }
        (self.window, self.bottom) = (window, None);
    }

    fn typed_in(&mut self, window: Option<String>) -> &mut Text {
        let talk = self.talks.iter_mut().find(|talk| Some(&talk.name) == window.as_ref());
        talk.map_or(&mut self.typed, |talk| &mut talk.typed)
    }

    /// The window with this number; the room's is 0.
    pub(super) fn go_to_number(&mut self, number: usize) {
        let Some(at) = number.checked_sub(1) else { return self.go_to(None) };
        if let Some(name) = self.talks.get(at).map(|talk| talk.name.clone()) {
            self.go_to(Some(name));
        }
    }

    /// The next window, or the one before.
    pub(super) fn go_round(&mut self, is_back: bool) {
        let all = self.talks.len() + 1;
        let now = self.talks.iter().position(|talk| Some(&talk.name) == self.window.as_ref());
        let now = now.map_or(0, |at| at + 1);
        self.go_to_number((now + if is_back { all - 1 } else { 1 }) % all);
    }
}
