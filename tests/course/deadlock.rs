//! Step 12: two rooms with a lock each, and threads that run by a schedule.

use crate::{
    harness::{example::example, *},
    pages, start_with,
};
use std::{io, process::Command, thread};

/// Two who move without end, in opposite directions, until `is_enough` says so.
pub fn two_move(cure: &str, is_enough: impl FnOnce(&mut Server, &mut Client)) {
    let mut server = start_with("room-deadlock", &[cure]);
    let [mut one, other] = ["one", "other"].map(|name| server.connect(name));
    thread::scope(|scope| {
        for mut stream in [one.stream().try_clone().unwrap(), other.stream().try_clone().unwrap()] {
            let moves = b"/move\n".repeat(100);
            scope.spawn(move || while io::Write::write_all(&mut stream, &moves).is_ok() {});
        }
        scope.spawn(|| io::copy(&mut other.stream(), &mut io::sink()));
        is_enough(&mut server, &mut one);
        drop(server); // and so the threads end
        let _ = one.stream().shutdown(std::net::Shutdown::Both);
    });
}

#[test]
fn two_who_move_stand_for_ever() {
    two_move("none", |server, one| {
        thread::scope(|scope| {
            scope.spawn(|| io::copy(&mut one.stream(), &mut io::sink()));
            server.prints(" waits for red, which c");
            server.prints(" waits for blue, which c");
            server.ends_on_ctrl_c();
        });
    });
}

#[test]
fn each_cure_lets_them_move() {
    for cure in ["order", "try", "one", "never"] {
        two_move(cure, |server, one| {
            (0..5000).for_each(|_| assert!(one.reads().is_some()));
            server.ends_on_ctrl_c();
        });
    }
}

/// What `interleave` prints.
fn interleaves(arguments: &str) -> String {
    let mut command = Command::new(example("interleave"));
    command.args(arguments.split_whitespace());
    Process::start(command).ends()
}

/// The page's table, and every scene in it.
#[test]
fn every_schedule_is_tried_and_those_that_go_wrong_are_counted() {
    let page = pages::read("docs/course/12-deadlock.md");
    let rows = page.lines().filter(|line| line.starts_with("| `") && line.contains("| 0 of "));
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let scene = cells[1].split('`').nth(1).unwrap();
        for (name, wrong) in [(scene.to_owned(), cells[2]), (format!("{scene}-mended"), cells[3])] {
            let printed = interleaves(&format!("{name} --all"));
            assert!(
                printed.starts_with(&format!("{name}: {wrong} schedules go wrong")),
                "{printed}"
            );
            assert_eq!(printed.contains("WRONG: "), !wrong.starts_with("0 "), "{printed}");
        }
    }
}

#[test]
fn a_seed_is_a_schedule() {
    let once = interleaves("room-names --seed 7");
    assert_eq!(once, interleaves("room-names --seed 7"));
    assert_ne!(once, interleaves("room-names --seed 8").replace("seed 8", "seed 7"));
}

#[test]
fn the_pages_picture_is_what_the_program_draws() {
    let folder = Folder::new();
    let file = folder.path("deadlock.svg");
    interleaves(&format!("room-deadlock --seed 6 --svg {}", file.display()));
    assert_eq!(std::fs::read_to_string(file).unwrap(), pages::read("docs/figures/deadlock.svg"));
}
