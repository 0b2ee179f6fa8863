//! Time: the zone of the times told, when what is said and decided has happened, and what is too old to be told.

use crate::harness::{Client, Folder, Server, skip};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

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
    bob.asks(
        "/search word",
        "*** Nothing with word was said in lobby or to you alone in the last 2 days.",
    );
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

// --- The machine's clock ---

/// It is behind what the file has: the newest line, the newest act of an operator, or the file's own time.
#[test]
pub fn a_clock_that_is_behind_the_file_is_told_in_the_log() {
    let later = |by: i64| (Timestamp::now() + SignedDuration::from_secs(by)).as_microsecond();
    let starts = |update: &str, file: &str, by: i64, is_told: Option<&str>| {
        let folder = Folder::new();
        let server = folder.start("");
        let [mut alice] = server.enter(["alice"]);
        alice.says("hi");
        alice.asks_until("/names", "*** lobby (1)"); // it is written
        drop((alice, server));
        folder.run("account add boss");
        folder.run("account promote boss");
        if !update.is_empty() {
            folder.database().execute(update, [later(by)]).unwrap();
        }
        if !file.is_empty() {
            let file =
                fs::File::options().append(true).create(true).open(folder.path(file)).unwrap();
            let at = Timestamp::from_microsecond(later(by)).unwrap();
            file.set_modified(at.into()).unwrap();
        }
        let server = folder.start("");
        server.lets_in("bob");
        server.logs("c1 connected"); // what it says at the start comes before
        let log = server.log();
        let what = is_told.unwrap_or("the clock says");
        assert_eq!(log.contains(what), is_told.is_some(), "{update} {file} {by}: {log}");
        assert_eq!(log.contains("the clock is behind, or was ahead then"), is_told.is_some());
    };
    const LINE: &str = "UPDATE line SET at = ?1";
    starts("", "", 0, None);
    starts(LINE, "", 10, None);
    starts(LINE, "", -3600, None);
    starts(LINE, "", 3600, Some("chatd.db has something that was said at "));
    starts(
        "UPDATE audit SET at = ?1",
        "",
        10 * DAY,
        Some("chatd.db has something that was said at "),
    );
    starts("", "chatd.db", 40 * DAY, Some("chatd.db was written at "));
    starts("", "chatd.db", -40 * DAY, None);
}

const DAY: i64 = 24 * 60 * 60;

/// A server whose machine's clock the test sets, by libfaketime: it runs, and is ahead of ours.
struct Faked {
    folder: Folder,
    server: Server,
    /// By how many seconds.
    ahead: Cell<i64>,
}

/// Where Debian's package has it.
fn libfaketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    let file = |folder: fs::DirEntry| folder.path().join("faketime/libfaketimeMT.so.1");
    let found = folders.map(file).find(|file| file.exists());
    if found.is_none() {
        skip("faketime is not installed");
    }
    found
}

impl Faked {
    /// With boss, who is an administrator.
    fn start(options: &str) -> Option<(Faked, Client)> {
        let library = libfaketime()?;
        let folder = Folder::new();
        folder.run("account add boss");
        folder.run("account promote boss");
        write_whole(&folder, 0);
        let preparation = format!(
            "export TZ=UTC FAKETIME_TIMESTAMP_FILE=ahead FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 LD_PRELOAD={}",
            library.display()
        );
        let server = Server::start_in_after(&folder, &preparation, options);
        let mut boss = server.connect("boss");
        boss.sends("boss\ncorrect horse\n");
        boss.hears_until("*** You are in lobby");
        boss.has_read_everything();
        Some((Faked { folder, server, ahead: Cell::new(0) }, boss))
    }

    /// Somebody sets the clock, forward or back.
    fn is_set_by(&self, seconds: i64) {
        self.ahead.set(self.ahead.get() + seconds);
        write_whole(&self.folder, self.ahead.get());
    }

    /// Its time, when this is asked.
    fn time(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.ahead.get())
    }

    /// A time of the file's is this one, but for what a slow machine takes.
    #[track_caller]
    fn has(&self, sql: &str, time: Timestamp) {
        let found = self.folder.select::<i64>(sql);
        let [at] = found[..] else { panic!("{sql}: {found:?}") };
        let apart = (at - time.as_microsecond()).abs() / 1_000_000;
        assert!(apart < 100, "{sql}: {} is not {time}", Timestamp::from_microsecond(at).unwrap());
    }
}

/// In one piece: the library reads it whenever it likes.
fn write_whole(folder: &Folder, ahead: i64) {
    fs::write(folder.path("ahead.new"), format!("{ahead:+}\n")).unwrap();
    fs::rename(folder.path("ahead.new"), folder.path("ahead")).unwrap();
}

