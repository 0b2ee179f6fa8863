//! Bans and mutes: for whom they hold, on every path, and for whom they do not.

use super::*;
use crate::core::{
    name::Name,
    record::{Sanction, SanctionKind, Target},
};

const DAVE: ClientId = 4;
/// Boss is a second administrator, who is here as chief.
const BOSS: ClientId = 5;
const BOSSES: AccountId = AccountId(9);

const OTHER: &str = "198.51.100.4";
const MUTED: &str = "*** You are muted by alice until 1970-01-01 01:00.";

/// Comes in from another address than alice's and bob's.
fn enter_from(address: &str, name: &str, account: Option<AccountId>) -> Question {
    let Question::Enter(mut entry) = enter(name, account) else { unreachable!() };
    entry.address = address.parse().unwrap();
    Question::Enter(entry)
}

fn log_in(account: AccountId) -> Question {
    Question::LogIn(Login { account, private: Vec::new() })
}

/// These accounts exist; those of the given administrators are administrators'.
fn accounts(administrators: &[AccountId]) -> Snapshot {
    let names = [(ALICES, "alice"), (ZOES, "zoe"), (BOSSES, "boss")];
    let accounts = names.map(|(id, name)| account(id, name, administrators.contains(&id)));
    Snapshot { accounts: accounts.into(), last_account: BOSSES, ..Snapshot::default() }
}

/// Alice and boss, who is called chief, are administrators; zoe is called kurt; bob has no account.
/// All but alice and bob come from elsewhere.
fn five() -> Conversation {
    let mut chat = Conversation::new();
    chat.chat.restore(accounts(&[ALICES, BOSSES]));
    chat.asks(CAROL, enter_from(OTHER, "zoe", Some(ZOES)));
    chat.types(CAROL, "/nick kurt");
    chat.asks(BOSS, enter_from(OTHER, "boss", Some(BOSSES)));
    chat.types(BOSS, "/nick chief");
    chat.finishes();
    chat.forgets();
    chat
}

impl Conversation {
    /// What a client reads in answer to a question of their session's.
    fn is_answered(&mut self, client: ClientId, question: Question) -> String {
        self.forgets();
        self.asks(client, question);
        self.finishes();
        self.reads(client)
    }
}

// --- For whom it holds ---

#[test]
fn a_mute_of_somebody_with_an_account_is_the_accounts() {
    for typed in ["zoe", "kurt", "ZOE", "Kurt", "@zoe"] {
        let mut chat = five();
        chat.types(ALICE, &format!("/mute {typed} 1h"));
        let changes = chat.finishes();
        let zoes = Target::Name("zoe".to_owned());
        let is_zoes = |it: &Change| matches!(it, Change::Sanctioned(it) if it.target == zoes);
        assert!(changes.iter().any(is_zoes), "{typed}: {changes:?}");
        chat.forgets();
        chat.says(CAROL, "<kurt> hi");
        chat.finishes();
        for command in ["/nick max", "/msg bob hi", "/topic hi", "/away hi", "/ask hi", "/hand"] {
            assert_eq!(chat.is_told(CAROL, command), format!("{MUTED}\n"), "{command}");
        }
        assert_eq!(chat.reads(BOB), "");
        // In another connection it holds as well, and whoever comes is told.
        let told = chat.is_answered(DAVE, enter("zoe", Some(ZOES)));
        assert!(told.starts_with(&format!("{MUTED}\n*** You are in lobby")), "{told}");
        let told = chat.is_told(ALICE, "/unmute zoe");
        assert!(told.ends_with("*** zoe is muted no longer.\n"), "{told}");
        chat.says(DAVE, "<zoe> hi");
        chat.finishes();
        assert_eq!(chat.reads(BOB), "<zoe> hi\n");
    }
}

#[test]
fn a_ban_of_somebody_with_an_account_is_the_accounts() {
    for typed in ["zoe", "kurt", "ZOE", "Kurt", "@kurt"] {
        let mut chat = five();
        let told = chat.is_told(ALICE, &format!("/ban {typed}"));
        let answer = "*** kurt (logged in as zoe) is banned for ever; 1 sent away.\n";
        assert!(told.ends_with(answer), "{typed}: {told}");
        assert!(chat.closed.contains_key(&CAROL));
        assert!(chat.is_told(ALICE, "/bans").contains("   zoe "));
        let told = chat.is_answered(DAVE, enter("zoe", None));
        assert_eq!(told, "(you are banned by alice.)\n");
        let told = chat.is_answered(BOB, log_in(ZOES));
        assert_eq!(told, "*** The name zoe is banned by alice.\n");
        assert!(chat.is_told(BOB, "/nick kurt").contains("You are now kurt"), "that is another");
        assert_eq!(chat.is_told(ALICE, "/unban zoe"), "*** zoe is banned no longer.\n");
    }
}

