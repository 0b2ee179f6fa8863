//! What the package brings beside the programs: manual pages made from `--help`, and a file of options.

use crate::harness::{Folder, has_program, skip};
use std::{fs, path::Path, process::Command};

const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/package");

fn printed(program: &str, words: &[&str]) -> String {
    let run = Command::new(program).args(words).output().unwrap();
    assert!(run.status.success(), "{program} {words:?}: {run:?}");
    String::from_utf8(run.stdout).unwrap()
}

/// What each line of help says, in order: of a program, and of its commands.
fn says(program: &str, command: &[&str]) -> Vec<String> {
    let help = printed(program, &[command, &["--help"]].concat());
    let mut texts = Vec::new();
    let mut commands = Vec::new();
    let mut heading = "";
    for line in help.lines().filter(|line| !line.is_empty()) {
        let usage = line.strip_prefix("Usage: ");
        if !line.starts_with(' ') && line.ends_with(':') {
            heading = line;
        } else if let Some(row) = line.strip_prefix("  ").filter(|row| !row.starts_with(' ')) {
            // The column of texts begins at the 21st; a longer name has a line of its own.
            let (what, text) = row.split_at_checked(18).unwrap_or((row, ""));
            texts.extend([what, text].map(|text| text.trim().to_owned()));
            if heading == "Commands:" {
                commands.push(what.trim());
            }
        } else {
            texts.push(usage.unwrap_or(line).trim().to_owned());
        }
    }
    for below in commands {
        texts.extend(says(program, &[command, &[below]].concat()));
    }
    texts
}

