//! Calls of the disk fail: each one that a server makes while people talk, one after the other, in each of
//! several ways. Nobody who talks loses a word of what was shown; what is not written is told, and is
//! written when the disk works again.

use crate::{
    disk::on_disk,
    harness::{Client, Folder, Process, folder::PASSWORD, matches},
    trace::{Op, Trace},
};
use chatd::store::{Durability, Sound, Store};
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    ops::ControlFlow,
    panic::catch_unwind,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

/// Failures in CI, spread over all calls. By hand CHATD_ROUNDS=1 has each call fail in each way.
const FAILURES: usize = 14;
/// With which error (5: EIO, 28: ENOSPC) it fails, and for how long: see disk.c; `stays`: until the server
/// has stopped.
const WAYS: [&str; 7] = ["5:once", "28:once", "5:half", "28:half", "5:ever", "28:ever", "5:stays"];
/// Runs at once: they mostly wait.
const AT_ONCE: usize = 6;
const OPTIONS: &str = "--db chatd.db --listen 127.0.0.1:0 --web none --flood off --backlog-lines 0";

/// How lines begin that anybody may be told at any time.
const NEWS: [&str; 3] = ["*** The history ", "*** No password can be read now", "*** Passwords "];

/// How a run began.
enum Start {
    /// With this address.
    Listening(Process, SocketAddr),
    /// Not at all, and said why.
    Refused,
}

fn start(folder: &Folder, does: &[(&str, &str)]) -> Option<Start> {
    let mut process = Process::start(on_disk(folder.chatd(OPTIONS), folder, does)?);
    while let Some(line) = process.next_line() {
        if let Some(address) = line.split_once("listening on ").and_then(|l| l.1.parse().ok()) {
            return Some(Start::Listening(process, address));
        }
    }
    assert_eq!(process.exit_code(), Some(1), "{}", process.log());
    let log = process.log_to_the_end();
    assert_eq!(log.lines().count(), 1, "it refuses to start in one sentence: {log}");
    assert!(log.contains("chatd.db"), "{log}");
    Some(Start::Refused)
}

/// Somebody who comes in, and reads all that comes.
fn enters(address: SocketAddr, name: &str) -> Client {
    let mut client = Client::connect(address, name);
    client.asks_until(name, &format!("*** Hello {name}."));
    client.has_read_everything();
    client
}

/// What ben has read of the talk and of the disk.
#[derive(Default)]
struct Read {
    talk: Vec<String>,
    outages: Vec<String>,
    recoveries: Vec<String>,
}

impl Read {
    /// Reads up to this line of ann's.
    fn up_to(&mut self, ben: &mut Client, line: &str) {
        loop {
            let read = ben.reads().unwrap_or_else(|| panic!("ben is hung up before {line}"));
            self.note(&read);
            if read.ends_with(line) {
                return;
            }
        }
    }

    fn note(&mut self, line: &str) {
        if line.starts_with("<ann") {
            self.talk.push(line.replacen("?>", ">", 1));
        } else if line.starts_with("*** The history has not been written since")
            || matches("*** The history is not written{…}", line)
        {
            self.outages.push(line.to_owned());
        } else if line.starts_with("*** The history is written again") {
            self.recoveries.push(line.to_owned());
        }
    }
}

/// One conversation on such a disk, which works again when `well` is there: before the server stops, or
/// only then. Returns what happened, in a word.
fn converse(
    folder: &Folder,
    does: &[(&str, &str)],
    well: &Path,
    is_mended: bool,
) -> Option<String> {
    let (mut process, address) = match start(folder, does)? {
        Start::Listening(process, address) => (process, address),
        Start::Refused => {
            lobby(folder); // nothing is broken
            return Some("did not start".to_owned());
        }
    };
    let (mut ann, mut ben) = (enters(address, "ann"), enters(address, "ben"));
    ann.hears_until("*** ben"); // entered lobby, perhaps as ben?
    let mut read = Read::default();
    for i in 0..8 {
        ann.says(&format!("line {i}"));
        read.up_to(&mut ben, &format!("line {i}"));
        match i {
            2 => ann.says("/topic of the day"),
            4 => ann.says("/search line"),
            5 => ben.says("/history 5"),
            _ => {}
        }
    }
    let is_registered = registers(&mut ann);
    let mut asks = 0;
    if is_mended {
        fs::write(well, "").unwrap();
        // All is written within some seconds, and everybody is told so.
        while read.outages.len() > read.recoveries.len() {
            asks += 1;
            ann.says(&format!("is it written {asks}"));
            read.up_to(&mut ben, &format!("is it written {asks}"));
            thread::park_timeout(Duration::from_millis(100));
            assert!(asks < 200, "it is never written again: {}", process.log());
        }
    }
    ann.says("the end");
    read.up_to(&mut ben, "the end");
    let expected = (0..8).map(|i| format!("<ann> line {i}"));
    let expected = expected.chain((1..=asks).map(|i| format!("<ann> is it written {i}")));
    let expected: Vec<String> = expected.chain(["<ann> the end".to_owned()]).collect();
    assert_eq!(read.talk, expected, "somebody missed something");
    process.signal("TERM");
    let code = process.exit_code();
    let log = process.log_to_the_end();
    for sentence in &read.recoveries {
        assert_eq!(sentence, "*** The history is written again; nothing is missing.", "{log}");
    }
    let is_full = does.iter().any(|(_, how)| how.contains(":28:"));
    let told = read.outages.concat();
    assert!(is_full || !told.contains("full"), "the disk has a fault, and room: {told}");
    fs::write(well, "").unwrap();
    let lines = lobby(folder);
    let is_lost = !is_mended && log.contains("not written, and lost, since");
    assert_eq!(code, Some(i32::from(is_lost)), "{log}");
    if is_lost {
        assert!(!told.is_empty() && expected.starts_with(&lines), "{lines:?} {log}");
        return Some("ended with 1 and said what is lost".to_owned());
    }
    assert_eq!(lines, expected, "{log}");
    let accounts: Vec<String> = folder.select("SELECT name FROM account WHERE name = 'ann'");
    assert!(accounts.len() == 1 || !is_registered, "an account that was told to be made is gone");
    Some(if told.is_empty() { "noticed nothing" } else { "told of an outage" }.to_owned())
}