#[test]
fn a_guests_mute_holds_for_the_connection_whatever_it_is_called() {
    let mut chat = five();
    let told = chat.is_told(ALICE, "/mute bob 1h");
    let answer = "*** bob is muted until 1970-01-01 01:00.\n*** bob has no account, and can come again \
                  under another name. /ban 192.0.2.7 keeps everybody out who comes from there.\n";
    assert_eq!(told, answer);
    assert_eq!(chat.is_told(BOB, "/nick max"), format!("{MUTED}\n"));
    assert_eq!(chat.is_answered(BOB, log_in(ZOES)), format!("{MUTED}\n"));
    assert!(chat.is_told(BOB, "/whoami").contains("You are bob: not registered."));
    chat.types(ALICE, "/join math");
    chat.finishes();
    assert!(chat.is_told(BOB, "/join math").contains("You are in math"));
    assert_eq!(chat.is_told(BOB, "/msg alice hi"), format!("{MUTED}\n"));
    // To have one's name registered ends nothing.
    assert!(chat.is_answered(BOB, register()).contains("bob is yours"));
    assert_eq!(chat.is_told(BOB, "/nick max"), format!("{MUTED}\n"));
    // Nor does it to give the account up, or to lose it.
    assert!(chat.is_answered(BOB, Question::Unregister).contains("are deleted"));
    assert_eq!(chat.is_told(BOB, "/nick max"), format!("{MUTED}\n"));
}

#[test]
fn who_is_muted_and_loses_the_account_stays_muted() {
    for typed in ["zoe", "kurt"] {
        let mut chat = five();
        chat.types(ALICE, &format!("/mute {typed} 1h"));
        let mute = chat.finishes().into_iter().find_map(|change| match change {
            Change::Sanctioned(sanction) => Some(sanction),
            _ => None,
        });
        let Snapshot { accounts, last_account, .. } = accounts(&[ALICES, BOSSES]);
        let accounts = accounts.into_iter().filter(|account| account.id != ZOES).collect();
        let sanctions = mute.into_iter().collect();
        chat.chat.restore(Snapshot { accounts, sanctions, last_account, ..Snapshot::default() });
        assert!(chat.is_told(CAROL, "/whoami").contains("You are kurt: not registered."));
        assert_eq!(chat.is_told(CAROL, "/topic hi"), format!("{MUTED}\n"));
        let told = chat.is_told(ALICE, "/unmute kurt");
        assert_eq!(told, "*** kurt is muted no longer.\n");
        assert!(chat.is_told(CAROL, "/topic hi").contains("is now: hi"));
    }
}

#[test]
fn nobody_takes_the_name_of_somebody_muted_and_cannot_give_it_back() {
    let mut chat = five();
    chat.types(ALICE, "/mute eve");
    chat.finishes();
    assert_eq!(chat.is_told(BOB, "/nick eve"), "*** The name eve is muted by alice.\n");
    let told = chat.is_answered(DAVE, enter("Eve", None));
    assert!(told.starts_with("*** You are muted by alice.\n"), "{told}");
}

// --- For whom it does not ---

#[test]
fn administrators_are_not_banned_and_not_muted() {
    let mut chat = five();
    for (command, told) in [
        ("/mute alice", "You cannot mute yourself."),
        ("/ban Alice 1h", "You cannot ban yourself: /quit leaves."),
        ("/kick @alice", "You cannot kick yourself: /quit leaves."),
        (
            "/mute chief 5m",
            "chief (logged in as boss) is an administrator, and administrators are not muted.",
        ),
        (
            "/mute BOSS",
            "chief (logged in as boss) is an administrator, and administrators are not muted.",
        ),
        (
            "/ban boss 5m",
            "chief (logged in as boss) is an administrator, and administrators are not banned.",
        ),
    ] {
        assert_eq!(chat.is_told(ALICE, command), format!("*** {told}\n"), "{command}");
    }
    chat.types(ALICE, "/nick al");
    chat.finishes();
    assert_eq!(chat.is_told(ALICE, "/mute alice"), "*** You cannot mute yourself.\n");
    chat.departs(BOSS, CloseReason::Closed);
    for command in ["/mute boss", "/ban Boss"] {
        let told = chat.is_told(ALICE, command);
        assert!(told.contains("*** boss is an administrator, and"), "{command}: {told}");
    }
    assert_eq!(chat.is_told(ALICE, "/bans"), "*** Nobody is banned or muted.\n");
}

