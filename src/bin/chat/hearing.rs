//! What lines and notes make the client do: ask for notes, give the name, come back to where we were.
//! Runs on thread `socket`.
//!
//! ```text
//!  < *** Welcome to chatd …             > /notes on
//!  < {"chatd":…,"ask":"name"}           > alice        or, when we come back,
//!                                       > /since lobby 4711
//!                                       > /resume TOKEN
//!  < {"in":"alice","resume":…}  < {"room":"lobby",…}
//! ```
//!
//! A server without notes asks for the name in a sentence, and nothing else is known of it.

use crate::{
    ending::Ending,
    known::Known,
    note::{self, Note, Question, Read},
    screen::Show,
    server_line::{LineKind, ServerLine},
    socket::{NAME_TRIES, Socket},
    terminal,
    visit::{Notes, Visit},
};
use chatd::core::sentences;
use std::mem::{replace, take};

impl Socket {
    /// Takes what came up to a line end: a line, a note, or a piece of either. Returns why the program
    /// has to end, if it has to.
    pub(crate) fn take(&mut self, line: ServerLine, visit: &mut Visit) -> Option<Ending> {
        if visit.notes != Notes::Off && (line.text.starts_with('{') || !visit.begun.is_empty()) {
            let text = take(&mut visit.begun) + &line.text;
            match note::read(&text) {
                Read::Note(note) => {
                    if self.tells_notes {
                        self.shared.screen.show(Show::Note(text));
                    }
                    self.take_note(&note, visit);
                    return None;
                }
                Read::Begun => {
                    visit.begun = text;
                    return None;
                }
                Read::Text => {}
            }
        }
        self.take_line(line, visit)
    }

    // --- Notes ---

    fn take_note(&mut self, note: &Note, visit: &mut Visit) {
        let room = note.text("room");
        if note.has("last") {
            self.show(visit.arrivals.release());
        }
        // Nothing is typed into this connection before the note makes us be there.
        if visit.is_told_again && room.is_some() && room == self.shared.known().awaits_past_of {
            visit.is_told_again = false;
            self.tell_unanswered("not said or done, because the connection was lost:");
        }
        let wish = room.as_ref().and_then(|_| visit.room.take());
        let wish = wish.filter(|wish| Some(wish) != room.as_ref() && !visit.resumes);
        self.shared.change(|known| {
            known.note(note);
            wish.iter().for_each(|_| known.wishes());
            self.take_name_question(known, visit);
        });
        self.shared.screen.wake();
        if note.has("chatd") {
            visit.notes = Notes::On;
            return self.begin(note.question(), visit);
        }
        match note.question() {
            Some(Question::Name) => {
                if replace(&mut visit.resumes, false) {
                    self.shared.change(|known| known.token = None); // it was used, or is too old
                }
                match visit.gave {
                    None => self.give_name(visit),
                    Some(_) => visit.is_name_refused = true,
                }
            }
            Some(Question::Password) => self.ask_for_password(visit),
            None => {}
        }
        // After /resume too: the connection before may have broken before the server read this.
        if note.has("in") && !replace(&mut visit.is_in, true) {
            self.let_in(visit);
            if self.has_person {
                visit.asked_for_echo = true;
                self.send("/echo on");
            }
        }
        wish.iter().for_each(|wish| self.send(&format!("/join {wish}")));
    }

    /// Notes come from now on.
    fn begin(&mut self, ask: Option<Question>, visit: &mut Visit) {
        let (place, token) = self.shared.change(|known| {
            let place = known.place_to_come_back_to().filter(|_| visit.is_return);
            known.awaits_past_of = place.as_ref().map(|place| place.room.clone());
            (place, known.token.clone())
        });
        match place {
            Some(place) => {
                visit.arrivals.forget();
                visit.is_told_again = true;
                self.send(&format!("/since {} {}", place.room, place.last));
            }
            None => self.go_on_without_past(visit),
        }
        match token.filter(|_| visit.is_return && ask.is_some()) {
            Some(token) => {
                visit.resumes = true;
                self.send(&format!("/resume {token}"));
            }
            None if ask.is_some() => self.give_name(visit),
            None => {}
        }
    }

    /// The server cannot tell what we have missed.
    fn go_on_without_past(&self, visit: &mut Visit) {
        self.show(visit.arrivals.release());
        if visit.is_return {
            if self.shared.change(|known| known.place.take()).is_some() {
                self.shared.screen.notice("the server has forgotten what was said before");
            }
            self.tell_unanswered("it is not known whether this was said or done:");
        }
    }

    fn ask_for_password(&self, visit: &mut Visit) {
        (visit.is_asked, visit.is_at_the_door) = (true, false);
        self.shared.hides_typing();
        if !self.has_editor {
            terminal::echo(false);
        }
    }

    // --- Lines ---

