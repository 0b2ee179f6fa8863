//! The table of commands.

use super::*;
use crate::core::{
    commands::row::{Run, Who},
    hazard::{HAZARDS, Hazard},
    notice::Refusal,
    rooms::ROOMS_MAX,
};
use std::collections::BTreeSet;

fn tables() -> [Table; 2] {
    [false, true].map(|demo| Table { demo, ..Table::default() })
}

#[test]
fn every_command_has_a_name_of_its_own_and_a_word_about_it() {
    let rows: Vec<_> = Table { demo: true, ..Table::default() }.rows().collect();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len());
    for row in rows {
        assert!(
            row.name.bytes().all(|b| b.is_ascii_lowercase()) && !row.does.is_empty(),
            "{}",
            row.name
        );
        assert_eq!(row.example.is_empty(), row.arguments.is_empty(), "/{}: an example", row.name);
        assert!(
            row.who != Who::Administrators || matches!(row.run, Run::Rooms(_)),
            "/{}: who may is asked there",
            row.name
        );
    }
}

#[test]
fn a_command_is_found_in_whatever_case_and_its_arguments_are_trimmed() {
    let table = Table::default();
    for (line, name, arguments) in [
        ("help", "help", ""),
        ("HELP nick", "help", "nick"),
        ("msg bob  hi  there ", "msg", "bob  hi  there"),
        ("quiet\ton", "quiet", "on"),
    ] {
        let (row, rest) = table.find(line).ok().unwrap();
        assert_eq!((row.name, rest), (name, arguments), "{line:?}");
    }
    for (line, sentence) in [
        ("helo", "There is no command /helo. Did you mean /help?"),
        ("quti", "There is no command /quti. Did you mean /quit?"),
        ("serach x", "There is no command /serach. Did you mean /search?"),
        ("hist", "There is no command /hist. Did you mean /history?"),
        ("xyzzy", "There is no command /xyzzy. /help lists them."),
        (
            "etc/passwd",
            "There is no command /etc/passwd. To say a line that begins with a slash, type one more in front: //TEXT says /TEXT.",
        ),
        (
            "home/bob/quit is mine",
            "There is no command /home/bob/quit. To say a line that begins with a slash, type one more in front: //TEXT says /TEXT.",
        ),
        (
            "s/teh/the/",
            "There is no command /s/teh/the/. To say a line that begins with a slash, type one more in front: //TEXT says /TEXT.",
        ),
        ("who/", "There is no command /who/. Did you mean /who?"),
        ("", "There is no command /. /help lists them."),
        (" help", "There is no command /. /help lists them."),
    ] {
        assert_eq!(table.find(line).err().as_deref(), Some(sentence), "{line:?}");
    }
}

#[test]
fn crash_and_demo_are_commands_of_a_demonstration_alone() {
    for name in ["crash", "demo"] {
        let [usual, demo] = tables().map(|table| table.find(name).map(|(row, _)| row.name));
        assert_eq!(usual.unwrap_err(), format!("There is no command /{name}. /help lists them."));
        assert_eq!(demo.unwrap(), name);
    }
}

#[test]
fn every_hazard_has_a_question_with_three_answers() {
    let names: BTreeSet<&str> = HAZARDS.iter().map(|hazard| hazard.name).collect();
    assert_eq!(names.len(), HAZARDS.len());
    for hazard in &HAZARDS {
        assert!(hazard.question.ends_with('?') && hazard.right < hazard.answers.len());
        assert!(!names.contains("ask") && !names.contains("stop"));
        assert_eq!(Hazard::named(&hazard.name.to_uppercase()), Some(hazard));
        assert!(hazard.seconds <= 60 && hazard.clients <= 100, "{}", hazard.name);
        assert_eq!(hazard.does.contains("{}"), !hazard.choices.is_empty(), "{}", hazard.name);
    }
}

#[test]
fn wrong_arguments_are_answered_with_the_usage() {
    let mut chat = Conversation::new();
    for (typed, usage) in [
        ("/msg bob", "/msg NAME TEXT"),
        ("/msg", "/msg NAME TEXT"),
        ("/reply", "/reply TEXT"),
        ("/nick", "/nick NAME"),
        ("/join", "/join ROOM"),
        ("/search", "/search WORDS"),
        ("/history since noon", "/history [N|2h|since TIME]"),
        ("/history bob", "/history [N|2h|since TIME]"),
        ("/echo loudly", "/echo [on|off]"),
        ("/who cares", "/who"),
        ("/kick", "/kick NAME [WHY]"),
        ("/unmute", "/unmute NAME"),
    ] {
        assert_eq!(chat.is_told(ALICE, typed), format!("*** Like this: {usage}\n"), "{typed}");
    }
    assert_eq!(chat.is_told(BOB, "/wo"), "*** There is no command /wo. Did you mean /who?\n");
    assert_eq!(chat.is_told(BOB, "/help"), "", "it is not the rooms'");
}

#[test]
fn what_administrators_may_do_nobody_else_may() {
    let mut chat = Conversation::new();
    let rows: Vec<_> =
        Table::default().rows().filter(|row| row.who == Who::Administrators).collect();
    assert_eq!(rows.len(), 16);
    for row in rows {
        for arguments in ["", " alice", " x"] {
            let told = chat.is_told(BOB, &format!("/{}{arguments}", row.name));
            assert_eq!(told, "*** That is for administrators.\n", "/{}", row.name);
        }
    }
    assert!(chat.closed.is_empty());
    assert_eq!(chat.logs(), ["c1 is logged in as alice, an administrator"]);
}

#[test]
fn a_refusal_is_a_sentence_or_the_usage() {
    let (row, _) = Table::default().find("kick bob").ok().unwrap();
    assert_eq!(row.usage(), "/kick NAME [WHY]");
    assert_eq!(row.refused(Refusal::Usage), "*** Like this: /kick NAME [WHY]\n");
    assert_eq!(row.refused("No.".into()), "*** No.\n");
    let (row, _) = Table::default().find("who").ok().unwrap();
    assert_eq!(row.usage(), "/who", "without a blank behind it");
}

/// Whoever asks for a list pays for it by its length (`--flood`), and others would have made it long.
#[test]
fn what_others_have_written_is_short_in_a_list() {
    let mut chat = Conversation::new();
    let (long, reason) = ("ä".repeat(400), "ü".repeat(400));
    for i in 1..ROOMS_MAX {
        chat.passes(1);
        chat.is_told(BOB, &format!("/join room{i}"));
        chat.is_told(BOB, &format!("/topic {long}"));
    }
    let rooms = chat.is_told(ALICE, "/rooms");
    assert_eq!(rooms.lines().count(), 1 + ROOMS_MAX);
    assert!(rooms.len() < 24 * 1024 && rooms.contains("ä…\n"), "{} bytes", rooms.len());
    chat.is_told(BOB, &format!("/away {reason}"));
    let who = chat.is_told(BOB, "/who");
    assert!(who.len() < 250 && who.contains("ü…\n"), "{who}");
    assert!(chat.is_told(BOB, "/topic").contains(&long), "and whole where it is asked for");
    assert!(chat.is_told(BOB, "/whois bob").contains(&reason));
}
