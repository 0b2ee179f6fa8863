//! What may fail: it is reserved until it is written, and whoever asked is answered when that is
//! known.

use super::*;
use crate::core::{
    record::{ACCOUNTS_MAX, LineId, Sanction, SanctionKind, Target},
    rooms::accounts::{GUEST_MAIL_MAX, MAILBOX_MAX, REGISTERED_A_DAY, REGISTERED_BY_NEWCOMERS},
};

const FULL: &str = "the disk is full.";

impl Conversation {
    /// Ends the batch, gives each of its changes that may fail this outcome, and shows what comes
    /// of it.
    fn ends_batch_with(&mut self, outcome: Outcome) {
        let changes = self.seals();
        let may_fail = changes.iter().filter(|change| change.may_fail());
        self.settles(Ok(may_fail.map(|_| outcome.clone()).collect()));
        self.flushes();
        self.ends_batch();
    }

    fn whois(&mut self, name: &str) -> String {
        self.is_told(ALICE, &format!("/whois {name}"))
    }
}

fn fails() -> Outcome {
    Err(FULL.to_owned())
}

#[test]
fn each_is_answered_with_its_own_outcome() {
    type Case = (Question, &'static str, &'static str);
    let cases: [fn() -> Case; 4] = [
        || {
            let yours = "*** bob is yours from now on. When you come again, you are asked for your password.\n";
            (register(), yours, "*** Your name is not kept: the disk is full.\n")
        },
        || {
            let hash = PasswordHash("$".to_owned());
            let question = Question::SetPassword { hash, quietly: false };
            let (yes, no) = ("is changed.\n", "is not changed: the disk is full.\n");
            (question, yes, no)
        },
        || {
            let question = Question::DeleteMail(vec![LineId(1)]);
            (
                question,
                "*** Your mailbox is empty now.\n",
                "*** Your mail is still there: the disk is full.\n",
            )
        },
        || {
            let gone = "Your name is free when you have left.\n";
            (Question::Unregister, gone, "*** Your account is still there: the disk is full.\n")
        },
    ];
    let mut chat = Conversation::new();
    for case in cases {
        for outcome in [fails(), Ok(())] {
            let (question, yes, no) = case();
            chat.asks(BOB, question);
            chat.ends_batch_with(outcome.clone());
            let read = chat.reads(BOB);
            assert!(read.ends_with(if outcome.is_ok() { yes } else { no }), "{read}");
        }
    }
    assert_eq!(chat.answered.len(), 8);
    assert_eq!(chat.logs(), ["c1 is logged in as alice, an administrator", "c2 registered bob"]);
}

#[test]
fn the_last_account_that_there_may_be_goes_to_one_of_two_who_ask_at_once() {
    let mut chat = Conversation::new();
    let accounts =
        (3..=ACCOUNTS_MAX as i64).map(|i| account(AccountId(i), &format!("n{i}"), false));
    let alice = account(ALICES, "alice", true);
    let accounts = accounts.chain([alice]).collect();
    chat.chat.restore(Snapshot { accounts, ..Snapshot::default() });
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.forgets();
    chat.asks(BOB, register());
    chat.asks(CAROL, register());
    chat.finishes();
    assert!(chat.reads(BOB).starts_with("*** bob is yours from now on."));
    assert_eq!(chat.reads(CAROL), "*** There are 10000 accounts, which is the most.\n");
}

#[test]
fn of_several_outcomes_each_goes_to_its_client() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.forgets();
    chat.asks(BOB, register());
    chat.says(ALICE, "<alice> hi");
    chat.types(ALICE, "/msg zoe hello");
    chat.asks(CAROL, register());
    chat.seals();
    chat.settles(Ok(vec![fails(), Ok(()), Ok(())]));
    chat.flushes();
    chat.ends_batch();
    assert_eq!(chat.reads(BOB), "<@alice> hi\n*** Your name is not kept: the disk is full.\n");
    assert_eq!(chat.reads(ALICE), "*** zoe is away: your message is kept.\n");
    assert!(chat.reads(CAROL).contains("carol is yours"));
}