#[test]
pub fn an_event_has_the_time_at_which_it_is_taken() {
    let Some((faked, mut boss)) = Faked::start("") else { return };
    let mut bob = faked.server.lets_in("bob");
    boss.hears("*** bob entered lobby");
    boss.asks_until("/timestamps", "***");
    // The quiet before a mute is no part of it, and its end is its end.
    for quiet in [100, 3_600, DAY] {
        faked.is_set_by(quiet);
        boss.asks_until("/mute bob 50s", "*** bob is muted until ");
        bob.hears_until("*** You are muted by boss");
        bob.asks("hi", "*** You are muted by boss until {time}. That was not said.");
        faked.is_set_by(60);
        bob.says(&format!("after {quiet}"));
        let line = boss.hears_until("[");
        let (stamp, said) = line.split_at(8);
        assert_eq!(said, format!("<bob> after {quiet}"));
        let now = TimeZone::UTC.to_datetime(faked.time());
        let stamp = stamp.trim_matches(['[', ']', ' ']);
        // The minute may have ended meanwhile.
        let earlier = TimeZone::UTC.to_datetime(faked.time() - SignedDuration::from_secs(60));
        let clock = |at: jiff::civil::DateTime| at.strftime("%H:%M").to_string();
        assert!([clock(now), clock(earlier)].contains(&stamp.to_owned()), "{stamp}, not {now}");
        faked.has(&format!("SELECT at FROM line WHERE body = 'after {quiet}'"), faked.time());
        boss.asks_until(&format!("/history since {stamp}"), "*** The last");
        boss.hears_until(&format!("({stamp}) <bob> after {quiet}"));
        boss.hears("*** End of the history.");
        boss.asks_until("/whois bob", "*** bob is in lobby, connected for");
    }
}

/// As a machine without a battery does it, or a time server that is wrong.
#[test]
pub fn a_clock_that_jumps_for_a_moment_costs_nothing() {
    for jump in [3_650 * DAY, -3_650 * DAY, 2 * DAY] {
        let Some((faked, mut boss)) = Faked::start("--history-days 30") else { return };
        boss.asks_until("/ban eve 1h", "*** eve is banned until ");
        boss.says("before");
        boss.asks_until("/topic sums", "*** The topic of lobby is now: sums");

        faked.is_set_by(jump);
        let right = faked.time() - SignedDuration::from_secs(jump);
        boss.says("during");
        boss.asks_until("/ban mallory 1h", "*** mallory is banned until ");
        faked.server.logs("the clock jumped from");
        faked.has("SELECT at FROM line WHERE body = 'during'", right);
        let hour = SignedDuration::from_hours(1);
        for name in ["eve", "mallory"] {
            faked
                .has(&format!("SELECT until FROM sanction WHERE subject = '{name}'"), right + hour);
            let mut banned = faked.server.connect(name);
            banned.says(name);
            banned.hears_until("*** Hung up: you are banned by boss");
        }
        boss.asks_until("/history", "*** The last 2 lines of lobby");
        boss.hears("({time}) <@boss> before");
        boss.has_read_everything();

        faked.is_set_by(-jump);
        boss.says("after");
        faked.server.logs("the clock is back");
        // The answer waits until what was said before is written.
        boss.asks_until("/history", "*** The last 3 lines of lobby");
        let said: Vec<String> = faked.folder.select("SELECT body FROM line ORDER BY id");
        assert_eq!(said, ["before", "during", "after"]);
        faked.has("SELECT at FROM line WHERE body = 'after'", faked.time());
    }
}

/// As when a laptop is closed over the night: everything stands still, and then it is morning.
#[test]
fn a_machine_that_was_suspended_goes_on_in_the_morning_and_nobody_is_hung_up() {
    let Some((faked, mut boss)) = Faked::start("--ghost-after 60 --write-deadline 1") else {
        return;
    };
    let mut bob = faked.server.lets_in("bob");
    boss.hears("*** bob entered lobby");
    boss.asks_until("/mute bob 1h", "*** bob is muted until ");
    bob.hears_until("*** You are muted by boss");
    faked.server.stands_still();
    boss.says("good night");
    bob.hears_nothing_for_now();
    faked.is_set_by(8 * 3600);
    faked.server.signal("CONT");
    bob.hears("<@boss> good night");
    bob.says("good morning"); // an hour is over
    boss.hears_until("<bob> good morning");
    faked.has("SELECT at FROM line WHERE body = 'good morning'", faked.time());
    assert!(!faked.server.log().contains(" left: "), "{}", faked.server.log());
}
