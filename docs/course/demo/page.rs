//! What a page of the course says to do: its questions and its terminal sessions, in their order.

use anyhow::Context as _;
use std::{fs, path::PathBuf};

/// One part of a page.
pub(crate) enum Part {
    /// A question: to be asked, and answered by the class.
    Predict(String),
    /// A terminal session: each line with the number of its terminal.
    Console(Vec<(char, String)>),
    /// Commands for one more terminal, while the programs of the session above run.
    Shell(Vec<String>),
}

/// A file of docs, by its path from there.
pub(crate) fn read(file: &str) -> anyhow::Result<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// The page's parts.
pub(crate) fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (number, block) in page.split("\n```").enumerate() {
        if number % 2 == 0 {
            let text = block.replace("\n   ", " ");
            let numbered = |line: &&str| {
                line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok())
            };
            parts.extend(text.lines().filter(numbered).map(|line| Part::Predict(line.to_owned())));
        } else if let Some(session) = block.strip_prefix("console\n") {
            let line = |line: &str| Some((line.chars().next()?, line.get(2..)?.to_owned()));
            parts.push(Part::Console(session.lines().filter_map(line).collect()));
        } else if let Some(session) = block.strip_prefix("text\n").filter(|s| !s.contains(">>>")) {
            let commands: Vec<String> =
                session.lines().filter_map(|l| Some(l.strip_prefix("$ ")?.to_owned())).collect();
            parts.push(Part::Shell(commands));
        }
    }
    parts
}

/// What stands below a heading, by the name that a link has for it, up to the next heading of its level.
pub(crate) fn section<'a>(page: &'a str, anchor: &str) -> anyhow::Result<&'a str> {
    let mut chapters = page.split("\n## ");
    let is_it = |chapter: &&str| chapter.lines().next().is_some_and(|t| slug(t) == anchor);
    chapters.find(is_it).with_context(|| format!("no heading is #{anchor}"))
}

/// A heading as links name it.
fn slug(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Whether a line of a session is typed; the others are printed.
pub(crate) fn is_typed(line: &str) -> bool {
    line.starts_with("$ ") || line.starts_with("> ") || matches!(line, "^C" | "^Z")
}
