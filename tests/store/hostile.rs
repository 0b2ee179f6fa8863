//! What strangers type, and what others wrote into the file: neither is syntax, and neither reaches
//! a terminal.

use crate::*;
use chatd::core::{record::Target, wire::sanitize::sanitize};

/// Numbers that are the same in every run: a failure can be looked at again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        // xorshift64*, as in G. Marsaglia's and S. Vigna's papers.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Bytes of any kind, many of them such as attacks are made of.
    fn bytes(&mut self) -> Vec<u8> {
        let nasty: [&[u8]; 12] = [
            b"\x1b[2J",
            b"\r",
            b"\n",
            b"\0",
            b"\x07",
            "\u{202e}".as_bytes(),
            "\u{2028}".as_bytes(),
            b"\xff",
            b"\xc3",
            "\u{9b}".as_bytes(),
            b"\x9b",
            b"<root> ",
        ];
        let length = self.roll() % 40;
        let piece = |dice: &mut Dice| match dice.roll() % 3 {
            0 => nasty[dice.roll() as usize % nasty.len()].to_vec(),
            1 => vec![dice.roll() as u8],
            _ => b"plain ".to_vec(),
        };
        (0..length).flat_map(|_| piece(self)).collect()
    }
}

/// What comes out of the file: one line, and nothing in it that a line that was just said could not
/// have.
#[track_caller]
fn assert_clean(text: &str) {
    assert!(!text.contains('\n') && sanitize(text) == text, "{text:?}");
}

/// Fills every table with rows of random bytes.
fn fill(sqlite: &Connection) {
    let mut dice = Dice(1);
    for id in 1..=500_i64 {
        let texts: [Vec<u8>; 4] = std::array::from_fn(|_| dice.bytes());
        let [a, b, c, d] = &texts;
        // Bytes that are no text get into a text column like this.
        let number = dice.roll() as i64;
        for sql in [
            "INSERT INTO room VALUES (?1, CAST(?2 AS TEXT), ?1)",
            "INSERT INTO room_setting VALUES (
                 ?1, CAST(?2 AS TEXT), CAST(?3 AS TEXT), CAST(?4 AS TEXT), NULL)",
            "INSERT INTO account VALUES (?1, CAST(?2 AS TEXT), ?1, CAST(?3 AS TEXT), ?1 % 2, ?6)",
            "INSERT INTO line VALUES (
                 2 * ?1, ?6, 1 + ?1 % 9, ?1 % 5, CAST(?2 AS TEXT), CAST(?3 AS TEXT))",
            "INSERT INTO private VALUES (
                 2 * ?1 + 1, ?6, CAST(?2 AS TEXT), 1, CAST(?3 AS TEXT), 2, CAST(?4 AS TEXT))",
            "INSERT INTO mailbox VALUES (2 * ?1 + 1, 2)",
            "INSERT INTO sanction VALUES ('ban', 'name', ?1, CAST(?2 AS TEXT), NULL,
                 CAST(?3 AS TEXT), CAST(?4 AS TEXT))",
        ] {
            if sql.contains("INTO line") && id < 10
                || sql.contains("INTO private") && id < 2
                || sql.contains("mailbox") && id < 2
            {
                continue; // the rooms and the accounts come first
            }
            let mut statement = sqlite.prepare_cached(sql).unwrap();
            for (at, value) in
                [&id as &dyn rusqlite::ToSql, a, b, c, d, &number].into_iter().enumerate()
            {
                if at < statement.parameter_count() {
                    statement.raw_bind_parameter(at + 1, value).unwrap();
                }
            }
            statement.raw_execute().unwrap();
        }
    }
}

