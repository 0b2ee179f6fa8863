//! What is held, written, shown; and what is not when it cannot be written.

use super::*;
use crate::core::{
    command::Command,
    event::{Entry, Login, Question},
    name::NameRule,
    record::{PasswordHash, Query, Remembered, Sanction, SanctionKind, Subject},
    rooms::RoomsConfig,
    source::Source,
};
use jiff::tz::TimeZone;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Rooms that keep talk, with alice (account 1, an administrator) and bob.
fn rooms() -> Rooms<usize> {
    let config = RoomsConfig {
        backlog_lines: 20,
        names: NameRule::Ascii,
        zone: TimeZone::UTC,
        keeps_talk: true,
    };
    let alice = Account { id: 1, name: "alice".to_owned(), is_admin: true, since: NOW, mail: 0 };
    let mut rooms =
        Rooms::new(config, Remembered { accounts: vec![alice], ..Remembered::default() });
    ask(&mut rooms, 0, enter("alice", Some(1)));
    ask(&mut rooms, 1, enter("bob", None));
    read(&mut rooms);
    rooms
}

fn enter(name: &str, account: Option<AccountId>) -> Question {
    let name = NameRule::Ascii.check(name, "name").unwrap();
    let login = account.map(|account| Login { account, private: Vec::new() });
    Question::Enter(Box::new(Entry { name, source: Source::default(), login, reserve_of: None }))
}

fn ask(rooms: &mut Rooms<usize>, client: usize, question: Question) {
    rooms.apply(NOW, client as ClientId, &client, Event::Ask(question));
}

fn command(rooms: &mut Rooms<usize>, client: usize, line: &str) {
    let command = crate::core::command::CommandTable::default().parse(line).unwrap();
    ask(rooms, client, Question::Command(command));
}

fn say(rooms: &mut Rooms<usize>, client: usize, text: &str) {
    rooms.apply(
        NOW,
        client as ClientId,
        &client,
        Event::Say(Talk { text: text.to_owned(), lines: 1 }),
    );
}

/// What each client reads now, answers among the rest, in the order of the clients.
fn read(rooms: &mut Rooms<usize>) -> Vec<(usize, String)> {
    let mut read = Vec::new();
    rooms.flush(|&client, delivery| {
        let answer = delivery.answer.map(|answer| answer.text).unwrap_or_default();
        let parts =
            [delivery.before.concat(), answer.into_bytes(), delivery.after.concat()].concat();
        read.push((client, String::from_utf8(parts).unwrap()));
    });
    read.sort();
    read.retain(|(_, text)| !text.is_empty());
    read
}

fn written(rooms: &mut Rooms<usize>, outcome: Written) {
    rooms.written(outcome);
    assert!(!rooms.go_on(NOW, usize::MAX));
}

fn write(rooms: &mut Rooms<usize>) -> Vec<What> {
    let records = rooms.take_records();
    written(rooms, Ok(()));
    records.into_iter().map(|record| record.what).collect()
}

#[test]
fn talk_waits_until_it_is_written_and_questions_do_not() {
    let mut rooms = rooms();
    say(&mut rooms, 0, "<alice> hi\n");
    assert_eq!(read(&mut rooms), []);
    command(&mut rooms, 1, "hands");
    assert_eq!(read(&mut rooms), [(1, "*** No hand is up in lobby.\n".to_owned())]);
    assert!(
        matches!(&write(&mut rooms)[..], [What::Said { id: 1, text, .. }] if text == "<alice> hi\n")
    );
    assert_eq!(read(&mut rooms), [(1, "<alice> hi\n".to_owned())]);
    assert!(!rooms.holds_any() && rooms.held.bytes == 0);
}

#[test]
fn nobody_overtakes_himself() {
    let mut rooms = rooms();
    say(&mut rooms, 0, "<alice> hi\n");
    rooms.take_records();
    say(&mut rooms, 0, "<alice> there\n");
    command(&mut rooms, 0, "hands");
    written(&mut rooms, Ok(()));
    assert_eq!(read(&mut rooms), [(1, "<alice> hi\n".to_owned())]);
    write(&mut rooms);
    let both = [(0, "*** No hand is up in lobby.\n".to_owned()), (1, "<alice> there\n".to_owned())];
    assert_eq!(read(&mut rooms), both);
}

#[test]
fn what_could_not_be_written_is_shown_and_what_was_promised_is_not() {
    let mut rooms = rooms();
    say(&mut rooms, 0, "<alice> hi\n");
    ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
    rooms.take_records();
    written(&mut rooms, Err("the disk is full.".to_owned()));
    let told = "<alice> hi\n*** Your name is not kept: the disk is full.\n";
    assert_eq!(read(&mut rooms), [(1, told.to_owned())]);
    command(&mut rooms, 0, "whois bob");
    assert!(!read(&mut rooms)[0].1.contains("Logged in"));
}

