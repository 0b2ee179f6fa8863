//! One client of the server under test: talks as a person would, and waits for what it reads.

use super::{DEADLINE, Program, matches, tls::Tls, wire::Wire};
use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// How long to listen for what is not to come. Only flaws are asserted so: a slow machine cannot make these tests fail.
const SILENCE: Duration = Duration::from_millis(300);

/// Somebody with a connection.
pub struct Client {
    /// As in the test.
    pub name: String,
    reader: BufReader<Wire>,
}

impl Client {
    pub fn connect(address: SocketAddr, name: &str) -> Client {
        let stream =
            TcpStream::connect(address).unwrap_or_else(|e| panic!("{name} cannot connect: {e}"));
        Client::of(stream, name)
    }

    /// Connects to a server that may be gone just now.
    pub fn try_to_connect(address: SocketAddr, name: &str) -> Option<Client> {
        TcpStream::connect(address).and_then(|stream| Client::try_of(stream, name)).ok()
    }

    /// Connects from one of loopback's other addresses.
    pub fn connect_from(source: &str, address: SocketAddr, name: &str) -> Client {
        let connect = || {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
            socket.bind(&SocketAddr::new(source.parse().unwrap(), 0).into())?;
            socket.connect(&address.into())?;
            Ok::<TcpStream, std::io::Error>(socket.into())
        };
        let stream = connect().unwrap_or_else(|e| panic!("{name} cannot connect: {e}"));
        Client::of(stream, name)
    }

    /// Connects to a Unix-domain socket.
    #[cfg(unix)]
    pub fn connect_to_file(path: &std::path::Path, name: &str) -> Client {
        let stream = std::os::unix::net::UnixStream::connect(path)
            .unwrap_or_else(|e| panic!("{name} cannot connect: {e}"));
        let stream = TcpStream::from(std::os::fd::OwnedFd::from(stream));
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        let (name, wire) = (name.to_owned(), Wire::Plain(stream));
        Client { name, reader: BufReader::with_capacity(64 * 1024, wire) }
    }

    /// Connects, and has the kernel keep little of what it does not read.
    pub fn connect_narrow(address: SocketAddr, name: &str) -> Client {
        let connect = || {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
            socket.set_recv_buffer_size(4096)?;
            socket.set_tcp_mss(1460)?; // as on a network: loopback takes 64 KiB at once
            socket.connect(&address.into())?;
            Ok::<TcpStream, std::io::Error>(socket.into())
        };
        let stream = connect().unwrap_or_else(|e| panic!("{name} cannot connect: {e}"));
        Client::of(stream, name)
    }

    fn of(stream: TcpStream, name: &str) -> Client {
        Client::try_of(stream, name).expect("the handshake")
    }

