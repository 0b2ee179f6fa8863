//! The pages of the course: every program has its page, every question its answer, and what they name is there.

use crate::harness::{Folder, example::example};
use std::{fs, path::Path, process::Command};

/// A file of the project.
pub fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
        .unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// Every page of the course with a step, by its path from the root.
pub fn pages() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/course");
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<String> = names
        .filter(|n| n.ends_with(".md") && n.starts_with(|first: char| first.is_ascii_digit()))
        .map(|n| format!("docs/course/{n}"))
        .collect();
    pages.sort();
    pages
}

/// Every page with terminal sessions.
pub fn with_terminals() -> impl Iterator<Item = String> {
    let more = ["README.md", "experiments.md", "lesson-45.md", "threads-vs-select.md"];
    let more = more.into_iter().chain(["course/python/README.md"]);
    pages().into_iter().chain(more.map(|page| format!("docs/{page}")))
}

/// The questions of a page: its numbered lists. Blocks of code do not count, and neither does how a line is broken.
fn questions(page: &str) -> Vec<String> {
    let text: String = read(page).split("\n```").step_by(2).collect::<Vec<_>>().join("\n");
    let mut questions: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let number = line.split_once(". ").filter(|(number, _)| number.parse::<u32>().is_ok());
        goes_on = match number {
            Some((_, question)) => {
                questions.push(question.to_owned());
                true
            }
            None if goes_on && line.starts_with("   ") => {
                *questions.last_mut().unwrap() += &format!(" {}", line.trim());
                true
            }
            None => false,
        };
    }
    questions
}

/// A text without what only its form is made of: marks of code, the targets of links, HTML's way to write a character.
fn bare(text: &str) -> String {
    let mut parts = text.split("](");
    let first = parts.next().unwrap().to_owned();
    let text =
        parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest));
    let marks = ["`", "[", "<code>", "</code>"];
    let text = marks.iter().fold(text, |text, mark| text.replace(mark, ""));
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn every_question_has_an_answer_and_a_command_that_shows_it() {
    let answers = read("docs/course/answers.md");
    let mut chapters = answers.split("\n## ").skip(1);
    for page in pages() {
        let chapter = chapters.next().expect("a chapter for each page");
        let title = read(&page).lines().next().unwrap().trim_start_matches("# ").to_owned();
        assert_eq!(chapter.lines().next().unwrap(), title);
        let answers: Vec<&str> = chapter.split("<details><summary>").skip(1).collect();
        let questions = questions(&page);
        assert_eq!(answers.len(), questions.len(), "{page}: questions and answers");
        for (number, (question, answer)) in questions.iter().zip(answers).enumerate() {
            let (asked, answer) = answer.split_once("</summary>").unwrap();
            assert_eq!(bare(asked), format!("{}. {}", number + 1, bare(question)), "{page}");
            assert!(answer.contains('`'), "no command shows the answer to {question}");
        }
    }
}

/// `cargo test … NAME`, and a test's name alone, wherever the pages say them.
#[test]
fn the_tests_that_the_pages_name_are_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/course");
    let sources = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut tests: String = sources
        .filter(|path| path.is_file())
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    tests += &read("src/socketserver/tests.rs");
    tests += &read("src/socketserver/unix_socket/tests.rs");
    for name in
        read("docs/socketserver.md").split("## What Python checks").nth(1).unwrap().split('`')
    {
        let is_a_test = name.matches('_').count() > 2;
        assert!(!is_a_test || tests.contains(&format!("fn {name}(")), "no test is called {name}");
    }
    let more = ["docs/course/answers.md", "docs/README.md", "docs/experiments.md"];
    for page in pages().into_iter().chain(more.map(str::to_owned)) {
        for command in read(&page).split("`cargo test ").skip(1) {
            let command = command.split('`').next().unwrap().split(" -- ").next().unwrap();
            let name = command.split_whitespace().last().unwrap();
            let is_there = tests.contains(&format!("fn {name}"))
                || tests.lines().any(|line| line.starts_with("fn ") && line.contains(name));
            assert!(
                is_there || name == "NAME" || command.contains("--test chatd"),
                "{page}: {command}"
            );
        }
    }
}

