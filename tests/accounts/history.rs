//! `chatd history export`.

use crate::*;

fn folder_with_history() -> Folder {
    let folder = Folder::new();
    let party = |name: &str| Party { name: name.to_owned(), account: None };
    let record = |at: &str, what| Record { at: at.parse::<Timestamp>().unwrap(), what };
    let said = |id, room: &str, text: &str| What::Said {
        id,
        room: room.to_owned(),
        author: party("alice"),
        text: text.to_owned(),
    };
    let secret = What::Told {
        id: 5,
        from: party("alice"),
        to: party("bob"),
        text: "secret".to_owned(),
        is_mail: false,
    };
    folder
        .open()
        .write(&[
            record("2026-11-20T11:30:00Z", said(1, "lobby", "<alice> hi\n* alice waves\n")),
            record("2026-11-20T23:30:01.9Z", said(3, "math", "<alice> \"2\\3\"\t<é>\n")),
            record(
                "2026-11-20T23:31:00Z",
                said(4, "lobby", "*** Announcement by alice: go home\n"),
            ),
            record("2026-11-20T23:32:00Z", secret),
        ])
        .unwrap();
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
    assert!(
        folder
            .fails("history export --room art", "")
            .contains("Nothing was ever said in a room called art.")
    );
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

#[cfg(unix)]
#[test]
fn whoever_has_read_enough_may_close_the_pipe() {
    let folder = Folder::new();
    let author = Party { name: "alice".to_owned(), account: None };
    let text = format!("<alice> {}\n", "x".repeat(1000)).repeat(1000); // more than a pipe holds
    let what = What::Said { id: 1, room: "lobby".to_owned(), author, text };
    folder.open().write(&[Record { at: Timestamp::now(), what }]).unwrap();
    let program = env!("CARGO_BIN_EXE_chatd");
    let line = format!("set -o pipefail; {program} history export | head -n 1 | wc -l");
    let output = Command::new("bash").args(["-c", &line]).current_dir(&folder.0).output().unwrap();
    assert_eq!(
        (output.status.code(), &*output.stdout, &*output.stderr),
        (Some(0), &b"1\n"[..], &b""[..])
    );
}
