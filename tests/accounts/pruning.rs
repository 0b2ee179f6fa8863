//! `chatd history prune`: what is old is deleted when a person says so.

use crate::{harness::Folder, history::write};
use jiff::{SignedDuration, Timestamp};

/// A folder with a line of alice's for each number of days ago: in turn in two rooms, and in private.
pub fn folder_with_lines_of(days: &[i64]) -> Folder {
    let folder = Folder::new();
    let now = Timestamp::now();
    let at = |days: i64| (now - SignedDuration::from_hours(24 * days)).to_string();
    let times: Vec<String> = days.iter().map(|&days| at(days)).collect();
    let places = [("lobby", "<alice> hi\n"), ("", "between us"), ("math", "<alice> hi\n")];
    let line = |(id, at)| {
        let (room, text) = places[id % 3];
        (at, id as i64 + 1, room, text)
    };
    let lines: Vec<_> = times.iter().map(String::as_str).enumerate().map(line).collect();
    write(&folder, &lines);
    folder
}

/// Lines that the folder's database has.
pub fn lines(folder: &Folder) -> usize {
    let sql = "SELECT (SELECT count(*) FROM line) + (SELECT count(*) FROM private)";
    folder.select::<i64>(sql)[0] as usize
}

#[test]
fn what_cannot_be_meant_is_refused_in_a_sentence() {
    let folder = folder_with_lines_of(&[40, 20]);
    for (words, told) in [
        ("history prune", "How old?"),
        ("history prune --days 0 --yes", "would delete everything"),
        ("history prune --days 4000000000 --yes", "no time that long ago"),
        ("history prune --days 30 --yes --room lobby", "chatd history export"),
        ("history prune --days 30 --yes --json", "chatd history export"),
        ("history prune --days 30 --yes --db none", "no database none"),
        ("history export --days 30", "chatd history prune"),
        ("history export --yes", "chatd history prune"),
    ] {
        let said = folder.fails(words, "");
        assert!(said.contains(told), "{words}: {said}");
    }
    assert_eq!(lines(&folder), 2);
    assert_eq!(folder.files().iter().filter(|file| *file == "none").count(), 0);
}

#[test]
fn it_says_what_would_go_and_deletes_it_only_if_that_is_meant() {
    let folder = folder_with_lines_of(&[400, 40, 35, 20, 1]);
    for input in ["", "y\n", "yes\n"] {
        let outcome = folder.run_with("history prune --days 30", input);
        assert!(!outcome.is_success);
        assert!(outcome.out.contains("chatd.db: 3 of 5 lines"), "{}", outcome.out);
        assert!(outcome.out.contains("By the clock it is "), "{}", outcome.out);
        assert!(outcome.err.contains("Nothing is deleted. If it is meant:"), "{}", outcome.err);
        assert_eq!(lines(&folder), 5);
    }
    assert!(folder.run("history prune --days 30 --yes").ends_with("\n3 lines are deleted.\n"));
    assert_eq!(lines(&folder), 2);
    let audit = folder.select::<String>("SELECT by || ' ' || what FROM audit");
    assert_eq!(audit, ["operator deleted 3 lines that were said more than 30 days ago"]);
    let again = folder.run("history prune --days 30 --yes");
    assert_eq!(again, "Nothing in chatd.db is more than 30 days old.\n");
    let all = folder.run_with("--db chatd.db history prune --days 1", "").out;
    assert!(all.contains("2 of 2 lines") && all.contains("That is everything."), "{all}");
}

#[test]
fn beside_a_server_it_is_forgotten_there_too() {
    let folder = folder_with_lines_of(&[vec![40; 600], vec![20; 3]].concat());
    let server = folder.start("");
    let [mut bob] = server.enter(["bob"]);
    bob.says("new");
    bob.asks_until("/history 999", "*** The last 202 lines of lobby");
    bob.hears_until("*** End of the history.");
    assert!(folder.run("history prune --days 30 --yes").ends_with("\n600 lines are deleted.\n"));
    crate::harness::eventually("the server has noticed", || {
        let heading = bob.asks_until("/history 999", "*** The last");
        bob.hears_until("*** End of the history.");
        heading.starts_with("*** The last 2 lines of lobby")
    });
    assert_eq!(server.log().matches("WARN").count(), 0, "{}", server.log());
    let mut carol = server.connect("carol");
    carol.says("carol");
    carol.hears_until("*** The last 2 lines of lobby");
}

#[test]
fn a_server_with_a_bound_deletes_the_oldest_lines_and_says_so() {
    let folder = Folder::new();
    let text = format!("<alice> {}\n", "x".repeat(1000)).repeat(3_000);
    write(&folder, &[("2026-11-20T11:30:00Z", 1, "lobby", &text)]);
    let server = folder.start("--history-max 2M");
    let [mut bob] = server.enter(["bob"]);
    crate::harness::eventually("the log says so", || {
        server.log().contains("deleted: the oldest ") && server.log().contains("may have 2 MiB")
    });
    assert!(server.log().contains("the database is written anew"), "{}", server.log());
    crate::harness::eventually("the rooms know it", || {
        bob.says("/history 1");
        let told = bob.hears_until("*** ");
        bob.hears_until("*** End of the history.");
        told == "*** Older lines may be deleted: the history has 2 MiB at most."
    });
    let left = lines(&folder);
    assert!((1_000..2_900).contains(&left), "{left} lines are left");
    assert!(folder.run("check").contains(" is sound."));
    for (option, told) in [
        ("--history-max 5k", "--history-max is at least 1M"),
        ("--history-max many", "\"many\" is not a size. Give one like 500M or 2G."),
    ] {
        let said = folder.run_with(option, "").err;
        assert!(said.contains(told), "{option}: {said}");
    }
}
