//! How quick the client is, and how much memory it takes: `cargo test --test chat figures -- --nocapture` prints it (with
//! `--release` of a release build). The times are what a person waits. What is bounded, by four times the aim, is the
//! processor time behind them, which is the same on a machine that is busy with something else.

use crate::{
    person::{Person, Start},
    server::{Client, Server},
};
use std::{
    thread,
    time::{Duration, Instant},
};

const KEYS: &str = "the quick brown fox jumps over the lazy dog";
const LINES: usize = 10_000;
/// Until a letter is seen.
const KEY: Duration = Duration::from_millis(20);

/// Starts it, and waits for its first prompt.
fn starts(is_full: bool) -> (Server, Client, Person) {
    let server = Server::start();
    let start = Start::new(&server, &["--name", "alice"]);
    let begun = Instant::now();
    let person = if is_full { start.full() } else { start }.go();
    let client = server.accepts();
    client.enters_as("alice");
    person.sees_prompt("alice@lobby>");
    tells("start to prompt", begun.elapsed(), worked(&person), Duration::from_millis(50));
    (server, client, person)
}

#[track_caller]
fn tells(what: &str, took: Duration, worked: Duration, aim: Duration) {
    let [took, work] = [took, worked].map(|time| time.as_secs_f64() * 1000.0);
    println!("  {what}: {took:.1} ms, {work:.1} of them work");
    assert!(worked < 4 * aim, "{what}: {worked:?} of work, and {aim:?} is the aim");
}

/// The processor time of the program until now.
fn worked(person: &Person) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", person.pid())).into_iter().flatten();
    let nanos = |task: std::io::Result<std::fs::DirEntry>| {
        let about = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        about.split(' ').next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.filter_map(nanos).sum())
}

/// Types a sentence behind what is typed already: how long each letter takes to be seen, the quickest first, and what it
/// costs.
fn types(person: &Person, before: &str) -> (Vec<Duration>, Duration) {
    let work = worked(person);
    let mut typed = format!("alice@lobby> {before}");
    let mut times: Vec<Duration> = KEYS
        .chars()
        .map(|key| {
            typed.push(key);
            let begun = Instant::now();
            person.types(&key.to_string());
            person.sees_prompt(&typed);
            begun.elapsed()
        })
        .collect();
    times.sort();
    // Nothing is waited for: this is the one that no other program delayed.
    assert!(times[0] < 10 * KEY, "{:?}, and {KEY:?} is the aim", times[0]);
    let work = (worked(person) - work) / KEYS.len() as u32;
    (times, work)
}

fn lines(count: usize) -> String {
    let filler = "x".repeat(88);
    let lines: String = (0..count).map(|n| format!("<bob> {n:05} {filler}\n")).collect();
    lines + "{\"last\":99}\n"
}

/// What the program has in memory, in KiB.
fn memory(person: &Person) -> usize {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", person.pid())).unwrap_or_default();
    let row = status.lines().find_map(|row| row.strip_prefix("VmRSS:")).unwrap_or("0");
    row.trim().trim_end_matches(" kB").parse().unwrap()
}

fn ten_thousand_lines_while_typing(client: &Client, person: &Person) {
    let (text, before) = (lines(LINES), memory(person));
    thread::scope(|scope| {
        let (begun, work) = (Instant::now(), worked(person));
        scope.spawn(|| client.gets_bytes(text.as_bytes()));
        let (keys, _) = types(person, "");
        person.sees("<bob> 09999");
        let work = worked(person) - work;
        tells("10,000 lines at once", begun.elapsed(), work, Duration::from_millis(500));
        for (which, key) in [("median", keys[keys.len() / 2]), ("worst", keys[keys.len() - 1])] {
            println!("  a key meanwhile, {which}: {:.1} ms", key.as_secs_f64() * 1000.0);
        }
    });
    person.sees_prompt(&format!("alice@lobby> {KEYS}"));
    let kib = memory(person).saturating_sub(before);
    println!("  10,000 lines of 100 bytes: {kib} KiB");
    assert!(kib < 10 * 5 * 1024, "{kib} KiB, and 5 MiB are the aim");
}

#[test]
fn figures() {
    println!("{} build", if cfg!(debug_assertions) { "debug" } else { "release" });
    for is_full in [true, false] {
        println!("{}:", if is_full { "full screen" } else { "--inline" });
        let (_server, client, person) = starts(is_full);
        let (keys, work) = types(&person, "");
        tells("a key, median", keys[keys.len() / 2], work, KEY);
        person.types("\x15");
        ten_thousand_lines_while_typing(&client, &person);
        if is_full {
            client.gets_bytes(lines(9 * LINES).as_bytes());
            person.sees("<bob> 89999");
            for (rows, columns) in [(50, 120), (20, 40), (60, 200), (24, 80)] {
                let (begun, before) = (Instant::now(), person.byte_count());
                let work = worked(&person);
                person.resizes(rows, columns);
                let is_drawn = |screen: &vt100::Screen| {
                    let end = screen.cell(rows - 2, columns - 2).map(vt100::Cell::contents);
                    end == Some("e") && screen.contents().contains("<bob> 89999")
                };
                let is_new = || person.byte_count() > before && person.looks(is_drawn);
                crate::wait_until(is_new, || "it is not drawn anew".to_owned());
                let what = format!("{columns} columns with 100,000 lines");
                let work = worked(&person) - work;
                tells(&what, begun.elapsed(), work, Duration::from_millis(50));
            }
        }
        person.types("\r");
        client.says(KEYS);
    }
}
