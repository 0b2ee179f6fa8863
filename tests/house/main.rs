//! The house's rules that a compiler does not check: what may be named where, how large things may become, and that
//! what the pages tell of the source is true. It reads the files; it runs nothing.

mod arrows;
mod example;
mod pages;
mod sizes;
mod source;
mod way;
mod words;

use source::{files, root, sources, text_of};
use std::fs;

#[test]
fn the_core_names_no_io() {
    let forbidden = [
        "std::net",
        "std::io",
        "std::fs",
        "std::thread",
        "std::sync",
        "std::process",
        "std::os",
        "std::env",
        "Instant",
        "SystemTime",
        "Timestamp::now",
        "Zoned::now",
        "TimeZone::system",
        "crossbeam",
        "parking_lot",
        "socket2",
        "rustix",
        "rusqlite",
        "log::",
        "println!",
    ];
    let core = sources(&["src/core"]);
    assert!(core.len() > 10);
    for source in core {
        let code = source.code();
        for word in forbidden {
            assert!(
                !code.contains(word),
                "{} names {word}: the core knows no I/O, thread, lock, channel or clock",
                source.name
            );
        }
    }
}

#[test]
fn the_socket_server_knows_nothing_of_chat() {
    for source in sources(&["src/socketserver"]) {
        let code = source.code();
        for word in ["crate::core", "crate::server", "crate::store", "crate::lock", "chatd"] {
            assert!(!code.contains(word), "{} names {word}", source.name);
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for folder in ["src", "tests", "docs"] {
        for name in files(folder, ".rs") {
            assert!(text_of(&name).starts_with("//!"), "{name} does not begin with what it is");
        }
    }
}

/// `src/lib.rs` has a table of the threads.
#[test]
fn every_thread_on_the_map_is_started_under_that_name() {
    let map = text_of("src/lib.rs");
    let rows: Vec<Vec<&str>> = map
        .lines()
        .skip_while(|line| !line.contains("| thread |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("//! | "))
        .map(|row| row.trim_end_matches(" |").split(" | ").collect())
        .collect();
    assert!(rows.len() >= 7, "{rows:?}");
    let code: String = sources(&["src"]).iter().map(source::Source::code).collect();
    for row in rows {
        let thread = row[0].trim_matches('`');
        let is_started = match thread {
            "main" => code.contains("fn main()"),
            "c7:alice" => code.contains("format!(\"c{number}\")"),
            name => code.contains(&format!("start_thread(\"{name}\"")),
        };
        assert!(is_started, "no thread is started under the name {thread}");
        for file in row[row.len() - 1].split(", ") {
            assert!(root().join("src").join(file).exists(), "the map names {file}");
        }
    }
}

#[test]
fn nothing_else_stands_at_the_top() {
    let allowed = ["Cargo.toml", "Cargo.lock", "README.md", "src", "tests", "docs", "target"];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // Whoever tries the README's first command has a database; git ignores it.
        let is_database = name.starts_with("chatd.db");
        let belongs = name.starts_with('.') || allowed.contains(&&*name) || is_database;
        assert!(belongs, "{name} does not belong at the top level");
    }
}

#[test]
fn tests_do_not_sleep() {
    let call = ["thread::", "sleep("].concat();
    for source in sources(&["tests"]) {
        let sleeps = source.code().contains(&call);
        assert!(!sleeps, "{} sleeps: wait for a condition, with a deadline", source.name);
    }
}

/// `println!` panics when nobody reads it any more (`--help | head`), and so does `argh::from_env`. (Those who do the exercises
/// write them as they like.)
#[test]
fn no_program_panics_when_its_output_is_closed() {
    for source in sources(&["src", "docs"]) {
        let is_exercise = source.name.starts_with("docs/course/exercises/");
        let code = source.code();
        let found = ["println!(", " print!(", "argh::from_env"]
            .into_iter()
            .find(|word| code.lines().any(|line| line.replace("eprintln!(", "").contains(word)));
        assert!(is_exercise || found.is_none(), "{}: {found:?}; use program::say", source.name);
    }
}