#[test]
fn who_is_sent_away_has_still_said_what_it_said() {
    let mut rooms = rooms();
    say(&mut rooms, 1, "<bob> last words\n");
    command(&mut rooms, 0, "kick bob");
    let (_, alice) = read(&mut rooms).remove(0);
    assert_eq!(alice, "*** bob left lobby (kicked by alice)\n*** bob is gone.\n");
    assert!(matches!(&write(&mut rooms)[..], [What::Said { .. }, What::Deed { .. }]));
    assert_eq!(read(&mut rooms), [(0, "<bob> last words\n".to_owned())]);
}

#[test]
fn one_who_is_sent_away_while_it_waits_is_answered() {
    let mut rooms = rooms();
    ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
    command(&mut rooms, 0, "kick bob");
    read(&mut rooms);
    write(&mut rooms);
    let mut answered = Vec::new();
    rooms.flush(|&client, delivery| answered.extend(delivery.answer.map(|_| client)));
    assert_eq!(answered, [1], "its thread would wait for ever");
}

#[test]
fn a_room_with_something_held_does_not_make_way() {
    let mut rooms = rooms();
    command(&mut rooms, 1, "join quiet");
    say(&mut rooms, 1, "<bob> hi\n");
    command(&mut rooms, 0, "kick bob");
    for i in 0..crate::core::rooms::ROOMS_MAX + 10 {
        ask(&mut rooms, 0, Question::Command(Command::Join(format!("room{i}"))));
    }
    read(&mut rooms);
    write(&mut rooms); // it would panic, or be told in another room
    read(&mut rooms);
}

#[test]
fn in_the_last_moment_nobody_waits_for_the_disk() {
    let mut rooms = rooms();
    say(&mut rooms, 0, "<alice> one\n");
    rooms.take_records(); // and they are never written
    say(&mut rooms, 0, "<alice> two\n");
    rooms.close_at_once();
    say(&mut rooms, 1, "<bob> three\n");
    ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
    let bob = read(&mut rooms).pop().unwrap().1;
    assert!(bob.starts_with("<alice> one\n<alice> two\n*** Your name is not kept"), "{bob}");
    assert!(!rooms.holds_any());
}

#[test]
fn one_address_cannot_take_all_accounts() {
    let mut rooms = rooms();
    for i in 0..crate::core::accounts::REGISTERED_A_DAY {
        ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
        write(&mut rooms);
        assert!(read(&mut rooms)[0].1.contains("is yours"), "{i}");
        ask(&mut rooms, 1, Question::Unregister);
        write(&mut rooms);
        read(&mut rooms);
    }
    ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
    assert!(read(&mut rooms)[0].1.contains("registered from your address today"));
}

#[test]
fn what_a_stranger_could_not_leave_does_not_count() {
    let mut rooms = rooms();
    let carol = Account { id: 2, name: "carol".to_owned(), is_admin: false, since: NOW, mail: 0 };
    rooms.remember(Remembered { accounts: vec![carol], ..Remembered::default() });
    for _ in 0..crate::core::mail::GUEST_MAIL_MAX + 1 {
        command(&mut rooms, 1, "msg carol hello");
        rooms.take_records();
        written(&mut rooms, Err("the disk is full.".to_owned()));
        assert_eq!(
            read(&mut rooms)[0].1,
            "*** carol is away, and your message is not kept: the disk is full.\n"
        );
    }
}

#[test]
fn a_memory_that_is_back_may_know_more_than_the_rooms() {
    let mut rooms = rooms();
    say(&mut rooms, 0, "<alice> hi\n");
    write(&mut rooms);
    read(&mut rooms);
    assert_eq!(asks(&mut rooms, 1, "history"), None);
    rooms.memory_is_back(None);
    assert!(asks(&mut rooms, 1, "history").is_some());
}

#[test]
fn too_much_is_told_to_the_driver() {
    let mut rooms = rooms();
    while !rooms.holds_much() {
        say(&mut rooms, 0, &format!("<alice> {}\n", "x".repeat(1000)));
    }
    assert!((50..70).contains(&rooms.held.queue.len()));
    write(&mut rooms);
    assert!(!rooms.holds_much());
}

#[test]
fn what_is_written_is_shown_in_batches_of_a_size() {
    let mut rooms = rooms();
    for i in 0..10 {
        say(&mut rooms, 0, &format!("<alice> {i}\n"));
    }
    rooms.take_records();
    rooms.written(Ok(()));
    let mut batches = Vec::new();
    loop {
        let is_more = rooms.go_on(NOW, 30);
        batches.extend(read(&mut rooms).into_iter().map(|(_, text)| text.lines().count()));
        if !is_more {
            break;
        }
    }
    assert_eq!(batches, [3, 3, 3, 1]);
}

