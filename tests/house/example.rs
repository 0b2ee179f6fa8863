//! The example of docs/CONTRIBUTING.md, a new command, is compiled: it is applied to a copy of the source.

use crate::source::{files, text_of};
use std::{env, fs, path::Path, process::Command};

const PAGE: &str = "docs/CONTRIBUTING.md";
/// What the program has in it that is no Rust: the files of the web port.
const ASSETS: [&str; 4] = [".html", ".js", ".css", ".svg"];

/// What a file is when a diff has been applied to it. `@@` stands between two places of the file.
fn patched(file: &str, diff: &str) -> String {
    let mut text = text_of(file);
    for place in diff.split("@@\n") {
        let side = |other: char| -> String {
            let lines = place.lines().filter(|line| !line.starts_with(other));
            lines.map(|line| line.get(1..).unwrap_or_default().to_owned() + "\n").collect()
        };
        let (old, new) = (side('+'), side('-'));
        assert_eq!(
            text.matches(&old).count(),
            1,
            "{file} does not have this, as {PAGE} shows:\n{old}"
        );
        text = text.replace(&old, &new);
    }
    text
}

/// The manifest without the targets whose files are not copied.
fn manifest() -> String {
    let text = format!("\n{}", text_of("Cargo.toml"));
    let sections = text.split("\n[").filter(|section| !section.starts_with('['));
    sections.collect::<Vec<_>>().join("\n[")
}

#[test]
fn the_command_that_the_page_adds_is_compiled() {
    // Below the target folder of this test run, and checked in it: the dependencies are there already.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("example");
    let write = |file: &str, text: String| {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let _ = fs::remove_dir_all(&folder);
    for file in files("src", ".rs") {
        write(&file, text_of(&file));
    }
    for file in ASSETS.iter().flat_map(|kind| files("src", kind)) {
        write(&file, text_of(&file));
    }
    write("Cargo.toml", manifest());
    write("Cargo.lock", text_of("Cargo.lock"));
    let page = text_of(PAGE);
    let (file, rest) = page.split_once("\n```diff file=").unwrap().1.split_once('\n').unwrap();
    write(file, patched(file, rest.split_once("```").unwrap().0));

    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["check", "--lib", "--offline", "--quiet"]).current_dir(&folder);
    cargo.arg("--target-dir").arg(folder.ancestors().nth(2).unwrap());
    let output = cargo.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let is_clean = output.status.success() && told.is_empty();
    assert!(is_clean, "the example of {PAGE} is not compiled without a warning:\n{told}");
}
