//! `chatbench` as it is called: each load on the baseline, and servers that break a promise, which it
//! must notice. No test here asserts how fast anything is.
#![cfg(target_os = "linux")]

mod broken;

use broken::{Breaks, serve};
use std::{
    io::Read,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How long one call of chatbench may take at most. Most take one or two seconds, `compare` some twenty; a machine that is
/// busy with something else takes ten times as long.
const DEADLINE: Duration = Duration::from_mins(5);

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
        "--server {address}@{pid} --peer line --time 0.4 \
         throughput --clients 6 --senders 2 --window 4"
    ))
}

#[test]
fn a_server_that_keeps_its_promises_passes() {
    let called = load_on(Breaks::Nothing);
    assert!(called.success, "{}", called.stdout);
    assert!(called.stdout.contains("cpu_us_per_delivery"), "{}", called.stdout);
}

#[test]
fn every_broken_promise_fails_under_its_name() {
    for (breaks, fault) in [
        (Breaks::Loses, "a line lost: line 20 of client"),
        (Breaks::Repeats, "a line repeated: line 20 of client"),
        (Breaks::Tears, "a torn line"),
        // Which of the two lines is named depends on which the transcript has first.
        (Breaks::Reorders, "a line out of order: line "),
        (Breaks::HangsUp, "was hung up by the server"),
    ] {
        let called = load_on(breaks);
        assert!(!called.success, "{breaks:?} has exit code 0: {}", called.stdout);
        assert!(called.stdout.contains("FAILED"), "{}", called.stdout);
        assert!(called.stdout.contains(fault), "{fault:?} is not in {}", called.stdout);
    }
}

#[test]
fn every_load_runs_beside_the_baseline() {
    for (load, figure) in [
        ("throughput --clients 12 --senders 3 --window 4", "deliveries_per_s"),
        ("throughput --clients 9 --senders 9 --window 3 --size 1025", "switches_per_delivery"),
        ("latency --clients 12 --senders 3 --rate 2000", "p99_9_ms"),
        ("latency --clients 12 --senders 3 --rate 2000 --stuck 2", "p99_ratio_to_none_stuck"),
        ("connect --clients 50", "memory_kib_per_client"),
        ("churn --rate 100 --watchers 3", "left_threads"),
    ] {
        let servers = "--server baseline --against other=baseline";
        let called = chatbench(&format!("{servers} --runs 2 --time 0.2 {load}"));
        assert!(called.success, "{}", called.stdout);
        assert!(called.stdout.contains("baseline ÷ other"), "{}", called.stdout);
        let row = called.stdout.lines().find(|line| line.contains(figure)).unwrap_or_default();
        let value = row.split('|').nth(3).unwrap_or_default().trim();
        assert!(value.starts_with(|c: char| c.is_ascii_digit()), "{figure}: {}", called.stdout);
    }
}

#[test]
fn half_of_the_clients_speak_tls() {
    let chatd = env!("CARGO_BIN_EXE_chatd");
    let servers = format!("--server tls={chatd} --against plain={chatd} --against tls2={chatd}");
    for load in [
        "latency --clients 12 --senders 3 --rate 2000",
        "throughput --clients 9 --senders 9 --window 3 --size 1025",
        "connect --clients 20",
    ] {
        let called = chatbench(&format!("{servers} --runs 1 --time 0.2 {load}"));
        assert!(called.success, "{}", called.stdout);
        assert!(called.stdout.contains("tls ÷ plain"), "{}", called.stdout);
    }
}

fn cells(row: &str) -> Vec<&str> {
    row.split('|').map(str::trim).collect()
}

/// Whether one of the chats has no figure where there always is one. (Where nothing is delivered, there is no cost of a
/// delivery.)
fn lacks_a_figure(row: &str) -> bool {
    let cells = cells(row);
    let is_always_there = cells[2] == "p50_ms" || cells[2] == "deliveries_per_s";
    is_always_there && cells[3..7].contains(&"–")
}