#[test]
fn whatever_is_in_the_file_comes_out_clean() {
    let (folder, mut store) = new_store();
    fill(&folder.sqlite());
    let snapshot = store.snapshot(1000, 1000).unwrap();
    assert_eq!(
        (snapshot.accounts.len(), snapshot.rooms.len(), snapshot.sanctions.len()),
        (500, 500, 500)
    );
    snapshot.accounts.iter().for_each(|account| assert_clean(&account.name));
    for room in &snapshot.rooms {
        assert_clean(&room.name);
        assert_eq!(room.settings.len(), 1);
        room.settings.iter().for_each(|(name, (value, by))| {
            [name, value, &by.name].into_iter().for_each(|text| assert_clean(text));
        });
        room.lines.iter().for_each(|line| assert_clean(line.text.strip_suffix('\n').unwrap()));
    }
    for sanction in &snapshot.sanctions {
        assert_clean(&sanction.by);
        assert_clean(sanction.why.as_ref().unwrap());
        assert_clean(match &sanction.target {
            Target::Name(text) | Target::Address(text) => text,
        });
    }
    let mut read = 0;
    for room in 1..=9 {
        for query in [
            older(&room.to_string(), Some(1), 9999),
            search(&room.to_string(), Some(2), "plain"),
            Query::Mail(AccountId(2)),
        ] {
            for text in texts(&mut store, &query) {
                assert_clean(&text);
                read += 1;
            }
        }
    }
    assert!(read > 5000, "{read}");
    let out = store.export::<()>(None, |line| {
        assert_clean(line.shown().strip_suffix('\n').unwrap());
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(out.unwrap(), None);
}

#[test]
fn a_text_as_large_as_the_disk_comes_out_short() {
    let (folder, mut store) = new_store();
    write(&mut store, [said(1, "lobby", "hi")]);
    folder
        .sqlite()
        .execute("UPDATE line SET body = replace(hex(zeroblob(5000000)), '0', 'é')", [])
        .unwrap();
    let found = texts(&mut store, &older("lobby", None, 9));
    assert!(found[0].len() < 5000, "{}", found[0].len());
    assert_clean(&found[0]);
}

#[test]
fn nothing_that_is_typed_is_the_syntax_of_a_search() {
    let (_folder, mut store) = new_store();
    write(&mut store, [said(1, "lobby", "hello world\nOR AND NOT NEAR body")]);
    let many = "hello ".repeat(500);
    let typed = "\" \"hello hello\" ( ) hello) body:hello {body}:hello ^hello -hello AND NOT * ** \
        + ' ; \0 hello\0 hello\0\" \\ % _ ?1 :a @a $a é* \u{301} \u{202e} 👩‍💻* \u{fffd}";
    let phrases = [
        "hello -world",
        "NEAR(hello world)",
        "OR OR",
        "hello AND",
        "hel* *",
        "hello + world",
        "hello'; DROP TABLE line; --",
        &many,
    ];
    for words in typed.split(' ').chain(phrases) {
        texts(&mut store, &search("lobby", Some(1), words)); // and does not fail
    }
    let mut dice = Dice(2);
    for _ in 0..2000 {
        texts(&mut store, &search("lobby", Some(1), &String::from_utf8_lossy(&dice.bytes())));
    }
    assert_eq!(
        texts(&mut store, &search("lobby", None, "or and not near")),
        ["<alice> OR AND NOT NEAR body"]
    );
    assert_eq!(
        texts(&mut store, &search("lobby", None, "body:hello")).len(),
        0,
        "not a column, but two words"
    );
    assert_eq!(
        texts(&mut store, &search("lobby", None, "(hello) -world")),
        ["<alice> hello world"]
    );
}

#[test]
fn nothing_that_is_typed_or_said_reaches_another_room_or_account() {
    let (_folder, mut store) = new_store();
    // Rooms and accounts have the numbers 1, 2, 3 here, and the index's words for them are \u{1}1,
    // \u{1}2, \u{1}3. Such words come out of no client, but the file may have been edited.
    write(&mut store, [registered(1, "alice"), registered(2, "bob"), registered(3, "eve")]);
    write(
        &mut store,
        [
            said(1, "lobby", "hello"),
            said(2, "math", "hello \u{1}3 room"),
            said(3, "quiet", "own"),
            private(4, owner("alice", 1), owner("bob", 2), "hello \u{1}3 parties"),
            private(5, stranger("\u{1}3"), stranger("\u{1}3"), "hello \u{1}3"),
            private(6, owner("eve", 3), owner("eve", 3), "own"),
        ],
    );
    let mut ask = |words: &str| texts(&mut store, &search("quiet", Some(3), words));
    let own = ["<alice> own", "[to eve] own"];
    assert_eq!(ask("own"), own);
    for number in ["1", "2", "3", "\u{1}1", "\u{1}2", "\u{1}3", "\"\u{1}1\""] {
        for words in [
            "#",
            "#*",
            "hello #",
            "own #",
            "room:#",
            "room : #",
            "room:# hello",
            "{room}:#",
            "{room author body} : hello",
            "-room:hello",
            "- room : hello",
            "- {parties} : hello",
            "parties:#",
            "parties : # hello",
            "{parties}:#",
            "own) OR (hello",
            "own\") OR (\"hello",
            "own OR hello",
            "own\") OR room : \"#",
            "own\") OR parties : (\"#\") AND (\"hello",
            "room:own OR room:#",
            "line_words:#",
            "rowid:#",
            "rank:#",
        ] {
            let words = words.replace('#', number);
            assert_eq!(ask(&words), [""; 0], "{words:?}");
        }
    }
    assert_eq!(ask("\u{1} own"), own, "of a mark alone nothing is left");
    assert_eq!(ask("\u{1}* own"), own);
}
