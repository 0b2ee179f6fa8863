//! The sentences of the server that the client `chat` recognises. One side writes them and the
//! other reads them, so both take them from here. Text alone; knows no I/O.
//!
//! A sentence stands here without the mark in front of it and without its line end. Where a part
//! varies, one function writes the sentence and the next one reads it. The client also connects to
//! servers other than chatd, so it reads only the beginning of a sentence where that is enough.

use std::borrow::Cow;

/// The beginning of every line of the server's.
pub const MARK: &str = "*** ";

/// In front of an administrator's name in what they say and in lists of people. No name begins with
/// it, so nobody can look like an administrator.
pub const ADMIN_MARK: char = '@';

/// Behind a name of which nobody could prove whose it is, because no password could be read.
pub const UNCHECKED_MARK: char = '?';

/// A name without the mark of an administrator, or of one whose name nobody could check.
pub fn without_mark(name: &str) -> &str {
    let name = name.strip_prefix(ADMIN_MARK).unwrap_or(name);
    name.strip_suffix(UNCHECKED_MARK).unwrap_or(name)
}

/// A name that nobody could check, as others read it.
pub(crate) fn unchecked(name: &str) -> String {
    format!("{name}{UNCHECKED_MARK}")
}

/// Why nobody else comes in.
pub(crate) fn places_taken(places: usize) -> String {
    match places {
        1 => "the only place is taken".to_owned(),
        _ => format!("all {places} places are taken"),
    }
}

/// The last sentence to whoever leaves by themselves.
pub(crate) const GOODBYE: &str = "Goodbye.";
/// Behind the lines of a backlog.
pub const END_OF_PAST: &str = "End of the history.";
/// The beginning of the answer to `/since` of a room where its reader is not.
pub const TOLD_LATER: &str = "You are told that when you enter ";
/// Asks for a name, alone or after the reason for which a name was refused.
pub(crate) const NAME_QUESTION: &str = "What is your name?";
/// To whoever gave the pairing code.
pub(crate) const YOU_ARE_INSTRUCTOR: &str =
    "You are an instructor from now on, until this connection ends.";
/// In front of who announces something, and what.
pub const ANNOUNCEMENT: &str = "Announcement by ";
/// The answer to `/echo on`.
pub const READS_OWN_LINES: &str = "You read your own lines from now on.";
/// In a question for a password: `nc` hides nothing.
pub(crate) const MAY_BE_SEEN: &str = " (with nc, it will be seen as you type)";

/// Why a connection is closed: the server stops.
pub(crate) const SHUTTING_DOWN: &str = "the server is shutting down.";
/// Why a connection is closed: its thread panicked.
pub(crate) const SERVER_ERROR: &str = "an error in the server ended your connection.";

/// Words of sentences that quote what somebody typed, which could look like a question.
const QUOTING: [&str; 8] = [
    "opic of ",
    " is away: ",
    "nnouncement by ",
    "(times are ",
    " banned",
    " muted",
    "There is no command ",
    "Nobody here is called ",
];

/// Whether a sentence asks for a name. Once the client has a name, a sentence with a topic in it
/// may look the same.
pub fn asks_for_name(sentence: &str) -> bool {
    !quotes_people(sentence) && sentence.to_ascii_lowercase().ends_with("name?")
}

/// Whether a sentence asks for a password: it contains the word, and ends like a question. Every
/// question for a password must do so: the client then hides what is typed next.
pub fn asks_for_password(sentence: &str) -> bool {
    let lower = sentence.to_ascii_lowercase();
    !quotes_people(sentence) && lower.contains("password") && lower.ends_with([':', '?'])
}

fn quotes_people(sentence: &str) -> bool {
    QUOTING.iter().any(|words| sentence.contains(words))
}

/// Whether the server said goodbye.
pub fn is_goodbye(sentence: &str) -> bool {
    sentence.starts_with("Goodbye")
}

/// The first line of all. `model`: how clients are served; `connection`: its number, as `c7`; `kept`:
/// whether talk is kept, a sentence.
pub(crate) fn greeting(model: &str, connection: &str, kept: &str) -> String {
    format!("Welcome to chatd: {model} {connection}. {kept}")
}

/// Whether what is said is kept, and for how many days.
pub(crate) fn talk_is_kept(is_kept: bool, days: Option<u32>) -> String {
    match (is_kept, days) {
        (false, _) => "What is said is kept only while the server runs.".to_owned(),
        (true, None) => "What is said is kept.".to_owned(),
        (true, Some(1)) => "What is said is kept for a day.".to_owned(),
        (true, Some(days)) => format!("What is said is kept for {days} days."),
    }
}

/// Whether the server says that it is chatd.
pub fn is_greeting(sentence: &str) -> bool {
    sentence.starts_with("Welcome to chatd")
}

/// Lets somebody in, under this name.
pub(crate) fn hello(name: &str) -> String {
    format!("Hello {name}. Type to talk; /help lists the commands, /quit leaves.")
}

/// Whether somebody is let in.
pub fn is_hello(sentence: &str) -> bool {
    sentence.starts_with("Hello ")
}