#[test]
fn what_is_shown_in_haste_at_the_end_is_still_to_be_written() {
    let mut rooms = rooms();
    say(&mut rooms, 0, "<alice> one\n");
    rooms.take_records(); // and the disk does not answer
    say(&mut rooms, 0, "<alice> two\n");
    ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
    rooms.close_at_once();
    let why = "*** Your name is not kept: the server stops, and the disk has not answered.\n";
    assert_eq!(read(&mut rooms), [(1, format!("<alice> one\n<alice> two\n{why}"))]);
    assert!(matches!(&write(&mut rooms)[..], [What::Said { text, .. }] if text == "<alice> two\n"));
}

#[test]
fn a_ban_that_is_not_written_yet_outlives_what_another_process_changes() {
    let mut rooms = rooms();
    let alice = Account { id: 1, name: "alice".to_owned(), is_admin: true, since: NOW, mail: 0 };
    let as_written = Remembered { accounts: vec![alice], ..Remembered::default() };
    let bans = |rooms: &mut Rooms<usize>| {
        command(rooms, 0, "bans");
        read(rooms).remove(0).1
    };
    command(&mut rooms, 0, "ban mallory");
    read(&mut rooms);
    rooms.remember(as_written.clone());
    assert!(bans(&mut rooms).contains("mallory"));
    rooms.take_records();
    rooms.remember(as_written);
    assert!(bans(&mut rooms).contains("mallory"));
    command(&mut rooms, 0, "unban mallory");
    let sanction = Sanction {
        kind: SanctionKind::Ban,
        subject: Subject::Name("mallory".to_owned()),
        until: None,
        by: "alice".to_owned(),
        why: None,
    };
    rooms.remember(Remembered { sanctions: vec![sanction], ..Remembered::default() });
    assert!(
        rooms.sanctioning().count() == 2
            && !format!("{:?}", rooms.list_sanctions()).contains("mallory")
    );
}

#[test]
fn nobody_logs_in_to_a_name_that_is_banned() {
    let mut rooms = rooms();
    let carol = Account { id: 2, name: "carol".to_owned(), is_admin: false, since: NOW, mail: 0 };
    let alice = Account { id: 1, name: "alice".to_owned(), is_admin: true, since: NOW, mail: 0 };
    rooms.remember(Remembered { accounts: vec![alice, carol], ..Remembered::default() });
    command(&mut rooms, 0, "ban carol");
    read(&mut rooms);
    ask(&mut rooms, 1, Question::LogIn(Login { account: 2, private: Vec::new() }));
    assert_eq!(read(&mut rooms), [(1, "*** The name carol is banned by alice.\n".to_owned())]);
}

#[test]
fn another_files_account_of_the_same_number_is_nobodys_here() {
    let mut rooms = rooms();
    let mallory =
        Account { id: 1, name: "mallory".to_owned(), is_admin: true, since: NOW, mail: 0 };
    rooms.remember(Remembered { accounts: vec![mallory], ..Remembered::default() });
    command(&mut rooms, 0, "bans");
    assert_eq!(read(&mut rooms), [(0, "*** That is for administrators.\n".to_owned())]);
}

/// The question that a newcomer's backlog, or a history, carries along.
fn asks(rooms: &mut Rooms<usize>, client: usize, line: &str) -> Option<Query> {
    command(rooms, client, line);
    let mut asked = None;
    rooms.flush(|_, delivery| {
        asked = delivery.answer.and_then(|a| a.recall?.query).or(asked.take())
    });
    asked
}

#[test]
fn a_room_that_made_way_has_all_its_past_when_it_comes_back_and_none_of_the_present() {
    let mut rooms = rooms();
    command(&mut rooms, 0, "msg bob psst"); // line 1
    write(&mut rooms);
    say(&mut rooms, 0, "<alice> hi\n"); // line 2
    write(&mut rooms);
    read(&mut rooms);
    let backlog = asks(&mut rooms, 1, "join old").unwrap(); // it was there before, for all that is known
    assert!(matches!(backlog, Query::Older { before: 3, account: None, .. }), "{backlog:?}");
    let history = asks(&mut rooms, 1, "history").unwrap();
    assert!(matches!(history, Query::Older { before: 3, .. }), "{history:?}");
}

#[test]
fn a_ban_is_noted_and_lifted_in_whatever_case_it_is_written() {
    let mut rooms = rooms();
    command(&mut rooms, 0, "ban Mallory 1h");
    command(&mut rooms, 0, "unban mallory");
    let whats = write(&mut rooms);
    let lifted = What::Lifted(SanctionKind::Ban, Subject::Name("Mallory".to_owned()));
    assert!(whats.contains(&lifted), "{whats:?}");
}
