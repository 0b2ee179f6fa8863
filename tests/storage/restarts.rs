//! A server that is stopped and started anew while people talk: all come back by themselves, and nobody
//! misses a line, or reads one twice, or has to say anything again.

use crate::{
    harness::{Client, Folder, Process, has_program, wait_until},
    rounds,
    visitor::{Visit, Visitor},
};
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// In CI; with CHATD_ROUNDS they are 200.
const VISITORS: usize = 20;
const RESTARTS: usize = 5;
/// Talkers in each of the two rooms.
const TALKERS: usize = 4;
/// How long people talk between two restarts.
const TALK: Duration = Duration::from_millis(400);

/// Plays systemd, with its own rules: two listeners are descriptors 3 and 4, and outlive whoever serves.
const MANAGER: &str = r#"
import fcntl, os, socket, sys
listeners = []
for port in sys.argv[1:3]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.9", int(port)))
    listener.listen(512)
    listeners.append(fcntl.fcntl(listener, fcntl.F_DUPFD, 10))
while True:
    child = os.fork()
    if child == 0:
        for number, listener in enumerate(listeners):
            os.dup2(listener, 3 + number)
            os.set_inheritable(3 + number, True)
        os.environ.update(LISTEN_FDS="2", LISTEN_FDNAMES="chat:web", LISTEN_PID=str(os.getpid()))
        os.execv(sys.argv[3], sys.argv[3:])
    print("serves: %d" % child, flush=True)
    print("ended: %d" % os.waitpid(child, 0)[1], flush=True)
"#;

/// Whoever starts the server anew: a shell's loop, as it were, so that for a moment nobody listens; or
/// systemd, with sockets that it `lends`.
struct Manager {
    folder: Folder,
    addresses: [SocketAddr; 2],
    lends: bool,
    process: Process,
}

fn start(folder: &Folder, [chat, web]: [SocketAddr; 2]) -> Process {
    let options = format!("--db chatd.db --flood off --listen {chat} --web {web}");
    let process = Process::start(folder.chatd(&options));
    process.prints("listening on");
    process
}

impl Manager {
    fn begin(addresses: [SocketAddr; 2], lends: bool) -> Manager {
        let folder = Folder::new();
        if !lends {
            let process = start(&folder, addresses);
            return Manager { folder, addresses, lends, process };
        }
        let script = folder.path("manager.py");
        fs::write(&script, MANAGER).unwrap();
        let mut command = Command::new("python3");
        command.arg(script).args(addresses.map(|address| address.port().to_string()));
        command.arg(env!("CARGO_BIN_EXE_chatd")).args(["--db", "chatd.db", "--flood", "off"]);
        command.current_dir(folder.path(""));
        let process = Process::start(command);
        process.prints("serves: ");
        Manager { folder, addresses, lends, process }
    }

    /// Stops the server, and starts it anew.
    fn restarts(&mut self, round: usize) {
        if !self.lends {
            self.process.signal("TERM");
            assert_eq!(self.process.exit_code(), Some(0), "{}", self.process.log());
            self.process = start(&self.folder, self.addresses);
            return;
        }
        self.signals_the_server("TERM");
        let count = |what| self.process.printed().matches(what).count();
        wait_until(|| count("serves: ") == round + 2, || self.process.log());
        assert_eq!(count("ended: 0\n"), round + 1, "{}", self.process.log());
    }

    /// The one that serves on lent sockets.
    fn signals_the_server(&self, signal: &str) {
        let printed = self.process.printed();
        let pid =
            printed.lines().filter_map(|line| line.strip_prefix("serves: ")).next_back().unwrap();
        let status = Command::new("kill").args([&format!("-{signal}"), pid]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        if self.lends {
            self.process.signal("KILL"); // or it starts another one
            self.signals_the_server("KILL");
        }
    }
}

/// An address that is free, and stays so while nobody listens there: another one of loopback's than the clients have, one of
/// which could be given this port for its own.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.9:0").unwrap().local_addr().unwrap()
}

fn everybody_comes_back(lends: bool) {
    let restarts = rounds(RESTARTS);
    let visitors = if std::env::var_os("CHATD_ROUNDS").is_some() { 200 } else { VISITORS };
    let visit = Arc::new(Visit {
        addresses: [free(), free()],
        back: AtomicUsize::new(0),
        began: Mutex::new(Instant::now()),
        pauses: Mutex::default(),
        is_over: AtomicBool::new(false),
        idle: AtomicUsize::new(0),
        heard: AtomicUsize::new(0),
    });
    let mut manager = Manager::begin(visit.addresses, lends);
    let threads: Vec<_> = (0..visitors)
        .map(|number| {
            let room = if number % 2 == 0 { "lobby" } else { "math" };
            let mut visitor = Visitor::new(Arc::clone(&visit), format!("v{number}"), room);
            (visitor.is_browser, visitor.talks) = (number % 4 > 1, number < 2 * TALKERS);
            thread::spawn(move || visitor.run())
        })
        .collect();
    let all_are_in = || {
        let in_now = || visit.back.load(Relaxed);
        wait_until(|| in_now() == visitors, || format!("{} of {visitors} are in", in_now()));
    };
    all_are_in();
    visit.pauses.lock().unwrap().clear();
    for round in 0..restarts {
        let end = Instant::now() + TALK;
        wait_until(|| Instant::now() > end, String::new);
        visit.back.store(0, Relaxed);
        *visit.began.lock().unwrap() = Instant::now();
        manager.restarts(round);
        all_are_in();
    }
    visit.is_over.store(true, Relaxed);
    wait_until(|| visit.idle.load(Relaxed) == 2 * TALKERS, || "a line is not heard".to_owned());
    let talked = visit.heard.load(Relaxed);
    let mut main = Client::connect(visit.addresses[0], "main");
    main.asks_until("main", "*** Hello main.");
    main.says("the end");
    main.asks_until("/join math", "*** You are in math");
    main.says("the end");
    main.has_read_everything();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut pauses = visit.pauses.lock().unwrap().clone();
    pauses.sort_unstable();
    assert_eq!(pauses.len(), restarts * visitors);
    println!(
        "{restarts} restarts {}, {visitors} clients: {talked} lines heard, each once and in order; away for {:?} \
         (median), {:?} (worst)",
        if lends { "with sockets lent" } else { "on a port that is opened anew" },
        pauses[pauses.len() / 2],
        pauses[pauses.len() - 1],
    );
}

#[test]
fn everybody_comes_back_through_restarts() {
    everybody_comes_back(false);
}

#[test]
fn everybody_comes_back_through_restarts_with_sockets_lent() {
    if has_program("python3") {
        everybody_comes_back(true);
    }
}
