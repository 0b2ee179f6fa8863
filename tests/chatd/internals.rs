//! One client of the server under test: talks as a person would, and waits for what it reads. Every wait has a deadline.

use super::DEADLINE;
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// Somebody with a connection.
pub struct Client {
    /// As in the test.
    pub name: String,
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr, name: &str) -> Client {
        let stream =
            TcpStream::connect(address).unwrap_or_else(|e| panic!("{name} cannot connect: {e}"));
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Client { name: name.to_owned(), stream, unread: Vec::new() }
    }

    /// Sends a line.
    pub fn says(&mut self, line: &str) {
        self.sends(format!("{line}\n").as_bytes());
    }

    /// Sends bytes as they are.
    pub fn sends(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap_or_else(|e| panic!("{} cannot send: {e}", self.name));
    }

    /// Reads what comes next, behind what it has not looked at yet; 0 is the end of file.
    fn read_more(&mut self) -> std::io::Result<usize> {
        let mut bytes = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut bytes) {
                // A read with a time limit is not begun again when the process was stopped meanwhile, or the machine.
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(n) => {
                    self.unread.extend(&bytes[..n]);
                    return Ok(n);
                }
            }
        }
    }

    /// Reads the next line, whatever it is; `None` at the end of file, or when the connection is reset.
    pub fn reads(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            match self.read_more() {
                Ok(0) => {
                    assert!(
                        self.unread.is_empty(),
                        "{} reads half a line: {:?}",
                        self.name,
                        self.unread
                    );
                    return None;
                }
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::ConnectionReset => return None,
                Err(e) => panic!("{} waits in vain for a line: {e}", self.name),
            }
        }
    }

    /// Reads the next whole line; `None` when the server is gone, and half a line with it.
    pub fn reads_whole(&mut self) -> Option<String> {
        loop {
            if self.unread.contains(&b'\n') {
                return self.reads();
            }
            match self.read_more() {
                Ok(1..) => {}
                Ok(0) => return None,
                Err(e) if e.kind() == ErrorKind::ConnectionReset => return None,
                Err(e) => panic!("{} waits in vain for a line: {e}", self.name),
            }
        }
    }

    /// Whether something was sent to it that it has not read.
    pub fn has_unread(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        !self.unread.is_empty() || peeked.is_ok()
    }

    /// Reads up to these bytes.
    #[track_caller]
    pub fn hears_bytes(&mut self, expected: &[u8]) {
        loop {
            if let Some(at) = memchr::memmem::find(&self.unread, expected) {
                self.unread.drain(..at + expected.len());
                return;
            }
            let n = self
                .read_more()
                .unwrap_or_else(|e| panic!("{} waits for {expected:?}: {e}", self.name));
            assert!(n > 0, "{} never hears {expected:?}", self.name);
        }
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

    /// Reads lines up to the first one that begins like this, and returns it.
    #[track_caller]
    pub fn hears_until(&mut self, start: &str) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            match self.reads() {
                Some(line) if line.starts_with(start) => return line,
                Some(line) => assert!(
                    Instant::now() < end,
                    "{} waits for {start:?}; last was {line:?}",
                    self.name
                ),
                None => panic!("{} never hears {start:?}", self.name),
            }
        }
    }

    /// Reads up to the end of file and returns the lines.
    pub fn hears_to_the_end(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.reads()).collect()
    }

    /// Reads all that was sent before now.
    #[track_caller]
    pub fn has_read_everything(&mut self) {
        self.says("/help quit");
        self.hears_until("*** /quit [WHY]");
    }

    /// What comes next was sent after now: nothing was sent that has not been read.
    #[track_caller]
    pub fn hears_nothing(&mut self) {
        self.says("/help quit");
        self.hears("*** /quit [WHY]: {…}");
    }

    /// The server closed the connection.
    #[track_caller]
    pub fn is_hung_up(&mut self) {
        let line = self.reads();
        assert_eq!(line, None, "{} should be hung up", self.name);
    }

    /// Closes the connection; what was sent to it and not read is lost.
    pub fn leaves(self) {}

    /// Reads all there is, as one that was hung up while it did not read: the last line may be half of one.
    pub fn finds_in_its_buffer(&mut self) -> (Vec<String>, String) {
        let mut bytes = std::mem::take(&mut self.unread);
        let end = self.stream.read_to_end(&mut bytes);
        assert!(
            end.is_ok() || end.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset),
            "{} is not hung up",
            self.name
        );
        let text = String::from_utf8(bytes).unwrap();
        let (lines, half) = text.rsplit_once('\n').unwrap_or(("", &text));
        (lines.lines().map(str::to_owned).collect(), half.to_owned())
    }

    /// Sends its end of file and goes on reading.
    pub fn stops_sending(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Closes with a reset instead of an end of file: as when its program dies with bytes unread.
    pub fn resets(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// The socket.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }
}

/// Compares a line with one in which `{…}` (or `{n}`, or anything in braces) stands for any text.
pub fn matches(pattern: &str, line: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else { return pattern == line };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    let Some(rest) = line.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|end| rest.is_char_boundary(end) && matches(after, &rest[end..]))
}