#[test]
fn a_password_that_is_hashed_anew_is_answered_with_nothing() {
    let mut chat = Conversation::new();
    let hash = PasswordHash("$".to_owned());
    chat.asks(ALICE, Question::SetPassword { hash, quietly: true });
    chat.ends_batch_with(fails());
    assert_eq!((chat.reads(ALICE).as_str(), chat.answered.as_slice()), ("", &[ALICE][..]));
}

#[test]
fn a_name_that_is_being_registered_can_be_had_by_nobody() {
    let mut chat = Conversation::new();
    chat.asks(BOB, register());
    chat.types(ALICE, "/kick bob");
    let changes = chat.seals();
    chat.asks(CAROL, enter("Bob", None));
    chat.types(ALICE, "/nick BOB");
    chat.settles(Ok(changes.iter().filter(|change| change.may_fail()).map(|_| fails()).collect()));
    chat.flushes();
    chat.ends_batch();
    assert_eq!(chat.reads(CAROL), "*** The name \"Bob\" is taken.\n");
    assert!(chat.reads(ALICE).ends_with("*** The name \"BOB\" is taken.\n"));
    chat.asks(CAROL, enter("Bob", None));
    chat.ends_batch();
    assert!(chat.reads(CAROL).contains("You are in lobby"), "it was not kept, and is free again");
}

