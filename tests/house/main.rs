//! The house's rules that a compiler does not check: what the core may not name, and that the map is true.

use std::{fs, path::Path};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, with its path from the root.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(rust_files(&name));
        } else if name.ends_with(".rs") {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// The code of a file, without its comments and without its unit tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

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
        "crate::server",
        "crate::socketserver",
        "crate::lock",
    ];
    let files = rust_files("src/core");
    assert!(files.len() > 10);
    for (name, text) in files {
        let code = code(&text);
        for word in forbidden {
            assert!(!code.contains(word), "{name} names {word}: the core knows no I/O, thread, lock, channel or clock");
        }
    }
}

#[test]
fn the_socket_server_knows_nothing_of_chat() {
    for (name, text) in rust_files("src/socketserver") {
        for word in ["crate::core", "crate::server"] {
            assert!(!code(&text).contains(word), "{name} names {word}");
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (name, text) in ["src", "tests", "docs"].into_iter().flat_map(rust_files) {
        assert!(text.starts_with("//!"), "{name} does not begin with what it is");
    }
}

#[test]
fn the_map_is_true() {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let map: String = map.lines().filter(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n");

    // Every file that the map names exists, and every file that exists stands on the map.
    let named: Vec<&str> =
        map.split(|c: char| !(c.is_alphanumeric() || "/_.-".contains(c))).filter(|w| w.ends_with(".rs")).collect();
    assert!(named.len() > 10, "{named:?}");
    for file in &named {
        assert!(root().join("src").join(file).exists(), "the map names {file}, which does not exist");
    }
    for (name, _) in rust_files("src") {
        let name = name.strip_prefix("src/").unwrap();
        let is_map =
            name == "lib.rs" || name.ends_with("mod.rs") || name.ends_with("tests.rs") || name.starts_with("bin/");
        assert!(is_map || named.contains(&name), "{name} is not on the map in src/lib.rs");
    }

    // Every thread of the table is started somewhere under that name.
    let sources: String = rust_files("src").into_iter().map(|(_, text)| code(&text)).collect();
    let threads: Vec<&str> = map
        .lines()
        .skip_while(|line| !line.contains("| thread |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("//! | `")?.split('`').next())
        .collect();
    assert!(threads.len() >= 7, "{threads:?}");
    for thread in threads {
        let started = match thread {
            "main" => sources.contains("fn main()"),
            "c7:alice" => sources.contains("format!(\"c{number}\")"),
            name => sources.contains(&format!("start_thread(\"{name}\"")),
        };
        assert!(started, "no thread is started under the name {thread}");
    }
}

#[test]
fn nothing_else_stands_at_the_top() {
    let allowed = ["Cargo.toml", "Cargo.lock", "README.md", "src", "tests", "docs", "target"];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || allowed.contains(&&*name), "{name} does not belong at the top level");
    }
}

#[test]
fn tests_do_not_sleep() {
    for (name, text) in rust_files("tests") {
        let sleeps = ["thread::", "sleep("].concat();
        assert!(!text.contains(&sleeps), "{name} sleeps: wait for a condition, with a deadline");
    }
}
