//! A server process under test: chatd, chatd in another I/O model, or a program of the course.

use super::{Client, Folder, Process, example::example, folder::PASSWORD, tls, wait_for};
use std::{
    cell::Cell,
    net::SocketAddr,
    ops::{Deref, DerefMut},
    path::PathBuf,
    process::Command,
};

/// The servers that keep the same promises: chatd, and its versions in other I/O models (docs/versions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Chatd,
    Select,
    Epoll,
    /// chatd, whose clients are browsers.
    Browser,
    /// chatd, whose clients encrypt.
    Tls,
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
    pub fn keeps(self, promise: impl FnOnce()) {
        PROGRAM.set(self);
        promise();
    }

    /// The same for a part of a test, on the same thread.
    pub fn keeps_here(self, part: impl FnOnce()) {
        let before = PROGRAM.replace(self);
        part();
        PROGRAM.set(before);
    }

    /// Its name, and what it says of itself where chatd says "one thread per connection".
    fn about(self) -> (&'static str, &'static str) {
        match self {
            Program::Chatd | Program::Browser | Program::Tls => {
                ("chatd", "one thread per connection")
            }
            Program::Select => ("chatd-select", "one thread and select for all connections"),
            Program::Epoll => ("chatd-epoll", "one thread and epoll for all connections"),
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        self.about().0
    }

    /// Its I/O model, as it is greeted with.
    pub fn model(self) -> &'static str {
        self.about().1
    }

    pub fn path(self) -> PathBuf {
        match self {
            Program::Chatd | Program::Browser | Program::Tls => env!("CARGO_BIN_EXE_chatd").into(),
            Program::Select | Program::Epoll => example(self.name()),
        }
    }
}

/// The same command, from a shell that does this first.
pub fn after(preparation: &str, command: Command) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("{preparation}; exec \"$@\""), "bash"]);
    shell.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    let envs = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.envs(envs);
    shell
}

/// For [`after`]: takes `count` descriptors.
pub fn take_descriptors(count: usize) -> String {
    let end = 3 + count;
    format!(
        "ulimit -n 2048; for ((fd = 3; fd < {end}; fd++)); do eval \"exec $fd</dev/null\"; done"
    )
}

/// Starts a program of the course on a free port of loopback, with more arguments behind the address.
#[track_caller]
pub fn start_example(name: &str, arguments: &[&str]) -> Server {
    let mut command = Command::new(example(name));
    command.arg("127.0.0.1:0").args(arguments);
    Server::start_program(command)
}

/// A running server process.
pub struct Server {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts chatd, or the [`Program`] whose turn it is, on a free port of loopback, without a database.
    #[track_caller]
    pub fn start(options: &str) -> Server {
        Server::start_program(command(&format!("--db none {options}")))
    }

    /// The same in a folder, where its files are.
    #[track_caller]
    pub fn start_in(folder: &Folder, options: &str) -> Server {
        let mut command = command(options);
        command.current_dir(folder.path(""));
        Server::start_program(command)
    }

    /// The same from a shell that does this first, to set a limit.
    #[track_caller]
    pub fn start_after(preparation: &str, options: &str) -> Server {
        Server::start_program(after(preparation, command(&format!("--db none {options}"))))
    }

    /// The same in a folder, with a database there.
    #[track_caller]
    pub fn start_in_after(folder: &Folder, preparation: &str, options: &str) -> Server {
        let mut command = after(preparation, command(options));
        command.current_dir(folder.path(""));
        Server::start_program(command)
    }

    /// The same with a database there, for clients of each kind, under strace, which writes the file `calls` in the folder.
    #[track_caller]
    pub fn start_traced(folder: &Folder, strace: &[&str]) -> Server {
        let mut command = Command::new("strace");
        command.args(["-D", "-f", "-o", "calls"]).args(strace).arg(Program::Chatd.path());
        command.args(["--listen", "127.0.0.1:0", "--web", "127.0.0.1:0", "--tls", "127.0.0.1:0"]);
        command.args(tls::options().split_whitespace()).current_dir(folder.path(""));
        Server::start_program(command)
    }

