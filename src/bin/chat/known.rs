//! What the client has learnt from what it read: who we are, where, with whom, and what the server
//! waits for.
//!
//! A chatd tells it in notes. Of any other server, also of an older chatd, only two kinds of sentences
//! are understood: questions for a name or a password, and why it hangs up. Prompt and completion show
//! less then. No I/O and no thread: `shared.rs` has the lock, `socket` writes, `main` and `screen` read.

use crate::{
    left::{LeftRooms, Place},
    note::{Note, Question},
    own::OwnLines,
    pace::Pace,
    server_line::{LineKind, ServerLine},
};
use chatd::core::sentences;
use std::time::{Duration, Instant};

/// The most names and rooms that completion knows: more than a person completes from, and a bound
/// against a stranger's lists.
const WORDS_MAX: usize = 1000;

/// How many seconds late a sign of life may be before the person is told.
const LATE: u64 = 5;

/// Codes of the note `bye`: we left; there is no place.
const BYE_LEFT: u64 = 1000;
const BYE_FULL: u64 = 1013;

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The name the server knows us by.
    pub(crate) me: Option<String>,
    pub(crate) room: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) is_paused: bool,
    /// In the room that everybody enters, and about to go to another one.
    pub(crate) is_on_the_way: bool,
    /// The server's replies when that room was asked for.
    replies_before_wish: u64,
    /// The question that waits for an answer.
    pub(crate) question: Option<Question>,
    /// A name was given to a server that does not note whether it lets us in.
    pub(crate) gave_name: bool,
    /// The server said that it is a chatd, so its commands may be offered.
    pub(crate) is_chatd: bool,
    /// It notes what it tells.
    pub(crate) has_notes: bool,
    /// Lines were pasted, and the person is asked whether to send them.
    pub(crate) has_pasted: bool,
    /// How many lines may be said at once, and then a second: none, if there is no limit.
    flood: Option<(u64, u64)>,
    /// The person reads their own lines too.
    pub(crate) has_echo: bool,
    /// The server said goodbye: the end of file that follows is no accident.
    pub(crate) said_goodbye: bool,
    /// Why the server hangs up, or has no place.
    pub(crate) last_words: Option<String>,
    /// The last words were that it has no place.
    pub(crate) is_full: bool,
    /// Whether we may come back, as it noted.
    pub(crate) may_come_back: Option<bool>,
    /// Counts lines that came.
    pub(crate) heard: u64,
    is_told_of_tls: bool,
    /// Counts the server's sentences, which may answer what was sent.
    pub(crate) answers: u64,
    /// Counts notes of what others did. In front of each stands a sentence that answers nobody.
    others: u64,
    /// Counts notes of who and where we are.
    pub(crate) moves: u64,
    pub(crate) is_connected: bool,
    /// Counts `/connect`s that came to an end, with a connection or without one.
    pub(crate) connects: u64,
    /// Tries to come back since we were in, and when the connection was lost.
    pub(crate) outage: Option<(usize, Instant)>,
    pub(crate) own: OwnLines,
    /// What was typed and did not arrive, as far as we know: `/again` sends it.
    pub(crate) unsaid: Vec<String>,
    /// When something came last, and how many seconds may pass until the server says that it is there.
    pub(crate) heard_at: Option<Instant>,
    beat: Option<u64>,
    /// We have said that we are away.
    pub(crate) is_away: bool,
    /// What brings us back, once.
    pub(crate) token: Option<String>,
    pub(crate) place: Option<Place>,
    pub(crate) left: LeftRooms,
    /// The server was asked what was said in one of them, to tell it when we enter.
    pub(crate) asked_since: bool,
    /// The room whose past is to be told first: until that has come, we are where we were.
    pub(crate) awaits_past_of: Option<String>,
    pub(crate) epoch: u64,
    people: Vec<String>, // whoever spoke last stands first
    rooms: Vec<String>,
}

impl Known {
    /// Forgets what a connection knew, but not what it takes to come back.
    pub(crate) fn begin(&mut self) {
        let before = std::mem::take(self);
        *self = Known {
            is_connected: true,
            connects: before.connects,
            me: before.me,
            is_chatd: before.is_chatd,
            has_pasted: before.has_pasted,
            has_echo: before.has_echo,
            outage: before.outage,
            own: before.own,
            unsaid: before.unsaid,
            is_away: before.is_away,
            token: before.token,
            place: before.place,
            left: before.left,
            rooms: before.rooms,
            ..Known::default()
        };
    }

