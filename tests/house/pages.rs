//! The pages tell the truth: what they quote is compiled, what they count is there, and where they point is something.

use crate::source::{Source, files, root, sources, text_of};

/// Lines of code of these files, rounded, as a page writes it.
fn rounded<'a>(files: impl Iterator<Item = &'a Source>) -> String {
    let lines: usize = files.map(Source::lines_of_code).sum();
    let step = if lines < 200 { 10 } else { 50 };
    let rounded = (lines + step / 2) / step * step;
    match rounded {
        0..1000 => rounded.to_string(),
        _ => format!("{},{:03}", rounded / 1000, rounded % 1000),
    }
}

/// The page that compares threads with the loops.
const COMPARISON: &str = "docs/threads-vs-select.md";

#[test]
fn the_pages_quote_what_is_compiled() {
    let mut number = 0;
    for (name, page) in pages() {
        for quotation in page.split("\n```rust file=").skip(1) {
            number += 1;
            let (file, rest) = quotation.split_once('\n').unwrap();
            let quoted = rest.split_once("```").unwrap().0;
            assert!(
                format!("\n{}", text_of(file)).contains(&format!("\n{quoted}")),
                "{name} quotes what is not in {file}:\n{quoted}"
            );
        }
    }
    assert!(number > 40, "only {number} quotations were found");
}

#[test]
fn the_comparison_counts_what_is_compiled() {
    let threads = [
        "src/lock.rs",
        "src/socketserver/mod.rs",
        "src/socketserver/threading.rs",
        "src/server/mod.rs",
        "src/server/shutdown.rs",
        "src/server/fanout.rs",
        "src/server/registry.rs",
        "src/server/client/admission.rs",
        "src/server/client/handler.rs",
        "src/server/client/admission.rs",
        "src/server/client/lingerer.rs",
        "src/server/client/driver.rs",
        "src/server/client/outbox.rs",
        "src/server/client/outbox/answer.rs",
        "src/server/client/turn.rs",
        "src/server/client/send_queue.rs",
        "src/server/client/flusher.rs",
        "src/server/client/linger.rs",
    ];
    let all = sources(&["src", "docs/versions"]);
    let lines =
        |is_part: &dyn Fn(&str) -> bool| rounded(all.iter().filter(|source| is_part(&source.name)));
    assert!(threads.iter().all(|file| root().join(file).exists()));
    let page = text_of(COMPARISON);
    for (part, lines) in [
        ("core,", lines(&|name| name.starts_with("src/core/"))),
        ("threads:", lines(&|name| threads.contains(&name))),
        ("loop:", lines(&|name| name.starts_with("docs/versions/common/"))),
        ("select:", lines(&|name| name == "docs/versions/chatd_select.rs")),
        ("epoll:", lines(&|name| name == "docs/versions/chatd_epoll.rs")),
        ("mutex:", lines(&|name| name == "docs/versions/chatd_mutex.rs")),
    ] {
        let row = page.lines().find(|line| line.starts_with(&format!("| {part}"))).unwrap();
        assert!(row.ends_with(&format!(" {lines} |")), "{lines} lines now: {row}");
    }
    let kinds = text_of("src/lock.rs").split_once("enum LockKind {").unwrap().1.to_owned();
    let kinds = format!("| {} kinds, ", kinds.split('}').next().unwrap().matches(',').count());
    assert!(page.contains(&kinds), "the row about locks: {kinds}");
}

/// Every page: README.md, and what is below docs/.
fn pages() -> Vec<(String, String)> {
    let names = files("docs", ".md").into_iter().chain(["README.md".to_owned()]);
    names.map(|name| (name.clone(), text_of(&name))).collect()
}

/// A page without its blocks of code.
fn prose(page: &str) -> String {
    page.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

/// The anchor that a heading has on a page, as the usual hosts make it.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_to_something() {
    let mut dead = Vec::new();
    for (name, page) in pages() {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let text = prose(&page);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => root().join(&name),
                file => root().join(folder).join(file),
            };
            let has_heading = || {
                let page = std::fs::read_to_string(&path).unwrap_or_default();
                let page = prose(&page);
                page.lines().any(|line| line.starts_with('#') && anchor(line) == heading)
            };
            if !path.exists() || !(heading.is_empty() || has_heading()) {
                dead.push(format!("    {name}: {target}"));
            }
        }
    }
    assert!(dead.is_empty(), "these lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn every_source_file_that_a_page_names_exists() {
    let mut missing = Vec::new();
    for (name, page) in pages() {
        let is_part = |c: char| c.is_alphanumeric() || "/_.-".contains(c);
        for word in page.split(|c| !is_part(c)) {
            let is_ours = ["src/", "tests/", "docs/"].iter().any(|top| word.starts_with(top));
            if is_ours && word.ends_with(".rs") && !root().join(word).exists() {
                missing.push(format!("    {name}: {word}"));
            }
        }
    }
    assert!(missing.is_empty(), "these are not there:\n{}", missing.join("\n"));
}

/// Looks whether there is a test of this name.
fn finds_tests() -> impl Fn(&str) -> bool {
    let code: String = [("src", ".rs"), ("tests", ".rs"), ("tests/browser", ".mjs")]
        .iter()
        .flat_map(|(folder, ending)| files(folder, ending))
        .map(|file| text_of(&file))
        .collect();
    move |test| {
        let in_a_browser = format!("export async function {test}(scene)");
        code.contains(&format!("fn {test}()")) || code.contains(&in_a_browser)
    }
}

#[test]
fn every_guarantee_names_its_tests() {
    let page = text_of("docs/architecture.md");
    let (_, section) = page.split_once("\n## Guarantees\n").expect("the section");
    let rows = section.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with('|'));
    let is_test = finds_tests();
    for row in rows.skip(2) {
        let tests = row.split(" | ").nth(1).unwrap().split('`').skip(1).step_by(2);
        let missing: Vec<&str> = tests.clone().filter(|test| !is_test(test)).collect();
        assert!(tests.count() > 0 && missing.is_empty(), "there is no {missing:?}: {row}");
    }
}

/// On the page of figures, a word with three joints or more is a test's name.
#[test]
fn every_test_that_is_told_to_have_been_run_exists() {
    let page = text_of("docs/reliability.md");
    let is_name = |word: &&str| {
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.matches('_').count() >= 3 && word.chars().all(is_letter)
    };
    let names: Vec<&str> = page.split('`').filter(is_name).collect();
    let is_test = finds_tests();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !is_test(name)).collect();
    assert!(!names.is_empty() && missing.is_empty(), "there is no {missing:?}");
}
