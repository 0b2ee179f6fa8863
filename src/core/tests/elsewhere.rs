//! What another process changes while the server runs: passwords, accounts, bans.

use super::*;
use crate::core::record::{PasswordMark, Sanction, SanctionKind, Target};

fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.to_owned())
}

/// The file, in which alice has this password.
fn file(password: &str) -> Snapshot {
    let passwords: [(AccountId, PasswordMark); 2] =
        [(ALICES, hash(password).mark()), (ZOES, hash("zoe's").mark())];
    Snapshot { passwords: passwords.into(), ..snapshot() }
}

fn set_password(password: &str, quietly: bool) -> Question {
    Question::SetPassword { hash: hash(password), quietly }
}

/// Whether a client was sent away because of a new password, and told so.
fn is_sent_away(chat: &Conversation, client: ClientId) -> bool {
    let told = chat.closed.get(&client).map(CloseReason::to_client).unwrap_or_default();
    told == "*** Hung up: the password of your account was changed. Come again with the new one.\n"
}

#[test]
fn another_password_ends_the_sessions_of_its_account_and_no_others() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("zoe", Some(ZOES)));
    chat.chat.restore(file("one"));
    chat.finishes();
    chat.forgets();
    chat.chat.restore(file("one"));
    chat.finishes();
    assert_eq!(chat.reads(ALICE), "", "it is the same");
    chat.chat.restore(file("two"));
    chat.finishes();
    assert!(is_sent_away(&chat, ALICE) && chat.closed.len() == 1, "{:?}", chat.closed);
    assert_eq!(chat.reads(BOB), "*** alice left lobby (logged out)\n");
    assert!(chat.is_told(CAROL, "/whoami").contains("logged in as zoe"));
}

/// Whether alice is still here after what is done.
fn stays(what: impl FnOnce(&mut Conversation)) {
    let mut chat = Conversation::new();
    chat.chat.restore(file("one"));
    what(&mut chat);
    chat.finishes();
    assert!(chat.closed.is_empty(), "{:?}", chat.closed);
}

#[test]
fn ones_own_new_password_ends_nothing_whenever_the_file_is_looked_at() {
    for quietly in [false, true] {
        stays(|chat| {
            chat.asks(ALICE, set_password("two", quietly));
            chat.chat.restore(file("one")); // applied, and not written
            let changes = chat.seals();
            chat.chat.restore(file("one")); // being written
            chat.chat.restore(file("two")); // written, and the outcome is not known yet
            chat.writes(&changes);
            chat.flushes();
            chat.chat.restore(file("two"));
        });
        stays(|chat| {
            for password in ["two", "three", "four"] {
                chat.asks(ALICE, set_password(password, quietly));
                chat.finishes();
            }
            chat.chat.restore(file("four"));
        });
    }
    stays(|chat| {
        chat.asks(BOB, Question::Register(hash("bob's")));
        chat.finishes();
        chat.chat.restore(file("one"));
    });
}

#[test]
fn whoever_registered_a_moment_ago_is_sent_away_too() {
    let mut chat = Conversation::new();
    chat.chat.restore(file("one"));
    chat.asks(BOB, Question::Register(hash("bob's")));
    let changes = chat.finishes();
    let Some(Change::Registered(bobs, _)) = changes.first() else { panic!("{changes:?}") };
    let mut other = file("one");
    other.accounts.push(bobs.clone());
    other.passwords.insert(bobs.id, hash("the operator's").mark());
    chat.chat.restore(other);
    chat.finishes();
    assert!(is_sent_away(&chat, BOB), "{:?}", chat.closed);
}

#[test]
fn who_comes_with_the_old_password_while_the_new_one_is_written_does_not_stay() {
    let mut chat = Conversation::new();
    chat.asks(ALICE, set_password("two", false));
    let changes = chat.seals();
    chat.asks(BOB, Question::LogIn(Login { account: ALICES, private: Vec::new() }));
    chat.writes(&changes);
    chat.flushes();
    chat.finishes();
    assert!(is_sent_away(&chat, BOB), "{:?}", chat.closed);
}

#[test]
fn whose_account_is_deleted_is_told_and_goes_on_as_a_guest() {
    let mut chat = Conversation::new();
    chat.chat.restore(Snapshot { accounts: vec![account(ZOES, "zoe", false)], ..snapshot() });
    chat.finishes();
    assert!(chat.reads(ALICE).starts_with("*** Your account is gone, deleted by the operator"));
    assert!(chat.is_told(ALICE, "/whoami").contains("not registered"));
}

#[test]
fn whom_another_process_bans_is_sent_away_and_nobody_else() {
    let ban = |target| Sanction {
        kind: SanctionKind::Ban,
        target,
        until: None,
        by: "operator".to_owned(),
        why: Some("spam".to_owned()),
    };
    let name = |name: &str| Target::Name(name.to_owned());
    let mute = |target| Sanction { kind: SanctionKind::Mute, ..ban(target) };
    let ended = |target| Sanction { until: Some(Timestamp::UNIX_EPOCH), ..ban(target) };
    for (sanction, goes) in [
        (ban(name("BOB")), true),
        (ban(Target::Address("192.0.2.7".to_owned())), true),
        (ban(name("alice")), false), // an administrator
        (ban(name("carol")), false),
        (mute(name("bob")), false),
        (ended(name("bob")), false),
        (ban(Target::Address("192.0.2.77".to_owned())), false),
    ] {
        let mut chat = Conversation::new();
        chat.chat.restore(Snapshot { sanctions: vec![sanction.clone()], ..snapshot() });
        chat.finishes();
        let told = chat.closed.get(&BOB).map(CloseReason::to_client).unwrap_or_default();
        let banned = "*** Hung up: you are banned by operator (spam).\n";
        assert_eq!(told, if goes { banned } else { "" }, "{sanction:?}");
        assert!(!chat.closed.contains_key(&ALICE), "administrators stay");
    }
}
