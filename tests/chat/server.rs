//! A server that says what the test wants said, and hears what the client says.

use crate::DEADLINE;
use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Listens on a port of its own, on this machine alone, until it is dropped: then the port is free
/// again.
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
        // Not std's listener: the port must be free again while the last connections still close.
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        #[cfg(unix)]
        socket.set_reuse_address(true).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
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
    #[track_caller]
    pub fn accepts(&self) -> Client {
        let stream = self.accepted.recv_timeout(DEADLINE).expect("no client came");
        let read = BufReader::new(stream.try_clone().unwrap());
        let (say, lines) = unbounded();
        thread::spawn(move || {
            read.lines().map_while(Result::ok).try_for_each(|line| say.send(line))
        });
        Client { stream, lines }
    }
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
    /// Reads these lines of the server's; the last one's end is added.
    pub fn gets(&self, text: &str) {
        self.gets_bytes(format!("{text}\n").as_bytes());
    }

    pub fn gets_bytes(&self, bytes: &[u8]) {
        (&self.stream).write_all(bytes).unwrap();
    }

    /// The next line the client sends. (One with an editor also asks for its own lines, by itself.)
    #[track_caller]
    pub fn says(&self, expected: &str) {
        let line = self.next_line();
        if line == "/echo on" {
            self.gets("*** You read your own lines from now on.");
            return self.says(expected);
        }
        assert_eq!(line, expected);
    }

    /// The client sends this, and perhaps something else before.
    #[track_caller]
    pub fn says_among(&self, expected: &str) {
        while self.next_line() != expected {}
    }

    #[track_caller]
    pub fn next_line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("the client says nothing")
    }

    /// The client has nothing more to say.
    #[track_caller]
    pub fn says_no_more(&self) {
        let end = loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) if line == "/echo on" => {}
                end => break end,
            }
        };
        assert_eq!(end, Err(RecvTimeoutError::Disconnected));
    }

    /// Is welcomed by a chatd, asks for notes, and gets them.
    #[track_caller]
    pub fn gets_welcome(&self) {
        self.gets_welcome_of_epoch(1);
    }

    #[track_caller]
    pub fn gets_welcome_of_epoch(&self, epoch: u32) {
        self.gets(
            "*** Welcome to chatd: one thread per connection, and yours is c1.\n\
             *** What is your name?",
        );
        self.says("/notes on");
        self.gets(&format!(
            r#"{{"chatd":"1","you":"c1","flood":[32,8],"epoch":{epoch},"ask":"name"}}"#
        ));
    }

    /// Is asked for a password.
    pub fn gets_password_question(&self, sentence: &str) {
        self.gets(&format!("{{\"ask\":\"password\"}}\n{sentence}"));
    }

    /// Its name is refused, by this sentence.
    pub fn gets_refusal(&self, sentence: &str) {
        self.gets(&format!("{{\"ask\":\"name\"}}\n{sentence}"));
    }

    /// Is welcomed, gives this name by itself, and is in.
    #[track_caller]
    pub fn enters_as(&self, name: &str) {
        self.gets_welcome();
        self.says(name);
        self.gets_in(name, &["bob", "carol"]);
    }

    /// Is in the lobby with these.
    pub fn gets_in(&self, name: &str, others: &[&str]) {
        let hello =
            format!("*** Hello {name}. Type to talk; /help lists the commands, /quit leaves.");
        self.gets(&format!("{hello}\n*** You are in lobby.\n{}", who(name)));
        self.gets_room("lobby", others, 10);
    }

    /// Is in another room, alone.
    pub fn moves_to(&self, room: &str) {
        self.gets(&format!(
            "*** You are in {room}, alone.\n{{\"room\":\"{room}\",\"here\":[],\"last\":20}}"
        ));
    }

    /// A note of the room; all lines up to number `last` have come.
    pub fn gets_room(&self, room: &str, here: &[&str], last: u32) {
        self.gets(&format!(r#"{{"room":"{room}","here":{here:?},"last":{last}}}"#));
    }

    /// The server closes the connection.
    pub fn loses_connection(self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }

    /// The client has said all; the server says goodbye, as chatd does at an end of file or /quit.
    #[track_caller]
    pub fn leaves(self) {
        self.says_no_more();
        self.gets_goodbye();
    }

    /// The server says goodbye and closes the connection.
    pub fn gets_goodbye(self) {
        self.gets("{\"bye\":1000,\"again\":false}\n*** Goodbye.");
        self.loses_connection();
    }
}

/// The note of who the client is, with a token by which it may come back.
pub fn who(name: &str) -> String {
    format!(r#"{{"in":"{name}","account":null,"admin":false,"ask":null,"resume":"T0KEN"}}"#)
}