    /// Forgets the server: the next one is another one.
    pub(crate) fn leave_server(&mut self) {
        (self.token, self.place, self.own) = (None, None, OwnLines::default());
        (self.unsaid, self.left) = (Vec::new(), LeftRooms::default());
        (self.is_chatd, self.outage, self.is_away) = (false, None, false);
    }

    /// Whether we are where we want to be, as far as the server tells.
    pub(crate) fn is_there(&self) -> bool {
        self.gave_name || self.room.is_some() && !self.is_on_the_way
    }

    /// Learns from a note.
    pub(crate) fn note(&mut self, note: &Note) {
        if let Some(epoch) = note.number("epoch") {
            (self.has_notes, self.epoch) = (true, epoch);
            self.flood = note.pair("flood");
        }
        if note.has("ask") {
            self.question = note.question();
        }
        if let Some(name) = note.text("in") {
            self.me = Some(name);
            self.token = note.text("resume").or(self.token.take());
        }
        if let Some(room) = note.text("room") {
            if self.room.as_ref() != Some(&room) {
                (self.people, self.is_on_the_way) = (Vec::new(), false);
                self.left.moved(self.place.as_ref(), &room);
            }
            add(&mut self.rooms, &room);
            note.texts("here").for_each(|name| add(&mut self.people, &name));
            self.room = Some(room);
        }
        if note.has("topic") {
            self.topic = note.text("topic");
        }
        if note.has("paused") {
            self.is_paused = note.is_true("paused");
        }
        note.text("+").iter().for_each(|name| add(&mut self.people, name));
        let gone = note.text("-").or_else(|| note.texts("=").next());
        self.people.retain(|known| Some(known) != gone.as_ref());
        note.texts("=").skip(1).for_each(|name| self.spoke(&name));
        if let Some(last) = note.number("last") {
            if note.has("room") && self.awaits_past_of == self.room {
                self.awaits_past_of = None;
            }
            self.covered(last);
        }
        if let Some(code) = note.number("bye") {
            (self.said_goodbye, self.is_full) = (code == BYE_LEFT, code == BYE_FULL);
            self.may_come_back = Some(note.is_true("again"));
        }
        self.beat = note.number("beat").or(self.beat);
        self.others += u64::from(["+", "-", "=", "topic"].iter().any(|key| note.has(key)));
        self.moves += u64::from(note.has("ask") || note.has("in") || note.has("room"));
    }

    /// Everything up to this line has come.
    fn covered(&mut self, last: u64) {
        if self.awaits_past_of.is_some() {
            return;
        }
        let epoch = self.epoch;
        self.place = self.room.clone().map(|room| Place { room, last, epoch });
    }

    /// The room that we are in, or want to be in.
    pub(crate) fn destination(&self) -> Option<String> {
        self.awaits_past_of.clone().or_else(|| self.room.clone())
    }

    /// Another room is asked for.
    pub(crate) fn wishes(&mut self) {
        (self.is_on_the_way, self.replies_before_wish) = (true, self.replies());
    }

    /// Whether the server has said something since. Without a note behind it, that is a refusal.
    pub(crate) fn is_wish_answered(&self) -> bool {
        self.is_on_the_way && self.replies() > self.replies_before_wish
    }

    /// How many seconds the server has said nothing, where it should have.
    pub(crate) fn silence(&self, now: Instant) -> Option<u64> {
        let seconds = now.saturating_duration_since(self.heard_at?).as_secs();
        (self.is_connected && seconds >= self.beat?.saturating_add(LATE)).then_some(seconds)
    }

    /// How long a line takes to the server and back, as far as it is known.
    pub(crate) fn lag(&self, now: Instant) -> Option<Duration> {
        self.own.lag(self.heard_at?, now)
    }

    /// Keeps what did not arrive, for `/again`.
    pub(crate) fn did_not_arrive(&mut self, text: String) {
        if self.unsaid.len() < WORDS_MAX {
            self.unsaid.push(text);
        }
    }

    /// Counts the server's sentences that may have answered us.
    pub(crate) fn replies(&self) -> u64 {
        self.answers.saturating_sub(self.others)
    }

    /// Whether all that it said is that it speaks TLS. (Beside other lines it may be somebody else's:
    /// a server that only passes lines on passes on this one.)
    pub(crate) fn wants_tls(&self) -> bool {
        self.is_told_of_tls && self.heard == 1
    }

    /// From where on the server is to tell again: only of the same epoch a number means the same line.
    pub(crate) fn place_to_come_back_to(&self) -> Option<Place> {
        self.place.clone().filter(|place| place.epoch == self.epoch)
    }

