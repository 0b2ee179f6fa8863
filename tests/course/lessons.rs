//! The lessons' pages: each is held by the program `lesson`, only faster, and each picture has its minute.

use crate::{
    harness::{Process, example::example, has_program},
    pages,
};
use std::{process::Command, thread};

#[test]
fn what_a_lesson_shows_happens_and_fits_into_its_minutes() {
    if !has_program("tmux") || !has_program("nc") {
        return;
    }
    for page in pages::pages() {
        for program in pages::read(&page).split("1 $ cargo run --example ").skip(1) {
            example(program.split([' ', '\n']).next().unwrap());
        }
    }
    thread::scope(|scope| {
        for minutes in ["45", "90"] {
            scope.spawn(move || {
                let mut command = Command::new(example("lesson"));
                command.args([minutes, "--quick"]);
                let mut lesson = Process::start(command);
                while let Some(row) = lesson.next_line() {
                    println!("{row}");
                }
                lesson.ends(); // with 0, or it says what does not happen or does not fit
            });
        }
    });
}

/// A picture that no lesson shows would be drawn for nobody.
#[test]
fn the_lessons_say_when_each_picture_is_shown() {
    let lessons = pages::read("docs/lesson-45.md") + &pages::read("docs/lesson-90.md");
    let drawn = ["accept-queue", "stacks", "fd-sets", "high-water", "one-line", "deadlock"];
    let measured = ["logins", "stuck", "story-thread", "story-loop"];
    for picture in drawn.iter().chain(&measured) {
        assert!(lessons.contains(&format!("(figures/{picture}.svg)")), "no minute has {picture}");
    }
}
