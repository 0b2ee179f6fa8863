//! The pages of the course: what they quote stands in the files that are compiled, and every program has its page.

use std::{fs, path::Path};

/// A file of the project.
pub fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
        .unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// Every page of docs/course, by its path from the root.
pub fn pages() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/course");
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<String> =
        names.filter(|n| n.ends_with(".md")).map(|n| format!("docs/course/{n}")).collect();
    pages.sort();
    pages
}

/// The blocks of a page that begin with "```rust": the file that each quotes, and the quotation.
fn quotations(page: &str) -> Vec<(String, String)> {
    let text = read(page);
    let mut found = Vec::new();
    for block in text.split("\n```rust").skip(1) {
        let (head, body) = block.split_once('\n').unwrap();
        let file = head.trim().strip_prefix("file=");
        let quotation = body.split("```").next().unwrap();
        let file = file
            .unwrap_or_else(|| panic!("{page}: a block of code does not say file=: {quotation}"));
        found.push((file.to_owned(), quotation.to_owned()));
    }
    found
}

#[test]
fn what_a_page_quotes_stands_in_the_compiled_file() {
    for page in pages() {
        let quotations = quotations(&page);
        assert!(!quotations.is_empty(), "{page} quotes no code");
        for (file, quotation) in quotations {
            let source = format!("\n{}", read(&file));
            assert!(
                source.contains(&format!("\n{quotation}")),
                "{page} quotes what is not in {file}:\n{quotation}"
            );
        }
    }
}

#[test]
fn every_program_stands_on_a_page_and_every_page_in_the_index() {
    let pages = pages();
    let text: String =
        pages.iter().map(|page| read(page)).collect::<String>() + &read("docs/experiments.md");
    let manifest = read("Cargo.toml");
    let names = manifest.split("[[example]]").skip(1).map(|entry| entry.split('"').nth(1).unwrap());
    let mine = names
        .filter(|name| manifest.contains(&format!("name = \"{name}\"\npath = \"docs/course/")));
    for name in mine {
        let command = format!("--example {name}");
        let is_said = text.split(&command).skip(1).any(|rest| !rest.starts_with('-'));
        assert!(is_said, "no page says how to run {name}");
    }
    let index = read("docs/README.md");
    for page in pages {
        let name = page.trim_start_matches("docs/");
        assert!(index.contains(&format!("({name})")), "docs/README.md does not link {name}");
    }
}
