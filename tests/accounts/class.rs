//! `chatd account import` and `export`: the accounts of a class.

use crate::harness::{Folder, folder::Outcome};
use std::fs;

#[test]
fn a_class_list_makes_accounts_and_slips() {
    let folder = Folder::new();
    folder.run("account add Ben");
    fs::write(folder.path("class.txt"), "anna\nben\ncarla\n").unwrap();
    let Outcome { out: printed, err, .. } = folder.run_with("account import class.txt", "");
    let codes: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("    password for the first time:  "))
        .collect();
    assert!(printed.starts_with("anna\n    ") && printed.ends_with("- -\n"), "{printed}");
    let end =
        "chatd: with an account already, which stays as it is: ben\nchatd: accounts made: 2\n";
    assert_eq!(err, end, "slips are all that is printed on standard output");
    assert!(codes.len() == 2 && codes[0] != codes[1], "{printed}");
    for code in codes {
        assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");
        for file in folder.files() {
            let bytes = fs::read(folder.path(&file)).unwrap();
            assert!(memchr::memmem::find(&bytes, code.as_bytes()).is_none(), "{code} in {file}");
        }
    }
    folder.has_password("ben", "correct horse");
    let audit: Vec<String> = folder.select("SELECT by || ' ' || what FROM audit ORDER BY id");
    assert_eq!(audit[1], "operator made 2 accounts from class.txt");
    let Outcome { out, err, .. } = folder.run_with("account import class.txt", "");
    assert!(
        out.is_empty() && err.ends_with("anna, ben, carla\nchatd: accounts made: 0\n"),
        "{err}"
    );
}

#[test]
fn a_slip_says_how_to_join_if_that_is_known() {
    for (options, how) in [
        (
            "listen = \"192.0.2.7:6000\"",
            "    Join by:  http://192.0.2.7:5080  or  nc 192.0.2.7 6000\n",
        ),
        ("listen = \"192.0.2.7:6000\"\nweb = \"none\"", "    Join by:  nc 192.0.2.7 6000\n"),
        ("listen = \"127.0.0.1:6000\"", ""), // a pupil cannot join there; perhaps there is a proxy
        ("listen = \"unix:chat\"", ""),
    ] {
        let folder = Folder::new();
        fs::write(folder.path("class.txt"), "anna\n").unwrap();
        fs::write(folder.path("chatd.toml"), options).unwrap();
        let words = "--config chatd.toml account import class.txt";
        let Outcome { out, err, .. } = folder.run_with(words, "");
        let slip = format!("anna\n{how}    password for the first time:  ");
        assert!(out.starts_with(&slip), "{options}: {out}{err}");
        let audit: Vec<String> = folder.select("SELECT what FROM audit");
        assert_eq!(audit, ["made 1 account from class.txt"]);
    }
}

#[test]
fn what_is_exported_can_be_imported() {
    let folder = Folder::new();
    for name in ["anna", "Ben"] {
        folder.run(&format!("account add {name}"));
    }
    folder.run("account promote anna");
    let table = folder.run("account export");
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "name,administrator,since");
    assert!(rows[1].starts_with("anna,yes,20") && rows[2].starts_with("Ben,no,20"), "{table}");
    assert_eq!(rows.len(), 3);
    let other = Folder::new();
    fs::write(other.path("accounts.csv"), &table).unwrap();
    let err = other.run_with("account import accounts.csv", "").err;
    assert_eq!(err, "chatd: accounts made: 2\n");
    let names = other.select::<String>("SELECT name FROM account WHERE NOT is_admin ORDER BY id");
    assert_eq!(names, ["anna", "Ben"]);
}

#[test]
fn a_bad_list_is_refused_with_its_line_and_changes_nothing() {
    let folder = Folder::new();
    let names: String = (1..17).map(|i| format!("n{i}\n")).collect();
    fs::write(folder.path("class.csv"), names + "Anna Bell\nben\n").unwrap();
    fs::write(folder.path("large.csv"), "x\n".repeat(600_000)).unwrap();
    for (words, told) in [
        ("account import class.csv", "class.csv, line 17: A name has only "),
        ("account import gone.csv", "gone.csv cannot be read, and nothing is changed: "),
        ("account import large.csv", "large.csv is larger than 1 MiB"),
        ("account import .", ". cannot be read, and nothing is changed: "),
        ("account import", "Which file? chatd account import class.csv"),
        ("account export x", "no name is needed"),
        ("account export", "There is no database chatd.db."),
    ] {
        let said = folder.fails(words, "");
        assert!(said.contains(told), "{words}: {said}");
    }
    assert_eq!(folder.files(), ["class.csv", "large.csv"]);
}

/// Passwords that nobody can read are worse than none.
#[cfg(target_os = "linux")]
#[test]
fn slips_that_cannot_be_printed_make_no_account() {
    let folder = Folder::new();
    fs::write(folder.path("class.txt"), "anna\n").unwrap();
    let mut command = folder.chatd("account import class.txt");
    command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.starts_with("chatd: the slips cannot be printed, and nothing is changed: "),
        "{told}"
    );
    assert!(!output.status.success());
    assert_eq!(folder.files(), ["class.txt"]);
}
