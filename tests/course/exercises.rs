//! The exercises (docs/course/exercises) and their grader.

use crate::{
    harness::{example::example, *},
    pages,
};
use std::{process::Command, thread};

/// What `grade` prints.
fn grades(arguments: &[&str]) -> String {
    let mut command = Command::new(example("grade"));
    command.args(arguments);
    let mut grader = Process::start(command);
    eventually_ends(&mut grader);
    grader.ends()
}

/// A check that fails waits for what does not come: some take longer than any other wait of ours.
fn eventually_ends(grader: &mut Process) {
    let end = std::time::Instant::now() + 4 * DEADLINE;
    while grader.is_running() {
        assert!(std::time::Instant::now() < end, "the grader does not end");
        thread::park_timeout(std::time::Duration::from_millis(10));
    }
}

/// The points reached, and those that there are.
fn points(printed: &str) -> (u32, u32) {
    let last = printed.lines().last().unwrap();
    let (reached, of) = last.strip_suffix(" points").unwrap().split_once(" of ").unwrap();
    (reached.parse().unwrap(), of.parse().unwrap())
}

#[test]
fn every_solution_gets_all_points_and_no_exercise_does_as_it_is_given() {
    let table = pages::read("docs/course/exercises/README.md");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| [")).collect();
    assert!(rows.len() >= 15);
    thread::scope(|scope| {
        for row in &rows {
            scope.spawn(move || {
                let number = row[3..].split('.').next().unwrap();
                let in_table: u32 = row.split(" | ").nth(1).unwrap().parse().unwrap();
                let solved = grades(&[number, "--solved"]);
                assert_eq!(points(&solved), (in_table, in_table), "{solved}");
                let given = grades(&[number]);
                let (reached, of) = points(&given);
                assert!(reached < of, "as given (or have you solved it?): {given}");
                assert!(given.contains("expected  ") && given.contains("seen  "), "{given}");
            });
        }
    });
}

#[test]
fn a_hint_a_file_to_hand_in_and_the_solutions() {
    let first = grades(&["5", "--hint", "1"]);
    assert!(first.starts_with("1. A worker locks the receiver"), "{first}");
    // The lines of a check begin with a number, too.
    let mut command = Command::new(example("grade"));
    let none = command.args(["5", "--hint", "9"]).output().unwrap();
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(!none.status.success() && said.contains("there is no such hint"), "{said}");
    let folder = Folder::new();
    let (file, solutions) = (folder.path("handin.txt"), folder.path("solutions"));
    grades(&["3", "--solved", "--handin", file.to_str().unwrap()]);
    let handed_in = std::fs::read_to_string(file).unwrap();
    assert!(handed_in.starts_with("3 of 3 points"), "{handed_in}");
    assert!(handed_in.contains("fn process(stream: TcpStream)"), "{handed_in}");
    grades(&["--solutions", solutions.to_str().unwrap()]);
    assert!(std::fs::read_dir(solutions).unwrap().count() >= 15);
}
