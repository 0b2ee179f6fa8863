//! Tokens by which clients come back: what is written of them is there for the server that follows, as long as they are
//! good.

use crate::*;
use chatd::core::returning::{Profile, Returning, TokenChange, TokenHash};

fn token(n: u8) -> TokenHash {
    TokenHash([n; 32])
}

fn changed(second: i64, change: TokenChange) -> Record {
    record(second, Change::Token(change))
}

fn given(second: i64, n: u8, profile: &Profile) -> Record {
    changed(second, TokenChange::Given(token(n), Box::new(profile.clone())))
}

fn guest(name: &str) -> Profile {
    Profile { name: name.to_owned(), room: "lobby".to_owned(), ..Profile::default() }
}

fn returning(store: &Store) -> Vec<Returning> {
    store.snapshot(9, 9).unwrap().returning
}

/// The tokens that are kept, and when each was seen last.
fn seen(store: &Store) -> Vec<(u8, i64)> {
    returning(store)
        .iter()
        .map(|one| (one.token.0[0], one.seen.as_second() - at(0).as_second()))
        .collect()
}

#[test]
fn a_profile_comes_back_whole() {
    let folder = Folder::new();
    let mut store = folder.open();
    let alice = Profile {
        name: "Alice".to_owned(),
        account: Some(AccountId(1)),
        is_instructor: true,
        room: "math".to_owned(),
        quiet: true,
        timestamps: true,
        echo: true,
        away: Some("\"tea\" \\ é".to_owned()),
        ignored: vec![("bob".to_owned(), None), ("carl".to_owned(), Some(AccountId(7)))],
        muted_as: Some(("alice".to_owned(), true)),
    };
    write(&mut store, [registered(1, "alice"), given(5, 1, &alice), given(4, 2, &guest("bob"))]);
    let store = {
        drop(store);
        folder.open()
    };
    let [bob, found] = &returning(&store)[..] else { panic!("{:?}", returning(&store)) };
    assert_eq!((found.token, found.seen, &found.profile), (token(1), at(5), &alice));
    assert_eq!((bob.token, bob.seen, &bob.profile), (token(2), at(4), &guest("bob")));
    assert_eq!(store.snapshot(0, 0).unwrap().returning, [], "another process's change is none");
}

#[test]
fn a_token_is_good_for_ten_minutes_after_its_client_was_here_last() {
    let folder = Folder::new();
    let mut store = folder.open();
    write(&mut store, [given(90, 1, &guest("before")), given(100, 2, &guest("here"))]);
    write(&mut store, [given(100, 3, &guest("gone")), changed(200, TokenChange::Left(token(3)))]);
    store.note_presence(at(100), at(300)).unwrap();
    assert_eq!(seen(&store), [(1, 90), (3, 200), (2, 300)], "the first is of a server before");
    store.note_presence(at(100), at(691)).unwrap();
    assert_eq!(seen(&store), [(3, 200), (2, 691)]);
    store.note_presence(at(100), at(801)).unwrap();
    assert_eq!(seen(&store), [(2, 801)]);
    // Whoever sets the clock makes none good for longer.
    write(&mut store, [changed(802, TokenChange::Left(token(2)))]);
    store.note_presence(at(100), at(201)).unwrap();
    assert_eq!(seen(&store), []);
}

#[test]
fn what_ends_a_token_ends_it_in_the_file() {
    let folder = Folder::new();
    let mut store = folder.open();
    let owned = |id| Profile { account: Some(AccountId(id)), ..guest("zoe") };
    write(&mut store, [registered(1, "zoe"), registered(2, "kim"), registered(3, "max")]);
    let tokens = [given(1, 1, &owned(1)), given(2, 2, &owned(2)), given(3, 3, &owned(3))];
    write(&mut store, tokens);
    write(&mut store, [given(4, 4, &guest("bob")), given(4, 4, &guest("robert"))]);
    assert_eq!(returning(&store)[3].profile.name, "robert", "it is one token still");
    write(&mut store, [changed(5, TokenChange::Ended(token(4)))]);
    write(&mut store, [changed(5, TokenChange::EndedOf(AccountId(1)))]);
    write(&mut store, [unregistered(2)]);
    assert_eq!(seen(&store), [(3, 3)]);
    // The disk may have failed after it was written.
    write(
        &mut store,
        [changed(5, TokenChange::Ended(token(4))), changed(5, TokenChange::Left(token(4)))],
    );
    write(&mut store, [given(6, 5, &owned(2))]);
    assert_eq!(seen(&store), [(3, 3)], "the account was deleted");
}

#[test]
fn they_are_bounded_and_a_row_that_was_edited_is_skipped_or_clean() {
    let folder = Folder::new();
    let mut store = folder.open();
    write(&mut store, [given(1, 1, &guest("bob"))]);
    let sqlite = folder.sqlite();
    for (token, profile) in [
        ("zeroblob(31)", "{\"name\":\"a\",\"room\":\"b\"}"),
        ("randomblob(32)", "{"),
        ("randomblob(32)", "[]"),
        ("randomblob(32)", "{\"name\":7,\"room\":\"b\"}"),
        ("randomblob(32)", "{\"name\":\"a\"}"),
    ] {
        let sql = format!("INSERT INTO returning_client VALUES ({token}, NULL, 2, 0, ?1)");
        sqlite.execute(&sql, [profile]).unwrap();
    }
    let huge = format!("{{\"name\":\"a\",\"room\":\"{}\"}}", "x".repeat(1 << 20));
    let odd = "{\"name\":\"a\",\"room\":\"b\",\"away\":\"\\u001b[2J\\u202e\",\"ignored\":[1,[2],[\"c\"]],\"echo\":1}";
    for profile in [&huge, odd] {
        let sql = "INSERT INTO returning_client VALUES (randomblob(32), NULL, 3, 0, ?1)";
        sqlite.execute(sql, [profile]).unwrap();
    }
    let found = returning(&store);
    assert_eq!(found.len(), 2, "{found:?}");
    let Profile { away, ignored, echo, .. } = &found[0].profile;
    assert_eq!(ignored, &[("c".to_owned(), None)]);
    assert!(!echo && !away.as_ref().unwrap().contains(['\u{1b}', '\u{202e}']), "{away:?}");

    sqlite.execute_batch("DELETE FROM returning_client").unwrap();
    let many = (0..1_001).map(|n: i64| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        let profile = Box::new(guest(&format!("n{n}")));
        changed(n, TokenChange::Given(TokenHash(hash), profile))
    });
    write(&mut store, many);
    let found = returning(&store);
    assert_eq!((found.len(), &*found[0].profile.name), (1_000, "n1"), "the first made way");
}