/// A page as a reader has it, in one line, without what an option takes: help has that in its usage.
fn read(page: &str) -> String {
    let text = page.lines().map(|line| {
        let line =
            line.strip_prefix(r"\fB").and_then(|line| line.split(r"\fR").next()).unwrap_or(line);
        line.replace(r"\&", "").replace(r"\-", "-").replace(r"\e", r"\")
    });
    text.filter(|line| !line.starts_with(".TP") && !line.starts_with(".PP"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_manual_pages_say_all_that_help_says_and_in_its_order() {
    let chat = option_env!("CARGO_BIN_EXE_chat").map(|chat| (chat, "1"));
    for (program, section) in chat.into_iter().chain([(env!("CARGO_BIN_EXE_chatd"), "8")]) {
        let page = read(&printed(&format!("{PACKAGE}/man.sh"), &[program, section]));
        let mut rest = page.as_str();
        let texts = says(program, &[]);
        assert!(texts.iter().any(|text| text.contains("--version")), "{texts:?}");
        for text in texts {
            let at = rest.find(&text).unwrap_or_else(|| panic!("no {text:?} in {rest}"));
            rest = &rest[at + text.len()..];
        }
    }
}

/// Every line of it that somebody may wish to have, too.
#[test]
fn the_packages_file_of_options_is_a_good_one() {
    let text = fs::read_to_string(format!("{PACKAGE}/chatd.toml")).unwrap();
    let folder = Folder::new();
    let proposed = |line: &str| line.strip_prefix("# ").is_some_and(|line| line.contains(" = "));
    assert!(text.lines().any(proposed));
    let wished = text.lines().map(|line| if proposed(line) { &line[2..] } else { line });
    fs::write(folder.path("motd.txt"), "hello").unwrap();
    folder.run("tls make --in .");
    let mut wished = wished.collect::<Vec<_>>().join("\n");
    for installed in ["/etc/chatd/", "/var/lib/chatd/"] {
        wished = wished.replace(installed, &folder.path("").display().to_string());
    }
    for text in [text.clone(), wished] {
        fs::write(folder.path("chatd.toml"), text).unwrap();
        folder.run("--config chatd.toml config check");
    }
}

/// By Debian's own programs, in an empty root. docs/package/try.sh does it in a whole Debian, with the programs that are
/// released.
#[test]
fn the_debian_package_is_installed_upgraded_and_purged() {
    let name = "the_debian_package_is_installed_upgraded_and_purged";
    let Some(chat) = option_env!("CARGO_BIN_EXE_chat") else { return };
    if !["dpkg-deb", "dpkg-shlibdeps", "deb-systemd-helper"].into_iter().all(has_program) {
        return skip(&format!("{name}: there is no dpkg-dev, or no init-system-helpers"));
    }
    if !rustix::process::geteuid().is_root() {
        return skip(&format!("{name}: files of the package are root's"));
    }
    let folder = Folder::new();
    let mut make = Command::new(format!("{PACKAGE}/deb.sh"));
    make.arg(folder.path("")).env("PROGRAMS", Path::new(chat).parent().unwrap());
    let made = make.env("SOURCE_DATE_EPOCH", "1795843800").output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let deb = fs::read_dir(folder.path("")).unwrap().map(|file| file.unwrap().path());
    let deb = deb.into_iter().find(|file| file.extension().is_some_and(|it| it == "deb")).unwrap();
    let mut try_it = Command::new(format!("{PACKAGE}/try.sh"));
    let tried = try_it.arg(deb).arg("--bare").output().unwrap();
    assert!(tried.status.success(), "{tried:?}");
    let said = String::from_utf8(tried.stdout).unwrap();
    assert!(
        said.ends_with("try: purged: nothing is left but the database, and it says so\n"),
        "{said}"
    );
}

/// Two people who make the archives get the same bytes, though their files are not open to the same others.
#[test]
fn what_is_packed_has_the_same_modes_and_times_whatever_the_umask() {
    let script = format!(
        "umask 077; mkdir -p packed/docs; touch packed/docs/page; install -m 700 /dev/null packed/program\n\
         packed=$PWD/packed; . {PACKAGE}/same-bytes.sh .; dated $packed; find $packed -printf '%m %T@ %P\\n' | sort"
    );
    let folder = Folder::new();
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(folder.path("")).env("SOURCE_DATE_EPOCH", "1795843800");
    let run = shell.output().unwrap();
    let time = "1795843800.0000000000";
    let expected =
        format!("644 {time} docs/page\n755 {time} \n755 {time} docs\n755 {time} program\n");
    assert_eq!(String::from_utf8(run.stdout).unwrap(), expected, "{:?}", run.stderr);
}

/// `cargo binstall` looks for names that docs/package/release.sh gives.
#[test]
fn binstall_finds_the_archives_that_are_released() {
    let manifest = include_str!("../../Cargo.toml");
    let value = |key: &str| {
        let line = manifest.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        line.split('"').nth(1).unwrap()
    };
    let released = printed(&format!("{PACKAGE}/release.sh"), &["--list"]);
    let formats = ["tgz", "zip"].map(|format| format!("pkg-fmt = \"{format}\""));
    assert!(formats.iter().all(|format| manifest.contains(format)));
    for (target, suffix) in
        [("x86_64-unknown-linux-musl", ".tar.gz"), ("x86_64-pc-windows-gnu", ".zip")]
    {
        let filled = [
            ("{ name }", env!("CARGO_PKG_NAME")),
            ("{ version }", env!("CARGO_PKG_VERSION")),
            ("{ target }", target),
            ("{ archive-suffix }", suffix),
        ]
        .iter()
        .fold(value("pkg-url").to_owned(), |url, (part, is)| url.replace(part, is));
        let file = filled.rsplit('/').next().unwrap();
        assert!(released.lines().any(|line| line == file), "{file} is not released: {released}");
        let folder = file.strip_suffix(suffix).unwrap();
        assert_eq!(value("bin-dir"), "{ name }-{ version }-{ target }/{ bin }{ binary-ext }");
        assert_eq!(folder, format!("chatd-{}-{target}", env!("CARGO_PKG_VERSION")));
    }
}
