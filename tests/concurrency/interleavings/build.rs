//! Copies chatd's sources, so that they are run under another scheduler: in the copy, `std`, `parking_lot` and
//! `crossbeam_channel` are those of `src/model`, the files of `stand_ins` stand in the place of what talks to the
//! system, and the mistakes of `planted` are planted, each behind a switch. Nothing else is changed.

mod planted;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// These hold no lock that matters and wait for nobody: they stay as they are, so that no schedules are spent on them.
const AS_THEY_ARE: [&str; 7] = [
    "core/",
    "thread_status/",
    "origin.rs",
    "server/status.rs",
    "server/board.rs",
    "server/trace.rs",
    "server/turned_away.rs",
];

/// Its atomics only count.
const WITH_ATOMICS_AS_THEY_ARE: &str = "lock.rs";

/// The parts of chatd that are run here: the root of the copy.
const PARTS: &str =
    "mod core; mod lock; mod origin; mod server; mod socketserver; mod store; mod thread_status;";

/// A name in the source, and what stands for it.
const NAMES: [(&str, &str); 5] = [
    ("thread_local!", "crate::model::thread_local!"),
    ("std::", "crate::model::std::"),
    ("parking_lot::", "crate::model::parking_lot::"),
    ("crossbeam_channel::", "crate::model::channel::"),
    ("rustls::", "crate::model::rustls::"),
];

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap());
    let copy = PathBuf::from(env::var("OUT_DIR").unwrap()).join("chatd");
    let source = here.join("../../../src").canonicalize().unwrap();
    for watched in [&source, &here.join("stand_ins"), &here.join("planted")] {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    let _ = fs::remove_dir_all(&copy);
    for name in files(&source, "") {
        let mut text = fs::read_to_string(source.join(&name)).unwrap();
        for planted in planted::planted().filter(|planted| planted.file == name) {
            let count = text.matches(planted.right).count();
            assert_eq!(count, 1, "{name} has {count} times what {:?} replaces", planted.name);
            text = text.replace(planted.right, planted.wrong);
        }
        write(&copy.join(&name), &with_other_names(&name, &text));
    }
    write(&copy.join("root.rs"), PARTS);
    for name in files(&here.join("stand_ins"), "") {
        write(&copy.join(&name), &fs::read_to_string(here.join("stand_ins").join(&name)).unwrap());
    }
}

fn with_other_names(file: &str, text: &str) -> String {
    if AS_THEY_ARE.iter().any(|as_it_is| file.starts_with(as_it_is)) {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    for (name, other) in NAMES {
        if file == WITH_ATOMICS_AS_THEY_ARE && name == "std::" {
            continue;
        }
        let mut changed = String::with_capacity(text.len());
        let mut rest = &text[..];
        while let Some(at) = rest.find(name) {
            let before = rest[..at].chars().next_back();
            // Not the end of a longer name or path.
            let is_whole = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'));
            changed += &rest[..at];
            changed += if is_whole { other } else { name };
            rest = &rest[at + name.len()..];
        }
        text = changed + rest;
    }
    text
}

/// The Rust files below `folder`, by their names from there.
fn files(folder: &Path, below: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            found.extend(files(folder, &format!("{name}/")));
        } else if name.ends_with(".rs") {
            found.push(name);
        }
    }
    found
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
