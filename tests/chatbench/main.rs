//! `chatbench` as it is called: each kind of load on the floor, and servers that break a promise, which it must notice.
//!
//! No test here asserts how fast anything is. Loads are small and last a fraction of a second.
#![cfg(target_os = "linux")]

mod broken;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use broken::{Breaks, serve};

/// How long one call of chatbench may take at most; they take one or two seconds.
const DEADLINE: Duration = Duration::from_secs(60);

/// What `compare` compares.
const MODELS: [&str; 4] = ["threads", "select", "epoll", "floor"];

/// What a call of chatbench came to.
struct Called {
    success: bool,
    stdout: String,
}

/// Runs chatbench with these words.
fn chatbench(words: &str) -> Called {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chatbench"))
        .args(words.split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chatbench starts");
    let (mut stdout, (end, ended)) = (child.stdout.take().expect("a pipe"), mpsc::channel());
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text).map(|_| text);
        end.send(read).expect("the test waits");
    });
    let text = ended.recv_timeout(DEADLINE);
    if text.is_err() {
        child.kill().expect("chatbench is ours");
    }
    let success = child.wait().expect("chatbench has ended").success();
    let stdout = text
        .unwrap_or_else(|_| panic!("chatbench {words} took longer than {DEADLINE:?}"))
        .expect("UTF-8");
    reader.join().expect("the reader has ended");
    Called { success, stdout }
}

/// A short closed loop on a server in this process.
fn load_on(breaks: Breaks) -> Called {
    let (address, pid) = (serve(breaks), std::process::id());
    chatbench(&format!(
        "--connect {address} --pid {pid} --peer line --pin none --time 0.4 --warmup 0.1 \
         throughput --clients 6 --senders 2 --window 4"
    ))
}

fn must_fail_with(breaks: Breaks, what: &str) {
    let called = load_on(breaks);
    assert!(!called.success, "exit code 0 for a server that breaks a promise: {}", called.stdout);
    assert!(called.stdout.contains("FAILED"), "{}", called.stdout);
    assert!(called.stdout.contains(what), "{:?} is not in {}", what, called.stdout);
}

#[test]
fn a_server_that_keeps_its_promises_passes() {
    let called = load_on(Breaks::Nothing);
    assert!(called.success, "{}", called.stdout);
    assert!(called.stdout.contains("cpu_us_per_delivery"), "{}", called.stdout);
}

#[test]
fn a_lost_line_fails() {
    must_fail_with(Breaks::Loses, "a line lost: line 20 of client");
}

#[test]
fn a_repeated_line_fails() {
    must_fail_with(Breaks::Repeats, "a line repeated: line 20 of client");
}

#[test]
fn a_torn_line_fails() {
    must_fail_with(Breaks::Tears, "a torn line");
}

#[test]
fn a_reordered_line_fails() {
    // Which of the two lines is named depends on who reads first: the victim's order is then the one that counts.
    must_fail_with(Breaks::Reorders, "a line out of order: line ");
}

#[test]
fn a_client_that_is_hung_up_fails() {
    must_fail_with(Breaks::HangsUp, "was hung up by the server");
}

#[test]
fn throughput_stands_beside_the_floor() {
    let called = chatbench(
        "--server floor --against floor --runs 2 --time 0.2 --warmup 0.1 throughput --clients 12 --senders 3 --window 4",
    );
    assert!(called.success, "{}", called.stdout);
    assert!(called.stdout.contains("ratio"), "{}", called.stdout);
    assert!(called.stdout.contains("deliveries_per_s"), "{}", called.stdout);
}

#[test]
fn all_may_send() {
    for done in ["neighbour", "first"] {
        let load =
            format!("throughput --clients 9 --senders 9 --window 3 --size 1025 --done {done}");
        let called = chatbench(&format!("--server floor --time 0.2 --warmup 0.1 {load}"));
        assert!(called.success, "{}", called.stdout);
    }
}