    /// Learns from a line for people. Returns what it asks for, if that is not noted.
    pub(crate) fn learn(&mut self, line: &ServerLine) -> Option<Question> {
        self.heard += 1;
        match line.kind {
            _ if line.is_past => {}
            LineKind::Sentence if line.body().starts_with("  ") => {
                let room = sentences::room_in_row(line.body());
                room.iter().for_each(|room| add(&mut self.rooms, room));
            }
            LineKind::Sentence => {
                self.answers += 1;
                self.own.are_answered();
                return self.learn_sentence(line.body());
            }
            LineKind::Say | LineKind::Act | LineKind::PrivateFrom => self.spoke(line.name()),
            LineKind::PrivateTo => self.own.are_answered(),
            LineKind::Plain => {}
        }
        None
    }

    fn learn_sentence(&mut self, sentence: &str) -> Option<Question> {
        self.is_chatd |= sentences::is_greeting(sentence);
        self.is_told_of_tls |= sentence.starts_with(sentences::TLS_ALONE);
        self.is_away = sentences::are_you_away(sentence).unwrap_or(self.is_away);
        if let Some(why) = sentences::why_hung_up(sentence) {
            self.last_words = Some(why.to_owned());
        } else if let Some(why) = sentences::why_sorry(sentence) {
            (self.last_words, self.is_full) = (Some(why.to_owned()), true);
        } else if !self.has_notes {
            self.said_goodbye |= sentences::is_goodbye(sentence);
            let question = self.question_in(sentence);
            self.question = question.or(self.question);
            return question;
        }
        None
    }

    /// A password may be wanted at any time; a name only until we have given one (a topic could end
    /// so).
    fn question_in(&self, sentence: &str) -> Option<Question> {
        if sentences::asks_for_password(sentence) {
            return Some(Question::Password);
        }
        sentences::asks_for_name(sentence).then_some(Question::Name)
    }

    /// What stands in front of the line that is typed: what is asked for, or who we are; and where.
    pub(crate) fn prompt(&self) -> (String, String) {
        let asked = match self.question {
            Some(Question::Name) => "name",
            Some(Question::Password) => "password",
            None if self.has_pasted => "paste",
            None => {
                let place = self.room.as_deref().map(|room| format!("@{room}"));
                return (self.me.clone().unwrap_or_default(), place.unwrap_or_default());
            }
        };
        (asked.to_owned(), String::new())
    }

    /// Whether a typed line is a name, because one is asked for. What has a blank in it was begun as talk.
    pub(crate) fn is_name(&self, line: &str) -> bool {
        let may_be = !self.is_chatd || !line.trim().contains(char::is_whitespace);
        self.question == Some(Question::Name) && !line.starts_with('/') && may_be
    }

    /// How fast lines may be said here.
    pub(crate) fn pace(&self) -> Pace {
        match (self.has_notes, self.flood) {
            (true, None) => Pace::new(Some((u64::MAX, 1000))),
            (_, flood) => Pace::new(flood),
        }
    }

    /// Takes note of what was sent; for talk, returns it as everybody else reads it.
    pub(crate) fn sent(&mut self, text: &str) -> Option<String> {
        self.has_notes.then(|| self.own.sent(text, self.me.as_deref(), Instant::now()))?
    }

    fn spoke(&mut self, name: &str) {
        self.people.retain(|known| known != name);
        self.people.insert(0, name.to_owned());
        self.people.truncate(WORDS_MAX);
    }

    /// Names of the people here but us: whoever spoke last comes first.
    pub(crate) fn people(&self) -> impl Iterator<Item = &str> {
        self.people.iter().map(String::as_str).filter(|name| self.me.as_deref() != Some(name))
    }

    /// Rooms heard of.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &str> {
        self.rooms.iter().map(String::as_str)
    }
}