#[test]
fn a_sanction_that_stands_holds_for_nobody_while_they_are_an_administrator() {
    let mut chat = five();
    for (kind, name) in [(SanctionKind::Mute, "zoe"), (SanctionKind::Ban, "zoe")] {
        let command = if kind == SanctionKind::Mute { "mute" } else { "ban" };
        chat.types(ALICE, &format!("/{command} eve"));
        let sanction = Sanction {
            kind,
            target: Target::Name(name.to_owned()),
            until: None,
            by: "alice".to_owned(),
            why: None,
        };
        let sanctions = vec![sanction];
        chat.finishes();
        chat.chat.restore(Snapshot { sanctions: sanctions.clone(), ..accounts(&[ALICES, ZOES]) });
        chat.forgets();
        chat.says(CAROL, "<kurt> hi");
        chat.finishes();
        assert_eq!(chat.reads(BOB), "<@kurt> hi\n", "promoted");
        assert_eq!(chat.is_answered(DAVE, enter("zoe", None)), "(password of 2?)\n");
        chat.chat.restore(Snapshot { sanctions, ..accounts(&[ALICES]) });
        chat.forgets();
        chat.says(CAROL, "<kurt> hi");
        chat.finishes();
        match kind {
            SanctionKind::Mute => assert_eq!(
                chat.reads(CAROL),
                "*** You are muted by alice. That was not said.\n",
                "demoted"
            ),
            SanctionKind::Ban => {
                let told = chat.is_answered(DAVE, enter("zoe", None));
                assert_eq!(told, "(you are banned by alice.)\n");
            }
        }
    }
}

#[test]
fn of_a_banned_address_administrators_alone_get_in_on_every_path() {
    let banned = "(you are banned by alice.)\n";
    // Who comes from the banned address: under this name, with the password of this account.
    let paths = [
        ("eve", None, banned),
        ("zoe", None, banned),
        ("zoe", Some(ZOES), banned),
        ("boss", None, "(password of 9?)\n"),
        ("BOSS", Some(BOSSES), "You are in lobby"),
    ];
    for (name, login, told) in paths {
        for reserve_of in [None, Some(1)] {
            let mut chat = five();
            chat.departs(BOSS, CloseReason::Closed);
            let sanctions = vec![Sanction {
                kind: SanctionKind::Ban,
                target: Target::Address(OTHER.to_owned()),
                until: None,
                by: "alice".to_owned(),
                why: None,
            }];
            chat.finishes();
            chat.chat.restore(Snapshot { sanctions, ..accounts(&[ALICES, BOSSES]) });
            let Question::Enter(mut entry) = enter_from(OTHER, name, login) else { unreachable!() };
            entry.reserve_of = reserve_of;
            let read = chat.is_answered(DAVE, Question::Enter(entry));
            let is_full = reserve_of.is_some() && name != "boss" && name != "BOSS";
            let told = if is_full { "(the only place is taken)\n" } else { told };
            assert!(read.contains(told), "{name} {login:?} {reserve_of:?}: {read}");
        }
    }
}

