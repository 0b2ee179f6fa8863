//! The web port, over raw sockets and over WebSockets: what it answers, to whom, and what becomes of a browser that misbehaves.

#[allow(dead_code, reason = "the other test binaries need the rest")]
#[path = "../harness/mod.rs"]
mod harness;

mod crowds;
mod frames;
mod greedy;
mod heads;
mod hosts;
mod lookers;
mod metrics;
mod starting;

use harness::{Client, DEADLINE, Folder, Program, Server};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

/// A server with a web port, on free ports of loopback.
struct Web {
    server: Server,
    /// Where browsers find it.
    web: SocketAddr,
}

impl Web {
    fn start(options: &str) -> Web {
        Web::of(Server::start(&format!("--web 127.0.0.1:0 {options}")))
    }

    /// The same with a database in this folder.
    fn start_in(folder: &Folder, options: &str) -> Web {
        Web::of(folder.start(&format!("--web 127.0.0.1:0 {options}")))
    }

    fn of(server: Server) -> Web {
        let web = server.also_at("listening for browsers on ");
        Web { server, web }
    }

    /// A browser that has connected.
    fn browser(&self, name: &str) -> Client {
        let mut browser = None;
        Program::Browser.keeps_here(|| browser = Some(Client::connect(self.web, name)));
        browser.unwrap()
    }

    /// A browser that is in the chat, and has read all there was.
    fn enters(&self, name: &str) -> Client {
        let mut browser = self.browser(name);
        browser.asks_until(name, &format!("*** Hello {name}."));
        browser.has_read_everything();
        browser
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.web).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends this, and returns all that is answered.
    fn answers(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_ref()).unwrap();
        to_the_end(stream)
    }

    /// The answer to a request for this path, with these headers, each with its line end.
    fn get(&self, path: &str, headers: &str) -> String {
        self.answers(format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.web
        ))
    }

    /// The head of a request for a WebSocket.
    fn handshake(&self) -> String {
        self.handshake_at("/chat")
    }

    fn handshake_at(&self, path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{UPGRADE}\r\n", self.web)
    }

    /// A connection that has become a WebSocket, for frames that no client would send.
    fn raw(&self) -> TcpStream {
        self.raw_at("/chat")
    }

    fn raw_at(&self, path: &str) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(self.handshake_at(path).as_bytes()).unwrap();
        let head = head_of(&mut stream);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        stream
    }
}

/// What a browser says that wants a WebSocket.
const UPGRADE: &str = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// The head of an answer.
fn head_of(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn to_the_end(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The status of an answer: 200.
fn status(answer: &str) -> u16 {
    let code = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or_default();
    code.parse().unwrap_or_else(|_| panic!("no answer of HTTP: {answer:?}"))
}
