//! docs/architecture.md tells the way of one line, function by function; here it is compared with the code.
//!
//! ```text
//! - **`ClientThread::run`** (server/client/handler.rs)
//!   - **`Session::hear`** (core/session/mod.rs)
//! ── events ──> fanout
//! - **`FanOut::run`** (server/fanout.rs)
//!   - `Pending::record` (core/rooms/pending.rs), with a history
//! ```
//!
//! Whatever stands further right is called by the function above it that stands further left.

use crate::source::{Function, each_token, inside, sources, text_of, word};
use std::collections::{BTreeSet, HashMap};

/// Functions and files that tell the story (in bold), at most: with a history, and without.
const STORY_MAX: [(usize, usize); 2] = [(13, 12), (11, 10)];
/// And those of the whole way. If it can be shorter, make these smaller.
const WAY_MAX: [(usize, usize); 2] = [(39, 20), (26, 15)];
/// Lines of a function on the way.
const LINES_MAX: usize = 60;

/// A function on the way.
struct Step {
    depth: usize,
    path: String,
    file: String,
    with_history: bool,
    is_story: bool,
}

/// The lists of the page, one for each thread.
fn way() -> Vec<Vec<Step>> {
    let page = text_of("docs/architecture.md");
    let (_, section) = page.split_once("\n## The way of one line\n").expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut threads = vec![Vec::new()];
    for line in section.lines() {
        let depth = line.len() - line.trim_start().len();
        if line.contains("──") {
            threads.push(Vec::new());
        } else if let Some(step) = line.replace("**", "").trim_start().strip_prefix("- `")
            && let Some((path, rest)) = step.split_once("` (")
        {
            let is_story = line.contains("**");
            let (file, rest) = rest.split_once(')').unwrap_or_else(|| panic!("{line}"));
            let (path, file) = (path.to_owned(), format!("src/{file}"));
            let with_history = rest.contains("with a history");
            threads.last_mut().unwrap().push(Step { depth, path, file, with_history, is_story });
        }
    }
    threads.retain(|steps| !steps.is_empty());
    threads
}

/// Whether a function's body names another function.
fn names(function: &Function, path: &str) -> bool {
    let name = path.rsplit("::").next().unwrap_or_default();
    let mut is_named = false;
    each_token(&inside(&function.body), &mut |token| is_named |= word(Some(token)) == name);
    is_named
}

#[test]
fn the_way_of_one_line_is_as_the_page_tells_it() {
    let sources = sources(&["src"]);
    let functions: HashMap<(String, String), Function> = sources
        .iter()
        .flat_map(|source| {
            source.functions().into_iter().map(|f| ((source.name.clone(), f.path()), f))
        })
        .collect();
    let threads = way();
    for steps in &threads {
        let mut above: Vec<(usize, &Function)> = Vec::new();
        for Step { depth, path, file, .. } in steps {
            let function = functions.get(&(file.clone(), path.clone()));
            let function = function.unwrap_or_else(|| panic!("there is no {path} in {file}"));
            assert!(function.lines <= LINES_MAX, "{path} has {} lines", function.lines);
            above.retain(|(left, _)| left < depth);
            if let Some((_, caller)) = above.last() {
                assert!(names(caller, path), "{} does not call {path}", caller.path());
            }
            above.push((*depth, function));
        }
    }
    assert!(threads.len() >= 3, "a client's thread, the fan-out, the historian");

    let count = |is_meant: &dyn Fn(&Step) -> bool| {
        let steps = threads.iter().flatten().filter(|step| is_meant(step));
        let (paths, files): (BTreeSet<_>, BTreeSet<_>) =
            steps.map(|step| ((&step.file, &step.path), &step.file)).unzip();
        (paths.len(), files.len())
    };
    for (i, has_history) in [true, false].into_iter().enumerate() {
        let way = count(&|step| has_history || !step.with_history);
        let story = count(&|step| step.is_story && (has_history || !step.with_history));
        println!("with a history: {has_history}; functions and files: {way:?}, of them {story:?}");
        for (what, is, most) in [("way", way, WAY_MAX[i]), ("story", story, STORY_MAX[i])] {
            let is_short = is.0 <= most.0 && is.1 <= most.1;
            assert!(is_short, "{} functions in {} files: the {what} has become longer", is.0, is.1);
        }
    }
}