fn add(list: &mut Vec<String>, word: &str) {
    if list.len() < WORDS_MAX && !list.iter().any(|known| known == word) {
        list.push(word.to_owned());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::note::{Read, read};

    /// What is known after these lines.
    pub(crate) fn taught(lines: &[&str]) -> Known {
        let mut known = Known::default();
        for line in lines {
            match read(line) {
                Read::Note(note) => known.note(&note),
                Read::Begun | Read::Text => drop(known.learn(&ServerLine::new(line.as_bytes()))),
            }
        }
        known
    }

    const HELLO: &str = r#"{"chatd":"1","epoch":7,"ask":"name"}"#;

    #[test]
    fn notes_tell_who_and_where() {
        let at_the_door = &["*** Welcome to chatd: its model is c7.", HELLO];
        let known = taught(at_the_door);
        assert!(known.is_chatd && known.has_notes);
        assert_eq!(known.question, Some(Question::Name));
        let inside = &[
            r#"{"in":"a.lice","account":null,"ask":null,"resume":"t"}"#,
            r#"{"room":"lobby","here":["a.lice","bob","d.e"],"last":4}"#,
        ];
        let known = taught(&[&at_the_door[..], inside].concat());
        let place = (known.me.as_deref(), known.room.as_deref());
        assert_eq!((place, known.question), ((Some("a.lice"), Some("lobby")), None));
        assert_eq!(known.people().collect::<Vec<_>>(), ["bob", "d.e"]);
        assert_eq!(known.token.as_deref(), Some("t"));
        let place = |last| Some(Place { room: "lobby".to_owned(), last, epoch: 7 });
        assert_eq!(known.place_to_come_back_to(), place(4));
        let mut known = taught(&[&at_the_door[..], inside, &[r#"{"last":9}"#]].concat());
        assert_eq!(known.place_to_come_back_to(), place(9));
        known.begin();
        let Read::Note(other) = read(&HELLO.replace('7', "8")) else { unreachable!() };
        known.note(&other);
        assert_eq!(known.place_to_come_back_to(), None, "these are other lines");
    }

    #[test]
    fn whoever_spoke_last_stands_first() {
        let known = taught(&[
            r#"{"room":"lobby","here":["bob","carol"],"last":4}"#,
            "<carol> hi",
            "* bob waves",
            "(12:30) <dave> long ago",
            r#"{"=":["bob","rob"]}"#,
            r#"{"+":"eve"}"#,
            r#"{"-":"eve"}"#,
        ]);
        assert_eq!(known.people().collect::<Vec<_>>(), ["rob", "carol"]);
    }

    #[test]
    fn rooms_are_learnt_from_a_list() {
        let known =
            taught(&["*** Rooms:", "***   lobby        1 here", "***   math    2 here   1 + 1"]);
        assert_eq!(known.rooms().collect::<Vec<_>>(), ["lobby", "math"]);
    }

    #[test]
    fn a_question_is_what_is_noted_and_where_nothing_is_noted_what_looks_like_one() {
        assert_eq!(taught(&["*** Password for alice:"]).question, Some(Question::Password));
        assert_eq!(taught(&["<bob> Password:"]).question, None);
        assert_eq!(taught(&[HELLO, r#"{"ask":null}"#, "*** Your password:"]).question, None);
        assert_eq!(
            taught(&[HELLO, r#"{"ask":"password"}"#, "*** Hm."]).question,
            Some(Question::Password)
        );
    }

    #[test]
    fn a_server_that_is_late_with_its_sign_of_life_is_silent() {
        let mut known = taught(&[HELLO, r#"{"beat":25}"#]);
        let (heard, second) = (Instant::now(), Duration::from_secs(1));
        (known.is_connected, known.heard_at) = (true, Some(heard));
        assert_eq!(known.silence(heard + 29 * second), None);
        assert_eq!(known.silence(heard + 30 * second), Some(30));
        known.begin();
        assert_eq!(known.silence(heard + 90 * second), None, "another connection");
    }

    #[test]
    fn one_is_away_until_one_is_back() {
        for (sentence, is_away) in [
            ("*** You are away: lunch. /back ends it.", true),
            ("*** You are away: lunch. /back ends it.\n*** Welcome back.", false),
            ("<bob> You are away: lunch. /back ends it.", false),
        ] {
            assert_eq!(
                taught(&sentence.lines().collect::<Vec<_>>()).is_away,
                is_away,
                "{sentence}"
            );
        }
    }

    #[test]
    fn why_the_server_hangs_up() {
        for (lines, goodbye, full, again) in [
            (&[r#"{"bye":1000,"again":false}"#, "*** Goodbye."][..], true, false, Some(false)),
            (&[r#"{"bye":1012,"again":true}"#, "*** Hung up: x"], false, false, Some(true)),
            (&[r#"{"bye":1013,"again":true}"#, "*** Sorry: x"], false, true, Some(true)),
            (&["*** Goodbye."], true, false, None),
            (&["*** Sorry: x"], false, true, None),
        ] {
            let known = taught(lines);
            assert_eq!(
                (known.said_goodbye, known.is_full, known.may_come_back),
                (goodbye, full, again)
            );
        }
    }
}