#[test]
fn every_other_load_runs_on_the_floor() {
    let loads = [
        ("latency --clients 12 --senders 3 --rate 2000", "\"p99_9_ms\":"),
        ("slow --clients 12 --senders 3 --stuck 2 --rate 2000", "\"stuck_hung_up\":"),
        ("connect --clients 50", "\"memory_kib_per_client\":"),
        (
            "churn --rate 100 --watchers 3",
            "\"lost_lines\":0,\"left_threads\":0,\"left_descriptors\":0,",
        ),
        ("generator --clients 20", "\"lines_per_s\":"),
    ];
    for (load, expected) in loads {
        let called = chatbench(&format!("--server floor --time 0.3 --warmup 0.1 --json {load}"));
        assert!(called.success && called.stdout.contains(expected), "{load}: {}", called.stdout);
    }
}

/// The elements of an SVG are closed in the order they were opened in; returns its texts.
fn texts_of_svg(svg: &str) -> Vec<&str> {
    let (mut open, mut texts) = (Vec::new(), Vec::new());
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        let name = tag
            .split(|c: char| c.is_whitespace() || c == '/')
            .find(|word| !word.is_empty())
            .expect("a name");
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (false, false) => open.push(name),
            (false, true) => {}
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        texts.push(text.trim());
    }
    assert!(open.is_empty(), "{open:?} are not closed");
    texts
}

#[test]
fn compare_writes_tables_and_plots_of_all_models() {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("figures-{}", std::process::id()));
    let load = format!("compare --built --clients 4,8 --joins 8 --into {}", folder.display());
    let called = chatbench(&format!("--runs 1 --time 0.1 --warmup 0.05 --json {load}"));
    assert!(called.success, "{}", called.stdout);
    assert!(called.stdout.contains("\"sizes\":[{\"clients\":4,"), "{}", called.stdout);

    let page = fs::read_to_string(folder.join("compare.md")).expect("the tables");
    for words in ["Linux", "median of 1 runs", "\n| 8 | ", "8 clients join at once"] {
        assert!(page.contains(words), "{words:?} is not in {page}");
    }
    let plots: Vec<&str> = page
        .split("](")
        .skip(1)
        .filter_map(|link| link.split_once(".svg)"))
        .map(|(name, _)| name)
        .collect();
    assert!(plots.len() >= 9, "{plots:?}");
    for plot in plots {
        let svg = fs::read_to_string(folder.join(format!("{plot}.svg")))
            .expect("the page shows a plot that is there");
        let texts = texts_of_svg(&svg);
        // Two who talk alone need a room, and the floor has none.
        let models = if plot.starts_with("two-talk") {
            &["threads", "select", "epoll"][..]
        } else {
            &MODELS
        };
        assert!(
            models.iter().all(|model| texts.contains(model)),
            "{plot} does not name all of {models:?}: {texts:?}"
        );
    }
    fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn compare_fails_with_a_server_that_is_not_there() {
    let nowhere = std::env::temp_dir().join(format!("chatbench-alone-{}", std::process::id()));
    fs::create_dir_all(&nowhere).expect("a folder");
    fs::copy(env!("CARGO_BIN_EXE_chatbench"), nowhere.join("chatbench"))
        .expect("a copy of chatbench");
    let figures = nowhere.join("figures");
    let mut alone = Command::new(nowhere.join("chatbench"));
    alone.args([
        "--runs",
        "1",
        "--time",
        "0.1",
        "compare",
        "--built",
        "--clients",
        "4",
        "--joins",
        "4",
        "--into",
    ]);
    let output = alone.arg(&figures).output().expect("it starts");
    assert!(!output.status.success());
    let page = fs::read_to_string(figures.join("compare.md")).expect("the page says what failed");
    assert!(page.contains("**A run failed: threads, 4 clients: cannot start threads"), "{page}");
    fs::remove_dir_all(nowhere).expect("the folder is ours");
}

#[test]
fn a_server_that_can_not_be_started_is_a_failure() {
    let called = chatbench("--server /nowhere/at/all throughput");
    assert!(!called.success);
    assert!(called.stdout.contains("cannot start all: /nowhere/at/all"), "{}", called.stdout);
}
