//! `chatd history export`.

use crate::harness::{Folder, Process, skip};
use chatd::{
    core::record::{Author, Change, LineId, Record},
    store::{Durability, Store},
};
use jiff::Timestamp;
use std::{path::Path, time::Duration};

/// Writes as the server would. Each line is said by alice at a time, in a room; without a room it is for bob alone.
pub fn write(folder: &Folder, lines: &[(&str, i64, &str, &str)]) {
    let author = |name: &str| Author { name: name.to_owned(), account: None };
    let record = |&(at, id, room, text): &(&str, i64, &str, &str)| {
        let (id, by, text) = (LineId(id), author("alice"), text.to_owned());
        let change = match room {
            "" => Change::PrivateMessage { id, from: by, to: author("bob"), text, is_mail: false },
            room => Change::RoomMessage { id, room: room.to_owned(), author: by, text },
        };
        Record { at: at.parse::<Timestamp>().unwrap(), change }
    };
    let records: Vec<Record> = lines.iter().map(record).collect();
    let path = folder.path("chatd.db");
    let mut store = Store::open(&path, Durability::Normal, Duration::from_secs(5)).unwrap();
    store.append(&records).unwrap();
}

pub fn folder_with_history() -> Folder {
    let folder = Folder::new();
    let lines = [
        ("2026-11-20T11:30:00Z", 1, "lobby", "<alice> hi\n* alice waves\n"),
        ("2026-11-20T23:30:01.9Z", 3, "math", "<alice> \"2\\3\"\t<é>\n"),
        ("2026-11-20T23:31:00Z", 4, "lobby", "*** Announcement by alice: go home\n"),
        ("2026-11-20T23:32:00Z", 5, "", "between us"),
    ];
    write(&folder, &lines);
    folder
}

#[test]
fn rooms_are_exported_and_nothing_private() {
    let folder = folder_with_history();
    let all = [
        "2026-11-20T12:30:00+01:00 lobby <alice> hi",
        "2026-11-20T12:30:00+01:00 lobby * alice waves",
        "2026-11-21T00:30:01+01:00 math <alice> \"2\\3\"\t<é>",
        "2026-11-21T00:31:00+01:00 lobby *** Announcement by alice: go home",
    ];
    assert_eq!(folder.run("history export").lines().collect::<Vec<_>>(), all);
    assert_eq!(folder.run("history export --room Math").lines().collect::<Vec<_>>(), all[2..3]);
    let told = folder.fails("history export --room art", "");
    assert!(told.contains("Nothing was ever said in a room called art."), "{told}");
}