    /// Starts any server that says on its standard output where it listens.
    #[track_caller]
    pub fn start_program(command: Command) -> Server {
        let mut process = Process::start(command);
        let address = loop {
            let Some(line) = process.next_line() else {
                panic!("it did not say where it listens: {}", process.log_to_the_end());
            };
            let says = match Program::current() {
                Program::Browser => "listening for browsers on ",
                Program::Tls => "listening for TLS on ",
                _ => "listening on ",
            };
            if let Some(address) = line.split_once(says).and_then(|l| l.1.parse().ok()) {
                break address;
            }
        };
        Server { process, address }
    }

    /// The instructor's code, which it printed.
    #[track_caller]
    pub fn pairing_code(&self) -> String {
        let lead = "Instructor: type /instructor ";
        self.prints(lead);
        let code = |line: &str| line.strip_prefix(lead).map(str::to_owned);
        self.printed().lines().find_map(code).expect("it is there")
    }

    /// Where else it listens, by the words in front of the address: `listening for TLS on `.
    #[track_caller]
    pub fn also_at(&self, lead: &str) -> SocketAddr {
        let address = |line: &str| line.split_once(lead)?.1.parse().ok();
        let look = || self.printed().lines().find_map(address);
        wait_for(look, || format!("it never prints {lead:?}: {}{}", self.printed(), self.log()))
    }

    /// Connects. What the server says first is still to be read.
    #[track_caller]
    pub fn connect(&self, name: &str) -> Client {
        Client::connect(self.address, name)
    }

    /// Connects a client for each number, called `n0`, `n1` and so on.
    #[track_caller]
    pub fn connect_all(&self, numbers: std::ops::Range<usize>) -> Vec<Client> {
        numbers.map(|i| self.connect(&format!("n{i}"))).collect()
    }

    /// Connects and takes the name, which nobody has registered.
    #[track_caller]
    pub fn lets_in(&self, name: &str) -> Client {
        let mut newcomer = self.connect(name);
        newcomer.asks_until(name, &format!("*** Hello {name}."));
        newcomer
    }

    /// Connects, and logs in to the account of this name; they have read all there was to read.
    #[track_caller]
    pub fn logs_in(&self, name: &str) -> Client {
        let mut client = self.connect(name);
        client.asks_until(name, &format!("*** {name} is registered."));
        client.asks_until(PASSWORD, &format!("*** Hello {name}."));
        client.has_read_everything();
        client
    }

    /// Connects a client for each name and lets them in, one after the other; each has read all there was to read.
    #[track_caller]
    pub fn enter<const N: usize>(&self, names: [&str; N]) -> [Client; N] {
        self.enter_all(&names).try_into().unwrap_or_else(|_| unreachable!("as many as names"))
    }

    /// [`Server::enter`] for any number of names.
    #[track_caller]
    pub fn enter_all(&self, names: &[impl AsRef<str>]) -> Vec<Client> {
        let mut clients: Vec<Client> = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            let mut newcomer = self.lets_in(name);
            newcomer.has_read_everything();
            for present in &mut clients {
                present.hears(&format!("*** {name} entered lobby"));
            }
            clients.push(newcomer);
        }
        clients
    }
}

/// The program whose turn it is, on a free port of loopback.
fn command(options: &str) -> Command {
    let mut command = Command::new(Program::current().path());
    command.args(["--listen", "127.0.0.1:0"]).args(options.split_whitespace());
    if !options.contains("--web ") {
        let web = if Program::current() == Program::Browser { "127.0.0.1:0" } else { "none" };
        command.args(["--web", web]); // the usual port is one for all tests
    }
    if Program::current() == Program::Tls {
        command.args(["--tls", "127.0.0.1:0"]).args(tls::options().split_whitespace());
    }
    command
}

impl Deref for Server {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}
