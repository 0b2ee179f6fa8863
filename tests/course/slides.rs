//! The slides that are made of the pages.

use crate::{harness::example::example, harness::*, pages};
use std::process::Command;

fn deck(steps: &[&str]) -> String {
    let folder = Folder::new();
    let file = folder.path("slides.html");
    let mut command = Command::new(example("slides"));
    command.args(steps).arg("--file").arg(&file);
    Process::start(command).ends();
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn the_slides_have_every_question_and_program_and_need_no_network() {
    let all = deck(&[]);
    let text = |html: &str| html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let plain = text(&all);
    let mut steps = 0;
    for name in pages::pages() {
        let page = pages::read(&name);
        let title = page.lines().next().unwrap().trim_start_matches("# ");
        assert!(plain.contains(&format!("<h2>{}</h2>", title.replace('`', ""))), "{title}");
        let code = page.lines().filter(|line| line.contains(" $ cargo run --example "));
        code.for_each(|line| assert!(plain.contains(line), "{name}: {line}"));
        steps += 1;
    }
    assert_eq!(steps, 12);
    assert_eq!(all.matches("<aside>").count(), all.matches(">Predict first</h2>").count());
    assert!(all.matches("<section").count() > 100);
    for elsewhere in ["<script src", "<link", "@import", "url(", "src=\"http", "src=\"../"] {
        assert!(!all.contains(elsewhere), "{elsewhere}");
    }
    let one = deck(&["11"]);
    assert!(one.contains("room-frozen") && !one.contains("<h2>1. One client"));
}
