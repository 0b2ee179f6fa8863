//! What a search finds: in scripts without blanks, with signs, emoji; and in a file whose index is an older chatd's.

use crate::*;
use chatd::store::INDEX_CHUNK;

/// Lines of alice's, and which words find which of them.
const LINES: &str = "日本語が好きです
한국어를 공부합니다
ภาษาไทยไม่ยาก
ພາສາລາວງາມ
ភាសាខ្មែរល្អណាស់
မြန်မာစာလှတယ်
party 😀 with 👍🏽 and 🇩🇪
C++ and C# and c
.NET 3.14159 v1.2.3-rc4
한국어를
ＦＵＬＬ café
ones 1️⃣, then ❤️ and 👩‍💻
Straße, ΣΟΦΌΣ Ёлка and שָׁלוֹם مُحَمَّد أحمد
Strasse, σοφός елка and שלום محمد احمد";

const FOUND: [(&str, &[i64]); 44] = [
    ("好き", &[1]),
    ("日本*", &[1]),
    ("語が", &[1]),
    ("好本", &[]),
    ("공부", &[2]),
    ("한국어", &[2, 10]),
    ("ไทย", &[3]),
    ("ยาก ภาษา", &[3]),
    ("ไม", &[3]),
    ("ลาว", &[]),
    ("ລາວ", &[4]),
    ("ខ្មែរ", &[5]),
    ("စာ", &[6]),
    ("😀", &[7]),
    ("😁", &[]),
    ("👍", &[7]),
    ("👍🏽", &[7]),
    ("👍🏿", &[]),
    ("🇩🇪", &[7]),
    ("🇪🇩", &[]),
    ("C++", &[8]),
    ("c#", &[8]),
    ("c", &[8]),
    (".NET", &[9]),
    ("3.14", &[]),
    ("3.14*", &[9]),
    ("v1.2.3-rc4", &[9]),
    ("ｆｕｌｌ", &[11]),
    ("CAFE ｆｕ*", &[11]),
    ("1️⃣", &[12]),
    ("❤", &[12]),
    ("💻", &[12]),
    ("alice 好き", &[1]),
    ("strasse", &[13, 14]),
    ("STRAẞE", &[13, 14]),
    ("straß*", &[13, 14]),
    ("strase", &[]),
    ("σοφος", &[13, 14]),
    ("елка", &[13, 14]),
    ("שלום", &[13, 14]),
    ("שָׁלוֹם", &[13, 14]),
    ("محمد", &[13, 14]),
    ("مُحَمَّد احمد", &[13, 14]),
    ("أحم*", &[13, 14]),
];

fn assert_all_are_found(store: &mut Store) {
    for (words, found) in FOUND {
        assert_eq!(ids(store, &search("lobby", None, words)), found, "{words}");
        let found: Vec<i64> = found.iter().map(|id| id + 100).collect();
        if !words.contains("alice") {
            assert_eq!(
                ids(store, &search("nowhere", Some(1), words)),
                found,
                "{words}, in private"
            );
        }
    }
}

/// The same lines in the lobby, and from bob, who has account 1, to carol.
fn write_lines(store: &mut Store) {
    write(store, [registered(1, "bob"), said(1, "lobby", LINES), said(50, "math", LINES)]);
    let (bob, carol) = (owner("bob", 1), stranger("carol"));
    let letters = (101..).zip(LINES.lines());
    write(store, letters.map(|(id, text)| private(id, bob.clone(), carol.clone(), text)));
}

#[test]
fn every_script_and_every_sign_is_found() {
    let (_folder, mut store) = new_store();
    write_lines(&mut store);
    assert_all_are_found(&mut store);
}

/// As an index was made before scripts without blanks and emoji had words; or by the second rules,
/// which say so.
fn index_by_older_rules(db: &Connection, says_so: bool) {
    let rules =
        "INSERT INTO line_words (rowid, room) VALUES (9223372036854775807, char(1) || 'rules2')";
    for sql in [
        "INSERT INTO line_words (line_words) VALUES ('delete-all')",
        "INSERT INTO private_words (private_words) VALUES ('delete-all')",
        "INSERT INTO line_words (rowid, room, author, body)
         SELECT id, char(1) || room, author, body FROM line",
        "INSERT INTO private_words (rowid, parties, author, reader, body)
         SELECT id, concat_ws(' ', char(1) || author_account, char(1) || reader_account),
             author, reader, body FROM private",
        "UPDATE marks SET line_indexed = (SELECT max(id) FROM line),
             private_indexed = (SELECT max(id) FROM private)",
        if says_so { rules } else { "UPDATE marks SET last_line = last_line" },
    ] {
        db.execute(sql, []).unwrap();
    }
}

#[test]
fn an_older_index_is_made_anew_a_piece_at_a_time() {
    for says_so in [false, true] {
        is_made_anew(says_so);
    }
}

fn is_made_anew(says_so: bool) {
    let (folder, mut store) = new_store();
    write_lines(&mut store);
    store.close().unwrap();
    index_by_older_rules(&folder.sqlite(), says_so);
    let mut store = folder.open();
    let pieces: Vec<usize> =
        std::iter::repeat_with(|| store.index_some(5).unwrap()).take_while(|&n| n > 0).collect();
    assert_eq!(pieces.iter().sum::<usize>(), 3 * LINES.lines().count(), "{pieces:?}");
    assert!(pieces.iter().all(|&n| n <= 5));
    assert_all_are_found(&mut store);
    // And once is enough, also after what was said first is deleted.
    store.prune(LineId(0), at(101), 500).unwrap();
    store.close().unwrap();
    let mut store = folder.open();
    assert_eq!(store.index_some(INDEX_CHUNK).unwrap(), 0);
    assert_eq!(ids(&mut store, &search("nowhere", Some(1), "好き")), [101]);
}

#[test]
fn what_is_deleted_is_not_found_by_any_of_its_words() {
    let (_folder, mut store) = new_store();
    write_lines(&mut store);
    assert_all_are_found(&mut store);
    store.prune(LineId(0), at(999), 500).unwrap();
    for (words, _) in FOUND {
        assert_eq!(ids(&mut store, &search("lobby", Some(1), words)), [0; 0], "{words}");
    }
}