#[test]
fn of_two_who_register_one_name_the_first_has_it() {
    let mut chat = Conversation::new();
    chat.asks(BOB, register());
    chat.types(ALICE, "/kick bob");
    chat.asks(CAROL, enter("bob", None)); // while it is not known whose the name is
    chat.ends_batch();
    chat.forgets();
    chat.asks(CAROL, enter("bob", None));
    chat.ends_batch();
    assert_eq!(chat.reads(CAROL), "(password of 3?)\n");
    chat.asks(CAROL, enter("carol", None));
    chat.asks(CAROL, register());
    let changes = chat.finishes();
    let [Change::Registered(account, _)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(account.id, AccountId(4), "no number is used twice");
}

#[test]
fn who_is_sent_away_while_they_wait_is_answered() {
    let mut chat = Conversation::new();
    chat.asks(BOB, register());
    chat.types(ALICE, "/kick bob");
    let changes = chat.seals();
    chat.writes(&changes);
    chat.flushes();
    assert_eq!(chat.answered, [ALICE]);
    chat.ends_batch();
    assert_eq!(chat.answered, [ALICE, BOB], "their thread would wait for ever");
    assert!(chat.reads(BOB).contains("bob is yours"));
    chat.departs(BOB, CloseReason::Kicked(String::new()));
    chat.ends_batch();
    assert_eq!(chat.chat.clients.len(), 1);
    chat.asks(CAROL, enter("bob", Some(AccountId(3))));
    chat.ends_batch();
    assert!(chat.whois("bob").contains("Logged in as bob."));
}

#[test]
fn who_left_without_waiting_for_an_outcome_harms_nobody() {
    let mut chat = Conversation::new();
    chat.asks(BOB, register());
    chat.departs(BOB, CloseReason::Closed);
    chat.finishes();
    assert_eq!((chat.answered.as_slice(), chat.chat.clients.len()), (&[BOB][..], 1));
    assert_eq!(chat.is_told(ALICE, "/hands"), "*** No hand is up in lobby.\n");
}

#[test]
fn one_address_cannot_take_all_accounts() {
    let mut chat = Conversation::new();
    for _ in 0..REGISTERED_A_DAY {
        chat.asks(BOB, register());
        chat.ends_batch_with(fails());
        chat.ends_batch();
        assert!(chat.reads(BOB).contains("the disk is full"), "that does not count");
    }
    chat.departs(ALICE, CloseReason::Closed);
    let registers = |chat: &mut Conversation, client| {
        chat.forgets();
        chat.asks(client, register());
        chat.finishes();
        chat.reads(client)
    };
    // Whoever goes on registering and unregistering uses up nothing.
    for i in 0..2 * REGISTERED_A_DAY {
        assert!(registers(&mut chat, BOB).contains("is yours"), "{i}");
        chat.asks(BOB, Question::Unregister);
        chat.finishes();
    }
    let scripts = 1_000..1_000 + u64::from(REGISTERED_BY_NEWCOMERS);
    let pupils = 2_000..2_000 + u64::from(REGISTERED_A_DAY - REGISTERED_BY_NEWCOMERS);
    for client in scripts.chain(pupils.clone()) {
        chat.asks(client, enter(&format!("n{client}"), None));
        if !pupils.contains(&client) {
            assert!(registers(&mut chat, client).contains("is yours"), "{client}");
            chat.departs(client, CloseReason::Closed);
        }
    }
    assert!(registers(&mut chat, 2_000).contains("Stay for 10 minutes"), "a newcomer");
    chat.passes(10 * 60);
    for client in pupils {
        assert!(registers(&mut chat, client).contains("is yours"), "{client}");
    }
    assert!(registers(&mut chat, BOB).contains("registered from your address today"));
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    chat.asks(BOB, register());
    chat.finishes();
    assert!(chat.reads(BOB).contains("is yours"), "the administrator is here from there");
    chat.asks(BOB, Question::Unregister);
    chat.departs(ALICE, CloseReason::Closed);
    chat.finishes();
    chat.passes(24 * 60 * 60 - 10 * 60);
    chat.asks(BOB, register());
    chat.finishes();
    assert!(chat.reads(BOB).contains("is yours"), "that was yesterday");
}

#[test]
fn what_a_guest_could_not_leave_does_not_count() {
    let mut chat = Conversation::new();
    for _ in 0..=GUEST_MAIL_MAX {
        chat.types(BOB, "/msg zoe hello");
        chat.ends_batch_with(fails());
        assert_eq!(
            chat.reads(BOB),
            "*** zoe is away, and your message is not kept: the disk is full.\n"
        );
    }
}

#[test]
fn guests_have_their_share_of_a_mailbox_once_and_not_once_for_each_start() {
    let refused = "*** zoe is away, and 50 messages wait there from people who are not registered, which is the most.\n";
    // In the file, and pending when another process changes something.
    for (in_file, pending) in [(50, 0), (49, 1), (0, 50), (20, 30)] {
        let mut chat = Conversation::new();
        let with_mail = || Snapshot { guest_mail: vec![(ZOES, in_file)], ..snapshot() };
        chat.chat.restore(with_mail());
        for _ in 0..pending {
            chat.types(BOB, "/msg zoe hi");
        }
        chat.chat.restore(with_mail());
        chat.finishes();
        assert_eq!(chat.is_told(BOB, "/msg zoe hi"), refused, "{in_file} and {pending}");
        let told = chat.is_told(ALICE, "/msg zoe hi");
        assert_eq!(told, "*** zoe is away: your message is kept.\n");
    }
}

#[test]
fn a_mailbox_is_full_of_what_is_reserved_too_and_each_kind_has_its_share() {
    let mut chat = Conversation::new();
    for _ in 0..GUEST_MAIL_MAX {
        assert_eq!(chat.is_told(BOB, "/msg zoe hi"), "*** zoe is away: your message is kept.\n");
    }
    let refused = chat.is_told(BOB, "/msg zoe hi");
    assert!(refused.contains("50 messages wait there from people who are not"), "{refused}");
    for _ in GUEST_MAIL_MAX..MAILBOX_MAX {
        chat.is_told(ALICE, "/msg zoe hi");
    }
    let refused = chat.is_told(BOB, "/msg zoe hi");
    assert!(refused.ends_with("100 messages wait there, which is the most.\n"), "{refused}");
    (0..9).for_each(|_| chat.types(ALICE, "/msg zoe from an administrator"));
    chat.types(ALICE, "/msg zoe the last");
    chat.seals();
    chat.types(ALICE, "/msg zoe one too many");
    chat.settles(Ok(vec![fails()]));
    chat.flushes();
    chat.forgets();
    chat.ends_batch();
    assert!(
        chat.reads(ALICE).contains("not kept"),
        "the answer of the two that its session would wait for"
    );
    chat.asks(CAROL, enter("zoe", Some(ZOES)));
    chat.finishes();
    assert!(chat.reads(CAROL).starts_with("*** 109 messages wait for you: /mail reads them.\n"));
    chat.asks(CAROL, Question::DeleteMail((1..=108).map(LineId).collect()));
    chat.finishes();
    assert_eq!(chat.reads(CAROL), "*** What you have read is deleted; 1 came since.\n");
}

#[test]
fn a_message_for_an_account_that_is_gone_meanwhile() {
    let mut chat = Conversation::new();
    chat.types(BOB, "/msg zoe hi");
    chat.seals();
    chat.chat.restore(Snapshot { accounts: vec![account(ALICES, "alice", true)], ..snapshot() });
    chat.settles(Ok(vec![fails()]));
    chat.flushes();
    chat.ends_batch();
    assert_eq!(chat.reads(BOB), "*** That account is gone.\n");
}

// --- A snapshot from the file ---

#[test]
fn a_ban_that_is_not_written_yet_outlives_what_another_process_changes() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/ban mallory");
    chat.chat.restore(snapshot());
    assert!(chat.chat.rooms.sanctions.list(chat.now).count() == 1, "it gathers");
    let changes = chat.seals();
    chat.chat.restore(snapshot());
    assert!(chat.chat.rooms.sanctions.list(chat.now).count() == 1, "it is sealed");
    chat.types(ALICE, "/unban mallory");
    let by_name = |name: &str| Sanction {
        kind: SanctionKind::Ban,
        target: Target::Name(name.to_owned()),
        until: None,
        by: "alice".to_owned(),
        why: None,
    };
    chat.chat
        .restore(Snapshot { sanctions: vec![by_name("mallory"), by_name("eve")], ..snapshot() });
    chat.writes(&changes);
    chat.flushes();
    chat.finishes();
    let bans = chat.is_told(ALICE, "/bans");
    assert!(bans.contains("eve") && !bans.contains("mallory"), "{bans}");
    chat.chat.restore(snapshot());
    assert_eq!(chat.is_told(ALICE, "/bans"), "*** Nobody is banned or muted.\n");
}