    fn take_line(&mut self, line: ServerLine, visit: &mut Visit) -> Option<Ending> {
        if line.kind == LineKind::Sentence
            && line.body() == sentences::READS_OWN_LINES
            && replace(&mut visit.asked_for_echo, false)
        {
            return None;
        }
        if self.shared.known().asked_since && is_told_before(&line) {
            visit.told_before += usize::from(line.is_past);
            return None;
        }
        let (mut question, is_chatd) = self.shared.change(|known| {
            let question = known.learn(&line);
            self.take_name_question(known, visit);
            (question, known.is_chatd)
        });
        let sentence = line.body().to_owned();
        let is_sentence = line.kind == LineKind::Sentence;
        let is_refused = is_sentence && replace(&mut visit.is_name_refused, false);
        if is_refused || question == Some(Question::Name) && visit.gave.is_some() {
            self.count_refusal(visit);
        }
        if sentences::is_hello(&sentence) || !is_chatd {
            self.let_in(visit);
        }
        self.show(match visit.notes {
            _ if visit.is_at_the_door && is_sentence && !is_last(&sentence) => Vec::new(),
            Notes::On if self.tells_notes => vec![line],
            Notes::On => visit.arrivals.take(line, visit.is_told_again),
            Notes::Off | Notes::Asked { .. } => vec![line],
        });
        if is_sentence && sentence == sentences::END_OF_PAST {
            self.tell_of_told_before(take(&mut visit.told_before));
        }
        match visit.notes {
            Notes::Off if is_chatd && sentences::is_greeting(&sentence) => {
                visit.notes = Notes::Asked { was_name_asked: false };
                self.send("/notes on");
            }
            Notes::Asked { was_name_asked: false } if question == Some(Question::Name) => {
                visit.notes = Notes::Asked { was_name_asked: true };
                question = None; // it is noted now, or asked again
            }
            Notes::Asked { was_name_asked } if question.is_some() || is_unknown(&sentence) => {
                visit.notes = Notes::Off;
                self.go_on_without_past(visit);
                self.shared.change(|known| known.gave_name |= !was_name_asked); // none is asked
            }
            _ => {}
        }
        if is_refused {
            return self.on_refused_name(&sentence, visit);
        }
        match question? {
            Question::Name if visit.gave.is_none() => self.give_name(visit),
            Question::Name => return self.on_refused_name(&sentence, visit),
            Question::Password => self.ask_for_password(visit),
        }
        None
    }

    /// The server has counted private lines, too, which are not shown again.
    fn tell_of_told_before(&self, count: usize) {
        match count {
            0 => {}
            1 => self.shared.screen.notice("1 of these lines was private: you have read it."),
            _ => {
                let text = format!("{count} of these lines were private: you have read them.");
                self.shared.screen.notice(text);
            }
        }
    }

    /// Our name is refused. The third time the person is to give another one.
    fn count_refusal(&mut self, visit: &mut Visit) {
        self.refusals += u32::from(visit.is_return);
        visit.is_asked |= self.refusals >= NAME_TRIES;
        visit.is_at_the_door &= !visit.is_asked;
    }

    /// The name that we had, or the one we were started with.
    fn name(&self, known: &Known) -> Option<String> {
        known.me.clone().or_else(|| self.name.clone())
    }

    /// Takes the question for a name from the person, if we answer it, or wait for the note about it.
    fn take_name_question(&self, known: &mut Known, visit: &Visit) {
        let is_ours = match visit.notes {
            Notes::Asked { was_name_asked: false } => true,
            _ => visit.gave.is_none() && self.name(known).is_some(),
        };
        if is_ours && known.question == Some(Question::Name) {
            known.question = None;
        }
    }

    /// Gives our name; or lets the person answer.
    fn give_name(&mut self, visit: &mut Visit) {
        let name = self.name(&self.shared.known());
        if let Some(name) = &name {
            self.shared.change(|known| {
                (known.gave_name, known.is_away) = (visit.notes != Notes::On, false);
            });
            self.send(name);
        }
        visit.gave = name;
    }

    fn on_refused_name(&mut self, sentence: &str, visit: &Visit) -> Option<Ending> {
        let Some(name) = &visit.gave else { return None };
        if visit.is_return && !visit.is_asked {
            // Our old connection has not been missed yet. It will be; until then this one is of no
            // use.
            self.shared.link.hang_up();
            return None;
        }
        match sentences::says_name_is_taken(sentence) {
            _ if self.has_person => None,
            true => Some(Ending::NameTaken(name.clone())),
            false => Some(Ending::NameRefused(sentence.to_owned())),
        }
    }

    /// Sends a line of our own. If the connection is gone, the next read says so.
    fn send(&self, line: &str) {
        let _ = self.shared.link.send_line(line);
    }
}

/// What was said in a room while one was elsewhere is told among private lines, which one has read
/// there.
fn is_told_before(line: &ServerLine) -> bool {
    match line.kind {
        LineKind::PrivateFrom | LineKind::PrivateTo => line.is_past,
        LineKind::Sentence => line.body().starts_with(sentences::TOLD_LATER),
        LineKind::Say | LineKind::Act | LineKind::Plain => false,
    }
}

/// Whether the server ends with this.
fn is_last(sentence: &str) -> bool {
    sentences::why_hung_up(sentence).is_some() || sentences::why_sorry(sentence).is_some()
}

/// Whether a chatd of before there were notes says so: one that asks for no name.
fn is_unknown(sentence: &str) -> bool {
    sentence.starts_with("There is no command /notes")
}