/// The answers to `/back`.
pub(crate) const WELCOME_BACK: &str = "Welcome back.";
pub(crate) const WAS_NOT_AWAY: &str = "You were not away.";

/// The answer to `/away`.
pub(crate) fn you_are_away(why: &str) -> String {
    format!("You are away: {why}. /back ends it.")
}

/// Whether a sentence tells its reader that they are away, or that they are not.
pub fn are_you_away(sentence: &str) -> Option<bool> {
    match sentence {
        WELCOME_BACK | WAS_NOT_AWAY => Some(false),
        _ => (sentence.starts_with("You are away: ") && sentence.ends_with(". /back ends it."))
            .then_some(true),
    }
}

/// Tells somebody their new name.
pub(crate) fn you_are_now(name: &str) -> String {
    format!("You are now {name}.")
}

/// Tells how long the server still runs.
pub(crate) fn stops_in(seconds: u64) -> String {
    format!("The server stops in {seconds} s.")
}

/// Refuses a name that somebody else has.
pub(crate) fn name_is_taken(name: &str) -> String {
    format!("The name \"{name}\" is taken.")
}

/// Whether a name is refused because somebody else has it.
pub fn says_name_is_taken(sentence: &str) -> bool {
    sentence.contains("is taken")
}

/// Tells somebody that they are alone in a room.
pub(crate) fn alone_in(room: &str) -> String {
    format!("You are in {room}, alone.")
}

/// Tells somebody who is in their room: this, a list of names, and a full stop.
pub(crate) fn in_room_with(room: &str) -> String {
    format!("You are in {room} with")
}

/// Tells somebody how many are in their room, where those are too many to be named.
pub(crate) fn in_room_with_many(room: &str, others: usize) -> String {
    format!("You are in {room} with {others} others; /names lists them.")
}

/// In front of a room's names in the answer to `/names`.
pub(crate) fn names_heading(room: &str, count: usize) -> String {
    format!("{room} ({count}):")
}

/// Tells a room who came in.
pub(crate) fn entered(name: &str, room: &str) -> String {
    format!("{name} entered {room}")
}

/// Tells a room who left it, and why: by [`went_to`], or with the reason for which a connection
/// ended.
pub(crate) fn left(name: &str, room: &str, why: &str) -> String {
    format!("{name} left {room} ({why})")
}

/// Why somebody left: for another room.
pub(crate) fn went_to(room: &str) -> String {
    format!("went to {room}")
}

/// Why somebody left who may not speak: for another room, whose name is not told.
pub(crate) const CHANGED_ROOMS: &str = "changed rooms";

/// Tells a room somebody's new name.
pub(crate) fn renamed(from: &str, to: &str) -> String {
    format!("{from} is now {to}")
}

/// One room in the answer to `/rooms`.
pub(crate) fn room_row(room: &str, count: usize, topic: &str) -> String {
    format!("  {room:<21} {count:>3} here   {}", in_a_row(topic)).trim_end().to_owned()
}

/// The most characters of a topic, or of why somebody is away, in a row of a list: a hundred rooms with
/// topics of a thousand bytes would cost whoever asks for them a dozen lines of their `--flood`.
const IN_A_ROW: usize = 60;

/// The beginning of what somebody has written, for a row of a list.
fn in_a_row(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(IN_A_ROW) {
        Some((end, _)) => Cow::Owned(format!("{}…", text[..end].trim_end())),
        None => Cow::Borrowed(text),
    }
}

/// The room in such a row.
pub fn room_in_row(sentence: &str) -> Option<&str> {
    let mut words = sentence.strip_prefix("  ")?.split_whitespace();
    let (room, count) = (words.next()?, words.next()?);
    let is_count = count.bytes().all(|b| b.is_ascii_digit());
    (is_count && words.next() == Some("here")).then_some(room)
}

/// One person in the answer to `/who`. `away`: why they are.
pub(crate) fn person_row(name: &str, idle: &str, away: Option<&str>) -> String {
    let away = away.map(|why| format!(", away: {}", in_a_row(why))).unwrap_or_default();
    format!("  {name:<21} idle {idle}{away}")
}

/// In front of a backlog. `what`: which lines, as by [`last_lines`]; `offset`: their time zone.
pub(crate) fn backlog_heading(what: &str, offset: &str) -> String {
    format!("{what} (times are {offset}):")
}

/// What a room's last lines are; `{}` stands for their number.
pub(crate) fn last_lines(room: &str) -> String {
    format!("The last {{}} of {room}")
}

/// The last sentence to whoever is disconnected.
pub(crate) fn hung_up(why: &str) -> String {
    format!("Hung up: {why}")
}

/// Why the server hangs up.
pub fn why_hung_up(sentence: &str) -> Option<&str> {
    sentence.strip_prefix("Hung up: ")
}

/// The only sentence to a client that is refused.
pub(crate) fn sorry(why: &str) -> String {
    format!("Sorry: {why}")
}

/// The only sentence to whoever comes when all places are taken.
pub(crate) fn all_places_taken(places: usize) -> String {
    sorry(&format!("{}. Please try again later.", places_taken(places)))
}

