//! Time: the zone of the times told, when what is said and decided has happened, and what is too old to be told.

use crate::harness::{Folder, Server, skip};
use std::path::Path;

// --- The zone ---

/// What `TZ` may be, and the offset of the times told. None of these zones has a summer time.
const ZONES: [(&str, &str); 9] = [
    ("Asia/Tokyo", "+09:00"),
    (":Asia/Kolkata", "+05:30"),
    ("/usr/share/zoneinfo/America/Bogota", "-05:00"),
    (":/usr/share/zoneinfo/Asia/Tokyo", "+09:00"),
    ("CET-1", "+01:00"),
    ("<+0330>-3:30", "+03:30"),
    ("UTC", "+00:00"),
    ("Etc/GMT+5", "-05:00"),
    ("", "+00:00"),
];

/// A server with this `TZ`, and alice, who has said something.
fn in_zone(zone: &str) -> (Server, String) {
    let server = Server::start_after(&format!("export TZ='{zone}'"), "");
    let [mut alice] = server.enter(["alice"]);
    alice.says("hi");
    let heading = alice.asks_until("/history", "*** The last");
    (server, heading)
}

#[test]
pub fn a_zone_is_given_by_its_name_by_a_file_or_by_its_rule() {
    if !Path::new("/usr/share/zoneinfo/Asia/Tokyo").exists() {
        return skip("the package tzdata is not installed");
    }
    for (zone, offset) in ZONES {
        let (server, heading) = in_zone(zone);
        assert!(heading.contains(&format!("(times are {offset})")), "TZ={zone}: {heading}");
        assert!(!server.log().contains("time zone"), "TZ={zone}: {}", server.log());
    }
}

#[test]
pub fn a_zone_that_is_not_known_is_told_in_the_log() {
    for zone in ["Foo/Bar", ":Europe/Berlim", "CEST-25", "/nowhere/zoneinfo/Foo", "Europe"] {
        let (server, heading) = in_zone(zone);
        assert!(heading.contains("(times are +00:00)"), "TZ={zone}: {heading}");
        server.logs(&format!("WARN  the time zone of TZ={zone} is not known, so times are in UTC"));
    }
}

// --- What is too old ---

/// All that the file has was said this number of days earlier.
fn make_older(folder: &Folder, days: i64) {
    let by = days * 24 * 60 * 60 * 1_000_000;
    for table in ["line", "private"] {
        folder.database().execute(&format!("UPDATE {table} SET at = at - {by}"), []).unwrap();
    }
}

#[test]
pub fn what_is_too_old_is_told_by_nobody_after_a_restart() {
    let folder = Folder::new();
    folder.run("account add bob");
    let server = folder.start("");
    let [mut alice] = server.enter(["alice"]);
    for line in ["word one", "/topic word of the day", "/msg bob word in a letter"] {
        alice.says(line);
    }
    alice.asks_until("/join math", "*** You are in math");
    alice.says("word two");
    alice.has_read_everything();
    drop(server);
    make_older(&folder, 5);

    let server = folder.start("--history-days 2");
    let mut bob = server.connect("bob");
    bob.sends("bob\ncorrect horse\n");
    bob.hears_until("*** Topic of lobby");
    bob.hears_nothing();
    bob.asks("/history", "*** Nothing was said in lobby in the last 2 days.");
    bob.asks("/history 9", "*** Nothing was said in lobby in the last 2 days.");
    bob.asks("/search word", "*** Nothing with word was said in lobby or to you alone.");
    bob.asks_until("/mail", "*** 1 line in your mailbox");
    bob.hears("({time}) [from alice] word in a letter");
    bob.hears_until("*** /mail delete");
    bob.says("/join math");
    bob.hears_until("*** You are in math");
    bob.says("word three");
    bob.asks_until("/search word", "*** The newest 1 line of math with word");
    drop(server);

    // Without the limit all of it is told: nothing was deleted.
    let server = folder.start("");
    let [mut alice] = server.enter(["alice"]);
    alice.asks_until("/search word", "*** The newest 1 line of lobby with word");
    alice.hears("({time}) <alice> word one");
}