    fn try_of(stream: TcpStream, name: &str) -> std::io::Result<Client> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        let wire = match Program::current() {
            Program::Browser => Wire::browser(stream)?,
            Program::Tls => Wire::Tls(Box::new(Tls::connect(stream)?)),
            _ => Wire::Plain(stream),
        };
        Ok(Client { name: name.to_owned(), reader: BufReader::with_capacity(64 * 1024, wire) })
    }

    // --- Lines ---

    #[track_caller]
    pub fn says(&mut self, line: &str) {
        self.sends(format!("{line}\n"));
    }

    /// The same to a server that may be gone by now.
    pub fn tries_to_say(&mut self, line: &str) {
        let _ = self.reader.get_mut().write_all(format!("{line}\n").as_bytes());
    }

    /// Reads the next line, whatever it is; `None` at the end of file, or when the connection is reset.
    #[track_caller]
    pub fn reads(&mut self) -> Option<String> {
        let (line, is_whole) = self.reads_line()?;
        assert!(is_whole, "{} reads half a line: {line:?}", self.name);
        Some(line)
    }

    /// Reads the next whole line; `None` when the server is gone, and half a line with it.
    #[track_caller]
    pub fn reads_whole(&mut self) -> Option<String> {
        self.reads_line().and_then(|(line, is_whole)| is_whole.then_some(line))
    }

    /// The next line without its end, and whether it has one.
    #[track_caller]
    fn reads_line(&mut self) -> Option<(String, bool)> {
        let mut line = Vec::new();
        match self.reader.read_until(b'\n', &mut line) {
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::ConnectionReset => {}
            Err(e) => panic!("{} waits in vain for a line: {e}, after {line:?}", self.name),
        }
        let is_whole = line.pop_if(|last| *last == b'\n').is_some();
        (is_whole || !line.is_empty())
            .then(|| (String::from_utf8_lossy(&line).into_owned(), is_whole))
    }

    /// Reads the next line, which has to be this one. `{…}` stands for anything.
    #[track_caller]
    pub fn hears(&mut self, expected: &str) {
        let line = self.reads();
        assert!(
            line.as_deref().is_some_and(|line| matches(expected, line)),
            "{} should hear {expected:?}, but hears {line:?}",
            self.name
        );
    }

    /// Says a line, and reads the next one, which has to be this one.
    #[track_caller]
    pub fn asks(&mut self, line: &str, answer: &str) {
        self.says(line);
        self.hears(answer);
    }

    /// Says a line, and reads up to the first one that begins like this, which is returned.
    #[track_caller]
    pub fn asks_until(&mut self, line: &str, start: &str) -> String {
        self.says(line);
        self.hears_until(start)
    }

    /// Reads lines up to the first one that begins like this, and returns it.
    #[track_caller]
    pub fn hears_until(&mut self, start: &str) -> String {
        let end = Instant::now() + DEADLINE;
        let mut last = None;
        loop {
            match self.reads() {
                Some(line) if line.starts_with(start) => return line,
                Some(line) => {
                    let is_late = Instant::now() > end;
                    assert!(!is_late, "{} waits for {start:?}; last was {line:?}", self.name);
                    last = Some(line);
                }
                None => panic!("{} never hears {start:?}; the last line was {last:?}", self.name),
            }
        }
    }

    /// Reads up to the end of file and returns the lines.
    #[track_caller]
    pub fn hears_to_the_end(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.reads()).collect()
    }

    /// Reads all that chatd sent before now.
    #[track_caller]
    pub fn has_read_everything(&mut self) {
        self.asks_until("/help quit", "*** /quit [WHY]");
    }

    /// What comes next chatd sent after now: nothing was sent that has not been read.
    #[track_caller]
    pub fn hears_nothing(&mut self) {
        self.asks("/help quit", "*** /quit [WHY]: {…}");
    }

    // --- Bytes ---

    #[track_caller]
    pub fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        self.reader
            .get_mut()
            .write_all(bytes.as_ref())
            .unwrap_or_else(|e| panic!("{} cannot send: {e}", self.name));
    }

    #[track_caller]
    pub fn receives(&mut self, expected: impl AsRef<[u8]>) {
        let (expected, mut got) = (expected.as_ref(), Vec::new());
        let end = (&mut self.reader).take(expected.len() as u64).read_to_end(&mut got);
        let [got_text, expected_text] = [&got, expected].map(String::from_utf8_lossy);
        let name = &self.name;
        assert!(got == expected, "{name} reads {got_text:?} ({end:?}), not {expected_text:?}");
    }

    pub fn receives_byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.reader.read_exact(&mut byte).ok().map(|()| byte[0])
    }

    /// Reads up to these bytes, and with them.
    #[track_caller]
    pub fn receives_until(&mut self, expected: &[u8]) {
        let mut got = Vec::new();
        while !got.ends_with(expected) {
            let byte = self.receives_byte();
            got.push(byte.unwrap_or_else(|| panic!("{} never hears {expected:?}", self.name)));
        }
    }

    #[track_caller]
    pub fn receives_to_the_end(&mut self) -> String {
        let mut got = String::new();
        self.reader.read_to_string(&mut got).expect("the end of file");
        got
    }

    /// Reads all there is, as one that was hung up while it did not read: the last line may be half of one.
    #[track_caller]
    pub fn finds_in_its_buffer(&mut self) -> (Vec<String>, String) {
        let mut bytes = Vec::new();
        let end = self.reader.read_to_end(&mut bytes);
        let is_over = end.as_ref().err().is_none_or(|e| e.kind() == ErrorKind::ConnectionReset);
        assert!(is_over, "{} is not hung up: {end:?}", self.name);
        let text = String::from_utf8_lossy(&bytes);
        let (lines, half) = text.rsplit_once('\n').unwrap_or(("", &text));
        (lines.lines().map(str::to_owned).collect(), half.to_owned())
    }

    /// Whether something was sent to it that it has not read.
    pub fn has_unread(&self) -> bool {
        let stream = self.stream();
        stream.set_nonblocking(true).unwrap();
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false).unwrap();
        !self.reader.buffer().is_empty() || peeked.is_ok()
    }

    /// Nothing comes for now. (A read with a time limit is not begun again when the process was stopped meanwhile.)
    #[track_caller]
    pub fn hears_nothing_for_now(&mut self) {
        assert_eq!(self.reader.buffer(), b"", "{} should hear nothing", self.name);
        self.stream().set_read_timeout(Some(SILENCE)).unwrap();
        let got = loop {
            match self.stream().read(&mut [0]) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                got => break got,
            }
        };
        self.stream().set_read_timeout(Some(DEADLINE)).unwrap();
        let kind = got.as_ref().err().map(std::io::Error::kind);
        let is_silent = matches!(kind, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut));
        assert!(is_silent, "{} should hear nothing, but {got:?}", self.name);
    }

    // --- Endings ---

    #[track_caller]
    pub fn is_hung_up(&mut self) {
        let line = self.reads();
        assert_eq!(line, None, "{} should be hung up", self.name);
    }

    /// The server closes the connection; what it still sent is thrown away.
    #[track_caller]
    pub fn ends(mut self) {
        self.finds_in_its_buffer();
    }

    /// Sends its end of file and goes on reading.
    pub fn stops_sending(&mut self) {
        if let Wire::Tls(tls) = self.reader.get_mut() {
            tls.closes();
        }
        self.stream().shutdown(Shutdown::Write).unwrap();
    }

    /// Closes with a reset instead of an end of file: as when its program dies with bytes unread.
    pub fn resets(self) {
        socket2::SockRef::from(self.stream()).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// The socket. What is read from it directly must not be in the buffer: only what nothing was read from by lines.
    pub fn stream(&self) -> &TcpStream {
        self.reader.get_ref().socket()
    }

    /// What the server has closed a browser's connection with.
    pub fn closed(&self) -> Option<(u16, &str)> {
        match self.reader.get_ref() {
            Wire::Browser(browser) => browser.closed.as_ref().map(|(code, why)| (*code, &**why)),
            Wire::Plain(_) | Wire::Tls(_) => None,
        }
    }

    /// Whether the server has ended an encrypted connection with TLS's own end; `None`: not yet.
    pub fn is_ended_cleanly(&self) -> Option<bool> {
        match self.reader.get_ref() {
            Wire::Tls(tls) => tls.is_clean,
            Wire::Plain(_) | Wire::Browser(_) => None,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.stream().local_addr().unwrap()
    }
}
