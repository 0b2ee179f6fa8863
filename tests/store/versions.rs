//! Files of earlier versions: today's store finds everything in them.

use crate::*;
use chatd::core::record::{Sanction, SanctionKind, Subject};

/// What is in `fixtures/version-1.db`, which `fixtures/README.md` tells of.
const VERSION_1: &[u8] = include_bytes!("fixtures/version-1.db");

/// When alice said the first line; the others' times are microseconds after it.
const FIRST_LINE: i64 = 1_795_800_838_975_829;

fn after_first_line(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(FIRST_LINE + micros).unwrap()
}

#[test]
fn nothing_in_a_file_of_version_1_is_lost() {
    let folder = Folder::new();
    std::fs::write(folder.database(), VERSION_1).unwrap();
    let mut store = folder.open();
    let (alice, bob) = (owner("alice", 1), owner("Bob", 2));

    let snapshot = store.remembered(9, 9).unwrap();
    let account = |id, name: &str, is_admin, since, mail| Account {
        id,
        name: name.to_owned(),
        is_admin,
        since: after_first_line(since),
        mail,
    };
    assert_eq!(
        snapshot.accounts,
        [account(1, "alice", true, -2_906_432, 0), account(2, "Bob", false, -2_302_521, 2)]
    );
    assert_eq!((snapshot.last_line, snapshot.last_account), (12, 2));
    for (account, hash) in [
        (1, "cdFTDRLsV/E+BvJTt6EFSg$ZDKmRfZDGb4i3ZASa8A5oQCkVvpp7a0sUvchqP7ebjM"),
        (2, "Pcb0FK4vMRX4NjWTDunD5g$OLynKAAY4Lp0WJ93IY/ACmEYDHUtj1olrG2fsaHltcU"),
    ] {
        let hash = PasswordHash(format!("$argon2id$v=19$m=19456,t=2,p=1${hash}"));
        let found = store.find(&Query::Password(account)).unwrap();
        assert!(found == Found::Password(Some(hash)), "account {account}");
    }

    let rooms = snapshot.rooms.iter().map(|room| (room.name.as_str(), room.topic.clone()));
    let topic = |text: &str, by: &Party| Some((text.to_owned(), by.clone()));
    assert_eq!(
        rooms.collect::<Vec<_>>(),
        [
            ("lobby", topic("Threads, one per client", &alice)),
            ("math", topic("sums and products", &bob))
        ]
    );
    let lobby = lines(&mut store, &older("lobby", None, 9));
    assert_eq!(snapshot.rooms[0].lines, lobby);
    assert_eq!(
        lobby.iter().map(|line| (line.id, line.text.as_str())).collect::<Vec<_>>(),
        [
            (1, "<alice> good morning\n"),
            (2, "<Bob> hello, déjà vu?\n"),
            (3, "* alice waves\n"),
            (4, "<eve> I am a guest\n"),
            (5, "*** Announcement by alice: the exam begins at ten\n"),
            (12, "<alice> last words\n")
        ]
    );
    assert_eq!((lobby[0].at, lobby[5].at), (after_first_line(0), after_first_line(6_307_259)));
    assert_eq!(texts(&mut store, &older("math", None, 9)), ["<Bob> two and two is four"]);
    assert_eq!(texts(&mut store, &search("lobby", None, "deja")), ["<Bob> hello, déjà vu?"]);

    let mail = ["[from alice] read chapter three", "[from eve] I have your book"];
    assert_eq!(texts(&mut store, &Query::Mail(2)), mail);
    let private = |account| Query::Private { account, most: 9 };
    assert_eq!(
        texts(&mut store, &private(1)),
        [
            "[from Bob] psst",
            "[to Bob] what?",
            "[from eve] from a guest to you",
            "[to Bob] read chapter three"
        ]
    );
    assert_eq!(
        texts(&mut store, &private(2)),
        [&["[to alice] psst", "[from alice] what?"], &mail[..]].concat()
    );

    let sanction = |kind, subject, until: Option<i64>, why: &str| Sanction {
        kind,
        subject,
        until: until.map(after_first_line),
        by: "alice".to_owned(),
        why: Some(why.to_owned()),
    };
    let ten_years = 315_360_000_000_000 + 5_105_976;
    let mut sanctions = vec![
        sanction(SanctionKind::Ban, Subject::Address("192.0.2.7".into()), None, "an attack"),
        sanction(SanctionKind::Ban, Subject::Name("mallory".into()), None, "rude words"),
        sanction(SanctionKind::Mute, Subject::Name("trudy".into()), Some(ten_years), "too loud"),
    ];
    sanctions.retain(|sanction| sanction.until.is_none_or(|until| until > Timestamp::now()));
    assert_eq!(snapshot.sanctions, sanctions);

    let sqlite = folder.sqlite();
    let mut statement = sqlite.prepare("SELECT by || ' ' || what FROM deed ORDER BY id").unwrap();
    let audit = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(
        audit.map(Result::unwrap).collect::<Vec<_>>(),
        [
            "alice announced: the exam begins at ten",
            "alice banned mallory: rude words",
            "alice muted trudy until 2036-11-24 17:34: too loud",
            "alice banned 192.0.2.7: an attack",
            "alice kicked eve: you were warned"
        ]
    );
}