/// What whoever waits for a place is told.
pub(crate) fn please_wait_for_a_place(places: usize) -> String {
    format!("Please wait: {}. Perhaps one is left soon.", places_taken(places))
}

/// Why there is no place.
pub fn why_sorry(sentence: &str) -> Option<&str> {
    sentence.strip_prefix("Sorry: ")
}

/// Why a slow consumer is hung up: by its high-water mark.
pub(crate) fn too_many_bytes_waited(bytes: usize) -> String {
    format!("more than {bytes} bytes waited for you to read.")
}

/// Why a slow consumer is hung up: by its write deadline.
pub(crate) fn nothing_was_read(seconds: u64) -> String {
    format!("you read nothing for {seconds} s while lines waited for you.")
}

/// Whether a client that was hung up for this reason may come back without asking anybody. After
/// any other reason (a kick, say) a person decides.
pub fn may_come_back(why: &str) -> bool {
    let is_slow = why.contains("waited for you");
    is_slow
        || [SHUTTING_DOWN, SERVER_ERROR]
            .iter()
            .any(|reason| why.contains(reason.trim_end_matches('.')))
}

/// For whoever comes without TLS where nothing else is spoken. More may follow.
pub const TLS_ALONE: &str = "This port is for TLS alone";

/// For whoever is logged in to an account whose password was changed elsewhere.
pub(crate) const PASSWORD_CHANGED: &str =
    "the password of your account was changed. Come again with the new one.";
/// For whoever was logged in to it.
pub(crate) const ACCOUNT_IS_GONE: &str =
    "Your account is gone, deleted by the operator perhaps: you are a guest now.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_side_reads_what_the_other_writes() {
        assert!(is_greeting(&greeting("one thread per connection, and yours is", "c7", "Kept.")));
        assert!(is_goodbye(GOODBYE));
        assert!(says_name_is_taken(&name_is_taken("alice")));
        assert!(asks_for_name(&format!("{} {NAME_QUESTION}", name_is_taken("alice"))));
        assert_eq!(room_in_row(&room_row("math", 1, "1 + 1")), Some("math"));
        assert_eq!(
            room_in_row(&room_row("a-room-of-21-letters-", 1000, "")),
            Some("a-room-of-21-letters-")
        );
        for row in [&*person_row("bob", "5 s", None), "  bob two here", "  math   2 there"] {
            assert_eq!(room_in_row(row), None, "{row}");
        }
        assert!(is_hello(&hello("alice")));
        for is_it in [is_greeting, is_goodbye, is_hello, says_name_is_taken] {
            assert!(!is_it("alice: is it taken? Goodbye. Hello Bob."));
        }
        assert_eq!(are_you_away(&you_are_away("at lunch")), Some(true));
        assert_eq!([WELCOME_BACK, WAS_NOT_AWAY].map(are_you_away), [Some(false); 2]);
        for sentence in ["You are away: says the topic.", "bob is away: x. /back ends it."] {
            assert_eq!(are_you_away(sentence), None);
        }
        let heading = backlog_heading(&last_lines("math").replace("{}", "2 lines"), "+01:00");
        assert_eq!(heading, "The last 2 lines of math (times are +01:00):");
        assert_eq!(why_hung_up(&hung_up(SHUTTING_DOWN)), Some(SHUTTING_DOWN));
        assert_eq!(
            why_sorry(&sorry("all 512 places are taken.")),
            Some("all 512 places are taken.")
        );
    }

    #[test]
    fn how_long_talk_is_kept_is_said_in_words() {
        let said = |is_kept, days| talk_is_kept(is_kept, days);
        assert_eq!(said(false, Some(2)), "What is said is kept only while the server runs.");
        assert_eq!(said(true, None), "What is said is kept.");
        assert_eq!(said(true, Some(1)), "What is said is kept for a day.");
        assert_eq!(said(true, Some(2)), "What is said is kept for 2 days.");
    }

    #[test]
    fn a_password_is_asked_for_by_a_question_that_quotes_nobody() {
        for sentence in [
            "Password for alice:",
            "What is the password?",
            &format!("alice is registered. Your password{MAY_BE_SEEN}:"),
            "The same password once more:",
        ] {
            assert!(asks_for_password(sentence), "{sentence}");
        }
        for sentence in [
            "Your password was changed.",
            "mallory set the topic of lobby: your password?",
            "mallory is away: Password:",
            "There is no command /passwo. Did you mean /password?",
            "Nobody here is called passwordd. Did you mean password?",
            "Announcement by mallory: your password:",
            "The newest 1 line of lobby with password (times are +00:00):",
            "Topic of lobby: x (with nc, it will be seen as you type) password:",
        ] {
            assert!(!asks_for_password(sentence), "{sentence}");
        }
        assert!(!asks_for_name("Topic of lobby: your name?"));
    }

    #[test]
    fn only_the_servers_own_reasons_bring_a_client_back() {
        for why in
            [SHUTTING_DOWN, SERVER_ERROR, &too_many_bytes_waited(65_536), &nothing_was_read(10)]
        {
            assert!(may_come_back(why), "{why}");
        }
        assert!(!may_come_back("you were kicked by the teacher."));
    }
}
