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
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
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
            assert!(
                !code.contains(word),
                "{name} names {word}: the core knows no I/O, thread, lock, channel or clock"
            );
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
    let map: String =
        map.lines().filter(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n");

    // Every file that the map names exists, and every file that exists stands on the map.
    let named: Vec<&str> = map
        .split(|c: char| !(c.is_alphanumeric() || "/_.-".contains(c)))
        .filter(|w| w.ends_with(".rs"))
        .collect();
    assert!(named.len() > 10, "{named:?}");
    for file in &named {
        assert!(
            root().join("src").join(file).exists(),
            "the map names {file}, which does not exist"
        );
    }
    for (name, _) in rust_files("src") {
        let name = name.strip_prefix("src/").unwrap();
        let is_map = name == "lib.rs"
            || name.ends_with("mod.rs")
            || name.ends_with("tests.rs")
            || name.starts_with("bin/");
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

/// Lines of code of some files, rounded, as a page writes it.
fn lines_of_code<'a>(files: impl IntoIterator<Item = &'a (String, String)>) -> String {
    let lines_in = |text: &str| code(text).lines().filter(|line| !line.trim().is_empty()).count();
    let lines: usize = files.into_iter().map(|(_, text)| lines_in(text)).sum();
    let step = if lines < 200 { 10 } else { 50 };
    let rounded = (lines + step / 2) / step * step;
    if rounded < 1000 {
        rounded.to_string()
    } else {
        format!("{},{:03}", rounded / 1000, rounded % 1000)
    }
}

#[test]
fn the_comparison_quotes_and_counts_what_is_compiled() {
    let page = fs::read_to_string(root().join("docs/threads-vs-select.md")).unwrap();
    let quotations: Vec<&str> = page.split("\n```rust file=").skip(1).collect();
    assert!(quotations.len() > 5);
    for quotation in quotations {
        let (file, rest) = quotation.split_once('\n').unwrap();
        let quoted = rest.split_once("```").unwrap().0;
        let source = fs::read_to_string(root().join(file)).unwrap();
        assert!(
            source.contains(&format!("\n{quoted}")),
            "the page quotes what is not in {file}:\n{quoted}"
        );
    }

    let (sources, versions) = (rust_files("src"), rust_files("docs/versions"));
    let threaded = |name: &str| {
        let parts = [
            "lock",
            "socketserver/mod",
            "socketserver/threading",
            "server/mod",
            "server/fanout",
            "server/flusher",
        ];
        let more =
            ["server/handler", "server/registry", "server/outbox", "server/usher", "server/writer"];
        parts.iter().chain(&more).any(|part| name == format!("src/{part}.rs"))
    };
    let is_core = |name: &str| name.starts_with("src/core") && !name.ends_with("/tests.rs");
    for (part, lines) in [
        ("core,", lines_of_code(sources.iter().filter(|(name, _)| is_core(name)))),
        ("threads:", lines_of_code(sources.iter().filter(|(name, _)| threaded(name)))),
        ("loop:", lines_of_code(versions.iter().filter(|(name, _)| name.contains("/common/")))),
        (
            "select:",
            lines_of_code(versions.iter().filter(|(name, _)| name.ends_with("chatd_select.rs"))),
        ),
        (
            "epoll:",
            lines_of_code(versions.iter().filter(|(name, _)| name.ends_with("chatd_epoll.rs"))),
        ),
    ] {
        let row = page.lines().find(|line| line.starts_with(&format!("| {part}"))).unwrap();
        assert!(row.ends_with(&format!(" {lines} |")), "{lines} lines now: {row}");
    }
}

#[test]
fn nothing_else_stands_at_the_top() {
    let allowed = ["Cargo.toml", "Cargo.lock", "README.md", "src", "tests", "docs", "target"];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_database = name.starts_with("chatd.db"); // who tries the README's first command has one; git ignores it
        let belongs = name.starts_with('.') || allowed.contains(&&*name) || is_database;
        assert!(belongs, "{name} does not belong at the top level");
    }
}

#[test]
fn tests_do_not_sleep() {
    for (name, text) in rust_files("tests") {
        let sleeps = ["thread::", "sleep("].concat();
        assert!(!text.contains(&sleeps), "{name} sleeps: wait for a condition, with a deadline");
    }
}
