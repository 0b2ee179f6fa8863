//! A small harness: starts a server, lets clients talk to it as people would, and waits for what they read.
//!
//! ```ignore
//! let server = Server::start(&["--flood", "off"]);
//! let [mut alice, mut bob] = server.enter(["alice", "bob"]);
//! alice.says("hi");
//! bob.hears("<alice> hi");
//! ```
//!
//! It drives any server that prints `listening on ADDR:PORT`: see [`Server::start_program`]. Every wait has a deadline,
//! so that a broken server fails a test and never hangs it; no deadline is short, so that a busy machine does not.

use std::{
    cell::Cell,
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

#[path = "client.rs"]
pub mod client;
pub use client::Client;

/// How long to wait for anything that has to happen.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The servers that keep the same promises: chatd, and its versions in other I/O models (docs/versions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Program {
    Chatd,
    Select,
    Epoll,
}

thread_local! {
    /// Which one [`Server::start`] starts on this test's thread.
    static PROGRAM: Cell<Program> = const { Cell::new(Program::Chatd) };
}

impl Program {
    /// The one whose turn it is.
    pub fn current() -> Program {
        PROGRAM.get()
    }

    /// Runs a test of chatd's on this program instead.
    pub fn keeps(self, promise: fn()) {
        PROGRAM.set(self);
        promise();
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Program::Chatd => "chatd",
            Program::Select => "chatd-select",
            Program::Epoll => "chatd-epoll",
        }
    }

    /// What it says of itself where chatd says "one thread per connection".
    pub fn model(self) -> &'static str {
        match self {
            Program::Chatd => "one thread per connection",
            Program::Select => "one thread and select for all connections",
            Program::Epoll => "one thread and epoll for all connections",
        }
    }

    /// Its binary. Examples have no `CARGO_BIN_EXE_…`; `cargo test` builds them next to this test's folder.
    pub fn path(self) -> PathBuf {
        if self == Program::Chatd {
            return env!("CARGO_BIN_EXE_chatd").into();
        }
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().and_then(Path::parent).unwrap();
        let path = folder.join("examples").join(self.name());
        assert!(path.exists(), "{} is not built: cargo build --examples", path.display());
        path
    }
}

/// A folder of a test's own, which goes with it.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one, for the test of this name.
    pub fn new(test: &str) -> Folder {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{test}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    /// The path of a file in it.
    pub fn path(&self, file: &str) -> String {
        self.0.join(file).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a subcommand of chatd's on a database, with this on its standard input, and returns what it printed.
#[track_caller]
pub fn operate(db: &str, words: &[&str], input: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatd"));
    command
        .args(words)
        .args(["--db", db])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "chatd {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A running server process; killed when it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts chatd, or the [`Program`] whose turn it is, on a free port of loopback.
    pub fn start(options: &[&str]) -> Server {
        let mut command = Command::new(Program::current().path());
        command.args(["--listen", "127.0.0.1:0"]).args(options);
        if !options.contains(&"--db") {
            command.args(["--db", "none"]);
        }
        Server::start_program(command)
    }

    /// Starts any server that says where it listens on its standard output.
    pub fn start_program(mut command: Command) -> Server {
        raise_descriptors();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let log = Arc::new(Mutex::new(String::new()));
        keep(child.stderr.take().unwrap(), Arc::clone(&log));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.ok()?.split_once("listening on ")?.1.parse().ok());
        keep_reading(lines);
        let address = address.unwrap_or_else(|| {
            let _ = child.wait();
            panic!("it did not say where it listens: {}", log.lock().unwrap())
        });
        Server { child, address, log }
    }

    /// Connects. What the server says first is still to be read.
    pub fn connect(&self, name: &str) -> Client {
        Client::connect(self.address, name)
    }

    /// Connects a client for each name and lets them in, one after the other; each has read all there was to read.
    pub fn enter<const N: usize>(&self, names: [&str; N]) -> [Client; N] {
        self.enter_all(&names)
            .try_into()
            .unwrap_or_else(|_| unreachable!("as many clients as names"))
    }

    /// [`Server::enter`] for any number of names.
    pub fn enter_all(&self, names: &[&str]) -> Vec<Client> {
        let mut clients: Vec<Client> = Vec::new();
        for name in names {
            let mut newcomer = self.connect(name);
            newcomer.says(name);
            newcomer.hears_until(&format!("*** Hello {name}."));
            newcomer.has_read_everything();
            for present in &mut clients {
                present.hears(&format!("*** {name} entered lobby"));
            }
            clients.push(newcomer);
        }
        clients
    }

    /// [`Server::enter_all`] for a server with a past to tell, or with a complaint: each goes in after the other, and reads
    /// on from its own welcome.
    pub fn enter_in_trouble<const N: usize>(&self, names: [&str; N]) -> [Client; N] {
        names.map(|name| {
            let mut newcomer = self.connect(name);
            newcomer.says(name);
            newcomer.hears_until(&format!("*** Hello {name}."));
            newcomer
        })
    }

    /// A line of `/proc/PID/status`, in KiB: `VmRSS`, `VmHWM`.
    pub fn memory_kib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line =
            status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        kill(name, self.pid());
    }

    /// Waits for its end and returns its exit code.
    pub fn exit_code(&mut self) -> Option<i32> {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "it did not exit; its log:\n{}", self.log());
            thread::yield_now();
        }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for the log to contain `text`.
    pub fn logs(&self, text: &str) {
        let end = Instant::now() + DEADLINE;
        while !self.log().contains(text) {
            assert!(Instant::now() < end, "the log never says {text:?}:\n{}", self.log());
            thread::yield_now();
        }
    }

    /// Names of its threads, as the kernel has them.
    pub fn thread_names(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let name = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.ok()?.path().join("comm"))
                .ok()
                .map(|name| name.trim_end().to_owned())
        };
        tasks.filter_map(name).collect()
    }

    /// Its open descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Some tests hold more than a thousand sockets at once, and 1,024 is the usual limit: takes what is allowed.
fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(8192, |maximum| maximum.min(8192));
    if current.is_some_and(|current| current < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

/// Sends a signal to a process.
pub fn kill(signal: &str, pid: u32) {
    let status =
        Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill -{signal} {pid}");
}

/// Waits for something to become true.
pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_true() {
        assert!(Instant::now() < end, "it did not happen that {what}");
        thread::yield_now();
    }
}

fn keep(mut from: impl std::io::Read + Send + 'static, into: Arc<Mutex<String>>) {
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut bytes) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
    });
}

fn keep_reading(lines: impl Iterator<Item = std::io::Result<String>> + Send + 'static) {
    thread::spawn(move || lines.for_each(drop));
}