#[test]
fn of_a_banned_name_the_administrator_alone_gets_in_on_every_path() {
    let mut chat = five();
    chat.departs(BOSS, CloseReason::Closed);
    let ban = |name: &str| Sanction {
        kind: SanctionKind::Ban,
        target: Target::Name(name.to_owned()),
        until: None,
        by: "alice".to_owned(),
        why: None,
    };
    let sanctions = vec![ban("Boss"), ban("zoe")];
    chat.chat.restore(Snapshot { sanctions, ..accounts(&[ALICES, BOSSES]) });
    for (question, told) in [
        (enter("zoe", None), "(you are banned by alice.)\n"),
        (enter("zoe", Some(ZOES)), "(you are banned by alice.)\n"),
        (enter("boss", None), "(password of 9?)\n"),
        (enter("boss", Some(ZOES)), "(you are banned by alice.)\n"),
        (enter("boss", Some(BOSSES)), "You are in lobby"),
    ] {
        let read = chat.is_answered(DAVE, question);
        assert!(read.contains(told), "{told}: {read}");
    }
    assert!(chat.is_answered(BOB, log_in(ZOES)).contains("*** The name zoe is banned by alice.\n"));
    assert!(chat.is_answered(BOB, log_in(BOSSES)).contains("*** You are logged in.\n"));
}

#[test]
fn a_ban_of_an_address_sends_no_administrator_away() {
    let mut chat = five();
    let told = chat.is_told(ALICE, &format!("/ban {OTHER}"));
    assert!(told.ends_with(&format!("*** {OTHER} is banned for ever; 1 sent away.\n")), "{told}");
    assert_eq!(chat.closed.keys().collect::<Vec<_>>(), [&CAROL]);
}

// --- Look-alikes ---

#[test]
fn look_alikes_of_a_name_are_one_target_and_none_is_left_in_the_file() {
    let rule = NameRule::Unicode;
    let spellings = ["carol", "c\u{430}rol", "CAROL", "ca\u{433}ol", "c\u{430}r\u{43e}l"];
    let check = |name: &str| rule.check(name, "name").unwrap();
    let is_one = |name: &Name| name.key() == check("carol").key();
    let spellings: Vec<&str> = spellings.into_iter().filter(|name| is_one(&check(name))).collect();
    assert!(spellings.len() >= 4, "{spellings:?}");
    let config = RoomsConfig {
        backlog_lines: 0,
        names: rule,
        anonymous: false,
        has_code: false,
        zone: TimeZone::UTC,
        keeps_talk: true,
        epoch: 7,
        history_days: None,
        history_max: None,
    };
    let mut chat = Conversation::with(config);
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    chat.finishes();
    // What the file has, by kind and spelling in lower case.
    let mut file = BTreeMap::<String, Sanction>::new();
    let write = |changes: Vec<Change>, file: &mut BTreeMap<String, Sanction>| {
        for change in changes {
            match change {
                Change::Sanctioned(it) => {
                    let Target::Name(name) = it.target.clone() else { unreachable!() };
                    file.insert(name.to_lowercase(), it);
                }
                Change::SanctionLifted(_, Target::Name(name)) => {
                    file.remove(&name.to_lowercase());
                }
                _ => {}
            }
        }
    };
    for spelling in &spellings {
        chat.types(ALICE, &format!("/ban {spelling} 1h"));
        write(chat.finishes(), &mut file);
        assert_eq!(file.len(), 1, "{spelling}: {file:?}");
    }
    chat.types(ALICE, "/unban carol");
    write(chat.finishes(), &mut file);
    assert!(file.is_empty(), "{file:?}");
    // A file of an earlier version has two.
    let two = spellings[..2].iter().map(|name| Sanction {
        kind: SanctionKind::Ban,
        target: Target::Name((*name).to_owned()),
        until: None,
        by: "alice".to_owned(),
        why: None,
    });
    let sanctions: Vec<Sanction> = two.collect();
    sanctions.iter().for_each(|it| write(vec![Change::Sanctioned(it.clone())], &mut file));
    chat.chat.restore(Snapshot { sanctions, ..snapshot() });
    chat.types(ALICE, "/unban carol");
    write(chat.finishes(), &mut file);
    assert!(file.is_empty(), "{file:?}");
}

#[test]
fn a_ban_holds_for_an_administrator_who_gives_the_account_up() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/ban 192.0.2.7");
    chat.types(ALICE, "/ban 192.0.2.7");
    chat.finishes();
    chat.forgets();
    assert!(chat.closed.remove(&BOB).is_some() && chat.closed.is_empty());
    chat.asks(ALICE, Question::Unregister);
    chat.finishes();
    chat.ends_batch();
    assert!(chat.reads(ALICE).starts_with("*** Your account and its mailbox are deleted."));
    assert!(matches!(chat.closed.get(&ALICE), Some(CloseReason::Banned(_))));
}