/// Every name of Python's `socketserver` that one may use, and what its classes have.
#[test]
fn every_public_name_of_socketserver_has_a_row() {
    const LIST: &str = "import socketserver as s\n\
        classes = [getattr(s, name) for name in s.__all__]\n\
        names = set(s.__all__) | {name for c in classes for name in vars(c)}\n\
        print(*sorted(name for name in names if not name.startswith('_')))";
    if !crate::harness::has_program("python3") {
        return;
    }
    let listed = Command::new("python3").args(["-c", LIST]).output().unwrap();
    let page = read("docs/socketserver.md");
    let names = String::from_utf8(listed.stdout).unwrap();
    assert!(names.split_whitespace().count() > 40, "{names}");
    for name in names.split_whitespace() {
        assert!(page.contains(&format!("`{name}`")), "docs/socketserver.md has no {name}");
    }
}

/// `demo` asks a page's questions and says, or types, each line of its terminals.
#[test]
fn a_page_is_played_key_by_key() {
    for page in pages() {
        let step = page["docs/course/".len()..].split('-').next().unwrap();
        let mut command = Command::new(example("demo"));
        command.arg(step).env("PATH", "/nowhere"); // without tmux
        let mut demo = crate::harness::Process::start(command);
        demo.types(&"\n".repeat(200));
        let printed = demo.ends();
        assert!(printed.contains("There is no tmux."), "{printed}");
        for question in questions(&page) {
            assert!(printed.contains(&question), "{page} does not ask {question}: {printed}");
        }
        for block in read(&page).split("\n```console\n").skip(1) {
            let typed = block.split("\n```").next().unwrap().lines().filter(|line| {
                [" $ ", " > ", " ^C", " ^Z"].iter().any(|mark| line[1..].starts_with(mark))
            });
            typed.for_each(|line| assert!(printed.contains(&format!("\n{line}\n")), "{line}"));
        }
    }
}

/// What the page about Rust shows the compiler's words for does not compile.
#[test]
fn an_rc_cannot_be_given_to_a_thread() {
    let page = read("docs/rust-for-python.md");
    let code = page.split("```rust compile_fail\n").nth(1).unwrap().split("```").next().unwrap();
    let words = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = Folder::new();
    let file = folder.path("rc.rs");
    fs::write(&file, format!("fn main() {{\n{code}}}\n")).unwrap();
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--edition", "2024", "--emit", "metadata", "--out-dir"])
        .arg(folder.path(""))
        .arg(file);
    let said = rustc.output().unwrap();
    assert!(!said.status.success());
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    for word in words.split_whitespace().filter(|word| !word.contains("closure")) {
        assert!(said.contains(word), "the compiler does not say {word}");
    }
}

#[test]
fn every_program_stands_on_a_page_and_every_page_in_the_index() {
    let pages = pages();
    let more = ["docs/README.md", "docs/experiments.md"].map(str::to_owned);
    let text: String = pages.iter().chain(&more).map(|page| read(page)).collect();
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

#[test]
fn the_pictures_are_what_the_program_draws() {
    let folder = Folder::new();
    let mut command = Command::new(example("pictures"));
    let drawn = command.arg(folder.path("")).output().unwrap();
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let said = String::from_utf8(drawn.stdout).unwrap();
    assert_eq!(said.lines().count(), 8, "{said}");
    for file in said.lines() {
        let name = file.rsplit_once('/').unwrap().1;
        let is_as_drawn =
            fs::read_to_string(file).unwrap() == read(&format!("docs/figures/{name}"));
        assert!(is_as_drawn, "{name} is older than its program: cargo run --example pictures");
    }
}