/// Whether ann is told that the name is hers now; not, if she is told why not.
fn registers(ann: &mut Client) -> bool {
    ann.has_read_everything();
    ann.says("/register");
    loop {
        let told = ann.hears_until("*** ");
        match &*told {
            ask if ask.contains("password of 8") || ask.contains("once more:") => {
                ann.says(PASSWORD);
            }
            news if NEWS.iter().any(|start| news.starts_with(start)) => {}
            answer => {
                assert!(!answer.contains("somebody registered"), "{answer}");
                return answer.contains("is yours from now on");
            }
        }
    }
}

/// What ann has said, in the file, which is sound.
fn lobby(folder: &Folder) -> Vec<String> {
    let file = folder.path("chatd.db");
    let store = Store::open(&file, Durability::Normal, Duration::ZERO).unwrap();
    Sound::check(&store).unwrap();
    let mut lines = Vec::new();
    let take = |line: chatd::store::ExportedLine| {
        lines.push(line.shown().trim_end().replacen("?>", ">", 1));
        ControlFlow::<()>::Continue(())
    };
    store.export(Some("lobby"), take).unwrap();
    lines.retain(|line| line.starts_with("<ann> "));
    lines
}

/// One run in which the call of this number fails in this way. Returns what came of it.
fn fail(before: &[u8], call: usize, way: &str) -> String {
    let (folder, traces) = (folder(before), Folder::new());
    let [file, well] = ["trace", "well"].map(|name| traces.path(name).to_str().unwrap().to_owned());
    let (how, is_mended) = way.strip_suffix(":stays").map_or((way, true), |error| (error, false));
    let fails = format!("{call}:{how}{}", if is_mended { "" } else { ":ever" });
    let does = [("DISK_TRACE", &*file), ("DISK_FAIL", &*fails), ("DISK_WELL", &*well)];
    let came = converse(&folder, &does, well.as_ref(), is_mended).unwrap();
    let mut trace = Trace::begin(&folder.path(""));
    trace.read(file.as_ref());
    let has_failed = trace.ops.iter().any(|op| matches!(op, Op::Failed));
    if has_failed { came } else { "was not reached".to_owned() }
}

/// A folder with this database, if it is one.
fn folder(before: &[u8]) -> Folder {
    let folder = Folder::new();
    if !before.is_empty() {
        fs::write(folder.path("chatd.db"), before).unwrap();
    }
    folder
}

fn each_call_fails(before: &[u8]) {
    let (folder, traces) = (folder(before), Folder::new());
    let (file, well) = (traces.path("trace"), traces.path("well"));
    let mut trace = Trace::begin(&folder.path(""));
    let does = [("DISK_TRACE", file.to_str().unwrap())];
    let Some(_) = converse(&folder, &does, &well, true) else { return };
    trace.read(&file);
    let calls = trace.ops.iter().filter(|op| !matches!(op, Op::Shown(..))).count();
    let runs: Vec<(usize, &str)> = match std::env::var_os("CHATD_ROUNDS") {
        Some(_) => (1..=calls).flat_map(|call| WAYS.map(|way| (call, way))).collect(),
        None => (0..FAILURES).map(|i| (1 + i * calls / FAILURES, WAYS[i % WAYS.len()])).collect(),
    };
    let (next, came) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<String, usize>::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((call, way)) = runs.get(next.fetch_add(1, Relaxed)) {
                    let came_of_it =
                        catch_unwind(|| fail(before, *call, way)).unwrap_or_else(|_| {
                            println!("call {call} failed with {way}: see above");
                            "WRONG".to_owned()
                        });
                    *came.lock().unwrap().entry(format!("{way} {came_of_it}")).or_default() += 1;
                }
            });
        }
    });
    let came = came.into_inner().unwrap();
    println!("{calls} calls; {} runs: {came:#?}", runs.len());
    assert!(!came.keys().any(|what| what.contains("WRONG")));
}

#[test]
fn whichever_call_of_the_disk_fails_nobody_loses_a_word() {
    each_call_fails(b"");
}

#[test]
fn whichever_call_of_the_disk_fails_while_an_older_file_is_migrated() {
    each_call_fails(include_bytes!("../store/fixtures/version-1.db"));
}
