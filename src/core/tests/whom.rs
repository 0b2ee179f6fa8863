//! Who is told of something and who is not, and what is said of them elsewhere.

use super::{resume::with_carol, *};
use crate::core::notes::ServerFacts;

#[test]
fn a_question_and_a_raised_hand_reach_administrators_alone() {
    let mut chat = with_carol();
    chat.types(BOB, "/ask why?");
    chat.types(BOB, "/hand");
    chat.finishes();
    let told = chat.reads(ALICE);
    assert!(told.contains("why?\n") && told.ends_with("*** bob raised a hand (1 up in lobby)\n"));
    assert_eq!(chat.reads(CAROL), "");
    let told = chat.is_told(ALICE, "/hand");
    assert_eq!(told, "*** Your hand is up, number 2 in lobby. /hand lowers it.\n");
    assert_eq!(chat.reads(CAROL), "");
}

#[test]
fn an_administrator_is_called_one_and_not_counted_among_those_whom_a_ban_hits() {
    let mut chat = with_carol();
    let told = chat.is_told(BOB, "/whois alice");
    assert!(told.contains(" Administrator, logged in as alice."), "{told}");
    let told = chat.is_told(ALICE, "/ban 192.0.2.7 1h");
    assert!(told.contains(" A ban would send 2 away, "), "{told}");
}

#[test]
fn why_somebody_quits_is_told_if_they_may_speak() {
    let mut chat = with_carol();
    chat.departs(CAROL, CloseReason::Quit(Some("lunch".to_owned())));
    chat.finishes();
    assert_eq!(chat.reads(BOB), "*** carol left lobby (quit: lunch)\n");
    chat.types(ALICE, "/mute bob");
    chat.finishes();
    chat.forgets();
    chat.departs(BOB, CloseReason::Quit(Some("you are stupid".to_owned())));
    chat.finishes();
    assert_eq!(chat.reads(ALICE), "*** bob left lobby (quit)\n");
}

#[test]
fn in_a_paused_room_an_administrator_who_wants_quiet_or_ignores_them_is_not_told_who_goes() {
    for (command, is_told) in [("/back", true), ("/quiet on", false), ("/ignore carol", false)] {
        let mut chat = with_carol();
        chat.types(ALICE, "/pause");
        chat.types(ALICE, command);
        chat.finishes();
        chat.forgets();
        chat.departs(CAROL, CloseReason::Closed);
        chat.finishes();
        assert_eq!(chat.reads(ALICE).contains("carol left lobby"), is_told, "{command}");
    }
}

#[test]
fn whoever_reads_their_own_lines_has_the_time_in_front_of_them_too() {
    let mut chat = Conversation::new();
    for command in ["/timestamps on", "/echo on"] {
        chat.types(BOB, command);
    }
    chat.finishes();
    chat.forgets();
    chat.says(BOB, "<bob> hi");
    chat.finishes();
    assert_eq!((&*chat.reads(BOB), &*chat.reads(ALICE)), ("[00:00] <bob> hi\n", "<bob> hi\n"));
    chat.types(BOB, "/echo off");
    chat.finishes();
    chat.forgets();
    chat.says(BOB, "<bob> hi");
    chat.finishes();
    assert_eq!(chat.reads(BOB), "", "not even the time");
}

#[test]
fn who_is_ignored_is_the_one_who_was_here_whoever_registers() {
    for registers in [BOB, CAROL] {
        let mut chat = with_carol();
        chat.types(ALICE, "/ignore bob");
        chat.types(BOB, "/nick kurt");
        chat.asks(registers, register());
        chat.finishes();
        for (client, name) in [(BOB, "kurt"), (CAROL, "carol")] {
            chat.forgets();
            chat.departs(client, CloseReason::Closed);
            let account = (client == registers).then_some(AccountId(ZOES.0 + 1));
            chat.asks(client + 10, enter(name, account));
            chat.types(client + 10, "/nick another");
            chat.finishes();
            chat.forgets();
            chat.says(client + 10, "<another> hi");
            chat.finishes();
            let is_ignored = client == BOB && registers == BOB;
            assert_eq!(chat.reads(ALICE).is_empty(), is_ignored, "{name}");
            chat.departs(client + 10, CloseReason::Closed);
        }
    }
}

#[test]
fn an_outage_that_lost_nothing_to_come_back_to_writes_nothing_and_tells_what_is_missing() {
    let mut chat = Conversation::new();
    chat.chat.end_outage(Some((Timestamp::MIN, Timestamp::UNIX_EPOCH)));
    assert_eq!(chat.finishes(), [], "nobody has a token");
    let told = chat.reads(BOB);
    assert!(told.ends_with("what was said before 1970-01-01 00:00:00 is missing.\n"), "{told}");
}

#[test]
fn what_is_counted_for_a_batch_is_at_least_what_its_readers_get() {
    type Act = fn(&mut Conversation, &str);
    let acts: [Act; 3] = [
        |chat, text| chat.types(ALICE, &format!("/msg bob {text}")),
        |chat, text| chat.says(ALICE, &format!("<alice> {text}")),
        |chat, text| chat.types(ALICE, &format!("/nick {text}")),
    ];
    for (i, act) in acts.into_iter().enumerate() {
        for wishes_times in [false, true] {
            let mut chat = Conversation::new();
            chat.asks(
                BOB,
                Question::Notes(Some(ServerFacts { line_max: 1024, flood: None }), None),
            );
            if wishes_times {
                chat.types(BOB, "/timestamps on");
            }
            chat.finishes();
            chat.forgets();
            assert!(chat.chat.rooms.output.bytes() > 0, "a note ends each batch");
            ["a", "b", "c"].iter().for_each(|text| act(&mut chat, text));
            let counted = chat.chat.rooms.output.bytes();
            chat.ends_batch();
            let read = chat.reads(BOB);
            let read = read.len() + read.matches('\n').count(); // by telnet
            assert!(counted >= read, "{i}: {counted} are counted of {read}");
        }
    }
}
