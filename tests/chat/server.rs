//! A server that says what the test wants said, and hears what the client says.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};

use crate::DEADLINE;

/// Listens on a port of its own, on this machine alone, until it is dropped: then the port is free again.
pub struct Server {
    pub port: u16,
    accepted: Receiver<TcpStream>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start() -> Server {
        Server::on(0)
    }

    /// On a port that another server has just given up.
    pub fn on(port: u16) -> Server {
        // Not std's listener: the port must be free again at once, with the last server's connections still closing.
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        #[cfg(unix)]
        socket.set_reuse_address(true).unwrap();
        socket.bind(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
        socket.listen(16).unwrap();
        let listener = TcpListener::from(socket);
        let port = listener.local_addr().unwrap().port();
        let (accept, accepted) = unbounded();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept()
                && !over.load(Ordering::SeqCst)
            {
                let _ = accept.send(stream);
            }
        });
        Server { port, accepted, is_over, thread: Some(thread) }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits for the next client.
    pub fn accepts(&self) -> Client {
        let stream = self.accepted.recv_timeout(DEADLINE).expect("no client came");
        let lines = lines(stream.try_clone().unwrap());
        Client { stream, lines }
    }
}

fn lines(stream: TcpStream) -> Receiver<String> {
    let (say, said) = unbounded();
    thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| say.send(line))
    });
    said
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)); // wakes the accept
        self.thread.take().map(JoinHandle::join);
    }
}

/// One client, seen from the server.
pub struct Client {
    pub stream: TcpStream,
    lines: Receiver<String>,
}

impl Client {
    /// Sends lines, each with its end.
    pub fn is_told(&self, text: &str) {
        self.is_sent(format!("{text}\n").as_bytes());
    }

    pub fn is_sent(&self, bytes: &[u8]) {
        (&self.stream).write_all(bytes).unwrap();
    }

    /// The next line the client sends.
    #[track_caller]
    pub fn says(&self, expected: &str) {
        assert_eq!(self.next_line(), expected);
    }

    #[track_caller]
    pub fn next_line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("the client says nothing")
    }

    /// The client has nothing more to say.
    #[track_caller]
    pub fn says_no_more(&self) {
        assert_eq!(self.lines.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
    }

    pub fn is_welcomed(&self) {
        self.is_told("*** Welcome to chatd: one thread per connection, and yours is c1.\n*** What is your name?");
    }

    /// Welcomes a client that gives this name by itself.
    #[track_caller]
    pub fn enters_as(&self, name: &str) {
        self.is_welcomed();
        self.says(name);
        self.is_let_in(name, "with bob and carol.");
    }

    pub fn is_let_in(&self, name: &str, company: &str) {
        let hello =
            format!("*** Hello {name}. Type to talk; /help lists the commands, /quit leaves.");
        self.is_told(&format!(
            "{hello}\n*** You are in lobby{}{company}",
            if company.starts_with("with") { " " } else { ", " }
        ));
    }

    /// Ends the connection from the server's side.
    pub fn hangs_up(self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }

    /// Says goodbye, as chatd does when it has read an end of file or /quit.
    pub fn sees_off(self) {
        self.is_told("*** Goodbye.");
        self.hangs_up();
    }
}