#[test]
fn compare_shows_every_figure_of_every_model() {
    let folder = std::env::temp_dir().join(format!("chatbench-plots-{}", std::process::id()));
    let plots = folder.display();
    let compare = |time: &str| {
        let options = format!("compare --clients 4 --clients 8 --joins 8 --plots {plots}");
        chatbench(&format!("--runs 1 --time {time} {options}"))
    };
    let rows = |called: &Called| -> Vec<String> {
        let rows = called.stdout.lines().filter(|line| line.contains(" --senders "));
        rows.map(str::to_owned).collect()
    };
    // A busy machine may deliver nothing in a tenth of a second, and then there is no figure.
    let mut called = compare("0.1");
    if called.success && rows(&called).iter().any(|row| lacks_a_figure(row)) {
        called = compare("1");
    }
    assert!(called.success, "{}", called.stdout);
    for words in ["Linux", "threads ÷ select", "threads ÷ epoll", "connect --clients 8"] {
        assert!(called.stdout.contains(words), "{words:?} is not in {}", called.stdout);
    }
    let rows = rows(&called);
    assert_eq!(rows.len(), 2 * 9, "{}", called.stdout);
    for row in rows {
        assert!(!lacks_a_figure(&row), "{row}");
        // Two who talk need a room of their own, and the baseline has none.
        assert!(!row.contains("--apart") || cells(&row)[7] == "–", "{row}");
    }
    // On a busy machine some figures are nothing, and have no plot.
    let plots: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
    assert!(!plots.is_empty(), "{}", called.stdout);
    for plot in plots {
        let svg = std::fs::read_to_string(plot).unwrap();
        assert!(svg.contains("connected clients (logarithmic)") && !svg.contains("NaN"), "{svg}");
    }
    std::fs::remove_dir_all(folder).unwrap();

    for (event, more) in [("logins", ""), ("disk", "slowest_answer_ms")] {
        let called = chatbench(&format!("timeline --event {event}"));
        assert!(called.success, "{}", called.stdout);
        for figure in ["slowest_ms", "lines_over_100_ms", "lines_never_read", more] {
            assert!(called.stdout.contains(figure), "{}", called.stdout);
        }
    }
}

#[test]
fn a_short_soak_loses_nothing_and_leaves_nothing_behind() {
    let folder = std::env::temp_dir().join(format!("chatbench-soak-{}", std::process::id()));
    let called = chatbench(&format!("soak --time 10 --plots {}", folder.display()));
    assert!(called.success, "{}", called.stdout);
    for words in [
        "Nothing was lost. Scenes: talk ",
        "| threads of the crowd alone ",
        " too_late", // somebody was stuck,
        " kicked",   // and somebody said too much
    ] {
        assert!(called.stdout.contains(words), "{words:?} is not in {}", called.stdout);
    }
    for plot in ["memory", "held", "latency", "file", "busy"] {
        let svg = std::fs::read_to_string(folder.join(format!("soak-{plot}.svg"))).unwrap();
        assert!(svg.contains("minutes") && !svg.contains("NaN"), "{svg}");
    }
    let samples = std::fs::read_to_string(folder.join("samples.csv")).unwrap();
    assert!(samples.starts_with("second,resident_kib,threads,"), "{samples}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn table_ends_with_the_medians_of_the_chosen_rows() {
    let servers = "--server baseline --against before=baseline --against same=baseline";
    let settings = "--runs 2 --time 0.1";
    let called = chatbench(&format!("{servers} {settings} table --only senders"));
    assert!(called.success, "{}", called.stdout);
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_string()).collect();
    let lines: Vec<Vec<String>> =
        called.stdout.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    assert_eq!(
        lines[0][7..10].join(", "),
        "baseline ÷ before, baseline ÷ same, baseline ÷ baseline"
    );
    let [head, cost] = ["median of the rows", "cpu_us_per_delivery"];
    let titles: Vec<[&str; 2]> = lines[2..].iter().map(|line| [&line[1][..], &line[2]]).collect();
    let rows = ["throughput --senders 1", "throughput --senders 100 --window 8"];
    let medians = [[head, cost], [head, "all of these, as costs"]];
    assert_eq!(titles, [[rows[0], cost], [rows[1], cost], medians[0], medians[1]]);
    for line in &lines[2..] {
        // The spread is left out if both runs have the same ratio.
        let is_ratio = |cell: &String| cell.starts_with(|first: char| first.is_ascii_digit());
        assert!(line[7..10].iter().all(is_ratio), "{}", called.stdout);
    }
    assert!(!chatbench("--server baseline table --only nothing").success);
}

#[test]
fn a_server_that_cannot_be_started_is_a_failure() {
    let called = chatbench("--server /nowhere/at/all throughput");
    assert!(!called.success);
    assert!(called.stdout.contains("cannot start /nowhere/at/all"), "{}", called.stdout);
}

/// Also if it is killed, and can do nothing any more.
#[test]
fn a_chatbench_that_is_killed_takes_its_server_with_it() {
    let mut chatbench = Command::new(env!("CARGO_BIN_EXE_chatbench"))
        .args("--time 50 latency --clients 4 --senders 1 --rate 10".split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("chatbench starts");
    let read = |path: String| std::fs::read_to_string(path).unwrap_or_default();
    let children = format!("/proc/{0}/task/{0}/children", chatbench.id());
    let server = wait_for(|| {
        let server = read(children.clone()).trim().to_owned();
        (read(format!("/proc/{server}/comm")) == "chatd\n").then_some(server)
    });
    chatbench.kill().expect("it is ours");
    chatbench.wait().expect("it has ended");
    wait_for(|| {
        let stat = read(format!("/proc/{server}/stat"));
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end);
        thread::park_timeout(Duration::from_millis(5));
    }
}