#[test]
fn what_is_reserved_outlives_a_snapshot() {
    let mut chat = Conversation::new();
    chat.types(BOB, "/msg zoe hi");
    let changes = chat.seals();
    chat.asks(BOB, register());
    chat.chat.restore(snapshot());
    chat.asks(CAROL, enter("zoe", Some(ZOES)));
    chat.writes(&changes);
    chat.flushes();
    let changes = chat.seals();
    chat.types(ALICE, "/nick Bob");
    chat.writes(&changes);
    chat.flushes();
    assert!(chat.reads(CAROL).starts_with("*** 1 message waits for you: /mail reads it.\n"));
    chat.ends_batch();
    assert!(chat.reads(ALICE).contains("The name \"Bob\" is taken."));
}

#[test]
fn another_files_account_of_the_same_number_is_nobodys_here() {
    let mut chat = Conversation::new();
    let mallory = account(ALICES, "mallory", true);
    chat.chat.restore(Snapshot { accounts: vec![mallory], ..Snapshot::default() });
    let told = chat.is_told(ALICE, "/bans");
    assert!(
        told.starts_with("*** Your account is gone, deleted by the operator perhaps"),
        "{told}"
    );
    assert!(told.ends_with("*** That is for administrators.\n"), "{told}");
}

#[test]
fn numbers_go_on_behind_those_of_the_file() {
    let mut chat = Conversation::new();
    chat.chat.restore(Snapshot { last_line: LineId(99), last_account: AccountId(9), ..snapshot() });
    chat.says(ALICE, "<alice> hi");
    chat.asks(BOB, register());
    let changes = chat.finishes();
    assert!(matches!(&changes[0], Change::RoomMessage { id: LineId(100), .. }), "{changes:?}");
    assert!(matches!(&changes[1], Change::Registered(account, _) if account.id == AccountId(10)));
}

#[test]
fn a_store_that_is_back_may_have_more_than_the_rooms() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> hi");
    chat.finishes();
    chat.is_told(BOB, "/history");
    assert_eq!(chat.queries, [], "the room remembers all there is");
    chat.chat.end_outage(None);
    chat.is_told(BOB, "/history");
    assert!(
        matches!(chat.queries[..], [Query::Older { before: LineId(1), .. }]),
        "{:?}",
        chat.queries
    );
}
