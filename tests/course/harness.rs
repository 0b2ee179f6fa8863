//! Starts a program of the course on a free port, and a client that works with bytes: every wait has a deadline.

pub use super::chatd_harness::{DEADLINE, Server, eventually, kill};
use std::{
    io::{BufRead as _, BufReader, ErrorKind, Lines, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    path::PathBuf,
    process::{ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

/// How long to listen for what is not to come. Only flaws are asserted so: a slow machine cannot make these tests fail.
pub const SILENCE: Duration = Duration::from_millis(300);

/// The command of an example. `cargo test` builds it beside the test's own binary.
pub fn program(name: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(
        program.exists(),
        "{} is not built: `cargo test` or `cargo build --examples` does",
        program.display()
    );
    Command::new(program)
}

/// Starts an example on a free port of loopback.
pub fn start(name: &str) -> Server {
    start_with(name, &[])
}

/// Starts an example on a free port of loopback, with more arguments behind the address.
pub fn start_with(name: &str, arguments: &[&str]) -> Server {
    let mut command = program(name);
    command.arg("127.0.0.1:0").args(arguments);
    Server::start_program(command)
}

/// Ctrl-C ends it with exit code 0.
#[track_caller]
pub fn ends_on_ctrl_c(mut server: Server) {
    server.signal("INT");
    assert_eq!(server.exit_code(), Some(0), "its log: {}", server.log());
}

/// A socket with deadlines.
pub struct Peer(pub TcpStream);

impl Peer {
    /// Connects.
    pub fn connect(server: &Server) -> Peer {
        Peer::connect_to(server.address)
    }

    /// Connects.
    pub fn connect_to(address: SocketAddr) -> Peer {
        let stream = TcpStream::connect(address).expect("it accepts");
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Peer(stream)
    }

    /// Sends bytes.
    #[track_caller]
    pub fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).expect("it takes what is sent");
    }

    /// Reads exactly these bytes.
    #[track_caller]
    pub fn reads(&mut self, expected: impl AsRef<[u8]>) {
        let expected = expected.as_ref();
        let mut got = Vec::new();
        let end = (&mut self.0).take(expected.len() as u64).read_to_end(&mut got);
        let show = String::from_utf8_lossy;
        assert!(
            got == expected,
            "read {:?} ({end:?}) in place of {:?}",
            show(&got),
            show(expected)
        );
    }

    /// Reads a line, with its end.
    #[track_caller]
    pub fn reads_line(&mut self) -> String {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let mut byte = [0];
            match self.0.read_exact(&mut byte) {
                Ok(()) => line.push(byte[0]),
                Err(e) => panic!("{e} after {:?}", String::from_utf8_lossy(&line)),
            }
        }
        String::from_utf8(line).unwrap()
    }

    /// Reads to the end of file.
    #[track_caller]
    pub fn reads_to_the_end(mut self) -> String {
        let mut got = String::new();
        self.0.read_to_string(&mut got).expect("the end of file");
        got
    }

    /// Nothing comes for now.
    #[track_caller]
    pub fn hears_nothing(&mut self) {
        self.0.set_read_timeout(Some(SILENCE)).unwrap();
        let got = self.0.read(&mut [0]);
        self.0.set_read_timeout(Some(DEADLINE)).unwrap();
        let is_silent =
            |e: &std::io::Error| matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(got.as_ref().is_err_and(is_silent), "it should hear nothing, but {got:?}");
    }

    /// The server closes the connection; what it still sent is thrown away.
    #[track_caller]
    pub fn ends(mut self) {
        let mut bytes = Vec::new();
        let end = self.0.read_to_end(&mut bytes);
        assert!(
            end.as_ref().map_or_else(|e| e.kind() == ErrorKind::ConnectionReset, |_| true),
            "{end:?}"
        );
    }

    /// Sends its end of file.
    pub fn stops_sending(&mut self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    /// What it is called in this world.
    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }
}

/// An example whose standard output is read line by line.
pub struct Printing {
    child: std::process::Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Printing {
    /// Starts it on a free port of loopback, in a folder of its own.
    pub fn start(name: &str, arguments: &[&str]) -> Printing {
        let mut command = program(name);
        command.current_dir(folder(name));
        let mut child =
            command.arg("127.0.0.1:0").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address =
            first.strip_prefix("listening on ").expect("this is the first line").parse().unwrap();
        Printing { child, lines, address }
    }

    /// The next line that it prints.
    #[track_caller]
    pub fn prints(&mut self, expected: &str) {
        assert_eq!(self.prints_next(), expected);
    }

    /// The next line that it prints, whatever it is.
    #[track_caller]
    pub fn prints_next(&mut self) -> String {
        self.lines.next().expect("it prints").unwrap()
    }

    /// Ends it by Ctrl-C, and returns what it still prints.
    pub fn ends(mut self) -> Vec<String> {
        kill("INT", self.child.id());
        let rest = self.lines.by_ref().map(Result::unwrap).collect();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder for one test, empty.
pub fn folder(name: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let unique = format!("{name}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}
