//! What `ss`, `ps`, `time` and Python's prompt show on the pages: the blocks marked `text`, which the process numbers and
//! times of one run stand in. Each command of them is run here as it stands there, but for its port and its process.

use crate::{deadlock::two_move, harness::*, pages, start};
use std::{io::Write as _, process::Command};

/// Every command of those blocks. A new one has to be tried, too.
const COMMANDS: [&str; 11] = [
    "ss -tln '( sport = :50008 )'",
    "cargo run --example files", // `files_…` in files.rs
    "python3",
    "cat /tmp/course-4711/notes.txt",
    "time sh -c 'for i in 1 2 3 4 5; do echo please | nc 127.0.0.1 18001 & done; wait'",
    "ps -o pid,stat,nlwp,args --ppid $(pgrep -ox fork)",
    "ps -o pid,stat,nlwp,args --ppid $(pgrep -ox fork)", // again, a second later
    "time sh -c 'for i in 1 2 3 4 5; do echo please | nc 127.0.0.1 18001 & done; wait'",
    "ps -L -o lwp,comm -p $(pgrep -x slow-answer)",
    "grep -vE '^<c[12]> (I|And I)' target/heard | head -6", // `two_threads_tear_a_line`
    "ps -L -o comm,wchan:20,time -p $(pgrep -x room-deadlock)",
];

/// The blocks of a page that show terminals and are not played line by line.
fn blocks(page: &str) -> Vec<String> {
    let text = pages::read(page);
    let blocks = text.split("\n```text\n").skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().to_owned()).collect()
}

/// What a command prints, with the process of this server in the place of the one that is looked for.
fn prints(server: &Server, command: &str) -> String {
    let (start, rest) = command.split_once("$(").unwrap_or((command, ""));
    let pid = if rest.is_empty() { String::new() } else { server.pid().to_string() };
    let port = server.address.port().to_string();
    let command = format!("{start}{pid}").replace("50008", &port).replace("18001", &port);
    let output = Command::new("bash").args(["-c", &command]).output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

fn rows<'a>(printed: &'a str, what: &[&str]) -> usize {
    let is_it = |row: &&'a str| what.iter().all(|word| row.split_whitespace().any(|w| w == *word));
    printed.lines().filter(is_it).count()
}

#[test]
fn no_command_of_the_pages_is_left_out() {
    let mut found: Vec<String> = Vec::new();
    for page in pages::pages() {
        let lines = blocks(&page).join("\n");
        found.extend(lines.lines().filter_map(|line| Some(line.strip_prefix("$ ")?.to_owned())));
    }
    assert_eq!(found, COMMANDS);
}

#[test]
fn idle_cost_measures_four_servers_with_up_to_900_silent_clients() {
    for server in ["upper", "select-echo", "poll-upper", "epoll"] {
        example::example(server);
    }
    let mut command = Command::new(example::example("idle-cost"));
    command.arg("--quick");
    let mut measured = Process::start(command);
    for silent in ["silent connections", "---", "1", "100", "900"] {
        let row = loop {
            let line = measured.next_line().expect("five rows");
            if line.starts_with('|') {
                break line;
            }
        };
        assert!(row.starts_with(&format!("| {silent} |")), "{row}");
    }
    measured.ends();
}

#[test]
fn ss_shows_the_client_that_waits_in_the_accept_queue() {
    let server = start("iterative");
    let _clients = server.connect_all(0..2);
    eventually("one is served, and one waits", || {
        rows(&prints(&server, COMMANDS[0]), &["LISTEN", "1"]) == 1
    });
}

#[test]
fn python_types_the_pages_header_and_the_file_is_in_the_folder() {
    if !has_program("python3") {
        return;
    }
    let folder = Folder::new();
    let mut command = Command::new(example::example("files"));
    command.arg("127.0.0.1:0").env("TMPDIR", folder.path(""));
    let server = Server::start_program(command);
    let typed: Vec<String> = blocks("docs/course/02-files.md")
        .join("\n")
        .lines()
        .filter_map(|line| Some(line.strip_prefix(">>> ")?.to_owned()))
        .collect();
    let typed = typed.join("\n").replace("12307", &server.address.port().to_string());
    let mut python = Process::start({
        let mut python = Command::new("python3");
        python.args(["-c", &typed]);
        python
    });
    python.ends();
    server.prints("received notes.txt, 12 bytes");
    let saved = server.printed();
    let saved = saved.lines().find_map(|line| line.strip_prefix("saving in ")).unwrap().to_owned();
    assert_eq!(std::fs::read_to_string(saved + "/notes.txt").unwrap(), "Hello class\n");
}

#[test]
fn time_and_ps_show_five_processes_and_five_dead_ones() {
    let server = start("fork");
    let time = prints(&server, COMMANDS[4]);
    assert_eq!(time.matches("That took me one second.").count(), 5, "{time}");
    assert!(time.contains("real\t0m"), "{time}");
    eventually("they are dead, and nobody has buried them", || {
        rows(&prints(&server, COMMANDS[5]), &["[fork]", "<defunct>"]) == 5
    });
    let _clients = server.connect_all(0..5); // they say nothing: whoever works for them does not end
    eventually("they are buried, and five others work", || {
        let printed = prints(&server, COMMANDS[6]);
        rows(&printed, &["1"]) == 5 && rows(&printed, &["<defunct>"]) == 0
    });
}

#[test]
fn ps_shows_a_thread_for_each_client_by_its_name() {
    let server = start("slow-answer");
    let time = prints(&server, COMMANDS[7]);
    assert_eq!(time.matches("That took me one second.").count(), 5, "{time}");
    let clients = server.connect_all(0..5);
    for client in &clients {
        client.stream().write_all(b"please").unwrap(); // no line yet: its thread waits for the rest
    }
    eventually("c6 to c10", || {
        let printed = prints(&server, COMMANDS[8]);
        (6..=10).all(|number| rows(&printed, &[&format!("c{number}")]) == 1)
    });
}

#[test]
fn ps_shows_two_threads_that_wait_for_a_lock_and_take_no_time() {
    two_move("none", |server, _| {
        server.prints(" waits for red, which c");
        server.prints(" waits for blue, which c");
        let printed = prints(server, COMMANDS[10]);
        assert!(rows(&printed, &["c1"]) == 1 && rows(&printed, &["c2"]) == 1, "{printed}");
        server.ends_on_ctrl_c();
    });
}