#[test]
fn json_is_one_object_a_line() {
    let folder = folder_with_history();
    let expected = [
        r#"{"time":"2026-11-20T12:30:00+01:00","room":"lobby","author":"alice","kind":"said","text":"hi"}"#,
        r#"{"time":"2026-11-20T12:30:00+01:00","room":"lobby","author":"alice","kind":"did","text":"waves"}"#,
        r#"{"time":"2026-11-21T00:30:01+01:00","room":"math","author":"alice","kind":"said","text":"\"2\\3\"\t<é>"}"#,
        r#"{"time":"2026-11-21T00:31:00+01:00","room":"lobby","author":"alice","kind":"announced","text":"go home"}"#,
    ];
    assert_eq!(folder.run("history export --json").lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_page_for_a_browser_has_every_line_and_nothing_that_somebody_typed_is_a_tag() {
    let folder = folder_with_history();
    let text = "<alice> </table><script>alert(\"1\")</script> &amp; <b>\n";
    write(&folder, &[("2026-11-21T09:00:00Z", 7, "lobby", text)]);
    let page = folder.run("history export --format html --room lobby");
    assert!(page.starts_with("<!doctype html>\n") && page.ends_with("</html>\n"), "{page}");
    for part in [
        "<title>lobby</title>",
        "<h2>Friday, 20 November 2026</h2>",
        "<h2>Saturday, 21 November 2026</h2>",
        "<tr><td><time datetime=\"2026-11-20T12:30:00+01:00\">12:30</time></td><th scope=\"row\">alice</th><td dir=\"auto\">hi</td></tr>",
        "<td><b>alice</b> <bdi>waves</bdi></td>",
        "<td><b>alice</b> announced: <bdi>go home</bdi></td>",
        "<td dir=\"auto\">&lt;/table&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp;amp; &lt;b&gt;</td>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<script") && page.matches("<table>").count() == 2, "{page}");
    let all = folder.run("history export --format html");
    assert!(all.contains("<td class=\"room\">math</td>") && !all.contains("between us"), "{all}");
    for [words, same] in [["--format json", "--json"], ["--format text", ""]] {
        let export = |words| folder.run(&format!("history export {words}"));
        assert_eq!(export(words), export(same));
    }
    let refused = folder.run_with("history export --format pdf", "");
    assert!(!refused.is_success && refused.err.contains("pdf"), "{}", refused.err);
}

#[test]
fn an_export_to_a_file_is_there_or_not() {
    let folder = folder_with_history();
    assert_eq!(folder.run("history export --to all.txt"), "all.txt is written.\n");
    let all = folder.run("history export");
    assert_eq!(std::fs::read_to_string(folder.path("all.txt")).unwrap(), all);
    for (words, told) in [
        ("history export --to all.txt", "all.txt is there already. Give another name."),
        ("history export --to no/all.txt", "no/all.txt cannot be written: "),
        ("history prune --days 3 --to x", "are for chatd history export."),
    ] {
        let said = folder.fails(words, "");
        assert!(said.contains(told), "{words}: {said}");
    }
    #[cfg(unix)]
    {
        let text = format!("<alice> {}\n", "x".repeat(1000)).repeat(200);
        write(&folder, &[("2026-11-21T09:00:00Z", 7, "lobby", &text)]);
        let program = env!("CARGO_BIN_EXE_chatd");
        for (end, told) in [
            ("--to more.txt", "chatd: more.txt cannot be written: "),
            ("> /dev/full", "chatd: cannot write to standard output: "),
        ] {
            let line = format!("ulimit -f 100; '{program}' history export {end}");
            let mut command = std::process::Command::new("bash");
            let output = command.args(["-c", &line]).current_dir(folder.path("")).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.starts_with(told) && said.lines().count() == 1, "{said}");
            assert!(!output.status.success());
        }
    }
    assert_eq!(folder.files(), ["all.txt", "chatd.db"]);
}

#[cfg(unix)]
#[test]
fn one_that_has_read_enough_may_close_the_pipe() {
    let folder = Folder::new();
    let text = format!("<alice> {}\n", "x".repeat(1000)).repeat(1000); // more than a pipe holds
    write(&folder, &[("2026-11-20T11:30:00Z", 1, "lobby", &text)]);
    let program = env!("CARGO_BIN_EXE_chatd");
    let line = format!("set -o pipefail; '{program}' history export | head -n 1 | wc -l");
    let mut command = std::process::Command::new("bash");
    let output = command.args(["-c", &line]).current_dir(folder.path("")).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(output.stdout, b"1\n");
}

#[test]
fn times_are_in_the_zone_that_is_asked_for() {
    let folder = folder_with_history();
    let first = |zone: &str| {
        let mut command = folder.chatd("history export");
        command.env("TZ", zone);
        let mut process = Process::start(command);
        assert_eq!(process.exit_code(), Some(0));
        let out = process.printed_to_the_end();
        (out.lines().next().unwrap_or_default().to_owned(), process.log_to_the_end())
    };
    for (zone, time) in
        [("CET-1CEST,M3.5.0,M10.5.0/3", "12:30:00+01:00"), ("UTC", "11:30:00+00:00")]
    {
        assert_eq!(first(zone), (format!("2026-11-20T{time} lobby <alice> hi"), String::new()));
    }
    let (line, told) = first("Foo/Bar");
    assert_eq!(line, "2026-11-20T11:30:00+00:00 lobby <alice> hi");
    assert!(told.starts_with("chatd: the time zone of TZ=Foo/Bar is not known"), "{told}");
    for (zone, time) in [("Europe/Berlin", "12:30:00+01:00"), (":Asia/Tokyo", "20:30:00+09:00")] {
        if !Path::new("/usr/share/zoneinfo").join(zone.trim_start_matches(':')).exists() {
            return skip("the package tzdata is not installed");
        }
        assert_eq!(first(zone), (format!("2026-11-20T{time} lobby <alice> hi"), String::new()));
    }
}
